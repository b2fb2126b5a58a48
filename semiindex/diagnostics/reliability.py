"""`calibration`: whether predicted probabilities agree with what happens, and what they tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray, IntArray
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.binning import BinnedShares, bin_codes, fold
from semiindex.diagnostics.calibration_gaps import calibration_gaps
from semiindex.diagnostics.counts import require_count
from semiindex.diagnostics.predictions import Predictions, read_predictions
from semiindex.exceptions import InvalidDataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "BrierDecomposition",
    "Calibration",
    "brier_decomposition",
    "calibration",
    "calibration_of_predictions",
]

#: Gaps that right probabilities would show more rarely than this count as miscalibration.
_RARE = 0.01


@dataclass(frozen=True)
class BrierDecomposition:
    """Terms of the mean squared error of predicted probabilities.

    Made by `brier_decomposition`, which has an example.

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

    Made by `calibration`, which has an example.

    Attributes
    ----------
    bins : BinnedShares
        The reliability diagram, `CalibrationDisplay.from_calibration` draws it: quantiles of the
        predictions, neighbours merged until they hold enough for a test. Errors are those that right
        probabilities would have, answers clustered.
    decomposition : BrierDecomposition
        The Brier score in terms; of the sample and its mirror image if folded.
    reliability_by_chance : float
        Reliability that right probabilities would have on average, for as many bins, comparisons and
        clusters.
    p_value : float
        How often right probabilities would show gaps as large. NaN for the comparisons of the fit,
        which agree with it by construction, and for comparisons too few or too certain to tell.
    n_clusters : int or None
        Independent clusters; None where rows are independent.
    folded : bool
        Whether every comparison is seen from the favoured option.
    in_sample : bool
        Whether these look like the comparisons of the fit.
    """

    bins: BinnedShares
    decomposition: BrierDecomposition
    reliability_by_chance: float
    p_value: float
    n_clusters: int | None
    folded: bool
    in_sample: bool

    @property
    def title(self) -> str:
        """What was looked at."""
        return "Calibration of the predicted probabilities"

    @property
    def tested(self) -> bool:
        """Whether the comparisons can tell right probabilities from wrong ones."""
        return not np.isnan(self.p_value)

    @property
    def calibrated(self) -> bool | None:
        """Whether the gaps are no larger than chance explains; None if that was not tested."""
        return self.p_value >= _RARE if self.tested else None

    @property
    def level(self) -> Level:
        """A note where predictions and shares differ by more than chance."""
        return "note" if self.calibrated is False else "fine"

    def reading(self) -> str:
        """How far predictions are off, and what they tell apart."""
        terms = self.decomposition
        gap = 100 * np.sqrt(terms.reliability)
        told = 100 * terms.generalized_resolution / terms.uncertainty if terms.uncertainty else 0.0
        bins = f"{self.bins.share.size} bins" if self.bins.share.size > 1 else "one bin"
        return (
            f"Predicted probabilities and observed shares differ by {gap:.1f} percentage points (root mean "
            f"square over {bins}). {self._verdict()} The predictions explain {told:.0f}% of the variance of "
            "the answers."
        )

    def _verdict(self) -> str:
        if self.in_sample:
            return (
                "These are the comparisons of the fit, which agree with it by construction: no test is made. "
                "Use held-out comparisons, or link_test for the link of the fit."
            )
        chance = f"{100 * np.sqrt(self.reliability_by_chance):.1f}"
        if not self.tested:
            return (
                f"Right probabilities would differ by about {chance}: these comparisons are too few, too "
                "certain, or of too few raters to tell."
            )
        units = "" if self.n_clusters is None else f", answers clustered in {self.n_clusters:,}"
        if self.calibrated:
            return (
                f"Right probabilities would differ by about {chance} by chance: nothing speaks against these "
                f"(p = {self.p_value:.2g}{units})."
            )
        bins = self.bins
        worst = int(np.argmax(np.abs(bins.share - bins.position) / bins.error))
        p_value = "p < 0.001" if self.p_value < 0.001 else f"p = {self.p_value:.2g}"
        return (
            f"Right probabilities would hardly show such gaps ({p_value}{units}); the clearest is where "
            f"{100 * bins.position[worst]:.0f}% is predicted and {100 * bins.share[worst]:.0f}% observed. "
            "Read the probabilities with care: look at the diagram for where they are too bold or too "
            "timid. The order of the options may be right all the same."
        )

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
    n_bins = require_count("n_bins", n_bins, 1)
    used = weight > 0
    return _decompose(z[used], p[used], weight[used], bin_codes(p[used], weight[used], n_bins))


def _decompose(z: FloatArray, p: FloatArray, weight: FloatArray, code: IntArray) -> BrierDecomposition:
    weight = weight / weight.sum()
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
    groups: ArrayLike | None = None,
    n_bins: int = 10,
    folded: bool | None = None,
) -> Calibration:
    """Compare predicted probabilities with what happened.

    Parameters
    ----------
    model : fitted estimator
        Of the library.
    X : PreferencePairs, array-like or sparse matrix of shape (n, d)
        Held-out comparisons. Those of the fit agree with it by construction: they are described, and not
        tested.
    y : array-like of shape (n,), optional
        Labels; None for those of `PreferencePairs`.
    sample_weight : array-like of shape (n,), optional
        Weights, which multiply those of `PreferencePairs`. Whole ones are frequencies; of others every
        row is one observation.
    groups : array-like of shape (n,), optional
        Raters, whose answers may depend on each other. The default is what `PreferencePairs` carry, else
        their units where these have several rows.
    n_bins : int, default=10
        Largest number of bins, at quantiles of the predictions. Ten show where predictions are
        off; neighbours are merged until the expected variance of a bin, after allowing for clusters,
        is 5.
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
    link_test : Whether the link of the fit is right, from the comparisons of the fit.

    Notes
    -----
    The null hypothesis is that the predicted probabilities are right, estimation error included: those of
    a fit to few comparisons are not, whatever its link. Gaps are summed within clusters, and the sum of
    their squares has the scaled F distribution of :eq:`calibration-gaps`.

    References
    ----------
    Murphy 1973; Stephenson, Coelho & Jolliffe 2008; Rao & Scott 1981.

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
    data = read_predictions(model, X, y, sample_weight, groups)
    folded = bool(model.antisymmetric) if folded is None else bool(folded)
    return calibration_of_predictions(data, n_bins=n_bins, folded=folded)


