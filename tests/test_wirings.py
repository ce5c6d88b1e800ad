"""Wirings: the same synapses as ncps draws, never changed, the orders of their states, files, warnings, refusals."""

import copy
import hashlib
import math
import pickle
import time
import warnings

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref import wirings
from cfc_ref.wirings import NCP, AutoNCP, FullyConnected, Random, Wiring
from tests import bad
from tests.compare import refusal
from tests.test_import import HEAVY, run

CLASSES = ("FullyConnected", "Random", "NCP", "AutoNCP")
QUIET = pytest.mark.filterwarnings("ignore:no path of synapses")
NCP_ARGUMENTS = {
    "inter_neurons": 6,
    "command_neurons": 4,
    "motor_neurons": 2,
    "sensory_fanout": 3,
    "inter_fanout": 2,
    "recurrent_command_synapses": 3,
    "motor_fanin": 2,
}
UNBUILT = {
    "FullyConnected": FullyConnected(5, 2),
    "FullyConnected without loops": FullyConnected(5, 2, self_connections=False),
    "Random": Random(12, 3, 0.5),
    "NCP": NCP(**NCP_ARGUMENTS),
    "AutoNCP": AutoNCP(19, 1),
}
OWN = Wiring([[0, 0, 1], [-1, 0, 0], [0, 1, 0]], [[0, 1, 0], [0, 0, -1]], 1, layers=[[2], [1], [0]])
BUILT = {name: wiring.build(4) for name, wiring in UNBUILT.items()} | {"Wiring": OWN}


# --- ncps as the oracle


def draw_arguments(name, rng):
    """Draw arguments of a wiring, and a number of inputs."""
    inputs, seed = int(rng.integers(1, 25)), int(rng.integers(2**32))
    units = int(rng.integers(1, 25))
    output_dim = [None, int(rng.integers(1, units + 1))][rng.integers(2)]
    if name == "FullyConnected":
        more = {"erev_init_seed": seed, "self_connections": bool(rng.integers(2))}
        return {"units": units, "output_dim": output_dim, **more}, inputs
    if name == "Random":
        sparsity = [0.0, 0.5, 0.99, float(rng.random())][rng.integers(4)]
        return {"units": units, "output_dim": output_dim, "sparsity_level": sparsity, "random_seed": seed}, inputs
    if name == "AutoNCP":
        units = int(rng.integers(4, 60))
        sparsity = [0.1, 0.5, 1.0, float(rng.uniform(0.1, 1.0))][rng.integers(4)]
        output_size = int(rng.integers(1, units - 2))
        return {"units": units, "output_size": output_size, "sparsity_level": sparsity, "seed": seed}, inputs
    inter, command, motor = (int(size) for size in rng.integers(1, 12, 3))
    arguments = {
        "inter_neurons": inter,
        "command_neurons": command,
        "motor_neurons": motor,
        "sensory_fanout": int(rng.integers(inter + 1)),
        "inter_fanout": int(rng.integers(command + 1)),
        "recurrent_command_synapses": int(rng.integers(15)),
        "motor_fanin": int(rng.integers(command + 1)),
        "seed": seed,
    }
    return arguments, inputs


def assert_same(got, ref):
    npt.assert_array_equal(got.adjacency_matrix, ref.adjacency_matrix)
    assert (got.units, got.input_dim, got.output_dim) == (ref.units, ref.input_dim, ref.output_dim)
    assert (got.num_layers, got.is_built()) == (ref.num_layers, ref.is_built())
    assert got.synapse_count == ref.synapse_count
    for layer in range(ref.num_layers):
        assert got.get_neurons_of_layer(layer) == ref.get_neurons_of_layer(layer)
    for neuron in range(ref.units):
        assert got.get_type_of_neuron(neuron) == ref.get_type_of_neuron(neuron)
    if ref.is_built():
        npt.assert_array_equal(got.sensory_adjacency_matrix, ref.sensory_adjacency_matrix)
        assert got.sensory_synapse_count == ref.sensory_synapse_count


