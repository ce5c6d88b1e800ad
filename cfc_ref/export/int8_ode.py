"""An LTC's time step in C with int8 parameters: what :mod:`cfc_ref.cells.int8.ode_step` computes."""

from __future__ import annotations

from typing import Any

import numpy as np

from cfc_ref.cells.int8.cfc_step import CfC8
from cfc_ref.cells.int8.ode_step import ODE8, Neural8, Synapses8, Synaptic8
from cfc_ref.export.c_header import StepBody
from cfc_ref.export.c_ltc import NEURAL, SYNAPTIC
from cfc_ref.export.c_source import Source, Wires, fill, number
from cfc_ref.export.float32_network import Network
from cfc_ref.export.int8_cfc import CfCStep8
from cfc_ref.export.int8_step import IntegerStep, wrapped

__all__ = ["ODEStep8", "step_8"]

_FUSED = """
    /* LTC 2021, Algorithm 1, the fused solver: x+ = (C x + h Q) / (C + h G) */
    const float D = C + h * G;
    x[i] = NAME_within(C / D * x[i] + h / D * Q, <low>, <high>);
"""
_FROZEN = """
    /* The frozen closed form of a network: x+ = x + (1 - e^-u) (Q / G - x) with u = h G / C */
    const float u = h * G / C;
    x[i] = NAME_within(x[i] + NAME_share(u) * (Q / G - x[i]), <low>, <high>);
"""
_SENSORY = """
    /* the leak and the sensory synapses: the input in units of 2^-<fine_I>, kept in 16 bits */
    for (int j = 0; j < <inputs>; j++)
        pre[j] = NAME_short(<factor> * I[j], <offset>);
    <sums>
"""
_RECURRENT = """
    for (int j = 0; j < <units>; j++)
        pre[j] = (short)(<fine_x> * x[j]);
    <sums>
"""


class ODEStep8(IntegerStep):
    """The body of NAME_step of an LTC: synapses and gates in integers, a neuron's own part in float."""

    def compute(self, y: str) -> None:
        """Take the network's step, and write its output."""
        cell, inputs, units = self.params.cell, self.network.layer.input_size, self.network.layer.state_size
        if self.params.memory is not None:
            self.int8_rooms = {"q": inputs, "q_x": units}
            self.add_memory(self.params.memory, "float", f"{number(2.0**-28)} * (float)(o * NAME_tanh_half(c[j] >> 3))")
            self.statements += "\n/* sample and neurons in int8, for the mixed memory */\n"
            self.statements += self.rounded("lstm_input", self.params.inputs, inputs, (self.I, "q"))
            self.statements += self.rounded("lstm_state", self.params.states, units, ("state->x", "q_x"))
            self.statements += "NAME_memory(w, q, q_x, state->c, state->x);\n"
        (self._add_synaptic if isinstance(cell, Synaptic8) else self._add_neural)(cell, units)
        self.advance([("cell", units)])
        StepBody.read_out(self, y)

    def _part(self, units: int) -> str:
        """Return the statements of one part for neuron i."""
        low, high = map(number, self.params.ends)
        self.source.call("within")
        self.source.multiply_adds += 4 * units * self.params.parts
        if self.params.solver == "frozen":
            self.source.call("share", units * self.params.parts)
        return fill(_FUSED if self.params.solver == "fused" else _FROZEN, low=low, high=high)

    def _add_synaptic(self, cell: Synaptic8, units: int) -> None:
        add, parts, inputs = self.source.weights.add, self.params.parts, len(cell.sensory.w)
        for name, values in (("cm", cell.C), ("G_unit", cell.G), ("Q_unit", cell.Q)):
            add(name, values)
        leak = tuple(add(f"{name}_leak", values, "int") for name, values in zip("GQ", cell.leak, strict=True))
        held = self._synapses("sensory_", cell.sensory, (*leak, "G_I", "Q_I"), 1)
        of_part = self._synapses("", cell.recurrent, ("G_I", "Q_I", "G_x", "Q_x"), parts)
        room = self.source.room({"pre": max(units, inputs)}, "short")
        room += self.source.room(dict.fromkeys(("G_I", "Q_I", "G_x", "Q_x"), units), "int")
        self.source.call("short")
        to_short = self.rounder("input", cell.input_map, "j")
        self.source.add(
            SYNAPTIC, parts=parts, units=units, room=room, solver=self._part(units),
            sensory=fill(_SENSORY, inputs=inputs, fine_I=cell.sensory.fine, sums=held, **to_short),
            recurrent=fill(_RECURRENT, units=units, fine_x=number(2.0**cell.recurrent.fine), sums=of_part),
            C="w->cm[i]", G="w->G_unit[i] * (float)G_x[i]", Q="w->Q_unit[i] * (float)Q_x[i]",
        )  # fmt: skip

    def _synapses(self, name: str, synapses: Synapses8, words: tuple[str, ...], times: int) -> str:
        """Add synapses' numbers; return the statement of their sums, made so many times in a step."""
        there = self._there(name)
        count, add = int(there.sum()), self.source.weights.add
        self.source.multiply_adds += 3 * count * times
        self.source.call("sigma_of", count * times)
        self.source.call("synapses")
        arrays = [
            add(name + symbol, values.T[there], "signed char")
            for symbol, values in zip(("w", "sigma", "mu", "E"), synapses[:4], strict=True)
        ]
        arrays += [add(f"{name}mu_step", synapses.step, "int"), add(f"{name}scale", synapses.scale)]
        arrays += self.source.lists(Wires(f"{name}synapses", there))
        return wrapped(f"NAME_synapses({', '.join([*arrays, 'pre', *words])}, {len(there)});")

    def _there(self, name: str) -> Any:
        """Return which synapses there are, shape (post, pre)."""
        return getattr(self.network.params.cell, f"{name}w").T != 0

    def _add_neural(self, cell: Neural8, units: int) -> None:
        inputs, parts = cell.inputs.W.shape[1], self.params.parts
        W, wired = self.network.params.cell.f.W, self.network.wired
        there = np.split(W != 0 if wired else np.ones(W.shape, bool), [inputs], axis=1)
        for name in ("w_tau", "A"):
            self.source.weights.add(name, getattr(cell, name))
        held = self.map(("f_I", "pre", "held"), cell.inputs, Wires("sensory_synapses", there[0]))
        before = self.source.multiply_adds
        of_part = self.map(("f_x", "pre", "z"), cell.states, Wires("synapses", there[1]))
        self.source.multiply_adds += (parts - 1) * (self.source.multiply_adds - before) + 2 * units * parts
        self.source.call("sigma_of", units * parts)
        room = self.source.room({"pre": max(units, inputs)}, "short")
        room += self.source.room({"held": units, "z": units}, "int")
        of_input = self.rounded("input", cell.input_round, inputs, ("I", "pre"))
        of_states = self.rounded("state", cell.state_round, units, ("x", "pre"))
        self.source.add(
            NEURAL, parts=parts, units=units, room=room, solver=self._part(units),
            sensory=f"/* the input's share of the argument of f */\n{of_input}{held}", recurrent=of_states + of_part,
            f=f"{number(2.0**-14)} * (float)NAME_sigma_of(z[i] + held[i])",
        )  # fmt: skip


def step_8(source: Source, network: Network, params: CfC8 | ODE8) -> IntegerStep:
    """Return the body of NAME_step of a network in int8."""
    return (CfCStep8 if isinstance(params, CfC8) else ODEStep8)(source, network, params)
