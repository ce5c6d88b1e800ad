r"""One liquid neuron and its two ODEs.

State x(t), input I(t), release nonlinearity :math:`f(I) = \sigma(\sigma_{gain}(I-\mu)) \in [0, 1]`, leak
:math:`w_\tau > 0`, reversal potential A. With :math:`y(t) = f(I(t))` there are two equations, and every result of this
package says which of them it is about:

- the LTC as stated (Eq. 1, 5), ``form="ltc"``:                        x' = -(w + y) x + A y
- the symmetric form (assumed after Eq. 5), ``form="symmetric"``:      x' = -(w + y) x + A (w + y)

They are the same equation if and only if A = 0 (or w = 0). Equation numbers are those of Hasani et al.,
Nat. Mach. Intell. 4, 992 (2022).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.activations import logit, sigmoid
from cfc_ref.arrays import Array

__all__ = ["FORMS", "ODES", "LTCNeuron", "ltc_ode", "neuron_and_start", "symmetric_ode"]

REFLECTIONS = ("release", "input")


class LTCNeuron:
    r"""The parameters of a liquid neuron, or of an array of them.

    .. math:: y = f(I) = \frac{1}{1 + e^{-\sigma (I-\mu)}}, \qquad
              r(y) = 1 - y \;\text{("release")} \quad\text{or}\quad r(y) = f(-I) \;\text{("input")}

    Parameters
    ----------
    w_tau : array_like
        Leak :math:`w_\tau > 0`, one over the time constant, in 1/time.
    A : array_like
        Reversal potential, in the unit of the state.
    mu : array_like
        Threshold of the release, in the unit of the input.
    sigma : array_like
        Gain of the release, one over the unit of the input; negative for a release that falls with the input.
    reflection : {"release", "input"}
        The factor r in the closed form. The paper prints :math:`f(-I)` in Eq. 2 and 9 and :math:`1-f` in
        Algorithm 1; they are equal exactly where :math:`\mu = 0`. Used by the closed form and its bounds only.

    Attributes
    ----------
    shape : tuple of int
        N, the shape to which the parameters broadcast.
    dtype : dtype
        In which it computes: float32 if every parameter that is an array is float32, else float64.

    Raises
    ------
    ValueError, TypeError
        For :math:`w_\tau \le 0`, numbers that are not finite or not real, shapes that do not broadcast.

    Examples
    --------
    >>> neuron = LTCNeuron(w_tau=1.0, A=2.0, sigma=4.0)
    >>> float(neuron.f(0.0)), neuron.shape
    (0.5, ())
    """

    __slots__ = ("A", "dtype", "mu", "reflection", "shape", "sigma", "w_tau")

    def __init__(
        self,
        w_tau: npt.ArrayLike,
        A: npt.ArrayLike,
        mu: npt.ArrayLike = 0.0,
        sigma: npt.ArrayLike = 1.0,
        reflection: str = "release",
    ) -> None:
        given = {"w_tau": w_tau, "A": A, "mu": mu, "sigma": sigma}
        arrays = {name: checks.numeric(name, value) for name, value in given.items()}
        w = arrays["w_tau"]
        checks.compare("w_tau", w, w > 0, "a leak > 0", "pass the inverse of the time constant, 1/tau")
        self.shape = checks.together("neuron", **arrays)
        typed = [arrays[name] for name, value in given.items() if not isinstance(value, (int, float))]
        self.dtype = np.result_type(*typed) if typed else np.dtype(np.float64)
        cast = (checks.as_dtype(name, array, self.dtype) for name, array in arrays.items())
        self.w_tau, self.A, self.mu, self.sigma = cast
        checks.compare("w_tau", w, self.w_tau > 0, f"a leak > 0 in {self.dtype}", "pass it as float64")
        self.reflection = checks.choice("reflection", reflection, REFLECTIONS)

    def __repr__(self) -> str:
        many = f", {self.shape} neurons" if self.shape else ""
        fields = (f"{name}={_short(getattr(self, name))}" for name in ("w_tau", "A", "mu", "sigma"))
        return f"LTCNeuron({', '.join(fields)}, reflection={self.reflection!r}{many})"

    def f(self, I: npt.ArrayLike, *, over_time: bool = False) -> Array:
        r"""Release :math:`y = f(I) = \sigma(\sigma_{gain}(I-\mu))`.

        Raises
        ------
        ValueError, TypeError
            For input that is not finite or does not broadcast.
        """
        return self.release(self._fitting("I", I, over_time), over_time=over_time)

    def release(self, I: Array, *, over_time: bool = False) -> Array:
        """Return :meth:`f` of an input that is known to fit: for inner loops."""
        return self.release_above(I - (self.mu[..., None] if over_time else self.mu), over_time=over_time)

    def release_above(self, above: Array, *, over_time: bool = False) -> Array:
        """Return the release for an input given by `above` = I - mu, which keeps its digits where both are large."""
        sigma = self.sigma[..., None] if over_time else self.sigma
        with np.errstate(over="ignore"):  # sigmoid(inf) = 1
            return sigmoid(sigma * above).astype(self.dtype)

    def _fitting(self, name: str, value: npt.ArrayLike, over_time: bool = False) -> Array:
        """Return finite numbers that broadcast with N."""
        array = checks.numeric(name, value)
        shape = (*self.shape, 1) if over_time else self.shape
        checks.together(name, **{name: array, "neuron": np.broadcast_to(0.0, shape)})
        return array

    def f_range(self, low: npt.ArrayLike, high: npt.ArrayLike, *, over_time: bool = False) -> tuple[Array, Array]:
        """Range [a, b] of y = f(I) for inputs in [low, high]: f is monotone, so its ends are those of the input.

        Raises
        ------
        ValueError, TypeError
            For input that is not finite or does not broadcast.
        """
        ends = self.f(low, over_time=over_time), self.f(high, over_time=over_time)
        return np.minimum(*ends), np.maximum(*ends)

    def f_inverse(self, y: npt.ArrayLike) -> Array:
        r"""Input at which the release is `y`, :math:`f^{-1}(y) = \mu + \mathrm{logit}(y)/\sigma`.

        Raises
        ------
        ValueError, TypeError
            For values outside, and for a neuron with gain 0, whose release is ½ for every input.
        """
        array = self._fitting("y", y)
        checks.compare("y", array, (array > 0) & (array < 1), "values in (0, 1)", "pass a release that f takes")
        checks.compare(
            "sigma", self.sigma, self.sigma != 0, "a gain other than 0", "its release is 1/2 for every input"
        )
        return (self.mu + logit(array) / self.sigma).astype(self.dtype)

    def reflected_above(self, above: Array) -> Array:
        """Return the closed form's reflected release, 1 - f(I) or f(-I), for an input given by `above` = I - mu."""
        with np.errstate(over="ignore"):
            return self.release_above(-(above + 2 * self.mu) if self.reflection == "input" else -above)

    def r(self, y: npt.ArrayLike) -> Array:
        r"""Reflected release in the closed form, from the release: 1 - y, or literally f(-I).

        With :math:`\kappa = e^{2\sigma\mu}` the literal one is :math:`(1-y)/((1-y)+\kappa y)`; it is written
        with the logit, so that no :math:`\kappa` overflows. Both fall from 1 at y = 0 to 0 at y = 1.

        Raises
        ------
        ValueError, TypeError
            For values outside.
        """
        array = self._fitting("y", y)
        checks.compare("y", array, (array >= 0) & (array <= 1), "values in [0, 1]", "pass f(I)")
        return self.reflect(array.astype(self.dtype))

    def reflect(self, y: Array) -> Array:
        """Return :meth:`r` of a release that is known to fit: for inner loops."""
        if self.reflection == "release":
            return 1 - y
        with np.errstate(over="ignore", invalid="ignore"):
            return sigmoid(-logit(y) - 2 * self.sigma * self.mu)

    def over(self, t: Array) -> LTCNeuron:
        """Return the same neurons with one axis of length 1 appended per axis of `t`, to broadcast with times."""
        if not t.ndim:
            return self
        ahead = (1,) * t.ndim
        w, A, mu, sigma = (np.broadcast_to(p, self.shape).reshape(self.shape + ahead) for p in self.parameters)
        return LTCNeuron(w, A, mu, sigma, self.reflection)

    @property
    def parameters(self) -> tuple[Array, Array, Array, Array]:
        """The four arrays w_tau, A, mu, sigma."""
        return self.w_tau, self.A, self.mu, self.sigma


