"""What a fitted index and its links say of comparisons and options."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from semiindex._types import AnyArray, FloatArray, Matrix
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidParameterError
from semiindex.index.base import IndexClass
from semiindex.link.base import Link
from semiindex.objective.grouped import rows_by_class
from semiindex.policy._reading import check_options, encode_groups, read_predict_input

__all__ = ["ComparisonClassifier"]


class ComparisonClassifier(ClassifierMixin, BaseEstimator):
    """Predictions of a scikit-learn classifier of comparisons with one scalar index.

    Attributes
    ----------
    coef_, index_, link_, links_, classes_
        As fitted; see the estimators.
    """

    coef_: FloatArray
    index_: IndexClass
    link_: Link
    links_: dict[Any, Link] | None
    classes_: AnyArray

    def _index_values(self, X: Any) -> FloatArray:
        """``t`` of every comparison."""
        check_is_fitted(self)
        matrix = read_predict_input(self, X)
        design = self.index_.design(X if isinstance(X, PreferencePairs) else matrix)
        dtype = np.result_type(matrix.dtype, self.coef_.dtype)
        return design.matvec(self.coef_.astype(np.float64)).astype(dtype, copy=False)

    def _rows_by_link(self, X: Any, n_rows: int, link_groups: ArrayLike | None) -> list[tuple[Any, Link]]:
        """Rows and the link that serves them; the common or average link where no class is given."""
        if link_groups is None and self.links_ is not None and isinstance(X, PreferencePairs):
            link_groups = X.link_groups
        if link_groups is None:
            return [(slice(None), self.link_)]
        if self.links_ is None:
            raise InvalidParameterError(
                "link_groups was given to predict, but the model was fitted with one common link; "
                "pass link_groups to fit as well"
            )
        codes = encode_groups(np.asarray(link_groups), np.array(list(self.links_)))
        if codes.shape != (n_rows,):
            raise InvalidParameterError(f"link_groups must have {n_rows} entries, got shape {codes.shape}")
        rows = rows_by_class(codes, len(self.links_))
        return [pair for pair in zip(rows, self.links_.values(), strict=True) if pair[0].size]

    def decision_function(self, X: Any, link_groups: ArrayLike | None = None) -> FloatArray:
        """Index of every comparison minus the link's half point (0 for an antisymmetric link).

        Parameters
        ----------
        X : PreferencePairs, array-like, DataFrame or sparse matrix of shape (n, d)
            Comparisons or feature differences.
        link_groups : array-like of shape (n,), optional
            Classes of raters; without them, and for a model with several links, that of their average.

        Returns
        -------
        array of shape (n,)
            Positive where option 1 is predicted to be preferred, in the scale of `normalization_`.
            Where a link never reaches 1/2 there is no half point: then a function of the index that
            has one sign and its order.
        """
        t = self._index_values(X)
        for rows, link in self._rows_by_link(X, t.size, link_groups):
            half = link.half_point
            if np.isfinite(half):
                t[rows] -= half
            else:  # one option is more probable whatever the index: of one sign, and in its order
                sign = t.dtype.type(-np.sign(half))
                t[rows] = sign * np.maximum(np.logaddexp(0, sign * t[rows]), np.finfo(t.dtype).tiny)
        return t

    def predict(self, X: Any, link_groups: ArrayLike | None = None) -> AnyArray:
        """Label of the option that is more probable to be preferred.

        Parameters
        ----------
        X : PreferencePairs, array-like, DataFrame or sparse matrix of shape (n, d)
            Comparisons or feature differences.
        link_groups : array-like of shape (n,), optional
            Classes of raters, as in `decision_function`.

        Returns
        -------
        array of shape (n,)
        """
        decision = self.decision_function(X, link_groups)
        return np.asarray(self.classes_[(decision > 0).astype(np.intp)])

    def predict_proba(self, X: Any, link_groups: ArrayLike | None = None) -> FloatArray:
        """Probability of both labels.

        Where the link is flat at 1/2, the probability is moved by one unit in the last place to
        the side of the index, so that the larger one always belongs to the predicted label.

        Parameters
        ----------
        X : PreferencePairs, array-like, DataFrame or sparse matrix of shape (n, d)
            Comparisons or feature differences.
        link_groups : array-like of shape (n,), optional
            Classes of raters, as in `decision_function`.

        Returns
        -------
        array of shape (n, 2)
            The second column is the probability that option 1 is preferred.
        """
        t = self._index_values(X)
        dtype = t.dtype
        probability = np.empty(t.shape, dtype=np.float64)
        for rows, link in self._rows_by_link(X, t.size, link_groups):
            probability[rows] = link.probability(t[rows])
        decision = self.decision_function(X, link_groups)
        probability = probability.astype(dtype)
        half = dtype.type(0.5)
        above, below = np.nextafter(half, dtype.type(1)), np.nextafter(half, dtype.type(0))
        probability = np.where(decision == 0, half, probability)  # whatever rounding made of it
        probability = np.where((decision > 0) & (probability <= half), above, probability)
        probability = np.where((decision < 0) & (probability >= half), below, probability)
        return np.column_stack([1 - probability, probability])

    def score(
        self,
        X: Any,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        link_groups: ArrayLike | None = None,
    ) -> float:
        """Share of comparisons predicted rightly.

        Parameters
        ----------
        X : PreferencePairs, array-like, DataFrame or sparse matrix of shape (n, d)
            Comparisons or feature differences.
        y : array-like of shape (n,), optional
            Labels; with `PreferencePairs` the default is their own.
        sample_weight : array-like of shape (n,), optional
            Frequencies; with `PreferencePairs` the default is their own.
        link_groups : array-like of shape (n,), optional
            Classes of raters, as in `decision_function`.

        Returns
        -------
        float
        """
        if isinstance(X, PreferencePairs):
            y = self.classes_[X.labels] if y is None else y
            sample_weight = X.weights if sample_weight is None else sample_weight
        return float(accuracy_score(y, self.predict(X, link_groups), sample_weight=sample_weight))

    def score_options(self, options: Any) -> FloatArray:
        """Score of single options: the larger, the more preferred.

        Parameters
        ----------
        options : array-like, DataFrame or sparse matrix of shape (n_options, d)
            Features of options (not differences); a DataFrame may hold the columns in any order.

        Returns
        -------
        array of shape (n_options,)
            Identified up to a constant, and to the scale that `normalization_` fixes. The
            difference of two scores is the index of their comparison.
        """
        check_is_fitted(self)
        matrix: Matrix = check_options(self, options)
        return self.index_.score(matrix, self.coef_)
