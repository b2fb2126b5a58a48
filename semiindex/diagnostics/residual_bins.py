"""Residuals of a null model in bins of the index, with errors that know of groups."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.diagnostics.binning import BinnedShares, sums_by_block
from semiindex.diagnostics.score_process import NullModel

__all__ = ["binned_residuals", "block_sums"]


def block_sums(null: NullModel, residual: FloatArray, codes: IntArray) -> FloatArray:
    """Sums of residuals by block and bin.

    Parameters
    ----------
    null : NullModel
        With blocks and shares.
    residual : array of shape (n,)
        Residuals, turned round where options were exchanged.
    codes : array of int, shape (n,)
        Bin of every row.

    Returns
    -------
    array of shape (G, k)
    """
    return sums_by_block(null.blocks.share * residual, null.blocks.codes, codes)


def binned_residuals(
    null: NullModel, position: FloatArray, residual: FloatArray, values: FloatArray, codes: IntArray
) -> BinnedShares:
    """Means of values in bins, with the standard errors of the residuals.

    Parameters
    ----------
    null : NullModel
        With weights, blocks and shares.
    position, residual, values : array of shape (n,)
        What was binned by; residuals for the errors; what is averaged.
    codes : array of int, shape (n,)
        Bin of every row.

    Returns
    -------
    BinnedShares
        Errors are those of sums within blocks, at given coefficients and link.
    """
    mass, at, total = (
        np.asarray(np.bincount(codes, weights=column), dtype=np.float64)
        for column in (null.weight, null.weight * position, null.weight * values)
    )
    squares = null.blocks.frequency @ block_sums(null, residual, codes) ** 2
    return BinnedShares(at / mass, total / mass, np.sqrt(squares) / mass, mass)
