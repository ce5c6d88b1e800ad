"""``cfc-ref figures``: write the tutorials' figures as SVG with a list of captions, and an animation."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from cfc_ref.cli.tutorials import tutorial_files, tutorials_folder

__all__ = ["add", "run"]

_ANIMATION = "moving_bound.gif"
_LIST = "README.md"
_ABOUT = "The closed form, both ODEs and Lemma 1's bound while the level of the input moves."


def add(commands: Any) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "figures",
        help="write the tutorials' figures as SVG, for a lecture",
        description="Run the tutorials and write each of their figures as SVG, a list with the captions, and an "
        "animation. All tutorials take some minutes. No existing file is replaced.",
    )
    parser.add_argument("--out", required=True, metavar="FOLDER", help="write them there")
    parser.add_argument("--only", nargs="+", metavar="PART", help="of these tutorials only, such as 03; or animation")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the tutorials, write their figures, and print where they are."""
    from cfc_ref import checks
    from cfc_ref.io import output_folder, write_atomically

    checks.need("matplotlib", "figures")
    source, out = tutorials_folder(), Path(options.out)
    notebooks = {file.name[:2]: file for file in tutorial_files(source) if file.suffix == ".ipynb"}
    parts = options.only or [*notebooks, "animation"]
    for part in parts:
        checks.choice("--only", part, [*notebooks, "animation"])
    there = [*out.glob(_LIST), *out.glob("[0-9][0-9]_figure_*.svg"), *out.glob(_ANIMATION)]
    if there:
        checks.refuse("--out", f"{str(there[0])!r}, which exists", "a folder without it", "name another folder")
    from cfc_ref.plots.lectures import moving_bound, notebook_figures

    output_folder("--out", out)
    lines = ["# Figures of the tutorials", "", "| File | Caption | From | Made by |", "|---|---|---|---|"]
    for part in dict.fromkeys(parts):
        made = f"`cfc-ref figures --only {part}`"
        if part == "animation":
            write_atomically(out / _ANIMATION, moving_bound())
            lines.append(f"| [{_ANIMATION}]({_ANIMATION}) | {_ABOUT} | `cfc_ref.plots.lectures` | {made} |")
            continue
        notebook = json.loads((source / notebooks[part]).read_text(encoding="utf-8"))
        for drawn in notebook_figures(notebook, source / "results"):
            name = f"{part}_figure_{drawn.number}.svg"
            write_atomically(out / name, drawn.svg)
            caption = drawn.caption.replace("|", r"\|")
            lines.append(f"| [{name}]({name}) | {caption} | `{notebooks[part]}`, Figure {drawn.number} | {made} |")
        print(f"{notebooks[part]}: {sum(line.startswith(f'| [{part}_') for line in lines)} figures")
    write_atomically(out / _LIST, ("\n".join(lines) + "\n").encode())
    print(f"Written: {out / _LIST}, the list.")
    return 0
