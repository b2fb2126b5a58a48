"""Whitened coordinates: parameters in which the index has unit curvature in every direction.

With ``Sigma = D'WD / sum(w)`` and ``theta = T phi``, ``T' Sigma T = I``, the norm of phi is the root
mean square of the index. Every driver works in phi: its steps do not depend on the units of the
features, and rescaling a feature rescales its coefficient exactly. Directions in which the
differences do not vary are left out, so that the answer is the least-norm one.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.linalg import eigh, null_space, solve_triangular

from semiindex._types import FloatArray, IntArray
from semiindex.index.base import Design

__all__ = ["WhitenedDesign", "whiten", "without_constant"]

#: Up to this number of parameters the full matrix Sigma is formed; above it only its diagonal.
_DENSE_LIMIT = 2_000
#: Up to this number of entries a design with more parameters than rows is handled as a dense array.
_WIDE_ENTRIES = 40_000_000
#: Eigenvalues of the correlation form of Sigma below this are directions without variation: they
#: are rounding noise of a matrix whose largest eigenvalue is between 1 and d.
_RANK_TOLERANCE = 1e-11
#: Share of a constant that the features may leave unexplained and still count as containing it.
_CONSTANT_TOLERANCE = 1e-10


class WhitenedDesign(Design):
    """A design seen through ``theta = T phi``.

    Parameters
    ----------
    design : Design
        The design in theta.
    basis : array of shape (d, r) or (d,)
        T, or its diagonal.
    """

    def __init__(self, design: Design, basis: FloatArray) -> None:
        self.design = design
        self.basis = basis
        self.n_rows = design.n_rows
        self.n_parameters = basis.shape[-1]

    def to_theta(self, phi: FloatArray) -> FloatArray:
        """Parameters of the original design."""
        return np.asarray(self.basis @ phi if self.basis.ndim == 2 else self.basis * phi)

    def matvec(self, theta: FloatArray) -> FloatArray:
        """``A T phi``."""
        return self.design.matvec(self.to_theta(theta))

    def rmatvec(self, g: FloatArray) -> FloatArray:
        """``T' A' g``."""
        gradient = self.design.rmatvec(g)
        return np.asarray(self.basis.T @ gradient if self.basis.ndim == 2 else self.basis * gradient)

    def gram(self, weight: FloatArray) -> FloatArray:
        """``T' A' diag(weight) A T``."""
        inner = self.design.gram(weight)
        if self.basis.ndim == 1:
            return inner * np.outer(self.basis, self.basis)
        return np.asarray(self.basis.T @ inner @ self.basis)

    def column_mean_square(self, weight: FloatArray) -> FloatArray:
        """Weighted mean square of every whitened column."""
        if self.basis.ndim == 1:
            return self.design.column_mean_square(weight) * self.basis**2
        return np.diag(self.gram(weight)) / np.sum(weight)

    def rows(self, selection: IntArray | slice) -> FloatArray:
        """Dense whitened rows."""
        block = self.design.rows(selection)
        return np.asarray(block @ self.basis if self.basis.ndim == 2 else block * self.basis)

    def take(self, selection: IntArray | slice) -> WhitenedDesign:
        """Whitened design of a subsample, in the same coordinates."""
        return WhitenedDesign(self.design.take(selection), self.basis)

    def penalty_matvec(self, phi: FloatArray) -> FloatArray:
        """``T' P T phi``, P the penalty of the original design."""
        weighted = self.design.penalty_diagonal() * self.to_theta(phi)
        return np.asarray(self.basis.T @ weighted if self.basis.ndim == 2 else self.basis * weighted)

    def penalty_matrix(self) -> FloatArray:
        """``T' P T``."""
        diagonal = self.design.penalty_diagonal()
        if self.basis.ndim == 1:
            return np.diag(diagonal * self.basis**2)
        return np.asarray(self.basis.T @ (diagonal[:, None] * self.basis))

    def penalty_diagonal(self) -> FloatArray:
        """Diagonal of ``T' P T``."""
        square, diagonal = self.basis**2, self.design.penalty_diagonal()
        return np.asarray(diagonal @ square if square.ndim == 2 else diagonal * square)


