"""Score functions of a truth: what an option is worth, up to a constant per context."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError

__all__ = ["AlternatingScore", "LinearScore", "Score", "as_score", "linear_coefficients"]


@runtime_checkable
class Score(Protocol):
    """Any callable from options to scores; see `LinearScore` for one that states its coefficients."""

    def __call__(self, options: FloatArray, /) -> FloatArray:
        """Scores of shape ``options.shape[:-1]``; the last axis of `options` holds the features."""
        ...


class _Linear(ABC):
    """``h(option) = option' theta``."""

    @abstractmethod
    def coefficients(self, n_features: int) -> FloatArray:
        """``theta`` for options of `n_features` features, shape (n_features,)."""

    def __call__(self, options: FloatArray) -> FloatArray:
        return np.asarray(options @ self.coefficients(options.shape[-1]))


@dataclass(frozen=True)
class LinearScore(_Linear):
    """Linear score with stated coefficients.

    Parameters
    ----------
    theta : sequence of float
        One coefficient per feature.

    Raises
    ------
    InvalidParameterError
        If the coefficients are not finite numbers, or are all zero.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import LinearScore
    >>> LinearScore((1.0, -2.0))(np.array([[3.0, 1.0], [0.0, 1.0]]))
    array([ 1., -2.])
    """

    theta: tuple[float, ...]

    def __post_init__(self) -> None:
        values = np.asarray(self.theta, dtype=np.float64)
        if values.ndim != 1 or not np.isfinite(values).all() or not values.any():
            raise InvalidParameterError(
                f"theta must be finite numbers, one per feature and not all zero, got {self.theta!r}"
            )
        object.__setattr__(self, "theta", tuple(values.tolist()))

    def coefficients(self, n_features: int) -> FloatArray:
        """``theta``; refused for another number of features."""
        if n_features != len(self.theta):
            raise InvalidParameterError(
                f"the score has {len(self.theta)} coefficients, but the design has {n_features} features; "
                "state one coefficient per feature, or use AlternatingScore(), which fits any number"
            )
        return np.array(self.theta)


@dataclass(frozen=True)
class AlternatingScore(_Linear):
    """Linear score for any number of features: ``theta_j = (-1)^j / (1 + j mod period)``.

    Signs alternate, so that a common tendency of the features does not pass for skill, and sizes
    differ by a factor of `period`, so that small coefficients are there to be missed.

    Parameters
    ----------
    period : int, default=5
        Number of sizes.

    Raises
    ------
    InvalidParameterError
        If `period` is not an integer of at least 1.

    Examples
    --------
    >>> from semiindex.simulation import AlternatingScore
    >>> AlternatingScore().coefficients(3).round(3)
    array([ 1.   , -0.5  ,  0.333])
    """

    period: int = 5

    def __post_init__(self) -> None:
        if int(self.period) != self.period or self.period < 1:
            raise InvalidParameterError(f"period must be an integer of at least 1, got {self.period!r}")

    def coefficients(self, n_features: int) -> FloatArray:
        """``theta`` of `n_features` entries."""
        j = np.arange(n_features)
        return np.asarray((-1.0) ** j / (1 + j % self.period))


def as_score(score: Score | ArrayLike | None) -> Score:
    """A score function: coefficients become a `LinearScore`, None the `AlternatingScore`."""
    if score is None:
        return AlternatingScore()
    if callable(score):
        return score
    try:
        theta = tuple(np.asarray(score, dtype=np.float64).ravel().tolist())
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(
            f"score must be coefficients or a function of options, got {score!r}"
        ) from error
    return LinearScore(theta)


def linear_coefficients(score: Score, n_features: int) -> FloatArray | None:
    """Coefficients of a linear score; None where the score is no linear function of the features."""
    theta = score.coefficients(n_features) if isinstance(score, _Linear) else None
    return None if theta is None or not math.isfinite(float(theta.sum())) else theta
