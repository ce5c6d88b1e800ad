"""``python -m tests.export.parity [NETWORKS]``: generated C against NumPy float32, 64 irregular steps each."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.export.networks import Library, errors, in_float64, random_network, random_sequence

BLOCK, LIMIT = 50, 5e-6  # networks per compile; the largest error allowed
SHAKEN = 20  # runs that differ in the last bit of each input


def main(count):
    """Print the worst errors, with <math.h> and with functions of its own."""
    for math in ("libm", "own"):
        rows = []
        for first in range(0, count, BLOCK):
            numbers = range(first, min(first + BLOCK, count))
            networks = [random_network(k) for k in numbers]
            with tempfile.TemporaryDirectory() as folder:
                library = Library(networks, Path(folder), [math] * len(networks))
                for k, (number, network) in enumerate(zip(numbers, networks, strict=True)):
                    rows.append((*errors(library, k, network, np.random.default_rng(number)), number))
        say(math, sorted(rows, reverse=True))


def say(math, rows):
    calm, wild = ([row for row in rows if (row[1] <= LIMIT) == side] for side in (True, False))
    above = [row for row in calm if row[0] > LIMIT]
    wild.sort(key=lambda row: -row[0] / row[1])
    lines = [
        f"math {math}: {len(rows)} networks, of {len(wild)} NumPy float32 is off float64 by more than {LIMIT}",
        "    the others: worst " + ", ".join(f"{error:.1e} ({k})" for error, _, k in calm[:4]),
        f"    their median {calm[len(calm) // 2][0]:.1e}, above {LIMIT}: {len(above)}",
        *(f"    network {k}: {error:.1e}; {numpy_alone(k)}" for error, _, k in above),
        "    those: error over what rounding does, " + ", ".join(f"{e / s:.2f} ({k})" for e, s, k in wild[:5]),
    ]
    print(*lines, sep="\n", flush=True)  # noqa: T201


def numpy_alone(k):
    """Return how far NumPy float32 is from float64 over runs of network k that differ in the inputs' last bits."""
    network, rng, found = random_network(k), np.random.default_rng(k), []
    x, dt = random_sequence(network, rng)
    for _ in range(SHAKEN):
        exact = in_float64(network)(x.astype(float), timespans=dt.astype(float))[0]
        apart = np.abs(network(x, timespans=dt)[0] - exact) / np.maximum(1, np.abs(exact))
        found.append(float(apart.max()))
        x = np.nextafter(x, np.where(rng.random(x.shape) < 0.5, -np.inf, np.inf).astype(x.dtype))
    return f"NumPy float32 is {min(found):.1e} to {max(found):.1e} off float64 in {SHAKEN} runs with other last bits"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
