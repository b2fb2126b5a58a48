"""A free shift of a known link: one more column of ones beside a whitened design."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.index.whitening import WhitenedDesign

__all__ = ["ShiftedDesign"]


class ShiftedDesign(WhitenedDesign):
    """``t = A T phi + b``: the last parameter is the shift b (a position effect).

    It belongs to the link, so that no penalty in theta acts on it.

    Parameters
    ----------
    inner : WhitenedDesign
        The design without the shift.
    """

    def __init__(self, inner: WhitenedDesign) -> None:
        super().__init__(inner.design, inner.basis)
        self.inner = inner
        self.n_parameters = inner.n_parameters + 1

    def to_theta(self, phi: FloatArray) -> FloatArray:
        """Parameters of the original design, the shift left out."""
        return self.inner.to_theta(phi[:-1])

    def matvec(self, theta: FloatArray) -> FloatArray:
        """``A T phi + b``."""
        return np.asarray(self.inner.matvec(theta[:-1]) + theta[-1])

    def rmatvec(self, g: FloatArray) -> FloatArray:
        """``(T' A' g, sum g)``."""
        return np.append(self.inner.rmatvec(g), np.sum(g))

    def gram(self, weight: FloatArray) -> FloatArray:
        """Gram matrix with the column of ones."""
        cross = self.inner.rmatvec(weight)
        return np.block([[self.inner.gram(weight), cross[:, None]], [cross[None, :], np.sum(weight)]])

    def column_mean_square(self, weight: FloatArray) -> FloatArray:
        """Mean squares of the columns, 1 for the shift."""
        return np.append(self.inner.column_mean_square(weight), 1.0)

    def rows(self, selection: IntArray | slice) -> FloatArray:
        """Dense rows with a last column of ones."""
        block = self.inner.rows(selection)
        return np.column_stack([block, np.ones(block.shape[0])])

    def take(self, selection: IntArray | slice) -> ShiftedDesign:
        """The design of a subsample."""
        return ShiftedDesign(self.inner.take(selection))

    def penalty_matvec(self, phi: FloatArray) -> FloatArray:
        """Penalty of the inner parameters; none on the shift."""
        return np.append(self.inner.penalty_matvec(phi[:-1]), 0.0)

    def penalty_matrix(self) -> FloatArray:
        """Its matrix."""
        return np.pad(self.inner.penalty_matrix(), (0, 1))

    def penalty_diagonal(self) -> FloatArray:
        """Its diagonal."""
        return np.append(self.inner.penalty_diagonal(), 0.0)
