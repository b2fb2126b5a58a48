"""A link with lapses: answers that do not depend on the index, and a scale and a shift."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.link.parametric import ParametricLink, as_floats, log_sum

__all__ = ["LapsedLink"]

_LARGEST = float(np.finfo(np.float64).max)


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
        with np.errstate(over="ignore"):  # held finite
            return np.asarray(np.clip(self.scale * as_floats(t) + self.shift, -_LARGEST, _LARGEST))

    def probability(self, t: ArrayLike) -> FloatArray:
        """``Psi(t)``."""
        value = self.lower + self._attention * self.base.probability(self._argument(t))
        return np.asarray(np.minimum(value, 1 - self.upper))

    def index(self, p: ArrayLike) -> FloatArray:
        """The index of the base at the unlapsed probability; infinite outside ``(lower, 1 - upper)``."""
        p = as_floats(p)
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
        mixed = log_sum(math.log(lapse), attentive) if lapse > 0 else attentive
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

    def shifted(self, offset: float) -> LapsedLink:
        """The same with the shift, which is on the scale of the base, moved by ``scale * offset``."""
        return replace(self, shift=self.shift + self.scale * offset)
