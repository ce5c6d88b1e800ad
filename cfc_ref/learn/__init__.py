"""Training: `fit`, losses, optimisers, schedules, gradient clipping, estimators."""

from cfc_ref.facade import lazy

_PUBLIC = {
    "Adam": "cfc_ref.learn.optimizers",
    "AdamW": "cfc_ref.learn.optimizers",
    "CfCClassifier": "cfc_ref.learn.estimators",
    "CfCRegressor": "cfc_ref.learn.estimators",
    "Constant": "cfc_ref.learn.schedules",
    "Cosine": "cfc_ref.learn.schedules",
    "CrossEntropy": "cfc_ref.learn.losses",
    "Exponential": "cfc_ref.learn.schedules",
    "GlobalNorm": "cfc_ref.learn.gradients",
    "History": "cfc_ref.learn.history",
    "LOSSES": "cfc_ref.learn.losses",
    "METRICS": "cfc_ref.learn.metrics",
    "PerEpoch": "cfc_ref.learn.schedules",
    "RMSprop": "cfc_ref.learn.optimizers",
    "SGD": "cfc_ref.learn.optimizers",
    "TensorNorm": "cfc_ref.learn.gradients",
    "accuracy": "cfc_ref.learn.metrics",
    "auc": "cfc_ref.learn.metrics",
    "binary_cross_entropy": "cfc_ref.learn.losses",
    "cross_entropy": "cfc_ref.learn.losses",
    "fit": "cfc_ref.learn.training_loop",
    "mse": "cfc_ref.learn.losses",
    "softmax": "cfc_ref.learn.losses",
}

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
