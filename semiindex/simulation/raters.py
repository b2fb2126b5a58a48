"""Raters: who answers, with which link, and how the answers of one rater depend on each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from semiindex._types import FloatArray, IntArray
from semiindex.exceptions import InvalidParameterError
from semiindex.link import ParametricLink, get_link

__all__ = ["Raters"]


@dataclass(frozen=True)
class Raters:
    """A population of raters.

    Parameters
    ----------
    answers : int, default=1
        Comparisons that a rater answers. The last rater of a sample may answer fewer.
    links : sequence of str or ParametricLink, default=()
        Links of the classes of raters. Empty: all share the link of the truth.
    shares : sequence of float, default=()
        Shares of the classes among raters, divided by their sum. Empty: equal.
    dependence : float, default=0.0
        Correlation in [0, 1) of the latent normal variables behind the answers of a rater. A label is
        1 where ``Phi(latent) < P``, a Gaussian copula: the probability of every single answer is
        exactly that of the link, and two answers to comparisons of probability 1/2 have the
        correlation ``(2 / pi) arcsin(dependence)``.
    own_menus : float, default=0.0
        Probability that a comparison is about one menu that belongs to the rater instead of a fresh
        one: dependent answers inflate standard errors only if the features of a rater are alike, too.
        Menus keep their distribution, and those of two answers of a rater have the intra-class
        correlation ``own_menus**2``. Under `AsOffered` so have the differences of the options. Every
        other sampling draws the pair and its order anew for each answer: the differences of a rater
        are alike in size and not in sign, and what depends in the answers to option 1 cancels in
        part. With 20 answers, a dependence of 0.6, normal menus of two and ``own_menus=0.7`` the
        standard errors are 2.1 times those of independent answers under `AsOffered`, and 1.3 to 1.5
        times under `UniformPairs`.

    Raises
    ------
    InvalidParameterError
        If a number is out of its range, or links and shares do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import Raters
    >>> raters = Raters(answers=20, links=("logistic", "cauchit"), shares=(3, 1), dependence=0.5)
    >>> raters.shares
    (0.75, 0.25)
    """

    answers: int = 1
    links: tuple[ParametricLink, ...] = ()
    shares: tuple[float, ...] = ()
    dependence: float = 0.0
    own_menus: float = 0.0

    def __post_init__(self) -> None:
        if int(self.answers) != self.answers or self.answers < 1:
            raise InvalidParameterError(f"answers must be an integer of at least 1, got {self.answers!r}")
        for name in ("dependence", "own_menus"):
            if not 0 <= getattr(self, name) < 1:
                raise InvalidParameterError(f"{name} must be in [0, 1), got {getattr(self, name)!r}")
        links = tuple(get_link(link) for link in self.links)
        if not all(isinstance(link, ParametricLink) for link in links):
            raise InvalidParameterError(f"links must be names of links or ParametricLink, got {self.links!r}")
        shares = tuple(float(share) for share in self.shares) or (1.0,) * len(links)
        if len(shares) != len(links) or not all(0 < share < math.inf for share in shares):
            raise InvalidParameterError(
                f"shares must be positive, one for each of the {len(links)} links, got {self.shares!r}"
            )
        object.__setattr__(self, "links", links)
        object.__setattr__(self, "shares", tuple(share / sum(shares) for share in shares))

    def identities(self, n: int) -> IntArray:
        """Number of the rater of each of `n` comparisons, ascending."""
        return np.arange(n) // self.answers

    def draw_classes(self, raters: IntArray, rng: np.random.Generator) -> IntArray | None:
        """Class of the rater of each comparison; None where there are no classes."""
        if len(self.links) < 2:
            return None
        return rng.choice(len(self.links), size=int(raters[-1]) + 1, p=self.shares)[raters]

    def draw_menus(self, menus: FloatArray, own: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Fresh menus, some replaced by that of the rater: both of shape (n, k, d)."""
        repeated = rng.random(len(menus)) < self.own_menus
        return np.where(repeated[:, None, None], own, menus)

    def draw_uniforms(self, raters: IntArray, rng: np.random.Generator) -> FloatArray:
        """Uniform variables, dependent within raters: a label is 1 where they are below its probability."""
        n = raters.size
        if self.dependence == 0:
            return rng.random(n)
        common = rng.standard_normal(int(raters[-1]) + 1)[raters]
        own = rng.standard_normal(n)
        return np.asarray(ndtr(math.sqrt(self.dependence) * common + math.sqrt(1 - self.dependence) * own))
