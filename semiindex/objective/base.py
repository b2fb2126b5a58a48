"""The objective protocol: a criterion of the index vector alone.

Every learner is a function of the n index values, the labels and the weights. It returns a value
and the vector ``dL/dt``; the index class turns that vector into a gradient in its parameters.
Nothing else has to know about both. All averages divide by the sum of the weights.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from semiindex._types import FloatArray, IntArray
from semiindex.link.base import Link

__all__ = ["Evaluation", "Objective"]


@dataclass(frozen=True)
class Evaluation:
    """Value and derivatives of an objective at one index vector.

    Attributes
    ----------
    value : float
        Weighted mean loss.
    gradient : array of shape (n,)
        ``dL/dt``, or the score of the index where the objective is an estimating equation
        (`Objective.is_score`). Its entries already carry ``w_i / sum(w)``.
    curvature : callable
        Returns the nonnegative weights h, shape (n,), of a Gauss-Newton matrix
        ``sum_i h_i D_i D_i'``; called only when a driver renews its preconditioner, so that it
        decides how fast, never where, a fit converges.
    """

    value: float
    gradient: FloatArray
    curvature: Callable[[], FloatArray]


class Objective(ABC):
    """A criterion on the index vector.

    Labels are in [0, 1]; a row with label z and weight w stands for weight ``w z`` of wins and
    ``w (1 - z)`` of losses of option 1, so that its loss is ``w (z l(1, t) + (1 - z) l(0, t))``.
    """

    #: What the objective profiles out besides the index. The driver centres the rows of the design
    #: accordingly (not at all, or at their mean given the index) before it forms the Gauss-Newton
    #: matrix, since the nuisance absorbs that part of a step.
    nuisance: Literal["none", "link"] = "none"
    #: Whether the objective is that of the doubled sample, so that rows with t < 0 are turned round.
    antisymmetric: bool = True
    #: Whether the value does not change when the index is multiplied by a positive number.
    scale_free: bool = False
    #: Whether `Evaluation.gradient` is a score to be set to zero instead of a gradient of the value
    #: (the isotonic profile: its value is piecewise constant in the parameters).
    is_score: bool = False
    #: Class of every row, integers from 0, where classes of raters have links of their own.
    classes: IntArray | None = None

    @abstractmethod
    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Value, ``dL/dt`` and curvature.

        Parameters
        ----------
        t : array of shape (n,)
            Index values.
        z : array of shape (n,)
            Labels in [0, 1].
        weight : array of shape (n,)
            Frequency weights.

        Returns
        -------
        Evaluation
        """

    @abstractmethod
    def fit_link(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        """The link that belongs to this index: the known one, or the profiled minimiser."""

    def update(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> None:
        """Absorb a batch into the objective's own state (knots, running link); default: nothing.

        A full-sample driver calls it once with the index it starts from; a mini-batch driver
        calls it with every batch.
        """

    def fit_links(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> list[Link]:
        """The link of every class of raters: one, unless `classes` tells more."""
        return [self.fit_link(t, z, weight)]

    def resolution(self) -> float:
        """Distance from a solution, in standard errors, below which steps mean nothing.

        Because the criterion jumps or kinks on that scale; 0 for a smooth one.
        """
        return 0.0

    def for_rows(self, rows: IntArray) -> Objective:
        """The objective of a subsample: itself, unless it keeps something for every row."""
        return self

    def unbounded_reason(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> str | None:
        """Why the objective falls without bound along this index, or None where that is not proved."""
        return None
