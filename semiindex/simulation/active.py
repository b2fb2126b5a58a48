"""Active sampling: comparisons about which the fit so far is least sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from semiindex._types import IntArray
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidParameterError
from semiindex.policy import KnownLinkPolicy
from semiindex.simulation.sampling import MenuDraw, PairSampling, UniformPairs, random_order

__all__ = ["ActivePairs"]


@dataclass(frozen=True)
class ActivePairs(PairSampling):
    """Uncertainty sampling in rounds.

    The first round compares two options drawn uniformly. Before every later one a learner is fitted to
    the answers so far, and of every menu the two options whose estimated scores are nearest to each
    other are compared, in random order.

    Parameters
    ----------
    n_rounds : int, default=4
        Rounds of equal size.
    learner : estimator, optional
        Anything with `fit` and `score_options`; `KnownLinkPolicy(ridge=1e-3)` by default, the usual
        fit, whose ridge keeps a first round without noise finite. It learns where to look, not what
        is reported.

    Raises
    ------
    InvalidParameterError
        If `n_rounds` is not an integer of at least 1; in sampling, if menus have fewer than three
        options, or rounds fewer than two comparisons.

    Examples
    --------
    >>> from semiindex.simulation import ActivePairs
    >>> ActivePairs(n_rounds=3)
    ActivePairs(n_rounds=3, learner=None)
    """

    n_rounds: int = 4
    learner: Any = None

    def __post_init__(self) -> None:
        if int(self.n_rounds) != self.n_rounds or self.n_rounds < 1:
            raise InvalidParameterError(f"n_rounds must be an integer of at least 1, got {self.n_rounds!r}")

    @property
    def without_answers(self) -> PairSampling:
        """Uniform pairs, as in the first round."""
        return UniformPairs()

    def choose(self, menus: MenuDraw, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Positions of option 0 and of option 1 in every menu, each of shape (n,)."""
        n, k = menus.shape
        if k < 3:
            raise InvalidParameterError(
                f"ActivePairs chooses within menus, and a menu of {k} options leaves no choice; set "
                "menu_size to 3 or more"
            )
        if n < 2 * self.n_rounds:
            raise InvalidParameterError(
                f"{n} comparisons are too few for {self.n_rounds} rounds of active sampling"
            )
        first, second = UniformPairs().choose(menus, rng)
        rounds = np.array_split(np.arange(n), self.n_rounds)
        for number, rows in enumerate(rounds[1:], start=1):
            done = np.concatenate(rounds[:number])
            first[rows], second[rows] = self._unsure(menus, done, first[done], second[done], rows, rng)
        return first, second

    def _unsure(
        self,
        menus: MenuDraw,
        done: IntArray,
        first: IntArray,
        second: IntArray,
        rows: IntArray,
        rng: np.random.Generator,
    ) -> tuple[IntArray, IntArray]:
        """Positions, in the menus `rows`, of the options nearest in estimated score."""
        labels = menus.answer(done, first, second)
        pairs = PreferencePairs(menus.options[done, first], menus.options[done, second], labels)
        learner = KnownLinkPolicy(ridge=1e-3) if self.learner is None else clone(self.learner)
        learner.fit(pairs, labels)
        options = menus.options[rows]
        scores = learner.score_options(options.reshape(-1, options.shape[2])).reshape(options.shape[:2])
        order = np.argsort(scores, axis=1)
        gaps = np.diff(np.take_along_axis(scores, order, axis=1), axis=1)
        nearest = np.argmin(gaps, axis=1)
        here = np.arange(rows.size)
        return random_order(order[here, nearest], order[here, nearest + 1], rng)
