"""``cfc-ref convert``: ncps's weights in a safetensors file to a model's file, and back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfc_ref import checks
from cfc_ref.cli.words import whole

if TYPE_CHECKING:
    from cfc_ref.wirings import Wiring

__all__ = ["add", "run"]

_OF_NCPS = ("kind", "mode", "activation", "ode_unfolds", "implicit_param_constraints", "wiring", "variant")
_WIRINGS = ("FullyConnected", "Random", "NCP", "AutoNCP")


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "convert",
        help="turn ncps's weights into a model's file, or back",
        description="Turn a .safetensors file of an ncps model's state_dict() into model.npz, or with --to ncps a "
        "model's file into model.safetensors. Of ncps's model, what names and shapes do not say has to be said.",
    )
    parser.add_argument("source", metavar="WEIGHTS.safetensors|MODEL.npz", help="or a folder that cfc-ref train wrote")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="write model.npz or model.safetensors there")
    parser.add_argument("--to", choices=("ncps",), help="from a model's file to ncps's weights")
    parser.add_argument("--kind", choices=("CfC", "LTC"), help="of layer (default: what the names say)")
    parser.add_argument("--mode", choices=("default", "no_gate", "pure"), help="of a CfC")
    parser.add_argument("--activation", metavar="NAME", help="of a CfC's backbone, such as lecun_tanh")
    parser.add_argument("--ode-unfolds", type=whole, metavar="N", help="of an LTC")
    parser.add_argument(
        "--implicit-param-constraints", choices=("yes", "no"), help="of an LTC: whether weights pass through a softplus"
    )
    parser.add_argument(
        "--wiring", metavar="NAME:a=1,b=2", help="of a wired CfC, such as AutoNCP:units=19,output_size=1"
    )
    parser.add_argument(
        "--variant", choices=("torch", "tensorflow", "keras"), help="whose conventions (default: torch)"
    )
    parser.set_defaults(run=run, called={"source": "source"})


def run(options: argparse.Namespace) -> int:
    """Read the one, write the other."""
    given = {name: getattr(options, name) for name in _OF_NCPS if getattr(options, name) is not None}
    from_ours = Path(options.source).is_dir() or Path(options.source).suffix == ".npz"
    if from_ours != (options.to == "ncps"):
        expected = "--to ncps with a model's file, and without it a .safetensors file"
        checks.refuse("source", repr(options.source), expected, "name the other one")
    if from_ours and given:
        checks.refuse(f"--{next(iter(given))}", "an option", "none, as a model's file says it itself", "leave it out")
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
