r"""The class of all layers: construction, weights by name, sequences, backprop with an explicit tape, streaming.

A layer is made of its settings (a record of :mod:`cfc_ref.layers.settings`), the arrays that ``_allocate`` names,
fresh numbers for them (``_draw``), one time step and its backward (``_step``, ``_d_step``), and what a trace shows
(``_trace``). Sequences run that step again and again, or the functions of ``_compute`` where the network has its own.
"""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref import backend, checks
from cfc_ref.arrays import Array
from cfc_ref.cells.dense import Dense, affine, d_affine
from cfc_ref.cells.lstm import LSTMParams
from cfc_ref.cells.sequence import d_run, over_time, run
from cfc_ref.cells.tree import leaves, tree_map
from cfc_ref.layers.arguments import OTHER_DTYPE, Call, Expected, arrange, arrange_gradients
from cfc_ref.layers.initial import generator
from cfc_ref.layers.parameters import Parameters
from cfc_ref.layers.snapshot import present_weights
from cfc_ref.layers.stepper import Cells, Stepper, make_stepper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cfc_ref.layers.settings import LayerSettings
    from cfc_ref.wirings import Wiring

__all__ = ["UNDRAWN", "Gradients", "Layer", "Params", "Tape", "units_or_wiring"]

_NOT_OF_WEIGHTS = ("dtype", "epsilon", "ode_unfolds", "solver", "step", "tau")  # weights fit whatever these are
BACKENDS = ("auto", "numpy", "numba")
UNDRAWN: Any = object()  # a seed that draws nothing: the weights are about to be loaded


class Params(NamedTuple):
    """Parameters of a layer in the form that the cells take: nested tuples of arrays."""

    network: Any  # of a time step
    readout: Any  # from the state to the output


class Tape(NamedTuple):
    """Values of a forward that :meth:`Layer.backward` needs, weights included; it can be used more than once."""

    layer: Layer  # which made it
    params: Params  # its weights at that time
    call: Call  # the arguments
    states: Any  # list of ndarray, or ndarray: the states that the readout read, shapes (batch, units)
    kept: Any  # by the time steps, for `compute.backward`
    output_shape: tuple[int, ...]
    compute: backend.Compute  # the functions that ran the sequence


