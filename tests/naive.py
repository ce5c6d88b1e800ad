"""The oracle: every formula once more, in scalar loops, with the standard library only.

Nothing here is imported from the package that it judges. One neuron, one number at a time; w is the leak, A the
reversal potential, c = x0 - A, y = f(I) the release, k = w + a, and [a, b] the range of y.
"""

import math
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import NamedTuple

# --- the neuron


def f(I, mu=0.0, sigma=1.0):
    z = sigma * (I - mu)
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def inverse_f(y, mu=0.0, sigma=1.0):
    return mu + math.log(y / (1 - y)) / sigma


def r(I, mu=0.0, sigma=1.0, reflection="release"):
    """The reflected release as it is printed: 1 - f(I) in Algorithm 1, f(-I) in Eq. 2 and 9."""
    return 1 - f(I, mu, sigma) if reflection == "release" else f(-I, mu, sigma)


def r_of_release(y, mu=0.0, sigma=1.0, reflection="release"):
    """The same as a function of y = f(I), with its limits at y = 0 and 1."""
    return 1.0 - y if y in (0, 1) else r(inverse_f(y, mu, sigma), mu, sigma, reflection)


# --- the two ODEs


def slope(form, w, A, x, y):
    return -(w + y) * x + A * y if form == "ltc" else -(w + y) * x + A * (w + y)


def runge_kutta(form, w, A, x0, t, release, n=2000):
    """Classical steps of order 4 for any release(s)."""
    x, h = x0, t / n
    for k in range(n):
        y0, y1, y2 = (release((k + part) * h) for part in (0, 0.5, 1))
        k1 = slope(form, w, A, x, y0)
        k2 = slope(form, w, A, x + h / 2 * k1, y1)
        k3 = slope(form, w, A, x + h / 2 * k2, y1)
        k4 = slope(form, w, A, x + h * k3, y2)
        x += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x


def simpson(function, t, n=2000):
    h = t / n
    return h / 3 * math.fsum((1 if k in (0, n) else 2 + 2 * (k % 2)) * function(k * h) for k in range(n + 1))


def mean_f(z0, z1):
    """Mean of the logistic function between two arguments, with so many digits that nothing cancels."""
    if abs(z1 - z0) < 1e-15:
        return f((z0 + z1) / 2)
    with localcontext() as context:
        context.prec = 80
        z0, z1 = Decimal(z0), Decimal(z1)
        return float(((1 + z1.exp()).ln() - (1 + z0.exp()).ln()) / (z1 - z0))


def eq6(w, A, x0, t, F):
    return A + (x0 - A) * math.exp(-w * t - F)


def pieces(t, times, values):
    """(value, length) of each piece on [0, t]; value k holds from times[k], the first one also before."""
    for k, value in enumerate(values):
        begin = 0.0 if k == 0 else max(0.0, times[k])
        end = min(t, times[k + 1]) if k + 1 < len(values) else t
        if end > begin:
            yield value, end - begin


def value_at(t, times, values):
    return values[max([0, *(k for k, time in enumerate(times) if time <= t)])]


def line_at(t, times, values):
    if t <= times[0]:
        return values[0]
    for (t0, v0), (t1, v1) in pairwise(zip(times, values, strict=True)):
        if t <= t1:
            return v0 + (v1 - v0) * (t - t0) / (t1 - t0)
    return values[-1]


def constant_piece(form, w, A, x, y, h):
    x_inf = A * y / (w + y) if form == "ltc" else A
    return x_inf + (x - x_inf) * math.exp(-(w + y) * h)


def chain(form, w, A, x0, releases_and_lengths):
    for y, h in releases_and_lengths:
        x0 = constant_piece(form, w, A, x0, y, h)
    return x0


# --- the closed forms


def eq9(w, A, x0, t, I, mu=0.0, sigma=1.0, reflection="release"):
    return A + (x0 - A) * math.exp(-(w + f(I, mu, sigma)) * t) * r(I, mu, sigma, reflection)


def psi(u):
    """((u - 2) + (u + 2) e^-u)/u^3 with so many digits that nothing cancels."""
    with localcontext() as context:
        context.prec = 80
        u = Decimal(u)
        return float(((u - 2) + (u + 2) * (-u).exp()) / u**3) if u > Decimal("1e-12") else 1 / 6


def psi_series(u, terms=40):
    return math.fsum((-u) ** n / (math.factorial(n) * (n + 2) * (n + 3)) for n in range(terms))


def gauss_step(w, A, x, y1, y2, h):
    u = (w + (y1 + y2) / 2) * h
    phi1 = -math.expm1(-u) / u if u else 1.0
    delta = math.sqrt(3) * h * (y2 - y1)
    return A + math.exp(-u) * (x - A) - A * w * h * (phi1 - delta / 2 * psi(u))


