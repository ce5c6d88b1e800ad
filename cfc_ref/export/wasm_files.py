"""A trained network as WebAssembly, compiled from its C, and a page that streams samples through it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import cfc_ref
from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.export.c_files import CFiles, as_c, named, write_files
from cfc_ref.export.c_source import fill

if TYPE_CHECKING:
    from cfc_ref.export.c_header import RawValues
    from cfc_ref.layers.base import Layer

__all__ = ["StreamedRows", "export_wasm"]

_PAGE = Path(__file__).with_name("page.html")
_FLAGS = ("--target=wasm32", "-std=c99", "-O3", "-ffreestanding", "-fno-builtin", "-nostdlib")
_OUT = "module.wasm"
_STACK = 1 << 16  # bytes, besides the arrays of a step
_PLAIN = 3.0  # a page's inputs lie between plus and minus this many standard deviations
_UNITS = {"ms", "s", "sec", "second", "seconds", "min", "minutes", "h", "hours", "days", "weeks", "months", "years"}
_FILES = """\
| `NAME.wasm` | the network as WebAssembly, with functions of its own for exp and tanh |
| `NAME.html` | a page that runs it: open it in a browser |"""
_MODULE = """
    /* NAME.wasm is this: a state, and the arrays that a page writes to and reads from; no NAME has two underscores */
    static void page__rate(const float *neuron, float rate);
    #define NAME_RATE(neuron, rate) page__rate(neuron, rate)
    #include "NAME.h"
    #define SEEN(name) __attribute__((export_name(#name)))

    static NAME_state page__state;
    static float page__x[NAME_INPUTS], page__y[NAME_OUTPUTS];
    static float page__rates[sizeof page__state.x / sizeof *page__state.x];

    static void page__rate(const float *neuron, float rate) { page__rates[neuron - page__state.x] = rate; }

    SEEN(at_x) float *page__at_x(void) { return page__x; }
    SEEN(at_y) float *page__at_y(void) { return page__y; }
    SEEN(at_state) float *page__at_state(void) { return page__state.x; }
    SEEN(at_rates) float *page__at_rates(void) { return page__rates; }
    SEEN(reset) void page__reset(void) { NAME_reset(&page__state); }
    SEEN(step) void page__step(float dt) { NAME_step(&page__state, page__x, dt, page__y); }
