"""The normaliser of an optimal policy: one number per context that makes the probabilities sum to one.

The unknown is ``l = log rho`` of the best option of a context, not lambda: by :eq:`score-policy` all other
ratios follow from it and from the gaps of the scores, without cancellation. The logarithm of the total
mass,

    F(l) = log sum_y q_y rho_y(l),

increases, is <= 0 at ``l = 0`` and >= 0 at ``l = -log Q``, Q being the reference mass of the best options.
F is linear where the scores are constant, where one option has all the mass, and for the reverse KL
divergence throughout, so that Newton steps are few.

A divergence that gives options up (finite ``f'(0+)``) may leave an option next to nothing beside best ones
of large ratio. Its ratio is then a small difference, and no floating point number l may make the masses sum
to one. Such contexts are solved again for the log-ratio of the *worst* option that is kept,
:eq:`ratio-above`: from there all ratios are sums. It is not the rule as it takes a search for that option.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray
from semiindex.divergence.base import Divergence
from semiindex.divergence.blocks import MenuBlock

__all__ = ["NormalizedBlock", "normalize_block"]

#: A total mass this close to one is not improved by another step, as its own rounding errors show.
_TOLERANCE = 1e-14
#: A larger rest is no rounding error of the sum, but ratios that the unknown does not resolve.
_UNRESOLVED = 1e-13
#: Numbers below the exponential of this are 0: a worst option of such a ratio might as well be given up.
_LOG_SMALLEST = -800.0
#: Newton's method needs up to about six steps; halving the bracket to the last bit about sixty.
_MAX_STEPS = 200
#: The square of a larger gap overflows.
_LARGEST_GAP = 1e150
#: Below this share of contexts without a solution only those are iterated further.
_FEW = 0.25

#: From unknown log-ratios, differences of scores and ``log q`` to probabilities and their derivatives.
_Masses = Callable[[FloatArray, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True)
class NormalizedBlock:
    """Optimal policies of a block at given temperatures.

    Attributes
    ----------
    log_ratio_top : array of shape (m,)
        Log-ratio of the best options.
    log_ratio : array of shape (k, m)
        Log-ratios of all options.
    mean_gap : array of shape (m,)
        Mean of the gaps, in temperatures, under weights ``q / f''``, by which probabilities yield to
        ``f'``. It is the derivative of ``f'(rho)`` of the best options in the log inverse temperature.
    sensitivity : array of shape (m,)
        Sum of squares of the gaps about that mean under the same weights: the derivative of the
        divergence in the log inverse temperature, :eq:`divergence-slope`.
    defect : array of shape (m,)
        By how much rounding kept the logarithm of the total mass from 0 before it was normalised.
    """

    log_ratio_top: FloatArray
    log_ratio: FloatArray
    mean_gap: FloatArray
    sensitivity: FloatArray
    defect: FloatArray


def scaled_gaps(block: MenuBlock, temperature: FloatArray | float) -> FloatArray:
    """Gaps in units of the temperature; 0 and inf are the reference and the greedy policy."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        gap = block.gap / temperature
    return np.where(block.gap == 0, 0.0, gap) if np.any(np.asarray(temperature) == 0) else gap


def normalize_block(
    block: MenuBlock,
    divergence: Divergence,
    temperature: FloatArray | float,
    start: FloatArray | None = None,
) -> NormalizedBlock:
    """Solve for the normalisers of a block.

    Parameters
    ----------
    block : MenuBlock
        Menus of m contexts.
    divergence : Divergence
        Which f.
    temperature : array of shape (m,), or float
        Between 0 (greedy) and inf (the reference).
    start : array of shape (m,), optional
        Guess of the log-ratios of the best options. The default is the solution for reverse KL,
        which lies in the bracket for every divergence.
    """
    gap = scaled_gaps(block, temperature)
    if start is None:
        with np.errstate(divide="ignore"):
            start = -np.log(np.exp(block.log_reference - gap).sum(axis=0))
    upper = -block.log_best_mass
    top, rate = _solve(divergence.masses, gap, block.log_reference, (np.zeros_like(upper), upper), start)
    x = divergence.log_ratio_below(top, gap)
    log_slope = divergence.log_slope(top)  # from rates in the unknown to q / f''
    defect = _log_total(block.log_reference, x)
    unresolved = ~(np.abs(defect) <= _UNRESOLVED * np.maximum(1.0, upper))
    lost = np.flatnonzero(unresolved & (divergence.derivative_at_zero > -np.inf))
    if lost.size:
        again = _solve_from_worst(divergence, gap[:, lost], block.log_reference[:, lost])
        x[:, lost], rate[:, lost], log_slope[lost] = again
        top[lost] = np.where(gap[:, lost] == 0, x[:, lost], -np.inf).max(axis=0)
        defect[lost] = _log_total(block.log_reference[:, lost], x[:, lost])
    log_total = np.where(np.isfinite(defect), defect, 0.0)  # a rounding error, spread over all options
    mean, squares = _moments(gap, rate)
    if lost.size:
        mean[lost], squares[lost] = _centred_moments(gap[:, lost], rate[:, lost])
    with np.errstate(over="ignore", invalid="ignore"):
        sensitivity = squares * np.exp(-log_slope)
    return NormalizedBlock(top - log_total, x - log_total, mean, sensitivity, np.abs(defect))


