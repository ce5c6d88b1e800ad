"""Translations of a trained LTC against its ODE: ``python -m cfc_ref.report.networks.translation_study``.

An NCP of 19 neurons and one output, as in the paper, learns the next sample of one EEG channel from all four, on the
first 80 % of the recording. On the rest its translations are compared with its ODE. With ``--task others`` the target
is the channel's sample at the same time as that of the three others, which say little about it; with ``--walker
FOLDER`` it is the next value of the first column of rollouts.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.layers.ltc import LTC
from cfc_ref.learn.optimizers import Adam
from cfc_ref.translate import algorithm1, compare
from cfc_ref.wirings import AutoNCP

if TYPE_CHECKING:
    from cfc_ref.translate.comparison import Comparison

__all__ = ["StudyData", "TrainedLTC", "compare_on_the_rest", "eeg", "kindest", "main", "train", "walker"]

_UNITS, _WINDOW, _STRIDE, _BATCH = 19, 32, 8, 26
_LEARNING_RATE = 0.02


class StudyData(NamedTuple):
    """Training sequences, and the rest on which translations are compared."""

    x: Array  # (N, T, inputs)
    y: Array  # (N, T, 1)
    before: Array  # (K, inputs): the samples before the rest; K may be 0
    rest_x: Array  # (T, inputs)
    rest_y: Array  # (T, 1)


class TrainedLTC(NamedTuple):
    """A trained network, with its mean squared errors of prediction."""

    network: LTC
    train_mse: float
    rest_mse: float
    seconds: float


def eeg(task: str = "next") -> StudyData:
    """Return the EEG sample, 80 samples a second, for the last channel."""
    from cfc_ref.datasets.eeg import eeg_recording

    values = eeg_recording().values.T
    x, y = (values[:-1], values[1:, 3:]) if task == "next" else (values[:, :3], values[:, 3:])
    cut = int(0.8 * len(values))
    starts = range(0, cut - _WINDOW + 1, _STRIDE)
    windows = [np.stack([array[k : k + _WINDOW] for k in starts]) for array in (x, y)]
    return StudyData(windows[0], windows[1], x[:cut], x[cut:], y[cut:])


def walker(folder: str, count: int = 10) -> StudyData:
    """Load rollouts: the next value of the first column from all columns, the last file held back."""
    files = sorted(Path(folder).glob("rollout_*.npy"))[:count]
    rollouts = [np.load(file, allow_pickle=False).astype(np.float64) for file in files]
    cut = int(0.8 * len(rollouts))
    windows = [
        rollout[k : k + _WINDOW + 1]
        for rollout in rollouts[:cut]
        for k in range(0, len(rollout) - _WINDOW, 4 * _STRIDE)
    ]
    data, last = np.stack(windows), rollouts[-1]
    return StudyData(data[:, :-1], data[:, 1:, :1], last[:0], last[:-1], last[1:, :1])


def train(recording: StudyData, seed: int = 0, epochs: int = 60) -> TrainedLTC:
    """Train an NCP with Adam, on windows in batches."""
    start = time.perf_counter()
    rng = np.random.default_rng(seed)
    network = LTC(recording.x.shape[-1], AutoNCP(_UNITS, 1), seed=rng)
    adam, parameters = Adam(_LEARNING_RATE), network.parameters
    memory, mean = adam.start(parameters), np.inf
    for epoch in range(epochs):
        losses = []
        for batch in np.array_split(rng.permutation(len(recording.x)), max(1, len(recording.x) // _BATCH)):
            output, _, tape = network.forward(recording.x[batch])
            error = output - recording.y[batch]
            gradients = network.backward(tape, 2 * error / error.size)
            adam.step(parameters, gradients.parameters, memory, _LEARNING_RATE * (1 - epoch / epochs))
            losses.append(np.mean(error**2))
        mean = float(np.mean(losses))
    output, _ = network(recording.rest_x, _state_before(recording, network))
    return TrainedLTC(network, mean, float(np.mean((output - recording.rest_y) ** 2)), time.perf_counter() - start)


def _state_before(recording: StudyData, network: LTC) -> Array:
    """Return the ODE's state where the rest begins."""
    before = network.solve(recording.before)
    return before[-1] if len(before) else np.zeros(network.state_size)


