"""Kernel regression of labels on the index: what smooth links and their slopes are made of.

    local constant   g(x) = sum_j K_j z_j / sum_j K_j
    local linear     min over (g, g') of sum_j K_j (z_j - g - g' (t_j - x))^2

A window may hold few observations, or none. Rule: every window also holds a pseudo-observation of
weight `PRIOR_WEIGHT`, at the query itself, whose label is the mean of all (one half for an antisymmetric
link; see `prior_label`). Where there are data it moves nothing of note; where there are none the fit
falls back on that mean with slope 0, and it gets there smoothly, so that criteria stay differentiable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray
from semiindex.link.kernel import Kernel, KernelFunction
from semiindex.link.kernel_sums import line_sums
from semiindex.link.normal_score import NormalScore

__all__ = [
    "PRIOR_WEIGHT",
    "FoldedSums",
    "LocalFit",
    "Smoothing",
    "local_constant",
    "local_linear",
    "prior_label",
]

#: Weight of the pseudo-observation in every window, in observations at its centre.
PRIOR_WEIGHT = 0.1


@dataclass(frozen=True)
class Smoothing:
    """How kernels smooth over an index: on the scale of its normal scores, with one bandwidth.

    Attributes
    ----------
    scale : NormalScore
        Map from the index to the scale of the bandwidth.
    kernel : Kernel
        Kernel.
    bandwidth : float
        In units of the normal score.
    """

    scale: NormalScore
    kernel: Kernel
    bandwidth: float


@dataclass(frozen=True)
class LocalFit:
    """Kernel regression at some points.

    Attributes
    ----------
    value : array of shape (q,)
        Fitted mean label.
    slope : array of shape (q,)
        Its derivative in the point.
    mass : array of shape (q,)
        Weight in the window, in observations at its centre.
    """

    value: FloatArray
    slope: FloatArray
    mass: FloatArray


class FoldedSums:
    """Kernel sums over points and, for an antisymmetric sample, over their mirror images too.

    Parameters
    ----------
    query : array of shape (q,)
        Where the sums are evaluated; not negative if `antisymmetric`.
    points : array of shape (n,)
        In increasing order; not negative if `antisymmetric`.
    kernel : Kernel
        K.
    bandwidth : float
        h.
    antisymmetric : bool
        Whether every point t stands for t and -t, each with half of its weight.
    """

    def __init__(
        self, query: FloatArray, points: FloatArray, kernel: Kernel, bandwidth: float, antisymmetric: bool
    ) -> None:
        self._n_mirrored = 0
        self._share = 1.0
        if antisymmetric:
            # No query is negative: mirror images further than the kernel's reach from 0 are never met.
            reach = bandwidth if kernel.power is not None else 10 * bandwidth
            self._n_mirrored = int(np.searchsorted(points, reach, side="right"))
            self._share = 0.5
        memory = np.concatenate([-points[: self._n_mirrored][::-1], points])
        self._sums = line_sums(query, memory, kernel, bandwidth)

    def __call__(
        self, even: list[FloatArray], odd: list[FloatArray], functions: tuple[KernelFunction, ...]
    ) -> list[FloatArray]:
        """Sums of columns that mirror images carry with the same sign, and with the opposite one.

        Parameters
        ----------
        even, odd : lists of arrays of shape (n,)
            Columns.
        functions : tuple of str
            See `kernel_sums`.

        Returns
        -------
        list of arrays of shape (len(even) + len(odd), q)
            One for every function.
        """
        columns = self._share * np.stack([*even, *odd])
        sign = np.repeat([1.0, -1.0], [len(even), len(odd)])
        mirrored = sign[:, None] * columns[:, : self._n_mirrored][:, ::-1]
        sums = self._sums(np.concatenate([mirrored, columns], axis=1).T, functions)
        return [column_sums.T for column_sums in sums]


def prior_label(z: FloatArray, weight: FloatArray, *, antisymmetric: bool) -> float:
    """Label of the pseudo-observation: one half, or the mean of all.

    A sample of one label counts as if it held half an observation of the other one: a probability of
    exactly 0 or 1 has no logarithm in a window that holds nothing else. Other samples keep their mean.

    Parameters
    ----------
    z, weight : arrays of shape (n,)
        Labels and frequency weights.
    antisymmetric : bool
        Whether the sample is doubled by its mirror image.
    """
    if antisymmetric:
        return 0.5
    total = float(np.sum(weight))
    least = 0.5 / (total + 1)
    return float(np.clip(np.dot(weight, z) / total, least, 1 - least))


def local_constant(
    mass: FloatArray, wins: FloatArray, mass_slope: FloatArray, wins_slope: FloatArray, prior: float
) -> LocalFit:
    """Local constant fit from kernel sums and their derivatives.

    Parameters
    ----------
    mass, wins : arrays of shape (q,)
        Sums of K times weight, and times weight and label.
    mass_slope, wins_slope : arrays of shape (q,)
        Their derivatives in the query.
    prior : float
        Label of the pseudo-observation.
    """
    total = mass + PRIOR_WEIGHT
    value = (wins + PRIOR_WEIGHT * prior) / total
    return LocalFit(value, (wins_slope - value * mass_slope) / total, mass)


def local_linear(
    mass: tuple[FloatArray, FloatArray, FloatArray],
    wins: tuple[FloatArray, FloatArray],
    kernel: Kernel,
    bandwidth: float,
    prior: float,
) -> LocalFit:
    """Local linear fit from kernel sums.

    Parameters
    ----------
    mass : tuple of three arrays of shape (q,)
        Sums of weight times K, times the displacement in bandwidths, and times its square.
    wins : tuple of two arrays of shape (q,)
        The first two with the labels.
    kernel, bandwidth
        That were summed with.
    prior : float
        Label of the pseudo-observation; it also counts as a spread of the points that is usual for
        the kernel, so that the slope of a window with a single point is 0.
    """
    s0, s1 = mass[0] + PRIOR_WEIGHT, mass[1]
    s2 = mass[2] + PRIOR_WEIGHT * kernel.variance
    t0, t1 = wins[0] + PRIOR_WEIGHT * prior, wins[1]
    determinant = s0 * s2 - s1 * s1
    value = (s2 * t0 - s1 * t1) / determinant
    return LocalFit(value, (s0 * t1 - s1 * t0) / determinant / bandwidth, mass[0])
