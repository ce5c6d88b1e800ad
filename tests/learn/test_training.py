"""The training loop: it learns, as PyTorch does; the same arguments give the same bits; what each argument does."""

import numpy as np
import pytest

from cfc_ref import CfC, Embedding
from cfc_ref.learn.examples import arrange_examples, predict
from cfc_ref.learn.gradients import GlobalNorm, TensorNorm
from cfc_ref.learn.history import History
from cfc_ref.learn.losses import CrossEntropy, cross_entropy, mse
from cfc_ref.learn.optimizers import SGD, Adam, RMSprop
from cfc_ref.learn.schedules import Exponential
from cfc_ref.learn.training_loop import fit
from tests import bad
from tests.compare import assert_close, refusal

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 9, 2))
Y = np.cumsum(X[..., :1], axis=1) / 3
DT = RNG.uniform(0.2, 2.0, size=(24, 9))
SHORT = {"loss": "mse", "optimizer": Adam(0.01), "epochs": 3, "batch_size": 8, "progress": False}


def small(seed=0, **settings):
    return CfC(2, 6, **{"proj_size": 1, "backbone_units": 12, "seed": seed, **settings})


def trained(data=(X, Y), model=None, **arguments):
    """A model's weights and its history, after training."""
    model = model or small()
    history = fit(model, data, **{**SHORT, **arguments})
    return model.state_dict(), history


def same(a, b):
    return all(np.array_equal(a[name], b[name]) for name in a)


# --- it learns


def test_it_learns_a_running_sum_to_a_stated_loss():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 12, 1))
    y = np.cumsum(x, axis=1)
    model = CfC(1, 16, proj_size=1, backbone_units=32, seed=0)
    held_back = x[160:], y[160:]
    history = fit(
        model, (x[:160], y[:160]), loss="mse", optimizer=Adam(0.01), epochs=40, batch_size=16, schedule="cosine",
        clip=1.0, validation=held_back, progress=False,
    )  # fmt: skip
    assert mse(model(held_back[0])[0], held_back[1])[0] == pytest.approx(min(history.validation_loss), rel=1e-5)
    assert min(history.validation_loss) < 0.02 * y[160:].var()


def test_it_learns_classes_of_irregular_sequences():
    rng = np.random.default_rng(2)
    label, dt = rng.integers(0, 2, size=120), rng.uniform(0.2, 1.8, size=(120, 10))
    x = np.sin((1 + label[:, None]) * np.cumsum(dt, axis=1) + rng.uniform(0, 6, size=(120, 1)))[..., None]
    for name, outputs in (("cross_entropy", 2), ("binary_cross_entropy", 1)):
        model = CfC(1, 16, proj_size=outputs, return_sequences=False, backbone_units=32, activation="silu", seed=0)
        history = fit(
            model, (x, label, dt), loss=name, optimizer=Adam(0.01), epochs=40, batch_size=20, clip=1.0, progress=False
        )
        assert history.loss[-1] < 0.25
        assert history.loss[0] > 0.6


@pytest.mark.parametrize("mixed_memory", [False, True])
def test_it_trains_as_ncps_on_pytorch_does(mixed_memory):
    torch, ncps = pytest.importorskip("torch"), pytest.importorskip("ncps.torch")
    settings = {"proj_size": 1, "mixed_memory": mixed_memory, "backbone_units": 12, "backbone_layers": 1}
    ours = CfC(2, 6, **settings, dtype="float64", seed=3)
    theirs = ncps.CfC(2, 6, **settings, backbone_dropout=0.0).double()
    theirs.load_state_dict({name: torch.tensor(array) for name, array in ours.state_dict().items()})
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    for _ in range(5):
        optimizer.zero_grad()
        zeros = torch.zeros(len(X), 6, dtype=torch.float64)
        output, _ = theirs(torch.tensor(X), (zeros, zeros) if mixed_memory else zeros)
        torch.nn.functional.mse_loss(output, torch.tensor(Y)).backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.3)
        optimizer.step()
        schedule.step()
    fit(
        ours, (X, Y), loss="mse", optimizer=Adam(0.02), epochs=5, batch_size=len(X), schedule=Exponential(0.9),
        clip=0.3, progress=False,
    )  # fmt: skip
    for name, array in theirs.state_dict().items():
        assert_close(ours.state_dict()[name], array.numpy(), rtol=1e-7, atol=1e-8)