def compare_on_the_rest(recording: StudyData, network: LTC, parts: int = 1, kind: str = "frozen") -> Comparison:
    """Compare every translation with the ODE on the rest, from the state that the recording leads to."""
    return compare(network, recording.rest_x, hx=_state_before(recording, network), parts=parts, kind=kind)


def kindest(recording: StudyData, compared: Comparison) -> dict[str, tuple[float, float]]:
    """Return the time step δ, one per network, that suits Algorithm 1 best, and the output's MSE with it."""
    network, truth = compared.network, compared.truth
    start = _state_before(recording, network)
    last = np.concatenate([start[None], truth[:-1]])
    factor = float(network.parameters["rnn_cell.output_w"][0])
    found: dict[str, tuple[float, float]] = {}
    for delta in np.logspace(-5, 0.25, 22).tolist():
        ways = {
            "from the start": algorithm1(network, recording.rest_x, delta, start, activity=truth),
            "from the ODE's last state": algorithm1(
                network, recording.rest_x[:, None], delta, last, activity=truth[:, None]
            )[:, 0],
        }
        for name, states in ways.items():
            mse = float(np.mean((factor * (states - truth)[:, 0]) ** 2))
            if name not in found or mse < found[name][1]:
                found[name] = delta, mse
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m cfc_ref.report.networks.translation_study", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="networks to train")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--task", choices=("next", "others"), default="next", help="of the EEG sample")
    parser.add_argument("--walker", metavar="FOLDER", help="rollouts, instead of the EEG sample")
    given = parser.parse_args()
    recording = eeg(given.task) if given.walker is None else walker(given.walker)
    print(f"{len(recording.x)} windows of {_WINDOW} to train on, {len(recording.rest_x)} samples held back")
    for seed in range(given.seeds):
        trained = train(recording, seed, given.epochs)
        print(
            f"\nseed {seed}, {trained.seconds:.0f} s: prediction's MSE {trained.train_mse:.4f} in training, "
            f"{trained.rest_mse:.4f} held back (variance {np.var(recording.rest_y):.4f})"
        )
        compared = compare_on_the_rest(recording, trained.network)
        print(compared)
        of_neuron = ", ".join(f"{name} {way.rms[0] ** 2:.3g}" for name, way in compared.translations.items())
        print(f"MSE of the output neuron's state: {of_neuron}")
        for name, (delta, mse) in kindest(recording, compared).items():
            print(f"Algorithm 1 {name}, with time steps of {delta:.2g}, the best for it: output MSE {mse:.3g}")
        unfolds = trained.network.ode_unfolds or 1
        finer = compare_on_the_rest(recording, trained.network, unfolds).translations["frozen"].output_mse
        print(f"frozen translation in {unfolds} parts a step: output MSE {finer:.3g}")
        for parts in (1, 2, 4):
            compared = compare_on_the_rest(recording, trained.network, parts, "cf4")
            way = compared.translations["cf4"]
            estimate = np.abs(np.zeros(1) if compared.estimate is None else compared.estimate).max()
            print(
                f"CF4 translation, {4 * parts} looks a step: output MSE {way.output_mse:.3g}, "
                f"{way.output_mse / np.var(compared.outputs):.3g} of the variance; largest error of a state "
                f"{np.abs(way.error).max():.3g}, estimated {estimate:.3g}; along the run: {compared.run}"
            )
        own, _ = trained.network(recording.rest_x, _state_before(recording, trained.network))
        print(
            f"the layer itself, {unfolds} fused parts a step: output MSE {np.mean((own - compared.outputs) ** 2):.3g}"
        )


if __name__ == "__main__":
    main()