def _short(array: Array) -> str:
    return f"{array:g}" if array.ndim == 0 else np.array2string(array, threshold=4, precision=4, separator=", ")


def ltc_ode(w_tau: npt.ArrayLike, A: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike) -> Array:
    r"""Return the right side of the LTC as stated, :math:`\dot x = -(w_\tau + y)\,x + A\,y` (Eq. 1, 5)."""
    w_tau, A, x, y = map(np.asarray, (w_tau, A, x, y))
    # Eq. (1), (5): the LTC as stated
    return -(w_tau + y) * x + A * y


def symmetric_ode(w_tau: npt.ArrayLike, A: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike) -> Array:
    r"""Return the right side of the symmetric form, :math:`\dot x = -(w_\tau + y)\,x + A\,(w_\tau + y)`."""
    w_tau, A, x, y = map(np.asarray, (w_tau, A, x, y))
    # The proof's assumption: the symmetric form, unnumbered, after Eq. 5
    return -(w_tau + y) * x + A * (w_tau + y)


ODES = {"ltc": ltc_ode, "symmetric": symmetric_ode}
FORMS = tuple(ODES)


def neuron_and_start(neuron: LTCNeuron, x0: npt.ArrayLike) -> tuple[LTCNeuron, Array, tuple[int, ...]]:
    """Check a neuron and its start together: return the neuron, x0 in its dtype, and the shape N of both."""
    if not isinstance(neuron, LTCNeuron):
        checks.refuse("neuron", type(neuron).__name__, "an LTCNeuron", "make one with LTCNeuron(w_tau, A)", TypeError)
    start = checks.numeric("x0", x0)
    shape = checks.together("x0", neuron=np.broadcast_to(0.0, neuron.shape), x0=start)
    return neuron, checks.as_dtype("x0", start, neuron.dtype), shape
