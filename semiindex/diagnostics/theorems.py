"""Finite-sample bounds, one function per theorem; the page on finite-sample error derives each.

Every function takes numbers and returns a number, so that a bound can be read off for any sample
size before there is a sample. What holds, and for whom, is in the docstrings: a bound is about the
minimiser of a criterion, and `gap` says how far above the minimum a fit may be.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from semiindex.diagnostics.pattern_counts import (
    log_binomial,
    log_half_space_patterns,
    log_monotone_sequences,
    log_orderings,
    require_confidence,
    require_counts,
    union_deviation,
)
from semiindex.exceptions import InvalidParameterError

__all__ = [
    "TRIVIAL_PREFERENCE_ERROR",
    "in_sample_profile_bound",
    "informative_from",
    "lipschitz_link_bound",
    "profile_bound",
    "ranking_bound",
]

#: Squared preference error that predicting 1/2 everywhere never exceeds.
TRIVIAL_PREFERENCE_ERROR = 0.25
#: Doublings of the grid of probabilities tried for the coarsest level of the chain.
_COARSEST = 40


def profile_bound(
    n: float, d: int, *, confidence: float = 0.9, gap: float = 0.0, n_anchors: int = 0
) -> float:
    r"""Bound on the squared preference error of a profiled least-squares fit, for new comparisons.

    With probability `confidence`, :eq:`profile-bound`,

        E (g_hat(D) - g(D))^2 <= 4 R + sqrt(2 log(1 / delta) / n) + gap,

    R at most ``sqrt(log N / (2 n))``, N the number of ways in which half-spaces split n points.

    Parameters
    ----------
    n : float
        Number of independent comparisons.
    d : int
        Number of features of the linear index.
    confidence : float, default=0.9
        ``1 - delta``.
    gap : float, default=0.0
        Mean squared training error of the fit minus the least one over all indices and monotone links.
    n_anchors : int, default=0
        Number of options of the sample from which the features were made, as the Nystroem features of a
        kernel are; 0 for features that do not depend on the sample. The comparisons that contain them are
        given up, and every choice of them counts as a class of its own, :eq:`anchored-bound`.

    Returns
    -------
    float
        On the scale of squared probabilities; predicting 1/2 everywhere has at most 1/4.

    Notes
    -----
    Assumes independent comparisons from one population, and that the truth is a nondecreasing function
    of a linear index. Nothing is assumed of the link's slope or of the features. The rate is
    ``n^(-1/2)``, slower than that of the error itself.

    References
    ----------
    Bartlett & Mendelson 2002 (Rademacher averages); Cover 1965 (half-spaces); the constants are derived
    on the page.

    Examples
    --------
    >>> from semiindex.diagnostics import profile_bound
    >>> round(profile_bound(100_000, 5), 3)
    0.072
    """
    _require(n, d, confidence, gap)
    rest, choices = n - n_anchors, _log_choices(n, n_anchors)
    if rest < 1:
        return math.inf
    complexity = math.sqrt(log_half_space_patterns(rest, d + 1) / (2 * rest))
    tail = math.sqrt(2 * (choices - math.log(1 - confidence)) / rest)
    return 4 * complexity + tail + (n * gap + n_anchors) / rest


def in_sample_profile_bound(
    n: float, d: int, *, confidence: float = 0.9, gap: float = 0.0, n_distinct: float | None = None
) -> float:
    r"""Bound on the squared preference error of a profiled least-squares fit, at its own comparisons.

    With probability `confidence` over the labels, the features held fixed, :eq:`in-sample-bound`,

        mean (g_hat(D_i) - g(D_i))^2 <= (a + sqrt(a^2 + a / m + 2 C + gap))^2,

    m the best level of a chain of roundings of the fit, a and C the deviations at level m and below.

    Parameters
    ----------
    n : float
        Number of comparisons with independent labels.
    d : int
        Number of features of the linear index.
    confidence : float, default=0.9
        ``1 - delta``.
    gap : float, default=0.0
        Mean squared training error of the fit minus the least one over all indices and monotone links.
    n_distinct : float, optional
        Number of different comparisons; `n` by default.

    Returns
    -------
    float
        On the scale of squared probabilities.

    Notes
    -----
    Assumes labels that are independent given the features, and that the truth is a nondecreasing
    function of a linear index. The rate is ``(log n / n)^(2/3)``, that of the isotonic link.

    References
    ----------
    Van de Geer 2000 (chaining for least squares); Cover 1965 (cells of an arrangement); the constants
    are derived on the page.

    Examples
    --------
    >>> from semiindex.diagnostics import in_sample_profile_bound
    >>> round(in_sample_profile_bound(100_000, 5), 3)
    0.014
    """
    _require(n, d, confidence, gap)
    delta = 1 - confidence
    points = n if n_distinct is None else n_distinct
    orders = log_orderings(points, d)
    depth = max(math.ceil(math.log2(n)), 1)
    starts = min(_COARSEST, depth)
    sizes = 2.0 ** np.arange(1, starts + depth + 1)
    counts = orders + log_monotone_sequences(points, sizes)
    shares = delta / 2.0 ** np.arange(2, depth + 2)
    levels = []
    for k in range(starts):
        steps = union_deviation(n, counts[k + 1 : k + 1 + depth], shares) / (4 * sizes[k : k + depth])
        fine = float(np.sum(steps)) + 1 / (2 * sizes[k] * 2.0**depth)
        coarse = float(union_deviation(n, counts[k], delta / 2))
        levels.append((coarse, coarse / sizes[k] + 2 * fine))
    # The level that is best without a gap: the gap comes from the labels, which may not choose.
    coarse, rest = min(levels, key=lambda level: _chained(level[0], level[1], 0.0))
    return _chained(coarse, rest, gap)


def ranking_bound(
    n: float,
    d: int,
    *,
    confidence: float = 0.9,
    gap: float = 0.0,
    antisymmetric: bool = True,
    n_anchors: int = 0,
) -> float:
    r"""Bound on the excess ranking risk of an index that minimises the share of misordered pairs.

    With probability `confidence`, :eq:`ranking-bound`,

        R(theta_hat) - R(theta_0) <= 2 R_N + (1 + sqrt 2) sqrt(log(2 / delta) / n) + gap,

    R the probability that the index misorders two comparisons, N = n / 2 rounded down.

    Parameters
    ----------
    n : float
        Number of independent comparisons.
    d : int
        Number of features of the linear index.
    confidence : float, default=0.9
        ``1 - delta``.
    gap : float, default=0.0
        Share of misordered pairs in the sample minus the least one over all indices.
    antisymmetric : bool, default=True
        Whether the doubled sample is ranked, so that the risk is one minus the area under the ROC curve;
        otherwise pairs of equal labels count as ordered.
    n_anchors : int, default=0
        As in :func:`profile_bound`.

    Returns
    -------
    float
        On the scale of the ranking risk, at most 1; a fit never exceeds 1/2 by much.

    Notes
    -----
    Assumes independent comparisons from one population, and that the truth is a nondecreasing function
    of a linear index.

    References
    ----------
    Clemencon, Lugosi & Vayatis 2008, section 3; Hoeffding 1963 (blocks of a U-statistic).

    Examples
    --------
    >>> from semiindex.diagnostics import ranking_bound
    >>> round(ranking_bound(100_000, 5), 3)
    0.054
    """
    _require(n, d, confidence, gap)
    rest, choices = n - n_anchors, _log_choices(n, n_anchors)
    if rest < 2:
        return math.inf
    blocks = math.floor(rest / 2)
    share = 1.0 if antisymmetric else 0.5  # of pairs that are counted at all
    complexity = math.sqrt(share * log_half_space_patterns(blocks, d) / (2 * blocks))
    tail = choices + math.log(2 / (1 - confidence))
    noise = math.sqrt(2 * tail / rest) + math.sqrt(tail / (2 * blocks))
    pairs = rest * (rest - 1)  # the criterion also counts a comparison with itself, and with the anchors
    return 2 * complexity + noise + (n**2 * gap + n**2 - pairs) / pairs


def lipschitz_link_bound(
    n: float, index_range: float, *, slope: float = 0.25, confidence: float = 0.9, gap: float = 0.0
) -> float:
    r"""Bound on the squared preference error in a rich class with a slope-bounded link.

    For indices ``h(x1) - h(x0)`` in a ball of a reproducing kernel Hilbert space and antisymmetric
    links of slope at most L, with probability `confidence`, :eq:`lipschitz-bound`,

        E (g_hat - g)^2 <= 4 R + sqrt(2 log(1 / delta) / n) + gap,
        R <= L B / sqrt n + 3/2 (L B log 2 / (2 n))^(1/3) + sqrt(log 2 / (2 n)).

    Parameters
    ----------
    n : float
        Number of independent comparisons.
    index_range : float
        B, the largest index that a member of the ball has on any comparison: its radius times the
        largest norm of a comparison's features.
    slope : float, default=0.25
        L; the default is that of the logistic function, the bound of penalised fits here.
    confidence : float, default=0.9
        ``1 - delta``.
    gap : float, default=0.0
        Mean squared training error of the fit minus the least one over the ball.

    Returns
    -------
    float
        On the scale of squared probabilities. It has no dimension: the radius takes its place.

    References
    ----------
    Bartlett & Mendelson 2002; the cover of the links is derived on the page.

    Examples
    --------
    >>> from semiindex.diagnostics import lipschitz_link_bound
    >>> round(lipschitz_link_bound(1_000_000, 4.0), 3)
    0.051
    """
    _require(n, 1, confidence, gap)
    if not (index_range > 0 and slope > 0):
        raise InvalidParameterError(
            f"index_range and slope must be positive, got {index_range!r} and {slope!r}"
        )
    reach = slope * index_range
    complexity = reach / math.sqrt(n) + 1.5 * math.cbrt(reach * math.log(2) / (2 * n))
    complexity += math.sqrt(math.log(2) / (2 * n))
    return 4 * complexity + math.sqrt(2 * math.log(1 / (1 - confidence)) / n) + gap


def informative_from(
    bound: Callable[[float], float], trivial: float = TRIVIAL_PREFERENCE_ERROR, *, largest: float = 1e15
) -> float:
    """Smallest sample size at which a bound says more than nothing.

    Parameters
    ----------
    bound : callable
        Maps a sample size to a bound; decreasing.
    trivial : float, default=0.25
        What is known without data.
    largest : float, default=1e15
        Where to stop looking.

    Returns
    -------
    float
        To three digits; infinity if there is none up to `largest`.

    Examples
    --------
    >>> from semiindex.diagnostics import informative_from, profile_bound
    >>> 5_000 < informative_from(lambda n: profile_bound(n, 5)) < 10_000
    True
    """
    low, high = 0.0, math.log(largest)
    if not bound(largest) < trivial:
        return math.inf
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if bound(math.exp(middle)) < trivial else (middle, high)
    return float(f"{math.ceil(math.exp(high)):.3g}")


def _log_choices(n: float, n_anchors: int) -> float:
    """Logarithm of the number of ways to take that many of the 2 n options of a sample."""
    if not n_anchors >= 0:
        raise InvalidParameterError(f"n_anchors must be at least 0, got {n_anchors!r}")
    return float(log_binomial(2 * n, n_anchors)) if 0 < n_anchors < n else 0.0


def _chained(coarse: float, rest: float, gap: float) -> float:
    """Square of the larger root of ``x^2 = 2 coarse x + rest + gap``."""
    return (coarse + math.sqrt(coarse**2 + rest + gap)) ** 2


def _require(n: float, d: int, confidence: float, gap: float) -> None:
    require_counts(n, d)
    require_confidence(confidence)
    if not gap >= 0:
        raise InvalidParameterError(f"gap must be at least 0, got {gap!r}")
