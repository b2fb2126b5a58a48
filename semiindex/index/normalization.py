"""Normalisations of the parameters: a free link absorbs the scale of the index.

theta is identified up to a positive factor. Its sign is identified by the monotonicity of the link
and never changed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError

__all__ = ["Normalization", "normalize"]


@dataclass(frozen=True)
class Normalization:
    """A normalisation as applied to a fit.

    Attributes
    ----------
    divisor : float
        Positive number by which the parameters were divided.
    description : str
        The normalisation in words, for tables.
    """

    divisor: float
    description: str


def normalize(
    rule: str | int | None, theta: FloatArray, rms: float, feature_names: Sequence[str]
) -> Normalization:
    """Scale of a parameter vector under a rule; for ``"rms"`` see :eq:`rms`.

    Parameters
    ----------
    rule : {"rms", "norm"}, feature name, column number or None
        Unit root mean square of the index, ``sqrt(sum w t^2 / sum w) = 1`` (not the standard
        deviation, which changes when the options of a row are exchanged); unit Euclidean norm of
        theta; the named coefficient equal to +1 or -1 (its sign is estimated); None leaves the
        scale as the known link fixes it.
    theta : array of shape (d,)
        Parameters.
    rms : float
        Root mean square of the index at theta.
    feature_names : sequence of str
        Names of the parameters.

    Returns
    -------
    Normalization

    Raises
    ------
    InvalidParameterError
        For an unknown rule, or a named coefficient that was estimated to be zero.
    """
    if rule is None:
        return Normalization(1.0, "scale fixed by the link")
    if rule == "rms":
        return Normalization(rms if rms > 0 else 1.0, "unit root mean square of the index")
    if rule == "norm":
        norm = _norm(theta)
        _require_representable(rule, theta, norm)
        return Normalization(norm if norm > 0 else 1.0, "unit Euclidean norm of the coefficients")
    position = _position(rule, feature_names)
    size = abs(float(theta[position]))
    name = feature_names[position]
    if not size > 1e-10 * _norm(theta):
        raise InvalidParameterError(
            f"normalization={rule!r}: the coefficient of {name!r} is zero within rounding, so that "
            "the others cannot be expressed in units of it; choose another feature, 'rms' or 'norm'"
        )
    _require_representable(rule, theta, size)
    sign = "+1" if theta[position] > 0 else "-1"
    return Normalization(size, f"coefficient of {name} = {sign} (sign estimated)")


def _norm(theta: FloatArray) -> float:
    """Euclidean norm without overflow."""
    largest = float(np.abs(theta).max(initial=0.0))
    return largest * float(np.linalg.norm(theta / largest)) if largest > 0 else 0.0


def _require_representable(rule: str | int, theta: FloatArray, divisor: float) -> None:
    """Refuse a scale at which a coefficient leaves the range of floating-point numbers."""
    scaled = np.abs(theta[theta != 0] / divisor) if divisor > 0 else np.ones(1)
    if not (np.isfinite(scaled).all() and (scaled > np.finfo(np.float64).tiny).all()):
        raise InvalidParameterError(
            f"normalization={rule!r}: the units of the features are so far apart that the coefficients leave "
            "the range of floating-point numbers; rescale the features, or use 'rms'"
        )


def _position(rule: str | int, feature_names: Sequence[str]) -> int:
    if isinstance(rule, (int, np.integer)) and not isinstance(rule, bool) and 0 <= rule < len(feature_names):
        return int(rule)
    if isinstance(rule, str) and rule in feature_names:
        return list(feature_names).index(rule)
    raise InvalidParameterError(
        f"normalization must be 'rms', 'norm', the name of a feature or its column number, got {rule!r}; "
        f"the features are {', '.join(feature_names[:10])}{', ...' if len(feature_names) > 10 else ''}"
    )
