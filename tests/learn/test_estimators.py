"""The estimators: sequences of any lengths and times, targets a sequence or a step; scikit-learn's conventions."""

import inspect
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfc_ref import wirings
from cfc_ref.learn.estimator_base import NotFittedError
from cfc_ref.learn.estimators import CfCClassifier, CfCRegressor
from cfc_ref.learn.scaling import standardisation, time_unit
from cfc_ref.learn.sequences import pad, pad_like, unpad_like
from tests import bad
from tests.compare import assert_close, refusal

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(3, 12, size=36)
X = [RNG.normal(5, 3, size=(T, 2)) for T in LENGTHS]
DT = [RNG.exponential(400, size=T) for T in LENGTHS]
TOTAL = np.array([x[:, 0].sum() for x in X])
LABELS = np.where(np.median(TOTAL) < TOTAL, "high", "low")
RUNNING = [1000 + np.cumsum(x[:, 0]) for x in X]
FAST = {"units": 6, "backbone_units": 12, "epochs": 3, "seed": 1}


def integral_problem(N):
    """An integral over irregular times: which needs the times."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(3, 9, size=N)
    x, dt = [[draw(size=T) for T in lengths] for draw in (rng.normal, lambda size: rng.exponential(400, size))]
    return [a[:, None] for a in x], dt, np.array([a @ t for a, t in zip(x, dt, strict=True)])


# --- what they learn


def test_the_defaults_learn_an_integral_over_irregular_times_on_held_back_sequences():
    x, dt, y = integral_problem(320)
    model = CfCRegressor().fit(x[:200], y[:200], dt[:200])
    assert model.score(x[200:], y[200:], dt[200:]) > 0.9
    assert CfCRegressor(epochs=40).fit(x[:200], y[:200]).score(x[200:], y[200:]) < 0.8


def test_the_classifiers_defaults_learn_on_held_back_sequences():
    rng = np.random.default_rng(4)
    x = [rng.normal(size=(T, 1)) for T in rng.integers(3, 9, size=260)]
    y = np.array(["c" if a.sum() > 1 else "b" if a.sum() > -1 else "a" for a in x])
    model = CfCClassifier().fit(x[:160], y[:160])
    assert model.score(x[160:], y[160:]) > 0.85


def test_one_target_a_step_is_learned_and_given_back_in_its_form():
    model = CfCRegressor(units=8, backbone_units=16, epochs=60, learning_rate=0.01, return_sequences=True)
    model.fit(X, RUNNING, DT)
    predicted = model.predict(X, DT)
    assert [p.shape for p in predicted] == [y.shape for y in RUNNING]
    assert model.score(X, RUNNING, DT) > 0.9
    truth, guess = np.concatenate(RUNNING), np.concatenate(predicted)
    assert_close(
        model.score(X, RUNNING, DT), 1 - np.square(truth - guess).sum() / np.square(truth - truth.mean()).sum()
    )


# --- forms of sequences and targets


def test_an_array_is_a_list_of_sequences_of_one_length():
    whole, y = RNG.normal(size=(8, 5, 2)), RNG.normal(size=8)
    a = CfCRegressor(**FAST).fit(whole, y).predict(whole)
    b = CfCRegressor(**FAST).fit(list(whole), y).predict([x.tolist() for x in whole])
    assert_close(a, b, rtol=0, atol=0)
    steps = RNG.normal(size=(8, 5))
    model = CfCRegressor(**FAST, return_sequences=True).fit(whole, steps)
    assert model.predict(whole).shape == (8, 5)
    assert [p.shape for p in model.predict(list(whole))] == [(5,)] * 8
    assert isinstance(model.score(whole, steps), float)


@pytest.mark.parametrize("outputs", [(), (1,), (3,)])
def test_predictions_have_the_targets_form(outputs):
    y = RNG.normal(size=(36, *outputs))
    assert CfCRegressor(**FAST).fit(X, y).predict(X).shape == y.shape
    steps = [RNG.normal(size=(T, *outputs)) for T in LENGTHS]
    predicted = CfCRegressor(**FAST, return_sequences=True).fit(X, steps).predict(X)
    assert [p.shape for p in predicted] == [(T, *outputs) for T in LENGTHS]


def test_a_sequence_is_predicted_alone_as_among_others():
    model = CfCRegressor(**FAST).fit(X, TOTAL, DT)
    together = model.predict(X, DT)
    alone = [model.predict([x], [dt])[0] for x, dt in zip(X, DT, strict=True)]
    assert_close(together, alone, rtol=1e-5, atol=1e-4)


def test_units_of_inputs_targets_and_times_do_not_matter():
    """The same problem in other units is the same training, but for rounding."""
    model = CfCRegressor(**FAST).fit(X, TOTAL, DT)
    other = CfCRegressor(**FAST).fit([64 * x - 128 for x in X], 4 * TOTAL + 8, [t / 1024 for t in DT])
    assert_close(other.timespan_unit_, model.timespan_unit_ / 1024)
    got = other.predict([64 * x - 128 for x in X], [t / 1024 for t in DT])
    assert_close((got - 8) / 4, model.predict(X, DT), rtol=1e-3, atol=1e-3)


def test_scalings_come_from_the_sequences_that_are_trained_on():
    model = CfCRegressor(**FAST, validation_fraction=0.25, patience=2).fit(X, TOTAL, DT)
    trained = np.sort(np.random.default_rng(1).permutation(36)[9:])
    steps = np.concatenate([X[i] for i in trained])
    assert_close(model.x_scaling_.mean, steps.mean(axis=0))
    assert_close(model.x_scaling_.scale, steps.std(axis=0))
    assert_close(model.y_scaling_.mean, [TOTAL[trained].mean()])
    assert_close(model.timespan_unit_, np.median(np.concatenate([DT[i] for i in trained])))
    assert len(model.history_.validation_loss) == len(model.history_.loss) > 0


def test_probabilities_are_those_of_the_classes_in_order():
    model = CfCClassifier(**FAST).fit(X, LABELS)
    p = model.predict_proba(X)
    assert model.classes_.tolist() == ["high", "low"]
    assert_close(p.sum(axis=1), np.ones(36))
    assert (p > 0).all()
    assert model.predict(X).tolist() == [["high", "low"][k] for k in p.argmax(axis=1)]
    assert model.score(X, LABELS) == np.mean(model.predict(X) == LABELS)


@pytest.mark.parametrize("labels", [[3, 7], [True, False], [0.5, 2.0], ["a", "b"], np.array(["a", "b"], object)])
def test_labels_may_be_of_any_one_kind(labels):
    y = [labels[i % 2] for i in range(36)]
    model = CfCClassifier(**FAST).fit(X, y)
    assert set(model.predict(X).tolist()) <= set(np.asarray(labels).tolist())


def test_the_same_seed_gives_the_same_bits():
    predictions = [CfCRegressor(**{**FAST, "seed": seed}).fit(X, TOTAL).predict(X) for seed in (1, 1, 2)]
    assert np.array_equal(predictions[0], predictions[1])
    assert not np.array_equal(predictions[0], predictions[2])


def test_a_constant_target_scores_1_where_it_is_met_and_0_elsewhere():
    model = CfCRegressor(**FAST).fit(X, np.full(36, 4.0))
    assert model.score(X, np.full(36, 4.5)) == 0
    model.predict = lambda X, timespans=None: np.full(36, 4.0)
    assert model.score(X, np.full(36, 4.0)) == 1


def test_a_wiring_takes_the_place_of_units():
    model = CfCRegressor(wirings.AutoNCP(8, 1, seed=0), epochs=2).fit(X, TOTAL)
    assert model.model_.wiring.units == 8


# --- scikit-learn's conventions


@pytest.mark.parametrize("kind", [CfCRegressor, CfCClassifier])
def test_arguments_are_stored_as_they_are_and_checked_in_fit(kind):
    names = list(inspect.signature(kind).parameters)
    marks = {name: object() for name in names}
    model = kind(**marks)
    assert model.get_params() == marks
    assert vars(model) == marks
    assert kind().set_params(epochs=7, seed=3).get_params()["epochs"] == 7
    assert kind().set_params(**marks).get_params() == marks
    with pytest.raises(ValueError, match=refusal("params")):
        kind().set_params(epochs=2, nonsense=1)
    with pytest.raises((ValueError, TypeError)):
        kind(epochs=0).fit(X, LABELS if kind is CfCClassifier else TOTAL)


def test_representations_name_what_was_set():
    assert repr(CfCRegressor()) == "CfCRegressor()"
    assert repr(CfCClassifier(16, mode="pure")) == "CfCClassifier(units=16, mode='pure')"
    assert repr(CfCRegressor(return_sequences=True)) == "CfCRegressor(return_sequences=True)"


def test_fit_returns_itself_and_forgets_what_it_learned_before():
    model = CfCRegressor(**FAST).fit(X, TOTAL, DT)
    ref = CfCRegressor(**FAST).fit(X[:20], TOTAL[:20]).predict(X)
    assert model.fit(X[:20], TOTAL[:20]) is model
    assert np.array_equal(model.predict(X), ref)
    assert model.n_features_in_ == 2


def test_scikit_learn_clones_and_knows_them():
    base, utils = pytest.importorskip("sklearn.base"), pytest.importorskip("sklearn.utils")
    for kind, y in ((CfCRegressor, TOTAL), (CfCClassifier, LABELS)):
        model = kind(wirings.AutoNCP(8, 2, seed=0), epochs=2)
        assert (base.is_classifier(model), base.is_regressor(model)) == (kind is CfCClassifier, kind is CfCRegressor)
        assert utils.get_tags(model).input_tags.three_d_array
        with pytest.raises(Exception, match="not fitted"):
            utils.validation.check_is_fitted(model)
        copy = base.clone(model.fit(X, y))
        assert not hasattr(copy, "model_")
        assert copy.get_params()["epochs"] == 2
        utils.validation.check_is_fitted(copy.fit(X, y))
        assert np.array_equal(copy.predict(X), model.predict(X))


@pytest.mark.parametrize("kind", [CfCRegressor, CfCClassifier])
def test_a_grid_is_searched_over_ragged_sequences(kind):
    selection = pytest.importorskip("sklearn.model_selection")
    y = TOTAL if kind is CfCRegressor else LABELS
    search = selection.GridSearchCV(kind(**FAST), {"units": [3, 6], "learning_rate": [0.01]}, cv=3, error_score="raise")
    search.fit(X, y)
    assert search.best_params_["units"] in (3, 6)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(search.predict(X)) == 36
    steps = selection.GridSearchCV(
        CfCRegressor(**FAST, return_sequences=True), {"mode": ["default", "pure"]}, cv=2, error_score="raise"
    )
    assert len(steps.fit(X, RUNNING).predict(X)) == 36


def test_a_search_passes_timespans_everywhere_with_scikit_learns_routing():
    sklearn, selection = pytest.importorskip("sklearn"), pytest.importorskip("sklearn.model_selection")
    with sklearn.config_context(enable_metadata_routing=True):
        for kind, y in ((CfCRegressor, TOTAL), (CfCClassifier, LABELS)):
            search = selection.GridSearchCV(kind(**FAST), {"units": [3, 6]}, cv=3, error_score="raise")
            search.fit(X, y, timespans=DT)
            assert search.best_estimator_.timespan_unit_ > 100
            assert len(search.best_estimator_.predict(X, timespans=DT)) == 36


def searched(X, y, timespans, search, **options):
    """Fit a search of scikit-learn with timespans, and return it."""
    selection = pytest.importorskip("sklearn.model_selection")
    model = (CfCClassifier if y.dtype.kind == "U" else CfCRegressor)(**{**FAST, "epochs": 1})
    if search == "cross_validate":
        return selection.cross_validate(model, X, y, cv=2, params={"timespans": timespans}, **options)
    kind = getattr(selection, search)
    return kind(model, {"units": [3, 6]}, cv=2, **options).fit(X, y, timespans=timespans)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, {"error_score": "raise"}], ids=str)
@pytest.mark.parametrize(
    ("search", "y"), [("GridSearchCV", TOTAL), ("RandomizedSearchCV", LABELS), ("cross_validate", TOTAL)], ids=[1, 2, 3]
)
def test_a_search_with_timespans_names_the_line_that_turns_routing_on(search, y, options):
    if search == "RandomizedSearchCV":
        options = {"n_iter": 2, **options}
    with pytest.raises(ValueError, match=r"sklearn\.set_config\(enable_metadata_routing=True\)"):
        searched(X, y, DT, search, **options)


def test_after_that_line_cross_validation_works():
    sklearn = pytest.importorskip("sklearn")
    with sklearn.config_context(enable_metadata_routing=True):
        assert np.isfinite(searched(X, TOTAL, DT, "cross_validate")["test_score"]).all()


def test_scores_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    y = np.stack([TOTAL, -2 * TOTAL + RNG.normal(size=36), np.full(36, 3.0)], axis=1)
    model = CfCRegressor(**FAST).fit(X, y)
    assert_close(model.score(X, y), metrics.r2_score(y, model.predict(X)))
    assert_close(model.score(X, y[::-1]), metrics.r2_score(y[::-1], model.predict(X)))


# --- refusals


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize(
    ("kind", "method"), [(k, m) for k in (CfCRegressor, CfCClassifier) for m in ("predict", "score")]
)
def test_before_fit_the_error_is_not_fitted(kind, method, installed, monkeypatch):
    if installed:
        expected = pytest.importorskip("sklearn.exceptions").NotFittedError
    else:
        monkeypatch.setitem(sys.modules, "sklearn.exceptions", None)
        expected = NotFittedError
    model = kind()
    for error in (expected, ValueError, AttributeError):
        with pytest.raises(error, match=refusal(kind.__name__)):
            getattr(model, method)(X, *([LABELS] if kind is CfCClassifier else [TOTAL])[: method == "score"])
    with pytest.raises(expected):
        CfCClassifier().predict_proba(X)
    with pytest.raises((ValueError, TypeError)):
        model.set_params(epochs=0).fit(X, LABELS if kind is CfCClassifier else TOTAL)
    with pytest.raises(expected):
        getattr(model, method)(X, *([LABELS] if kind is CfCClassifier else [TOTAL])[: method == "score"])


def test_a_second_fit_that_fails_leaves_the_first():
    model = CfCRegressor(**FAST).fit(X, TOTAL, DT)
    ref = model.predict(X, DT)
    for wrong in ({"y": TOTAL[:3]}, {"X": [x[:, :1] for x in X], "y": TOTAL * 1e305}, {"y": TOTAL[:, None]}):
        with pytest.raises((ValueError, TypeError)):
            model.set_params(epochs=0).fit(**{"X": X, "y": TOTAL, **wrong})
        assert_close(model.predict(X, DT), ref, 0, 0)
    classes = CfCClassifier(**FAST).fit(X, LABELS)
    with pytest.raises((ValueError, TypeError)):
        classes.set_params(l2=-1).fit(X, np.arange(36) % 5)
    assert classes.score(X, LABELS) <= 1


# --- constants and extremes

CONSTANTS = (0.1, 1 / 3, -7e-9, 1e9 + 0.1, 4.0, 0.0, 1e-200, 2.5e200)


@pytest.mark.parametrize("value", CONSTANTS)
def test_a_constant_up_to_rounding_scores_0_or_1(value):
    rng = np.random.default_rng(1)
    nearly = np.full(36, value) * (1 + rng.integers(-1, 2, 36) * 2.0**-52)  # 0.1 is also 0.30000000000000004 - 0.2
    model = CfCRegressor(**{**FAST, "epochs": 1}).fit(X, nearly)
    assert np.isfinite(model.predict(X)).all()
    for y in (np.full(36, value), nearly):
        assert model.score(X, y) == float(np.array_equal(model.predict(X), y))
    model.predict = lambda X, timespans=None: nearly
    assert model.score(X, nearly) == 1
    assert model.score(X, np.full(36, value + 1)) == 0


@given(st.sampled_from([1e-300, 1e-160, 1e-30, 1e30, 1e160, 1e298]), st.sampled_from(["X", "y", "both"]))
@settings(max_examples=8)
def test_units_of_any_size_are_the_same_problem(factor, of):
    """A power of two near the factor, so that not even rounding differs."""
    power = 2.0 ** np.round(np.log2(factor))
    a, b = power if of != "y" else 1.0, power if of != "X" else 1.0
    ref = CfCRegressor(**FAST).fit(X, TOTAL)
    model = CfCRegressor(**FAST).fit([x * a for x in X], TOTAL * b)
    assert_close(model.predict([x * a for x in X]) / b, ref.predict(X), 1e-6, 1e-6)
    assert_close(model.score([x * a for x in X], TOTAL * b), ref.score(X, TOTAL), 1e-6, 1e-6)


@pytest.mark.parametrize("value", [1.1e300, -1.7e308])
def test_numbers_whose_differences_overflow_are_refused(value):
    large = [x.copy() for x in X]
    large[3][1, 1] = value
    bad.refuses(CfCRegressor(**FAST).fit, "X", large, y=TOTAL)
    bad.refuses(CfCClassifier(**FAST).fit, "X", large, y=LABELS)
    bad.refuses(CfCRegressor(**FAST).fit, "y", np.where(np.arange(36) == 4, value, TOTAL), X=X)
    steps = [y.copy() for y in RUNNING]
    steps[2][1] = value
    bad.refuses(CfCRegressor(**FAST, return_sequences=True).fit, "y", steps, X=X)
    model = CfCRegressor(**FAST).fit(X, TOTAL)
    with pytest.raises(ValueError, match=refusal("X")):
        model.predict(large)


@pytest.mark.parametrize("kind", [CfCRegressor, CfCClassifier])
def test_timespans_belong_to_both_or_to_neither(kind):
    y = TOTAL if kind is CfCRegressor else LABELS
    with pytest.raises(ValueError, match=refusal("timespans")):
        kind(**FAST).fit(X, y, DT).predict(X)
    with pytest.raises(ValueError, match=refusal("timespans")):
        kind(**FAST).fit(X, y).predict(X, DT)


BAD_X = {
    "X": (None, "abc", 1.0, [], X[0], np.zeros((2, 3, 4, 5)), np.zeros((0, 3, 2))),
    "X[0]": ([1.0], [[1.0, 2.0]], np.zeros((2, 0, 2)), [np.zeros((3, 0))], ["ab"], [[["1", "2"]]]),
    "X[1]": ([X[0], X[1][:, :1]], [X[0], X[1][:0]], [X[0], np.full((3, 2), np.nan)], [X[0], None]),
}
REGRESSION = [
    *[("X", named, value) for named, values in BAD_X.items() for value in values],
    *[("y", "y", value) for value in (None, "abc", LABELS, TOTAL[:5], np.full(36, np.nan), np.zeros((36, 0)))],
    *[
        ("timespans", "timespans", value)
        for value in (-1.0, "1", np.nan, DT[:5], [-t for t in DT], [X[i] for i in range(36)])
    ],
    *[("timespans", "timespans[2]", value) for value in ([*DT[:2], DT[2][:-1], *DT[3:]], [*DT[:2], None, *DT[3:]])],
]


@pytest.mark.parametrize(("argument", "named", "value"), REGRESSION)
def test_bad_input_of_a_regression_is_refused(argument, named, value):
    given = {"X": X, "y": TOTAL}
    bad.refuses(
        CfCRegressor(**FAST).fit, argument, value, named=named, **{k: v for k, v in given.items() if k != argument}
    )


@pytest.mark.parametrize(
    "value", [None, "a", LABELS[:5], ["a"] * 36, [np.nan, 1.0] * 18, ["a", 1] * 18, TOTAL[:, None]]
)
def test_bad_labels_are_refused(value):
    if isinstance(value, list) and "a" in value and 1 in value:
        value = np.array(value, object)  # NumPy would write the 1 as text
    bad.refuses(CfCClassifier(**FAST).fit, "y", value, X=X)


@pytest.mark.parametrize(
    ("named", "value"),
    [
        ("y", TOTAL[:5]),
        ("y[0]", TOTAL),
        ("y[0]", [y[:-1] for y in RUNNING]),
        ("y", 1.0),
        ("y[1]", [RUNNING[0], *X[1:]]),
    ],
)
def test_bad_targets_of_steps_are_refused(named, value):
    bad.refuses(CfCRegressor(**FAST, return_sequences=True).fit, "y", value, named=named, X=X)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("validation_fraction", value) for value in (-0.1, 1.0, "1", None, np.nan)],
        *[("units", value) for value in (0, 1.5, None)],
        *[("epochs", value) for value in (0, 1.5, None)],
        *[("batch_size", value) for value in (0, None)],
        *[("learning_rate", value) for value in (0, -1, "1")],
        *[("seed", value) for value in (-1, None)],
        *[("patience", value) for value in (0, 3)],
        ("mode", "LTC"),
        ("return_sequences", 1),
        ("l2", -1),
    ],
)
def test_bad_settings_are_refused_in_fit(name, value):
    with pytest.raises((ValueError, TypeError), match=refusal(name)):
        CfCRegressor(**{**FAST, name: value}).fit(X, TOTAL)


def test_other_features_than_in_fit_are_refused():
    with pytest.raises(ValueError, match=refusal("X")):
        CfCRegressor(**FAST).fit(X, TOTAL).predict([x[:, :1] for x in X])


def test_too_few_sequences_to_hold_one_back_are_refused():
    with pytest.raises(ValueError, match=refusal("X")):
        CfCRegressor(**FAST, validation_fraction=0.1).fit(X[:1], TOTAL[:1])


# --- padding and scaling


def test_padding_comes_off_again():
    sequences = pad("X", X)
    assert sequences.x.shape == (36, LENGTHS.max(), 2)
    assert sequences.mask.sum(axis=1).tolist() == LENGTHS.tolist()
    for ref, got in zip(X, unpad_like(sequences.x, sequences), strict=True):
        assert_close(got, ref, rtol=0, atol=0)
    for ref, got in zip(DT, unpad_like(pad_like("timespans", DT, sequences), sequences), strict=True):
        assert_close(got, ref, rtol=0, atol=0)


def test_standardised_columns_have_mean_0_and_deviation_1():
    values = RNG.normal([1e3, -5, 7], [1e-3, 40, 0], size=(50, 3))
    scaling = standardisation(values)
    standardised = scaling.apply(values)
    assert_close(standardised.mean(axis=0), np.zeros(3), atol=1e-8)
    assert_close(standardised.std(axis=0), [1, 1, 0], rtol=1e-9)
    assert_close(scaling.undo(standardised), values)


def test_the_unit_of_time_is_the_median_of_what_is_above_0():
    assert time_unit(np.array([[0.0, 3.0], [1.0, 9.0]])) == 3
    assert time_unit(np.zeros((2, 2))) == 1


# --- weights of classes


def test_balanced_classes_count_alike():
    y = np.where(np.arange(36) < 6, "rare", "usual")
    model = CfCClassifier(**FAST, class_weight="balanced").fit(X, y)
    by_hand = CfCClassifier(**FAST, class_weight={"rare": 36 / 12, "usual": 36 / 60}).fit(X, y)
    assert_close(model.predict_proba(X), by_hand.predict_proba(X))
    plain = CfCClassifier(**FAST).fit(X, y)
    heavy = CfCClassifier(**{**FAST, "epochs": 20}, learning_rate=0.05, class_weight={"rare": 1000.0}).fit(X, y)
    assert (heavy.predict(X) == "rare").sum() > (plain.predict(X) == "rare").sum()


@pytest.mark.parametrize("value", ["rare", {"other": 1.0}, {"low": 0.0}, {"low": np.nan}, 3])
def test_other_weights_of_classes_are_refused(value):
    bad.refuses(
        lambda class_weight: CfCClassifier(**FAST, class_weight=class_weight).fit(X, LABELS), "class_weight", value
    )
