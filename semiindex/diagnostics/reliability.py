"""`calibration`: whether predicted probabilities agree with what happens, and what they tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from semiindex._types import FloatArray
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.binning import BinnedShares, bin_codes, bin_shares, fold
from semiindex.diagnostics.predictions import read_predictions
from semiindex.exceptions import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BrierDecomposition", "Calibration", "brier_decomposition", "calibration"]

#: Gaps that right probabilities would show more rarely than this count as miscalibration.
_RARE = 0.01


@dataclass(frozen=True)
class BrierDecomposition:
    """Terms of the mean squared error of predicted probabilities.

    ``brier = reliability - resolution + uncertainty + within_variance - within_covariance``, exactly.

    Attributes
    ----------
    brier : float
        Mean of ``(z - p)^2``.
    reliability : float
        Mean squared gap between the share of wins and the mean prediction of a bin; 0 is best.
    resolution : float
        Variance of the shares of wins between bins; more is better.
    uncertainty : float
        Variance of the labels.
    within_variance : float
        Mean variance of the predictions within bins.
    within_covariance : float
        Twice the mean covariance of predictions and labels within bins: what the bins hide.
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float

    @property
    def generalized_resolution(self) -> float:
        """Resolution with what happens within bins: ``brier = reliability - this + uncertainty``."""
        return self.resolution - self.within_variance + self.within_covariance


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Diagnostic):
    """Predicted probabilities against shares of wins.

    Attributes
    ----------
    bins : BinnedShares
        The reliability diagram; `CalibrationDisplay` draws it.
    decomposition : BrierDecomposition
        The Brier score in terms; of the sample and its mirror image if folded.
    reliability_by_chance : float
        Reliability that perfect probabilities would have on average, for as many bins and independent
        comparisons.
    p_value : float
        How often right probabilities and independent comparisons would show gaps as large, by the
        chi-squared distribution of the standardised gaps of the bins.
    folded : bool
        Whether every comparison is seen from the favoured option.
    in_sample : bool
        Whether these look like the comparisons of the fit.
    """

    bins: BinnedShares
    decomposition: BrierDecomposition
    reliability_by_chance: float
    p_value: float
    folded: bool
    in_sample: bool

    @property
    def title(self) -> str:
        """What was looked at."""
        return "Calibration of the predicted probabilities"

    @property
    def calibrated(self) -> bool:
        """Whether the gaps are no larger than chance explains."""
        return self.p_value >= _RARE

    @property
    def level(self) -> Level:
        """A note where predictions and shares differ by more than chance."""
        return "fine" if self.calibrated else "note"

    def reading(self) -> str:
        """How far predictions are off, and what they tell apart."""
        terms = self.decomposition
        gap = 100 * np.sqrt(terms.reliability)
        chance = 100 * np.sqrt(self.reliability_by_chance)
        verdict = "no more than" if self.calibrated else "more than"
        told = 100 * terms.generalized_resolution / terms.uncertainty if terms.uncertainty else 0.0
        text = (
            f"Predicted probabilities and observed shares differ by {gap:.1f} percentage points (root mean "
            f"square over {self.bins.share.size} bins; p = {self.p_value:.2g}), {verdict} chance explains "
            f"({chance:.1f} on average). The predictions explain {told:.0f}% of the variance of the answers."
        )
        if not self.calibrated:
            text += (
                " Read the probabilities with care: look at the diagram for where they are too bold or too "
                "timid. The order of the options may be right all the same."
            )
        if self.in_sample:
            text += (
                "\nThese are the comparisons of the fit, so that the picture flatters it; use held-out ones."
            )
        return text

    def to_frame(self) -> pd.DataFrame:
        """One row per bin."""
        import pandas as pd

        return pd.DataFrame(
            {
                "predicted": self.bins.position,
                "share": self.bins.share,
                "standard error": self.bins.error,
                "comparisons": self.bins.weight,
            }
        ).rename_axis("bin")


