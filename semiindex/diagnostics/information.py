"""Efficient information: which directions of the coefficients the comparisons determine, and how well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, null_space

from semiindex._types import FloatArray
from semiindex.diagnostics.score_process import NullModel
from semiindex.index.linear import LinearDesign
from semiindex.index.whitening import whiten
from semiindex.inference.conditional_mean import centred, index_basis
from semiindex.inference.covariance import sums_by_code
from semiindex.inference.sample import InferenceSample
from semiindex.link.base import Link

__all__ = ["DirectionalInformation", "directional_information"]

#: Information relative to that of the known link below which there is none.
_NONE = 1e-8


@dataclass(frozen=True, eq=False)
class DirectionalInformation:
    """Directions orthogonal to the index, the worst determined one first.

    Attributes
    ----------
    loadings : array of shape (k, d)
        Coefficients times the spread of their features.
    shares : array of shape (k,)
        Information with an estimated link over that with a known one (scale free): what the link
        leaves of it. 1 if the features' mean given the index is linear in it, 0 if the index
        determines them.
    errors : array of shape (k,)
        Standard errors in degrees: by how much the index may be turned towards the direction.
    link_known : bool
        Whether they are those of a fit that knows its link; else the link is estimated too.
    """

    loadings: FloatArray
    shares: FloatArray
    errors: FloatArray
    link_known: bool = False


def directional_information(
    sample: InferenceSample,
    null: NullModel,
    link: Link,
    *,
    antisymmetric: bool,
    link_known: bool = False,
) -> DirectionalInformation:
    """Principal directions of the sampling error of the index, :eq:`direction-error`.

    Parameters
    ----------
    sample : InferenceSample
        The data.
    null : NullModel
        A smooth fit to them, by `smooth_null`.
    link : Link
        Its link.
    antisymmetric : bool
        Whether position has no effect.
    link_known : bool, default=False
        Whether the errors are to be those of a fit that knows its link.
    """
    whitened, _ = whiten(LinearDesign(sample.differences), sample.weight)
    rows = whitened.rows(slice(None))
    rate = link.slope(null.t) / null.curvature  # slope of the logit
    weight = null.weight * null.curvature * rate**2
    basis = index_basis(null.t, sample.weight, antisymmetric=antisymmetric)
    direction = rows.T @ (null.weight * null.t)
    tangent = null_space(direction[None, :] / np.linalg.norm(direction))
    link_free = centred(rows.copy(), basis, weight) @ tangent
    scale_free = _scale_free(rows, null.t, weight, antisymmetric=antisymmetric) @ tangent
    information = LinearDesign(link_free).gram(weight)
    known = LinearDesign(scale_free).gram(weight)
    inverse = _inverse(known if link_known else information, known)
    score = (null.blocks.share * null.residual * rate)[:, None] * (scale_free if link_known else link_free)
    sums = sums_by_code(score, null.blocks.codes)
    middle = LinearDesign(sums).gram(null.blocks.frequency)
    variances, vectors = eigh(inverse @ middle @ inverse)
    shares = np.diag(vectors.T @ information @ vectors) / np.diag(vectors.T @ known @ vectors)
    errors = np.degrees(np.sqrt(np.maximum(variances, 0.0)))
    if not link_known:
        errors[shares <= _NONE] = np.inf
    order = np.argsort(-errors, kind="stable")
    spread = np.sqrt(np.diag(sample.second_moment))
    loadings = (whitened.basis @ tangent @ vectors).T * spread
    return DirectionalInformation(
        loadings[order], np.clip(shares[order], 0.0, 1.0), errors[order], link_known
    )


def _scale_free(rows: FloatArray, t: FloatArray, weight: FloatArray, *, antisymmetric: bool) -> FloatArray:
    """Rows minus their regression on the index, and on a constant beside a position effect."""
    nuisance = t[:, None] if antisymmetric else np.column_stack([t, np.ones(t.size)])
    root = np.sqrt(weight)[:, None]
    fitted, *_ = np.linalg.lstsq(root * nuisance, root * rows)
    return np.asarray(rows - nuisance @ fitted)


def _inverse(information: FloatArray, known: FloatArray) -> FloatArray:
    """Generalised inverse: directions without information are left out, and marked by their share."""
    eigenvalues, vectors = eigh(information)
    kept = eigenvalues > _NONE * float(np.trace(known)) / len(known)
    return np.asarray((vectors[:, kept] / eigenvalues[kept]) @ vectors[:, kept].T)
