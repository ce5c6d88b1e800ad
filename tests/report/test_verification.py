"""``verify``: the same report whatever runs it, what it refuses, and what it writes."""

import json
import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from cfc_ref import LTCNeuron, signals, verify
from cfc_ref.report import page, verification
from cfc_ref.report.recording import recorded
from cfc_ref.report.statements import STATEMENTS
from cfc_ref.report.thinning import thinned
from tests.runs import short_recording

FEW = {"cases": 60, "seed": 4, "statements": ["S3", "S7", "S11"], "signal": short_recording()}


@pytest.fixture(scope="module")
def few():
    return verify(**FEW)


def test_a_process_pool_gives_the_same_report(few):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert verify(**FEW, executor=pool).as_dict() == few.as_dict()


def test_a_thread_pool_gives_the_same_report(few):
    with ThreadPoolExecutor(2) as pool:
        assert verify(**FEW, executor=pool).as_dict() == few.as_dict()


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_gives_the_same_report(few):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert verify(**FEW, executor=client.get_executor()).as_dict() == few.as_dict()


def test_another_seed_gives_another_report(few):
    assert verify(**FEW | {"seed": 5}).as_dict() != few.as_dict()


def test_blocks_add_up(monkeypatch):
    monkeypatch.setattr(verification, "BLOCK", 25)
    tasks = verification.check_arguments(60, 0, None, None, None)
    random = [task for task in tasks if task.seed[1] == 0]
    assert sum(task.many for task in random) == 60
    assert len({task.seed for task in tasks}) == len(tasks)
    result = verify(cases=60, statements="S9").statements[0]
    monkeypatch.undo()
    assert result.verdict == "holds"
    assert result.cases >= 60


@pytest.mark.parametrize("cases", [1, 7, 50, 12_345])
def test_as_many_random_cases_are_drawn_as_asked(cases):
    tasks = verification.check_arguments(cases, 0, None, None, None)
    assert sum(task.many for task in tasks if task.seed[1] == 0) == cases


def test_everything_is_finite_or_null_and_survives_json(report):
    text = json.dumps(report.as_dict(), allow_nan=False)
    assert json.loads(text)["statements"][0]["name"] == "S1"


def test_with_A_fixed_at_0_the_two_odes_are_one():
    report = verify(cases=40, neuron={"A": 0.0}, statements=["S3", "S7", "S8", "S10"])
    verdicts = {s.name: s.verdict for s in report.statements}
    assert verdicts == {"S3": "holds", "S7": "holds", "S8": "holds", "S10": "not tested"}
    assert report.ok


def test_with_x0_at_A_there_is_nothing_to_approach():
    report = verify(cases=40, neuron={"A": 1.0, "x0": 1.0}, statements=["S4", "S5"])
    assert [s.verdict for s in report.statements] == ["not tested", "not tested"]
    assert [s.tightness for s in report.statements] == [None, None]


def test_a_neuron_that_does_not_see_its_input():
    report = verify(cases=20, neuron=LTCNeuron(1.0, 2.0, 0.0, 0.0))
    assert report.ok
    assert {s.name: s.verdict for s in report.statements}["S4"] == "not tested"


def test_a_recording_of_ones_own():
    times = np.cumsum(np.random.default_rng(0).exponential(0.01, 500))
    recording = signals.sampled(times, np.cos(times) + 2)
    report = verify(cases=50, signal=recording, statements=["S3", "S8", "S13"])
    assert report.ok
    assert "500 samples" in str(report)


def test_a_violation_makes_the_report_not_ok(monkeypatch):
    from cfc_ref.bounds import neuron as neuron_bounds

    def too_narrow(neuron, t, f_range):
        return np.zeros_like(t), np.zeros_like(t)

    monkeypatch.setattr(neuron_bounds, "form_gap", too_narrow)
    report = verify(cases=10, statements="S7")
    assert not report.ok
    assert report.statements[0].verdict == "fails"
    assert "VIOLATED" in str(report)


def test_a_bound_that_is_not_sharp_fails(monkeypatch):
    from cfc_ref.bounds import neuron as neuron_bounds
    from cfc_ref.bounds.checked import formula

    sharp = formula(neuron_bounds.closed_form_error)

    def too_wide(*arguments):
        low, high = sharp(*arguments)
        return low - 0.5, high + 0.5

    monkeypatch.setattr(neuron_bounds, "closed_form_error", too_wide)
    result = verify(cases=20, statements="S9").statements[0]
    assert result.violations == 0
    assert result.tightness < 0.999
    assert result.verdict == "fails"


def test_saving_writes_the_page_the_numbers_and_the_figures_of_its_statements(few, tmp_path):
    from cfc_ref.plots.report import CAPTIONS

    few.save(tmp_path / "new" / "folder")
    of_few = {name for s in few.statements for name in s.figures}
    names = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert names == {"report.md", "report.json", page.OWN_FIGURE, *of_few}
    text = (tmp_path / "new" / "folder" / "report.md").read_text()
    assert all(f"]({name})" in text for name in of_few)
    assert "{" not in text.partition("## Citation")[0]
    saved = json.loads((tmp_path / "new" / "folder" / "report.json").read_text())
    assert saved["command"] == "cfc_ref.verify(cases=60, seed=4, statements=['S3', 'S7', 'S11'])"
    assert saved == {"date": saved["date"], "command": saved["command"]} | json.loads(json.dumps(few.as_dict()))
    assert (tmp_path / "new" / "folder" / "error.png").read_bytes()[:4] == b"\x89PNG"
    assert {name for s in STATEMENTS.values() for name in s.figures} == set(CAPTIONS)