# --- the same arguments, the same bits


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not():
    dropping = {"backbone_layers": 2, "backbone_dropout": 0.3}
    (a, first), (b, second), (c, _) = (trained(model=small(**dropping), seed=seed) for seed in (5, 5, 6))
    assert same(a, b)
    assert first.loss == second.loss
    assert not same(a, c)


def test_each_batch_of_each_epoch_has_dropout_of_its_own():
    seen = []

    class Watched(CfC):
        def forward(self, *arguments, rng, **others):
            seen.append(rng.bit_generator.state["state"]["state"])
            return super().forward(*arguments, rng=rng, **others)

    trained(model=Watched(2, 6, proj_size=1, seed=0))
    assert len(set(seen)) == 9


def test_an_optimiser_keeps_nothing_of_a_run():
    optimizer = Adam(0.01)
    assert same(trained(optimizer=optimizer)[0], trained(optimizer=optimizer)[0])


def test_numpys_global_generator_is_left_alone():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    trained()
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_dropout_acts_in_training_only():
    dropping = {"backbone_layers": 2, "backbone_dropout": 0.3}
    model = small(**dropping)
    with_dropout, history = trained(model=model, validation=(X, Y))
    assert not same(with_dropout, trained(model=small(backbone_layers=2))[0])
    best = history.validation_loss[history.best_epoch]
    assert mse(model(X)[0], Y)[0] == pytest.approx(best, rel=1e-6)


# --- data


def test_names_and_objects_mean_the_same():
    assert same(trained(optimizer="adam")[0], trained(optimizer=Adam())[0])
    assert same(trained(loss="mse")[0], trained(loss=mse)[0])
    assert same(trained(schedule=None)[0], trained(schedule="constant")[0])
    assert same(trained(clip=0.1)[0], trained(clip=GlobalNorm(0.1))[0])
    assert not same(trained(clip=0.1)[0], trained(clip=TensorNorm(0.1))[0])


def test_timespans_may_have_every_form_of_the_layers():
    assert same(trained()[0], trained((X, Y, None))[0])
    assert same(trained()[0], trained((X, Y, 1.0, None))[0])
    assert same(trained((X, Y, DT))[0], trained((X, Y, DT[..., None]))[0])
    assert same(trained((X, Y, DT[0]))[0], trained((X, Y, np.tile(DT[0], (24, 1))))[0])


@pytest.mark.parametrize("per_step", [True, False])
def test_masked_steps_are_not_read_and_padding_costs_nothing(per_step):
    """Steps behind the end of all sequences change no bit; NaN may stand there."""
    mask = np.arange(9) < RNG.integers(2, 8, size=(24, 1))
    y = Y if per_step else Y[:, -1]
    junk = np.where(mask[..., None], X, np.nan), np.where(mask[..., None], Y, np.nan) if per_step else y
    ref, history = trained((X, y, DT, mask), small(return_sequences=per_step))
    got, other = trained((*junk, DT, mask), small(return_sequences=per_step))
    assert same(got, ref)
    assert other.loss == history.loss
    wide = [np.concatenate([array, array], axis=1) for array in (X, DT, mask)]
    wide[2][:, 9:] = False
    target = np.concatenate([Y, Y], axis=1) if per_step else y
    got, _ = trained((wide[0], target, *wide[1:]), small(return_sequences=per_step))
    assert same(got, ref)


