"""The leave-one-out kernel likelihood at given points of the smoothing scale, and its derivatives.

With masses of wins and losses at points u_i the kernel sums are, in terms that an antisymmetric sample
keeps (even) or turns round (odd) at 0,

    M_i = sum_j (wins_j + losses_j) K(u_i - u_j),    A_i = sum_j (wins_j - losses_j) / 2 K(u_i - u_j),

and the fitted probability is ``1/2 + A / M``, that is ``N / M`` with ``N = M / 2 + A``, after the unit
that is predicted has been taken out of both. An antisymmetric sample has every mass half at u and half,
with the label turned round, at -u; both are taken out together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiindex._types import AnyArray, FloatArray
from semiindex.link.kernel import Kernel
from semiindex.link.kernel_regression import PRIOR_WEIGHT, FoldedSums

__all__ = ["LeaveOneOut", "Masses"]


@dataclass(frozen=True)
class Masses:
    """Weights at the points, and how much of them is left out where they are predicted.

    Attributes
    ----------
    wins, losses : arrays of shape (m,)
        Weight of either label at each point.
    win_out, loss_out : pairs of arrays of shape (m,)
        Wins and losses that are left out where a win is predicted, and where a loss is.
    """

    wins: FloatArray
    losses: FloatArray
    win_out: tuple[FloatArray, FloatArray]
    loss_out: tuple[FloatArray, FloatArray]

    @property
    def total(self) -> float:
        """Sum of all weights."""
        return float(np.sum(self.wins) + np.sum(self.losses))

    @classmethod
    def of_rows(cls, z: FloatArray, weight: FloatArray) -> Masses:
        """Every row a point. A weight of at most one is one unit, both labels of a tie in it.

        A larger weight stands for that many units, each with one label, of which one is left out:
        integer weights give what repeated rows give.
        """
        wins, losses = weight * z, weight * (1 - z)
        unit = weight <= 1
        win_out = np.where(unit, wins, np.minimum(wins, 1.0)), np.where(unit, losses, 0.0)
        loss_out = np.where(unit, wins, 0.0), np.where(unit, losses, np.minimum(losses, 1.0))
        return cls(wins, losses, win_out, loss_out)

    @classmethod
    def of_nodes(cls, wins: FloatArray, losses: FloatArray, unit: float) -> Masses:
        """Many rows at every point, of which one of weight `unit` is left out."""
        units, none = np.full(wins.size, unit), np.zeros(wins.size)
        return cls(np.maximum(wins, 0.0), np.maximum(losses, 0.0), (units, none), (none, units))


@dataclass(frozen=True)
class _Term:
    """One label's part: ``-weight log(numerator / denominator)``, the quotient held within bounds."""

    loss: FloatArray
    by_numerator: FloatArray
    by_denominator: FloatArray
    touched: AnyArray

    @classmethod
    def of(
        cls, weight: FloatArray, numerator: FloatArray, denominator: FloatArray, prior: float, bound: float
    ) -> _Term:
        """The part of observations of `weight`; `prior` is the share of the pseudo-observation."""
        # A node of a grid may hold less than the unit that is left out of it.
        above = np.maximum(numerator, 0.0) + PRIOR_WEIGHT * prior
        below = np.maximum(denominator, 0.0) + PRIOR_WEIGHT
        share = above / below
        free = (share >= bound) & (share <= 1 - bound)
        by_numerator = -np.where(free & (numerator > 0), weight, 0.0) / above
        by_denominator = np.where(free & (denominator > 0), weight, 0.0) / below
        loss = -np.log(np.clip(share, bound, 1 - bound))
        return cls(loss, by_numerator, by_denominator, ~free & (weight > 0))


