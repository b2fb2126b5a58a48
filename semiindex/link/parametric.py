r"""Parametric links: fully known maps from the index to a probability.

Every link states, besides the protocol, the logarithms that a likelihood needs and its two hazards,

==========================  =========================================  ======================
symbol                      meaning                                    method
==========================  =========================================  ======================
``log Psi(t)``              log probability of a win of option 1       ``log_probability(t)``
``log(1 - Psi(t))``         log probability of a loss                  ``log_complement(t)``
``log Psi'(t)``             log slope                                  ``log_slope(t)``
``Psi'(t) / (1 - Psi(t))``  hazard, ``-d/dt log(1 - Psi)``             ``hazard(t)``
``Psi'(t) / Psi(t)``        reversed hazard, ``d/dt log Psi``          ``reversed_hazard(t)``
==========================  =========================================  ======================

computed without overflow for every finite index. The derivative of the log loss is
``-z reversed_hazard(t) + (1 - z) hazard(t)``. The hazards are methods of their own because the
difference of two logarithms loses them in the tails: for the normal link at t = -1e10 the logarithms
are 5e19, their difference 23.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erfcx, expit, exprel, log_expit, log_ndtr, logit, ndtr, ndtri

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.link.base import Link, link_from_dict

__all__ = [
    "AntisymmetricLink",
    "CauchitLink",
    "CloglogLink",
    "LogLogLink",
    "LogisticLink",
    "ParametricLink",
    "ProbitLink",
    "as_floats",
    "get_link",
    "log_sum",
]

#: Half the square of this is a finite number.
_LARGEST_SQUARABLE = 1e150
#: The exponential of this is a finite number, with room for a factor of 1e4.
_LARGEST_EXPONENT = 700.0


def as_floats(values: ArrayLike) -> FloatArray:
    """The argument of a link as an array of doubles."""
    return np.asarray(values, dtype=np.float64)


def log_sum(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """``log(exp(a) + exp(b))``; NaN is passed on without numpy's warning."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.logaddexp(a, b))


class ParametricLink(Link):
    """A link without unknowns: `Link` with the logarithms and hazards of the module's table.

    Subclasses are frozen dataclasses whose fields are numbers or other links; `to_dict` and
    `from_dict` follow from the fields.
    """

    @abstractmethod
    def log_probability(self, t: ArrayLike) -> FloatArray:
        """``log Psi(t)``, of the shape of `t`, finite for every finite t."""

    @abstractmethod
    def log_complement(self, t: ArrayLike) -> FloatArray:
        """``log(1 - Psi(t))``, of the shape of `t`, finite for every finite t."""

    @abstractmethod
    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``log Psi'(t)``, of the shape of `t`, finite for every finite t."""

    def slope(self, t: ArrayLike) -> FloatArray:
        """``Psi'(t) >= 0``, of the shape of `t`."""
        return np.exp(self.log_slope(t))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """``Psi'(t) / (1 - Psi(t))``, the derivative of the log loss of a loss."""
        return np.exp(self.log_slope(t) - self.log_complement(t))

    def reversed_hazard(self, t: ArrayLike) -> FloatArray:
        """``Psi'(t) / Psi(t)``, minus the derivative of the log loss of a win."""
        return np.exp(self.log_slope(t) - self.log_probability(t))

    def rescaled(self, factor: float) -> ParametricLink:
        """The link ``t -> Psi(factor * t)``; a `LapsedLink` without lapses, unless factor is 1."""
        from semiindex.link.lapsed import LapsedLink  # a parametric link itself: not known yet above

        return self if factor == 1 else LapsedLink(self, scale=factor)

    def shifted(self, offset: float) -> ParametricLink:
        """The link ``t -> Psi(t + offset)``; a `LapsedLink` without lapses, unless offset is 0."""
        from semiindex.link.lapsed import LapsedLink  # as in `rescaled`

        return self if offset == 0 else LapsedLink(self, shift=offset)

    def to_dict(self) -> dict[str, Any]:
        """The name of the kind and the fields; a nested link as a nested dictionary."""
        state: dict[str, Any] = {"kind": self.kind}
        for field in fields(self):  # type: ignore[arg-type]  # every concrete link is a dataclass
            value = getattr(self, field.name)
            state[field.name] = value.to_dict() if isinstance(value, Link) else value
        return state

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Inverse of `to_dict` (without the entry ``kind``)."""
        return cls(
            **{
                name: link_from_dict(value) if isinstance(value, dict) else value
                for name, value in state.items()
            }
        )


class AntisymmetricLink(ParametricLink):
    """``Psi(-t) = 1 - Psi(t)``: what holds for a loss at t holds for a win at -t."""

    @property
    def antisymmetric(self) -> bool:
        """True for every value of the parameters."""
        return True

    def log_complement(self, t: ArrayLike) -> FloatArray:
        """``log(1 - Psi(t)) = log Psi(-t)``."""
        return self.log_probability(-as_floats(t))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """``Psi'(t) / (1 - Psi(t))``, the reversed hazard at -t."""
        return self.reversed_hazard(-as_floats(t))


