r"""The embedding: a table of vectors, one per token, in front of a recurrent layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.layers.arguments import Expected, arrange
from cfc_ref.layers.base import UNDRAWN, Gradients, Layer, Params
from cfc_ref.layers.initial import generator
from cfc_ref.layers.settings import share
from cfc_ref.layers.sparse_rows import SparseRows

if TYPE_CHECKING:
    from cfc_ref.layers.arguments import Call
    from cfc_ref.layers.stepper import Stepper

__all__ = ["Embedding", "EmbeddingTape"]

_TABLE = "embedding.weight"
_MOST = 2**24  # float32 counts to here


def _of_layer(name: str) -> Any:
    """Return a property that is that of the layer."""
    return property(lambda self: getattr(self.layer, name), lambda self, value: setattr(self.layer, name, value))


class EmbeddingTape(NamedTuple):
    """The record of a forward pass that :meth:`Embedding.backward` needs."""

    layer: Embedding
    call: Call
    tokens: Array  # (batch, time)
    factors: Array | None  # (batch, time, size): of the dropout
    inner: Any  # the tape of the recurrent layer


class Embedding(Layer):
    r"""A recurrent layer that reads tokens: each is looked up in a trained table of vectors.

    .. math:: e_k = m_k \odot W_{x_k} / (1 - p), \qquad y = \text{layer}(e), \qquad
              \frac{\partial L}{\partial W_v} = \sum_{k:\,x_k = v} m_k \odot \frac{\partial L}{\partial e_k} / (1 - p)

    with masks m of the dropout p, which acts in :meth:`forward` if a generator is given. Called like the layer, with
    x of shape (B, T, 1): whole numbers 0 … tokens - 1. Its names are those of the layer and ``embedding.weight``.

    Parameters
    ----------
    tokens : int
        Rows of the table.
    layer : CfC, LTC, NeuralLTC, LSTM or CTRNN
        Reads the vectors: its ``input_size`` is their size. Its weights stay its own, and are trained along.
    dropout : float
        The share p of the vectors' entries that drop, as Keras's Dropout layer between both.
    variant : {"keras", "torch"}
        Initial table: uniform in ±0.05, or standard normal.
    seed : int or numpy Generator, optional
        Of the table.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit; in a call for a token that has no row.

    Notes
    -----
    The gradient of the table is a :class:`~cfc_ref.layers.sparse_rows.SparseRows`: the rows that the batch read.
    Padding is an input like any other, unless a mask says otherwise.

    Examples
    --------
    >>> from cfc_ref import CfC
    >>> model = Embedding(100, CfC(8, 16, proj_size=2, return_sequences=False, seed=0), seed=0)
    >>> output, hx = model(np.array([[[5], [17], [5]]]))
    >>> output.shape, model.parameters["embedding.weight"].shape
    ((1, 2), (100, 8))
    """

    def __init__(
        self,
        tokens: int,
        layer: Layer,
        dropout: float = 0.0,
        *,
        variant: str = "keras",
        seed: int | np.random.Generator | None = None,
    ) -> None:
        self.tokens = checks.count("tokens", tokens, at_least=1)
        if self.tokens > _MOST:
            checks.refuse("tokens", repr(tokens), f"at most {_MOST}", "number fewer tokens")
        if not isinstance(layer, Layer) or isinstance(layer, Embedding):
            do = "pass a CfC, LTC, NeuralLTC, LSTM or CTRNN"
            checks.refuse("layer", type(layer).__name__, "a recurrent layer", do, TypeError)
        self.dropout = share("dropout", dropout)
        self.variant = checks.choice("variant", variant, ("keras", "torch"))
        self.layer = layer
        same = ("state_size", "output_size", "proj_size", "mixed_memory")
        vars(self).update({name: getattr(layer, name) for name in (*same, "dtype", "wiring", "timed")})
        self.input_size, self._masks = 1, layer._masks
        table = np.zeros((self.tokens, layer.input_size), layer.dtype)
        self._arrays = {_TABLE: table, **layer._arrays}
        self._keys = Params((_TABLE, layer._keys.network), layer._keys.readout)
        if seed is not UNDRAWN:
            rng = generator(seed)
            table[...] = rng.uniform(-0.05, 0.05, table.shape) if variant == "keras" else rng.normal(size=table.shape)

    backend = _of_layer("backend")
    return_sequences = _of_layer("return_sequences")
    batch_first = _of_layer("batch_first")

    @property
    def _live(self) -> tuple[str, ...]:
        return ("dropout",)

    def _setting(self, name: str, value: Any) -> Any:
        return share(name, value)

    # --- weights

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make one like this, but for `units`, `seed` and `backend`."""
        inner = {"kind": type(self.layer).__name__, "config": self.layer.config}
        return {"tokens": self.tokens, "dropout": self.dropout, "variant": self.variant, "layer": inner}

    def _accepts(self, name: str, key: str, array: Array) -> None:
        if key != _TABLE:
            self.layer._accepts(name, key, array)

    def _effective(self, key: str, array: Array) -> Array:
        return array if key == _TABLE else self.layer._effective(key, array)

    def project(self) -> None:
        """Call the layer's own projection, if it has one."""
        if hasattr(self.layer, "project"):
            self.layer.project()

    # --- sequences

    @property
    def expected(self) -> Expected:
        """The shapes and the type of numbers that a call takes."""
        return self.layer.expected._replace(inputs=1, tokens=self.tokens)

    def _looked_up(self, x: Any, hx: Any, timespans: Any, mask: Any) -> tuple[Call, Array]:
        """Check a call, and return it with its tokens, shape (batch, time)."""
        call = arrange(self.expected, x, hx, timespans, mask)
        return call, call.x[:, :, 0].astype(np.intp)

    def __call__(self, x: Any, hx: Any = None, timespans: Any = None, mask: Any = None) -> tuple[Array, Any]:
        """Run over sequences of tokens; see :meth:`cfc_ref.layers.base.Layer.__call__`."""
        call, tokens = self._looked_up(x, hx, timespans, mask)
        return self.layer(call.outward(self._arrays[_TABLE][tokens]), hx, timespans, mask)

    def forward(  # type: ignore[override]
        self,
        x: Any,
        hx: Any = None,
        timespans: Any = None,
        mask: Any = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, Any, EmbeddingTape]:
        """Run over sequences, and return also what :meth:`backward` needs; `rng` draws the dropout, here and inside."""
        call, tokens = self._looked_up(x, hx, timespans, mask)
        vectors, factors = self._arrays[_TABLE][tokens], None
        if rng is not None and self.dropout > 0:
            kept = rng.random(vectors.shape, np.float32) < np.float32(1 - self.dropout)
            factors = kept * self.dtype.type(1 / (1 - self.dropout))
            vectors = vectors * factors
        output, hx, inner = self.layer.forward(call.outward(vectors), hx, timespans, mask, rng=rng)
        return output, hx, EmbeddingTape(self, call, tokens, factors, inner)

    def backward(self, tape: Any, d_output: Any, d_hx: Any = None) -> Gradients:
        """Backpropagation through time; the gradient of the table has the rows that were read, that of x is 0."""
        if not isinstance(tape, EmbeddingTape) or tape.layer is not self:
            got = "that of another layer" if isinstance(tape, EmbeddingTape) else type(tape).__name__
            checks.refuse("tape", got, "a tape of this layer", "pass the tape that forward returned", TypeError)
        inner = self.layer.backward(tape.inner, d_output, d_hx)
        d = inner.x if tape.call.batched else inner.x[None]
        d = np.moveaxis(d, tape.call.time_axis, 1) if tape.call.batched else d
        if tape.factors is not None:
            d = d * tape.factors
        size = self.layer.input_size
        d_table = SparseRows(tape.tokens.ravel(), np.ascontiguousarray(d).reshape(-1, size), (self.tokens, size))
        return inner._replace(parameters={_TABLE: d_table, **inner.parameters}, x=np.zeros((*inner.x.shape[:-1], 1)))

    def trace(self, x: Any, hx: Any = None, timespans: Any = None, mask: Any = None) -> dict[str, Array]:
        """Return the quantities of every step of the layer, as its own `trace` does."""
        call, tokens = self._looked_up(x, hx, timespans, mask)
        return self.layer.trace(call.outward(self._arrays[_TABLE][tokens]), hx, timespans, mask)

    def stepper(self, batch: int | None = None) -> Stepper:
        """Refuse: vectors are looked up outside of a stepper."""
        got, do = "an Embedding", f"call model.layer.stepper() with rows of model.parameters[{_TABLE!r}]"
        checks.refuse("stepper", got, "a recurrent layer", do, TypeError)

    # --- what is known of it

    def __repr__(self) -> str:
        drop = f", dropout {self.dropout:g}" if self.dropout else ""
        return f"Embedding({self.tokens} tokens of {self.layer.input_size} features{drop}, {self.layer!r})"