"""


class StreamedRows(NamedTuple):
    """Samples that a page streams through its network.

    Attributes
    ----------
    title : str
        Its name, such as that of its file.
    x : ndarray, shape (steps, features)
        Inputs as the C takes them; NaN where one is missing.
    dt : ndarray, shape (steps,)
        Times since the sample before; NaN where a new series begins, before which the state is reset.
    y : ndarray, shape (steps, outputs)
        The values that are predicted, NaN where unknown; no column where there are none to compare with.
    """

    title: str
    x: Array
    dt: Array
    y: Array


def export_wasm(
    model: Layer,
    folder: str | Path,
    name: str = "network",
    *,
    raw: RawValues | None = None,
    dt_range: tuple[float, float] | None = None,
    recording: StreamedRows | None = None,
    compiler: str = "clang",
) -> Path:
    r"""Write a network as WebAssembly, and as a page that runs it in a browser without a server.

    ``NAME.wasm`` is the C of :func:`export_c` with ``math="own"``: a step :math:`s_k = \mathrm{step}(x_k, s_{k-1},
    t_k)` in float32. It exports "memory", "reset()", "step(dt)", and "at_x()", "at_y()", "at_state()" and "at_rates()",
    the addresses of inputs, outputs, neurons and their rates. ``NAME.html`` holds it: the page streams samples through
    the network, takes inputs and irregular timespans by hand, compares the network with golden outputs of NumPy, and
    shows its state, time constants and certificate of rounding. It loads nothing. The files of :func:`export_c` are
    written next to them.

    Parameters
    ----------
    model, folder, name, raw, dt_range
        As for :func:`export_c`.
    recording : StreamedRows, optional
        The samples that the page streams; waves at irregular times by default.
    compiler : str
        clang with its linker wasm-ld.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit, a compiler that is not there among them, before anything is written.

    Examples
    --------
    >>> import shutil, tempfile
    >>> from cfc_ref import CfC
    >>> if shutil.which("clang") and shutil.which("wasm-ld"):
    ...     with tempfile.TemporaryDirectory() as folder:
    ...         page = export_wasm(CfC(3, 8, proj_size=1, seed=0), folder, "pendulum")
    """
    made = as_c(model, name, math="own", raw=raw, dt_range=dt_range, more_files=_FILES)
    _check_recording(recording, made)
    module = compiled(str(made.files[f"{name}.h"]), name, made.words["stack_bytes"], compiler)
    page = _page(model, name, made, module, raw, recording)
    return write_files(folder, {**made.files, f"{name}.wasm": module, f"{name}.html": page}, name) / f"{name}.html"


def _check_recording(recording: StreamedRows | None, made: CFiles) -> None:
    """Refuse a recording of other features or outputs."""
    if recording is None:
        return
    if not isinstance(recording, StreamedRows):
        checks.refuse("recording", type(recording).__name__, "StreamedRows", "pass StreamedRows(…)", TypeError)
    features, outputs = made.golden.x.shape[1], made.golden.y.shape[1]
    x, dt, y = np.shape(recording.x), np.shape(recording.dt), np.shape(recording.y)
    if not (len(dt) == 1 and dt[0] and x == (*dt, features) and y in ((*dt, outputs), (*dt, 0))):
        expected = f"x (steps, {features}), dt (steps,) and y (steps, {outputs}) or (steps, 0), of a step or more"
        checks.refuse("recording", f"shapes x {x}, dt {dt} and y {y}", expected, "pass arrays of these shapes")


def compiled(header: str, name: str, stack: int, compiler: str) -> bytes:
    """Return the WebAssembly of a header."""
    expected, do = "clang with wasm-ld", "install both (Debian, Ubuntu: apt-get install clang lld), or export to C"
    if not isinstance(compiler, str):
        checks.refuse("compiler", type(compiler).__name__, "the name of a command", "pass 'clang'", TypeError)
    command = shutil.which(compiler)
    if command is None:
        checks.refuse("compiler", f"{compiler!r}, which is not installed", expected, do)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{name}.h").write_text(header, encoding="utf-8")
        (Path(folder) / "module.c").write_text(named(fill(_MODULE), name), encoding="utf-8")
        link = ("-Wl,--no-entry,--strip-all,--stack-first", f"-Wl,-z,stack-size={_STACK + -(-stack // 16) * 16}")
        line = [command, *_FLAGS, *link, "module.c", "-o", _OUT]
        done, module = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False), Path(folder, _OUT)
        if done.returncode or not module.exists():
            said = next((line for line in done.stderr.splitlines() if "error" in line), f"status {done.returncode}")
            checks.refuse("compiler", f"{compiler!r}, which does not compile to WebAssembly ({said})", expected, do)
        return module.read_bytes()


def _page(
    model: Layer, name: str, made: CFiles, module: bytes, raw: RawValues | None, recording: StreamedRows | None
) -> str:
    """Return the page: the template with the module, the golden run and all that it shows."""
    golden, words = made.golden, made.words
    features, outputs = golden.x.shape[1], golden.y.shape[1]
    unit = "" if raw is None else "s" if raw.dates else raw.time if raw.time.lower() in _UNITS else ""
    content: dict[str, Any] = {
        "name": name, "model": repr(model), "version": cfc_ref.__version__,
        "features": [f"x{j + 1}" for j in range(features)] if raw is None else raw.features,
        "outputs": [f"y{j + 1}" for j in range(outputs)] if raw is None else raw.outputs,
        "units": model.state_size,
        "mean": [0.0] * features if raw is None else raw.mean.tolist(),
        "scale": [1.0] * features if raw is None else raw.scale.tolist(),
        "range": _PLAIN, "timespan": 1.0 if raw is None else raw.timespan, "unit": unit,
        "classes": raw is not None and raw.classes, "missing": raw is not None and raw.missing,
        "horizon": 0 if raw is None else raw.horizon,
        "certificate": " ".join(words["certificate"].replace("\n *", " ").removeprefix(" *").split()),
        "sizes": {key: words[key] for key in ("flash", "state", "multiply_adds", "exponentials")},
        "golden": {**_packed(golden), "unit": golden.unit.tolist(), "tolerance": golden.tolerance},
        "recording": None if recording is None else {
            "title": recording.title, **_packed(recording), "compared": np.shape(recording.y)[1] > 0},
        "module": base64.b64encode(module).decode(),
    }  # fmt: skip
    page, text = _PAGE.read_text(encoding="utf-8"), json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
    return page.replace("{{name}}", name).replace("{{version}}", content["version"]).replace("{{content}}", text)


def _packed(run: Any) -> dict[str, str]:
    """Return the arrays x, dt and y as the base64 of their float32, little endian."""
    arrays = {key: np.ascontiguousarray(getattr(run, key), dtype="<f4") for key in ("x", "dt", "y")}
    return {key: base64.b64encode(array.tobytes()).decode() for key, array in arrays.items()}
