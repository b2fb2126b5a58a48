"""Finite-sample bound on the angle between the index of a fit and the true one.

It needs neither the link nor the error of the probabilities, so that it falls at the rate of a known
link. The page on finite-sample error derives it.
"""

from __future__ import annotations

import math

from semiindex.diagnostics.pattern_counts import log_central_orderings, require_confidence, union_deviation

__all__ = ["direction_bound", "direction_noise"]


def direction_noise(
    n: float, d: int, *, confidence: float = 0.9, step: int = 0, n_distinct: float | None = None
) -> float:
    r"""How far the noise of the labels goes along with the true index within blocks.

    With probability `confidence` over the labels, the features held fixed, for all directions and
    all steps at once, :eq:`direction-noise`,

        -mean (W t)_i (z_i - g(D_i)) <= a root(mean (W t)_i^2),

    where t is the true index and W takes block means off the comparisons whose fitted index is small
    enough, in blocks of neighbours in the order of the fitted index.

    Parameters
    ----------
    n : float
        Number of comparisons with independent labels.
    d : int
        Number of features of the linear index.
    confidence : float, default=0.9
        ``1 - delta``, for all steps together.
    step : int, default=0
        Number of the threshold for "small enough"; threshold j has the share ``1 / ((j + 1) (j + 2))`` of
        delta.
    n_distinct : float, optional
        Number of different comparisons; `n` by default.

    Returns
    -------
    float
        a, on the scale of probabilities.

    Notes
    -----
    Assumes labels that are independent given the features, and nothing else. The rate is
    ``(log n / n)^(1/2)``.

    References
    ----------
    Hoeffding 1963, and a union over the cells of an arrangement; derived on the page.

    Examples
    --------
    >>> from semiindex.diagnostics import direction_noise
    >>> round(direction_noise(100_000, 5), 3)
    0.022
    """
    require_confidence(confidence)
    points = n if n_distinct is None else n_distinct
    delta = (1 - confidence) / ((step + 1) * (step + 2))
    return float(union_deviation(n, log_central_orderings(points, d), delta))


def direction_bound(
    noise: float,
    *,
    slope: float,
    spread: float,
    moment: float = 0.0,
    index_within: float = 0.0,
    product_within: float = 0.0,
) -> float:
    r"""Bound on the sine of the angle between the index of any fit and the true one.

    With the probability at which `noise` holds, :eq:`angle-bound`,

        sin <= (y + index_within) / spread,  y the larger root of
        slope y^2 = (noise + moment) y + moment index_within + product_within,

    which is ``(noise + moment) / (slope spread)`` but for what the index varies within blocks.

    Parameters
    ----------
    noise : float
        Of :func:`direction_noise`.
    slope : float
        Least slope of the true link, per root mean square of the index, at the comparisons in the blocks.
    spread : float
        Least root mean square, within blocks, of an index of unit root mean square that is orthogonal
        to the fitted one.
    moment : float, default=0.0
        Root mean square of the projection of the labels on the features orthogonal to the index,
        within blocks: what the fit has left of them.
    index_within : float, default=0.0
        Root mean square of the fitted index within blocks.
    product_within : float, default=0.0
        Size of the mean product of fitted index and label within blocks.

    Returns
    -------
    float
        At most 1.

    Notes
    -----
    Assumes, besides, that the truth is a nondecreasing function of a linear index. The fit may
    have come from any criterion, known or unknown link, with or without a penalty.

    Examples
    --------
    >>> from semiindex.diagnostics import direction_bound, direction_noise
    >>> round(direction_bound(direction_noise(1_000_000, 5), slope=0.1, spread=0.7), 2)
    0.11
    """
    if not (slope > 0 and spread > 0):
        return 1.0
    pull = noise + moment
    within = moment * index_within + product_within
    y = (pull + math.sqrt(pull**2 + 4 * slope * within)) / (2 * slope)
    return min((y + index_within) / spread, 1.0)
