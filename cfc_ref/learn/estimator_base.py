"""The base of the estimators: parameters, scaling, fitting and running. scikit-learn is loaded only if it is in use."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.layers.cfc import CfC
from cfc_ref.learn.examples import predict
from cfc_ref.learn.optimizers import Adam
from cfc_ref.learn.recipe import Recipe
from cfc_ref.learn.scaling import ColumnScaling, standardisation, time_unit
from cfc_ref.learn.sequences import Sequences, pad, pad_like
from cfc_ref.learn.training_loop import train

if TYPE_CHECKING:
    from cfc_ref.learn.history import History
    from cfc_ref.wirings import Wiring

__all__ = ["ANOTHER_UNIT", "LARGEST", "Estimator", "NotFittedError"]

Self = TypeVar("Self", bound="Estimator")


LARGEST = 1e300  # differences of larger numbers overflow
ANOTHER_UNIT = f"numbers of at most {LARGEST:g}", "use a larger unit"
_RECIPE = ("epochs", "batch_size", "l2", "patience", "seed")
_NETWORK = (
    *("units", "mode", "mixed_memory", "activation", "seed"),
    *("backbone_units", "backbone_layers", "backbone_dropout"),
)
_ROUTING = "sklearn.set_config(enable_metadata_routing=True)"


class NotFittedError(ValueError, AttributeError):
    """The error of an estimator that is used before fit, if scikit-learn is not installed, whose error it is else."""


@dataclass(eq=False, repr=False)
class Estimator:
    """The common part of both estimators: parameters, scaling, fitting and running."""

    units: int | Wiring = 32
    mode: str = "default"
    mixed_memory: bool = False
    activation: str = "silu"
    backbone_units: int | None = None
    backbone_layers: int | None = None
    backbone_dropout: float | None = None
    learning_rate: float = 0.002
    epochs: int = 100
    batch_size: int = 32
    l2: float = 0.0
    validation_fraction: float = 0.0
    patience: int | None = None
    seed: int = 0
    progress: bool = False

    _kind: ClassVar[str]  # scikit-learn's name

    # --- parameters by scikit-learn's conventions

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self: Self, **params: Any) -> Self:
        """Set arguments of the constructor, and return the estimator."""
        for name in params:
            checks.choice("params", name, self.get_params())
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        own = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not f.default}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in own.items())})"

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags, from 1.6 on."""
        utils = importlib.import_module("sklearn.utils")
        kind = self._kind
        return utils.Tags(
            estimator_type=kind,
            target_tags=utils.TargetTags(required=True, multi_output=kind == "regressor"),
            classifier_tags=utils.ClassifierTags() if kind == "classifier" else None,
            regressor_tags=utils.RegressorTags() if kind == "regressor" else None,
            input_tags=utils.InputTags(two_d_array=False, three_d_array=True),
        )

    def get_metadata_routing(self) -> Any:
        """Return scikit-learn's request for timespans: with routing on, a search passes them to every method."""
        request = importlib.import_module("sklearn.utils.metadata_routing").MetadataRequest(owner=self)
        for method in ("fit", "predict", "score", *(["predict_proba"] if self._kind == "classifier" else [])):
            getattr(request, method).add_request(param="timespans", alias=True)
        return request

    # --- fitting and running

    def _split(self, N: int) -> tuple[Array, Array]:
        """Return the indices of the sequences to train on, and of those that are held back."""
        share = checks.number("validation_fraction", self.validation_fraction)
        if not 0 <= share < 1:
            checks.refuse("validation_fraction", repr(share), "a share in [0, 1)", "pass 0 to hold nothing back")
        held_back = int(np.ceil(share * N))
        if held_back == N:
            checks.refuse("X", f"{N} sequences", "at least one more than the validation needs", "pass more")
        order = np.random.default_rng(checks.count("seed", self.seed)).permutation(N)
        return np.sort(order[held_back:]), np.sort(order[:held_back])

    def _fit(self, sequences: Sequences, y: Array, timespans: Any, split: tuple[Array, Array], **task: Any) -> None:
        """Fit to targets in the loss's form; `task` holds `loss`, the number of `outputs`, and `per_step`."""
        if timespans is not None:
            self._refuse_search()
        learned, held_back = split
        dt, real = _timespans(timespans, sequences), sequences.mask[learned]
        checks.compare("X", sequences.x, np.abs(sequences.x) <= LARGEST, *ANOTHER_UNIT)
        features = sequences.x.shape[2]
        scaling = standardisation(sequences.x[learned][real])
        unit = None if timespans is None else time_unit(dt[learned][real])
        network = {name: getattr(self, name) for name in _NETWORK}
        model = CfC(features, proj_size=task["outputs"], return_sequences=task["per_step"], **network)
        x, dt, mask = _scaled(sequences, dt, scaling, unit)
        data = (x[learned], y[learned], dt[learned], mask[learned])
        validation = (x[held_back], y[held_back], dt[held_back], mask[held_back]) if held_back.size else None
        history = train(self._recipe(task["loss"]), model, data, validation, progress=self.progress)
        # At the end: an estimator whose second fit fails keeps the attributes of the first
        self.n_features_in_: int = features
        self.x_scaling_: ColumnScaling = scaling
        self.timespan_unit_: float | None = unit
        self.model_: CfC = model
        self.history_: History = history

    def _recipe(self, loss: str) -> Recipe:
        adam, same = Adam(self.learning_rate), {name: getattr(self, name) for name in _RECIPE}
        return Recipe(loss, adam, schedule="cosine", clip=1.0, **same)

    def _refuse_search(self) -> None:
        """Refuse timespans in a search of scikit-learn that passes them to fit but not to score, which gives NaN."""
        frame = sys._getframe().f_back
        while frame and frame.f_globals.get("__name__") != "sklearn.model_selection._validation":
            frame = frame.f_back
        if frame and not importlib.import_module("sklearn").get_config()["enable_metadata_routing"]:
            got = "some in a search of scikit-learn, which does not pass them on to the scores"
            checks.refuse("timespans", got, "scikit-learn's metadata routing", f"call {_ROUTING} first")

    def _run(self, X: Any, timespans: Any) -> tuple[Array, Sequences]:
        """Return the network's outputs."""
        if not hasattr(self, "model_"):
            error = _not_fitted_error()
            checks.refuse(type(self).__name__, "one that is not fitted", "a fitted one", "call fit first", error)
        sequences = pad("X", X)
        if sequences.x.shape[2] != self.n_features_in_:
            got = f"{sequences.x.shape[2]} features"
            checks.refuse("X", got, f"{self.n_features_in_}, as in fit", "pass the same features")
        if (timespans is None) != (self.timespan_unit_ is None):
            got, wanted = ("none", "some, as in fit") if timespans is None else ("some", "none, as in fit")
            do = f"pass them to fit and here, or to neither; through scikit-learn after {_ROUTING}"
            checks.refuse("timespans", got, wanted, do)
        given = _scaled(sequences, _timespans(timespans, sequences), self.x_scaling_, self.timespan_unit_)
        return predict(self.model_, *given, batch_size=self.batch_size).astype(np.float64), sequences


