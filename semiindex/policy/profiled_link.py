"""`ProfiledLinkPolicy`: the index learned together with an unknown monotone link."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.index.base import IndexClass
from semiindex.link.base import Link
from semiindex.link.isotonic import isotonic_fit
from semiindex.link.monotone_spline import MonotoneSpline
from semiindex.link.shape import ShapeConstrainedLink, fit_isotonic_program
from semiindex.objective.base import Objective
from semiindex.objective.isotonic import IsotonicObjective
from semiindex.objective.shape import ShapeObjective
from semiindex.objective.spline import SplineObjective
from semiindex.objective.unit_index import UnitIndexObjective, root_mean_square
from semiindex.optimize.fit import IndexSample
from semiindex.optimize.penalty import Penalty
from semiindex.optimize.quasi_newton import Minimum
from semiindex.policy._pilot import logistic_pilot, robust_pilot
from semiindex.policy._sample import PreparedSample
from semiindex.policy._separation import warn_of_separation
from semiindex.policy.estimate import Estimate
from semiindex.policy.link_free import LinkFreePolicy, unit_direction

__all__ = ["ProfiledLinkPolicy"]

#: Largest slope of the logistic function, and of its logit: the bounds that give a ridge a scale.
_LOGISTIC_SLOPE, _LOGISTIC_LOGIT_SLOPE = 0.25, 1.0
#: Rows up to which a fit is started a second time, from a direction that outliers do not bend.
_FEW_ROWS = 2_000
#: Log likelihood by which the second fit must be better: the knots of the two differ a little.
_WORTH_CHANGING = 0.5
#: Share of the comparisons from which an active bound is worth a note.
_ACTIVE_SHARE = 0.05
#: Share from which a bound holds everywhere (a knot's rounding aside).
_ALL = 0.995


class ProfiledLinkPolicy(LinkFreePolicy):
    """Index learned with the link profiled out: no assumption on the noise but monotonicity.

    For every index the best monotone link is fitted, and the index is chosen by what remains.
    Where the link is logistic nothing is lost against logistic regression; where it is not, the
    direction is right all the same.

    Parameters
    ----------
    link : {"spline", "isotonic"}, MonotoneSpline or ShapeConstrainedLink, default="spline"
        Class of links. ``"spline"`` (`MonotoneSpline` with its defaults) is the most accurate:
        within a few percent of the estimator that knows the link. ``"isotonic"`` assumes nothing beyond
        monotonicity and has no tuning: the index solves the isotonic score equation. A
        `ShapeConstrainedLink` imposes bounds on slope and values, or concavity. Without a ridge a
        bound on the slope is per root mean square of the index (standard deviation with
        ``antisymmetric=False``, where location is the link's); give one (1 is generous), since
        the profile loss of an unbounded piecewise linear link is rough. `notes_` say where a bound
        is active.
    antisymmetric : bool, default=True
        Whether position has no effect, ``Psi(-t) = 1 - Psi(t)``: every comparison is then used
        together with its mirror image. Set False if the position of an option matters and was not
        randomised, or if the noise is asymmetric in the roles of the options.
    ridge : float, default=0.0
        ``ridge / 2 * theta' theta`` is added to the mean loss. A penalty needs a scale: the slope of
        the link is then bounded by that of the logistic function, for the spline that of its logit
        by 1, for a shape-constrained link that of the probability by 1/4. Not available for the
        isotonic link, whose index has no scale.
    normalization : {"rms", "norm"}, feature name or column number, default="rms"
        The data determine the coefficients up to a positive factor. ``"rms"``: unit root mean
        square of the index over the sample; ``"norm"``: unit Euclidean norm; a feature: its
        coefficient is +1 or -1, the sign estimated.
    index : IndexClass, optional
        Class of indices; `LinearIndex` by default.
    pooling : {"auto"}, float or None, default="auto"
        With `link_groups`: how far the links of the classes are shrunk towards the common link, as the
        number of comparisons that the common link counts as in every class. ``"auto"`` finds it by
        the log loss of held-out comparisons, so that classes may be many and small; None or 0 leaves
        every class by itself (for a few large classes); infinity is the common link.
    solver : {"pava", "cvxpy"}, default="pava"
        For the isotonic link: pool-adjacent-violators, or the same problem as a convex program
        (slow; for checking).
    tol : float, default=1e-3
        Numerical error of the parameters, in standard errors. The isotonic score is a step
        function: it counts as zero where it is shorter than a quarter of its standard error and no
        step shortens it.
    max_iter : int, default=200
        Largest number of steps.

    Attributes
    ----------
    coef_ : array of shape (d,)
        Coefficients under the normalisation.
    link_ : Link
        Fitted link on the scale of `coef_`; with `link_groups` that of a rater drawn at random.
    links_ : dict or None
        Link of every class of raters, where `link_groups` was given.
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
        Steps, whether the tolerance was reached, and the objective after every step (for the
        isotonic link its log loss, which the steps do not minimise).
    notes_ : tuple of str
        What was noticed in the data.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    See Also
    --------
    KnownLinkPolicy : Under an assumed link.

    Notes
    -----
    Every fit starts at the logistic direction; up to 2000 rows, where the profile loss of the spline
    may have local minima, a second one starts at the Cauchit direction and the better is kept. The
    profile loss :eq:`profile-loss` of the spline and of the shape-constrained link is minimised by
    its envelope gradient :eq:`envelope-gradient`; that of the isotonic link is piecewise constant and
    never differentiated, and the root of :eq:`tangent-score` is found instead.

    References
    ----------
    Kallus 2025 (profiled semiparametric preference optimisation); Groeneboom & Hendrickx 2018;
    Balabdaoui, Groeneboom & Hendrickx 2019 (isotonic score estimator).

    Examples
    --------
    Labels that are random in four cases out of ten, whatever the options:

    >>> import numpy as np
    >>> from semiindex import ProfiledLinkPolicy
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(20_000, 2))
    >>> y = rng.random(20_000) < 0.2 + 0.6 / (1 + np.exp(-5 * X @ [0.6, -0.8]))
    >>> model = ProfiledLinkPolicy(normalization="norm").fit(X, y)
    >>> model.coef_.round(2)
    array([ 0.6, -0.8])
    >>> model.link_.probability([-2.0, 0.0, 2.0]).round(1)
    array([0.2, 0.5, 0.8])
    """

    def __init__(
        self,
        link: str | MonotoneSpline | ShapeConstrainedLink = "spline",
        *,
        antisymmetric: bool = True,
        ridge: float = 0.0,
        normalization: str | int = "rms",
        index: IndexClass | None = None,
        pooling: str | float | None = "auto",
        solver: str = "pava",
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
        self.link = link
        self.ridge = ridge
        self.solver = solver

    def _check_parameters(self) -> None:
        super()._check_parameters()
        named = isinstance(self.link, str) and self.link in ("spline", "isotonic")
        if not named and not isinstance(self.link, (MonotoneSpline, ShapeConstrainedLink)):
            raise InvalidParameterError(
                f"link must be 'spline', 'isotonic', a MonotoneSpline or a ShapeConstrainedLink, "
                f"got {self.link!r}; for a known link use KnownLinkPolicy"
            )
        if isinstance(self.link, ShapeConstrainedLink) and not self.link.monotone:
            raise InvalidParameterError(
                "ShapeConstrainedLink(monotone=False): the sign of the index, and which option is preferred, "
                "are identified by monotonicity only; fit such a link to a given index with its own fit()"
            )
        if self.solver not in ("pava", "cvxpy"):
            raise InvalidParameterError(f"solver must be 'pava' or 'cvxpy', got {self.solver!r}")
        if self.solver == "cvxpy" and self.link != "isotonic":
            raise InvalidParameterError(
                "solver='cvxpy' chooses how the isotonic link is fitted; use link='isotonic'"
            )
        if self.link == "isotonic" and self.ridge > 0:
            raise InvalidParameterError(
                f"ridge={self.ridge!r} with link='isotonic': an isotonic link can be arbitrarily steep, so "
                "that shrinking the coefficients costs nothing and the penalised problem has no solution. "
                "Use link='spline' or a ShapeConstrainedLink, whose slope is then bounded"
            )

    def _estimate(self, prepared: PreparedSample) -> Estimate:
        sample, penalty = prepared.sample, self._penalty
        pilot = logistic_pilot(sample, shift=not self.antisymmetric, penalty=penalty)
        notes = warn_of_separation(pilot.separation, finite=True)
        if pilot.separation == "complete":
            # Every monotone link fits perfectly, so that the criterion cannot choose.
            objective, minimum = self._objective(prepared), pilot.minimum
            objective.update(sample.design.matvec(minimum.x), sample.z, sample.weight)
        else:
            objective, minimum = self._fit_from(prepared, pilot.minimum.x, penalty)
            if self._tries_again(sample):
                other = robust_pilot(sample, shift=not self.antisymmetric)
                again = self._fit_from(prepared, other.minimum.x, penalty)
                if again[1].value < minimum.value - _WORTH_CHANGING / float(np.sum(sample.weight)):
                    objective, minimum = again
        t = sample.design.matvec(minimum.x)
        links = tuple(objective.fit_links(t, sample.z, sample.weight))
        return Estimate(minimum, links, notes + self._bound_notes(links, t, sample.weight))

    def _fit_from(
        self, prepared: PreparedSample, phi: FloatArray, penalty: Penalty
    ) -> tuple[Objective, Minimum]:
        """Fit from a pilot's direction, with an objective of its own (knots follow the pilot)."""
        objective = self._objective(prepared)
        start = phi if self.ridge > 0 and phi.any() else unit_direction(phi)
        return objective, self._minimize(prepared.sample, objective, start, penalty)

    def _tries_again(self, sample: IndexSample) -> bool:
        """Whether a second start is worth its time: the profile loss of few rows may have local minima."""
        smooth = self.link == "spline" or isinstance(self.link, MonotoneSpline)
        return smooth and self.ridge == 0 and sample.z.size <= _FEW_ROWS

    def _bound_notes(self, links: tuple[Link, ...], t: FloatArray, weight: FloatArray) -> tuple[str, ...]:
        """Whether a bound on the slope holds the link down."""
        if self.ridge > 0:
            return self._penalised_notes(links, t, weight)
        if isinstance(self.link, str):
            return ()
        scale = root_mean_square(t, weight)
        if isinstance(self.link, MonotoneSpline):
            bound = self.link.max_slope
            variances = [link.probability(t) * (1 - link.probability(t)) for link in links]
            slopes: list[FloatArray] = [link.slope(t) / v for link, v in zip(links, variances, strict=True)]
        else:
            bound = self.link.lipschitz
            slopes = [link.slope(t) for link in links]
        if bound is None:
            return ()
        unit = "root mean square" if self.antisymmetric else "standard deviation"
        share = max(float(np.average(slope * scale > 0.999 * bound, weights=weight)) for slope in slopes)
        if share < _ACTIVE_SHARE:
            return ()
        return (
            f"The bound {bound:g} on the slope of the link (per {unit} of the index) is active for "
            f"{share:.0%} of the comparisons: the link would be steeper without it, and the coefficients "
            "depend on it. Raise it unless it is known to hold.",
        )

    def _penalised_notes(self, links: tuple[Link, ...], t: FloatArray, weight: FloatArray) -> tuple[str, ...]:
        """Whether the bound that gives a ridge its scale leaves nothing of the link to be learned."""
        if self.link != "spline" or min(_share_at_logit_slope(link, t, weight) for link in links) < _ALL:
            return ()
        return (
            "Beside the ridge the slope of the link's logit is at its bound everywhere: the data ask for no "
            "flatter link, and the fit is that of the logistic link. ShapeConstrainedLink(lipschitz=0.25) "
            "may be steeper away from the middle.",
        )

    def _objective(self, prepared: PreparedSample) -> Objective:
        """The profiled criterion; scale-free unless a ridge gives the index a scale."""
        objective = prepared.objective(self._profile)
        return objective if self.ridge > 0 else UnitIndexObjective(objective)

    def _profile(self) -> Objective:
        """The criterion of one class of raters."""
        if isinstance(self.link, ShapeConstrainedLink):
            spec = self.link
            if self.ridge > 0 and spec.lipschitz is None:
                spec = replace(spec, lipschitz=_LOGISTIC_SLOPE)
            return ShapeObjective(spec, antisymmetric=self.antisymmetric)
        spline = self.link if isinstance(self.link, MonotoneSpline) else MonotoneSpline()
        if self.ridge > 0 and spline.max_slope is None:
            spline = replace(spline, max_slope=_LOGISTIC_LOGIT_SLOPE)
        smooth = SplineObjective(spline, antisymmetric=self.antisymmetric)
        if self.link != "isotonic":
            return smooth
        solver = isotonic_fit if self.solver == "pava" else fit_isotonic_program
        return IsotonicObjective(antisymmetric=self.antisymmetric, slope=smooth, solver=solver)


def _share_at_logit_slope(link: Link, t: FloatArray, weight: FloatArray) -> float:
    """Weighted share of comparisons at which the logit of the link is as steep as the logistic one's."""
    probability = link.probability(t)
    slope = link.slope(t) / (probability * (1 - probability))
    return float(np.average(slope > 0.999 * _LOGISTIC_LOGIT_SLOPE, weights=weight))
