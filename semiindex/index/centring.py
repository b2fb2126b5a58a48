"""Centred coordinates: a link that absorbs location sees the index minus its mean."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.index.whitening import WhitenedDesign

__all__ = ["CentredDesign", "centred"]

#: Share of the mean square of a coordinate that is variation, below which it counts as a constant.
_LEAST_VARIATION = 1e-10


class CentredDesign(WhitenedDesign):
    """``t = A T phi - m' phi``, m the mean of the rows of ``A T``.

    The mean is taken off the index and not off the rows, so that a sparse design stays sparse.

    Parameters
    ----------
    inner : WhitenedDesign
        The design with its mean.
    mean : array of shape (r,)
        m; a subsample keeps that of the whole.
    """

    def __init__(self, inner: WhitenedDesign, mean: FloatArray) -> None:
        super().__init__(inner.design, inner.basis)
        self.inner, self.mean = inner, mean

    @classmethod
    def of(cls, whitened: WhitenedDesign, weight: FloatArray) -> CentredDesign:
        """A design about its weighted mean, in the coordinates that it has."""
        return cls(whitened, whitened.rmatvec(weight) / np.sum(weight))

    def location(self, phi: FloatArray) -> float:
        """``m' phi``: mean of the index before centring."""
        return float(self.mean @ phi)

    def matvec(self, theta: FloatArray) -> FloatArray:
        """``A T phi - m' phi``."""
        return np.asarray(self.inner.matvec(theta) - self.mean @ theta)

    def rmatvec(self, g: FloatArray) -> FloatArray:
        """``T' A' g - m sum g``."""
        return np.asarray(self.inner.rmatvec(g) - self.mean * np.sum(g))

    def gram(self, weight: FloatArray) -> FloatArray:
        """Gram matrix of the centred rows."""
        cross = np.outer(self.inner.rmatvec(weight), self.mean)
        square = np.sum(weight) * np.outer(self.mean, self.mean)
        return np.asarray(self.inner.gram(weight) - cross - cross.T + square)

    def column_mean_square(self, weight: FloatArray) -> FloatArray:
        """Weighted mean square of every centred column."""
        if self.basis.ndim == 2:
            return super().column_mean_square(weight)
        average = self.inner.rmatvec(weight) / np.sum(weight)
        square = self.inner.column_mean_square(weight) - 2 * average * self.mean + self.mean**2
        return np.asarray(np.maximum(square, 0.0))

    def rows(self, selection: IntArray | slice) -> FloatArray:
        """Dense centred rows."""
        return np.asarray(self.inner.rows(selection) - self.mean)

    def take(self, selection: IntArray | slice) -> CentredDesign:
        """Design of a subsample, about the mean of the whole."""
        return CentredDesign(self.inner.take(selection), self.mean)


def centred(whitened: WhitenedDesign, weight: FloatArray) -> CentredDesign:
    """Centre a whitened design, and whiten it again.

    With a Gram matrix ``I`` before and ``I - m m'`` after centring, the new coordinates are
    ``(I - m m')^(1/2) phi``: in closed form, without another pass over the rows. Coordinates of columns that
    were only scaled are scaled again. Where the index does not vary but for its mean a coordinate
    keeps its length: nothing but a penalty determines it.

    Parameters
    ----------
    whitened : WhitenedDesign
        As `whiten` returns it; columns need not have unit mean square.
    weight : array of shape (n,)
        Frequency weights.

    Returns
    -------
    CentredDesign
        Whose index has the weighted mean 0 for all parameters.
    """
    basis, mean = whitened.basis, whitened.rmatvec(weight) / np.sum(weight)
    if basis.ndim == 1:
        square = whitened.column_mean_square(weight)
        share = np.divide(square - mean**2, square, out=np.ones_like(square), where=square > 0)
        stretch = 1 / np.sqrt(np.where(share > _LEAST_VARIATION, share, 1.0))
        return CentredDesign(WhitenedDesign(whitened.design, basis * stretch), mean * stretch)
    length = float(mean @ mean)
    if 0 < length < 1 - _LEAST_VARIATION:
        growth = 1 / np.sqrt(1 - length)
        basis = basis + np.outer(basis @ mean, mean) * ((growth - 1) / length)
        mean = mean * growth
    return CentredDesign(WhitenedDesign(whitened.design, basis), mean)
