"""Pethick, Xie and Cevher (2023): interpolation stabilises steps on problems that are not monotone.

The text at hand has the statements in words, some captions, and no displayed formula: constants
are derived here and proved or measured, and numbers of statements are given where the text has
them. Parameters of the synthetic figures are not in it; those of the GANs are in the authors' code.
"""

from opcheck.plugin import Claim, paper
from opcheck_paper_repro.pethick2023_stable import bilinear, games, gan, ranges, relaxed

DERIVED = " (constants derived here)"

CLAIMS = (
    Claim(
        "Section 6, step",
        "a step of exact relaxed proximal point with 0 < λ < 2(1 + ρ/γ) brings every solution "
        f"nearer, by a multiple of ‖r‖², r = z − J z{DERIVED}",
        theorem="pethick2023_relaxed_fejer",
    ),
    Claim(
        "Section 6, residual",
        "its residual ‖r‖ does not grow",
        theorem="pethick2023_relaxed_monotone",
    ),
    Claim(
        "Remark 6.3",
        "the last iterate of relaxed proximal point is O(1/K), for ρ ≥ −γ/2 and λ < 1 with a "
        f"constant free of ρ{DERIVED}",
        theorem="pethick2023_relaxed_last",
    ),
    Claim(
        "Theorem C.1",
        f"inexact Krasnoselskii–Mann: the average of ‖r‖² is O(1/K) plus the errors{DERIVED}",
        theorem="pethick2023_ikm_average",
    ),
    Claim(
        "Lemma E.2",
        f"its iterates stay bounded where the errors are summable{DERIVED}",
        theorem="pethick2023_ikm_radius",
    ),
    Claim(
        "Section 6, lemma",
        f"inexact steps let the residual grow by no more than a multiple of the error{DERIVED}",
        theorem="pethick2023_ikm_residual",
    ),
    Claim(
        "Theorem 6.2",
        f"the last iterate of inexact Krasnoselskii–Mann, for any errors{DERIVED}",
        theorem="pethick2023_ikm_last",
    ),
    Claim(
        "Section 5, theorem",
        "τ inner steps approximate the resolvent with an error that shrinks like (γL)^τ",
        theorem="pethick2023_inner_loop",
    ),
    Claim(
        "Section 5, a posteriori",
        f"and the last inner step bounds what is left{DERIVED}",
        theorem="pethick2023_inner_loop_posterior",
    ),
    Claim(
        "Section 5, stochastic",
        "the same in expectation, with a floor of the order of the variance",
        waiting="statements about an expectation over samples of an inner loop",
    ),
    Claim(
        "Corollary 6.4",
        "RAPP with τ of order log K has last iterate O(1/K) for ρ > −1/L, K known beforehand"
        f"{DERIVED}",
        theorem="pethick2023_rapp_last",
    ),
    Claim(
        "Corollary 6.4, radius",
        f"and its iterates stay near{DERIVED}: the bounded diameter need not be assumed",
        theorem="pethick2023_rapp_radius",
    ),
    Claim(
        "Remark E.4",
        f"with τ_k of order log k it holds at every K at once{DERIVED}",
        theorem="pethick2023_rapp_anytime",
    ),
    Claim(
        "Section 6, measure",
        f"what RAPP moves is a computable bound of ‖r‖{DERIVED}",
        theorem="pethick2023_rapp_computable",
    ),
    Claim(
        "Corollary 6.4, stochastic",
        "RAPP on samples needs batches that grow",
        waiting="statements about an expectation over samples of an inner loop",
    ),
    Claim(
        "Section 9, average",
        f"for the average iterate a fixed τ is enough, under weak Minty and without a set{DERIVED}",
        theorem="pethick2023_rapp_average",
    ),
    Claim(
        "Section 9, EG+",
        "RAPP with τ = 2 and without a set is EG+, whose average is O(1/K)",
        theorem="pethick2023_rapp_average_two",
    ),
    Claim(
        "Section 9, open",
        "a last-iterate rate for τ = 2",
        waiting="a proof or a counterexample: the paper leaves it open",
    ),
    Claim(
        "v4, footnote",
        "RAPP reaches −1/L < ρ ≤ −1/(2L), with λ < 2(1 + ρ/γ)",
        check=relaxed.CONIC,
        figure=relaxed.conic.id,
    ),
    Claim(
        "Section 7, τ = 2",
        "LA-GDA with loops of two steps has O(1/K) on average for ρ > −1/(3√3 L) "
        f"(range as recalled){DERIVED}",
        theorem="pethick2023_la_gda_two",
    ),
    Claim(
        "beyond Section 7, τ = 2",
        "O(1/K) on average for ρ > −(√2 − 1)/(2L): a sharper certificate, ours",
        theorem="pethick2023_la_gda_two_sharp",
    ),
    Claim(
        "Section 7, large τ",
        "LA-GDA with long loops leaves the bilinear game whatever λ",
        theorem="pethick2023_la_gda_large_tau",
    ),
    Claim(
        "Section 7, factor",
        f"the factor of a loop there is |1 − λ + λ(1 − iγL)^τ|{DERIVED}",
        theorem="pethick2023_la_gda_factor",
    ),
    Claim(
        "Theorem 7.3",
        "Lookahead over a nonexpansive map: the last iterate of the outer loop is O(1/K)"
        f"{DERIVED}; the limit is a fixed point of T^τ, which T itself need not have",
        theorem="pethick2023_la_last",
    ),
    Claim(
        "Theorem 7.3, quasi",
        f"over a quasi-nonexpansive map the average is{DERIVED}",
        theorem="pethick2023_la_average",
    ),
    Claim(
        "Remark 7.4",
        "and Lookahead inherits the energy that its base loses",
        theorem="pethick2023_la_energy",
    ),
    Claim(
        "Section 7, cocoercive",
        f"LA-GDA on cocoercive F: O(1/K) on average, and of the last loop{DERIVED}",
        theorem="pethick2023_la_gda_cocoercive",
    ),
    Claim(
        "Section 7, cocoercive, last",
        f"the last iterate of its outer loop{DERIVED}",
        theorem="pethick2023_la_gda_last",
    ),
    Claim(
        "Section 7, monotone",
        f"LA-EG on monotone Lipschitz F: O(1/K) on average for every τ{DERIVED}",
        theorem="pethick2023_la_eg",
    ),
    Claim(
        "Section 7, LA-CEG+",
        f"LA-CEG+ for ρ > −1/(2L), with sets: O(1/K) on average for every τ{DERIVED}",
        theorem="pethick2023_la_ceg_plus",
    ),
    Claim(
        "Section 7, LA-CEG+, energy",
        "and the energy that its base loses",
        theorem="pethick2023_la_ceg_plus_energy",
    ),
    Claim(
        "beyond Section 7, map",
        "the sharp certificate reaches ρ = −(√2 − 1)/(2L), at γ = (2 − √2)/L",
        check=ranges.REACH["sharp"],
        figure=ranges.la_gda_ranges.id,
    ),
    Claim(
        "Figure 2",
        "on the Forsaken game RAPP converges at a γ above 1/L at which APP does not, and LA-GDA "
        "is faster",
        check=games.FASTER,
        figure=games.forsaken.id,
    ),
)

paper(
    "pethick2023_stable",
    source="pethick2023stable",
    doc=__doc__,
    training=gan.TRAINING,
    figures=(
        games.polar_game,
        games.forsaken,
        games.global_forsaken,
        games.app_iterates,
        bilinear.bilinear,
        bilinear.windows_of_tau,
        ranges.la_gda_ranges,
        relaxed.fixed_loop,
        relaxed.lam_and_tau,
        relaxed.conic,
        relaxed.quadratic_game,
        relaxed.stochastic,
    ),
    claims=CLAIMS,
    missing={
        "Figure 1": "what it shows is not in the text at hand",
        "Figure 4": "training curves of GANs, base against outer loop; opcheck repro "
        "pethick2023_stable --gan small trains small ones",
        "Figure 5": "what it shows is not in the text at hand",
        "Table 1": "not in the text at hand (as recalled, an overview of ranges of ρ)",
        "Table 2": "FID and ISC of GDA, EG, EG+, LA-GDA, LA-EG, LA-EG+ and RAPP on CIFAR-10: the "
        "same code at small size is run by --gan small",
        "Table 3": "the same for Adam, ExtraAdam, ExtraAdam+ and Lookahead over them",
    },
)
