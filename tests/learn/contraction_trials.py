"""``python -m tests.learn.contraction_trials [WALKER2D]``: training with and without contraction.

A task that needs memory, or with a folder of recordings Walker2d with the published settings and fewer epochs.
"""

import sys

import numpy as np

from cfc_ref import CfC, bounds, fit
from cfc_ref.datasets.walker2d import read_walker2d
from cfc_ref.experiments.walker2d_task import SETTINGS
from cfc_ref.learn.optimizers import Adam
from cfc_ref.learn.training_loop import train

BITS, SEQUENCES, TRAINED, EPOCHS = 5, 1000, 800, 120
OF_WALKER2D = 8  # epochs


def parities(seed):
    """Return bits of ±1 at irregular times, and whether the number of ones is odd."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (SEQUENCES, BITS))
    return 2.0 * bits[..., None] - 1, (bits.sum(axis=1) % 2).astype(float), rng.uniform(0.5, 1.5, bits.shape)


def walker2d(folder):
    """Print the validation loss of each epoch, and the constant of the network that is kept."""
    chosen, windows = SETTINGS["cfc"]._replace(epochs=OF_WALKER2D), read_walker2d(folder, test=False)
    training, validation = (tuple(windows[part])[:4] for part in ("training", "validation"))
    span = float(training[2].min()), float(training[2].max())
    for contraction in (None, 0.95):
        model = CfC(
            17, chosen.units, proj_size=17, variant=chosen.variant, activation=chosen.activation, seed=1,
            backbone_units=chosen.backbone_units, backbone_dropout=chosen.dropout,
        )  # fmt: skip
        recipe = chosen.recipe(len(training[0]), 1, loss="mse", contraction=contraction)
        history = train(recipe, model, training, validation, None, False)
        losses = ", ".join(f"{loss:.3f}" for loss in history.validation_loss)
        constant = bounds.lipschitz(model, span, "euclidean")
        print(f"contraction {contraction}: validation MSE {losses}; constant {constant:.2f}", flush=True)  # noqa: T201


def main():
    """Print the last validation loss and the Euclidean constant of a step."""
    arrays = parities(10)
    training, validation = ([a[part] for a in arrays] for part in (slice(TRAINED), slice(TRAINED, None)))
    span = float(arrays[2].min()), float(arrays[2].max())
    for contraction in (None, 0.95):
        model = CfC(1, 32, proj_size=1, backbone_units=32, return_sequences=False, seed=0)
        history = fit(
            model, training, loss="binary_cross_entropy", optimizer=Adam(0.01), epochs=EPOCHS, batch_size=64, clip=1.0,
            validation=validation, seed=0, progress=False, contraction=contraction,
        )  # fmt: skip
        model.load_state_dict(history.last_weights)
        constant = bounds.lipschitz(model, span, "euclidean")
        print(f"contraction {contraction}: loss {history.validation_loss[-1]:.3f}, constant {constant:.2f}")  # noqa: T201


if __name__ == "__main__":
    walker2d(sys.argv[1]) if sys.argv[1:] else main()
