"""Peers compute the same as the specification, or are refused; what is not installed is skipped, and said."""

import importlib

import numpy as np
import pytest

from cfc_ref.bench import peers, processes
from cfc_ref.bench.peers import PEERS, Peer, Runner, compare, difference
from cfc_ref.bench.processes import UnavailableError
from cfc_ref.bench.timing import Plan
from cfc_ref.bench.workloads import STUDIES, WORKLOADS, Workload, choose, make_task, unit_of
from tests.compare import assert_close, refusal

SHORT = Plan(rounds=1, seconds=0.0)
SMALL = {
    "step": Workload("a step", "step", "CfC", 4, 1, {}),
    "sequence": Workload("a sequence", "sequence", "CfC", 5, 1, {}),
    "batch": Workload("a batch", "batch", "CfC", 3, 2, {}),
    "batch, irregular": Workload("a batch", "batch", "CfC", 3, 2, {}, True),
    "sequence, irregular": Workload("a sequence", "sequence", "CfC", 5, 1, {}, True),
    "train": Workload("training", "train", "CfC", 3, 2, {}),
    "train, irregular": Workload("training", "train", "CfC", 3, 2, {}, True),
    "NCP": Workload("a sequence", "sequence", "NCP", 3, 1, {}),
    "LTC": Workload("training", "train", "LTC", 2, 2, {}),
    "NCP, training": Workload("training", "train", "NCP", 2, 2, {}),
}
OWN = {"numpy": PEERS["numpy"]}
FAKE = "tests.bench.test_peers"


@pytest.fixture(autouse=True)
def no_rest(monkeypatch, all_threads):
    monkeypatch.setattr("cfc_ref.bench.timing._REST", 0.0)
    monkeypatch.setattr("cfc_ref.bench.timing._TURN", 0.0)
    monkeypatch.setattr(peers, "Apart", processes.Here)


def half(task):
    """A peer that computes something else."""
    runner = peers.with_numpy(task)
    return Runner(runner.call, lambda result: {key: array / 2 for key, array in runner.arrays(result).items()})


def wrong_gradient(task):
    runner = peers.with_numpy(task)
    key = next(iter(task.layer.parameters))
    return Runner(runner.call, lambda result: {**runner.arrays(result), key: 1.01 * runner.arrays(result)[key]})


def absent(task):
    return peers.package("no_such_package")


def same(task):
    return peers.with_numpy(task)


def test_a_peer_that_computes_something_else_is_refused():
    fakes = {**OWN, "half": Peer("Half", f"{FAKE}.half")}
    for name in ("step", "sequence", "train"):
        with pytest.raises(ValueError, match=r"\Ahalf: got output off by 0\.5; expected at most 0\.001 of"):
            compare(name, SMALL[name], 1, SHORT, fakes)


def test_one_wrong_gradient_is_enough():
    fakes = {**OWN, "wrong": Peer("Wrong", f"{FAKE}.wrong_gradient")}
    with pytest.raises(ValueError, match=r"\Awrong: got rnn_cell\.backbone\.0\.weight off by 0\.01; "):
        compare("train", SMALL["train"], 1, SHORT, fakes)


def test_one_that_is_not_there_is_skipped_and_said():
    fakes = {**OWN, "absent": Peer("Absent", f"{FAKE}.absent"), "same": Peer("Same", f"{FAKE}.same")}
    got = compare("batch", SMALL["batch"]._replace(targets={"same": 100.0}), 1, SHORT, fakes)
    assert got.skipped == {"absent": "no_such_package is not installed"}
    assert [row.name for row in got.rows] == ["numpy", "same", "limit: products"]
    assert [(f.what, f.target) for f in got.findings] == [
        ("numpy / same", (0.0, 100.0)),
        ("numpy / limit: products", None),
    ]
    assert got.findings[0].reached


def test_times_are_of_one_unit_of_the_work():
    assert unit_of(WORKLOADS["sequence"]) == ("a step", 2000)
    got = compare("sequence", SMALL["sequence"], 1, SHORT, OWN)
    assert got.unit == "a step"
    assert 0 < got.rows[0].median < 0.1


