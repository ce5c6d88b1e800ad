"""One neuron, in the order of the derivation: both ODEs, their solutions, the closed forms."""

from cfc_ref.facade import by_name, lazy

_PUBLIC = by_name({
    "cfc_ref.neuron.closed_forms": ("closed_form", "eq9", "frozen", "gauss_piece", "halved_releases"),
    "cfc_ref.neuron.exact_solution": ("constant_piece", "eq6", "exact"),
    "cfc_ref.neuron.model": ("ltc_ode", "LTCNeuron", "symmetric_ode"),
    "cfc_ref.neuron.trajectory": ("solve",),
})  # fmt: skip

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
