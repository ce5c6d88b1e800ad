"""``cfc-ref``, and ``python -m cfc_ref``."""

from __future__ import annotations

import contextlib
import os
import sys
from importlib.util import find_spec

__all__ = ["main"]


def main() -> int:
    """Run the command line.

    BLAS gets one thread: more of them would wait for work on cores that the threads of the kernels could use. It reads
    their number when NumPy is first imported.
    """
    with contextlib.suppress(ImportError):  # an import hook that hides numba
        if find_spec("numba"):
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from cfc_ref.cli import command

    return command.main()


if __name__ == "__main__":
    sys.exit(main())
