"""`IndexBinsDisplay`: what happens along the index, bin by bin: shares of wins, or the effect of position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from semiindex.diagnostics.antisymmetry import AntisymmetryTest
from semiindex.diagnostics.binning import BinnedShares
from semiindex.diagnostics.monotonicity import MonotonicityTest
from semiindex.display.style import COLORS, INK, QUIET, REFERENCE, prepare_axes, quiet_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["IndexBinsDisplay"]

#: Standard errors of the bars on either side.
_BARS = 2.0

Range = tuple[float, float]


class IndexBinsDisplay:
    """Means in bins of the index, with two standard errors, and the ranges that a test names.

    Use `from_monotonicity` or `from_antisymmetry`; the constructor takes computed values.

    Parameters
    ----------
    bins : BinnedShares
        Positions on the axis of the index, means and their standard errors.
    reference : float
        What the means would be without an effect.
    labels : tuple of str
        Of the horizontal and the vertical axis.
    legend : str
        What the points are, with the p-value.
    ranges : tuple of (low, high), default=()
        Parts of the axis to be marked: of a fall, the lower one first.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        After `plot`.
    points_ : matplotlib container
        Means and bars, after `plot`.
    marks_ : list of matplotlib artists
        The ranges, after `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import IndexBinsDisplay, ProfiledLinkPolicy, antisymmetry_test
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = rng.random(1000) < np.exp(-np.exp(-1.5 * X @ [1.0, -1.0]))
    >>> test = antisymmetry_test(ProfiledLinkPolicy().fit(X, y), X, y)
    >>> display = IndexBinsDisplay.from_antisymmetry(test).plot()
    >>> display.ax_.get_xlabel().splitlines()[0]
    'Size of the index |t|'
    """

    def __init__(
        self,
        bins: BinnedShares,
        *,
        reference: float,
        labels: tuple[str, str],
        legend: str,
        ranges: tuple[Range, ...] = (),
    ) -> None:
        self.bins = bins
        self.reference = reference
        self.labels = labels
        self.legend = legend
        self.ranges = ranges

    @classmethod
    def from_monotonicity(cls, test: MonotonicityTest) -> Self:
        """Share of wins along the index; the two ranges between which it falls most are marked.

        Parameters
        ----------
        test : MonotonicityTest
            Result of `monotonicity_test`. For an antisymmetric model the bins of ``|t|`` are shown with
            their mirror images.

        Returns
        -------
        IndexBinsDisplay
        """
        word = "largest fall" if test.fall > 0 else "smallest rise"
        return cls(
            test.bins.mirrored() if test.antisymmetric else test.bins,
            reference=0.5,
            labels=(
                f"Index: score of option 1 minus score of option 0\nscale: {test.scale}",
                "Share of comparisons in which\noption 1 was preferred",
            ),
            legend=f"{word} between marked ranges: {100 * abs(test.fall):.1f} points ({_p(test.p_value)})",
            ranges=(test.lower, test.upper),
        )

    @classmethod
    def from_antisymmetry(cls, test: AntisymmetryTest) -> Self:
        """How much more often option 1 won than without an effect of position, by the size of the index.

        Parameters
        ----------
        test : AntisymmetryTest
            Result of `antisymmetry_test`.

        Returns
        -------
        IndexBinsDisplay
        """
        return cls(
            test.bins,
            reference=0.0,
            labels=(
                f"Size of the index |t|\nscale: {test.scale}",
                "Wins of option 1: observed share\nless that without an effect of position",
            ),
            legend=f"excess, two standard errors ({_p(test.p_value)})",
        )

    def plot(self, ax: Axes | None = None) -> IndexBinsDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        IndexBinsDisplay
            Itself.
        """
        self.ax_, self.figure_ = prepare_axes(ax, (6.0, 4.2))
        bins = self.bins
        self.ax_.axhline(self.reference, color=INK, lw=0.8, ls=":", zorder=0)
        self.marks_ = [self._mark(part, k) for k, part in enumerate(self.ranges)]
        self.points_ = self.ax_.errorbar(
            bins.position,
            bins.share,
            yerr=_BARS * bins.error,
            fmt="o",
            ms=5,
            mfc="white",
            mew=1.2,
            elinewidth=0.9,
            color=COLORS[0],
            label=self.legend,
        )
        self.ax_.set_xlabel(self.labels[0])
        self.ax_.set_ylabel(self.labels[1])
        quiet_legend(self.ax_, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
        return self

    def _mark(self, part: Range, k: int) -> Any:
        """A shaded part of the axis, the upper one in the colour of what is questioned."""
        return self.ax_.axvspan(
            *part, color=REFERENCE if k else QUIET, alpha=0.18 if k else 0.6, lw=0, zorder=0
        )


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"
