"""By exercise: an answer that is right, found without the checks, and mistakes with the words that name them."""

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cfc_ref import LTC, CfC, LTCNeuron, closed_form, exact, from_ncps, signals, to_ncps_state_dict, translate, wirings
from cfc_ref.teach import cfc_cells, elapsed_times, published_clock


class Late(NamedTuple):
    """A value that is computed when the test runs."""

    value: Callable[[], Any]


def logistic(I, gain=1.0):
    return 1 / (1 + np.exp(-gain * np.asarray(I)))


# --- tutorials 01 and 02


def eq8(w, A, x0, times, values, t, release=logistic, sign=-1):
    F = sum(release(v) * max(0.0, min(e, t) - b) for b, e, v in zip(times, [*times[1:], math.inf], values, strict=True))
    return A + (x0 - A) * math.exp(sign * (w * t + F))


def by_library(function, w, A, x0, times, values, t):
    return float(function(LTCNeuron(w, A), signals.piecewise_constant(times, values), x0, t))


def recording(x1, x2, tau1, tau2):
    A = (x1 / tau1 - x2 / tau2) / (1 / tau1 - 1 / tau2)
    w = 1 / tau1 - x1 / tau1 / A
    return w, A, 1 / tau1 - w, 1 / tau2 - w


def two_inputs(a=0.1, b=0.9, last=0.0):
    neuron = LTCNeuron(1.0, 1.0)
    return [signals.piecewise_constant([0.0, 2.0], [neuron.f_inverse(y), last]) for y in (a, b)]


def running(y, t):
    return np.concatenate([[0.0], np.cumsum((y[1:] + y[:-1]) / 2 * np.diff(t))])


def second_constant(w, t, sign=-1, A=1.0, x0=-1.0):
    exponent = w * t + running(logistic(np.sin(2 * np.pi * 0.4 * t), 3.0), t)
    return A + (x0 - A) * np.exp(-exponent) + sign * A * w * np.exp(-exponent) * running(np.exp(exponent), t)


# --- tutorials 03 to 05


SWITCH = math.log(1 + 2 * 1.9) / 1.9


def switched(first=0.9, last=0.1, at=SWITCH):
    neuron = LTCNeuron(1.0, 1.0)
    return signals.piecewise_constant([0.0, at], [neuron.f_inverse(first), neuron.f_inverse(last)])


def guaranteed_step():
    a, L = float(logistic(-2.0)), 0.5 * 2 * math.pi * 0.3
    return 1e-3 * (1 + a) / L


# --- tutorials 06 and 07


def to_torch(weights, heads=0.666, gate=-1, state=1.7159, out=1.7159):
    weights = {name: array.copy() for name, array in weights.items()}
    for name in weights:
        weights[name] *= heads if ".ff" in name else gate if "time_a" in name else 1.0
    weights["rnn_cell.backbone.0.weight"][:, 3:] *= state
    weights["fc.weight"] *= out
    return weights


MODES = ("no_gate", "pure", "paper_pure", "from_x0")


def trainings(power=1.0, timed=True):
    return {mode: cfc_cells._trained_error(mode, timed, cfc_cells._STEPS) ** power for mode in MODES}


def below():
    limit = cfc_cells._trained_error("default", False, cfc_cells._STEPS)
    return [mode for mode, error in trainings().items() if error < limit]


def pure_forward(P, I, x, t, sign=-1):
    v = np.concatenate([I, x])
    f1 = P["W1"] @ v + P["b1"]
    decay = np.exp(-t * (np.abs(P["w"]) + np.abs(f1)))
    return P["A"] + sign * P["A"] * decay * f1, (v, f1, decay, t)


def pure_backward(P, kept, q, both=True, signed=True, inner=True, time=1):
    v, f1, decay, t = kept
    d_rate = t * decay * P["A"] * f1 * q
    d_f1 = -P["A"] * decay * q + both * np.sign(f1) * d_rate
    d_v = P["W1"].T @ d_f1
    return {
        "W1": np.outer(d_f1, v),
        "b1": d_f1,
        "w": np.sign(P["w"]) * d_rate if signed else d_rate,
        "A": (1 - inner * decay * f1) * q,
        "I": d_v[:2],
        "x": d_v[2:],
        "t": time * np.sum((np.abs(P["w"]) + np.abs(f1)) * d_rate) / t,
    }


def with_backward(**changes):
    return pure_forward, lambda P, kept, q: pure_backward(P, kept, q, **changes)


