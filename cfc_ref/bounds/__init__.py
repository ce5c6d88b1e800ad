"""Every bound, each written once.

Of neurons: :mod:`.neuron`, :mod:`.frozen`, :mod:`.samples` (what samples tell), :mod:`.looks` (what any form can know);
of networks: :mod:`.network`.
"""

from cfc_ref.facade import lazy

_PUBLIC = {
    "FrozenCertificate": "cfc_ref.bounds.synaptic",
    "SampleStream": "cfc_ref.bounds.samples",
    "asymptotic_error": "cfc_ref.bounds.neuron",
    "best_look": "cfc_ref.bounds.looks",
    "box": "cfc_ref.bounds.certificates",
    "closed_form_error": "cfc_ref.bounds.neuron",
    "extremal_input": "cfc_ref.bounds.samples",
    "form_gap": "cfc_ref.bounds.neuron",
    "from_samples": "cfc_ref.bounds.samples",
    "frozen_error": "cfc_ref.bounds.frozen",
    "frozen_step_error": "cfc_ref.bounds.frozen",
    "lemma1": "cfc_ref.bounds.neuron",
    "lipschitz": "cfc_ref.bounds.certificates",
    "network_box": "cfc_ref.bounds.certificates",
    "network_frozen_error": "cfc_ref.bounds.synaptic",
    "network_time_constant": "cfc_ref.bounds.synaptic",
    "radius": "cfc_ref.bounds.looks",
    "radius_per_step": "cfc_ref.bounds.looks",
    "ratio_of_eq9": "cfc_ref.bounds.looks",
    "reachable_states": "cfc_ref.bounds.neuron",
    "release_derivatives": "cfc_ref.bounds.frozen",
    "state_box": "cfc_ref.bounds.neuron",
    "time_constant": "cfc_ref.bounds.neuron",
    "rounding": "cfc_ref.bounds.round_off",
    "tube": "cfc_ref.bounds.certificates",
    "two_term": "cfc_ref.bounds.neuron",
}

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
