"""Figures: each function takes `ax` (or makes one) and returns it."""

from cfc_ref.facade import by_name, lazy

_PUBLIC = by_name({
    "cfc_ref.neuron.example": ("recorded_example",),
    "cfc_ref.plots.cells": ("plot_cell", "plot_masks"),
    "cfc_ref.plots.convergence": ("plot_order", "plot_work_precision", "work_precision"),
    "cfc_ref.plots.extremes": (
        "plot_extremal", "plot_lemma1_extremal", "plot_search", "plot_worst_error_leak", "plot_worst_error_range"
    ),
    "cfc_ref.plots.interactive": ("explore",),
    "cfc_ref.plots.known": ("plot_radius_per_step", "plot_ratio_of_eq9", "plot_samples", "plot_samples_of_input"),
    "cfc_ref.plots.nets": ("plot_wiring",),
    "cfc_ref.plots.style": (
        "axes_or_new", "COLOURS", "curve", "dress", "LOOKS", "STATE_LABEL", "TIME_LABEL", "visible"
    ),
    "cfc_ref.plots.training": ("plot_history",),
    "cfc_ref.plots.trajectories": (
        "plot_closed_form_steps", "plot_error", "plot_forms", "plot_integral", "plot_signal", "plot_time_constant"
    ),
    "cfc_ref.plots.translation": ("plot_translation_error", "plot_tube"),
})  # fmt: skip

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
