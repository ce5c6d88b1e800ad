"""Measurements on a batch of cases, before any statement is judged."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cfc_ref import backend, signals
from cfc_ref.activations import sigmoid
from cfc_ref.arrays import Array
from cfc_ref.bounds.checked import formula
from cfc_ref.bounds.frozen import frozen_error, release_derivatives
from cfc_ref.neuron.closed_forms import SAMPLES, gauss_points
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.report import truth
from cfc_ref.report.cases import Cases

__all__ = ["Evidence", "FrozenErrors", "gather"]

_PARTS = (1, 4, 16)  # steps of the frozen forms per piece, where there are few pieces
_PARTS_OF_MANY = (1, 2, 4)
_CHUNKS = 12  # so that short recordings do not take the memory of long ones


class FrozenErrors(NamedTuple):
    """Errors of one frozen form, each at the end of the piece where it comes nearest to its bound; shape (B,)."""

    error: Array
    radius: Array
    doubt: Array  # how far the two truths differ there, plus rounding


class Evidence(NamedTuple):
    """B cases with both truths and the frozen forms' errors; arrays have the shape (B,)."""

    cases: Cases
    t: Array
    y: Array  # f(I(t)), the value the closed form looks at
    a: Array  # the range of f(I) on [0, t]
    b: Array
    ltc: Array
    symmetric: Array
    scipy_ltc: Array
    scipy_symmetric: Array
    frozen: dict[str, FrozenErrors]

    @property
    def c(self) -> Array:
        """Start minus A."""
        return self.cases.x0 - self.cases.neuron.A

    def neuron(self, reflection: str) -> LTCNeuron:
        """Return the cases' neurons with this reflection."""
        w, A, mu, sigma = self.cases.neuron.parameters
        return LTCNeuron(w, A, mu, sigma, reflection)


def gather(cases: Cases, *, frozen: bool = True) -> Evidence:
    """Solve the cases in both ways, find the range of f(I), and run the frozen forms if `frozen`."""
    by_scipy, exact = truth.with_scipy(cases), truth.exactly(cases)
    a, b = _release_range(cases)
    return Evidence(
        cases=cases,
        t=cases.t,
        y=sigmoid(cases.last),
        a=a,
        b=b,
        ltc=exact.ltc[:, -1],
        symmetric=exact.symmetric[:, -1],
        scipy_ltc=by_scipy.ltc[:, -1],
        scipy_symmetric=by_scipy.symmetric[:, -1],
        frozen=_frozen(cases, exact.ltc, np.abs(by_scipy.ltc - exact.ltc), a, b) if frozen else {},
    )


def _release_range(cases: Cases) -> tuple[Array, Array]:
    """Return the range of f(I) on [0, t]: the known one where a case has it, else that of its input."""
    t, real = cases.t, cases.h > 0
    if cases.amplitude.any():
        # The wave runs over [0, 1] when its frequency is multiplied by t.
        wave = signals.sine(cases.amplitude, cases.omega * t / (2 * np.pi), cases.phase, cases.level[:, 0])
        low, high = wave.range(1.0)
    else:
        ends = cases.level, cases.level + cases.slope * cases.h
        low = np.where(real, np.minimum(*ends), np.inf).min(axis=1)
        high = np.where(real, np.maximum(*ends), -np.inf).max(axis=1)
    a, b = sigmoid(np.minimum(low, cases.last)), sigmoid(np.maximum(high, cases.last))
    return np.where(np.isnan(cases.known_a), a, cases.known_a), np.where(np.isnan(cases.known_b), b, cases.known_b)


def _derivatives(cases: Cases) -> tuple[Array, Array, Array, Array]:
    """Bound the derivatives of f(I(t)) in time within the pieces."""
    wave = np.abs(cases.amplitude)
    U1 = np.abs(cases.slope).max(axis=1) + wave * cases.omega
    U2, U3, U4 = (wave * cases.omega**j for j in (2, 3, 4))
    return release_derivatives(U1, U2, U3, U4)


def _frozen(cases: Cases, exact: Array, doubt: Array, a: Array, b: Array) -> dict[str, FrozenErrors]:
    """Run the frozen forms: cases of like length together, a third of them with few, more and many steps each."""
    options = _PARTS if cases.h.shape[1] <= 8 else _PARTS_OF_MANY
    result = {sample: FrozenErrors(*np.empty((3, len(a)))) for sample in SAMPLES}
    for j, rows in enumerate(np.array_split(np.argsort(cases.pieces, kind="stable"), _CHUNKS)):
        if not rows.size:
            continue
        K = int(cases.pieces[rows].max())
        some = cases.take(rows)
        some = some._replace(h=some.h[:, :K], level=some.level[:, :K], slope=some.slope[:, :K])
        errors = _frozen_with(some, exact[rows, 1 : K + 1], doubt[rows, 1 : K + 1], a[rows], b[rows], options[j % 3])
        for sample, found in errors.items():
            for whole, part in zip(result[sample], found, strict=True):
                whole[rows] = part
    return result


def _frozen_with(cases: Cases, exact: Array, doubt: Array, a: Array, b: Array, parts: int) -> dict[str, FrozenErrors]:
    """Run the frozen forms with `parts` steps per piece."""
    neuron, K = cases.neuron, cases.h.shape[1]
    piece, steps = np.repeat(np.arange(K), parts), np.repeat(cases.h / parts, parts, axis=1)
    begin = np.tile(np.arange(parts), K) * steps  # counted from the piece's beginning
    constant, gauss = backend.pieces()
    y1, y2 = (cases.release(s, piece) for s in gauss_points(begin, steps))
    states = {
        "start": constant(neuron.w_tau, neuron.A, cases.release(begin, piece), steps, cases.x0),
        "midpoint": constant(neuron.w_tau, neuron.A, cases.release(begin + steps / 2, piece), steps, cases.x0),
        "gauss": gauss(neuron.w_tau, neuron.A, y1, y2, steps, cases.x0),
    }
    largest = np.maximum(np.abs(cases.x0), np.abs(neuron.A))[:, None]
    doubt = doubt + np.finfo(np.float64).eps * largest * parts * np.arange(1, K + 1)
    radii = _radii(cases, a, b, steps.max(axis=1))
    return {sample: _nearest(exact - x[:, parts::parts], radii[sample], doubt) for sample, x in states.items()}


def _nearest(error: Array, radius: Array, doubt: Array) -> FrozenErrors:
    rows, k = np.arange(len(error)), (np.abs(error) - radius).argmax(axis=1)
    return FrozenErrors(error[rows, k], radius[rows, k], doubt[rows, k])


def _radii(cases: Cases, a: Array, b: Array, longest: Array) -> dict[str, Array]:
    """Return the bounds of the three frozen forms at the ends of the pieces."""
    w, A, mu, sigma = (parameter[:, None] for parameter in cases.neuron.parameters)
    neuron = LTCNeuron(w, A, mu, sigma)
    t, L = np.cumsum(cases.h, axis=1), tuple(bound[:, None] for bound in _derivatives(cases))
    posed = neuron, cases.x0[:, None], t, longest[:, None], L, (a[:, None], b[:, None])
    return {sample: np.broadcast_to(formula(frozen_error)(*posed, sample)[1], t.shape) for sample in SAMPLES}
