"""The oracle of the LTC networks: scalar loops, one neuron and one synapse at a time.

Nothing here is imported from the package that it judges. Weights are nested lists by their names; those of synapses are
[presynaptic][postsynaptic]. For each neuron, C x' = Q - G x.
"""

import math
from typing import NamedTuple

from tests import naive

SYNAPSES = ("w", "sigma", "mu", "erev")


# --- the two forms: (C, G, Q) of every neuron


def synaptic(p, I, x, epsilon=0.0):
    sums = []
    for i in range(len(x)):
        G, Q = p["gleak"][i] + epsilon, p["gleak"][i] * p["vleak"][i]
        for prefix, values in (("", x), ("sensory_", I)):
            for j, value in enumerate(values):
                w, sigma, mu, E = (p[prefix + name][j][i] for name in SYNAPSES)
                G += w * naive.f(value, mu, sigma)
                Q += w * naive.f(value, mu, sigma) * E
        sums.append((p["cm"][i], G, Q))
    return sums


def release(p, I, x):
    return [
        naive.f(math.fsum(w * v for w, v in zip(p["W"][i], [*I, *x], strict=True)) + p["b"][i]) for i in range(len(x))
    ]


def neural(p, I, x):
    return [(1.0, p["w_tau"][i] + f, p["A"][i] * f) for i, f in enumerate(release(p, I, x))]


def synaptic_box(p, epsilon=0.0):
    """The lowest and the highest of the potentials that pull at each neuron."""
    ends = []
    for i, V in enumerate(p["vleak"]):
        pulls = [V] + [0.0] * (epsilon > 0)
        for prefix in ("", "sensory_"):
            w, E = p[prefix + "w"], p[prefix + "erev"]
            pulls += [E[j][i] for j in range(len(w)) if w[j][i] > 0]
        ends.append((min(pulls), max(pulls)))
    return ends


def neural_box(p):
    return [tuple(sorted((0.0, A / (w + 1)))) for w, A in zip(p["w_tau"], p["A"], strict=True)]


def slopes(sums, x):
    return [(Q - G * x_i) / C for (C, G, Q), x_i in zip(sums(x), x, strict=True)]


# --- one part of a step, as textbooks have it; sums(x) gives (C, G, Q) of every neuron


def fused(sums, x, h):
    """ncps's: C over h, and no time of 0."""
    return [(C / h * x_i + Q) / (C / h + G) for (C, G, Q), x_i in zip(sums(x), x, strict=True)]


def euler(sums, x, h):
    return [x_i + h * k for x_i, k in zip(x, slopes(sums, x), strict=True)]


def rk4(sums, x, h):
    k1 = slopes(sums, x)
    k2 = slopes(sums, [a + h / 2 * k for a, k in zip(x, k1, strict=True)])
    k3 = slopes(sums, [a + h / 2 * k for a, k in zip(x, k2, strict=True)])
    k4 = slopes(sums, [a + h * k for a, k in zip(x, k3, strict=True)])
    return [x[i] + h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]) for i in range(len(x))]


def relaxed(x, C, G, Q, h):
    return Q / G + (x - Q / G) * math.exp(-h * G / C)


def frozen(sums, x, h):
    return [relaxed(x_i, *balance, h) for balance, x_i in zip(sums(x), x, strict=True)]


def frozen_midpoint(sums, x, h):
    half = frozen(sums, x, h / 2)
    return [relaxed(x_i, *balance, h) for balance, x_i in zip(sums(half), x, strict=True)]


def half(x, sums, h):
    """x after h/2 with constant sums, which may be anything; a conductance below 0 counts as 0."""
    moved = []
    for x_i, (C, G, Q) in zip(x, sums, strict=True):
        moved.append(relaxed(x_i, C, G, Q, h / 2) if G > 0 else x_i + h / 2 * Q / C)
    return moved


def weighted(*terms):
    return [
        (rows[0][0], *(math.fsum(a * row[k] for (a, _), row in zip(terms, rows, strict=True)) for k in (1, 2)))
        for rows in zip(*(sums for _, sums in terms), strict=True)
    ]


def cf4(sums, x, h, box):
    def clipped(new):
        ends = [(min(low, x_i), max(high, x_i)) for (low, high), x_i in zip(box, x, strict=True)]
        return [min(max(new_i, low), high) for new_i, (low, high) in zip(new, ends, strict=True)]

    B1 = sums(x)
    x2 = half(x, B1, h)
    B2 = sums(x2)
    B3 = sums(half(x, B2, h))
    B4 = sums(clipped(half(x2, weighted((2, B3), (-1, B1)), h)))
    middle = half(x, weighted((1 / 2, B1), (1 / 3, B2), (1 / 3, B3), (-1 / 6, B4)), h)
    return clipped(half(middle, weighted((-1 / 6, B1), (1 / 3, B2), (1 / 3, B3), (1 / 2, B4)), h))


