"""`StudyDisplay`: means of a simulation study against severity, sample size or budget."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from semiindex.display.study_panels import (
    OPTIMAL,
    StudyCurve,
    StudyPanel,
    make_panels,
    means,
    measured_budgets,
    optimal_rewards,
    warn_of_gaps,
)
from semiindex.display.style import INK, QUIET, prepare_axes, quiet_legend, series_style
from semiindex.exceptions import DataWarning, InvalidParameterError
from semiindex.simulation.precision import convergence_rates
from semiindex.simulation.result import StudyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["StudyDisplay"]

#: Bars are this many Monte Carlo standard errors long on either side: about 95% of the means' law.
_BARS = 2.0
_COLUMNS = 3
_PANEL = (4.6, 3.7)
#: Height of a line of a legend, and the longest label of which two stand side by side in a panel.
_LEGEND_LINE, _SHORT_LABEL = 0.22, 24


class StudyDisplay:
    """Means of a metric over a study, a panel per part of it, with Monte Carlo error bars.

    Use `against_severity`, `against_n` or `frontier`; the constructor takes computed values.

    Parameters
    ----------
    panels : iterable of StudyPanel
        What to draw.
    x_label, y_label : str
        Axes.
    logarithmic : bool, default=False
        Whether both axes are.

    Attributes
    ----------
    axes_ : list of matplotlib axes
        One per panel, after `plot`.
    figure_ : matplotlib figure
        After `plot`.

    See Also
    --------
    EfficiencyDisplay : Ratios to a baseline, all cells at once.

    Examples
    --------
    >>> from semiindex import KnownLinkPolicy, StudyDisplay
    >>> from semiindex.simulation import AngleError, NormalFeatures, Study, severity_grid
    >>> study = Study(
    ...     truths=severity_grid(["flips"], [0.0, 1.0]),
    ...     designs={"normal": NormalFeatures(3)},
    ...     n=(100, 400),
    ...     estimators={"logistic": KnownLinkPolicy()},
    ...     metrics=[AngleError()],
    ...     replications=4,
    ... )
    >>> result = study.run()
    >>> display = StudyDisplay.against_severity(result, "angle")
    >>> [panel.title for panel in display.panels]
    ['n = 100', 'n = 400']
    >>> display.panels[0].curves[0].x.tolist()
    [0.0, 1.0]
    >>> figure = StudyDisplay.against_n(result, "angle").plot().figure_
    """

    def __init__(
        self, panels: Iterable[StudyPanel], *, x_label: str, y_label: str, logarithmic: bool = False
    ) -> None:
        self.panels = tuple(panels)
        self.x_label = x_label
        self.y_label = y_label
        self.logarithmic = logarithmic

    @classmethod
    def against_severity(
        cls,
        result: StudyResult,
        metric: str,
        *,
        factor: str = "severity",
        estimators: Sequence[str] | None = None,
        label: str | None = None,
    ) -> Self:
        """Means against the severity of misspecification: a panel per family of links, design and size.

        Parameters
        ----------
        result : StudyResult
            Of a study whose truths have the factor, as those of `severity_grid` do.
        metric : str
            Column of the table.
        factor : str, default="severity"
            Factor of the truths, a number.
        estimators : sequence of str, optional
            Which, in the order of the legend. Default: all.
        label : str, optional
            Of the vertical axis. Default: the name of the metric.

        Returns
        -------
        StudyDisplay

        Raises
        ------
        InvalidParameterError
            If there is no such metric, factor or estimator, or two truths of a panel share a severity.

        Warns
        -----
        DataWarning
            If truths without the factor, or means that are not finite, are left out.
        """
        if factor not in result.factors:
            raise InvalidParameterError(
                f"the truths of the study have no factor {factor!r}; they have {list(result.factors)}. "
                "severity_grid makes truths with a factor 'severity'"
            )
        summary = means(result, metric, estimators)
        without = summary[factor].isna()
        if without.any():
            names = sorted(set(summary.loc[without, "truth"]))
            warnings.warn(f"truths without {factor} are not drawn: {names}", DataWarning, stacklevel=2)
        warn_of_gaps(summary[~without])
        keys = [*(name for name in result.factors if name != factor), "design", "n"]
        panels = make_panels(summary[~without], factor, keys)
        return cls(panels, x_label=factor.capitalize(), y_label=label or metric)

    @classmethod
    def against_n(
        cls,
        result: StudyResult,
        metric: str,
        *,
        estimators: Sequence[str] | None = None,
        label: str | None = None,
    ) -> Self:
        """Means against the sample size, with slopes on logarithmic axes: a panel per truth and design.

        Parameters
        ----------
        result : StudyResult
            Of a study with two sample sizes or more.
        metric : str
            Column of the table with positive means.
        estimators : sequence of str, optional
            Which, in the order of the legend. Default: all.
        label : str, optional
            Of the vertical axis. Default: the name of the metric.

        Returns
        -------
        StudyDisplay

        Raises
        ------
        InvalidParameterError
            If there is no such metric or estimator, or a single size.

        Warns
        -----
        DataWarning
            If means that are not finite or not positive are left out.
        """
        summary = means(result, metric, estimators)
        rates = convergence_rates(result, metric).set_index(["truth", "design", "estimator"])
        slopes = rates.loc[list(zip(summary["truth"], summary["design"], summary["estimator"], strict=True))]
        summary = summary.assign(slope=slopes["slope"].to_numpy(), slope_se=slopes["slope_se"].to_numpy())
        warn_of_gaps(summary, positive=True)
        panels = make_panels(summary, "n", ["truth", "design"], positive=True)
        return cls(panels, x_label="Comparisons", y_label=label or metric, logarithmic=True)

    @classmethod
    def frontier(
        cls,
        result: StudyResult,
        measure: Literal["reward", "regret", "total_variation", "kl"] = "reward",
        *,
        estimators: Sequence[str] | None = None,
        label: str | None = None,
    ) -> Self:
        """What policies attain against their budget: a panel per truth, design and size.

        Parameters
        ----------
        result : StudyResult
            Of a study with the metric `PolicyError`, at two budgets or more.
        measure : {"reward", "regret", "total_variation", "kl"}, default="reward"
            Which of its columns. With rewards the optimal policy is drawn too.
        estimators : sequence of str, optional
            Which, in the order of the legend. Default: all.
        label : str, optional
            Of the vertical axis. Default: the measure.

        Returns
        -------
        StudyDisplay

        Raises
        ------
        InvalidParameterError
            If the study has no such columns, or there is no such estimator.

        Warns
        -----
        DataWarning
            If means that are not finite are left out.
        """
        import pandas as pd

        budgets = measured_budgets(result, measure)
        parts = [means(result, f"{measure}[{b:g}]", estimators).assign(budget=b) for b in budgets]
        if measure == "reward":
            parts += [optimal_rewards(result, budget) for budget in budgets]
        summary = pd.concat(parts, ignore_index=True)
        warn_of_gaps(summary)
        panels = make_panels(summary, "budget", ["truth", "design", "n"])
        name = measure.replace("_", " ")
        return cls(panels, x_label="Divergence from the reference", y_label=label or name.capitalize())

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in inches, of the figure that `plot` makes."""
        rows, columns = self._shape
        return _PANEL[0] * columns, (_PANEL[1] + self._legend_height) * rows

    @property
    def _shape(self) -> tuple[int, int]:
        """Rows and columns of panels."""
        columns = 2 if len(self.panels) == 4 else min(len(self.panels), _COLUMNS)
        return ceil(len(self.panels) / columns), columns

    def plot(self, figure: Figure | SubFigure | None = None) -> StudyDisplay:
        """Draw.

        Parameters
        ----------
        figure : matplotlib Figure or SubFigure, default=None
            Where to draw, empty and with the layout "constrained"; None makes one.

        Returns
        -------
        StudyDisplay
            Itself.
        """
        rows, columns = self._shape
        if figure is None:
            import matplotlib.pyplot as plt

            figure = plt.figure(figsize=self.size, layout="constrained")
        self.figure_: Any = figure
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        self.axes_: list[Axes] = [prepare_axes(ax, _PANEL)[0] for ax in grid[: len(self.panels)]]
        for spare in grid[len(self.panels) :]:
            spare.set_visible(False)
        for position, (ax, panel) in enumerate(zip(self.axes_, self.panels, strict=True)):
            self._draw_panel(ax, panel)
            if position % columns == 0:
                ax.set_ylabel(self.y_label)
            if position + columns >= len(self.panels):
                ax.set_xlabel(self.x_label)
                ax.tick_params(labelbottom=True)
        if not self._panels_have_legends:
            handles, labels = self.axes_[0].get_legend_handles_labels()
            figure.legend(
                handles,
                labels,
                loc="outside lower center",
                ncols=min(len(labels), 2 * columns),
                frameon=False,
                fontsize="small",
                labelcolor=INK,
            )
        return self

    @property
    def _panels_have_legends(self) -> bool:
        """Slopes and failures differ between panels; names alone do not."""
        return any(curve.label != curve.name for panel in self.panels for curve in panel.curves)

    @property
    def _legend_height(self) -> float:
        """Inches that the legend of a panel takes."""
        if not self._panels_have_legends:
            return 0.0
        curves = max((panel.curves for panel in self.panels), key=len)
        return _LEGEND_LINE * ceil(len(curves) / _legend_columns(curves))

    def _draw_panel(self, ax: Axes, panel: StudyPanel) -> None:
        ax.set_title(panel.title, fontsize="medium", color=INK)
        ax.grid(visible=True, color=QUIET, linewidth=0.6)
        for position, curve in enumerate(panel.curves):
            style = _OPTIMAL_STYLE if curve.name == OPTIMAL else series_style(position)
            bars = _BARS * curve.error
            # On a logarithmic axis bars end above 0.
            below = np.minimum(bars, 0.9 * curve.mean) if self.logarithmic else bars
            ax.errorbar(
                curve.x,
                curve.mean,
                yerr=np.vstack([below, bars]),
                label=curve.label,
                lw=1.5,
                elinewidth=0.9,
                ms=4.5,
                mfc="white",
                mew=1.2,
                **style,
            )
        if self.logarithmic:
            _logarithmic_axes(ax, panel)
        if self._panels_have_legends:
            # Below the axes: among many curves no corner stays free.
            quiet_legend(
                ax, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=_legend_columns(panel.curves)
            )


_OPTIMAL_STYLE: dict[str, Any] = {"color": INK, "ls": ":", "marker": ""}


def _legend_columns(curves: Sequence[StudyCurve]) -> int:
    return 2 if max(len(curve.label) for curve in curves) <= _SHORT_LABEL else 1


def _logarithmic_axes(ax: Axes, panel: StudyPanel) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    ax.set(xscale="log", yscale="log")
    sizes = np.unique(np.concatenate([curve.x for curve in panel.curves]))
    ax.xaxis.set_major_locator(FixedLocator(sizes[:: ceil(len(sizes) / 5)].tolist()))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
