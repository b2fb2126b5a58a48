r"""Multiplier draws in which the fit is repeated, to first order: for few independent blocks.

Random signs ``eta_g`` in front of the blocks' contributions describe a sum whose standard error is known.
With few blocks it is not: standardised sums have heavier tails than their draws, the more so the more
parameters were fitted. Here every draw goes through the steps that the sample went through. The labels'
errors of block g get the sign ``eta_g``, the fit moves by ``delta = sum_g eta_g s_g``, and the block's
contribution becomes

    C*_g = eta_g C_g - K_g delta

with K_g what a unit of delta takes from it, so that the sum *and* its standard error are those of a
sample drawn anew, :eq:`refitted-draws`. No likelihood is evaluated: a draw is a few products of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.diagnostics.multipliers import Multipliers
from semiindex.inference.sample import Observations

__all__ = ["BlockRefits", "DensePull", "RowPull", "pull_of_blocks", "worth_refitting"]

#: Blocks per fitted direction below which draws repeat the fit: beyond it the two agree.
_MANY_BLOCKS = 25
#: The same for blocks of one row, which cost much less.
_MANY_ROWS = 100
#: Entries of K that are kept at once.
_MOST_ENTRIES = 20_000_000


@dataclass(frozen=True, eq=False)
class DensePull:
    """What a unit of the fit's step takes from every block's contributions.

    Attributes
    ----------
    pull : array of shape (G, q, r)
        K, in standardised directions of the fit.
    """

    pull: FloatArray

    def total(self, frequency: FloatArray) -> FloatArray:
        """``sum_g f_g K_g``, shape (q, r)."""
        return np.tensordot(frequency, self.pull, axes=1)

    def variance(
        self, signs: FloatArray, own: FloatArray, delta: FloatArray, frequency: FloatArray
    ) -> FloatArray:
        """What K adds to the sum of the squared contributions, shape (k, q)."""
        added = np.empty((signs.shape[0], own.shape[1]))
        for column in range(own.shape[1]):
            pull = self.pull[:, column]
            crossed = (signs * own[:, column]) @ pull
            squared = delta @ (pull.T @ (frequency[:, None] * pull))
            added[:, column] = np.einsum("ij,ij->i", squared - 2 * crossed, delta)
        return added


@dataclass(frozen=True, eq=False)
class RowPull:
    """The same for blocks of one row, whose K has rank one: ``K_g = b_g x_g'``.

    Attributes
    ----------
    direction : array of shape (G, q)
        b.
    row : array of shape (G, r)
        x.
    """

    direction: FloatArray
    row: FloatArray

    def total(self, frequency: FloatArray) -> FloatArray:
        """``sum_g f_g K_g``, shape (q, r)."""
        return np.asarray(self.direction.T @ (frequency[:, None] * self.row))

    def variance(
        self, signs: FloatArray, own: FloatArray, delta: FloatArray, frequency: FloatArray
    ) -> FloatArray:
        """What K adds to the sum of the squared contributions, shape (k, q)."""
        moved = delta @ self.row.T
        squared = (frequency * moved**2) @ self.direction**2
        return np.asarray(squared - 2 * (signs * moved) @ (own * self.direction))


@dataclass(frozen=True, eq=False)
class BlockRefits:
    """Contributions of independent blocks to q sums, and how a fit takes part in them.

    Attributes
    ----------
    numerator : array of shape (G, q)
        What block g adds to the sum when its errors are multiplied by ``eta_g``, the change of the fit
        included.
    own : array of shape (G, q)
        C, whose squares make the variance of the sum.
    pull : DensePull or RowPull
        K.
    score : array of shape (G, r)
        s, the block's part in the step of the fit.
    frequency : array of shape (G,)
        Independent copies of every block.
    """

    numerator: FloatArray
    own: FloatArray
    pull: DensePull | RowPull
    score: FloatArray
    frequency: FloatArray

    def draws(self, multipliers: Multipliers, least_variance: FloatArray | float = 0.0) -> FloatArray:
        """Standardised sums of every draw, shape (n_draws, q).

        Parameters
        ----------
        multipliers : Multipliers
            The draws.
        least_variance : array of shape (q,) or float, default=0
            Below which no variance is taken.
        """
        parts = [
            self.standardised(signs, multipliers.squares(signs, self.frequency), least_variance)
            for signs in multipliers.chunks(self.frequency)
        ]
        return np.concatenate(parts)

    def standardised(
        self, signs: FloatArray, squares: FloatArray, least_variance: FloatArray | float = 0.0
    ) -> FloatArray:
        """The same for given multipliers.

        Parameters
        ----------
        signs, squares : arrays of shape (k, G)
            Sums of the multipliers of a block's copies, and of their squares.
        least_variance : array of shape (q,) or float, default=0
            Below which no variance is taken.
        """
        delta = signs @ self.score
        variance = squares @ self.own**2 + self.pull.variance(signs, self.own, delta, self.frequency)
        error = np.sqrt(np.maximum(variance, least_variance))
        total = signs @ self.numerator
        return np.divide(total, error, out=np.zeros_like(total), where=error > 0)


def worth_refitting(blocks: Observations, n_sums: int, n_directions: int) -> bool:
    """Whether there are so few blocks that draws repeat the fit.

    Parameters
    ----------
    blocks : Observations
        Independent blocks.
    n_sums, n_directions : int
        q and r.
    """
    n_blocks = blocks.frequency.size
    if _single_rows(blocks):
        return n_blocks <= _MANY_ROWS * n_directions
    return n_blocks <= _MANY_BLOCKS * n_directions and n_blocks * n_sums * n_directions <= _MOST_ENTRIES


def pull_of_blocks(
    directions: FloatArray, standardised: FloatArray, curvature: FloatArray, blocks: Observations
) -> DensePull | RowPull:
    """``K_g = B_g (I - H_g)^-1`` with ``B_g = sum_{i in g} w_i h_i b_i x_i'`` and H_g the same of x and x.

    Parameters
    ----------
    directions : array of shape (n, q)
        b.
    standardised : array of shape (n, r)
        x: directions of the fit in coordinates in which their information is the identity.
    curvature : array of shape (n,)
        h.
    blocks : Observations
        Independent blocks.
    """
    weighted = (blocks.share * curvature)[:, None] * standardised
    if _single_rows(blocks):
        order = np.argsort(blocks.codes)
        rest = 1 - np.einsum("ij,ij->i", weighted, standardised)
        return RowPull(directions[order], (weighted / rest[:, None])[order])
    share = _products_by_block(standardised, weighted, blocks.codes)
    inverse = np.linalg.inv(np.eye(standardised.shape[1]) - share)
    return DensePull(_products_by_block(directions, weighted, blocks.codes) @ inverse)


def _single_rows(blocks: Observations) -> bool:
    return bool(blocks.frequency.size == blocks.codes.size)


def _products_by_block(left: FloatArray, right: FloatArray, codes: IntArray) -> FloatArray:
    """``sum_{i in g} left_i right_i'`` of every block, shape (G, q, r)."""
    order = np.argsort(codes, kind="stable")
    cuts = np.searchsorted(codes[order], np.arange(1, int(codes.max()) + 1))
    return np.array([left[rows].T @ right[rows] for rows in np.split(order, cuts)])
