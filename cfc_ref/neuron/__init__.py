"""One neuron, in the order of the derivation: both ODEs, their solutions, the closed forms."""

from cfc_ref.facade import lazy

_PUBLIC = {
    "LTCNeuron": "cfc_ref.neuron.model",
    "closed_form": "cfc_ref.neuron.closed_forms",
    "constant_piece": "cfc_ref.neuron.exact_solution",
    "eq6": "cfc_ref.neuron.exact_solution",
    "eq9": "cfc_ref.neuron.closed_forms",
    "exact": "cfc_ref.neuron.exact_solution",
    "frozen": "cfc_ref.neuron.closed_forms",
    "gauss_piece": "cfc_ref.neuron.closed_forms",
    "halved_releases": "cfc_ref.neuron.closed_forms",
    "ltc_ode": "cfc_ref.neuron.model",
    "solve": "cfc_ref.neuron.trajectory",
    "symmetric_ode": "cfc_ref.neuron.model",
}

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
