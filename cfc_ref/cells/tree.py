"""Parameters and gradients as nested (Named)tuples of arrays; None is a missing part."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

__all__ = ["add", "leaves", "tree_map"]


def tree_map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Return a tree of the same structure; its leaves are `function` of the leaves of all trees at that place.

    A leaf is anything but a tuple or None; None stays None.
    """
    if tree is None:
        return None
    if not isinstance(tree, tuple):
        return function(tree, *others)
    parts = [tree_map(function, *branches) for branches in zip(tree, *others, strict=True)]
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def leaves(tree: Any) -> list[Any]:
    """Return the leaves of a tree, depth first; None is no leaf."""
    if tree is None:
        return []
    return [leaf for branch in tree for leaf in leaves(branch)] if isinstance(tree, tuple) else [tree]


def add(*trees: Any) -> Any:
    """Return the sum of trees of the same structure."""
    return reduce(lambda a, b: tree_map(operator.add, a, b), trees)  # 0 + float32 is float32, unlike NumPy's int64
