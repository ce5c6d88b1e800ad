r"""The class of the layers with an ODE: its solver, positive weights, its exact solution, and its adjoint."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.adjoint import d_adjoint_step, d_reversed_step
from cfc_ref.cells.ltc import network
from cfc_ref.cells.ltc.network import NetworkKept, ODENetwork, Readout, d_scaled, scaled
from cfc_ref.cells.ode import Equation, Scheme, d_positive, positive
from cfc_ref.cells.sequence import over_time
from cfc_ref.cells.solvers import SOLVERS, overstep, step_estimate
from cfc_ref.cells.tree import tree_map
from cfc_ref.layers.arguments import MOST_PARTS, arrange
from cfc_ref.layers.base import Gradients, Layer, Params, Tape
from cfc_ref.layers.initial import initialise_cfc
from cfc_ref.layers.settings import UNFOLDS, SolverSettings
from cfc_ref.layers.stability import StabilityWatch
from cfc_ref.neuron.trajectory import METHODS

__all__ = ["ODELayer"]


class ODELayer(Layer):
    r"""A layer whose time step solves :math:`C \dot x = Q(x, I) - G(x, I)\,x`; :class:`cfc_ref.LTC` is one."""

    ode_unfolds: int | None
    step: float | None
    implicit_param_constraints: bool
    solver: str
    _positive: frozenset[str]  # weights that must be > 0 (or >= 0 where they are explicit)
    _unfolds = UNFOLDS

    def __init__(self, settings: SolverSettings, units: Any, seed: Any, backend: str) -> None:
        if SOLVERS[settings.solver].whole is not None:
            for name, default in (("step", None), ("ode_unfolds", self._unfolds)):
                if getattr(settings, name) != default:
                    expected = f"{default}, the default, as {settings.solver} chooses its steps itself"
                    checks.refuse(name, getattr(settings, name), expected, f"remove {name}")
        super().__init__(settings, units, seed, backend)
        self._scheme = Scheme(self.equation, self.solver, self.ode_unfolds or self._unfolds, self.step)
        self._longest = math.inf if self.step is None else MOST_PARTS * self.step
        self._watch = StabilityWatch(self.solver, self.ode_unfolds)

    def _allocate(self) -> Params:
        cell, input_map, output_map = self._allocate_cell()
        lstm = self._lstm() if self.mixed_memory else None
        return Params(ODENetwork(cell, input_map, lstm), (output_map, self._projection()))

    def _draw(self, rng: np.random.Generator) -> None:
        self._draw_cell(rng)
        others = {key: array for key, array in self._arrays.items() if key.startswith(("lstm.", "fc."))}
        initialise_cfc(others, "default", "torch", rng)

    @property
    def equation(self) -> Equation:
        """The ODE in the form that the solvers take."""
        raise NotImplementedError

    def _allocate_cell(self) -> tuple[Any, Any, Any]:
        """Allocate the arrays of the cell, and of the maps of inputs and outputs or None; return their names."""
        raise NotImplementedError

    def _draw_cell(self, rng: np.random.Generator) -> None:
        """Write fresh weights into the arrays of the cell and of the maps."""
        raise NotImplementedError

    # --- positive weights

    def _effective(self, key: str, array: Array) -> Array:
        if key not in self._positive:
            return super()._effective(key, array)
        if not self.implicit_param_constraints:
            self._at_least_0(f"parameters[{key!r}]", key, array, "call project() after each step of an optimiser")
        array = positive(array, self.implicit_param_constraints)
        return array * self._masks[key] if key in self._masks else array

    def _d_effective(self, key: str, value: Array, d_value: Array) -> Array:
        if key in self._positive:
            d_value = d_positive(value, d_value, self.implicit_param_constraints)
        return super()._d_effective(key, value, d_value)

    def _accepts(self, name: str, key: str, array: Array) -> None:
        super()._accepts(name, key, array)
        if key in self._positive and not self.implicit_param_constraints:
            do = "project them first, numpy.maximum(array, 0), or let implicit_param_constraints be True"
            self._at_least_0(name, key, array, do)

    def _at_least_0(self, name: str, key: str, array: Array, do: str) -> None:
        ok = array >= 0
        if key in self._masks:
            ok |= self._masks[key] == 0
        checks.compare(name, array, ok, "weights >= 0, as implicit_param_constraints is False", do)

    def project(self) -> None:
        """Set explicit weights below 0 to 0, in place; call it after each step of an optimiser.

        It does nothing if softplus keeps the weights positive (``implicit_param_constraints=True``).
        """
        if not self.implicit_param_constraints:
            for key in self._positive:
                np.maximum(self._arrays[key], 0, out=self._arrays[key])

    def apply_weight_constraints(self) -> None:
        """Call :meth:`project`: ncps's name of it."""
        self.project()

    # --- one time step

    def _step(self, params: ODENetwork, x: Array, state: Any, dt: Array) -> tuple[Any, Any]:
        state, kept = network.step(params, x, state, dt, self._scheme)
        over = overstep(self._scheme, params.cell, kept.solver) if self._watch.on else None
        if over is not None:
            self._watch(over.h, over.rate)
        return state, kept

    def _d_step(self, params: ODENetwork, kept: NetworkKept, d_state: Any) -> tuple[Any, Array, Any, Array]:
        return network.d_step(params, kept, d_state, self._scheme)

    def _projected(self, params: Readout, read: Array) -> Array:
        output_map, fc = params
        return super()._projected(fc, scaled(output_map, read))

    def _d_projected(self, params: Readout, read: Array, d_y: Array) -> tuple[Any, Array]:
        output_map, fc = params
        d_fc, d_mapped = super()._d_projected(fc, scaled(output_map, read), d_y)
        d_output_map, d_read = d_scaled(output_map, read, d_mapped)
        return (d_output_map, d_fc), d_read

    # --- the ODE itself

    def solve(
        self,
        x: Any,
        hx: Any = None,
        timespans: Any = None,
        *,
        between: str = "held",
        method: str = "DOP853",
        rtol: float = 1e-10,
        atol: float = 1e-12,
    ) -> Array:
        """Solve the network's ODE with scipy, which is the truth for the layer's solver.

        Parameters
        ----------
        x, hx, timespans
            As in a plain call.
        between : {"held", "linear"}
            The input between two samples: the later sample, or a line from one to the other (the first one is held).
        method : {"RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA"}
            scipy's solver.
        rtol, atol : float
            Its tolerances, of every neuron and time step.

        Returns
        -------
        ndarray of float64, shape (B, T, units) in the layout of `x`
            The states.

        Raises
        ------
        ValueError, TypeError
            For arguments that do not fit.
        RuntimeError
            If scipy's solver gives up.
        """
        checks.choice("between", between, ("held", "linear"))
        scheme = self._scheme._replace(
            solver="scipy",
            method=checks.choice("method", method, METHODS),
            rtol=checks.number("rtol", rtol, positive=True),
            atol=checks.number("atol", atol, positive=True),
        )
        call = arrange(self.expected._replace(longest=math.inf), x, hx, timespans)
        params, samples, start, dt = tree_map(_as_float64, (self.weights.network, call.x, call.state, call.dt))
        before = np.concatenate([samples[:, :1], samples[:, :-1]], axis=1)

        def step(params: Any, both: Array, state: Any, dt: Array) -> Any:
            was, now = np.split(both, 2, axis=1)
            return network.step(params, now, state, dt, scheme, was if between == "linear" else None)

        states, _ = over_time(step, params, np.concatenate([before, samples], axis=2), start, dt, keep=False)
        whole = [state[0] for state in states[1:]]
        return call.outward(np.stack(whole, axis=1) if whole else np.empty((*dt.shape, self.state_size)))

    def solve_error(self, x: Any, hx: Any = None, timespans: Any = None) -> Array:
        r"""Return an estimate of the error that each time step adds: an indication, no bound (THEORY 5.8).

        It is :math:`x^+ - \hat x`, with :math:`\hat x` a result of order 3 from the same looks, summed over the parts
        of a step. What errors of earlier steps have become is not in it.

        Parameters
        ----------
        x, hx, timespans
            As in a plain call.

        Returns
        -------
        ndarray of float64, shape (B, T, units) in the layout of `x`

        Raises
        ------
        ValueError, TypeError
            For arguments that do not fit, and for a solver other than "cf4".

        Examples
        --------
        >>> from cfc_ref import LTC
        >>> layer = LTC(2, 3, solver="cf4", step=0.25, seed=0)
        >>> x = np.ones((5, 2))
        >>> bool(np.abs(layer.solve_error(x)).max() < 1e-2)
        True
        """
        if SOLVERS[self.solver].estimate is None:
            able = " or ".join(repr(name) for name, solver in SOLVERS.items() if solver.estimate)
            checks.refuse("solver", repr(self.solver), f"{able}, which estimates its error", "make such a layer")
        call = arrange(self.expected, x, hx, timespans)
        params, samples, start, dt = tree_map(_as_float64, (self.weights.network, call.x, call.state, call.dt))
        _, kept = over_time(self._step, params, samples, start, dt, keep=True)
        errors = [step_estimate(self._scheme, params.cell, step.solver) for step in kept]
        return call.outward(np.stack(errors, axis=1) if errors else np.empty((*dt.shape, self.state_size)))

    def adjoint(self, tape: Tape, d_output: Any, d_hx: Any = None, *, reverse_state: bool = False) -> Gradients:
        """Return the gradient of a layer with ``solver="scipy"``: another ODE, solved backwards in time.

        Parameters
        ----------
        tape, d_output, d_hx
            As in :meth:`backward`.
        reverse_state : bool
            Integrate the state back as well, instead of keeping the forward solution. For teaching only: what a neuron
            forgets forwards like exp(-t/τ) grows backwards like exp(t/τ), and so does every error.

        Returns
        -------
        Gradients

        Raises
        ------
        ValueError, TypeError
            For arguments that do not fit.
        RuntimeError
            If scipy's solver gives up.
        """
        if SOLVERS[self.solver].whole is None:
            checks.refuse("solver", repr(self.solver), "'scipy' for the adjoint", "call backward")
        checks.flag("reverse_state", reverse_state)
        d_solver = d_reversed_step if reverse_state else d_adjoint_step
        d_step = partial(network.d_step, scheme=self._scheme, d_solver=d_solver)
        return self._gradients(tape, d_output, d_hx, partial(self._d_over_time, d_step=d_step))

    def _about(self) -> str:
        parts = "" if self.step is None else f", step {self.step:g}"
        if self.ode_unfolds is not None and SOLVERS[self.solver].whole is None:
            parts = f" x {self.ode_unfolds}"
        explicit = "" if self.implicit_param_constraints else ", explicit weights"
        return f", solver {self.solver!r}{parts}{explicit}{super()._about()}"


def _as_float64(array: Array) -> Array:
    return array.astype(np.float64)
