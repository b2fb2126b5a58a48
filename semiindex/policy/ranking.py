"""`RankingPolicy`: the index that puts wins above losses, whatever the link."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length, column_or_1d

from semiindex._types import FloatArray
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.index.base import IndexClass
from semiindex.objective.base import Objective
from semiindex.objective.pairwise_sums import (
    Indicator,
    LogisticSurrogate,
    SigmoidSurrogate,
    SquaredHinge,
    Surrogate,
)
from semiindex.objective.ranking import RankingObjective
from semiindex.objective.unit_index import UnitIndexObjective
from semiindex.objective.win_loss import split
from semiindex.optimize.fit import fit_index
from semiindex.optimize.penalty import NO_PENALTY, Penalty, TieBreaker
from semiindex.optimize.preconditioner import thinned_rows
from semiindex.optimize.quasi_newton import Minimum
from semiindex.policy._pilot import logistic_pilot
from semiindex.policy._sample import PreparedSample
from semiindex.policy._separation import warn_of_separation
from semiindex.policy.estimate import Estimate
from semiindex.policy.link_free import LinkFreePolicy, unit_direction

__all__ = ["RankingPolicy"]

_SURROGATES = ("sigmoid", "logistic", "squared_hinge")
#: Temperatures on the way from the pilot to the final one, on the scale of an index of unit root mean
#: square: wide enough at first to see past local minima.
_ANNEALING = (0.5, 0.125)
#: The final temperature is this times ``n^(-1/3)``.
_TEMPERATURE = 0.75
#: Smallest temperature: far below the distances of neighbours in any sample that fits in memory.
_MIN_TEMPERATURE = 1e-6
#: Largest temperature by the rule: that of some thirty comparisons.
_MAX_TEMPERATURE = 0.25
#: Temperature under a ridge, which leaves the scale of the index free: the slope is then at most 1/4.
_RIDGE_TEMPERATURE = 1.0
#: Rows from which the way down is found in a large sample.
_ANNEALING_ROWS = 10_000
#: Accuracy of the steps on the way, in standard errors.
_ANNEALING_TOLERANCE = 0.1


class RankingPolicy(LinkFreePolicy):
    """Index learned by the order of wins and losses alone: the link never enters.

    The index maximises the area under the ROC curve, the share of pairs of a win and a loss that it
    puts in the right order. That asks nothing of the link but monotonicity, and nothing is fitted
    beside the index; an isotonic link is fitted to it afterwards, for probabilities. The price is
    efficiency: where the link has several steep parts the error is up to twice that of the estimator
    that knows it, where `ProfiledLinkPolicy` comes close to it.

    Parameters
    ----------
    surrogate : {"sigmoid", "logistic", "squared_hinge"}, default="sigmoid"
        What stands for the indicator of a pair in the wrong order. ``"sigmoid"``,
        ``1/(1 + exp(x/temperature))``, is smoothed maximum rank correlation and consistent for every
        increasing link. ``"logistic"``, ``log(1 + exp(-x))``, and ``"squared_hinge"``,
        ``max(0, 1 - x)^2``, are convex and quick, but only as right as a known link is.
    temperature : float, optional
        Final width of the sigmoid, in units of the index's root mean square (of its standard deviation
        with ``antisymmetric=False``, where the criterion sees no shift; of the index itself with a
        ridge). The default is ``0.75 n^(-1/3)``, n the sum of the weights, and at most 0.25: 0.047 at
        n = 4000. Smoothing biases by its square, so that ``sqrt(n) temperature^2`` falls to 0. With a
        ridge it is 1. Of no meaning to the convex surrogates.
    antisymmetric : bool, default=True
        Whether position has no effect: pairs are then those of the sample doubled by its mirror image,
        so that the option in first place may be compared with that in second. With False, pairs are
        those of comparisons won by option 1 and won by option 0. Needed where position matters and was
        not randomised, or where the noise is asymmetric.
    ridge : float, default=0.0
        ``ridge / 2 * theta' theta`` is added to the mean loss. The scale of the index is then free and
        the sigmoid keeps its temperature, so that its slope is bounded.
    normalization : {"rms", "norm"}, feature name or column number, default="rms"
        As in `ProfiledLinkPolicy`.
    index : IndexClass, optional
        Class of indices; `LinearIndex` by default.
    pooling : {"auto"}, float or None, default="auto"
        With `link_groups`: how far the links of the classes are shrunk towards the common link, as the
        number of comparisons that the common link counts as in every class. ``"auto"`` finds it by
        the log loss of held-out comparisons, so that classes may be many and small; None or 0 leaves
        every class by itself (for a few large classes); infinity is the common link.
    tol : float, default=1e-3
        Numerical error of the parameters, in standard errors of a likelihood with the criterion's
        curvature (within a factor of about two of their own); for the sigmoid at least 0.01.
    max_iter : int, default=200
        Largest number of steps at any temperature.

    Attributes
    ----------
    coef_ : array of shape (d,)
        Coefficients under the normalisation.
    link_ : Link
        Isotonic link on the scale of `coef_`; with `link_groups` that of a rater drawn at random.
    links_ : dict or None
        Link of every class of raters, where `link_groups` was given. Pairs are then formed within
        classes, whose criteria count by their share of the weight.
    temperature_ : float or None
        Final temperature; None for the convex surrogates, and where the data are separated.
    pooling_ : float or None
        Number of comparisons that the common link counts as in every class, where links were pooled.
    criterion_links_ : {"common", "classes", "strata"} or None
        Whose links the criterion of the index had, where links were pooled: one link, one of every class,
        or (where not all classes have 200 comparisons or more) one of every large class and of every
        stratum of the rest, which classes enter by how decisive they are in their other comparisons.
    index_ : IndexClass
        Class of indices.
    classes_ : array of shape (2,)
        Labels; the second means that option 1 was preferred.
    normalization_ : str
        Normalisation in words.
    n_iter_, converged_, loss_curve_
        Steps at all temperatures, whether the tolerance was reached at the last, and the objective
        after every step at the last.
    notes_ : tuple of str
        What was noticed in the data.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    See Also
    --------
    ProfiledLinkPolicy : Fits the link with the index; more accurate.
    KnownLinkPolicy : Under an assumed link.

    Notes
    -----
    A fit starts at the logistic direction and follows the minimiser from temperature 0.5 by 0.125 to the
    final one. Sums over pairs take time linear in n (sigmoid, logistic) or ``n log n``.

    `score` is the accuracy, as of every classifier; `auc` is the criterion of the fit, and
    ``scoring="roc_auc"`` gives scikit-learn's tools that of the sample as it stands.

    References
    ----------
    Han 1987; Sherman 1993 (maximum rank correlation); Clemencon, Lugosi & Vayatis 2008 (ranking and
    U-statistics); Burges et al. 2005 (the logistic surrogate); Kallus 2025.

    Examples
    --------
    Labels that are random in four cases out of ten, whatever the options:

    >>> import numpy as np
    >>> from semiindex import RankingPolicy
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 2))
    >>> y = rng.random(2000) < 0.2 + 0.6 / (1 + np.exp(-5 * X @ [0.6, -0.8]))
    >>> model = RankingPolicy(normalization="norm").fit(X, y)
    >>> model.coef_.round(1)
    array([ 0.6, -0.8])
    >>> round(model.auc(X, y), 2)
    0.77
    """

    def __init__(
        self,
        surrogate: str = "sigmoid",
        *,
        temperature: float | None = None,
        antisymmetric: bool = True,
        ridge: float = 0.0,
        normalization: str | int = "rms",
        index: IndexClass | None = None,
        pooling: str | float | None = "auto",
        tol: float = 1e-3,
        max_iter: int = 200,
    ) -> None:
        super().__init__(
            antisymmetric=antisymmetric,
            normalization=normalization,
            index=index,
            pooling=pooling,
            tol=tol,
            max_iter=max_iter,
        )
        self.surrogate = surrogate
        self.temperature = temperature
        self.ridge = ridge

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.surrogate not in _SURROGATES:
            raise InvalidParameterError(f"surrogate must be one of {_SURROGATES}, got {self.surrogate!r}")
        if self.temperature is None:
            return
        if self.surrogate != "sigmoid":
            raise InvalidParameterError(
                f"temperature={self.temperature!r} is the width of the sigmoid; surrogate={self.surrogate!r} "
                "has none: leave temperature at None"
            )
        if not _MIN_TEMPERATURE <= self.temperature < np.inf:
            raise InvalidParameterError(
                f"temperature must be a finite number >= {_MIN_TEMPERATURE:g} (in units of the index's root "
                f"mean square), got {self.temperature!r}"
            )

    def _estimate(self, prepared: PreparedSample) -> Estimate:
        sample, penalty = prepared.sample, self._penalty
        pilot = logistic_pilot(sample, shift=not self.antisymmetric, penalty=penalty)
        notes = warn_of_separation(pilot.separation, finite=self.surrogate != "logistic")
        self.temperature_: float | None = None
        if pilot.separation == "complete":  # every pair is in order already
            minimum = pilot.minimum
        elif self.surrogate == "sigmoid":
            minimum = self._anneal(prepared, pilot.minimum.x, penalty)
        else:
            if pilot.separation == "quasi":
                penalty = TieBreaker()
            surrogate = LogisticSurrogate() if self.surrogate == "logistic" else SquaredHinge()
            objective = self._objective(prepared, surrogate)
            minimum = self._minimize(sample, objective, pilot.minimum.x, penalty)
        t = sample.design.matvec(minimum.x)
        links = self._objective(prepared, Indicator()).fit_links(t, sample.z, sample.weight)
        return Estimate(minimum, tuple(links), notes)

    def _objective(self, prepared: PreparedSample, surrogate: Surrogate) -> Objective:
        """The criterion of all classes of raters, on the scale of the index as it is."""
        return prepared.objective(lambda: RankingObjective(surrogate, antisymmetric=self.antisymmetric))

    def _anneal(self, prepared: PreparedSample, start: FloatArray, penalty: Penalty) -> Minimum:
        """Follow the minimiser of the sigmoid criterion down to the final temperature.

        Without a penalty the index is held at unit root mean square (about its mean, where the criterion
        sees no shift), which gives the temperature its unit. In a large sample all but the last step use a
        part of it.
        """
        sample = prepared.sample
        final = self._final_temperature(float(np.sum(sample.weight)))
        self.temperature_ = final
        if penalty is not NO_PENALTY:
            objective = self._objective(prepared, SigmoidSurrogate(final))
            return self._minimize(sample, objective, start, penalty)
        rows = thinned_rows(sample.z.size, _ANNEALING_ROWS)
        part = sample if rows.size == sample.z.size else sample.take(rows)
        x, steps = unit_direction(start), 0
        order = self._objective(prepared, Indicator()).for_rows(rows)
        if order.evaluate(part.design.matvec(x), part.z, part.weight).value > 0.5:
            x = -x  # more pairs are in order the other way round

        def criterion(temperature: float) -> Objective:
            return UnitIndexObjective(self._objective(prepared, SigmoidSurrogate(temperature)))

        for temperature in [step for step in _ANNEALING if step > final]:
            objective = criterion(temperature).for_rows(rows)
            way = fit_index(part, objective, x, tol=_ANNEALING_TOLERANCE, max_iter=self.max_iter)
            x, steps = unit_direction(way.x), steps + way.n_iter
        minimum = self._minimize(sample, criterion(final), x)
        return replace(minimum, n_iter=steps + minimum.n_iter)

    def _final_temperature(self, total: float) -> float:
        if self.temperature is not None:
            return float(self.temperature)
        if self.ridge > 0:
            return _RIDGE_TEMPERATURE
        return float(np.clip(_TEMPERATURE * np.cbrt(1 / total), _MIN_TEMPERATURE, _MAX_TEMPERATURE))

    def auc(self, X: Any, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None) -> float:
        """Share of pairs of a win and a loss that the index puts in order, ties counted half.

        The area under the ROC curve: for ``antisymmetric=True`` that of the sample doubled by its
        mirror image, which does not depend on which option of a row stands first and exists for labels
        of one kind; for ``antisymmetric=False`` that of the sample, as scikit-learn's
        ``roc_auc_score(y, decision_function(X))`` computes it.

        Parameters
        ----------
        X : PreferencePairs, array-like, DataFrame or sparse matrix of shape (n, d)
            Comparisons or feature differences.
        y : array-like of shape (n,), optional
            Labels; with `PreferencePairs` the default is their own.
        sample_weight : array-like of shape (n,), optional
            Frequencies; with `PreferencePairs` the default is their own.

        Returns
        -------
        float
        """
        t = self._index_values(X).astype(np.float64)
        if isinstance(X, PreferencePairs):
            y = self.classes_[X.labels] if y is None else y
            sample_weight = X.weights if sample_weight is None else sample_weight
        if y is None:
            raise InvalidDataError("y is missing: a matrix of differences carries no labels; pass y to auc")
        labels = column_or_1d(y, warn=True)
        unknown = ~np.isin(labels, self.classes_)
        if unknown.any():
            raise InvalidDataError(
                f"y contains {labels[unknown].tolist()[0]!r}, but the labels of the fit are "
                f"{self.classes_.tolist()}"
            )
        weight = np.ones(t.size) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        check_consistent_length(t, labels, weight)
        used = weight > 0
        if not (np.isfinite(weight).all() and (weight >= 0).all() and used.any()):
            raise InvalidDataError(
                "sample_weight: frequencies are finite and at least 0, and one must be positive"
            )
        z = (labels == self.classes_[1]).astype(np.float64)
        sample = split(t[used], z[used], weight[used], antisymmetric=self.antisymmetric)
        if sample is None:
            raise InvalidDataError(
                "y has labels of one kind only, so that there is no pair of a win and a loss to rank; pass "
                "labels of both kinds, or fit with antisymmetric=True, where the mirror image has the others"
            )
        return 1.0 - sample.mean(Indicator())
