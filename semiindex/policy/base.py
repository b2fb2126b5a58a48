"""What all estimators share: reading data, fitting, normalising, reporting."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from semiindex._types import FloatArray, IntArray
from semiindex.exceptions import ConvergenceWarning, DataWarning, InvalidParameterError, caller_level
from semiindex.index.base import IndexClass
from semiindex.index.linear import LinearIndex
from semiindex.index.normalization import normalize
from semiindex.link.base import Link
from semiindex.link.mixture import AverageLink
from semiindex.objective.base import Objective
from semiindex.objective.unit_index import root_mean_square
from semiindex.optimize.fit import IndexSample, fit_index
from semiindex.optimize.penalty import NO_PENALTY, Penalty, Ridge
from semiindex.optimize.quasi_newton import Minimum
from semiindex.policy._pooling import fit_pooled
from semiindex.policy._reading import (
    FitInput,
    read_fit_input,
)
from semiindex.policy._sample import PreparedSample, prepare
from semiindex.policy.estimate import Estimate, PooledLinks, of_features
from semiindex.policy.menu_estimates import MenuEstimates
from semiindex.policy.summary import FitSummary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PreferencePolicy"]


class PreferencePolicy(MenuEstimates):
    """Base of the estimators: a scikit-learn classifier of comparisons with one scalar index.

    Subclasses define `_estimate` and parameters of their own.

    Parameters
    ----------
    antisymmetric : bool, default=True
        Whether position has no effect, ``Psi(-t) = 1 - Psi(t)``.
    normalization : {"rms", "norm"}, feature name, column number or None, default="rms"
        Scale of the coefficients; None where the link fixes it.
    index : IndexClass, optional
        Class of indices; `LinearIndex` by default.
    pooling : {"auto"}, float or None, default="auto"
        With `link_groups`: how far the links of the classes are shrunk towards the common link, as the
        number of comparisons that the common link counts as in every class. ``"auto"`` finds it by
        the log loss of held-out comparisons, so that classes may be many and small; None or 0 leaves
        every class by itself (for a few large classes); infinity is the common link.
    tol : float, default=1e-3
        Numerical error of the parameters, in standard errors.
    max_iter : int, default=200
        Largest number of steps.
    """

    ridge: float

    #: With scikit-learn's metadata routing a fit gets the raters that a grouped splitter gets, without
    #: being told: whoever keeps raters together in folds wants the fit to know them.
    __metadata_request__fit = {"groups": True}  # noqa: RUF012 - scikit-learn's form

    def __init__(
        self,
        *,
        antisymmetric: bool = True,
        normalization: str | int | None = "rms",
        index: IndexClass | None = None,
        pooling: str | float | None = "auto",
        tol: float = 1e-3,
        max_iter: int = 200,
    ) -> None:
        self.antisymmetric = antisymmetric
        self.normalization = normalization
        self.index = index
        self.pooling = pooling
        self.tol = tol
        self.max_iter = max_iter

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.sparse = True
        return tags

    @abstractmethod
    def _estimate(self, prepared: PreparedSample) -> Estimate:
        """Fit the parameters and the link to a prepared sample."""

    def _strata(self, data: FitInput) -> IntArray | None:
        """What, besides the classes of raters, keeps equal comparisons apart; nothing, as a rule."""
        return None

    @property
    def _free_location(self) -> bool:
        """Whether the link absorbs a shift of the index."""
        return not self.antisymmetric

    @property
    def _pools(self) -> bool:
        """Whether classes of raters have links that can be pooled: not where the link is known."""
        return self.pooling is not None and self.pooling != 0

    def _estimate_classes(
        self, prepared: PreparedSample, fit: Callable[[PreparedSample], Estimate]
    ) -> Estimate:
        """Fit, with the links of the classes of raters pooled as `pooling` says."""
        if prepared.link_classes is None or self.pooling is None or not self._pools:
            return fit(prepared)
        return fit_pooled(fit, prepared, self.pooling, antisymmetric=self.antisymmetric)

    @property
    def _penalty(self) -> Penalty:
        return Ridge(self.ridge) if self.ridge > 0 else NO_PENALTY

    def _minimize(
        self, sample: IndexSample, objective: Objective, start: FloatArray, penalty: Penalty = NO_PENALTY
    ) -> Minimum:
        """Fit to the tolerance of this estimator."""
        return fit_index(sample, objective, start, penalty=penalty, tol=self.tol, max_iter=self.max_iter)

    def _check_parameters(self) -> None:
        """Refuse parameters, or combinations of them, without a meaning."""
        if not (_is_number(self.ridge) and np.isfinite(self.ridge) and self.ridge >= 0):
            raise InvalidParameterError(f"ridge must be a finite number >= 0, got {self.ridge!r}")
        if not (_is_number(self.tol) and self.tol > 0):
            raise InvalidParameterError(f"tol must be a positive number (standard errors), got {self.tol!r}")
        if not (_is_number(self.max_iter) and int(self.max_iter) == self.max_iter >= 1):
            raise InvalidParameterError(f"max_iter must be an integer of at least 1, got {self.max_iter!r}")
        if not isinstance(self.antisymmetric, bool | np.bool_):
            raise InvalidParameterError(f"antisymmetric must be True or False, got {self.antisymmetric!r}")
        pooling: Any = self.pooling
        if not (pooling is None or pooling == "auto" or (_is_number(pooling) and pooling >= 0)):
            raise InvalidParameterError(
                "pooling must be 'auto', None or a number of comparisons >= 0 (np.inf for the common link), "
                f"got {self.pooling!r}"
            )
        if self.index is not None and not isinstance(self.index, IndexClass):
            raise InvalidParameterError(
                f"index must be an IndexClass such as LinearIndex(), got {self.index!r}"
            )
        if self.index is not None and self.index.needs_ridge and self.ridge == 0:
            raise InvalidParameterError(
                f"ridge=0 with index={self.index!r}: the class is rich enough to fit any labels without "
                "error, so that only a penalty makes it an estimate. Set ridge > 0; tune() chooses it"
            )

    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        link_groups: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Learn the index and the link.

        Parameters
        ----------
        X : PreferencePairs, or array-like, DataFrame or sparse matrix of shape (n, d)
            Comparisons; or feature differences, option 1 minus option 0.
        y : array-like of shape (n,), optional
            Two-valued labels; the larger one means that option 1 was preferred. With
            `PreferencePairs` the default is their own labels.
        sample_weight : array-like of shape (n,), optional
            Frequencies: weight 2 is the same as the row twice. They multiply the weights that
            `PreferencePairs` carry.
        link_groups : array-like of shape (n,), optional
            Classes of raters, each with a link of its own over the shared index. The default is
            what `PreferencePairs` carry, or one common link.
        groups : array-like of shape (n,), optional
            Rater of every comparison; the default is what `PreferencePairs` carry. Only an estimator
            that predicts some comparisons from others needs it: ``OrthogonalPolicy`` with
            ``method="efficient_score"`` keeps the comparisons of a rater in one fold. To the others it
            makes no difference (standard errors ask for it again).

        Returns
        -------
        self

        Raises
        ------
        InvalidDataError
            For data that cannot be used; the message names the argument and the remedy.
        InvalidParameterError
            For parameters without a meaning.

        Warns
        -----
        IdentificationWarning
            Where the data do not determine some coefficients (no variation, collinearity, more
            features than comparisons, separation).
        ConvergenceWarning
            Where the numerical method stopped before its tolerance.
        DataWarning
            Where the fitted parameters deserve a look (a `PolicyIndex` of negative sign).
        """
        self._check_parameters()
        data = read_fit_input(
            self, X, y, sample_weight, link_groups, groups, one_class_allowed=self.antisymmetric
        )
        return self._fit_read(data)

    def _fit_read(self, data: FitInput) -> Self:
        """`fit` to data that have been read and checked: whoever refits to many resamples reads them once."""
        index = LinearIndex() if self.index is None else clone(self.index)
        if isinstance(index, LinearIndex):  # an unknown rule is said before the fit, not after it
            normalize(self.normalization, np.ones(len(data.feature_names)), 1.0, data.feature_names)
        prepared = prepare(
            data,
            index,
            antisymmetric=self.antisymmetric,
            free_location=self._free_location,
            ridge=self.ridge,
            strata=self._strata(data),
        )
        if prepared.link_classes is None:
            estimate = self._estimate(prepared)
        else:
            estimate = self._estimate_classes(prepared, self._estimate)
        self._store(data, index, prepared, estimate)
        self._store_nuisances(prepared, estimate.minimum)
        return self

    def _store(self, data: FitInput, index: IndexClass, prepared: PreparedSample, estimate: Estimate) -> None:
        """Fitted attributes, under the requested normalisation."""
        minimum, sample = estimate.minimum, prepared.sample
        theta = prepared.theta(minimum.x)
        location = prepared.location(minimum.x)
        t = sample.design.matvec(minimum.x) + location
        rms = root_mean_square(t, sample.weight)
        applied = normalize(self.normalization, theta, rms, index.parameter_names(data.feature_names))
        links = [of_features(link, location, applied.divisor) for link in estimate.links]
        dtype = np.float32 if getattr(data.pairs, "dtype", None) == np.float32 else np.float64
        self.coef_ = (theta / applied.divisor).astype(dtype)
        self.normalization_ = applied.description
        self.index_ = index
        self.classes_ = data.classes
        self._store_links(links, prepared)
        self._store_pooling(estimate.pooled, location, applied.divisor)
        self.n_iter_ = max(minimum.n_iter, 1)  # finding that the start is the solution is a step
        self.converged_ = minimum.converged
        self.loss_curve_ = list(minimum.values)
        self.index_rms_ = rms / applied.divisor
        self.n_comparisons_ = float(np.sum(data.weight))
        # Tells the labels of the fit from others; the same whichever option of a comparison comes first.
        moment = float(np.dot(sample.weight, t * (sample.z - 0.5)) / np.sum(sample.weight))
        self.index_label_moment_: float | None = moment / applied.divisor
        remarks = index.remarks(self.coef_)
        for remark in remarks:
            warnings.warn(remark, DataWarning, stacklevel=caller_level())
        self.notes_ = (*prepared.notes, *estimate.notes, *remarks)
        if not minimum.converged:
            warnings.warn(
                f"{type(self).__name__} stopped before its tolerance ({minimum.reason}), an estimated "
                f"{np.sqrt(max(minimum.decrement, 0) * np.sum(sample.weight)):.2g} standard errors from the "
                "solution. Increase max_iter, or look for outliers and nearly collinear features",
                ConvergenceWarning,
                stacklevel=caller_level(),
            )

    def _store_nuisances(self, prepared: PreparedSample, minimum: Minimum) -> None:
        """Fitted attributes beside index and link; none, as a rule."""

    def _store_links(self, links: list[Link], prepared: PreparedSample) -> None:
        codes, levels = prepared.link_classes, prepared.group_levels
        if codes is None:
            self.link_, self.links_ = links[0], None
            return
        shares = np.bincount(codes, weights=prepared.sample.weight)
        self.link_ = AverageLink(tuple(links), tuple(shares / shares.sum()))
        self.links_ = dict(zip(levels.tolist(), links, strict=True))

    def _store_pooling(self, pooled: PooledLinks | None, location: float, divisor: float) -> None:
        """How the links were pooled; the common one is that of a rater drawn at random."""
        self.pooling_: float | None = None
        self.criterion_links_: str | None = None
        if pooled is not None:
            self.pooling_, self.criterion_links_ = pooled.prior_weight, pooled.criterion
            self.link_ = of_features(pooled.common, location, divisor)

    def coefficients(self) -> pd.DataFrame:
        """Coefficients by feature.

        Returns
        -------
        DataFrame
            Indexed by feature, with the column ``coefficient``; `normalization_` names the scale.
        """
        check_is_fitted(self)
        return self.summary().to_frame()

    def summary(self) -> FitSummary:
        """The fit in words and numbers; its `str` is a page for a terminal.

        Returns
        -------
        FitSummary
        """
        check_is_fitted(self)
        columns = getattr(self, "feature_names_in_", [f"x{j}" for j in range(self.n_features_in_)])
        names = self.index_.parameter_names(tuple(map(str, columns)))
        return FitSummary(
            estimator=type(self).__name__,
            link=repr(self.link_),
            feature_names=names,
            coefficients=tuple(float(c) for c in self.coef_),
            normalization=self.normalization_,
            n_comparisons=self.n_comparisons_,
            loss=float(self.loss_curve_[-1]),
            converged=self.converged_,
            n_iter=self.n_iter_,
            notes=self.notes_,
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
