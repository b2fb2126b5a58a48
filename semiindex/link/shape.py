"""Shape-constrained link: monotone, slope-bounded, bounded, concave, in any combination.

`ShapeConstrainedLink` says what is known of the link; fitting it is a convex program in the values
at a few knots (see `semiindex.link._program`) and gives a `PiecewiseLinearLink`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlog1py, xlogy

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.link._program import LinkProgram
from semiindex.link.base import Link
from semiindex.link.compression import compress, place_knots
from semiindex.link.isotonic import (
    IsotonicFit,
    antisymmetric_fold,
    pool_ties,
    probability_bound,
)
from semiindex.link.piecewise import PiecewiseLinearLink

__all__ = ["ShapeConstrainedLink", "fit_isotonic_program"]

#: Distinct index values beyond which the convex program for the isotonic fit is no longer sensible.
_MOST_DISTINCT = 3000


@dataclass(frozen=True)
class ShapeConstrainedLink:
    r"""What is known of an otherwise unknown link: the specification of a convex fit.

    Parameters
    ----------
    lipschitz : float, optional
        Largest slope ``Psi'`` per unit of the index. In an estimator without a ridge the index has
        unit root mean square while it is fitted, so that the bound is per root mean square of the
        index (per standard deviation with ``antisymmetric=False``): 1 is generous (a logistic link of
        standard deviation 2 has 1/2), 1/4 would flatten most links. With a ridge the scale of the
        index is part of the model and 1/4, the slope of the logistic function, is what estimators set.
        None, the default, for no bound; the profile loss is then rough.
    lower, upper : float, default=0.0, 1.0
        Bounds of Psi. A known lapse rate e is ``lower=e``, ``upper=1-e``. An antisymmetric fit needs
        ``upper = 1 - lower``.
    concave_above_zero : bool, default=False
        Psi is concave between its knots for t > 0 and, if antisymmetric, convex for t < 0: diminishing
        sensitivity, which excludes plateaus followed by a rise.
    monotone : bool, default=True
        Psi is nondecreasing. Without it the fit can show where the data contradict monotonicity; the
        result is then no longer invertible everywhere.
    loss : {"log", "squared"}, default="log"
        Log loss is the likelihood. Squared loss is compressed to knots without approximation and
        about four times as fast.
    n_knots : int, default=120
        Largest number of knots. With 120 the program takes 3 (squared loss) to 13 (log loss)
        milliseconds; a link with more of them is not better determined.
    solver : str, default="CLARABEL"
        Solver of the program, by its name in cvxpy. Tight tolerances are set for the default only.

    Raises
    ------
    InvalidParameterError
        If a field is out of its range.

    See Also
    --------
    PiecewiseLinearLink : The value that `fit` returns.

    Notes
    -----
    The link is linear between knots and constant beyond them. The fit minimises
    ``sum_i w_i loss(z_i, Psi(t_i))`` over the links that satisfy every constraint: for squared loss
    exactly, for log loss with the observations divided between their two neighbouring knots by
    linear weights, which by convexity bounds the loss of the interpolated link from above. With
    monotonicity alone and knots at the distinct index values both give the isotonic fit.

    Examples
    --------
    >>> from semiindex.link import ShapeConstrainedLink
    >>> spec = ShapeConstrainedLink(lipschitz=0.25)
    >>> link = spec.fit([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1], antisymmetric=True)
    >>> link.probability([-1.0, 0.0, 1.0, 2.0]).round(3)
    array([0.25 , 0.5  , 0.75 , 0.833])
    """

    lipschitz: float | None = None
    lower: float = 0.0
    upper: float = 1.0
    concave_above_zero: bool = False
    monotone: bool = True
    loss: Literal["log", "squared"] = "log"
    n_knots: int = 120
    solver: str = "CLARABEL"

    def __post_init__(self) -> None:
        if self.lipschitz is not None and not 0 < self.lipschitz < math.inf:
            raise InvalidParameterError(
                f"lipschitz must be positive and finite or None, got {self.lipschitz!r}"
            )
        if not 0 <= self.lower < self.upper <= 1:
            raise InvalidParameterError(
                f"lower and upper must satisfy 0 <= lower < upper <= 1, got {self.lower!r} and {self.upper!r}"
            )
        if self.loss not in ("log", "squared"):
            raise InvalidParameterError(f"loss must be 'log' or 'squared', got {self.loss!r}")
        if self.n_knots != int(self.n_knots) or self.n_knots < 2:
            raise InvalidParameterError(f"n_knots must be an integer of at least 2, got {self.n_knots!r}")

    def fit(
        self,
        t: ArrayLike,
        z: ArrayLike,
        weight: ArrayLike | None = None,
        *,
        antisymmetric: bool = False,
        knots: ArrayLike | None = None,
        bound: float | None = None,
    ) -> PiecewiseLinearLink:
        """Fit the link of given index values.

        Parameters
        ----------
        t : array-like of shape (n,)
            Index values.
        z : array-like of shape (n,)
            Labels in [0, 1]: 1 where option 1 was preferred, or the share of those who preferred it.
        weight : array-like of shape (n,), optional
            Nonnegative frequency weights; 1 by default.
        antisymmetric : bool, default=False
            Impose ``Psi(-t) = 1 - Psi(t)``, which is the fit to the doubled sample.
        knots : array-like of shape (m,), optional
            Strictly increasing; if antisymmetric the nonnegative half, beginning with 0. By default
            the distinct index values if there are at most `n_knots`, else weighted quantiles.
        bound : float, optional
            Fitted values are held in ``[bound, 1 - bound]`` besides `lower` and `upper`; by default
            `semiindex.link.probability_bound`.

        Returns
        -------
        PiecewiseLinearLink

        Raises
        ------
        InvalidDataError
            If the arrays differ in length, are not finite, or labels or weights are out of range.
        InvalidParameterError
            If the knots do not fit, or `lower` and `upper` are not mirror images in an antisymmetric
            fit.
        LinkFitError
            If the constraints contradict each other or the solver fails.
        """
        t, z, weight = _checked(t, z, weight)
        if antisymmetric:
            t, z, _ = antisymmetric_fold(t, z)
        if knots is None:
            knots = place_knots(t, weight, self.n_knots, antisymmetric=antisymmetric)
        program = LinkProgram(self, np.asarray(knots, dtype=np.float64), antisymmetric)
        data = compress(t, z, weight, program.knots)
        if bound is None:
            bound = probability_bound(float(weight.sum()))
        if self.loss == "log":
            solution = program.solve_log(*data.counts, bound)
        else:
            gram = data.gram
            solution = program.solve_squared(gram.diagonal, gram.off_diagonal, gram.moment, bound)
        return program.link(solution.values)

    def loss_value(self, link: Link, t: ArrayLike, z: ArrayLike, weight: ArrayLike | None = None) -> float:
        """Weighted mean loss of a link on a sample, in the loss of this specification.

        Parameters
        ----------
        link : Link
            Any link, fitted or known.
        t, z, weight : array-like of shape (n,)
            As in `fit`.

        Returns
        -------
        float
            Mean of ``-z log Psi - (1 - z) log(1 - Psi)`` or of ``(z - Psi)**2``; infinite where the
            link excludes an observed label.
        """
        t, z, weight = _checked(t, z, weight)
        p = link.probability(t)
        loss = (z - p) ** 2 if self.loss == "squared" else -xlogy(z, p) - xlog1py(1 - z, -p)
        return float(np.dot(weight, loss) / weight.sum())


def _checked(
    t: ArrayLike, z: ArrayLike, weight: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The three arrays as floating point, or an error that says what is wrong with them."""
    t, z = np.asarray(t, dtype=np.float64), np.asarray(z, dtype=np.float64)
    weight = np.ones(t.shape) if weight is None else np.asarray(weight, dtype=np.float64)
    if t.ndim != 1 or t.size == 0 or t.shape != z.shape or t.shape != weight.shape:
        raise InvalidDataError(
            "t, z and weight must be one-dimensional, not empty and of one length, "
            f"got shapes {t.shape}, {z.shape} and {weight.shape}"
        )
    if not np.isfinite(t).all():
        raise InvalidDataError("t must be finite, got NaN or infinite index values")
    if not ((z >= 0) & (z <= 1)).all():
        raise InvalidDataError("z must lie in [0, 1]: 1 where option 1 was preferred")
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        raise InvalidDataError("weight must be nonnegative and finite, and not all zero")
    return t, z, weight


