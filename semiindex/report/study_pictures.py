"""Which pictures a study gets: those that its truths, sizes and budgets allow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semiindex.display.efficiency import EfficiencyDisplay
from semiindex.display.metric_words import metric_label
from semiindex.display.study import StudyDisplay
from semiindex.simulation.result import StudyResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["StudyPicture", "study_pictures"]

_SEVERITY = "severity"
#: Metrics that are no errors: a ratio of them says nothing, and their logarithm has no rate.
_SHARES = ("index_correlation", "coverage")
#: Rows of a heat map, and panels of a picture, that a reader takes in.
_MOST_ROWS, _MOST_PANELS = 60, 12


@dataclass(frozen=True)
class StudyPicture:
    """A picture with its words.

    Attributes
    ----------
    name : str
        Of its file, without ending.
    caption : str
        What it shows.
    display : StudyDisplay or EfficiencyDisplay
        The numbers.
    design : str, default=""
        The one design that it shows, where there is a picture for each.
    first : bool, default=True
        Whether it is the first of these.
    """

    name: str
    caption: str
    display: StudyDisplay | EfficiencyDisplay
    design: str = ""
    first: bool = True

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return self.display.size

    def draw(self, figure: Figure) -> Any:
        """Draw on an empty figure."""
        if isinstance(self.display, EfficiencyDisplay):
            return self.display.plot(figure.add_subplot())
        return self.display.plot(figure)


def study_pictures(result: StudyResult, baseline: str | None) -> list[StudyPicture]:
    """The pictures of a study.

    Parameters
    ----------
    result : StudyResult
        Of a study.
    baseline : str or None
        For the heat map of ratios.

    Returns
    -------
    list of StudyPicture
        Against severity where truths have several, against n where there are several sizes, frontiers
        where there are several budgets, ratios where there is a baseline and a metric. To keep the
        panels few, severities are shown at the largest size, sizes and frontiers at the largest severity,
        and where panels are many still, every design has a picture of its own; the captions say so.
    """
    errors, shares = _main_metrics(result)
    pictures = [picture for metric in errors for picture in _curves(result, metric)]
    pictures += [picture for metric in shares for picture in _severities(result, metric)]
    if len(_budgets(result)) > 1:
        part, where = _far_end(_largest_n(result)[0])
        caption = (
            "Gain in true reward over the reference, as a share of what the optimal policy of the same "
            f"divergence gains{where}, at {_largest_n(result)[1]}. {_BARS}"
        )
        pictures += _by_design(part, "frontier", caption, StudyDisplay.frontier)
    if baseline is not None and result.frame["estimator"].nunique() > 1:
        pictures += [_ratios(result, baseline, metric) for metric in errors]
    return pictures


_BARS = "Bars: two Monte Carlo standard errors."


def _by_design(
    result: StudyResult, name: str, caption: str, make: Callable[[StudyResult], StudyDisplay]
) -> Iterator[StudyPicture]:
    """One picture of all designs, or one of each where that has too many panels."""
    display = make(result)
    designs = list(result.frame["design"].unique())
    if len(display.panels) <= _MOST_PANELS or len(designs) == 1:
        yield StudyPicture(name, caption, display)
        return
    for design in designs:
        part = _part(result, result.frame["design"] == design)
        words = f"{design}: {caption}"
        first = design == designs[0]
        yield StudyPicture(f"{name}_{_file_name(design)}", words, make(part), design, first)


def _curves(result: StudyResult, metric: str) -> Iterator[StudyPicture]:
    yield from _severities(result, metric)
    if result.frame["n"].nunique() > 1:
        part, where = _far_end(result)
        label = metric_label(metric)
        what = f"{label} against the number of comparisons{where}: means"
        caption = (
            f"{what}, with the power of n that fits them: a line on these logarithmic axes, with its slope "
            f"behind each name. {_BARS}"
        )
        name = f"sizes_{_file_name(metric)}"
        yield from _by_design(
            part, name, caption, lambda one: StudyDisplay.against_n(one, metric, label=label)
        )


def _severities(result: StudyResult, metric: str) -> Iterator[StudyPicture]:
    if _SEVERITY in result.factors and result.frame[_SEVERITY].nunique() > 1:
        part, size = _largest_n(result)
        label = metric_label(metric)
        caption = f"{label} against the severity of misspecification, at {size}: means. {_BARS}"
        name = f"severity_{_file_name(metric)}"
        yield from _by_design(
            part, name, caption, lambda one: StudyDisplay.against_severity(one, metric, label=label)
        )


def _ratios(result: StudyResult, baseline: str, metric: str) -> StudyPicture:
    """Heat map of all cells, or of those at the far end."""
    part, where = result, ""
    if _n_cells(part) > _MOST_ROWS:
        part, where = _far_end(result)
    if _n_cells(part) > _MOST_ROWS:
        part, size = _largest_n(part)
        where = f"{where}, at {size}"
    caption = (
        f"{metric_label(metric)}: mean divided by that of '{baseline}'{where}, with Monte Carlo standard "
        f"errors. Above 1 (orange) '{baseline}' is better, below 1 (violet) it is worse."
    )
    ratios = EfficiencyDisplay.from_result(part, baseline, metric)
    return StudyPicture(f"ratio_{_file_name(metric)}", caption, ratios)


def _n_cells(result: StudyResult) -> int:
    return len(result.frame[["truth", "design", "n"]].drop_duplicates())


def _main_metrics(result: StudyResult) -> tuple[list[str], list[str]]:
    """Errors: angles and the regret at the middle budget, or the first there is; and shares."""
    regrets = _budgets(result)
    errors = [*(m for m in result.metrics if m == "angle"), *regrets[len(regrets) // 2 :][:1]]
    shares = [metric for metric in result.metrics if metric in _SHARES]
    return errors or [metric for metric in result.metrics if metric not in _SHARES][:1], shares


def _budgets(result: StudyResult) -> list[str]:
    return [metric for metric in result.metrics if metric.startswith("regret[")]


def _file_name(text: str) -> str:
    """Letters and digits of a name, for a file; a budget behind "at"."""
    return re.sub(r"[^\w.-]+", "_", text.replace("[", "_at_").replace("]", ""))


def _largest_n(result: StudyResult) -> tuple[StudyResult, str]:
    n = int(result.frame["n"].max())
    return _part(result, result.frame["n"] == n), f"n = {n:,}"


def _far_end(result: StudyResult) -> tuple[StudyResult, str]:
    """The truths of the largest severity, and words for it."""
    if _SEVERITY not in result.factors or result.frame[_SEVERITY].nunique() < 2:
        return result, ""
    severity = result.frame[_SEVERITY].max()
    return _part(result, result.frame[_SEVERITY] == severity), f" at severity {severity:g}"


def _part(result: StudyResult, rows: Any) -> StudyResult:
    return StudyResult(result.frame[rows].reset_index(drop=True), result.metrics, result.factors)
