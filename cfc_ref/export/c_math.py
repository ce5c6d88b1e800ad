"""The mathematical functions of a header: from <math.h>, or written out so that it depends on nothing."""

from __future__ import annotations

import re
import textwrap

__all__ = ["MATH", "functions", "of_library"]

MATH = ("libm", "own")
_LIBM = {"exp": "expf", "expm1": "expm1f", "tanh": "tanhf", "erf": "erff", "abs": "fabsf"}

_OWN = """
    static inline float NAME_abs(float z)
    {
        return z < 0.0f ? -z : z;
    }

    /* e^r for |r| <= ln(2)/2, less 1 (coefficients: Cephes) */
    static inline float NAME_exp_near_0(float r)
    {
        float p = 1.9875691500e-4f;
        p = p * r + 1.3981999507e-3f;
        p = p * r + 8.3334519073e-3f;
        p = p * r + 4.1665795894e-2f;
        p = p * r + 1.6666665459e-1f;
        p = p * r + 5.0000001201e-1f;
        return p * r * r + r;
    }

    /* e^z for z <= 0: 2^n e^r with n = round(z / ln 2); the bits of 2^n are those of n + 127, 23 places up */
    static inline float NAME_exp(float z)
    {
        const float c = z > -87.0f ? z : -87.0f;
        const int n = (int)(c * 1.44269504f - 0.5f);
        const float r = (c - (float)n * 0.693359375f) + (float)n * 2.12194440e-4f;
        union { unsigned int bits; float value; } power;
        power.bits = (unsigned int)(n + 127) << 23;
        return power.value * (1.0f + NAME_exp_near_0(r));
    }

    /* e^z - 1 for z <= 0, without cancellation near 0 */
    static inline float NAME_expm1(float z)
    {
        return z > -0.34f ? NAME_exp_near_0(z) : NAME_exp(z) - 1.0f;
    }

    /* the hyperbolic tangent: a polynomial near 0 (coefficients: Cephes), else (1 - e^-2|z|) / (1 + e^-2|z|) */
    static inline float NAME_tanh(float z)
    {
        const float a = NAME_abs(z), e = NAME_exp(-2.0f * a), square = z * z;
        const float far = (1.0f - e) / (1.0f + e);
        float p = -5.70498872745e-3f;
        p = p * square + 2.06390887954e-2f;
        p = p * square - 5.37397155531e-2f;
        p = p * square + 1.33314422036e-1f;
        p = p * square - 3.33332819422e-1f;
        return a < 0.625f ? p * square * z + z : z < 0.0f ? -far : far;
    }

    /* the error function to 6e-7 (Abramowitz & Stegun 7.1.26) */
    static inline float NAME_erf(float z)
    {
        const float a = NAME_abs(z), t = 1.0f / (1.0f + 0.3275911f * a);
        float p = 1.061405429f;
        p = p * t - 1.453152027f;
        p = p * t + 1.421413741f;
        p = p * t - 0.284496736f;
        p = p * t + 0.254829592f;
        const float y = 1.0f - p * t * NAME_exp(-a * a);
        return z < 0.0f ? -y : y;
    }
"""
_FUNCTIONS = """
    /* 1 / (1 + e^-z), in e^-|z|, which does not overflow */
    static inline float NAME_sigmoid(float z)
    {
        const float e = NAME_exp(-NAME_abs(z));
        return (z >= 0.0f ? 1.0f : e) / (1.0f + e);
    }

    static inline float NAME_lecun_tanh(float z)
    {
        return 1.7159f * NAME_tanh(0.666f * z);
    }

    static inline float NAME_silu(float z)
    {
        return z * NAME_sigmoid(z);
    }

    static inline float NAME_relu(float z)
    {
        return z > 0.0f ? z : 0.0f;
    }

    /* z times the normal distribution function */
    static inline float NAME_gelu(float z)
    {
        return 0.5f * z * (1.0f + NAME_erf(0.70710678f * z));
    }

    static inline float NAME_linear(float z)
    {
        return z;
    }

    /* whether a value is NaN, read off its bits: -ffast-math assumes that nothing is */
    static inline int NAME_missing(float value)
    {
        union { float value; unsigned int bits; } number;
        number.value = value;
        return (number.bits & 0x7fffffffu) > 0x7f800000u;
    }

    /* z = W u + b */
    static inline void NAME_affine(const float *W, const float *b, const float *u, float *z, int rows, int columns)
    {
        int i = 0;
        /* four rows at once: their sums do not wait for each other */
        for (; i + 4 <= rows; i += 4, W += 4 * columns) {
            float z_0 = 0.0f, z_1 = 0.0f, z_2 = 0.0f, z_3 = 0.0f;
            for (int j = 0; j < columns; j++) {
                z_0 += W[j] * u[j];
                z_1 += W[columns + j] * u[j];
                z_2 += W[2 * columns + j] * u[j];
                z_3 += W[3 * columns + j] * u[j];
            }
            z[i] = z_0 + b[i];
            z[i + 1] = z_1 + b[i + 1];
            z[i + 2] = z_2 + b[i + 2];
            z[i + 3] = z_3 + b[i + 3];
        }
        for (; i < rows; i++, W += columns) {
            float z_i = 0.0f;
            for (int j = 0; j < columns; j++)
                z_i += W[j] * u[j];
            z[i] = z_i + b[i];
        }
    }

    /* z = W u + b over the synapses of a wiring: W[k] is that from u[from[k]]; those of neuron i end at end[i] */
    static inline void NAME_affine_wired(const float *W, const float *b, const unsigned short *from, const int *end,
                                         const float *u, float *z, int rows)
    {
        for (int i = 0, k = 0; i < rows; i++) {
            float sum = 0.0f;
            for (; k < end[i]; k++)
                sum += W[k] * u[from[k]];
            z[i] = sum + b[i];
        }
    }
"""


def functions(calls: set[str], math: str, more: str = "") -> list[str]:
    """Return the C functions of these names, and what they need, in order; `more` are other functions and tables."""
    text = (textwrap.dedent((_OWN if math == "own" else "") + _FUNCTIONS) + more).strip()
    parts = re.split(r"(?<=\n})\n\n|(?<=\n};)\n\n|\n\n(?=/\*)", text)
    table = {re.findall(r"NAME_(\w+)", part)[0]: part.strip() + "\n" for part in parts}
    needed: set[str] = set()
    queue = list(calls)
    while queue:
        name = queue.pop()
        if name in table and name not in needed:
            needed.add(name)
            queue += re.findall(r"NAME_(\w+)", table[name])
    return [part for name, part in table.items() if name in needed]


def of_library(text: str) -> str:
    """Return a header's text with the functions of <math.h>."""
    for name, there in _LIBM.items():
        text = text.replace(f"NAME_{name}(", f"{there}(")
    return text
