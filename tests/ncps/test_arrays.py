"""Weights in half precision, behind wrappers, with gradients, on devices, quantised, in files of every type."""

import json
import struct
import types
import warnings

import numpy as np
import pytest

from cfc_ref import LTC, CfC, from_ncps, load, wirings
from cfc_ref.cli.command import main
from tests import bad
from tests.compare import assert_close, refusal

X = np.cos(np.arange(30)).reshape(2, 5, 3)
PLAIN = {"mode": "default", "activation": "lecun_tanh"}
MODEL = CfC(3, 4, backbone_units=5, proj_size=2, seed=0)
WEIGHTS = MODEL.state_dict()


def bfloat16(array):
    """The bits of the numbers, cut to bfloat16, and the numbers that they mean."""
    bits = (np.ascontiguousarray(array, "<f4").view("<u4") >> 16).astype("<u2")
    return bits, (bits.astype("<u4") << 16).view("<f4")


FORMATS = {
    "F64": (lambda a: a.astype("<f8"), lambda a: a),
    "F32": (lambda a: a.astype("<f4"), lambda a: a),
    "F16": (lambda a: a.astype("<f2"), lambda a: a.astype("<f2")),
    "BF16": (lambda a: bfloat16(a)[0], lambda a: bfloat16(a)[1]),
    "I64": (lambda a: a.round().astype("<i8"), np.round),
}


def write_safetensors(path, arrays):
    """Write {name: (type, array)} as the format's page says, without the package."""
    header, data = {}, b""
    for name, (kind, array) in arrays.items():
        raw = array.tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


@pytest.mark.parametrize("kinds", [*FORMATS, ("F32", "F16"), ("BF16", "F32"), ("F64", "BF16")], ids=str)
def test_a_file_of_any_type_of_numbers_is_read(tmp_path, kinds):
    kinds = (kinds,) if isinstance(kinds, str) else kinds
    chosen = {key: kinds[k % len(kinds)] for k, key in enumerate(WEIGHTS)}
    stored = {key: (chosen[key], FORMATS[chosen[key]][0](array)) for key, array in WEIGHTS.items()}
    model = from_ncps(write_safetensors(tmp_path / "w.safetensors", stored), **PLAIN)
    assert model.dtype == ("float64" if "F64" in kinds else "float32")
    for key, array in model.state_dict().items():
        assert_close(array, FORMATS[chosen[key]][1](WEIGHTS[key]), 0, 0)


def test_other_types_in_a_file_are_refused_with_the_line_that_converts(tmp_path):
    for kind in ("F8_E4M3", "F8_E5M2"):
        arrays = {key: ("F32", array) for key, array in WEIGHTS.items()}
        arrays["rnn_cell.ff1.bias"] = kind, np.zeros(4, np.uint8)
        path = write_safetensors(tmp_path / "w.safetensors", arrays)
        with pytest.raises(ValueError, match=rf"type {kind}; expected float32 .*v\.float\(\)"):
            from_ncps(path, **PLAIN)
    arrays["rnn_cell.ff1.bias"] = "I8", np.zeros(4, np.int8)
    with pytest.raises(ValueError, match=r"int8, numbers of a quantised model; expected floats; .*scale"):
        from_ncps(write_safetensors(tmp_path / "w.safetensors", arrays), **PLAIN)


def test_arrays_of_half_precision_make_a_layer_of_float32():
    model = from_ncps({key: array.astype(np.float16) for key, array in WEIGHTS.items()}, **PLAIN)
    assert model.dtype == np.float32
    mixed = {key: array.astype(["f2", "f4"][k % 2]) for k, (key, array) in enumerate(WEIGHTS.items())}
    assert from_ncps(mixed, **PLAIN).dtype == np.float32
    mixed["rnn_cell.ff1.bias"] = mixed["rnn_cell.ff1.bias"].astype("f8")
    assert from_ncps(mixed, **PLAIN).dtype == np.float64
    ml_dtypes = pytest.importorskip("ml_dtypes")
    model = from_ncps({key: array.astype(ml_dtypes.bfloat16) for key, array in WEIGHTS.items()}, **PLAIN)
    assert model.dtype == np.float32


