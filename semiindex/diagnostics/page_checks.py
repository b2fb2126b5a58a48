"""The diagnostics of a page: how each runs on a fit, and what it is expected to cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from semiindex.diagnostics.antisymmetry import antisymmetry_test
from semiindex.diagnostics.base import Diagnostic
from semiindex.diagnostics.estimator_comparison import compare_estimators
from semiindex.diagnostics.examined_fit import ExaminedFit
from semiindex.diagnostics.findings import LEARNED, LOGISTIC
from semiindex.diagnostics.held_out_order import held_out_calibration, held_out_discrimination
from semiindex.diagnostics.identifiability import identification
from semiindex.diagnostics.index_hypothesis import index_test
from semiindex.diagnostics.link_hypothesis import link_test
from semiindex.diagnostics.monotonicity import monotonicity_test
from semiindex.diagnostics.nested_subsamples import learning_curve
from semiindex.diagnostics.policy_interval import policy_error_interval
from semiindex.exceptions import InvalidDataError
from semiindex.inference.bootstrap import Bootstrap
from semiindex.policy.known_link import KnownLinkPolicy
from semiindex.policy.menu import Menu
from semiindex.policy.profiled_link import ProfiledLinkPolicy

__all__ = ["CHECKS", "Check"]

#: Refits of the policy error: of 199 draws the quantile at 90% is an order statistic.
_DRAWS = 199
_FOLDS = 5


@dataclass(frozen=True)
class Check:
    """One diagnostic: its name, what it looks at, how it runs, and its expected cost in seconds.

    What a test costs in refits of the model depends on what else it fits, a spline or a known link: the
    expectation is corrected by the tests before it, and apart from them for refits of the model itself.
    """

    key: str
    title: str
    run: Callable[[ExaminedFit], Diagnostic]
    cost: Callable[[ExaminedFit], float]
    refits: bool = False


def _compare(case: ExaminedFit) -> Diagnostic:
    """With the logistic link, or, where the model has a known link, with a link that is learned."""
    model = case.model
    if isinstance(model, KnownLinkPolicy):
        name, other = LEARNED, ProfiledLinkPolicy()
    else:
        name, other = LOGISTIC, KnownLinkPolicy()
    other.set_params(antisymmetric=model.antisymmetric, ridge=model.ridge, index=model.index)
    return compare_estimators(
        {"present fit": case.in_folds, name: other},
        case.X,
        case.y,
        case.sample_weight,
        groups=case.groups,
        n_folds=_FOLDS,
        random_state=case.random_state,
        n_jobs=case.n_jobs,
    )


def _policy_error(case: ExaminedFit) -> Diagnostic:
    return policy_error_interval(
        case.model,
        case.X,
        _menu(case),
        case.y,
        case.sample_weight,
        budget=case.budget,
        divergence=case.divergence,
        groups=case.groups,
        bootstrap=Bootstrap(n_draws=_DRAWS, random_state=case.random_state, n_jobs=case.n_jobs),
    )


def _policy_cost(case: ExaminedFit) -> float:
    """Refits, and a policy for each; the time of one policy is measured."""
    menu = _menu(case)
    start = time.perf_counter()
    case.model.policy(menu, budget=case.budget, divergence=case.divergence)
    each = time.perf_counter() - start
    return case.shared(case.refits(_DRAWS)) + _DRAWS * each


def _menu(case: ExaminedFit) -> Menu:
    if case.menu is None:
        raise InvalidDataError("no menu was given: pass the options that a policy would choose among")
    return case.menu


#: Every diagnostic of the page, the cheap ones first. Costs of tests are those of a few refits: each fits
#: the null hypothesis and draws random signs.
CHECKS = (
    Check(
        "calibration",
        "Do predicted probabilities come true?",
        lambda case: held_out_calibration(case.model, case.held_out),
        lambda case: case.held_out_cost,
        refits=True,
    ),
    Check(
        "antisymmetry",
        "Does position have no effect?",
        lambda case: antisymmetry_test(*case.arguments, groups=case.groups, multipliers=case.multipliers),
        lambda case: case.refits(2),
    ),
    Check(
        "monotonicity",
        "Is the link monotone?",
        lambda case: monotonicity_test(*case.arguments, groups=case.groups, multipliers=case.multipliers),
        lambda case: case.refits(2),
    ),
    Check(
        "index",
        "Is one linear index enough?",
        lambda case: index_test(*case.arguments, groups=case.groups, multipliers=case.multipliers),
        lambda case: case.refits(3),
    ),
    Check(
        "link",
        "Is the link logistic?",
        lambda case: link_test(
            *case.arguments,
            link=case.model.link if isinstance(case.model, KnownLinkPolicy) else "logistic",
            groups=case.groups,
            method="score",
            multipliers=case.multipliers,
        ),
        lambda case: case.refits(3),
    ),
    Check(
        "identification",
        "Which directions do the comparisons determine?",
        lambda case: identification(*case.arguments, groups=case.groups, random_state=case.random_state),
        lambda case: case.refits(6),
    ),
    Check(
        "discrimination",
        "Does the index put wins above losses?",
        lambda case: held_out_discrimination(case.model, case.held_out),
        lambda case: case.held_out_cost,
        refits=True,
    ),
    Check(
        "comparison",
        "Would another link predict better?",
        _compare,
        lambda case: case.shared(case.refits(4 * _FOLDS, 1 - 1 / _FOLDS)),
        refits=True,
    ),
    Check(
        "learning_curve",
        "What would more comparisons bring?",
        lambda case: learning_curve(
            *case.arguments, groups=case.groups, random_state=case.random_state, n_jobs=case.n_jobs
        ),
        # ten orders, and of each a half, a quarter, ... of the comparisons
        lambda case: case.shared(sum(case.refits(10, 2.0**-k) for k in range(1, 6))),
        refits=True,
    ),
    Check(
        "policy_error", "How far is the policy from the best one?", _policy_error, _policy_cost, refits=True
    ),
)
