# Solutions to the exercises of 08_wirings_and_neural_circuit_policies.ipynb. They are about the synaptic LTC.

# %%
import numpy as np

from cfc_ref import LTC, CfC, bounds, translate, wirings
from cfc_ref.activations import sigmoid, softplus
from cfc_ref.datasets import eeg_recording

# %% Exercise 1: four parts
# A chain: the input to neuron 3, 3 to 2, 2 to 1, and 1 to the motor neuron 0. Each part of a step reads the other
# neurons as they were at its start, so news moves one synapse a part.
chain = np.zeros((4, 4), dtype=int)
chain[[3, 2, 1], [2, 1, 0]] = 1
wiring = wirings.Wiring(chain, [[0, 0, 0, 1]], output_dim=1, layers=[[3], [2], [1], [0]])


def hears(layer):
    """Return the gradient of the output after one time step by the input."""
    output, _, tape = layer.forward([[0.3]])
    return layer.backward(tape, np.ones_like(output)).x.item()


by_parts = {parts: hears(LTC(1, wiring, ode_unfolds=parts, dtype="float64", seed=0)) for parts in (3, 4)}
by_cfc = hears(CfC(1, wiring, dtype="float64", seed=0))
print(f"1: gradient with 3 parts {by_parts[3]}, with 4 parts {by_parts[4]:.1e}; of a CfC after one step {by_cfc:.1e}")
assert by_parts[3] == 0 != by_parts[4]
# A wired CfC goes through its layers one after the other within a step, and each reads the new state of the one before.
assert by_cfc != 0

# %% The network of the notebook
values = eeg_recording().values.T
AHEAD, CUT = 2, 640
X, Y = values[:-AHEAD], values[AHEAD:, 3]
network = LTC(4, wirings.AutoNCP(12, 1), ode_unfolds=3, epsilon=0.0, dtype="float64", seed=0)
mean = {name: np.zeros_like(array) for name, array in network.parameters.items()}
square = {name: np.zeros_like(array) for name, array in network.parameters.items()}
rng = np.random.default_rng(0)
for step in range(1, 151):
    piece = rng.integers(0, CUT - 40, 16)[:, None] + np.arange(40)
    output, _, tape = network.forward(X[piece])
    error = output - Y[piece][:, :, None]
    error[:, :8] = 0
    gradients = network.backward(tape, 2 * error / error[:, 8:].size).parameters
    for name, array in network.parameters.items():
        mean[name] = 0.9 * mean[name] + 0.1 * gradients[name]
        square[name] = 0.99 * square[name] + 0.01 * gradients[name] ** 2
        array -= 0.02 * (mean[name] / (1 - 0.9**step)) / (np.sqrt(square[name] / (1 - 0.99**step)) + 1e-8)

x0 = network.solve(X[:CUT], rtol=1e-8, atol=1e-10)[-1]
rest = X[CUT:]
truth = network.solve(rest, x0, rtol=1e-8, atol=1e-10)

# %% Exercise 2: the whole neuron with the same teacher
p = {name.removeprefix("rnn_cell."): array for name, array in network.state_dict().items()}
for kind in ("", "sensory_"):
    p[kind + "w"] = softplus(p[kind + "w"]) * p[kind + "sparsity_mask"]
w, sigma, mu, E = (np.concatenate([p["sensory_" + name], p[name]]) for name in ("w", "sigma", "mu", "erev"))
g, V, C = softplus(p["gleak"]), p["vleak"], softplus(p["cm"])
v = np.concatenate([p["input_w"] * rest + p["input_b"], truth], axis=1)
ws = w * sigmoid(sigma * (v[:, :, None] - mu))
G, Q = g + ws.sum(axis=1), g * V + (ws * E).sum(axis=1)
since = np.arange(1.0, len(rest) + 1)[:, None]
whole = Q / G + (x0 - Q / G) * np.exp(-since * G / C)


def output_mse(states):
    return np.mean((p["output_w"][0] * (states - truth)[:, 0]) ** 2)


errors, tau = np.sqrt(np.mean((whole - truth) ** 2, axis=0)), np.median(C / G, axis=0)
printed = output_mse(translate.algorithm1(network, rest, None, x0, activity=truth))
print(f"2: output MSE of the whole neuron {output_mse(whole):.1e}, of Algorithm 1 {printed:.1f}")
for i in np.argsort(tau):
    print(f"   neuron {i:2}: time constant {tau[i]:.3f} samples, root mean square error {errors[i]:.3f}")
# Once the start is forgotten it is x∞ at the time t: right where the neuron is much faster than what it reads, as the
# motor neuron is, and off by what a slower neuron lags behind. So it is no substitute for stepping; but it shows what
# is wrong with Algorithm 1: it sums reversal potentials where a neuron takes their mean, weighted by conductances.
assert output_mse(whole) < 1e-4 < 1 < printed
assert errors[tau < 0.1].max() < 0.02 < errors[tau > 1].max()

# %% Exercise 3: certificates
# What is promised is a worst case over the whole box: P multiplies the steepest slope of every synapse by the fastest
# that its presynaptic neuron can move. Where there is a certificate, it promises less than the box, 2 or 3 wide, does.
gain = network.parameters["rnn_cell.sigma"]
fresh_gain, promise = gain.copy(), {}
for factor in (1.0, 0.5, 0.2, 0.1, 0.05):
    gain[...] = factor * fresh_gain
    compared = translate.compare(network, rest[:40], hx=x0)
    error = np.abs(compared.translations["frozen"].error).max()
    promise[factor] = np.max(compared.certificate.bound), error
    print(f"3: gains times {factor}: {compared.certificate}; largest error {error:.3f}")
gain[...] = fresh_gain
assert np.isinf([promise[factor][0] for factor in (1.0, 0.5, 0.2)]).all()
assert all(error < bound < np.inf for bound, error in (promise[0.1], promise[0.05]))

low, high = bounds.box(network)
ends = [network.solve(rest[:60], corner, rtol=1e-8, atol=1e-10) for corner in (low, high)]
apart = np.max(np.abs(ends[1] - ends[0]), axis=1)
row = ", ".join(f"{apart[k]:.0e} after {k + 1}" for k in (0, 9, 29))
print(f"3: runs from two corners of the box are apart by {row} samples")
# They meet: a certificate is sufficient, and far from necessary.
assert apart[29] < 1e-6
