"""Surrogates of the ranking loss, and their sums over all pairs of a win and a loss.

A pair of an index x with a win and an index y with a loss costs ``phi(x - y)``. Every surrogate sums
itself over the pairs without forming them: the indicator and the squared hinge exactly, by sorting and
suffix sums, the smooth ones by cells to ten digits (`cell_sums`).

==================  ==============================  =======  ==========
name                ``phi(x)``                      convex   scale-free
==================  ==============================  =======  ==========
``indicator``       ``1{x < 0} + 1{x = 0} / 2``     no       yes
``sigmoid``         ``1 / (1 + exp(x / tau))``      no       no
``logistic``        ``log(1 + exp(-x))``            yes      no
``squared_hinge``   ``max(0, 1 - x)^2``             yes      no
==================  ==============================  =======  ==========
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.objective.cell_sums import LOGISTIC_LOSS, LOGISTIC_STEP, Field, cell_field, suffix_sum

__all__ = ["Indicator", "LogisticSurrogate", "SigmoidSurrogate", "SquaredHinge", "Surrogate"]


class Surrogate(ABC):
    """What an ordered pair costs: a nonincreasing function of the difference of its index values.

    The roles of the two samples are exchanged by turning the line round: the derivative in the sources
    is ``field(-y, -x, mass_of_x).slope``, in -y.
    """

    #: Whether the cost is convex, so that `bend` exists and is not negative.
    convex: ClassVar[bool] = False

    @abstractmethod
    def field(self, x: FloatArray, y: FloatArray, mass: FloatArray) -> Field:
        """``sum_j mass_j phi(x_i - y_j)`` and its derivative in ``x_i``.

        Parameters
        ----------
        x : array of shape (n,), n >= 1
            Index values of wins.
        y, mass : arrays of shape (m,), m >= 1
            Index values of losses, and their weights.
        """

    def bend(self, x: FloatArray, y: FloatArray, mass: FloatArray) -> FloatArray:
        """``sum_j mass_j phi''(x_i - y_j)`` of a convex surrogate, shape (n,)."""
        raise NotImplementedError(f"{type(self).__name__} is not convex")


@dataclass(frozen=True)
class _Suffixes:
    """Sorted sources and the first moments of those at or after each: zeros behind the last one.

    Moments are distances summed from gap to gap, all terms nonnegative: no cancellation, however far
    the points lie from zero or from each other.
    """

    points: FloatArray
    mass: FloatArray
    distance: FloatArray
    square: FloatArray

    @classmethod
    def of(cls, points: FloatArray, mass: FloatArray) -> _Suffixes:
        order = np.argsort(points)
        points = points[order]
        gap = np.diff(points)
        total = suffix_sum(mass[order])
        distance = suffix_sum(np.append(gap * total[1:-1], 0.0))
        square = suffix_sum(np.append(gap * (2 * distance[1:-1] + gap * total[1:-1]), 0.0))
        return cls(points, total, distance, square)

    def beyond(self, sorted_x: FloatArray, side: str = "right") -> IntArray:
        """Number of the first source after every target (``side="left"``: at or after it)."""
        return np.asarray(self.points.searchsorted(sorted_x, side=side))  # type: ignore[call-overload]


@dataclass(frozen=True)
class Indicator(Surrogate):
    """A pair in the wrong order costs 1, a tie 1/2: the mean is 1 minus the area under the ROC curve.

    Its slope is zero wherever it exists.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.objective.pairwise_sums import Indicator
    >>> Indicator().field(np.array([0.0, 2.0]), np.array([0.0, 1.0]), np.ones(2)).potential
    array([1.5, 0. ])
    """

    def field(self, x: FloatArray, y: FloatArray, mass: FloatArray) -> Field:
        """Mass above, and half of that at, every target; see `Surrogate.field`."""
        sources = _Suffixes.of(y, mass)
        order = np.argsort(x)
        above, level = sources.beyond(x[order]), sources.beyond(x[order], side="left")
        potential = np.empty(x.size)
        potential[order] = (sources.mass[above] + sources.mass[level]) / 2
        return Field(potential, np.zeros(x.size))


@dataclass(frozen=True)
class SquaredHinge(Surrogate):
    """``max(0, 1 - x)^2``, exactly.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.objective.pairwise_sums import SquaredHinge
    >>> SquaredHinge().field(np.array([0.0, 1.5]), np.array([0.0, 1.0]), np.ones(2)).potential
    array([5.  , 0.25])
    """

    convex = True

    def field(self, x: FloatArray, y: FloatArray, mass: FloatArray) -> Field:
        """Second moments of the sources above ``x - 1``; see `Surrogate.field`."""
        sources, order, after, gap = self._sorted(x, y, mass)
        inner, count = sources.distance[after], sources.mass[after]
        potential, slope = np.empty(x.size), np.empty(x.size)
        potential[order] = sources.square[after] + gap * (2 * inner + gap * count)
        slope[order] = -2 * (inner + gap * count)
        return Field(potential, slope)

    def bend(self, x: FloatArray, y: FloatArray, mass: FloatArray) -> FloatArray:
        """Twice the mass above ``x - 1``."""
        sources, order, after, _ = self._sorted(x, y, mass)
        bend = np.empty(x.size)
        bend[order] = 2 * sources.mass[after]
        return bend

    @staticmethod
    def _sorted(
        x: FloatArray, y: FloatArray, mass: FloatArray
    ) -> tuple[_Suffixes, IntArray, IntArray, FloatArray]:
        """Sources, order of the targets, first source above each less 1, and the distance to it."""
        centre = float(np.partition(y, y.size // 2)[y.size // 2])  # y + 1 would be rounded far from 0
        x, y = x - centre, y - centre
        sources = _Suffixes.of(y + 1, mass)
        order = np.argsort(x)
        after = sources.beyond(x[order])
        gap = sources.points[np.minimum(after, y.size - 1)] - x[order]
        return sources, order, after, np.maximum(gap, 0.0)


@dataclass(frozen=True)
class LogisticSurrogate(Surrogate):
    """``log(1 + exp(-x))``: the convex loss of RankNet.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.objective.pairwise_sums import LogisticSurrogate
    >>> LogisticSurrogate().field(np.zeros(1), np.zeros(1), np.ones(1)).potential.round(4)
    array([0.6931])
    """

    convex = True

    def field(self, x: FloatArray, y: FloatArray, mass: FloatArray) -> Field:
        """To ten digits, by cells; see `Surrogate.field`."""
        return cell_field(x, y, mass, 1.0, LOGISTIC_LOSS)

    def bend(self, x: FloatArray, y: FloatArray, mass: FloatArray) -> FloatArray:
        """Its second derivative is the slope of the logistic function."""
        return -cell_field(x, y, mass, 1.0, LOGISTIC_STEP).slope


@dataclass(frozen=True)
class SigmoidSurrogate(Surrogate):
    """``1 / (1 + exp(x / temperature))``: the indicator rounded off.

    Parameters
    ----------
    temperature : float
        Width of the step; the indicator is its limit at 0.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.objective.pairwise_sums import SigmoidSurrogate
    >>> SigmoidSurrogate(0.1).field(np.array([0.0]), np.array([0.0, 5.0]), np.ones(2)).potential.round(6)
    array([1.5])
    """

    temperature: float

    def field(self, x: FloatArray, y: FloatArray, mass: FloatArray) -> Field:
        """To ten digits, by cells; see `Surrogate.field`."""
        return cell_field(x, y, mass, self.temperature, LOGISTIC_STEP)
