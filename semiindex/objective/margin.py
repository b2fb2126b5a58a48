"""Losses of the margin ``s = (2z - 1) t``: IPO, hinge (SLiC) and robust DPO.

Names follow TRL's. None of them states a probability except the robust one, whose minimiser is the
logit of the label before it was flipped.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from scipy.special import expit

from semiindex._types import FloatArray
from semiindex.link.base import Link
from semiindex.link.isotonic import fit_isotonic
from semiindex.link.lapsed import LapsedLink
from semiindex.link.parametric import LogisticLink
from semiindex.objective.base import Evaluation, Objective

__all__ = ["HingeObjective", "IPOObjective", "MarginObjective", "RobustObjective"]


class MarginObjective(Objective):
    """Mean of a loss ``l(s)`` of the margin; antisymmetric by construction."""

    @abstractmethod
    def _loss(self, s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Loss, derivative and a nonnegative curvature at margins s."""

    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Value, ``dL/dt`` and curvature; see `Objective.evaluate`."""
        share = weight / np.sum(weight)
        won, won_slope, won_bend = self._loss(t)
        lost, lost_slope, lost_bend = self._loss(-t)
        value = float(np.dot(share, z * won + (1 - z) * lost))
        gradient = share * (z * won_slope - (1 - z) * lost_slope)
        return Evaluation(value, gradient, lambda: share * (z * won_bend + (1 - z) * lost_bend))

    def fit_link(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        """Isotonic link on the fitted index: the loss itself implies no probability."""
        return fit_isotonic(t, z, weight, antisymmetric=True)


class IPOObjective(MarginObjective):
    """``(s - 1/(2 tau))^2`` (Azar et al. 2023), :eq:`ipo`.

    Parameters
    ----------
    tau : float
        Regularisation of the target margin; without a penalty it changes the scale only.
    """

    def __init__(self, tau: float) -> None:
        self.tau = tau

    def _loss(self, s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        gap = s - 1 / (2 * self.tau)
        return gap**2, 2 * gap, np.full(s.shape, 2.0)


class HingeObjective(MarginObjective):
    """``max(0, 1 - s)`` (SLiC), rounded off on an interval of a stated width.

    Parameters
    ----------
    width : float, default=0.0
        Half-width of the interval around s = 1 on which the kink is replaced by a parabola; the
        loss is overestimated by at most ``width / 4``. Zero gives the hinge itself.
    """

    def __init__(self, width: float = 0.0) -> None:
        self.width = width

    def _loss(self, s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        gap = 1 - s
        if self.width == 0:
            return np.maximum(gap, 0.0), -(gap > 0).astype(float), np.zeros(s.shape)
        near = np.abs(gap) < self.width
        rounded = (gap + self.width) ** 2 / (4 * self.width)
        value = np.where(near, rounded, np.maximum(gap, 0.0))
        slope = np.where(near, -(gap + self.width) / (2 * self.width), -(gap > 0).astype(float))
        return value, slope, np.where(near, 1 / (2 * self.width), 0.0)


class RobustObjective(MarginObjective):
    """Robust DPO with known flip rate e (Chowdhury, Kini & Natarajan 2024).

    ``[(1 - e) l(s) - e l(-s)] / (1 - 2e) = l(s) - e s / (1 - 2e)`` (:eq:`robust`), l the logistic
    loss: convex, but unbounded below as soon as some index has an ``|s|``-weighted training error below e.

    Parameters
    ----------
    flip_rate : float in [0, 1/2)
        Share of labels that were flipped at random.
    """

    def __init__(self, flip_rate: float) -> None:
        self.flip_rate = flip_rate

    def _loss(self, s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        tilt = self.flip_rate / (1 - 2 * self.flip_rate)
        return np.logaddexp(0.0, -s) - tilt * s, -expit(-s) - tilt, expit(s) * expit(-s)

    def fit_link(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        """``e + (1 - 2e) sigmoid(t)``: the probability of the label as observed, flips included."""
        return LapsedLink(LogisticLink(), lower=self.flip_rate, upper=self.flip_rate)

    def unbounded_reason(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> str | None:
        """A proof by :eq:`robust-ray`: the weighted error of this index is below the flip rate."""
        mass = weight * np.abs(t)
        wrong = np.where(t > 0, 1 - z, z)
        if not mass.sum() > 0:
            return None
        error = float(np.dot(mass, wrong) / mass.sum())
        if error >= self.flip_rate:
            return None
        return (
            f"the robust loss with flip_rate={self.flip_rate:g} has no minimiser on these data: an index "
            f"exists whose |index|-weighted training error is {error:.4g}, below the flip rate, and the "
            "loss falls without bound along it. Use a smaller flip_rate, or ridge > 0"
        )
