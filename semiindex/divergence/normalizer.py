"""The normaliser of an optimal policy: one number per context that makes the probabilities sum to one.

The unknown is ``l = log rho`` of the best option of a context, not lambda: by :eq:`score-policy` all other
ratios follow from it and from the gaps of the scores, without cancellation. The logarithm of the total
mass,

    F(l) = log sum_y q_y rho_y(l),

increases, is <= 0 at ``l = 0`` and >= 0 at ``l = -log Q``, Q being the reference mass of the best options.
F is linear where the scores are constant, where one option has all the mass, and for the reverse KL
divergence throughout, so that Newton steps are few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray
from semiindex.divergence.base import Divergence
from semiindex.divergence.blocks import MenuBlock

__all__ = ["NormalizedBlock", "normalize_block"]

#: A total mass this close to one is not improved by another step, as its own rounding errors show.
_TOLERANCE = 1e-14
#: Newton's method needs up to about six steps; halving the bracket to the last bit about sixty.
_MAX_STEPS = 200
#: The square of a larger gap overflows.
_LARGEST_GAP = 1e150
#: Below this share of contexts without a solution only those are iterated further.
_FEW = 0.25


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
    top, rate = _solve(divergence, gap, block.log_reference, -block.log_best_mass, start)
    x = divergence.log_ratio_below(top, gap)
    with np.errstate(divide="ignore"):
        defect = np.log(np.exp(block.log_reference + x).sum(axis=0))
    log_total = np.where(np.isfinite(defect), defect, 0.0)  # a rounding error, spread over all options
    mean, squares = _moments(gap, rate)
    with np.errstate(over="ignore", invalid="ignore"):
        sensitivity = squares * np.exp(-divergence.log_slope(top))  # from rates in l to q / f''
    return NormalizedBlock(top - log_total, x - log_total, mean, sensitivity, np.abs(defect))


def _moments(gap: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weighted mean and sum of squares about it; they guide steps, so that rounding does not matter."""
    gap = np.minimum(gap, _LARGEST_GAP)
    with np.errstate(invalid="ignore", over="ignore"):
        weighted = weight * gap
        mean = weighted.sum(axis=0) / weight.sum(axis=0)
        squares = (weighted * gap).sum(axis=0) - mean * weighted.sum(axis=0)
    return mean, np.maximum(squares, 0.0)


def _solve(
    divergence: Divergence, gap: FloatArray, log_q: FloatArray, upper: FloatArray, start: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Roots of F by Newton's method, bisected where it leaves the bracket; and the rates there."""
    low, high = np.zeros_like(upper), upper.copy()
    resolution = _TOLERANCE * np.maximum(1.0, upper)
    top, last = np.clip(start, low, high), np.full_like(upper, np.inf)
    for _ in range(_MAX_STEPS):
        p, rate = divergence.masses(top, gap, log_q)
        total = p.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            value = np.log(total)
            slope = rate.sum(axis=0) / total
            step = top - value / slope
        low, high = np.where(value < 0, top, low), np.where(value > 0, top, high)
        # Where an option is about to be given up the slope may be infinite: a step of no size, and no root.
        newton = (step >= low) & (step <= high) & (np.abs(value) <= last / 2)
        step, last = np.where(newton, step, (low + high) / 2), np.abs(value)
        open_ = np.flatnonzero((last > resolution) & (high - low > resolution))
        if open_.size == 0:
            break
        if open_.size < _FEW * top.size:
            rest = _solve(divergence, gap[:, open_], log_q[:, open_], upper[open_], step[open_])
            top[open_], rate[:, open_] = rest
            break
        top[open_] = step[open_]
    return top, rate
