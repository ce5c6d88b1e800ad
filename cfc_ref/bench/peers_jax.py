"""A CfC in JAX: one step, a sequence by ``lax.scan``, and training by ``value_and_grad``, each compiled by ``jit``."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from cfc_ref.bench.peers import Runner, Samples, package
from cfc_ref.bench.workloads import TrainingTask

__all__ = ["compiled"]

_HEADS = ("ff1", "ff2", "time_a", "time_b")


def compiled(task: TrainingTask) -> Runner:
    """Make JAX ready."""
    jax, jnp = package("jax"), package("jax.numpy")
    # as (inputs, outputs): a step of one sequence is a fifth as fast with the transpose of (outputs, inputs)
    weights = {key: jnp.asarray(array.T.copy()) for key, array in task.layer.parameters.items()}
    size = task.layer.state_size

    def loss(W: Any, x: Any, dt: Any, d_output: Any) -> Any:
        output = _sequence(size, W, x, dt)
        return (output * d_output).sum(), output

    if task.kind == "step":
        one_step, samples = jax.jit(_cell), Samples([jnp.asarray(sample) for sample in task.x])
        h = jnp.zeros(size, jnp.float32)

        def step() -> Any:
            nonlocal h
            h = one_step(weights, h, samples.next(), 1.0).block_until_ready()
            return h

        return Runner(step, lambda output: {"output": np.asarray(output)})
    x, d_output = jnp.asarray(task.x), jnp.asarray(task.d_output)
    dt = jnp.ones((task.x.shape[-2], 1)) if task.timespans is None else jnp.asarray(task.timespans.T[..., None])
    if task.kind == "train":
        gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))
        return Runner(
            lambda: jax.block_until_ready(gradient(weights, x, dt, d_output)),
            lambda result: {"output": np.asarray(result[0][1]), **{k: np.asarray(v).T for k, v in result[1].items()}},
        )
    forward = jax.jit(partial(_sequence, size))
    return Runner(lambda: forward(weights, x, dt).block_until_ready(), lambda output: {"output": np.asarray(output)})


def _cell(W: Any, h: Any, x: Any, dt: Any) -> Any:
    """Return the next state."""
    jax, jnp = package("jax"), package("jax.numpy")

    def linear(name: str, u: Any) -> Any:
        return u @ W[f"rnn_cell.{name}.weight"] + W[f"rnn_cell.{name}.bias"]

    u = 1.7159 * jnp.tanh(0.666 * linear("backbone.0", jnp.concatenate([x, h], axis=-1)))
    ff1, ff2, a, b = (linear(name, u) for name in _HEADS)
    s = jax.nn.sigmoid(a * dt + b)
    return jnp.tanh(ff1) * (1 - s) + s * jnp.tanh(ff2)


def _sequence(size: int, W: Any, x: Any, dt: Any) -> Any:
    """Return the states over time, the second last axis."""
    jnp, lax = package("jax.numpy"), package("jax.lax")

    def step(h: Any, sample: Any) -> Any:
        h = _cell(W, h, *sample)
        return h, h

    first = jnp.zeros((*x.shape[:-2], size), x.dtype)
    return jnp.moveaxis(lax.scan(step, first, (jnp.moveaxis(x, -2, 0), dt))[1], 0, -2)
