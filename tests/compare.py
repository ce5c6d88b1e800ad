"""How tests compare: numbers, and refusals."""

import re

import numpy as np


def assert_close(got, ref, rtol=1e-12, atol=1e-12, dtype=None):
    """Fail unless `got` has the shape of `ref`, no NaN, the dtype if one is given, and the same values."""
    got, ref = np.asarray(got), np.asarray(ref)
    assert got.shape == ref.shape, f"shape {got.shape}, expected {ref.shape}"
    assert dtype is None or got.dtype == dtype, f"dtype {got.dtype}, expected {dtype}"
    assert not np.isnan(got).any(), "NaN in the result"
    assert not np.isnan(ref).any(), "NaN in the reference"
    np.testing.assert_allclose(got, ref, rtol=rtol, atol=atol)


def assert_inside(low, value, high, atol):
    """Fail unless low - atol <= value <= high + atol, NaN nowhere."""
    low, value, high = np.broadcast_arrays(low, value, high)
    worst = np.max(np.maximum(low - value, value - high), initial=-np.inf)
    assert worst <= atol, f"outside of its bounds by {worst}"  # NaN compares false


def refusal(name):
    """A pattern for the message in three parts, on one line, that names the argument."""
    return rf"\A{re.escape(name)}: got [^\n]+; expected [^\n]+; [^\n]+\.\Z"
