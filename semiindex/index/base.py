"""The index-class protocol: parameters to index vector, and back.

An index class knows features and parameters; it knows nothing of labels, links or losses. Fitting
its design to data gives an operator with ``t = A theta`` and ``A' g``; dense, sparse, chunked and
kernel designs are operators of the same kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from semiindex._types import FloatArray, IntArray, Matrix

__all__ = ["Design", "IndexClass"]


class Design(ABC):
    """Linear operator from parameters to the index vector of a fixed sample.

    Attributes
    ----------
    n_rows : int
        Number of comparisons.
    n_parameters : int
        Number of parameters.
    """

    n_rows: int
    n_parameters: int

    @abstractmethod
    def matvec(self, theta: FloatArray) -> FloatArray:
        """``A theta``: index of every comparison, shape (n_rows,), float64."""

    @abstractmethod
    def rmatvec(self, g: FloatArray) -> FloatArray:
        """``A' g``: turns ``dL/dt`` into a gradient in the parameters, shape (n_parameters,)."""

    @abstractmethod
    def gram(self, weight: FloatArray) -> FloatArray:
        """``A' diag(weight) A``, shape (n_parameters, n_parameters)."""

    @abstractmethod
    def column_mean_square(self, weight: FloatArray) -> FloatArray:
        """Weighted mean square of every column, shape (n_parameters,)."""

    @abstractmethod
    def rows(self, selection: IntArray | slice) -> FloatArray:
        """Some rows of A as a dense float64 array; meant for subsamples."""

    @abstractmethod
    def take(self, selection: IntArray | slice) -> Design:
        """The design of a subsample."""

    def penalty_diagonal(self) -> FloatArray:
        """Diagonal of P in the penalty ``theta' P theta``: ones (the ordinary norm) by default."""
        return np.ones(self.n_parameters)


class IndexClass(BaseEstimator, ABC):
    """A family of indices ``t = h(option 1) - h(option 0)`` with a finite number of parameters.

    Subclasses are scikit-learn estimators in their parameters (`get_params`, `clone`). A class may
    learn something from the sample of a fit before there are parameters (the options that anchor
    its features, a kernel width): `fit_design` learns and keeps it, `design` and `score` use it.
    Estimators call `fit_design` on a clone and store that as `index_`.
    """

    @property
    def needs_ridge(self) -> bool:
        """Whether only a penalty determines the parameters: estimators refuse the class without one."""
        return False

    @abstractmethod
    def fit_design(self, pairs: Any) -> Design:
        """Operator of the class on the sample of a fit.

        Parameters
        ----------
        pairs : PreferencePairs, array or sparse matrix of shape (n, d)
            Comparisons, or plain feature differences (option 1 minus option 0).

        Returns
        -------
        Design
        """

    def design(self, pairs: Any) -> Design:
        """Operator on new comparisons, under what `fit_design` learned (nothing, by default).

        Parameters
        ----------
        pairs : PreferencePairs, array or sparse matrix of shape (n, d)
            Comparisons of the kind that `fit_design` was given.

        Returns
        -------
        Design
        """
        return self.fit_design(pairs)

    def parameter_names(self, feature_names: tuple[str, ...]) -> tuple[str, ...]:
        """Names of the parameters of a fitted class: those of the features by default."""
        return feature_names

    def remarks(self, theta: FloatArray) -> tuple[str, ...]:
        """What a user should know about fitted parameters: nothing, by default.

        Parameters
        ----------
        theta : array of shape (n_parameters,)
            Fitted parameters.

        Returns
        -------
        tuple of str
            Sentences; estimators warn with them and keep them in `notes_`.
        """
        return ()

    @abstractmethod
    def score(self, options: Matrix, theta: FloatArray) -> FloatArray:
        """Score ``h_theta`` of single options, shape (n_options,).

        Scores are identified up to an increasing affine map only.
        """