@QUIET
@pytest.mark.parametrize("name", CLASSES)
def test_synapses_are_those_of_ncps_before_and_after_build(name):
    theirs = pytest.importorskip("ncps.wirings")
    rng = np.random.default_rng(CLASSES.index(name))
    for _ in range(200):
        arguments, inputs = draw_arguments(name, rng)
        got, ref = getattr(wirings, name)(**arguments), getattr(theirs, name)(**arguments)
        assert_same(got, ref)
        ref.build(inputs)
        assert_same(got.build(inputs), ref)


@QUIET
def test_left_out_command_neurons_get_as_many_synapses_as_in_ncps():
    """With 2 command neurons ncps caps them at 2, not at the average of I/2: only few seeds leave a neuron out."""
    theirs = pytest.importorskip("ncps.wirings")
    capped = 0
    for seed in range(400):
        arguments = {**NCP_ARGUMENTS, "command_neurons": 2, "inter_fanout": 1, "motor_fanin": 1, "seed": seed}
        got, ref = NCP(**arguments).build(3), theirs.NCP(**arguments)
        ref.build(3)
        assert_same(got, ref)
        capped += np.count_nonzero(got.adjacency_matrix[4:, 2:4], axis=0).max() == 6
    assert capped  # the case occurs: one neuron was chosen by all six


def digest(wiring):
    """The first half of SHA-256 of both matrices of a built wiring."""
    matrices = wiring.adjacency_matrix, wiring.sensory_adjacency_matrix
    return hashlib.sha256(b"".join(np.asarray(m, dtype="<i4").tobytes() for m in matrices)).hexdigest()[:32]


def stored_arguments(name):
    """The arguments to which the digests belong."""
    rng = np.random.default_rng(100 + CLASSES.index(name))
    return [draw_arguments(name, rng) for _ in range(10)]


def ncps_digests(name):
    """What DIGESTS holds for a class, made with ncps 1.0.1 and numpy 2.4: print() it to make them again."""
    theirs = pytest.importorskip("ncps.wirings")
    made = []
    for arguments, inputs in stored_arguments(name):
        made.append(getattr(theirs, name)(**arguments))
        made[-1].build(inputs)
    return [digest(wiring) for wiring in made]


DIGESTS = {
    "FullyConnected": [
        "6f20c87800b8ea98d5ce34226c1f9268",
        "8d7705da2dd0642ec8399b3c948ba633",
        "961743106ad5477d39d041d00563f2ff",
        "9fe8bf1a03caa66b563d8a0b71cdbdc1",
        "4f01c0097f3d08f0355255c4259df06a",
        "e82f2812f17068715d96e0227ce23132",
        "a27fc08b23410e5b0e8495e456aa0802",
        "7477ba0a035f0c17ee8f27e20c21f5dc",
        "b07bb813832bc5f0a610cbeddc19adbd",
        "c310806df06080ad2214b4c17a536cd7",
    ],
    "Random": [
        "aac47ee1b64d7eb2a7837ab64ab63cb3",
        "db4047be5fa943d4b6513d2b98a2e597",
        "80aa5ad528c0900c46eb7dec08c5f2b8",
        "48ba8f37ac029c88ac85aa9fbacbbc3f",
        "32dff80de46934ac0e4aad324738f82a",
        "40ae69450dd490316e11fdfb217b8e20",
        "6bdfbd56207cce956b95bf6a5c277860",
        "442aaf34317f68a4acbbdfc65c226fdf",
        "f6eec3ddc4b350639c251ba1a53a7c21",
        "fd6392a62e02e767ec649c5cf36b9362",
    ],
    "NCP": [
        "2026ae4d9138bfcc2b3e852388d59a97",
        "88e3de6e4dc0063123365b2a2398ae2e",
        "0222c3154de908061c58ed850ff2ffec",
        "62aec038731599c0cec6715f8e3d329a",
        "8d8892d18deb23ffe5fb64123373815f",
        "2bd49554efe2f07d34cc6526f93f9e37",
        "c70b01ae53199cf4a420caaec1d87ff9",
        "0a4665620a8cfb1daedf2ed534a4c5cf",
        "ddd031533da833e221ace6c902c4b709",
        "3af1ba857240463dfd8bad781464fe5b",
    ],
    "AutoNCP": [
        "619f40b43a93e14672de1b60b94f8064",
        "aa7435ae865893d72652734a560c988b",
        "67bca0ad02d592af0ec7eb387a62cffa",
        "84b7c2e47c5da693a9b501f1061004f2",
        "8f3c9e72b73abfe0c1fd41f8aeb7ff1f",
        "cc45e7d518740253223629950afd76b7",
        "43afeda04b80578c816e0ac7970c08ef",
        "f18bbab146b06c2cae4d83088e4a37a1",
        "e040c9f9f8014eddae3e8f6c5877e0d7",
        "fe5d08210c3e70b5f3d5bb5f2e19ee8a",
    ],
}


