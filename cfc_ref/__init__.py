"""Reference implementation of liquid time-constant (LTC) and closed-form continuous-time (CfC) networks.

Everything public is importable from here, and loaded when it is first asked for: ``import cfc_ref`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfc_ref.facade import lookup

# public name -> the module that holds it; a module's own name stands for the module
_PUBLIC = {
    "CfC": "cfc_ref.layers.cfc",
    "CfCClassifier": "cfc_ref.learn.estimators",
    "CfCRegressor": "cfc_ref.learn.estimators",
    "CTRNN": "cfc_ref.layers.baselines",
    "Embedding": "cfc_ref.layers.embedding",
    "LSTM": "cfc_ref.layers.baselines",
    "LTC": "cfc_ref.layers.ltc",
    "LTCNeuron": "cfc_ref.neuron.model",
    "NeuralLTC": "cfc_ref.layers.ltc",
    "bounds": "cfc_ref.bounds",
    "closed_form": "cfc_ref.neuron.closed_forms",
    "exact": "cfc_ref.neuron.exact_solution",
    "export_c": "cfc_ref.export.c_files",
    "export_onnx": "cfc_ref.export.onnx_files",
    "export_wasm": "cfc_ref.export.wasm_files",
    "fit": "cfc_ref.learn.training_loop",
    "from_ncps": "cfc_ref.ncps.weights",
    "frozen": "cfc_ref.neuron.closed_forms",
    "load": "cfc_ref.io",
    "save": "cfc_ref.io",
    "set_num_threads": "cfc_ref.backend",
    "signals": "cfc_ref.signals",
    "solve": "cfc_ref.neuron.trajectory",
    "to_ncps_state_dict": "cfc_ref.ncps.weights",
    "teach": "cfc_ref.teach",
    "translate": "cfc_ref.translate",
    "verify": "cfc_ref.report.verification",
    "warmup": "cfc_ref.backend",
    "wirings": "cfc_ref.wirings",
}

if TYPE_CHECKING:
    from cfc_ref import bounds as bounds
    from cfc_ref import signals as signals
    from cfc_ref import teach as teach
    from cfc_ref import translate as translate
    from cfc_ref import wirings as wirings
    from cfc_ref.backend import set_num_threads as set_num_threads
    from cfc_ref.backend import warmup as warmup
    from cfc_ref.export.c_files import export_c as export_c
    from cfc_ref.export.onnx_files import export_onnx as export_onnx
    from cfc_ref.export.wasm_files import export_wasm as export_wasm
    from cfc_ref.io import load as load
    from cfc_ref.io import save as save
    from cfc_ref.layers.baselines import CTRNN as CTRNN
    from cfc_ref.layers.baselines import LSTM as LSTM
    from cfc_ref.layers.cfc import CfC as CfC
    from cfc_ref.layers.embedding import Embedding as Embedding
    from cfc_ref.layers.ltc import LTC as LTC
    from cfc_ref.layers.ltc import NeuralLTC as NeuralLTC
    from cfc_ref.learn.estimators import CfCClassifier as CfCClassifier
    from cfc_ref.learn.estimators import CfCRegressor as CfCRegressor
    from cfc_ref.learn.training_loop import fit as fit
    from cfc_ref.ncps.weights import from_ncps as from_ncps
    from cfc_ref.ncps.weights import to_ncps_state_dict as to_ncps_state_dict
    from cfc_ref.neuron.closed_forms import closed_form as closed_form
    from cfc_ref.neuron.closed_forms import frozen as frozen
    from cfc_ref.neuron.exact_solution import exact as exact
    from cfc_ref.neuron.model import LTCNeuron as LTCNeuron
    from cfc_ref.neuron.trajectory import solve as solve
    from cfc_ref.report.verification import verify as verify

__all__ = [*sorted(_PUBLIC), "__version__"]


def __getattr__(name: str) -> object:
    if name == "__version__":
        return _version()
    return lookup(__name__, _PUBLIC, name)


def _version() -> str:
    """Return the version that is installed, otherwise that of the source tree's pyproject.toml."""
    import re
    from importlib.metadata import PackageNotFoundError, version
    from pathlib import Path

    try:
        return version("cfc-ref")
    except PackageNotFoundError:
        project = Path(__file__).parents[1] / "pyproject.toml"
        text = project.read_text(encoding="utf-8") if project.is_file() else ""
        found = re.search(r'^name = "cfc-ref"\nversion = "(.+)"$', text, re.MULTILINE)
        return found[1] if found else "unknown"


def __dir__() -> list[str]:
    return sorted(__all__)
