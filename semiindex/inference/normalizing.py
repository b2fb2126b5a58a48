"""Derivative of a normalised coefficient vector in the free one: the delta method's matrix.

A normalisation divides by a function c of the coefficients that is homogeneous of degree one,
``c(a theta) = a c(theta)`` for a > 0. Of ``theta / c(theta)`` the derivative is

    J = (I - theta grad_c' / c) / c,        J theta = 0

by Euler's ``grad_c' theta = c``. So the component along theta, which no data determine beside a free
link, has no effect, and any generalised inverse of the information gives the same covariance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semiindex._types import FloatArray
from semiindex.index.normalization import normalize

__all__ = ["coverage_sentence", "normalized", "normalizing_jacobian", "normalizing_position"]


def normalizing_position(rule: str | int | None, feature_names: Sequence[str]) -> int | None:
    """Column whose coefficient the rule fixes, None for the other rules."""
    if rule is None or rule in ("rms", "norm"):
        return None
    return list(feature_names).index(rule) if isinstance(rule, str) else int(rule)


def normalizing_jacobian(
    rule: str | int | None, theta: FloatArray, sigma: FloatArray, feature_names: Sequence[str]
) -> FloatArray:
    """J at coefficients that the rule has been applied to (``c(theta) = 1``).

    Parameters
    ----------
    rule : {"rms", "norm"}, feature name, column number or None
        As in `ProfiledLinkPolicy`; None leaves the coefficients as they are.
    theta : array of shape (k,)
        Normalised coefficients; entries beyond the d features (the shift of a link) are divided with
        them and have no part in c.
    sigma : array of shape (d, d)
        Second moment of the differences, held fixed under "rms".
    feature_names : sequence of str
        Names of the d features.

    Returns
    -------
    array of shape (k, k)
    """
    k, d = theta.size, sigma.shape[0]
    if rule is None:
        return np.eye(k)
    position = normalizing_position(rule, feature_names)
    gradient = np.zeros(k)
    if rule == "rms":
        gradient[:d] = sigma @ theta[:d]
    elif rule == "norm":
        gradient[:d] = theta[:d]
    else:
        gradient[position] = np.sign(theta[position])
    return np.eye(k) - np.outer(theta, gradient) / float(gradient @ theta)


def normalized(
    rule: str | int | None, theta: FloatArray, sigma: FloatArray, feature_names: Sequence[str]
) -> tuple[FloatArray, float]:
    """Coefficients under the rule, and the divisor; sigma is that of the sample of the fit."""
    rms = float(np.sqrt(theta @ sigma @ theta))
    divisor = normalize(rule, theta, rms, feature_names).divisor
    return theta / divisor, divisor


def coverage_sentence(rule: str | int | None, description: str) -> str:
    """What an interval covers, in words."""
    if rule is None:
        return (
            "the coefficients under the assumed link: the true ones if the link is right, else those that "
            "fit best under it"
        )
    if rule == "rms":
        return (
            "the true coefficients divided by the root mean square of the true index over the comparisons "
            "at hand (sample normalisation, conditional on the design)"
        )
    if rule == "norm":
        return "the true coefficients at unit Euclidean norm"
    return f"the true coefficients in units of the one that is held fixed ({description})"
