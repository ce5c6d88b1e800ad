"""A network as C in int8: its golden outputs, how far it is from float64, and what its files say of that."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.posed import float64
from cfc_ref.bounds.round_off import int8_network
from cfc_ref.cells.int8.cfc_step import CfC8
from cfc_ref.cells.int8.ode_step import Synaptic8
from cfc_ref.export.c_golden import STEPS, Golden, run_network
from cfc_ref.export.c_header import RawValues
from cfc_ref.export.float32_network import Network

__all__ = [
    "FLOAT32", "Distance", "Int8", "Int8Options", "distances", "golden_run_8", "int8_of", "int8_words", "refuse_far",
]  # fmt: skip

_TOLERANCE = 5e-6  # of outputs, which are the same integers times a float
_OF_ODE = 5e-4  # two units of a state: an ODE's neurons are floats, whose last digit may move what a synapse reads
_ACCEPTED = 0.05  # of the output's range, by default
_X = -4.0, 4.0  # the inputs' range, by default
_LISTED = 6  # features whose ranges are listed
_LAST = 1e4  # a very long time, the last one


class Int8Options(NamedTuple):
    """The arguments of :func:`cfc_ref.export_c` on int8."""

    int8: bool
    x_range: Any = None
    tolerance: Any = None
    held_back: Any = None

    def checked(self, network: Network) -> Int8Options:
        """Refuse what does not fit."""
        given = {name: value for name, value in self._asdict().items() if name != "int8" and value is not None}
        if not self.int8:
            for name in given:
                checks.refuse(name, "a value", "nothing without int8", f"remove `{name}`, or choose int8")
            return self
        tolerance = checks.number("tolerance", _ACCEPTED if self.tolerance is None else self.tolerance)
        if not tolerance > 0:
            checks.refuse("tolerance", tolerance, "a share above 0", "pass for example 0.05")
        x_range = _X if self.x_range is None else self.x_range
        return Int8Options(True, x_range, tolerance, _held_back(self.held_back, network))


FLOAT32 = Int8Options(False)


def _held_back(value: Any, network: Network) -> dict[str, Array] | None:
    """Return checked held-back inputs."""
    if value is None:
        return None
    features = network.layer.input_size
    try:
        x, dt, begins = (np.asarray(value[name]) for name in ("x", "dt", "begins"))
    except (KeyError, TypeError, IndexError):
        do = "pass what is in samples.npz of a folder of cfc-ref train"
        checks.refuse("held_back", type(value).__name__, "arrays x, dt and begins", do, TypeError)
    if x.ndim != 2 or x.shape[1] != features or not len(x) or dt.shape != x.shape[:1] or begins.shape != dt.shape:
        got = f"shapes {x.shape}, {dt.shape} and {begins.shape}"
        checks.refuse("held_back", got, f"(rows, {features}), (rows,) and (rows,)", "pass one row per sample")
    begins = begins.astype(bool)
    begins[0] = True
    return {"x": checks.numeric("held_back", x), "dt": checks.numeric("held_back", dt), "begins": begins}


class Int8(NamedTuple):
    """A network in int8, and the ranges for which it was made."""

    network: Network
    params: Any  # of :mod:`cfc_ref.cells.int8`
    x_range: tuple[Array, Array]
    dt_range: tuple[float, float]

    def run(self, x: Array, dt: Array, begins: Array | None = None) -> Array:
        """Return the outputs of a sequence in float32; `begins` are the samples before which there is a reset."""
        state, outputs = self.params.start(1), []
        for k, (x_k, dt_k) in enumerate(zip(x.astype(np.float32)[:, None], dt.astype(np.float32), strict=True)):
            state = self.params.start(1) if begins is not None and begins[k] else state
            state, y = self.params.step(x_k, state, np.full((1, 1), dt_k, np.float32))
            outputs.append(y[0])
        return np.array(outputs)

    def exact(self, x: Array, dt: Array, begins: Array) -> Array:
        """Return the outputs in float64 with weights that are not rounded."""
        network = _float64(self.network)
        edges = np.flatnonzero(begins)[1:]
        parts = zip(*(np.split(array.astype(np.float64), edges) for array in (x, dt)), strict=True)
        return np.concatenate([run_network(network, *part) for part in parts])


def _float64(network: Network) -> Network:
    params, readout = float64(tuple(network.layer.weights))
    return network._replace(params=params, readout=readout)


def int8_of(model: Any, network: Network, x_range: Any, dt_range: tuple[float, float]) -> Int8:
    """Return a network in int8."""
    params = int8_network(model, x_range, dt_range)
    low, high = (np.broadcast_to(np.asarray(end, np.float64), network.layer.input_size) for end in x_range)
    return Int8(network, params, (low, high), dt_range)


# --- golden outputs


def golden_run_8(int8: Int8, raw: RawValues | None) -> Golden:
    """Return a run over random samples in the range, at irregular times, among them 0 and last a very long one."""
    rng = np.random.default_rng(20)
    x, dt = _samples(int8, rng, len(int8.x_range[0]) if raw is None else len(raw.mean))
    dt[[10, -1]] = 0, _LAST
    tolerance = _TOLERANCE if isinstance(int8.params, CfC8) else _OF_ODE
    if raw is None:
        x, dt = x.astype(np.float32), dt.astype(np.float32)
        y = int8.run(x, dt)
        return Golden(x, dt, y, np.ones(y.shape[1]), tolerance)
    x, dt = raw.mean + raw.scale * x, raw.timespan * dt
    x = np.where(rng.random(x.shape) < 0.2, np.nan, x) if raw.missing else x
    x, dt = x.astype(np.float32), dt.astype(np.float32)
    inputs, spans = as_c_prepares(raw, x, dt)
    y = raw.finish(int8.run(inputs, spans).astype(np.float64), raw.prepare(x.astype(np.float64), dt)[0])
    unit = np.ones(y.shape[1]) if raw.classes else raw.output_scale
    return Golden(x, dt, y.astype(np.float32), unit, tolerance)


def _samples(int8: Int8, rng: np.random.Generator, features: int) -> tuple[Array, Array]:
    """Return random inputs, the first features of the network's, and times, in their ranges."""
    low, high = (end[:features] for end in int8.x_range)
    return low + (high - low) * rng.uniform(size=(STEPS, features)), rng.uniform(*int8.dt_range, STEPS)


