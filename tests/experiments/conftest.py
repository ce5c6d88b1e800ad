"""Recordings, written once for all tests."""

from tests.datasets.conftest import rollouts

__all__ = ["rollouts"]
