"""``python -m tests.export.parity [NETWORKS]``: generated C against NumPy float32, 64 irregular steps each."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.export.networks import Library, errors, random_network

BLOCK, LIMIT = 50, 5e-6  # networks per compile; the largest error allowed


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
    wild.sort(key=lambda row: -row[0] / row[1])
    lines = [
        f"math {math}: {len(rows)} networks, of {len(wild)} NumPy float32 is off float64 by more than {LIMIT}",
        "    the others: worst " + ", ".join(f"{error:.1e} ({k})" for error, _, k in calm[:4]),
        f"    their median {calm[len(calm) // 2][0]:.1e}, above {LIMIT}: {sum(row[0] > LIMIT for row in calm)}",
        "    those: error over what rounding does, " + ", ".join(f"{e / s:.2f} ({k})" for e, s, k in wild[:5]),
    ]
    print(*lines, sep="\n", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