def frozen_step(w, A, x, release, begin, h, sample):
    if sample == "gauss":
        y1, y2 = (release(begin + h * (0.5 + sign * math.sqrt(3) / 6)) for sign in (-1, 1))
        return gauss_step(w, A, x, y1, y2, h)
    if sample == "halves":
        y0, middle, y1 = (release(s) for s in (begin, begin + h / 2, math.nextafter(begin + h, begin)))
        for y in ((3 * y0 + 4 * middle - y1) / 6, (4 * middle + 3 * y1 - y0) / 6):
            x = constant_piece("ltc", w, A, x, max(y, 0.0), h / 2)
        return x
    return constant_piece("ltc", w, A, x, release(begin if sample == "start" else begin + h / 2), h)


def equal_parts(h, step):
    """The fewest equal parts of h not longer than step, 0.6/0.2 being 3."""
    n = 1
    while h / n > step * (1 + 1e-12):
        n += 1
    return n


def frozen(w, A, x0, times, release, sample, step=math.inf, breakpoints=()):
    """The states at the increasing `times`."""
    states, x = [], x0
    cuts = sorted({0.0, *times, *(s for s in breakpoints if 0 < s < times[-1])})
    if 0.0 in times:
        states.append(x)
    for begin, end in pairwise(cuts):
        n = equal_parts(end - begin, step)
        for k in range(n):
            x = frozen_step(w, A, x, release, begin + (end - begin) * k / n, (end - begin) / n, sample)
        if end in times:
            states.append(x)
    return states


# --- the bounds; r is a function of y


def ordered(one, other):
    return min(one, other), max(one, other)


def relax(k, t):
    return -math.expm1(-k * t) / k


def gate(t, y, r):
    return math.exp(-y * t) * r(y)


def lemma1(w, A, x0, t, a, b, r):
    scale = (x0 - A) * math.exp(-w * t)
    return ordered(scale * (math.exp(-b * t) - gate(t, a, r)), scale * (math.exp(-a * t) - gate(t, b, r)))


def form_gap(w, A, t, a, b):
    return ordered(A * w * relax(w + b, t), A * w * relax(w + a, t))


def extreme_control(w, A, x0, t, a, b, largest):
    """The bang-bang release, [(y, length), ...], that makes z = x - A extreme at t."""
    c = x0 - A
    above = A < 0 if c == 0 else c > 0
    first, second = (a, b) if above == largest else (b, a)
    if c * A <= 0:
        return [(first, t)]
    switch = math.log1p(c * (w + first) / (A * w)) / (w + first)
    return [(first, min(switch, t)), (second, max(t - switch, 0.0))]


def reachable(w, A, x0, t, a, b):
    return tuple(chain("ltc", w, A, x0, extreme_control(w, A, x0, t, a, b, largest)) for largest in (False, True))


def reachable_by_search(w, A, x0, t, a, b, points=60, rounds=12):
    """The same extremes by trying all bang-bang releases with at most one switch, zooming in on the best switch."""

    def best(first, second, sign):
        low, high = 0.0, t
        for _ in range(rounds):
            grid = [low + (high - low) * k / points for k in range(points + 1)]
            values = [sign * chain("ltc", w, A, x0, [(first, s), (second, t - s)]) for s in grid]
            k = values.index(max(values))
            low, high = grid[max(k - 1, 0)], grid[min(k + 1, points)]
        return values[k]

    low, high = (max(best(*order, sign) for order in ((a, b), (b, a))) for sign in (-1, 1))
    return -low, high


def closed_form_error(w, A, x0, t, a, b, r, reach=reachable, points=20):
    low, high = reach(w, A, x0, t, a, b)
    looks = [(x0 - A) * math.exp(-w * t) * gate(t, a + (b - a) * k / points, r) for k in range(points)]
    looks.append((x0 - A) * math.exp(-w * t) * gate(t, b, r))
    return low - A - max(looks), high - A - min(looks)


def two_term(w, A, x0, t, a):
    radius = abs(x0 - A) * math.exp(-w * t) + abs(A) * w * relax(w + a, t)
    return -radius, radius


def asymptotic_error(w, A, x0, t, a, b, r):
    c = x0 - A
    low, high = ordered(-A * w / (w + a), -A * w / (w + b))
    left = (max(0.0, low - c, c - high) + abs(c) * r(a)) * math.exp(-(w + a) * t)
    return low - left, high + left


def state_box(w, A, x0, t):
    low, high = min(0.0, A), max(0.0, A)
    return low - max(0.0, low - x0) * math.exp(-w * t), high + max(0.0, x0 - high) * math.exp(-w * t)


def time_constant(w, a, b):
    return 1 / (w + b), 1 / (w + a)


