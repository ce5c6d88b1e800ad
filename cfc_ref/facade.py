"""Lazy public names: a package's ``__init__`` lists its names with their modules and loads each on first use."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def lookup(package: str, names: Mapping[str, str], name: str) -> object:
    """Return the public object `name` of `package` from the module in `names`; a module is its own object."""
    if name not in names:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    module = importlib.import_module(names[name])
    found = module if module.__name__ == f"{package}.{name}" else getattr(module, name)
    setattr(sys.modules[package], name, found)  # the next access does not come here
    return found


def by_name(modules: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the table public name → module from the names that each module has."""
    return {name: module for module, names in modules.items() for name in names}


def lazy(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the functions ``__getattr__`` and ``__dir__`` of a package with public names."""
    return lambda name: lookup(package, names, name), lambda: sorted(names)


def figure(name: str) -> Callable[..., Any]:
    """Return a function of :mod:`cfc_ref.plots` by its name, for methods ``plot`` of rooms that figures import."""
    function: Callable[..., Any] = getattr(importlib.import_module("cfc_ref.plots"), name)
    return function
