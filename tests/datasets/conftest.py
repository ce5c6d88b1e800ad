"""Recordings, written once for all tests."""

import pytest

from tests.datasets.rollouts import write_rollouts


@pytest.fixture(scope="session")
def rollouts(tmp_path_factory):
    """A folder of 400 small recordings; not to be written to."""
    return write_rollouts(tmp_path_factory.mktemp("rollouts"))
