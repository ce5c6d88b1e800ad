"""``python -m tests.learn.contraction_trials``: a task that needs memory, with and without contraction."""

import numpy as np

from cfc_ref import CfC, bounds, fit
from cfc_ref.learn.optimizers import Adam

BITS, SEQUENCES, TRAINED, EPOCHS = 5, 1000, 800, 120


def parities(seed):
    """Return bits of ±1 at irregular times, and whether the number of ones is odd."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (SEQUENCES, BITS))
    return 2.0 * bits[..., None] - 1, (bits.sum(axis=1) % 2).astype(float), rng.uniform(0.5, 1.5, bits.shape)


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
    main()