def _not_fitted_error() -> type[Exception]:
    try:
        error: type[Exception] = importlib.import_module("sklearn.exceptions").NotFittedError
    except Exception:  # not installed, or broken
        return NotFittedError
    return error


def _scaled(sequences: Sequences, dt: Array, scaling: ColumnScaling, unit: float | None) -> tuple[Array, Array, Array]:
    """Return the network's arguments: x, timespans and mask."""
    with np.errstate(over="ignore"):
        x = scaling.apply(sequences.x)
    expected = "numbers that float32 holds after standardisation"
    checks.compare("X", sequences.x, np.abs(x) <= np.finfo(np.float32).max, expected, "remove such outliers")
    return x, dt / (unit or 1.0), sequences.mask


def _timespans(timespans: Any, sequences: Sequences) -> Array:
    """Return timespans of all steps, shape (N, T), in the caller's unit."""
    if timespans is None:
        return np.ones(sequences.mask.shape)
    scalar = np.isscalar(timespans)
    dt = np.asarray(checks.number("timespans", timespans)) if scalar else pad_like("timespans", timespans, sequences)
    if dt.ndim > 2:
        do = "pass one array of shape (T,) per sequence"
        checks.refuse("timespans", f"arrays of {dt.ndim - 1} axes", "one time per step", do)
    checks.compare("timespans", dt, dt >= 0, "times >= 0", "pass the time since the last sample")
    return np.broadcast_to(dt, sequences.mask.shape)
