"""The command ``cfc-ref``: its sub-commands, one file each, and how errors leave it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import cfc_ref
from cfc_ref.cli import bench, convert, experiment, export, figures, info, predict, train, tutorials, verify
from cfc_ref.cli.console import standard_streams

__all__ = ["main"]

_COMMANDS = (verify, bench, train, experiment, predict, convert, export, info, tutorials, figures)
_REFUSALS = (ValueError, TypeError, OSError, ArithmeticError, MemoryError, ModuleNotFoundError)
_TRACEBACK = "CFC_REF_TRACEBACK"  # an environment variable


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line on stderr and exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {' '.join(message.split())}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with standard_streams():
            return _run(given)
    except BrokenPipeError:
        return 141
    except OSError as error:  # output that could not be flushed
        with standard_streams():
            _say("cfc-ref", error)
        return 2


def _run(given: list[str]) -> int:
    parser = _Parser(prog="cfc-ref", description="Liquid time-constant and closed-form continuous-time networks.")
    parser.add_argument("--version", action="version", version=f"cfc-ref {cfc_ref.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    if not given:
        parser.print_help()
        return 0
    options = parser.parse_args(given)
    name = f"cfc-ref {options.command}"
    try:
        return int(options.run(options))
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        print(f"{name}: stopped", file=sys.stderr)
        return 130
    except _REFUSALS as error:
        _say(name, error, options)
    except Exception as error:
        if os.environ.get(_TRACEBACK):
            raise
        print(
            f"{name}: {type(error).__name__} ({' '.join(str(error).split())}), a fault of cfc-ref: please report it "
            f"with what the same command says after setting {_TRACEBACK}=1.",
            file=sys.stderr,
        )
    return 2


def _say(name: str, error: Exception, options: argparse.Namespace | None = None) -> None:
    """Print an error in one line, its argument named as the command line names it."""
    message = " ".join(str(error).split()) or type(error).__name__
    argument, colon, rest = message.partition(":")
    if options is not None and colon:
        option = f"--{argument.replace('_', '-')}" if hasattr(options, argument) else argument
        message = getattr(options, "called", {}).get(argument, option) + colon + rest
    print(f"{name}: {message}", file=sys.stderr)
