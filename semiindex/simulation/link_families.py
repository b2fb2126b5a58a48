"""Links that studies of misspecification need, in families from the logistic link to far away from it.

Severity 0 is the logistic link up to scale, in every family, and severity 1 the far end:

===================  ==================================================================  =============
family               link at severity s                                                  antisymmetric
===================  ==================================================================  =============
``probit``           ``(1 - s) G + s Phi``                                               yes
``cauchit``          ``(1 - s) G + s Cauchy``                                            yes
``loglog``           ``(1 - s) G + s exp(-exp(-u))``                                     if s = 0
``cloglog``          ``(1 - s) G + s (1 - exp(-exp(u)))``                                if s = 0
``shifted_mixture``  ``G((u - 1.5 s) / .25) / 2 + G((u + 1.5 s) / .25) / 2``             yes
``flips``            ``.2 s + (1 - .4 s) G``; the same as symmetric lapses, ``.4 s``     yes
``lapses``           ``.03 s + (1 - .28 s) G(2.5 u - .4 s)``                             if s = 0
``position``         ``G(u + s log 1.5)``: option 1 in 3 of 5 equal pairs at s = 1         if s = 0
``rater_scales``     ``G(4^s u) / 2 + G(u / 4^s) / 2``                                   yes
===================  ==================================================================  =============

G is the logistic function of u; the second link of a weighted sum has the slope of G at 0, 1/4. The
scale of the index is another matter: a study brings every truth to one signal strength, see
`scaled_to_strength`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from semiindex.exceptions import InvalidParameterError
from semiindex.link import (
    CauchitLink,
    CloglogLink,
    LapsedLink,
    LogisticLink,
    LogLogLink,
    ParametricLink,
    ProbitLink,
    ShiftedMixtureLink,
)
from semiindex.simulation.mixture_link import MixtureLink

__all__ = ["LINK_FAMILIES", "LinkFamily", "link_at_severity"]


@dataclass(frozen=True)
class LinkFamily:
    """Links from the logistic one (severity 0) to one far from it (severity 1).

    Parameters
    ----------
    name : str
        Name of the family.
    at : callable
        From a severity in [0, 1] to a ParametricLink.
    description : str
        What the severity does, for tables and pictures.
    """

    name: str
    at: Callable[[float], ParametricLink]
    description: str


def link_at_severity(family: str | LinkFamily, severity: float) -> ParametricLink:
    """The link of a family at a severity.

    Parameters
    ----------
    family : str or LinkFamily
        One of `LINK_FAMILIES` by its name, or a family of your own.
    severity : float
        0 is the logistic link up to scale, 1 the far end.

    Returns
    -------
    ParametricLink

    Raises
    ------
    InvalidParameterError
        If the family is unknown or the severity outside [0, 1].

    Examples
    --------
    >>> from semiindex.simulation import link_at_severity
    >>> link_at_severity("flips", 1.0).probability([-1000.0, 0.0, 1000.0])
    array([0.2, 0.5, 0.8])
    >>> link_at_severity("cauchit", 0.0)
    LogisticLink()
    """
    if isinstance(family, str):
        if family not in LINK_FAMILIES:
            raise InvalidParameterError(f"link family must be one of {sorted(LINK_FAMILIES)}, got {family!r}")
        family = LINK_FAMILIES[family]
    if not 0 <= severity <= 1:
        raise InvalidParameterError(f"severity must be in [0, 1], got {severity}")
    return family.at(float(severity))


@dataclass(frozen=True)
class _Towards:
    """Mixture of the logistic link and another of the same slope at 0; picklable, unlike a lambda."""

    target: ParametricLink

    def __call__(self, severity: float) -> ParametricLink:
        target = self.target.rescaled(0.25 / float(self.target.slope(np.zeros(1))[0]))
        if severity == 0:
            return LogisticLink()
        return target if severity == 1 else MixtureLink((LogisticLink(), target), (1 - severity, severity))


def _shifted_mixture(severity: float) -> ParametricLink:
    return ShiftedMixtureLink(shift=1.5 * severity, scale=0.25)


def _flips(severity: float) -> ParametricLink:
    return LapsedLink(LogisticLink(), lower=0.2 * severity, upper=0.2 * severity)


def _lapses(severity: float) -> ParametricLink:
    return LapsedLink(
        LogisticLink(), lower=0.03 * severity, upper=0.25 * severity, scale=2.5, shift=-0.4 * severity
    )


def _position(severity: float) -> ParametricLink:
    return LapsedLink(LogisticLink(), shift=math.log(1.5) * severity)


def _rater_scales(severity: float) -> ParametricLink:
    if severity == 0:
        return LogisticLink()
    ratio = 4.0**severity
    return MixtureLink((LogisticLink().rescaled(ratio), LogisticLink().rescaled(1 / ratio)), (0.5, 0.5))


_FAMILIES = (
    LinkFamily("probit", _Towards(ProbitLink()), "share of the normal link"),
    LinkFamily("cauchit", _Towards(CauchitLink()), "share of the Cauchy link"),
    LinkFamily("loglog", _Towards(LogLogLink()), "share of the log-log link"),
    LinkFamily("cloglog", _Towards(CloglogLink()), "share of the complementary log-log link"),
    LinkFamily("shifted_mixture", _shifted_mixture, "distance of the two halves, 1.5 at severity 1"),
    LinkFamily("flips", _flips, "rate of flipped labels, .2 at severity 1"),
    LinkFamily("lapses", _lapses, "asymmetric lapses, .03 below and .25 above at severity 1"),
    LinkFamily("position", _position, "log-odds of option 1 among equal options, log 1.5 at severity 1"),
    LinkFamily("rater_scales", _rater_scales, "ratio of the scales of two kinds of raters, 16 at severity 1"),
)

#: The families by name.
LINK_FAMILIES: Mapping[str, LinkFamily] = MappingProxyType({family.name: family for family in _FAMILIES})
