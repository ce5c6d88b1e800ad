"""The blind search finds what the proofs say is there."""

import numpy as np
import pytest

from cfc_ref import LTCNeuron, bounds
from cfc_ref.report import blind_search
from cfc_ref.report.blind_search import search


@pytest.mark.parametrize("form", ["ltc", "symmetric"])
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize(("w_tau", "A", "x0"), [(1.0, 1.0, -1.0), (0.3, 2.0, 2.5), (0.5, -1.0, -3.0)])
def test_it_comes_near_the_sharp_ends_and_never_beyond(form, largest, w_tau, A, x0, monkeypatch):
    monkeypatch.setattr(blind_search, "_GENERATIONS", 150)
    neuron = LTCNeuron(w_tau, A, mu=0.2, sigma=2.0)
    found = search(neuron, x0, 1.5, (-1.0, 1.0), form, largest)
    low, high = bounds.closed_form_error(neuron, x0, 1.5, neuron.f_range(-1.0, 1.0), form)
    end, other = (high, low) if largest else (low, high)
    assert (end - found.error) / (end - other) == pytest.approx(0, abs=1e-3)
    assert low - 1e-12 <= found.error <= high + 1e-12
    assert found.h.sum() == pytest.approx(1.5)
    assert np.all(np.abs(found.level) <= 1)
    best = found.history if largest else -found.history
    assert np.all(np.diff(best) >= 0)


def test_the_same_seed_finds_the_same():
    neuron = LTCNeuron(1.0, 1.0)
    one, same = (search(neuron, 0.0, 1.0, (-2.0, 2.0), seed=3) for _ in range(2))
    assert one.error == same.error
    assert np.array_equal(one.level, same.level)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t": 0.0}, r"^t: got 0.0; expected a time > 0; "),
        ({"form": "ode"}, r"^form: got 'ode'; "),
        ({"neuron": LTCNeuron([1.0, 2.0], 0.0)}, r"^neuron: got \(2,\) neurons; "),
        ({"I_range": (0.0, float("inf"))}, r"^I_range: got inf at index 1; "),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        search(**{"neuron": LTCNeuron(1.0, 0.0), "x0": 1.0, "t": 1.0, "I_range": (-1.0, 1.0)} | arguments)