def test_the_loss_of_an_epoch_is_the_mean_over_all_that_counts():
    """With a learning rate that moves nothing, batches of different sizes and ragged sequences."""
    mask = np.arange(9) < RNG.integers(1, 10, size=(24, 1))
    model = small(dtype="float64")
    _, history = trained((X, Y, DT, mask), model, optimizer=SGD(1e-300), batch_size=7, validation=(X, Y, DT, mask))
    truth = np.square(model(X, timespans=DT, mask=mask)[0] - Y)[mask].mean()
    assert_close(history.loss, [truth] * 3)
    assert_close(history.validation_loss, [truth] * 3)


# --- what arguments do


def test_every_sequence_is_seen_once_an_epoch_in_an_order_of_its_own():
    seen = []

    def watching(prediction, target, mask=None):
        seen.append(target[:, 0, 0])
        return mse(prediction, target, mask)

    trained(loss=watching, batch_size=7, epochs=2)
    seen = [batch for batch in seen if len(batch) < 24]  # the first call checks all targets
    assert [len(batch) for batch in seen] == [7, 7, 7, 3] * 2
    epochs = np.concatenate(seen[:4]), np.concatenate(seen[4:])
    for order in epochs:
        assert sorted(order) == sorted(Y[:, 0, 0])
    assert not np.array_equal(*epochs)


def test_a_schedule_sees_fractions_of_epochs_and_scales_the_rate():
    seen = []

    def halving(epoch, epochs):
        seen.append((epoch, epochs))
        return 0.5

    half, _ = trained(schedule=halving, epochs=2)
    assert_close(seen, [(k / 3, 2) for k in range(6)])
    assert same(half, trained(optimizer=Adam(0.005), epochs=2)[0])


def test_l2_shrinks_the_cells_weights():
    def size(l2):
        weights, _ = trained(l2=l2, epochs=20)
        return sum(np.square(array).sum() for name, array in weights.items() if name.startswith("rnn_cell."))

    assert size(1e-1) < 0.8 * size(1e-3) < size(0.0)


def test_l2_comes_before_clipping():
    """The first step of plain gradient descent is the clipped gradient, penalty included."""
    model, start = small(dtype="float64"), small(dtype="float64").parameters
    trained(model=model, optimizer=SGD(1.0), clip=0.5, l2=10.0, epochs=1, batch_size=24)
    moved = sum(np.square(array - start[name]).sum() for name, array in model.parameters.items())
    assert_close(np.sqrt(moved), 0.5, rtol=1e-5)


def test_a_model_that_projects_is_projected_after_each_step():
    class Bounded(CfC):
        def project(self):
            for array in self.parameters.values():
                np.clip(array, -0.2, 0.2, out=array)

    weights, _ = trained(model=Bounded(2, 6, proj_size=1, seed=0), optimizer=RMSprop(0.05))
    assert max(np.abs(array).max() for array in weights.values()) == np.float32(0.2)


def test_the_explicit_weights_of_an_ltc_stay_positive():
    from cfc_ref.layers.ltc import LTC

    model = LTC(2, 4, implicit_param_constraints=False, seed=0)
    fit(model, (X, Y.repeat(4, axis=-1)), **{**SHORT, "optimizer": Adam(0.3)})
    positive = [model.parameters[f"rnn_cell.{name}"] for name in ("w", "sensory_w", "gleak", "cm")]
    assert min(array.min() for array in positive) == 0


def test_the_best_weights_are_kept_and_the_last_ones_are_told():
    model = small()
    rate = Adam(0.3)  # too high: losses go up and down
    weights, history = trained(model=model, optimizer=rate, epochs=12, validation=(X, Y))
    k = history.best_epoch
    assert history.validation_loss[k] == min(history.validation_loss)
    assert 0 <= k < 11
    assert mse(model(X)[0], Y)[0] == pytest.approx(history.validation_loss[k], rel=1e-6)
    last, _ = trained(optimizer=rate, epochs=12)
    assert same(history.last_weights, last)
    assert same(weights, trained(optimizer=rate, epochs=k + 1)[0])


