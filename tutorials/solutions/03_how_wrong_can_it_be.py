# Solutions to the exercises of 03_how_wrong_can_it_be.ipynb. Everything is about the symmetric form.

# %%
import numpy as np

from cfc_ref import LTCNeuron, bounds, closed_form, exact, signals

# %% Exercise 1: the interval of Lemma 1 for a negative c
# c = x0 - A = -2. The bracket lies between exp(-1) - 1 = -0.6321 and 1; times c exp(-w t) = -2 exp(-1) = -0.7358 the
# ends change places: [-0.7358, 0.4651].
c, w, t = -2.0, 1.0, 1.0
low, high = c * np.exp(-w * t) * 1.0, c * np.exp(-w * t) * (np.exp(-t) - 1)
print(f"1: by hand [{low:.4f}, {high:.4f}]")
assert np.allclose((low, high), bounds.lemma1(LTCNeuron(w_tau=1.0, A=0.0), x0=-2.0, t=1.0))

# %% Exercise 2: the worst constant input
# d/dy (y exp(-y t)) = (1 - y t) exp(-y t) is 0 at y = 1/t, which is a release for t >= 1. There y exp(-y t) is
# 1/(e t), and that is the share of Lemma 1's bound |c| exp(-w t).
neuron, x0, t = LTCNeuron(w_tau=1.0, A=1.0, sigma=2.0), 3.0, 2.0
y = np.linspace(0.001, 0.999, 999)
inputs = neuron.f_inverse(y)
errors = np.array(
    [exact(neuron, float(I), x0, t, form="symmetric") - closed_form(neuron, float(I), x0, t) for I in inputs]
)
share = errors / bounds.lemma1(neuron, x0, t)[1]
print(f"2: largest at y = {y[share.argmax()]:.3f} with a share of {share.max():.4f}; 1/(e t) = {1 / (np.e * t):.4f}")
assert np.isclose(y[share.argmax()], 1 / t)
assert np.isclose(share.max(), 1 / (np.e * t))


# %% Exercise 3: an input that cannot jump
def share_of_supremum(K, end):
    """Return the error under -8, then a ramp of slope K that ends at the level `end` at time t, over the supremum."""
    rise = (end + 8) / K
    if rise > t:  # the ramp has to fit
        return 0.0
    ramp = signals.sampled([0.0, t - rise, t], [-8.0, -8.0, end])
    error = exact(neuron, ramp, x0, t, form="symmetric") - closed_form(neuron, ramp, x0, t)
    return float(error / bounds.lemma1(neuron, x0, t)[1])


def slope_for_90_percent(end):
    """Return the smallest slope with 90 % of the supremum, by bisection; infinity where no slope does."""
    slow, fast = (end + 8) / t * 1.001, 1e4
    if share_of_supremum(fast, end) < 0.9:
        return np.inf
    for _ in range(60):
        middle = (slow + fast) / 2
        slow, fast = (slow, middle) if share_of_supremum(middle, end) >= 0.9 else (middle, fast)
    return fast


# To 8: while the ramp is above 0, f is nearly 1, and F grows by about 8/K; exp(-8/K) = 0.9 gives K = 76.
to_8 = slope_for_90_percent(8.0)
levels = np.arange(0.5, 8.01, 0.05)
slopes = np.array([slope_for_90_percent(end) for end in levels])
best = slopes.argmin()
print(f"3: up to 8, K = {to_8:.1f}; up to {levels[best]:.2f}, K = {slopes[best]:.1f} is enough")
assert np.isclose(to_8, 8 / -np.log(0.9), rtol=0.01)
# f need not be saturated at t: 1 - f is small enough soon, and every further bit of ramp costs time in which F grows.
assert slopes[best] < to_8 / 5
assert 0.9 <= share_of_supremum(slopes[best], levels[best]) < 0.901
