r"""Score tests by a multiplier bootstrap over independent blocks: clusters, or single observations.

A null model leaves residuals e with curvature h and nuisance directions N. Whether a direction b is
missing from it is told by ``sum_i w_i e_i b_i``. Estimating the nuisance parameters changes that sum, to
first order as if b were replaced by what N does not explain of it, :eq:`projected-direction`,

    b_perp = b - N (N' W h N)^- N' W h b.

The sum is split into independent blocks, ``U_g = sum_{i in g} w_i e_i^(-g) b_perp_i``, with residuals of
the nuisance parameters estimated without the block (to first order, as in the jackknife CR3): a block
pulls the fit towards its own labels, and with few blocks the tests would reject too often. The null
distribution is that of ``sum_g eta_g U_g`` with random signs eta, :eq:`multiplier-process`, and with few
blocks that of the same sums after a new fit in every draw, :eq:`refitted-draws`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semiindex._types import FloatArray
from semiindex.diagnostics.block_refits import BlockRefits, pull_of_blocks, worth_refitting
from semiindex.diagnostics.leave_out import changes_without_block, inverse_root
from semiindex.diagnostics.multipliers import Multipliers
from semiindex.exceptions import InvalidDataError
from semiindex.index.linear import LinearDesign
from semiindex.inference.covariance import sums_by_code
from semiindex.inference.sample import InferenceSample, Observations

__all__ = [
    "MOST_BLOCKS",
    "NullModel",
    "ScoreProcess",
    "blocks_of",
    "merged_blocks",
    "residual_without_block",
    "score_process",
]

#: Share of its size that the nuisance must leave of a direction.
_LEAST_LEFT = 1e-4
#: Independent blocks below which the distribution of random signs has too few values.
_FEWEST_BLOCKS = 8
#: Independent blocks above which several are put together.
MOST_BLOCKS = 20_000


@dataclass(frozen=True, eq=False)
class NullModel:
    """A fitted null hypothesis, as far as score tests need it.

    Attributes
    ----------
    t : array of shape (n,)
        Index.
    probability : array of shape (n,)
        Fitted probability that option 1 is preferred.
    residual, curvature : arrays of shape (n,)
        e, the derivative of the log likelihood in an added direction, and h, minus its expected
        derivative.
    slope : array of shape (n,)
        Change per unit of the index of what directions are added to: 1 where that is the index itself,
        the slope of the logit where it is the logit.
    nuisance : array of shape (n, p)
        Directions N along which the null model was fitted.
    weight : array of shape (n,)
        Frequency weights.
    blocks : Observations
        Independent blocks: clusters, or observations.
    clustered : bool
        Whether the blocks are clusters.
    """

    t: FloatArray
    probability: FloatArray
    residual: FloatArray
    curvature: FloatArray
    slope: FloatArray
    nuisance: FloatArray
    weight: FloatArray
    blocks: Observations
    clustered: bool

    @property
    def n_blocks(self) -> int:
        """Number of independent blocks, copies not counted."""
        return int(self.blocks.frequency.size)

    def index_directions(self, terms: FloatArray) -> FloatArray:
        """Directions of terms that are added to the index, :eq:`index-direction`.

        Parameters
        ----------
        terms : array of shape (n, q)
            On the scale of the index, as the features are.

        Returns
        -------
        array of shape (n, q)
            Those of the features are part of the nuisance.
        """
        return self.slope[:, None] * terms


@dataclass(frozen=True, eq=False)
class ScoreProcess:
    """Standardised block sums of a family of directions.

    Attributes
    ----------
    sums : array of shape (G, q)
        ``U_g`` over the standard deviation of their total.
    frequency : array of shape (G,)
        Independent copies of every block.
    kept : array of shape (q,) of int
        Which of the directions that were asked for these are; the nuisance explains the others.
    refits : BlockRefits or None
        The same sums for draws that repeat the fit, where there are few blocks.
    """

    sums: FloatArray
    frequency: FloatArray
    kept: Any
    refits: BlockRefits | None

    @property
    def values(self) -> FloatArray:
        """Every direction's score in standard errors, shape (q,)."""
        return np.asarray(self.frequency @ self.sums)

    def draws(self, multipliers: Multipliers) -> FloatArray:
        """Bootstrap values of the same, shape (n_draws, q)."""
        if self.refits is not None:
            return self.refits.draws(multipliers)
        return np.concatenate([part @ self.sums for part in multipliers.chunks(self.frequency)])


