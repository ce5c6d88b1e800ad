"""The figure of a run: its curves, what is marked, and what is refused."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from cfc_ref.learn.history import History
from cfc_ref.plots.training import experiment_pictures, plot_history
from tests.compare import assert_close, refusal

mpl.use("Agg")


@pytest.fixture
def ax():
    return Figure(layout="constrained").subplots()


def test_both_losses_are_drawn_over_epochs_and_the_kept_one_is_marked(ax):
    history = History(loss=[0.5, 0.2, 0.01], validation_loss=[0.6, 0.3, 0.4], best_epoch=1)
    assert history.plot(ax=ax) is ax
    training, validation, kept = ax.lines
    assert_close(training.get_xydata(), np.stack([[1, 2, 3], history.loss], axis=1))
    assert_close(validation.get_xydata(), np.stack([[1, 2, 3], history.validation_loss], axis=1))
    assert_close(kept.get_xydata(), [[2, 0.3]])
    assert [text.get_text() for text in ax.get_legend().texts] == ["training", "validation", "weights kept (epoch 2)"]
    assert ax.get_yscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss, mean of an epoch")
    assert len({line.get_linestyle() for line in (training, validation)}) == 2


def test_without_validation_there_is_one_curve_and_no_mark(ax):
    plot_history(History(loss=[0.5, 0.2], best_epoch=1), ax=ax)
    assert [line.get_label() for line in ax.lines] == ["training"]


@pytest.mark.parametrize("loss", [[0.5, 0.0], [0.5, -0.5], [0.5, 0.05], [3.0]])
def test_losses_of_0_or_within_a_decade_have_a_linear_axis(ax, loss):
    plot_history(History(loss=loss, best_epoch=len(loss) - 1), ax=ax, loss="cross-entropy")
    assert ax.get_ylabel() == "cross-entropy"
    assert ax.get_yscale() == "linear"


def test_one_epoch_can_be_seen(ax):
    plot_history(History(loss=[0.5], validation_loss=[0.4], best_epoch=0), ax=ax)
    assert all(line.get_marker() not in ("", "None") for line in ax.lines)


def test_a_new_figure_is_made_where_none_is_given():
    from matplotlib import pyplot

    ax = History(loss=[0.5, 0.2], best_epoch=1).plot()
    assert ax.get_title(loc="left") == "Training"
    pyplot.close(ax.figure)


@pytest.mark.parametrize(
    ("history", "ax", "named"), [([0.5], None, "history"), (History(), None, "history"), (History([1.0]), "here", "ax")]
)
def test_other_things_are_refused(history, ax, named):
    with pytest.raises((ValueError, TypeError), match=refusal(named)):
        plot_history(history, ax=ax)


def test_an_experiment_has_figures_of_the_training_and_of_the_steps():
    history = History(loss=[0.5, 0.2], validation_loss=[0.6, 0.3], best_epoch=1)
    figures = dict(
        experiment_pictures(history, "cross entropy", np.array([2, 3]), np.array([0.5, 1.0]), "test accuracy")
    )
    assert list(figures) == ["history.png", "by_step.png"]
    assert len(figures["history.png"].axes[0].lines) == 3
    assert figures["history.png"].axes[0].get_ylabel() == "cross entropy"
    (ax,) = figures["by_step.png"].axes
    assert_close(ax.lines[0].get_xydata(), [[2, 0.5], [3, 1.0]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("steps", "test accuracy")
