"""`RocDisplay`: which share of wins and of losses stands above every threshold of the index, with a band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.diagnostics.predictions import Predictions, read_predictions
from semiindex.diagnostics.roc_area import Discrimination, discrimination
from semiindex.display.style import COLORS, INK, prepare_axes, quiet_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RocDisplay"]

_POINTS = 101
#: Resampled weights for the band; it is a picture, and quantiles at 2.5% of so many are enough for one.
_DRAWS = 399


class RocDisplay:
    """ROC curve of a fitted index.

    Use `from_estimator`; the constructor takes computed values.

    Parameters
    ----------
    losses, wins : array of shape (m,)
        Share of losses, and of wins, above a threshold.
    lower, upper : array of shape (m,)
        Limits of the share of wins, for every share of losses by itself.
    area : Discrimination
        Area under the curve with its interval.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        After `plot`.
    line_, band_ : matplotlib artists
        After `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy, RocDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = rng.random(1000) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> display = RocDisplay.from_estimator(KnownLinkPolicy().fit(X[:500], y[:500]), X[500:], y[500:])
    >>> bool(np.all(display.lower <= display.upper))
    True
    >>> ax = display.plot().ax_
    """

    def __init__(
        self, losses: FloatArray, wins: FloatArray, lower: FloatArray, upper: FloatArray, area: Discrimination
    ) -> None:
        self.losses = losses
        self.wins = wins
        self.lower = lower
        self.upper = upper
        self.area = area

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        confidence: float = 0.95,
        random_state: int = 0,
    ) -> Self:
        """Compute the curve of a fitted model.

        The band is that of resampled weights (exponential ones, one for every rater or comparison); the
        model is not fitted again. For an antisymmetric model the sample is doubled by its mirror image,
        as in `discrimination`, so that the curve is symmetric about the falling diagonal.

        Parameters
        ----------
        model : fitted estimator
            Of the library.
        X : PreferencePairs, array-like or sparse matrix of shape (n, d)
            Comparisons; held-out ones for a fair picture.
        y, sample_weight : array-like of shape (n,), optional
            Labels and frequency weights; None for those of `PreferencePairs`.
        groups : array-like of shape (n,), optional
            Raters; the default is what `PreferencePairs` carry.
        confidence : float, default=0.95
            Level of the band at every share of losses, and of the interval of the area.
        random_state : int, default=0
            Seed of the weights.

        Returns
        -------
        RocDisplay
        """
        area = discrimination(model, X, y, sample_weight, groups=groups, confidence=confidence)
        data = read_predictions(model, X, y, sample_weight, groups)
        z, score, weight, codes = _doubled(data) if area.doubled else _single(data)
        losses = np.linspace(0, 1, _POINTS)
        curve = _Curve(z, score)
        rng = np.random.default_rng(random_state)
        count = int(codes.max()) + 1
        draws = [curve.wins(weight * rng.standard_exponential(count)[codes], losses) for _ in range(_DRAWS)]
        lower, upper = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
        return cls(losses, curve.wins(weight, losses), lower, upper, area)

    def plot(self, ax: Axes | None = None) -> RocDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        RocDisplay
            Itself.
        """
        self.ax_, self.figure_ = prepare_axes(ax, (4.8, 4.6))
        area, (low, high) = self.area, self.area.interval
        self.ax_.plot([0, 1], [0, 1], color=INK, lw=0.8, ls=":", label="chance")
        self.band_: Any = self.ax_.fill_between(
            self.losses,
            self.lower,
            self.upper,
            color=COLORS[0],
            alpha=0.2,
            lw=0,
            label=f"{100 * area.confidence:g}% band, point by point",
        )
        label = f"index: area {area.auc:.3f} ({low:.3f} to {high:.3f})"
        (self.line_,) = self.ax_.plot(self.losses, self.wins, color=COLORS[0], lw=2.0, label=label)
        self.ax_.set(xlim=(0, 1), ylim=(0, 1.01), aspect="equal")
        self.ax_.set_xlabel("Share of losses above the threshold")
        self.ax_.set_ylabel("Share of wins above the threshold")
        quiet_legend(self.ax_, loc="lower right")
        return self


class _Curve:
    """Sorted once for many weights; equal scores are one step of both shares at once."""

    def __init__(self, z: FloatArray, score: FloatArray) -> None:
        self._order = np.argsort(-score, kind="stable")
        ranked = score[self._order]
        self._ends = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)
        self._won = z[self._order]

    def wins(self, weight: FloatArray, losses: FloatArray) -> FloatArray:
        """Share of wins above the threshold that given shares of losses are above."""
        ranked = weight[self._order]
        up, down = (
            np.append(0.0, np.cumsum(ranked * column)[self._ends]) for column in (self._won, 1 - self._won)
        )
        return np.asarray(np.interp(losses, down / down[-1], up / up[-1]))


def _single(data: Predictions) -> tuple[FloatArray, FloatArray, FloatArray, Any]:
    codes = np.arange(data.z.size) if data.clusters is None else data.clusters
    return data.z, data.decision, data.weight, codes


def _doubled(data: Predictions) -> tuple[FloatArray, FloatArray, FloatArray, Any]:
    """The sample and its mirror image, a comparison and its image in one cluster."""
    z, score, weight, codes = _single(data)
    return np.append(z, 1 - z), np.append(score, -score), np.tile(weight, 2), np.tile(codes, 2)
