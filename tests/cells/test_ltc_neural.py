"""Eq. 1 with a neural f: what is its own; sums, backwards and solvers are tested with the synaptic form's."""

import numpy as np

from cfc_ref import LTCNeuron, solve
from cfc_ref.cells.dense import Dense
from cfc_ref.cells.ltc.neural import NEURAL, NeuralLTCParams, trace_neural_ltc
from cfc_ref.cells.ode import Scheme
from cfc_ref.cells.solvers import solver_step
from tests.cells.networks import draw
from tests.compare import assert_close


def test_one_neuron_that_does_not_read_itself_is_the_neuron_of_eq_1():
    w_tau, A, sigma, mu, x0, I, t = 0.7, -1.3, 2.0, 0.4, 0.9, 1.1, 1.7
    f = Dense(np.array([[sigma, 0.0]]), np.array([-sigma * mu]))
    params = NeuralLTCParams(f, np.array([w_tau]), np.array([A]))
    one = np.ones((1, 1))
    neuron = LTCNeuron(w_tau, A, mu, sigma)
    for solver in ("frozen", "frozen_midpoint", "scipy"):  # exact for a constant f
        got, _ = solver_step(Scheme(NEURAL, solver, 1), params, I * one, x0 * one, t * one)
        assert_close(got.item(), solve(neuron, I, x0, t), rtol=1e-9)


def test_the_fused_step_is_the_papers():
    """Hasani et al. 2021, Eq. 3: x⁺ = (x + h f A) / (1 + h (w + f))."""
    p = draw("neural", np.random.default_rng(0))
    got, _ = solver_step(Scheme(NEURAL, "fused", 1), p.params, p.I, p.x, p.dt)
    for b in range(len(p.x)):
        for i, (_, G, Q) in enumerate(p.sums(b)(p.x[b].tolist())):
            h = p.dt[b, 0]
            f = G - p.params.w_tau[i]
            assert_close(Q, f * p.params.A[i])
            assert_close(got[b, i], (p.x[b, i] + h * f * p.params.A[i]) / (1 + h * (p.params.w_tau[i] + f)))


def test_the_currents_of_a_trace_add_up():
    p = draw("neural", np.random.default_rng(0))
    trace = trace_neural_ltc(p.params, p.I, p.x)
    assert_close(trace["current"], trace["synaptic_current"] + trace["leak_current"])
    assert_close(trace["current"] * trace["time_constant"], trace["equilibrium"] - p.x)
    assert_close(1 / trace["time_constant"], p.params.w_tau + trace["release"])
    assert ((trace["release"] > 0) & (trace["release"] < 1)).all()
