"""Random networks of every kind that has C, and one library of them: a compile of many is faster than many compiles."""

import ctypes
import shutil
import subprocess

import numpy as np

from cfc_ref import LTC, CfC, NeuralLTC, export_c, wirings
from cfc_ref.activations import ACTIVATIONS
from cfc_ref.cells.cfc.modes import MODES, VARIANTS
from cfc_ref.export.c_ltc import SOLVERS_IN_C

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
STRICT = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror")
STEPS = 64
LONG = 1e4
BACKBONES = [name for name in ACTIVATIONS if name != "linear"]


def random_network(k):
    """Return network number k: kinds, modes and variants in turn, the rest from a generator of its own."""
    rng = np.random.default_rng(k)

    def pick(*options):
        return options[rng.integers(len(options))]

    inputs, wired = int(rng.integers(1, 6)), rng.random() < 0.4
    wiring = pick(
        wirings.AutoNCP(int(rng.integers(6, 20)), 2),
        wirings.NCP(3, 2, 2, 2, 2, 3, 2),
        wirings.Random(int(rng.integers(3, 9)), 2, 0.5),
        wirings.FullyConnected(4, 2),
    )
    units = wiring if wired else int(rng.integers(1, 20))
    common = {"mixed_memory": rng.random() < 0.3, "proj_size": pick(None, 1, 3), "backend": "numpy", "seed": k}
    if k % 3 == 0:
        made = {f"{end}_mapping": pick("affine", "linear", None) for end in ("input", "output")}
        made |= {"solver": pick(*SOLVERS_IN_C), "ode_unfolds": pick(1, 3, 6), "epsilon": pick(0.0, 1e-8, 0.1)}
        network = LTC(inputs, units, **made, **common)
    elif k % 9 == 1:
        network = NeuralLTC(inputs, units, solver=pick(*SOLVERS_IN_C), ode_unfolds=pick(1, 6), **common)
    else:
        made = {"recurrence": pick("full", "wired")} if wired else {"backbone_layers": int(rng.integers(0, 4))}
        if made.get("backbone_layers"):
            made |= {"backbone_units": int(rng.integers(1, 33)), "activation": pick(*BACKBONES)}
        if common["mixed_memory"]:
            made["forget_bias"] = pick(0.4, 1.0)
        mode, variant = list(MODES)[k % len(MODES)], list(VARIANTS)[k // 5 % len(VARIANTS)]
        network = CfC(inputs, units, mode=mode, variant=variant, **made, **common)
    for array in network.parameters.values():
        if not array.any():  # biases
            array[...] = rng.uniform(-0.5, 0.5, array.shape)
    return network


def random_sequence(network, rng):
    """Return 64 samples at irregular times, with a step of no time and a very long one."""
    x, dt = rng.normal(size=(STEPS, network.input_size)), rng.exponential(size=STEPS)
    dt[rng.permutation(STEPS)[:2]] = 0, LONG
    return x.astype(network.dtype), dt.astype(network.dtype)


class Library:
    """Networks in C, compiled into one library; `maths` are theirs."""

    def __init__(self, networks, folder, maths, options=("-O1",), **more):
        names = [f"n{k}" for k in range(len(networks))]
        for name, network, math in zip(names, networks, maths, strict=True):
            export_c(network, folder / name, name, math=math, **more)
        source = "\n".join([_SEEN, *map(_include, names), *map(_run, names)])
        self._library, self._networks = shared(source, folder, [*STRICT, *options]), networks

    def run(self, k, x, dt):
        """Return the outputs of network k over a sequence, from a reset on."""
        y = np.empty((len(x), self._networks[k].output_size), np.float32)
        getattr(self._library, f"run_n{k}")(*(array.ctypes.data_as(ctypes.c_void_p) for array in (x, dt, y)), len(x))
        return y

    def rates(self, k):
        """Return the rates of the neurons in the last step, or its last part, of network k, which has run last."""
        units = self._networks[k].state_size
        seen, count = (ctypes.c_float * 4096).in_dll(self._library, "seen"), ctypes.c_int.in_dll(self._library, "count")
        return np.array(seen[: count.value])[-units:]


def shared(source, folder, options):
    """Return C, compiled and loaded.

    It is linked without the options: with -ffast-math gcc would turn off the denormal numbers of this process.
    """
    (folder / "shared.c").write_text(source, encoding="utf-8")
    for line in ([*options, "-fPIC", "-c", "shared.c"], ["-shared", "shared.o", "-o", "shared.so", "-lm"]):
        subprocess.run([COMPILER, *line], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "shared.so"))


_SEEN = "float seen[4096];\nint count;"  # the rates of a step's neurons


def _include(name):
    """Return the lines that include a network, and keep its rates."""
    return f'#define {name}_RATE(neuron, rate) (seen[count++ % 4096] = (rate))\n#include "{name}/{name}.h"'


def _run(name):
    """Return a C function that resets a network, and steps it over a sequence."""
    return f"""
void run_{name}(const float *x, const float *dt, float *y, int steps);
void run_{name}(const float *x, const float *dt, float *y, int steps)
{{
    {name}_state state;
    {name}_reset(&state);
    for (int k = 0; k < steps; k++) {{
        count = 0;
        {name}_step(&state, x + k * {name}_INPUTS, dt[k], y + k * {name}_OUTPUTS);
    }}
}}"""


def errors(library, k, network, rng):
    """Return the largest differences of C and NumPy float32, and of NumPy float32 and float64, relative to 1 or y.

    The second is what rounding alone does: it is large where a network's own dynamics or a very long time amplify it.
    """
    x, dt = random_sequence(network, rng)
    ref, exact = network(x, timespans=dt)[0], in_float64(network)(x.astype(float), timespans=dt.astype(float))[0]
    got, unit = library.run(k, x, dt), np.maximum(1, np.abs(ref))
    for y in (ref, exact, got):
        assert np.isfinite(y).all()
    return float((np.abs(got - ref) / unit).max()), float((np.abs(exact - ref) / unit).max())


def in_float64(network):
    """Return the same network in float64."""
    other = type(network)(
        **{**network.config, "dtype": "float64"}, units=network.wiring or network.state_size, backend="numpy"
    )
    other.load_state_dict(network.state_dict())
    return other
