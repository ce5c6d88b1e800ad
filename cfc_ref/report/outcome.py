"""The report: statements with their verdicts, printed as a table and written to files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from cfc_ref import checks
from cfc_ref.io import output_folder, write_atomically
from cfc_ref.report import page
from cfc_ref.report.judge import Evaluation
from cfc_ref.report.recording import Recording
from cfc_ref.report.result import Outcome, StatementResult
from cfc_ref.report.statements import STATEMENTS
from cfc_ref.report.thinning import thinned

__all__ = ["Report"]


@dataclass(frozen=True)
class Report(Outcome):
    """The outcome of ``verify``; ``str(report)`` is a table."""

    @classmethod
    def of(
        cls, found: Mapping[str, Evaluation], cases: int, seed: int, fixed: dict[str, float], recording: Recording
    ) -> Report:
        """Judge every statement."""
        results = tuple(StatementResult.of(STATEMENTS[name], evaluation) for name, evaluation in found.items())
        return cls(results, cases, seed, fixed, recording, thinned(recording, fixed))

    def __str__(self) -> str:
        return page.table(self)

    def save(self, folder: str | Path, command: str = "") -> None:
        """Write report.json, report.md and, where matplotlib is installed, the figures (PNG) into a folder.

        A figure whose numbers overflow is left out.

        Parameters
        ----------
        folder : str or Path
            Created if it does not exist.
        command : str
            What was run, for the page's head; by default the call of ``verify``.

        Raises
        ------
        ValueError, TypeError
            If the folder can't be written to.
        """
        path, captions = output_folder("folder", folder), dict[str, str]()
        when = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "command": command or self._call()}
        if checks.installed("matplotlib"):
            from cfc_ref.plots import report as pictures

            wanted = {name for s in self.statements for name in s.figures} | {page.OWN_FIGURE}
            for name, image, caption in pictures.report_figures(self.recording.channel(0), self.fixed, wanted):
                captions[name] = caption
                write_atomically(path / name, image)
        write_atomically(path / "report.md", page.markdown(self, captions, when).encode())
        text = json.dumps(when | self.as_dict(), indent=1, allow_nan=False)
        write_atomically(path / "report.json", f"{text}\n".encode())

    def _call(self) -> str:
        """Return the call that gives this report, but for the recording."""
        names = [s.name for s in self.statements]
        some = "" if len(names) == len(STATEMENTS) else f", statements={names}"
        fixed = f", neuron={self.fixed}" if self.fixed else ""
        return f"cfc_ref.verify(cases={self.cases}, seed={self.seed}{some}{fixed})"
