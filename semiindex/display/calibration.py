"""`CalibrationDisplay`: predicted probabilities against what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.data import PreferencePairs
from semiindex.diagnostics.binning import BinnedShares, bin_shares, fold
from semiindex.diagnostics.counts import require_count
from semiindex.display.sample import name_models, read_labels, read_weight
from semiindex.display.style import COLORS, INK, LINE_STYLES, MARKERS, prepare_axes, quiet_legend
from semiindex.exceptions import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from semiindex.diagnostics.reliability import Calibration

__all__ = ["CalibrationDisplay"]


class CalibrationDisplay:
    """Share of preferred options against their predicted probability, in bins.

    Use `from_calibration`, `from_predictions` or `from_estimator`; the constructor takes computed values.

    Parameters
    ----------
    bins : mapping of str to BinnedShares
        Binned predictions of every model.
    folded : bool, default=False
        Whether every comparison is seen from the option that the model favours, so that predicted
        probabilities are at least 1/2.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        After `plot`.
    lines_ : list of matplotlib lines
        One per model, after `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import CalibrationDisplay
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(size=1000)
    >>> y = rng.random(1000) < p
    >>> display = CalibrationDisplay.from_predictions(y, {"truth": p}, n_bins=4)
    >>> display.bins["truth"].share.round(1)
    array([0.1, 0.4, 0.7, 0.9])
    >>> ax = display.plot().ax_
    """

    def __init__(self, bins: Mapping[str, BinnedShares], *, folded: bool = False) -> None:
        self.bins = dict(bins)
        self.folded = folded

    @classmethod
    def from_calibration(cls, calibration: Calibration | Mapping[str, Calibration]) -> Self:
        """The bins that were tested, with the errors that right probabilities would have.

        Parameters
        ----------
        calibration : Calibration, or mapping of str to such
            Results of `calibration`, by name; all folded or none.

        Returns
        -------
        CalibrationDisplay

        Raises
        ------
        InvalidParameterError
            If some are folded and others not.
        """
        named = calibration if isinstance(calibration, Mapping) else {"model": calibration}
        if len({result.folded for result in named.values()}) != 1:
            raise InvalidParameterError("calibration must hold results that are all folded, or all not")
        bins = {str(name): result.bins for name, result in named.items()}
        return cls(bins, folded=next(iter(named.values())).folded)

    @classmethod
    def from_predictions(
        cls,
        y: ArrayLike,
        probability: ArrayLike | Mapping[str, ArrayLike],
        *,
        sample_weight: ArrayLike | None = None,
        n_bins: int = 10,
        folded: bool = False,
    ) -> Self:
        """Compute the display from predictions, held-out ones for a fair picture.

        Parameters
        ----------
        y : array-like of shape (n,)
            Two-valued labels; the larger one means that option 1 was preferred.
        probability : array-like of shape (n,), or mapping of str to such
            Predicted probabilities that option 1 is preferred, of one model or of several by name.
        sample_weight : array-like of shape (n,), default=None
            Frequency weights.
        n_bins : int, default=10
            Largest number of bins, at quantiles of each model's predictions.
        folded : bool, default=False
            See every comparison from the option that the model favours. Right where position has
            no effect; needed where all labels are equal (chosen and rejected options).

        Returns
        -------
        CalibrationDisplay
        """
        n_bins = require_count("n_bins", n_bins, 1)
        predicted = probability if isinstance(probability, Mapping) else {"model": probability}
        z = read_labels(y, np.asarray(y).size)
        weight = read_weight(sample_weight, z.size)
        bins = {}
        for name, values in predicted.items():
            p = _read_probability(values, z.size, name)
            shift, outcome = fold(p - 0.5, z) if folded else (p - 0.5, z)
            binned = bin_shares(shift, outcome, weight, n_bins)
            bins[str(name)] = BinnedShares(binned.position + 0.5, binned.share, binned.error, binned.weight)
        return cls(bins, folded=folded)

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        n_bins: int = 10,
        folded: bool | None = None,
    ) -> Self:
        """Compute the display of one or several fitted models.

        Parameters
        ----------
        model : fitted estimator, or mapping of str to such
            Models by name.
        X : PreferencePairs, array-like, DataFrame or sparse matrix of shape (n, d)
            Comparisons, not those of the fit if the picture should be fair.
        y : array-like of shape (n,), default=None
            Labels; None for those of `PreferencePairs`.
        sample_weight : array-like of shape (n,), default=None
            Frequency weights; None for those of `PreferencePairs`.
        n_bins : int, default=10
            Largest number of bins.
        folded : bool, default=None
            As in `from_predictions`; None folds if all models are antisymmetric.

        Returns
        -------
        CalibrationDisplay
        """
        models = name_models(model)
        if isinstance(X, PreferencePairs):
            y = X.labels if y is None else y
            sample_weight = X.weights if sample_weight is None else sample_weight
        if y is None:
            raise InvalidDataError("y is missing: labels are needed, except with PreferencePairs")
        if folded is None:
            folded = all(bool(one.antisymmetric) for one in models.values())
        predicted = {name: one.predict_proba(X)[:, 1] for name, one in models.items()}
        return cls.from_predictions(y, predicted, sample_weight=sample_weight, n_bins=n_bins, folded=folded)

    def plot(self, ax: Axes | None = None) -> CalibrationDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        CalibrationDisplay
            Itself.
        """
        self.ax_, self.figure_ = prepare_axes(ax, (4.8, 4.4))
        low = 0.5 if self.folded else 0.0
        self.ax_.plot([low, 1], [low, 1], color=INK, lw=0.8, ls=":", label="perfect calibration")
        self.lines_ = [self._draw(k, name) for k, name in enumerate(self.bins)]
        lowest = min(float((b.share - b.error).min()) for b in self.bins.values())
        self.ax_.set(xlim=(low - 0.01, 1.01), ylim=(min(low, lowest) - 0.02, 1.02))
        option = "the favoured option" if self.folded else "option 1"
        self.ax_.set_xlabel(f"Predicted probability of {option}")
        self.ax_.set_ylabel(f"Share of comparisons in which\n{option} was preferred")
        quiet_legend(self.ax_, loc="lower right")
        return self

    def _draw(self, k: int, name: str) -> Any:
        bins, color = self.bins[name], COLORS[k % len(COLORS)]
        container = self.ax_.errorbar(
            bins.position,
            bins.share,
            yerr=bins.error,
            marker=MARKERS[k % len(MARKERS)],
            ms=5,
            mfc="white",
            mew=1.2,
            lw=1.6,
            ls=LINE_STYLES[k % len(LINE_STYLES)],
            elinewidth=0.9,
            color=color,
            label=name,
        )
        return container.lines[0]


def _read_probability(values: ArrayLike, n_rows: int, name: str) -> FloatArray:
    p = np.asarray(values, dtype=np.float64)
    if p.shape != (n_rows,):
        raise InvalidDataError(
            f"probability of {name!r} must have one entry for each of {n_rows} labels, got shape {p.shape}"
        )
    if not ((p >= 0) & (p <= 1)).all():
        raise InvalidDataError(f"probability of {name!r} must lie between 0 and 1")
    return p
