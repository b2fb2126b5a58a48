"""What every diagnostic says for the page of all of them: a clause, a next step, and whom it concerns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from semiindex.diagnostics.antisymmetry import AntisymmetryTest
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.direction_words import direction_words
from semiindex.diagnostics.estimator_comparison import EstimatorComparison
from semiindex.diagnostics.evidence import p_words
from semiindex.diagnostics.identifiability import Identification
from semiindex.diagnostics.index_hypothesis import IndexTest
from semiindex.diagnostics.link_hypothesis import LinkTest
from semiindex.diagnostics.monotonicity import MonotonicityTest
from semiindex.diagnostics.nested_subsamples import LearningCurve
from semiindex.diagnostics.policy_interval import PolicyErrorInterval
from semiindex.diagnostics.reliability import Calibration
from semiindex.diagnostics.roc_area import Discrimination

__all__ = [
    "COUNTS_FROM",
    "LEARNED",
    "LOGISTIC",
    "VERDICTS",
    "Finding",
    "Question",
    "Verdict",
    "finding_of",
]

#: What a user asks: how features are weighed, probabilities, and what is done with both.
Question: TypeAlias = Literal["direction", "link", "policy"]
#: May it be trusted?
Verdict: TypeAlias = Literal["yes", "not examined", "with care", "no"]
#: From the best to the worst.
VERDICTS: tuple[Verdict, ...] = ("yes", "not examined", "with care", "no")

#: Degrees between two directions from which a rejected link makes the fitted one wrong, and not only
#: its probabilities. At 5 degrees 3% of normal comparisons change sides.
_WIDE_ANGLE = 5.0


#: p-value from which a test counts on the page. Five tests and a comparison run: at 5% each a fit without
#: fault would have a blot on every fifth page, at 1% on every twentieth.
COUNTS_FROM = 0.01
#: Gain in held-out log loss from which another link is worth the change. Of two fits that agree but for
#: rounding one may be better beyond chance.
_WORTH_CHANGING = 0.001

#: What the page calls the estimators that it compares the present fit with.
LEARNED, LOGISTIC = "fit with a learned link", "logistic fit"
_LEARN = "Do not assume a link: fit ProfiledLinkPolicy, which learns it, and compare the coefficients."
_ASSUME = "Consider KnownLinkPolicy: with so few comparisons learning the link costs more than it brings."


@dataclass(frozen=True)
class Finding:
    """One result in the words of the page.

    Attributes
    ----------
    clause : str
        What was found, to stand in a table or after a colon.
    step : str
        What to do about it, as a sentence; empty where there is nothing to do.
    bears : mapping of question to verdict
        On which questions the result bears, and what it says to each.
    level : {"fine", "note", "warning"}
        How pressing it is among all that was looked at. A test by itself is more easily alarmed.
    """

    clause: str
    step: str = ""
    bears: Mapping[Question, Verdict] = field(default_factory=dict)
    level: Level = "fine"


def finding_of(result: Diagnostic) -> Finding:
    """The finding of a result.

    Parameters
    ----------
    result : Diagnostic
        Of a kind that the page shows.
    """
    return _FINDINGS[type(result)](result)


def _trust(level: Level, *, at_worst: Verdict = "no") -> Verdict:
    verdicts: dict[Level, Verdict] = {"fine": "yes", "note": "with care", "warning": at_worst}
    return verdicts[level]


def _rejected(p_value: float, *, harmful: bool = True) -> Level:
    """Level of a test on the page."""
    if p_value > COUNTS_FROM:
        return "fine"
    return "warning" if harmful else "note"


def _p(result: IndexTest | MonotonicityTest | LinkTest | AntisymmetryTest) -> str:
    return p_words(result.p_value, result.n_draws)


def _identification(result: Identification) -> Finding:
    clause, step = _determined(result)
    bears: dict[Question, Verdict] = {"direction": _trust(result.level)}
    if result.separation != "none":
        bears["link"] = "no"
    if result.undetermined_in_menu:
        bears["policy"] = "no"
    return Finding(clause, step, bears, result.level)


def _determined(result: Identification) -> tuple[str, str]:
    """The most pressing of what was found about the coefficients, and its remedy."""
    if result.separation != "none":
        return (
            f"the data are separated, since no answer contradicts {result.separating}",
            "Look for a feature that gives the answer away; else compare options that are closer, or set "
            "ridge > 0.",
        )
    if result.undetermined_in_menu:
        names = ", ".join(result.undetermined_in_menu[:3])
        return (
            f"no comparison says how the options of the menu are ranked that differ in {names}",
            f"Compare options that differ in {names} as those of the menu do, or fit without these features.",
        )
    if np.isfinite(result.worst_error) and result.worst_error > 0 and result.level == "warning":
        return _precision(result)
    if result.without_variation or result.relations:
        return _conventions(result)
    if result.spread is not None and result.spread.is_ambiguous:
        return (
            f"fits that are as good differ by up to {result.spread.angle:.0f} degrees",
            "Collect more comparisons, or use fewer features.",
        )
    return _precision(result)


def _conventions(result: Identification) -> tuple[str, str]:
    """Coefficients that the comparisons leave open, and on which no score of compared options depends."""
    if result.without_variation:
        names = ", ".join(result.without_variation[:3])
        return (
            f"the comparisons do not determine the weights of {names}, in which no two options differed",
            f"Drop {names}, or compare options that differ there: no score so far depends on it.",
        )
    return (
        f"in every comparison {result.relations[0]}, so that the comparisons do not determine these weights "
        "one by one",
        "Drop a feature of each exact relation before single weights are read; scores and policies do not "
        "depend on it.",
    )


def _precision(result: Identification) -> tuple[str, str]:
    if not np.isfinite(result.worst_error):
        return (
            "an unknown link leaves no information on some weights",
            "Compare options that differ in a feature with many values; the link then costs less.",
        )
    clause = f"the worst determined weighing is off by {result.worst_error:.1f} degrees (standard error)"
    if result.graph is not None and result.graph.is_split:
        return (
            f"{result.graph.n_parts} parts of the options are connected by no comparison",
            "Compare some options across parts.",
        )
    if result.level == "fine" or result.information is None:
        return clause, ""
    words = direction_words(result.information.loadings[0], result.feature_names)
    return clause, f"Collect more comparisons, of options that differ in {words}."


def _index(result: IndexTest) -> Finding:
    level = _rejected(result.p_value)
    bears: dict[Question, Verdict] = {"direction": _trust(level, at_worst="with care")}
    if level == "fine":
        clause = f"no strong evidence that one of {len(result.terms)} further terms is missing"
        return Finding(f"{clause} ({_p(result)})", "", bears, level)
    frame = result.to_frame()
    missing = [str(name) for name in frame.index[frame["adjusted_p_value"] <= COUNTS_FROM]][:3]
    return Finding(
        f"the features lack a term such as {missing[0]} ({_p(result)})",
        f"Add to the features and fit again: {', '.join(missing)}.",
        bears,
        level,
    )


def _monotonicity(result: MonotonicityTest) -> Finding:
    level = _rejected(result.p_value)
    bears: dict[Question, Verdict] = {
        "direction": _trust(level, at_worst="with care"),
        "link": _trust(level),
    }
    if level == "fine":
        return Finding(f"wins do not fall as the index rises ({_p(result)})", "", bears, level)
    return Finding(
        f"wins fall by {100 * result.fall:.0f} percentage points where the index rises ({_p(result)})",
        "Look at the comparisons in that range for swapped labels or raters who answer the other way round.",
        bears,
        level,
    )


def _link(result: LinkTest) -> Finding:
    level = _rejected(result.p_value, harmful=result.relied_on)
    if level == "fine":
        clause = f"no strong evidence against the {result.link} link ({_p(result)}, score form)"
    else:
        clause = (
            f"the {result.link} link is up to {100 * result.gap:.0f} percentage points and its direction "
            f"{result.angle:.0f} degrees off ({_p(result)}, score form)"
        )
    if not result.relied_on:
        return Finding(clause, level=level)
    wide = result.angle >= _WIDE_ANGLE
    bears: dict[Question, Verdict] = {
        "direction": _trust(level, at_worst="no" if wide else "with care"),
        "link": _trust(level),
    }
    return Finding(clause, "" if level == "fine" else _LEARN, bears, level)


def _antisymmetry(result: AntisymmetryTest) -> Finding:
    level = _rejected(result.p_value, harmful=result.relied_on)
    if level == "fine":
        clause = f"no strong evidence of an effect of position ({_p(result)})"
    else:
        side = "more" if result.excess > 0 else "less"
        clause = (
            f"swapping the options does not swap the probabilities ({_p(result)}): option 1 wins "
            f"{100 * abs(result.excess):.1f} percentage points {side} often than it should"
        )
    if not result.relied_on:
        return Finding(clause, level=level)
    bears: dict[Question, Verdict] = {
        "direction": _trust(level, at_worst="with care"),
        "link": _trust(level),
    }
    step = "" if level == "fine" else (
        "Fit again with antisymmetric=False, and see whether the coefficients change, unless the options "
        "were put in order after the answer; randomise their order where you can."
    )  # fmt: skip
    return Finding(clause, step, bears, level)


def _calibration(result: Calibration) -> Finding:
    gap = 100 * float(np.sqrt(result.decomposition.reliability))
    if not result.tested:
        return Finding("too few or too certain comparisons to tell right probabilities from wrong ones")
    shown = "p < 0.001" if result.p_value < 0.001 else f"p = {result.p_value:.2g}"
    clause = (
        f"held out, predicted and observed shares differ by {gap:.1f} percentage points, "
        f"{'no more than' if result.calibrated else 'more than'} by chance ({shown})"
    )
    bears: dict[Question, Verdict] = {"link": _trust(result.level)}
    step = "" if result.level == "fine" else "Use the order of the options and not the probabilities."
    return Finding(clause, step, bears, result.level)


def _discrimination(result: Discrimination) -> Finding:
    low, high = (100 * end for end in result.interval)
    return Finding(
        f"{100 * result.auc:.0f}% of held-out pairs are in the right order ({low:.0f}% to {high:.0f}%; "
        "chance: 50%)",
        "" if result.level == "fine" else "Collect more comparisons before any policy is made of the index.",
        {"direction": _trust(result.level)},
        result.level,
    )


def _comparison(result: EstimatorComparison) -> Finding:
    means = result.differences.mean(axis=0)
    best = int(np.argmin(means))
    if result.level == "fine":
        return Finding("held out, no other estimator predicts better beyond chance", "", {"link": "yes"})
    clause = f"held out, the {result.names[best]} predicts better by {-means[best]:.4f} of log loss"
    if -means[best] < _WORTH_CHANGING:
        return Finding(f"{clause}, too little to matter", "", {"link": "yes"})
    step = _LEARN if result.names[best] == LEARNED else _ASSUME
    return Finding(clause, step, {"link": "with care"}, result.level)


def _learning_curve(result: LearningCurve) -> Finding:
    if not result.measurable:
        lost = result.level != "fine"
        return Finding(
            "how the error falls with more comparisons cannot be measured",
            "Collect many more comparisons: those there are hardly determine the index." if lost else "",
            {"policy": "with care"} if lost else {},
            result.level,
        )
    now = 100 * float(result.predict(result.n_comparisons))
    if result.level == "fine":
        fewest, most = result.n_more_interval
        return Finding(
            f"sampling error is about {now:.0f}% of the size of the index; {_count(fewest)} to "
            f"{_count(most)} more comparisons would halve it"
        )
    return Finding(
        f"the error falls slowly with more comparisons, as n^-{result.rate:.2f}",
        "Look for a penalty that is too strong, or features that are missing: more comparisons help little.",
        {"policy": "with care"},
        result.level,
    )


def _policy_error(result: PolicyErrorInterval) -> Finding:
    step = "" if result.level == "fine" else (
        f"Collect about {_count(result.n_more_to_halve)} more comparisons: they would halve the error."
    )  # fmt: skip
    return Finding(
        f"at most {100 * result.upper_limit:.1f}% of decisions differ from the best policy's "
        f"({result.confidence:.0%} confidence; from the reference {100 * result.from_reference:.1f}%)",
        step,
        {"policy": _trust(result.level)},
        result.level,
    )


def _count(number: float) -> str:
    """A number of comparisons to two digits, since no estimate of one has more."""
    size = 10 ** max(int(np.floor(np.log10(max(number, 1.0)))) - 1, 0)
    return f"{round(number / size) * size:,.0f}"


_FINDINGS: dict[type[Diagnostic], Callable[[Any], Finding]] = {
    AntisymmetryTest: _antisymmetry,
    Calibration: _calibration,
    Discrimination: _discrimination,
    EstimatorComparison: _comparison,
    Identification: _identification,
    IndexTest: _index,
    LearningCurve: _learning_curve,
    LinkTest: _link,
    MonotonicityTest: _monotonicity,
    PolicyErrorInterval: _policy_error,
}
