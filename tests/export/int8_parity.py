"""``python -m tests.export.int8_parity [NETWORKS]``: generated int8 C against its NumPy specification, bit by bit."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from cfc_ref.bounds.round_off import int8_network
from tests.export.networks import Library, random_network, random_sequence
from tests.export.test_int8 import RANGE, TIMES, of_specification

BLOCK = 50  # networks per compile


def with_int8(numbers):
    """The networks whose states have a proved range."""
    for k in numbers:
        network = random_network(k)
        try:
            int8_network(network, RANGE, TIMES)
        except ValueError as error:
            if "no proved range" not in str(error):
                raise
        else:
            yield k, network


def main(count):
    """Print how many outputs differ from the specification's, for two kinds of options."""
    for options in (("-O2",), ("-O3", "-march=native", "-ffast-math")):
        tried, steps, off, largest = 0, 0, 0, 0.0
        for first in range(0, count, BLOCK):
            networks = list(with_int8(range(first, min(first + BLOCK, count))))
            with tempfile.TemporaryDirectory() as folder:
                made = [network for _, network in networks]
                library = Library(made, Path(folder), ["own"] * len(made), options, int8=True, tolerance=1e9)
                for k, (number, network) in enumerate(networks):
                    x, dt = random_sequence(network, np.random.default_rng(number))
                    ref, got = of_specification(network, 2 * x, dt), library.run(k, 2 * x, dt)
                    same = (got == ref).all(axis=1)
                    tried, steps, off = tried + 1, steps + len(same), off + int((~same).sum())
                    largest = max(largest, float((np.abs(got - ref) / np.maximum(1, np.abs(ref))).max()))
        said = f"{tried} of {count} networks, {steps:,} steps, of {off:,} an output differs, by at most {largest:.1e}"
        print(f"{' '.join(options)}: {said}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