def calibration_of_predictions(data: Predictions, *, n_bins: int = 10, folded: bool) -> Calibration:
    """Calibration of predictions that were made before.

    Parameters
    ----------
    data : Predictions
        With labels, weights and clusters.
    n_bins : int, default=10
        Largest number of bins.
    folded : bool
        Whether to see every comparison from the favoured option.

    Returns
    -------
    Calibration
    """
    n_bins = require_count("n_bins", n_bins, 1)
    used = data.weight > 0
    z, p, weight = data.z[used], data.probability[used], data.weight[used]
    clusters = None if data.clusters is None else data.clusters[used]
    if folded:
        shift, z = fold(p - 0.5, z)
        p = np.clip(shift + 0.5, 0.0, 1.0)
    found = calibration_gaps(p, z, weight, clusters, n_bins)
    code = found.codes
    if folded:  # the sample and its mirror image, with bins on both sides of 1/2
        z, p, weight = np.append(z, 1 - z), np.append(p, 1 - p), np.tile(weight, 2)
        code = np.append(code + found.bins.share.size, found.bins.share.size - 1 - code)
    return Calibration(
        found.bins,
        _decompose(z, p, weight, code),
        found.by_chance,
        float("nan") if data.in_sample else found.p_value,
        found.n_clusters,
        folded,
        data.in_sample,
    )
