"""The index held at unit root mean square: a scale-free objective from any objective."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.link.base import Link
from semiindex.objective.base import Evaluation, Objective

__all__ = ["UnitIndexObjective", "root_mean_square"]


def root_mean_square(t: FloatArray, weight: FloatArray) -> float:
    """``sqrt(sum w t^2 / sum w)``."""
    return float(np.sqrt(np.dot(weight, t * t) / np.sum(weight)))


class UnitIndexObjective(Objective):
    """``t -> L(t / rms(t))``: removes the scale that a free link absorbs.

    Its derivative, :eq:`unit-index`, is the tangent part of that of L,

        dL/dt_i = [ g_i - (sum_j g_j u_j) w_i u_i / sum(w) ] / rms(t),      u = t / rms(t),

    so that for an estimating equation (the isotonic score) it is the part :eq:`tangent-score` that
    can vanish:
    ``theta' S(theta) >= 0`` always, hence the full score has no root.

    A link that is free to shift absorbs location as well as scale. The index of its fits has mean 0 for all
    parameters (`semiindex.index.centring`), and its root mean square is its standard deviation.

    Parameters
    ----------
    inner : Objective
        The objective of an index of unit root mean square.
    """

    scale_free = True

    def __init__(self, inner: Objective) -> None:
        self.inner = inner
        self.nuisance = inner.nuisance
        self.antisymmetric = inner.antisymmetric
        self.is_score = inner.is_score
        self.classes = inner.classes

    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Value, tangent derivative and curvature; see `Objective.evaluate`."""
        scale = root_mean_square(t, weight)
        unit = t / scale
        inner = self.inner.evaluate(unit, z, weight)
        radial = float(np.dot(inner.gradient, unit)) / float(np.sum(weight))
        gradient = inner.gradient - radial * weight * unit
        return Evaluation(inner.value, gradient / scale, lambda: inner.curvature() / scale**2)

    def fit_link(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        """Link of the index as given (not of the rescaled one)."""
        scale = root_mean_square(t, weight)
        return self.inner.fit_link(t / scale, z, weight).rescaled(1 / scale)

    def fit_links(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> list[Link]:
        """Links of the classes, of the index as given."""
        scale = root_mean_square(t, weight)
        return [link.rescaled(1 / scale) for link in self.inner.fit_links(t / scale, z, weight)]

    def resolution(self) -> float:
        """As the inner objective says."""
        return self.inner.resolution()

    def for_rows(self, rows: IntArray) -> UnitIndexObjective:
        """The unit index of a subsample."""
        return UnitIndexObjective(self.inner.for_rows(rows))

    def update(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> None:
        """Hand the rescaled index on."""
        self.inner.update(t / root_mean_square(t, weight), z, weight)
