"""``cfc-ref info``: describe a model file, weights of ncps, or a folder that ``cfc-ref train`` wrote."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cfc_ref.cli.words import figure_lines, preparation_lines

__all__ = ["add", "run"]


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "info",
        help="describe a model file or a trained folder",
        description="Describe a model file; for a folder that cfc-ref train wrote also its columns, its "
        "settings and its figures on held-back rows; for weights of ncps the command that converts them.",
    )
    parser.add_argument(
        "path", metavar="FOLDER|MODEL.npz|WEIGHTS.safetensors", help="as cfc-ref train, save or safetensors wrote it"
    )
    parser.set_defaults(run=run, called={"path": "path"})


def run(options: argparse.Namespace) -> int:
    """Print the description."""
    from cfc_ref.io import load
    from cfc_ref.learn.run_folder import RunFolder, model_file
    from cfc_ref.tables.folder import TABLE_RUN, read_trained

    if Path(options.path).suffix.lower() == ".safetensors":
        from cfc_ref.ncps.weights import summary

        print(*_lines(summary(options.path)), sep="\n")
        return 0
    if not RunFolder(Path(options.path), TABLE_RUN).begun:
        print(*_model_lines(load(model_file(options.path))), sep="\n")
        return 0
    trained = read_trained(options.path)
    print(*_model_lines(trained.model), "", *preparation_lines(trained.preparation), sep="\n")
    of_columns = trained.preparation.columns._fields
    settings = {name: value for name, value in trained.settings.items() if name not in of_columns and value is not None}
    print(f"settings  {', '.join(f'{name} {value}' for name, value in settings.items())}", "", sep="\n")
    print(*figure_lines(trained.figures), sep="\n")
    return 0


def _model_lines(model: Any) -> list[str]:
    """Return the kind, the sizes and the settings of a model, one per line."""
    said = {"kind": type(model).__name__, "neurons": model.state_size, "outputs": model.output_size}
    if model.wiring is not None:
        wiring = model.wiring
        said["wiring"] = f"{wiring.num_layers} layers of {', '.join(map(str, wiring.layer_sizes))} neurons, " + (
            f"{wiring.synapse_count} synapses and {wiring.sensory_synapse_count} from inputs"
        )
    said |= model.config
    said["parameters"] = f"{sum(array.size for array in model.parameters.values()):,}"
    return _lines(said)


def _lines(said: dict[str, Any]) -> list[str]:
    return [f"{name:<16}  {value}" for name, value in said.items() if value is not None]
