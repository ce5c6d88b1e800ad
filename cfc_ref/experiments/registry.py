"""All experiments: every module of this folder named NAME_task holds one record, EXPERIMENT."""

from __future__ import annotations

import importlib
import pkgutil

import cfc_ref.experiments
from cfc_ref.experiments.record import Experiment

__all__ = ["EXPERIMENTS"]

_SUFFIX = "_task"


def _found() -> dict[str, Experiment]:
    names = sorted(module.name for module in pkgutil.iter_modules(cfc_ref.experiments.__path__))
    modules = {name: f"cfc_ref.experiments.{name}" for name in names if name.endswith(_SUFFIX)}
    return {name.removesuffix(_SUFFIX): importlib.import_module(path).EXPERIMENT for name, path in modules.items()}


EXPERIMENTS = _found()
"""Name on the command line -> record."""
