"""`diagnose`: the diagnostics that apply to a fit and fit into a time, as one page."""

from __future__ import annotations

import math
import time
import warnings
from typing import Any

from numpy.typing import ArrayLike

from semiindex.data import PreferencePairs
from semiindex.diagnostics.base import LEVELS
from semiindex.diagnostics.diagnosis import Diagnosis, Section, Skipped
from semiindex.diagnostics.examined_fit import ExaminedFit, read_examined
from semiindex.diagnostics.page_checks import CHECKS
from semiindex.divergence import Divergence
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
        ``print`` shows the page, ``diagnosis["link"]`` is a single result. Keys: calibration,
        antisymmetry, monotonicity, index, link, identification, discrimination, comparison,
        learning_curve, policy_error.

    Raises
    ------
    InvalidParameterError
        For anything but a fitted estimator of the library, a menu that is none, or a time that is not
        positive.
    InvalidDataError
        If these are not the data of the fit.

    See Also
    --------
    policy_error_bound, preference_error_bound : Bounds instead of estimates: for planning, and not on the
        page, since at most sample sizes they say nothing.

    Notes
    -----
    A result depends on the data and the seed and not on the time, which decides only what is skipped.
    The link is tested in the score form, which needs no refits; `link_test` by itself takes the
    likelihood ratio where it can. The order of wins and losses is cross-validated, calibration is not.

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
    if not (time_budget > 0 and math.isfinite(time_budget)):
        raise InvalidParameterError(f"time_budget must be a positive number of seconds, got {time_budget!r}")
    start = time.perf_counter()
    data = read_examined(model, X, menu, y, sample_weight, groups)
    case = ExaminedFit(
        model, X, menu, y, sample_weight, groups, budget, divergence, random_state, n_jobs, data
    )  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sections, skipped = _examine(case, start + time_budget)
    said = [str(w.message) for w in caught if issubclass(w.category, SemiindexWarning)]
    for foreign in (w for w in caught if not issubclass(w.category, SemiindexWarning)):
        warnings.warn_explicit(foreign.message, foreign.category, foreign.filename, foreign.lineno)
    order = sorted(sections, key=lambda section: -LEVELS.index(section.result.level))
    return Diagnosis(
        _subject(case), tuple(order), tuple(skipped), tuple(dict.fromkeys([*_notes(case), *said]))
    )


def _examine(case: ExaminedFit, deadline: float) -> tuple[list[Section], list[Skipped]]:
    """Run what applies and fits, the cheap ones first."""
    sections: list[Section] = []
    skipped: list[Skipped] = []
    spent, expected = {True: 0.0, False: 0.0}, {True: 0.0, False: 0.0}
    for check in CHECKS:
        try:
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


def _too_long(cost: float, left: float) -> str:
    return (
        f"it would take about {math.ceil(cost)} s, and {max(left, 0.0):.0f} s of the time are left; allow "
        "for more by time_budget"
    )


def _subject(case: ExaminedFit) -> str:
    n, clusters = case.data.y.size, int(case.data.codes.max()) + 1
    kind = f"by {clusters:,} raters" if _knows_raters(case) else f"from {clusters:,} choices"
    grouped = f" {kind}" if clusters < n else ""
    return f"{type(case.model).__name__}, fitted to {n:,} comparisons{grouped}."


def _knows_raters(case: ExaminedFit) -> bool:
    return case.groups is not None or (isinstance(case.X, PreferencePairs) and case.X.groups is not None)


def _notes(case: ExaminedFit) -> list[str]:
    notes = []
    if not _knows_raters(case):
        notes.append(
            "No raters were given, so that answers count as independent. If people answered more than once, "
            "pass groups: the evidence is weaker than it looks here."
        )
    if not case.model.converged_:
        notes.append("The fit stopped before its tolerance; fit again with a larger max_iter.")
    return notes
