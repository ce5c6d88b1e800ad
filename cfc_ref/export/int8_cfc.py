"""A CfC's time step in C with int8 weights and states: what :mod:`cfc_ref.cells.int8.cfc_step` computes, to the bit."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from cfc_ref.arrays import Array
from cfc_ref.cells.cfc.modes import MODES, VARIANTS
from cfc_ref.cells.int8.cfc_step import Cell8, Memory8
from cfc_ref.cells.int8.numbers import ACTIVATIONS_8, Rounder, Rows8
from cfc_ref.export.c_header import StepBody
from cfc_ref.export.c_source import Source, Wires, fill, number
from cfc_ref.export.float32_network import Network

__all__ = ["CfCStep8", "IntegerStep", "wrapped"]

_GATED = """
    /* <equation>; f_0 is the gate's argument at t = 0.
       Values in 2^-14, X in <unit> */
    for (int i = 0; i < <units>; i++) {
        const int s = NAME_sigma_of(NAME_times(-f[i], t) <sign> f_0[i]);
        const <wide> X = <X>;
        x[i] = NAME_int8(<factor> * (float)X, <offset>);
    }
"""
_LOOPS = {
    "default": _GATED,
    "no_gate": _GATED,
    "pure": """
        /* Eq. (3) as the official code has it, Cf-S: x+ = A - A e^(-t (|w_tau| + |f|)) f; e^... f in 2^-26 */
        for (int i = 0; i < <units>; i++) {
            const int e = NAME_decay(NAME_times(<w_tau> + (f[i] < 0 ? -f[i] : f[i]), t));
            x[i] = NAME_int8(<factor> * (float)((long long)e * f[i]), <offset>);
        }
    """,
    "paper_pure": """
        /* Eq. (3) as printed: x+ = B e^(-(w_tau + f(x, I)) t) f(-x, -I) + A; the rate in 2^-14, e^... f in 2^-28 */
        for (int i = 0; i < <units>; i++) {
            const int e = NAME_decay(NAME_times(4 * <w_tau> + NAME_sigma_of(f[i]), 0.25f * t));
            x[i] = NAME_int8(<factor> * (float)(e * NAME_sigma_of(f_minus[i])), <offset>);
        }
    """,
    "from_x0": """
        /* Theorem 1 from the state x: x+ = (x - A) e^(-(w_tau + f(x, I)) t) f(-x, -I) + A. The rate in 2^-14, the share
           of x - A that stays in 2^-28, x - A in 1/256 of a step */
        for (int i = 0; i < <units>; i++) {
            const int e = NAME_decay(NAME_times(4 * <w_tau> + NAME_sigma_of(f[i]), 0.25f * t));
            const float share = <unit> * (float)(e * NAME_sigma_of(f_minus[i]));
            x[i] = NAME_int8(share * (float)(256 * x[i] + <offset>), <offset>);
        }
    """,
}
_X = {
    ("default", 1): ("Eq. (4), the CfC cell: x+ = sigma(-f t) g + [1 - sigma(-f t)] h", "s * <g> + (16384 - s) * <h>"),
    ("no_gate", 1): ("Eq. (4) without its second gate, CfC-noGate: g enters whole", "16384 * <g> + (16384 - s) * <h>"),
    ("no_gate", -1): ("Eq. (4) without its second gate, CfC-noGate: h enters whole", "16384 * <h> + s * <g>"),
}
_X["default", -1] = _X["default", 1]

_CELL = """
    /* <title>: reads <inputs> numbers I, has <units> neurons x, all in int8 */
    static inline void NAME_<cell>(const NAME_weights *w, const signed char *I, float t, signed char *x)
    {
        <room>

        /* v = [I, x] */
        for (int j = 0; j < <inputs>; j++)
            v[j] = I[j];
        for (int j = 0; j < <units>; j++)
            v[<inputs> + j] = x[j];
        <minus>
        <features>

        /* the heads, linear maps of the features: <names>; in 2^-12<gain> */
        <maps>

        <loop>
    }
"""
_MINUS = """
    /* [-I, -x] */
    for (int j = 0; j < <columns>; j++)
        v_minus[j] = (short)-v[j];
"""
_LAYER = """
    /* <u> = <activation>(W <below> + b), rounded to int8 */
    <map>
    for (int i = 0; i < <units>; i++)
        <u>[i] = NAME_int8(<factor> * (float)<value>, <offset>);
"""
_SAMPLE = """
    /* the sample in int8 */
    for (int j = 0; j < <inputs>; j++)
        q[j] = NAME_int8(<factor> * <I>[j], <offset>);
