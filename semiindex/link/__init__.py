"""Links: frozen maps from the index of a comparison to the probability that option 1 is preferred."""

from semiindex.link.base import Link, link_from_dict
from semiindex.link.isotonic import IsotonicFit, fit_isotonic, isotonic_fit, probability_bound
from semiindex.link.lapsed import LapsedLink
from semiindex.link.mixture import AverageLink
from semiindex.link.monotone_spline import MonotoneSpline
from semiindex.link.parametric import (
    CauchitLink,
    CloglogLink,
    LogisticLink,
    LogLogLink,
    ParametricLink,
    ProbitLink,
    get_link,
)
from semiindex.link.piecewise import PiecewiseLinearLink
from semiindex.link.recalibrated import RecalibratedLink
from semiindex.link.shape import ShapeConstrainedLink, fit_isotonic_program
from semiindex.link.shifted_mixture import ShiftedMixtureLink
from semiindex.link.spline import SplineLink

__all__ = [
    "AverageLink",
    "CauchitLink",
    "CloglogLink",
    "IsotonicFit",
    "LapsedLink",
    "Link",
    "LogLogLink",
    "LogisticLink",
    "MonotoneSpline",
    "ParametricLink",
    "PiecewiseLinearLink",
    "ProbitLink",
    "RecalibratedLink",
    "ShapeConstrainedLink",
    "ShiftedMixtureLink",
    "SplineLink",
    "fit_isotonic",
    "fit_isotonic_program",
    "get_link",
    "isotonic_fit",
    "link_from_dict",
    "probability_bound",
]
