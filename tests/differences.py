"""Central differences: what a gradient has to agree with."""

import numpy as np

from tests.compare import assert_close


def central(loss, array, h=1e-5):
    """Gradient of ``loss()`` by the entries of an array that it reads, each moved in place and put back."""
    gradient = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        value = array[index]
        ends = []
        for step in (h, -h):
            array[index] = value + step
            ends.append(loss())
        array[index] = value
        gradient[index] = (ends[0] - ends[1]) / (2 * h)
    return gradient


def assert_gradient(got, loss, array, tolerance=1e-7):
    """Fail unless `got` is the gradient, but for `tolerance` of its largest entry, and what differences round off."""
    ref = central(loss, array)
    assert_close(got, ref, rtol=0, atol=tolerance * max(np.abs(ref).max(initial=0), 1e-2))
