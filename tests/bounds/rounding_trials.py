"""``python -m tests.bounds.rounding_trials [TRIALS]``: rounding errors that random and gradient search find."""

import sys

import numpy as np

from cfc_ref import CTRNN, LTC, CfC, NeuralLTC, bounds, wirings
from tests.export.networks import in_float64

X, DT = (-2.0, 2.0), (0.05, 1.5)
NETWORKS = {
    "default": lambda: CfC(2, 6, backbone_units=8, proj_size=2, seed=0, backend="numpy"),
    "deep": lambda: CfC(2, 4, backbone_layers=2, backbone_units=6, activation="gelu", seed=1, backend="numpy"),
    "no_gate": lambda: CfC(2, 4, mode="no_gate", variant="tensorflow", backbone_layers=0, seed=2, backend="numpy"),
    "pure": lambda: CfC(2, 4, mode="pure", backbone_units=6, activation="silu", seed=3, backend="numpy"),
    "paper_pure": lambda: CfC(2, 4, mode="paper_pure", backbone_units=6, seed=4, backend="numpy"),
    "from_x0": lambda: CfC(2, 4, mode="from_x0", backbone_units=6, activation="relu", seed=5, backend="numpy"),
    "wired": lambda: CfC(2, wirings.AutoNCP(7, 1), seed=6, backend="numpy"),
    "fused": lambda: LTC(2, wirings.AutoNCP(7, 1), ode_unfolds=2, seed=7, backend="numpy"),
    "frozen": lambda: LTC(2, 3, ode_unfolds=1, solver="frozen", seed=8, backend="numpy"),
    "neural": lambda: NeuralLTC(2, 4, seed=9, backend="numpy"),
    "ctrnn": lambda: CTRNN(2, 3, solver="fused", ode_unfolds=2, seed=10, backend="numpy"),
}


def box(model):
    """The states that a run from 0 can have."""
    low, high = bounds.box(model, timespans=DT[0]) if isinstance(model, CfC) else bounds.box(model)
    return np.minimum(low, 0), np.maximum(high, 0)


def errors(model, exact, x, h, dt):
    """Return the errors of the states and the outputs after one step of a batch, in float32 numbers."""
    x, h, dt = (array.astype(np.float32) for array in (x, h, dt))
    y, new = model(x[:, None], h, dt[:, None])
    y64, new64 = exact(x.astype(float)[:, None], h.astype(float), dt.astype(float)[:, None])
    return np.abs(new - new64).max(), np.abs(y - y64).max()


def search(model, rng, batch, rounds):
    """Return the largest errors of a state and an output: random points, then points that gradients move to extremes.

    Ascent on a random combination of the next states makes arguments and slopes large, and rounding with them.
    """
    exact, (low, high) = in_float64(model), box(model)
    x, dt = rng.uniform(*X, (batch, 2)), rng.uniform(*DT, batch)
    h = rng.uniform(low, high, (batch, len(low)))
    worst = np.zeros(2)
    for _ in range(rounds):
        worst = np.maximum(worst, errors(model, exact, x, h, dt))
        _, _, tape = exact.forward(x[:, None], h, dt[:, None])
        x, h, dt = ascended(exact, tape, rng, (x, h, dt), (low, high))
    return worst


def ascended(exact, tape, rng, points, box):
    """Return points x, h and dt moved within their ranges along the gradients of random sums of the next states."""
    x, h, dt = points
    g = exact.backward(tape, np.zeros((len(x), 1, exact.output_size)), rng.normal(size=h.shape))
    size = rng.exponential(0.3, (len(x), 1))
    x = np.clip(x + size * np.sign(g.x[:, 0]), *X)
    return x, np.clip(h + size * np.sign(g.hx), *box), np.clip(dt + size[:, 0] * np.sign(g.timespans[:, 0]), *DT)


def tell(what, found, proved):
    """Print the largest errors of a state and of an output, and what was proved of them."""
    (state, output), (of_state, of_output) = found, proved
    outside = state > of_state or output > of_output
    said = f"state {state:.1e} of {of_state:.1e}, output {output:.1e} of {of_output:.1e}"
    print(f"{what}: {said}{', OUTSIDE' if outside else ''}", flush=True)  # noqa: T201


def main(trials):
    """Print the worst error found of each network, and its certificate."""
    for name, make in NETWORKS.items():
        model = make()
        certificate = bounds.rounding(model, X, DT)
        batch = max(1, trials // (10 * len(NETWORKS)))
        tell(name, search(model, np.random.default_rng(0), batch, 10), (certificate.step, certificate.output))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
