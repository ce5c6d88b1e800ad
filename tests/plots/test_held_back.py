"""The figures of held-back rows: what is shown, what is left out, and that any name can be drawn."""

import io
import warnings

import matplotlib as mpl
import numpy as np
import pytest

from cfc_ref.learn.history import History
from cfc_ref.plots.held_back import HeldBackRows, held_back_pictures
from tests.compare import assert_close

mpl.use("Agg")

HISTORY = History([1.0, 0.5], [1.2, 0.6], [], [1.0, 1.0], 1)


def pictures(y, predicted, group=None, groups=("",), targets=("y",), classes=None, time=None):
    time = np.arange(len(y)) if time is None else time
    group = np.zeros(len(y), int) if group is None else group
    return dict(held_back_pictures(HISTORY, HeldBackRows(y, predicted, time, group, groups, targets, classes)))


def panels(figure):
    """The pairs of axes of each panel."""
    return [part.axes for part in figure.subfigs if part.axes]


def test_the_last_rows_are_drawn_with_their_errors():
    y = np.cumsum(np.ones((500, 1)), axis=0)
    y[499] = np.nan
    figure = pictures(y, y + 0.5)["held_back.png"]
    ((above, below),) = panels(figure)
    recorded, network = above.lines
    assert_close(recorded.get_xydata(), np.stack([np.arange(199, 499), np.arange(200, 500)], axis=1))
    assert_close(network.get_ydata(), np.arange(200, 500) + 0.5)
    assert_close(below.lines[1].get_ydata(), np.full(300, 0.5))
    assert above.get_title(loc="left") == "y: the last 300 of 499 rows"


@pytest.mark.parametrize(("groups", "targets", "shown"), [(50, 1, 8), (1, 200, 8), (3, 20, 8), (2, 1, 2), (2, 3, 6)])
def test_there_are_at_most_eight_panels_and_a_word_on_the_others(groups, targets, shown):
    group = np.repeat(np.arange(groups), 4)
    y = np.ones((len(group), targets))
    figure = pictures(y, y, group, tuple(map(str, range(groups))), tuple(f"t{k}" for k in range(targets)))[
        "held_back.png"
    ]
    titles = [above.get_title(loc="left") for above, _ in panels(figure)]
    assert len(titles) == shown
    assert titles[0] == "t0, 0"
    left_out = shown < groups * targets
    assert (f"{shown} of {groups * targets} series" in figure.get_suptitle()) == left_out
    assert max(figure.get_size_inches() * figure.dpi) <= 1300


def test_times_may_be_dates():
    y = np.arange(20.0)[:, None]
    days = np.datetime64("2024-03-01", "ms") + np.arange(20) * np.timedelta64(1, "D")
    figure = pictures(y, y, time=days)["held_back.png"]
    ((_, below),) = panels(figure)
    figure.draw_without_rendering()
    assert below.xaxis.get_offset_text().get_text() == "2024-Mar"
    assert below.get_xlabel() == ""


def test_classes_are_a_confusion_matrix():
    recorded, predicted = np.array([[0.0], [0], [1], [2]]), np.array([[0.0], [1], [1], [0]])
    (ax,) = pictures(recorded, predicted, classes=("dry", "wet", "snow"))["held_back.png"].axes
    counts = np.array([int(text.get_text()) for text in ax.texts]).reshape(3, 3)
    assert_close(counts, [[1, 1, 0], [0, 1, 0], [1, 0, 0]])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["dry", "wet", "snow"]
    assert ax.get_title(loc="left") == "Held back: 50.0% of 4 predicted right"
    many = np.arange(40.0)[:, None]
    (ax,) = pictures(many, many, classes=tuple(map(str, range(40))))["held_back.png"].axes
    assert ax.get_yticklabels()[-1].get_text() == "29 others"
    assert ax.texts[-1].get_text() == "29"


@pytest.mark.parametrize("name", ["$a_{", "two\nlines", "机器", "x" * 500, "_", "%d {0} \\alpha"])
def test_any_name_can_be_drawn(name):
    y = np.ones((3, 1))
    for classes, targets in ((None, (name,)), ((name, "other"), ("y",))):
        figure = pictures(0 * y, 0 * y, groups=(name,), targets=targets, classes=classes)["held_back.png"]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph", UserWarning)
            figure.savefig(io.BytesIO(), format="png")
