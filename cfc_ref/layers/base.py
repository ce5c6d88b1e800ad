r"""What CfC and LTC layers share: calls, backprop with an explicit tape, streaming, and their weights by name.

A layer defines one time step of a batch (``_step``), the output of a state (``readout``), and the backward of both;
everything about sequences, shapes, masks and files is here, once. A layer with kernels also says which functions run
its sequences (``_compute``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref import backend, checks
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.lstm import LSTMParams
from cfc_ref.cells.sequence import d_run, over_time, run
from cfc_ref.cells.tree import leaves, tree_map
from cfc_ref.layers.arguments import OTHER_DTYPE, Call, Expected, arrange, arrange_gradients
from cfc_ref.layers.parameters import Parameters
from cfc_ref.layers.stepper import Cells, Stepper, make_stepper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from cfc_ref.layers.settings import LayerSettings
    from cfc_ref.wirings import Wiring

    Array = npt.NDArray[Any]

__all__ = ["UNDRAWN", "Gradients", "Layer", "Params", "Tape", "units_or_wiring"]

BACKENDS = ("auto", "numpy", "numba")
UNDRAWN: Any = object()  # a seed that draws nothing: the weights are about to be loaded


class Params(NamedTuple):
    """Parameters of a layer as the cells take them: nested tuples of arrays.

    Attributes
    ----------
    network : nested tuples
        Of a time step.
    readout : nested tuples, or None
        From the state to the output.
    """

    network: Any
    readout: Any


class Tape(NamedTuple):
    """What :meth:`Layer.backward` needs of a forward, its weights included; it can be used more than once.

    Attributes
    ----------
    layer : Layer
        The layer that made it.
    params : Params
        Its weights, as they were.
    call : Call
        The arguments.
    states : list of ndarray, or ndarray
        The states that the readout read, shapes (batch, units).
    kept
        What the time steps kept, for ``compute.backward``.
    output_shape : tuple of int
        Shape of the output.
    compute : Compute
        The functions that ran the sequence; its backward reads the tape.
    """

    layer: Layer
    params: Params
    call: Call
    states: Any
    kept: Any
    output_shape: tuple[int, ...]
    compute: backend.Compute


class Gradients(NamedTuple):
    """Gradients of a loss.

    Attributes
    ----------
    parameters : dict
        By the keys of ``layer.parameters``; entries that a wiring masks are 0.
    x : ndarray
        Of the inputs, in their shape.
    hx : ndarray, or pair of them
        Of the state before the first step, also where it was not given.
    timespans : ndarray, float or None
        In the shape that was given: a float for a number, None for None.
    """

    parameters: dict[str, Array]
    x: Array
    hx: Any
    timespans: Any


class Layer:
    """A recurrent layer over sequences with timespans; :class:`cfc_ref.CfC` is one.

    Attributes
    ----------
    input_size, state_size, output_size : int
        Features in, neurons, features out.
    parameters : dict
        The live trainable arrays by ncps's PyTorch names: writing into them in place is how an optimiser works.
    dtype : dtype
        float32 or float64.
    wiring : Wiring or None
        The built wiring.
    """

    input_size: int
    state_size: int
    output_size: int
    proj_size: int | None
    return_sequences: bool
    batch_first: bool
    mixed_memory: bool
    dtype: np.dtype[Any]
    wiring: Wiring | None
    _Settings: type[LayerSettings]
    _keys: Params  # names at the leaves
    _arrays: dict[str, Array]
    _masks: dict[str, Array]  # name of a weight -> its mask

    timed = True  # whether timespans change anything; where not, they are refused
    _has_kernels: bool | property = False
    _no_kernels: str | property = "this layer has no kernels"  # the reason, for a refusal

    # --- what a layer is made of

    def _step(self, params: Any, x: Array, state: Any, dt: Array) -> tuple[Any, Any]:
        """Return the next state of a batch, and what its backward needs."""
        raise NotImplementedError

    def _d_step(self, params: Any, kept: Any, d_state: Any) -> tuple[Any, Array, Any, Array]:
        """Return the gradients of the step's parameters, input, state and timespans."""
        raise NotImplementedError

    def readout(self, params: Any, h: Array) -> Array:
        """Return the outputs of states of shape (n, units)."""
        raise NotImplementedError

    def _d_readout(self, params: Any, h: Array, d_y: Array) -> tuple[Any, Array]:
        """Return the gradients of the readout's parameters and of the states; all arrays have (time, batch) first."""
        raise NotImplementedError

    def _trace(self, params: Any, kept: Any) -> dict[str, Array]:
        """Return what a time step did, arrays of shape (batch, …) by name."""
        raise NotImplementedError

    def _adopt(self, settings: LayerSettings, backend: str) -> None:
        """Take over checked settings as attributes, and the backend."""
        vars(self).update(vars(settings))
        self.backend = backend
        self._arrays, self._masks = {}, {}

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make a layer like this one, but for `units`, `seed` and `backend`."""
        return {name: getattr(self, name) for name in self._Settings.names()} | {"dtype": self.dtype.name}

    # --- weights

    def _dense(self, name: str, outputs: int, inputs: int, *, bias: bool = True) -> Any:
        """Allocate a linear map's arrays, and return their names as the cells take them."""
        self._arrays[f"{name}.weight"] = np.zeros((outputs, inputs), self.dtype)
        if bias:
            self._arrays[f"{name}.bias"] = np.zeros(outputs, self.dtype)
        names: tuple[Any, Any] = f"{name}.weight", f"{name}.bias" if bias else None
        return Dense(*names)

    def _recurrent(self, owner: str, outputs: int, inputs: int) -> tuple[Any, Any]:
        """Allocate maps from input and state to one sum, which has one bias, and return their names."""
        input_map = self._dense(f"{owner}.input_map", outputs, inputs)
        return input_map, self._dense(f"{owner}.recurrent_map", outputs, self.state_size, bias=False)

    def _lstm(self) -> LSTMParams:
        """Allocate the mixed memory's arrays, and return their names."""
        return LSTMParams(*self._recurrent("lstm", 4 * self.state_size, self.input_size))

    @property
    def parameters(self) -> dict[str, Array]:
        """The live trainable arrays by name: writing to them in place, or assigning to a name, changes the layer."""
        return Parameters({key: self._arrays[key] for key in leaves(self._keys)}, self._checked)

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all arrays by ncps's PyTorch names, a wiring's masks included."""
        return {key: array.copy() for key, array in self._arrays.items()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over weights; everything is checked first, and nothing changes where anything is wrong.

        Parameters
        ----------
        state_dict : mapping
            An array for each key of :meth:`state_dict`, of its shape; masks have to be those of the wiring.

        Raises
        ------
        ValueError, TypeError
            For missing or unused keys, other shapes, and numbers that are not finite.
        """
        if not hasattr(state_dict, "keys"):
            checks.refuse("state_dict", type(state_dict).__name__, "a dict of arrays", "pass one by name", TypeError)
        missing, unused = [sorted(map(str, a - b)) for a, b in _both(set(self._arrays), set(state_dict.keys()))]
        if missing or unused:
            got = "; ".join(f"{word} {', '.join(keys)}" for word, keys in (("no", missing), ("also", unused)) if keys)
            checks.refuse("state_dict", got, f"the {len(self._arrays)} keys of this layer", "compare both models")
        taken = {key: self._checked(f"state_dict[{key!r}]", key, state_dict[key]) for key in self._arrays}
        for key, array in taken.items():
            self._arrays[key][...] = array

    def _checked(self, name: str, key: str, value: Any) -> Array:
        """Return numbers for one of the arrays, checked."""
        array = checks.numeric(name, value)
        checks.shape(name, array, self._arrays[key].shape, "that of this layer's array")
        array = checks.as_dtype(name, array, self.dtype, do=OTHER_DTYPE)
        self._accepts(name, key, array)
        return array

    def _accepts(self, name: str, key: str, array: Array) -> None:
        """Refuse numbers that this array can't take: a mask other than the wiring's."""
        if key not in leaves(self._keys) and not np.array_equal(array, self._arrays[key]):
            checks.refuse(
                name,
                "another mask",
                "the mask of this layer's wiring",
                "build the layer with the wiring (and the recurrence) of the weights",
            )

    @property
    def weights(self) -> Params:
        """The weights in the form that the cells take, nested NamedTuples: masked, and positive ones after softplus.

        ``weights.network`` is that of a time step, ``weights.readout`` that of the output. To change them write to
        :attr:`parameters`.
        """
        return tree_map(self._effective, self._keys)

    def _effective(self, key: str) -> Array:
        """Return a weight as the cells take it."""
        return self._arrays[key] * self._masks[key] if key in self._masks else self._arrays[key]

    def _d_effective(self, key: str, value: Array, d_value: Array) -> Array:
        """Return the gradient of a weight from its effective value's."""
        return d_value * self._masks[key] if key in self._masks else d_value

    # --- sequences

    @property
    def expected(self) -> Expected:
        """The shapes and the type of numbers that a call takes."""
        return Expected(self.input_size, self.state_size, self.mixed_memory, self.batch_first, self.dtype, self.timed)

    def __call__(self, x: Any, hx: Any = None, timespans: Any = None, mask: Any = None) -> tuple[Array, Any]:
        """Run over sequences.

        Parameters
        ----------
        x : array_like, shape (B, T, F); (T, B, F) with ``batch_first=False``; or (T, F)
            Inputs.
        hx : array_like, shape (B, units) or (units,); with mixed memory a pair (h, c); or None
            The state before the first step; 0 by default.
        timespans : None, number, or array_like of shape (T,), (B, T) or (B, T, 1)
            timespans[k] is the time from sample k - 1 to sample k; 1 by default.
        mask : array_like of bool, shape (B, T) or (T,), or None
            True = a real step. Elsewhere the state is held, the output is that of the held state, and NaN is allowed.

        Returns
        -------
        output : ndarray, shape (B, T, outputs), or (B, outputs) with ``return_sequences=False``
        hx : ndarray, or pair of them
            The last state.

        Raises
        ------
        ValueError, TypeError
            In three parts, before anything is computed.
        """
        output, hx, _ = self._forward(arrange(self.expected, x, hx, timespans, mask), None, keep=False)
        return output, hx

    def forward(
        self,
        x: Any,
        hx: Any = None,
        timespans: Any = None,
        mask: Any = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, Any, Tape]:
        """Run over sequences, and return also what :meth:`backward` needs.

        Parameters
        ----------
        x, hx, timespans, mask
            As in a plain call.
        rng : numpy Generator, optional
            Draws the dropout; without it nothing drops.

        Returns
        -------
        output, hx
            As from a plain call.
        tape : Tape
        """
        call = arrange(self.expected, x, hx, timespans, mask)
        if rng is not None and not isinstance(rng, np.random.Generator):
            checks.refuse("rng", type(rng).__name__, "a numpy Generator or None", "numpy.random.default_rng", TypeError)
        return self._forward(call, rng, keep=True)

    def _forward(self, call: Call, rng: np.random.Generator | None, *, keep: bool) -> tuple[Array, Any, Any]:
        self._check_steps(call)
        params = self.weights
        if keep:
            params = tree_map(np.array, params)  # as they are now, whatever an optimiser writes
        compute, options = self._compute, self._options(call, rng)
        arguments = params.network, call.x, call.state, call.dt, call.mask, self.settings
        states, last, kept = compute.forward(*arguments, **options, keep=keep)
        read = states if self.return_sequences else states[-1:]
        output = self._outputs(params, call, read)
        tape = Tape(self, params, call, read, kept, output.shape, compute) if keep else None
        last = tree_map(np.array, last)  # the caller's own, as the tape reads the states
        return output, call.outward_state(last), tape

    def _check_steps(self, call: Call) -> None:
        """Refuse a sequence of no steps where its last output is asked for."""
        if not self.return_sequences and call.x.shape[1] == 0:
            expected = "at least one step, as the last output is asked for"
            checks.refuse("x", "a sequence of no steps", expected, "pass one")

    @property
    def _compute(self) -> backend.Compute:
        """The functions that run this layer over sequences: here its own step, again and again."""
        return backend.Compute(self._over_time, self._d_over_time)

    @property
    def settings(self) -> Any:
        """The settings that its cells take."""
        return None

    def _options(self, call: Call, rng: np.random.Generator | None) -> dict[str, Any]:
        """Return more arguments of the forward."""
        return {}

    def _over_time(
        self, params: Any, x: Array, state: Any, dt: Array, mask: Array | None, settings: Any, *, keep: bool
    ) -> tuple[Any, Any, Any]:
        """Return h after each step, time first, the last state, and what the backward needs."""
        return run(self._step, params, x, state, dt, mask, keep=keep)

    def _d_over_time(
        self,
        params: Any,
        kept: Any,
        d_h: Array,
        d_state: Any,
        mask: Array | None,
        settings: Any,
        d_step: Callable[..., Any] | None = None,
    ) -> tuple[Any, Array, Any, Array]:
        """Return the gradients of the network's parameters, x, state and timespans from those of the states read."""
        return d_run(d_step or self._d_step, params, kept, d_h, d_state, mask)

    def _outputs(self, params: Params, call: Call, read: Any) -> Array:
        """Return the output of the states that are read, in the caller's layout."""
        flat = self.readout(params.readout, self._flat(read))
        if not self.return_sequences:
            return call.outward_last(np.array(flat))
        by_time = flat.reshape(len(read), call.x.shape[0], self.output_size)
        return np.array(call.outward(np.moveaxis(by_time, 0, 1)), order="C")  # the caller's own

    def _flat(self, read: Any) -> Array:
        """Return states one behind the other, as (time · batch, units)."""
        return np.asarray(read, self.dtype).reshape(-1, self.state_size)

    def backward(self, tape: Tape, d_output: Any, d_hx: Any = None) -> Gradients:
        r"""Backpropagation through time.

        Parameters
        ----------
        tape : Tape
            From :meth:`forward`.
        d_output : array_like
            Gradient of a loss by the output, of its shape.
        d_hx : array_like, or pair of them, optional
            Gradient of the loss by the last state; 0 by default.

        Returns
        -------
        Gradients

        Raises
        ------
        ValueError, TypeError
            In three parts, before anything is computed.
        """
        return self._gradients(tape, d_output, d_hx)

    def _gradients(self, tape: Tape, d_output: Any, d_hx: Any, backward: Callable[..., Any] | None = None) -> Gradients:
        if not isinstance(tape, Tape) or tape.layer is not self:
            got = "that of another layer" if isinstance(tape, Tape) else type(tape).__name__
            checks.refuse("tape", got, "a tape of this layer", "pass what forward returned", TypeError)
        params, call, backward = tape.params, tape.call, backward or tape.compute.backward
        d_y, d_last = arrange_gradients(self.expected, call, d_output, d_hx, tape.output_shape)
        d_y = np.moveaxis(d_y, 1, 0) if self.return_sequences else d_y[None]
        states = self._flat(tape.states).reshape(*d_y.shape[:2], self.state_size)
        d_readout, d_read = self._d_readout(params.readout, states, d_y)
        d_network, d_x, d_state, d_dt = (
            backward(params.network, tape.kept, d_read, d_last, call.mask, self.settings)
            if call.x.shape[1]
            else (tree_map(np.zeros_like, params.network), np.zeros_like(call.x), d_last, np.zeros_like(call.dt))
        )
        by_name = zip(leaves(self._keys), leaves(params), leaves(Params(d_network, d_readout)), strict=True)
        return Gradients(
            {key: self._d_effective(key, value, d_value) for key, value, d_value in by_name},
            call.outward(d_x),
            call.outward_state(d_state),
            None if call.spread is None else call.spread(d_dt),
        )

    def trace(self, x: Any, hx: Any = None, timespans: Any = None, mask: Any = None) -> dict[str, Array]:
        """Return what the network did at every step: states, gates, time constants, by name.

        Parameters
        ----------
        x, hx, timespans, mask
            As in a plain call.

        Returns
        -------
        dict of ndarray, shapes (B, T, …) in the layout of `x`
        """
        call = arrange(self.expected, x, hx, timespans, mask)
        params = self.weights.network
        states, kept = over_time(self._step, params, call.x, call.state, call.dt, call.mask, keep=True)
        if not kept:
            checks.refuse("x", "a sequence of no steps", "at least one step", "pass one")
        steps = [{"state": state[0], **self._trace(params, k)} for state, k in zip(states[1:], kept, strict=True)]
        return {name: call.outward(np.stack([step[name] for step in steps], axis=1)) for name in steps[0]}

    def stepper(self, batch: int | None = None) -> Stepper:
        """Return a :class:`Stepper`: the network with a state of its own, one sample at a time.

        Parameters
        ----------
        batch : int, optional
            The number of streams that are stepped at once; by default one, without a batch axis.
        """
        return make_stepper(self, Cells.of(self), batch)

    # --- backend

    @property
    def backend(self) -> str:
        """What computes: "numpy", "numba", or "auto", the fastest that is there."""
        return self._backend

    @backend.setter
    def backend(self, value: str) -> None:
        chosen = checks.choice("backend", value, BACKENDS)
        if chosen == "numba" and not self._has_kernels:
            checks.refuse("backend", "'numba'", f"'auto' or 'numpy', as {self._no_kernels}", "remove `backend`")
        if chosen == "numba" and not backend.has_numba():
            checks.refuse(
                "backend", "'numba'", "'auto' or 'numpy', as numba is not installed", "run python -m pip install numba"
            )
        self._backend = chosen


def units_or_wiring(units: Any) -> tuple[int, Wiring | None]:
    """Return a layer's number of neurons, and its wiring where `units` is one.

    Parameters
    ----------
    units : int or Wiring
        The argument of a layer.

    Raises
    ------
    ValueError, TypeError
        For anything else.

    Examples
    --------
    >>> units_or_wiring(3)
    (3, None)
    """
    if isinstance(units, (int, np.integer)):
        return checks.count("units", units, at_least=1), None
    from cfc_ref.wirings import Wiring

    if not isinstance(units, Wiring):
        checks.refuse("units", type(units).__name__, "an int or a Wiring", "see cfc_ref.wirings", TypeError)
    return units.units, units


def _both(a: set[str], b: set[str]) -> tuple[tuple[set[str], set[str]], tuple[set[str], set[str]]]:
    return (a, b), (b, a)
