"""A CfC's time step in C: the backbone, the heads, and the equation of the mode, for each cell of the network."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.cfc.cell import CfCSettings
from cfc_ref.cells.cfc.modes import MODES, VARIANTS, CfCParams
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.export.c_source import Source, Wires, fill

__all__ = ["MODES_IN_C", "cfc_cells", "cfc_mode"]


class ModeInC(NamedTuple):
    """The C of a mode: the record of the same name in :data:`cfc_ref.cells.cfc.modes.MODES` says what it reads.

    Attributes
    ----------
    loop : str
        The equation under its number, and the loop over the neurons; words in angle brackets are replaced.
    functions : tuple of str
        The functions that it calls once per neuron.
    heads : dict
        The paper's name of each head; those of a gate depend on the variant.
    """

    loop: str
    functions: tuple[str, ...]
    heads: dict[str, str]


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

_BACKBONE = """
    /* The backbone: from v = [I, x] to the features u */
    static inline void NAME_backbone(const NAME_weights *w, const float *v, float *u)
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
_CELL = """
    /* <title>: reads <inputs> numbers I, has <units> neurons x */
    static inline void NAME_<cell>(const NAME_weights *w, const float *I, float t, float *x)
    {
        <room>

        /* v = [I, x] */
        for (int j = 0; j < <inputs>; j++)
            v[j] = I[j];
        for (int j = 0; j < <units>; j++)
            v[<inputs> + j] = x[j];
        <minus>
        <features>

        /* the heads, linear maps of the features: <names> */
        <maps>

        <loop>
    }
"""
_MINUS = """
    /* [-I, -x] */
    for (int j = 0; j < <columns>; j++)
        v_minus[j] = -v[j];
"""


def cfc_mode(mode: str) -> ModeInC:
    """Return the C of a mode; refuse a mode without it."""
    if mode not in MODES_IN_C:
        do = "add its record to cfc_ref.export.c_cfc.MODES_IN_C"
        checks.refuse("model", f"mode {mode!r}, which has no C", f"one of {', '.join(map(repr, MODES_IN_C))}", do)
    return MODES_IN_C[mode]


def cfc_cells(source: Source, params: CfCNetwork, settings: CfCSettings, wired: bool) -> list[tuple[str, int]]:
    """Add the functions of the cells; return their names and numbers of neurons."""
    cells, count = [], len(params.layers)
    for k, layer in enumerate(params.layers, start=1):
        cell, prefix, title = (
            ("cell", "", "The cell") if count == 1 else (f"cell_{k}", f"{k}_", f"Layer {k} of {count}")
        )
        _add_cell(source, layer, settings, wired, (cell, f"layer_{prefix}" if prefix else "", title))
        cells.append((cell, len(layer.ff1.W)))
    return cells


def _add_cell(source: Source, params: CfCParams, settings: CfCSettings, wired: bool, words: tuple[str, ...]) -> None:
    """Add the function of a cell; `words` are its name, the prefix of its weights, and its title."""
    (cell, prefix, title), mode, units = words, MODES[settings.mode], len(params.ff1.W)
    in_c, variant = cfc_mode(settings.mode), VARIANTS[settings.variant]
    first, second = ("g", "h") if variant.gate_sign > 0 else ("h", "g")
    names = {"ff1": first, "ff2": second, **in_c.heads}
    signs = ("", "_minus") if mode.both_signs else ("",)
    columns = _columns(params)
    features = "".join(_features(source, params, settings, f"v{sign}", f"u{sign}") for sign in signs)
    maps, rooms = [], {f"v{sign}": columns for sign in signs}
    for sign in signs:
        u = f"{'u' if params.backbone else 'v'}{sign}"
        rooms |= {u: params.ff1.W.shape[1]}
        for head in mode.heads:
            wires = Wires(f"{prefix}synapses", _synapses(params)) if wired and not head.startswith("time") else None
            maps.append(source.linear(prefix + names[head], getattr(params, head), (u, names[head] + sign), wires))
            rooms[names[head] + sign] = units
    vectors = {
        name: np.abs(v[0]) if name == "w_tau" else v[0]
        for name in mode.vectors
        if (v := getattr(params, name)) is not None
    }
    loop = fill(
        in_c.loop, units=units, heads=variant.heads, first=first, second=second,
        sign="-" if variant.gate_sign > 0 else "+", open="" if variant.gate_sign > 0 else "-",
        **{name: source.weights.add(prefix + name, vector) for name, vector in vectors.items()},
    )  # fmt: skip
    for function in in_c.functions:
        source.call(function.replace("<heads>", variant.heads), units)
    source.add(
        _CELL, title=title, cell=cell, inputs=columns - units, units=units, room=source.room(rooms),
        minus=fill(_MINUS, columns=columns) if mode.both_signs else "", features=features, maps="".join(maps),
        names=", ".join(f"{names[head]} is {head}" for head in mode.heads), loop=loop,
    )  # fmt: skip


def _columns(params: CfCParams) -> int:
    """Return the length of v = [I, x]."""
    first = params.backbone[0] if params.backbone else params.ff1
    return int(first.W.shape[1])


def _synapses(params: CfCParams) -> Array:
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
        source.add(_BACKBONE, room=source.room(rooms), layers="".join(layers))
    return f"NAME_backbone(w, {v}, {u});\n"
