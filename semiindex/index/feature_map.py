"""Finite feature maps of kernels: ``k(x, y) = phi(x)' phi(y)``, so that a kernel index is linear in them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.index.kernels import BoundKernel

__all__ = ["FeatureMap", "FourierMap", "RepresenterMap", "gram_root", "project"]

#: Eigenvalues of a kernel matrix below this share of the largest are rounding noise.
_RANK_TOLERANCE = 1e-12
#: Eigenvalues below minus this share of the largest are no rounding noise.
_INDEFINITE = 1e-6


class FeatureMap(ABC):
    """``phi(x) = raw(x) T``: what has to be computed for every option, and a linear map after it.

    A difference of two options passes through T once, and a score ``raw(x) (T theta)`` not at all.
    """

    #: Number of entries of `raw`, and of phi.
    n_raw: int
    n_features: int

    @abstractmethod
    def raw(self, options: FloatArray) -> FloatArray:
        """Shape (a, n_raw), for dense options of shape (a, d)."""

    @abstractmethod
    def features(self, raw: FloatArray) -> FloatArray:
        """``raw T``, shape (a, n_features)."""

    @abstractmethod
    def dual(self, theta: FloatArray) -> FloatArray:
        """``T theta``, shape (n_raw,)."""


@dataclass(frozen=True, eq=False)
class RepresenterMap(FeatureMap):
    """Projection on the span of kernel functions at given points, or of their differences.

    With the representers ``r_j = k(first_j, .) - k(second_j, .)`` and their Gram matrix G, the
    features ``phi(x) = G^{-1/2} (r_1(x), ..., r_p(x))`` have the inner product of the projections
    on the span, so that ``theta' theta`` is the squared norm of the function. On the options (or
    comparisons) that gave the representers nothing is lost; with fewer of them it is the Nystroem
    approximation.

    Attributes
    ----------
    kernel : BoundKernel
        Kernel of two options.
    first : array of shape (p, d)
        Points.
    second : array of shape (p, d) or None
        Points subtracted; None for none.
    scale : float
        Factor of the representers: 1/2 for the odd part of a kernel, where ``second = -first``.
    transform : array of shape (p, r)
        ``G^{-1/2}`` in the eigenvectors of G, directions without extent left out.
    """

    kernel: BoundKernel
    first: FloatArray
    second: FloatArray | None
    scale: float
    transform: FloatArray

    @property
    def n_raw(self) -> int:  # type: ignore[override]
        """Number of representers."""
        return int(self.transform.shape[0])

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """Rank of their Gram matrix."""
        return int(self.transform.shape[1])

    def raw(self, options: FloatArray) -> FloatArray:
        """Representers at the options."""
        return representers(self.kernel, options, self.first, self.second, self.scale)

    def features(self, raw: FloatArray) -> FloatArray:
        """``G^{-1/2} r(x)``."""
        return np.asarray(raw @ self.transform)

    def dual(self, theta: FloatArray) -> FloatArray:
        """Coefficients of the representers."""
        return np.asarray(self.transform @ theta)


@dataclass(frozen=True, eq=False)
class FourierMap(FeatureMap):
    """Random Fourier features of a Gaussian kernel.

    ``exp(-gamma |x - y|^2)`` is the mean of ``cos(w'x) cos(w'y) + sin(w'x) sin(w'y)`` over normal w
    of variance ``2 gamma``, and its odd part the mean of ``sin(w'x) sin(w'y)``.

    Attributes
    ----------
    frequencies : array of shape (d, m)
        The w.
    odd : bool
        Sines only.

    References
    ----------
    Rahimi & Recht 2007.
    """

    frequencies: FloatArray
    odd: bool

    @property
    def n_raw(self) -> int:  # type: ignore[override]
        """Number of waves."""
        return int(self.frequencies.shape[1]) * (1 if self.odd else 2)

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """Number of waves."""
        return self.n_raw

    def raw(self, options: FloatArray) -> FloatArray:
        """Waves at the options, of mean square 1/2 over their number."""
        angle = options @ self.frequencies
        root = np.sqrt(angle.shape[1])
        if self.odd:
            return np.asarray(np.sin(angle) / root)
        return np.hstack([np.cos(angle) / root, np.sin(angle) / root])

    def features(self, raw: FloatArray) -> FloatArray:
        """The waves themselves."""
        return raw

    def dual(self, theta: FloatArray) -> FloatArray:
        """The parameters themselves."""
        return theta


def representers(
    kernel: BoundKernel,
    options: FloatArray,
    first: FloatArray,
    second: FloatArray | None,
    scale: float,
) -> FloatArray:
    """``scale (k(x, first_j) - k(x, second_j))``, shape (a, p)."""
    value = kernel(options, first)
    if second is not None:
        value -= kernel(options, second)
    if scale != 1:
        value *= scale
    return value


def project(
    kernel: BoundKernel, first: FloatArray, second: FloatArray | None, scale: float
) -> tuple[RepresenterMap, FloatArray]:
    """Map of the representers ``scale (k(first_j, .) - k(second_j, .))``, and their own features.

    Parameters
    ----------
    kernel : BoundKernel
        Kernel of two options.
    first, second, scale
        As in `RepresenterMap`.

    Returns
    -------
    feature_map : RepresenterMap
        Projection on their span.
    root : array of shape (p, r)
        Root of their Gram matrix.
    """
    gram = representers(kernel, first, first, second, scale)
    if second is not None and scale == 1:
        gram -= representers(kernel, second, first, second, scale)
    root, inverse = gram_root(gram)
    return RepresenterMap(kernel, first, second, scale, inverse), root


def gram_root(gram: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Roots of a positive semidefinite matrix in its eigenvectors.

    Parameters
    ----------
    gram : array of shape (p, p)
        Gram matrix of a kernel.

    Returns
    -------
    root, inverse : arrays of shape (p, r)
        ``root root' = gram``, ``root' inverse = I``; r is the numerical rank.

    Raises
    ------
    InvalidParameterError
        If the matrix is not symmetric, or has clearly negative eigenvalues.
    """
    size = float(np.abs(gram).max(initial=0.0))
    if not np.isfinite(size) or float(np.abs(gram - gram.T).max(initial=0.0)) > 1e-8 * size:
        raise InvalidParameterError(
            "kernel: k(x, y) and k(y, x) differ, or are not finite; a kernel is symmetric (and on plain "
            "differences k(-x, -y) = k(x, y))"
        )
    if size == 0:
        return np.zeros((gram.shape[0], 0)), np.zeros((gram.shape[0], 0))
    eigenvalues, vectors = eigh(gram)
    if eigenvalues[0] < -_INDEFINITE * eigenvalues[-1]:
        raise InvalidParameterError(
            "kernel: it is not positive definite (its matrix on these options has eigenvalues from "
            f"{eigenvalues[0]:.3g} to {eigenvalues[-1]:.3g}), so that it defines no norm; choose other "
            "parameters, or another kernel"
        )
    kept = eigenvalues > _RANK_TOLERANCE * eigenvalues[-1]
    roots, vectors = np.sqrt(eigenvalues[kept]), vectors[:, kept]
    return vectors * roots, vectors / roots