def test_patience_stops_after_so_many_epochs_without_progress():
    _, history = trained(optimizer=Adam(0.3), epochs=40, validation=(X, Y), patience=3)
    assert len(history.validation_loss) == len(history.loss) == history.best_epoch + 4 < 40


def test_without_validation_the_last_epoch_is_the_best():
    _, history = trained()
    assert history.best_epoch == 2
    assert history.validation_loss == []
    assert [len(history.loss), len(history.seconds)] == [3, 3]
    assert all(isinstance(value, float) for value in history.loss + history.seconds)


def test_a_bar_is_shown_on_terminals_only(capfd):
    trained(progress=True)
    assert capfd.readouterr() == ("", "")


def test_a_bar_tells_the_losses(capfd, monkeypatch):
    import tqdm

    kind = tqdm.tqdm
    monkeypatch.setattr(tqdm, "tqdm", lambda **settings: kind(**{**settings, "disable": False, "mininterval": 0}))
    trained(progress=True, validation=(X, Y))
    shown = capfd.readouterr().err
    assert "9/9" in shown
    assert "epoch=3" in shown
    assert "validation=" in shown


# --- what can't go on


def test_a_loss_that_is_not_finite_stops_and_gives_the_last_good_weights():
    calls = []

    def breaking(prediction, target, mask=None):
        calls.append(1)
        value, gradient = mse(prediction, target, mask)
        return (np.nan if len(calls) == 9 else value), gradient  # the check of the targets, two epochs of 3, 2 batches

    model = small()
    with pytest.raises(FloatingPointError, match=refusal("loss")) as error:
        trained(model=model, loss=breaking, epochs=5)
    assert "epoch 3 of 5, batch 2 of 3" in str(error.value)
    assert "the model has its weights after epoch 2" in str(error.value)
    assert same(model.state_dict(), trained(epochs=2)[0])


@pytest.mark.parametrize("rate", [1e10, 1e38])
def test_a_run_that_diverges_stops_with_the_models_first_weights(rate):
    model = small()
    with pytest.raises(FloatingPointError, match=r"\A[^\n]+: got NaN or infinity in epoch 1 of 3, batch \d of 3; exp"):
        trained(model=model, optimizer=SGD(rate, momentum=0.9))
    assert same(model.state_dict(), small().state_dict())


def test_a_validation_loss_that_is_not_finite_stops():
    def breaking(prediction, target, mask=None):
        value, gradient = mse(prediction, target, mask)
        return (np.inf if len(target) == 5 and prediction.any() else value), gradient

    with pytest.raises(FloatingPointError, match="epoch 1 of 3, validation"):
        trained(loss=breaking, validation=(X[:5], Y[:5]))


