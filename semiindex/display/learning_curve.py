"""`LearningCurveDisplay`: the error of the index against the number of comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from semiindex._types import FloatArray
from semiindex.diagnostics.error_curve import LearningCurve
from semiindex.display.style import COLORS, INK, plain_log_ticks, prepare_axes, quiet_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LearningCurveDisplay"]


class LearningCurveDisplay:
    """Errors of nested subsamples, and the power law through them.

    Use `from_curve`; the constructor takes computed values.

    Parameters
    ----------
    sizes, errors, spread : array of shape (k,)
        Comparisons, errors against the truth (corrected where it is not known), and their standard
        deviations over repetitions, corrected alike.
    curve_sizes, curve : array of shape (m,)
        The fitted power law; empty where it is not measurable.
    n_comparisons : float
        Comparisons of the full sample.
    rate : float
        Its exponent.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        After `plot`.
    points_, line_ : matplotlib artists
        Errors and the fitted curve, after `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy, LearningCurveDisplay, learning_curve
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 2))
    >>> y = rng.random(2000) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> curve = learning_curve(KnownLinkPolicy().fit(X, y), X, y, n_repeats=4)
    >>> display = LearningCurveDisplay.from_curve(curve).plot()
    >>> display.ax_.get_xscale()
    'log'
    """

    def __init__(
        self,
        sizes: FloatArray,
        errors: FloatArray,
        spread: FloatArray,
        curve_sizes: FloatArray,
        curve: FloatArray,
        n_comparisons: float,
        rate: float,
    ) -> None:
        self.sizes = sizes
        self.errors = errors
        self.spread = spread
        self.curve_sizes = curve_sizes
        self.curve = curve
        self.n_comparisons = n_comparisons
        self.rate = rate

    @classmethod
    def from_curve(cls, curve: LearningCurve, *, extend: float = 4.0) -> Self:
        """Take the numbers of a learning curve.

        Parameters
        ----------
        curve : LearningCurve
            From `learning_curve`.
        extend : float, default=4.0
            The fitted curve runs up to this multiple of the sample.

        Returns
        -------
        LearningCurveDisplay
        """
        sizes = np.geomspace(curve.sizes[0], extend * curve.n_comparisons, 50 if curve.measurable else 0)
        scale = curve.corrected / curve.root_mean_square
        return cls(
            curve.sizes,
            curve.corrected,
            np.asarray(scale * np.nanstd(curve.errors, axis=0)),
            sizes,
            curve.predict(sizes),
            curve.n_comparisons,
            curve.rate,
        )

    def plot(self, ax: Axes | None = None) -> LearningCurveDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        LearningCurveDisplay
            Itself.
        """
        self.ax_, self.figure_ = prepare_axes(ax, (5.2, 4.0))
        lower = np.minimum(self.spread, 0.9 * self.errors)  # bars end above 0 on a logarithmic axis
        self.points_ = self.ax_.errorbar(
            self.sizes,
            self.errors,
            yerr=np.vstack([lower, self.spread]),
            fmt="o",
            ms=5,
            mfc="white",
            mew=1.2,
            elinewidth=0.9,
            color=COLORS[0],
            label="subsamples (one standard deviation)",
        )
        found = bool(self.curve.size)
        label = rf"fitted: $n^{{-{self.rate:.2f}}}$" if found else "(rate not measurable)"
        color = COLORS[1] if found else "none"
        (self.line_,) = self.ax_.plot(self.curve_sizes, self.curve, color=color, lw=1.6, label=label)
        self.ax_.axvline(self.n_comparisons, color=INK, lw=0.8, ls=":", label="sample at hand")
        self.ax_.set(xscale="log", yscale="log")
        for axis in (self.ax_.xaxis, self.ax_.yaxis):
            plain_log_ticks(axis)
        self.ax_.set_xlabel("Comparisons")
        self.ax_.set_ylabel("Sampling error of the index\n(share of its root mean square)")
        quiet_legend(self.ax_)
        return self
