"""Lane keeping: the published counts, from the terms and from our layers."""

import pytest

from cfc_ref.cli.command import main
from cfc_ref.experiments import lane

PAPER = {  # arXiv 2106.13898v2, table 3: whole network, recurrent part
    "CNN": (2_124_901, 0),
    "LSTM": (259_733, 33_089),
    "NCP": (233_139, 6_495),
    "Cf-S": (227_728, 1_084),
    "CfC": (230_828, 4_184),
    "CfC-noGate": (230_828, 4_184),
    "CfC-mmRNN": (235_052, 8_408),
}


def test_the_terms_and_our_layers_give_the_papers_counts():
    assert {network.name: network.derived for network in lane.LANE} == PAPER
    for network in lane.LANE:
        assert network.agrees
        if network.layer is not None:
            assert sum(array.size for array in network.layer().parameters.values()) == PAPER[network.name][1]


def test_the_command_prints_them(capsys):
    assert main(["experiment", "lane"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("7 of 7 counts agree\n")
    for total, rnn in PAPER.values():
        assert f"{total:,} (paper {total:,})" in out
        assert f"recurrent {rnn:,} = our layer" in out or not rnn


@pytest.mark.parametrize("change", [{"total": 1}, {"rnn": 1}, {"layer": lane._lstm}])
def test_a_count_that_differs_is_said(monkeypatch, capsys, change):
    row = lane.LANE[4]._replace(**change)
    monkeypatch.setattr(lane, "LANE", (row, *lane.LANE[:1]))
    assert main(["experiment", "lane"]) == 1
    assert capsys.readouterr().out.endswith("1 of 2 counts agree\n")