class LeaveOneOut:
    """Pseudo-likelihood of masses at points.

    Parameters
    ----------
    points : array of shape (m,)
        Points of the smoothing scale in increasing order; not negative if `antisymmetric`.
    masses : Masses
        Weights there.
    kernel, bandwidth : Kernel, float
        Of the regression.
    antisymmetric : bool
        Whether every point stands for itself and its mirror image.
    prior : float
        Label of the pseudo-observation in every window (see `kernel_regression`).
    bound : float
        Fitted probabilities are held in ``[bound, 1 - bound]``; where that bites, an observation
        has no derivative.
    sums : FoldedSums, optional
        Of the points over themselves, where they have been prepared.

    Attributes
    ----------
    value : float
        Mean loss.
    touched : array of shape (m,)
        Weight whose fitted probability is held at the bound.
    """

    def __init__(
        self,
        points: FloatArray,
        masses: Masses,
        kernel: Kernel,
        bandwidth: float,
        *,
        antisymmetric: bool,
        prior: float,
        bound: float,
        sums: FoldedSums | None = None,
    ) -> None:
        self._masses, self._total = masses, masses.total
        self._sums = sums or FoldedSums(points, points, kernel, bandwidth, antisymmetric)
        (mass, label), (self._mass_slope, self._label_slope) = self._sums(
            [masses.wins + masses.losses], [(masses.wins - masses.losses) / 2], ("value", "slope")
        )
        self._mass, self._label, self._prior = mass, label, prior
        # Kernel between a point and itself, and its mirror image.
        share = 0.5 if antisymmetric else 1.0
        self._mirror = share * kernel("value", 2 * points / bandwidth) if antisymmetric else np.zeros(1)
        self._mirror_slope = kernel("slope", 2 * points / bandwidth) / bandwidth if antisymmetric else None
        self._win = self._term(share, masses.win_out, masses.wins, bound, won=True)
        self._loss = self._term(share, masses.loss_out, masses.losses, bound, won=False)
        self.value = (
            float(np.dot(masses.wins, self._win.loss) + np.dot(masses.losses, self._loss.loss)) / self._total
        )
        self.touched = np.where(self._win.touched, masses.wins, 0) + np.where(
            self._loss.touched, masses.losses, 0
        )

    def _term(
        self, own: float, out: tuple[FloatArray, FloatArray], weight: FloatArray, bound: float, *, won: bool
    ) -> _Term:
        same, other = out if won else out[::-1]
        of_label = self._mass / 2 + (self._label if won else -self._label)
        numerator = of_label - own * same - self._mirror * other
        denominator = self._mass - (own + self._mirror) * (same + other)
        return _Term.of(weight, numerator, denominator, self._prior if won else 1 - self._prior, bound)

    def excess_over(self, other: LeaveOneOut) -> tuple[float, float]:
        """Mean loss above that of another bandwidth on the same masses, and its standard error."""
        masses = self._masses
        won, lost = self._win.loss - other._win.loss, self._loss.loss - other._loss.loss
        mean = self.value - other.value
        square = float(np.dot(masses.wins, won**2) + np.dot(masses.losses, lost**2)) / self._total
        return mean, float(np.sqrt(max(square - mean**2, 0.0) / self._total))

    def _adjoint(self) -> tuple[FloatArray, FloatArray]:
        """Derivatives of the value in M and A at every point."""
        win, loss = self._win, self._loss
        by_mass = win.by_denominator + loss.by_denominator + (win.by_numerator + loss.by_numerator) / 2
        return by_mass / self._total, (win.by_numerator - loss.by_numerator) / self._total

    def by_point(self) -> FloatArray:
        """Derivative of the value in every point, as query and as memory, shape (m,)."""
        by_mass, by_label = self._adjoint()
        ((even, odd),) = self._sums([by_mass], [by_label], ("slope",))
        masses = self._masses
        gradient = by_mass * self._mass_slope + by_label * self._label_slope
        gradient += (masses.wins + masses.losses) * even + (masses.wins - masses.losses) / 2 * odd
        if self._mirror_slope is not None:
            gradient += self._mirror_slope * self._by_mirror()
        return np.asarray(gradient)

    def _by_mirror(self) -> FloatArray:
        """Derivative in the kernel between a point and its mirror image, which is left out too."""
        masses = self._masses
        change = self._win.by_numerator * masses.win_out[1] + self._loss.by_numerator * masses.loss_out[0]
        change += self._win.by_denominator * (masses.win_out[0] + masses.win_out[1])
        change += self._loss.by_denominator * (masses.loss_out[0] + masses.loss_out[1])
        return -change / self._total

    def by_masses(self) -> tuple[FloatArray, FloatArray]:
        """Derivatives in the mass of wins, and of losses, at every point, times the total mass.

        The total by which the value is divided is held fixed.
        """
        by_mass, by_label = self._adjoint()
        ((even, odd),) = self._sums([by_mass], [by_label], ("value",))
        return (
            self._win.loss + self._total * (even + odd / 2),
            self._loss.loss + self._total * (even - odd / 2),
        )

    def information(self, floor: float = 0.01) -> FloatArray:
        """``g'^2 / (g (1 - g))`` of the regression on all masses, shape (m,)."""
        mass = self._mass + PRIOR_WEIGHT
        centred = (self._label + PRIOR_WEIGHT * (self._prior - 0.5)) / mass
        slope = (self._label_slope - centred * self._mass_slope) / mass
        return np.asarray(slope**2 / np.maximum(0.25 - centred**2, floor))
