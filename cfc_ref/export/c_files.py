"""A trained network as C: the header, a test of it with golden outputs, and a page that says what it costs."""

from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cfc_ref
from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.round_off import checked_dt_range, rounding
from cfc_ref.export.c_golden import Golden, golden_program, golden_run
from cfc_ref.export.c_header import RawValues, StepBody, add_step
from cfc_ref.export.c_math import MATH, functions, of_library
from cfc_ref.export.c_source import Source, fill, identifier, section
from cfc_ref.export.float32_network import Network, exported
from cfc_ref.export.int8_files import (
    FLOAT32,
    Distance,
    Int8Options,
    distances,
    golden_run_8,
    int8_of,
    int8_words,
    refuse_far,
)
from cfc_ref.export.int8_math import INT8_FUNCTIONS, table_bytes
from cfc_ref.export.int8_ode import step_8
from cfc_ref.io import output_folder, write_atomically
from cfc_ref.layers.base import Layer

__all__ = ["CFiles", "as_c", "export_c", "named", "write_files"]

_TIMES = 0.1, 4.0  # for which a certificate is sought, if none are given
_MAGIC = 8  # bytes that say what a binary file is
_FLOAT = {
    "arithmetic": "float32",
    "functions_called": "exponentials (tanh, erf included)",
    "then": "results then differ in the last digits",
    "int8": "",
    "int8_lines": "",
}

_HEADER = """
    /* NAME.h: a trained network as C99, which is also C++. Written by cfc_ref <version>.
     *
    <model_lines>
     *
     * Use:
     *
     *     NAME_state state;
     *     NAME_reset(&state);
     *     NAME_step(&state, x, dt, y);
     *
     * takes a sample x[<features>], and the time dt >= 0 since the one before, as floats, and gives y[<outputs>].
     * Nothing is allocated, and nothing but the state and y is written; each state is a stream of its own. Input is not
     * checked: it has to be finite<missing>; x and y are different arrays.
    <columns>
     *
     * Test, with the golden outputs of <steps> steps:
     *
     *     <command>
     *
     * <sizes>
     *
    <certificate>
    <int8>
     *
     * Equation numbers are those of Hasani et al., Nat. Mach. Intell. 4, 992 (2022); names are the paper's.
     */
    #ifndef NAME_H
    #define NAME_H
    <include>

    #if defined(__GNUC__)
    #define NAME_ALIGNED __attribute__((aligned(32)))
    #else
    #define NAME_ALIGNED
    #endif

    /* Called for each neuron in each step with its rate, one over its time constant; define it before to see them */
    #ifndef NAME_RATE
    #define NAME_RATE(neuron, rate)
    #endif

    enum { NAME_INPUTS = <features>, NAME_OUTPUTS = <outputs> };

    <state_section>
    <struct_of_state>

    <weights_section>
    <struct>

    static inline const NAME_weights *NAME_get_weights(void);

    <functions_section>
    <functions>

    <numbers_section>
    <numbers>

    #endif
"""
_README = """
    # NAME: a trained network as C

    <model>

    | file | what |
    |---|---|
    | `NAME.h` | the network: `NAME_state`, `NAME_reset`, `NAME_step` |
    | `NAME_test.c` | a test of it with golden inputs and outputs of <steps> steps |
    <more_files>

    ```c
    #include "NAME.h"

    float x[<features>], y[<outputs>];
    NAME_state state;
    NAME_reset(&state);
    NAME_step(&state, x, dt, y); /* dt: the time since the sample before */
    ```

    Test it: `<command>`

    | per network or step | |
    |---|---|
    | weights and indices, bytes of flash | <flash> |
    | state, bytes of RAM per stream | <state> |
    | arrays of a step, bytes of stack, at most | <stack> |
    | multiply-adds per step | <multiply_adds> |
    | <functions_called> per step | <exponentials> |
    | depends on | <depends> |
    <measured>

    Speed: `-O3 -march=native -ffast-math` lets the compiler use vector instructions; <then>.
    Golden outputs are those of cfc_ref in NumPy (<arithmetic>); the test allows <tolerance>, relative to <unit> or
    the value, whichever is larger.
    <int8_lines>
"""


