r"""The convex program behind the shape-constrained link.

A link that is linear between m knots is the vector v of its values there. Every shape constraint is
a set of linear inequalities in v, so the fit is

.. math:: \min_v f(v) \quad\text{subject to}\quad A v \le b, \qquad v_1 = 1/2 \text{ if antisymmetric},

with f the squared loss, ``v'Gv - 2 moment'v`` with the tridiagonal Gram matrix ``G = B'WB`` of the
hat functions B, or the log loss of the binned data,
``sum_k -wins_k log v_k - losses_k log(1 - v_k)``. The size of the program is that of the knots, not
of the sample (see `semiindex.link.compression`).

The quadratic program is stated once in cvxpy, with the data and the bounds as parameters, so that a
repeated solve costs little more than the solver. For the log loss it is the step of Newton's method.
(As a conic program with 2m exponential cones the log loss took four times as long as one quadratic
program, and where weights differ by orders of magnitude the solver stopped with values off by up to
0.06; Newton's method starts at the least-squares fit, which is the solution already where
monotonicity is the only constraint, and needs 2 to 5 steps.)

The constraints are stated in `_constraints`, the solver is called in `_quadratic`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.linalg.lapack import dpttrf
from scipy.special import xlog1py, xlogy

from semiindex._types import AnyArray, FloatArray
from semiindex.exceptions import ConvergenceWarning, InvalidParameterError, LinkFitError, caller_level
from semiindex.link._constraints import bend_rows, constraints_of
from semiindex.link._quadratic import GAP_TOLERANCE, QuadraticProgram, Side, multiply
from semiindex.link.piecewise import PiecewiseLinearLink

if TYPE_CHECKING:
    from semiindex.link.shape import ShapeConstrainedLink

__all__ = ["LinkProgram", "ProgramSolution"]

#: Certified excess of the mean log loss over its minimum at which Newton's method stops.
_NEWTON_GAP = 1e-13
_MAX_NEWTON_STEPS = 50
#: Certified excess of the mean loss from which a solution is worth a warning.
_WORTH_A_WARNING = 1e-7
#: Weight of a knot, relative to the mean weight of a knot, below which it counts as without data.
_NO_DATA = 1e-12
#: Relative size of a pivot of the Gram matrix below which the data do not determine the values.
_SINGULAR = 1e-10
#: Weight of the bend at such a knot, relative to the mean weight of a knot.
_TIE_BREAK = 1e-5
#: Keeps the Cholesky factor of a singular matrix a number; moves a value by this relative amount.
_LIFT = 1e-13
#: Values of a log-loss program stay this far from 0 and 1.
_SMALLEST_BOUND = 1e-12


@dataclass(frozen=True)
class ProgramSolution:
    """A solved program.

    Attributes
    ----------
    values : array of shape (m,)
        Link at the knots: feasible, exactly monotone and within the bounds.
    objective : float
        Loss at `values`, not divided by the sum of the weights (squared loss: without its constant).
    gap : float
        Certified upper bound of the excess of the *mean* loss over its minimum, by weak duality from
        the multipliers of the last quadratic program.
    accurate : bool
        Whether `gap` is below 1e-7.
    n_programs : int
        Quadratic programs solved: 1 for squared loss, Newton steps and a start for log loss.
    """

    values: FloatArray
    objective: float
    gap: float
    accurate: bool
    n_programs: int


class LinkProgram:
    """The convex program of a specification on given knots, to be solved for many data sets.

    Parameters
    ----------
    spec : ShapeConstrainedLink
        The constraints.
    knots : array of shape (m,)
        Strictly increasing. If `antisymmetric` the nonnegative half, with ``knots[0] == 0``.
    antisymmetric : bool
        Whether ``Psi(0) = 1/2`` is imposed. The data are then those of the folded sample: ``|t|``,
        labels turned round where t < 0.

    Raises
    ------
    InvalidParameterError
        If the knots do not fit, or an antisymmetric link has lower and upper bounds that are not
        mirror images.

    Notes
    -----
    Where the data leave values open (knots without data, a singular Gram matrix) the answer is made
    unique: values at knots without data are interpolated, constant beyond the last knot with data,
    where the constraints allow it; a singular direction is settled by the least bend.

    One object serves one thread at a time, since solving sets the parameters of the cached problem.
    """

    def __init__(self, spec: ShapeConstrainedLink, knots: FloatArray, antisymmetric: bool) -> None:
        knots = np.asarray(knots, dtype=np.float64)
        if knots.ndim != 1 or knots.size == 0 or not np.isfinite(knots).all() or (np.diff(knots) <= 0).any():
            raise InvalidParameterError("knots must be one-dimensional, finite and strictly increasing")
        if antisymmetric and knots[0] != 0:
            raise InvalidParameterError(
                "an antisymmetric link needs the nonnegative half of its knots, beginning with 0; "
                f"got {knots[0]}"
            )
        if antisymmetric and abs(spec.upper - (1 - spec.lower)) > 1e-12:
            raise InvalidParameterError(
                f"an antisymmetric link needs upper = 1 - lower, got lower={spec.lower} and "
                f"upper={spec.upper}. Lapses that differ between the options call for antisymmetric=False."
            )
        self.spec = spec
        self.knots = knots
        self.antisymmetric = antisymmetric
        self._constraints = constraints_of(spec, knots)
        self._quadratic = QuadraticProgram(self._constraints.matrix, antisymmetric, spec.solver)

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles state the program anew: a solver's state does not travel.
        return LinkProgram, (self.spec, self.knots, self.antisymmetric)

    def link(self, values: FloatArray) -> PiecewiseLinearLink:
        """The link with given values at the knots, mirrored at zero if antisymmetric."""
        knots = self.knots
        if self.antisymmetric:
            knots = np.concatenate([-knots[:0:-1], knots])
            values = np.concatenate([1 - values[:0:-1], values])
        return PiecewiseLinearLink(knots, values, self.antisymmetric, self.spec.monotone)

    def solve_squared(
        self,
        gram_diagonal: FloatArray,
        gram_off_diagonal: FloatArray,
        moment: FloatArray,
        bound: float,
    ) -> ProgramSolution:
        """Minimise ``v'Gv - 2 moment'v`` with a tridiagonal positive semidefinite G.

        Parameters
        ----------
        gram_diagonal : array of shape (m,)
            Diagonal of G.
        gram_off_diagonal : array of shape (m - 1,)
            Off-diagonal of G.
        moment : array of shape (m,)
            ``B'Wz``.
        bound : float
            Values are held in ``[max(lower, bound), min(upper, 1 - bound)]``.

        Returns
        -------
        ProgramSolution

        Raises
        ------
        LinkFitError
            If the constraints contradict each other or the solver fails.
        """
        side = self._right_hand_side(bound)
        scale = self._scale(gram_diagonal)
        diagonal, off, moment = gram_diagonal / scale, gram_off_diagonal / scale, moment / scale
        tie_break = self._tie_break(diagonal, off)
        bands = tie_break.copy()
        bands[2] += diagonal
        bands[1, 1:] += off
        raw, multipliers = self._quadratic.solve(bands, moment, side)
        values = self._feasible(raw, side)
        gap = self._gap(values, 2 * (multiply(bands, values) - moment), multipliers, side)
        values = self._filled(values, diagonal > _NO_DATA, side)
        tridiagonal = multiply(bands - tie_break, values)
        loss = scale * float(np.dot(values, tridiagonal - 2 * moment))
        return ProgramSolution(values, loss, gap, _accurate(gap), 1)

    def solve_log(self, wins: FloatArray, losses: FloatArray, bound: float) -> ProgramSolution:
        """Minimise ``sum_k -wins_k log v_k - losses_k log(1 - v_k)``.

        Parameters
        ----------
        wins, losses : arrays of shape (m,)
            Nonnegative weights; zeros are allowed.
        bound : float
            Values are held in ``[max(lower, bound), min(upper, 1 - bound)]``; at least 1e-12.

        Returns
        -------
        ProgramSolution

        Raises
        ------
        LinkFitError
            If the constraints contradict each other or the solver fails.
        """
        side = self._right_hand_side(max(bound, _SMALLEST_BOUND))
        scale = self._scale(wins + losses)
        loss = _LogLoss(wins / scale, losses / scale)
        mass = loss.wins + loss.losses
        tie_break = self._tie_break(mass, np.zeros(max(mass.size - 1, 0)))
        bands = tie_break.copy()
        bands[2] += mass
        raw, multipliers = self._quadratic.solve(bands, loss.wins, side)
        values, n_programs, best, stale = self._feasible(raw, side), 1, np.inf, 0
        while True:
            gradient, curvature = loss.derivatives(values)
            gap = self._gap(values, gradient + multiply(tie_break, values), multipliers, side)
            # Near the minimum a step squares the gap; where two do not, rounding has been reached.
            stale = stale + 1 if gap > best / 4 else 0
            best = min(gap, best)
            settled = gap <= _NEWTON_GAP or (gap <= _WORTH_A_WARNING and stale > 1)
            if settled or n_programs > _MAX_NEWTON_STEPS:
                break
            bands[2] = tie_break[2] + curvature
            raw, multipliers = self._quadratic.solve(bands, curvature * values - gradient, side)
            multipliers = multipliers / 2  # the step minimises twice the model of the loss
            n_programs += 1
            values = loss.descend(values, self._feasible(raw, side), gradient)
        values = self._filled(values, mass > _NO_DATA, side)
        return ProgramSolution(values, scale * loss.value(values), gap, _accurate(gap), n_programs)

    def _right_hand_side(self, bound: float) -> Side:
        """Side of the inequalities, or an error that names the constraints that contradict each other.

        Any constant link within the limits satisfies every other constraint, so that nothing else
        can be infeasible.
        """
        low, high = max(self.spec.lower, bound), min(self.spec.upper, 1 - bound)
        if low > high:
            raise LinkFitError(
                f"no link satisfies lower={self.spec.lower:g} and upper={self.spec.upper:g} together with "
                f"the bound {bound:g} <= Psi <= {1 - bound:g} that keeps probabilities away from 0 and 1 "
                "(1 / (n + 2) by default): give a smaller bound or wider limits"
            )
        if self.antisymmetric and not low <= 0.5 <= high:
            raise LinkFitError(
                f"an antisymmetric link has Psi(0) = 1/2, outside the limits [{low:g}, {high:g}]: "
                "give a smaller bound"
            )
        return Side(self._constraints.right_hand_side(low, high), low, high)

    def _scale(self, mass: FloatArray) -> float:
        """Mean weight of a knot, the unit in which the solver sees the weights."""
        total = float(np.sum(mass))
        if mass.shape != self.knots.shape:
            raise LinkFitError(f"the data are binned on {mass.size} knots, the program has {self.knots.size}")
        if not (np.isfinite(total) and total > 0 and (mass >= 0).all()):
            raise LinkFitError("the weights at the knots must be nonnegative, finite and not all zero")
        return total / self.knots.size

    def _tie_break(self, diagonal: FloatArray, off: FloatArray) -> FloatArray:
        """Upper bands (second, first, diagonal) of a matrix that settles what the data leave open."""
        m = diagonal.size
        lift = _LIFT * diagonal + _LIFT
        bands = np.zeros((3, m))
        bands[2] = lift
        # A tridiagonal G is singular in chains of knots that end where a pivot vanishes. A value that
        # is given, as at 0, is not open.
        first = int(self.antisymmetric)
        pivots = (diagonal + lift)[first:]
        if pivots.size > 1 and off.any():
            pivots = dpttrf(pivots, off[first:])[0]
        open_ = (pivots <= _SINGULAR * diagonal[first:]) | (diagonal[first:] <= _NO_DATA)
        if open_.any() and m > 1:
            rows = self._bends[first + np.flatnonzero(open_)]
            penalty = _TIE_BREAK * (rows.T @ rows)
            for offset in range(min(3, m)):
                bands[2 - offset, offset:] += penalty.diagonal(offset)
        return bands

    @cached_property
    def _bends(self) -> Any:
        """Bend at the inner knots, difference at the two ends."""
        m = self.knots.size
        ends = sparse.csr_array(([1.0, -1.0, -1.0, 1.0], ([0, 0, 1, 1], [0, 1, m - 2, m - 1])), shape=(2, m))
        return sparse.vstack([ends[:1], bend_rows(self.knots), ends[1:]], format="csr")

    def _feasible(self, raw: FloatArray, side: Side) -> FloatArray:
        """Remove violations of the size of the solver's tolerance."""
        values = np.clip(raw, side.low, side.high)
        if self.antisymmetric:
            values[0] = 0.5
        return np.maximum.accumulate(values) if self.spec.monotone else values

    def _filled(self, values: FloatArray, with_data: AnyArray, side: Side) -> FloatArray:
        """Interpolate the values at knots without data, where the constraints allow it."""
        with_data = with_data.copy()
        with_data[0] |= self.antisymmetric
        if with_data.all():
            return values
        filled = np.interp(self.knots, self.knots[with_data], values[with_data])
        excess = self._constraints.matrix @ filled - side.vector
        return filled if float(excess.max(initial=0.0)) < 1e-9 else values

    def _gap(self, values: FloatArray, gradient: FloatArray, multipliers: FloatArray, side: Side) -> float:
        """Bound of the mean excess loss: ``f(v) - min f <= l'(b - A v) + |grad f(v) + A'l|_1``, l >= 0.

        By convexity ``f(v) - f(u) <= grad f(v)'(v - u)`` for every feasible u; no value of two
        feasible points differs by more than the distance of the bounds.
        """
        slack = np.maximum(side.vector - self._constraints.matrix @ values, 0.0)
        remainder = gradient + self._constraints.matrix.T @ multipliers
        if self.antisymmetric:
            remainder[0] = 0.0  # the value is given
        excess = np.dot(multipliers, slack) + np.abs(remainder).sum() * (side.high - side.low)
        return float(excess) / self.knots.size


