"""The parts of the report's page that no run changes: the equations, the symbols, the method, the citation."""

from __future__ import annotations

__all__ = ["CITATION", "EQUATIONS", "METHOD", "SYMBOLS"]

EQUATIONS = """\
## The two equations

One neuron has a state x(t), an input I(t), a leak w > 0, a reversal potential A and a release y(t) = f(I(t)) in [0,
1]. The paper calls two different equations by one name (Hasani et al., Nature Machine Intelligence 4, 992, 2022):

- **LTC as stated** (Eq. 1 and 5): x' = -(w + y) x + A y
- **Symmetric form** (assumed by the proof, after Eq. 5): x' = -(w + y) x + A (w + y)

Eq. 6, x(t) = A + c exp(-w t - F(t)), solves the symmetric form exactly. The **closed form** (Eq. 9, Eq. 2) replaces
F(t) by one look at the input: x̃(t) = A + c exp(-(w + y(t)) t) r(y(t)). Both equations are the same if and only if
A = 0. Every statement below says which of them it is about."""

SYMBOLS = {
    "x, x̃, x0": "the state; the closed form's approximation of it; the state at t = 0",
    "I, f, mu, sigma": "the input; the release nonlinearity f(I) = 1/(1 + exp(-sigma (I - mu))); threshold, gain",
    "w (w_tau), A": "the leak, one over the time constant without input; the reversal potential",
    "c, z": "c = x0 - A; z(t) = x(t) - A",
    "y, F": "y(t) = f(I(t)), the release; F(t) = ∫₀ᵗ y(s) ds",
    "a, b": "a known range of the release: a <= y <= b; 0 and 1 if nothing is known",
    "r, g": "the reflection in Eq. 9, r(y) = 1 - y, or f(-I) as printed; g(y) = exp(-y t) r(y)",
    "k, M": "k = w + a; M = max(abs(c), abs(A) w/k), which bounds abs(z) for all time",
    "h, t": "the length of a step; the time at which the state is asked for",
    "L, L1 … L4": "the Lipschitz constant of y in time; bounds of its first to fourth derivative in time",
    "K": "the Lipschitz constant of the input in time",
    "C2, C4": "C2 = L1 (abs(A) w + M L1 h/2)/12 + M L2/24; "
    "C4 = abs(A) w ((w+b) L2/720 + 7 L3/576 + L1²/120 + L2² h²/960) + M L4/4320",
    "z_min, z_max": "the smallest and the largest z(t) over all inputs with a <= y <= b",
    "R, E9": "the least worst error of any form that sees the same looks at the input; the worst error of Eq. 9",
    "J_k(h), U, R₋": "J_k(h) = ∫₀ʰ exp(-k (h - s)) abs(s - h/2) ds; U = M L J_k(h) (1 - exp(-k t))/(1 - exp(-k h)), "
    "a bound from above of R; R₋, the same with k + L h and min(abs(c), abs(A) w/(w + y0)), a bound from below",
    "y0": "the release at every look of S19",
    "τ, τ*, ω": "the time of the one look; the best such time; ω(s) = (c - z∞) exp(-k t) + z∞ exp(-k (t - s)), "
    "k = w + y(τ), z∞ = -A w/k",
    "frozen": "the closed form that freezes y on each step at one value and solves the LTC as stated there",
    "tau_sys": "the time constant of the neuron, 1/(w + y)",
}

METHOD = """\
## How a verdict is reached

Cases are drawn at random, built from the proofs (inputs that switch where the proof says), found by a blind search,
or cut from the recorded input. The state of every case is computed in two independent ways, by scipy's DOP853 and
by the exact solution or quadrature. A comparison **decides** where the distance of the error from its bound is more
than ten times the difference of the two truths, plus rounding. It is **undecided** where it is nearer to the bound
than that: such cases touch the bound, as the extremal inputs of a sharp bound should, and count for neither side.
It is **left out** where the two truths differ by more than 1e-9 max(1, abs(x)), or a number overflows.

- **holds**: at least one comparison decides, none is outside, and where a statement says that a bound is
  approached, an input came to 0.999 of it (the column *tightness*; the smaller of both ends).
- **fails**: a decided comparison is outside, an end is not approached, or an order of convergence is not met within
  0.1.
- **not tested**: no comparison decides.

*Error over bound* belongs to one case: the one farthest outside of its bound, or else, if none is, the one that
comes nearest by ratio. 0 is the middle of the interval, 1 one of its ends."""

CITATION = """\
## Citation

```bibtex
@software{{cfc_ref,
  title = {{cfc_ref: reference implementation of liquid time-constant and closed-form continuous-time networks}},
  author = {{{{The cfc-ref developers}}}},
  version = {{{version}}}
}}
@article{{hasani2022closed,
  title = {{Closed-form continuous-time neural networks}},
  author = {{Hasani, Ramin and Lechner, Mathias and Amini, Alexander and Liebenwein, Lucas and Ray, Aaron and
            Tschaikowski, Max and Teschl, Gerald and Rus, Daniela}},
  journal = {{Nature Machine Intelligence}}, volume = {{4}}, pages = {{992--1003}}, year = {{2022}},
  doi = {{10.1038/s42256-022-00556-7}}
}}
```"""
