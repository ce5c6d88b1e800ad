"""Every bound, each written once.

Of neurons: :mod:`.neuron`, :mod:`.frozen`, :mod:`.samples` (what samples tell), :mod:`.looks` (what any form can know);
of networks: :mod:`.network`.
"""

from cfc_ref.facade import by_name, lazy

_PUBLIC = by_name({
    "cfc_ref.bounds.certificates": ("box", "lipschitz", "network_box", "tube"),
    "cfc_ref.bounds.frozen": ("frozen_error", "frozen_step_error", "release_derivatives"),
    "cfc_ref.bounds.looks": ("best_look", "radius", "radius_per_step", "ratio_of_eq9"),
    "cfc_ref.bounds.neuron": (
        "asymptotic_error", "closed_form_error", "form_gap", "lemma1", "reachable_states", "state_box",
        "time_constant", "two_term"
    ),
    "cfc_ref.bounds.round_off": ("rounding",),
    "cfc_ref.bounds.samples": ("extremal_input", "from_samples", "SampleStream"),
    "cfc_ref.bounds.synaptic": ("FrozenCertificate", "network_frozen_error", "network_time_constant"),
})  # fmt: skip

__all__ = sorted(_PUBLIC)
__getattr__, __dir__ = lazy(__name__, _PUBLIC)
