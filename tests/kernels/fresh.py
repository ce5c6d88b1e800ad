"""Memory that shows where it is read before anything was written to it."""

import numpy as np


def all_nan(shapes, dtype):
    """Stand in for ``aligned_all``."""
    return [np.full(shape, np.nan, dtype) for shape in shapes]
