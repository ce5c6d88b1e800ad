"""``python -m tests.export.cortex``: generated C on an emulated Cortex-M4: golden outputs, flash and instructions."""

import re
import shutil
import tempfile
from pathlib import Path

from cfc_ref import LTC, CfC, export_c, wirings
from cfc_ref.export import cortex_m4

THERE = all(map(shutil.which, (cortex_m4.GCC, cortex_m4.QEMU)))
MODELS = {
    "CfC": lambda: CfC(3, wirings.AutoNCP(12, 1), seed=0, backend="numpy"),
    "LTC": lambda: LTC(3, wirings.AutoNCP(12, 1), seed=0, backend="numpy"),
}


def rows(readme):
    """Return the table of an export's README: what → number or words."""
    return dict(re.findall(r"^\| ([^|`]+) \| ([^|]*) \|$", readme.read_text(encoding="utf-8"), re.MULTILINE))


if __name__ == "__main__":
    for name, make in MODELS.items():
        for kind, options in (("float32", {}), ("int8", {"int8": True, "x_range": (-4, 4)})):
            with tempfile.TemporaryDirectory() as folder:
                export_c(make(), folder, "n", math="own", measure=True, **options)
                said = rows(Path(folder) / "README.md")
            lines = (f"{what}: {value}" for what, value in said.items())
            print(f"{name} AutoNCP(12, 1), {kind}", *lines, sep="\n    ")  # noqa: T201