def fit_isotonic_program(
    t: FloatArray, z: FloatArray, weight: FloatArray, *, antisymmetric: bool, bound: float | None = None
) -> IsotonicFit:
    """Isotonic fit as a convex program; the slow twin of `semiindex.link.isotonic_fit`.

    Parameters
    ----------
    t, z, weight : arrays of shape (n,)
        Index values, labels in [0, 1] and frequency weights.
    antisymmetric : bool
        Fit the doubled sample.
    bound : float, optional
        Fitted values are held in ``[bound, 1 - bound]``; by default `probability_bound`.

    Returns
    -------
    IsotonicFit
        With values within 1e-6 of those of pool-adjacent-violators.

    Raises
    ------
    InvalidParameterError
        If there are more than 3000 distinct index values.
    LinkFitError
        If the solver fails.
    """
    if bound is None:
        bound = probability_bound(float(weight.sum()))
    pooled = pool_ties(t, z, weight, antisymmetric=antisymmetric)
    present = pooled.present
    if present.sum() > _MOST_DISTINCT:
        raise InvalidParameterError(
            f"solver='cvxpy' solves one program in all {present.sum()} distinct index values; beyond "
            f"{_MOST_DISTINCT} use solver='pava', which gives the same fit"
        )
    mass, wins = pooled.mass[present], pooled.wins[present]
    # An antisymmetric program begins at zero, with or without an observation there.
    absent_zero = antisymmetric and pooled.knots[present][0] > 0
    if absent_zero:
        mass, wins = np.append(0.0, mass), np.append(0.0, wins)
    # With knots at the distinct values the program sees only their order: equal spacing will do.
    knots = np.arange(mass.size, dtype=np.float64)
    program = LinkProgram(ShapeConstrainedLink(loss="squared"), knots, antisymmetric)
    values = program.solve_squared(mass, np.zeros(mass.size - 1), wins, bound).values
    values = values[1:] if absent_zero else values
    return pooled.fit(values, bound)
