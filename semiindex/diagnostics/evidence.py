"""From p-values to levels and words."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.diagnostics.base import Level

__all__ = ["in_words", "level_of", "monte_carlo_p_value", "p_words"]

#: p-values from which a result is worth a note, and a warning.
_NOTABLE, _STRONG = 0.05, 0.01


def level_of(p_value: float, *, harmful: bool = True) -> Level:
    """Level of a rejected, or kept, null hypothesis.

    Parameters
    ----------
    p_value : float
        Of the test.
    harmful : bool, default=True
        Whether the fit relies on the hypothesis; if not, a rejection is a note at most.
    """
    if p_value > _NOTABLE:
        return "fine"
    return "warning" if harmful and p_value <= _STRONG else "note"


def in_words(p_value: float, n_draws: int) -> str:
    """The p-value, and what it is a share of."""
    strength = "strong" if p_value <= _STRONG else "some" if p_value <= _NOTABLE else "no"
    return f"{strength} evidence against it ({p_words(p_value, n_draws)})"


def p_words(p_value: float, n_draws: int) -> str:
    """``p = 0.03``, or, where no draw was as large, what it is below.

    Parameters
    ----------
    p_value : float
        Share of the draws.
    n_draws : int
        Their number.
    """
    least = 1 / (n_draws + 1)
    return f"p < {2 * least:.2g}" if p_value <= least * (1 + 1e-9) else f"p = {p_value:.2g}"


def monte_carlo_p_value(statistic: float, draws: FloatArray) -> float:
    """``(1 + number of draws at least as large) / (1 + number of draws)``.

    Ties count against the null hypothesis's rejection, so that the test is never too sharp by rounding.
    """
    return float((1 + np.sum(draws >= statistic * (1 - 1e-12))) / (draws.size + 1))