def whiten(
    design: Design, weight: FloatArray, *, least_norm: Literal["spread", "penalty"] = "spread"
) -> tuple[WhitenedDesign, FloatArray]:
    """Choose coordinates in which the weighted mean square of the index is the squared norm.

    Parameters
    ----------
    design : Design
        Operator on n comparisons.
    weight : array of shape (n,)
        Frequency weights.
    least_norm : {"spread", "penalty"}, default="spread"
        Which of the parameters with the same index are reached where there are several: those of
        least norm in units of each column's root mean square, or those of least penalty (a ridge
        chooses among no others, so that its minimum is kept).

    Returns
    -------
    whitened : WhitenedDesign
        With r <= d columns, r the rank of the differences (r = d for more than 2000 parameters,
        where only the columns are scaled).
    null_directions : array of shape (d, k)
        Not listed (k = 0) where there are too many parameters for a matrix. Else:
        Orthonormal directions, in units of column root mean squares, that do not move the index
        of any comparison.
    """
    wide = design.n_parameters > design.n_rows
    if wide and design.n_rows <= _DENSE_LIMIT and design.n_rows * design.n_parameters <= _WIDE_ENTRIES:
        return _whiten_wide(design, weight, least_norm)
    if design.n_parameters > _DENSE_LIMIT:
        mean_square = design.column_mean_square(weight)
        scale = np.sqrt(mean_square)
        basis = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
        return WhitenedDesign(design, basis), np.zeros((design.n_parameters, 0))
    sigma = design.gram(weight) / np.sum(weight)
    whitened, null = _whiten_gram(design, sigma)
    if least_norm == "penalty" and null.shape[1] > 0:
        spread = np.sqrt(np.diag(sigma))
        directions = null / np.where(spread > 0, spread, 1.0)[:, None]
        root = np.sqrt(design.penalty_diagonal())[:, None]
        shift, *_ = np.linalg.lstsq(root * directions, root * whitened.basis)
        whitened = WhitenedDesign(design, whitened.basis - directions @ shift)
    return whitened, null


def without_constant(
    whitened: WhitenedDesign, weight: FloatArray
) -> tuple[WhitenedDesign, FloatArray | None]:
    """Leave out the direction along which every index moves alike, if there is one.

    Beside a free shift of the link that direction is not identified. Kept are the parameters of
    least norm in units of each column's root mean square: a constant column gets 0.

    Parameters
    ----------
    whitened : WhitenedDesign
        As `whiten` returns it.
    weight : array of shape (n,)
        Frequency weights.

    Returns
    -------
    whitened : WhitenedDesign
        With one column less, or as it was.
    direction : array of shape (d,) or None
        How much each parameter takes part, relative to the largest one.
    """
    mean = whitened.rmatvec(weight) / np.sum(weight)
    if whitened.basis.ndim == 1 or abs(1 - float(mean @ mean)) > _CONSTANT_TOLERANCE:
        return whitened, None
    scale = np.sqrt(whitened.design.column_mean_square(weight))
    direction = scale * whitened.to_theta(mean)
    normal = whitened.basis.T @ (scale * direction)
    kept = null_space(normal[None, :] / np.linalg.norm(normal))
    size = np.abs(direction)
    return WhitenedDesign(whitened.design, whitened.basis @ kept), size / size.max()


def _whiten_gram(design: Design, sigma: FloatArray) -> tuple[WhitenedDesign, FloatArray]:
    scale = np.sqrt(np.diag(sigma))
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    eigenvalues, vectors = eigh(sigma * np.outer(inverse, inverse))
    kept = eigenvalues > _RANK_TOLERANCE * max(float(eigenvalues[-1]), 1.0)
    basis = inverse[:, None] * vectors[:, kept] / np.sqrt(eigenvalues[kept])
    return WhitenedDesign(design, basis), vectors[:, ~kept]


def _whiten_wide(
    design: Design, weight: FloatArray, least_norm: Literal["spread", "penalty"]
) -> tuple[WhitenedDesign, FloatArray]:
    """More parameters than comparisons: work in the span of the rows.

    Null directions are not returned one by one (there are at least d - n): an empty array with the
    right number of rows stands for them, the caller knows d > n.
    """
    rows = design.rows(slice(None)) * np.sqrt(weight / np.sum(weight))[:, None]
    scale = np.sqrt(np.sum(rows**2, axis=0))
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    standardised = rows * inverse
    eigenvalues, vectors = eigh(standardised @ standardised.T)
    kept = eigenvalues > _RANK_TOLERANCE * max(float(eigenvalues[-1]), 1.0)
    basis = inverse[:, None] * (standardised.T @ vectors[:, kept]) / eigenvalues[kept]
    if least_norm == "penalty":  # the least-penalty parameters with the same index
        root = np.sqrt(design.penalty_diagonal())
        orthonormal, triangle = np.linalg.qr((rows / root).T @ vectors[:, kept])
        inverse_triangle = solve_triangular(triangle, np.eye(triangle.shape[0]))
        basis = orthonormal @ inverse_triangle.T / root[:, None]
    return WhitenedDesign(design, basis), np.zeros((design.n_parameters, 0))
