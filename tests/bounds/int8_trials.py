"""``python -m tests.bounds.int8_trials [TRIALS]``: errors of int8 steps that random and gradient search find."""

import sys

import numpy as np

from cfc_ref import bounds
from cfc_ref.bounds.contraction import contract
from cfc_ref.bounds.round_off import int8_network
from tests.bounds.rounding_trials import DT, NETWORKS, X, ascended, tell
from tests.export.networks import in_float64


def contracting(most=0.4):
    """A CfC whose bound for ever is below the width of its box."""
    model = NETWORKS["default"]()
    contract(model.weights.network, DT, model.settings, most)
    return model


MODELS = {name: make for name, make in NETWORKS.items() if name != "ctrnn"} | {"contracting": contracting}


def ends_of(params):
    """The lowest and the highest state in int8."""
    return params.grid.ends if hasattr(params, "grid") else params.ends


def nearest(params, h):
    """The states in int8, or in float32, that are nearest."""
    return params.grid.nearest(h) if hasattr(params, "grid") else h.astype(np.float32)


def search(model, rng, batch, rounds):
    """Return the largest errors of a state and of an output after one int8 step from the same state.

    Points are random, then moved by gradients of a random combination of the next states.
    """
    params, exact = int8_network(model, X, DT), in_float64(model)
    low, high = ends_of(params)
    x, dt = rng.uniform(*X, (batch, 2)), rng.uniform(*DT, batch)
    h = rng.uniform(low, high, (batch, model.state_size))
    worst = np.zeros(2)
    for _ in range(rounds):
        x, dt = (array.astype(np.float32).astype(np.float64) for array in (x, dt))
        state = nearest(params, h), None
        h = params.real(state)
        (q, _), y = params.step(x.astype(np.float32), state, dt[:, None].astype(np.float32))
        ref, new, tape = exact.forward(x[:, None], h, dt[:, None])
        found = np.abs(params.real((q, None)) - new).max(), np.abs(y - ref[:, 0]).max()
        worst = np.maximum(worst, found)
        x, h, dt = ascended(exact, tape, rng, (x, h, dt), (low, high))
    return worst


def run(model, rng, batch, steps):
    """Return the largest errors of a state and of an output in whole int8 runs from 0."""
    params, exact = int8_network(model, X, DT), in_float64(model)
    x, dt = rng.uniform(*X, (batch, steps, 2)).astype(np.float32), rng.uniform(*DT, (batch, steps)).astype(np.float32)
    ref, _ = exact(x.astype(float), timespans=dt.astype(float))
    state, h, worst = params.start(batch), np.zeros((batch, model.state_size)), np.zeros(2)
    for k in range(steps):
        state, y = params.step(x[:, k], state, dt[:, k : k + 1])
        h = exact(x[:, k : k + 1].astype(float), h, dt[:, k : k + 1].astype(float))[1]
        worst = np.maximum(worst, (np.abs(params.real(state) - h).max(), np.abs(y - ref[:, k]).max()))
    return worst


def main(trials):
    """Print the worst errors found of each network, and its certificate."""
    for name, make in MODELS.items():
        model = make()
        certificate = bounds.rounding(model, X, DT, "int8")
        found = search(model, np.random.default_rng(0), max(1, trials // 10), 10)
        tell(name, found, (certificate.step, certificate.output))
        if np.isfinite(certificate.for_ever):
            found = run(model, np.random.default_rng(1), max(1, trials // 1000), 1000)
            tell("    runs of 1,000 steps", found, (certificate.for_ever, certificate.output_for_ever))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
