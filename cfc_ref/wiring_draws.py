"""The random synapses of a wiring, drawn like ncps 1.0.1 and in its order, so that a seed gives the same wiring.

n draws in one call give the same numbers as n calls.
"""

from __future__ import annotations

import numpy as np

from cfc_ref.arrays import Array

__all__ = ["draw_fully_connected", "draw_ncp", "draw_random", "ncp_neurons"]


def draw_fully_connected(inputs: int, units: int, seed: int, self_connections: bool) -> tuple[Array, Array]:
    """Draw the polarities of all synapses, one in three inhibitory."""
    rng = np.random.default_rng(seed)
    adjacency = np.zeros((units, units))
    wired = np.full((units, units), True) if self_connections else ~np.eye(units, dtype=bool)
    adjacency[wired] = rng.choice([-1, 1, 1], size=np.count_nonzero(wired))
    return adjacency, rng.choice([-1, 1, 1], size=(inputs, units))


def draw_random(inputs: int, units: int, sparsity: float, seed: int) -> tuple[Array, Array]:
    """Draw a share of all synapses, and their polarities."""
    rng = np.random.default_rng(seed)
    adjacency, sensory = np.zeros(units * units), np.zeros(inputs * units)
    used = rng.choice(adjacency.size, size=round(units * units * (1 - sparsity)), replace=False)
    adjacency[used] = rng.choice([-1, 1, 1], size=used.size)
    used = rng.choice(sensory.size, size=round(inputs * units * (1 - sparsity)), replace=False)
    sensory[used] = rng.choice([-1, 1, 1], size=(used.size, 2))[:, 1]  # ncps draws each twice; the second one counts
    return adjacency.reshape(units, units), sensory.reshape(inputs, units)


def ncp_neurons(inter: int, command: int, motor: int) -> tuple[Array, Array, Array]:
    """Return the ids of motor, command and inter neurons."""
    return np.arange(motor), motor + np.arange(command), motor + command + np.arange(inter)


def draw_ncp(
    inputs: int,
    inter: int,
    command: int,
    motor: int,
    sensory_fanout: int,
    inter_fanout: int,
    recurrent_command_synapses: int,
    motor_fanin: int,
    seed: int,
) -> tuple[Array, Array]:
    """Draw the synapses of a neural circuit policy, half of them inhibitory."""
    rng = np.random.RandomState(seed)
    motor_ids, command_ids, inter_ids = ncp_neurons(inter, command, motor)
    units = inter + command + motor
    adjacency, sensory = np.zeros((units, units)), np.zeros((inputs, units))
    _connect(rng, sensory, np.arange(inputs), inter_ids, sensory_fanout, most=inputs)
    _connect(rng, adjacency, inter_ids, command_ids, inter_fanout, most=command)  # as ncps does; inter would be enough
    for _ in range(recurrent_command_synapses):
        source, target = rng.choice(command_ids), rng.choice(command_ids)
        adjacency[source, target] = rng.choice([-1, 1])
    _connect(rng, adjacency.T, motor_ids, command_ids, motor_fanin, most=motor)
    return adjacency, sensory


def _connect(
    rng: np.random.RandomState, matrix: Array, choosing: Array, chosen: Array, number: int, *, most: int
) -> None:
    """Let each of `choosing` (rows) choose `number` of `chosen` (columns), then connect those without a synapse."""
    # The latter get as many synapses as the others have on average, at least 1 and at most `most`
    for one in choosing:
        others = rng.choice(chosen, size=number, replace=False)
        matrix[one, others] = rng.choice([-1, 1], size=number)
    average = min(max(choosing.size * number // chosen.size, 1), most)
    for one in chosen[~matrix[np.ix_(choosing, chosen)].any(axis=0)]:
        others = rng.choice(choosing, size=average, replace=False)
        matrix[others, one] = rng.choice([-1, 1], size=average)
