"""Lazy public names: a package's ``__init__`` lists its names with their modules and loads each on first use."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lookup(package: str, names: Mapping[str, str], name: str) -> object:
    """Return the public object `name` of `package` from the module that `names` gives; a module stands for itself."""
    if name not in names:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    module = importlib.import_module(names[name])
    found = module if module.__name__ == f"{package}.{name}" else getattr(module, name)
    setattr(sys.modules[package], name, found)  # the next access does not come here
    return found


def figure(name: str) -> Callable[..., Any]:
    """Return a function of :mod:`cfc_ref.plots`: the seam through which a method ``plot`` of a lower room draws itself.

    Only the name is known below; what it draws is known to the figure, which imports the object's class.
    """
    function: Callable[..., Any] = getattr(importlib.import_module("cfc_ref.plots"), name)
    return function
