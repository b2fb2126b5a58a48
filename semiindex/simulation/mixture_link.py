"""Finite mixtures of parametric links: the exact link of a population of raters with links of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.link import AverageLink, ParametricLink, link_from_dict

__all__ = ["MixtureLink"]


@dataclass(frozen=True)
class MixtureLink(ParametricLink):
    """``Psi(t) = sum_k share_k Psi_k(t)`` of parametric links, with the logarithms of a likelihood.

    An `AverageLink` of parametric links, which `KnownLinkPolicy` takes as the known link: the oracle
    for a population of raters.

    Parameters
    ----------
    links : tuple of ParametricLink
        Links of the classes.
    shares : tuple of float
        Positive shares of the classes; they are divided by their sum.

    Raises
    ------
    InvalidParameterError
        If there is no link, one is not parametric, or the shares do not fit.

    Examples
    --------
    >>> from semiindex.link import LapsedLink, LogisticLink
    >>> from semiindex.simulation import MixtureLink
    >>> careless = LapsedLink(LogisticLink(), lower=0.45, upper=0.45)
    >>> MixtureLink((LogisticLink(), careless), (0.5, 0.5)).probability([100.0])
    array([0.775])
    """

    links: tuple[ParametricLink, ...]
    shares: tuple[float, ...]

    kind: ClassVar[str] = "mixture"

    def __post_init__(self) -> None:
        links, shares = tuple(self.links), tuple(float(share) for share in self.shares)
        if not links or not all(isinstance(link, ParametricLink) for link in links):
            raise InvalidParameterError(f"links must be one or more parametric links, got {self.links!r}")
        if len(shares) != len(links) or not (min(shares) > 0 and np.isfinite(sum(shares))):
            raise InvalidParameterError(
                f"shares must be {len(links)} positive numbers, one per link, got {self.shares!r}"
            )
        object.__setattr__(self, "links", links)
        object.__setattr__(self, "shares", tuple(share / sum(shares) for share in shares))

    @property
    def antisymmetric(self) -> bool:
        """Whether every link is antisymmetric."""
        return all(link.antisymmetric for link in self.links)

    def probability(self, t: ArrayLike) -> FloatArray:
        """Average probability."""
        return AverageLink(self.links, self.shares).probability(t)

    def slope(self, t: ArrayLike) -> FloatArray:
        """Average slope."""
        return AverageLink(self.links, self.shares).slope(t)

    def index(self, p: ArrayLike) -> FloatArray:
        """Generalised inverse, by bisection."""
        return AverageLink(self.links, self.shares).index(p)

    def log_probability(self, t: ArrayLike) -> FloatArray:
        """Logarithm of the average probability."""
        return np.minimum(self._log_average([link.log_probability(t) for link in self.links]), 0.0)

    def log_complement(self, t: ArrayLike) -> FloatArray:
        """Logarithm of the average probability of a loss."""
        return np.minimum(self._log_average([link.log_complement(t) for link in self.links]), 0.0)

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """Logarithm of the average slope."""
        return self._log_average([link.log_slope(t) for link in self.links])

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Average of the hazards, weighted by the classes' shares among the losses."""
        return self._weighted([(link.log_complement(t), link.hazard(t)) for link in self.links])

    def reversed_hazard(self, t: ArrayLike) -> FloatArray:
        """Average of the reversed hazards, weighted by the classes' shares among the wins."""
        return self._weighted([(link.log_probability(t), link.reversed_hazard(t)) for link in self.links])

    def _log_average(self, logarithms: list[FloatArray]) -> FloatArray:
        return np.asarray(logsumexp(np.stack(logarithms) + self._log_shares(logarithms[0].ndim), axis=0))

    def _weighted(self, terms: list[tuple[FloatArray, FloatArray]]) -> FloatArray:
        logarithms = np.stack([logarithm for logarithm, _ in terms])
        logarithms = logarithms + self._log_shares(logarithms.ndim - 1)
        weight = np.exp(logarithms - logsumexp(logarithms, axis=0))
        return np.asarray(np.sum(weight * np.stack([rate for _, rate in terms]), axis=0))

    def _log_shares(self, n_axes: int) -> FloatArray:
        return np.log(self.shares).reshape(-1, *([1] * n_axes))

    def rescaled(self, factor: float) -> MixtureLink:
        """The link of ``factor * t``."""
        return MixtureLink(tuple(link.rescaled(factor) for link in self.links), self.shares)

    def to_dict(self) -> dict[str, Any]:
        """Links as dictionaries, and their shares."""
        links = [link.to_dict() for link in self.links]
        return {"kind": self.kind, "links": links, "shares": list(self.shares)}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Inverse of `to_dict`."""
        links: Any = tuple(link_from_dict(link) for link in state["links"])
        return cls(links, tuple(state["shares"]))