def frozen_step_error(w, A, x0, h, y, a, b):
    low, high = reachable(w, A, x0, h, a, b)
    x = constant_piece("ltc", w, A, x0, y, h)
    return low - x, high - x


def frozen_error(w, A, x0, t, step, L, a, b, sample):
    """L = (L1, L2, L3, L4), or (L1,); the smallest of the bounds that apply, in 80 digits where they cancel."""
    h, k, M = min(step, t), w + a, max(abs(x0 - A), abs(A) * w / (w + a))
    if h == 0:
        return 0.0, 0.0
    geometric = -h / math.expm1(-k * h)
    if sample == "start":
        with localcontext() as context:
            context.prec = 80
            H, K = Decimal(h), Decimal(k)
            steps = float(H / (K * (1 - (-K * H).exp())) - 1 / K**2)
        radii = [M * L[0] * h * relax(k, t), M * L[0] * steps]
    elif sample in ("midpoint", "ends"):
        with localcontext() as context:
            context.prec = 80
            K, p = Decimal(k), Decimal(k) * Decimal(h) / 2
            J = (p - 1 + 2 * (-p).exp() - (1 + p) * (-2 * p).exp()) / K**2
            if sample == "ends":
                J = (1 - (-2 * p).exp()) * (p + ((1 + (-p).exp()) / 2).ln()) / K**2
            U = M * L[0] * float(J * (1 - (-K * Decimal(t)).exp()) / (1 - (-2 * p).exp()))
        radii, share = [U], 24 if sample == "midpoint" else 12
        if len(L) > 1:
            C2 = L[0] * (abs(A) * w + M * L[0] * h / 2) / 12 + M * L[1] / share
            radii.append(C2 * h**2 * geometric)
    else:
        bracket = (w + b) * L[1] / 720 + 7 * L[2] / 576 + L[0] ** 2 / 120 + L[1] ** 2 * h**2 / 960
        radii = [(abs(A) * w * bracket + M * L[3] / 4320) * h**4 * geometric]
    return -min(radii), min(radii)


def release_derivatives(U1, U2, U3, U4):
    """Bounds of the first four derivatives of f(u(t)) from those of u, Faà di Bruno's formula term by term."""

    def largest(derivative):
        return max(abs(derivative(f(k / 200))) for k in range(1000))

    S1 = largest(lambda s: s * (1 - s))
    S2 = largest(lambda s: s * (1 - s) * (1 - 2 * s))
    S3 = largest(lambda s: s * (1 - s) * (1 - 6 * s + 6 * s**2))
    S4 = largest(lambda s: s * (1 - s) * (1 - 2 * s) * (1 - 12 * s + 12 * s**2))
    return (
        S1 * U1,
        S2 * U1**2 + S1 * U2,
        S3 * U1**3 + 3 * S2 * U1 * U2 + S1 * U3,
        S4 * U1**4 + 6 * S3 * U1**2 * U2 + 3 * S2 * U2**2 + 4 * S2 * U1 * U3 + S1 * U4,
    )


# --- networks: one sample, one neuron at a time; weights are nested lists by ncps's PyTorch names

NONLINEARITIES = {
    "silu": lambda z: z * f(z),
    "relu": lambda z: z if z > 0 else 0.0,
    "tanh": math.tanh,
    "gelu": lambda z: z * math.erfc(-z / math.sqrt(2)) / 2,
    "lecun_tanh": lambda z: 1.7159 * math.tanh(0.666 * z),
    "linear": lambda z: z,
}
HEADS = {"torch": "tanh", "tensorflow": "lecun_tanh", "keras": "linear"}


class Wires(NamedTuple):
    """A wiring: synapses [from][to], the number of motor neurons, and the neurons of each layer."""

    adjacency: list
    sensory: list
    outputs: int
    layers: list


class Network(NamedTuple):
    """What is fixed about a CfC besides its weights."""

    mode: str
    variant: str
    activation: str = "lecun_tanh"
    forget_bias: float = 1.0
    recurrence: str = "full"
    wires: Wires | None = None


def affine(weights, name, u, mask=None):
    z = []
    for i, row in enumerate(weights[f"{name}.weight"]):
        terms = [w * u_j * (mask[i][j] if mask else 1) for j, (w, u_j) in enumerate(zip(row, u, strict=True))]
        z.append(math.fsum(terms) + (weights[f"{name}.bias"][i] if f"{name}.bias" in weights else 0.0))
    return z


def backbone(network, weights, prefix, v):
    biases = [key for key in weights if key.startswith(f"{prefix}backbone.") and key.endswith("bias")]
    for place in sorted(int(key.split(".")[-2]) for key in biases):
        v = [NONLINEARITIES[network.activation](z) for z in affine(weights, f"{prefix}backbone.{place}", v)]
    return v


