"""A trained network as ONNX: one time step with the state as input and output, and a sequence of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import cfc_ref
from cfc_ref import checks
from cfc_ref.cells.solvers import SOLVERS
from cfc_ref.export.float32_network import Network, exported
from cfc_ref.export.onnx_trace import Graph
from cfc_ref.io import output_folder, write_atomically

if TYPE_CHECKING:
    from cfc_ref.layers.base import Layer

__all__ = ["OPSET", "export_onnx"]

OPSET, _IR = 17, 8  # ONNX 1.12 (2022) and later


def export_onnx(model: Layer, path: str | Path) -> tuple[Path, Path]:
    r"""Write a network as ONNX, opset 17: one time step, and next to it a sequence by ``Scan``.

    The step is :math:`s_k, y_k = \mathrm{step}(x_k, t_k, s_{k-1})`. Inputs are "x" (batch, features), "dt" (batch, 1),
    "state" (batch, units), and with mixed memory "memory" (batch, units); outputs "y" (batch, outputs), "state_out" and
    "memory_out". The sequence takes "x" and "dt" with the time as the first axis, and the state before the first step;
    it gives "y" (time, batch, outputs) and the last state. Both are traced from the NumPy specification, in float32.

    Parameters
    ----------
    model : CfC, LTC, NeuralLTC or CTRNN
        The layer; its solver divides a time step into parts. Nothing drops.
    path : str or Path
        The file of the step, such as ``network.onnx``; that of the sequence is then ``network_sequence.onnx``.

    Returns
    -------
    step, sequence : Path
        Both files.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit, before anything is written.
    ModuleNotFoundError
        Without the package onnx.

    Examples
    --------
    >>> import importlib.util, tempfile
    >>> from cfc_ref import CfC
    >>> if importlib.util.find_spec("onnx"):
    ...     with tempfile.TemporaryDirectory() as folder:
    ...         step, sequence = export_onnx(CfC(3, 8, seed=0), f"{folder}/network.onnx")
    """
    network = exported(model)
    if not isinstance(path, (str, Path)):
        checks.refuse("path", type(path).__name__, "the path of a file", "pass a string or a Path", TypeError)
    checks.need("onnx", "export_onnx", ", or pip install 'cfc-ref[onnx]'")
    step, sequence = models(network)
    path = Path(path)
    files = path, path.with_name(f"{path.stem}_sequence{path.suffix}")
    output_folder("path", path.parent)
    for file, made in zip(files, (step, sequence), strict=True):
        write_atomically(file, made.SerializeToString())
    return files


def models(network: Network) -> tuple[Any, Any]:
    """Return two ONNX models: one of a step, one of a sequence."""
    from onnx import helper, numpy_helper

    graph, inputs, outputs = traced(network)
    nodes = [
        helper.make_node(node.operator, node.inputs, [node.output], **node.attributes)
        for node in graph.needed([*outputs])
    ]
    names = ("y", *(f"{name}_out" for name in inputs[2:]))
    nodes += [helper.make_node("Identity", [of], [name]) for of, name in zip(outputs, names, strict=True)]
    constants = [numpy_helper.from_array(array, name) for name, array in graph.constants.items()]
    values = partial(_values, network.layer)
    step = _model("step", network.layer, nodes, values(inputs), values(names), constants)
    # Scan takes states before scanned values, on both sides
    states, states_out = inputs[2:], names[1:]
    inner = {name: f"{name}_k" for name in (*inputs, *names)}
    body = helper.make_graph(
        [_renamed(node, inner) for node in nodes],
        "one_step",
        [_named(value, inner) for value in values((*states, "x", "dt"))],
        [_named(value, inner) for value in values((*states_out, "y"))],
    )
    scan = helper.make_node("Scan", [*states, "x", "dt"], [*states_out, "y"], body=body, num_scan_inputs=2)
    ends = values(inputs, "time"), values(names, "time")
    return step, _model("sequence", network.layer, [scan], *ends, constants)


def _values(layer: Layer, names: tuple[str, ...], *axes: str) -> list[Any]:
    """Return the descriptions of values: axes (batch, size), for samples after `axes`."""
    from onnx import TensorProto, helper

    sizes = {"x": layer.input_size, "dt": 1, "y": layer.output_size}
    return [
        helper.make_tensor_value_info(
            name, TensorProto.FLOAT, [*(axes if name in sizes else ()), "batch", sizes.get(name, layer.state_size)]
        )
        for name in names
    ]


def _model(name: str, layer: Layer, nodes: list[Any], given: list[Any], got: list[Any], constants: list[Any]) -> Any:
    """Return a model of some nodes, checked."""
    from onnx import checker, helper

    made = helper.make_model(
        helper.make_graph(nodes, name, given, got, constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR,
        producer_name="cfc_ref",
        producer_version=cfc_ref.__version__,
        doc_string=repr(layer),
    )
    checker.check_model(made, full_check=True)
    return made


def _renamed(node: Any, names: dict[str, str]) -> Any:
    """Return a node with other names of its values."""
    copy = type(node)()
    copy.CopyFrom(node)
    for field in (copy.input, copy.output):
        for k, name in enumerate(field):
            field[k] = names.get(name, name)
    return copy


def _named(value: Any, names: dict[str, str]) -> Any:
    value.name = names[value.name]
    return value


def traced(network: Network) -> tuple[Graph, tuple[str, ...], tuple[str, ...]]:
    """Return the graph of a time step, the names of its inputs, and those of y and the state after it."""
    layer = network.layer
    solver = getattr(network.settings, "solver", None)
    if solver is not None and SOLVERS[solver].part is None:
        with_parts = ", ".join(repr(name) for name, record in SOLVERS.items() if record.part)
        checks.refuse("model", f"solver {solver!r}", f"a solver with parts: {with_parts}", "make the layer with one")
    graph = Graph()
    one = {"x": layer.input_size, "dt": 1, "state": layer.state_size}
    if network.params.lstm is not None:
        one["memory"] = layer.state_size
    x, dt, *state = (graph.input(name, np.ones((1, size), np.float32)) for name, size in one.items())
    h, c = network.step(x, (*state, None)[:2], dt)
    y = network.read_out(h)
    return graph, tuple(one), tuple(graph.name(value) for value in (y, h, c) if value is not None)
