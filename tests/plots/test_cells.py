"""The diagram of a cell says what flows where, legibly; masks show every weight once, and tell their kinds apart."""

import numpy as np
import numpy.testing as npt
import pytest
from matplotlib import pyplot
from matplotlib.text import Annotation

from cfc_ref import CfC, wirings
from cfc_ref.plots.cells import plot_cell, plot_masks
from tests import bad

WAYS = pytest.mark.parametrize("backward", [False, True])


@pytest.fixture
def ax():
    figure, axes = pyplot.subplots(figsize=(7, 3.7), layout="constrained")
    yield axes
    pyplot.close(figure)
    assert not pyplot.get_fignums()


def arrows(ax):
    """Return the (tail, tip) of each arrow."""
    found = [one for one in ax.texts if isinstance(one, Annotation)]
    return np.array([(one.xyann, one.xy) for one in found])


@WAYS
def test_a_cell_is_drawn_into_the_axes_given_or_a_new_figure(backward, ax):
    assert plot_cell(backward=backward, ax=ax) is ax
    new = plot_cell(backward=backward)
    assert new is not ax
    pyplot.close(new.figure)


def test_values_and_gradients_flow_the_same_ways_in_opposite_directions(ax):
    forward = arrows(plot_cell(ax=ax))
    ax.clear()
    backward = arrows(plot_cell(backward=True, ax=ax))
    npt.assert_array_equal(backward, forward[:, ::-1])
    along = forward[:, 1] - forward[:, 0]
    upward = along[:, 0] == 0  # t stands under the gate
    assert upward.sum() == 1
    assert (along[~upward, 0] > 0).all()
    assert (along[upward, 1] > 0).all()


@WAYS
def test_no_text_of_a_cell_covers_another_or_leaves_the_figure(backward, ax):
    plot_cell(backward=backward, ax=ax)
    ax.figure.canvas.draw()
    boxes = [one.get_window_extent() for one in ax.patches]
    texts = [one for one in ax.texts if one.get_text()]
    extents = [one.get_window_extent() for one in texts]
    for k, (text, extent) in enumerate(zip(texts, extents, strict=True)):
        assert ax.figure.bbox.x0 <= extent.x0, text
        assert extent.x1 <= ax.figure.bbox.x1, text
        assert not any(extent.overlaps(other) for other in extents[:k]), text
        around = [box for box in boxes if box.overlaps(extent)]
        assert all(box.x0 <= extent.x0 and extent.x1 <= box.x1 for box in around), text
    assert sum(any(box.overlaps(extent) for box in boxes) for extent in extents) == len(boxes)


def masks_of(layer):
    return [array for name, array in layer.state_dict().items() if name.endswith("sparsity_mask")]


@pytest.mark.parametrize("variant", ["torch", "tensorflow"])
def test_masks_show_what_is_wired_and_what_full_recurrence_adds(variant, ax):
    wiring = wirings.AutoNCP(14, 3).build(4)
    made = [masks_of(CfC(4, wiring, recurrence=kind, variant=variant, seed=0)) for kind in ("wired", "full")]
    for own, full in zip(*made, strict=True):
        ax.clear()
        assert plot_masks(own, full, ax=ax) is ax
        (mesh,) = ax.collections
        drawn = np.asarray(mesh.get_array()).reshape(own.shape)
        npt.assert_array_equal(drawn == 2, own != 0)
        npt.assert_array_equal(drawn > 0, full != 0)
        (edge,) = [line.get_xdata()[0] for line in ax.lines]
        assert edge == own.shape[1] - own.shape[0]
        assert ax.get_title(loc="left") == f"wired: {int((own != 0).sum())} of {int((full != 0).sum())}"
        assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first neuron on top
        ax.figure.canvas.draw()


@pytest.mark.parametrize("value", [*bad.NUMBERS, np.ones(3), np.ones((3, 2)), np.ones((1, 2, 3))])
def test_bad_masks_are_refused(value):
    bad.refuses(plot_masks, "wired", value, full=np.ones((2, 3)))
    bad.refuses(plot_masks, "full", value, wired=np.ones((2, 3)))


@pytest.mark.parametrize("value", [1, None, "yes", np.ones(2)])
def test_a_way_that_is_no_bool_is_refused(value):
    bad.refuses(plot_cell, "backward", value)
