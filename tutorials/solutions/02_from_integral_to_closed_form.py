# Solutions to the exercises of notebook 02, From integral to closed form.

# %%
import math

import numpy as np

from cfc_ref import LTCNeuron, closed_form, exact, signals, solve

# %% Exercise 1
# Eq. 8, exact for the symmetric form: Eq. 6 with F as a sum of rectangles, the last of which ends at t.


def eq8(w_tau: float, A: float, x0: float, times: list[float], values: list[float], t: float) -> float:
    F = 0.0
    for begin, end, value in zip(times, [*times[1:], math.inf], values, strict=True):
        f = 1 / (1 + math.exp(-value))
        F += f * max(0.0, min(end, t) - begin)
    return A + (x0 - A) * math.exp(-w_tau * t - F)


times, values = [0.0, 0.7, 1.5, 2.0], [0.5, -2.0, 3.0, -0.3]
asked = [0.0, 0.4, 1.0, 1.8, 3.0]
by_hand = [eq8(0.5, 2.0, -1.0, times, values, t) for t in asked]
library = exact(LTCNeuron(0.5, 2.0), signals.piecewise_constant(times, values), -1.0, asked, form="symmetric")
for t, x in zip(asked, by_hand, strict=True):
    print(f"t = {t}: x = {x:.6f}")
assert np.allclose(by_hand, library, rtol=1e-12)

# %% Exercise 2
# The value at the single time t does not change F(t). So let the release be 0.1 all the time before t in one input, 0.9
# in the other, and let both jump to the same value at t. F(t) is then a t and b t, and no two inputs with releases in
# [a, b] have integrals that differ more. Eq. 6 differs by |x0 - A| exp(-w_tau t) (exp(-a t) - exp(-b t)).
neuron, x0, t, a, b = LTCNeuron(w_tau=1.0, A=1.0), -1.0, 2.0, 0.1, 0.9
pair = [signals.piecewise_constant([0.0, t], [neuron.f_inverse(y), 0.0]) for y in (a, b)]
same = [float(closed_form(neuron, signal, x0, t)) for signal in pair]
apart = [float(exact(neuron, signal, x0, t, form="symmetric")) for signal in pair]
multiple = abs(apart[0] - apart[1]) / (abs(x0 - 1.0) * math.exp(-1.0 * t))
print(f"Eq. 9: {same[0]:.4f} and {same[1]:.4f}; Eq. 6: {apart[0]:.4f} and {apart[1]:.4f}; multiple {multiple:.4f}")
assert same[0] == same[1]
assert math.isclose(multiple, math.exp(-a * t) - math.exp(-b * t))

# %% Exercise 3
# z' = -(w_tau + f) z - A w_tau. Multiply by exp(w_tau t + F(t)): the left side is then the derivative of
# z exp(w_tau t + F), and the right side is -A w_tau exp(w_tau t + F). Integrate from 0 to t.
A, x0, t = 1.0, -1.0, np.linspace(0.0, 4.0, 4001)
wave = signals.sine(1.0, 0.4)


def running_integral(y: np.ndarray) -> np.ndarray:
    """Return the trapezoidal rule's integral from 0 to each time of t."""
    return np.concatenate([[0.0], np.cumsum((y[1:] + y[:-1]) / 2 * np.diff(t))])


def second_term(w_tau: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the whole state and the part of it that the second constant takes away, both over t."""
    exponent = w_tau * t + running_integral(LTCNeuron(w_tau, A, sigma=3.0).f(wave(t)))
    term = A * w_tau * np.exp(-exponent) * running_integral(np.exp(exponent))
    return A + (x0 - A) * np.exp(-exponent) - term, term


x, _ = second_term(1.0)
error = np.abs(x - solve(LTCNeuron(1.0, A, sigma=3.0), wave, x0, t)).max()
print(f"largest difference to scipy: {error:.1e}")
assert error < 1e-6

# The exponent never falls, so the second term is at most |A| w_tau t: at a bounded time it vanishes with w_tau.
for w_tau in (1.0, 0.1, 0.01, 0.001):
    largest = float(np.abs(second_term(w_tau)[1]).max())
    print(f"w_tau = {w_tau}: second term up to {largest:.5f}, |A| w_tau t = {w_tau * t[-1]:.3f}")
    assert largest <= abs(A) * w_tau * t[-1]