NAN_X = np.where(np.arange(2) == 1, np.nan, X)
NO_STEP = np.ones((24, 9), bool)
NO_STEP[3] = False
REFUSED = [
    *[("model", None, value) for value in (None, "CfC", CfC, small(batch_first=False))],
    *[("data", None, value) for value in (None, X, (X,), (X, Y, DT, None, None), {"x": X})],
    *[("data", "data x", (value, Y)) for value in ("1", None, NAN_X, X[0], X[..., :1], X[:0], X[:, :0], X[None])],
    *[("data", "data timespans", (X, Y, value)) for value in (-1.0, "1", DT[:, :3], np.full((24, 9), np.nan))],
    *[("data", "data mask", (X, Y, None, value)) for value in (1, NO_STEP, NO_STEP[:, :2], np.ones((24, 9)))],
    *[("data", "data target", (X, value)) for value in (None, "1", Y[:5], Y[:, :3], np.full_like(Y, np.nan), Y[:, -1])],
    *[("validation", None, value) for value in (X, (X,), 0.2)],
    *[("validation", "validation x", (value, Y)) for value in (X[..., :1], NAN_X)],
    *[("validation", "validation target", (X, Y[:, :2]))],
    *[("loss", None, value) for value in ("MSE", None, 1, "")],
    *[("optimizer", None, value) for value in ("Adam", None, Adam, 0.1, mse)],
    *[(name, None, value) for name in ("epochs", "batch_size") for value in (0, -1, 1.0, True, "1", None)],
    *[("seed", None, value) for value in (-1, 1.5, None, "0", np.random.default_rng(0))],
    *[("schedule", None, value) for value in ("linear", 0.9, 1)],
    *[("clip", None, value) for value in (0, -1.0, "global", np.nan, GlobalNorm)],
    *[("l2", None, value) for value in (-1e-3, np.nan, "1", None)],
    *[("patience", None, value) for value in (0, 1.5, True, 3)],
    *[("progress", None, value) for value in (1, None, "yes")],
    *[("checkpoint", None, value) for value in (1, "", ".", "nowhere/run.npz")],
]


@pytest.mark.parametrize(("argument", "named", "value"), REFUSED)
def test_bad_input_is_refused_before_anything_is_computed(argument, named, value):
    model = small()
    given = {"model": model, "data": (X, Y), **SHORT}
    bad.refuses(fit, argument, value, named=named, **{name: v for name, v in given.items() if name != argument})
    assert same(model.state_dict(), small().state_dict())


def test_classes_that_the_model_does_not_have_are_refused():
    with pytest.raises(ValueError, match=refusal("data target")):
        trained((X, np.full(24, 3)), small(proj_size=3, return_sequences=False), loss=cross_entropy)


def test_l2_that_would_do_nothing_is_refused():
    from cfc_ref.layers.ltc import LTC

    with pytest.raises(ValueError, match=refusal("l2")):
        fit(LTC(2, 1, seed=0), (X, Y), **SHORT, l2=0.1)


def test_a_history_of_nothing_has_words():
    assert repr(History()) == "History(0 epochs)"


# --- what is looked at after each epoch

HELD_BACK = X[:5] + 1, Y[:5], DT[:5]


def mean_of_outputs(prediction, target, mask):
    assert mask is None
    assert_close(target, HELD_BACK[1])
    return prediction.mean()


def test_a_metric_is_kept_of_the_validation_outputs_of_each_epoch():
    model, means = small(), []

    def look(history):
        means.append(float(model(HELD_BACK[0], timespans=HELD_BACK[2])[0].mean()))
        assert len(history.metric) == len(means)

    _, history = trained((X, Y, DT), model, validation=HELD_BACK, metric=mean_of_outputs, progress=look)
    assert_close(history.metric, means, rtol=1e-5)
    assert len(set(means)) == 3


def test_training_stops_where_the_rule_says_so():
    seen = []

    def stop(history):
        seen.append(len(history.loss))
        return len(history.loss) == 2

    _, history = trained(epochs=9, stop=stop)
    assert (seen, len(history.loss)) == ([1, 2], 2)


def test_a_function_is_told_of_each_epoch_in_place_of_a_bar():
    told = []
    _, history = trained(progress=lambda history: told.append(list(history.loss)))
    assert told == [history.loss[:1], history.loss[:2], history.loss]


def test_metrics_and_rules_that_can_not_be_called_are_refused():
    common = {"model": small(), "data": (X, Y), **SHORT}
    bad.refuses(fit, "metric", "accurate", validation=HELD_BACK, **common)
    bad.refuses(fit, "metric", mean_of_outputs, **common)
    bad.refuses(fit, "stop", True, **common)