def as_c_prepares(raw: RawValues, x: Array, dt: Array) -> tuple[Array, Array]:
    """Return what the network reads, to the bit as C computes it: times in float32, their sums too."""
    spans = dt / np.float32(raw.timespan)
    spans[0] = 1
    inputs = raw.prepare(x.astype(np.float64), dt.astype(np.float64))[0].astype(np.float32)
    if raw.missing:
        features, missing, since = len(raw.mean), np.isnan(x), np.zeros(len(raw.mean), np.float32)
        for k in range(len(x)):
            since = np.where(missing[k], since + spans[k], 0).astype(np.float32) if k else since
            inputs[k, features : 2 * features] = since
    return inputs, spans


# --- how far it is from float64


class Distance(NamedTuple):
    """Errors of int8 outputs as shares of the output's range in float64: of the worst output."""

    what: str
    rows: int
    largest: float
    typical: float  # root mean square

    def __str__(self) -> str:
        return (
            f"{100 * self.largest:.2g} % of the output's range at most in {self.rows:,} {self.what}, "
            f"root mean square {100 * self.typical:.2g} %"
        )


def distances(int8: Int8, held_back: Mapping[str, Array] | None) -> list[Distance]:
    """Return how far int8 is from float64 in golden inputs whose times are in the range, and in held-back rows."""
    x, dt = _samples(int8, np.random.default_rng(20), len(int8.x_range[0]))
    found = [_distance(int8, "golden steps", x.astype(np.float32), dt.astype(np.float32), np.arange(STEPS) == 0)]
    if held_back is not None:
        found.append(_distance(int8, "held-back rows", *(held_back[name] for name in ("x", "dt", "begins"))))
    return found


def _distance(int8: Int8, what: str, x: Array, dt: Array, begins: Array) -> Distance:
    exact = int8.exact(x, dt, begins)
    error, width = np.abs(int8.run(x, dt, begins) - exact), np.ptp(exact, axis=0)
    width = np.maximum(width, 1e-3 * width.max() + 1e-30)  # an output that hardly moves has no range of its own
    typical = np.sqrt((error**2).mean(axis=0))
    return Distance(what, len(x), float((error.max(axis=0) / width).max()), float((typical / width).max()))


def refuse_far(found: list[Distance], tolerance: float) -> None:
    """Refuse an int8 network that is further from float64 than a share of the output's range."""
    for one in found:
        if not one.largest <= tolerance:
            do = "train with a contraction, narrow the range of inputs, export in float32, or pass a larger tolerance"
            checks.refuse("tolerance", f"a network whose int8 is off by {one}", f"at most {100 * tolerance:.3g} %", do)


def int8_words(int8: Int8, found: list[Distance], *, exact: bool) -> dict[str, str]:
    """Return what the files of an int8 export state; `exact` if no option of a compiler changes an integer."""
    low, high = int8.x_range
    ranges = "a range per feature"
    if (low == low[0]).all() and (high == high[0]).all():
        ranges = f"{low[0]:.4g} to {high[0]:.4g}"
    elif len(low) <= _LISTED:
        ranges = ", ".join(f"{a:.4g} to {b:.4g}" for a, b in zip(low, high, strict=True))
    integers = isinstance(int8.params, CfC8)
    states = "inputs and states in proved ranges" if integers else "neurons in float32 within a proved range"
    outside = "what is outside counts as the end"
    if isinstance(getattr(int8.params, "cell", None), Synaptic8):
        outside = "the proof does not cover what is outside"
    said = (
        f"int8: weights with a scale per row, {states}, sums of 32 bits, functions by tables. "
        f"The network's inputs count in their ranges, {ranges}; {outside}. "
        f"Off float64 by {'; '.join(map(str, found))}."
    )
    return {
        "int8": " *\n" + textwrap.fill(said, 110, initial_indent=" * ", subsequent_indent=" * "),
        "int8_lines": "\n" + textwrap.fill(said, 118),
        "arithmetic": "the int8 specification",
        "functions_called": "values of functions, by tables,",
        "then": "integers stay the same" if exact and integers else "results then differ in the last digits",
    }