@QUIET
@pytest.mark.parametrize("name", CLASSES)
def test_synapses_have_the_digests_that_ncps_had(name):
    got = [getattr(wirings, name)(**arguments).build(inputs) for arguments, inputs in stored_arguments(name)]
    assert [digest(wiring) for wiring in got] == DIGESTS[name]


@pytest.mark.parametrize("name", CLASSES)
def test_the_stored_digests_are_those_of_ncps(name):
    assert ncps_digests(name) == DIGESTS[name]


def test_defaults_are_those_of_ncps():
    theirs = pytest.importorskip("ncps.wirings")
    ref = theirs.AutoNCP(19, 1), theirs.FullyConnected(6), theirs.Random(6), theirs.NCP(**NCP_ARGUMENTS)
    for got, one in zip((AutoNCP(19, 1), FullyConnected(6), Random(6), NCP(**NCP_ARGUMENTS)), ref, strict=True):
        one.build(7)
        assert_same(got.build(7), one)


# --- what is random, and what is not


def test_a_large_policy_is_built_in_well_under_a_second():
    start = time.perf_counter()
    AutoNCP(256, 16).build(64)
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize("name", UNBUILT)
def test_build_changes_nothing_and_repeats_itself(name):
    wiring, before = UNBUILT[name], copy.deepcopy(UNBUILT[name])
    first, second, other = wiring.build(4), wiring.build(4), wiring.build(6)
    assert first == second
    assert other.input_dim == 6
    assert not wiring.is_built()
    assert wiring.input_dim is wiring.sensory_adjacency_matrix is wiring.sensory_synapse_count is None
    assert wiring == before
    assert first.build(4) == first
    assert type(first) is type(wiring)


@pytest.mark.parametrize("name", BUILT)
def test_a_built_wiring_is_built_for_its_inputs_only(name):
    wiring = BUILT[name]
    assert wiring.is_built()
    assert wiring.build(wiring.input_dim) == wiring
    bad.refuses(wiring.build, "input_size", wiring.input_dim + 1)


@pytest.mark.parametrize("name", BUILT)
def test_no_attribute_can_be_set_and_no_entry_written(name):
    wiring = BUILT[name]
    names = [one for one in dir(wiring) if not one.startswith("__")]
    assert {"units", "layers", "adjacency_matrix", "build", "_recipe"} <= set(names)
    for one in [*names, "something_new"]:
        with pytest.raises(AttributeError, match=refusal(one)):
            setattr(wiring, one, 1)
    with pytest.raises(AttributeError, match=refusal("units")):
        del wiring.units
    remade = pickle.loads(pickle.dumps(wiring)), copy.copy(wiring), copy.deepcopy(wiring)
    for other in (wiring, *remade):
        for array in (other.adjacency_matrix, other.sensory_adjacency_matrix, other.cfc_order, other.ltc_order):
            assert array.dtype == np.int32
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1
        assert other == wiring
    wiring.get_neurons_of_layer(0).clear()
    assert wiring == remade[0]


def test_matrices_given_are_copied():
    recurrent, sensory = np.zeros((2, 2)), np.ones((1, 2))
    wiring = Wiring(recurrent, sensory, 1)
    recurrent[:], sensory[:] = 1, 0
    assert (wiring.synapse_count, wiring.sensory_synapse_count) == (0, 2)


