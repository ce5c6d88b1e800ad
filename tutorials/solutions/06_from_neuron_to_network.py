# Solutions to the exercises of 06_from_neuron_to_network.ipynb. They are about Eq. 4, the CfC cell, and its modes.

# %%
import numpy as np

from cfc_ref import CfC, LTCNeuron
from cfc_ref.activations import logit, sigmoid
from cfc_ref.neuron import constant_piece

# %% Exercise 1: when is the weight of g below 1 %?
# sigma(-f t) = 0.01 where -f t = log(0.01/0.99), so t = log(99)/f. exp(-f t) = 0.01 where t = log(100)/f. The two tails
# are the same, so the times differ by half a percent. For f = -2 the weight of g rises from 1/2 to 1: never.
t_gate, t_exponential = np.log(99) / 2, np.log(100) / 2
print(f"1: gate {t_gate:.3f}, exponential {t_exponential:.3f}")
assert np.isclose(sigmoid(-2 * t_gate), 0.01)
assert np.isclose(-logit(0.01) / 2, t_gate)
assert np.isclose(np.exp(-2 * t_exponential), 0.01)
assert sigmoid(2 * np.linspace(0, 50, 501)).min() == 0.5

# %% Exercise 2: the same network in the variant "torch"
# Let G = 1.7159 and y = x/G. Eq. 4 mixes the heads, so G comes out of it:
# x+ = G [(1 - s) tanh(0.666 z1) + s tanh(0.666 z2)], and y+ is a cell with tanh heads: ff1 and ff2 times 0.666.
# The backbone reads x = G y: its columns of the state times G. The output reads x: the projection's weights times G.
# The gate's sign: time_a, weight and bias, times -1. (It works for "default". In "no_gate" it does too; with mixed
# memory it does not, as the two codes wire the LSTM in two ways.)
G, gain = 1.7159, 0.666
tensorflow = CfC(3, 8, proj_size=2, variant="tensorflow", backbone_units=16, dtype="float64", seed=1)
torch = CfC(3, 8, proj_size=2, variant="torch", backbone_units=16, dtype="float64", seed=2)
weights = tensorflow.state_dict()
for name, array in weights.items():
    if ".ff" in name:
        array *= gain
    elif "time_a" in name:
        array *= -1
weights["rnn_cell.backbone.0.weight"][:, 3:] *= G
weights["fc.weight"] *= G
torch.load_state_dict(weights)
rng = np.random.default_rng(0)
inputs, pauses = rng.normal(size=(2, 30, 3)), rng.exponential(1.0, (2, 30))
expected, x = tensorflow(inputs, timespans=pauses)
output, y = torch(inputs, timespans=pauses)
print("2: the same outputs to 1e-12:", np.allclose(output, expected, rtol=0, atol=1e-12))
assert np.allclose(output, expected, rtol=0, atol=1e-12)
assert np.allclose(y, x / G, rtol=0, atol=1e-12)

# %% Exercise 3: which mode learns the neuron?
teacher = LTCNeuron(w_tau=0.3, A=2.0, sigma=2.0)


def recordings(rng, batch, steps=20):
    """Return inputs, pauses and the states of the liquid neuron, as in the notebook."""
    dt, I = rng.exponential(1.0, (batch, steps)), rng.uniform(-2, 2, (batch, steps, 1))
    x, states = np.zeros(batch), []
    for k in range(steps):
        x = constant_piece(teacher.w_tau, teacher.A, teacher.f(I[:, k, 0]), dt[:, k], x)
        states.append(x)
    return I, dt, np.stack(states, axis=1)[:, :, None]


def test_error(mode, with_time, rate):
    """Return the root mean squared error on new recordings after 300 steps with momentum."""
    rng = np.random.default_rng(1)
    layer = CfC(1, 8, proj_size=1, mode=mode, backbone_units=16, dtype="float64", seed=0)
    velocity = {name: np.zeros_like(array) for name, array in layer.parameters.items()}
    for _ in range(300):
        I, dt, target = recordings(rng, 32)
        output, _, tape = layer.forward(I, timespans=dt if with_time else None)
        gradients = layer.backward(tape, 2 * (output - target) / target.size).parameters
        for name, array in layer.parameters.items():
            velocity[name] = 0.9 * velocity[name] - rate * gradients[name]
            array += velocity[name]
    I, dt, target = recordings(np.random.default_rng(2), 200)
    output, _ = layer(I, timespans=dt if with_time else None)
    return np.sqrt(np.mean((output - target) ** 2))


WITHOUT = 0.198  # the least that is possible without timespans, from the notebook
found = {}
for mode in ("no_gate", "pure", "paper_pure", "from_x0"):
    found[mode, False] = test_error(mode, False, 0.05)
    for rate in (0.02, 0.05, 0.1):
        found[mode, rate] = test_error(mode, True, rate)
    row = ", ".join(f"{rate}: {found[mode, rate]:.3f}" for rate in (0.02, 0.05, 0.1))
    print(f"3: {mode:10} with timespans, by learning rate {row}; without: {found[mode, False]:.3f}")
# Without timespans no mode can come below 0.198, whatever it is.
assert all(found[mode, False] > WITHOUT for mode in ("no_gate", "pure", "paper_pure", "from_x0"))
# With them, at the notebook's rate, no_gate and paper_pure come below 0.201, pure and from_x0 do not; other rates
# change the order. Three hundred plain steps from one start say little of what a mode can learn.
assert all(min(found[mode, rate] for rate in (0.02, 0.05, 0.1)) < 0.19 for mode in ("no_gate", "paper_pure"))