def _log_total(log_q: FloatArray, log_ratio: FloatArray) -> FloatArray:
    """Logarithm of the total mass of each context."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(log_q + log_ratio).sum(axis=0)))


def _solve_from_worst(
    divergence: Divergence, gap: FloatArray, log_q: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log-ratios, rates in the unknown and log-slope there, the unknown being the worst kept log-ratio."""
    rise = _gap_of_worst(divergence, gap, log_q) - gap
    kept_log_q = np.where(rise >= 0, log_q, -np.inf)
    rise = np.maximum(rise, 0.0)
    upper = -_log_total(kept_log_q, np.zeros(gap.shape[1]))  # if all that are kept had this ratio
    bracket = np.full_like(upper, _LOG_SMALLEST), upper
    worst, rate = _solve(divergence.masses_above, rise, kept_log_q, bracket, upper)
    x = np.where(kept_log_q > -np.inf, divergence.log_ratio_above(worst, rise), -np.inf)
    return x, rate, divergence.log_slope(worst)


def _gap_of_worst(divergence: Divergence, gap: FloatArray, log_q: FloatArray) -> FloatArray:
    """Largest gap of an option that is kept: one without which the better ones have less than all mass.

    The total mass at which an option is just given up grows with its gap, so that halving finds the last
    option below one, after a sort: time is ``k log k`` for k options.
    """
    used = log_q > -np.inf
    order = np.sort(np.where(used, gap, np.inf), axis=0)
    columns = np.arange(gap.shape[1])
    first, last = np.zeros(columns.size, dtype=np.intp), np.full(columns.size, gap.shape[0])
    while (last - first > 1).any():  # the option `first` is kept, the option `last` is not
        middle = (first + last) // 2
        level = order[middle, columns]
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            rise = np.where(used & (gap < level), level - gap, 0.0)
            x = divergence.log_ratio_above(np.full(columns.size, -np.inf), rise)
            kept = np.exp(log_q + x).sum(axis=0) < 1
        first, last = np.where(kept, middle, first), np.where(kept, last, middle)
    return np.asarray(order[first, columns])


def _moments(gap: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weighted mean and sum of squares about it; they guide steps, so that rounding does not matter.

    Except where one weight outdoes all others by many digits: `_centred_moments`, which takes a pass more.
    """
    gap = np.minimum(gap, _LARGEST_GAP)
    with np.errstate(invalid="ignore", over="ignore"):
        weighted = weight * gap
        mean = weighted.sum(axis=0) / weight.sum(axis=0)
        squares = (weighted * gap).sum(axis=0) - mean * weighted.sum(axis=0)
    return mean, np.maximum(squares, 0.0)


def _centred_moments(gap: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """As `_moments`, for weights of which one, of an option about to be given up, may be almost all."""
    gap = np.minimum(gap, _LARGEST_GAP)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = (weight * gap).sum(axis=0) / weight.sum(axis=0)
        return mean, np.asarray((weight * (gap - mean) ** 2).sum(axis=0))


def _solve(
    masses: _Masses,
    gap: FloatArray,
    log_q: FloatArray,
    bracket: tuple[FloatArray, FloatArray],
    start: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Roots of F by Newton's method, bisected where it leaves the bracket; and the rates there."""
    low, high = bracket
    resolution = _TOLERANCE * np.maximum(1.0, high)
    root, last = np.clip(start, low, high), np.full_like(high, np.inf)
    for _ in range(_MAX_STEPS):
        p, rate = masses(root, gap, log_q)
        total = p.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            value = np.log(total)
            slope = rate.sum(axis=0) / total
            step = root - value / slope
        low, high = np.where(value < 0, root, low), np.where(value > 0, root, high)
        # Where an option is about to be given up the slope may be infinite: a step of no size, and no root.
        newton = (step >= low) & (step <= high) & (np.abs(value) <= last / 2)
        step, last = np.where(newton, step, (low + high) / 2), np.abs(value)
        open_ = np.flatnonzero((last > resolution) & (high - low > resolution) & (step != root))
        if open_.size == 0:
            break
        if open_.size < _FEW * root.size:
            rest = (low[open_], high[open_])
            root[open_], rate[:, open_] = _solve(masses, gap[:, open_], log_q[:, open_], rest, step[open_])
            break
        root[open_] = step[open_]
    return root, rate
