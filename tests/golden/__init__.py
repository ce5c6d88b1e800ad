"""Golden cases: what ncps computed once, in float64, for the tests here and for ports; README.md has the format."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import cfc_ref
from cfc_ref import wirings
from tests.compare import assert_close

HERE = Path(__file__).parent


class Case(NamedTuple):
    """A network, a call of it, and what came out; d_result is the gradient of the loss by result, and so on."""

    setup: dict[str, Any]
    given: dict[str, Any]
    weights: dict[str, Any]
    result: dict[str, Any]
    d_result: dict[str, Any]
    d_given: dict[str, Any]
    d_weights: dict[str, Any]


GROUPS = Case._fields[1:]


def cases(kind):
    """Return the paths of all cases of a kind of layer: "cfc" or "ltc"."""
    paths = sorted(HERE.glob(f"{kind}_*.npz"))
    assert paths, f"no golden cases of {kind}"
    return paths


def read(path):
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    setup = json.loads(arrays.pop("setup").tobytes())
    groups = {group: {} for group in GROUPS}
    for key, array in arrays.items():
        group, _, name = key.partition("/")
        groups[group][name] = array
    return Case(setup, **groups)


def write(path, case):
    setup = np.frombuffer(json.dumps(case.setup, sort_keys=True).encode(), np.uint8)
    arrays = {f"{group}/{name}": array for group in GROUPS for name, array in getattr(case, group).items()}
    np.savez_compressed(path, allow_pickle=False, setup=setup, **arrays)


def layer_of(case, dtype="float64"):
    """Return the case's layer, with its weights."""
    setup = case.setup
    arguments = {**setup["arguments"], "dtype": dtype}
    if setup["layer"] == "CfC":
        arguments["variant"] = setup["variant"]
    if setup["wiring"] is not None:
        arguments["units"] = getattr(wirings, setup["wiring"]["class"])(**setup["wiring"]["arguments"])
    layer = getattr(cfc_ref, setup["layer"])(**arguments)
    layer.load_state_dict(case.weights)
    return layer


def assert_values(layer, case, tolerance):
    """Fail unless the layer gives the case's output and last state; return what its backward needs."""
    output, hx, tape = layer.forward(case.given["x"], _state(case.given), case.given.get("timespans"))
    _assert_same({"output": output, **_named(hx)}, case.result, tolerance)
    return tape


def assert_gradients(layer, case, tape, tolerance):
    """Fail unless the layer's gradients are those of the case, by all that the case has gradients by."""
    g = layer.backward(tape, case.d_result["output"], _state(case.d_result))
    _assert_same(g.parameters, case.d_weights, tolerance)
    by = {"x": g.x, "timespans": g.timespans, **_named(g.hx)}
    _assert_same({name: by[name] for name in case.given}, case.d_given, tolerance)


def _assert_same(got, ref, tolerance):
    """Fail unless both dicts have the same keys, and values within tolerance · max(1, |value|)."""
    assert set(got) == set(ref)
    for name in ref:
        # half of each: atol + rtol |value| is then no more than tolerance · max(1, |value|)
        assert_close(got[name], ref[name], rtol=tolerance / 2, atol=tolerance / 2)


def _state(arrays):
    """Return h, or the pair (h, c), or None, as a layer takes it."""
    if "c" in arrays:
        return arrays["h"], arrays["c"]
    return arrays.get("h")


def _named(hx):
    return {"h": hx[0], "c": hx[1]} if isinstance(hx, tuple) else {"h": hx}
