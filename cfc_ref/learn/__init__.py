"""Training: `fit`, losses, optimisers, schedules, gradient clipping, estimators."""

from cfc_ref.facade import by_name, lazy

_PUBLIC = by_name({
    "cfc_ref.learn.estimators": ("CfCClassifier", "CfCRegressor"),
    "cfc_ref.learn.gradients": ("GlobalNorm", "TensorNorm"),
    "cfc_ref.learn.history": ("History",),
    "cfc_ref.learn.losses": ("binary_cross_entropy", "cross_entropy", "CrossEntropy", "LOSSES", "mse", "softmax"),
    "cfc_ref.learn.metrics": ("accuracy", "auc", "METRICS"),
    "cfc_ref.learn.optimizers": ("Adam", "AdamW", "RMSprop", "SGD"),
    "cfc_ref.learn.schedules": ("Constant", "Cosine", "Exponential", "PerEpoch"),
    "cfc_ref.learn.training_loop": ("fit",),
})  # fmt: skip

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
