"""Covariance from influence functions: independent observations, clusters, clusters in two ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.linalg import eigh

from semiindex._types import FloatArray, IntArray
from semiindex.exceptions import InvalidDataError
from semiindex.index.linear import LinearDesign
from semiindex.inference.influence import Influence
from semiindex.inference.jackknife import jackknife_changes
from semiindex.inference.sample import Observations

__all__ = [
    "CovarianceEstimate",
    "cluster_covariance",
    "jackknife_covariance",
    "sandwich_covariance",
    "sums_by_code",
    "two_way_covariance",
]

#: Clusters below which a remark is made.
_FEW_CLUSTERS = 20


@dataclass(frozen=True)
class CovarianceEstimate:
    """A covariance matrix and how it came about.

    Attributes
    ----------
    matrix : array of shape (k, k)
        Covariance of the estimates.
    kind : {"sandwich", "cluster", "two-way", "jackknife", "bootstrap"}
        The estimator.
    description : str
        The estimator in words.
    degrees_of_freedom : int or None
        Of the t distribution that intervals and tests refer to; None for the normal one.
    n_clusters : tuple of int
        Number of clusters, one entry for every way of clustering.
    notes : tuple of str
        What should be known about it.
    """

    matrix: FloatArray
    kind: str
    description: str
    degrees_of_freedom: int | None = None
    n_clusters: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def sandwich_covariance(psi: FloatArray, observations: Observations, n_free: int) -> CovarianceEstimate:
    """Sandwich of independent observations, ``n / (n - k) * sum_o f_o (sum of psi in o)^2``.

    Parameters
    ----------
    psi : array of shape (n, k)
        Influence of every row per unit of weight.
    observations : Observations
        Which rows are one observation.
    n_free : int
        Free directions among the parameters, for the small-sample factor (that of HC1).

    Returns
    -------
    CovarianceEstimate
    """
    sums: FloatArray = psi * observations.share[:, None]
    if observations.frequency.size < len(psi):
        sums = sums_by_code(sums, observations.codes)
    factor = _degrees(observations.total, n_free)
    matrix = factor * LinearDesign(sums).gram(observations.frequency)
    return CovarianceEstimate(
        matrix, "sandwich", "sandwich of independent comparisons (HC1: factor n/(n - k))"
    )


def jackknife_covariance(
    influence: Influence, weight: FloatArray, observations: Observations, clusters: IntArray | None
) -> CovarianceEstimate:
    """Leave out one cluster at a time, ``(G - 1) / G * sum_g (change)^2`` (CR3), or one observation (HC3).

    Parameters
    ----------
    influence : Influence
        Of every row.
    weight : array of shape (n,)
        Frequency weights.
    observations : Observations
        Which rows are one observation.
    clusters : array of shape (n,) of int, or None
        Cluster of every row; None leaves out single copies of observations.

    Returns
    -------
    CovarianceEstimate
    """
    if clusters is None:
        changes = jackknife_changes(influence, observations.share, observations.codes)
        total = observations.total
        matrix = (total - 1) / total * LinearDesign(changes).gram(observations.frequency)
        return CovarianceEstimate(matrix, "jackknife", "jackknife, one comparison left out at a time (HC3)")
    codes = np.unique(clusters, return_inverse=True)[1]
    count = _count(codes)
    changes = jackknife_changes(influence, weight, codes)
    return CovarianceEstimate(
        (count - 1) / count * (changes.T @ changes),
        "jackknife",
        f"jackknife, one of {count} clusters left out at a time (CR3); t with {count - 1} degrees of freedom",
        degrees_of_freedom=count - 1,
        n_clusters=(count,),
    )


def cluster_covariance(psi: FloatArray, weight: FloatArray, clusters: IntArray) -> CovarianceEstimate:
    """Sandwich of independent clusters, ``G / (G - 1) * sum_g (sum of w psi in g)^2`` (CR1).

    Parameters
    ----------
    psi : array of shape (n, k)
        Influence of every row per unit of weight.
    weight : array of shape (n,)
        Frequency weights.
    clusters : array of shape (n,) of int
        Cluster of every row.

    Returns
    -------
    CovarianceEstimate
    """
    matrix, count = _clustered(psi * weight[:, None], clusters)
    return CovarianceEstimate(
        matrix,
        "cluster",
        f"clustered, {count} clusters (CR1: factor G/(G - 1)); t with {count - 1} degrees of freedom",
        degrees_of_freedom=count - 1,
        n_clusters=(count,),
        notes=_few((count,)),
    )


def two_way_covariance(
    psi: FloatArray, weight: FloatArray, first: IntArray, second: IntArray
) -> CovarianceEstimate:
    """Clusters in two ways, ``V_1 + V_2 - V_12`` (Cameron, Gelbach & Miller 2011).

    V_12 is that of the intersections; every term has its own factor ``G / (G - 1)``. The difference
    need not be positive semidefinite: negative eigenvalues are then set to 0, and a note says so.

    Parameters
    ----------
    psi : array of shape (n, k)
        Influence of every row per unit of weight.
    weight : array of shape (n,)
        Frequency weights.
    first, second : arrays of shape (n,) of int
        Clusters of every row.

    Returns
    -------
    CovarianceEstimate
    """
    weighted = psi * weight[:, None]
    both = np.unique(first.astype(np.int64) * (int(second.max()) + 1) + second, return_inverse=True)[1]
    (v1, g1), (v2, g2), (v12, _) = (_clustered(weighted, codes) for codes in (first, second, both))
    matrix, repaired = _positive(v1 + v2 - v12)
    notes = _few((g1, g2))
    if repaired:
        notes += (
            "The two-way covariance had negative eigenvalues, which were set to 0 (Cameron, Gelbach & "
            "Miller 2011).",
        )
    fewest = min(g1, g2)
    return CovarianceEstimate(
        matrix,
        "two-way",
        f"clustered in two ways, {g1} and {g2} clusters (CR1 each); t with {fewest - 1} degrees of freedom",
        degrees_of_freedom=fewest - 1,
        n_clusters=(g1, g2),
        notes=notes,
    )


def sums_by_code(rows: FloatArray, codes: IntArray) -> FloatArray:
    """Sums of rows that share a code, shape (m, k).

    Parameters
    ----------
    rows : array of shape (n, k)
        What to sum.
    codes : array of shape (n,) of int
        Numbers from 0 to m - 1.
    """
    count = int(codes.max()) + 1
    indicator = sp.csr_array((np.ones(codes.size), (codes, np.arange(codes.size))), shape=(count, codes.size))
    return np.asarray(indicator @ rows)


def _clustered(weighted: FloatArray, clusters: IntArray) -> tuple[FloatArray, int]:
    count = _count(clusters)
    sums = sums_by_code(weighted, clusters)
    return count / (count - 1) * (sums.T @ sums), count


def _count(clusters: IntArray) -> int:
    count = int(np.unique(clusters).size)
    if count < 2:
        raise InvalidDataError(
            "groups names a single cluster, and clusters are what is independent: with one there is no "
            "standard error"
        )
    return count


def _degrees(total: float, n_free: int) -> float:
    if not total > n_free:
        raise InvalidDataError(
            f"There are {total:g} comparisons for {n_free} free coefficients: too few for standard errors"
        )
    return total / (total - n_free)


def _positive(matrix: FloatArray) -> tuple[FloatArray, bool]:
    """Nearest positive semidefinite matrix, and whether it is another one."""
    eigenvalues, vectors = eigh(matrix)
    if eigenvalues[0] >= -1e-12 * max(float(eigenvalues[-1]), 0.0):
        return matrix, False
    return np.asarray((vectors * np.maximum(eigenvalues, 0.0)) @ vectors.T), True


def _few(counts: tuple[int, ...]) -> tuple[str, ...]:
    if min(counts) >= _FEW_CLUSTERS:
        return ()
    return (
        f"With {min(counts)} clusters the sandwich tends to be too small; treat borderline results with "
        "care.",
    )
