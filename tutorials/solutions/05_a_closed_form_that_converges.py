# Solutions to the exercises of 05_a_closed_form_that_converges.ipynb. Everything is about the LTC as stated.

# %%
import numpy as np

from cfc_ref import LTCNeuron, exact, frozen, signals

# %% Exercise 1: one frozen step by hand
# The rate is w + y = 3/2 and x_inf = A y/(w + y) = 2/3. With h = (2/3) log 2 the exponential is exp(-log 2) = 1/2: the
# step goes half the way, from 0 to 1/3.
neuron = LTCNeuron(w_tau=1.0, A=2.0)
I = float(neuron.f_inverse(0.5))
x = float(frozen(neuron, I, x0=0.0, t=2 / 3 * np.log(2)))
print(f"1: x = {x:.6f}")
assert np.isclose(x, 1 / 3)

# %% Exercise 2: a step that guarantees an error of at most 1e-3 for all time
# |error| <= M L h/k with L = gain/4 max|I'|, M = max(|x0 - A|, |A| w/(w + a)), k = w + a.
neuron, x0, wave = LTCNeuron(w_tau=1.0, A=1.0, sigma=2.0), 0.0, signals.sine(frequency=0.3)
a = float(neuron.f(-1.0))
L, M, k = 2 / 4 * 2 * np.pi * 0.3, max(abs(x0 - 1), 1 / (1 + a)), 1 + a
h = 1e-3 * k / (M * L)
t = np.arange(1, 41) * 0.5
error = np.abs(frozen(neuron, wave, x0, t, "start", h) - exact(neuron, wave, x0, t)).max()
print(f"2: h = {h:.5f}: error {error:.1e}, the bound was careful by a factor of {1e-3 / error:.1f}")
assert error <= 1e-3
assert 2 < 1e-3 / error < 20  # it takes no notice of y - y* beginning at 0, nor of its changing sign


# %% Exercise 3: Magnus's step of order 4
def release(s):
    return 0.5 + 0.4 * np.sin(2 * s)


def largest_error(w, steps, magnus):
    """Return the largest error over `steps` equal steps to t = 4, for A = 1 and x0 = 2, with phi_1/6 or with psi."""
    neuron = LTCNeuron(w_tau=w, A=1.0)
    signal = signals.smooth(lambda s: neuron.f_inverse(release(s)))
    edges, h, z = np.linspace(0, 4, steps + 1), 4 / steps, 1.0
    error = 0.0
    for begin, x in zip(edges[:-1], exact(neuron, signal, 2.0, edges[1:]), strict=True):
        y1, y2 = (release(begin + h * (0.5 + sign * np.sqrt(3) / 6)) for sign in (-1, 1))
        u, delta = (w + (y1 + y2) / 2) * h, np.sqrt(3) * h * (y2 - y1)
        decay = np.exp(-u)
        phi_1 = (1 - decay) / u
        psi = phi_1 / 6 if magnus else ((u - 2) + (u + 2) * decay) / u**3
        z = decay * z - w * h * (phi_1 - delta / 2 * psi)
        error = max(error, abs(1 + z - x))
    return error


orders, errors = {}, {}
for w in (1.0, 100.0):
    for magnus in (False, True):
        found = np.array([largest_error(w, steps, magnus) for steps in (10, 20, 40)])
        errors[w, magnus], orders[w, magnus] = found, np.log2(found[0] / found[2]) / 2
        name, listed = "phi_1/6" if magnus else "psi", ", ".join(f"{e:.1e}" for e in found)
        print(f"3: w = {w:5.0f}, {name:7}: errors {listed}; order {orders[w, magnus]:.1f}")
assert abs(orders[1.0, False] - 4) < 0.1
assert abs(orders[1.0, True] - 4) < 0.1
# Where w h is large, both fall towards order 2. z then follows -A w/(w + y) closely, so only y at the end of the step
# counts, and there a line through the Gauss points is off by about h² y''/12: an error of A h² y''/(12 w). For large
# u, psi is about 1/u², so the term with delta fades, as it should; phi_1/6 is about 1/(6 u), and leaves
# A delta/12, about A h² y'/12. The ratio of the two is w max|y'|/max|y''| = 100 · 0.8/1.6 = 50.
assert 1.8 < orders[100.0, False] < 2.8
assert 1.8 < orders[100.0, True] < 2.8
assert np.allclose(errors[100.0, True] / errors[100.0, False], 50, rtol=0.1)
