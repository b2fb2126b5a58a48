"""Which two options of a menu are compared, as values.

No strategy looks at a label before it is given, so that the probability of the answer given the two
options is that of the link under each of them: selection moves the distribution of the comparisons,
not the model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.exceptions import InvalidParameterError

__all__ = [
    "AsOffered",
    "BestOfPairs",
    "MenuDraw",
    "NearestPairs",
    "PairSampling",
    "ReferencePairs",
    "UniformPairs",
    "random_order",
]


@dataclass(frozen=True)
class MenuDraw:
    """Menus among whose options a strategy chooses.

    Attributes
    ----------
    options : array of shape (n, k, d)
        Features.
    scores : array of shape (n, k)
        True scores.
    reference : array of shape (n, k)
        Probabilities of the reference policy.
    answer : callable
        ``answer(rows, first, second)``: labels of the comparisons of the options `first` and `second`
        of the menus `rows`; the same labels that the sample will have.
    """

    options: FloatArray
    scores: FloatArray
    reference: FloatArray
    answer: Callable[[IntArray, IntArray, IntArray], IntArray]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of menus and of options in each."""
        n, k = self.scores.shape
        return n, k


class PairSampling(ABC):
    """A strategy: from menus to the positions of option 0 and option 1; a frozen, picklable value."""

    @abstractmethod
    def choose(self, menus: MenuDraw, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Positions of option 0 and of option 1 in every menu, each of shape (n,)."""

    @property
    def without_answers(self) -> PairSampling:
        """The strategy as long as nobody answered: itself, unless it looks at answers."""
        return self


def random_order(first: IntArray, second: IntArray, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """The two options of every comparison in random order of presentation."""
    swap = rng.random(first.size) < 0.5
    return np.where(swap, second, first), np.where(swap, first, second)


@dataclass(frozen=True)
class AsOffered(PairSampling):
    """Menus of two options, compared in the order in which they stand.

    Examples
    --------
    >>> from semiindex.simulation import AsOffered
    >>> AsOffered()
    AsOffered()
    """

    def choose(self, menus: MenuDraw, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Positions 0 and 1."""
        n, k = menus.shape
        if k != 2:
            raise InvalidParameterError(f"AsOffered() compares menus of two options, but menu_size is {k}")
        return np.zeros(n, dtype=np.intp), np.ones(n, dtype=np.intp)


@dataclass(frozen=True)
class UniformPairs(PairSampling):
    """Two options drawn uniformly from the menu.

    Parameters
    ----------
    replace : bool, default=False
        Whether an option may be compared with itself, as where two actions are drawn independently.

    Examples
    --------
    >>> from semiindex.simulation import UniformPairs
    >>> UniformPairs(replace=True)
    UniformPairs(replace=True)
    """

    replace: bool = False

    def choose(self, menus: MenuDraw, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Positions of option 0 and of option 1 in every menu, each of shape (n,)."""
        n, k = menus.shape
        first = rng.integers(k, size=n)
        if self.replace:
            return first, rng.integers(k, size=n)
        return first, (first + rng.integers(1, k, size=n)) % k


@dataclass(frozen=True)
class ReferencePairs(PairSampling):
    """Two options drawn from the reference policy, as answers of a language model are.

    Parameters
    ----------
    replace : bool, default=True
        Whether the draws are independent, so that both may be the same option.

    Raises
    ------
    InvalidParameterError
        In sampling, if without replacement a menu has fewer than two options of positive probability.

    Examples
    --------
    >>> from semiindex.simulation import ReferencePairs
    >>> ReferencePairs()
    ReferencePairs(replace=True)
    """

    replace: bool = True

    def choose(self, menus: MenuDraw, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Positions of option 0 and of option 1 in every menu, each of shape (n,)."""
        if self.replace:
            drawn = _reference_draws(menus.reference, 2, rng)
            return drawn[:, 0], drawn[:, 1]
        if ((menus.reference > 0).sum(axis=1) < 2).any():
            raise InvalidParameterError(
                "ReferencePairs(replace=False) needs two options of positive reference probability in every "
                "menu; draw with replacement, or give more options some probability"
            )
        # The two largest of log q + Gumbel noise are draws without replacement, in their order.
        with np.errstate(divide="ignore"):
            keys = np.log(menus.reference) + rng.gumbel(size=menus.reference.shape)
        order = np.argsort(-keys, axis=1)
        return order[:, 0], order[:, 1]


@dataclass(frozen=True)
class BestOfPairs(PairSampling):
    """The best of some draws from the reference against one further draw, in random order.

    Parameters
    ----------
    n_draws : int, default=4
        Draws of which the best, by the true score, is compared.

    Raises
    ------
    InvalidParameterError
        If `n_draws` is not an integer of at least 1.

    Examples
    --------
    >>> from semiindex.simulation import BestOfPairs
    >>> BestOfPairs(8)
    BestOfPairs(n_draws=8)
    """

    n_draws: int = 4

    def __post_init__(self) -> None:
        if int(self.n_draws) != self.n_draws or self.n_draws < 1:
            raise InvalidParameterError(f"n_draws must be an integer of at least 1, got {self.n_draws!r}")

    def choose(self, menus: MenuDraw, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Positions of option 0 and of option 1 in every menu, each of shape (n,)."""
        drawn = _reference_draws(menus.reference, self.n_draws + 1, rng)
        candidates = drawn[:, 1:]
        winner = np.argmax(np.take_along_axis(menus.scores, candidates, axis=1), axis=1)
        best = np.take_along_axis(candidates, winner[:, None], axis=1)[:, 0]
        return random_order(drawn[:, 0], best, rng)


@dataclass(frozen=True)
class NearestPairs(PairSampling):
    """A uniformly drawn option against the one nearest to it in true score: hard comparisons.

    Examples
    --------
    >>> from semiindex.simulation import NearestPairs
    >>> NearestPairs()
    NearestPairs()
    """

    def choose(self, menus: MenuDraw, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Positions of option 0 and of option 1 in every menu, each of shape (n,)."""
        n, k = menus.shape
        first = rng.integers(k, size=n)
        rows = np.arange(n)
        distance = np.abs(menus.scores - menus.scores[rows, first][:, None])
        distance[rows, first] = np.inf
        return random_order(first, np.argmin(distance, axis=1), rng)


def _reference_draws(reference: FloatArray, size: int, rng: np.random.Generator) -> IntArray:
    """Independent draws from every row of probabilities, shape (n, size)."""
    cumulative = np.cumsum(reference, axis=1)
    uniform = rng.random((len(reference), size)) * cumulative[:, -1:]
    # Strictly above: a uniform of exactly 0 must not hit an option of probability 0.
    return np.asarray((uniform[:, :, None] >= cumulative[:, None, :]).sum(axis=2))
