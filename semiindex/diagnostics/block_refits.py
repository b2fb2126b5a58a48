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

__all__ = ["BlockRefits", "products_by_block", "worth_refitting"]

#: Blocks per fitted direction below which draws repeat the fit: beyond it the two agree.
_MANY_BLOCKS = 25
#: Entries of K that are kept at once.
_MOST_ENTRIES = 20_000_000


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
    pull : array of shape (G, q, r)
        K, in standardised directions of the fit.
    score : array of shape (G, r)
        s, the block's part in the step of the fit.
    frequency : array of shape (G,)
        Independent copies of every block.
    """

    numerator: FloatArray
    own: FloatArray
    pull: FloatArray
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
        variance = squares @ self.own**2
        for column in range(self.own.shape[1]):
            pull = self.pull[:, column]
            crossed = (signs * self.own[:, column]) @ pull
            squared = delta @ (pull.T @ (self.frequency[:, None] * pull))
            variance[:, column] += np.einsum("ij,ij->i", squared - 2 * crossed, delta)
        error = np.sqrt(np.maximum(variance, least_variance))
        total = signs @ self.numerator
        return np.divide(total, error, out=np.zeros_like(total), where=error > 0)


def worth_refitting(n_blocks: int, n_sums: int, n_directions: int) -> bool:
    """Whether there are so few blocks that draws repeat the fit.

    Parameters
    ----------
    n_blocks, n_sums, n_directions : int
        G, q and r.
    """
    return n_blocks <= _MANY_BLOCKS * n_directions and n_blocks * n_sums * n_directions <= _MOST_ENTRIES


def products_by_block(left: FloatArray, right: FloatArray, codes: IntArray) -> FloatArray:
    """``sum_{i in g} left_i right_i'`` of every block, shape (G, q, r).

    Parameters
    ----------
    left : array of shape (n, q)
        One factor.
    right : array of shape (n, r)
        The other, weighted.
    codes : array of shape (n,) of int
        Block of every row, numbered from 0 without gaps.
    """
    order = np.argsort(codes, kind="stable")
    cuts = np.searchsorted(codes[order], np.arange(1, int(codes.max()) + 1))
    return np.array([left[rows].T @ right[rows] for rows in np.split(order, cuts)])
