"""Lane keeping: the parameter counts of the paper's seven networks (its arXiv version, table 3), derived term by term.

The driving data are not public, so this experiment is arithmetic: six networks end in a recurrent part whose count our
layers confirm. All seven share their convolutions, whose sizes were inferred from the published totals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cfc_ref.layers.base import Layer
    from cfc_ref.wirings import Wiring

__all__ = ["LANE", "LaneNetwork", "Term", "lane_report"]

_FEATURES = 64  # that the convolutions hand to the recurrent part
_UNITS = 19  # 12 inter neurons, 6 command neurons, 1 motor neuron


class Term(NamedTuple):
    """Arrays of one shape: ``copies · outputs · (inputs + 1)`` numbers, or without the 1 where there is no bias."""

    what: str
    copies: int
    outputs: int
    inputs: int
    bias: bool = True

    @property
    def size(self) -> int:
        """The numbers in all copies."""
        return self.copies * self.outputs * (self.inputs + self.bias)

    def __str__(self) -> str:
        factors = [str(self.copies)] if self.copies > 1 else []
        factors += [str(self.outputs), f"({self.inputs}+1)" if self.bias else str(self.inputs)]
        return f"{'·'.join(factors)} {self.what}"


class LaneNetwork(NamedTuple):
    """A network of the table."""

    name: str  # the paper's
    total: int  # the paper's count of the whole network
    rnn: int | None  # the paper's count of the recurrent part
    head: tuple[Term, ...]  # the part before the recurrent one
    terms: tuple[Term, ...]  # the recurrent part
    layer: Callable[[], Layer] | None  # our layer for the recurrent part

    @property
    def derived(self) -> tuple[int, int]:
        """The counts of the whole network and of its recurrent part that the terms give."""
        rnn = sum(term.size for term in self.terms)
        return rnn + sum(term.size for term in self.head), rnn

    @property
    def agrees(self) -> bool:
        """True if the derivation and our layer have the paper's counts."""
        ours = None if self.layer is None else sum(array.size for array in self.layer().parameters.values())
        return self.derived == (self.total, self.rnn or 0) and ours == self.rnn


def _cfc(**options: object) -> Callable[[], Layer]:
    def make() -> Layer:
        from cfc_ref.layers.cfc import CfC

        return CfC(_FEATURES, _wiring(), seed=0, **options)  # type: ignore[arg-type]

    return make


def _ltc() -> Layer:
    from cfc_ref.layers.ltc import LTC

    return LTC(_FEATURES, _wiring(), seed=0)


def _lstm() -> Layer:
    from cfc_ref.layers.baselines import LSTM

    return LSTM(_FEATURES, 64, proj_size=1, timed=False, seed=0)


def _wiring() -> Wiring:
    from cfc_ref.wirings import NCP

    return NCP(12, 6, 1, 4, 4, 4, 4)


def _heads(heads: int, inputs: int) -> tuple[Term, ...]:
    """Return the maps of a wired network's three cells, each on [input, its own state]."""
    sizes = ((12, inputs), (6, 12), (1, 6))
    return tuple(Term(f"heads of cell {k}", heads, n, before + n) for k, (n, before) in enumerate(sizes, 1))


_CONVOLUTIONS = tuple(
    Term(f"convolution {size}x{size}", 1, outputs, size * size * inputs)
    for size, inputs, outputs in ((5, 3, 24), (5, 24, 36), (3, 36, 48), (3, 48, 64), (3, 64, 64))
)
_HEAD = (*_CONVOLUTIONS, Term("features", 1, _FEATURES, 1920))
_CNN = (*_CONVOLUTIONS, Term("dense", 1, 1000, 1920), Term("dense", 1, 100, 1000), Term("steering", 1, 1, 100))
_EQ_4 = _heads(4, _FEATURES)
_PURE = (*_heads(1, _FEATURES), Term("w_tau and A", 2, _UNITS, 1, bias=False))
_MIXED = (Term("gates of an LSTM with one bias", 4, _UNITS, _FEATURES + _UNITS), *_heads(4, _UNITS))
_NCP = (
    Term("sensory synapses: w, mu, sigma, A", 4, _UNITS, _FEATURES, bias=False),
    Term("input map", 2, 1, _FEATURES, bias=False),
    Term("synapses: w, mu, sigma, A", 4, _UNITS, _UNITS, bias=False),
    Term("leaks and capacitances", 3, _UNITS, 1, bias=False),
    Term("output map", 2, 1, 1, bias=False),
)
_LSTM = (Term("gates with one bias", 4, 64, _FEATURES + 64), Term("steering", 1, 1, 64))

LANE = (
    LaneNetwork("CNN", 2_124_901, None, _CNN, (), None),
    LaneNetwork("LSTM", 259_733, 33_089, _HEAD, _LSTM, _lstm),
    LaneNetwork("NCP", 233_139, 6_495, _HEAD, _NCP, _ltc),
    LaneNetwork("Cf-S", 227_728, 1_084, _HEAD, _PURE, _cfc(mode="pure")),
    LaneNetwork("CfC", 230_828, 4_184, _HEAD, _EQ_4, _cfc()),
    LaneNetwork("CfC-noGate", 230_828, 4_184, _HEAD, _EQ_4, _cfc(mode="no_gate")),
    LaneNetwork("CfC-mmRNN", 235_052, 8_408, _HEAD, _MIXED, _cfc(mixed_memory=True, variant="tensorflow")),
)
"""The table's rows."""


def lane_report() -> tuple[str, bool]:
    """Return the counts with their derivation as text, and whether the paper, the terms and our layers all agree."""
    head = sum(term.size for term in _HEAD)
    lines = [
        "Lane keeping (arXiv 2106.13898, table 3): trainable parameters, derived. The driving data are not public.",
        "",
        f"Head of the six recurrent networks: {head:,}",
        *_terms(_HEAD),
    ]
    for network in LANE:
        total, rnn = network.derived
        ours = "" if network.layer is None else " = our layer" if network.agrees else " DIFFERS from our layer"
        recurrent = f", of them recurrent {rnn:,}{ours}" if network.terms else ""
        lines += ["", f"{network.name}: {total:,} (paper {network.total:,}){recurrent}"]
        lines += _terms(network.terms or network.head)
    agreed = sum(network.agrees for network in LANE)
    return "\n".join([*lines, "", f"{agreed} of {len(LANE)} counts agree"]), agreed == len(LANE)


def _terms(terms: tuple[Term, ...]) -> list[str]:
    return [f"  {term.size:>9,} = {term}" for term in terms]
