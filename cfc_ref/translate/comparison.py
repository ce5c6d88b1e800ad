"""Compare the translations of an LTC network with its ODE: errors, the bounds that apply, a table, a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.bounds.certificates import box
from cfc_ref.bounds.synaptic import FrozenCertificate, network_frozen_error
from cfc_ref.cells.tree import tree_map
from cfc_ref.facade import figure
from cfc_ref.translate.run_bound import RunBound, bound_along_the_run
from cfc_ref.translate.translations import Posed, algorithm1, algorithm1_free, frozen_translation, pose

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LABELS", "PAPER_MSE", "Comparison", "Translation", "compare"]

_ROUNDING = 1e-9  # further outside is outside
PAPER_MSE = 0.006  # one output neuron of a trained NCP, with times chosen for each neuron in the published script
LABELS = {
    "algorithm1": "Algorithm 1 (teacher-forced)",
    "algorithm1_free": "Algorithm 1, free-running",
    "frozen": "frozen translation",
    "cf4": "CF4 translation",
}


class Translation(NamedTuple):
    """One translation and its errors against the ODE."""

    states: Array  # (B, T, units): its trajectory
    error: Array  # ODE minus translation, for every neuron and time
    output_error: Array  # (B, T, outputs): the same of the network's output
    outside: Array  # where it has left the box that the ODE's states do not leave

    @property
    def rms(self) -> Array:
        """Root mean square error of every neuron, shape (units,)."""
        return np.sqrt(np.mean(self.error**2, axis=tuple(range(self.error.ndim - 1))))

    @property
    def output_mse(self) -> float:
        """Mean squared error of the outputs."""
        return float(np.mean(self.output_error**2))


class Comparison(NamedTuple):
    """Translations of an LTC network against its ODE.

    Attributes
    ----------
    network : LTC
        What was translated.
    times : ndarray, shape (B, T) in the layout of x
        Of the samples, since the start.
    truth : ndarray, shape (B, T, units)
        The ODE's states, by scipy.
    outputs : ndarray, shape (B, T, outputs)
        The network's output of those.
    translations : dict of Translation
        "algorithm1" (teacher-forced), "algorithm1_free", "frozen", and where it was asked for, "cf4".
    box : (low, high)
        The box that the states of ODE and frozen translation do not leave, shape (units,) each.
    certificate : FrozenCertificate
        Bound on the error of "frozen", for inputs in the range of x. Algorithm 1 has none.
    parts : int
        Of a time step, for "frozen" and "cf4".
    estimate : ndarray, shape of truth, or None
        With "cf4", an estimate of its error: 16/15 of the difference between twice as many parts and `parts`.
    run : RunBound or None
        With "cf4", bounds of its error along the run.
    """

    network: Any
    times: Array
    truth: Array
    outputs: Array
    translations: dict[str, Translation]
    box: tuple[Array, Array]
    certificate: FrozenCertificate
    parts: int
    estimate: Array | None = None
    run: RunBound | None = None

    def __str__(self) -> str:
        units, outputs, steps = self.truth.shape[-1], self.outputs.shape[-1], self.times.size
        lines = [
            f"Translations into closed form against the ODE: {units} neurons, {outputs} of them read, {steps:,} steps, "
            f"frozen in {self.parts} part{'s' * (self.parts > 1)} each",
            f"{'':30}{'output':>12}{'states: rms':>14}{'largest':>12}{'worst':>8}{'outside':>10}",
            f"{'':30}{'MSE':>12}{'error':>14}{'error':>12}{'neuron':>8}{'the box':>10}",
        ]
        for name, way in self.translations.items():
            rms, largest = float(np.sqrt(np.mean(way.error**2))), float(np.max(np.abs(way.error)))
            lines.append(
                f"{LABELS[name]:30}{way.output_mse:>12.3g}{rms:>14.3g}{largest:>12.3g}{np.argmax(way.rms):>8}"
                f"{np.mean(way.outside):>10.1%}"
            )
        return "\n".join(
            [
                *lines,
                f"{'the paper, Algorithm 1':30}{PAPER_MSE:>12}   (one output neuron, times of its own)",
                f"{'variance of the output':30}{float(np.var(self.outputs)):>12.3g}   (the ODE's)",
                f"bound of the frozen translation: {self.certificate}",
                *self._of_cf4(),
            ]
        )

    def _of_cf4(self) -> list[str]:
        """Return what is known of the error of "cf4" without its truth."""
        if self.estimate is None:
            return []
        return [
            f"estimate of the CF4 translation's largest error: {np.max(np.abs(self.estimate)):.3g} (an indication)",
            f"bound of the CF4 translation along the run: {self.run}",
        ]

    def plot(self, *, sequence: int = 0, ax: Axes | None = None) -> Axes:
        """Draw the errors over time with :func:`cfc_ref.plots.plot_translation_error`."""
        axes: Axes = figure("plot_translation_error")(self, sequence=sequence, ax=ax)
        return axes


def compare(
    network: Any, x: npt.ArrayLike, timespans: Any = None, hx: Any = None, *, parts: int = 1, kind: str = "frozen"
) -> Comparison:
    """Translate a network in every way, and hold each against its ODE, with the bounds that apply.

    Parameters
    ----------
    network : LTC
        Without mixed memory.
    x, timespans, hx
        As in a call of the network (there `hx` comes before `timespans`); at least one time step.
    parts : int
        Of a time step, for the frozen translation.
    kind : {"frozen", "cf4"}
        "cf4" adds the translation of order 4 with as many parts, an estimate of its error, and bounds along its run.

    Returns
    -------
    Comparison
        ``print`` it for a table, ``.plot()`` it for the errors over time.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit, before anything is computed.
    RuntimeError
        If scipy's solver gives up.

    Examples
    --------
    >>> from cfc_ref import LTC
    >>> compared = compare(LTC(1, 3, seed=0), np.zeros((40, 1)))
    >>> compared.translations["frozen"].output_mse < compared.translations["algorithm1"].output_mse
    True
    >>> compared = compare(LTC(1, 3, seed=0), np.zeros((40, 1)), kind="cf4")
    >>> bool(np.all(np.linalg.norm(compared.translations["cf4"].error, axis=-1) <= compared.run.bound + 1e-9))
    True
    """
    parts = checks.count("parts", parts, at_least=1)
    checks.choice("kind", kind, ("frozen", "cf4"))
    posed = pose(network, x, timespans, hx)
    if not posed.dt.size:
        checks.refuse("x", "no time steps", "at least one", "pass a sequence")
    truth = network.solve(x, hx, timespans)
    ways = {
        "algorithm1": algorithm1(network, x, timespans, hx, activity=truth),
        "algorithm1_free": algorithm1_free(network, x, timespans, hx),
        "frozen": frozen_translation(network, x, timespans, hx, parts=parts),
    }
    estimate = None
    if kind == "cf4":
        ways["cf4"], finer = (
            frozen_translation(network, x, timespans, hx, parts=n, kind=kind) for n in (parts, 2 * parts)
        )
        estimate = 16 / 15 * (finer - ways["cf4"])
    start = np.stack([posed.x0.min(axis=0), posed.x0.max(axis=0)])
    low, high = states_box = box(network, start)
    times, outputs = posed.call.outward(posed.times[:, :, 0]), _outputs(network, truth)
    translations = {}
    for name, states in ways.items():
        outside = (states < low - _ROUNDING) | (states > high + _ROUNDING)
        translations[name] = Translation(states, truth - states, outputs - _outputs(network, states), outside)
    certificate = _certificate(network, posed, times, start, parts)
    run = bound_along_the_run(posed, network.epsilon, states_box, parts) if kind == "cf4" else None
    return Comparison(network, times, truth, outputs, translations, states_box, certificate, parts, estimate, run)


def _outputs(network: Any, states: Array) -> Array:
    """Return what a network reads out of states of shape (..., units), in float64."""
    readout = tree_map(lambda array: array.astype(np.float64), network.weights.readout)
    flat = network.readout(readout, states.reshape(-1, network.state_size))
    return flat.reshape((*states.shape[:-1], network.output_size))


def _certificate(network: Any, posed: Posed, times: Array, start: Array, parts: int) -> FrozenCertificate:
    """Return the bound of the frozen translation, for inputs in the range of those of the call."""
    low, high = (end(posed.call.x, axis=(0, 1)) for end in (np.min, np.max))
    step = float(posed.dt.max()) / parts or 1.0  # where no time passes at all, any step is an upper bound
    return network_frozen_error(network, low, high, times, step, start)
