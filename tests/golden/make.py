"""Makes the golden cases with ncps: ``python -m tests.golden.make``; a second run gives the same bytes."""

from importlib.metadata import version

import torch

from tests.golden import HERE, write
from tests.golden.oracle import Drawn, run

NCP = {
    "inter_neurons": 2,
    "command_neurons": 2,
    "motor_neurons": 1,
    "sensory_fanout": 1,
    "inter_fanout": 1,
    "recurrent_command_synapses": 2,
    "motor_fanin": 2,
}
WIRINGS = {
    "ncp": {"class": "NCP", "arguments": NCP},
    "autoncp": {"class": "AutoNCP", "arguments": {"units": 6, "output_size": 2, "sparsity_level": 0.4, "seed": 7}},
    "random": {"class": "Random", "arguments": {"units": 5, "output_dim": 5, "sparsity_level": 0.5}},
    "fullyconnected": {"class": "FullyConnected", "arguments": {"units": 4, "output_dim": 2}},
}


def cfc(wiring=None, variant="torch", **arguments):
    size = {} if wiring else {"units": 3, "backbone_units": 4}
    return _setup("CfC", variant, wiring, {"input_size": 2, **size, **arguments})


def ltc(wiring=None, **arguments):
    size = {} if wiring else {"units": 3}
    return _setup("LTC", "torch", wiring, {"input_size": 2, **size, **arguments})


def _setup(layer, variant, wiring, arguments):
    wiring = WIRINGS[wiring] if wiring else None
    return {"layer": layer, "variant": variant, "wiring": wiring, "arguments": arguments}


def backbone(mode, layers, activation):
    return cfc(mode=mode, backbone_layers=layers, activation=activation)


def keras(wiring=None, **arguments):
    return cfc(wiring, "keras", **arguments)


CASES = {  # name -> setup, and where the call is not the usual one, how it is drawn
    "cfc_default_backbone0": (backbone("default", 0, "lecun_tanh"), {}),
    "cfc_default_backbone1_lecun_tanh": (backbone("default", 1, "lecun_tanh"), {}),
    "cfc_default_backbone2_silu": (backbone("default", 2, "silu"), {"batch": 3}),  # as many samples as units
    "cfc_default_backbone3_gelu": (backbone("default", 3, "gelu"), {}),
    "cfc_no_gate_backbone0": (backbone("no_gate", 0, "lecun_tanh"), {}),
    "cfc_no_gate_backbone1_relu": (backbone("no_gate", 1, "relu"), {}),
    "cfc_no_gate_backbone2_tanh": (backbone("no_gate", 2, "tanh"), {"timespans": "axis"}),
    "cfc_no_gate_backbone3_silu": (backbone("no_gate", 3, "silu"), {}),
    "cfc_pure_backbone0": (backbone("pure", 0, "lecun_tanh"), {}),
    "cfc_pure_backbone1_gelu": (backbone("pure", 1, "gelu"), {"timespans": "number"}),
    "cfc_pure_backbone2_lecun_tanh": (backbone("pure", 2, "lecun_tanh"), {}),
    "cfc_pure_backbone3_relu": (backbone("pure", 3, "relu"), {}),
    "cfc_last_output": (cfc(return_sequences=False), {"steps": 6}),
    "cfc_mixed_memory": (cfc(mixed_memory=True), {}),
    "cfc_no_timespans_no_state": (cfc(), {"timespans": None, "state": False}),
    "cfc_projection": (cfc(proj_size=2), {}),
    "cfc_time_first": (cfc(batch_first=False), {"timespans": "step"}),
    "cfc_unbatched_mixed_memory": (cfc(mixed_memory=True), {"batch": None}),
    "cfc_wired_autoncp_mixed_memory": (cfc("autoncp", mixed_memory=True, mode="no_gate"), {}),
    "cfc_wired_fullyconnected": (cfc("fullyconnected"), {"state": False}),
    "cfc_wired_ncp_projection": (cfc("ncp", proj_size=2), {}),
    "cfc_wired_random_pure": (cfc("random", mode="pure"), {}),
    "cfc_keras_default": (keras(), {}),
    "cfc_keras_mixed_memory": (keras(mixed_memory=True), {"timespans": None}),
    "cfc_keras_no_gate_backbone2_silu": (keras(mode="no_gate", backbone_layers=2, activation="silu"), {"batch": 3}),
    "cfc_keras_pure_backbone0_last_output": (keras(mode="pure", backbone_layers=0, return_sequences=False), {}),
    "cfc_keras_wired_autoncp": (keras("autoncp"), {}),
    "cfc_keras_wired_fullyconnected_mixed_memory": (keras("fullyconnected", mixed_memory=True), {"timespans": None}),
    "ltc_autoncp": (ltc("autoncp"), {}),
    "ltc_autoncp_explicit_unfolds1": (ltc("autoncp", implicit_param_constraints=False, ode_unfolds=1), {}),
    "ltc_dense": (ltc(), {}),
    "ltc_dense_explicit_last_output": (ltc(implicit_param_constraints=False, return_sequences=False), {}),
    "ltc_dense_linear_maps_unfolds1": (ltc(input_mapping="linear", output_mapping="linear", ode_unfolds=1), {}),
    "ltc_dense_mixed_memory_time_first": (ltc(mixed_memory=True, batch_first=False), {"timespans": "step"}),
    "ltc_dense_no_maps": (ltc(input_mapping=None, output_mapping=None), {"timespans": None, "state": False}),
    "ltc_dense_unbatched": (ltc(), {"batch": None}),
    "ltc_ncp_mixed_memory": (ltc("ncp", mixed_memory=True, output_mapping="linear"), {"timespans": "number"}),
}


def make(name):
    """Return a case by its name, its seed the number of its place."""
    setup, drawn = CASES[name]
    return run({"name": name, **setup}, Drawn(list(CASES).index(name), **drawn))


def main():
    torch.set_num_threads(1)
    made_with = {package: version(package).partition("+")[0] for package in ("ncps", "torch", "keras")}
    for path in HERE.glob("*.npz"):
        path.unlink()
    for name in CASES:
        case = make(name)
        write(HERE / f"{name}.npz", case._replace(setup={**case.setup, "made_with": made_with}))


if __name__ == "__main__":
    main()
