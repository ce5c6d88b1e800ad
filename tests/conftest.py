"""Hypothesis draws the same examples in every run, and kernels are compiled anew once one of their files changes."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=100)
settings.load_profile("repeatable")

# Numba looks at the file of the kernel that is called, not at those of what it calls.
ROOT = Path(__file__).parent.parent
SOURCES = b"".join(path.read_bytes() for path in sorted((ROOT / "cfc_ref" / "kernels").rglob("*.py")))
CACHE = ROOT / ".pytest_cache" / f"numba-{hashlib.sha256(SOURCES).hexdigest()[:16]}"
os.environ.setdefault("NUMBA_CACHE_DIR", str(CACHE))


@pytest.fixture
def all_threads():
    """Kernels use all threads again afterwards."""
    from cfc_ref.kernels import threads

    yield
    threads.use(threads.MOST)