@dataclass(frozen=True)
class LogisticLink(AntisymmetricLink):
    """``Psi(t) = 1 / (1 + exp(-t))``: Bradley-Terry, conditional logit, DPO.

    Examples
    --------
    >>> from semiindex.link import LogisticLink
    >>> LogisticLink().probability([-1e300, 0.0, 1e300])
    array([0. , 0.5, 1. ])
    """

    kind: ClassVar[str] = "logistic"

    def probability(self, t: ArrayLike) -> FloatArray:
        """``Psi(t)``."""
        return np.asarray(expit(as_floats(t)))

    def slope(self, t: ArrayLike) -> FloatArray:
        """``Psi(t) Psi(-t)``."""
        t = as_floats(t)
        return np.asarray(expit(t) * expit(-t))

    def index(self, p: ArrayLike) -> FloatArray:
        """``log(p / (1 - p))``."""
        return np.asarray(logit(np.clip(as_floats(p), 0.0, 1.0)))

    def log_probability(self, t: ArrayLike) -> FloatArray:
        """``-log(1 + exp(-t))``."""
        return np.asarray(log_expit(as_floats(t)))

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``log Psi(t) + log Psi(-t)``."""
        t = as_floats(t)
        return np.asarray(log_expit(t) + log_expit(-t))

    def reversed_hazard(self, t: ArrayLike) -> FloatArray:
        """``Psi(-t)``."""
        return np.asarray(expit(-as_floats(t)))


@dataclass(frozen=True)
class ProbitLink(AntisymmetricLink):
    """The standard normal distribution function: Thurstone (1927), case V.

    Notes
    -----
    Logarithms beyond ``|t| = 1e150`` are those at 1e150, since ``t**2`` is no longer a number.

    Examples
    --------
    >>> from semiindex.link import ProbitLink
    >>> ProbitLink().reversed_hazard([-1e10])
    array([1.e+10])
    """

    kind: ClassVar[str] = "probit"

    def probability(self, t: ArrayLike) -> FloatArray:
        """``Psi(t)``."""
        return np.asarray(ndtr(as_floats(t)))

    def index(self, p: ArrayLike) -> FloatArray:
        """The normal quantile of p."""
        return np.asarray(ndtri(np.clip(as_floats(p), 0.0, 1.0)))

    def log_probability(self, t: ArrayLike) -> FloatArray:
        """``log Psi(t)``."""
        return np.asarray(log_ndtr(np.clip(as_floats(t), -_LARGEST_SQUARABLE, _LARGEST_SQUARABLE)))

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``-t**2 / 2 - log(2 pi) / 2``."""
        t = np.clip(as_floats(t), -_LARGEST_SQUARABLE, _LARGEST_SQUARABLE)
        return np.asarray(-(t**2) / 2 - math.log(2 * math.pi) / 2)

    def reversed_hazard(self, t: ArrayLike) -> FloatArray:
        """The inverse Mills ratio, ``sqrt(2 / pi) / erfcx(-t / sqrt(2))``; it is -t far below."""
        t = as_floats(t)
        ratio = math.sqrt(2 / math.pi) / erfcx(-np.maximum(t, -1e9) / math.sqrt(2))
        return np.where(t < -1e9, -t, ratio)


