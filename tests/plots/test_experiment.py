"""The figures of an experiment."""

import matplotlib as mpl
import numpy as np

from cfc_ref.learn.history import History
from cfc_ref.plots.experiment import experiment_pictures
from tests.compare import assert_close

mpl.use("Agg")


def test_there_are_figures_of_the_training_and_of_the_steps():
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
