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
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erfcx, expit, exprel, log_expit, log_ndtr, logit, ndtr, ndtri

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.link.base import Link, link_from_dict

__all__ = [
    "CauchitLink",
    "CloglogLink",
    "LapsedLink",
    "LogLogLink",
    "LogisticLink",
    "ParametricLink",
    "ProbitLink",
    "ShiftedMixtureLink",
    "get_link",
]

_LARGEST = float(np.finfo(np.float64).max)
#: Half the square of this is a finite number.
_LARGEST_SQUARABLE = 1e150
#: The exponential of this is a finite number, with room for a factor of 1e4.
_LARGEST_EXPONENT = 700.0


def _floats(values: ArrayLike) -> FloatArray:
    return np.asarray(values, dtype=np.float64)


def _log_sum(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """``log(exp(a) + exp(b))``; NaN is passed on without numpy's warning."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.logaddexp(a, b))


def _affine(t: ArrayLike, scale: float, shift: float) -> FloatArray:
    """``scale * t + shift``, held finite."""
    with np.errstate(over="ignore"):
        return np.asarray(np.clip(scale * _floats(t) + shift, -_LARGEST, _LARGEST))


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
        return self if factor == 1 else LapsedLink(self, scale=factor)

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


class _AntisymmetricLink(ParametricLink):
    """``Psi(-t) = 1 - Psi(t)``: what holds for a loss at t holds for a win at -t."""

    @property
    def antisymmetric(self) -> bool:
        """True for every value of the parameters."""
        return True

    def log_complement(self, t: ArrayLike) -> FloatArray:
        """``log(1 - Psi(t)) = log Psi(-t)``."""
        return self.log_probability(-_floats(t))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """``Psi'(t) / (1 - Psi(t))``, the reversed hazard at -t."""
        return self.reversed_hazard(-_floats(t))


@dataclass(frozen=True)
class LogisticLink(_AntisymmetricLink):
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
        return np.asarray(expit(_floats(t)))

    def slope(self, t: ArrayLike) -> FloatArray:
        """``Psi(t) Psi(-t)``."""
        t = _floats(t)
        return np.asarray(expit(t) * expit(-t))

    def index(self, p: ArrayLike) -> FloatArray:
        """``log(p / (1 - p))``."""
        return np.asarray(logit(np.clip(_floats(p), 0.0, 1.0)))

    def log_probability(self, t: ArrayLike) -> FloatArray:
        """``-log(1 + exp(-t))``."""
        return np.asarray(log_expit(_floats(t)))

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``log Psi(t) + log Psi(-t)``."""
        t = _floats(t)
        return np.asarray(log_expit(t) + log_expit(-t))

    def reversed_hazard(self, t: ArrayLike) -> FloatArray:
        """``Psi(-t)``."""
        return np.asarray(expit(-_floats(t)))


@dataclass(frozen=True)
class ProbitLink(_AntisymmetricLink):
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
        return np.asarray(ndtr(_floats(t)))

    def index(self, p: ArrayLike) -> FloatArray:
        """The normal quantile of p."""
        return np.asarray(ndtri(np.clip(_floats(p), 0.0, 1.0)))

    def log_probability(self, t: ArrayLike) -> FloatArray:
        """``log Psi(t)``."""
        return np.asarray(log_ndtr(np.clip(_floats(t), -_LARGEST_SQUARABLE, _LARGEST_SQUARABLE)))

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``-t**2 / 2 - log(2 pi) / 2``."""
        t = np.clip(_floats(t), -_LARGEST_SQUARABLE, _LARGEST_SQUARABLE)
        return np.asarray(-(t**2) / 2 - math.log(2 * math.pi) / 2)

    def reversed_hazard(self, t: ArrayLike) -> FloatArray:
        """The inverse Mills ratio, ``sqrt(2 / pi) / erfcx(-t / sqrt(2))``; it is -t far below."""
        t = _floats(t)
        ratio = math.sqrt(2 / math.pi) / erfcx(-np.maximum(t, -1e9) / math.sqrt(2))
        return np.where(t < -1e9, -t, ratio)


@dataclass(frozen=True)
class CauchitLink(_AntisymmetricLink):
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
        return np.asarray(np.arctan2(1.0, -_floats(t)) / math.pi)

    def index(self, p: ArrayLike) -> FloatArray:
        """``tan(pi (p - 1/2))``, as a cotangent in the tails."""
        p = np.clip(_floats(p), 0.0, 1.0)
        tail = np.minimum(p, 1 - p)
        with np.errstate(divide="ignore"):
            size = np.where(tail > 0.25, np.tan(math.pi * (0.5 - tail)), 1 / np.tan(math.pi * tail))
        return np.asarray(np.where(p < 0.5, -size, size))

    def log_probability(self, t: ArrayLike) -> FloatArray:
        """``log Psi(t)``, through the complement where t > 0."""
        t = _floats(t)
        tail = np.arctan2(1.0, np.abs(t)) / math.pi
        with np.errstate(divide="ignore"):
            return np.where(t > 0, np.log1p(-tail), np.log(tail))

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``-log(pi (1 + t**2))``."""
        return np.asarray(-math.log(math.pi) - 2 * np.log(np.hypot(1.0, _floats(t))))


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
        return np.maximum(_floats(t), -_LARGEST_EXPONENT)

    def probability(self, t: ArrayLike) -> FloatArray:
        """``Psi(t)``."""
        return np.asarray(np.exp(-np.exp(-self._clipped(t))))

    def index(self, p: ArrayLike) -> FloatArray:
        """``-log(-log p)``."""
        with np.errstate(divide="ignore"):
            return np.asarray(-np.log(-np.log(np.clip(_floats(p), 0.0, 1.0))))

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
        return np.asarray(-np.expm1(-np.exp(np.minimum(_floats(t), _LARGEST_EXPONENT))))

    def index(self, p: ArrayLike) -> FloatArray:
        """``log(-log(1 - p))``."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(-np.log1p(-np.clip(_floats(p), 0.0, 1.0))))

    def log_probability(self, t: ArrayLike) -> FloatArray:
        """That of a loss under the mirror image."""
        return LogLogLink().log_complement(-_floats(t))

    def log_complement(self, t: ArrayLike) -> FloatArray:
        """``-exp(t)``."""
        return LogLogLink().log_probability(-_floats(t))

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``t - exp(t)``."""
        return LogLogLink().log_slope(-_floats(t))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """``exp(t)``."""
        return LogLogLink().reversed_hazard(-_floats(t))

    def reversed_hazard(self, t: ArrayLike) -> FloatArray:
        """``x / (exp(x) - 1)``, ``x = exp(t)``."""
        return LogLogLink().hazard(-_floats(t))


@dataclass(frozen=True)
class LapsedLink(ParametricLink):
    """A link with lapses, scaled and shifted: ``lower + (1 - lower - upper) base(scale t + shift)``.

    With probability `lower` option 1 and with probability `upper` option 0 is reported whatever the
    index. Random flips of the label at rate e are equal lapses, ``lower = upper = e``. A shift is a
    preference for a position.

    Parameters
    ----------
    base : ParametricLink
        Link of the answers given with attention.
    lower : float, default=0.0
        Probability of option 1 as the index falls; no lapses by default.
    upper : float, default=0.0
        Probability of option 0 as the index rises. ``lower + upper < 1``.
    scale : float, default=1.0
        Positive factor of the index.
    shift : float, default=0.0
        Added to the scaled index.

    Raises
    ------
    InvalidParameterError
        If `base` is not a parametric link or a number is out of its range.

    Examples
    --------
    >>> from semiindex.link import LapsedLink, LogisticLink
    >>> flips = LapsedLink(LogisticLink(), lower=0.2, upper=0.2, scale=3.0)
    >>> flips.probability([-100.0, 0.0, 100.0])
    array([0.2, 0.5, 0.8])
    >>> flips.antisymmetric
    True
    """

    base: ParametricLink
    lower: float = 0.0
    upper: float = 0.0
    scale: float = 1.0
    shift: float = 0.0

    kind: ClassVar[str] = "lapsed"

    def __post_init__(self) -> None:
        if not isinstance(self.base, ParametricLink):
            raise InvalidParameterError(f"base must be a parametric link, got {self.base!r}")
        for name in ("lower", "upper", "scale", "shift"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not (self.lower >= 0 and self.upper >= 0 and self.lower + self.upper < 1):
            raise InvalidParameterError(
                "lower and upper are probabilities of a lapse: they must be >= 0 and sum to less than 1, "
                f"got {self.lower} and {self.upper}"
            )
        if not (0 < self.scale < math.inf):
            raise InvalidParameterError(f"scale must be positive and finite, got {self.scale}")
        if not math.isfinite(self.shift):
            raise InvalidParameterError(f"shift must be finite, got {self.shift}")

    @property
    def antisymmetric(self) -> bool:
        """True if the base is, both lapses are equal and nothing is shifted."""
        return self.base.antisymmetric and self.lower == self.upper and self.shift == 0

    @property
    def _attention(self) -> float:
        return 1 - self.lower - self.upper

    def _argument(self, t: ArrayLike) -> FloatArray:
        return _affine(t, self.scale, self.shift)

    def probability(self, t: ArrayLike) -> FloatArray:
        """``Psi(t)``."""
        value = self.lower + self._attention * self.base.probability(self._argument(t))
        return np.asarray(np.minimum(value, 1 - self.upper))

    def index(self, p: ArrayLike) -> FloatArray:
        """The index of the base at the unlapsed probability; infinite outside ``(lower, 1 - upper)``."""
        p = _floats(p)
        inner = (self.base.index((p - self.lower) / self._attention) - self.shift) / self.scale
        return np.where(p <= self.lower, -np.inf, np.where(p >= 1 - self.upper, np.inf, inner))

    def log_probability(self, t: ArrayLike) -> FloatArray:
        """``log(lower + (1 - lower - upper) base)``."""
        return self._mixed(self.lower, self.base.log_probability(self._argument(t)))

    def log_complement(self, t: ArrayLike) -> FloatArray:
        """``log(upper + (1 - lower - upper) (1 - base))``."""
        return self._mixed(self.upper, self.base.log_complement(self._argument(t)))

    def _mixed(self, lapse: float, log_value: FloatArray) -> FloatArray:
        attentive = math.log(self._attention) + log_value
        mixed = _log_sum(math.log(lapse), attentive) if lapse > 0 else attentive
        return np.asarray(np.minimum(mixed, 0.0))

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``log((1 - lower - upper) scale base')``."""
        constant = math.log(self._attention) + math.log(self.scale)
        return np.asarray(constant + self.base.log_slope(self._argument(t)))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """The base's, scaled; damped by the upper lapse."""
        argument = self._argument(t)
        return self._damped(self.base.hazard(argument), self.upper, self.base.log_complement(argument))

    def reversed_hazard(self, t: ArrayLike) -> FloatArray:
        """The base's, scaled; damped by the lower lapse."""
        argument = self._argument(t)
        rate = self.base.reversed_hazard(argument)
        return self._damped(rate, self.lower, self.base.log_probability(argument))

    def _damped(self, rate: FloatArray, lapse: float, log_value: FloatArray) -> FloatArray:
        """``scale * rate * a v / (lapse + a v)``, v the value whose logarithm is given, a the attention."""
        if lapse > 0:
            rate = rate * expit(math.log(self._attention / lapse) + log_value)
        with np.errstate(over="ignore"):
            return np.asarray(np.minimum(self.scale * rate, _LARGEST))

    def rescaled(self, factor: float) -> LapsedLink:
        """The same with the scale multiplied by `factor`."""
        return replace(self, scale=self.scale * factor)


@dataclass(frozen=True)
class ShiftedMixtureLink(_AntisymmetricLink):
    """Half of the answers by a logistic link shifted up, half by one shifted down.

    ``Psi(t) = 1/2 G((t - shift) / scale) + 1/2 G((t + shift) / scale)``, G logistic: two kinds of
    people, each with a preference for one position. For a small scale it is nearly a staircase with
    a flat part at 1/2, as far from the logistic link as an antisymmetric one gets.

    Parameters
    ----------
    shift : float
        Distance of either half from the centre, >= 0.
    scale : float
        Width of either half, > 0.

    Raises
    ------
    InvalidParameterError
        If a number is out of its range.

    Notes
    -----
    With ``L = logit(p)`` the equation ``Psi(t) = p`` is quadratic in ``exp(t / scale)``, hence
    ``t = scale (L/2 + asinh(cosh(shift / scale) sinh(L/2)))``.

    Examples
    --------
    >>> from semiindex.link import ShiftedMixtureLink
    >>> link = ShiftedMixtureLink(shift=1.5, scale=0.25)
    >>> link.probability([-1.5, 0.0, 1.5]).round(3)
    array([0.25, 0.5 , 0.75])
    """

    shift: float
    scale: float

    kind: ClassVar[str] = "shifted_mixture"

    def __post_init__(self) -> None:
        for name in ("shift", "scale"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not (0 <= self.shift < math.inf):
            raise InvalidParameterError(f"shift must be finite and >= 0, got {self.shift}")
        if not (0 < self.scale < math.inf):
            raise InvalidParameterError(f"scale must be positive and finite, got {self.scale}")

    def _arguments(self, t: ArrayLike) -> tuple[FloatArray, FloatArray]:
        t = _floats(t)
        with np.errstate(over="ignore"):
            return (
                np.clip((t - self.shift) / self.scale, -_LARGEST, _LARGEST),
                np.clip((t + self.shift) / self.scale, -_LARGEST, _LARGEST),
            )

    def probability(self, t: ArrayLike) -> FloatArray:
        """``Psi(t)``."""
        left, right = self._arguments(t)
        return np.asarray(0.5 * expit(left) + 0.5 * expit(right))

    def index(self, p: ArrayLike) -> FloatArray:
        """The closed form of the notes, with products of hyperbolic functions kept as logarithms."""
        half = logit(np.clip(_floats(p), 0.0, 1.0)) / 2
        ratio = self.shift / self.scale
        log_cosh = ratio + math.log1p(math.exp(-2 * ratio)) - math.log(2)
        size = np.abs(half)
        with np.errstate(divide="ignore"):
            log_product = log_cosh + size + np.log(-np.expm1(-2 * size)) - math.log(2)
        # asinh(exp(x)) is x + log 2 to machine precision where x > 20.
        inverse = np.where(
            log_product > 20, log_product + math.log(2), np.arcsinh(np.exp(np.minimum(log_product, 20)))
        )
        return np.asarray(self.scale * (half + np.copysign(inverse, half)))

    def log_probability(self, t: ArrayLike) -> FloatArray:
        """``log Psi(t)``."""
        left, right = self._arguments(t)
        return np.asarray(np.minimum(_log_sum(log_expit(left), log_expit(right)) - math.log(2), 0.0))

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``log Psi'(t)``."""
        left, right = self._arguments(t)
        slopes = _log_sum(log_expit(left) + log_expit(-left), log_expit(right) + log_expit(-right))
        return np.asarray(slopes - math.log(2) - math.log(self.scale))

    def reversed_hazard(self, t: ArrayLike) -> FloatArray:
        """Mean of ``G(-x) / scale`` over the two halves x, weighted by their probabilities."""
        left, right = self._arguments(t)
        share = expit(log_expit(left) - log_expit(right))
        return np.asarray((share * expit(-left) + (1 - share) * expit(-right)) / self.scale)


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
