"""The header of a network in C: state, reset and step, the cells' functions before them, the weights after them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.cfc.modes import VARIANTS
from cfc_ref.cells.cfc.network import CfCNetwork
from cfc_ref.cells.lstm import LSTMParams
from cfc_ref.cells.ltc.network import ODENetwork, Scaling
from cfc_ref.cells.ltc.neural import NeuralLTCParams
from cfc_ref.cells.ltc.synapses import LTCParams
from cfc_ref.export.c_cfc import cfc_cells
from cfc_ref.export.c_ltc import neural_cell, synaptic_cell
from cfc_ref.export.c_source import BYTES, Source, fill, number
from cfc_ref.export.float32_network import Network

__all__ = ["RawValues", "StepBody", "add_step"]


class RawValues(NamedTuple):
    """The scaling of a table's columns, with which the C takes and returns values in their own units."""

    features: tuple[str, ...]  # names of the columns
    outputs: tuple[str, ...]  # names of the predictions
    time: str  # name of the column of times
    mean: Array  # float64, (features,)
    scale: Array  # float64, (features,): a feature is mean + scale · standardised
    timespan: float  # the network's unit of time; the first sample after a reset has a timespan of 1 unit
    missing: bool  # features may be NaN: the network reads last seen values, times since, and which are there
    output_mean: Array  # float64, (outputs,)
    output_scale: Array  # float64, (outputs,): a prediction is mean + scale · output
    added_to: tuple[int, ...]  # the feature whose last seen value is added to each prediction, -1 for none
    classes: bool  # outputs are logits of classes, and predictions their probabilities
    prepare: Callable[[Array, Array], tuple[Array, Array]]  # (x, dt) → the network's input and timespans, time first
    finish: Callable[[Array, Array], Array]  # (outputs, the network's input) → predictions, shape (time, outputs)
    dates: bool = False  # the times are dates: dt is in seconds
    horizon: int = 0  # rows ahead that are predicted
    label_per_group: bool = False  # a prediction is one label of a group of rows, taken after its last row


_MEMORY = """
    /* Mixed memory 2020, an LSTM: c+ = f c + i a, out = o tanh(c+) */
    static inline void NAME_memory(const NAME_weights *w, const float *I, const float *x, float *c, float *out)
    {
        <room>

        /* the arguments of a, i, f and o: z = W I + R x + b */
        <input_map>
        <recurrent_map>
        for (int j = 0; j < <units>; j++) {
            const float a = NAME_tanh(z[j]), i = NAME_sigmoid(z[<units> + j]);
            const float f = NAME_sigmoid(z[2 * <units> + j] + <bias>), o = NAME_sigmoid(z[3 * <units> + j]);
            c[j] = f * c[j] + i * a;
            out[j] = o * NAME_tanh(c[j]);
        }
    }
"""
_STEP = """
    /* One time step: takes the sample x[<features>] and the time dt >= 0 since the one before, gives y[<outputs>] */
    static inline void NAME_step(NAME_state *state, const float *x, float dt, float *y)
    {
        const NAME_weights *w = NAME_get_weights();
        <room>

        <body>
    }
"""
_RESET = """
    /* The state before the first sample */
    static inline void NAME_reset(NAME_state *state)
    {
        <statements>
    }
"""
_SCALED = """
    /* <what> */
    for (int j = 0; j < <n>; j++)
        <to>[j] = <w>[j] * <of><b>;
"""


_COPY = """
    /* the output: the neurons that are read out */
    for (int j = 0; j < <n>; j++)
        <to>[j] = <of>;
"""
_RAW_INPUTS = """
    /* raw values: standardised features, and the time in units of the training's median timespan */
    const float t = state->begun ? dt / <timespan> : 1.0f;
    for (int j = 0; j < <features>; j++) {
        <missing>
        I[j] = (float)((<value> - <mean>[j]) / <scale>[j]);
    }
    state->begun = 1;
"""
_MISSING = """
    /* missing features: the last seen value, the time since, and whether there is one */
    const int missing = NAME_missing(x[j]);
    state->since[j] = missing && state->begun ? state->since[j] + t : 0.0f;
    state->last[j] = missing ? state->last[j] : (double)x[j];
    I[<features> + j] = state->since[j];
    I[2 * <features> + j] = missing ? 0.0f : 1.0f;
"""
_RAW_OUTPUTS = """
    /* predictions in their own units */
    for (int j = 0; j < <outputs>; j++)
        y[j] = (float)(<mean>[j] + <scale>[j] * (double)output[j]);
"""
_RAW_CHANGE = """
    /* prediction <k>: a change, added to the last value of feature <j> */
    y[<k>] = (float)(w->raw_output_mean[<k>] + w->raw_output_scale[<k>] * (double)output[<k>] + <value>);
"""
_PROBABILITIES = """
    /* the classes' probabilities: softmax of the outputs */
    float largest = output[0], sum = 0.0f;
    for (int j = 1; j < <outputs>; j++)
        largest = output[j] > largest ? output[j] : largest;
    for (int j = 0; j < <outputs>; j++)
        sum += y[j] = NAME_exp(output[j] - largest);
    for (int j = 0; j < <outputs>; j++)
        y[j] /= sum;
"""


