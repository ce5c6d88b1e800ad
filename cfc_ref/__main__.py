"""``cfc-ref``, and ``python -m cfc_ref``."""

from __future__ import annotations

import contextlib
import os
import sys
from importlib.util import find_spec

__all__ = ["main"]


def main() -> int:
    """Run the command line."""
    # More threads of BLAS would wait on cores that the kernels could use; it reads their number as NumPy is imported
    with contextlib.suppress(ImportError):  # an import hook that hides numba
        if find_spec("numba"):
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from cfc_ref.cli import command

    return command.main()


if __name__ == "__main__":
    sys.exit(main())
