"""Binned data: how often option 1 was preferred, by quantiles of an index or a probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from semiindex._types import FloatArray, IntArray

__all__ = ["BinnedShares", "bin_codes", "bin_shares", "fold", "sums_by_block"]


@dataclass(frozen=True, eq=False)
class BinnedShares:
    """Weighted means in bins.

    Attributes
    ----------
    position : array of shape (k,)
        Mean of the variable that was binned.
    share : array of shape (k,)
        Share of comparisons in which option 1 was preferred.
    error : array of shape (k,)
        Binomial standard error of `share`.
    weight : array of shape (k,)
        Sum of the weights.
    """

    position: FloatArray
    share: FloatArray
    error: FloatArray
    weight: FloatArray

    def mirrored(self) -> BinnedShares:
        """Bins of a folded sample together with their mirror images at 0, in ascending order."""
        return BinnedShares(
            np.concatenate([-self.position[::-1], self.position]),
            np.concatenate([1 - self.share[::-1], self.share]),
            np.concatenate([self.error[::-1], self.error]),
            np.concatenate([self.weight[::-1], self.weight]),
        )


def bin_shares(x: FloatArray, z: FloatArray, weight: FloatArray, n_bins: int) -> BinnedShares:
    """Bin by weighted quantiles; equal values of `x` stay together.

    Parameters
    ----------
    x : array of shape (n,)
        The variable to bin by.
    z : array of shape (n,)
        Labels in [0, 1].
    weight : array of shape (n,)
        Frequency weights.
    n_bins : int
        Largest number of bins; ties in `x` may leave fewer.

    Returns
    -------
    BinnedShares
    """
    used = weight > 0
    x, z, weight = x[used], z[used], weight[used]
    code = bin_codes(x, weight, n_bins)
    total = np.asarray(np.bincount(code, weights=weight), dtype=np.float64)
    position = np.bincount(code, weights=weight * x) / total
    share = np.clip(np.bincount(code, weights=weight * z) / total, 0, 1)
    return BinnedShares(position, share, np.sqrt(share * (1 - share) / total), total)


def bin_codes(x: FloatArray, weight: FloatArray, n_bins: int) -> IntArray:
    """Bin of every value, by weighted quantiles; equal values stay together.

    Parameters
    ----------
    x : array of shape (n,)
        The variable to bin by.
    weight : array of shape (n,)
        Positive frequency weights.
    n_bins : int
        Largest number of bins.

    Returns
    -------
    array of int, shape (n,)
        Numbered from 0 without gaps.
    """
    distinct, which = np.unique(x, return_inverse=True)
    mass = np.bincount(which, weights=weight, minlength=distinct.size)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    code = np.minimum((middle * n_bins).astype(np.intp), n_bins - 1)[which]
    return np.asarray(np.unique(code, return_inverse=True)[1])


def fold(t: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Every comparison seen from the option with the larger index.

    Where position has no effect a comparison and its mirror image say the same; folding shows each
    once. At ``t = 0`` neither option is favoured, and the label counts half.

    Parameters
    ----------
    t : array of shape (n,)
        Index.
    z : array of shape (n,)
        Labels in [0, 1].

    Returns
    -------
    size : array of shape (n,)
        ``|t|``.
    favoured : array of shape (n,)
        Whether the option with the larger index was preferred.
    """
    favoured = np.where(t > 0, z, np.where(t < 0, 1 - z, 0.5))
    return np.abs(t), favoured


def sums_by_block(values: FloatArray, blocks: IntArray, codes: IntArray) -> FloatArray:
    """Sums by block and bin.

    Parameters
    ----------
    values : array of shape (n,)
        What is summed.
    blocks, codes : arrays of int, shape (n,)
        Block and bin of every row, both numbered from 0.

    Returns
    -------
    array of shape (G, k)
    """
    shape = (int(blocks.max()) + 1, int(codes.max()) + 1)
    return np.asarray(sp.csr_array((values, (blocks, codes)), shape=shape).todense())
