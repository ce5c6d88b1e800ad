"""Read-only copies of a layer's weights, kept until a parameter changes.

Optimisers and users write to parameters in place, so that only their bits tell whether they have changed. Comparing the
bits takes microseconds; packing the weights again for a kernel takes up to a millisecond.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.tree import leaves, tree_map, unchanging

__all__ = ["present_weights"]


class _Snapshot(NamedTuple):
    """Weights, and the bytes of the parameters from which they were made."""

    constrained: Any  # the setting that decides how positive weights are made
    numbers: dict[str, bytes]
    params: Any


_LAST: WeakKeyDictionary[Any, _Snapshot] = WeakKeyDictionary()  # not in the layer: no copy or file takes it along


def present_weights(layer: Any) -> Any:
    """Return a layer's present weights in read-only arrays; the same objects as last time if no bit has changed."""
    last, arrays = _LAST.get(layer), layer._arrays
    constrained = getattr(layer, "implicit_param_constraints", None)
    if (
        last is not None
        and last.constrained == constrained
        and all(arrays[key].tobytes() == number for key, number in last.numbers.items())
    ):
        return last.params
    numbers = {key: arrays[key].tobytes() for key in leaves(layer._keys)}

    def weight(key: str) -> Array:
        array = np.frombuffer(numbers[key], arrays[key].dtype).reshape(arrays[key].shape)
        effective = layer._effective(key, array)
        effective.flags.writeable = False
        return effective

    made = tree_map(weight, layer._keys)
    made = made._replace(network=unchanging(made.network))
    _LAST[layer] = _Snapshot(constrained, numbers, made)
    return made
