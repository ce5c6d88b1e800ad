"""ncps on PyTorch, eager and traced."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from cfc_ref.bench.peers import Runner, Samples, package
from cfc_ref.bench.workloads import TrainingTask
from cfc_ref.layers.cfc import CfC
from cfc_ref.ncps.weights import to_ncps_state_dict

__all__ = ["eager", "traced"]


def eager(task: TrainingTask) -> Runner:
    """Make ncps ready, as its users call it: a step is a sequence of one."""
    torch, model = _model(task)
    if task.kind == "step":
        return _stepping(torch, task, lambda x, state, _: model(x[None], state))
    x, timespans = torch.from_numpy(task.x), None
    if task.timespans is not None:  # ncps takes the timespans of a batch for each neuron only
        timespans = torch.from_numpy(np.repeat(task.timespans[..., None], task.layer.state_size, -1))
    d_output = torch.from_numpy(task.d_output)

    def forward() -> Any:
        with torch.no_grad():
            return model(x, timespans=timespans)[0]

    def both() -> Any:
        model.zero_grad(set_to_none=True)
        output = model(x, timespans=timespans)[0]
        output.backward(d_output)
        return output.detach()

    if task.kind != "train":
        return Runner(forward, lambda output: {"output": output.numpy()})
    trained = [name for name, value in model.named_parameters() if value.requires_grad]
    get = model.get_parameter
    return Runner(both, lambda output: {"output": output.numpy(), **{name: get(name).grad.numpy() for name in trained}})


def traced(task: TrainingTask) -> Runner:
    """Make ncps's step ready, traced by ``torch.jit``."""
    torch, model = _model(task)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with torch.no_grad():
            cell = torch.jit.freeze(torch.jit.trace(model.rnn_cell, _example(torch, task)))
    return _stepping(torch, task, cell)


def _model(task: TrainingTask) -> tuple[Any, Any]:
    """Return PyTorch, and ncps's model with the task's weights."""
    torch, ncps, wirings = package("torch"), package("ncps.torch"), package("ncps.wirings")
    torch.set_num_threads(task.threads)
    layer = task.layer
    if isinstance(layer, CfC):
        model = ncps.CfC(layer.input_size, layer.state_size)
    elif layer.output_size == layer.state_size:
        model = ncps.LTC(layer.input_size, layer.state_size)
    else:
        model = ncps.LTC(layer.input_size, wirings.AutoNCP(layer.state_size, layer.output_size))
    arrays = to_ncps_state_dict(layer)
    model.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
    return torch, model.eval() if task.kind != "train" else model


def _example(torch: Any, task: TrainingTask) -> tuple[Any, Any, Any]:
    return torch.from_numpy(task.x[:1]), torch.zeros(1, task.layer.state_size), torch.ones(1, 1)


def _stepping(torch: Any, task: TrainingTask, cell: Callable[..., Any]) -> Runner:
    """Return steps of what gives an output and a state."""
    samples = Samples([torch.from_numpy(sample[None]) for sample in task.x])
    _, state, dt = _example(torch, task)

    def step() -> Any:
        nonlocal state
        with torch.no_grad():
            output, state = cell(samples.next(), state, dt)
        return output

    return Runner(step, lambda output: {"output": output.numpy().reshape(-1)})
