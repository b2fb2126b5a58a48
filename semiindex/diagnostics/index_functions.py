"""Families of functions of the index that a wrong link would need."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.link.monotone_spline import weighted_quantiles

__all__ = ["even_steps", "odd_steps", "steps"]

#: Steps at quantiles of the index: enough to see any bend, and few beside the smallest samples.
_STEPS = 24


def steps(t: FloatArray, weight: FloatArray) -> FloatArray:
    """``1{t <= c}`` at quantiles c of the index, shape (n, q).

    Steps are bounded: a single answer far out in the tails, where polynomials are large and the
    probabilities near 0 or 1, cannot decide a test by itself.

    Parameters
    ----------
    t : array of shape (n,)
        Index.
    weight : array of shape (n,)
        Frequency weights.
    """
    levels = np.arange(1, _STEPS) / _STEPS
    cuts = np.unique(weighted_quantiles(t, weight, levels))
    return np.asarray(t[:, None] <= cuts[cuts < t.max()], dtype=np.float64)


def even_steps(t: FloatArray, weight: FloatArray) -> FloatArray:
    """``1{|t| <= c}`` at quantiles c of ``|t|``, and the constant."""
    return np.column_stack([steps(np.abs(t), weight), np.ones(t.size)])


def odd_steps(t: FloatArray, weight: FloatArray) -> FloatArray:
    """``sign(t) 1{|t| <= c}`` at quantiles c of ``|t|``, and ``sign(t)``."""
    return np.sign(t)[:, None] * even_steps(t, weight)
