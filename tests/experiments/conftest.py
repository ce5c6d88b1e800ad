"""Recordings, written once for all tests."""

from tests.data.conftest import rollouts

__all__ = ["rollouts"]
