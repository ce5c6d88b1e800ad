"""Parameters and gradients travel as nested (Named)tuples of arrays; None stands for a part that is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["leaves", "tree_map"]


def tree_map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Return a tree of the same structure whose leaves are `function` of the leaves at the same place.

    Parameters
    ----------
    function : callable
        Takes one leaf of `tree` and one of each of `others`.
    tree : nested tuples
        Leaves are whatever is neither a tuple nor None; None stays None.
    *others : nested tuples
        Of the structure of `tree`.
    """
    if tree is None:
        return None
    if not isinstance(tree, tuple):
        return function(tree, *others)
    parts = [tree_map(function, *branches) for branches in zip(tree, *others, strict=True)]
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def leaves(tree: Any) -> list[Any]:
    """Return the leaves of a tree, depth first.

    Parameters
    ----------
    tree : nested tuples
        None is no leaf.
    """
    if tree is None:
        return []
    return [leaf for branch in tree for leaf in leaves(branch)] if isinstance(tree, tuple) else [tree]