# --- tutorials 08 to 11


def chain(length=4, turned=False):
    between = np.zeros((4, 4), dtype=int)
    for k in range(length - 1, 0, -1):
        between[k, k - 1] = 1
    first = [[int(k == length - 1) for k in range(4)]]
    layers = [[3], [2], [1], [0]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a motor neuron that no input can reach
        between = between.T if turned else between
        return wirings.Wiring(between, first, output_dim=1, layers=None if turned or length < 4 else layers)


def whole(x0, G, C, Q, t, sign=-1):
    return Q / G + (x0 - Q / G) * np.exp(sign * t * G / C)


def certified(network, x, hx, factor, names=("sigma",), careful=True):
    network = copy.deepcopy(network) if careful else network
    for name in names:
        network.parameters[f"rnn_cell.{name}"][...] *= factor
    compared = translate.compare(network, x, hx=hx)
    return np.max(compared.certificate.bound), np.abs(compared.translations["frozen"].error).max()


def scaled(factor=32, heads=("time_a",), kinds=("weight", "bias")):
    network = elapsed_times._fresh()
    for head in heads:
        for kind in kinds:
            network.parameters[f"rnn_cell.{head}.{kind}"] *= factor
    return network


class Teller:
    """A network that tells odd runs from even ones by a table."""

    input_size = 2

    def __init__(self, column=1, inputs=2, turned=False):
        self.column, self.input_size, self.turned = column, inputs, turned

    def __call__(self, x):
        odd = x[:, 1, self.column] % 2 == 1
        return np.where(odd != self.turned, 1.0, -1.0)[:, None], None


def line(now, before, since, ahead):
    return now + (now - before) / since * ahead


VALUES, CHANGES = np.ones(17), np.where(np.arange(17) < 9, 0.5, 1.5)
STEPS = np.linspace(0.1, 2.4, 24)


def noise(size=0.2, own=True):
    def noisy(x, rng):
        spread = x.std(axis=(0, 1)) if own else 1.0
        return x + size * spread * rng.normal(size=x.shape)

    return noisy


def half_size():
    network = LTC(4, wirings.AutoNCP(19, 1), seed=3)
    return sum(array.astype(np.float16).nbytes for array in to_ncps_state_dict(network).values())


def half_gap():
    network = LTC(4, wirings.AutoNCP(19, 1), seed=3)
    halves = {k: v.astype(np.float16).astype(np.float32) for k, v in to_ncps_state_dict(network).items()}
    small = from_ncps(halves, ode_unfolds=6, implicit_param_constraints=True)
    small.backend = network.backend = "numpy"
    x = np.random.default_rng(7).normal(size=(200, 4)).astype(np.float32)
    return float(np.abs(small(x)[0] - network(x)[0]).max() / network(x)[0].std())


SOLUTIONS = {
    "01.1": lambda: {"rest": -1.2, "tau": 0.8, "t99": 0.8 * math.log(100)},
    "01.2": lambda: {"limit": 1.6, "implicit": lambda x, h: (x - 1.5 * h) / (1 + 1.25 * h)},
    "01.3": lambda: recording,
    "02.1": lambda: eq8,
    "02.2": lambda: {"multiple": math.exp(-0.2) - math.exp(-1.8), "inputs": two_inputs()},
    "02.3": lambda: {"state": second_constant, "limit": 0.0},
    "03.1": lambda: (-2 * math.exp(-1), -2 * math.exp(-1) * (math.exp(-1) - 1)),
    "03.2": lambda: (0.5, 1 / (2 * math.e)),
    "03.3": lambda: {"K": 76.1, "lower": (2.0, 40.0)},
    "04.1": lambda: (2 / 3, 2.0, -4 / 3, 0.0),
    "04.2": lambda: 0.01 * 0.2 / 0.99,
    "04.3": lambda: {"signal": switched(), "jump": "no"},
    "05.1": lambda: 1 / 3,
    "05.2": lambda: {"step": guaranteed_step(), "factor": 9.0},
    "05.3": lambda: {"order": 2, "factor": 50.0},
    "06.1": lambda: (math.log(99) / 2, math.log(100) / 2, "never"),
    "06.2": lambda: to_torch,
    "06.3": lambda: {"errors": trainings(), "below": below()},
    "07.1": lambda: (0.0, -1 / 4, 3 / 8, 0.0),
    "07.2": lambda: {"functions": with_backward(), "at_zero": 0.0},
    "07.3": lambda: {"by_gamma": lambda clock, by_time: np.sum(clock * by_time), "c": 0.71},
    "08.1": lambda: {"wiring": chain(), "steps": 1},
    "08.2": lambda: {
        "whole": whole,
        "good": "for the fast ones",
        "change": "take their mean, weighted by conductances",
    },
    "08.3": lambda: {"certified": certified, "meet": True},
    "09.1": lambda: {"accuracies": (0.99, 0.9, 0.62), "reported": "that of the samples drawn later"},
    "09.2": lambda: {"scaled": scaled(), "why": "Adam takes steps of one size"},
    "09.3": lambda: {"network": Teller(), "longer": "always the same"},
    "10.1": lambda: {"forecast": line, "worth": (0.8, 0.6)},
    "10.2": lambda: {"target": lambda x, y: y - x, "profits": (VALUES, CHANGES, range(9)), "zero": "persistence"},
    "10.3": lambda: {"noisy": noise(), "errors": (STEPS, 0.5 * STEPS + 0.1), "why": "its own answers, with errors"},
    "11.1": lambda: (4 * 81 * 64, 17 * 64 + 6 * 64**2, 1 / 32, 303),
    "11.2": lambda: {"extrapolated": lambda one, two: 2 * two - one, "order": 2.05, "better": "the short ones"},
    "11.3": lambda: {"bytes": half_size(), "gap": half_gap()},
    "12.1": lambda: ((4 / 7, 7 / 6), 0.8690476, 0.2976190, 4.8),
    "12.2": lambda: (math.log(2 / (1 + math.exp(-3))), 1.5),
    "12.3": lambda: (0.65, 0.15, 0.105),
    "13.1": lambda: (0.75, 17_892),
    "13.2": lambda: {"undo": lambda late: -np.asarray(late)[1:], "lost": "the last interval"},
    "13.3": lambda: (math.exp(-2), math.exp(2), 5.0, 64.0),
}
MISTAKES = {
    "01.1": [
        ({"rest": -2.0}, "symmetric form"),
        ({"rest": 1.2}, "sign"),
        ({"rest": 0.6}, "A is missing"),
        ({"rest": -3.0}, "not w_tau alone"),
        ({"tau": 1.25}, "rate"),
        ({"t99": math.log(100)}, "time constant is missing"),
        ({"t99": -0.8 * math.log(100)}, "sign"),
    ],
    "01.2": [
        ({"limit": 0.8}, "still shrink"),
        ({"limit": 4.0}, "not w_tau alone"),
        ({"implicit": lambda x, h: x + h * (-1.25 * x - 1.5)}, "explicit"),
        ({"implicit": lambda x, h: x / (1 + 1.25 * h)}, "inflow"),
        ({"implicit": lambda x, h: (x - 2.5 * h) / (1 + 1.25 * h)}, "symmetric form"),
    ],
    "01.3": [
        ({"find": lambda *r: [recording(*r)[k] for k in (1, 0, 2, 3)]}, "changed places"),
        ({"find": lambda *r: (*recording(*r)[:2], 1 / r[2], 1 / r[3])}, "take w_tau away"),
        ({"find": lambda *r: (-recording(*r)[0], *recording(*r)[1:])}, "sign"),
    ],
    "02.1": [
        ({"eq8": lambda *g: eq8(*g, release=lambda value: value)}, "releases"),
        ({"eq8": lambda *g: eq8(*g, sign=1)}, "sign of the exponent"),
        ({"eq8": lambda *g: eq8(*g) - g[1]}, "added at the end"),
        ({"eq8": lambda w, *g: eq8(0.0, *g)}, "leak w_tau is missing"),
        ({"eq8": lambda w, A, x0, *g: A + x0 * (eq8(w, A, x0, *g) - A) / (x0 - A)}, "not x0"),
        ({"eq8": lambda *g: by_library(exact, *g)}, "other ODE"),
        ({"eq8": lambda *g: by_library(closed_form, *g)}, "Eq. 9"),
    ],
    "02.2": [
        ({"multiple": math.exp(-1.8) - math.exp(-0.2)}, "sign"),
        ({"multiple": math.exp(-0.1) - math.exp(-0.9)}, "time is missing"),
        ({"multiple": 1 - math.exp(-2.0)}, "releases in [0, 1]"),
        ({"multiple": 1.6}, "difference of the two F"),
        ({"inputs": (0.0, 1.0)}, "differ at t = 2"),
        ({"inputs": two_inputs(0.01)}, "leaves"),
        ({"inputs": two_inputs(0.4)}, "as much as possible"),
    ],
    "02.3": [
        ({"state": lambda w, t: second_constant(w, t, sign=0)}, "symmetric form"),
        ({"state": lambda w, t: second_constant(w, t, sign=1)}, "wrong sign"),
        ({"state": lambda w, t: second_constant(w, t) - 1.0}, "add A"),
        ({"limit": 1.0}, "second term alone"),
    ],
    "03.1": [
        (-2 * math.exp(-1) * np.array([math.exp(-1) - 1, 1]), "changed places"),
        (2 * math.exp(-1) * np.array([math.exp(-1) - 1, 1]), "sign of c"),
        (-2 * np.array([1, math.exp(-1) - 1]), "exp(-w_tau t) is missing"),
        (2 * math.exp(-1) * np.array([-1, 1]), "not symmetric"),
    ],
    "03.2": [
        ({"y": 2.0}, "reciprocal"),
        ({"y": lambda t: t}, "reciprocal"),
        ({"y": 1.0}, "largest release"),
        ({"share": 2 * math.exp(-2.0) / (2 * math.e)}, "not its share"),
        ({"share": lambda t: 1 / math.e}, "time is missing"),
        ({"share": lambda t: 1 / t}, "exp(-y t) is missing"),
        ({"share": -1 / (2 * math.e)}, "sign"),
    ],
    "03.3": [
        ({"K": 40.0}, "16 long"),
        ({"K": 30.0}, "not yet 90 %"),
        ({"K": 100.0}, "smaller K"),
        ({"K": -76.0}, "positive"),
        ({"lower": (2.0, 5.0)}, "not yet 90 %"),
        ({"lower": (2.0, 90.0)}, "no smaller"),
        ({"lower": (8.0, 80.0)}, "is not 8"),
    ],
    "04.1": [
        ({"ltc": 2.0}, "other ODE"),
        ({"ltc": 1 / 3}, "A is missing"),
        ({"symmetric": 2 / 3}, "other ODE"),
        ({"error_ltc": 4 / 3}, "sign"),
        ({"error_ltc": 0.0}, "other ODE"),
        ({"error_symmetric": -4 / 3}, "other ODE"),
    ],
    "04.2": [
        (0.01 / 0.99, "largest release"),
        (1.0 * 0.2 * 0.01 / 0.99 * 2, "differ by more"),
        (0.001, "larger leak"),
        (100 * 0.01 * 0.2 / 0.99, "per cent"),
        (-0.002, "positive"),
    ],
    "04.3": [
        ({"signal": switched(0.1, 0.9)}, "other end"),
        ({"signal": switched(0.1, 0.9, at=2.9)}, "wrong order"),
        ({"signal": switched(0.95)}, "leaves"),
        ({"signal": switched(at=1.5)}, "time of the switch"),
        ({"jump": "yes"}, "compare the release"),
    ],
    "05.1": [
        (1.0, "symmetric form"),
        (2 / 3 * math.log(2), "Euler"),
        (1 / 6, "A is missing"),
        (2 / 3, "come to rest"),
        (-1 / 3, "sign"),
    ],
    "05.2": [
        ({"step": guaranteed_step() / 2}, "sigma/4"),
        ({"step": guaranteed_step() * 2 * math.pi}, "2 pi"),
        ({"step": guaranteed_step() / 5}, "smaller than the bound asks"),
        ({"step": guaranteed_step() * 30}, "does not promise"),
        ({"factor": 0.1}, "reciprocal"),
    ],
    "05.3": [({"order": 4}, "small w_tau h"), ({"factor": 0.02}, "reciprocal"), ({"factor": 100}, "w_tau alone")],
    "06.1": [
        ({"gate": math.log(100) / 2}, "exp(-2 t)"),
        ({"gate": math.log(99)}, "rate f is missing"),
        ({"exponential": math.log(99) / 2}, "time of the gate"),
        ({"exponential": -math.log(100) / 2}, "sign"),
        ({"negative": "at the same time"}, "other way"),
    ],
    "06.2": [
        (lambda weights: to_torch(weights, gate=1), "wrong way"),
        (lambda weights: to_torch(weights, heads=1.0), "tanh of ff1"),
        (lambda weights: to_torch(weights, state=1.0), "backbone reads"),
        (lambda weights: to_torch(weights, out=1.0), "projection reads"),
    ],
    "06.3": [
        ({"errors": Late(lambda: trainings(power=2.0))}, "mean squared"),
        ({"errors": Late(lambda: dict.fromkeys(MODES, 9.0))}, "another error"),
        ({"below": Late(lambda: [mode for mode in MODES if mode not in below()])}, "stay above"),
    ],
    "07.1": [
        ({"state": 0.5}, "half of each"),
        ({"by_t": 0.25}, "sign"),
        ({"by_t": -1.0}, "derivative of the gate"),
        ({"by_b1": 0.5}, "derivative of tanh"),
        ({"by_b1": 0.75}, "1 - s"),
        ({"by_ba": -0.25}, "factor t"),
    ],
    "07.2": [
        ({"functions": (lambda *g: pure_forward(*g, sign=1), pure_backward)}, "sign of the exponential"),
        ({"functions": with_backward(both=False)}, "one share is missing"),
        ({"functions": with_backward(signed=False)}, "sign(w)"),
        ({"functions": with_backward(inner=False)}, "A occurs twice"),
        ({"functions": with_backward(time=-1)}, "t: its sign"),
        ({"at_zero": 1.0}, "one-sided"),
    ],
    "07.3": [
        ({"by_gamma": lambda clock, by_time: np.sum(by_time)}, "pauses are missing"),
        ({"by_gamma": lambda clock, by_time: np.mean(clock * by_time)}, "mean"),
        ({"by_gamma": lambda clock, by_time: -np.sum(clock * by_time)}, "sign"),
        ({"c": 1 / 0.7}, "gamma"),
        ({"c": 1.0}, "where it started"),
    ],
    "08.1": [
        ({"wiring": chain(turned=True)}, "never hears"),
        ({"wiring": chain(3)}, "too early"),
        ({"wiring": wirings.FullyConnected(3, 1)}, "four neurons"),
        ({"steps": 4}, "right of an LTC"),
    ],
    "08.2": [
        ({"whole": lambda x0, G, C, Q, t: whole(x0, G, C, Q * G, t)}, "not at Q"),
        ({"whole": lambda x0, G, C, Q, t: whole(x0, G, 1.0, Q, t)}, "C is missing"),
        ({"whole": lambda *g: whole(*g, sign=1)}, "sign of the exponent"),
        ({"whole": lambda x0, G, C, Q, t: whole(x0, G, C, Q, 1.0)}, "t is missing"),
        ({"good": "the slow ones"}, "lags behind"),
        ({"change": "multiply them"}, "leaves the box"),
    ],
    "08.3": [
        ({"certified": lambda *g: certified(*g, names=("sigma", "sensory_sigma"))}, "inputs' synapses"),
        ({"certified": lambda *g: certified(*g, names=("w",))}, "conductances w"),
        ({"certified": lambda *g: certified(*g, careful=False)}, "put its gains back"),
        ({"certified": lambda n, x, hx, factor: certified(n, x, hx, 1.0)}, "no influence"),
        ({"certified": lambda *g: certified(*g)[::-1]}, "changed places"),
        ({"meet": False}, "missing certificate"),
    ],
    "09.1": [
        ({"accuracies": (99, 90, 62)}, "per cent"),
        ({"accuracies": (0.9, 0.99, 0.62)}, "changed places"),
        ({"accuracies": (0.99, 0.62, 0.9)}, "changed places"),
        ({"accuracies": (0.99, 0.1, 0.01)}, "coin"),
        ({"reported": "held back"}, "honest"),
        ({"reported": "learned from"}, "remembers"),
    ],
    "09.2": [
        ({"scaled": scaled(kinds=("weight",))}, "time_a.bias"),
        ({"scaled": scaled(1 / 32)}, "multiply"),
        ({"scaled": scaled(heads=("time_a", "time_b"))}, "time_b"),
        ({"scaled": scaled(1)}, "nothing is scaled"),
        ({"scaled": CfC(1, 8)}, "another network"),
        ({"why": "they are different networks"}, ""),
    ],
    "09.3": [
        ({"network": Teller(inputs=1)}, "are two"),
        ({"network": Teller(column=0)}, "columns"),
        ({"network": Teller(turned=True)}, "wrong for runs"),
        ({"longer": "it counts on"}, "change sign"),
    ],
    "10.1": [
        ({"forecast": lambda now, before, since, ahead: now + (now - before) * ahead}, "divide by the time"),
        ({"forecast": lambda now, before, *g: 2 * now - line(now, before, *g)}, "sign"),
        ({"forecast": lambda now, *g: line(now, *g) - now}, "position itself"),
        ({"forecast": lambda now, before, since, ahead: now}, "persistence"),
        ({"worth": (1.2, 1.7)}, "other way round"),
    ],
    "10.2": [
        ({"target": lambda x, y: x - y}, "sign"),
        ({"target": lambda x, y: y}, "next value"),
        ({"profits": (VALUES, CHANGES, range(9, 17))}, "lose"),
        ({"profits": (VALUES, CHANGES, [1])}, "not what these errors say"),
        ({"profits": (CHANGES, VALUES, range(9, 17))}, "slow column"),
        ({"zero": "nothing"}, "answers 0"),
    ],
    "10.3": [
        ({"noisy": noise(own=False)}, "every column"),
        ({"noisy": noise(1.0)}, "0.2 is missing"),
        ({"noisy": noise(math.sqrt(0.2))}, "variance"),
        ({"noisy": lambda x, rng: x}, "noise of its own"),
        ({"noisy": lambda x, rng: x + abs(noise()(x, rng) - x)}, "mean 0"),
        ({"errors": (0.5 * STEPS + 0.1, STEPS)}, "changed places"),
        ({"errors": (STEPS, STEPS + 0.1)}, "should help"),
        ({"why": "more data"}, "no further observations"),
    ],
    "11.1": [
        ({"weights": 4 * 64 * 64}, "inputs are missing"),
        ({"weights": 81 * 64}, "four numbers"),
        ({"logistic": 6 * 81 * 64}, "computed once"),
        ({"logistic": 81 * 64}, "computes the synapses between neurons again"),
        ({"ratio": 32}, "bytes per logistic"),
        ({"ratio": 1 / 8}, "four numbers"),
        ({"policy": 4 * 19 + 6 * 19 * 19}, "few synapses"),
    ],
    "11.2": [
        ({"extrapolated": lambda one, two: (one + two) / 2}, "mean"),
        ({"extrapolated": lambda one, two: 2 * one - two}, "changed places"),
        ({"extrapolated": lambda one, two: (4 * two - one) / 3}, "order 2"),
        ({"order": 1.0}, "frozen form itself"),
        ({"better": "for long gaps"}, "compare once more"),
    ],
    "11.3": [
        ({"bytes": Late(lambda: 2 * half_size())}, "float32"),
        ({"gap": 100.0}, "too large"),
        ({"gap": 1e-7}, "too small"),
    ],
    "12.1": [
        ({"states": (7 / 6, 4 / 7)}, "changed places"),
        ({"states": (4 / 7 - 2, 7 / 6 - 2)}, "add A"),
        ({"centre": 2.0}, "Eq. 9"),
        ({"radius": 0.5952381}, "half of that"),
        ({"ratio": 2.8}, "other end"),
    ],
    "12.2": [
        ({"before": math.log(2)}, "late t"),
        ({"before": 2.355440}, "the time of the look"),
        ({"when": 3.0}, "t itself"),
    ],
    "12.3": [({"high": 0.8}, "come back"), ({"low": -0.2}, "come back"), ({"area": 0.0525}, "root of 2")],
    "13.1": [
        ({"auc": 8 / 12}, "count half"),
        ({"auc": 10 / 12}, "not as right"),
        ({"auc": 0.25}, "turned round"),
        ({"records": Late(lambda: 800 * published_clock._error(0.83, 800) / 0.005)}, "four times as many"),
        ({"records": Late(lambda: published_clock._needed(0.83, 0.005) * 121 / 800)}, "number of deaths"),
    ],
    "13.2": [
        ({"undo": lambda late: -np.asarray(late)[:-1]}, "still late"),
        ({"undo": lambda late: np.asarray(late)[1:]}, "still negative"),
        ({"lost": "the first"}, "it is 0"),
    ],
    "13.3": [
        ({"true": math.exp(2)}, "backwards"),
        ({"backwards": math.exp(-2)}, "true clock"),
        ({"pole": 4.0}, "1 is missing"),
        ({"pole": 1 + 1 / 1.5}, "six parts"),
        ({"growth": 2.0}, "there are six"),
    ],
}