def cfc_neuron(network, weights, prefix, i, x_i, t, heads, heads_minus):
    """The next state of neuron i, and what it did, from the heads at [I, x] and at [-I, -x]."""
    mode = network.mode
    if mode in ("default", "no_gate"):
        g = NONLINEARITIES[HEADS[network.variant]]
        ff1, ff2, rate = g(heads["ff1"][i]), g(heads["ff2"][i]), heads["time_a"][i]
        s = f((rate if network.variant == "torch" else -rate) * t + heads["time_b"][i])
        x = ff1 * (1 - s) + s * ff2 if mode == "default" else ff1 + s * ff2
        return x, {"rate": rate, "gate": s, "ff1": ff1, "ff2": ff2}
    w_tau, A, f1 = abs(weights[f"{prefix}w_tau"][0][i]), weights[f"{prefix}A"][0][i], heads["ff1"][i]
    if mode == "pure":
        rate = w_tau + abs(f1)
        return A - A * math.exp(-t * rate) * f1, {"rate": rate}
    B = weights[f"{prefix}B"][0][i] if mode == "paper_pure" else x_i - A
    rate = w_tau + f(f1)
    return B * math.exp(-rate * t) * f(heads_minus["ff1"][i]) + A, {"rate": rate, "release": f(f1)}


def cfc_cell(network, weights, prefix, I, x, t, mask=None):
    def heads(v):
        u = backbone(network, weights, prefix, v)
        names = ["ff1", "ff2", "time_a", "time_b"] if network.mode in ("default", "no_gate") else ["ff1"]
        return {name: affine(weights, prefix + name, u, mask if "ff" in name else None) for name in names}

    plus, minus = heads([*I, *x]), heads([-v for v in (*I, *x)])
    steps = [cfc_neuron(network, weights, prefix, i, x[i], t, plus, minus) for i in range(len(x))]
    return [new for new, _ in steps], {name: [did[name] for _, did in steps] for name in steps[0][1]}


def synapse_mask(network, l):
    """Factors of the heads of layer l, [to][from]: from what it reads, and from within; PyTorch drops the signs."""
    wires, own = network.wires, network.wires.layers[l]
    incoming = wires.sensory if l == 0 else [wires.adjacency[j] for j in wires.layers[l - 1]]
    mask = []
    for i in own:
        within = [1 if network.recurrence == "full" else wires.adjacency[j][i] for j in own]
        signed = [*(row[i] for row in incoming), *within]
        mask.append([abs(m) for m in signed] if network.variant == "torch" else signed)
    return mask


def lstm(weights, x, h, c, forget_bias):
    parts = affine(weights, "lstm.input_map", x), affine(weights, "lstm.recurrent_map", h)
    z, n = [a + b for a, b in zip(*parts, strict=True)], len(h)
    new_c = [f(z[2 * n + i] + forget_bias) * c[i] + f(z[n + i]) * math.tanh(z[i]) for i in range(n)]
    return [f(z[3 * n + i]) * math.tanh(new_c[i]) for i in range(n)], new_c


def cfc_step(network, weights, I, h, c, t):
    """The next (h, c), and what the neurons did, in the state's order."""
    if c is not None:
        out, c = lstm(weights, I, h, c, network.forget_bias)
        I, h = (I, out) if network.variant == "torch" else (out, h)
    if network.wires is None:
        h, did = cfc_cell(network, weights, "rnn_cell.", I, h, t)
        return h, c, did
    new_h, did, begin = [], {}, 0
    for l, own in enumerate(network.wires.layers):
        part = h[begin : begin + len(own)]
        I, did_l = cfc_cell(network, weights, f"rnn_cell.layer_{l}.", I, part, t, synapse_mask(network, l))
        new_h, begin = new_h + I, begin + len(own)
        did = {name: did.get(name, []) + values for name, values in did_l.items()}
    return new_h, c, did


def cfc_output(network, weights, h):
    if network.wires is not None:
        last = network.wires.layers[-1]
        motor = h[len(h) - len(last) :]
        h = motor if network.variant == "torch" else motor[: network.wires.outputs]
    return affine(weights, "fc", h) if "fc.weight" in weights else h


def cfc_sequence(network, weights, xs, h, c, ts, mask=None):
    """Outputs, last (h, c), and of every step the state and what the neurons did; a masked step holds the state."""
    outputs, steps = [], []
    for k, (x, t) in enumerate(zip(xs, ts, strict=True)):
        new_h, new_c, did = cfc_step(network, weights, x, h, c, t)
        if mask is None or mask[k]:
            h, c = new_h, new_c
        outputs.append(cfc_output(network, weights, h))
        steps.append({"state": h, **did})
    return outputs, h, c, steps
