# Solutions to the exercises of 13_a_hospitals_clock.ipynb: order and its uncertainty, a clock turned back, three steps.

# %%
import numpy as np

from cfc_ref.learn import auc

# %% Exercise 1: order, and how certain it is
# Of the 3 * 4 pairs: 2.0 is above all four; 0.5 is above two and equal to one, which counts half.
# So (4 + 2.5 + 2.5)/12.
died, lived = np.array([2.0, 0.5, 0.5]), np.array([1.0, 0.5, -1.0, -2.0])
difference = died[:, None] - lived
on_paper = np.mean((difference > 0) + 0.5 * (difference == 0))
assert on_paper == 9 / 12 == auc(np.concatenate([died, lived])[:, None], np.repeat([1, 0], [3, 4]))


def standard_error(A, records, share=121 / 800):
    n1, n0 = records * share, records * (1 - share)
    Q1, Q2 = A / (2 - A), 2 * A**2 / (1 + A)
    return np.sqrt((A * (1 - A) + (n1 - 1) * (Q1 - A**2) + (n0 - 1) * (Q2 - A**2)) / (n1 * n0))


# The error falls like the root of the number, so that 800 records have to become about (0.0236/0.005)**2 times as many.
counts = np.arange(1000, 40_000)
needed = counts[np.argmax(standard_error(0.83, counts) <= 0.005)]
guess = 800 * (standard_error(0.83, 800) / 0.005) ** 2
print(
    f"1: AUC {on_paper}; 800 records: ± {standard_error(0.83, 800):.4f}; ± 0.005: {needed} records (root: {guess:.0f})"
)
assert abs(guess / needed - 1) < 0.01
assert standard_error(0.83, needed / 10) > 0.015
assert standard_error(0.83, 4000) > 0.01

# %% Exercise 2: turn it back
hours = np.array([0.0, 0.5, 2.5, 3.5, 3.75, 9.75])
true = np.diff(hours, prepend=0.0)
published = np.array([0.0, 0.0, *(-(hours[k - 1] - hours[k - 2]) for k in range(2, len(hours)))])


def turned_back(late):
    """Return the true timespans of all rows but the last: each belongs one row earlier, with the other sign."""
    return -late[1:]


known = turned_back(published)
print("2: true", true, "known", known + 0.0)
assert np.array_equal(known, true[:-1])
# The last interval is in no timespan: here six hours, after which the last row was written. It costs little where the
# last row is one of many. It would cost most where the answer is about the last interval itself, such as the rate of
# something that was measured twice.
assert 6.0 not in np.abs(published)

# %% Exercise 3: one step of each kind
factors = np.exp([-0.5 * 4, 0.5 * 4])
C, G = 1.0, 1.5
pole = 1 + 6 * C / G  # C + h G = 0 at h = -C/G, and h = (1 - t)/6
h = (1 - 3.0) / 6
growth = (C / (C + h * G)) ** 6
print(f"3: Eq. 3 {factors[0]:.3f} and {factors[1]:.2f}; pole at {pole:.1f} h; six parts after 3 h: {growth:.0f}")
assert np.isclose(factors.prod(), 1)
assert np.isclose(C + (1 - pole) / 6 * G, 0)
# A part of a third of an hour backwards doubles the distance; six of them make it 64 times as large.
assert np.isclose(growth, 64)
