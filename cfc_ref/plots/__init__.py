"""Figures: each function takes `ax` (or makes one) and returns it."""

from cfc_ref.facade import lazy

_PUBLIC = {
    "COLOURS": "cfc_ref.plots.style",
    "LOOKS": "cfc_ref.plots.style",
    "STATE_LABEL": "cfc_ref.plots.style",
    "TIME_LABEL": "cfc_ref.plots.style",
    "axes_or_new": "cfc_ref.plots.style",
    "curve": "cfc_ref.plots.style",
    "dress": "cfc_ref.plots.style",
    "explore": "cfc_ref.plots.interactive",
    "plot_cell": "cfc_ref.plots.cells",
    "plot_closed_form_steps": "cfc_ref.plots.trajectories",
    "plot_error": "cfc_ref.plots.trajectories",
    "plot_extremal": "cfc_ref.plots.extremes",
    "plot_forms": "cfc_ref.plots.trajectories",
    "plot_history": "cfc_ref.plots.training",
    "plot_integral": "cfc_ref.plots.trajectories",
    "plot_lemma1_extremal": "cfc_ref.plots.extremes",
    "plot_masks": "cfc_ref.plots.cells",
    "plot_order": "cfc_ref.plots.convergence",
    "plot_radius_per_step": "cfc_ref.plots.known",
    "plot_ratio_of_eq9": "cfc_ref.plots.known",
    "plot_samples": "cfc_ref.plots.known",
    "plot_samples_of_input": "cfc_ref.plots.known",
    "plot_search": "cfc_ref.plots.extremes",
    "plot_signal": "cfc_ref.plots.trajectories",
    "plot_time_constant": "cfc_ref.plots.trajectories",
    "plot_translation_error": "cfc_ref.plots.translation",
    "plot_tube": "cfc_ref.plots.translation",
    "plot_wiring": "cfc_ref.plots.nets",
    "plot_work_precision": "cfc_ref.plots.convergence",
    "plot_worst_error_leak": "cfc_ref.plots.extremes",
    "plot_worst_error_range": "cfc_ref.plots.extremes",
    "recorded_example": "cfc_ref.neuron.example",
    "visible": "cfc_ref.plots.style",
    "work_precision": "cfc_ref.plots.convergence",
}

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
