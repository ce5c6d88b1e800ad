"""The report: statements with their verdicts, printed as a table and written to files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cfc_ref import checks
from cfc_ref.io import output_folder, write_atomically
from cfc_ref.report import page
from cfc_ref.report.judge import Evaluation
from cfc_ref.report.recording import Recording
from cfc_ref.report.result import Outcome, StatementResult
from cfc_ref.report.statements import STATEMENTS

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
        return cls(results, cases, seed, fixed, recording)

    def __str__(self) -> str:
        return page.table(self)

    def save(self, folder: str | Path) -> None:
        """Write report.json, report.md and, where matplotlib is installed, the figures (PNG) into a folder.

        A figure whose numbers overflow is left out.

        Parameters
        ----------
        folder : str or Path
            Created if it does not exist.

        Raises
        ------
        ValueError, TypeError
            If the folder can't be written to.
        """
        path, captions = output_folder("folder", folder), dict[str, str]()
        if checks.installed("matplotlib"):
            from cfc_ref.plots import report as pictures

            for name, image in pictures.report_figures(self.recording.channel(0), self.fixed):
                captions[name] = pictures.CAPTIONS[name]
                write_atomically(path / name, image)
        write_atomically(path / "report.md", page.markdown(self, captions).encode())
        text = json.dumps(self.as_dict(), indent=1, allow_nan=False)
        write_atomically(path / "report.json", f"{text}\n".encode())
