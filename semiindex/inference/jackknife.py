"""Covariance by leaving out one observation or one cluster at a time (HC3, CR3).

Leaving out cluster g moves the estimate, to first order in everything but the information, by

    J (H - H_g)^{-1} S_g,      H_g = sum_{i in g} w_i h_i C_i C_i',      S_g = sum_{i in g} w_i e_i C_i,

where the sandwich has ``J H^{-1} S_g``. A cluster with a large share of the information pulls the fit
towards its own labels, so that S_g is too small; the factor ``(I - H^{-1} H_g)^{-1}`` makes up for it.
"""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.exceptions import InvalidDataError
from semiindex.inference.influence import Influence

__all__ = ["jackknife_changes"]

#: What a cluster may leave of the information in its strongest direction.
_LEAST_REST = 1e-8


def jackknife_changes(influence: Influence, weight: FloatArray, codes: IntArray) -> FloatArray:
    """Changes of the estimates when each cluster is left out, with the opposite sign.

    Parameters
    ----------
    influence : Influence
        Of every row.
    weight : array of shape (n,)
        Weight of the rows in what is left out.
    codes : array of shape (n,) of int
        Cluster of every row, numbered from 0 without gaps.

    Returns
    -------
    array of shape (G, k)

    Raises
    ------
    InvalidDataError
        If the rest does not determine the coefficients.
    """
    order = np.argsort(codes, kind="stable")
    directions = influence.directions[order]
    score = (weight * influence.residual)[order, None] * directions
    information = (weight * influence.curvature)[order, None] * directions  # negative in some rows, perhaps
    if np.unique(codes).size == codes.size:  # a row's information has rank one
        return np.asarray(_inflated_rows(directions, information, score) @ influence.change.T)
    ends = np.append(np.searchsorted(codes[order], np.arange(1, int(codes.max()) + 1)), codes.size)
    changes = np.empty((ends.size, influence.n_free))
    start = 0
    for g, end in enumerate(ends):
        changes[g] = _inflated(
            directions[start:end].T @ information[start:end], score[start:end].sum(axis=0), g
        )
        start = end
    return np.asarray(changes @ influence.change.T)


def _inflated_rows(directions: FloatArray, information: FloatArray, score: FloatArray) -> FloatArray:
    """``s / (1 - l)`` for clusters of one row, l the row's leverage."""
    rest = 1 - np.einsum("ij,ij->i", directions, information)
    _require_rest(float(rest.min()), int(np.argmin(rest)))
    return np.asarray(score / rest[:, None])


def _inflated(share: FloatArray, score: FloatArray, cluster: int) -> FloatArray:
    """``(I - L)^{-1} s``, L the cluster's share of the information."""
    values, vectors = np.linalg.eigh(share)
    _require_rest(1 - float(values[-1]), cluster)
    return np.asarray(vectors @ ((vectors.T @ score) / (1 - values)))


def _require_rest(rest: float, cluster: int) -> None:
    if rest < _LEAST_REST:
        raise InvalidDataError(
            f"Without observation or cluster number {cluster} (counted as they first occur) the others do "
            "not determine all coefficients, so that the jackknife does not exist; use "
            "covariance='cluster' or 'sandwich'"
        )
