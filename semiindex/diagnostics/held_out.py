"""Held-out comparison of estimators: grouped folds, log loss, accuracy, and a sentence on the link."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from sklearn.base import clone

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError, SemiindexWarning

__all__ = [
    "HeldOutComparison",
    "Loss",
    "PairedDifference",
    "clusters_of",
    "compare_held_out",
    "held_out_folds",
    "row_losses",
]

#: Probabilities are held this far from 0 and 1 before their logarithm is taken.
_SMALLEST_PROBABILITY = 1e-15

#: How a prediction is judged; smaller is better.
Loss: TypeAlias = Literal["log", "brier", "error"]

Progress = Callable[[Iterable[Any]], Iterable[Any]]


@dataclass(frozen=True)
class PairedDifference:
    """Mean difference of two losses over the same comparisons, with its clustered standard error.

    Attributes
    ----------
    mean : float
        Weighted mean of first minus second.
    error : float
        Standard error of `mean`, from sums within clusters.
    n_clusters : int
        Number of clusters.
    """

    mean: float
    error: float
    n_clusters: int

    @classmethod
    def of(cls, difference: FloatArray, weight: FloatArray, clusters: AnyArray) -> PairedDifference:
        """Summarise differences; clusters are independent of each other, rows within one are not.

        Parameters
        ----------
        difference, weight : array of shape (n,)
            Difference of the losses, and frequency weights.
        clusters : array of shape (n,)
            Cluster of every row.

        Returns
        -------
        PairedDifference
            The standard error is that of the ratio estimator: residual sums of the G clusters,
            squared, added, times G / (G - 1).
        """
        _, code = np.unique(clusters, return_inverse=True)
        total = float(weight.sum())
        mean = float(weight @ difference) / total
        sums = np.bincount(code, weights=weight * (difference - mean))
        n_clusters = int(sums.size)
        error = float(np.sqrt(n_clusters / (n_clusters - 1) * float(sums @ sums))) / total
        return cls(mean, error, n_clusters)


@dataclass(frozen=True, eq=False)
class HeldOutComparison:
    """Predictions of several estimators for comparisons that they were not fitted to.

    Attributes
    ----------
    probability : dict of str to array of shape (n,)
        Held-out probabilities that option 1 is preferred, by estimator.
    z, weight : array of shape (n,)
        Labels and frequency weights.
    clusters : array of shape (n,)
        What was kept together.
    cluster_name : str
        What the clusters are, in words.
    n_folds : int
        Number of folds.
    n_unfinished : int
        Fits that stopped before their tolerance.
    """

    probability: dict[str, FloatArray]
    z: FloatArray
    weight: FloatArray
    clusters: AnyArray
    cluster_name: str
    n_folds: int
    n_unfinished: int = 0

    def losses(self, name: str) -> FloatArray:
        """Log loss of every row."""
        return row_losses(self.z, self.probability[name], "log")

    def log_loss(self, name: str) -> float:
        """Mean log loss."""
        return float(np.average(self.losses(name), weights=self.weight))

    def accuracy(self, name: str) -> float:
        """Share predicted rightly; where both options are equally probable, half."""
        wrong = row_losses(self.z, self.probability[name], "error")
        return 1 - float(np.average(wrong, weights=self.weight))

    def difference(self, baseline: str, other: str) -> PairedDifference:
        """Log loss of `baseline` minus that of `other`, row by row: positive where `other` is better."""
        return PairedDifference.of(self.losses(baseline) - self.losses(other), self.weight, self.clusters)

    def sentence(self, baseline: str, other: str) -> str:
        """What the difference says of the logistic link; never that it is right."""
        gap = self.difference(baseline, other)
        against = gap.mean > 2 * gap.error
        side = "lower" if gap.mean >= 0 else "higher"
        bound = "more than" if abs(gap.mean) > 2 * gap.error else "within"
        return (
            f"{'Evidence' if against else 'No evidence'} against the logistic link: held out, the mean log "
            f"loss of the {other} fit is {side} by {abs(gap.mean):.4f}, {bound} two standard errors "
            f"({2 * gap.error:.4f}; clusters: {gap.n_clusters:,} {self.cluster_name})."
        )


def row_losses(z: FloatArray, probability: FloatArray, loss: Loss) -> FloatArray:
    """Loss of every prediction.

    Parameters
    ----------
    z : array of shape (n,)
        Labels in {0, 1}.
    probability : array of shape (n,)
        Predicted probability of a 1.
    loss : {"log", "brier", "error"}
        Log loss, squared error, or whether the prediction is wrong, half where both are as probable.

    Returns
    -------
    array of shape (n,)
    """
    p = np.asarray(probability, dtype=np.float64)
    if loss == "brier":
        return np.asarray((z - p) ** 2)
    if loss == "error":
        return np.where(p == 0.5, 0.5, (p > 0.5) != (z > 0.5)).astype(np.float64)
    p = np.clip(p, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    return np.asarray(-(z * np.log(p) + (1 - z) * np.log1p(-p)))


def clusters_of(pairs: PreferencePairs, units_name: str = "comparisons") -> tuple[AnyArray, str]:
    """What must stay together in a fold, and what it is called.

    Parameters
    ----------
    pairs : PreferencePairs
        Comparisons.
    units_name : str, default="comparisons"
        What the units of the pairs are.

    Returns
    -------
    clusters : array of shape (n,)
        Raters if given, else the units of the comparisons.
    name : str
        In words.
    """
    if pairs.groups is not None:
        return pairs.groups, "raters"
    return pairs.units, units_name


def held_out_folds(clusters: AnyArray, n_folds: int, seed: int) -> IntArray:
    """Fold of every row: whole clusters, dealt in random order, large ones first.

    Parameters
    ----------
    clusters : array of shape (n,)
        Cluster of every row.
    n_folds : int
        Number of folds; fewer if there are fewer clusters.
    seed : int
        Of the order.

    Returns
    -------
    array of int, shape (n,)
    """
    _, code = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(code)
    if sizes.size < 2:
        raise InvalidDataError(
            "all comparisons belong to one group, so that none can be held out; leave out the groups "
            "(--group on the command line), or collect answers of a second one."
        )
    n_folds = min(n_folds, sizes.size)
    shuffled = np.random.default_rng(seed).permutation(sizes.size)
    by_size = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    load, fold = np.zeros(n_folds), np.empty(sizes.size, dtype=np.intp)
    for cluster in by_size:
        fold[cluster] = np.argmin(load)
        load[fold[cluster]] += sizes[cluster]
    return fold[code]


def compare_held_out(
    estimators: Mapping[str, Any],
    pairs: PreferencePairs,
    *,
    n_folds: int = 5,
    seed: int = 0,
    units_name: str = "comparisons",
    progress: Progress = iter,
) -> HeldOutComparison:
    """Predict every fold by estimators fitted to the others.

    Parameters
    ----------
    estimators : mapping of str to estimator
        They are cloned.
    pairs : PreferencePairs
        Comparisons with their labels, weights, raters and units.
    n_folds : int, default=5
        Largest number of folds.
    seed : int, default=0
        Of the folds.
    units_name : str, default="comparisons"
        What the units of the pairs are, for sentences.
    progress : callable, default=iter
        Wraps the sequence of fits.

    Returns
    -------
    HeldOutComparison
    """
    clusters, cluster_name = clusters_of(pairs, units_name)
    folds = held_out_folds(clusters, n_folds, seed)
    count = int(folds.max()) + 1
    probability: dict[str, FloatArray] = {name: np.empty(len(pairs)) for name in estimators}
    unfinished = 0
    for fold, name in progress([(fold, name) for fold in range(count) for name in estimators]):
        test = np.flatnonzero(folds == fold)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SemiindexWarning)  # the fit to all the data has said it
            model = clone(estimators[name]).fit(pairs[np.flatnonzero(folds != fold)])
        unfinished += not model.converged_
        probability[name][test] = model.predict_proba(pairs[test])[:, 1]
    weight = np.ones(len(pairs)) if pairs.weights is None else np.asarray(pairs.weights)
    z = np.asarray(pairs.labels, dtype=np.float64)
    return HeldOutComparison(probability, z, weight, clusters, cluster_name, count, unfinished)
