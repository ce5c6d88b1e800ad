"""Wirings: the synapses of a network and their polarities.

A wiring is two matrices with entries -1 (inhibitory), 1 (excitatory) and 0 (no synapse), indexed [source, target]:
``sensory_adjacency_matrix`` of shape (input_dim, units), and ``adjacency_matrix`` of shape (units, units). The first
``output_dim`` neurons are the motor neurons, whose states are the network's output.

Arguments, seeds and results are those of ncps 1.0.1: the same call gives the same synapses with the same polarities.
Unlike there, a wiring never changes: ``build(input_size)`` returns a new one, so that one wiring serves many layers.

A network's state has one of two orders. The LTC's is that of the neurons' ids; an NCP numbers them motor, command,
inter. The wired CfC's is that of its layers from input to output: inter, command, motor. With x_ltc a state of shape
(..., units), ``x_cfc = x_ltc[..., wiring.cfc_order]`` and ``x_ltc = x_cfc[..., wiring.ltc_order]``. With one layer both
orders are the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.facade import figure
from cfc_ref.wiring_draws import draw_fully_connected, draw_ncp, draw_random, ncp_neurons

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["NCP", "AutoNCP", "FullyConnected", "Random", "Wiring"]

Layers = tuple[tuple[int, ...], ...]
Recipe = tuple[Callable[..., tuple[Array, Array]], tuple[Any, ...]]  # called with the number of inputs and the rest

_LARGEST_SEED = 2**32 - 1  # of numpy.random.RandomState, which draws NCPs


class Wiring:
    """A wiring from two matrices, built from the start; the base of all others.

    Parameters
    ----------
    adjacency_matrix : array_like, shape (units, units)
        Entry (j, i) is the polarity of the synapse from neuron j to neuron i: -1, 0 or 1.
    sensory_adjacency_matrix : array_like, shape (input_dim, units)
        Entry (k, i) is the polarity of the synapse from input k to neuron i.
    output_dim : int
        Number of motor neurons, which are neurons 0 to output_dim - 1.
    layers : sequence of sequences of int, optional
        The neurons of each layer, from input to output; every neuron in exactly one. Default: one layer.

    Raises
    ------
    ValueError, TypeError
        For matrices of other shapes or with other entries, more outputs than neurons, layers that are no partition.

    Warns
    -----
    UserWarning
        If no path of synapses leads from any input to some motor neuron.

    Examples
    --------
    >>> wiring = Wiring([[0, 0], [-1, 0]], [[0, 1]], output_dim=1, layers=[[1], [0]])
    >>> wiring
    Wiring(units=2, inputs=1, outputs=1, synapses=1, sensory_synapses=1)
    """

    # (units, units): read-only, like all arrays here. An NCP has no synapses before it is built
    adjacency_matrix: Array
    sensory_adjacency_matrix: Array | None  # (input_dim, units): none before the wiring is built
    output_dim: int  # number of motor neurons
    layers: Layers  # the neurons of each layer, from input to output
    _recipe: Recipe | None  # for drawing the synapses, until they are drawn

    def __init__(
        self,
        adjacency_matrix: npt.ArrayLike,
        sensory_adjacency_matrix: npt.ArrayLike,
        output_dim: int,
        *,
        layers: Sequence[Sequence[int] | Array] | None = None,
    ) -> None:
        self._own(adjacency_matrix, sensory_adjacency_matrix, output_dim, layers)
        self._warn_of_unreachable()

    def _own(self, adjacency: npt.ArrayLike, sensory: npt.ArrayLike, output_dim: object, layers: Any) -> None:
        recurrent = _polarities("adjacency_matrix", adjacency, "(units, units) with units >= 1")
        units = len(recurrent)
        if recurrent.shape != (units, units):
            checks.refuse("adjacency_matrix", f"shape {recurrent.shape}", "a square matrix", "pass (units, units)")
        inputs = _polarities("sensory_adjacency_matrix", sensory, f"(input_dim, {units}) with input_dim >= 1")
        if inputs.shape[1] != units:
            expected = f"shape (input_dim, {units}), one column for each neuron"
            checks.refuse("sensory_adjacency_matrix", f"shape {inputs.shape}", expected, "transpose or extend it")
        outputs = _up_to("output_dim", output_dim, units, "the number of neurons")
        self._fill(recurrent, inputs, outputs, _partition(layers, units))

    def _fill(
        self, adjacency: Array, sensory: Array | None, output_dim: int, layers: Layers, recipe: Recipe | None = None
    ) -> None:
        """Set all attributes, past __setattr__."""
        vars(self).update(
            adjacency_matrix=_read_only(adjacency),
            sensory_adjacency_matrix=None if sensory is None else _read_only(sensory),
            output_dim=output_dim,
            layers=layers,
            _recipe=recipe,
        )

    def __setattr__(self, name: str, value: object) -> NoReturn:
        checks.refuse(name, "a new value", "a wiring as it was made", "make another wiring instead", AttributeError)

    def __delattr__(self, name: str) -> NoReturn:
        checks.refuse(name, "its deletion", "a wiring as it was made", "make another wiring instead", AttributeError)

    def __reduce__(self) -> tuple[Any, ...]:
        fields = (self.adjacency_matrix, self.sensory_adjacency_matrix, self.output_dim, self.layers, self._recipe)
        return _remade, (type(self), *fields)

    def _key(self) -> tuple[object, ...]:
        """The attributes that equal wirings share."""
        sensory = self.sensory_adjacency_matrix
        matrices = self.adjacency_matrix.tobytes(), None if sensory is None else sensory.tobytes()
        return *matrices, self.output_dim, self.layers, self._recipe

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Wiring) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        known = f"units={self.units}, inputs={self.input_dim}, outputs={self.output_dim}"
        built = f", sensory_synapses={self.sensory_synapse_count}" if self.is_built() else ", not built"
        return f"{type(self).__name__}({known}, synapses={self.synapse_count}{built})"

    @property
    def units(self) -> int:
        """Number of neurons, inputs not counted."""
        return len(self.adjacency_matrix)

    @property
    def input_dim(self) -> int | None:
        """Number of inputs (sensory neurons); None before the wiring is built."""
        return None if self.sensory_adjacency_matrix is None else len(self.sensory_adjacency_matrix)

    @property
    def num_layers(self) -> int:
        """Number of layers, inputs not counted."""
        return len(self.layers)

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Number of neurons of each layer, from input to output."""
        return tuple(len(layer) for layer in self.layers)

    @property
    def synapse_count(self) -> int:
        """Number of synapses between neurons."""
        return int(np.count_nonzero(self.adjacency_matrix))

    @property
    def sensory_synapse_count(self) -> int | None:
        """Number of synapses from inputs to neurons; None before the wiring is built."""
        sensory = self.sensory_adjacency_matrix
        return None if sensory is None else int(np.count_nonzero(sensory))

    @property
    def cfc_order(self) -> Array:
        """The neurons' ids in the order of the wired CfC's state, shape (units,): x_cfc = x_ltc[..., cfc_order]."""
        return _read_only(np.concatenate(self.layers))

    @property
    def ltc_order(self) -> Array:
        """The inverse of :attr:`cfc_order`, shape (units,): x_ltc = x_cfc[..., ltc_order]."""
        return _read_only(np.argsort(self.cfc_order))

    def get_neurons_of_layer(self, layer_id: int) -> list[int]:
        """Return the ids of a layer's neurons, in the order of the wired CfC's state; layer 0 is next to the inputs."""
        return list(self.layers[_up_to("layer_id", layer_id, self.num_layers - 1, "the last layer", at_least=0)])

    def get_type_of_neuron(self, neuron_id: int) -> str:
        """Return the type of a neuron.

        It is "motor" for the first output_dim neurons, "command" for others in the middle one of three layers, "inter"
        for the rest.
        """
        neuron_id = _up_to("neuron_id", neuron_id, self.units - 1, "the last neuron", at_least=0)
        if neuron_id < self.output_dim:
            return "motor"
        return "command" if self.num_layers == 3 and neuron_id in self.layers[1] else "inter"

    def is_built(self) -> bool:
        """Return whether the number of inputs, and with it every synapse, is known."""
        return self.sensory_adjacency_matrix is not None

    def build(self, input_size: int) -> Wiring:
        """Return the wiring for a number of inputs, with all its synapses; this one does not change.

        Parameters
        ----------
        input_size : int
            Number of inputs.

        Returns
        -------
        Wiring
            A built wiring of the same class; a built wiring returns itself.

        Raises
        ------
        ValueError, TypeError
            For fewer than one input, or another number than that of a built wiring.

        Warns
        -----
        UserWarning
            If no path of synapses leads from any input to some motor neuron.
        """
        input_size = checks.count("input_size", input_size, at_least=1)
        if self._recipe is None:
            if input_size != self.input_dim:
                expected = f"{self.input_dim}, for which the wiring was built"
                checks.refuse("input_size", input_size, expected, "build the unbuilt wiring again")
            return self
        draw, arguments = self._recipe
        built = _remade(type(self), *draw(input_size, *arguments), self.output_dim, self.layers)
        built._warn_of_unreachable()
        return built

    def _warn_of_unreachable(self) -> None:
        """Warn, at the user's call site, about motor neurons that no input can reach."""
        reached = np.any(self.sensory_adjacency_matrix, axis=0)
        while (further := reached | np.any(self.adjacency_matrix[reached], axis=0)).sum() > reached.sum():
            reached = further
        lost = np.flatnonzero(~reached[: self.output_dim])
        if lost.size:
            which = ", ".join(map(str, lost))
            text = f"no path of synapses leads from any input to motor neuron{'s' * (lost.size > 1)} {which}: "
            do = "these outputs do not depend on the input; choose denser synapses or another seed"
            warnings.warn(text + do, UserWarning, stacklevel=3)

    def to_arrays(self) -> dict[str, Array]:
        """Return a built wiring as a dict of integer arrays, for a file.

        They are "adjacency_matrix" and "sensory_adjacency_matrix"; "output_dim", shape (); "layers", shape (2, units):
        the neurons in the order of the wired CfC's state, and under each the number of its layer.
        """
        if self.sensory_adjacency_matrix is None:
            checks.refuse("wiring", repr(self), "a built wiring", "call build(input_size) and use what it returns")
        return {
            "adjacency_matrix": self.adjacency_matrix,
            "sensory_adjacency_matrix": self.sensory_adjacency_matrix,
            "output_dim": np.array(self.output_dim),
            "layers": np.stack([self.cfc_order, np.repeat(np.arange(self.num_layers), self.layer_sizes)]),
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, npt.ArrayLike]) -> Wiring:
        """Return a Wiring equal to the one whose :meth:`to_arrays` returned `arrays`, without its warnings."""
        names = ("adjacency_matrix", "sensory_adjacency_matrix", "output_dim", "layers")
        if not isinstance(arrays, Mapping) or set(arrays) != set(names):
            got = sorted(map(str, arrays)) if isinstance(arrays, Mapping) else type(arrays).__name__
            checks.refuse("arrays", got, "a mapping of " + ", ".join(names), "pass what to_arrays() returned")
        recurrent, sensory, output_dim, table = (arrays[name] for name in names)
        wiring = object.__new__(Wiring)
        outputs = np.asarray(output_dim)
        wiring._own(recurrent, sensory, outputs[()] if outputs.ndim == 0 else outputs, _layers_of(table))
        return wiring

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the built wiring with :func:`cfc_ref.plots.plot_wiring`."""
        axes: Axes = figure("plot_wiring")(self, ax=ax)
        return axes


class FullyConnected(Wiring):
    """Every input and every neuron has a synapse to every neuron; one in three is inhibitory.

    Parameters
    ----------
    units : int
        Number of neurons.
    output_dim : int, optional
        Number of motor neurons; default: all.
    erev_init_seed : int
        Seed of the polarities.
    self_connections : bool
        Whether each neuron has a synapse to itself.

    Raises
    ------
    ValueError, TypeError
        For numbers below 1, more outputs than neurons, a negative seed, and other types.

    Examples
    --------
    >>> FullyConnected(5, 2).build(3)
    FullyConnected(units=5, inputs=3, outputs=2, synapses=25, sensory_synapses=15)
    """

    def __init__(
        self, units: int, output_dim: int | None = None, erev_init_seed: int = 1111, self_connections: bool = True
    ) -> None:
        units = checks.count("units", units, at_least=1)
        output_dim = units if output_dim is None else _up_to("output_dim", output_dim, units, "the number of neurons")
        seed = checks.count("erev_init_seed", erev_init_seed)
        if not isinstance(self_connections, (bool, np.bool_)):
            checks.refuse("self_connections", repr(self_connections), "True or False", "pass one of them", TypeError)
        recipe: Recipe = draw_fully_connected, (units, seed, bool(self_connections))
        self._fill(_draws_before_build(recipe), None, output_dim, (tuple(range(units)),), recipe)


class Random(Wiring):
    """Synapses between randomly chosen pairs; about one in three is inhibitory.

    Parameters
    ----------
    units : int
        Number of neurons.
    output_dim : int, optional
        Number of motor neurons; default: all.
    sparsity_level : float
        Share of the possible synapses that are missing, 0 <= sparsity_level < 1.
    random_seed : int
        Seed of the synapses and their polarities.

    Raises
    ------
    ValueError, TypeError
        For numbers below 1, more outputs than neurons, another sparsity, a negative seed, and other types.

    Examples
    --------
    >>> Random(12, 3, sparsity_level=0.75).build(4)
    Random(units=12, inputs=4, outputs=3, synapses=36, sensory_synapses=12)
    """

    def __init__(
        self, units: int, output_dim: int | None = None, sparsity_level: float = 0.0, random_seed: int = 1111
    ) -> None:
        units = checks.count("units", units, at_least=1)
        output_dim = units if output_dim is None else _up_to("output_dim", output_dim, units, "the number of neurons")
        sparsity = checks.number("sparsity_level", sparsity_level)
        if not 0 <= sparsity < 1:
            do = "pass the share of missing synapses"
            checks.refuse("sparsity_level", sparsity, "0 <= sparsity_level < 1", do)
        recipe: Recipe = draw_random, (units, sparsity, checks.count("random_seed", random_seed))
        self._fill(_draws_before_build(recipe), None, output_dim, (tuple(range(units)),), recipe)


class NCP(Wiring):
    """Neural circuit policy: inputs to inter, inter to command, command to motor neurons, and among command neurons.

    Neurons are numbered motor, command, inter; layers run inter, command, motor. On average half of the synapses are
    inhibitory. Inter and command neurons that no other neuron chose also get synapses. A synapse among command neurons
    that is drawn twice counts once, with its last polarity. There are no synapses before ``build``.

    Parameters
    ----------
    inter_neurons, command_neurons, motor_neurons : int
        Number of neurons of each layer, from input to output.
    sensory_fanout : int
        Number of inter neurons to which each input has a synapse.
    inter_fanout : int
        Number of command neurons to which each inter neuron has a synapse.
    recurrent_command_synapses : int
        Number of synapses drawn among command neurons.
    motor_fanin : int
        Number of command neurons from which each motor neuron has a synapse.
    seed : int
        Seed of the synapses and their polarities, 0 to 2**32 - 1.

    Raises
    ------
    ValueError, TypeError
        For layers without neurons, negative numbers, more synapses than neurons to take them, and other types.

    Examples
    --------
    >>> NCP(6, 4, 2, sensory_fanout=3, inter_fanout=2, recurrent_command_synapses=3, motor_fanin=2).build(5)
    NCP(units=12, inputs=5, outputs=2, synapses=20, sensory_synapses=15)
    """

    def __init__(
        self,
        inter_neurons: int,
        command_neurons: int,
        motor_neurons: int,
        sensory_fanout: int,
        inter_fanout: int,
        recurrent_command_synapses: int,
        motor_fanin: int,
        seed: int = 22222,
    ) -> None:
        inter = checks.count("inter_neurons", inter_neurons, at_least=1)
        command = checks.count("command_neurons", command_neurons, at_least=1)
        motor = checks.count("motor_neurons", motor_neurons, at_least=1)
        arguments = (
            inter,
            command,
            motor,
            _up_to("sensory_fanout", sensory_fanout, inter, "the number of inter neurons", at_least=0),
            _up_to("inter_fanout", inter_fanout, command, "the number of command neurons", at_least=0),
            checks.count("recurrent_command_synapses", recurrent_command_synapses),
            _up_to("motor_fanin", motor_fanin, command, "the number of command neurons", at_least=0),
            _up_to("seed", seed, _LARGEST_SEED, "the largest seed", at_least=0),
        )
        units = inter + command + motor
        layers = tuple(tuple(ids.tolist()) for ids in reversed(ncp_neurons(inter, command, motor)))
        self._fill(np.zeros((units, units)), None, motor, layers, (draw_ncp, arguments))


class AutoNCP(NCP):
    """An :class:`NCP` whose layers and fan-outs follow from two numbers.

    Of the neurons that are not motor neurons two in five, rounded down, are command neurons. With the density
    d = 1 - sparsity_level each input has synapses to a share d of the inter neurons, each inter neuron to a share d of
    the command neurons, each motor neuron from a share d of them, and 2 d times their number are drawn among them; all
    rounded down, but at least 1.

    Parameters
    ----------
    units : int
        Number of neurons.
    output_size : int
        Number of motor neurons, below units - 2.
    sparsity_level : float
        Share of missing synapses, 0.1 <= sparsity_level <= 1; with 1, each of the numbers above is 1.
    seed : int
        Seed of the synapses and their polarities, 0 to 2**32 - 1.

    Raises
    ------
    ValueError, TypeError
        For too many outputs, another sparsity, and other types.

    Examples
    --------
    >>> wiring = AutoNCP(19, 1)
    >>> wiring.layer_sizes, wiring.is_built(), wiring.build(17).synapse_count
    ((11, 7, 1), False, 47)
    """

    def __init__(self, units: int, output_size: int, sparsity_level: float = 0.5, seed: int = 22222) -> None:
        units = checks.count("units", units, at_least=4)
        output_size = _up_to("output_size", output_size, units - 3, "below units - 2")
        sparsity = checks.number("sparsity_level", sparsity_level)
        if not 0.1 <= sparsity <= 1:
            do = "pass the share of missing synapses"
            checks.refuse("sparsity_level", sparsity, "0.1 <= sparsity_level <= 1", do)
        density = 1.0 - sparsity
        command = max(int(0.4 * (units - output_size)), 1)
        inter = units - output_size - command
        super().__init__(
            inter_neurons=inter,
            command_neurons=command,
            motor_neurons=output_size,
            sensory_fanout=max(int(inter * density), 1),
            inter_fanout=max(int(command * density), 1),
            recurrent_command_synapses=max(int(command * density * 2), 1),
            motor_fanin=max(int(command * density), 1),
            seed=seed,
        )


# --- checks and conversions of arguments


def _draws_before_build(recipe: Recipe) -> Array:
    """Return the synapses between neurons, which are drawn before those from inputs and do not depend on them."""
    draw, arguments = recipe
    return draw(0, *arguments)[0]


def _up_to(name: str, value: object, most: int, what: str, *, at_least: int = 1) -> int:
    whole = checks.count(name, value, at_least=at_least)
    if whole > most:
        checks.refuse(name, whole, f"a whole number from {at_least} to {most} ({what})", "pass a smaller number")
    return whole


def _polarities(name: str, value: npt.ArrayLike, shape: str) -> Array:
    matrix = checks.numeric(name, value, expected="entries -1, 0 and 1")
    if matrix.ndim != 2 or not matrix.size:
        checks.refuse(name, f"shape {matrix.shape}", f"shape {shape}", "pass one row per source of synapses")
    checks.compare(name, matrix, np.isin(matrix, (-1, 0, 1)), "entries -1, 0 and 1", "leave strengths to the weights")
    return matrix


def _partition(layers: Any, units: int) -> Layers:
    """Return the neurons of each layer; None means one layer."""
    if layers is None:
        return (tuple(range(units)),)
    expected = f"each of the neurons 0 to {units - 1} in exactly one layer"
    do = "pass a list of lists of neurons, from input to output"
    rows = list(layers) if _is_list(layers) else []
    if not rows or not all(map(_is_list, rows)):
        checks.refuse("layers", repr(layers), expected, do, TypeError)
    found = tuple(tuple(checks.count("layers", neuron) for neuron in row) for row in rows)
    if not all(found) or sorted(neuron for layer in found for neuron in layer) != list(range(units)):
        checks.refuse("layers", repr(layers), f"{expected}, and no layer without neurons", do)
    return found


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple, range)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _layers_of(table: npt.ArrayLike) -> list[Array]:
    """Return the neurons of each layer from the array of a file."""
    array = np.asarray(table)
    if array.ndim != 2 or len(array) != 2 or not array.size or array.dtype.kind not in "iu":
        got, expected = f"{array.dtype} of shape {array.shape}", "integers of shape (2, units)"
        checks.refuse("layers", got, expected, "pass what to_arrays() returned")
    neurons, layer = array
    return [neurons[layer == number] for number in np.unique(layer)]


def _read_only(matrix: npt.ArrayLike) -> Array:
    array = np.array(matrix, dtype=np.int32)
    array.setflags(write=False)
    return array


def _remade(kind: type[Wiring], *fields: Any) -> Wiring:
    """Return a wiring of a class from the fields of another, without its constructor."""
    wiring = object.__new__(kind)
    wiring._fill(*fields)
    return wiring
