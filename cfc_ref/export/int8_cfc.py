"""A CfC's time step in C with int8 weights and states: what :mod:`cfc_ref.cells.int8.cfc_step` computes, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from cfc_ref.cells.cfc.modes import MODES, VARIANTS
from cfc_ref.cells.int8.cfc_step import Cell8
from cfc_ref.cells.int8.lstm_step import Memory8
from cfc_ref.cells.int8.numbers import ACTIVATIONS_8, ONE, UNIT
from cfc_ref.export.c_cfc import BACKBONE, CELL, MINUS, cell_synapses, cell_words, head_names
from cfc_ref.export.c_source import Wires, fill, number
from cfc_ref.export.int8_step import IntegerStep

__all__ = ["CfCStep8"]

_GATED = """
    /* <equation>; f_0 is the gate's argument at t = 0.
       Values in 2^-14, X in <unit> */
    for (int i = 0; i < <units>; i++) {
        const int s = NAME_sigma_of(NAME_times(-f[i], t) <sign> f_0[i]);
        NAME_RATE(x + i, <rate_unit> * (float)f[i]);
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
            const int rate = <w_tau> + (f[i] < 0 ? -f[i] : f[i]), e = NAME_decay(NAME_times(rate, t));
            NAME_RATE(x + i, <rate_unit> * (float)rate);
            x[i] = NAME_int8(<factor> * (float)((long long)e * f[i]), <offset>);
        }
    """,
    "paper_pure": """
        /* Eq. (3) as printed: x+ = B e^(-(w_tau + f(x, I)) t) f(-x, -I) + A; the rate in 2^-14, e^... f in 2^-28 */
        for (int i = 0; i < <units>; i++) {
            const int rate = 4 * <w_tau> + NAME_sigma_of(f[i]), e = NAME_decay(NAME_times(rate, 0.25f * t));
            NAME_RATE(x + i, <rate_unit> * (float)rate);
            x[i] = NAME_int8(<factor> * (float)(e * NAME_sigma_of(f_minus[i])), <offset>);
        }
    """,
    "from_x0": """
        /* Theorem 1 from the state x: x+ = (x - A) e^(-(w_tau + f(x, I)) t) f(-x, -I) + A. The rate in 2^-14, the share
           of x - A that stays in 2^-28, x - A in 1/256 of a step */
        for (int i = 0; i < <units>; i++) {
            const int rate = 4 * <w_tau> + NAME_sigma_of(f[i]), e = NAME_decay(NAME_times(rate, 0.25f * t));
            NAME_RATE(x + i, <rate_unit> * (float)rate);
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

_LAYER = """
    /* <u> = <activation>(W <below> + b), rounded to int8 */
    <map>
    for (int i = 0; i < <units>; i++)
        <u>[i] = NAME_int8(<factor> * (float)<value>, <offset>);
"""
_NEURONS = """
    /* the output: the neurons that are read out */
    for (int j = 0; j < <n>; j++)
        <y>[j] = <step> * (float)state->x[<first>j] + <centre>;
"""
_FUNCTIONS = {
    "tanh": "tanh_half", "lecun_tanh": "tanh_half", "relu": "relu_8", "silu": "silu_8", "gelu": "gelu_8", "linear": "",
}  # fmt: skip


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
        inputs = self.network.layer.input_size
        sample = self.rounded("sample", self.params.round, inputs, (self.I, "q"))
        self.statements += f"\n/* the sample in int8 */\n{sample}"
        self.I, self.int8_rooms["q"] = "q", inputs
        if self.params.memory is not None:
            self._remember(self.params.memory)
        names = cell_words(len(self.params.cells))
        for words, cell, exact in zip(names, self.params.cells, self.network.params.layers, strict=True):
            self._add_cell(cell, exact, words)
        self.advance([(name, len(cell.grid.step)) for (name, *_), cell in zip(names, self.params.cells, strict=True)])
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
        names = head_names(settings.mode, variant)
        signs = ("", "_minus") if mode.both_signs else ("",)
        there = cell_synapses(exact) if self.network.wired else None
        shorts, ints, maps, features = {f"v{sign}": columns for sign in signs}, {}, "", ""
        for sign in signs:
            u, minus = f"v{sign}", bool(sign)
            if cell.backbone:
                features += self._features(cell, u, f"u{sign}")
                u, minus = f"u{sign}", False
                shorts[u] = len(cell.backbone[-1].map.W)
            for head, rows in cell.heads.items():
                wires = Wires(f"{prefix}synapses", there) if there is not None and head in ("ff1", "ff2") else None
                maps += self.map((prefix + names[head], u, names[head] + sign), rows, wires, minus=minus)
                ints[names[head] + sign] = units
        self.source.add(
            CELL, title=title, cell=name, kind="signed char", kinds=", all in int8", inputs=columns - units,
            units=units, room=self.source.room(shorts, "short") + self.source.room(ints, "int"),
            features=features, maps=maps,
            minus=fill(MINUS, columns=columns, minus_v="(short)-v[j]") if mode.both_signs else "",
            names=", ".join(f"{names[head]} is {head}" for head in cell.heads),
            heads_unit=f"; in 2^-12{self._gain(cell)}", loop=self._loop(cell, prefix),
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
        unit = number(1 / (ONE if MODES[settings.mode].both_signs else UNIT))  # with the values of sigma, or arguments
        return fill(_LOOPS[settings.mode], units=units, rate_unit=unit, **words)

    def _features(self, cell: Cell8, v: str, u: str) -> str:
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
        words = {"name": name, "of": "[-I, -x]" if minus else "[I, x]", "kind": "short"}
        self.source.add(BACKBONE, room=room, layers="".join(layers), **words)
        return f"NAME_{name}(w, {v}, {u});\n"
