"""A CfC's time step in C: the backbone, the heads, and the equation of the mode, for each cell of the network."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.cfc.cell import CfCSettings
from cfc_ref.cells.cfc.modes import MODES, VARIANTS, CfCParams, Variant
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.export.c_source import Source, Wires, fill

__all__ = [
    "BACKBONE", "CELL", "MINUS", "MODES_IN_C", "cell_synapses", "cell_words", "cfc_cells", "cfc_mode", "head_names",
]  # fmt: skip


class ModeInC(NamedTuple):
    """The C of a mode: the record of the same name in :data:`cfc_ref.cells.cfc.modes.MODES` says what it reads."""

    loop: str  # the equation under its number, and the loop over the neurons; words in angle brackets are replaced
    functions: tuple[str, ...]  # called once per neuron
    heads: dict[str, str]  # the paper's name of each head; those of a gate depend on the variant


_HEADS = {"time_a": "f", "time_b": "f_0"}
_GATE = ("sigmoid", "<heads>", "<heads>")

MODES_IN_C = {
    "default": ModeInC(
        """
        /* Eq. (4), the CfC cell: x+ = sigma(-f t) g + [1 - sigma(-f t)] h; f_0 is the gate's argument at t = 0 */
        for (int i = 0; i < <units>; i++) {
            const float s = NAME_sigmoid(-f[i] * t <sign> f_0[i]);
            NAME_RATE(x + i, f[i]);
            x[i] = s * NAME_<heads>(g[i]) + (1.0f - s) * NAME_<heads>(h[i]);
        }
        """,
        _GATE,
        _HEADS,
    ),
    "no_gate": ModeInC(
        """
        /* Eq. (4) without its second gate, CfC-noGate: <first> enters whole */
        for (int i = 0; i < <units>; i++) {
            const float s = NAME_sigmoid(<open>f[i] * t + f_0[i]);
            NAME_RATE(x + i, f[i]);
            x[i] = NAME_<heads>(<first>[i]) + s * NAME_<heads>(<second>[i]);
        }
        """,
        _GATE,
        _HEADS,
    ),
    "pure": ModeInC(
        """
        /* Eq. (3) as the official code has it, Cf-S: x+ = A - A e^(-t (|w_tau| + |f|)) f */
        for (int i = 0; i < <units>; i++) {
            const float rate = <w_tau>[i] + NAME_abs(f[i]);
            NAME_RATE(x + i, rate);
            x[i] = <A>[i] - <A>[i] * NAME_exp(-t * rate) * f[i];
        }
        """,
        ("exp", "abs"),
        {"ff1": "f"},
    ),
    "paper_pure": ModeInC(
        """
        /* Eq. (3) as printed: x+ = B e^(-(w_tau + f(x, I)) t) f(-x, -I) + A */
        for (int i = 0; i < <units>; i++) {
            const float rate = <w_tau>[i] + NAME_sigmoid(f[i]);
            NAME_RATE(x + i, rate);
            x[i] = <B>[i] * NAME_exp(-rate * t) * NAME_sigmoid(f_minus[i]) + <A>[i];
        }
        """,
        ("sigmoid", "sigmoid", "exp"),
        {"ff1": "f"},
    ),
    "from_x0": ModeInC(
        """
        /* Theorem 1 from the state x: x+ = (x - A) e^(-(w_tau + f(x, I)) t) f(-x, -I) + A */
        for (int i = 0; i < <units>; i++) {
            const float rate = <w_tau>[i] + NAME_sigmoid(f[i]);
            NAME_RATE(x + i, rate);
            x[i] = (x[i] - <A>[i]) * NAME_exp(-rate * t) * NAME_sigmoid(f_minus[i]) + <A>[i];
        }
        """,
        ("sigmoid", "sigmoid", "exp"),
        {"ff1": "f"},
    ),
}

BACKBONE = """
    /* The backbone: from v = <of> to the features u */
    static inline void NAME_<name>(const NAME_weights *w, const <kind> *v, <kind> *u)
    {
        <room>
        <layers>
    }
"""
_LAYER = """
    /* <z> = <activation>(W <u> + b) */
    <map>
    for (int i = 0; i < <units>; i++)
        <z>[i] = NAME_<activation>(<z>[i]);
"""
CELL = """
    /* <title>: reads <inputs> numbers I, has <units> neurons x<kinds> */
    static inline void NAME_<cell>(const NAME_weights *w, const <kind> *I, float t, <kind> *x)
    {
        <room>

        /* v = [I, x] */
        for (int j = 0; j < <inputs>; j++)
            v[j] = I[j];
        for (int j = 0; j < <units>; j++)
            v[<inputs> + j] = x[j];
        <minus>
        <features>

        /* the heads, linear maps of the features: <names><heads_unit> */
        <maps>

        <loop>
    }
"""
MINUS = """
    /* [-I, -x] */
    for (int j = 0; j < <columns>; j++)
        v_minus[j] = <minus_v>;