_MEASURED = """
    | on an emulated Cortex-M4: golden test | <verdict> |
    | bytes of flash, code and weights | <on_flash> |
    | bytes of stack of a step | <on_stack> |
    | instructions of a step, mean over the golden ones | <instructions> |
    | measured by | `export_c(…, math="own", measure=True)`, `cfc-ref export RUN --to c --math own --measure`; <tools> |
"""


def export_c(
    model: Layer,
    folder: str | Path,
    name: str = "network",
    *,
    math: str = "libm",
    raw: RawValues | None = None,
    dt_range: tuple[float, float] | None = None,
    measure: bool = False,
    int8: bool = False,
    x_range: tuple[Any, Any] | None = None,
    tolerance: float | None = None,
    held_back: Mapping[str, Array] | None = None,
) -> Path:
    r"""Write a network as C99 that depends on ``<math.h>`` alone, or on nothing.

    ``NAME.h`` holds ``NAME_state``, ``NAME_reset(NAME_state *)`` and ``NAME_step(NAME_state *, const float *x, float
    dt, float *y)``: one time step :math:`s_k = \mathrm{step}(x_k, s_{k-1}, t_k)` in float32, with the number of the
    equation over each loop. ``NAME_test.c`` compares it with golden outputs, and ``README.md`` says what it costs.
    Nothing is allocated, no global is written, and of a wiring the synapses that exist are computed.

    Parameters
    ----------
    model : CfC, LTC or NeuralLTC
        The layer; an LTC with the solver "fused" or "frozen", or a CfC; nothing drops.
    folder : str or Path
        Where the three files go; made where it is missing. An earlier export of the same name is replaced, and the
        README.md of any export; a file that no export wrote is refused.
    name : str
        The prefix of all names, an identifier of C.
    math : {"libm", "own"}
        exp and tanh from ``<math.h>``, or written out.
    raw : RawValues, optional
        The scaling of a table, for a network of ``cfc-ref train``: the C then takes values in their own units, as
        ``cfc-ref export --raw`` writes it.
    dt_range : pair of float, optional
        The times for which the header's certificate of rounding is sought, such as those of the training data; from 0.1
        to 4 by default.
    measure : bool
        Whether README.md also says bytes and instructions of a step on an emulated Cortex-M4. Needs
        ``arm-none-eabi-gcc``, ``qemu-system-arm`` and ``math="own"``.
    int8 : bool
        Whether weights, inputs, features and states are int8: a scale per row, ranges that are proved, sums of 32 bits,
        functions by tables. A network whose states have no proved range is refused.
    x_range : pair of array_like, shape () or (features,)
        The lowest and the highest input of the network in int8, from -4 to 4 by default; an input outside of it counts
        as the end, except in an LTC, whose certificate then does not hold.
    tolerance : float
        The largest error of int8 that is accepted, as a share of the output's range, 0.05 by default: in golden inputs,
        and in those that are held back.
    held_back : mapping of str to ndarray, optional
        Inputs on which int8 is compared with float64: "x" (rows, features), "dt" (rows,), "begins" (rows,), whether the
        state is reset before the row.

    Returns
    -------
    Path
        The header.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit, before anything is written.

    Examples
    --------
    >>> import tempfile
    >>> from cfc_ref import CfC
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     header = export_c(CfC(3, 8, proj_size=1, seed=0), folder, "pendulum")
    ...     print(header.name, "static inline void pendulum_step(" in header.read_text(encoding="utf-8"))
    pendulum.h True
    """
    options = Int8Options(checks.flag("int8", int8), x_range, tolerance, held_back)
    files = as_c(model, name, math=math, raw=raw, dt_range=dt_range, measure=measure, options=options).files
    return write_files(folder, files, name) / f"{name}.h"


class CFiles(NamedTuple):
    """The files of an export, the facts and golden outputs that they hold, and how far int8 is from float64."""

    files: dict[str, str | bytes]
    words: dict[str, Any]
    golden: Golden
    distances: list[Distance]


