"""Who is compared, each in a process of its own, as its users run it.

In one process, threads of one library that wait for more work would take the cores from the next one.
"""

from __future__ import annotations

import importlib
import multiprocessing
from multiprocessing.connection import Connection
from typing import Any

from cfc_ref.arrays import Array
from cfc_ref.bench.timing import clock
from cfc_ref.bench.workloads import Workload, make_task

__all__ = ["Apart", "Here", "UnavailableError"]

_PATIENCE = 10.0  # seconds for a process to end


class UnavailableError(Exception):
    """A package that a peer needs is not installed, or it has nothing for this workload."""


class Here:
    """A peer in this process; its `results` are arrays by name: of each step of a stream, or of the one call."""

    def __init__(self, make: str, workload: Workload, threads: int) -> None:
        module, _, function = make.rpartition(".")
        task = make_task(workload, threads)
        runner = getattr(importlib.import_module(module), function)(task)
        self.results: list[dict[str, Array]] = [
            runner.arrays(runner.call()) for _ in range(len(task.x) if task.kind == "step" else 1)
        ]
        self._clock, self._units = clock(runner.call), runner.units

    def __call__(self, calls: int) -> float:
        """Return the seconds of so many units of the work."""
        whole = -(-calls // self._units)
        return self._clock(whole) * calls / (whole * self._units)

    def __enter__(self) -> Here:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left behind."""


class Apart:
    """A peer in a process of its own; else as :class:`Here`."""

    def __init__(self, make: str, workload: Workload, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._make = make
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, make, workload, threads), daemon=True)
        self._process.start()
        other.close()
        try:
            self.results: list[dict[str, Array]] = self._answer()
        except BaseException:
            self.__exit__()
            raise

    def __call__(self, calls: int) -> float:
        """Return the seconds of so many calls."""
        seconds: float = self._answer(calls)
        return seconds

    def _answer(self, *asked: int) -> Any:
        try:
            for calls in asked:
                self._connection.send(calls)
            answer = self._connection.recv()
        except (EOFError, OSError):
            self._process.join(_PATIENCE)
            raise RuntimeError(f"{self._make}: its process ended with status {self._process.exitcode}") from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def __enter__(self) -> Apart:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._connection.close()
        self._process.join(_PATIENCE)
        self._process.kill()  # a library may hang at the end
        self._process.join()


def _serve(connection: Connection, make: str, workload: Workload, threads: int) -> None:
    """Make a peer ready, send its results, and the seconds of as many calls as it is asked for until nobody asks."""
    try:
        peer = Here(make, workload, threads)
        connection.send(peer.results)
        while True:
            connection.send(peer(connection.recv()))
    except EOFError:
        return
    except UnavailableError as error:
        connection.send(error)
    except Exception as error:  # not every exception goes through a pipe
        connection.send(RuntimeError(f"{make}: {type(error).__name__}: {error}"))