@pytest.mark.parametrize("kind", ["int32", "bool", "uint8", "float16"])
def test_masks_of_whole_numbers_do_not_change_the_type(kind):
    wiring = wirings.AutoNCP(8, 2)
    arrays = CfC(3, wiring, seed=0).state_dict()
    for key in arrays:
        if key.endswith("sparsity_mask"):
            arrays[key] = arrays[key].astype(kind)
    assert from_ncps(arrays, mode="default", wiring=wiring).dtype == np.float32


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "module._orig_mod.", "_fsdp_wrapped_module."])
def test_wrappers_prefixes_come_off(prefix):
    model = from_ncps({prefix + key: array for key, array in WEIGHTS.items()}, **PLAIN)
    assert_close(model(X)[0], MODEL(X)[0], 0, 0)
    inner = {key.replace("rnn_cell.", f"rnn_cell.{prefix}"): array for key, array in WEIGHTS.items()}
    assert_close(from_ncps(inner, **PLAIN)(X)[0], MODEL(X)[0], 0, 0)
    with pytest.raises(ValueError, match="twice"):
        from_ncps({**WEIGHTS, f"{prefix}rnn_cell.ff1.bias": np.zeros(4)}, **PLAIN)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("parametrizations.weight.original0", "parametrize.remove_parametrizations"),
        ("weight_mask", "prune.remove"),
        ("weight_g", "remove_weight_norm"),
        ("weight_u", "remove_spectral_norm"),
    ],
)
def test_weights_that_pytorch_computes_are_refused_with_the_line_that_ends_it(name, line):
    arrays = dict(WEIGHTS)
    arrays[f"rnn_cell.ff1.{name}"] = arrays.pop("rnn_cell.ff1.weight")
    with pytest.raises(ValueError, match=rf"{line}\(model\.get_submodule\('rnn_cell\.ff1'\), 'weight'\)") as caught:
        from_ncps(arrays, **PLAIN)
    assert str(caught.value).startswith("source: got ")


class Tensor:
    """A tensor of PyTorch as far as it is asked: on a device, with gradients, perhaps quantised."""

    def __init__(self, array, steps=("detach", "cpu"), kind="torch.float32", is_quantized=False):
        self.array, self.steps, self.dtype, self.is_quantized = array, steps, kind, is_quantized

    def _without(self, step):
        return Tensor(self.array, tuple(s for s in self.steps if s != step), self.dtype, self.is_quantized)

    def detach(self):
        return self._without("detach")

    def cpu(self):
        return self._without("cpu")

    def float(self):
        return Tensor(self.array, self.steps)

    def dequantize(self):
        return self.float()

    def numpy(self):
        if self.steps or self.dtype not in ("torch.float32", "torch.float64"):
            raise TypeError(f"can't convert {self.steps}, {self.dtype}")
        return self.array

    __array__ = None


@pytest.mark.parametrize("kind", ["torch.float32", "torch.bfloat16", "torch.float16", "torch.float8_e4m3fn"])
def test_tensors_are_detached_copied_from_their_device_and_widened(kind):
    model = from_ncps({key: Tensor(array, kind=kind) for key, array in WEIGHTS.items()}, **PLAIN)
    assert_close(model(X)[0], MODEL(X)[0], 0, 0)


def test_arrays_of_a_device_with_get_are_copied():
    copies = {key: types.SimpleNamespace(dtype=a.dtype, get=lambda a=a: a) for key, a in WEIGHTS.items()}
    assert_close(from_ncps(copies, **PLAIN)(X)[0], MODEL(X)[0], 0, 0)


def test_a_tensor_without_numbers_is_refused_with_the_line_that_converts_others():
    for value in (Tensor(WEIGHTS["rnn_cell.ff1.bias"], kind="torch.int4"), object()):
        arrays = {**WEIGHTS, "rnn_cell.ff1.bias": value}
        with pytest.raises((ValueError, TypeError), match=refusal("source['rnn_cell.ff1.bias']")):
            from_ncps(arrays, **PLAIN)


