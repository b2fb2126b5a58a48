"""One shared index, a separate link for every class of raters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.link.base import Link
from semiindex.link.mixture import AverageLink
from semiindex.objective.base import Evaluation, Objective

__all__ = ["GroupedObjective", "rows_by_class"]


def rows_by_class(classes: IntArray, n_classes: int) -> list[IntArray]:
    """Rows of every class, in increasing order."""
    order = np.argsort(classes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(classes, minlength=n_classes))[:-1])


class GroupedObjective(Objective):
    """Weighted mean of one objective per class, each on the rows of its class, :eq:`grouped-profile`.

    Parameters
    ----------
    objectives : list of Objective
        One per class, all of one kind.
    classes : array of shape (n,) of int
        Class of every row, an index into `objectives`.
    """

    def __init__(self, objectives: list[Objective], classes: IntArray) -> None:
        self.objectives = objectives
        self.classes: IntArray = classes
        self.nuisance = objectives[0].nuisance
        self.antisymmetric = objectives[0].antisymmetric
        self.scale_free = objectives[0].scale_free
        self.is_score = objectives[0].is_score
        self._rows = rows_by_class(classes, len(objectives))

    @classmethod
    def build(cls, make: Callable[[], Objective], classes: IntArray) -> GroupedObjective:
        """One fresh objective for every class that occurs."""
        return cls([make() for _ in range(int(classes.max()) + 1)], classes)

    def evaluate(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Evaluation:
        """Shares of the classes add up; see `Objective.evaluate`."""
        total = float(np.sum(weight))
        value, gradient, parts = 0.0, np.zeros_like(t), []
        for rows, objective in zip(self._rows, self.objectives, strict=True):
            if rows.size == 0:
                continue
            evaluation = objective.evaluate(t[rows], z[rows], weight[rows])
            share = float(np.sum(weight[rows])) / total
            value += share * evaluation.value
            gradient[rows] = share * evaluation.gradient
            parts.append((rows, share, evaluation))

        def curvature() -> FloatArray:
            result = np.zeros_like(t)
            for rows, share, evaluation in parts:
                result[rows] = share * evaluation.curvature()
            return result

        return Evaluation(value, gradient, curvature)

    def fit_links(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> list[Link]:
        """The link of every class."""
        return [
            objective.fit_link(t[rows], z[rows], weight[rows])
            for rows, objective in zip(self._rows, self.objectives, strict=True)
        ]

    def fit_link(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> Link:
        """Mean of the classes' links, by their share of the sample: the link of a rater drawn from it."""
        shares = [float(np.sum(weight[rows]) / np.sum(weight)) for rows in self._rows]
        return AverageLink(tuple(self.fit_links(t, z, weight)), tuple(shares))

    def resolution(self) -> float:
        """The coarsest of the classes that have rows (a subsample may miss a rare one)."""
        parts = zip(self._rows, self.objectives, strict=True)
        return max((objective.resolution() for rows, objective in parts if rows.size), default=0.0)

    def update(self, t: FloatArray, z: FloatArray, weight: FloatArray) -> None:
        """Hand every class its rows."""
        for rows, objective in zip(self._rows, self.objectives, strict=True):
            if rows.size:
                objective.update(t[rows], z[rows], weight[rows])

    def for_rows(self, rows: IntArray) -> GroupedObjective:
        """The objectives of the classes of a subsample (rows in increasing order)."""
        chosen = np.zeros(self.classes.size, dtype=bool)
        chosen[rows] = True
        parts = [
            objective.for_rows(np.flatnonzero(chosen[own]))
            for own, objective in zip(self._rows, self.objectives, strict=True)
        ]
        return GroupedObjective(parts, self.classes[rows])
