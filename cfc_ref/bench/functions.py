"""Measure accuracy and speed of the kernels' exp, tanh and logistic: ``python -m cfc_ref.bench.functions``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cfc_ref import activations
from cfc_ref.arrays import Array

__all__ = ["FunctionRow", "errors", "main", "measure"]

SPECIFICATIONS: dict[str, Callable[..., Array]] = {
    "exp": np.exp,
    "tanh": activations.tanh,
    "sigmoid": activations.sigmoid,
}
_WIDER = {"float32": np.float64, "float64": np.longdouble}
_VALUES = 8192
_REPEATS = 200


class FunctionRow(NamedTuple):
    """One function in one dtype."""

    name: str
    dtype: str
    ulp: float  # largest error over the whole range, in units in the last place of the result
    nanoseconds: float  # a value, the least of the repeats
    numpy_nanoseconds: float


def arguments(dtype: str, many: int) -> Array:
    """Return finite numbers of all magnitudes, and as many again where the functions bend."""
    bits = np.dtype(f"uint{8 * np.dtype(dtype).itemsize}")
    patterns = np.random.default_rng(0).integers(0, 2 ** (8 * bits.itemsize), many, dtype=bits).view(dtype)
    return np.concatenate([patterns[np.isfinite(patterns)], np.linspace(-760, 760, many), np.linspace(-5, 5, many)])


def kernel(name: str) -> Callable[[Array], Array]:
    """Return the kernel of a function, on a copy of its argument."""
    from cfc_ref.kernels import mathfun

    in_place = {"exp": mathfun._exp, "tanh": mathfun._tanh, "sigmoid": mathfun._sigmoid}[name]
    return lambda x: mathfun.on_copy(in_place, x)


def errors(spec: str, x: Array) -> Array:
    """Return the kernel's errors in units in the last place, against the specification in the next wider dtype."""
    got = kernel(spec)(x)
    with np.errstate(over="ignore", under="ignore"):
        ref = SPECIFICATIONS[spec](x.astype(_WIDER[x.dtype.name]))
        nearest = ref.astype(x.dtype)
    finite = np.isfinite(nearest)
    if not np.array_equal(got[~finite], nearest[~finite]):
        return np.array([np.inf])
    unit = np.spacing(np.abs(nearest[finite])).astype(ref.dtype)
    return np.abs(got[finite].astype(ref.dtype) - ref[finite]) / unit


def measure(many: int = 2_000_000) -> list[FunctionRow]:
    """Measure every function in both dtypes."""
    rows = []
    for spec, in_numpy in SPECIFICATIONS.items():
        for dtype in _WIDER:
            values = np.linspace(-5, 5, _VALUES).astype(dtype)
            worst = errors(spec, arguments(dtype, many).astype(dtype)).max()
            times = [_nanoseconds(function, values) for function in (kernel(spec), in_numpy)]
            rows.append(FunctionRow(spec, dtype, float(worst), *times))
    return rows


def _nanoseconds(function: Callable[..., Array], values: Array) -> float:
    best = np.inf
    for _ in range(_REPEATS):
        start = time.perf_counter()
        function(values)
        best = min(best, time.perf_counter() - start)
    return best / values.size * 1e9


def main() -> None:
    """Print the table."""
    print(f"{'':30}{'dtype':>8}{'error, ulp':>12}{'ns a value':>12}{'NumPy':>8}")
    for name, dtype, ulp, nanoseconds, in_numpy in measure():
        print(f"{name:30}{dtype:>8}{ulp:>12.2f}{nanoseconds:>12.2f}{in_numpy:>8.2f}")


if __name__ == "__main__":
    main()
