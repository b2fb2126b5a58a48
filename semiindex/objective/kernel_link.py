"""The link by kernel regression: what an orthogonal fit rests on, monotone or not."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.link.kernel_regression import FoldedSums, local_linear, prior_label
from semiindex.link.piecewise import PiecewiseLinearLink
from semiindex.objective.fold import fold
from semiindex.objective.smoothing import SmoothingRule, fit_smoothing

__all__ = ["fit_kernel_link"]

#: Points between two knots of the scale at which the regression is evaluated.
_PER_KNOT = 16
#: Number of rows above which the sample is compressed to a grid.
_COMPRESSION_THRESHOLD = 20_000


def fit_kernel_link(
    t: FloatArray, z: FloatArray, weight: FloatArray, rule: SmoothingRule, *, antisymmetric: bool
) -> PiecewiseLinearLink:
    """Local linear regression of the labels on an index, which need not be monotone.

    Parameters
    ----------
    t, z, weight : arrays of shape (n,)
        Index values, labels, frequency weights.
    rule : SmoothingRule
        Kernel and bandwidth.
    antisymmetric : bool
        Fit the doubled sample.

    Returns
    -------
    PiecewiseLinearLink
        The regression at a few hundred points of the sample's range, interpolated between them.
    """
    smoothing, nodes = fit_smoothing(
        rule, t, z, weight, antisymmetric=antisymmetric, threshold=_COMPRESSION_THRESHOLD
    )
    prior = prior_label(z, weight, antisymmetric=antisymmetric)
    folded = fold(t, z, antisymmetric)
    if nodes is None:
        order = np.argsort(folded.t, kind="stable")
        points = smoothing.scale.score(folded.t[order])
        mass, label = weight[order], (weight * (folded.z - 0.5))[order]
    else:
        wins, losses = nodes.grid.compress(folded.t, folded.z, weight).counts
        points, mass, label = nodes.points, wins + losses, (wins - losses) / 2
    knots = _refined(smoothing.scale.knots)
    if antisymmetric:
        knots = knots[knots > 0]
    kernel, bandwidth = smoothing.kernel, smoothing.bandwidth
    sums = FoldedSums(smoothing.scale.score(knots), points, kernel, bandwidth, antisymmetric)
    value, first, second = sums([mass], [label], ("value", "first", "second"))
    fit = local_linear((value[0], first[0], second[0]), (value[1], first[1]), kernel, bandwidth, prior - 0.5)
    centred = np.clip(fit.value, -0.5, 0.5)
    if antisymmetric:
        knots = np.concatenate([-knots[::-1], [0.0], knots])
        centred = np.concatenate([-centred[::-1], [0.0], centred])
    return PiecewiseLinearLink(knots, 0.5 + centred, antisymmetric, monotone=False)


def _refined(knots: FloatArray) -> FloatArray:
    """Equally many points between any two knots."""
    position = np.arange((knots.size - 1) * _PER_KNOT + 1) / _PER_KNOT
    return np.interp(position, np.arange(knots.size), knots)
