"""The statements: each with its equation, its ODE, its assumptions, its check and its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cfc_ref.report import judges, knowable, sampling
from cfc_ref.report.judge import Evaluation
from cfc_ref.report.judges import STATED, SYMMETRIC, Judge
from cfc_ref.report.networks import cf4_cases
from cfc_ref.report.recording import Recording

__all__ = ["APPROACH", "ORDER_WITHIN", "STATEMENTS", "Statement", "Trial"]

# Draws about as many cases as it is asked to, with the fixed values of a neuron and the recording, and judges them.
Trial = Callable[[int, np.random.Generator, Mapping[str, float], Recording], Evaluation]

APPROACH = 0.999
ORDER_WITHIN = 0.1
_F_IN_01 = "f measurable with values in [0, 1]"
_F_IN_AB = "f measurable; f(I) in a known range [a, b] within [0, 1]"
_SLOW = "f(I(t)) in [0, 1] is Lipschitz in time with the constant L"
_BOTH = f"{STATED} and {SYMMETRIC}"


@dataclass(frozen=True)
class Statement:
    """One statement of the report. It is judged on the cases that all share, or on those that it draws itself."""

    name: str
    title: str
    equation: str
    form: str
    assumptions: str
    how: str
    judged: Judge | None = None  # on the shared cases
    trial: Trial | None = None  # on its own
    expected: str = "holds"
    ends: tuple[str, ...] = ()  # ends that have to be approached to APPROACH
    orders: tuple[tuple[str, int], ...] = ()  # forms whose order has to be met within ORDER_WITHIN
    figures: tuple[str, ...] = ()  # file names in cfc_ref.plots.report


STATEMENTS: dict[str, Statement] = {
    s.name: s
    for s in (
        Statement(
            "S1",
            "Eq. 6 solves the symmetric form",
            "x = A + c exp(-w t - F)",
            SYMMETRIC,
            "f measurable",
            "Eq. 6, with F elementary or by quadrature, against scipy: equal to 1e-9 max(1, |x|)",
            judges.eq6_solves,
        ),
        Statement(
            "S2",
            "Eq. 8 is exact for piecewise-constant input",
            "F = sum of f(I_i) dt_i in Eq. 6",
            SYMMETRIC,
            "the input is piecewise constant",
            "Eq. 8 against scipy: equal to 1e-9 max(1, |x|)",
            judges.eq8_solves,
        ),
        Statement(
            "S3",
            "Lemma 1: the bound",
            "|x - x̃| <= |c| exp(-w t)",
            SYMMETRIC,
            _F_IN_01,
            "the error of Eq. 9 against the bound",
            judges.lemma1,
            figures=("error.png",),
        ),
        Statement(
            "S4",
            "Lemma 1: its supremum is approached",
            "sup (x - x̃)/c = exp(-w t)",
            SYMMETRIC,
            f"{_F_IN_01}, inf f = 0, sup f = 1, c != 0, t > 0",
            "held; approached by the proof's input (low, high just before t) and by a blind search",
            judges.ends_of_lemma1("high"),
            ends=("high",),
            figures=("lemma1.png",),
        ),
        Statement(
            "S5",
            "Lemma 1: its infimum is approached",
            "inf (x - x̃)/c = exp(-w t) (exp(-t) - 1)",
            SYMMETRIC,
            f"{_F_IN_01}, inf f = 0, sup f = 1, c != 0, t > 0",
            "held; approached by the proof's input (high, low just before t) and by a blind search",
            judges.ends_of_lemma1("low"),
            ends=("low",),
            figures=("lemma1.png",),
        ),
        Statement(
            "S6",
            "Lemma 1 for a known range, and its sharpness",
            "(x - x̃)/(c exp(-w t)) in [exp(-b t) - g(a), exp(-a t) - g(b)]",
            SYMMETRIC,
            _F_IN_AB,
            "held; attained by a jump at t, approached by a blind search",
            judges.lemma1_of_range,
            ends=("low", "high"),
            figures=("lemma1.png",),
        ),
        Statement(
            "S7",
            "Gap between the two ODEs",
            "x_sym - x_LTC between A w (1 - exp(-(w+y) t))/(w+y) at y = b and y = a",
            _BOTH,
            _F_IN_AB,
            "the difference of the two truths against the interval",
            judges.gap,
            figures=("forms.png",),
        ),
        Statement(
            "S8",
            "Lemma 1's bound against the LTC as stated",
            "|x_LTC - x̃| <= |c| exp(-w t)",
            STATED,
            "none beside Lemma 1's; the proof replaces this ODE by the symmetric form",
            "the error of Eq. 9 against the bound: one decided case outside refutes it",
            judges.lemma1_against_ltc,
            expected="fails",
            figures=("error.png",),
        ),
        Statement(
            "S9",
            "Sharp interval for the LTC as stated",
            "x_LTC - x̃ in [z_min - max c exp(-w t) g, z_max - min c exp(-w t) g]",
            STATED,
            _F_IN_AB,
            "held; both ends approached by bang-bang controls with a jump at t, and by a blind search",
            judges.sharp,
            ends=("low", "high"),
            figures=("extremal.png", "worst_error_leak.png", "worst_error_range.png"),
        ),
        Statement(
            "S10",
            "The error against the LTC as stated does not decay",
            "x_LTC - x̃ in {-A w/(w+y)} ± (dist + |c| r(a)) exp(-(w+a) t)",
            STATED,
            f"{_F_IN_AB}; A != 0",
            "the error against that interval, from the time on at which it excludes 0",
            judges.no_decay,
            figures=("error.png",),
        ),
        Statement(
            "S11",
            "Frozen form: uniform bounds, start and midpoint",
            "|error| <= M L h (1 - exp(-k t))/k, half of it, C2 h³/(1 - exp(-k h))",
            STATED,
            f"{_F_IN_AB}; f(I(t)) smooth within each step",
            "the errors at the ends of all pieces against the bounds; orders by halving the step",
            judges.frozen_forms("start", "midpoint"),
            orders=(("start", 1), ("midpoint", 2)),
            figures=("work_precision.png",),
        ),
        Statement(
            "S12",
            "Bounds of the state and of the time constant",
            "min(0, A) <= x <= max(0, A), from outside nearer by exp(-w t); 1/(w+1) <= tau_sys <= 1/w",
            STATED,
            f"{_F_IN_01}; one synapse",
            "the state against its box; the measured rate at which two solutions approach",
            judges.boxes,
        ),
        Statement(
            "S13",
            "Closed form of order 4 and its bound",
            "|error| <= C4 h⁵/(1 - exp(-k h))",
            STATED,
            f"{_F_IN_AB}; f(I(t)) four times differentiable within each step",
            "the errors at the ends of all pieces against the bound; its order, and that of two frozen halves",
            judges.frozen_forms("gauss"),
            orders=(("gauss", 4), ("halves", 4)),
            figures=("work_precision.png",),
        ),
        Statement(
            "S14",
            "Lemma 1 under its printed hypotheses",
            "|x - x̃| <= |c| exp(-w t) with f = 3·logistic",
            SYMMETRIC,
            "as printed: f Lipschitz, positive, monotone, bounded; needed is 0 <= f <= 1",
            "f = 3·logistic meets the printed hypotheses: one decided case outside refutes them",
            judges.tripled_release,
            expected="fails",
        ),
        Statement(
            "S15",
            "Two-term bound for the LTC as stated",
            "|x_LTC - x̃| <= |c| exp(-w t) + |A| w (1 - exp(-(w+a) t))/(w+a)",
            STATED,
            _F_IN_AB,
            "the error of Eq. 9 against the bound",
            judges.two_terms,
        ),
        Statement(
            "S16",
            "What samples tell: the sharp enclosure",
            "x_min(t) <= x(t) <= x_max(t) for every input through the samples with |I(s) - I(s')| <= K |s - s'|",
            STATED,
            "the input, or f(I), is Lipschitz in time with the constant K; its samples are known",
            "random inputs and recordings thinned to every k-th sample: the state against the enclosure; "
            "its ends attained by the extremal inputs, three straight lines at full speed per interval",
            trial=sampling.enclosed,
            ends=("low", "high"),
            figures=("samples.png",),
        ),
        Statement(
            "S17",
            "No form with one look at t has a worst error below R",
            "two inputs that agree at t end 2 R apart; E9/R >= 2 for the symmetric form, and for c A <= 0",
            _BOTH,
            f"{_F_IN_AB}; E9: largest error of Eq. 9 over these inputs",
            "pairs of bang-bang inputs that jump to one value at t, and random pairs: their distance against 2 R, "
            "which it has to reach; Eq. 9's worst error on the pairs against 2 R",
            trial=knowable.one_look,
            ends=("high",),
            figures=("ratio_of_eq9.png",),
        ),
        Statement(
            "S18",
            "The frozen midpoint with one Lipschitz constant: U",
            "|error(t)| <= U = M L J_k(h) (1 - exp(-k t))/(1 - exp(-k h))",
            STATED,
            _SLOW,
            "random inputs and sawtooths about the looks: the frozen midpoint's error against U, which it has to reach",
            trial=knowable.midpoint,
            ends=("high",),
            figures=("radius.png",),
        ),
        Statement(
            "S19",
            "No form with one look per step has a worst error below R₋, and U is near it",
            "R₋ <= R <= U; U <= (1 + L h/k)(1 + L h/2k) exp(L h²) R for y0 = a + L h/2, c = -A w/(w + a)",
            STATED,
            f"{_SLOW}; c A <= 0; all looks, in the middle of each step, find y0",
            "the pair y0 ± L dist(s, looks): equal looks; half its distance against R₋ and U; U against that factor",
            trial=knowable.one_look_per_step,
            figures=("radius.png",),
        ),
        Statement(
            "S20",
            "The best time for one look",
            "R(τ*) <= R(τ) for every time τ of the look; τ* halves the integral of ω",
            STATED,
            f"{_SLOW}; L t² small, so that terms of the third order are below the margin",
            "at t, at τ* and at random times τ: two inputs that agree at τ end 2 R(τ*) apart or further",
            trial=knowable.best_time,
        ),
        Statement(
            "S21",
            "CF4, the closed form of order 4 for networks",
            "x⁺ - x(h) = O(h⁵); x⁺ in the box of the potentials; x⁺ = x where Q = G x",
            "synaptic LTC network",
            "the input is held; weights of any size, parts of any length",
            "random networks: the state after one part against its box, and at an equilibrium against the start; "
            "the order by halving the part",
            trial=cf4_cases.order_box_and_equilibria,
            orders=(("cf4", 4),),
        ),
    )
}
