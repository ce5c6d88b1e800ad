"""An LTC's time step in C: synapses or a neural release, and the solver's parts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.ltc.neural import NeuralLTCParams
from cfc_ref.cells.ltc.synapses import LTCParams, Synapses, recurrent_synapses, sensory_synapses
from cfc_ref.cells.ode import Scheme
from cfc_ref.export.c_source import Source, Wires, fill

__all__ = ["NEURAL", "SOLVERS_IN_C", "SYNAPTIC", "neural_cell", "ode_solver", "synaptic_cell"]


class SolverInC(NamedTuple):
    """The C of one part of a solver: C, G and Q of neuron i are there, h is the part's length."""

    part: str
    functions: tuple[str, ...] = ()


SOLVERS_IN_C = {
    "fused": SolverInC("""
        /* LTC 2021, Algorithm 1, the fused solver: x+ = (C x + h Q) / (C + h G) */
        const float D = C + h * G;
        x[i] = C / D * x[i] + h / D * Q;
    """),
    "frozen": SolverInC(
        """
        /* The frozen closed form of a network: x+ = e^-u x + (1 - e^-u) Q / G with u = h G / C */
        const float u = h * G / C;
        x[i] = NAME_exp(-u) * x[i] - NAME_expm1(-u) * (Q / G);
        """,
        ("exp", "expm1"),
    ),
}

_SUMS = """
    /* G = G_0 + sum w s and Q = Q_0 + sum w s E over the synapses that there are: synapse k comes from pre[from[k]],
       and those of neuron i end at end[i] */
    static inline void NAME_synapses(const float *w, const float *sigma, const float *mu, const float *E,
                                     const unsigned short *from, const int *end, const float *pre, const float *G_0,
                                     const float *Q_0, float *G, float *Q, int synapses, int units)
    {
        <room>

        /* NCP 2020: the release of each synapse, s = sigma(sigma_k (pre - mu_k)), times its conductance */
        for (int k = 0; k < synapses; k++)
            ws[k] = w[k] * NAME_sigmoid(sigma[k] * (pre[from[k]] - mu[k]));
        for (int i = 0, k = 0; i < units; i++) {
            float g = 0.0f, q = 0.0f;
            for (; k < end[i]; k++) {
                g += ws[k];
                q += ws[k] * E[k];
            }
            G[i] = g + G_0[i];
            Q[i] = q + Q_0[i];
        }
    }
"""
SYNAPTIC = """
    /* The LTC of ncps: C_i dx_i/dt = Q_i - G_i x_i, where G sums the conductances of leak and synapses, and Q the
       currents that they drive at x = 0. The input I is held; the time t has <parts> equal parts h */
    static inline void NAME_cell(const NAME_weights *w, const float *I, float t, float *x)
    {
        const float h = t / <parts>.0f;
        <room>

        <sensory>

        for (int part = 0; part < <parts>; part++) {
            <recurrent>
            for (int i = 0; i < <units>; i++) {
                const float C = <C>, G = <G>, Q = <Q>;
                NAME_RATE(x + i, G / C);
                <solver>
            }
        }
    }
"""
NEURAL = """
    /* Eq. (1), with a neural release: dx/dt = -(w_tau + f) x + A f, f = sigma(W [I, x] + b). The input I is held; the
       time t has <parts> equal parts h */
    static inline void NAME_cell(const NAME_weights *w, const float *I, float t, float *x)
    {
        const float h = t / <parts>.0f;
        <room>

        <sensory>

        for (int part = 0; part < <parts>; part++) {
            <recurrent>
            for (int i = 0; i < <units>; i++) {
                const float f = <f>;
                const float C = 1.0f, G = w->w_tau[i] + f, Q = w->A[i] * f;
                NAME_RATE(x + i, G / C);
                <solver>
            }
        }
    }
"""


