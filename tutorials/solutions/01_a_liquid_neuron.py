# Solutions to the exercises of notebook 01, A liquid neuron. All of them are about the LTC as stated (Eq. 1).

# %%
import math

import numpy as np

from cfc_ref import LTCNeuron, solve

# %% Exercise 1
# The rest is A f/(w_tau + f) and the time constant 1/(w_tau + f). The distance to the rest falls like exp(-t/tau), so
# that 99 % of the way is done when exp(-t/tau) = 0.01.
w_tau, A, f = 0.5, -2.0, 0.75
rest, tau = A * f / (w_tau + f), 1 / (w_tau + f)
t99 = tau * math.log(100)
print(f"rest {rest:.3f}, time constant {tau:.3f}, 99 % of the way at t = {t99:.3f}")

neuron = LTCNeuron(w_tau, A)
I = float(neuron.f_inverse(f))
at_tau, at_99, late = solve(neuron, I, x0=0.0, t=[tau, t99, 40.0])
assert math.isclose(rest, -1.2)
assert math.isclose(tau, 0.8)
assert math.isclose(late, rest, rel_tol=1e-8)
assert math.isclose(at_tau / rest, 1 - math.exp(-1), rel_tol=1e-8)
assert math.isclose(at_99 / rest, 0.99, rel_tol=1e-8)

# %% Exercise 2
# The factor 1 - (w_tau + f) h lies between -1 and 1, and the distance shrinks, as long as h < 2/(w_tau + f). Beyond
# that every step throws the state to the other side of the rest and further away. With the slope at the step's end,
# (x_next - rest) = (x - rest)/(1 + (w_tau + f) h): the factor lies between 0 and 1 for every h.
limit = 2 / (w_tau + f)
print(f"Euler's limit: h = {limit}")


def distance_after(h: float, steps: int = 200, implicit: bool = False) -> float:
    """Return the distance to the rest, from x(0) = 0."""
    x = 0.0
    for _ in range(steps):
        x = (x + h * A * f) / (1 + h * (w_tau + f)) if implicit else x + h * (-(w_tau + f) * x + A * f)
    return abs(x - rest)


for h in (0.5 * limit, 0.98 * limit, 1.02 * limit, 2 * limit):
    print(f"h = {h:.3f}: explicit {distance_after(h):.2e}, implicit {distance_after(h, implicit=True):.2e}")
assert distance_after(0.98 * limit) < 0.01 * abs(rest)
assert distance_after(1.02 * limit) > 100 * abs(rest)
assert all(distance_after(factor * limit, implicit=True) < 1e-9 for factor in (0.5, 0.98, 1.02, 2, 100))

# %% Exercise 3
# At rest x_k = A f_k/(w_tau + f_k), and 1/tau_k = w_tau + f_k. So x_k/tau_k = A f_k = A (1/tau_k - w_tau): over 1/tau a
# straight line of slope A that meets zero at w_tau. Two points give the line; then f_k = 1/tau_k - w_tau.
secret = LTCNeuron(w_tau=0.8, A=3.0, mu=0.4, sigma=1.5)
rests, taus = [], []
for I in (-0.5, 1.2):
    # Three equally spaced points of an exponential give its rest and, from the ratio of the two differences, its rate.
    h = 0.7
    x = solve(secret, I, x0=0.0, t=[h, 2 * h, 3 * h], rtol=1e-12)
    ratio = (x[2] - x[1]) / (x[1] - x[0])
    taus.append(-h / math.log(ratio))
    rests.append(x[0] + (x[1] - x[0]) / (1 - ratio))
rates = 1 / np.array(taus)
flows = np.array(rests) * rates
reversal = float(np.diff(flows)[0] / np.diff(rates)[0])
leak = float(rates[0] - flows[0] / reversal)
releases = rates - leak
print(f"A = {reversal:.4f}, w_tau = {leak:.4f}, releases {releases.round(4)}")
assert math.isclose(reversal, 3.0, rel_tol=1e-6)
assert math.isclose(leak, 0.8, rel_tol=1e-6)
assert np.allclose(releases, secret.f(np.array([-0.5, 1.2])), rtol=1e-6)