def as_c(
    model: Layer,
    name: str,
    *,
    math: str,
    raw: RawValues | None,
    dt_range: tuple[float, float] | None,
    measure: bool = False,
    more_files: str = "",
    options: Int8Options = FLOAT32,
) -> CFiles:
    """Return a network as C: the header, its test, and the page on its costs."""
    network = exported(model)
    name, math = identifier("name", name), checks.choice("math", math, MATH)
    if raw is not None and not isinstance(raw, RawValues):
        checks.refuse(
            "raw", type(raw).__name__, "RawValues", "run cfc-ref export --raw on a folder of cfc-ref train", TypeError
        )
    options, source = options.checked(network), Source()
    between = _TIMES if dt_range is None else checked_dt_range(dt_range)
    math = "own" if options.int8 and not (raw is not None and raw.classes) else math  # tables need no library
    if checks.flag("measure", measure) and math != "own":
        checks.refuse("measure", f"math={math!r}", "math='own', as the chip has no <math.h>", "pass math='own'")
    found: list[Distance] = []
    if options.int8:
        int8 = int8_of(model, network, options.x_range, between)
        found = distances(int8, options.held_back)
        refuse_far(found, options.tolerance)
        state, golden = add_step(step_8(source, network, int8.params), raw), golden_run_8(int8, raw)
        words = int8_words(int8, found, exact=raw is None)
    else:
        state, words = add_step(StepBody(source, network), raw), _FLOAT
        golden = golden_run(network, raw)
    certificate = _certificate(model, raw, between, options if options.int8 else None, known=dt_range is not None)
    words = words | {"certificate": certificate, "more_files": more_files}
    words = _words(model, network, raw, source, math, golden) | words
    texts = {
        f"{name}.h": _header(source, state, math, words),
        f"{name}_test.c": golden_program(golden, words["command"], words["arithmetic"]),
    }
    files: dict[str, str | bytes] = {file: named(text, name) for file, text in texts.items()}
    words["measured"] = _measured(files, name, len(golden.x), source.stack) if measure else ""
    return CFiles(files | {"README.md": named(fill(_README, **words), name)}, words, golden, found)


def _measured(files: Mapping[str, str | bytes], name: str, steps: int, stack: int) -> str:
    """Return the rows of a table on the emulated chip."""
    from cfc_ref.export.cortex_m4 import on_cortex_m4

    chip = on_cortex_m4(files, name, steps, stack)
    return fill(
        _MEASURED, verdict="passed" if chip.passed else "FAILED", on_flash=f"{chip.flash:,}",
        on_stack=f"{chip.stack:,}", instructions=f"{chip.instructions:,}", tools=chip.tools,
    )  # fmt: skip


def named(text: str, name: str) -> str:
    """Return a text with the network's name in place of NAME."""
    return re.sub(r"NAME(_H\b|_ALIGNED\b)?", lambda m: name.upper() + m[1] if m[1] else name, text)


def write_files(folder: str | Path, files: Mapping[str, str | bytes], name: str) -> Path:
    """Write the files of an export, or none if another file is in the way; return the folder."""
    path = output_folder("folder", folder)
    for file, content in files.items():
        _check_free(path / file, content, name)
    for file, content in files.items():
        write_atomically(path / file, content.encode() if isinstance(content, str) else content)
    return path


def _check_free(path: Path, content: str | bytes, name: str) -> None:
    """Refuse to replace anything but the file of an earlier export, which its first bytes or its first line tell."""
    if not os.path.lexists(path):
        return
    try:
        there = path.read_bytes() if path.is_file() else b""
    except OSError:
        there = b""
    if isinstance(content, bytes):
        known = there[:_MAGIC] == content[:_MAGIC]
    else:
        first, title = there.partition(b"\n")[0], content.partition("\n")[0].partition(" Written by ")[0].encode()
        known = first.startswith(title) or (first.startswith(b"# ") and first.endswith(title.partition(b":")[2]))
    if not known:
        what = "which is a folder" if path.is_dir() else "which no export of this name wrote"
        expected = f"a folder without {path.name}, or with that of an earlier export of {name!r}"
        checks.refuse("folder", f"{str(path)!r}, {what}", expected, "use another folder")


