"""The embedding: a look-up in front of a layer, its sparse gradient, dropout, files."""

import re

import numpy as np
import pytest

import cfc_ref
from cfc_ref import LSTM, LTC, CfC, Embedding
from cfc_ref.layers.sparse_rows import SparseRows
from tests import bad
from tests.compare import assert_close, refusal
from tests.differences import central


def layers(dtype="float64", **more):
    more |= {"dtype": dtype, "seed": 0, "backend": "numpy"}
    return [CfC(3, 4, proj_size=2, backbone_units=5, **more), LSTM(3, 4, timed=False, **more), LTC(3, 4, **more)]


def tokens(rng, *shape):
    return rng.integers(0, 9, (*shape, 1))


@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize("batch_first", [True, False])
def test_it_is_the_layer_on_rows_of_the_table(k, batch_first):
    layer, rng = layers(batch_first=batch_first)[k], np.random.default_rng(1)
    model, x = Embedding(9, layer, seed=3), tokens(rng, 5, 6)
    mask = rng.random((5, 6)) < 0.8
    ref, last = layer(model.parameters["embedding.weight"][x[..., 0]], mask=mask)
    padded = np.where(mask[..., None], x.astype(float), np.nan)
    for output, hx in (model(x, mask=mask), model.forward(padded, mask=mask)[:2]):
        assert_close(output, ref)
        assert_close(np.stack(hx), np.stack(last))
    one = x[0] if batch_first else x[:, 0]
    assert_close(model(one)[0], layer(model.parameters["embedding.weight"][one[:, 0]])[0])
    assert_close(model.trace(x)["state"], layer.trace(model.parameters["embedding.weight"][x[..., 0]])["state"])


@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_gradients_are_central_differences(k, dropout):
    layer, rng = layers(return_sequences=False)[k], np.random.default_rng(2)
    model, x = Embedding(9, layer, dropout, variant="torch", seed=0), tokens(rng, 3, 5)
    mask = np.arange(5) < np.array([[5], [2], [4]])
    weight = rng.normal(size=(3, model.output_size))

    def loss():
        output, _, tape = model.forward(x, mask=mask, rng=np.random.default_rng(7))
        return float((output * weight).sum()), tape

    got = model.backward(loss()[1], weight).parameters
    assert set(got) == set(model.parameters)
    for name, array in model.parameters.items():
        assert_close(np.asarray(got[name]), central(lambda: loss()[0], array), rtol=1e-6, atol=1e-8)
    table = np.asarray(got["embedding.weight"])
    assert not table[np.setdiff1d(np.arange(9), x[mask])].any()


def test_the_tables_gradient_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    ncps = pytest.importorskip("ncps.torch")
    layer = layers()[0]
    model, x = Embedding(9, layer, seed=0), tokens(np.random.default_rng(0), 4, 6)
    theirs = ncps.CfC(3, 4, proj_size=2, backbone_units=5).double()
    state = {key: torch.tensor(value) for key, value in cfc_ref.to_ncps_state_dict(layer).items()}
    theirs.load_state_dict(state)
    table = torch.tensor(model.parameters["embedding.weight"], requires_grad=True)
    output = theirs(torch.nn.functional.embedding(torch.tensor(x[..., 0]), table))[0]
    weight = np.random.default_rng(1).normal(size=output.shape)
    (output * torch.tensor(weight)).sum().backward()
    ours, _, tape = model.forward(x)
    assert_close(ours, output.detach().numpy(), rtol=1e-9, atol=1e-10)
    got = model.backward(tape, weight).parameters["embedding.weight"]
    assert_close(np.asarray(got), table.grad.numpy(), rtol=1e-8, atol=1e-10)


def test_dropout_drops_its_share_and_keeps_the_mean():
    model = Embedding(9, CfC(200, 2, seed=0, backend="numpy"), dropout=0.25, seed=0)
    model.parameters["embedding.weight"] = np.ones((9, 200))
    _, _, tape = model.forward(np.zeros((20, 10, 1)), rng=np.random.default_rng(0))
    assert set(np.unique(tape.factors)) == {np.float32(0), np.float32(1 / 0.75)}
    assert tape.factors.mean() == pytest.approx(1, abs=0.01)
    assert model.forward(np.zeros((1, 2, 1)))[2].factors is None


@pytest.mark.parametrize(("variant", "std"), [("keras", 0.05 / np.sqrt(3)), ("torch", 1.0)])
def test_fresh_tables_are_those_of_both_libraries(variant, std):
    table = Embedding(500, CfC(40, 2, seed=0), variant=variant, seed=0).parameters["embedding.weight"]
    assert table.std() == pytest.approx(std, rel=0.02)
    assert np.abs(table).max() <= 0.05 or variant == "torch"


def test_sparse_rows_are_their_sum():
    rng = np.random.default_rng(0)
    rows, values = rng.integers(0, 7, 30), rng.normal(size=(30, 3))
    ref = np.zeros((9, 3))
    np.add.at(ref, rows, values)
    sparse = SparseRows(rows, values, (9, 3))
    assert_close(sparse.dense(), ref)
    assert_close(np.asarray(2.0 * sparse), 2 * ref)
    assert sparse.summed().rows.tolist() == sorted(set(rows.tolist()))
    assert not SparseRows(rows[:0], values[:0], (9, 3)).dense().any()


@pytest.mark.parametrize("k", range(3))
def test_files_hold_it(k, tmp_path):
    model = Embedding(9, layers("float32", return_sequences=False)[k], 0.1, variant="torch", seed=0)
    cfc_ref.save(tmp_path / "model.npz", model)
    same = cfc_ref.load(tmp_path / "model.npz", backend="numpy")
    assert (same.backend, same.config, repr(same)[:50]) == ("numpy", model.config, repr(model)[:50])
    assert all(np.array_equal(same.state_dict()[key], array) for key, array in model.state_dict().items())
    wired = Embedding(9, CfC(3, cfc_ref.wirings.AutoNCP(8, 2), seed=0, backend="numpy"), seed=0)
    cfc_ref.save(tmp_path / "wired.npz", wired)
    x = tokens(np.random.default_rng(0), 2, 3)
    assert_close(cfc_ref.load(tmp_path / "wired.npz", backend="numpy")(x)[0], wired(x)[0])


def test_bad_arguments_are_refused():
    layer = CfC(3, 4, seed=0, backend="numpy")
    model = Embedding(9, layer, seed=0)
    for x in ([[[9]]], [[[-1]]], [[[0.5]]], [[0, 1]], [[[np.nan]]]):
        for call in (model, model.forward, model.trace):
            bad.refuses(call, "x", x)
    for value in (0, 1.5, None, 2**24 + 1):
        bad.refuses(Embedding, "tokens", value, layer=layer)
    for value in (None, 3, model, CfC):
        bad.refuses(Embedding, "layer", value, tokens=9)
    for value in (-0.1, 1.0, None):
        bad.refuses(Embedding, "dropout", value, tokens=9, layer=layer)
    for value in bad.CHOICES:
        bad.refuses(Embedding, "variant", value, tokens=9, layer=layer)
    output, _, tape = layer.forward(np.ones((2, 3)))
    bad.refuses(model.backward, "tape", tape, d_output=output)
    with pytest.raises(TypeError, match=refusal("stepper")):
        model.stepper()
    state = model.state_dict()
    with pytest.raises(ValueError, match=re.escape("state_dict: got no embedding.weight; expected ")):
        model.load_state_dict({key: value for key, value in state.items() if key != "embedding.weight"})
