"""What ncps 1.0.1 makes of a network and a call: its layers on PyTorch, or its Keras layers with PyTorch under them.

ncps on PyTorch multiplies times of shape (B,) by arrays of shape (B, units), which fails or, with B = units, gives each
neuron another sample's time; on Keras only the cells take times, the wired one of one sample at most. So where there
are timespans, ncps is run one sample at a time, its Keras cells also one step at a time.
"""

import contextlib
import os
from typing import NamedTuple
from unittest import mock

import ncps.torch
import ncps.wirings
import torch

from tests.golden import Case

NOISE = 0.05  # standard deviation of what is added to fresh weights, so that none is exactly 0 or 1


class Drawn(NamedTuple):
    """How a call is drawn.

    batch: None is a sequence without a batch axis. timespans: None, "number", "step" (one a step), "sample" (one a
    sample and step), or "axis" (the same with a last axis of length 1).
    """

    seed: int
    batch: int | None = 2
    steps: int = 4
    state: bool = True
    timespans: str | None = "sample"


def run(setup, drawn, dtype="float64"):
    """Return a Case: fresh weights, a call, what ncps makes of it, and gradients of sum(result · d_result)."""
    on_keras = setup["variant"] == "keras"
    with _torch_dtype(dtype), _keras_dtype(dtype) if on_keras else contextlib.nullcontext():
        network = (_Keras if on_keras else _Torch)(setup, drawn.seed)
        for tensor in network.weights.values():
            if tensor.requires_grad:
                tensor.data += NOISE * torch.randn_like(tensor)
        network.constrain()
        return _call(network, setup, drawn)


def _call(network, setup, drawn):
    B, T = drawn.batch, drawn.steps
    batch_axis = None if B is None else 0 if setup["arguments"].get("batch_first", True) else 1
    per_step = {None: (T,), 0: (B, T), 1: (T, B)}[batch_axis]
    given = {"x": torch.randn(*per_step, setup["arguments"]["input_size"])}
    if drawn.state:
        given |= {name: torch.randn(*() if B is None else (B,), network.units) for name in network.states}
    if drawn.timespans is not None:
        shape = {"number": (), "step": (T,), "sample": per_step, "axis": (*per_step, 1)}[drawn.timespans]
        given["timespans"] = 3 * torch.rand(shape)
        if setup["layer"] == "CfC":  # an LTC of ncps gives NaN after a time of 0
            given["timespans"] *= torch.rand(shape) > 0.1
    for tensor in given.values():
        tensor.requires_grad_()

    state = [given[name] for name in network.states] if drawn.state else None
    dt = given.get("timespans")
    if dt is not None:
        if drawn.timespans == "step" and batch_axis == 1:
            dt = dt[:, None]
        dt = dt.reshape(per_step) if drawn.timespans == "axis" else dt.expand(per_step)
    one_call = network if dt is None or B is None else _one_sample_at_a_time(network, batch_axis)
    output, last = one_call(given["x"], state, dt)
    result = {"output": output, **dict(zip(network.states, last, strict=True))}
    d_result = {name: torch.randn_like(tensor) for name, tensor in result.items()}

    trained = {key: tensor for key, tensor in network.weights.items() if tensor.requires_grad}
    loss = sum((result[name] * d_result[name]).sum() for name in result)
    gradients = iter(torch.autograd.grad(loss, [*given.values(), *trained.values()]))
    d_given = {name: next(gradients) for name in given}
    d_weights = {key: next(gradients) for key in trained}
    weights, d_weights = network.named(network.weights), network.named(d_weights)
    groups = given, weights, result, d_result, d_given, d_weights
    return Case(setup, *({name: _array(tensor) for name, tensor in group.items()} for group in groups))


def _array(tensor):
    """Return a copy in the dtype of the call; ncps's masks are float32."""
    return tensor.detach().to(torch.get_default_dtype()).numpy().copy()


def _one_sample_at_a_time(network, batch_axis):
    def one_call(x, state, dt):
        outputs, states = [], []
        for b in range(x.shape[batch_axis]):
            state_b = None if state is None else [part.narrow(0, b, 1) for part in state]
            output_b, last_b = network(x.narrow(batch_axis, b, 1), state_b, dt.narrow(batch_axis, b, 1))
            outputs.append(output_b)
            states.append(last_b)
        output = torch.cat(outputs, dim=batch_axis if network.return_sequences else 0)
        return output, [torch.cat(parts) for parts in zip(*states, strict=True)]

    return one_call


def _units(setup):
    """Return the number of neurons, or ncps's wiring."""
    if setup["wiring"] is None:
        return setup["arguments"]["units"]
    return getattr(ncps.wirings, setup["wiring"]["class"])(**setup["wiring"]["arguments"])


