"""Parts of a time step in C with integers, which CfC and LTC share: roundings, linear maps, and the mixed memory."""

from __future__ import annotations

import textwrap
from typing import Any

from cfc_ref.arrays import Array
from cfc_ref.cells.int8.lstm_step import Memory8
from cfc_ref.cells.int8.numbers import Rounder, Rows8
from cfc_ref.export.c_header import StepBody
from cfc_ref.export.c_source import Source, Wires, fill, number
from cfc_ref.export.float32_network import Network

__all__ = ["IntegerStep", "wrapped"]

_MEMORY = """
    /* Mixed memory 2020, an LSTM: c+ = f c + i a, out = o tanh(c+); c in 2^-16, kept within +-2^30 */
    static inline void NAME_memory(const NAME_weights *w, const signed char *I, const signed char *x, int *c,
                                   <kind> *out)
    {
        <room>

        /* the arguments of a, i, f and o: z = W [I, x] + b; that of a twice */
        for (int j = 0; j < <inputs>; j++)
            v[j] = I[j];
        for (int j = 0; j < <units>; j++)
            v[<inputs> + j] = x[j];
        <map>
        for (int j = 0; j < <units>; j++) {
            const int a = NAME_tanh_half(z[j]), i = NAME_sigma_of(z[<units> + j]);
            const int f = NAME_sigma_of(z[2 * <units> + j]), o = NAME_sigma_of(z[3 * <units> + j]);
            const int sum = (int)(((long long)f * c[j]) >> 14) + ((i * a) >> 12);
            c[j] = sum < -1073741824 ? -1073741824 : sum > 1073741824 ? 1073741824 : sum;
            out[j] = <out>;
        }
    }
"""

_ROUNDED = """
    for (int j = 0; j < <n>; j++)
        <q>[j] = NAME_int8(<factor> * <x>[j], <offset>);
"""


def wrapped(statement: str) -> str:
    """Return a statement of C in lines that are not too long."""
    return textwrap.fill(statement, 108, subsequent_indent="    ") + "\n"


class IntegerStep(StepBody):
    """The body of NAME_step under construction, in integers."""

    def __init__(self, source: Source, network: Network, params: Any) -> None:
        self.params: Any = params
        self.int8_rooms: dict[str, int] = {}
        super().__init__(source, network)

    def room(self) -> str:
        """Return the declaration of the step's arrays."""
        return super().room() + self.source.room(self.int8_rooms, "signed char")

    def number(self, name: str, values: Array, kind: str, index: str) -> str:
        """Return a constant where all values are the same, else an entry of an array."""
        if (values == values[0]).all():
            return number(values[0]) if kind == "float" else str(int(values[0]))
        return f"{self.source.weights.add(name, values, kind)}[{index}]"

    def rounder(self, name: str, to: Rounder, index: str = "i") -> dict[str, str]:
        """Return the words of a rounding."""
        return {
            "factor": self.number(f"{name}_factor", to.factor, "float", index),
            "offset": self.number(f"{name}_offset", to.offset, "int", index),
        }

    def rounded(self, name: str, to: Rounder, n: int, ends: tuple[str, str]) -> str:
        """Return the loop that rounds n numbers to int8; `ends` are where they are, and where they go."""
        self.source.call("int8")
        return fill(_ROUNDED, n=n, x=ends[0], q=ends[1], **self.rounder(name, to, "j"))

    def rows(self, name: str, rows: Rows8, there: Any = None, *, minus: bool = False) -> tuple[str, str, str]:
        """Add a map's numbers; return their names in C."""
        add = self.source.weights.add
        self.source.multiply_adds += int(rows.W.size if there is None else there.sum())
        W = add(f"{name}_W", rows.W if there is None else rows.W[there], "signed char")
        b = add(f"{name}_b_minus", rows.b_minus, "int") if minus else add(f"{name}_b", rows.b, "int")
        return W, b, add(f"{name}_scale", rows.scale)

    def map(self, words: tuple[str, str, str], rows: Rows8, wires: Wires | None = None, *, minus: bool = False) -> str:
        """Return the statement of a linear map; `words` are its name, what it reads, and what it writes."""
        name, u, z = words
        wires = None if wires is None or wires.there.all() else wires
        W, b, scale = self.rows(name, rows, None if wires is None else wires.there, minus=minus)
        self.source.call("map" if wires is None else "map_wired")
        if wires is None:
            return wrapped(f"NAME_map({W}, {b}, {scale}, {u}, {z}, {rows.W.shape[0]}, {rows.W.shape[1]});")
        source, end = self.source.lists(wires)
        return wrapped(f"NAME_map_wired({W}, {b}, {scale}, {source}, {end}, {u}, {z}, {len(rows.W)});")

    def add_memory(self, memory: Memory8, kind: str, out: str) -> None:
        """Add the function of the mixed memory, and the memory to the state."""
        units, columns = len(memory.map.W) // 4, memory.map.W.shape[1]
        for function, times in (("tanh_half", 2 * units), ("sigma_of", 3 * units), ("int8", 0)):
            self.source.call(function, times)
        map_ = self.map(("lstm", "v", "z"), memory.map)
        room = self.source.room({"v": columns}, "short") + self.source.room({"z": 4 * units}, "int")
        self.source.add(_MEMORY, room=room, units=units, inputs=columns - units, map=map_, kind=kind, out=out)
        self.member("int", "c", units, "the mixed memory, in 2^-16")
