# Solutions to the exercises of 12_what_can_be_known.ipynb. Everything is about the LTC as stated.

# %%
import numpy as np

from cfc_ref import LTCNeuron, bounds

# %% Exercise 1: late, one look, a known range
# The neuron rests under a constant release at A y/(w + y): 2 * 0.2/0.7 = 0.5714 and 2 * 0.7/1.2 = 1.1667.
w, A, a, b = 0.5, 2.0, 0.2, 0.7
low, high = (A * y / (w + y) for y in (a, b))
centre, R = (low + high) / 2, (high - low) / 2
# Late, Eq. 9 says A, whatever it sees. Its worst error is A - low, and that over R is 2 (w + b)/(b - a).
ratio = (A - low) / R
print(f"1: between {low:.4f} and {high:.4f}; the middle {centre:.4f}, R = {R:.4f}; Eq. 9: {ratio:.2f} R")
assert np.allclose((centre, R), bounds.radius(LTCNeuron(w, A), 0.0, 100.0, (a, b)))
assert np.isclose(ratio, 2 * (w + b) / (b - a))
assert np.isclose(ratio, bounds.ratio_of_eq9(LTCNeuron(w, A), 0.0, 100.0, (a, b)))

# %% Exercise 2: the best time for one look
# At rest ω is proportional to exp(-k (t - s)), k = 1. Half of its integral lies before τ where
# exp(-k (t - τ)) - exp(-k t) = (1 - exp(-k t))/2, so t - τ = ln(2/(1 + exp(-k t)))/k.
k, t = 1.0, 3.0
before = np.log(2 / (1 + np.exp(-k * t))) / k
tau, _ = bounds.best_look(LTCNeuron(0.5, 1.0), x0=0.5, t=t, release=0.5, lipschitz=0.1)
# For A = 0 every change of the release counts the same, whenever it is: the median is the middle.
middle, _ = bounds.best_look(LTCNeuron(0.5, 0.0), x0=1.0, t=t, release=0.5, lipschitz=0.1)
print(f"2: {before:.4f} before t; for A = 0 at {middle:.2f}")
assert np.isclose(t - tau, before)
assert np.isclose(middle, t / 2)

# %% Exercise 3: between two samples
K, h, one, two = 1.0, 0.5, 0.3, 0.5
u1, v1 = (K * h + (two - one)) / 2, (K * h - (two - one)) / 2
s = np.linspace(0, h, 100_001)
upper = np.minimum(one + K * s, two + K * (h - s))
lower = np.maximum(one - K * s, two - K * (h - s))
area = np.sum((upper - lower)[1:] + (upper - lower)[:-1]) / 2 * (s[1] - s[0])
print(f"3: up to {one + u1:.2f}, down to {one - v1:.2f}; area {area:.4f}")
assert np.isclose(upper.max(), one + u1)
assert np.isclose(lower.min(), one - v1)
# The envelopes enclose a rectangle that stands on a corner: its sides are u1 and v1 times sqrt(2), for K = 1.
assert np.isclose(area, 2 * u1 * v1 / K)
