r"""One figure with sliders in a live notebook, and the same figure without them everywhere else.

A notebook that is stored or shown on the web has no kernel, so the figure for the start values is always an image;
sliders are shown next to it and, when they are moved, replace that image.
"""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from cfc_ref import checks
from cfc_ref.plots.style import axes_or_new

__all__ = ["explore"]

_STEPS = 100  # of a slider, from its low to its high end


class _Slider(NamedTuple):
    low: float
    high: float
    start: float


def explore(draw: Callable[..., object], /, **sliders: tuple[float, float, float]) -> None:
    """Show a figure whose numbers can be changed.

    The figure for the start values is shown as an image. In a live notebook with ipywidgets each number also has a
    slider, which redraws the image. In a plain Python session the figure is pyplot's current one.
    """
    if not callable(draw):
        checks.refuse("draw", type(draw).__name__, "a function that draws", "pass draw(ax, **values)", TypeError)
    if not sliders:
        do = "call draw itself for a figure without sliders"
        checks.refuse("sliders", "none", "at least one name=(low, high, start)", do)
    ranges = {name: _slider(name, ends) for name, ends in sliders.items()}
    start = {name: ends.start for name, ends in ranges.items()}
    if not _in_a_notebook():
        draw(axes_or_new(None), **start)
        return
    shown = importlib.import_module("IPython.display")
    handle = shown.display(shown.Image(_png(draw, start)), display_id=True)
    try:
        widgets = importlib.import_module("ipywidgets")
    except ModuleNotFoundError:
        return
    shown.display(_controls(widgets, ranges, lambda values: handle.update(shown.Image(_png(draw, values)))))


def _slider(name: str, ends: tuple[float, float, float]) -> _Slider:
    array = checks.numeric(name, ends, expected="three numbers (low, high, start)")
    if array.shape != (3,):
        do = f"pass {name}=(0.0, 2.0, 1.0)"
        checks.refuse(name, f"shape {array.shape}", "three numbers (low, high, start)", do)
    low, high, start = array.tolist()
    if not low <= start <= high or low == high:
        checks.refuse(name, f"{(low, high, start)}", "low <= start <= high and low < high", "give (low, high, start)")
    return _Slider(low, high, start)


def _in_a_notebook() -> bool:
    """Return whether this runs in a Jupyter kernel: IPython has been loaded, and its shell has a kernel."""
    ipython = sys.modules.get("IPython")
    return hasattr(ipython.get_ipython() if ipython else None, "kernel")


def _png(draw: Callable[..., object], values: dict[str, float]) -> bytes:
    """Draw a figure for `values` and return it as an image; it is closed, so that it is not shown twice."""
    from matplotlib import pyplot

    ax = axes_or_new(None)
    figure = pyplot.gcf()
    try:
        draw(ax, **values)
        with io.BytesIO() as file:
            figure.savefig(file, format="png")
            return file.getvalue()
    finally:
        pyplot.close(figure)


def _controls(widgets: ModuleType, ranges: dict[str, _Slider], redraw: Callable[[dict[str, float]], object]) -> Any:
    """Return a box of sliders that call `redraw` with all values when one is released."""
    sliders = {}
    for name, (low, high, start) in ranges.items():
        ends = {"value": start, "min": low, "max": high, "step": (high - low) / _STEPS}
        sliders[name] = widgets.FloatSlider(**ends, description=name, continuous_update=False)
    for slider in sliders.values():
        slider.observe(lambda _: redraw({name: float(one.value) for name, one in sliders.items()}), names="value")
    return widgets.VBox(list(sliders.values()))
