"""The command ``cfc-ref``: its sub-commands, one file each, and how errors leave it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import cfc_ref
from cfc_ref.cli import bench, convert, experiment, info, predict, train, tutorials, verify

__all__ = ["main"]

_COMMANDS = (verify, bench, train, experiment, predict, convert, info, tutorials)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line on stderr and exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {' '.join(message.split())}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _run(arguments: Sequence[str] | None) -> int:
    parser = _Parser(prog="cfc-ref", description="Liquid time-constant and closed-form continuous-time networks.")
    parser.add_argument("--version", action="version", version=f"cfc-ref {cfc_ref.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except BrokenPipeError:
        raise
    except (ValueError, TypeError, OSError) as error:
        print(f"cfc-ref {options.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"cfc-ref {options.command}: stopped", file=sys.stderr)
        return 130
