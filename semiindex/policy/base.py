"""What all estimators share: reading data, normalising, predicting, reporting."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from semiindex._types import AnyArray, FloatArray, IntArray, Matrix
from semiindex.data import PreferencePairs
from semiindex.divergence import Divergence
from semiindex.exceptions import ConvergenceWarning, DataWarning, InvalidParameterError
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
from semiindex.policy._reading import (
    FitInput,
    check_options,
    encode_groups,
    read_fit_input,
    read_predict_input,
)
from semiindex.policy._sample import PreparedSample, prepare
from semiindex.policy.menu import Menu
from semiindex.policy.menu_policy import Policy, policy_from_scores
from semiindex.policy.summary import FitSummary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PreferencePolicy"]


@dataclass(frozen=True)
class Estimate:
    """What a learner hands to the base class.

    Attributes
    ----------
    minimum : Minimum
        In whitened coordinates.
    links : tuple of Link
        The link, or one per class of raters, for the index at ``minimum.x``.
    notes : tuple of str
        What the learner noticed.
    """

    minimum: Minimum
    links: tuple[Link, ...]
    notes: tuple[str, ...] = ()


class PreferencePolicy(ClassifierMixin, BaseEstimator):
    """Base of the estimators: a scikit-learn classifier of comparisons with one scalar index.

    Subclasses define parameters and `_estimate`.
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
        tol: float = 1e-3,
        max_iter: int = 200,
    ) -> None:
        self.antisymmetric = antisymmetric
        self.normalization = normalization
        self.index = index
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
        index = LinearIndex() if self.index is None else clone(self.index)
        if isinstance(index, LinearIndex):  # an unknown rule is said before the fit, not after it
            normalize(self.normalization, np.ones(len(data.feature_names)), 1.0, data.feature_names)
        prepared = prepare(
            data, index, antisymmetric=self.antisymmetric, ridge=self.ridge, strata=self._strata(data)
        )
        estimate = self._estimate(prepared)
        self._store(data, index, prepared, estimate)
        self._store_nuisances(prepared.sample, estimate.minimum)
        return self

    def _store(self, data: FitInput, index: IndexClass, prepared: PreparedSample, estimate: Estimate) -> None:
        """Fitted attributes, under the requested normalisation."""
        minimum, sample = estimate.minimum, prepared.sample
        theta = prepared.theta(minimum.x)
        rms = root_mean_square(sample.design.matvec(minimum.x), sample.weight)
        applied = normalize(self.normalization, theta, rms, index.parameter_names(data.feature_names))
        links = [link.rescaled(applied.divisor) if applied.divisor != 1 else link for link in estimate.links]
        dtype = np.float32 if getattr(data.pairs, "dtype", None) == np.float32 else np.float64
        self.coef_: FloatArray = (theta / applied.divisor).astype(dtype)
        self.normalization_ = applied.description
        self.index_ = index
        self.classes_: AnyArray = data.classes
        self._store_links(links, prepared)
        self.n_iter_ = max(minimum.n_iter, 1)  # finding that the start is the solution is a step
        self.converged_ = minimum.converged
        self.loss_curve_ = list(minimum.values)
        self.index_rms_ = rms / applied.divisor
        self.n_comparisons_ = float(np.sum(data.weight))
        remarks = index.remarks(self.coef_)
        for remark in remarks:
            warnings.warn(remark, DataWarning, stacklevel=3)
        self.notes_ = (*prepared.notes, *estimate.notes, *remarks)
        if not minimum.converged:
            warnings.warn(
                f"{type(self).__name__} stopped before its tolerance ({minimum.reason}), an estimated "
                f"{np.sqrt(max(minimum.decrement, 0) * np.sum(sample.weight)):.2g} standard errors from the "
                "solution. Increase max_iter, or look for outliers and nearly collinear features",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _store_nuisances(self, sample: IndexSample, minimum: Minimum) -> None:
        """Fitted attributes beside index and link; none, as a rule."""

    def _store_links(self, links: list[Link], prepared: PreparedSample) -> None:
        codes, levels = prepared.link_classes, prepared.group_levels
        if codes is None:
            self.link_: Link = links[0]
            self.links_: dict[Any, Link] | None = None
            return
        shares = np.bincount(codes, weights=prepared.sample.weight)
        self.link_ = AverageLink(tuple(links), tuple(shares / shares.sum()))
        self.links_ = dict(zip(levels.tolist(), links, strict=True))

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
        levels = np.array(list(self.links_))
        codes = encode_groups(np.asarray(link_groups), levels)
        if codes.shape != (n_rows,):
            raise InvalidParameterError(f"link_groups must have {n_rows} entries, got shape {codes.shape}")
        return [(np.flatnonzero(codes == k), self.links_[levels.tolist()[k]]) for k in np.unique(codes)]

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

    def policy(
        self,
        menu: Menu,
        *,
        budget: ArrayLike | None = None,
        temperature: ArrayLike | None = None,
        divergence: str | Divergence = "reverse_kl",
        reference: ArrayLike | None = None,
    ) -> Policy:
        """Policy over a menu that is best for the scores of the fit, see `policy_from_scores`.

        The scale of the index is not identified, only fixed by `normalization_`: a temperature means
        something within one fitted model, a budget means the same for all models.

        Parameters
        ----------
        menu : Menu
            Options with the features of the fit, by name, or by position where the menu has no names.
        budget : float, or array-like of shape (n_contexts,), default=None
            Mean divergence from the reference over contexts, or a divergence for each context.
        temperature : float, or array-like of shape (n_contexts,), default=None
            Instead of a budget, in the unit of the scores. Exactly one of the two must be given.
        divergence : str or Divergence, default="reverse_kl"
            How the distance to the reference is measured.
        reference : array-like of shape (n_options,), default=None
            Reference probabilities to use instead of those of the menu.

        Returns
        -------
        Policy

        Raises
        ------
        BudgetError
            For a budget beyond the divergence of the greedy policy; the message states that supremum.
        InvalidDataError
            For a menu without the features of the fit, or where options have no scores (kernel indices
            that were fitted to plain differences).
        InvalidParameterError
            If not exactly one of budget and temperature is given, or has no meaning.
        """
        scores = self.score_options(menu.select_features(self))
        menu = menu if reference is None else menu.with_reference(reference=reference)
        return policy_from_scores(scores, menu, budget=budget, temperature=temperature, divergence=divergence)

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