@dataclass(frozen=True)
class CauchitLink(AntisymmetricLink):
    """``Psi(t) = 1/2 + atan(t) / pi``: heavy tails, so that gross reversals of preference are common.

    Examples
    --------
    >>> from semiindex.link import CauchitLink
    >>> CauchitLink().probability([-1.0, 0.0, 1.0])
    array([0.25, 0.5 , 0.75])
    """

    kind: ClassVar[str] = "cauchit"

    def probability(self, t: ArrayLike) -> FloatArray:
        """The angle of the point (-t, 1), over pi: exact in both tails."""
        return np.asarray(np.arctan2(1.0, -as_floats(t)) / math.pi)

    def index(self, p: ArrayLike) -> FloatArray:
        """``tan(pi (p - 1/2))``, as a cotangent in the tails."""
        p = np.clip(as_floats(p), 0.0, 1.0)
        tail = np.minimum(p, 1 - p)
        with np.errstate(divide="ignore"):
            size = np.where(tail > 0.25, np.tan(math.pi * (0.5 - tail)), 1 / np.tan(math.pi * tail))
        return np.asarray(np.where(p < 0.5, -size, size))

    def log_probability(self, t: ArrayLike) -> FloatArray:
        """``log Psi(t)``, through the complement where t > 0."""
        t = as_floats(t)
        tail = np.arctan2(1.0, np.abs(t)) / math.pi
        with np.errstate(divide="ignore"):
            return np.where(t > 0, np.log1p(-tail), np.log(tail))

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``-log(pi (1 + t**2))``."""
        return np.asarray(-math.log(math.pi) - 2 * np.log(np.hypot(1.0, as_floats(t))))


@dataclass(frozen=True)
class LogLogLink(ParametricLink):
    """``Psi(t) = exp(-exp(-t))``, the Gumbel distribution function: slow above, fast below.

    Not antisymmetric. `CloglogLink` is its mirror image ``1 - Psi(-t)``, a different link.

    Notes
    -----
    Logarithms and hazards below ``t = -700`` are those at -700, since ``exp(-t)`` is no longer a
    number.

    Examples
    --------
    >>> from semiindex.link import LogLogLink
    >>> LogLogLink().probability([0.0]).round(4)
    array([0.3679])
    """

    kind: ClassVar[str] = "loglog"

    @property
    def antisymmetric(self) -> bool:
        """False."""
        return False

    @staticmethod
    def _clipped(t: ArrayLike) -> FloatArray:
        return np.maximum(as_floats(t), -_LARGEST_EXPONENT)

    def probability(self, t: ArrayLike) -> FloatArray:
        """``Psi(t)``."""
        return np.asarray(np.exp(-np.exp(-self._clipped(t))))

    def index(self, p: ArrayLike) -> FloatArray:
        """``-log(-log p)``."""
        with np.errstate(divide="ignore"):
            return np.asarray(-np.log(-np.log(np.clip(as_floats(p), 0.0, 1.0))))

    def log_probability(self, t: ArrayLike) -> FloatArray:
        """``-exp(-t)``."""
        return np.asarray(-np.exp(-self._clipped(t)))

    def log_complement(self, t: ArrayLike) -> FloatArray:
        """``log(1 - exp(-x))``, ``x = exp(-t)``; for small x as ``-t + log((1 - exp(-x)) / x)``."""
        t = self._clipped(t)
        x = np.exp(-t)
        return np.where(x > 1, np.log1p(-np.exp(-np.maximum(x, 1.0))), -t + np.log(exprel(-x)))

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``-t - exp(-t)``."""
        t = self._clipped(t)
        return np.asarray(-t - np.exp(-t))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """``x / (exp(x) - 1)``, ``x = exp(-t)``."""
        return np.asarray(1 / exprel(np.exp(-self._clipped(t))))

    def reversed_hazard(self, t: ArrayLike) -> FloatArray:
        """``exp(-t)``."""
        return np.asarray(np.exp(-self._clipped(t)))


@dataclass(frozen=True)
class CloglogLink(ParametricLink):
    """``Psi(t) = 1 - exp(-exp(t))``, the complementary log-log link: slow below, fast above.

    Not antisymmetric. The mirror image ``1 - Psi(-t)`` of `LogLogLink`.

    Examples
    --------
    >>> from semiindex.link import CloglogLink
    >>> CloglogLink().probability([0.0]).round(4)
    array([0.6321])
    """

    kind: ClassVar[str] = "cloglog"

    @property
    def antisymmetric(self) -> bool:
        """False."""
        return False

    def probability(self, t: ArrayLike) -> FloatArray:
        """``Psi(t)``, without cancellation for small probabilities."""
        return np.asarray(-np.expm1(-np.exp(np.minimum(as_floats(t), _LARGEST_EXPONENT))))

    def index(self, p: ArrayLike) -> FloatArray:
        """``log(-log(1 - p))``."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(-np.log1p(-np.clip(as_floats(p), 0.0, 1.0))))

    def log_probability(self, t: ArrayLike) -> FloatArray:
        """That of a loss under the mirror image."""
        return LogLogLink().log_complement(-as_floats(t))

    def log_complement(self, t: ArrayLike) -> FloatArray:
        """``-exp(t)``."""
        return LogLogLink().log_probability(-as_floats(t))

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``t - exp(t)``."""
        return LogLogLink().log_slope(-as_floats(t))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """``exp(t)``."""
        return LogLogLink().reversed_hazard(-as_floats(t))

    def reversed_hazard(self, t: ArrayLike) -> FloatArray:
        """``x / (exp(x) - 1)``, ``x = exp(t)``."""
        return LogLogLink().hazard(-as_floats(t))


_NAMED: Mapping[str, type[ParametricLink]] = {
    link.kind: link for link in (LogisticLink, ProbitLink, CauchitLink, LogLogLink, CloglogLink)
}


def get_link(link: str | Link) -> Link:
    """A link by its name; a link itself is returned as it is.

    Parameters
    ----------
    link : {"logistic", "probit", "cauchit", "loglog", "cloglog"} or Link
        Links with parameters (`LapsedLink`, `ShiftedMixtureLink`) are given as values.

    Returns
    -------
    Link

    Raises
    ------
    InvalidParameterError
        If it is neither a known name nor a link.

    Examples
    --------
    >>> from semiindex.link import get_link
    >>> get_link("probit")
    ProbitLink()
    """
    if isinstance(link, Link):
        return link
    # A caller without a type checker may pass anything, an unhashable list included.
    if str(link) in _NAMED:
        return _NAMED[link]()
    raise InvalidParameterError(f"link must be a Link or one of {sorted(_NAMED)}, got {link!r}")
