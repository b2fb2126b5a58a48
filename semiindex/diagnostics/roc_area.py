"""`discrimination`: how well the index orders wins above losses, with an interval that knows of raters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import norm
from scipy.stats import t as student

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.predictions import read_predictions
from semiindex.exceptions import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Discrimination", "auc_interval", "discrimination"]


@dataclass(frozen=True, eq=False, repr=False)
class Discrimination(Diagnostic):
    """Area under the ROC curve with its interval.

    Made by `discrimination`, which has an example.

    Attributes
    ----------
    auc : float
        Share of pairs of a win and a loss that the scores put in order, ties counted half.
    standard_error : float
        Of `auc`.
    interval : tuple of float
        Confidence interval, symmetric in the logit.
    confidence : float
        Its level.
    n_clusters : int or None
        Independent clusters; None where rows are independent.
    doubled : bool
        Whether the sample was doubled by its mirror image.
    in_sample : bool
        Whether these look like the comparisons of the fit.
    """

    auc: float
    standard_error: float
    interval: tuple[float, float]
    confidence: float
    n_clusters: int | None
    doubled: bool
    in_sample: bool

    @property
    def title(self) -> str:
        """What was looked at."""
        return "Discrimination: does the index put wins above losses?"

    @property
    def level(self) -> Level:
        """A warning where the index may be no better than chance."""
        return "warning" if self.interval[0] <= 0.5 else "fine"

    def reading(self) -> str:
        """The area in words."""
        low, high = self.interval
        clusters = "" if self.n_clusters is None else f", answers clustered in {self.n_clusters:,}"
        text = (
            f"Of two comparisons with different outcomes the index puts {100 * self.auc:.1f}% in the right "
            f"order ({self.confidence:.0%} interval {100 * low:.1f}% to {100 * high:.1f}%{clusters}); 50% "
            f"is chance. "
            "This does not depend on the link, nor on whether probabilities are right."
        )
        if self.level == "warning":
            text += " The index may be no better than chance: a policy made from it is not to be trusted yet."
        if self.in_sample:
            text += (
                "\nThese are the comparisons of the fit, so that the number flatters it; use held-out ones."
            )
        return text

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        import pandas as pd

        return pd.DataFrame(
            {
                "AUC": [self.auc],
                "standard error": [self.standard_error],
                "from": [self.interval[0]],
                "to": [self.interval[1]],
            },
            index=["index"],
        )


def auc_interval(
    y: ArrayLike,
    score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Discrimination:
    """Area under the ROC curve, with a standard error that allows for clusters.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels 0 and 1, both present.
    score : array-like of shape (n,)
        The larger, the more probable a 1.
    groups : array-like of shape (n,), optional
        Clusters, independent of each other; rows within one need not be.
    sample_weight : array-like of shape (n,), optional
        Whole ones are frequencies; of others every row is one observation.
    confidence : float, default=0.95
        Level of the interval.

    Returns
    -------
    Discrimination

    Raises
    ------
    InvalidDataError
        For labels of one kind, or clusters too few.

    Notes
    -----
    With ``V_i`` the share of losses below win i and ``V_j`` that of wins above loss j, the variance is
    that of DeLong, DeLong & Clarke-Pearson 1988, with sums within clusters in place of single values and
    the covariance of both (Obuchowski 1997), :eq:`auc-variance`. The interval is formed for the logit, with
    ``t(G - 1)`` for G clusters.

    Examples
    --------
    >>> from semiindex import auc_interval
    >>> auc_interval([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).auc
    0.75
    """
    z, scores = np.asarray(y, dtype=np.float64), np.asarray(score, dtype=np.float64)
    weight = np.ones(z.shape) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if z.ndim != 1 or not z.shape == scores.shape == weight.shape:
        raise InvalidDataError("y, score and sample_weight must be vectors of one length")
    if not (np.isin(z, (0, 1)).all() and np.isfinite(scores).all()):
        raise InvalidDataError("y must hold 0 and 1 only, and score must be finite")
    if not ((weight >= 0).all() and np.isfinite(weight).all()):
        raise InvalidDataError("sample_weight must be finite and at least 0")
    codes = None
    if groups is not None:
        if np.shape(groups) != z.shape:
            raise InvalidDataError(f"groups must have one entry for each of {z.size} rows")
        codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    found = _discrimination(
        z, scores, weight, _blocks(weight, codes), confidence, doubled=False, in_sample=False
    )
    return found if codes is not None else replace(found, n_clusters=None)


def discrimination(
    model: Any,
    X: Any,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Discrimination:
    """Area under the ROC curve of a fitted index, with a cluster-robust interval.

    Parameters
    ----------
    model : fitted estimator
        Of the library.
    X : PreferencePairs, array-like or sparse matrix of shape (n, d)
        Comparisons; held-out ones for a fair number.
    y : array-like of shape (n,), optional
        Labels; None for those of `PreferencePairs`.
    sample_weight : array-like of shape (n,), optional
        Weights, which multiply those of `PreferencePairs`. Whole ones are frequencies; of others every
        row is one observation.
    groups : array-like of shape (n,), optional
        Raters; the default is what `PreferencePairs` carry.
    confidence : float, default=0.95
        Level of the interval.

    Returns
    -------
    Discrimination

    Notes
    -----
    For an antisymmetric model the sample is doubled by its mirror image, a comparison and its image in
    one cluster: the area does not depend on which option of a row stands first, and exists for labels
    of one kind.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson 1988; Obuchowski 1997.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy, discrimination
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(4000, 2))
    >>> y = rng.random(4000) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> result = discrimination(KnownLinkPolicy().fit(X[:2000], y[:2000]), X[2000:], y[2000:])
    >>> round(result.auc, 2), round(result.standard_error, 3)
    (0.8, 0.01)
    """
    data = read_predictions(model, X, y, sample_weight, groups)
    z, score, weight, codes = data.z, data.decision, data.weight, data.clusters
    doubled = bool(model.antisymmetric)
    blocks = _blocks(weight, codes)
    if doubled:
        found = _doubled(z, score, weight, blocks, confidence, in_sample=data.in_sample)
    else:
        found = _discrimination(z, score, weight, blocks, confidence, doubled=False, in_sample=data.in_sample)
    return found if codes is not None else replace(found, n_clusters=None)


def _blocks(weight: FloatArray, codes: IntArray | None) -> IntArray | None:
    """Clusters; without any, every row by itself if weights are no counts, and None if they are."""
    if codes is not None or np.all(weight == np.round(weight)):
        return codes
    return np.arange(weight.size)


def _doubled(
    z: FloatArray,
    score: FloatArray,
    weight: FloatArray,
    codes: IntArray | None,
    confidence: float,
    *,
    in_sample: bool,
) -> Discrimination:
    """The sample and its mirror image, both in one cluster."""
    wins = np.where(z > 0, score, -score)
    area = _share_below(wins, -wins, weight)
    auc = float(np.average(area, weights=weight))
    off = area - auc
    n = float(weight.sum())
    if codes is None:
        variance = 4 * n / (n - 1) * float(weight @ off**2) / n**2
        count = None
    else:
        sums = np.bincount(codes, weights=weight * off)
        count = _count_clusters(np.bincount(codes, weights=weight))
        variance = 4 * count / (count - 1) * float(sums @ sums) / n**2
    return _with_interval(auc, variance, count, confidence, doubled=True, in_sample=in_sample)


def _discrimination(
    z: FloatArray,
    score: FloatArray,
    weight: FloatArray,
    codes: IntArray | None,
    confidence: float,
    *,
    doubled: bool,
    in_sample: bool,
) -> Discrimination:
    up, down = weight * z, weight * (1 - z)
    n_up, n_down = float(up.sum()), float(down.sum())
    if not (n_up > 0 and n_down > 0):
        raise InvalidDataError("y has labels of one kind only, so that no win can stand above a loss")
    area = np.where(z > 0, _share_below(score, score, down), 1 - _share_below(score, score, up))
    auc = float(up @ area) / n_up
    off = area - auc
    if codes is None:
        if min(n_up, n_down) <= 1:
            raise InvalidDataError("A standard error needs two wins and two losses at least")
        variance = float(up @ off**2) / (n_up * (n_up - 1)) + float(down @ off**2) / (n_down * (n_down - 1))
        return _with_interval(auc, variance, None, confidence, doubled=doubled, in_sample=in_sample)
    count = _count_clusters(np.bincount(codes, weights=weight))
    sums_up, sums_down = np.bincount(codes, weights=up * off), np.bincount(codes, weights=down * off)
    with_up = _count_clusters(np.bincount(codes, weights=up))
    with_down = _count_clusters(np.bincount(codes, weights=down))
    variance = (
        with_up / (with_up - 1) * float(sums_up @ sums_up) / n_up**2
        + with_down / (with_down - 1) * float(sums_down @ sums_down) / n_down**2
        + 2 * count / (count - 1) * float(sums_up @ sums_down) / (n_up * n_down)
    )
    return _with_interval(auc, variance, count, confidence, doubled=doubled, in_sample=in_sample)


def _share_below(points: FloatArray, others: FloatArray, weight: FloatArray) -> FloatArray:
    """Share of the weight of `others` below every point, ties counted half."""
    order = np.argsort(others, kind="stable")
    mass = np.append(0.0, np.cumsum(weight[order]))
    ranked = others[order]
    below, upto = np.searchsorted(ranked, points, "left"), np.searchsorted(ranked, points, "right")
    return np.asarray((mass[below] + mass[upto]) / (2 * mass[-1]))


def _count_clusters(mass: AnyArray) -> int:
    count = int(np.count_nonzero(mass))
    if count < 2:
        raise InvalidDataError(
            "groups: fewer than two clusters hold wins, or losses; a clustered standard error needs several"
        )
    return count


def _with_interval(
    auc: float, variance: float, count: int | None, confidence: float, *, doubled: bool, in_sample: bool
) -> Discrimination:
    if not 0 < confidence < 1:
        raise InvalidParameterError(f"confidence must lie between 0 and 1, such as 0.95, got {confidence!r}")
    error = float(np.sqrt(max(variance, 0.0)))
    tail = (1 + confidence) / 2
    quantile = float(norm.ppf(tail) if count is None else student.ppf(tail, count - 1))
    if 0 < auc < 1:
        half = quantile * error / (auc * (1 - auc))
        interval = float(expit(logit(auc) - half)), float(expit(logit(auc) + half))
    else:  # perfect order: the variance is 0 and says nothing
        interval = (auc, auc)
    return Discrimination(auc, error, interval, confidence, count, doubled, in_sample)