PARTS = {
    "fused": fused, "euler": euler, "rk4": rk4, "frozen": frozen, "frozen_midpoint": frozen_midpoint, "cf4": cf4,
}  # fmt: skip


def solver_step(solver, sums, x, t, unfolds, box=()):
    for _ in range(unfolds):
        x = PARTS[solver](sums, x, t / unfolds, *([box] if solver == "cf4" else []))
    return x


# --- layers: weights by the names of their state_dict


class Network(NamedTuple):
    """What is fixed about a layer besides its weights."""

    kind: str  # "LTC" or "NeuralLTC"
    solver: str
    unfolds: int
    outputs: int
    implicit: bool
    epsilon: float = 0.0


def softplus(z):
    return z + math.log1p(math.exp(-z)) if z > 0 else math.log1p(math.exp(z))


def mapped(function, array, mask=None):
    """A nested list with a function applied to every entry, and 0 where the mask is 0."""
    if isinstance(array, list):
        masks = mask or [None] * len(array)
        return [mapped(function, row, m) for row, m in zip(array, masks, strict=True)]
    return 0.0 if mask == 0 else function(array)


def effective(network, weights):
    cell = {key.removeprefix("rnn_cell."): array for key, array in weights.items() if key.startswith("rnn_cell.")}
    positive = softplus if network.implicit else float
    if network.kind == "NeuralLTC":
        W = mapped(float, cell["f.weight"], cell.get("sparsity_mask"))
        return {"W": W, "b": cell["f.bias"], "w_tau": mapped(positive, cell["w_tau"]), "A": cell["A"]}
    for name in ("gleak", "cm"):
        cell[name] = mapped(positive, cell[name])
    for prefix in ("", "sensory_"):
        cell[f"{prefix}w"] = mapped(positive, cell[f"{prefix}w"], cell[f"{prefix}sparsity_mask"])
    return cell


def scaled(weights, end, values):
    w, b = weights.get(f"rnn_cell.{end}_w"), weights.get(f"rnn_cell.{end}_b")
    values = values if w is None else [w_i * v for w_i, v in zip(w, values, strict=True)]
    return values if b is None else [v + b_i for v, b_i in zip(values, b, strict=True)]


def did(network, p, weights, I, x):
    """What the neurons do at x."""
    if network.kind == "NeuralLTC":
        f = release(p, I, x)
        balance = neural(p, I, x)
        more = {
            "release": f,
            "synaptic_current": [f_i * (A - x_i) for f_i, A, x_i in zip(f, p["A"], x, strict=True)],
            "leak_current": [-w * x_i for w, x_i in zip(p["w_tau"], x, strict=True)],
        }
    else:
        balance = synaptic(p, I, x, network.epsilon)
        more = {"leak_current": [g * (V - x_i) for g, V, x_i in zip(p["gleak"], p["vleak"], x, strict=True)]}
        for prefix, values in (("", x), ("sensory_", I)):
            w, sigma, mu, E = (p[prefix + name] for name in SYNAPSES)
            mask = weights[f"rnn_cell.{prefix}sparsity_mask"]
            s = [[naive.f(v, mu[j][i], sigma[j][i]) for i in range(len(x))] for j, v in enumerate(values)]
            pairs = [[(j, i) for i in range(len(x))] for j in range(len(values))]
            more[f"{prefix}release"] = [[mask[j][i] * s[j][i] for j, i in row] for row in pairs]
            current = "sensory_current" if prefix else "synaptic_current"
            more[current] = [[w[j][i] * s[j][i] * (E[j][i] - x[i]) for j, i in row] for row in pairs]
    return {
        "state": x,
        "time_constant": [C / G for C, G, _ in balance],
        "equilibrium": [Q / G for _, G, Q in balance],
        "current": [Q - G * x_i for (_, G, Q), x_i in zip(balance, x, strict=True)],
        **more,
    }


def sequence(network, weights, xs, h, c, ts):
    """Outputs, last (h, c), and what the neurons did at the end of every step."""
    p, outputs, steps = effective(network, weights), [], []
    box = neural_box(p) if network.kind == "NeuralLTC" else synaptic_box(p, network.epsilon)
    for sample, t in zip(xs, ts, strict=True):
        if c is not None:
            h, c = naive.lstm(weights, sample, h, c, 1.0)
        I = scaled(weights, "input", sample)

        def sums(x, I=I):
            return neural(p, I, x) if network.kind == "NeuralLTC" else synaptic(p, I, x, network.epsilon)

        h = solver_step(network.solver, sums, h, t, network.unfolds, box)
        y = scaled(weights, "output", h[: network.outputs])
        outputs.append(naive.affine(weights, "fc", y) if "fc.weight" in weights else y)
        steps.append(did(network, p, weights, I, h))
    return outputs, h, c, steps
