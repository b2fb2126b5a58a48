"""Comparisons to refit an estimator to parts of, and what must stay together in a part."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError, SemiindexWarning

__all__ = ["RefitData"]


@dataclass(frozen=True, eq=False)
class RefitData:
    """Comparisons as they are passed to `fit`.

    Attributes
    ----------
    X : PreferencePairs, array or sparse matrix of shape (n, d)
        Comparisons.
    y : array of shape (n,)
        Labels.
    sample_weight : array of shape (n,) or None
        Weights besides those that pairs carry.
    weight : array of shape (n,)
        All weights together.
    codes : array of int, shape (n,)
        Raters, or units; rows of one stay together.
    """

    X: Any
    y: AnyArray
    sample_weight: FloatArray | None
    weight: FloatArray
    codes: IntArray

    @classmethod
    def read(cls, X: Any, y: Any, sample_weight: Any, groups: Any) -> RefitData:
        """Read the arguments of a diagnostic; `PreferencePairs` bring labels, weights, raters, units."""
        pairs = X if isinstance(X, PreferencePairs) else None
        if pairs is None:
            X = X.tocsr() if hasattr(X, "tocsr") else np.asarray(X)
            if y is None:
                raise InvalidDataError("y is missing: labels are needed, except with PreferencePairs")
        n_rows = X.shape[0]
        factor = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        weight = np.ones(n_rows) if factor is None else factor
        ids = np.arange(n_rows) if groups is None else np.asarray(groups)
        if pairs is not None:
            y = pairs.labels if y is None else y
            weight = weight if pairs.weights is None else weight * pairs.weights
            if groups is None:
                ids = pairs.units if pairs.groups is None else pairs.groups
        labels = np.asarray(y)
        if not labels.shape == weight.shape == ids.shape == (n_rows,):
            raise InvalidDataError(f"y, sample_weight and groups must each have {n_rows} entries")
        return cls(X, labels, factor, weight, np.unique(ids, return_inverse=True)[1])

    @property
    def content(self) -> tuple[Any, ...]:
        """Everything that a refit depends on, as arrays."""
        if isinstance(self.X, PreferencePairs):
            return self.X.features0, self.X.features1, self.X.link_groups, self.y, self.weight, self.codes
        return self.X, self.y, self.weight, self.codes

    def fit(self, model: Any, rows: IntArray) -> Any:
        """A clone of the model, fitted to some rows; the fit to all has given the warnings already."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SemiindexWarning)
            return clone(model).fit(self.X[rows], self.y[rows], sample_weight=weight)
