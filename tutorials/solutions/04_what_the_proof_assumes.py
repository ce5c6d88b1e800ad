# Solutions to the exercises of 04_what_the_proof_assumes.ipynb. Each says which ODE it is about.

# %%
import numpy as np

from cfc_ref import LTCNeuron, bounds, closed_form, exact, signals

# %% Exercise 1: where the two ODEs and the errors come to rest
# LTC as stated: x = A y/(w + y) = 2/3. Symmetric form: x = A = 2. The closed form goes to A = 2 as well, so its error
# settles at 2/3 - 2 = -A w/(w + y) = -4/3 against the LTC as stated and at 0 against the symmetric form.
w, A, y, x0, t = 0.5, 2.0, 0.25, 0.0, 60.0
neuron = LTCNeuron(w_tau=w, A=A)
I = float(neuron.f_inverse(y))
x = {form: float(exact(neuron, I, x0, t, form=form)) for form in ("ltc", "symmetric")}
errors = {form: state - float(closed_form(neuron, I, x0, t)) for form, state in x.items()}
print(f"1: LTC as stated at {x['ltc']:.4f}, error {errors['ltc']:.4f}; symmetric form at {x['symmetric']:.4f}, error 0")
assert np.isclose(x["ltc"], A * y / (w + y))
assert np.isclose(x["symmetric"], A)
assert np.isclose(errors["ltc"], -A * w / (w + y))
assert abs(errors["symmetric"]) < 1e-9

# %% Exercise 2: a leak for which the two ODEs differ by at most 1 % of |A|
# The gap is at most |A| w/(w + a), and comes as close to that as one likes for y = a and late t. w/(w + a) <= 0.01
# means w <= 0.01 a/0.99.
a = 0.2
w = 0.01 * a / 0.99
neuron, t = LTCNeuron(w_tau=w, A=1.0), np.linspace(1.0, 200.0, 200)
rng = np.random.default_rng(0)
levels = neuron.f_inverse(rng.uniform(a, 0.999, (1000, 40)))
many = signals.piecewise_constant(np.linspace(0, 200, 40, endpoint=False), levels)
gaps = exact(neuron, many, 0.0, t, form="symmetric") - exact(neuron, many, 0.0, t, form="ltc")
print(f"2: w = {w:.5f}: gap up to {gaps.max():.4f} under 1,000 random inputs")
assert (gaps <= 0.01).all()
twice, I = LTCNeuron(w_tau=2 * w, A=1.0), float(neuron.f_inverse(a))
gap = exact(twice, I, 0.0, 200.0, form="symmetric") - exact(twice, I, 0.0, 200.0, form="ltc")
print(f"   twice that leak: gap {gap:.4f} under f = 0.2")
assert gap > 0.01

# %% Exercise 3: the input that attains the lower end of the interval (LTC as stated)
# The smallest z wants y = b while z > 0 and y = a while z < 0. c = 2 and A = 1 have the same sign, so there is one
# switch, at t* = log(1 + c (w + b)/(A w))/(w + b). The closed form is largest, and the error smallest, where c g(y) is
# largest: g falls with y, so the input jumps to y = a at t, where it already is. No jump is needed at this end.
neuron, x0, a, b, t = LTCNeuron(w_tau=1.0, A=1.0), 3.0, 0.1, 0.9, 3.0
I_a, I_b = (float(neuron.f_inverse(y)) for y in (a, b))
switch = np.log(1 + 2.0 * (1.0 + b) / 1.0) / (1.0 + b)
low, high = bounds.closed_form_error(neuron, x0, t, f_range=(a, b))


def error_under(signal):
    """Return the error against the LTC as stated at t."""
    return float(exact(neuron, signal, x0, t) - closed_form(neuron, signal, x0, t))


lowest = error_under(signals.piecewise_constant([0.0, switch], [I_b, I_a]))
print(f"3: lower end {low:.6f}, attained {lowest:.6f} by f = 0.9, then 0.1 from t = {switch:.3f}")
assert np.isclose(lowest, low)
# For the upper end it is y = a, then y = b, and y = b at t: again no further jump. Continuous inputs need a ramp at the
# switch; the shorter, the closer.
for ramp in (0.5, 0.05, 0.005):
    near = error_under(signals.sampled([0.0, switch - ramp / 2, switch + ramp / 2], [I_b, I_b, I_a]))
    print(f"   ramp of {ramp:5.3f}: {near:.6f}")
    assert low < near
assert near - low < 1e-6