# --- equality


def own_copy(wiring, **changes):
    given = {
        "adjacency_matrix": wiring.adjacency_matrix,
        "sensory_adjacency_matrix": wiring.sensory_adjacency_matrix,
        "output_dim": wiring.output_dim,
        "layers": wiring.layers,
    }
    return Wiring(**{**given, **changes})


@QUIET
@pytest.mark.parametrize("name", BUILT)
def test_built_wirings_are_equal_where_all_they_are_is(name):
    wiring = BUILT[name]
    same = own_copy(wiring)
    assert same == wiring
    assert hash(same) == hash(wiring)
    units = wiring.units
    changes = [
        {"adjacency_matrix": np.eye(units)},
        {"sensory_adjacency_matrix": np.ones((4, units))},
        {"output_dim": wiring.output_dim % units + 1},
        {"layers": [range(1, units), [0]]},
        {"layers": [range(units)[::-1]]},
    ]
    for change in changes:
        assert own_copy(wiring, **change) != wiring
    assert wiring != "wiring"


def test_unbuilt_wirings_are_equal_where_they_will_build_the_same():
    assert AutoNCP(19, 1) == AutoNCP(19, 1)
    assert AutoNCP(19, 1) != AutoNCP(19, 1, seed=1)  # neither has a synapse yet
    assert AutoNCP(12, 2, 0.5) == NCP(6, 4, 2, 3, 2, 4, 2)
    assert hash(AutoNCP(12, 2, 0.5)) == hash(NCP(6, 4, 2, 3, 2, 4, 2))
    assert AutoNCP(19, 1) != AutoNCP(19, 1).build(3)


# --- layers, types, orders, text


def test_an_ncp_numbers_motor_command_inter_and_layers_run_the_other_way():
    wiring = NCP(**NCP_ARGUMENTS)
    assert wiring.layers == ((6, 7, 8, 9, 10, 11), (2, 3, 4, 5), (0, 1))
    assert wiring.layer_sizes == (6, 4, 2)
    kinds = [wiring.get_type_of_neuron(neuron) for neuron in range(12)]
    assert kinds == ["motor"] * 2 + ["command"] * 4 + ["inter"] * 6
    npt.assert_array_equal(wiring.cfc_order, [6, 7, 8, 9, 10, 11, 2, 3, 4, 5, 0, 1])


@pytest.mark.parametrize("wiring", [*UNBUILT.values(), OWN], ids=[*UNBUILT, "Wiring"])
def test_the_orders_of_the_states_undo_each_other(wiring):
    x_ltc = np.random.default_rng(0).normal(size=(3, wiring.units))
    x_cfc = x_ltc[..., wiring.cfc_order]
    place = 0
    for layer in range(wiring.num_layers):
        for neuron in wiring.get_neurons_of_layer(layer):
            npt.assert_array_equal(x_cfc[:, place], x_ltc[:, neuron])
            place += 1
    npt.assert_array_equal(x_cfc[..., wiring.ltc_order], x_ltc)


def test_types_in_layers_of_ones_own():
    def kinds(layers, output_dim=1):
        wiring = Wiring(np.ones((4, 4)), np.ones((1, 4)), output_dim, layers=layers)
        return [wiring.get_type_of_neuron(neuron) for neuron in range(4)]

    assert kinds(None) == ["motor", "inter", "inter", "inter"]
    assert kinds([[3], [2], [1, 0]]) == ["motor", "inter", "command", "inter"]
    assert kinds([[3], [1, 2], [0]], output_dim=2) == ["motor", "motor", "command", "inter"]
    assert kinds([[3], [2], [1], [0]]) == ["motor", "inter", "inter", "inter"]
    assert kinds([[3, 2], [1, 0]]) == ["motor", "inter", "inter", "inter"]