@dataclass(frozen=True)
class _LogLoss:
    """Log loss of binned data in the values at the knots."""

    wins: FloatArray
    losses: FloatArray

    def value(self, values: FloatArray) -> float:
        return -float(np.sum(xlogy(self.wins, values) + xlog1py(self.losses, -values)))

    def derivatives(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradient and diagonal of the Hessian."""
        win, loss = self.wins / values, self.losses / (1 - values)
        return loss - win, win / values + loss / (1 - values)

    def descend(self, start: FloatArray, target: FloatArray, gradient: FloatArray) -> FloatArray:
        """First point on the way back from `target` that lowers the loss enough (Armijo's rule)."""
        value, step = self.value(start), target - start
        # The target minimises the model to the solver's tolerance only: near the minimum it may lie
        # above the start by that much, and is still the point that its multipliers belong to.
        descent, rounding = float(np.dot(gradient, step)), 10 * GAP_TOLERANCE * abs(value)
        for halving in range(40):
            share = 0.5**halving
            trial = target if halving == 0 else start + share * step
            if self.value(trial) <= value + 1e-4 * share * descent + rounding:
                return trial
        return start


def _accurate(gap: float) -> bool:
    """Whether the certificate is good enough; a warning where it is not."""
    accurate = gap < _WORTH_A_WARNING
    if not accurate:
        warnings.warn(
            f"the program of the shape-constrained link stopped early: its mean loss may be {gap:.1e} "
            "above the minimum. Fewer knots, or weights of more equal size, make it easier.",
            ConvergenceWarning,
            stacklevel=caller_level(),
        )
    return accurate
