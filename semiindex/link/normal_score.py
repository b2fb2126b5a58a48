"""The scale on which kernels smooth: the normal scores of an index.

A bandwidth that is right in the middle of an index distribution is too short in its tails. On the
scale ``u = Phi^{-1}(F(t))`` the index is standard normal whatever its distribution, and one bandwidth
serves all of it. The map is estimated from a pilot index and then held fixed: a criterion that smooths
on its scale is a smooth function of the index, whose derivative gets the factor u'(t).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator
from scipy.special import ndtr, ndtri

from semiindex._types import FloatArray
from semiindex.link.monotone_spline import weighted_quantiles

__all__ = ["NormalScore"]

#: About the distance of the scores at which the map is held to the sample's quantiles.
_STEP = 0.25
#: Share of the range of the knots within which two of them count as one.
_GAP = 1e-4
#: Weight beyond the last of them: single order statistics would make a rough map.
_BEYOND = 5.0
#: There the score grows with the logarithm of the index, on this scale.
_TAIL = 0.5


@dataclass(frozen=True)
class NormalScore:
    """An increasing, continuously differentiable map from the index to normal scores.

    Cubic between knots without overshoot (Fritsch & Carlson 1980), logarithmic beyond them.

    Parameters
    ----------
    knots : array of shape (m,), m >= 2
        Index values, strictly increasing; symmetric about 0 if `antisymmetric`.
    scores : array of shape (m,)
        Their scores, strictly increasing.
    antisymmetric : bool
        Whether the map is odd.
    """

    knots: FloatArray
    scores: FloatArray
    antisymmetric: bool

    def __post_init__(self) -> None:
        slopes = PchipInterpolator(self.knots, self.scores).derivative()(self.knots)
        # The rule for the ends may give 0 there, but the map goes on beyond them.
        rise = np.diff(self.scores) / np.diff(self.knots)
        slopes[[0, -1]] = rise[[0, -1]]
        inner = CubicHermiteSpline(self.knots, self.scores, slopes)
        object.__setattr__(self, "_inner", inner)
        object.__setattr__(self, "_slope", inner.derivative())
        object.__setattr__(self, "_ends", slopes[[0, -1]])

    @classmethod
    def fit(cls, t: FloatArray, weight: FloatArray, *, antisymmetric: bool) -> NormalScore:
        """Normal scores of a sample, of the doubled sample if antisymmetric.

        Parameters
        ----------
        t : array of shape (n,)
            Index values.
        weight : array of shape (n,)
            Frequency weights; quantiles are inverted without interpolation, so that integer weights
            give what repeated rows give.
        antisymmetric : bool
            Use ``(t, -t)``.

        Returns
        -------
        NormalScore
        """
        last = float(ndtri(1 - 1 / (2 + float(np.sum(weight)) / _BEYOND)))
        n_steps = max(round(last / _STEP), 1)
        if antisymmetric:
            scores: FloatArray = np.linspace(0.0, last, n_steps + 1)[1:]
            knots, scores = _distinct(weighted_quantiles(np.abs(t), weight, 2 * ndtr(scores) - 1), scores)
            positive = knots > 0
            knots, scores = knots[positive], scores[positive]
            if knots.size == 0:
                return cls(np.array([-1.0, 1.0]), np.array([-1.0, 1.0]), True)
            knots = np.concatenate([-knots[::-1], [0.0], knots])
            return cls(knots, np.concatenate([-scores[::-1], [0.0], scores]), True)
        scores = np.linspace(-last, last, 2 * n_steps + 1)
        knots, scores = _distinct(weighted_quantiles(t, weight, ndtr(scores)), scores)
        if knots.size == 1:
            reach = max(abs(float(knots[0])), 1.0)
            return cls(knots[0] + reach * np.array([-1.0, 1.0]), np.array([-1.0, 1.0]), False)
        return cls(knots, scores, False)

    def score(self, t: FloatArray) -> FloatArray:
        """u(t), of the shape of `t`."""
        inside, excess, tail = self._split(t)
        return np.asarray(
            self._inner(inside)  # type: ignore[attr-defined]
            + np.sign(excess) * _TAIL * np.log1p(tail * np.abs(excess) / _TAIL)
        )

    def slope(self, t: FloatArray) -> FloatArray:
        """u'(t) > 0."""
        inside, excess, tail = self._split(t)
        inner = np.maximum(self._slope(inside), 0.0)  # type: ignore[attr-defined]
        return np.where(excess == 0, inner, tail / (1 + tail * np.abs(excess) / _TAIL))

    def _split(self, t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The index held between the end knots, the rest of it, and the slope with which that begins."""
        inside = np.clip(t, self.knots[0], self.knots[-1])
        excess = t - inside
        below, above = self._ends  # type: ignore[attr-defined]
        return inside, excess, np.where(excess < 0, below, above)


def _distinct(knots: FloatArray, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Knots that differ by more than a trace of their range; the others get the mean of their scores."""
    gap = _GAP * max(float(knots[-1] - knots[0]), abs(float(knots[-1])))
    first, member = [0], np.zeros(knots.size, dtype=np.intp)
    for k in range(1, knots.size):
        if knots[k] - knots[first[-1]] > gap:
            first.append(k)
        member[k] = len(first) - 1
    return knots[first], np.bincount(member, weights=scores) / np.bincount(member)
