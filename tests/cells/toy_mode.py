r"""A mode that is not in the package, as its two records: :math:`x^+ = e^{-t} x + (1 - e^{-t})\,\sigma(W u + b) A`.

Run as a program it compares the toy's kernel with its specification.
"""

from functools import partial

import numpy as np

from cfc_ref import CfC
from cfc_ref.activations import d_sigmoid, sigmoid
from cfc_ref.cells.cfc.modes import MODES, CfCParams, Mode, Read
from cfc_ref.cells.dense import affine, d_affine
from tests.cells.toys import compare_backends


def toy(params, read, variant):
    s, e = sigmoid(affine(params.ff1, read.u)), np.exp(-read.t)
    return e * read.x + (1 - e) * s * params.A, s


def d_toy(params, read, s, d_x, variant):
    e = np.exp(-read.t)
    d_A = (d_x * (1 - e) * s).sum(axis=0, keepdims=True)
    d_ff1, d_u = d_affine(params.ff1, read.u, d_x * (1 - e) * params.A * d_sigmoid(s))
    d_t = (d_x * e * (s * params.A - read.x)).sum(axis=1, keepdims=True)
    return CfCParams((), d_ff1, A=d_A), Read(d_u, d_t, d_x * e)


def trace(params, read, s):
    return {"rate": np.ones_like(s), "release": s}


def box(params, t, variant):
    """Of runs that begin at 0."""
    return -np.abs(params.A[0]), np.abs(params.A[0])


def gain(params, d_u, d_x, t, variant):
    e = np.exp(-t)
    return e * d_x + (1 - e) * np.abs(params.A[0]) / 4 * (np.abs(params.ff1.W) @ d_u)


TOY = Mode("A toy", toy, d_toy, ("ff1",), ("A",), False, trace, box, gain, {"A": 0.5})


def toy_kernel():
    """The kernel's record; Numba is imported here alone."""
    from cfc_ref.kernels.cfc.modes import ModeKernel, _sum
    from cfc_ref.kernels.compiled import inner
    from cfc_ref.kernels.elementwise import _copy
    from cfc_ref.kernels.mathfun import _exp_of, _sigmoid

    @inner
    def row(of, t, z, vectors, x, kept, new):
        n, e = new.shape[0], _exp_of(-t)
        one, s, A = z.dtype.type(1), kept[:n], vectors[:n]
        _copy(z, s)
        _sigmoid(s)
        for j in range(n):
            new[j] = e * x[j] + (one - e) * s[j] * A[j]

    @inner
    def d_row(of, t, vectors, x, kept, d_new, room, g, d_vectors, d_x):
        n, e = d_new.shape[0], _exp_of(-t)
        one, s, A = g.dtype.type(1), kept[:n], vectors[:n]
        for j in range(n):
            d_vectors[j] += d_new[j] * (one - e) * s[j]
            d_x[j] += d_new[j] * e
            g[j] = d_new[j] * (one - e) * A[j] * s[j] * (one - s[j])
            room[j] = d_new[j] * e * (s[j] * A[j] - x[j])
        return _sum(room[:n])

    return ModeKernel(row, d_row, kept=1, kept_timed=1)


if __name__ == "__main__":
    from cfc_ref.kernels.cfc.modes import KERNELS

    MODES["toy"], KERNELS["toy"] = TOY, toy_kernel()
    compare_backends(partial(CfC, 2, 3, mode="toy", backbone_units=4, seed=0), 2)