def ode_solver(solver: str) -> SolverInC:
    """Return the C of a solver; refuse a solver without it."""
    if solver not in SOLVERS_IN_C:
        expected = f"one of {', '.join(map(repr, SOLVERS_IN_C))}"
        do = "make the layer with one of them, and load the weights into it"
        checks.refuse("model", f"solver {solver!r}, which has no C", expected, do)
    return SOLVERS_IN_C[solver]


def synaptic_cell(source: Source, params: LTCParams, settings: Scheme, epsilon: float) -> None:
    """Add the function of a synaptic LTC."""
    units, add = len(params.cm), source.weights.add
    sensory, recurrent = sensory_synapses(params), recurrent_synapses(params)
    add("cm", params.cm)
    leak = add("G_leak", params.gleak + params.gleak.dtype.type(epsilon))
    current = add("Q_leak", params.gleak * params.vleak)
    most = max(int(np.count_nonzero(synapses.w)) for synapses in (sensory, recurrent))
    source.call("sigmoid")
    source.add(_SUMS, room=source.room({"ws": max(most, 1)}))
    held = _sums(source, "sensory_", sensory, ("I", leak, current, "G_I", "Q_I"), 1)
    of_part = _sums(source, "", recurrent, ("x", "G_I", "Q_I", "G_x", "Q_x"), settings.parts)
    room = source.room(dict.fromkeys(("G_I", "Q_I", "G_x", "Q_x"), units))
    solver = _part(source, settings, units)
    source.add(
        SYNAPTIC, parts=settings.parts, units=units, room=room, recurrent=of_part, solver=solver,
        sensory=f"/* the leak and the sensory synapses */\n{held}", C="w->cm[i]", G="G_x[i]", Q="Q_x[i]",
    )  # fmt: skip


def _sums(source: Source, name: str, synapses: Synapses, words: tuple[str, ...], times: int) -> str:
    """Add synapses' numbers; return the statement of their sums, made so many times in a step."""
    there = synapses.w.T != 0
    count = int(there.sum())
    source.multiply_adds += 3 * count * times
    source.exponentials += count * times
    arrays = [
        source.weights.add(name + symbol, values.T[there])
        for symbol, values in zip(("w", "sigma", "mu", "E"), synapses, strict=True)
    ]
    arrays += source.lists(Wires(f"{name}synapses", there))
    return f"NAME_synapses({', '.join([*arrays, *words])}, {count}, {len(there)});\n"


def neural_cell(source: Source, params: NeuralLTCParams, settings: Scheme, wired: bool) -> None:
    """Add the function of Eq. 1 with a neural release."""
    units, W = len(params.w_tau), params.f.W
    inputs, there = W.shape[1] - len(params.w_tau), W != 0 if wired else np.ones_like(W, bool)
    for name in ("w_tau", "A"):
        source.weights.add(name, getattr(params, name))
    of_inputs, of_states = Dense(W[:, :inputs], params.f.b), Dense(W[:, inputs:], None)
    held = source.linear("f_I", of_inputs, ("I", "held"), Wires("sensory_synapses", there[:, :inputs]))
    wires = Wires("synapses", there[:, inputs:])
    of_part = source.linear("f_x", of_states, ("x", "z"), wires, b="held", times=settings.parts)
    source.call("sigmoid", units * settings.parts)
    source.multiply_adds += 2 * units * settings.parts
    room, solver = source.room({"held": units, "z": units}), _part(source, settings, units)
    source.add(
        NEURAL, parts=settings.parts, units=units, room=room, recurrent=of_part, solver=solver,
        sensory=f"/* the input's share of the argument of f */\n{held}", f="NAME_sigmoid(z[i])",
    )  # fmt: skip


def _part(source: Source, settings: Scheme, units: int) -> str:
    """Return the statements of one part for neuron i."""
    solver = ode_solver(settings.solver)
    source.multiply_adds += 4 * units * settings.parts
    for function in solver.functions:
        source.call(function, units * settings.parts)
    return fill(solver.part)
