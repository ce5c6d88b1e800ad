"""Reach tubes tried on random inputs, and their width: ``python -m cfc_ref.report.networks.tube_study``.

Random wired LTCs with ncps's initial weights run on inputs in the box [-1, 1]: half of them drawn anew at every time
step, half switching between the ends at random times. Each is solved by scipy, and by the layer's fused steps.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cfc_ref import bounds
from cfc_ref.arrays import Array
from cfc_ref.layers.ltc import LTC
from cfc_ref.wirings import AutoNCP, Random, Wiring

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TubeRow", "draw_inputs", "draw_network", "main", "measure"]

_STEPS, _TIMESPAN, _INPUTS = 15, 0.1, 3
_AT_ONCE = 500  # sequences that scipy solves as one system
_RTOL, _ATOL = 1e-8, 1e-10
_EXCESS = 1e-9  # of a sound tube: rounding, and scipy's tolerance


class TubeRow(NamedTuple):
    """One network."""

    network: str  # its wiring
    ode_excess: float  # largest distance of a state outside of its tube; below 0 if all are inside
    fused_excess: float
    ode_width: float  # median over the neurons of: tube's width over the width the trajectories cover at the end
    ode_widest: float  # the largest of these
    fused_width: float
    fused_widest: float


def draw_network(rng: np.random.Generator) -> LTC:
    """Return a random wired LTC with ncps's initial weights, and an input map of random factors of both signs."""
    units, outputs, seed = int(rng.integers(6, 17)), int(rng.integers(1, 4)), int(rng.integers(1 << 31))
    wiring: Wiring = Random(units, outputs, sparsity_level=float(rng.uniform(0.4, 0.8)), random_seed=seed)
    if rng.random() < 0.5:
        wiring = AutoNCP(units, outputs, sparsity_level=float(rng.uniform(0.2, 0.7)), seed=seed)
    network = LTC(_INPUTS, wiring, dtype="float64", seed=rng)
    network.parameters["rnn_cell.input_w"][...] = rng.choice([-1.0, 1.0], _INPUTS) * rng.uniform(0.5, 1.5, _INPUTS)
    return network


def draw_inputs(rng: np.random.Generator, count: int) -> Array:
    """Return inputs in [-1, 1], shape (count, steps, inputs): the first half random, the others switching."""
    x = rng.uniform(-1, 1, (count, _STEPS, _INPUTS))
    switching = x[count // 2 :]
    often = rng.uniform(0.02, 0.5, (len(switching), 1, 1))  # how likely an input is to switch at a time step
    switches = rng.random(switching.shape) < often
    switching[...] = np.where(np.cumsum(switches, axis=1) % 2, 1, -1) * rng.choice(
        [-1, 1], (len(switching), 1, _INPUTS)
    )
    return x


def measure(networks: int = 20, inputs: int = 10_000, seed: int = 0) -> Iterator[TubeRow]:
    """Run random inputs through random networks, and hold all states against their tubes."""
    rng = np.random.default_rng(seed)
    t = np.arange(1, _STEPS + 1) * _TIMESPAN
    for _ in range(networks):
        network, x = draw_network(rng), draw_inputs(rng, inputs)
        pieces = np.array_split(x, max(1, inputs // _AT_ONCE))
        solved = np.concatenate([network.solve(piece, timespans=_TIMESPAN, rtol=_RTOL, atol=_ATOL) for piece in pieces])
        stepped = np.concatenate([network.trace(piece, timespans=_TIMESPAN)["state"] for piece in pieces])
        held = [
            _hold(states, *bounds.tube(network, -1.0, 1.0, t, form=form))
            for form, states in (("ode", solved), ("fused", stepped))
        ]
        (ode_excess, *ode_widths), (fused_excess, *fused_widths) = held
        name = f"{type(network.wiring).__name__}, {network.state_size} neurons, {network.synapse_count} synapses"
        yield TubeRow(name, ode_excess, fused_excess, *ode_widths, *fused_widths)


def _hold(states: Array, low: Array, high: Array) -> tuple[float, float, float]:
    """Return the largest excess, and the median and the largest ratio of widths at the end."""
    excess = float(np.max(np.maximum(low - states, states - high)))
    widths = (high - low)[-1] / np.ptp(states[:, -1], axis=0)
    return excess, float(np.median(widths)), float(np.max(widths))


def main() -> int:
    """Print the table; return 1 if a state leaves its tube, else 0."""
    parser = argparse.ArgumentParser(prog="python -m cfc_ref.report.networks.tube_study", description=__doc__)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--inputs", type=int, default=10_000, help="sequences through each network")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(f"{given.inputs:,} inputs per network, {_STEPS} time steps of {_TIMESPAN}")
    print(f"{'':42}{'excess beyond the tube':>22}{'tube / sampled width: median, largest':>44}")
    print(f"{'':42}{'ODE':>11}{'fused':>11}{'ODE':>22}{'fused':>22}")
    rows = []
    for row in measure(given.networks, given.inputs, given.seed):
        rows.append(row)
        _print(row)
    excess = (max(row.ode_excess for row in rows), max(row.fused_excess for row in rows))
    ode = np.median([row.ode_width for row in rows]), max(row.ode_widest for row in rows)
    fused = np.median([row.fused_width for row in rows]), max(row.fused_widest for row in rows)
    _print(TubeRow("all networks", *excess, *ode, *fused))
    return int(max(excess) > _EXCESS)


def _print(row: TubeRow) -> None:
    excess = f"{row.ode_excess:>11.1e}{row.fused_excess:>11.1e}"
    widths = "".join(f"{width:>11.2f}" for width in row[3:])
    print(f"{row.network:42}{excess}{widths}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
