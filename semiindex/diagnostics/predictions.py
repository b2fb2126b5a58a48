"""Predictions of a fitted model for comparisons, with labels, weights, and who answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.policy.base import PreferencePolicy

__all__ = ["Predictions", "has_labels_of_the_fit", "looks_like_the_fit", "read_predictions"]

#: Relative difference up to which sample size and size of the index are those of the fit.
_TOLERANCE = 1e-6
_FLOAT32_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Predictions:
    """Comparisons as a fitted model sees them.

    Attributes
    ----------
    decision : array of shape (n,)
        Index minus the half point.
    probability : array of shape (n,)
        Predicted probability that option 1 is preferred.
    z, weight : array of shape (n,)
        Labels in {0, 1} and frequency weights.
    clusters : array of int, shape (n,), or None
        What answers within may depend on each other; None if rows are independent.
    in_sample : bool
        Whether these look like the comparisons of the fit: as many, with an index of the same size.
    """

    decision: FloatArray
    probability: FloatArray
    z: FloatArray
    weight: FloatArray
    clusters: IntArray | None
    in_sample: bool


def read_predictions(
    model: Any, X: Any, y: ArrayLike | None, sample_weight: ArrayLike | None, groups: ArrayLike | None = None
) -> Predictions:
    """Predict comparisons and read what belongs to them.

    Parameters
    ----------
    model : fitted estimator
        Of the library.
    X : PreferencePairs, array-like or sparse matrix of shape (n, d)
        Comparisons.
    y : array-like of shape (n,), or None
        Labels; None takes those that `PreferencePairs` carry.
    sample_weight : array-like of shape (n,), or None
        Multiplies the weights that `PreferencePairs` carry.
    groups : array-like of shape (n,), or None, default=None
        Clusters; None takes those that `PreferencePairs` carry; without any, units with several rows are
        clusters.

    Raises
    ------
    InvalidParameterError
        For anything but a fitted estimator of the library.
    InvalidDataError
        For labels, weights or groups that do not fit.
    """
    if not isinstance(model, PreferencePolicy):
        raise InvalidParameterError(
            f"model must be a fitted estimator of semiindex, got {type(model).__name__}"
        )
    check_is_fitted(model)
    decision = np.asarray(model.decision_function(X), dtype=np.float64)
    if isinstance(X, PreferencePairs):
        y = model.classes_[X.labels] if y is None else y
        groups = X.groups if groups is None else groups
        if groups is None and X.n_units < len(X):
            groups = X.units
    if y is None:
        raise InvalidDataError("y is missing: labels are needed, except with PreferencePairs")
    labels = np.asarray(y)
    if labels.shape != decision.shape or not np.isin(labels, model.classes_).all():
        raise InvalidDataError(
            f"y must hold one of the labels {model.classes_.tolist()} for each of {decision.size} comparisons"
        )
    weight = np.ones(decision.size) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if isinstance(X, PreferencePairs) and X.weights is not None and weight.shape == decision.shape:
        weight = weight * X.weights  # as in fit
    if weight.shape != decision.shape or not (
        (weight >= 0).all() and np.isfinite(weight).all() and weight.any()
    ):
        raise InvalidDataError(
            f"sample_weight must hold {decision.size} finite numbers of at least 0, one of them positive"
        )
    return Predictions(
        decision,
        np.asarray(model.predict_proba(X)[:, 1], dtype=np.float64),
        np.asarray(labels == model.classes_[1], dtype=np.float64),
        weight,
        None if groups is None else _codes(np.asarray(groups), decision.size),
        looks_like_the_fit(model, _index(model, X), weight),
    )


def _codes(groups: AnyArray, n_rows: int) -> IntArray:
    if groups.shape != (n_rows,):
        raise InvalidDataError(
            f"groups must have one entry for each of {n_rows} rows, got shape {groups.shape}"
        )
    return np.asarray(np.unique(groups, return_inverse=True)[1])


def _index(model: Any, X: Any) -> FloatArray:
    pairs = X if isinstance(X, PreferencePairs) or hasattr(X, "tocsr") else np.asarray(X)
    return np.asarray(model.index_.design(pairs).matvec(np.asarray(model.coef_, dtype=np.float64)))


def looks_like_the_fit(model: Any, t: FloatArray, weight: FloatArray) -> bool:
    """Whether there are as many comparisons as in the fit, with an index of the same size.

    Parameters
    ----------
    model : fitted estimator
        Of the library.
    t : array of shape (n,)
        Its index of the comparisons.
    weight : array of shape (n,)
        Frequency weights.

    Returns
    -------
    bool
    """
    rms = float(np.sqrt(np.average(t**2, weights=weight)))
    return bool(
        np.isclose(float(weight.sum()), model.n_comparisons_, rtol=_TOLERANCE)
        and np.isclose(rms, model.index_rms_, rtol=_TOLERANCE)
    )


def has_labels_of_the_fit(model: Any, t: FloatArray, z: AnyArray, weight: FloatArray) -> bool:
    """Whether labels and index have the mean product of the fit.

    Parameters
    ----------
    model : fitted estimator
        Of the library; one that was stored by an older version may not know, which counts as yes.
    t : array of shape (n,)
        Its index of the comparisons.
    z : array of shape (n,)
        Whether option 1 was preferred.
    weight : array of shape (n,)
        Frequency weights.

    Returns
    -------
    bool
    """
    fitted = getattr(model, "index_label_moment_", None)
    if fitted is None:
        return True
    moment = float(np.average(t * (z - 0.5), weights=weight))
    rms = float(np.sqrt(np.average(t**2, weights=weight)))
    tolerance = _TOLERANCE if np.asarray(model.coef_).dtype == np.float64 else _FLOAT32_TOLERANCE
    return bool(abs(moment - fitted) <= tolerance * rms)
