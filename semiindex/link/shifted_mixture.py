"""The staircase: two kinds of people, each with a preference for one position."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit, logit

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.link.parametric import AntisymmetricLink, as_floats, log_sum

__all__ = ["ShiftedMixtureLink"]

_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class ShiftedMixtureLink(AntisymmetricLink):
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
        t = as_floats(t)
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
        half = logit(np.clip(as_floats(p), 0.0, 1.0)) / 2
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
        return np.asarray(np.minimum(log_sum(log_expit(left), log_expit(right)) - math.log(2), 0.0))

    def log_slope(self, t: ArrayLike) -> FloatArray:
        """``log Psi'(t)``."""
        left, right = self._arguments(t)
        slopes = log_sum(log_expit(left) + log_expit(-left), log_expit(right) + log_expit(-right))
        return np.asarray(slopes - math.log(2) - math.log(self.scale))

    def reversed_hazard(self, t: ArrayLike) -> FloatArray:
        """Mean of ``G(-x) / scale`` over the two halves x, weighted by their probabilities."""
        left, right = self._arguments(t)
        share = expit(log_expit(left) - log_expit(right))
        return np.asarray((share * expit(-left) + (1 - share) * expit(-right)) / self.scale)
