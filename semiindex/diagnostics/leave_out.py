"""How the parameters of a null model change when an independent block is left out."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidDataError
from semiindex.inference.influence import Influence
from semiindex.inference.jackknife import jackknife_changes
from semiindex.inference.sample import Observations

__all__ = ["changes_without_block", "inverse_root"]

#: Eigenvalues of the information, in units of each direction's own, that count as none.
_RANK_TOLERANCE = 1e-10


def inverse_root(information: FloatArray) -> FloatArray:
    """R with ``R R'`` a generalised inverse of a positive semidefinite matrix.

    Parameters
    ----------
    information : array of shape (p, p)
        May be singular: functions of the index that no comparison tells apart.

    Returns
    -------
    array of shape (p, r)
        r is the rank.
    """
    spread = np.sqrt(np.diag(information))
    inverse = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    eigenvalues, vectors = eigh(information * np.outer(inverse, inverse))
    kept = eigenvalues > _RANK_TOLERANCE * max(float(eigenvalues[-1]), 1.0)
    return np.asarray(inverse[:, None] * vectors[:, kept] / np.sqrt(eigenvalues[kept]))


def changes_without_block(
    directions: FloatArray,
    residual: FloatArray,
    curvature: FloatArray,
    change: FloatArray,
    blocks: Observations,
    *,
    clustered: bool,
) -> FloatArray:
    """Jackknife changes, to first order; see `jackknife_changes`.

    Parameters
    ----------
    directions : array of shape (n, r)
        Standardised: ``sum_i w_i h_i`` of their squares is the identity at most.
    residual, curvature : arrays of shape (n,)
        e and h.
    change : array of shape (k, r)
        From the standardised directions to what is asked for.
    blocks : Observations
        Independent blocks.
    clustered : bool
        Whether they are clusters, for the message.

    Returns
    -------
    array of shape (G, k)

    Raises
    ------
    InvalidDataError
        If one block alone determines some parameter.
    """
    influence = Influence(directions, residual, curvature, change)
    try:
        return jackknife_changes(influence, blocks.share, blocks.codes)
    except InvalidDataError as error:
        what = "group" if clustered else "comparison"
        raise InvalidDataError(
            f"One {what} alone determines a parameter of the fit (a feature that varies in it only, say), so "
            f"that its part in the result cannot be told; leave out that feature or {what}"
        ) from error
