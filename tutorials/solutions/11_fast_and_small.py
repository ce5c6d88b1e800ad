# Solutions to the exercises of 11_fast_and_small.ipynb. They are about the synaptic LTC.

# %%
import numpy as np

from cfc_ref import LTC, from_ncps, to_ncps_state_dict, wirings
from cfc_ref.activations import sigmoid, softplus

# %% Exercise 1: counting
# A synapse has four numbers: w, sigma, mu, E. A sample takes one logistic function for each synapse from an input, and
# one for each synapse between neurons in each part. In one part all numbers of the synapses are read once.
UNITS, INPUTS, PARTS = 64, 17, 6
full = LTC(INPUTS, UNITS, input_mapping=None, output_mapping=None, epsilon=0.0, dtype="float64", seed=0)
numbers = 4 * (UNITS + INPUTS) * UNITS
logistic = INPUTS * UNITS + PARTS * UNITS * UNITS
read = 8 * 4 * (INPUTS * UNITS + PARTS * UNITS * UNITS)
print(f"1: {numbers:,} numbers, {logistic:,} logistic functions a sample, {logistic / read:.3f} for each byte read")
by_name = {name: array.size for name, array in full.parameters.items()}
assert numbers == sum(size for name, size in by_name.items() if name.endswith(("w", "sigma", "mu", "erev")))
# One for 32 bytes. A logistic function is some twenty flops, so that is more than half a flop a byte: unlike the CfC's,
# an LTC's step is bound by arithmetic. Of the NCP's synapses few exist:
network = LTC(4, wirings.AutoNCP(19, 1), seed=3)
masks = {name: int(array.sum()) for name, array in network.state_dict().items() if name.endswith("sparsity_mask")}
few = masks["rnn_cell.sensory_sparsity_mask"] + PARTS * masks["rnn_cell.sparsity_mask"]
print(f"   the NCP needs {few}, one for each {logistic / few:.0f} of the full network")
assert few == network.sensory_synapse_count + PARTS * network.synapse_count == 303

# %% Exercise 2: extrapolation
# The error of the frozen form with n parts is a/n + b/n² + …; in 2 x_2n - x_n the first term cancels: order 2. Over
# short gaps it is a little better than the midpoint with as many looks; over long gaps it is several times worse, and
# with few parts 2 x_2n - x_n can leave the box that every frozen step stays in.
FEW = 40
rng = np.random.default_rng(0)
X = rng.normal(size=(1000, INPUTS))
short = 0.1 * rng.uniform(0.1, 1.9, 1000)
p = {name.removeprefix("rnn_cell."): array for name, array in full.state_dict().items()}
C = softplus(p["cm"])


def sums(v, kind):
    """Return the sums over the synapses of one kind."""
    ws = softplus(p[kind + "w"]) * sigmoid(p[kind + "sigma"] * (v[:, None] - p[kind + "mu"]))
    return ws.sum(axis=0), (ws * p[kind + "erev"]).sum(axis=0)


def frozen(x, held, t, parts):
    for _ in range(parts):
        G, Q = (a + b for a, b in zip(held, sums(x, ""), strict=True))
        x = Q / G + (x - Q / G) * np.exp(-t / parts * G / C)
    return x


def extrapolated(dt, parts):
    x, states = np.zeros(UNITS), []
    for sample, t in zip(X[:FEW], dt[:FEW], strict=True):
        G, Q = sums(sample, "sensory_")
        held = softplus(p["gleak"]) + G, softplus(p["gleak"]) * p["vleak"] + Q
        x = 2 * frozen(x, held, t, 2 * parts) - frozen(x, held, t, parts)
        states.append(x)
    return np.array(states)


for name, dt in (("short", short), ("long", 10 * short)):
    truth = full.solve(X[:FEW], timespans=dt[:FEW], rtol=1e-10, atol=1e-10)
    errors = {}
    for n in (2, 4, 8, 16, 32):
        middle = LTC(INPUTS, UNITS, input_mapping=None, output_mapping=None, epsilon=0.0, dtype="float64", seed=0,
                     solver="frozen_midpoint", ode_unfolds=3 * n // 2)  # fmt: skip
        guesses = extrapolated(dt, n), middle(X[:FEW], timespans=dt[:FEW])[0]
        errors[n] = [np.abs(guess - truth).max() for guess in guesses]
        print(f"2: {name} gaps, {3 * n:3} looks: extrapolated {errors[n][0]:.1e}, midpoint {errors[n][1]:.1e}")
    order = np.log2(errors[16][0] / errors[32][0])
    print(f"   order {order:.2f}")
    assert abs(order - 2) < 0.3
    assert (errors[32][0] < errors[32][1]) == (name == "short")

# %% Exercise 3: half precision
arrays = to_ncps_state_dict(network)
halves = {name: array.astype(np.float16) for name, array in arrays.items()}
small = from_ncps(
    {name: array.astype(np.float32) for name, array in halves.items()}, ode_unfolds=6, implicit_param_constraints=True
)
samples, times = rng.normal(size=(500, 4)).astype(np.float32), rng.exponential(0.5, 500).astype(np.float32)
whole, from_halves = network(samples, timespans=times)[0], small(samples, timespans=times)[0]
step, rounded = small.stepper(), []
for sample, dt in zip(samples, times, strict=True):
    rounded.append(step(sample, dt))
    step.state = step.state.astype(np.float16)
size, spread = sum(array.nbytes for array in halves.values()), whole.std()
gaps = [np.abs(other - whole).max() / spread for other in (from_halves, np.array(rounded))]
print(f"3: {size:,} bytes; the outputs differ by at most {gaps[0]:.1e} of their standard deviation,")
print(f"   and by {gaps[1]:.1e} with a rounded state as well")
assert size == 2 * sum(array.size for array in arrays.values())
assert 0 < gaps[0] < 0.1
assert gaps[1] < 0.1