def test_a_peer_that_can_do_something_else_is_not_asked():
    fakes = {**OWN, "half": Peer("Half", f"{FAKE}.half", kinds=frozenset({"step"}))}
    assert [row.name for row in compare("NCP", SMALL["NCP"], 1, SHORT, fakes).rows] == ["numpy"]


@pytest.mark.parametrize(
    ("got", "message"),
    [
        ({}, "got nothing for g"),
        ({"g": np.ones(3)}, r"got \(3,\) for g; expected \(2,\)"),
        ({"g": np.array([1.0, np.nan])}, "off by nan"),
        ({"g": np.array([1.0, 1.01])}, "off by 0.01"),
    ],
)
def test_differences_are_refused(got, message):
    with pytest.raises(ValueError, match=message):
        difference("peer", got, {"g": np.ones(2)})


def test_small_differences_are_told():
    assert_close(difference("peer", {"g": np.array([2.0, 2.0005])}, {"g": np.array([2.0, 2.0])}), 0.00025)


def _has_denormals():
    return bool(np.float32(1e-40) * np.float32(1) > 0)


@pytest.mark.parametrize("who", [who for who in PEERS if who != "numpy"])
@pytest.mark.parametrize("name", SMALL)
def test_every_peer_computes_what_the_specification_does(who, name):
    """The comparison refuses what does not."""
    peer, workload = PEERS[who], SMALL[name]
    if workload.kind not in peer.kinds or workload.network not in peer.networks:
        pytest.skip("not what it does")
    denormals = _has_denormals()
    got = compare(name, workload, 1, SHORT, {**OWN, who: peer})
    if who in got.skipped:
        pytest.skip(got.skipped[who])
    rows = {row.name: row for row in got.rows}
    assert rows[who].details["difference"] < 1e-4
    assert rows[who].median > 0
    assert who != "c" or _has_denormals() == denormals  # linked with -ffast-math, C would turn them off


def test_a_call_is_asked_for_as_a_time():
    workload = SMALL["batch"]._replace(most=1.0)
    finding = compare("batch", workload, 1, SHORT, OWN).findings[-1]
    assert finding.what == "numpy, microseconds"
    assert finding.reached
    assert not compare("batch", workload._replace(most=1e-9), 1, SHORT, OWN).findings[-1].reached


def test_without_a_compiler_c_is_skipped(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    got = compare("step", SMALL["step"], 1, SHORT, {**OWN, "c": PEERS["c"]})
    assert got.skipped == {"c": "no C compiler is installed"}


def test_every_peer_has_its_function():
    for peer in PEERS.values():
        module, _, function = peer.make.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function))


def test_a_package_that_breaks_when_it_is_imported_is_not_installed():
    with pytest.raises(UnavailableError, match="no_such_package is not installed"):
        peers.package("no_such_package.part")


# --- the tables


def test_targets_are_of_peers_that_can_do_it():
    for workload in WORKLOADS.values():
        for who in workload.targets:
            assert who == "limit" or (workload.kind in PEERS[who].kinds and workload.network in PEERS[who].networks)


def test_studies_have_their_functions():
    for dotted in STUDIES.values():
        module, _, function = dotted.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function))


def test_numbers_are_the_same_in_every_run():
    for name in ("train, irregular", "NCP"):
        one, other = make_task(SMALL[name]), make_task(SMALL[name])
        assert_close(one.x, other.x, rtol=0, atol=0, dtype=np.float32)
        for key, array in one.layer.state_dict().items():
            assert_close(array, other.layer.state_dict()[key], rtol=0, atol=0)


def test_all_or_some_in_the_order_of_the_table():
    assert choose(None) == [*WORKLOADS, *STUDIES]
    assert choose(["scaling", "step"]) == ["step", "scaling"]
    with pytest.raises(ValueError, match=refusal("--only")):
        choose(["nonsense"])
