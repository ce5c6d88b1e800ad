r"""What the layers with an ODE share: the choice of a solver, positive weights, the ODE's solution and its adjoint."""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from cfc_ref import checks
from cfc_ref.cells.adjoint import d_adjoint_step, d_reversed_step
from cfc_ref.cells.dense import Dense, affine, d_affine
from cfc_ref.cells.ltc import network
from cfc_ref.cells.ltc.network import NetworkKept, ODENetwork, Scaling, d_scaled, scaled
from cfc_ref.cells.ode import Equation, Scheme, d_positive, positive
from cfc_ref.cells.sequence import over_time
from cfc_ref.cells.solvers import SOLVERS, overstep
from cfc_ref.cells.tree import tree_map
from cfc_ref.layers.arguments import arrange
from cfc_ref.layers.base import UNDRAWN, Gradients, Params, Tape
from cfc_ref.layers.initial import generator, initialise_cfc
from cfc_ref.layers.settings import SolverSettings
from cfc_ref.layers.streaming import StreamingLayer
from cfc_ref.neuron.trajectory import METHODS

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["ODELayer"]


class ODELayer(StreamingLayer):
    r"""A layer whose time step solves :math:`C \dot x = Q(x, I) - G(x, I)\,x`; :class:`cfc_ref.LTC` is one."""

    ode_unfolds: int
    implicit_param_constraints: bool
    solver: str
    _positive: frozenset[str]  # weights that have to be > 0 (or >= 0 where they are explicit)
    _read: int  # the first neurons, which are read out
    _unfolds = 6  # the default, as ncps's

    def __init__(self, settings: SolverSettings, backend: str) -> None:
        self._adopt(settings, backend)
        if self.solver == "scipy" and self.ode_unfolds != self._unfolds:
            expected = f"{self._unfolds}, the default, as scipy chooses its steps itself"
            checks.refuse("ode_unfolds", self.ode_unfolds, expected, "remove ode_unfolds")
        self._watches = SOLVERS[self.solver].limit < math.inf  # until it has warned once

    def _finish(self, cell: Any, input_map: Any, output_map: Any, seed: Any) -> None:
        """Allocate what follows the cell, and draw the weights."""
        lstm = self._lstm() if self.mixed_memory else None
        fc = None if self.proj_size is None else self._dense("fc", self.proj_size, self._read)
        self.output_size = self._read if self.proj_size is None else self.proj_size
        self._keys = Params(ODENetwork(cell, input_map, lstm), (output_map, fc))
        self._scheme = Scheme(self.equation, self.solver, self.ode_unfolds)
        if seed is not UNDRAWN:
            rng = generator(seed)
            self._draw(rng)
            others = {key: array for key, array in self._arrays.items() if key.startswith(("lstm.", "fc."))}
            initialise_cfc(others, "default", "torch", rng)

    @property
    def equation(self) -> Equation:
        """The ODE, as the solvers take it."""
        raise NotImplementedError

    def _draw(self, rng: np.random.Generator) -> None:
        """Write fresh weights into the cell's arrays and the maps'."""
        raise NotImplementedError

    # --- positive weights

    def _effective(self, key: str) -> Array:
        array = self._arrays[key]
        if key not in self._positive:
            return super()._effective(key)
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
        """Set explicit weights below 0 to 0, in place: what an optimiser has to do after each step.

        Where softplus keeps the weights positive (``implicit_param_constraints=True``) there is nothing to do.
        """
        if not self.implicit_param_constraints:
            for key in self._positive:
                np.maximum(self._arrays[key], 0, out=self._arrays[key])

    def apply_weight_constraints(self) -> None:
        """Do as :meth:`project`: ncps's name of it."""
        self.project()

    # --- one time step

    def _step(self, params: ODENetwork, x: Array, state: Any, dt: Array) -> tuple[Any, Any]:
        state, kept = network.step(params, x, state, dt, self._scheme)
        if self._watches:
            self._watch(params, kept)
        return state, kept

    def _watch(self, params: ODENetwork, kept: NetworkKept) -> None:
        """Warn, once, where an explicit solver leaves its stability region."""
        over = overstep(self._scheme, params.cell, kept.solver)
        if over is None:
            return
        self._watches = False
        step = over.limit / over.rate
        more = math.ceil(self.ode_unfolds * over.h / step)
        warnings.warn(
            f"solver {self.solver!r} has left its stability region: a step of {over.h:.3g} times a rate of "
            f"{over.rate:.3g} is above {over.limit:.4g}; it needs steps of at most {step:.3g}, which is "
            f"ode_unfolds={more} at this timespan; or choose 'fused' or 'frozen'",
            RuntimeWarning,
            stacklevel=2,
        )

    def _d_step(self, params: ODENetwork, kept: NetworkKept, d_state: Any) -> tuple[Any, Array, Any, Array]:
        return network.d_step(params, kept, d_state, self._scheme)

    def readout(self, params: tuple[Scaling | None, Dense | None], h: Array) -> Array:
        """Return the outputs of states of shape (n, units)."""
        output_map, fc = params
        y = scaled(output_map, h[:, : self._read])
        return y if fc is None else affine(fc, y)

    def _d_readout(self, params: tuple[Scaling | None, Dense | None], h: Array, d_y: Array) -> tuple[Any, Array]:
        output_map, fc = params
        motor, d_y = h.reshape(-1, self.state_size)[:, : self._read], d_y.reshape(-1, self.output_size)
        d_fc = None
        if fc is not None:
            d_fc, d_y = d_affine(fc, scaled(output_map, motor), d_y)
        d_output_map, d_motor = d_scaled(output_map, motor, d_y)
        d_h = np.zeros_like(h)
        d_h[..., : self._read] = d_motor.reshape(*h.shape[:2], self._read)
        return (d_output_map, d_fc), d_h

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
        """Solve the network's ODE with scipy, whatever the layer's own solver is: the truth for it.

        Parameters
        ----------
        x, hx, timespans
            As in a plain call.
        between : {"held", "linear"}
            A sample holds from the previous one's time to its own; or the input runs along a line from the previous
            sample (the first one is held).
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
            In three parts, before anything is computed.
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
        call = arrange(self.expected, x, hx, timespans)
        params, samples, start, dt = tree_map(_as_float64, (self.weights.network, call.x, call.state, call.dt))
        before = np.concatenate([samples[:, :1], samples[:, :-1]], axis=1)

        def step(params: Any, both: Array, state: Any, dt: Array) -> Any:
            was, now = np.split(both, 2, axis=1)
            return network.step(params, now, state, dt, scheme, was if between == "linear" else None)

        states, _ = over_time(step, params, np.concatenate([before, samples], axis=2), start, dt, keep=False)
        whole = [state[0] for state in states[1:]]
        return call.outward(np.stack(whole, axis=1) if whole else np.empty((*dt.shape, self.state_size)))

    def adjoint(self, tape: Tape, d_output: Any, d_hx: Any = None, *, reverse_state: bool = False) -> Gradients:
        """Gradient of a layer with ``solver="scipy"``: another ODE, solved backwards in time.

        Parameters
        ----------
        tape, d_output, d_hx
            As in :meth:`backward`.
        reverse_state : bool
            Integrate the state back as well, in place of the forward solution. A lesson, not a method: what a neuron
            forgets forwards like exp(-t/τ) comes back like exp(t/τ), and so does every error.

        Returns
        -------
        Gradients

        Raises
        ------
        ValueError, TypeError
            In three parts, before anything is computed.
        RuntimeError
            If scipy's solver gives up.
        """
        if self.solver != "scipy":
            checks.refuse("solver", repr(self.solver), "'scipy' for the adjoint", "call backward, its own gradient")
        checks.flag("reverse_state", reverse_state)
        d_solver = d_reversed_step if reverse_state else d_adjoint_step
        d_step = partial(network.d_step, scheme=self._scheme, d_solver=d_solver)
        return self._gradients(tape, d_output, d_hx, partial(self._d_over_time, d_step=d_step))

    def __repr__(self) -> str:
        count = sum(array.size for array in self.parameters.values())
        who = f"{self.state_size} units" if self.wiring is None else repr(self.wiring)
        steps = "" if self.solver == "scipy" else f" x {self.ode_unfolds}"
        parts = [
            f"{self.input_size} inputs, {who}, {self.output_size} outputs, solver {self.solver!r}{steps}",
            "" if self.implicit_param_constraints else ", explicit weights",
            ", mixed memory" if self.mixed_memory else "",
            f", {self.dtype.name}, {count:,} parameters",
        ]
        return f"{type(self).__name__}({''.join(parts)})"


def _as_float64(array: Array) -> Array:
    return array.astype(np.float64)