def test_layers_may_be_arrays_and_are_kept_in_order():
    wiring = Wiring(np.ones((4, 4)), np.ones((1, 4)), 1, layers=np.array([[3, 1], [2, 0]]))
    assert wiring.layers == ((3, 1), (2, 0))
    assert wiring.num_layers == 2
    assert wiring == Wiring(np.ones((4, 4)), np.ones((1, 4)), 1, layers=[(3, 1), (2, 0)])


def test_counts_are_those_of_the_entries():
    for wiring in BUILT.values():
        assert wiring.synapse_count == sum(entry != 0 for entry in wiring.adjacency_matrix.ravel().tolist())
        assert wiring.sensory_synapse_count == sum(e != 0 for e in wiring.sensory_adjacency_matrix.ravel().tolist())


def test_the_text_says_class_and_sizes():
    assert repr(OWN) == "Wiring(units=3, inputs=2, outputs=1, synapses=3, sensory_synapses=2)"
    assert repr(AutoNCP(19, 1)) == "AutoNCP(units=19, inputs=None, outputs=1, synapses=0, not built)"


# --- files


@QUIET
@pytest.mark.parametrize("name", BUILT)
def test_a_wiring_survives_a_file_without_objects(name, tmp_path):
    wiring = BUILT[name]
    np.savez(tmp_path / "wiring.npz", **wiring.to_arrays())
    with np.load(tmp_path / "wiring.npz", allow_pickle=False) as arrays:
        loaded = Wiring.from_arrays(arrays)
    assert loaded == wiring
    assert type(loaded) is Wiring
    assert loaded.layers == wiring.layers
    assert type(NCP.from_arrays(wiring.to_arrays())) is Wiring


def test_order_within_a_layer_survives():
    wiring = Wiring(np.ones((5, 5)), np.ones((1, 5)), 2, layers=[[4, 2, 3], [1, 0]])
    assert Wiring.from_arrays(wiring.to_arrays()).layers == ((4, 2, 3), (1, 0))


def test_an_unbuilt_wiring_has_no_arrays():
    with pytest.raises(ValueError, match=refusal("wiring")):
        AutoNCP(19, 1).to_arrays()


BAD_ARRAYS = {
    "adjacency_matrix": (np.full((3, 3), 2), np.zeros((2, 3)), np.zeros(3), np.zeros((3, 3), dtype=bool)),
    "sensory_adjacency_matrix": (np.zeros((2, 4)), np.zeros((0, 3)), np.full((2, 3), math.nan)),
    "output_dim": (np.array(0), np.array(4), np.array([1]), np.array(1.0), np.array(True), "1"),
    "layers": (
        np.zeros(3, dtype=int),
        np.zeros((3, 2), dtype=int),
        np.zeros((2, 3)),
        np.array([[0, 1, 1], [0, 0, 0]]),
        np.array([[0, 1, -1], [0, 0, 0]]),
        np.array([[0, 1, 2, 3], [0, 0, 0, 0]]),
        np.array([["0", "1", "2"], ["0", "0", "0"]]),
        np.array(None, dtype=object),
    ),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD_ARRAYS.items() for value in values])
def test_arrays_that_are_no_wiring_are_refused(name, value):
    with pytest.raises((ValueError, TypeError), match=refusal(name)):
        Wiring.from_arrays({**OWN.to_arrays(), name: value})


def test_missing_and_other_arrays_are_refused():
    arrays = OWN.to_arrays()
    fewer = {name: array for name, array in arrays.items() if name != "layers"}
    for value in (fewer, {**arrays, "seed": np.array(1)}, {**fewer, 3: 1}, {}, None, list(arrays)):
        bad.refuses(Wiring.from_arrays, "arrays", value)


# --- outputs that no input reaches


def lost_motor_neurons(adjacency, sensory, output_dim):
    """By powers of the matrix: a path of k synapses from an input to i is an entry of S A^(k-1)."""
    recurrent, paths = np.abs(adjacency), np.abs(sensory)
    found = np.zeros(len(adjacency), dtype=bool)
    for _ in range(len(adjacency)):
        found |= paths.any(axis=0)
        paths = np.minimum(paths @ recurrent, 1)
    return [i for i in range(output_dim) if not found[i]]


