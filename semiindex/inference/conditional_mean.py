"""Mean of the feature differences given the index, by regression on a spline of the index.

The efficient score and the isotonic score see features through ``C = D - E[D | t]`` only. The mean is
estimated by least squares on cubic B-splines with many knots. Their span contains the index itself,
so that ``theta' C = 0`` holds exactly, as it does for the mean itself. For an antisymmetric model the
mean is an odd function of the index (that of the sample doubled by its mirror image): the basis is
then the B-splines of ``|t|`` that vanish at 0, times the sign of t.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.interpolate import BSpline
from scipy.linalg import eigh

from semiindex._types import FloatArray
from semiindex.link.monotone_spline import weighted_quantiles

__all__ = ["centred", "index_basis"]

_DEGREE = 3
#: Knots: this times the cube root of the sample size; splines of that many err by n^(-4/3) where the
#: mean is smooth, and cost a share of n^(-2/3) of the degrees of freedom.
_KNOTS_PER_CUBE_ROOT = 1.5
_FEWEST, _MOST = 4, 60
#: Directions of the basis whose share of the largest eigenvalue is below this hold no observation.
_RANK_TOLERANCE = 1e-10


def index_basis(t: FloatArray, weight: FloatArray, *, antisymmetric: bool) -> sp.csr_array:
    """B-splines of the index with knots at its quantiles.

    Parameters
    ----------
    t : array of shape (n,)
        Index.
    weight : array of shape (n,)
        Frequency weights, whose sum sets the number of knots.
    antisymmetric : bool
        Whether to span odd functions only.

    Returns
    -------
    sparse array of shape (n, k)
        At most four entries in a row.
    """
    points = np.abs(t) if antisymmetric else t
    number = int(np.clip(_KNOTS_PER_CUBE_ROOT * np.cbrt(np.sum(weight)), _FEWEST, _MOST))
    low, high = (0.0 if antisymmetric else float(points.min())), float(points.max())
    if not high > low:
        return sp.csr_array(np.ones((t.size, 1)) if not antisymmetric else np.zeros((t.size, 1)))
    quantiles = weighted_quantiles(points, weight, np.arange(1, number) / number)
    inner = np.unique(quantiles[(quantiles > low) & (quantiles < high)])
    knots = np.concatenate([[low] * (_DEGREE + 1), inner, [high] * (_DEGREE + 1)])
    basis = sp.csr_array(BSpline.design_matrix(points, knots, _DEGREE))
    if not antisymmetric:
        return basis
    return sp.csr_array(sp.diags_array(np.sign(t)) @ basis[:, 1:])


def centred(rows: FloatArray, basis: sp.csr_array, weight: FloatArray) -> FloatArray:
    """Rows minus their weighted regression on a basis.

    Parameters
    ----------
    rows : array of shape (n, d)
        Feature differences.
    basis : sparse array of shape (n, k)
        See `index_basis`.
    weight : array of shape (n,)
        Nonnegative weights of the regression.

    Returns
    -------
    array of shape (n, d)
        ``C = D - E[D | t]``.
    """
    weighted = sp.csr_array(sp.diags_array(weight) @ basis)
    gram = np.asarray((basis.T @ weighted).todense())
    eigenvalues, vectors = eigh(gram)
    kept = eigenvalues > _RANK_TOLERANCE * max(float(eigenvalues[-1]), 0.0)
    inverse = (vectors[:, kept] / eigenvalues[kept]) @ vectors[:, kept].T
    mean = np.asarray(basis @ (inverse @ (weighted.T @ rows)))
    return np.asarray(np.subtract(rows, mean, out=mean))
