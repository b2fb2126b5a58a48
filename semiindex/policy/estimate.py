"""What a learner hands to the base class of the estimators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from semiindex.link.base import Link
from semiindex.optimize.quasi_newton import Minimum

__all__ = ["Estimate", "PooledLinks", "of_features"]


@dataclass(frozen=True)
class PooledLinks:
    """How the links of classes of raters were pooled.

    Attributes
    ----------
    common : Link
        The link that they are shrunk towards, on the scale of the links.
    prior_weight : float
        Number of comparisons that it counts as in every class.
    criterion : {"common", "classes", "strata"}
        What has a link of its own in the criterion of the index: nothing, every class, or the large
        classes and strata of the others.
    """

    common: Link
    prior_weight: float
    criterion: Literal["common", "classes", "strata"]


@dataclass(frozen=True)
class Estimate:
    """What a learner hands to the base class.

    Attributes
    ----------
    minimum : Minimum
        In whitened coordinates.
    links : tuple of Link
        The link, or one per class of raters, for the index at ``minimum.x``.
    notes : tuple of str
        What the learner noticed.
    pooled : PooledLinks or None
        None where every class stands by itself.
    """

    minimum: Minimum
    links: tuple[Link, ...]
    notes: tuple[str, ...] = ()
    pooled: PooledLinks | None = None


def of_features(link: Link, location: float, divisor: float) -> Link:
    """The link of the index as it is reported, from that of the index of a fit.

    Parameters
    ----------
    link : Link
        Of the index minus `location`.
    location : float
        What the index of the fit lacked; see `PreparedSample.location`.
    divisor : float
        By which the parameters are divided.
    """
    link = link if location == 0 else link.shifted(-location)
    return link if divisor == 1 else link.rescaled(divisor)
