"""`OrthogonalPolicy`: the index from a score that errors of the link do not reach."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, column_or_1d

from semiindex._types import AnyArray, IntArray
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.index.base import IndexClass
from semiindex.link.kernel import get_kernel
from semiindex.objective.efficient_score import EfficientScoreObjective
from semiindex.objective.grouped import GroupedObjective
from semiindex.objective.kernel_criterion import KernelCriterion
from semiindex.objective.kernel_link import fit_kernel_link
from semiindex.objective.klein_spady import KleinSpadyObjective
from semiindex.objective.smoothing import SmoothingRule
from semiindex.objective.unit_index import UnitIndexObjective, root_mean_square
from semiindex.optimize.fit import IndexSample
from semiindex.optimize.quasi_newton import Minimum
from semiindex.policy._folds import draw_folds
from semiindex.policy._pilot import logistic_pilot
from semiindex.policy._reading import FitInput, read_predict_input, read_raters
from semiindex.policy._sample import PreparedSample
from semiindex.policy._separation import warn_of_separation
from semiindex.policy.estimate import Estimate, of_features
from semiindex.policy.link_free import LinkFreePolicy, unit_direction
from semiindex.policy.score_components import ScoreComponents, cross_fitted_components

__all__ = ["OrthogonalPolicy"]

_METHODS = ("klein_spady", "efficient_score")


class OrthogonalPolicy(LinkFreePolicy):
    """Index from the efficient score: small errors of the link do not reach it.

    The link is an unrestricted smooth function, fitted by kernels, not assumed monotone. The score of
    the index is centred at what the index predicts of the features, so that it is insensitive to the
    link: this is what makes standard errors trustworthy without a choice of the bandwidth that
    anticipates them.

    Parameters
    ----------
    method : {"klein_spady", "efficient_score"}, default="klein_spady"
        Two routes to asymptotically equivalent, efficient estimates. ``"klein_spady"`` minimises
        the leave-one-out kernel likelihood, whose full derivative is the orthogonal score.
        ``"efficient_score"`` solves the score itself, its nuisances (link, slope, mean of the
        features given the index) fitted on other folds: it needs no likelihood, and keeps the
        comparisons of a rater out of their own prediction.
    antisymmetric : bool, default=True
        Whether position has no effect: every comparison is then used together with its mirror
        image, the two as one unit. As in `ProfiledLinkPolicy`.
    kernel : {"biweight", "triweight", "epanechnikov", "gaussian"}, default="biweight"
        Kernel of the regressions; it matters little. The Gaussian one is the slowest.
    bandwidth : {"rule", "cv"} or float, default="rule"
        On the scale of the normal scores of a pilot index, where one bandwidth serves centre and
        tails, and in units of the Gaussian kernel. ``"rule"``: ``1.1 * 1.06 * n^(-1/5)``, n the sum
        of the weights; ``"cv"``: the longest multiple of it, from 1/2 to 4, whose leave-one-out log
        loss at the pilot index exceeds the least one by no more than a standard error.
    n_folds : int, default=5
        Folds of ``"efficient_score"`` and of `score_components`.
    trimming : float, default=0.001
        Fitted probabilities are held in ``[trimming, 1 - trimming]`` in the criterion;
        `n_trimmed_` says how many comparisons that touched. In the pseudo-likelihood these do not
        influence the index; they are sure whatever it is.
    normalization : {"rms", "norm"}, feature name or column number, default="rms"
        As in `ProfiledLinkPolicy`.
    index : IndexClass, optional
        Class of indices; `LinearIndex` by default. Classes that need a ridge are refused: without
        a penalty the full gradient overfits them.
    pooling : {"auto"}, float or None, default="auto"
        With `link_groups`: how far the links of the classes are shrunk towards the common link, as the
        number of comparisons that the common link counts as in every class. ``"auto"`` finds it by
        the log loss of held-out comparisons, so that classes may be many and small; None or 0 leaves
        every class by itself (for a few large classes); infinity is the common link.
    tol : float, default=1e-3
        Numerical error of the parameters, in standard errors (for ``"efficient_score"`` at least
        0.02).
    max_iter : int, default=200
        Largest number of steps.
    random_state : int, Generator, RandomState or None, default=0
        Draws the folds.

    Attributes
    ----------
    coef_ : array of shape (d,)
        Coefficients under the normalisation, the sign such that the index and the labels correlate
        positively.
    link_ : Link
        Monotone spline fitted to the index, on the scale of `coef_`: for predictions, which need a
        monotone link; with `link_groups` that of a rater drawn at random.
    links_ : dict or None
        Link of every class of raters, where `link_groups` was given.
    pooling_ : float or None
        Number of comparisons that the common link counts as in every class, where links were pooled.
    criterion_links_ : {"common", "classes", "strata"} or None
        Whose links the criterion of the index had, where links were pooled: one link, one of every class,
        or (where not all classes have 200 comparisons or more) one of every large class and of every
        stratum of the rest, which classes enter by how decisive they are in their other comparisons.
    kernel_link_ : PiecewiseLinearLink
        Local linear regression of the labels on the index, not made monotone: what the estimate
        rests on. Where it falls, a monotone link is in doubt.
    bandwidth_ : float
        In units of the normal score, for the kernel in use; with `link_groups` the mean.
    n_trimmed_ : float
        Weight of the comparisons whose fitted probability was held at the bound.
    index_, classes_, normalization_, n_iter_, converged_, loss_curve_, notes_
        As in `ProfiledLinkPolicy`; the loss is the leave-one-out or cross-fitted log loss.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    See Also
    --------
    ProfiledLinkPolicy : Fits a monotone link with the index.

    Notes
    -----
    Every kernel window holds a pseudo-observation of weight 0.1 with the mean label, on which windows
    without data fall back. A fit starts at the logistic direction.

    References
    ----------
    Klein & Spady 1993; Chernozhukov et al. 2018 (cross-fitting).

    Examples
    --------
    Labels that are random in four cases out of ten, whatever the options:

    >>> import numpy as np
    >>> from semiindex import OrthogonalPolicy
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 2))
    >>> y = rng.random(2000) < 0.2 + 0.6 / (1 + np.exp(-5 * X @ [0.6, -0.8]))
    >>> OrthogonalPolicy(normalization="norm").fit(X, y).coef_.round(1)
    array([ 0.6, -0.8])
    >>> model = OrthogonalPolicy(method="efficient_score", normalization="norm").fit(X, y)
    >>> model.coef_.round(1)
    array([ 0.6, -0.8])
    """

    #: There is none: the scale of the index is not identified beside a free link.
    ridge = 0.0

    def __init__(
        self,
        method: str = "klein_spady",
        *,
        antisymmetric: bool = True,
        kernel: str = "biweight",
        bandwidth: str | float = "rule",
        n_folds: int = 5,
        trimming: float = 1e-3,
        normalization: str | int = "rms",
        index: IndexClass | None = None,
        pooling: str | float | None = "auto",
        tol: float = 1e-3,
        max_iter: int = 200,
        random_state: Any = 0,
    ) -> None:
        super().__init__(
            antisymmetric=antisymmetric,
            normalization=normalization,
            index=index,
            pooling=pooling,
            tol=tol,
            max_iter=max_iter,
        )
        self.method = method
        self.kernel = kernel
        self.bandwidth = bandwidth
        self.n_folds = n_folds
        self.trimming = trimming
        self.random_state = random_state

    def _check_parameters(self) -> None:
        if isinstance(self.index, IndexClass) and self.index.needs_ridge:
            raise InvalidParameterError(
                f"index={self.index!r} needs a penalty, and an orthogonal score has no scale to which one "
                "could refer; use ProfiledLinkPolicy(index=..., ridge=...), whose link has a bounded slope"
            )
        super()._check_parameters()
        if self.method not in _METHODS:
            raise InvalidParameterError(f"method must be one of {_METHODS}, got {self.method!r}")
        get_kernel(self.kernel)
        bandwidth: Any = self.bandwidth
        named = isinstance(bandwidth, str) and bandwidth in ("rule", "cv")
        is_number = isinstance(bandwidth, Real) and not isinstance(bandwidth, bool)
        number = is_number and 0 < bandwidth < np.inf
        if not (named or number):
            raise InvalidParameterError(
                "bandwidth must be 'rule', 'cv' or a positive number of normal scores, "
                f"got {self.bandwidth!r}"
            )
        n_folds: Any = self.n_folds
        if not (isinstance(n_folds, (int, np.integer)) and n_folds >= 2):
            raise InvalidParameterError(f"n_folds must be an integer >= 2, got {n_folds!r}")
        if not 0 < self.trimming < 0.5:
            raise InvalidParameterError(f"trimming must lie between 0 and 1/2, got {self.trimming!r}")

    def _strata(self, data: FitInput) -> IntArray | None:
        """The folds of raters: equal comparisons of two raters may be in two folds, and stay apart."""
        if self.method == "klein_spady" or data.groups is None:
            return None
        return self._folds_of_raters(data.groups)

    def _folds_of_raters(self, groups: AnyArray) -> IntArray:
        if np.unique(groups).size < 2:
            raise InvalidDataError(
                "groups names a single rater, whose answers would all be in one fold and predict themselves: "
                "cross-fitting needs two raters or more. Leave groups out to draw the folds of comparisons, "
                "or use method='klein_spady', which needs no folds"
            )
        return draw_folds(groups, self.n_folds, self.random_state)

    def _estimate(self, prepared: PreparedSample) -> Estimate:
        sample = prepared.sample
        pilot = logistic_pilot(sample, shift=not self.antisymmetric)
        notes = warn_of_separation(pilot.separation, finite=True, remedy="use ProfiledLinkPolicy(ridge=...)")
        parts = self._criteria(prepared)
        classes = prepared.link_classes
        objective = UnitIndexObjective(
            parts[0] if classes is None else GroupedObjective(list(parts), classes)
        )
        minimum = pilot.minimum
        if pilot.separation == "complete":
            # Every monotone link fits perfectly, so that the score cannot choose.
            t = sample.design.matvec(minimum.x)
            objective.update(t, sample.z, sample.weight)
            objective.evaluate(t, sample.z, sample.weight)
        else:
            minimum = self._minimize(sample, objective, unit_direction(minimum.x))
        minimum, turned = _with_positive_covariance(sample, minimum, self.antisymmetric)
        self.bandwidth_ = float(np.mean([part.smoothing.bandwidth for part in parts]))
        self.n_trimmed_ = float(sum(part.n_trimmed for part in parts))
        t = sample.design.matvec(minimum.x)
        links = objective.fit_links(t, sample.z, sample.weight)
        return Estimate(minimum, tuple(links), (*notes, *turned, *self._notes(pilot.separation)))

    def _notes(self, separation: str) -> list[str]:
        if self.n_trimmed_ == 0 or separation == "complete":
            return []
        count = f"{self.n_trimmed_:g} comparison{'s' if self.n_trimmed_ != 1 else ''}"
        return [
            f"The fitted probability of {count} was held at the trimming bounds, "
            f"{self.trimming:g} and 1 - {self.trimming:g}."
        ]

    def _criteria(self, prepared: PreparedSample) -> list[KernelCriterion]:
        """The pseudo-likelihood or the score, for every class of raters (one, as a rule)."""
        rule, symmetric = self._rule(), self.antisymmetric
        n_rows = prepared.sample.z.size
        classes = prepared.link_classes
        own = [np.arange(n_rows)]
        if classes is not None:
            own = [np.flatnonzero(classes == k) for k in range(int(classes.max()) + 1)]
        if self.method == "klein_spady":
            return [KleinSpadyObjective(rule, antisymmetric=symmetric) for _ in own]
        folds = prepared.strata
        if folds is None:
            folds = draw_folds(n_rows, self.n_folds, self.random_state)
        return [EfficientScoreObjective(rule, folds[rows], antisymmetric=symmetric) for rows in own]

    def _rule(self) -> SmoothingRule:
        return SmoothingRule(get_kernel(self.kernel), self.bandwidth, self.trimming)  # type: ignore[arg-type]

    def _store_nuisances(self, prepared: PreparedSample, minimum: Minimum) -> None:
        """Kernel regression on the fitted index, on the scale of `coef_`."""
        sample, location = prepared.sample, prepared.location(minimum.x)
        t = sample.design.matvec(minimum.x)
        link = fit_kernel_link(t, sample.z, sample.weight, self._rule(), antisymmetric=self.antisymmetric)
        divisor = root_mean_square(t + location, sample.weight) / self.index_rms_
        self.kernel_link_ = of_features(link, location, divisor)

    def score_components(
        self,
        X: Any,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> ScoreComponents:
        """Link, slope and centred features at every comparison, cross-fitted at the fitted index.

        Parameters
        ----------
        X : PreferencePairs, array-like, DataFrame or sparse matrix of shape (n, d)
            Comparisons, as a rule those of the fit.
        y : array-like of shape (n,), optional
            Labels; with `PreferencePairs` the default is their own.
        sample_weight : array-like of shape (n,), optional
            Frequencies; with `PreferencePairs` the default is their own.
        groups : array-like of shape (n,), optional
            Raters, whose comparisons share a fold; with `PreferencePairs` the default is their own.

        Returns
        -------
        ScoreComponents
        """
        t = self._index_values(X).astype(np.float64)
        if isinstance(X, PreferencePairs):
            y = self.classes_[X.labels] if y is None else y
            sample_weight = X.weights if sample_weight is None else sample_weight
            groups = X.groups if groups is None else groups
        if y is None:
            raise InvalidDataError("y is missing: a matrix of differences carries no labels; pass y")
        labels = column_or_1d(y)
        check_consistent_length(t, labels)
        unknown = ~np.isin(labels, self.classes_)
        if unknown.any():
            raise InvalidDataError(
                f"y has the label {labels[unknown].tolist()[0]!r}, which did not occur in the fit; its "
                f"labels are {self.classes_.tolist()}"
            )
        z = (labels == self.classes_[1]).astype(np.float64)
        weight = _check_sample_weight(sample_weight, t, dtype=np.float64)
        if (weight < 0).any():
            raise InvalidDataError(
                "sample_weight is negative in some row; weights are frequencies, at least 0"
            )
        if groups is None:
            folds = draw_folds(t.size, self.n_folds, self.random_state)
        else:
            folds = self._folds_of_raters(read_raters(groups, t.size))
        design = self.index_.design(X if isinstance(X, PreferencePairs) else read_predict_input(self, X))
        return cross_fitted_components(
            t,
            z,
            weight,
            design.rows(slice(None)),
            folds=folds,
            rule=self._rule(),
            antisymmetric=self.antisymmetric,
        )


def _with_positive_covariance(
    sample: IndexSample, minimum: Minimum, antisymmetric: bool
) -> tuple[Minimum, list[str]]:
    """The solution with the sign at which index and labels correlate positively: g may fall."""
    t = sample.design.matvec(minimum.x)
    centre = 0.0 if antisymmetric else float(np.average(t, weights=sample.weight))
    middle = 0.5 if antisymmetric else float(np.average(sample.z, weights=sample.weight))
    if float(np.dot(sample.weight * (t - centre), sample.z - middle)) >= 0:
        return minimum, []
    note = (
        "The criterion was solved by an index that correlates negatively with the labels; its sign was "
        "turned round. The link is hardly determined by these data."
    )
    return replace(minimum, x=-minimum.x), [note]
