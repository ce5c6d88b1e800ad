# Solutions to the exercises of 09_irregular_time.ipynb. They are about CfC cells, Eq. 4, which solve no ODE.

# %% The data of the notebook
import numpy as np

from cfc_ref import CfC, fit
from cfc_ref.datasets import official_bit_streams
from cfc_ref.learn import Adam, Exponential, TensorNorm

LONGEST = 12
training = official_bit_streams("training", event_based=True)
lengths = training.elapsed.sum(axis=1)
short = np.flatnonzero(lengths <= LONGEST)
signature = np.where(training.mask, training.elapsed * (2 * training.bits[:, :, 0] - 1), 0).astype(np.int8)
different, first, which = np.unique(signature[short], axis=0, return_index=True, return_inverse=True)
held = np.random.default_rng(0).permutation(len(different)) < len(different) // 5
held &= lengths[short][first] > 8
learn, unseen = short[~held[which]], short[first[held]]


def of(which, unit=1.0, as_input=False):
    """Return data with times in so many bits, as timespans or as a second input."""
    some = training.take(which)
    if as_input:
        x = np.concatenate([some.bits, some.elapsed[:, :, None]], axis=2)
        return x, some.parity.astype(np.float32), None, some.mask
    return some.bits, some.parity.astype(np.float32), some.elapsed / np.float32(unit), some.mask


def fresh(inputs=1):
    return CfC(inputs, 32, proj_size=1, return_sequences=False, activation="tanh", backbone_units=32, seed=0)


def train(network, data, epochs=12):
    settings = {"epochs": epochs, "batch_size": 32, "schedule": Exponential(0.9), "seed": 0, "progress": False}
    fit(network, data, loss="binary_cross_entropy", optimizer=Adam(0.005), clip=TensorNorm(1.0), **settings)
    return network


def outputs(network, data):
    x, _, timespans, mask = data
    return network(x, timespans=timespans, mask=mask)[0][:, 0]


def accuracy(network, data):
    return np.mean((outputs(network, data) > 0) == (data[1] > 0.5))


# %% Exercise 1: a thousand samples
thousand = train(fresh(), of(learn[:1000]), epochs=60)
parts = {"learned from": learn[:1000], "drawn later": learn[1000:2000], "held back": unseen}
by_part = {name: accuracy(thousand, of(part)) for name, part in parts.items()}
repeated = np.isin(which, which[np.isin(short, learn[:1000])])
again = np.isin(learn[1000:2000], short[repeated]).mean()
print("1:", ", ".join(f"{name} {value:.0%}" for name, value in by_part.items()), end="; ")
print(f"{again:.0%} of those drawn later were known")
# Samples that were drawn later look like a test and are half copies: the figure lies between memory and knowledge.
assert by_part["learned from"] > by_part["drawn later"] > by_part["held back"]
assert again > 0.3

# %% Exercise 2: the unit of time
some = learn[:8_000]  # half of the notebook's
trained = {unit: train(fresh(), of(some, unit)) for unit in (1, 32)}
by_unit = {unit: accuracy(network, of(unseen, unit)) for unit, network in trained.items()}
scaled = fresh()
for name in ("weight", "bias"):
    scaled.parameters[f"rnn_cell.time_a.{name}"] *= 32
gap = np.abs(outputs(scaled, of(unseen, 32)) - outputs(fresh(), of(unseen))).max()
by_unit["32, scaled"] = accuracy(train(scaled, of(some, 32)), of(unseen, 32))
print("2: accuracy by unit:", {unit: f"{value:.0%}" for unit, value in by_unit.items()}, end="; ")
print(f"fresh, the scaled one differs by {gap:.0e}")
# Only the product of time_a and the time enters the gate: 32 times the one and 1/32 of the other is the same network.
assert gap < 1e-5
# But Adam takes steps of one size for all weights, and to weights that are 32 times as large such steps are small.
assert by_unit[1] > by_unit[32]

# %% Exercise 3: time as an input
by_time = {"timespans": trained[1], "input": train(fresh(2), of(some, as_input=True))}
runs = np.array([*range(1, 13), 20, 25, 30])
right = {}
for name, network in by_time.items():
    pair, times = np.tile([[1.0], [0.0]], (len(runs), 1, 1)), np.column_stack([np.ones(len(runs)), runs])
    as_input = name == "input"
    x = np.concatenate([pair, times[:, :, None]], axis=2) if as_input else pair
    answers = network(x, timespans=None if as_input else times)[0][:, 0]
    right[name] = (answers > 0) == (runs % 2 == 1)
    share = accuracy(network, of(unseen, as_input=as_input))
    print(f"3: time as {name}: {share:.0%}; runs told rightly: {runs[right[name]]}; beyond 12: {answers[12:].round(1)}")
    assert share > 0.7
# As an input the time is of use as well, here even more. Both networks are right for the short runs, the frequent ones,
# and both stop counting: what saturates says the same of all longer runs. Neither has learned what "even" is.
assert all(told[:3].all() for told in right.values())
