"""A CfC in JAX, in its fastest form: the four heads are one product.

One step, a sequence by ``lax.scan``, and training by ``value_and_grad``, each compiled by ``jit``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from cfc_ref.bench.peers import Runner, Samples, package
from cfc_ref.bench.workloads import TrainingTask

__all__ = ["compiled"]

_BACKBONE, _HEADS = "rnn_cell.backbone.0", ("ff1", "ff2", "time_a", "time_b")


def compiled(task: TrainingTask) -> Runner:
    """Make JAX ready."""
    jax, jnp = package("jax"), package("jax.numpy")
    weights, size = jax.tree.map(jnp.asarray, _joined(task.layer.parameters)), task.layer.state_size

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
            lambda result: {"output": np.asarray(result[0][1]), **_by_name(jax.tree.map(np.asarray, result[1]))},
        )
    forward = jax.jit(partial(_sequence, size))
    return Runner(lambda: forward(weights, x, dt).block_until_ready(), lambda output: {"output": np.asarray(output)})


def _joined(parameters: dict[str, Any]) -> tuple[Any, ...]:
    """Return weights as (inputs, outputs), which a step reads five times as fast as a transpose, and biases."""
    heads = ([parameters[f"rnn_cell.{head}.{end}"] for head in _HEADS] for end in ("weight", "bias"))
    W, b = (np.concatenate(arrays) for arrays in heads)
    return parameters[f"{_BACKBONE}.weight"].T.copy(), parameters[f"{_BACKBONE}.bias"], W.T.copy(), b


def _by_name(gradients: tuple[Any, ...]) -> dict[str, Any]:
    """Return the gradients of :func:`_joined` weights by ncps's names."""
    d_U, d_a, d_W, d_b = gradients
    heads = zip(_HEADS, np.split(d_W.T, len(_HEADS)), np.split(d_b, len(_HEADS)), strict=True)
    named = {f"rnn_cell.{head}.{end}": d for head, *of in heads for end, d in zip(("weight", "bias"), of, strict=True)}
    return {f"{_BACKBONE}.weight": d_U.T, f"{_BACKBONE}.bias": d_a, **named}


def _cell(weights: Any, h: Any, x: Any, dt: Any) -> Any:
    """Return the next state."""
    jax, jnp = package("jax"), package("jax.numpy")
    U, a, W, b = weights
    u = 1.7159 * jnp.tanh(0.666 * (jnp.concatenate([x, h], axis=-1) @ U + a))
    ff1, ff2, a, b = jnp.split(u @ W + b, len(_HEADS), axis=-1)
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
