"""``cfc-ref convert``: from ncps's weights in a safetensors file to a model file, and back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfc_ref import checks
from cfc_ref.cli.words import FOLDER, NAME, WHOLE, Option, add_options

if TYPE_CHECKING:
    from cfc_ref.wirings import Wiring

__all__ = ["add", "run"]

_OF_NCPS = ("kind", "mode", "activation", "ode_unfolds", "implicit_param_constraints", "wiring", "variant")
_WIRINGS = ("FullyConnected", "Random", "NCP", "AutoNCP")
_OPTIONS: list[Option] = [
    ("source", "or a folder that cfc-ref train wrote", {"metavar": "WEIGHTS.safetensors|MODEL.npz"}),
    ("--out", "write model.npz or model.safetensors there", {"required": True, **FOLDER}),
    ("--to", "convert a model file to ncps's weights", {"choices": ("ncps",)}),
    ("--kind", "kind of the layer (default: read from the names)", {"choices": ("CfC", "LTC")}),
    ("--mode", "mode of a CfC", {"choices": ("default", "no_gate", "pure")}),
    ("--activation", "activation of a CfC's backbone, such as lecun_tanh", NAME),
    ("--ode-unfolds", "parts of a time step of an LTC", WHOLE),
    ("--implicit-param-constraints", "whether weights of an LTC pass through a softplus", {"choices": ("yes", "no")}),
    ("--wiring", "wiring of a CfC, such as AutoNCP:units=19,output_size=1", {"metavar": "NAME:a=1,b=2"}),
    ("--variant", "conventions of the weights (default: torch)", {"choices": ("torch", "tensorflow", "keras")}),
]


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "convert",
        help="convert ncps's weights to a model file, or back",
        description="Convert a .safetensors file of an ncps model's state_dict() to model.npz, or with --to ncps a "
        "model file to model.safetensors. Settings that names and shapes of ncps's weights do not tell are options.",
    )
    add_options(parser, _OPTIONS)
    parser.set_defaults(run=run, called={"source": "source"})


def run(options: argparse.Namespace) -> int:
    """Read one file, write the other."""
    given = {name: getattr(options, name) for name in _OF_NCPS if getattr(options, name) is not None}
    from_ours = Path(options.source).is_dir() or Path(options.source).suffix == ".npz"
    if from_ours != (options.to == "ncps"):
        expected = "a model file with --to ncps, or a .safetensors file without it"
        checks.refuse("source", repr(options.source), expected, "add or remove --to ncps")
    if from_ours and given:
        option = f"--{next(iter(given)).replace('_', '-')}"
        checks.refuse(option, "an option", "none, as a model file has its settings", f"remove {option}")
    written = _to_ncps(options.source, options.out) if from_ours else _from_ncps(options.source, options.out, given)
    print(f"Written: {written}")
    return 0


def _from_ncps(source: str, out: str, given: dict[str, Any]) -> Path:
    from cfc_ref.io import output_folder, save
    from cfc_ref.ncps.weights import from_ncps

    if "implicit_param_constraints" in given:
        given["implicit_param_constraints"] = given["implicit_param_constraints"] == "yes"
    if "wiring" in given:
        given["wiring"] = _wiring(given["wiring"])
    model = from_ncps(source, **given)
    path = output_folder("out", out) / "model.npz"
    save(path, model)
    print(model)
    return path


def _to_ncps(source: str, out: str) -> Path:
    from cfc_ref.io import load, output_folder, write_atomically
    from cfc_ref.learn.run_folder import model_file
    from cfc_ref.ncps.tensor_file import packed_tensors
    from cfc_ref.ncps.weights import to_ncps_state_dict

    arrays = to_ncps_state_dict(load(model_file(source)))
    path = output_folder("out", out) / "model.safetensors"
    write_atomically(path, packed_tensors(arrays))
    return path


def _wiring(text: str) -> Wiring:
    """Return a wiring from its name and its arguments by name."""
    import json

    from cfc_ref import wirings

    name, _, words = text.partition(":")
    checks.choice("--wiring", name, _WIRINGS)
    arguments: dict[str, Any] = {}
    for word in words.split(",") if words else []:
        argument, equals, value = (part.strip() for part in word.partition("="))
        try:
            arguments[argument] = json.loads(value)
        except ValueError:
            equals = ""
        if not equals:
            checks.refuse("--wiring", repr(word), "argument=number", "write for example AutoNCP:units=19,output_size=1")
    try:
        return getattr(wirings, name)(**arguments)
    except TypeError as error:
        checks.refuse("--wiring", f"{text!r} ({error})", f"the arguments of {name} by name", "see cfc_ref.wirings")
