"""Marks of tests for runs with NUMBA_DISABLE_JIT=1, where kernels are plain Python to step through."""

import pytest
from numba import config

UNJITTED = bool(config.DISABLE_JIT)
compiled_only = pytest.mark.skipif(UNJITTED, reason="it tests compiled code: its cache, signatures, speed or last bits")
scalars_warn = pytest.mark.filterwarnings("ignore:.* encountered in scalar:RuntimeWarning")  # compiled code does not