class StepBody:
    """The body of NAME_step under construction, in float: its statements, arrays and members of the state."""

    def __init__(self, source: Source, network: Network) -> None:
        self.source, self.network = source, network
        self.statements, self.reset = "", ""
        self.rooms: dict[str, int] = {}
        self.members: list[str] = []
        self.begin()
        self.I, self.t = "x", "dt"  # expressions of the input and the time that the next function reads

    def begin(self) -> None:
        """Add the neurons to the state."""
        self.member("float", "x", self.network.layer.state_size, "the neurons")

    def room(self) -> str:
        """Return the declaration of the step's arrays."""
        return self.source.room(self.rooms)

    def add(self, template: str, **values: object) -> None:
        """Add statements."""
        self.statements += "\n" * template.startswith("\n    /*") + fill(template, **values)

    def member(self, kind: str, name: str, size: int, what: str, first: str = "") -> None:
        """Add an array to the state; a reset sets it to `first`."""
        self.source.state += BYTES[kind] * size
        self.members.append(f"{kind} {name}[{size}]; /* {what} */")
        first = first or ("0.0f" if kind == "float" else "0")
        self.reset += f"for (int i = 0; i < {size}; i++)\n    state->{name}[i] = {first};\n"

    def take_raw(self, raw: RawValues) -> None:
        """Standardise the sample, and fill what is missing."""
        features, add = len(raw.mean), self.source.weights.add
        self.I, self.t, self.rooms["I"] = "I", "t", self.network.layer.input_size
        self.source.state += 4
        self.members.append("int begun; /* 0 before the first sample */")
        self.reset += "state->begun = 0;\n"
        mean, scale = add("raw_mean", raw.mean, "double"), add("raw_scale", raw.scale, "double")
        missing, value = "", "(double)x[j]"
        if raw.missing:
            self.source.call("missing")
            missing, value = fill(_MISSING, features=features), "state->last[j]"
            self.member("float", "since", features, "time since each feature was seen")
            self.member("double", "last", features, "last seen values", "NAME_get_weights()->raw_mean[i]")
        self.add(
            _RAW_INPUTS, timespan=number(raw.timespan), features=features, mean=mean, scale=scale,
            missing=missing, value=value,
        )  # fmt: skip

    def compute(self, y: str) -> None:
        """Take the network's step, and write its output."""
        params = self.network.params
        if params.lstm is not None:
            self.remember(params.lstm)
        if isinstance(params, ODENetwork) and params.input_map is not None:
            self.rooms["mapped"] = self.network.layer.input_size
            self.scale("the input's map", "input", params.input_map, (f"{self.I}[j]", "mapped"))
            self.I = "mapped"
        self.advance(_cells(self.source, self.network))
        self.read_out(y)

    def scale(self, what: str, name: str, scaling: Scaling, ends: tuple[str, str]) -> None:
        """Map each feature of the first of `ends` by itself, to the second."""
        add, (of, to) = self.source.weights.add, ends
        b = "" if scaling.b is None else f" + {add(f'{name}_b', scaling.b)}[j]"
        self.source.multiply_adds += len(scaling.w)
        self.add(_SCALED, what=what, n=len(scaling.w), to=to, of=of, w=add(f"{name}_w", scaling.w), b=b)

    def remember(self, lstm: LSTMParams) -> None:
        """Update the mixed memory, whose output becomes the state or the input of the cells."""
        units, settings = self.network.layer.state_size, self.network.settings
        cfc = isinstance(self.network.params, CfCNetwork)
        to = "state->x"
        if cfc and VARIANTS[settings.variant].memory == "input":
            to, self.rooms["out"] = "out", units
        maps = {
            "input_map": self.source.linear("lstm_input", lstm.input_map, ("I", "z_I")),
            "recurrent_map": self.source.linear("lstm_recurrent", lstm.recurrent_map, ("x", "z"), b="z_I"),
        }
        for function, times in (("tanh", 2 * units), ("sigmoid", 3 * units)):
            self.source.call(function, times)
        room = self.source.room({"z_I": 4 * units, "z": 4 * units})
        bias = number(settings.forget_bias if cfc else 1.0)
        self.source.add(_MEMORY, room=room, units=units, bias=bias, **maps)
        self.member("float", "c", units, "the mixed memory")
        self.add(f"NAME_memory(w, {self.I}, state->x, state->c, {to});")
        self.I = self.I if to == "state->x" else to

    def advance(self, cells: list[tuple[str, int]]) -> None:
        """Update the cells, each of which reads the new state of the one before."""
        begin = 0
        for cell, count in cells:
            x = f"state->x + {begin}" if begin else "state->x"
            self.add(f"NAME_{cell}(w, {self.I}, {self.t}, {x});")
            self.I, begin = x, begin + count

    def read_out(self, y: str) -> None:
        """Write the output of the neurons that are read out, the last cell's first ones."""
        readout, outputs = self.network.readout, self.network.layer.output_size
        output_map, fc = readout if isinstance(self.network.params, ODENetwork) else (None, readout)
        read = self.I  # a pointer into the state
        first = f"{read.partition(' + ')[2]} + j" if " + " in read else "j"
        neuron = f"state->x[{first}]"
        if output_map is not None:
            to = y if fc is None else "motor"
            self.rooms |= {} if fc is None else {"motor": len(output_map.w)}
            self.scale("the output's map of the motor neurons", "output", output_map, (neuron, to))
            read = to
        if fc is not None:
            self.statements += "\n/* the output: y = W x + b */\n" + self.source.linear("fc", fc, (read, y))
        elif output_map is None:
            self.add(_COPY, n=outputs, to=y, of=neuron)

    def give_raw(self, raw: RawValues) -> None:
        """Turn outputs into predictions."""
        outputs, add = self.network.layer.output_size, self.source.weights.add
        if raw.classes:
            self.source.call("exp", outputs)
            self.add(_PROBABILITIES, outputs=outputs)
            return
        mean, scale = (
            add(f"raw_output_{name}", values, "double")
            for name, values in (("mean", raw.output_mean), ("scale", raw.output_scale))
        )
        self.add(_RAW_OUTPUTS, outputs=outputs, mean=mean, scale=scale)
        for k, j in enumerate(raw.added_to):
            if j >= 0:
                self.add(_RAW_CHANGE, k=k, j=j, value=f"state->last[{j}]" if raw.missing else f"(double)x[{j}]")


