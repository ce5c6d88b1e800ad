# Solutions to the exercises of 07_backpropagation_by_hand.ipynb. They are about the CfC cell of PyTorch's codes.

# %%
import numpy as np

from cfc_ref import CfC

# %% Exercise 1: one unit on paper
# g = 1/2, h = -1/2, f = 1, p = f t = 0, s = 1/2: the new state is g/2 + h/2 = 0.
# By t: f s (1 - s) (h - g) = 1 · 1/4 · (-1) = -1/4. By b_1: (1 - s)(1 - g²) = 1/2 · 3/4 = 3/8.
# By b_a: t · … = 0, as t = 0.
cell = CfC(1, 1, backbone_layers=0, dtype="float64", seed=0)
biases = {"ff1": np.arctanh(0.5), "ff2": -np.arctanh(0.5), "time_a": 1.0, "time_b": 0.0}
for name, array in cell.parameters.items():
    _, head, kind = name.split(".")
    array[...] = biases[head] if kind == "bias" else 0.0
output, _, tape = cell.forward([[0.3]], [0.2], timespans=0.0)
gradients = cell.backward(tape, [[1.0]])
by_t, by_b1 = gradients.timespans, gradients.parameters["rnn_cell.ff1.bias"][0]
by_ba = gradients.parameters["rnn_cell.time_a.bias"][0]
print(f"1: state {output[0, 0]:.3f}, by t {by_t:.3f}, by b_1 {by_b1:.3f}, by b_a {by_ba:.3f}")
assert np.allclose([output[0, 0], by_t, by_b1, by_ba], [0, -1 / 4, 3 / 8, 0], rtol=0, atol=1e-15)


# %% Exercise 2: the mode "pure"
def forward(P, I, x, t):
    v = np.concatenate([I, x])
    f1 = P["W1"] @ v + P["b1"]
    decay = np.exp(-t * (np.abs(P["w"]) + np.abs(f1)))
    return P["A"] - P["A"] * decay * f1, (v, f1, decay, t)


def backward(P, kept, d_new):
    v, f1, decay, t = kept
    d_A = (1 - decay * f1) * d_new
    d_decay = -P["A"] * f1 * d_new
    d_rate = -t * decay * d_decay
    d_t = np.sum(-(np.abs(P["w"]) + np.abs(f1)) * decay * d_decay)
    d_w = np.sign(P["w"]) * d_rate
    d_f1 = -P["A"] * decay * d_new + np.sign(f1) * d_rate  # f1 occurs twice: two shares
    d_v = P["W1"].T @ d_f1
    inputs = len(v) - len(f1)
    return {"W1": np.outer(d_f1, v), "b1": d_f1, "w": d_w, "A": d_A, "I": d_v[:inputs], "x": d_v[inputs:], "t": d_t}


def differences(point, eps=1e-6):
    """Central differences of q · x+ by every number of `point`."""
    found = {}
    for name, array in point.items():
        found[name] = np.empty(np.shape(array))
        for place in np.ndindex(found[name].shape):
            ends = []
            for sign in (1, -1):
                moved = np.array(array)
                moved[place] += sign * eps
                changed = {**point, name: moved}
                ends.append(q @ forward(changed, changed["I"], changed["x"], changed["t"])[0])
            found[name][place] = (ends[0] - ends[1]) / (2 * eps)
    return found


pure = CfC(2, 3, mode="pure", backbone_layers=0, dtype="float64", seed=3)
names = {"W1": "ff1.weight", "b1": "ff1.bias", "w": "w_tau", "A": "A"}
rng = np.random.default_rng(0)
I, x, t, q = rng.normal(size=2), rng.uniform(-1, 1, 3), 0.7, rng.normal(size=3)


def three():
    """Return the gradients by hand, by differences and by library."""
    arrays = {short: pure.parameters[f"rnn_cell.{name}"] for short, name in names.items()}
    P = {short: array[0] if short in "wA" else array for short, array in arrays.items()}
    hand = backward(P, forward(P, I, x, t)[1], q)
    _, _, tape = pure.forward(I[None], x, timespans=t)
    theirs = pure.backward(tape, q[None])
    library = {short: theirs.parameters[f"rnn_cell.{name}"] for short, name in names.items()}
    library |= {"w": library["w"][0], "A": library["A"][0], "I": theirs.x[0], "x": theirs.hx, "t": theirs.timespans}
    return hand, differences({**P, "I": I, "x": x, "t": np.array(t)}), library


hand, numerical, library = three()
agree = [np.allclose(hand[k], library[k], rtol=0, atol=1e-14) for k in hand]
close = [np.allclose(hand[k], numerical[k], rtol=0, atol=1e-8) for k in hand]
print(f"2: by hand and by library agree: {all(agree)}; by differences: {all(close)}")
assert all(agree)
assert all(close)
# With w_τ = 0 in one entry: |w| has a corner there. By hand and by library the derivative is taken as 0; the central
# difference gives 0 too, as |ε| = |-ε|; a one-sided one gives the slope of its side, t A f1 e q_i or its negative. So 0
# is a convention, and gradient descent never leaves it.
pure.parameters["rnn_cell.w_tau"][0, 1] = 0.0
hand, numerical, library = three()
print(f"2: at w_tau = 0: by hand {hand['w'][1]}, by library {library['w'][1]}, by differences {numerical['w'][1]:.1f}")
assert hand["w"][1] == library["w"][1] == 0
assert abs(numerical["w"][1]) < 1e-9

# %% Exercise 3: a clock that runs wrong
AHEAD = 0.5


def sines(rng, batch, samples=24):
    pauses = rng.uniform(0.2, 1.2, (batch, samples))
    size, phase = rng.uniform(0.6, 1.0, (batch, 1)), rng.uniform(0, 2 * np.pi, (batch, 1))
    return pauses, lambda t: size * np.sin(t + phase)


network = CfC(1, 16, proj_size=1, backbone_units=32, dtype="float64", seed=0)
momentum = {name: np.zeros_like(array) for name, array in network.parameters.items()}
rng = np.random.default_rng(0)
for _ in range(200):
    pauses, sine = sines(rng, 32)
    at = np.cumsum(pauses, axis=1)
    output, _, tape = network.forward(sine(at)[:, :, None], timespans=pauses)
    error = output[:, :, 0] - sine(at + AHEAD)
    error[:, :2] = 0
    gradients = network.backward(tape, 2 * error[:, :, None] / error.size)
    for name, array in network.parameters.items():
        momentum[name] = 0.9 * momentum[name] - 0.1 * gradients.parameters[name]
        array += momentum[name]

# The network is told gamma times the clock's pauses, so dL/dgamma = sum over all samples of (clock's pause · gradient
# by the timespan), and gamma should become 1/c.
c = 0.7
pauses, sine = sines(np.random.default_rng(5), 50)
at = np.cumsum(pauses, axis=1)
clock, gamma = c * pauses, 1.0
for _ in range(100):
    output, _, tape = network.forward(sine(at)[:, :, None], timespans=gamma * clock)
    error = output[:, :, 0] - sine(at + AHEAD)
    error[:, :2] = 0
    gradients = network.backward(tape, 2 * error[:, :, None] / error.size)
    gamma -= 5.0 * np.sum(clock * gradients.timespans)
print(f"3: gamma = {gamma:.3f}, so c = {1 / gamma:.3f}")
assert abs(1 / gamma - c) < 0.03