@pytest.mark.parametrize("bias", [True, False])
def test_quantised_maps_are_read_as_the_floats_that_they_mean(bias):
    arrays = {}
    for key, array in WEIGHTS.items():
        module, _, part = key.rpartition(".")
        if part == "weight":
            b = Tensor(WEIGHTS[f"{module}.bias"]) if bias else None
            weight = Tensor(array, kind="torch.qint8", is_quantized=True)
            arrays |= {f"{module}.scale": 1.0, f"{module}.zero_point": 0, f"{module}._packed_params.dtype": object()}
            arrays[f"{module}._packed_params._packed_params"] = weight, b
    if bias:
        assert_close(from_ncps(arrays, **PLAIN)(X)[0], MODEL(X)[0], 0, 0)
    else:
        with pytest.raises(ValueError, match=r"no fc\.bias"):
            from_ncps(arrays, **PLAIN)


# --- the backend, missing files, wrong wirings


@pytest.mark.parametrize("backend", ["auto", "numpy", "numba"])
def test_a_backend_is_chosen(backend):
    if backend == "numba":
        pytest.importorskip("numba")
    assert from_ncps(WEIGHTS, **PLAIN, backend=backend).backend == backend
    told = {"ode_unfolds": 6, "implicit_param_constraints": True}
    assert from_ncps(LTC(3, 4, seed=0).state_dict(), **told, backend=backend).backend == backend


def test_other_backends_are_refused():
    for value in (*bad.CHOICES, "cuda"):
        bad.refuses(from_ncps, "backend", value, source=WEIGHTS, **PLAIN)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_file_that_is_not_there_is_one_not_found(tmp_path, suffix):
    read, name = (load, "path") if suffix == ".npz" else (from_ncps, "source")
    for path in (tmp_path / f"none{suffix}", str(tmp_path / "no folder" / f"none{suffix}")):
        with pytest.raises(FileNotFoundError, match=refusal(name)):
            read(path)
        bad.refuses(read, name, path)


