r"""A solver that is not in the package, as its two records: :math:`x^+ = x' + h\,(Q' - G' x)/C` in two stages.

The first stage is half a step of Euler to x', whose sums are G' and Q'. Run as a program it compares the toy's kernel
with its specification.
"""

from functools import partial

from cfc_ref import LTC
from cfc_ref.cells.ode import Balance, d_right_side, right_side
from cfc_ref.cells.solvers import SOLVERS, Solver
from cfc_ref.cells.tree import add
from tests.cells.toys import compare_backends


def toy(equation, params, held, x, h):
    half = x + h / 2 * right_side(equation, params, held, x)
    (C, G, Q), _ = equation.balance(params, held, half)
    return half + h * (Q - G * x) / C


def d_toy(equation, params, held, x, h, d_new):
    k = right_side(equation, params, held, x)
    half = x + h / 2 * k
    (C, G, Q), kept = equation.balance(params, held, half)
    d = h * d_new / C
    sums = Balance(-d * (Q - G * x) / C, -x * d, d)
    d_params, d_held, d_half = equation.d_balance(params, half, kept, sums)
    d_half = d_half + d_new
    d_params_half, d_held_half, d_x = d_right_side(equation, params, held, x, h / 2 * d_half)
    d_h = ((Q - G * x) / C * d_new + k / 2 * d_half).sum(axis=1, keepdims=True)
    return add(d_params, d_params_half), add(d_held, d_held_half), d_x + d_half - G * d, d_h


TOY = Solver(1, toy, d_toy, limit=1.0)


def toy_kernel():
    """The kernel's record; Numba is imported here alone."""
    from cfc_ref.kernels.compiled import inner
    from cfc_ref.kernels.ltc.packed import C
    from cfc_ref.kernels.ltc.solvers import SolverKernel
    from cfc_ref.kernels.ltc.sums import at

    @inner
    def stage(k, neuron, h, kept, out, room):
        x, start, G, Q, c = kept[0], kept[3 * k], kept[3 * k + 1], kept[3 * k + 2], neuron[C]
        for r in range(out.shape[0]):
            length = at(h, r) if k == 1 else at(h, r) / type(G[r])(2)
            out[r] = start[r] + length * (Q[r] - G[r] * x[r]) / c[r]

    @inner
    def d_stage(k, neuron, h, kept, d_out, D, d_C, d_h, room):
        x, G, Q, c, share = kept[0], kept[3 * k + 1], kept[3 * k + 2], neuron[C], kept.dtype.type(0.5 * (k + 1))
        for r in range(d_out.shape[0]):
            d = h[r] * share * d_out[r] / c[r]
            D[3 * k, r] += d_out[r]
            D[0, r] -= G[r] * d
            D[3 * k + 1, r] -= x[r] * d
            D[3 * k + 2, r] += d
            d_C[r] -= d * (Q[r] - G[r] * x[r]) / c[r]
            d_h[r] += share * (Q[r] - G[r] * x[r]) / c[r] * d_out[r]

    return SolverKernel(2, stage, d_stage)


if __name__ == "__main__":
    from cfc_ref.kernels.ltc.solvers import KERNELS

    SOLVERS["toy"], KERNELS["toy"] = TOY._replace(kernel=True), toy_kernel()
    compare_backends(partial(LTC, 2, 3, solver="toy", ode_unfolds=3, proj_size=2, seed=0), 0.5)
