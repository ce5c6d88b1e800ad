"""In processes of their own: what importing and computing load, and that they do without what they do not need."""

import subprocess
import sys

import pytest

from cfc_ref import CTRNN, LSTM, LTC, CfC, NeuralLTC, save, wirings

HEAVY = ("numba", "scipy", "matplotlib", "tqdm", "numpy.random")

COMPUTE = """
import inspect
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
samples = {"times": [0.2, 0.7], "values": [0.3, 0.5], "lipschitz": 1.0}
functions = [name for name in bounds.__all__ if name not in ("SampleStream", "extremal_input")]
of_neurons = [name for name in functions if "neuron" in inspect.signature(getattr(bounds, name)).parameters]
assert len(of_neurons) > 8
for name in of_neurons:
    more = {
        "frozen_error": {"step": 0.1, "lipschitz": 1.0},
        "frozen_step_error": {"y": 0.5},
        "best_look": {"release": 0.5, "lipschitz": 1.0},
        "radius_per_step": {"step": 0.1, "release": 0.5, "lipschitz": 1.0},
        "from_samples": samples,
    }.get(name, {})
    start = {} if name in ("form_gap", "time_constant") else {"x0": 0.0}
    times = {} if name == "time_constant" else {"t": t}
    assert np.isfinite(getattr(bounds, name)(neuron, **start, **times, **more)).all(), name
bounds.SampleStream(neuron, 0.0, 1.0).push(0.2, 0.3)
bounds.extremal_input(neuron, 0.0, 0.5, **samples)[0](t)
"""

NETWORKS = """
import sys
import numpy as np
import cfc_ref

for path in sys.argv[1:]:
    model = cfc_ref.load(path)
    model.backend = "numpy"
    x = np.ones((3, 4, model.input_size))
    output, hx, tape = model.forward(x, timespans=0.5)
    model.backward(tape, np.ones_like(output))
    assert np.array_equal(model(x, timespans=0.5)[0], output)
    assert np.isfinite(model.stepper()(x[0, 0], 0.5)).all()
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Files of networks of every kind."""
    models = [
        CfC(3, 5, 2, mixed_memory=True, seed=0),
        CfC(3, wirings.AutoNCP(8, 2), mode="pure", seed=0),
        LTC(3, wirings.AutoNCP(8, 2), seed=0),
        NeuralLTC(3, 5, seed=0, solver="frozen"),
        LSTM(3, 5, seed=0),
        CTRNN(3, 5, seed=0),
    ]
    paths = [tmp_path_factory.mktemp("saved") / f"{k}.npz" for k in range(len(models))]
    for path, model in zip(paths, models, strict=True):
        save(path, model)
    return paths


def run(code, *arguments):
    """Run in a fresh process and return the names of the modules loaded at its end."""
    code += "\nimport sys; print('LOADED', *sys.modules)"
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("LOADED")[2].split())


def test_importing_the_package_loads_nothing_else():
    loaded = run("import cfc_ref; dir(cfc_ref); cfc_ref.__all__")
    assert not loaded & {"numpy", *HEAVY}
    assert {name for name in loaded if name.startswith("cfc_ref.")} == {"cfc_ref.facade"}


def test_computing_loads_numpy_only():
    assert not (run(COMPUTE) & set(HEAVY)) - run("import numpy")


def test_networks_load_numpy_only(saved):
    """Neither making one from its file nor running and training it draws random numbers."""
    assert not (run(NETWORKS, *saved) & set(HEAVY)) - run("import numpy")


@pytest.mark.parametrize("missing", [("numba",), ("scipy",), ("numba", "scipy", "matplotlib", "tqdm")])
def test_computing_works_where_the_others_are_missing(missing, saved):
    without = f"import sys\nfor name in {missing}: sys.modules[name] = None\n"
    run(without + COMPUTE)
    run(without + NETWORKS, *saved)
