"""The figures that ``cfc-ref verify --out`` saves."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from cfc_ref import plots
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.signals import PiecewiseConstant, Sampled, Signal, sine

__all__ = ["CAPTIONS", "recorded_example", "report_figures"]

_FOLDINGS = 8.0  # length of the recorded example in time constants 1/(w + 1)
_POINTS = 400

CAPTIONS = {
    "forms.png": "Both ODEs, the closed form and the frozen forms under one recorded input, with the bands in which "
    "the symmetric form and the LTC as stated must lie.",
    "error.png": "The closed form's error over time against each bound: against the symmetric form it decays as "
    "Lemma 1 says, against the LTC as stated it settles on a floor.",
    "extremal.png": "The sharp interval of the error against the LTC as stated, and the inputs that reach it.",
    "lemma1.png": "The interval of Lemma 1 for a known range of f(I), and the switching inputs that approach its ends.",
    "worst_error_leak.png": "Largest possible error against the LTC as stated over leak and time.",
    "worst_error_range.png": "Largest possible error against the LTC as stated over the width of the range of f(I) and "
    "time.",
    "work_precision.png": "Largest error of scipy's solvers and of the frozen closed forms over the number of looks at "
    "the input, under a sine.",
}


def recorded_example(
    recording: Sampled | PiecewiseConstant, fixed: Mapping[str, float]
) -> tuple[LTCNeuron, Signal, float, float]:
    """Choose a neuron and a piece of a recording that show both ODEs apart."""
    values = recording.values
    given = {"w_tau": 1.0, "A": 1.0, "mu": float(values.mean()), "sigma": 2 / (float(values.std()) or 1.0), "x0": -1.0}
    w_tau, A, mu, sigma, x0 = (fixed.get(name, value) for name, value in given.items())
    neuron = LTCNeuron(w_tau, A, mu, sigma)
    signal = type(recording)(recording.times - recording.times[0], values)
    return neuron, signal, x0, min(float(signal.times[-1]), _FOLDINGS / (float(neuron.w_tau) + 1))


def report_figures(recording: Sampled | PiecewiseConstant, fixed: Mapping[str, float]) -> Iterator[tuple[str, bytes]]:
    """Yield file names of :data:`CAPTIONS` and PNG images; those whose numbers overflow are left out."""
    from matplotlib.figure import Figure

    neuron, signal, x0, end = recorded_example(recording, fixed)
    t = np.linspace(0, end, _POINTS)
    wave = sine(amplitude=2 / (abs(float(neuron.sigma)) or 1), frequency=2 / end, offset=float(neuron.mu))
    step = end / 40

    def forms(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, height_ratios=[1, 3], sharex=True)
        plots.plot_signal(signal, t, ax=upper)
        upper.set_xlabel("")
        upper.set_ylabel("input I")
        plots.plot_forms(neuron, signal, x0, t, step=step, ax=lower)

    def single(draw: Any, *args: Any, **kwargs: Any) -> Any:
        return lambda figure: draw(*args, **kwargs, ax=figure.subplots())

    draws = {
        "forms.png": forms,
        "error.png": single(plots.plot_error, neuron, signal, x0, t, step=step),
        "extremal.png": single(plots.plot_extremal, neuron, x0, t),
        "lemma1.png": single(plots.plot_lemma1_extremal, neuron, x0, t),
        "worst_error_leak.png": single(plots.plot_worst_error_leak, A=float(neuron.A), x0=x0),
        "worst_error_range.png": single(plots.plot_worst_error_range, neuron, x0),
        "work_precision.png": single(plots.plot_work_precision, neuron, wave, x0, end),
    }
    for name in CAPTIONS:
        figure, buffer = Figure(figsize=(7.2, 6.4 if name == "forms.png" else 5.2), layout="constrained"), io.BytesIO()
        try:
            with np.errstate(over="raise", invalid="raise"):
                draws[name](figure)
                figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
        except (ArithmeticError, ValueError, RuntimeError):
            continue
        yield name, buffer.getvalue()
