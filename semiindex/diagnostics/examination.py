"""`diagnose`: the diagnostics that apply to a fit and fit into a time, as one page."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike

from semiindex.diagnostics.base import LEVELS
from semiindex.diagnostics.counts import require_count
from semiindex.diagnostics.diagnosis import Diagnosis, Section, Skipped
from semiindex.diagnostics.examined_fit import ExaminedFit, read_examined, require_enough
from semiindex.diagnostics.nested_subsamples import LearningCurve
from semiindex.diagnostics.page_checks import CHECKS
from semiindex.diagnostics.policy_interval import PolicyErrorInterval, require_budget
from semiindex.divergence import Divergence, get_divergence
from semiindex.exceptions import InvalidParameterError, SemiindexError, SemiindexWarning
from semiindex.policy.menu import Menu

__all__ = ["diagnose"]


def diagnose(
    model: Any,
    X: Any,
    menu: Menu | None = None,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    budget: float = 0.1,
    divergence: str | Divergence = "reverse_kl",
    time_budget: float = 30.0,
    random_state: int = 0,
    n_jobs: int | None = None,
) -> Diagnosis:
    """Run the diagnostics that apply to a fit, and put them on one page.

    Parameters
    ----------
    model : fitted estimator
        Of the library. With a ridge, a kernel index or several links fewer diagnostics apply.
    X : PreferencePairs, array-like or sparse matrix of shape (n, d)
        The comparisons of the fit.
    menu : Menu, optional
        Contexts, options and reference of the policy. Without it nothing can be said of the policy.
    y, sample_weight : array-like of shape (n,), optional
        As they were passed to `fit`.
    groups : array-like of shape (n,), optional
        Raters; the default is what `PreferencePairs` carry.
    budget : float, default=0.1
        Mean divergence of the policy from the reference. 0.1 nats are a cautious step: at most 22% of
        the decisions change (Pinsker's inequality). Pass the budget that will be used.
    divergence : str or Divergence, default="reverse_kl"
        Which divergence.
    time_budget : float, default=30.0
        Seconds. What is expected to take longer than is left is skipped, and the page says so. The
        expectation comes from two timed refits, corrected by what ran before; the page may take
        somewhat longer than this.
    random_state : int, default=0
        Seed of all resampling.
    n_jobs : int, optional
        Number of processes for refits; the numbers do not depend on it.

    Returns
    -------
    Diagnosis
        ``print`` shows the page, ``diagnosis["link"]`` is a single result. Keys, in the order in which
        they run: identification, index, link, antisymmetry, monotonicity, policy_error, calibration,
        discrimination, comparison, learning_curve.

    Raises
    ------
    InvalidParameterError
        For anything but a fitted estimator of the library, a menu that is none, or a time, budget,
        divergence or seed without a meaning.
    InvalidDataError
        If these are not the data of the fit, labels included; for raters without a name, or fewer than
        eight comparisons.

    See Also
    --------
    policy_error_bound, preference_error_bound : Bounds instead of estimates: for planning, and not on the
        page, since at most sample sizes they say nothing.

    Notes
    -----
    A result depends on the data and the seed and not on the time, which decides only what is skipped. One
    number is read off another result: how many comparisons would halve the policy error takes the rate of
    the learning curve, where that ran, and 1/2 otherwise.

    The link is tested in the score form, which needs no refits, with 999 draws; `link_test` by itself takes
    the likelihood ratio where it can. Several tests run, so that on the page a p-value counts from 0.01 on:
    a fit without fault then has a clean page in nine samples of ten or more. Without 50 independent
    comparisons, or raters, no answer is "yes". Order and calibration are cross-validated.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy, diagnose
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = rng.random(1000) < 0.2 + 0.6 / (1 + np.exp(-5 * X @ [0.6, -0.8]))
    >>> diagnosis = diagnose(KnownLinkPolicy().fit(X, y), X, y=y)
    >>> [(answer.question, answer.verdict) for answer in diagnosis.answers]
    [('direction', 'with care'), ('link', 'no'), ('policy', 'with care')]
    >>> diagnosis["link"].p_value < 0.01
    True
    """
    _require_settings(time_budget, budget, divergence, random_state, n_jobs)
    start = time.perf_counter()
    data = read_examined(model, X, menu, y, sample_weight, groups)
    case = ExaminedFit(
        model, X, menu, y, sample_weight, groups, budget, divergence, random_state, n_jobs, data
    )  # fmt: skip
    require_enough(case)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sections, skipped = _examine(case, start + time_budget)
    said = [str(w.message) for w in caught if issubclass(w.category, SemiindexWarning)]
    for foreign in (w for w in caught if not issubclass(w.category, SemiindexWarning)):
        warnings.warn_explicit(foreign.message, foreign.category, foreign.filename, foreign.lineno)
    sections = _with_measured_rate(sections)
    order = sorted(sections, key=lambda section: -LEVELS.index(section.finding.level))
    notes = tuple(dict.fromkeys([*_notes(case), *said]))
    return Diagnosis(_subject(case), tuple(order), tuple(skipped), notes, case.n_blocks)


def _require_settings(time_budget: Any, budget: Any, divergence: Any, random_state: Any, n_jobs: Any) -> None:
    """What is wrong with these is said before anything is computed, and not as the reason of one line."""
    if not (isinstance(time_budget, int | float) and time_budget > 0 and math.isfinite(time_budget)):
        raise InvalidParameterError(f"time_budget must be a positive number of seconds, got {time_budget!r}")
    require_budget(budget)
    get_divergence(divergence)
    require_count("random_state", random_state, 0)
    if not (n_jobs is None or (isinstance(n_jobs, int) and n_jobs != 0)):
        raise InvalidParameterError(
            f"n_jobs must be a number of processes, -1 for all, or None for one, got {n_jobs!r}"
        )


def _examine(case: ExaminedFit, deadline: float) -> tuple[list[Section], list[Skipped]]:
    """Run what applies and fits into the time, in the order of the checks."""
    sections: list[Section] = []
    skipped: list[Skipped] = []
    spent, expected = {True: 0.0, False: 0.0}, {True: 0.0, False: 0.0}
    for check in CHECKS:
        try:
            check.require(case)
            if reason := check.moot(case):
                skipped.append(Skipped(check.key, check.title, reason, moot=True))
                continue
            cost = check.cost(case)
            pace = max(1.0, spent[check.refits] / expected[check.refits]) if expected[check.refits] else 1.0
            start = time.perf_counter()
            if pace * cost > deadline - start:
                skipped.append(Skipped(check.key, check.title, _too_long(pace * cost, deadline - start)))
                continue
            result = check.run(case)
        except SemiindexError as error:
            skipped.append(Skipped(check.key, check.title, str(error)))
            continue
        sections.append(Section(check.key, result, time.perf_counter() - start))
        spent[check.refits] += sections[-1].seconds
        expected[check.refits] += cost
    return sections, skipped


def _with_measured_rate(sections: list[Section]) -> list[Section]:
    """The policy error tells what would halve it by the rate that the learning curve measured."""
    found = {section.key: section.result for section in sections}
    error, curve = found.get("policy_error"), found.get("learning_curve")
    if not (isinstance(error, PolicyErrorInterval) and isinstance(curve, LearningCurve)):
        return sections
    if not curve.measurable:
        return sections
    measured = replace(error, rate=curve.rate)
    return [
        replace(section, result=measured) if section.key == "policy_error" else section
        for section in sections
    ]


def _too_long(cost: float, left: float) -> str:
    return (
        f"it would take about {math.ceil(cost)} s, and {max(left, 0.0):.0f} s of the time are left; allow "
        "for more by time_budget"
    )


def _subject(case: ExaminedFit) -> str:
    n, clusters = case.data.y.size, case.n_blocks
    kind = f"by {clusters:,} raters" if case.knows_raters else f"from {clusters:,} choices"
    grouped = f" {kind}" if clusters < n else ""
    return f"{type(case.model).__name__}, fitted to {n:,} comparisons{grouped}."


def _notes(case: ExaminedFit) -> list[str]:
    notes = []
    if not case.knows_raters:
        notes.append(
            "No raters were given, so that answers count as independent. If people answered more than once, "
            "pass groups: the evidence is weaker than it looks here."
        )
    if not case.model.converged_:
        notes.append("The fit stopped before its tolerance; fit again with a larger max_iter.")
    return notes
