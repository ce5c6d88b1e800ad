"""Golden inputs and outputs of a network, and the C program that compares a header with them."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.posed import float64
from cfc_ref.cells.tree import leaves
from cfc_ref.export.c_header import RawValues
from cfc_ref.export.c_source import fill, number
from cfc_ref.export.float32_network import Network

__all__ = ["STEPS", "Golden", "golden_program", "golden_run", "run_network"]

STEPS = 64
TOLERANCE = 5e-6


class Golden(NamedTuple):
    """A sequence, and its outputs of NumPy in float32."""

    x: Array  # (steps, features)
    dt: Array  # (steps,)
    y: Array  # (steps, outputs)
    unit: Array  # (outputs,): what errors are relative to, where outputs are smaller
    tolerance: float


_TEST = """
    /* NAME_test.c: NAME.h against the outputs of cfc_ref in NumPy
     * (<arithmetic>). Build and run:
     *
     *     <command>
     */
    <include>

    #include "NAME.h"

    enum { STEPS = <steps>, FEATURES = <features>, OUTPUTS = <outputs> };

    static const float golden_x[STEPS][FEATURES] = {
        <x>
    };

    /* irregular, with a step of no time and a very long one */
    static const float golden_dt[STEPS] = {
        <dt>
    };

    static const float golden_y[STEPS][OUTPUTS] = {
        <y>
    };

    /* errors are relative to these, or to the output where it is larger */
    static const float golden_unit[OUTPUTS] = {<unit>};

    static float size(float value)
    {
        return value < 0.0f ? -value : value;
    }

    int main(void)
    {
        const float tolerance = <tolerance>;
        float largest = 0.0f, y[OUTPUTS];
        int wrong = 0;
        NAME_state state;

        /* twice: a reset starts again */
        for (int run = 0; run < 2; run++) {
            NAME_reset(&state);
            for (int k = 0; k < STEPS; k++) {
                NAME_step(&state, golden_x[k], golden_dt[k], y);
                for (int j = 0; j < OUTPUTS; j++) {
                    const float value = size(golden_y[k][j]), unit = golden_unit[j];
                    const float error = size(y[j] - golden_y[k][j]) / (value > unit ? value : unit);
                    wrong += !(error <= tolerance);
                    largest = error > largest ? error : largest;
                }
            }
        }
        printf("NAME: %d steps, largest error %.2g, %s\\n", STEPS, (double)largest, wrong ? "FAILED" : "passed");
        return wrong != 0;
    }
"""


def golden_run(network: Network, raw: RawValues | None) -> Golden:
    """Return a run over random samples at irregular times, among them 0 and a very long one."""
    rng = np.random.default_rng(20)
    features = network.layer.input_size if raw is None else len(raw.mean)
    x, dt = rng.normal(size=(STEPS, features)), rng.exponential(size=STEPS)
    dt[[10, 40]] = 0, 1e4
    if raw is not None:
        x, dt = raw.mean + raw.scale * x, raw.timespan * dt
        x = np.where(rng.random(x.shape) < 0.2, np.nan, x) if raw.missing else x
    x, dt = x.astype(np.float32), dt.astype(np.float32)
    run = run_network(network, x, dt, raw)
    if not np.isfinite(run).all():
        do = "check its weights, or train it with a bounded read-out"
        checks.refuse("model", "outputs that are not finite for samples of size 1", "finite outputs", do)
    unit = np.ones(run.shape[1]) if raw is None or raw.classes else raw.output_scale
    params, readout = float64((network.params, network.readout))
    exact = run_network(network._replace(params=params, readout=readout), x, dt, raw)
    # where rounding grows from step to step, the C's does as well
    spread = np.max(np.abs(run - exact) / np.maximum(unit, np.abs(run)), initial=0)
    return Golden(x, dt, run.astype(np.float32), unit, max(TOLERANCE, 8 * float(spread)))


def run_network(network: Network, x: Array, dt: Array, raw: RawValues | None = None) -> Array:
    """Return the outputs of a sequence by the specification, shape (time, outputs), in the dtype of the parameters."""
    dtype = leaves(network.params)[0].dtype
    inputs, spans = (x, dt) if raw is None else raw.prepare(x.astype(np.float64), dt.astype(np.float64))
    start = np.zeros((1, network.layer.state_size), dtype)
    state, outputs = (start, start if network.params.lstm is not None else None), []
    for x_k, dt_k in zip(inputs.astype(dtype)[:, None], spans.astype(dtype)[:, None, None], strict=True):
        state = network.step(x_k, state, dt_k)
        outputs.append(network.read_out(state[0])[0])
    return np.array(outputs) if raw is None else raw.finish(np.array(outputs), inputs)


def golden_program(golden: Golden, command: str, arithmetic: str) -> str:
    """Return the C program that runs a header over golden inputs and compares its outputs."""
    include = "#include <math.h>\n" * bool(np.isnan(golden.x).any()) + "#include <stdio.h>"  # math.h has NAN

    def rows(array: Array) -> str:
        texts = [", ".join("NAN" if np.isnan(v) else number(v) for v in row) for row in array]
        return ",\n".join(textwrap.fill(f"{{{text}}}", 110, subsequent_indent=" ") for text in texts)

    return fill(
        _TEST, command=command, arithmetic=arithmetic, steps=len(golden.x), include=include,
        features=golden.x.shape[1], outputs=golden.y.shape[1],
        x=rows(golden.x), dt=textwrap.fill(", ".join(map(number, golden.dt)), 110), y=rows(golden.y),
        unit=", ".join(map(number, golden.unit)), tolerance=number(golden.tolerance),
    )  # fmt: skip
