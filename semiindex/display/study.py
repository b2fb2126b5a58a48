"""`StudyDisplay`: means of a simulation study against severity, sample size or budget."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Literal, Self

from semiindex.display.metric_words import measure_label, metric_label
from semiindex.display.panel_grid import PanelGrid
from semiindex.display.study_curves import draw_curves, legend_handles
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
from semiindex.display.style import INK, QUIET, prepare_axes, quiet_legend
from semiindex.exceptions import DataWarning, InvalidParameterError
from semiindex.simulation.precision import convergence_rates
from semiindex.simulation.result import StudyResult

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["StudyDisplay"]

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
            Of the vertical axis. Default: the metric in words.

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
        return cls(panels, x_label=factor.capitalize(), y_label=label or metric_label(metric))

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
            Of the vertical axis. Default: the metric in words.

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
        return cls(panels, x_label="Comparisons", y_label=label or metric_label(metric), logarithmic=True)

    @classmethod
    def frontier(
        cls,
        result: StudyResult,
        measure: Literal["gain_share", "reward", "regret", "total_variation", "kl"] = "gain_share",
        *,
        estimators: Sequence[str] | None = None,
        label: str | None = None,
    ) -> Self:
        """What policies attain against their budget: a panel per truth, design and size.

        Parameters
        ----------
        result : StudyResult
            Of a study with the metric `PolicyError`, at two budgets or more.
        measure : {"gain_share", "reward", "regret", "total_variation", "kl"}, default="gain_share"
            Which of its columns. Rewards themselves are mostly those of the reference, and their curves
            hard to tell apart; the share of what can be gained over it is not. With both the optimal
            policy is drawn too.
        estimators : sequence of str, optional
            Which, in the order of the legend. Default: all.
        label : str, optional
            Of the vertical axis. Default: the measure in words.

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
        if measure == "gain_share":
            parts += [_optimal_shares(part) for part in parts]
        summary = pd.concat(parts, ignore_index=True)
        warn_of_gaps(summary)
        panels = make_panels(summary, "budget", ["truth", "design", "n"])
        return cls(panels, x_label="Divergence from the reference", y_label=label or measure_label(measure))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in inches, of the figure that `plot` makes."""
        grid = self._grid
        return _PANEL[0] * grid.columns, (_PANEL[1] + self._legend_height) * grid.rows

    @property
    def _grid(self) -> PanelGrid:
        return PanelGrid.of_groups([panel.group for panel in self.panels])

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
        if figure is None:
            import matplotlib.pyplot as plt

            figure = plt.figure(figsize=self.size, layout="constrained")
        self.figure_: Any = figure
        grid = self._grid
        cells = figure.subplots(grid.rows, grid.columns, sharex=True, sharey=True, squeeze=False).ravel()
        for spare in set(range(cells.size)) - set(grid.cells):
            cells[spare].set_visible(False)
        self.axes_: list[Axes] = [prepare_axes(cells[cell], _PANEL)[0] for cell in grid.cells]
        for position, (ax, panel) in enumerate(zip(self.axes_, self.panels, strict=True)):
            self._draw_panel(ax, panel)
            if grid.is_left(position):
                ax.set_ylabel(self.y_label)
            if grid.is_lowest(position):
                ax.set_xlabel(self.x_label)
            if grid.is_lowest(position) or self._panels_have_legends:  # which stand between the rows
                ax.tick_params(labelbottom=True)
        if not self._panels_have_legends:
            figure.legend(
                handles=legend_handles(self.panels[0].curves),
                loc="outside lower center",
                ncols=min(
                    len(self.panels[0].curves), (1 + _legend_columns(self.panels[0].curves)) * grid.columns
                ),
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
    def _legend_title(self) -> str | None:
        """What the numbers behind the names are."""
        slopes = any(curve.trend is not None for panel in self.panels for curve in panel.curves)
        return "Lines and brackets: fitted power of n" if slopes else None

    @property
    def _legend_height(self) -> float:
        """Inches that the legend of a panel takes."""
        if not self._panels_have_legends:
            return 0.0
        curves = max((panel.curves for panel in self.panels), key=len)
        n_lines = ceil(len(curves) / _legend_columns(curves)) + (self._legend_title is not None)
        return _LEGEND_LINE * n_lines

    def _draw_panel(self, ax: Axes, panel: StudyPanel) -> None:
        ax.set_title(panel.title, fontsize="medium", color=INK)
        ax.grid(visible=True, color=QUIET, linewidth=0.6)
        draw_curves(ax, panel.curves, logarithmic=self.logarithmic)
        if self._panels_have_legends:
            # Below the axes: among many curves no corner stays free.
            quiet_legend(
                ax,
                handles=legend_handles(panel.curves),
                loc="upper center",
                bbox_to_anchor=(0.5, -0.2),
                ncols=_legend_columns(panel.curves),
                title=self._legend_title,
                title_fontsize="small",
            )


def _optimal_shares(summary: pd.DataFrame) -> pd.DataFrame:
    """The optimal policy gains all that can be gained."""
    cells = summary[summary["estimator"] == summary["estimator"].iloc[0]]
    shares: pd.DataFrame = cells.assign(estimator=OPTIMAL, mean=1.0, standard_error=0.0, n_failed=0)
    return shares


def _legend_columns(curves: Sequence[StudyCurve]) -> int:
    return 2 if max(len(curve.label) for curve in curves) <= _SHORT_LABEL else 1
