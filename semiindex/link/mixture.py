"""Average of links: the link of a rater drawn at random from classes with links of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.link.base import Link, link_from_dict

__all__ = ["AverageLink"]


@dataclass(frozen=True)
class AverageLink(Link):
    """``Psi(t) = sum_k share_k Psi_k(t)``.

    Parameters
    ----------
    links : tuple of Link
        Links of the classes.
    shares : tuple of float
        Positive shares of the classes; they are divided by their sum.

    Examples
    --------
    >>> from semiindex.link import AverageLink, LapsedLink, LogisticLink
    >>> careless = LapsedLink(LogisticLink(), lower=0.45, upper=0.45)
    >>> AverageLink((LogisticLink(), careless), (0.5, 0.5)).probability([100.0])
    array([0.775])
    """

    links: tuple[Link, ...]
    shares: tuple[float, ...]

    kind: ClassVar[str] = "average"

    def __post_init__(self) -> None:
        if len(self.links) == 0 or len(self.links) != len(self.shares):
            raise ValueError(
                "links and shares must have one common length >= 1, "
                f"got {len(self.links)} and {len(self.shares)}"
            )
        if not (min(self.shares) >= 0 and sum(self.shares) > 0):
            raise ValueError(f"shares must be nonnegative with a positive sum, got {self.shares}")
        total = sum(self.shares)
        object.__setattr__(self, "links", tuple(self.links))
        object.__setattr__(self, "shares", tuple(float(share) / total for share in self.shares))

    @property
    def antisymmetric(self) -> bool:
        """Whether every link is antisymmetric."""
        return all(link.antisymmetric for link in self.links)

    def probability(self, t: ArrayLike) -> FloatArray:
        """Average probability."""
        terms = [share * link.probability(t) for share, link in zip(self.shares, self.links, strict=True)]
        return np.asarray(np.sum(terms, axis=0))

    def slope(self, t: ArrayLike) -> FloatArray:
        """Average slope."""
        terms = [share * link.slope(t) for share, link in zip(self.shares, self.links, strict=True)]
        return np.asarray(np.sum(terms, axis=0))

    def index(self, p: ArrayLike) -> FloatArray:
        """Generalised inverse, by bisection between the inverses of the links."""
        p = np.asarray(p, dtype=np.float64)
        ends = np.stack([link.index(p) for link in self.links])
        lower, upper = ends.min(axis=0), ends.max(axis=0)
        lower = np.where(np.isneginf(lower), -_FAR, np.where(np.isposinf(lower), _FAR, lower))
        upper = np.where(np.isposinf(upper), _FAR, np.where(np.isneginf(upper), -_FAR, upper))
        first = self._cross(p, lower, upper, strict=False)
        last = self._cross(p, lower, upper, strict=True)
        middle = np.where(last - first > 1e-9 * (1 + np.abs(first)), first / 2 + last / 2, first)
        low, high = (float(self.probability(np.array([end]))[0]) for end in (-_FAR, _FAR))
        middle = np.where(p < low, -np.inf, np.where(p > high, np.inf, middle))
        return np.where(np.isnan(p), np.nan, middle)

    def _cross(self, p: FloatArray, lower: FloatArray, upper: FloatArray, *, strict: bool) -> FloatArray:
        """First t at which the link reaches p, or exceeds it (`strict`)."""
        for _ in range(200):
            middle = lower / 2 + upper / 2
            value = self.probability(middle)
            reached = value > p if strict else value >= p
            upper = np.where(reached, middle, upper)
            lower = np.where(reached, lower, middle)
        return upper

    def rescaled(self, factor: float) -> AverageLink:
        """The link of ``factor * t``."""
        return AverageLink(tuple(link.rescaled(factor) for link in self.links), self.shares)

    def shifted(self, offset: float) -> AverageLink:
        """The link of ``t + offset``."""
        return AverageLink(tuple(link.shifted(offset) for link in self.links), self.shares)

    def to_dict(self) -> dict[str, Any]:
        """Links as dictionaries, and their shares."""
        return {
            "kind": self.kind,
            "links": [link.to_dict() for link in self.links],
            "shares": list(self.shares),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> AverageLink:
        """Inverse of `to_dict`."""
        return cls(tuple(link_from_dict(link) for link in state["links"]), tuple(state["shares"]))


#: Stands for infinity where a bisection needs a finite end.
_FAR = 1e12
