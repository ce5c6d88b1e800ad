"""The functions of an int8 header: numbers of int8, linear maps, and tables of functions."""

from __future__ import annotations

import textwrap

from cfc_ref.cells.int8.numbers import TABLES

__all__ = ["INT8_FUNCTIONS", "table_bytes"]

_OF = {"sigmoid": "sigma(z)", "normal": "the normal distribution function of z", "decay": "e^-z"}
_FUNCTIONS = """
    /* a float as an int, cut towards 0; NaN and what is beyond +-2^30 is cut to it */
    static inline int NAME_cut(float v)
    {
        const float above = v > -1073741824.0f ? v : -1073741824.0f;
        return (int)(above < 1073741824.0f ? above : 1073741824.0f);
    }

    /* int8 from a number in 1/256 of a step: cut, moved, rounded, and kept from -127 to 127 */
    static inline signed char NAME_int8(float v, int offset)
    {
        const int q = (NAME_cut(v) - offset + 128) >> 8;
        return (signed char)(q < -127 ? -127 : q > 127 ? 127 : q);
    }

    /* an argument times the time */
    static inline int NAME_times(int z, float t)
    {
        return NAME_cut((float)z * t);
    }

    <tables>

    /* a function of z >= 0, in 2^-12, by a table of steps of 1/16 up to 16: the chord between two entries, in 2^-14 */
    static inline int NAME_chord(const short *table, int z)
    {
        const int c = z < 65535 ? z : 65535, k = c >> 8;
        return table[k] + (((table[k + 1] - table[k]) * (c & 255)) >> 8);
    }

    /* sigma(z): z in 2^-12, the value in 2^-14 */
    static inline int NAME_sigma_of(int z)
    {
        return z < 0 ? 16384 - NAME_chord(NAME_sigmoid_table, -z) : NAME_chord(NAME_sigmoid_table, z);
    }

    /* tanh(z / 2) = 2 sigma(z) - 1 */
    static inline int NAME_tanh_half(int z)
    {
        return 2 * NAME_sigma_of(z) - 16384;
    }

    /* e^-z for z >= 0: an entry of the table times 1 - r + r^2 / 2 */
    static inline int NAME_decay(int z)
    {
        const int c = z < 65535 ? z : 65535, r = c & 255;
        return (NAME_decay_table[c >> 8] * (65536 - 16 * r + ((r * r) >> 9))) >> 16;
    }

    static inline int NAME_relu_8(int z)
    {
        return z > 0 ? z : 0;
    }

    /* z sigma(z) */
    static inline int NAME_silu_8(int z)
    {
        return (int)(((long long)z * NAME_sigma_of(z)) >> 14);
    }

    /* z times the normal distribution function */
    static inline int NAME_gelu_8(int z)
    {
        const int half = NAME_chord(NAME_normal_table, z < 0 ? -z : z);
        return (int)(((long long)z * (z < 0 ? 16384 - half : half)) >> 14);
    }

    /* 1 - e^-u: three terms of its series for small u, else by the table */
    static inline float NAME_share(float u)
    {
        const float far = 6.103515625e-05f * (float)(16384 - NAME_decay(NAME_cut(4096.0f * u)));
        return u < 0.0625f ? u * (1.0f - 0.5f * u * (1.0f - 0.33333334f * u)) : far;
    }

    static inline float NAME_within(float v, float low, float high)
    {
        return v < low ? low : v > high ? high : v;
    }

    /* a number cut to an integer, moved, and kept in 16 bits */
    static inline short NAME_short(float v, int offset)
    {
        const int q = NAME_cut(v) - offset;
        return (short)(q < -32767 ? -32767 : q > 32767 ? 32767 : q);
    }

    /* G = G_0 + sum w s and Q = Q_0 + sum w s E over the synapses that there are, in integers: synapse k comes from
       pre[from[k]], and those of neuron i end at end[i]. NCP 2020: the release s = sigma(sigma_k (pre - mu_k)) */
    static inline void NAME_synapses(const signed char *w, const signed char *sigma, const signed char *mu,
                                     const signed char *E, const int *mu_step, const float *scale,
                                     const unsigned short *from, const int *end, const short *pre, const int *G_0,
                                     const int *Q_0, int *G, int *Q, int units)
    {
        for (int i = 0, k = 0; i < units; i++) {
            int g = G_0[i], q = Q_0[i];
            for (; k < end[i]; k++) {
                const int z = (int)(scale[i] * (float)(sigma[k] * (pre[from[k]] - mu[k] * mu_step[i])));
                const int ws = w[k] * NAME_sigma_of(z);
                g += ws;
                q += (ws >> 6) * E[k];
            }
            G[i] = g;
            Q[i] = q;
        }
    }

    /* z = scale (W u + b) in 2^-12: a scale per row, sums of 32 bits */
    static inline void NAME_map(const signed char *W, const int *b, const float *scale, const short *u, int *z,
                                int rows, int columns)
    {
        int i = 0;
        /* four rows at once, in products of 16 bits */
        for (; i + 4 <= rows; i += 4, W += 4 * columns) {
            int sum[4] = {b[i], b[i + 1], b[i + 2], b[i + 3]};
            for (int j = 0; j < columns; j++) {
                const short w_0 = W[j], w_1 = W[columns + j], w_2 = W[2 * columns + j], w_3 = W[3 * columns + j];
                sum[0] += w_0 * u[j];
                sum[1] += w_1 * u[j];
                sum[2] += w_2 * u[j];
                sum[3] += w_3 * u[j];
            }
            for (int k = 0; k < 4; k++)
                z[i + k] = (int)(scale[i + k] * (float)sum[k]);
        }
        for (; i < rows; i++, W += columns) {
            int sum = b[i];
            for (int j = 0; j < columns; j++)
                sum += W[j] * u[j];
            z[i] = (int)(scale[i] * (float)sum);
        }
    }

    /* the same over the synapses of a wiring: W[k] is that from u[from[k]]; those of neuron i end at end[i] */
    static inline void NAME_map_wired(const signed char *W, const int *b, const float *scale,
                                      const unsigned short *from, const int *end, const short *u, int *z, int rows)
    {
        for (int i = 0, k = 0; i < rows; i++) {
            int sum = b[i];
            for (; k < end[i]; k++)
                sum += W[k] * u[from[k]];
            z[i] = (int)(scale[i] * (float)sum);
        }
    }

    /* the output: y = scale (W x + b) */
    static inline void NAME_output(const signed char *W, const int *b, const float *scale, const signed char *x,
                                   float *y, int rows, int columns)
    {
        for (int i = 0; i < rows; i++, W += columns) {
            int sum = b[i];
            for (int j = 0; j < columns; j++)
                sum += W[j] * x[j];
            y[i] = scale[i] * (float)sum;
        }
    }
"""


def _table(name: str) -> str:
    numbers = textwrap.indent(textwrap.fill(", ".join(map(str, TABLES[name].tolist())), 112), "    ")
    title = f"/* {_OF[name]} at z = 0, 1/16, ..., 16, in 2^-14 */"
    return f"{title}\nstatic const short NAME_{name}_table[{len(TABLES[name])}] = {{\n{numbers}\n}};"


INT8_FUNCTIONS = textwrap.dedent(_FUNCTIONS).replace("<tables>", "\n\n".join(map(_table, TABLES)))


def table_bytes(functions: list[str]) -> int:
    """Return the bytes of the tables among C functions."""
    return sum(2 * len(TABLES[name]) for name in TABLES if any(f"NAME_{name}_table[" in text for text in functions))
