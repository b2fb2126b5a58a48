"""The diagnostics of a page: how each runs on a fit, and what it is expected to cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from semiindex.diagnostics.antisymmetry import antisymmetry_test, why_no_positions
from semiindex.diagnostics.base import Diagnostic
from semiindex.diagnostics.estimator_comparison import compare_estimators
from semiindex.diagnostics.examined_fit import ExaminedFit
from semiindex.diagnostics.findings import COUNTS_FROM, LEARNED, LOGISTIC
from semiindex.diagnostics.held_out_order import held_out_calibration, held_out_discrimination
from semiindex.diagnostics.identifiability import identification, require_linear
from semiindex.diagnostics.index_hypothesis import index_test
from semiindex.diagnostics.link_hypothesis import link_test
from semiindex.diagnostics.monotonicity import monotonicity_test
from semiindex.diagnostics.nested_subsamples import learning_curve
from semiindex.diagnostics.policy_interval import policy_error_interval
from semiindex.exceptions import InvalidDataError
from semiindex.inference.bootstrap import Bootstrap
from semiindex.inference.eligibility import require_eligible
from semiindex.policy.known_link import KnownLinkPolicy
from semiindex.policy.menu import Menu
from semiindex.policy.profiled_link import ProfiledLinkPolicy

__all__ = ["CHECKS", "Check"]

#: Refits of the policy error: of 99 draws the quantile at 90% is an order statistic.
_DRAWS = 99
_FOLDS = 5
#: Raters, or units, of which a learning curve can still halve the number a few times.
_FEWEST_PARTS = 16


def _anything(_: ExaminedFit) -> None:
    """Refuses nothing."""


def _always(_: ExaminedFit) -> str:
    """The question arises for all data."""
    return ""


@dataclass(frozen=True)
class Check:
    """One diagnostic: its name, what it looks at, how it runs, and its expected cost in seconds.

    What can be known before is asked before: `require` raises the error of a fit or of data that the
    diagnostic cannot judge, and `moot` says why a question does not arise (position, where there is none),
    or is empty. The expected cost is corrected by what ran before, apart for refits of the model and for
    the rest.
    """

    key: str
    title: str
    run: Callable[[ExaminedFit], Diagnostic]
    cost: Callable[[ExaminedFit], float]
    refits: bool = False
    require: Callable[[ExaminedFit], object] = _anything
    moot: Callable[[ExaminedFit], str] = _always


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
        confidence=1 - COUNTS_FROM,
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


def _require_policy(case: ExaminedFit) -> None:
    require_eligible(case.model, single_feature=True)
    _menu(case)


def _require_parts(case: ExaminedFit) -> None:
    """Subsamples are of whole raters, or units."""
    if case.n_blocks < _FEWEST_PARTS:
        what = "rater(s)" if case.knows_raters else "independent comparisons"
        raise InvalidDataError(
            f"There are {case.n_blocks} {what}: a learning curve takes subsamples of them, and needs "
            f"{_FEWEST_PARTS} at least"
        )


#: Every diagnostic of the page: what decides the answers first, the cheap ones before the others. Random
#: signs of a test are drawn for so many sums at once.
CHECKS = (
    Check(
        "identification",
        "Which directions do the comparisons determine?",
        lambda case: identification(
            *case.arguments, groups=case.groups, menu=case.menu, random_state=case.random_state
        ),
        lambda case: case.refits(6),
        require=lambda case: require_linear(case.model),
    ),
    Check(
        "index",
        "Is one linear index enough?",
        lambda case: index_test(*case.arguments, groups=case.groups, multipliers=case.multipliers),
        lambda case: case.test(sums=50),
        require=lambda case: case.tested_sample,
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
        # the test, and the band
        lambda case: case.test(sums=25) + case.test(sums=25),
        require=lambda case: case.tested_sample,
    ),
    Check(
        "antisymmetry",
        "Does position have no effect?",
        lambda case: antisymmetry_test(*case.arguments, groups=case.groups, multipliers=case.multipliers),
        lambda case: case.test(sums=25),
        require=lambda case: case.tested_sample,
        moot=lambda case: why_no_positions(case.tested_sample),
    ),
    Check(
        "monotonicity",
        "Is the link monotone?",
        lambda case: monotonicity_test(*case.arguments, groups=case.groups, multipliers=case.multipliers),
        lambda case: case.test(sums=450),
        require=lambda case: case.tested_sample,
    ),
    Check(
        "policy_error",
        "How far is the policy from the best one?",
        _policy_error,
        _policy_cost,
        refits=True,
        require=_require_policy,
    ),
    Check(
        "calibration",
        "Do predicted probabilities come true?",
        lambda case: held_out_calibration(case.model, case.held_out),
        lambda case: case.held_out_cost,
        refits=True,
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
        require=_require_parts,
    ),
)
