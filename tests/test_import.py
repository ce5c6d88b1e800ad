"""In processes of their own: what importing and computing load, and that they do without what they do not need."""

import subprocess
import sys

import pytest

HEAVY = ("numba", "scipy", "matplotlib", "tqdm", "numpy.random")

COMPUTE = """
import numpy as np
import cfc_ref
from cfc_ref import LTCNeuron, bounds, closed_form, exact, frozen, signals

neuron = LTCNeuron(1.0, [1.0, -2.0])
t = [0.5, 1.0]
table = [0, 1], [1, 2]
for signal in (0.3, np.cos, signals.sine(), signals.sampled(*table), signals.piecewise_constant(*table)):
    for form in ("ltc", "symmetric"):
        assert np.isfinite(exact(neuron, signal, 0.0, t, form)).all()
    assert np.isfinite(closed_form(neuron, signal, 0.0, t)).all()
    for sample in ("start", "midpoint", "gauss"):
        assert np.isfinite(frozen(neuron, signal, 0.0, t, sample, 0.1)).all()
    signals.as_signal(signal).range(t)
for name in bounds.__all__:
    more = {"frozen_error": {"step": 0.1, "lipschitz": 1.0}, "frozen_step_error": {"y": 0.5}}.get(name, {})
    start = {} if name in ("form_gap", "time_constant") else {"x0": 0.0}
    times = {} if name == "time_constant" else {"t": t}
    assert np.isfinite(getattr(bounds, name)(neuron, **start, **times, **more)).all(), name
"""


def run(code):
    """Run in a fresh process and return the names of the modules loaded at its end."""
    code += "\nimport sys; print('LOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("LOADED")[2].split())


def test_importing_the_package_loads_nothing_else():
    loaded = run("import cfc_ref; dir(cfc_ref); cfc_ref.__all__")
    assert not loaded & {"numpy", *HEAVY}
    assert {name for name in loaded if name.startswith("cfc_ref.")} == set()


def test_computing_loads_numpy_only():
    assert not (run(COMPUTE) & set(HEAVY)) - run("import numpy")


@pytest.mark.parametrize("missing", [("numba",), ("scipy",), ("numba", "scipy", "matplotlib", "tqdm")])
def test_computing_works_where_the_others_are_missing(missing):
    run(f"import sys\nfor name in {missing}: sys.modules[name] = None\n{COMPUTE}")
