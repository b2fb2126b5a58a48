"""The policies of a block of menus along the temperatures that a search visits."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.divergence.base import Divergence
from semiindex.divergence.blocks import MenuBlock
from semiindex.divergence.budget import Response
from semiindex.divergence.normalizer import NormalizedBlock, normalize_block

__all__ = ["FollowedBlock", "first_guess"]

#: Changes of log temperature within which the normaliser is predicted from its derivative.
_NEAR = 0.5


class FollowedBlock:
    """A block of menus whose normalisers are followed from one temperature to the next.

    Parameters
    ----------
    block : MenuBlock
        Menus of m contexts.
    divergence : Divergence
        Which f.
    """

    def __init__(self, block: MenuBlock, divergence: Divergence) -> None:
        self.block, self.divergence = block, divergence
        self._last: tuple[FloatArray, FloatArray, FloatArray] | None = None

    def solve(self, temperature: FloatArray) -> NormalizedBlock:
        """Policies at a temperature, or at one per context."""
        with np.errstate(divide="ignore"):
            log_inverse = -np.log(temperature)
        solved = normalize_block(self.block, self.divergence, temperature, self._predict(log_inverse))
        top = solved.log_ratio_top
        with np.errstate(over="ignore", invalid="ignore"):
            rate = solved.mean_gap * np.exp(-self.divergence.log_slope(top))
        self._last = log_inverse, top, np.where(np.isfinite(rate), rate, 0.0)
        return solved

    def _predict(self, log_inverse: FloatArray) -> FloatArray | None:
        """First-order prediction of the log-ratios of the best options, near the last temperature."""
        if self._last is None:
            return None
        at, top, rate = self._last
        with np.errstate(invalid="ignore"):
            change = log_inverse - at
        near = bool((np.abs(change) <= _NEAR).all())  # not so where a temperature is 0 or inf
        with np.errstate(over="ignore"):
            return top + rate * change if near else None

    def respond(self, log_inverse: FloatArray) -> Response:
        """Divergences of the contexts at an inverse temperature, and their derivatives."""
        solved = self.solve(np.exp(-log_inverse))
        return Response(self.spent(solved), solved.sensitivity)

    def spent(self, solved: NormalizedBlock) -> FloatArray:
        """Divergence of each context, shape (m,)."""
        terms = self.divergence.log_terms(self.block.log_reference, solved.log_ratio)
        return np.asarray(np.maximum(terms.sum(axis=0), 0.0))

    def greedy_divergence(self) -> FloatArray:
        """Divergence of the policies that give all mass to the best options, in proportion to q."""
        log_best = self.block.log_best_mass
        value = self.divergence.log_terms(log_best, -log_best)
        given_up = (self.block.gap > 0).any(axis=0)
        others = np.where(self.block.gap > 0, self.block.log_reference, -np.inf)[:, given_up]
        log_others = np.logaddexp.reduce(others, axis=0)
        value[given_up] += self.divergence.log_terms(log_others, np.full(log_others.shape, -np.inf))
        return np.where(given_up, np.maximum(value, 0.0), 0.0)

    def gap_variance(self, unit: FloatArray | float) -> FloatArray:
        """Variance of the gaps under the reference, in a unit that keeps the squares finite."""
        q = np.exp(self.block.log_reference)
        relative = self.block.gap / np.where(np.asarray(unit) > 0, unit, 1.0)
        mean = (q * relative).sum(axis=0)
        return np.asarray((q * (relative - mean) ** 2).sum(axis=0))

    def normalizer(self, solved: NormalizedBlock, temperature: FloatArray) -> FloatArray:
        """``lambda = best score - temperature * f'(best ratio)``, and its limits at 0 and inf."""
        with np.errstate(invalid="ignore", over="ignore"):
            shift = temperature * self.divergence.derivative_at_log(solved.log_ratio_top)
        mean_gap = (np.exp(self.block.log_reference) * self.block.gap).sum(axis=0)
        shift = np.where(temperature == 0, 0.0, np.where(np.isinf(temperature), mean_gap, shift))
        return self.block.best - shift


def first_guess(
    budget: FloatArray, unit: FloatArray, variance: FloatArray, divergence: Divergence
) -> FloatArray:
    """Log inverse temperature at which the limit of high temperatures spends the budget.

    That limit is ``D = variance(gap) / (2 f''(1) temperature^2)``.

    Parameters
    ----------
    budget, unit, variance : array of shape (g,)
        Budgets, and variances of the gaps in squares of the unit.
    divergence : Divergence
        Which f.
    """
    curvature = np.exp(-divergence.log_inverse_curvature(np.zeros(1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        guess = np.log(2 * budget * curvature / variance) / 2 - np.log(unit)
    return np.where(np.isfinite(guess), guess, 0.0)
