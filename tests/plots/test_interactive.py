"""A figure with sliders: the image for the start is always there; sliders where they can be; each move redraws it."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from matplotlib import pyplot

from cfc_ref.plots import interactive
from tests import bad
from tests.compare import refusal

START = {"gain": (0.0, 4.0, 2.0), "shift": (-1.0, 1.0, 0.0)}


class Display:
    """What IPython.display is to a cell: a list of what was shown, and of what replaced it."""

    def __init__(self):
        self.shown, self.updates = [], []

    def Image(self, data):
        assert data.startswith(b"\x89PNG")
        return data

    def display(self, thing, display_id=False):
        self.shown.append(thing)
        return SimpleNamespace(update=self.updates.append) if display_id else None


class Slider:
    """As much of ipywidgets.FloatSlider as is used."""

    def __init__(self, value, **options):
        self.value, self.options, self.watchers = value, options, []

    def observe(self, call, names):
        assert names == "value"
        self.watchers.append(call)

    def move(self, value):
        self.value = value
        for call in self.watchers:
            call({"new": value})


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    pyplot.close("all")


@pytest.fixture
def display(monkeypatch):
    """A notebook without ipywidgets."""
    display, ipython = Display(), ModuleType("IPython")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=None)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    return display


@pytest.fixture
def drawn():
    """The values that were drawn, one after the other."""
    return []


@pytest.fixture
def draw(drawn):
    def draw(ax, gain, shift):
        drawn.append((gain, shift))
        ax.plot([0.0, 1.0], [shift, gain + shift])

    return draw


def test_a_plain_session_gets_pyplots_figure(draw, drawn):
    assert interactive.explore(draw, **START) is None
    assert drawn == [(2.0, 0.0)]
    assert pyplot.gca().lines[0].get_ydata().tolist() == [0.0, 2.0]


def test_ipython_in_a_terminal_is_a_plain_session(draw, monkeypatch, display):
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: SimpleNamespace())
    interactive.explore(draw, **START)
    assert len(pyplot.get_fignums()) == 1
    assert display.shown == []


def test_a_notebook_without_ipywidgets_gets_one_image(draw, drawn, display):
    interactive.explore(draw, **START)
    assert drawn == [(2.0, 0.0)]
    assert len(display.shown) == 1
    assert not pyplot.get_fignums()  # or the cell would show it twice


def test_sliders_redraw_the_image_with_the_values_of_all(draw, drawn, display, monkeypatch):
    widgets = SimpleNamespace(FloatSlider=Slider, VBox=list)
    monkeypatch.setitem(sys.modules, "ipywidgets", widgets)
    interactive.explore(draw, **START)
    image, (gain, shift) = display.shown
    assert [one.options["description"] for one in (gain, shift)] == ["gain", "shift"]
    assert [(one.options["min"], one.options["max"], one.value) for one in (gain, shift)] == [*START.values()]
    gain.move(3.0)
    shift.move(0.5)
    assert drawn == [(2.0, 0.0), (3.0, 0.0), (3.0, 0.5)]
    assert len({image, *display.updates}) == 3
    assert not pyplot.get_fignums()


def test_sliders_are_those_of_ipywidgets(draw, drawn):
    widgets = pytest.importorskip("ipywidgets")
    ranges = {name: interactive._Slider(*ends) for name, ends in START.items()}
    seen = []
    box = interactive._controls(widgets, ranges, seen.append)
    box.children[1].value = 0.5
    assert seen == [{"gain": 2.0, "shift": 0.5}]


def test_a_figure_that_fails_is_not_left_behind(display):
    def fails(ax, gain):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interactive.explore(fails, gain=(0.0, 1.0, 0.5))
    assert not pyplot.get_fignums()


@pytest.mark.parametrize("ends", [*bad.NUMBERS, (0, 1), (0, 1, 2), (1, 0, 0.5), (1, 1, 1), (0, np.inf, 1), ("0", 1, 1)])
def test_bad_sliders_are_refused_before_anything_is_drawn(ends, draw, drawn):
    with pytest.raises((ValueError, TypeError), match=refusal("gain")):
        interactive.explore(draw, shift=(0.0, 1.0, 0.5), gain=ends)
    assert not drawn
    assert not pyplot.get_fignums()


def test_what_cannot_draw_and_no_sliders_are_refused(draw):
    with pytest.raises(TypeError, match=refusal("draw")):
        interactive.explore(3.0, gain=(0.0, 1.0, 0.5))
    with pytest.raises(ValueError, match=refusal("sliders")):
        interactive.explore(draw)
