"""The limit of a step for one sequence: its weights have to be read once from cache."""

from __future__ import annotations

from cfc_ref.kernels.compiled import kernel

__all__: list[str] = []


@kernel(fastmath=True)
def _read(weights, times):
    """Sum the weights so many times, and change one in between, so that each pass has to read them all."""
    total = weights.dtype.type(0)
    for _ in range(times):
        for j in range(weights.shape[0]):
            total += weights[j]
        weights[0] = total
    return total
