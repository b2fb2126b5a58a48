"""What a study hands to estimators and metrics: a sample with its truth, and menus to judge on.

All estimators see the same arrays, so that these cannot be written to: one that scales its input in place
would spoil the numbers of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.data import PreferencePairs
from semiindex.data.checks import frozen
from semiindex.policy.menu_policy import Policy

if TYPE_CHECKING:
    from semiindex.simulation.truth import Truth

__all__ = ["Evaluation", "Sample"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Menus and comparisons, apart from the sample, on which fits are judged.

    Parameters
    ----------
    options : array of shape (m, k, d)
        Features of the options of m menus.
    scores : array of shape (m, k)
        True scores.
    reference : array of shape (m, k)
        Probabilities of the reference policy.
    first, second : array of int, shape (m,)
        Positions of option 0 and option 1 of one comparison in every menu.
    truth : Truth
        How preferences come about.
    feature_names : tuple of str, optional
        Names of the features, as the sample has them. Default: x0, x1, ...
    """

    options: FloatArray
    scores: FloatArray
    reference: FloatArray
    first: IntArray
    second: IntArray
    truth: Truth
    feature_names: tuple[str, ...] | None = None
    _optimal: dict[float, Policy] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("options", "scores", "reference", "first", "second"):
            object.__setattr__(self, name, frozen(np.asarray(getattr(self, name))))

    @property
    def flat_options(self) -> FloatArray:
        """Options one below the other, shape (m k, d), as `score_options` takes them."""
        return np.asarray(frozen(self.options.reshape(-1, self.options.shape[2])))

    @cached_property
    def index(self) -> FloatArray:
        """True index of the comparisons, shape (m,)."""
        rows = np.arange(len(self.scores))
        return np.asarray(frozen(self.scores[rows, self.second] - self.scores[rows, self.first]))

    @cached_property
    def probability(self) -> FloatArray:
        """Exact probability that option 1 of the comparisons is preferred, by a random rater."""
        return np.asarray(frozen(self.truth.probability_of_index(self.index)))

    @cached_property
    def pairs(self) -> PreferencePairs:
        """The comparisons, with the more probable answer as label."""
        rows = np.arange(len(self.scores))
        labels = (self.probability > 0.5).astype(np.int8)
        return PreferencePairs(
            self.options[rows, self.first],
            self.options[rows, self.second],
            labels,
            feature_names=self.feature_names,
        )

    def optimal_policy(self, budget: float) -> Policy:
        """Policy of the true scores at a budget; computed once and kept."""
        if budget not in self._optimal:
            self._optimal[budget] = self.policy(self.scores, budget)
        return self._optimal[budget]

    def policy(self, scores: FloatArray, budget: float) -> Policy:
        """Policy of scores of shape (m, k) at a budget."""
        return self.truth.policy(self.options, budget, scores)


@dataclass(frozen=True, eq=False)
class Sample:
    """Comparisons with their labels, and what only the simulation knows about them.

    Parameters
    ----------
    pairs : PreferencePairs
        What estimators see.
    index : array of shape (n,)
        True index of every comparison.
    probability : array of shape (n,)
        Exact probability of label 1, given the class of the rater.
    truth : Truth
        How the labels came about.
    evaluation : Evaluation, optional
        Where fits are judged; a study sets it.
    """

    pairs: PreferencePairs
    index: FloatArray
    probability: FloatArray
    truth: Truth
    evaluation: Evaluation | None = None

    def __post_init__(self) -> None:
        for name in ("index", "probability"):
            object.__setattr__(self, name, frozen(np.asarray(getattr(self, name))))
