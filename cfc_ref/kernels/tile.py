r"""A tile of a product, C = c + sign · A W, whose sums stay in registers: the innermost loop of a kernel's products.

A panel of W has the columns that fill two vectors of 64 bytes, 32 of float32. A tile has few rows and one panel or two:

                                   panel 0         panel 1
                        k = 0   [ w w … | w w … ][ w w … | w w … ]
                        k = 1   [ w w … | w w … ][ w w … | w w … ]
                          ⋮     ↓ one row of W after the other
       k = 0  1  2  …
    A [ a  a  a  … ]          C [ c c … | c c … ][ c c … | c c … ]     a step k: 4 vectors of W are loaded,
      [ a  a  a  … ]            [ c c … | c c … ][ c c … | c c … ]     and 4 numbers of A, each into all lanes;
      [ a  a  a  … ]            [ c c … | c c … ][ c c … | c c … ]     then 4 × 4 multiply-adds;
      [ a  a  a  … ]            [ c c … | c c … ][ c c … | c c … ]     c is read and C is written once, at the end

Numba's loops would add to C in memory, eight multiply-adds for six loads and two stores, as LLVM holds arrays of sums
in registers only where it sees vectors. So the tile is written as LLVM's instructions on vectors, which LLVM splits
where registers are narrower. A sum is taken in the order of k, whatever the tile, so that a row's bits are its own.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, codegen, config
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from cfc_ref.kernels.memory import PANEL_BYTES

__all__ = ["ROWS", "WIDE", "make_tile"]

_INT, _SHORT = ir.IntType(64), ir.IntType(32)
# With 32 registers of 64 bytes a tile has 16 sums; narrower ones, of which a vector takes two or more, hold 2 x 2
_FEATURES: str | None = getattr(config, "CPU_FEATURES", None)  # "" for NUMBA_CPU_NAME=generic
_HAS_512 = "+avx512f" in (codegen.get_host_cpu_features() if _FEATURES is None else _FEATURES)
ROWS, WIDE = (4, 2) if _HAS_512 else (2, 1)  # rows, and panels


class _Vectors:
    """Instructions on vectors of one type of numbers."""

    def __init__(self, builder: Any, number: Any, lanes: int) -> None:
        self.builder, self.lanes, self.vector = builder, lanes, ir.VectorType(number, lanes)
        self.zero, self.size = ir.Constant(self.vector, None), PANEL_BYTES // 2 // lanes

    def _call(self, name: str, result: Any, *arguments: Any) -> Any:
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        name = f"llvm.{name.replace('#', f'v{self.lanes}f{8 * self.size}')}"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), arguments)

    def everywhere(self, number: Any) -> Any:
        """Return a vector with a number in each lane."""
        of = ir.VectorType(number.type, self.lanes)
        first = self.builder.insert_element(ir.Constant(of, ir.Undefined), number, _SHORT(0))
        lanes = ir.Constant(ir.VectorType(_SHORT, self.lanes), None)
        return self.builder.shuffle_vector(first, ir.Constant(of, ir.Undefined), lanes)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """Return a b + c, one instruction where the processor has it."""
        return self._call("fmuladd.#", self.vector, a, b, c)

    def load(self, place: Any) -> Any:
        """Return the vector at a place."""
        vector = self.builder.load(self._pointer(place))
        vector.align = self.size
        return vector

    def store(self, vector: Any, place: Any) -> None:
        """Write a vector."""
        self.builder.store(vector, self._pointer(place)).align = self.size

    def first_lanes(self, number: Any) -> Any:
        """Return which lanes are among so many."""
        lanes = ir.Constant(ir.VectorType(_INT, self.lanes), list(range(self.lanes)))
        return self.builder.icmp_signed("<", lanes, self.everywhere(number))

    def load_some(self, place: Any, lanes: Any) -> Any:
        """Return some lanes of the vector at a place, zeros in the others; nothing else is read."""
        return self._call("masked.load.#.p0", self.vector, self._pointer(place), _SHORT(self.size), lanes, self.zero)

    def store_some(self, vector: Any, place: Any, lanes: Any) -> None:
        """Write some lanes of a vector."""
        self._call("masked.store.#.p0", ir.VoidType(), vector, self._pointer(place), _SHORT(self.size), lanes)

    def _pointer(self, place: Any) -> Any:
        return self.builder.bitcast(place, self.vector.as_pointer())


class _Tile:
    """The instructions of one tile; operands are tuples as :func:`make_tile` says."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self._context, self._builder = context, builder
        self._operands = list(zip(signature.args, arguments, strict=True))
        number = signature.args[0]
        self._v = _Vectors(builder, context.get_value_type(number), PANEL_BYTES // 2 // (number.bitwidth // 8))

    def _operand(self, k: int) -> tuple[Any, ...]:
        """Return the place where an operand begins, and the numbers that come with it."""
        kinds, value = self._operands[k]
        first, *rest = (self._builder.extract_value(value, i) for i in range(len(kinds)))
        if not isinstance(kinds[0], types.Array):
            return first, *rest
        data = make_array(kinds[0])(self._context, self._builder, first).data
        return self._move(data, rest[0]), *rest[1:]

    def _move(self, place: Any, steps: Any, times: Any = None) -> Any:
        return self._builder.gep(place, [steps if times is None else self._builder.mul(steps, times)])

    def _vectors_at(self, row: Any, per_panel: Any, vectors: range) -> list[Any]:
        """Return the places of a row's vectors, two in each panel."""
        return [self._move(self._move(row, per_panel, _INT(i // 2)), _INT(i % 2 * self._v.lanes)) for i in vectors]

    def _all_vectors(self, k: int, row: list[Any], vectors: range) -> list[Any]:
        """Return the places of the vectors of all rows of an operand."""
        C, per_row, per_panel = self._operand(k)
        rows = [self._vectors_at(self._move(C, per_row, r), per_panel, vectors) for r in row]
        return list(itertools.chain(*rows))

    def build(self, rows: int, panels: int) -> Any:
        """Write the tile."""
        b, v, vectors = self._builder, self._v, range(2 * panels)
        live, columns = self._operand(6)
        row = [_INT(0)]  # rows beyond the last one repeat it
        for r in range(1, rows):
            row.append(b.select(b.icmp_signed("<", _INT(r), live), _INT(r), row[-1]))
        sums = [v.zero for _ in range(rows * len(vectors))]
        W, per_k, per_panel = self._operand(3)
        for k in (1, 2):
            A, per_row, per_column, K = self._operand(k)
            starts = [self._move(A, per_row, r) for r in row]
            sums = self._sum(sums, (starts, per_column), (W, per_k, per_panel), vectors, K)
            W = self._move(W, per_k, K)
        sign, (read, places) = v.everywhere(self._operands[0][1]), (self._all_vectors(k, row, vectors) for k in (4, 5))
        with b.if_else(b.icmp_signed(">=", columns, _INT(len(vectors) * v.lanes))) as (whole, cut):
            with whole:
                old = [v.load(place) for place in read]  # all of them before one is written: rows may be repeated
                for place, total, c in zip(places, sums, old, strict=True):
                    v.store(v.multiply_add(sign, total, c), place)
            with cut:
                lanes = [v.first_lanes(b.sub(columns, _INT(k * v.lanes))) for k in vectors] * rows
                old = [v.load_some(place, some) for place, some in zip(read, lanes, strict=True)]
                for place, some, total, c in zip(places, lanes, sums, old, strict=True):
                    v.store_some(v.multiply_add(sign, total, c), place, some)
        return self._context.get_dummy_value()

    def _sum(self, sums: list[Any], left: Any, right: Any, vectors: range, K: Any) -> list[Any]:
        """Add to the sums of a tile the products over all k, and return the sums."""
        b, v, (starts, per_column), (W, per_k, per_panel) = self._builder, self._v, left, right
        before, body, after = b.block, b.append_basic_block("k"), b.append_basic_block("summed")
        b.cbranch(b.icmp_signed(">", K, _INT(0)), body, after)
        b.position_at_end(body)
        k, held = b.phi(_INT), [b.phi(v.vector) for _ in sums]
        w = [v.load(place) for place in self._vectors_at(self._move(W, per_k, k), per_panel, vectors)]
        a = [v.everywhere(b.load(self._move(start, per_column, k))) for start in starts]
        new = [v.multiply_add(a_r, w_i, c) for (a_r, w_i), c in zip(itertools.product(a, w), held, strict=True)]
        next_k = b.add(k, _INT(1))
        b.cbranch(b.icmp_signed("<", next_k, K), body, after)
        b.position_at_end(after)
        results = [b.phi(v.vector) for _ in sums]
        for phi, first, following in zip([k, *held], [_INT(0), *sums], [next_k, *new], strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(following, body)
        for phi, first, last in zip(results, sums, new, strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(last, body)
        return results


def make_tile(rows: int, panels: int) -> Any:
    r"""Return ``tile(sign, A, B, W, c, C, (live, columns))``, which does C = c + sign * [A, B] @ W for one tile.

    An operand is a contiguous array, the number at which it begins, and how many numbers lie between neighbours: for A
    and B from a row to the next one, from a column to the next one, and the number of columns; for W from k to k + 1,
    and from a panel to the next one; for c and C, which may be the same, from a row to the next one, and from a panel
    to the next one. Only the first `live` rows and `columns` columns of C are written, but whole panels of W are read.
    """

    def tile(typing, sign, A, B, W, c, C, edge):
        def build(context, builder, signature, arguments):
            return _Tile(context, builder, signature, arguments).build(rows, panels)

        assert all(operand[0].layout != "F" for operand in (A, B, W, c, C)), "rows lie one after the other"
        return types.void(sign, A, B, W, c, C, edge), build

    def unjitted(sign, A, B, W, c, C, edge):
        (w, first_w, per_k, per_panel), total = W, 0
        panel, (live, columns) = PANEL_BYTES // w.itemsize, edge
        i, j = np.arange(min(live, rows))[:, None], np.arange(min(columns, panels * panel))
        for a, first, per_row, per_column, K in (A, B):
            k = np.arange(K)
            right = w.reshape(-1)[first_w + k[:, None] * per_k + j // panel * per_panel + j % panel]
            total += a.reshape(-1)[first + i * per_row + k * per_column] @ right
            first_w += K * per_k
        old, new = (first + i * per_row + j // panel * per_panel + j % panel for _, first, per_row, per_panel in (c, C))
        C[0].reshape(-1)[new] = c[0].reshape(-1)[old] + sign * total

    return unjitted if getattr(config, "DISABLE_JIT", False) else intrinsic(tile)
