"""Which pictures a study gets: those that its truths, sizes and budgets allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semiindex.display.efficiency import EfficiencyDisplay
from semiindex.display.study import StudyDisplay
from semiindex.simulation.result import StudyResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["StudyPicture", "study_pictures"]

_SEVERITY = "severity"
_METRIC_NAMES = {"angle": "Angle to the true direction (degrees)"}
#: Rows of a heat map that a reader takes in.
_MOST_ROWS = 60


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
    """

    name: str
    caption: str
    display: StudyDisplay | EfficiencyDisplay

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
        panels few, severities are shown at the largest size, sizes and frontiers at the largest severity;
        the captions say so.
    """
    metrics = _main_metrics(result)
    pictures = [picture for metric in metrics for picture in _curves(result, metric)]
    if len(_budgets(result)) > 1:
        part, where = _far_end(_largest_n(result)[0])
        caption = f"True reward lost to the optimal policy of the same divergence from the reference{where}"
        display = StudyDisplay.frontier(part, "regret")
        pictures.append(StudyPicture("frontier", f"{caption}, at {_largest_n(result)[1]}. {_BARS}", display))
    if baseline is not None and result.frame["estimator"].nunique() > 1:
        for metric in metrics:
            part, where = result, ""
            if len(part.frame[["truth", "design", "n"]].drop_duplicates()) > _MOST_ROWS:
                part, where = _far_end(result)
            caption = f"Mean {metric} over that of {baseline}{where}, with Monte Carlo standard errors."
            ratios = EfficiencyDisplay.from_result(part, baseline, metric)
            pictures.append(StudyPicture(f"ratio_{_file_name(metric)}", caption, ratios))
    return pictures


_BARS = "Bars: two Monte Carlo standard errors."


def _curves(result: StudyResult, metric: str) -> Iterator[StudyPicture]:
    label = _METRIC_NAMES.get(metric, metric)
    if _SEVERITY in result.factors and result.frame[_SEVERITY].nunique() > 1:
        part, size = _largest_n(result)
        caption = f"Mean {metric} against the severity of misspecification, at {size}. {_BARS}"
        display = StudyDisplay.against_severity(part, metric, label=label)
        yield StudyPicture(f"severity_{_file_name(metric)}", caption, display)
    if result.frame["n"].nunique() > 1:
        part, where = _far_end(result)
        what = f"Mean {metric} against the number of comparisons{where}"
        caption = f"{what}, with slopes on logarithmic axes. {_BARS}"
        display = StudyDisplay.against_n(part, metric, label=label)
        yield StudyPicture(f"sizes_{_file_name(metric)}", caption, display)


def _main_metrics(result: StudyResult) -> list[str]:
    """Angles and the regret at the middle budget; if a study has neither, its first metric."""
    regrets = _budgets(result)
    chosen = [*(m for m in result.metrics if m == "angle"), *regrets[len(regrets) // 2 :][:1]]
    return chosen or list(result.metrics[:1])


def _budgets(result: StudyResult) -> list[str]:
    return [metric for metric in result.metrics if metric.startswith("regret[")]


def _file_name(metric: str) -> str:
    return metric.replace("[", "_at_").replace("]", "")


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