def caught(function, *args, **kwargs):
    """Return the result and the one warning's text, or None."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        result = function(*args, **kwargs)
    assert len(seen) <= 1
    for one in seen:
        assert one.category is UserWarning
        assert one.filename == __file__  # it points to the caller
    return result, str(seen[0].message) if seen else None


def named(message):
    """The neurons that a warning names."""
    if message is None:
        return []
    return [int(one) for one in message.partition("motor neuron")[2].partition(":")[0].lstrip("s").split(",")]


@given(st.data())
def test_a_warning_names_the_motor_neurons_that_no_input_reaches(data):
    units, inputs = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 3))
    entry = st.sampled_from([0, 0, 0, 0, 1, -1])
    row = st.lists(entry, min_size=units, max_size=units)
    adjacency = np.array(data.draw(st.lists(row, min_size=units, max_size=units)))
    sensory = np.array(data.draw(st.lists(row, min_size=inputs, max_size=inputs)))
    output_dim = data.draw(st.integers(1, units))
    wiring, message = caught(lambda: Wiring(adjacency, sensory, output_dim))
    assert named(message) == lost_motor_neurons(adjacency, sensory, output_dim)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # neither loading nor building again warns
        assert Wiring.from_arrays(wiring.to_arrays()).build(inputs) == wiring


def test_building_warns_of_lost_motor_neurons_too():
    seen = set()
    for seed in range(30):
        unbuilt, none = caught(lambda seed=seed: Random(8, 3, 0.9, seed))
        wiring, message = caught(lambda unbuilt=unbuilt: unbuilt.build(2))
        assert none is None
        lost = lost_motor_neurons(wiring.adjacency_matrix, wiring.sensory_adjacency_matrix, 3)
        assert named(message) == lost
        seen.add(len(lost))
    assert seen == {0, 1, 2, 3}


def test_the_way_leads_along_the_synapses_not_against_them():
    with pytest.warns(UserWarning, match="motor neuron 0: "):
        Wiring([[0, 1], [0, 0]], [[0, 1]], 1)
    assert caught(lambda: Wiring([[0, 0], [1, 0]], [[0, 1]], 1))[1] is None


# --- refusals

NOT_COUNTS = (2.0, 1.5, True, np.True_, "3", None, math.nan, math.inf, 1j, [3], np.array(3), -1)
NOT_SIZES = (*NOT_COUNTS, 0)
NOT_SEEDS = (2.0, True, "3", None, math.nan, [3], -1, np.random.default_rng(0))
NOT_SHARES = (*bad.NUMBERS, -0.1, 1.1, [0.5])
NOT_MATRICES = (*bad.NUMBERS, 1, [1, 0], [[0.5]], [[2]], [[True]], [[math.nan]], [[[1]]], [[]], [])
NOT_OUTPUTS = tuple(value for value in NOT_SIZES if value is not None)

REFUSED = {
    (FullyConnected, "units"): NOT_SIZES,
    (FullyConnected, "output_dim"): (*NOT_OUTPUTS, 6),
    (FullyConnected, "erev_init_seed"): NOT_SEEDS,
    (FullyConnected, "self_connections"): (0, 1, None, "yes", 1.0),
    (Random, "units"): NOT_SIZES,
    (Random, "output_dim"): (*NOT_OUTPUTS, 6),
    (Random, "sparsity_level"): (*NOT_SHARES, 1.0),
    (Random, "random_seed"): NOT_SEEDS,
    (NCP, "inter_neurons"): NOT_SIZES,
    (NCP, "command_neurons"): NOT_SIZES,
    (NCP, "motor_neurons"): NOT_SIZES,
    (NCP, "sensory_fanout"): (*NOT_COUNTS, 7),
    (NCP, "inter_fanout"): (*NOT_COUNTS, 5),
    (NCP, "recurrent_command_synapses"): NOT_COUNTS,
    (NCP, "motor_fanin"): (*NOT_COUNTS, 5),
    (NCP, "seed"): (*NOT_SEEDS, 2**32),
    (AutoNCP, "units"): (*NOT_SIZES, 1, 2, 3),
    (AutoNCP, "output_size"): (*NOT_SIZES, 3, 4, 5, 9),
    (AutoNCP, "sparsity_level"): (*NOT_SHARES, 0.0, 0.09),
    (AutoNCP, "seed"): (*NOT_SEEDS, 2**32),
    (Wiring, "adjacency_matrix"): (*NOT_MATRICES, np.zeros((2, 3)), np.zeros((0, 0))),
    (Wiring, "sensory_adjacency_matrix"): (*NOT_MATRICES, [[1, 1, 1, 1]], np.zeros((0, 3)), np.ones((3, 2))),
    (Wiring, "output_dim"): (*NOT_SIZES, 4),
    (Wiring, "layers"): (
        *(0, "012", [], {0, 1, 2}, [0, 1, 2], [[0, 1]], [[0, 1, 2], []], [[0, 1, 2], [2]], [[0, 1], [1]]),
        *([[0, 1, 3]], [[-1, 0, 1]], [[0.0, 1, 2]], [[False, True, 2]], ["012"], [[0, 1, 2], None], np.array(0)),
        *([[[0, 1, 2]]], [np.array(0), [1, 2]], [[0, 1, math.nan]], {0: [0, 1, 2]}),
    ),
}
ARGUMENTS = {
    FullyConnected: {"units": 5},
    Random: {"units": 5},
    NCP: NCP_ARGUMENTS,
    AutoNCP: {"units": 5, "output_size": 1},
    Wiring: {"adjacency_matrix": np.eye(3), "sensory_adjacency_matrix": np.ones((2, 3)), "output_dim": 1},
}


@pytest.mark.parametrize(("kind", "argument"), REFUSED, ids=[f"{kind.__name__} {name}" for kind, name in REFUSED])
def test_bad_arguments_are_refused_in_three_parts(kind, argument):
    kind(**ARGUMENTS[kind])
    for value in REFUSED[kind, argument]:
        bad.refuses(kind, argument, value, **ARGUMENTS[kind])


def test_bad_numbers_of_inputs_layers_and_neurons_are_refused():
    for value in NOT_SIZES:
        bad.refuses(AutoNCP(19, 1).build, "input_size", value)
    for value in (*NOT_COUNTS, 3):
        bad.refuses(AutoNCP(19, 1).get_neurons_of_layer, "layer_id", value)
    for value in (*NOT_COUNTS, 19):
        bad.refuses(AutoNCP(19, 1).get_type_of_neuron, "neuron_id", value)


def test_what_lies_on_the_edge_is_accepted():
    everything = {**NCP_ARGUMENTS, "sensory_fanout": 6, "inter_fanout": 4, "motor_fanin": 4}
    assert NCP(**everything).build(3).sensory_synapse_count == 18
    least = dict.fromkeys(("sensory_fanout", "inter_fanout", "recurrent_command_synapses", "motor_fanin"), 0)
    assert NCP(**NCP_ARGUMENTS | least, seed=2**32 - 1).build(3).sensory_synapse_count == 6
    assert AutoNCP(4, 1, 0.1).layer_sizes == (2, 1, 1)
    assert AutoNCP(4, 1, 1).build(1).synapse_count >= 3
    assert Random(np.int64(5), np.int64(5), np.float32(0.5)).synapse_count == 12
    assert FullyConnected(1, self_connections=np.False_).synapse_count == 0


def test_the_sparsity_of_an_auto_ncp_is_told_truly():
    with pytest.raises(ValueError, match=r"got 0\.0; expected 0\.1 <= sparsity_level <= 1; "):
        AutoNCP(19, 1, 0.0)


# --- imports


def test_wirings_of_ones_own_and_of_files_load_numpy_only():
    code = """
import numpy as np
from cfc_ref.wirings import Wiring
wiring = Wiring([[0, 0], [1, 0]], [[0, 1]], 1)
assert Wiring.from_arrays(wiring.to_arrays()).build(1) == wiring
"""
    assert not (run(code) & set(HEAVY)) - run("import numpy")