def add_step(step: StepBody, raw: RawValues | None) -> str:
    """Add the functions of a network, the last ones NAME_reset and NAME_step; return the struct of the state."""
    source, network = step.source, step.network
    if raw is not None:
        step.take_raw(raw)
    step.compute("y" if raw is None else "output")
    if raw is not None:
        step.rooms["output"] = network.layer.output_size
        step.give_raw(raw)
    features = network.layer.input_size if raw is None else len(raw.mean)
    source.add(_RESET, statements=step.reset)
    source.add(
        _STEP,
        features=features,
        outputs=network.layer.output_size,
        room=step.room(),
        body=step.statements.lstrip("\n"),
    )
    return "typedef struct {\n" + "".join(f"    {member}\n" for member in step.members) + "} NAME_state;\n"


def _cells(source: Source, network: Network) -> list[tuple[str, int]]:
    """Add the functions of the cells; return their names and numbers of neurons."""
    params, settings = network.params, network.settings
    if isinstance(params, CfCNetwork):
        return cfc_cells(source, params, settings, network.wired)
    if isinstance(params.cell, LTCParams):
        synaptic_cell(source, params.cell, settings, network.layer.epsilon)
    elif isinstance(params.cell, NeuralLTCParams):
        neural_cell(source, params.cell, settings, network.wired)
    else:
        kind, do = type(network.layer).__name__, "export one of these, or to ONNX"
        checks.refuse("model", kind, "a CfC, LTC or NeuralLTC, which have C", do, TypeError)
    return [("cell", network.layer.state_size)]
