"""Designs of explicit features: held in memory for a fit, or formed piece by piece for new data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from semiindex._types import FloatArray, IntArray, Matrix, is_sparse
from semiindex.index.base import Design
from semiindex.index.feature_map import FeatureMap
from semiindex.index.linear import LinearDesign
from semiindex.index.whitening import WhitenedDesign

__all__ = ["Comparisons", "FeatureDesign", "LazyDesign", "compute_features"]

#: Entries of a piece of the kernel matrix: 32 MB of float64.
_PIECE = 4_000_000
#: Largest curvature of the logistic loss in the index is 1/4: directions whose mean square is below
#: this multiple of the ridge are ruled by the ridge.
_RIDGE_SHARE = 4.0


class Comparisons:
    """Both options of every comparison, or plain differences, as dense pieces.

    Parameters
    ----------
    pairs : PreferencePairs, or matrix of shape (n, d)
        Comparisons or feature differences.
    """

    def __init__(self, pairs: Any) -> None:
        self.on_differences = not hasattr(pairs, "features0")
        self.first: Matrix = pairs if self.on_differences else pairs.features1
        self.second: Matrix | None = None if self.on_differences else pairs.features0
        self.names: tuple[str, ...] | None = None if self.on_differences else pairs.feature_names
        self.shape: tuple[int, int] = self.first.shape
        single = self.first.dtype == np.float32
        self.dtype: np.dtype[np.floating[Any]] = np.dtype(np.float32 if single else np.float64)

    def sides(self, selection: IntArray | slice) -> list[FloatArray]:
        """Option 1 and option 0, or the difference alone, of some rows as dense float64."""
        return [_dense(side[selection]) for side in (self.first, self.second) if side is not None]

    def take(self, selection: IntArray | slice) -> Comparisons:
        """Some of the comparisons."""
        part = object.__new__(Comparisons)
        part.__dict__.update(self.__dict__)
        part.first = self.first[selection]
        part.second = None if self.second is None else self.second[selection]
        part.shape = part.first.shape
        return part

    def raw(self, feature_map: FeatureMap, selection: IntArray | slice) -> FloatArray:
        """``raw(x1) - raw(x0)``, or raw of the differences."""
        first, *second = self.sides(selection)
        value = feature_map.raw(first)
        return value - feature_map.raw(second[0]) if second else value


class FeatureDesign(Design):
    """Features of every comparison, ``t = Z V theta``.

    Parameters
    ----------
    features : array of shape (n, r)
        Z; float32 stays float32 in memory, while all sums are formed in float64.
    rotation : array of shape (r, r) or None
        Orthogonal V that makes the columns of ``Z V`` nearly uncorrelated; None for the identity.
        It changes no norm, but lets a diagonal precondition the fit.
    spectrum : array of shape (r,)
        Mean squares of the columns of ``Z V``.
    """

    def __init__(self, features: FloatArray, rotation: FloatArray | None, spectrum: FloatArray) -> None:
        self.plain = LinearDesign(features)
        self.rotation, self.spectrum = rotation, spectrum
        self.n_rows, self.n_parameters = features.shape

    def matvec(self, theta: FloatArray) -> FloatArray:
        """``Z V theta``."""
        return self.plain.matvec(theta if self.rotation is None else self.rotation @ theta)

    def rmatvec(self, g: FloatArray) -> FloatArray:
        """``V' Z' g``."""
        gradient = self.plain.rmatvec(g)
        return gradient if self.rotation is None else np.asarray(self.rotation.T @ gradient)

    def gram(self, weight: FloatArray) -> FloatArray:
        """``V' Z' diag(weight) Z V``."""
        inner = self.plain.gram(weight)
        return inner if self.rotation is None else np.asarray(self.rotation.T @ inner @ self.rotation)

    def column_mean_square(self, weight: FloatArray) -> FloatArray:
        """Weighted mean square of every column."""
        if self.rotation is None:
            return self.plain.column_mean_square(weight)
        return np.asarray(np.diag(self.gram(weight)) / np.sum(weight))

    def rows(self, selection: IntArray | slice) -> FloatArray:
        """Dense rows."""
        block = self.plain.rows(selection)
        return block if self.rotation is None else np.asarray(block @ self.rotation)

    def take(self, selection: IntArray | slice) -> FeatureDesign:
        """Design of a subsample, in the same coordinates."""
        return FeatureDesign(self.plain.matrix[selection], self.rotation, self.spectrum)

    def ridge_coordinates(self, ridge: float) -> WhitenedDesign:
        """Coordinates in which the penalised curvature is about the same in every direction.

        ``theta_j = phi_j / sqrt(s_j + 4 ridge)`` with s the spectrum: the Hessian of a penalised
        logistic loss is at most 1/4 there, and not much less in any direction. Whitening by s
        alone would blow up the directions that only the ridge determines. No matrix has to be
        factorised again when the ridge changes.

        Parameters
        ----------
        ridge : float
            Penalty ``ridge / 2 * theta' theta`` of the mean loss.
        """
        return WhitenedDesign(self, 1.0 / np.sqrt(self.spectrum + _RIDGE_SHARE * ridge))


class LazyDesign(Design):
    """The same operator with features formed piece by piece, for more comparisons than fit in memory.

    Parameters
    ----------
    comparisons : Comparisons
        Sample.
    feature_map : FeatureMap
        Map of single options.
    rotation : array of shape (r, r) or None
        As in `FeatureDesign`.
    """

    def __init__(
        self, comparisons: Comparisons, feature_map: FeatureMap, rotation: FloatArray | None
    ) -> None:
        self.comparisons, self.feature_map, self.rotation = comparisons, feature_map, rotation
        self.n_rows, self.n_parameters = comparisons.shape[0], feature_map.n_features

    def _pieces(self) -> Iterator[slice]:
        return pieces(self.n_rows, self.feature_map.n_raw)

    def matvec(self, theta: FloatArray) -> FloatArray:
        """``Z V theta``, without forming Z."""
        dual = self.feature_map.dual(theta if self.rotation is None else self.rotation @ theta)
        return np.concatenate([self.comparisons.raw(self.feature_map, c) @ dual for c in self._pieces()])

    def rmatvec(self, g: FloatArray) -> FloatArray:
        """``V' Z' g``."""
        return np.asarray(sum(self.rows(c).T @ g[c] for c in self._pieces()))

    def gram(self, weight: FloatArray) -> FloatArray:
        """``V' Z' diag(weight) Z V``."""
        result = np.zeros((self.n_parameters, self.n_parameters))
        for c in self._pieces():
            block = self.rows(c) * np.sqrt(weight[c])[:, None]
            result += block.T @ block
        return result

    def column_mean_square(self, weight: FloatArray) -> FloatArray:
        """Weighted mean square of every column."""
        return np.asarray(sum((self.rows(c) ** 2).T @ weight[c] for c in self._pieces()) / np.sum(weight))

    def rows(self, selection: IntArray | slice) -> FloatArray:
        """Dense rows."""
        block = self.feature_map.features(self.comparisons.raw(self.feature_map, selection))
        return block if self.rotation is None else np.asarray(block @ self.rotation)

    def take(self, selection: IntArray | slice) -> LazyDesign:
        """Design of a subsample."""
        return LazyDesign(self.comparisons.take(selection), self.feature_map, self.rotation)


def compute_features(comparisons: Comparisons, feature_map: FeatureMap) -> FloatArray:
    """Features of every comparison, shape (n, r), in the precision of the data."""
    result = np.empty((comparisons.shape[0], feature_map.n_features), dtype=comparisons.dtype)
    for c in pieces(comparisons.shape[0], feature_map.n_raw):
        result[c] = feature_map.features(comparisons.raw(feature_map, c))
    return result


def pieces(n_rows: int, width: int) -> Iterator[slice]:
    """Consecutive rows whose products with `width` others stay small."""
    step = max(_PIECE // max(width, 1), 1)
    return (slice(start, start + step) for start in range(0, n_rows, step))


def _dense(block: Matrix) -> FloatArray:
    return np.asarray(block.toarray() if is_sparse(block) else block, dtype=np.float64)
