"""Parameters and gradients as nested (Named)tuples of arrays; None is a missing part.

A network of read-only arrays may remember results computed from it: :func:`unchanging`, :func:`made_once`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache, reduce
from typing import Any

__all__ = ["add", "leaves", "made_once", "tree_map", "unchanging"]

_MOST = 8  # things that a network remembers


def tree_map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Return a tree of the same structure; its leaves are `function` of the leaves of all trees at that place."""
    if tree is None:  # stays None; a leaf is anything else but a tuple
        return None
    if not isinstance(tree, tuple):
        return function(tree, *others)
    parts = [tree_map(function, *branches) for branches in zip(tree, *others, strict=True)]
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def leaves(tree: Any) -> list[Any]:
    """Return the leaves of a tree, depth first; None is no leaf."""
    found: list[Any] = []
    _gather((tree,), found)
    return found


def _gather(tree: tuple[Any, ...], found: list[Any]) -> None:
    for branch in tree:
        if isinstance(branch, tuple):
            _gather(branch, found)
        elif branch is not None:
            found.append(branch)


def add(*trees: Any) -> Any:
    """Return the sum of trees of the same structure."""
    return reduce(lambda a, b: tree_map(operator.add, a, b), trees)  # 0 + float32 is float32, unlike NumPy's int64


@cache
def _remembering(kind: Any) -> Any:
    """Return a subclass of a NamedTuple whose instances have attributes; they are copied and pickled without them."""
    return type(kind.__name__, (kind,), {"__reduce__": lambda self: (kind, tuple(self))})


def unchanging(network: Any) -> Any:
    """Return a network, a NamedTuple of read-only arrays, that remembers results computed from it."""
    kind: Any = type(network)
    remembering = _remembering(kind)(*network)
    remembering.made = {}
    return remembering


def made_once(network: Any, key: tuple[Any, ...], make: Callable[[], Any], readout: Any = None) -> Any:
    """Return ``make()``, or its earlier result for this key and readout if the network remembers it."""
    made = getattr(network, "made", None)
    if made is None:
        return make()
    if (found := made.get((key, id(readout)))) is None:
        if len(made) >= _MOST:
            made.clear()
        found = made[key, id(readout)] = make(), readout  # kept, as ids are reused; `make` would hold the network
    return found[0]