def brier_decomposition(
    y: ArrayLike,
    probability: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    n_bins: int = 10,
) -> BrierDecomposition:
    """Brier score of predictions, in reliability, resolution, uncertainty and what is within bins.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels in [0, 1].
    probability : array-like of shape (n,)
        Predicted probabilities of a 1.
    sample_weight : array-like of shape (n,), optional
        Frequency weights.
    n_bins : int, default=10
        Largest number of bins, at quantiles of the predictions.

    Returns
    -------
    BrierDecomposition

    References
    ----------
    Murphy 1973; Stephenson, Coelho & Jolliffe 2008 (terms within bins).

    Examples
    --------
    >>> from semiindex import brier_decomposition
    >>> terms = brier_decomposition([0, 0, 1, 1], [0.2, 0.2, 0.8, 0.8], n_bins=2)
    >>> round(terms.brier, 3), round(terms.reliability, 3), terms.resolution, terms.uncertainty
    (0.04, 0.04, 0.25, 0.25)
    """
    z, p = np.asarray(y, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    weight = np.ones(z.shape) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if z.ndim != 1 or not z.shape == p.shape == weight.shape:
        raise InvalidDataError("y, probability and sample_weight must be vectors of one length")
    if not (((z >= 0) & (z <= 1)).all() and ((p >= 0) & (p <= 1)).all()):
        raise InvalidDataError("y and probability must lie between 0 and 1")
    if not ((weight >= 0).all() and weight.any()):
        raise InvalidDataError("sample_weight must be at least 0, and positive somewhere")
    if not n_bins >= 1:
        raise InvalidParameterError(f"n_bins must be at least 1, got {n_bins!r}")
    return _decompose(z, p, weight, n_bins)


def _decompose(z: FloatArray, p: FloatArray, weight: FloatArray, n_bins: int) -> BrierDecomposition:
    used = weight > 0
    z, p, weight = z[used], p[used], weight[used] / weight.sum()
    code = bin_codes(p, weight, n_bins)
    mass = np.bincount(code, weights=weight)
    label, prediction = (
        np.bincount(code, weights=weight * z) / mass,
        np.bincount(code, weights=weight * p) / mass,
    )
    base = float(weight @ z)
    off = p - prediction[code]
    return BrierDecomposition(
        brier=float(weight @ (z - p) ** 2),
        reliability=float(mass @ (label - prediction) ** 2),
        resolution=float(mass @ (label - base) ** 2),
        uncertainty=float(weight @ (z - base) ** 2),
        within_variance=float(weight @ off**2),
        within_covariance=2 * float(weight @ (off * (z - label[code]))),
    )


def calibration(
    model: Any,
    X: Any,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    n_bins: int = 10,
    folded: bool | None = None,
) -> Calibration:
    """Compare predicted probabilities with what happened.

    Parameters
    ----------
    model : fitted estimator
        Of the library.
    X : PreferencePairs, array-like or sparse matrix of shape (n, d)
        Comparisons; held-out ones for a fair picture.
    y : array-like of shape (n,), optional
        Labels; None for those of `PreferencePairs`.
    sample_weight : array-like of shape (n,), optional
        Frequency weights; None for those of `PreferencePairs`.
    n_bins : int, default=10
        Largest number of bins, at quantiles of the predictions.
    folded : bool, optional
        See every comparison from the option that the model favours. None: for antisymmetric models,
        where a comparison and its mirror image say the same.

    Returns
    -------
    Calibration

    See Also
    --------
    CalibrationDisplay : The diagram, also of several models.
    brier_decomposition : For predictions without a model.

    References
    ----------
    Murphy 1973; Stephenson, Coelho & Jolliffe 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy, calibration
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(4000, 2))
    >>> y = rng.random(4000) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> result = calibration(KnownLinkPolicy().fit(X[:2000], y[:2000]), X[2000:], y[2000:])
    >>> result.calibrated
    True
    """
    if not n_bins >= 1:
        raise InvalidParameterError(f"n_bins must be at least 1, got {n_bins!r}")
    data = read_predictions(model, X, y, sample_weight)
    folded = bool(model.antisymmetric) if folded is None else folded
    shift, outcome = fold(data.probability - 0.5, data.z) if folded else (data.probability - 0.5, data.z)
    binned = bin_shares(shift, outcome, data.weight, n_bins)
    bins = BinnedShares(binned.position + 0.5, binned.share, binned.error, binned.weight)
    p = np.clip(shift + 0.5, 0.0, 1.0)
    used = data.weight > 0
    code = bin_codes(p[used], data.weight[used], n_bins)
    variance = np.bincount(code, weights=(data.weight * p * (1 - p))[used])
    gaps = bins.weight * (bins.share - bins.position)
    statistic = float(np.sum(gaps**2 / np.maximum(variance, np.finfo(np.float64).tiny)))
    terms = _decompose(data.z, data.probability, data.weight, n_bins)
    if folded:  # the sample and its mirror image, with bins on both sides of 1/2
        doubled = (np.append(outcome, 1 - outcome), np.append(p, 1 - p), np.tile(data.weight, 2))
        terms = _decompose(*doubled, 2 * bins.share.size)
    return Calibration(
        bins,
        terms,
        float(np.sum(variance / bins.weight)) / float(data.weight.sum()),
        float(chi2.sf(statistic, bins.share.size)),
        folded,
        data.in_sample,
    )
