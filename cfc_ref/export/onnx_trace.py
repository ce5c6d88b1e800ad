"""From the specification to ONNX: its NumPy functions run on arrays that record what is done to them.

So each formula keeps its one home: whatever a cell computes with the operations in :data:`OPERATORS` has an ONNX graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import numpy as np

from cfc_ref import checks
from cfc_ref.activations import sigmoid
from cfc_ref.arrays import Array

__all__ = ["Graph", "Node", "Traced"]

OPERATORS = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "matmul": "MatMul",
    "negative": "Neg",
    "absolute": "Abs",
    "exp": "Exp",
    "tanh": "Tanh",
    "erf (vectorized)": "Erf",
    "maximum": "Max",
    "minimum": "Min",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "less": "Less",
    "less_equal": "LessOrEqual",
}


class Node(NamedTuple):
    """One operation of a graph; inputs and output are names of values."""

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]


class Graph:
    """The operations of a computation, and its constants."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}  # by the name of the output
        self.constants: dict[str, Array] = {}
        self._known: dict[tuple[Any, ...], str] = {}

    def input(self, name: str, example: Array) -> Traced:
        """Return an array whose operations are recorded."""
        return Traced(example, self, name)

    def add(self, operator: str, inputs: tuple[Any, ...], example: Any, **attributes: Any) -> Traced:
        """Record an operation; return its result."""
        names = tuple(map(self.name, inputs))
        output = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes[output] = Node(operator, names, output, attributes)
        return Traced(np.asarray(example), self, output)

    def name(self, value: Any) -> str:
        """Return the name of a value; equal constants share one."""
        if isinstance(value, Traced):
            return value.name if value.name else _refuse("an array by an operation that is not recorded")
        kept = isinstance(value, np.ndarray) and value.dtype in (np.int64, np.bool_)
        array = np.array(value, value.dtype if kept else np.float32, order="C")
        key = (array.shape, array.dtype.str, array.tobytes())
        name = self._known.setdefault(key, f"constant_{len(self._known)}")
        self.constants[name] = array
        return name

    def needed(self, outputs: list[str]) -> list[Node]:
        """Return the operations that lead to some values, in order."""
        wanted, found = set(outputs), []
        for node in reversed(self.nodes.values()):
            if node.output in wanted:
                wanted |= set(node.inputs)
                found.append(node)
        self.constants = {name: array for name, array in self.constants.items() if name in wanted}
        return found[::-1]


class Traced(np.ndarray):
    """Numbers of an example, whose operations a graph records under names."""

    graph: Graph
    name: str = ""  # of a view or a copy that no operation made

    def __new__(cls, example: Any, graph: Graph, name: str) -> Traced:
        """Return an example as a traced array."""
        array = np.asarray(example).view(cls)
        array.graph, array.name = graph, name
        return array

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Record an element-wise operation, a product or a sum."""
        if method == "__call__" and ufunc.__name__ in _COMPOSED:
            return _COMPOSED[ufunc.__name__](*inputs)
        example, graph = getattr(ufunc, method)(*map(_plain, inputs), **options), _graph(inputs)
        if method == "reduce" and ufunc is np.add:
            axes = np.array([options.get("axis", 0)], np.int64)
            return graph.add("ReduceSum", (inputs[0], axes), example, keepdims=int(options.get("keepdims", False)))
        if method != "__call__" or ufunc.__name__ not in OPERATORS:
            _refuse(f"numpy.{ufunc.__name__}.{method}")
        return graph.add(OPERATORS[ufunc.__name__], inputs, np.asarray(example).astype(_kind(example)))

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        """Record a function of whole arrays; others are made of operations that are recorded."""
        if function in _FUNCTIONS:
            return _FUNCTIONS[function](*arguments, **options)
        return super().__array_function__(function, types, arguments, options)

    def __getitem__(self, key: Any) -> Any:
        """Record slices, and new axes."""
        value, keys = self, key if isinstance(key, tuple) else (key,)
        for axis, part in enumerate(keys):
            if part is None:
                example = np.expand_dims(_plain(value), axis)
                value = self.graph.add("Unsqueeze", (value, np.array([axis], np.int64)), example)
            elif part != slice(None):
                begin, end, stride = part.indices(value.shape[axis])
                ends = (np.array([n], np.int64) for n in (begin, end, axis, stride))
                example = _plain(value)[(slice(None),) * axis + (part,)]
                value = self.graph.add("Slice", (value, *ends), example)
        return value

    def sigmoid(self) -> Traced:
        """Record the logistic function as one operation."""
        return self.graph.add("Sigmoid", (self,), sigmoid(_plain(self)))

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """Return the array: a graph computes in float32."""
        return self


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Traced) else value


def _kind(example: Any) -> Any:
    """Return the dtype of a result: bool, or float32 where math.erf has made objects."""
    return np.bool_ if np.asarray(example).dtype == np.bool_ else np.float32


def _graph(values: Any) -> Graph:
    return next(value.graph for value in values if isinstance(value, Traced) and value.name)


def _concatenate(arrays: Any, axis: int = 0) -> Traced:
    return _graph(arrays).add("Concat", tuple(arrays), np.concatenate([*map(_plain, arrays)], axis=axis), axis=axis)


def _where(condition: Any, x: Any, y: Any) -> Any:
    if not isinstance(condition, Traced) and np.all(condition):
        return x
    example = np.where(*map(_plain, (condition, x, y))).astype(np.float32)
    return _graph((condition, x, y)).add("Where", (condition, x, y), example)


def _split(array: Traced, places: Any, axis: int = 0) -> list[Any]:
    ends = [len(part) for part in np.split(np.arange(array.shape[axis]), places)]
    stops = np.cumsum(ends)
    before = (slice(None),) * axis
    return [array[(*before, slice(int(stop - n), int(stop)))] for n, stop in zip(ends, stops, strict=True)]


_COMPOSED: dict[str, Callable[..., Any]] = {
    "expm1": lambda z: np.tanh(z / 2) * (np.exp(z) + 1),  # without cancellation near 0
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
}
_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.concatenate: _concatenate,
    np.where: _where,
    np.split: _split,
    np.ones_like: lambda array: np.ones(array.shape, np.float32),
    np.full_like: lambda array, value: np.full(array.shape, value, np.float32),
}


def _refuse(what: str) -> NoReturn:
    do = "add its operator to cfc_ref.export.onnx_trace"
    checks.refuse("model", f"a network that computes {what}", f"operations with ONNX: {', '.join(OPERATORS)}", do)