"""


def cfc_mode(mode: str) -> ModeInC:
    """Return the C of a mode; refuse a mode without it."""
    if mode not in MODES_IN_C:
        do = "add its record to cfc_ref.export.c_cfc.MODES_IN_C"
        checks.refuse("model", f"mode {mode!r}, which has no C", f"one of {', '.join(map(repr, MODES_IN_C))}", do)
    return MODES_IN_C[mode]


def cfc_cells(source: Source, params: CfCNetwork, settings: CfCSettings, wired: bool) -> list[tuple[str, int]]:
    """Add the functions of the cells; return their names and numbers of neurons."""
    names = cell_words(len(params.layers))
    for words, layer in zip(names, params.layers, strict=True):
        _add_cell(source, layer, settings, wired, words)
    return [(cell, len(layer.ff1.W)) for (cell, *_), layer in zip(names, params.layers, strict=True)]


def cell_words(count: int) -> list[tuple[str, str, str]]:
    """Return each cell's name, the prefix of its weights, and its title."""
    if count == 1:
        return [("cell", "", "The cell")]
    return [(f"cell_{k}", f"layer_{k}_", f"Layer {k} of {count}") for k in range(1, count + 1)]


def head_names(mode: str, variant: Variant) -> dict[str, str]:
    """Return the paper's name of each head: which one is g depends on the variant."""
    first, second = ("g", "h") if variant.gate_sign > 0 else ("h", "g")
    return {"ff1": first, "ff2": second, **cfc_mode(mode).heads}


def _add_cell(source: Source, params: CfCParams, settings: CfCSettings, wired: bool, words: tuple[str, ...]) -> None:
    """Add the function of a cell; `words` are its name, the prefix of its weights, and its title."""
    (cell, prefix, title), mode, units = words, MODES[settings.mode], len(params.ff1.W)
    in_c, variant = cfc_mode(settings.mode), VARIANTS[settings.variant]
    names = head_names(settings.mode, variant)
    signs = ("", "_minus") if mode.both_signs else ("",)
    columns = _columns(params)
    features = "".join(_features(source, params, settings, f"v{sign}", f"u{sign}") for sign in signs)
    maps, rooms = [], {f"v{sign}": columns for sign in signs}
    for sign in signs:
        u = f"{'u' if params.backbone else 'v'}{sign}"
        rooms |= {u: params.ff1.W.shape[1]}
        for head in mode.heads:
            wires = Wires(f"{prefix}synapses", cell_synapses(params)) if wired and not head.startswith("time") else None
            maps.append(source.linear(prefix + names[head], getattr(params, head), (u, names[head] + sign), wires))
            rooms[names[head] + sign] = units
    vectors = {
        name: np.abs(v[0]) if name == "w_tau" else v[0]
        for name in mode.vectors
        if (v := getattr(params, name)) is not None
    }
    loop = fill(
        in_c.loop, units=units, heads=variant.heads, first=names["ff1"], second=names["ff2"],
        sign="-" if variant.gate_sign > 0 else "+", open="" if variant.gate_sign > 0 else "-",
        **{name: source.weights.add(prefix + name, vector) for name, vector in vectors.items()},
    )  # fmt: skip
    for function in in_c.functions:
        source.call(function.replace("<heads>", variant.heads), units)
    source.add(
        CELL, title=title, cell=cell, kind="float", kinds="", inputs=columns - units, units=units,
        room=source.room(rooms), features=features, maps="".join(maps), loop=loop, heads_unit="",
        minus=fill(MINUS, columns=columns, minus_v="-v[j]") if mode.both_signs else "",
        names=", ".join(f"{names[head]} is {head}" for head in mode.heads),
    )  # fmt: skip


def _columns(params: CfCParams) -> int:
    """Return the length of v = [I, x]."""
    first = params.backbone[0] if params.backbone else params.ff1
    return int(first.W.shape[1])


def cell_synapses(params: CfCParams) -> Array:
    """Return which synapses of a wired cell there are."""
    there: Array = params.ff1.W != 0
    return there if params.ff2 is None else there | (params.ff2.W != 0)


def _features(source: Source, params: CfCParams, settings: CfCSettings, v: str, u: str) -> str:
    """Add the function of the backbone; return the statement that calls it."""
    if not params.backbone:
        return ""
    layers, below = [], "v"
    rooms: dict[str, int] = {}
    for k, layer in enumerate(params.backbone, start=1):
        units, z = len(layer.W), "u" if k == len(params.backbone) else f"u_{k}"
        rooms |= {z: units} if z != "u" else {}
        source.call(settings.activation, units)
        map_ = source.linear(f"backbone_{k}", layer, (below, z))
        layers.append(fill(_LAYER, z=z, u=below, map=map_, units=units, activation=settings.activation))
        below = z
    if v == "v":
        words = {"name": "backbone", "of": "[I, x]", "kind": "float"}
        source.add(BACKBONE, room=source.room(rooms), layers="".join(layers), **words)
    return f"NAME_backbone(w, {v}, {u});\n"