class Gradients(NamedTuple):
    """Gradients of a loss.

    Attributes
    ----------
    parameters : dict
        By the keys of ``layer.parameters``; entries that a wiring masks are 0. An embedding's is a ``SparseRows``.
    x : ndarray
        Of the inputs, in their shape.
    hx : ndarray, or pair of them
        Of the state before the first step, also where it was not given.
    timespans : ndarray, float or None
        In the shape that was given: a float for a number, None for None.
    """

    parameters: dict[str, Any]
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
        The live trainable arrays by ncps's PyTorch names: an optimiser writes into them in place.
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
    _read: slice  # the neurons that are read out
    _arrays: dict[str, Array]
    _masks: dict[str, Array]  # name of a weight -> its mask

    timed = True  # whether timespans change anything; where not, they are refused
    _longest = math.inf  # timespan
    _has_kernels: bool | property = False
    _no_kernels: str | property = "this layer has no kernels"  # the reason, for a refusal

    def __init__(self, settings: LayerSettings, units: Any, seed: Any, backend: str) -> None:
        vars(self).update(vars(settings))
        self.backend = backend
        self._arrays, self._masks = {}, {}
        self._set_units(units)
        self._read = self._neurons_read()
        self._keys = self._allocate()
        if seed is not UNDRAWN:
            self._draw(generator(seed))

    # --- assignments

    @property
    def _live(self) -> tuple[str, ...]:
        """The settings that act as soon as they are assigned, as if the layer had been made with them."""
        return "return_sequences", "batch_first"

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse an assignment that would have no effect, or half of one."""
        if "_keys" in vars(self) and not name.startswith("_"):
            of_class = getattr(type(self), name, None)
            if name in self._live:
                value = self._setting(name, value)
            elif not isinstance(of_class, property) and not callable(of_class):
                self._refuse_assignment(name, value)
        super().__setattr__(name, value)

    def _setting(self, name: str, value: Any) -> Any:
        """Return the checked value of a setting."""
        return self._Settings.checked(name, value)

    def _refuse_assignment(self, name: str, value: Any) -> None:
        """Refuse to change what a layer is made of, and names that it does not have; a subclass may have its own."""
        argument = {"state_size": "units", "wiring": "units", "output_size": "proj_size"}.get(name, name)
        if argument in inspect.signature(type(self)).parameters:
            now = repr(getattr(self, name)) if hasattr(self, name) else "what it is"
            do = f"make a new layer with {argument}={value!r}"
            do += ", and load_state_dict(layer.state_dict())" if name in _NOT_OF_WEIGHTS else ""
            checks.refuse(name, repr(value), f"{now}, fixed when the layer was made", do)
        if type(self).__module__.startswith("cfc_ref."):
            had = f"a setting that can change: {', '.join(('backend', *self._live))}"
            checks.refuse(name, "an assignment", had, "keep the value elsewhere, as this layer does not read it")

    # --- what a layer is made of

    def _set_units(self, units: Any) -> None:
        """Take a number of neurons."""
        self.state_size, self.wiring = checks.count("units", units, at_least=1), None

    def _neurons_read(self) -> slice:
        """Return which neurons are read out."""
        return slice(0, self.state_size if self.wiring is None else self.wiring.output_dim)

    def _allocate(self) -> Params:
        """Allocate all arrays, and return their names in the form that the cells take."""
        raise NotImplementedError

    def _draw(self, rng: np.random.Generator) -> None:
        """Write fresh weights into the arrays."""
        raise NotImplementedError

    def _step(self, params: Any, x: Array, state: Any, dt: Array) -> tuple[Any, Any]:
        """Return the next state of a batch, and what its backward needs."""
        raise NotImplementedError

    def _d_step(self, params: Any, kept: Any, d_state: Any) -> tuple[Any, Array, Any, Array]:
        """Return the gradients of the step's parameters, input, state and timespans."""
        raise NotImplementedError

    def _trace(self, params: Any, kept: Any) -> dict[str, Array]:
        """Return the quantities of a time step, arrays of shape (batch, …) by name."""
        raise NotImplementedError

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make a layer like this one, but for `units`, `seed` and `backend`."""
        return {name: getattr(self, name) for name in self._Settings.names()} | {"dtype": self.dtype.name}

    # --- weights

    def _dense(self, name: str, outputs: int, inputs: int, *, bias: bool = True) -> Any:
        """Allocate the arrays of a linear map, and return their names."""
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
        """Allocate the arrays of the mixed memory, and return their names."""
        return LSTMParams(*self._recurrent("lstm", 4 * self.state_size, self.input_size))

    def _projection(self) -> Dense | None:
        """Allocate the linear map of the output if there is one, and return its names."""
        outputs = self._read.stop - self._read.start
        self.output_size = outputs if self.proj_size is None else self.proj_size
        return None if self.proj_size is None else self._dense("fc", self.proj_size, outputs)

    @property
    def parameters(self) -> dict[str, Array]:
        """The live trainable arrays by name: writing to them in place, or assigning to a name, changes the layer."""
        return Parameters({key: self._arrays[key] for key in leaves(self._keys)}, self._checked)

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all arrays by ncps's PyTorch names, a wiring's masks included."""
        return {key: array.copy() for key, array in self._arrays.items()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over weights; all are checked first, and nothing changes if one is wrong.

        Parameters
        ----------
        state_dict : mapping
            An array for each key of :meth:`state_dict`, of its shape; masks must be those of the wiring.

        Raises
        ------
        ValueError, TypeError
            For missing or unused keys, other shapes, and numbers that are not finite.
        """
        if not hasattr(state_dict, "keys"):
            checks.refuse("state_dict", type(state_dict).__name__, "a dict of arrays", "pass one by name", TypeError)
        ours, theirs = set(self._arrays), set(state_dict.keys())
        missing, unused = (sorted(map(str, keys)) for keys in (ours - theirs, theirs - ours))
        if missing or unused:
            got = "; ".join(f"{word} {', '.join(keys)}" for word, keys in (("no", missing), ("also", unused)) if keys)
            checks.refuse(
                "state_dict",
                got,
                f"the {len(self._arrays)} keys of this layer",
                "build it like the layer of the weights",
            )
        taken = {key: self._checked(f"state_dict[{key!r}]", key, state_dict[key]) for key in self._arrays}
        for key, array in taken.items():
            self._arrays[key][...] = array

    def _checked(self, name: str, key: str, value: Any) -> Array:
        """Check numbers for one of the arrays, and return them in its dtype."""
        array = checks.numeric(name, value)
        checks.shape(name, array, self._arrays[key].shape, "that of this layer's array")
        array = checks.as_dtype(name, array, self.dtype, do=OTHER_DTYPE)
        self._accepts(name, key, array)
        return array

    def _accepts(self, name: str, key: str, array: Array) -> None:
        """Refuse numbers that an array cannot take: a mask other than the wiring's."""
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
        return tree_map(lambda key: self._effective(key, self._arrays[key]), self._keys)

    def _effective(self, key: str, array: Array) -> Array:
        """Return a weight in the form that the cells take, from its parameter."""
        return array * self._masks[key] if key in self._masks else array

    def _d_effective(self, key: str, value: Array, d_value: Array) -> Array:
        """Return the gradient of a weight from its effective value's."""
        return d_value * self._masks[key] if key in self._masks else d_value

    # --- sequences

    @property
    def expected(self) -> Expected:
        """The shapes and the type of numbers that a call takes."""
        sizes = self.input_size, self.state_size
        return Expected(*sizes, self.mixed_memory, self.batch_first, self.dtype, self.timed, self._longest)

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
            For arguments that do not fit, before anything is computed.
        """
        output, hx, _ = self._run(arrange(self.expected, x, hx, timespans, mask), None, keep=False)
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
        return self._run(call, rng, keep=True)

    def _run(self, call: Call, rng: np.random.Generator | None, *, keep: bool) -> tuple[Array, Any, Any]:
        """Return the output, the last state, and if asked for the tape."""
        if not self.return_sequences and call.x.shape[1] == 0:
            expected = "at least one step, as return_sequences=False asks for the last output"
            checks.refuse("x", "a sequence of no steps", expected, "pass a step")
        params, compute, settings = present_weights(self), self._compute, self.settings
        arguments = call.x, call.state, call.dt, call.mask, settings
        if compute.stream is not None and not keep and compute.as_streams(params.network, settings, call.dt):
            y, last = compute.stream(params.network, params.readout, self._read, *arguments)
            return self._streamed(call, y), call.outward_state(last), None
        states, last, kept = compute.forward(params.network, *arguments, **self._options(call, rng), keep=keep)
        read = states if self.return_sequences else states[-1:]
        output = self._outputs(params, call, read)
        tape = Tape(self, params, call, read, kept, output.shape, compute) if keep else None
        return output, call.outward_state(tree_map(np.array, last)), tape  # copies, as the tape reads the states

    def _streamed(self, call: Call, y: Array) -> Array:
        """Return the outputs of a stream, shape (time · batch, outputs), in the caller's layout."""
        B, T, _ = call.x.shape
        if not self.return_sequences:
            return call.outward_last(y[len(y) - B :].copy())
        return np.ascontiguousarray(call.outward(y.reshape(T, B, self.output_size).swapaxes(0, 1)))

    @property
    def _compute(self) -> backend.Compute:
        """The functions that run this layer over sequences: by default its step, again and again."""
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
        return np.array(call.outward(by_time.swapaxes(0, 1)), order="C")  # a copy for the caller

    def _flat(self, read: Any) -> Array:
        """Return states as (time · batch, units)."""
        return np.asarray(read, self.dtype).reshape(-1, self.state_size)

    # --- from states to outputs

    def readout(self, params: Any, h: Array) -> Array:
        """Return the outputs of states of shape (n, units)."""
        return self._projected(params, h[:, self._read])

    def _d_readout(self, params: Any, h: Array, d_y: Array) -> tuple[Any, Array]:
        """Return the gradients of the readout's parameters and of the states; all arrays have (time, batch) first."""
        read = h.reshape(-1, self.state_size)[:, self._read]
        d_params, d_read = self._d_projected(params, read, d_y.reshape(-1, self.output_size))
        if read.shape[1] == self.state_size:
            return d_params, d_read.reshape(h.shape)
        d_h = np.zeros_like(h)
        d_h[..., self._read] = d_read.reshape(*h.shape[:2], read.shape[1])
        return d_params, d_h

    def _projected(self, params: Any, read: Array) -> Array:
        """Return the outputs of the neurons that are read, shape (n, neurons)."""
        return read if params is None else affine(params, read)

    def _d_projected(self, params: Any, read: Array, d_y: Array) -> tuple[Any, Array]:
        """Return the gradients of the parameters and of the neurons that are read."""
        return (None, d_y) if params is None else d_affine(params, read, d_y)

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
            For arguments that do not fit, before anything is computed.
        """
        return self._gradients(tape, d_output, d_hx)

    def _gradients(self, tape: Tape, d_output: Any, d_hx: Any, backward: Callable[..., Any] | None = None) -> Gradients:
        if not isinstance(tape, Tape) or tape.layer is not self:
            got = "that of another layer" if isinstance(tape, Tape) else type(tape).__name__
            checks.refuse("tape", got, "a tape of this layer", "pass what forward returned", TypeError)
        params, call, backward = tape.params, tape.call, backward or tape.compute.backward
        d_y, d_last = arrange_gradients(self.expected, call, d_output, d_hx, tape.output_shape)
        d_y = d_y.swapaxes(0, 1) if self.return_sequences else d_y[None]
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
        """Return the quantities of every step by name, as states, gates and time constants.

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
        """Return a :class:`cfc_ref.layers.stepper.Stepper`: the network with a state, one sample at a time.

        Parameters
        ----------
        batch : int, optional
            The number of streams that are stepped at once; by default one, without a batch axis.
        """
        params, start = present_weights(self), self._compute.start
        if start is None:
            return make_stepper(self, Cells.of(self, params), batch)
        return make_stepper(self, start(params.network, params.readout, self._read, self.settings), batch)

    # --- backend

    @property
    def backend(self) -> str:
        """Who computes: "numpy", "numba", or "auto", which is "numba" where a kernel exists and numba is installed."""
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

    def __repr__(self) -> str:
        neurons = f"{self.state_size} units" if self.wiring is None else repr(self.wiring)
        sizes = f"{self.input_size} inputs, {neurons}, {self.output_size} outputs"
        count = sum(array.size for array in self.parameters.values())
        return f"{type(self).__name__}({sizes}{self._about()}, {self.dtype.name}, {count:,} parameters)"

    def _about(self) -> str:
        """Return the settings that a repr shows."""
        return ", mixed memory" if self.mixed_memory else ""


def units_or_wiring(units: Any) -> tuple[int, Wiring | None]:
    """Return a layer's number of neurons, and its wiring if `units` is one."""
    if isinstance(units, (int, np.integer)):
        return checks.count("units", units, at_least=1), None
    from cfc_ref.wirings import Wiring

    if not isinstance(units, Wiring):
        checks.refuse("units", type(units).__name__, "an int or a Wiring", "see cfc_ref.wirings", TypeError)
    return units.units, units
