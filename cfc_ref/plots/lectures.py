"""Figures for a lecture: those of the tutorials as SVG with their captions, and the closed form as an animation."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cfc_ref.bounds.neuron import lemma1
from cfc_ref.neuron.closed_forms import closed_form
from cfc_ref.neuron.exact_solution import exact
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.plots.style import COLOURS, STATE_LABEL, TIME_LABEL, curve
from cfc_ref.signals import smooth

__all__ = ["Drawn", "moving_bound", "notebook_figures"]

_CAPTION = re.compile(r"^\*Figure (\d+)\. (.*?)\*$", re.MULTILINE | re.DOTALL)
_DATA = "CFC_REF_"  # beginning of the variables that name data; tutorials run without them, as they are stored
_FRAMES = 40


class Drawn(NamedTuple):
    """A figure of a tutorial."""

    number: int  # as in its caption
    caption: str  # in Markdown, on one line
    svg: bytes


def notebook_figures(notebook: dict[str, Any], results: Path) -> list[Drawn]:
    """Run the code of a tutorial in a folder with a copy of `results`, and return its figures."""
    import matplotlib
    from matplotlib import pyplot

    names: dict[str, Any] = {"__name__": "__main__"}
    figures = []
    with _elsewhere(results), matplotlib.rc_context({"svg.hashsalt": "cfc_ref", "backend": "agg"}):
        drawn = b""
        for cell in notebook["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code":
                pyplot.close("all")
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(source, "<tutorial>", "exec"), names)
                drawn = _svg(pyplot.gcf()) if pyplot.get_fignums() else drawn
            elif drawn and (found := _CAPTION.search(source)):
                figures.append(Drawn(int(found[1]), " ".join(found[2].split()), drawn))
                drawn = b""
        pyplot.close("all")
    return figures


@contextlib.contextmanager
def _elsewhere(results: Path) -> Iterator[None]:
    """Work in a temporary folder with a copy of `results`, without the data of this machine."""
    before, data = Path.cwd(), {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(_DATA)}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(results, Path(folder, "results"))
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
            os.environ.update(data)


def _svg(figure: Any) -> bytes:
    with io.BytesIO() as file:
        figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None})
        return file.getvalue()


def moving_bound(frames: int = _FRAMES) -> bytes:
    """Return an animation as GIF: the closed form, both ODEs and Lemma 1's bound while the input's level moves."""
    from matplotlib import pyplot
    from PIL import Image

    pictures = []
    for level in 2.5 * np.sin(2 * np.pi * np.arange(frames) / frames):
        figure = _frame(float(level))
        figure.canvas.draw()
        rgba = np.asarray(figure.canvas.buffer_rgba())
        pyplot.close(figure)
        pictures.append(Image.fromarray(rgba[:, :, :3].copy()).quantize(32, dither=Image.Dither.NONE))
    with io.BytesIO() as file:
        pictures[0].save(file, "gif", save_all=True, append_images=pictures[1:], duration=120, loop=0, optimize=True)
        return file.getvalue()


def _frame(level: float) -> Any:
    """Draw one frame: the input above, the states and the bound below."""
    from matplotlib import pyplot
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    neuron, x0, t = LTCNeuron(w_tau=1.0, A=1.0, sigma=2.0), 3.0, np.linspace(0, 5, 251)
    signal = smooth(lambda s: level + np.sin(2 * np.pi * 0.4 * s))
    figure, (top, ax) = pyplot.subplots(2, figsize=(6.4, 5.2), dpi=100, height_ratios=[1, 3], sharex=True)
    FigureCanvasAgg(figure)
    top.plot(t, signal(t), color=COLOURS["sky"])
    top.set(ylim=(-3.8, 3.8), ylabel="input I")
    top.set_title("One neuron while its input moves", loc="left", fontsize=11)
    approximation = closed_form(neuron, signal, x0, t)
    low, high = lemma1(neuron, x0, t, neuron.f_range(level - 1, level + 1))
    band = {"color": COLOURS["sky"], "alpha": 0.35, "linewidth": 0, "label": "Lemma 1 for this range of f(I)"}
    ax.fill_between(t, approximation + low, approximation + high, **band)
    for form in ("symmetric", "ltc"):
        curve(ax, form, t, exact(neuron, signal, x0, t, form=form))
    curve(ax, "closed", t, approximation)
    ax.set(ylim=(-0.2, 3.4), xlim=(0, 5), xlabel=TIME_LABEL, ylabel=STATE_LABEL)
    ax.legend(loc="upper right", fontsize=9, frameon=False)
    figure.subplots_adjust(left=0.11, right=0.98, top=0.94, bottom=0.1)
    return figure