def test_the_page_stands_alone(report):
    captions = {"error.png": "caption of the error", "samples.png": "caption of the samples"}
    text = page.markdown(report, captions, {"date": "2030-01-02 03:04 UTC", "command": "cfc-ref verify --seed 3"})
    head, _, rest = text.partition("## In short")
    said = ("2030-01-02", "`cfc-ref verify --seed 3`", "seed: 3", "cfc_ref 0", "Python 3", "NumPy ", "SciPy ")
    assert all(word in head for word in said)
    assert "x' = -(w + y) x + A y" in rest
    assert "x' = -(w + y) x + A (w + y)" in rest
    symbols = {name.strip() for row in re.findall(r"^\| (.+?) \| ", rest, re.MULTILINE) for name in row.split(",")}
    needed = "c w(w_tau) F y a b g r k M L C2 C4 z_min z_max R h K U R₋ τ* ω E9 J_k(h) tau_sys"
    assert set(needed.split()) <= {name.replace(" ", "") for name in symbols}
    sections = text.split("\n## ")
    (lemma,) = (s for s in sections if s.startswith("S3:"))
    assert "![S3: Lemma 1: the bound](error.png)" in lemma
    assert "caption of the error" in lemma
    (recorded,) = (s for s in sections if s.startswith("The recorded input"))
    assert "caption of the samples" in recorded
    assert "This K is an assumption" in recorded
    assert text.count("(error.png)") == 1
    assert "```json" not in text
    assert "@software{cfc_ref," in text
    assert all(f"## {s.name}: {s.title}" in text for s in report.statements)


def test_samples_of_a_slow_recording_leave_little_open_and_jumps_leave_all():
    t = np.arange(2000) * 0.05
    slow = thinned(recorded(signals.sampled(t, np.sin(t)), {}), {})
    assert (slow.samples, slow.of, slow.inside) == (1024, 2000, True)
    assert slow.lipschitz == pytest.approx(1.0, rel=1e-3)
    widths = list(slow.widths.values())
    assert widths == sorted(widths)
    assert widths[0] < 0.02
    held = thinned(recorded(signals.sampled(t, np.sin(t), "previous"), {}), {})
    assert (held.lipschitz, held.widths) == (None, {})
    assert thinned(recorded(signals.sampled(t, np.sin(t)), {}), {"A": 1e308, "x0": -1e308}) is None


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"cases": -5}, ValueError, r"^cases: got -5; expected a whole number >= 1; "),
        ({"cases": 0}, ValueError, r"^cases: got 0; "),
        ({"cases": 2.5}, TypeError, r"^cases: got 2.5; "),
        ({"cases": 10**20}, ValueError, r"^cases: got 1000.*; expected at most 100,000,000; run several seeds"),
        ({"cases": True}, TypeError, r"^cases: got True; "),
        ({"seed": -1}, ValueError, r"^seed: got -1; "),
        ({"statements": "S99"}, ValueError, r"^statements: got 'S99'; expected one of 'S1', "),
        ({"statements": []}, ValueError, r"^statements: got none; "),
        ({"statements": [3]}, TypeError, r"^statements: got 3; "),
        ({"neuron": {"tau": 1.0}}, ValueError, r"^neuron: got 'tau'; expected one of 'w_tau', "),
        ({"neuron": {"w_tau": 0.0}}, ValueError, r"^w_tau: got 0.0; expected a leak > 0; "),
        ({"neuron": {"A": float("nan")}}, ValueError, r"^A: got nan; "),
        ({"neuron": {"x0": "1"}}, TypeError, r"^x0: got str; "),
        ({"neuron": {"A": [1.0, 2.0]}}, ValueError, r"^A: got an array; "),
        ({"neuron": 3.0}, TypeError, r"^neuron: got float; "),
        ({"neuron": LTCNeuron([1.0, 2.0], 0.0)}, ValueError, r"^neuron: got \(2,\) neurons; "),
        ({"signal": 1.0}, TypeError, r"^signal: got 1.0; expected a recording "),
        ({"signal": signals.sine()}, TypeError, r"^signal: got Sine"),
        ({"signal": signals.sampled([0.0], [1.0])}, TypeError, r"^signal: got Sampled"),
        ({"executor": 2}, TypeError, r"^executor: got int; "),
    ],
)
def test_bad_input_is_refused_before_anything_runs(arguments, error, message, monkeypatch):
    monkeypatch.setattr(verification, "_run", lambda task: pytest.fail("ran"))
    with pytest.raises(error, match=message):
        verify(**{"cases": 10} | arguments)


def test_an_unwritable_folder_is_refused(report, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"^folder: got .*; expected a folder that can be written to; "):
        report.save(tmp_path / "file" / "below")
    with pytest.raises(TypeError, match=r"^folder: got int; "):
        report.save(3)