def blocks_of(sample: InferenceSample) -> tuple[Observations, bool]:
    """What is independent of what: clusters where there are any, else observations.

    Parameters
    ----------
    sample : InferenceSample
        The data.

    Returns
    -------
    blocks : Observations
        A cluster is one block made once, with the weights of its rows.
    clustered : bool
        Whether they are clusters.

    Raises
    ------
    InvalidDataError
        If there are too few of them, or clusters in two ways.
    """
    if len(sample.clusters) > 1:
        raise InvalidDataError(
            "groups has two columns: random signs need clusters of one kind, such as the raters"
        )
    blocks = sample.observations
    if sample.clusters:
        codes = np.unique(sample.clusters[0], return_inverse=True)[1]
        blocks = Observations(codes, sample.weight, np.ones(int(codes.max()) + 1))
    if blocks.total < _FEWEST_BLOCKS:
        raise InvalidDataError(
            f"There are {blocks.total:g} independent {'groups' if sample.clusters else 'comparisons'}: a "
            f"test needs {_FEWEST_BLOCKS} at least, and is reliable from about 50 on"
        )
    return blocks, bool(sample.clusters)


def score_process(null: NullModel, directions: FloatArray) -> ScoreProcess:
    """Block sums of the projected directions, :eq:`projected-direction`.

    Parameters
    ----------
    null : NullModel
        Fitted null hypothesis.
    directions : array of shape (n, q)
        Directions b that may be missing from it.

    Returns
    -------
    ScoreProcess

    Raises
    ------
    InvalidDataError
        If the null model explains all of them, or one block alone determines a nuisance parameter.
    """
    whitened = _whitened(null)
    weighted = (null.weight * null.curvature)[:, None] * directions
    projected = directions - whitened @ (whitened.T @ weighted)
    size = np.sqrt(np.einsum("ij,ij->j", weighted, directions))
    left = np.sqrt((null.weight * null.curvature) @ projected**2)
    kept = np.flatnonzero(left > _LEAST_LEFT * size)
    if kept.size == 0:
        raise InvalidDataError(
            "Nothing is left to test: the fitted null model explains every direction that could be missing "
            "from it. There is a single feature, the features take few different values, or the link is flat"
        )
    blocks, projected = null.blocks, projected[:, kept]
    residual = _without_block(null, whitened)
    sums = sums_by_code((blocks.share * residual)[:, None] * projected, blocks.codes)
    refits = None
    if worth_refitting(blocks, kept.size, whitened.shape[1]):
        refits = _refits(null, whitened, projected, sums)
    sums, frequency = merged_blocks(sums, blocks.frequency)
    return ScoreProcess(sums / np.sqrt(frequency @ sums**2), frequency, kept, refits)


def merged_blocks(sums: FloatArray, frequency: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Many independent blocks as fewer: sums of independent blocks are independent too.

    Twenty thousand random signs describe a null distribution as well as a million, in a fiftieth of the
    time.

    Parameters
    ----------
    sums : array of shape (G, q)
        Of every block.
    frequency : array of shape (G,)
        Independent copies; blocks made more than once are left as they are.

    Returns
    -------
    sums, frequency : arrays
        Of at most 20,000 blocks.
    """
    if frequency.size <= MOST_BLOCKS or np.any(frequency != 1):
        return sums, frequency
    return sums_by_code(sums, np.arange(frequency.size) % MOST_BLOCKS), np.ones(MOST_BLOCKS)


def _refits(null: NullModel, whitened: FloatArray, projected: FloatArray, sums: FloatArray) -> BlockRefits:
    """Draws that repeat the fit of the nuisance."""
    blocks = null.blocks
    pull = pull_of_blocks(projected, whitened, null.curvature, blocks)
    score = sums_by_code((blocks.share * null.residual)[:, None] * whitened, blocks.codes)
    return BlockRefits(sums - score @ pull.total(blocks.frequency).T, sums, pull, score, blocks.frequency)


def residual_without_block(null: NullModel) -> FloatArray:
    """Residual of every row in the null model fitted without its block, to first order.

    Parameters
    ----------
    null : NullModel
        Fitted null hypothesis.

    Returns
    -------
    array of shape (n,)

    Raises
    ------
    InvalidDataError
        If one block alone determines a nuisance parameter.
    """
    return _without_block(null, _whitened(null))


def _whitened(null: NullModel) -> FloatArray:
    """Nuisance directions in coordinates in which their information is the identity."""
    gram = LinearDesign(null.nuisance).gram(null.weight * null.curvature)
    return np.asarray(null.nuisance @ inverse_root(gram))


def _without_block(null: NullModel, whitened: FloatArray) -> FloatArray:
    eye = np.eye(whitened.shape[1])
    changes = changes_without_block(
        whitened, null.residual, null.curvature, eye, null.blocks, clustered=null.clustered
    )
    moved = np.einsum("ij,ij->i", whitened, changes[null.blocks.codes])
    return np.asarray(null.residual + null.curvature * moved)
