"""What a display reads: index, labels and weights of comparisons under a fitted model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from semiindex._types import AnyArray, FloatArray
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.policy.base import PreferencePolicy

__all__ = ["IndexedSample", "name_models", "read_labels", "read_sample", "read_weight"]


@dataclass(frozen=True, eq=False)
class IndexedSample:
    """Comparisons as points on the line.

    Attributes
    ----------
    t : array of shape (n,)
        Index.
    z : array of shape (n,)
        1 where option 1 was preferred.
    weight : array of shape (n,)
        Frequency weights.
    link_groups : array of shape (n,) or None
        Classes of raters.
    """

    t: FloatArray
    z: FloatArray
    weight: FloatArray
    link_groups: AnyArray | None = None


def name_models(models: Any) -> dict[str, Any]:
    """Fitted models by name: a single one under the name of its class."""
    named = dict(models) if isinstance(models, Mapping) else {type(models).__name__: models}
    if not named:
        raise InvalidParameterError("models is empty; pass a fitted estimator, or a dictionary of them")
    for model in named.values():
        if not isinstance(model, PreferencePolicy):
            raise InvalidParameterError(
                f"expected a fitted estimator of this library, got {type(model).__name__}"
            )
        check_is_fitted(model)
    return {str(name): model for name, model in named.items()}


def read_sample(
    model: Any, X: Any, y: ArrayLike | None, sample_weight: ArrayLike | None, link_groups: ArrayLike | None
) -> IndexedSample:
    """Index, labels and weights of comparisons; `PreferencePairs` bring their own where None is given."""
    model.decision_function(X)  # refuses data that do not belong to the model
    matrix = X if isinstance(X, PreferencePairs) else getattr(X, "to_numpy", lambda: X)()
    t = np.asarray(model.index_.design(_as_matrix(matrix)).matvec(np.asarray(model.coef_, dtype=float)))
    if isinstance(X, PreferencePairs):
        y = model.classes_[X.labels] if y is None else y
        sample_weight = X.weights if sample_weight is None else sample_weight
        link_groups = X.link_groups if link_groups is None else link_groups
    if y is None:
        raise InvalidDataError("y is missing: labels are needed, except with PreferencePairs")
    z = read_labels(y, t.size, model.classes_)
    groups = None if link_groups is None else np.asarray(link_groups)
    return IndexedSample(t, z, read_weight(sample_weight, t.size), groups)


def _as_matrix(X: Any) -> Any:
    if isinstance(X, PreferencePairs) or hasattr(X, "tocsr"):
        return X
    return np.asarray(X, dtype=np.float64)


def read_labels(y: ArrayLike, n_rows: int, classes: AnyArray | None = None) -> FloatArray:
    """Labels as 0 and 1; without `classes` the larger of two values is 1."""
    labels = np.asarray(y)
    if labels.shape != (n_rows,):
        raise InvalidDataError(f"y must have {n_rows} entries, got shape {labels.shape}")
    found = np.unique(labels)
    known = found if classes is None else classes
    if known.size == 1 and known[0] in (0, 1):
        known = np.array([0, 1])
    if known.size != 2 or not np.isin(found, known).all():
        raise InvalidDataError(f"y must hold two values, {list(known[:2])}, but holds {list(found[:5])}")
    return np.asarray(labels == known[1], dtype=np.float64)


def read_weight(sample_weight: ArrayLike | None, n_rows: int) -> FloatArray:
    """Frequency weights, one each by default."""
    weight = np.ones(n_rows) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_rows,):
        raise InvalidDataError(f"sample_weight must have {n_rows} entries, got shape {weight.shape}")
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        raise InvalidDataError("sample_weight must be finite, at least 0, and positive somewhere")
    return weight