def _words(
    model: Layer, network: Network, raw: RawValues | None, source: Source, math: str, golden: Golden
) -> dict[str, Any]:
    """Return the facts that the texts state."""
    flash, state = source.weights.size + table_bytes(functions(source.calls, math, INT8_FUNCTIONS)), source.state
    return {
        "version": cfc_ref.__version__,
        "model": repr(model),
        "model_lines": textwrap.fill(repr(model), 110, initial_indent=" *     ", subsequent_indent=" *     "),
        "features": golden.x.shape[1],
        "outputs": golden.y.shape[1],
        "missing": ", or NaN where a feature is missing" if raw is not None and raw.missing else "",
        "columns": "" if raw is None else f" *\n{columns_comment(raw)}",
        "steps": len(golden.x),
        "command": "cc -std=c99 -O2 NAME_test.c -o NAME_test" + " -lm" * (math == "libm") + " && ./NAME_test",
        "flash": f"{flash:,}",
        "state": f"{state:,}",
        "stack": f"{source.stack:,}",
        "stack_bytes": source.stack,
        "multiply_adds": f"{source.multiply_adds:,}",
        "exponentials": f"{source.exponentials:,}",
        "depends": "`<math.h>`" if math == "libm" else "nothing",
        "tolerance": f"{golden.tolerance:.2g}",
        "unit": "1" if raw is None or raw.classes else "the standard deviation of the target",
        "sizes": f"{flash:,} bytes of weights, {state:,} of state; per step {source.multiply_adds:,} multiply-adds, "
        f"{source.exponentials:,} exponentials",
    }


def _certificate(
    model: Layer, raw: RawValues | None, between: tuple[float, float], options: Int8Options | None, *, known: bool
) -> str:
    """Return the lines of a comment on what rounding does, or why nothing is proved; `options` are those of int8."""
    unit = "" if raw is None else f" times {raw.timespan:g}"
    whose = "" if known else " (those of the training are not known)"
    inputs = "inputs from -4 to 4" if options is None else "inputs in their range"
    said = f"Rounding, proved for network {inputs}, times from {between[0]:.9g} to {between[1]:.9g}{unit}{whose}"
    try:
        x_range, dtype = ((-4, 4), "float32") if options is None else (options.x_range, "int8")
        proved = rounding(model, x_range, between, dtype)
        said = f"{said}, IEEE arithmetic and no -ffast-math (cfc_ref.bounds.rounding): {proved}."
    except ValueError as error:
        said = f"Rounding: nothing is proved ({str(error).removeprefix('model: ').partition(';')[0]})."
    return textwrap.fill(said, 110, initial_indent=" * ", subsequent_indent=" * ")


def _header(source: Source, state: str, math: str, words: dict[str, Any]) -> str:
    """Return the text of the header."""
    text = fill(
        _HEADER,
        **words,
        include="#include <math.h>" if math == "libm" else "",
        state_section=section("the state"),
        struct_of_state=state,
        weights_section=section("the weights' names and shapes; their numbers are at the end of the file"),
        struct=source.weights.struct(),
        functions_section=section("the functions"),
        functions="\n".join([*functions(source.calls, math, INT8_FUNCTIONS), *source.functions]),
        numbers_section=section("the weights"),
        numbers=source.weights.definitions(),
    )
    return of_library(text) if math == "libm" else text


def columns_comment(raw: RawValues) -> str:
    """Return the lines of a comment that name the columns of raw values."""
    time, features, outputs = (", ".join(map(_quoted, names)) for names in ((raw.time,), raw.features, raw.outputs))
    kind = "the probabilities of classes" if raw.classes else "predictions in their own units"
    ahead = f", {raw.horizon} row{'s' * (raw.horizon > 1)} ahead" if raw.horizon else ""
    lines = [
        f"x holds raw values: {features}",
        f"dt is the time since the sample before, in {'seconds' if raw.dates else 'its unit'} (column {time})",
        f"y holds {kind}{ahead}: {outputs}",
        *["y is the label of a whole group: use it after the last row, and reset before the next group."]
        * raw.label_per_group,
        "The dt of the first sample after a reset is not used.",
    ]
    # no name can end the comment, begin another one, or be read as a trigraph
    text = re.sub(r"\*/|/\*|\?\?", lambda m: " ".join(m[0]), "\n".join(lines))
    return "\n".join(
        textwrap.fill(line, 110, initial_indent=" * ", subsequent_indent=" *     ") for line in text.split("\n")
    )


def _quoted(name: str) -> str:
    """Return a name in quotes, in UTF-8 unless it has characters that do not print."""
    return json.dumps(name, ensure_ascii=not name.isprintable())