"""
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
_NEURONS = """
    /* the output: the neurons that are read out */
    for (int j = 0; j < <n>; j++)
        <y>[j] = <step> * (float)state->x[<first>j] + <centre>;
"""
_FUNCTIONS = {
    "tanh": "tanh_half", "lecun_tanh": "tanh_half", "relu": "relu_8", "silu": "silu_8", "gelu": "gelu_8", "linear": "",
}  # fmt: skip


def wrapped(statement: str) -> str:
    """Return a statement of C in lines that are not too long."""
    return textwrap.fill(statement, 108, subsequent_indent="    ") + "\n"


class IntegerStep(StepBody):
    """The body of NAME_step with integers: what CfC and LTC share."""

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


class CfCStep8(IntegerStep):
    """The body of NAME_step of a CfC: all but the output is int8."""

    def begin(self) -> None:
        """Add the neurons to the state."""
        start, first = self.params.start(1)[0][0], "0"
        if start.any():
            self.source.weights.add("x_0", start, "signed char")
            first = "NAME_get_weights()->x_0[i]"
        self.member("signed char", "x", len(start), "the neurons, in int8", first)

    def compute(self, y: str) -> None:
        """Take the network's step, and write its output."""
        words = self.rounder("sample", self.params.round, "j")
        self.source.call("int8")
        self.add(_SAMPLE, inputs=self.network.layer.input_size, I=self.I, **words)
        self.I, self.int8_rooms["q"] = "q", self.network.layer.input_size
        if self.params.memory is not None:
            self._remember(self.params.memory)
        cells, count = [], len(self.params.cells)
        for k, cell in enumerate(self.params.cells, start=1):
            name, prefix, title = (
                ("cell", "", "The cell") if count == 1 else (f"cell_{k}", f"layer_{k}_", f"Layer {k} of {count}")
            )
            self._add_cell(cell, self.network.params.layers[k - 1], (name, prefix, title))
            cells.append((name, len(cell.grid.step)))
        self.advance(cells)
        self.read_out(y)

    def read_out(self, y: str) -> None:
        """Write the output, in float."""
        begin = sum(len(cell.grid.step) for cell in self.params.cells[:-1])
        if self.params.output is not None:
            rows = self.params.output.map
            W, b, scale = self.rows("fc", rows)
            self.source.call("output")
            self.statements += "\n/* the output: y = W x + b */\n" + (
                f"NAME_output({W}, {b}, {scale}, {self.I}, {y}, {rows.W.shape[0]}, {rows.W.shape[1]});\n"
            )
            return
        n, grid = self.network.layer.output_size, self.params.cells[-1].grid
        step, centre = (
            self.number(f"output_{name}", getattr(grid, name)[:n].astype(np.float32), "float", "j")
            for name in ("step", "centre")
        )
        self.add(_NEURONS, n=n, y=y, step=step, centre=centre, first=f"{begin} + " if begin else "")

    def _remember(self, memory: Memory8) -> None:
        """Update the mixed memory, whose output becomes the state or the input of the cells."""
        words, to = self.rounder("lstm_output", memory.round, "j"), "state->x"
        X = "(float)(o * NAME_tanh_half(c[j] >> 3))"
        self.add_memory(memory, "signed char", fill("NAME_int8(<factor> * <X>, <offset>)", X=X, **words).strip())
        if VARIANTS[self.params.settings.variant].memory == "input":
            to, self.int8_rooms["out"] = "out", len(memory.grid.step)
        self.add(f"NAME_memory(w, {self.I}, state->x, state->c, {to});")
        self.I = self.I if to == "state->x" else to

    def _add_cell(self, cell: Cell8, exact: Any, words: tuple[str, ...]) -> None:
        """Add the function of a cell; `words` are its name, the prefix of its weights, and its title."""
        (name, prefix, title), settings = words, self.params.settings
        mode, variant = MODES[settings.mode], VARIANTS[settings.variant]
        units, columns = len(cell.grid.step), len(cell.inputs.step) + len(cell.grid.step)
        g, h = ("g", "h") if variant.gate_sign > 0 else ("h", "g")
        names = {"ff1": g if "ff2" in mode.heads else "f", "ff2": h, "time_a": "f", "time_b": "f_0"}
        signs = ("", "_minus") if mode.both_signs else ("",)
        there = _synapses(exact) if self.network.wired else None
        shorts, ints, maps, features = {f"v{sign}": columns for sign in signs}, {}, "", ""
        for sign in signs:
            u, minus = f"v{sign}", bool(sign)
            if cell.backbone:
                features += self._features(cell, u, f"u{sign}", columns)
                u, minus = f"u{sign}", False
                shorts[u] = len(cell.backbone[-1].map.W)
            for head, rows in cell.heads.items():
                wires = Wires(f"{prefix}synapses", there) if there is not None and head in ("ff1", "ff2") else None
                maps += self.map((prefix + names[head], u, names[head] + sign), rows, wires, minus=minus)
                ints[names[head] + sign] = units
        self.source.add(
            _CELL, title=title, cell=name, inputs=columns - units, units=units,
            room=self.source.room(shorts, "short") + self.source.room(ints, "int"),
            minus=fill(_MINUS, columns=columns) if mode.both_signs else "", features=features, maps=maps,
            names=", ".join(f"{names[head]} is {head}" for head in cell.heads),
            gain=self._gain(cell), loop=self._loop(cell, prefix),
        )  # fmt: skip

    def _gain(self, cell: Cell8) -> str:
        gain = ACTIVATIONS_8[VARIANTS[self.params.settings.variant].heads].gain if "ff2" in cell.heads else 1
        return f", g and h times {gain:g}" if gain != 1 else ""

    def _loop(self, cell: Cell8, prefix: str) -> str:
        """Return the loop of the mode's equation."""
        settings, units = self.params.settings, len(cell.grid.step)
        variant = VARIANTS[settings.variant]
        words: dict[str, Any] = self.rounder(f"{prefix}x", cell.round)
        if settings.mode in ("default", "no_gate"):
            self.source.call("sigma_of", units)
            function, wide = _FUNCTIONS[variant.heads], "int" if _FUNCTIONS[variant.heads] else "long long"
            if function:
                self.source.call(function, 2 * units)
            equation, X = _X[settings.mode, variant.gate_sign]
            for head in ("g", "h"):
                X = X.replace(f"<{head}>", f"NAME_{function}({head}[i])" if function else f"{head}[i]")
            X = X if function else X.replace("16384", "16384LL").replace("s * ", "(long long)s * ")
            words |= {"equation": equation, "X": X, "wide": wide, "unit": "2^-28" if function else "2^-26"}
            words["sign"] = "-" if variant.gate_sign > 0 else "+"
        else:
            self.source.call("decay", units)
            self.source.call("sigma_of", 0 if settings.mode == "pure" else 2 * units)
            words["w_tau"] = self.number(f"{prefix}w_tau", cell.w_tau, "int", "i")
            words["unit"] = number(2.0**-28)
        self.source.call("times")
        return fill(_LOOPS[settings.mode], units=units, **words)

    def _features(self, cell: Cell8, v: str, u: str, columns: int) -> str:
        """Add the function of the backbone, once; return the statement that calls it."""
        minus = v != "v"
        name = "backbone_minus" if minus else "backbone"
        activation, layers, below = self.params.settings.activation, [], "v"
        rooms: dict[str, int] = {}
        for k, layer in enumerate(cell.backbone, start=1):
            units, z = len(layer.map.W), "u" if k == len(cell.backbone) else f"u_{k}"
            rooms |= {z: units} if z != "u" else {}
            self.source.call(_FUNCTIONS[activation], units)
            map_ = self.map((f"backbone_{k}", below, "z"), layer.map, minus=minus and k == 1)
            layers.append(
                fill(
                    _LAYER, u=z, below=below, map=map_, units=units, activation=activation,
                    value=f"NAME_{_FUNCTIONS[activation]}(z[i])", **self.rounder(f"backbone_{k}", layer.round),
                )
            )  # fmt: skip
            below = z
        room = self.source.room(rooms, "short") if rooms else ""
        room += self.source.room({"z": max(len(layer.map.W) for layer in cell.backbone)}, "int")
        self.source.add(_BACKBONE, name=name, of="[-I, -x]" if minus else "[I, x]", room=room, layers="".join(layers))
        return f"NAME_{name}(w, {v}, {u});\n"


_BACKBONE = """
    /* The backbone: from v = <of> to the features u */
    static inline void NAME_<name>(const NAME_weights *w, const short *v, short *u)
    {
        <room>
        <layers>
    }
"""


def _synapses(params: Any) -> Any:
    """Return which synapses of a wired cell there are."""
    there = params.ff1.W != 0
    return there if params.ff2 is None else there | (params.ff2.W != 0)
