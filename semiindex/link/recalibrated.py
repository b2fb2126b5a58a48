"""A link made steeper, flatter or shifted on the logit scale: how one rater departs from the common link."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.link.base import Link, link_from_dict

__all__ = ["RecalibratedLink", "bounded_logit"]

#: Probabilities of the base are held this far from 0 and 1: beyond, a logit says more than any data.
_BOUND = 1e-6
_LARGEST_LOGIT = math.log((1 - _BOUND) / _BOUND)


def bounded_logit(probability: ArrayLike) -> FloatArray:
    """``log(p / (1 - p))`` of probabilities held in ``[1e-6, 1 - 1e-6]``."""
    return np.asarray(logit(np.clip(np.asarray(probability, dtype=np.float64), _BOUND, 1 - _BOUND)))


@dataclass(frozen=True)
class RecalibratedLink(Link):
    """``Psi(t) = 1 / (1 + exp(-a - b logit base(t)))``, Cox's recalibration of another link.

    The slope b says how decisive a rater is (1 as the base, 0 whatever the index), the intercept a how
    much the rater leans to option 1.

    Parameters
    ----------
    base : Link
        The link that is recalibrated; its probabilities are held in ``[1e-6, 1 - 1e-6]``.
    slope_factor : float, default=1.0
        b, finite and not negative.
    intercept : float, default=0.0
        a, finite.

    Raises
    ------
    InvalidParameterError
        If a number is out of its range.

    References
    ----------
    Cox 1958 (recalibration).

    Examples
    --------
    >>> from semiindex.link import LogisticLink, RecalibratedLink
    >>> hasty = RecalibratedLink(LogisticLink(), slope_factor=0.5)
    >>> hasty.probability([-2.0, 0.0, 2.0]).round(3)
    array([0.269, 0.5  , 0.731])
    """

    base: Link
    slope_factor: float = 1.0
    intercept: float = 0.0

    kind: ClassVar[str] = "recalibrated"

    def __post_init__(self) -> None:
        for name in ("slope_factor", "intercept"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not (0 <= self.slope_factor < math.inf):
            raise InvalidParameterError(f"slope_factor must be finite and >= 0, got {self.slope_factor}")
        if not math.isfinite(self.intercept):
            raise InvalidParameterError(f"intercept must be finite, got {self.intercept}")

    @property
    def antisymmetric(self) -> bool:
        """Whether the base is, and nothing is shifted."""
        return self.base.antisymmetric and self.intercept == 0

    def probability(self, t: ArrayLike) -> FloatArray:
        """``Psi(t)``."""
        return np.asarray(expit(self.intercept + self.slope_factor * bounded_logit(self.base.probability(t))))

    def slope(self, t: ArrayLike) -> FloatArray:
        """``b Psi (1 - Psi) base' / {base (1 - base)}``; 0 where the base is held."""
        base, p = self.base.probability(t), self.probability(t)
        inside = np.clip(base, _BOUND, 1 - _BOUND)
        rate = np.where(inside == base, self.base.slope(t) / (inside * (1 - inside)), 0.0)
        return np.asarray(self.slope_factor * p * (1 - p) * rate)

    def index(self, p: ArrayLike) -> FloatArray:
        """The base's index at the probability before recalibration."""
        p = np.clip(np.asarray(p, dtype=np.float64), 0.0, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = (logit(p) - self.intercept) / self.slope_factor
        inner = np.where((logit(p) == self.intercept) & (self.slope_factor == 0), 0.0, inner)
        t = self.base.index(expit(inner))
        t = np.where(inner <= -_LARGEST_LOGIT, -np.inf, np.where(inner >= _LARGEST_LOGIT, np.inf, t))
        return np.where(np.isnan(p), np.nan, t)

    def rescaled(self, factor: float) -> RecalibratedLink:
        """The link of ``factor * t``."""
        return RecalibratedLink(self.base.rescaled(factor), self.slope_factor, self.intercept)

    def shifted(self, offset: float) -> RecalibratedLink:
        """The link of ``t + offset``."""
        return RecalibratedLink(self.base.shifted(offset), self.slope_factor, self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """The base as a dictionary, and the two numbers."""
        return {
            "kind": self.kind,
            "base": self.base.to_dict(),
            "slope_factor": self.slope_factor,
            "intercept": self.intercept,
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> RecalibratedLink:
        """Inverse of `to_dict`."""
        return cls(link_from_dict(state["base"]), state["slope_factor"], state["intercept"])