WIRING = wirings.AutoNCP(12, 2)
WRONG = {
    "other layers": wirings.AutoNCP(13, 2),
    "more outputs": wirings.AutoNCP(12, 3),
    "another seed": wirings.AutoNCP(12, 2, seed=5),
    "of another kind": wirings.FullyConnected(12, 2),
    "a number": 12,
    "a name": "AutoNCP",
    "other synapses": wirings.Random(12, 2, sparsity_level=0.5),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_wiring_is_refused_by_its_name(wrong):
    cfc, ltc = CfC(3, WIRING, seed=0).state_dict(), LTC(3, WIRING, seed=0).state_dict()
    bad.refuses(from_ncps, "wiring", WRONG[wrong], source=cfc, mode="default")
    bad.refuses(from_ncps, "wiring", WRONG[wrong], source=ltc, ode_unfolds=6, implicit_param_constraints=True)


# --- cfc-ref info

DESCRIBED = {
    "plain": (lambda: CfC(3, 5, seed=0), "--mode default --activation lecun_tanh", "mode ('default' or"),
    "pure": (lambda: CfC(3, 5, mode="pure", backbone_layers=0, seed=0), "", ""),
    "wired": (lambda: CfC(3, WIRING, seed=0), "--mode default --wiring NAME:units=…", "mode"),
    "ltc": (lambda: LTC(3, WIRING, seed=0), "--ode-unfolds 6 --implicit-param-constraints yes", "ode_unfolds"),
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_info_says_what_weights_are_and_how_to_convert_them(tmp_path, capsys, name):
    safetensors = pytest.importorskip("safetensors.numpy")
    make, options, missing = DESCRIBED[name]
    model, path = make(), tmp_path / "w.safetensors"
    safetensors.save_file(model.state_dict(), path)
    assert main(["info", str(path)]) == 0
    said = {line[:16].strip(): line[18:] for line in capsys.readouterr().out.splitlines()}
    assert said["kind"] == f"{type(model).__name__} of ncps, weights only"
    assert (said["neurons"], said["input_size"]) == (str(model.state_size), "3")
    assert said["parameters"] == f"{sum(array.size for array in model.parameters.values()):,}"
    assert said["to convert"].split() == ["cfc-ref", "convert", str(path), *options.split(), "--out", "FOLDER"]
    assert said.get("not in the file", "").startswith(missing)
    if "NAME" not in options:
        assert main([*said["to convert"].split()[1:-1], str(tmp_path)]) == 0
        assert_close(load(tmp_path / "model.npz")(X)[0], model(X)[0], 0, 0)


def test_info_refuses_other_safetensors_files(tmp_path, capsys):
    safetensors = pytest.importorskip("safetensors.numpy")
    safetensors.save_file({"embedding.weight": np.zeros((3, 2), "f4")}, tmp_path / "other.safetensors")
    for name in ("other", "none"):
        assert main(["info", str(tmp_path / f"{name}.safetensors")]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)


# --- with PyTorch


@pytest.fixture(scope="module")
def torch():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("torch")
        pytest.importorskip("ncps.torch")
        yield module


@pytest.fixture
def theirs(torch):
    import ncps.torch

    torch.manual_seed(0)
    return ncps.torch.CfC(3, 6, proj_size=2).eval()


def compiled_inside(torch, model):
    model.rnn_cell = torch.compile(model.rnn_cell)
    return model


CLOTHES = {
    "bfloat16": lambda torch, model: model.bfloat16(),
    "float16": lambda torch, model: model.half(),
    "float64": lambda torch, model: model.double(),
    "compiled": lambda torch, model: torch.compile(model),
    "compiled inside": compiled_inside,
    "parallel": lambda torch, model: torch.nn.DataParallel(model),
    "both": lambda torch, model: torch.compile(torch.nn.DataParallel(model)),
    "quantised": lambda torch, model: torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("clothes", CLOTHES)
def test_a_model_in_other_clothes_is_converted(torch, theirs, clothes):
    ref = theirs(torch.tensor(X, dtype=torch.float32))[0].detach().numpy()
    model = CLOTHES[clothes](torch, theirs)
    live, weights = from_ncps(model), from_ncps(model.state_dict(), **PLAIN)
    assert live.dtype == ("float64" if clothes == "float64" else "float32")
    tolerance = {"bfloat16": 0.02, "quantised": 0.02, "float16": 2e-3}.get(clothes, 1e-6)
    assert_close(live(X)[0], ref, tolerance, tolerance)
    assert_close(weights(X)[0], live(X)[0], 0, 0)


@pytest.mark.parametrize("kind", ["bfloat16", "half"])
def test_parameters_that_require_gradients_are_converted(torch, theirs, kind):
    for model in (theirs, getattr(theirs, kind)()):
        parameters = dict(model.named_parameters())
        assert all(parameter.requires_grad for parameter in parameters.values())
        assert_close(from_ncps(parameters, **PLAIN)(X)[0], from_ncps(model)(X)[0], 0, 0)


def test_a_bfloat16_file_that_pytorch_wrote(torch, theirs, tmp_path):
    save_file = pytest.importorskip("safetensors.torch").save_file
    theirs.bfloat16()
    save_file({k: v.contiguous() for k, v in theirs.state_dict().items()}, tmp_path / "w.safetensors")
    assert_close(from_ncps(tmp_path / "w.safetensors", **PLAIN)(X)[0], from_ncps(theirs)(X)[0], 0, 0)


def test_what_pytorch_rewrites_is_refused_with_a_line_that_works(torch, theirs):
    import torch.nn.utils.prune as prune

    def apply(function):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function(theirs.rnn_cell.ff1)

    for change in (
        lambda layer: prune.l1_unstructured(layer, "weight", 0.5),
        torch.nn.utils.parametrizations.weight_norm,
        torch.nn.utils.weight_norm,
        torch.nn.utils.spectral_norm,
    ):
        apply(change)
        with pytest.raises(ValueError, match=refusal("source")) as caught:
            from_ncps(theirs)
        exec(str(caught.value).rpartition("layer: ")[2].rstrip("."), {"torch": torch, "model": theirs})
        x = torch.tensor(X, dtype=torch.float32)
        assert_close(from_ncps(theirs)(X)[0], theirs(x)[0].detach().numpy(), 1e-5, 1e-5)


def test_a_larger_model_names_the_part_to_pass(torch, theirs):
    model = torch.nn.Sequential(torch.nn.Identity(), theirs)
    with pytest.raises(TypeError, match=r"pass its part, source\.get_submodule\('1'\)"):
        from_ncps(model)
    with pytest.raises(TypeError, match="pass the layer of ncps in it"):
        from_ncps(torch.nn.Linear(2, 3))
    meta = {key: value.to("meta") for key, value in theirs.state_dict().items()}
    with pytest.raises(ValueError, match=r"pass tensor\.detach"):
        from_ncps(meta, **PLAIN)
