"""A sample as wins and losses on a line, as it stands or doubled by its mirror image.

Either knows how the mean cost of a pair of a win and a loss, and its derivatives, come back to the rows
that the points stand for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.objective.pairwise_sums import Surrogate

__all__ = ["DoubledSample", "SplitSample", "split"]


@dataclass(frozen=True)
class SplitSample:
    """A sample as wins and losses on a line.

    Attributes
    ----------
    wins, losses : arrays of shape (m,), (k,)
        Index values.
    win_mass, loss_mass : arrays of shape (m,), (k,)
        Their shares, each with sum 1.
    won, lost : arrays of shape (n,) of bool
        Rows that are (partly) a win, and a loss, in whose order they stand; with soft labels a row may
        be both.
    """

    wins: FloatArray
    losses: FloatArray
    win_mass: FloatArray
    loss_mass: FloatArray
    won: AnyArray
    lost: AnyArray

    @classmethod
    def of(cls, t: FloatArray, z: FloatArray, weight: FloatArray) -> SplitSample | None:
        """Wins and losses of a sample; None where one of them is missing."""
        won, lost = z > 0, z < 1
        win_mass, loss_mass = (weight * z)[won], (weight * (1 - z))[lost]
        if win_mass.size == 0 or loss_mass.size == 0:
            return None
        win_mass /= np.sum(win_mass)
        loss_mass /= np.sum(loss_mass)
        return cls(t[won], t[lost], win_mass, loss_mass, won, lost)

    def moved(self, t: FloatArray) -> SplitSample:
        """The same labels and weights at another index."""
        return replace(self, wins=t[self.won], losses=t[self.lost])

    def mean(self, surrogate: Surrogate) -> float:
        """Mean cost of a pair."""
        return float(self.win_mass @ surrogate.field(self.wins, self.losses, self.loss_mass).potential)

    def value_and_gradient(self, surrogate: Surrogate) -> tuple[float, FloatArray]:
        """Mean cost of a pair, and its derivative in the index of every row."""
        field = surrogate.field(self.wins, self.losses, self.loss_mass)
        back = surrogate.field(-self.losses, -self.wins, self.win_mass)
        gradient = self._to_rows(self.win_mass * field.slope, -self.loss_mass * back.slope)
        return float(self.win_mass @ field.potential), gradient

    def bend(self, surrogate: Surrogate) -> FloatArray:
        """Second derivative of the mean cost of a pair in the index of every row, the others held."""
        bend = surrogate.bend(self.wins, self.losses, self.loss_mass)
        back = surrogate.bend(-self.losses, -self.wins, self.win_mass)
        return self._to_rows(self.win_mass * bend, self.loss_mass * back)

    def _to_rows(self, of_wins: FloatArray, of_losses: FloatArray) -> FloatArray:
        """Sums over what a row stands for."""
        rows = np.zeros(self.won.size)
        rows[self.won] = of_wins
        rows[self.lost] += of_losses
        return rows


@dataclass(frozen=True)
class DoubledSample:
    """A sample and its mirror image as wins on a line; the losses are the wins turned round.

    Attributes
    ----------
    wins : array of shape (n + k,)
        Signed index of every row, by the label of the larger share; then that of the other label for
        the k rows with a soft one.
    win_mass : array of shape (n + k,)
        Their shares, with sum 1.
    sign : array of shape (n,)
        Of the index in the first n.
    soft : array of shape (k,) of int
        Rows with both labels.
    """

    wins: FloatArray
    win_mass: FloatArray
    sign: FloatArray
    soft: IntArray

    @classmethod
    def of(cls, t: FloatArray, z: FloatArray, weight: FloatArray) -> DoubledSample:
        """Double a sample."""
        mass = weight / np.sum(weight)
        soft = np.flatnonzero((z > 0) & (z < 1))
        if soft.size:
            minor = np.minimum(z, 1 - z)[soft] * mass[soft]
            mass = np.concatenate([mass, minor])
            mass[soft] -= minor
        return cls(t, mass, np.where(z < 0.5, -1.0, 1.0), soft).moved(t)

    def moved(self, t: FloatArray) -> DoubledSample:
        """The same labels and weights at another index."""
        signed = self.sign * t
        if self.soft.size:
            signed = np.concatenate([signed, -signed[self.soft]])
        return replace(self, wins=signed)

    @property
    def losses(self) -> FloatArray:
        """Index values of the losses."""
        return -self.wins

    @property
    def loss_mass(self) -> FloatArray:
        """Their shares."""
        return self.win_mass

    def mean(self, surrogate: Surrogate) -> float:
        """Mean cost of a pair."""
        return float(self.win_mass @ surrogate.field(self.wins, self.losses, self.win_mass).potential)

    def value_and_gradient(self, surrogate: Surrogate) -> tuple[float, FloatArray]:
        """Mean cost of a pair, and its derivative in the index of every row.

        Every point is the one of a pair as a win and, turned round, as a loss: hence the factor two.
        """
        field = surrogate.field(self.wins, self.losses, self.win_mass)
        pull = self.win_mass * field.slope
        pull *= 2
        gradient = pull[: self.sign.size]
        gradient *= self.sign
        gradient[self.soft] -= pull[self.sign.size :] * self.sign[self.soft]
        return float(self.win_mass @ field.potential), gradient

    def bend(self, surrogate: Surrogate) -> FloatArray:
        """Second derivative of the mean cost of a pair in the index of every row, the others held."""
        bend = 2 * self.win_mass * surrogate.bend(self.wins, self.losses, self.win_mass)
        rows = bend[: self.sign.size]
        rows[self.soft] += bend[self.sign.size :]
        return rows


def split(
    t: FloatArray, z: FloatArray, weight: FloatArray, *, antisymmetric: bool
) -> SplitSample | DoubledSample | None:
    """Wins and losses of a sample, or of the doubled one; None where there is no pair.

    Parameters
    ----------
    t : array of shape (n,)
        Index values.
    z : array of shape (n,)
        Labels in [0, 1]; a row counts ``w z`` as a win and ``w (1 - z)`` as a loss.
    weight : array of shape (n,)
        Frequency weights.
    antisymmetric : bool
        Whether to double the sample.
    """
    return DoubledSample.of(t, z, weight) if antisymmetric else SplitSample.of(t, z, weight)
