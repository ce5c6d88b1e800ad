"""The figures that ``cfc-ref verify --out`` saves."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import plots
from cfc_ref.neuron.example import recorded_example
from cfc_ref.neuron.model import LTCNeuron
from cfc_ref.signals import PiecewiseConstant, Sampled, Signal, sine

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "report_figures"]

_POINTS = 400
_STEPS = 40  # of the frozen forms

CAPTIONS = {
    "forms.png": "Both ODEs, the closed form and the frozen forms under the recorded input, with the bands in which "
    "the symmetric form and the LTC as stated must lie. {neuron}; frozen steps of {step:.3g}.",
    "error.png": "The closed form's error over time against each bound, recorded input: against the symmetric form it "
    "decays as Lemma 1 says, against the LTC as stated it settles on a floor. {neuron}.",
    "lemma1.png": "The interval of Lemma 1 for f(I) in [0.1, 0.9], and the switching inputs that approach its ends. "
    "{neuron}.",
    "extremal.png": "The sharp interval of the error against the LTC as stated, f(I) in [0.1, 0.9], and the inputs "
    "that reach it. {neuron}.",
    "worst_error_leak.png": "Largest possible error against the LTC as stated over leak and time. A = {A:.4g}, x0 = "
    "{x0:.4g}, f(I) in [0.1, 0.9].",
    "worst_error_range.png": "Largest possible error against the LTC as stated over the width of the range of f(I) and "
    "time. {neuron}.",
    "work_precision.png": "Largest error of scipy's solvers and of the frozen closed forms over the number of looks at "
    "the input, under a sine of amplitude 2/|sigma| about mu with two periods in {end:.3g} units of time. {neuron}.",
    "samples.png": "Above: the recording, every {nth} of its samples, and every input that these and its largest slope "
    "allow. Below: the states that all those inputs can reach, and the true one. The largest slope is an assumption "
    "about what lies between the samples. {neuron}; the first {end:.4g} of {whole:.4g} units of time.",
    "ratio_of_eq9.png": "Worst error of Eq. 9 against the LTC as stated, over the worst error R of the best form with "
    "the same look at t. A = {A:.4g}, x0 = {x0:.4g}, f(I) in [0, 1].",
    "radius.png": "Errors over the step. Shaded: between R₋ and U, where the least error R of any form with one look "
    "per step lies. w = 1, A = 1, f(I) in [0.2, 1], L = 0.2, t = 5, start at rest under f(I) = 0.2.",
}


def report_figures(
    recording: Sampled | PiecewiseConstant, fixed: Mapping[str, float], wanted: Collection[str]
) -> Iterator[tuple[str, bytes, str]]:
    """Yield file names of :data:`CAPTIONS`, PNG images and captions; those whose numbers overflow are left out."""
    from matplotlib.figure import Figure

    neuron, signal, x0, end = recorded_example(recording, fixed)
    says = "w_tau = {w_tau:.4g}, A = {A:.4g}, mu = {mu:.4g}, sigma = {sigma:.4g}, x0 = {x0:.4g}"
    numbers = {name: float(getattr(neuron, name)) for name in ("w_tau", "A", "mu", "sigma")} | {"x0": x0}
    every = min(8, signal.breakpoints.size - 1)  # below the number of samples
    nth = {2: "2nd", 3: "3rd"}.get(every, f"{every}th")
    whole = float(signal.breakpoints[-1]) if signal.breakpoints.size else end
    filled = numbers | {
        "neuron": says.format(**numbers),
        "step": end / _STEPS,
        "end": end,
        "whole": max(whole, end),
        "nth": nth,
    }
    for name, draw in _draws(neuron, signal, x0, end, every).items():
        if name not in wanted or (name == "samples.png" and every < 2):
            continue
        tall = name in ("forms.png", "samples.png")
        figure, buffer = Figure(figsize=(7.2, 6.4 if tall else 5.2), layout="constrained"), io.BytesIO()
        try:
            with np.errstate(over="raise", invalid="raise"):
                draw(figure)
                figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
        except (ArithmeticError, ValueError, RuntimeError, TypeError):
            continue
        yield name, buffer.getvalue(), CAPTIONS[name].format(**filled)


def _draws(neuron: LTCNeuron, signal: Signal, x0: float, end: float, every: int) -> dict[str, Callable[[Figure], Any]]:
    """Return the function that draws each figure."""
    t, step = np.linspace(0, end, _POINTS), end / _STEPS
    wave = sine(amplitude=2 / (abs(float(neuron.sigma)) or 1), frequency=2 / end, offset=float(neuron.mu))

    def two(above: Callable[..., Any], below: Callable[..., Any]) -> Callable[[Figure], None]:
        def draw(figure: Figure) -> None:
            upper, lower = figure.subplots(2, 1, height_ratios=[1, 3], sharex=True)
            above(ax=upper)
            upper.set_xlabel("")
            upper.set_ylabel("input I")
            below(ax=lower)

        return draw

    def one(draw: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[[Figure], Any]:
        return lambda figure: draw(*args, **kwargs, ax=figure.subplots())

    return {
        "forms.png": two(
            partial(plots.plot_signal, signal, t), partial(plots.plot_forms, neuron, signal, x0, t, step=step)
        ),
        "error.png": one(plots.plot_error, neuron, signal, x0, t, step=step),
        "extremal.png": one(plots.plot_extremal, neuron, x0, t),
        "lemma1.png": one(plots.plot_lemma1_extremal, neuron, x0, t),
        "worst_error_leak.png": one(plots.plot_worst_error_leak, A=float(neuron.A), x0=x0),
        "worst_error_range.png": one(plots.plot_worst_error_range, neuron, x0),
        "work_precision.png": one(plots.plot_work_precision, neuron, wave, x0, end),
        "samples.png": two(
            partial(plots.plot_samples_of_input, signal, t, every),
            partial(plots.plot_samples, neuron, signal, x0, t, every),
        ),
        "ratio_of_eq9.png": one(plots.plot_ratio_of_eq9, A=float(neuron.A), x0=x0),
        "radius.png": one(plots.plot_radius_per_step),
    }
