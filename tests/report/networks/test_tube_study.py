"""The study of tubes measures what it says, and prints it."""

import numpy as np

from cfc_ref.report.networks import tube_study


def test_half_of_the_inputs_switch_between_the_ends_and_all_are_in_the_box():
    x = tube_study.draw_inputs(np.random.default_rng(0), 40)
    assert np.all(np.abs(x) <= 1)
    assert np.all(np.abs(x[20:]) == 1)
    assert np.all(np.abs(x[:20]) < 1)
    switches = (np.diff(x[20:], axis=1) != 0).mean()
    assert 0.1 < switches < 0.4


def test_networks_are_of_both_kinds_and_input_maps_of_both_signs():
    drawn = [tube_study.draw_network(np.random.default_rng(seed)) for seed in range(12)]
    assert {type(network.wiring).__name__ for network in drawn} == {"AutoNCP", "Random"}
    signs = np.concatenate([np.sign(network.parameters["rnn_cell.input_w"]) for network in drawn])
    assert set(signs) == {-1.0, 1.0}


def test_excess_and_width_are_those_of_the_worst_trajectory_and_of_the_end():
    states = np.array([[[0.0], [0.2]], [[0.5], [0.6]]])
    states = np.concatenate([states, states], axis=2)
    low, high = np.array([[-0.1, -0.1], [0.0, 0.0]]), np.array([[0.4, 0.5], [0.8, 1.6]])
    np.testing.assert_allclose(tube_study._hold(states, low, high), (0.1, 3.0, 4.0))


def test_it_prints_a_row_a_network_and_a_summary(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["tube", "--networks", "2", "--inputs", "8"])
    assert tube_study.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 + 2 + 1
    assert lines[-1].startswith("all networks")
