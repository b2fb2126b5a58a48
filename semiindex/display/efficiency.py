"""`EfficiencyDisplay`: errors of all estimators in all cells of a study, over those of a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from semiindex._types import FloatArray
from semiindex.display.metric_words import metric_label
from semiindex.display.style import INK, QUIET, prepare_axes
from semiindex.exceptions import InvalidParameterError
from semiindex.simulation.precision import efficiency_ratios
from semiindex.simulation.result import StudyResult

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["EfficiencyDisplay"]

#: Ratios from here on, and from its inverse down, have the full colour.
_FULL_COLOUR = 4.0
#: Weights of red, green and blue in how bright a colour is seen (ITU-R BT.709).
_LUMINANCE = (0.2126, 0.7152, 0.0722)


class EfficiencyDisplay:
    """Heat map of ratios to a baseline, with their Monte Carlo standard errors in the cells.

    Use `from_result`; the constructor takes computed values.

    Parameters
    ----------
    estimators : sequence of str
        Names of the k columns.
    cells : sequence of str
        Names of the m rows: truth, design and size.
    ratios, errors : array of shape (m, k)
        Ratios of means, and their standard errors; NaN where there is none.
    baseline : str
        What the ratios are to.
    metric : str
        What was measured.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        After `plot`.
    mesh_ : matplotlib artist
        The coloured cells, after `plot`.

    See Also
    --------
    efficiency_ratios : The numbers as a table.
    StudyDisplay : Means as curves.

    Examples
    --------
    >>> from semiindex import EfficiencyDisplay, KnownLinkPolicy
    >>> from semiindex.simulation import AngleError, NormalFeatures, Study, severity_grid
    >>> study = Study(
    ...     truths=severity_grid(["flips"], [0.0, 1.0]),
    ...     designs={"normal": NormalFeatures(3)},
    ...     n=200,
    ...     estimators={"logistic": KnownLinkPolicy(), "probit": KnownLinkPolicy("probit")},
    ...     metrics=[AngleError()],
    ...     replications=4,
    ... )
    >>> display = EfficiencyDisplay.from_result(study.run(), "logistic", "angle")
    >>> display.cells, display.estimators, display.ratios.shape
    (('flips 0', 'flips 1'), ('probit',), (2, 1))
    >>> ax = display.plot().ax_
    """

    def __init__(
        self,
        estimators: Sequence[str],
        cells: Sequence[str],
        ratios: FloatArray,
        errors: FloatArray,
        *,
        baseline: str,
        metric: str,
    ) -> None:
        self.estimators = tuple(estimators)
        self.cells = tuple(cells)
        self.ratios = np.asarray(ratios, dtype=np.float64)
        self.errors = np.asarray(errors, dtype=np.float64)
        self.baseline = baseline
        self.metric = metric

    @classmethod
    def from_result(cls, result: StudyResult, baseline: str, metric: str) -> Self:
        """Compute the ratios of a study.

        Parameters
        ----------
        result : StudyResult
            Of a study with two estimators or more.
        baseline : str
            Estimator that the others are held to; it has no column.
        metric : str
            Column of the table that is small for good fits.

        Returns
        -------
        EfficiencyDisplay

        Raises
        ------
        InvalidParameterError
            If the metric or the baseline is unknown, or there is no other estimator.
        """
        table = efficiency_ratios(result, baseline, metric)
        table = table[table["estimator"] != baseline]
        if table.empty:
            raise InvalidParameterError("the study has no estimator besides the baseline")
        varying = [key for key in ("truth", "design", "n") if table[key].nunique() > 1]
        named = table.assign(cell=_names(table, varying))
        wide = named.pivot(index="cell", columns="estimator", values=["ratio", "ratio_se"])
        cells, estimators = (list(named[name].unique()) for name in ("cell", "estimator"))
        wide = wide.loc[cells]
        return cls(
            estimators,
            cells,
            wide["ratio"][estimators].to_numpy(float),
            wide["ratio_se"][estimators].to_numpy(float),
            baseline=baseline,
            metric=metric,
        )

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in inches, of the figure that `plot` makes."""
        rows, columns = self.ratios.shape
        return 2.4 + 1.15 * columns, 1.5 + 0.36 * rows

    def plot(self, ax: Axes | None = None) -> EfficiencyDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        EfficiencyDisplay
            Itself.
        """
        from matplotlib.colors import Normalize

        rows, columns = self.ratios.shape
        self.ax_, self.figure_ = prepare_axes(ax, self.size)
        limit = np.log(_FULL_COLOUR)
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithms = np.ma.masked_invalid(np.log(self.ratios))
        self.mesh_ = self.ax_.pcolormesh(
            logarithms,
            cmap="PuOr_r",  # orange above 1: worse than the baseline
            norm=Normalize(-limit, limit, clip=True),
            edgecolors="white",
            linewidth=1.0,
        )
        self.ax_.set_facecolor(QUIET)
        for (row, column), ratio in np.ndenumerate(self.ratios):
            fill = self.mesh_.to_rgba(logarithms.filled(0.0)[row, column])  # white, for one without a ratio
            dark = float(np.dot(fill[:3], _LUMINANCE)) < 0.5
            self.ax_.text(
                column + 0.5,
                row + 0.5,
                _entry(ratio, float(self.errors[row, column])),
                ha="center",
                va="center",
                fontsize="small",
                color="white" if dark else INK,
            )
        self.ax_.set_xticks(np.arange(columns) + 0.5, [name.replace(", ", ",\n") for name in self.estimators])
        self.ax_.set_yticks(np.arange(rows) + 0.5, list(self.cells))
        self.ax_.invert_yaxis()
        self.ax_.tick_params(length=0)
        for side in ("left", "bottom"):
            self.ax_.spines[side].set_visible(False)
        # To the right, where names of rows leave room for what is wider than the cells.
        title = f"{metric_label(self.metric)}:\nratio to {self.baseline}"
        self.ax_.set_title(title, fontsize="medium", color=INK, loc="right")
        return self


def _names(table: pd.DataFrame, varying: Sequence[str]) -> list[str]:
    """Names of the cells, of what distinguishes them."""
    columns = [list(table[key]) for key in varying]
    if not columns:
        return ["all"] * len(table)
    shown = [
        [f"n = {value:,}" if key == "n" else str(value) for value in column]
        for key, column in zip(varying, columns, strict=True)
    ]
    return [", ".join(parts) for parts in zip(*shown, strict=True)]


def _entry(ratio: float, error: float) -> str:
    if not np.isfinite(ratio):
        return "–"
    return f"{ratio:.3g}" if np.isnan(error) else f"{ratio:.2f} ± {error:.2f}"