class _Torch:
    """ncps.torch.CfC or ncps.torch.LTC."""

    def __init__(self, setup, seed):
        torch.manual_seed(seed)
        kind = {"CfC": ncps.torch.CfC, "LTC": ncps.torch.LTC}[setup["layer"]]
        self.network = kind(**{**setup["arguments"], "units": _units(setup)})
        self.units = self.network.state_size
        self.states = ("h", "c") if self.network.use_mixed else ("h",)
        self.return_sequences = self.network.return_sequences
        self.weights = dict(self.network.named_parameters())

    def constrain(self):
        """Make positive what has to be, where the weights themselves are used (ncps asks for it after every step)."""
        if isinstance(self.network, ncps.torch.LTC):
            self.network.rnn_cell.apply_weight_constraints()

    def __call__(self, x, state, dt):
        hx = None if state is None else tuple(state) if self.network.use_mixed else state[0]
        output, last = self.network(x, hx, dt)
        return output, last if self.network.use_mixed else (last,)

    def named(self, weights):
        """Return weights, or their gradients, as the case has them."""
        return weights


class _Keras:
    """ncps.keras.CfC, on PyTorch."""

    def __init__(self, setup, seed):
        keras = import_keras()
        import ncps.keras

        keras.utils.set_random_seed(seed)
        others = {name: value for name, value in setup["arguments"].items() if name not in ("input_size", "units")}
        self.network = ncps.keras.CfC(_units(setup), **{"return_sequences": True, **others, "return_state": True})
        self.network.build((None, None, setup["arguments"]["input_size"]))
        cell = self.network.cell
        self.mixed_memory = isinstance(cell, ncps.keras.MixedMemoryRNN)
        self.units = cell.flat_size if self.mixed_memory else cell.state_size
        self.states = ("h", "c") if self.mixed_memory else ("h",)
        self.return_sequences = self.network.return_sequences
        self.weights = _keras_weights(cell)

    def constrain(self):
        """A CfC's weights may have either sign."""

    def __call__(self, x, state, dt):
        if state is None:
            state = [torch.zeros(len(x), self.units) for _ in self.states]
        if dt is None:
            output, *last = self.network(x, initial_state=state[::-1])  # ncps on Keras: first the memory, then h
            return output, last[::-1]
        outputs = []
        for k in range(x.shape[1]):
            output, state = self.network.cell((x[:, k], dt[:, k, None]), state)
            state = state if isinstance(state, list) else [state]  # of a wired cell a tensor
            outputs.append(output)
        return torch.stack(outputs, dim=1) if self.return_sequences else output, state

    def named(self, weights):
        """Return weights, or their gradients, as the case has them: Keras's kernels and masks are (inputs, outputs)."""
        turned = (".weight", ".sparsity_mask")
        return {key: tensor.T if key.endswith(turned) else tensor for key, tensor in weights.items()}


def _keras_weights(cell):
    """Return the tensors of an ncps cell on Keras, by the names that they have on PyTorch."""
    weights = {}
    if hasattr(cell, "rnn_cell"):
        weights["lstm.input_map.weight"] = cell.input_kernel
        weights["lstm.input_map.bias"] = cell.bias
        weights["lstm.recurrent_map.weight"] = cell.recurrent_kernel
        cell = cell.rnn_cell
    wired = hasattr(cell, "wiring")
    for l, one in enumerate(cell._cfc_layers if wired else [cell]):
        prefix = f"rnn_cell.layer_{l}." if wired else "rnn_cell."
        dense = {"time_a": one.time_a, "time_b": one.time_b} if one.mode != "pure" else {}
        if one.backbone_fn is not None:  # maps and dropouts by turns
            dense |= {f"backbone.{2 * k}": layer for k, layer in enumerate(one.backbone_fn.layers[::2])}
        for name, layer in dense.items():
            weights |= {f"{prefix}{name}.weight": layer.kernel, f"{prefix}{name}.bias": layer.bias}
        for name in ("ff1", "ff2") if one.mode != "pure" else ("ff1",):
            weights[f"{prefix}{name}.weight"] = getattr(one, f"{name}_kernel")
            weights[f"{prefix}{name}.bias"] = getattr(one, f"{name}_bias")
        if one.mode == "pure":
            weights |= {f"{prefix}w_tau": one.w_tau, f"{prefix}A": one.A}
        if one.sparsity_mask is not None:
            weights[f"{prefix}sparsity_mask"] = one.sparsity_mask
    return {key: weight if torch.is_tensor(weight) else weight.value for key, weight in weights.items()}


def import_keras():
    """Return Keras, on PyTorch unless it was imported before on something else."""
    with mock.patch.dict(os.environ, KERAS_BACKEND="torch"):
        import keras

    return keras


@contextlib.contextmanager
def _torch_dtype(name):
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, name))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextlib.contextmanager
def _keras_dtype(name):
    keras = import_keras()
    from keras.src.backend.common import dtypes

    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(name)
    keras.config.set_dtype_policy(name)
    try:
        # Keras multiplies matrices of float64 in float32 on PyTorch, but not with its TensorFlow entry of this table.
        with mock.patch.dict(dtypes.BIT64_TO_BIT32_DTYPE, float64="float64"):
            yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)
