"""`LinkDisplay`: the estimated link over the data, against the logistic one."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.diagnostics.binning import BinnedShares, bin_shares, fold
from semiindex.display.sample import IndexedSample, name_models, read_sample
from semiindex.display.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MARKERS,
    QUIET,
    REFERENCE,
    prepare_axes,
    quiet_legend,
)
from semiindex.exceptions import InvalidParameterError, SemiindexWarning
from semiindex.link.monotone_spline import weighted_quantiles
from semiindex.policy import KnownLinkPolicy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LinkCurve", "LinkDisplay"]

#: Points of the curves, and the share of comparisons that the picture shows: a few far away ones
#: would leave the others no room.
_GRID_POINTS, _SHOWN = 401, 0.99
_BARS = 40


@dataclass(frozen=True, eq=False)
class LinkCurve:
    """One link and the data of those whom it describes.

    Attributes
    ----------
    name : str
        For the legend.
    probability : array of shape (m,)
        Values of the link on the grid of the display.
    bins : BinnedShares
        How often option 1 was preferred, by bins of the index.
    """

    name: str
    probability: FloatArray
    bins: BinnedShares


class LinkDisplay:
    """Estimated link on the axis of the index, with binned data and the best logistic link.

    Use `from_estimator`; the constructor takes computed values.

    Parameters
    ----------
    index : array of shape (m,)
        Grid on the axis of the index.
    curves : iterable of LinkCurve
        A curve, or one for every class of raters.
    logistic : array of shape (m,), default=None
        The logistic link fitted to the same index by likelihood, on the grid.
    histogram : tuple of (heights, edges), default=None
        Where the comparisons are.
    scale : str, default=""
        What the unit of the index is, in words.
    folded : bool, default=False
        Whether the bins show every comparison together with its mirror image.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        After `plot`.
    lines_ : list of matplotlib lines
        The links, after `plot`.
    logistic_line_ : matplotlib line or None
        The logistic link, after `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import LinkDisplay, ProfiledLinkPolicy
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> y = rng.random(500) < 0.2 + 0.6 * (X @ [0.6, -0.8] > 0)
    >>> display = LinkDisplay.from_estimator(ProfiledLinkPolicy().fit(X, y), X, y)
    >>> len(display.curves[0].bins.share), display.index.shape
    (20, (401,))
    >>> ax = display.plot().ax_
    """

    def __init__(
        self,
        index: FloatArray,
        curves: Iterable[LinkCurve],
        *,
        logistic: FloatArray | None = None,
        histogram: tuple[FloatArray, FloatArray] | None = None,
        scale: str = "",
        folded: bool = False,
    ) -> None:
        self.index = index
        self.curves = tuple(curves)
        self.logistic = logistic
        self.histogram = histogram
        self.scale = scale
        self.folded = folded

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        link_groups: ArrayLike | None = None,
        n_bins: int = 20,
    ) -> Self:
        """Compute the display of a fitted model.

        Parameters
        ----------
        model : fitted estimator
            `ProfiledLinkPolicy` or `KnownLinkPolicy`.
        X : PreferencePairs, array-like, DataFrame or sparse matrix of shape (n, d)
            Comparisons to show, of the fit or held out.
        y : array-like of shape (n,), default=None
            Labels; None for those of `PreferencePairs`.
        sample_weight : array-like of shape (n,), default=None
            Frequency weights; None for those of `PreferencePairs`.
        link_groups : array-like of shape (n,), default=None
            Classes of raters, for a model with a link for each: their data are shown separately.
        n_bins : int, default=20
            Largest number of quantile bins. For an antisymmetric link they are made of every
            comparison together with its mirror image, half of them on either side of 0.

        Returns
        -------
        LinkDisplay
        """
        (model,) = name_models(model).values()
        if not n_bins >= 2:
            raise InvalidParameterError(f"n_bins must be at least 2, got {n_bins!r}")
        sample = read_sample(model, X, y, sample_weight, link_groups)
        folded = bool(model.antisymmetric)
        grid = _grid(sample, folded)
        edges = np.linspace(grid[0], grid[-1], _BARS + 1)
        return cls(
            grid,
            _curves(model, sample, grid, n_bins, folded),
            logistic=_logistic(sample, grid, folded),
            histogram=_histogram(sample, edges, folded),
            scale=model.normalization_,
            folded=folded,
        )

    def plot(
        self, ax: Axes | None = None, *, show_bins: bool = True, show_logistic: bool = True
    ) -> LinkDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Where to draw; None makes a figure.
        show_bins, show_logistic : bool, default=True
            Whether to draw the binned data, and the logistic link.

        Returns
        -------
        LinkDisplay
            Itself.
        """
        self.ax_, self.figure_ = prepare_axes(ax, (6.4, 4.4))
        ax = self.ax_
        self._draw_histogram(ax)
        ax.axhline(0.5, color=QUIET, lw=0.8, zorder=0)
        ax.axvline(0.0, color=QUIET, lw=0.8, zorder=0)
        self.logistic_line_: Any = None
        if show_logistic and self.logistic is not None:
            style: dict[str, Any] = {
                "color": REFERENCE if len(self.curves) == 1 else INK,
                "ls": (0, (5, 2)),
                "lw": 1.6,
            }
            label = "logistic link, same index"
            (self.logistic_line_,) = ax.plot(self.index, self.logistic, label=label, **style)
        self.lines_ = [self._draw_curve(ax, k, show_bins) for k in range(len(self.curves))]
        ax.set(xlim=(self.index[0], self.index[-1]), ylim=(-0.12, 1.02), yticks=np.linspace(0, 1, 6))
        unit = f"\nscale: {self.scale}" if self.scale else ""
        ax.spines["left"].set_bounds(0, 1)
        ax.set_xlabel(f"Index: score of option 1 minus score of option 0{unit}")
        ax.set_ylabel("Probability that option 1 is preferred")
        quiet_legend(ax, loc="upper left")
        return self

    def _draw_curve(self, ax: Axes, k: int, show_bins: bool) -> Any:
        curve, color = self.curves[k], COLORS[k % len(COLORS)]
        style = LINE_STYLES[k % len(LINE_STYLES)]
        (line,) = ax.plot(self.index, curve.probability, color=color, ls=style, lw=2.2, label=curve.name)
        if show_bins:
            label = "data in bins, ± 1 standard error" if k == 0 else None
            ax.errorbar(
                curve.bins.position,
                curve.bins.share,
                yerr=curve.bins.error,
                fmt=MARKERS[k % len(MARKERS)],
                ms=4.5,
                color=color,
                mfc="white",
                mew=1.2,
                elinewidth=1.0,
                label=label if len(self.curves) == 1 else None,
                zorder=3,
            )
        return line

    def _draw_histogram(self, ax: Axes) -> None:
        """Bars below the probability 0: they must not be read as probabilities."""
        if self.histogram is None:
            return
        heights, edges = self.histogram
        scaled = 0.1 * heights / heights.max()
        ax.bar(
            edges[:-1],
            scaled,
            np.diff(edges),
            bottom=-0.12,
            align="edge",
            color=QUIET,
            zorder=0,
            label="number of comparisons",
        )


def _grid(sample: IndexedSample, folded: bool) -> FloatArray:
    """Index values that the picture shows."""
    levels = np.array([(1 - _SHOWN) / 2, (1 + _SHOWN) / 2])
    low, high = weighted_quantiles(sample.t, sample.weight, levels)
    if folded:
        size, _ = fold(sample.t, sample.z)
        high = weighted_quantiles(size, sample.weight, np.array([_SHOWN]))[0]
        low = -high
    if not high > low:
        low, high = low - 1.0, high + 1.0
    return np.linspace(low, high, _GRID_POINTS)


def _bins(sample: IndexedSample, n_bins: int, folded: bool) -> BinnedShares:
    if not folded:
        return bin_shares(sample.t, sample.z, sample.weight, n_bins)
    size, favoured = fold(sample.t, sample.z)
    apart = size > 0  # at 0 the mirror image makes the share 1/2, whatever the data are
    if not apart.any():
        return bin_shares(size, favoured, sample.weight, 1)
    return bin_shares(size[apart], favoured[apart], sample.weight[apart], max(n_bins // 2, 1)).mirrored()


def _curves(
    model: Any, sample: IndexedSample, grid: FloatArray, n_bins: int, folded: bool
) -> list[LinkCurve]:
    name = "estimated link" if not isinstance(model, KnownLinkPolicy) else f"{type(model.link_).__name__}"
    if model.links_ is None or sample.link_groups is None:
        return [LinkCurve(name, model.link_.probability(grid), _bins(sample, n_bins, folded))]
    curves = []
    for level, link in model.links_.items():
        rows = sample.link_groups == level
        if sample.weight[rows].any():
            part = IndexedSample(sample.t[rows], sample.z[rows], sample.weight[rows])
            curves.append(LinkCurve(str(level), link.probability(grid), _bins(part, n_bins, folded)))
    return curves


def _logistic(sample: IndexedSample, grid: FloatArray, folded: bool) -> FloatArray | None:
    """The logistic link of the same index: its scale, and its shift if position matters, by likelihood."""
    one_sided = not folded and np.ptp(sample.z[sample.weight > 0]) == 0
    if one_sided or not sample.t[sample.weight > 0].any():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SemiindexWarning)  # the fit of the model has said it
        known = KnownLinkPolicy(antisymmetric=folded)
        known.fit(sample.t[:, None], sample.z.astype(np.int8), sample_weight=sample.weight)
    return np.asarray(known.predict_proba(grid[:, None])[:, 1])


def _histogram(sample: IndexedSample, edges: FloatArray, folded: bool) -> tuple[FloatArray, FloatArray]:
    heights, _ = np.histogram(np.clip(sample.t, edges[0], edges[-1]), edges, weights=sample.weight)
    return (heights + heights[::-1]) / 2 if folded else heights, edges
