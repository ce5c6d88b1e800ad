"""Keras, where it is installed, on PyTorch."""

import pytest


@pytest.fixture
def keras(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras")