@pytest.mark.parametrize("many", [True, False])
def test_steps_masked_at_the_end_are_left_out_and_change_neither_loss_nor_gradients(many):
    """Of a batch, those at the end that are masked in all of its sequences."""
    mask = np.arange(9) < RNG.integers(2, 6, size=24)[:, None]
    x, y = np.where(mask[..., None], X, np.nan), Y if many else Y[:, -1]
    model = small(return_sequences=many, dtype="float64")
    whole = arrange_examples("data", model, (x, y, DT, mask), mse)
    part = whole.take(np.arange(24))
    assert whole.x.shape[1] == 9
    assert part.x.shape[1] == 5
    results = []
    for data in (whole, part):
        output, _, tape = model.forward(data.x, timespans=data.dt, mask=data.mask)
        loss, d_output = mse(output, data.y, data.counts)
        results.append([loss, *model.backward(tape, d_output).parameters.values()])
    for got, ref in zip(*results, strict=True):
        assert_close(got, ref, rtol=1e-11)
    ref = model(x, timespans=DT, mask=mask)[0]
    assert_close(predict(model, whole.x, whole.dt, whole.mask, batch_size=7), ref, rtol=1e-11)


def test_a_batch_to_learn_from_has_the_longest_sequences_first_and_each_once():
    mask = np.arange(9) < RNG.integers(1, 9, size=24)[:, None]
    examples = arrange_examples("data", small(), (X, Y, DT, mask), mse)
    which = np.array([5, 1, 7, 20, 3])
    batch = examples.batch(which)
    assert (np.diff(batch.mask.sum(axis=1)) <= 0).all()
    dt = np.pad(batch.dt, ((0, 0), (0, 9 - batch.dt.shape[1])))
    order = [next(k for k in which if np.array_equal(examples.dt[k], row)) for row in dt]
    assert sorted(order) == sorted(which)
    for got, ref in zip(batch[:4], examples.take(np.array(order))[:4], strict=True):
        assert np.array_equal(got, ref)


# --- tokens, weights of classes, metrics by name


def test_an_embedding_learns_which_tokens_matter_and_resumes_to_the_same_bits(tmp_path):
    rng = np.random.default_rng(0)
    x, lengths = rng.integers(0, 10, (200, 8, 1)), rng.integers(2, 9, 200)
    mask = np.arange(8) < lengths[:, None]
    y = ((x[..., 0] == 3) & mask).any(axis=1).astype(int)

    def made():
        layer = CfC(4, 8, proj_size=2, backbone_units=16, return_sequences=False, seed=0, backend="numpy")
        return Embedding(10, layer, 0.1, variant="torch", seed=0)

    common = {
        "loss": CrossEntropy((1.0, 3.0)),
        "optimizer": RMSprop(0.02, rho=0.9),
        "batch_size": 20,
        "progress": False,
    }
    common |= {"clip": TensorNorm(1.0), "metric": "auc", "validation": (x, y, None, mask)}
    model = made()
    history = fit(model, (x, y, None, mask), epochs=10, **common)
    assert history.metric[-1] > 0.99
    assert history.metric[0] < 0.9

    def stop(history):
        raise KeyboardInterrupt

    halted = made()
    with pytest.raises(KeyboardInterrupt):
        fit(halted, (x, y, None, mask), epochs=10, checkpoint=tmp_path / "run.npz", **{**common, "progress": stop})
    resumed = made()
    fit(resumed, (x, y, None, mask), epochs=10, checkpoint=tmp_path / "run.npz", **common)
    assert same(model.state_dict(), resumed.state_dict())


def test_tokens_without_a_row_are_refused_before_training():
    model = Embedding(5, CfC(4, 8, proj_size=2, return_sequences=False, seed=0), seed=0)
    before = model.state_dict()
    x = np.full((3, 2, 1), 5)
    with pytest.raises(ValueError, match=r"\Adata x: got 5.0 at index \(0, 0, 0\); expected whole numbers 0 to 4; "):
        fit(model, (x, [0, 1, 0]), **{**SHORT, "loss": "cross_entropy"})
    assert same(model.state_dict(), before)
