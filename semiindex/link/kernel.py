"""Kernels of smoothing, scaled to one at 0: the bandwidth says how far, the kernel how.

A regression by kernels is a ratio of sums, so that a constant factor of the kernel is of no account.
The kernels of bounded support are ``(1 - u^2)^p`` on [-1, 1] with p = 1, 2, 3; their sums are exact
by sums of powers. The Gaussian one is ``exp(-u^2 / 2)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.polynomial import Polynomial

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError

__all__ = ["KERNELS", "Kernel", "KernelFunction", "get_kernel"]

#: Functions of ``u = (x - t) / h`` whose sums are formed: K, its derivative, K times the
#: displacement ``-u`` of the memory point from the query, and K times its square.
KernelFunction = Literal["value", "slope", "first", "second"]


@dataclass(frozen=True)
class Kernel:
    """An even kernel with value 1 at 0.

    Parameters
    ----------
    name : str
        Its name in estimators.
    power : int or None
        p of ``(1 - u^2)^p`` on [-1, 1]; None for the Gaussian kernel.
    roughness, variance : float
        Integral of the square, and second moment, of the kernel as a density.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.link.kernel import get_kernel
    >>> get_kernel("biweight")("value", np.array([0.0, 0.5, 2.0]))
    array([1.    , 0.5625, 0.    ])
    """

    name: str
    power: int | None
    roughness: float
    variance: float

    @property
    def equivalent(self) -> float:
        """Bandwidth that smooths as much as a Gaussian kernel of bandwidth 1.

        Ratio of the canonical bandwidths ``(roughness / variance^2)^(1/5)`` (Marron & Nolan 1988):
        with it the optimal bandwidth of one kernel gives that of another.
        """
        own = (self.roughness / self.variance**2) ** 0.2
        return float(own * (2 * math.sqrt(math.pi)) ** 0.2)

    def polynomial(self, function: KernelFunction) -> Polynomial:
        """The function of u on [-1, 1], for a kernel of bounded support."""
        if self.power is None:
            raise InvalidParameterError(f"the kernel {self.name!r} is no polynomial")
        return _polynomial(self.power, function)

    def __call__(self, function: KernelFunction, u: FloatArray) -> FloatArray:
        """The function at ``u = (x - t) / h``, of the shape of `u`; the slope is that in u."""
        if self.power is not None:
            inside = np.abs(u) <= 1
            return np.where(inside, self.polynomial(function)(np.where(inside, u, 0.0)), 0.0)
        value = np.exp(-u * u / 2)
        factors = {"value": 1.0, "slope": -u, "first": -u, "second": u * u}
        return np.asarray(value * factors[function])


@lru_cache
def _polynomial(power: int, function: KernelFunction) -> Polynomial:
    u = Polynomial([0.0, 1.0])
    value = (1 - u**2) ** power
    functions = {"value": value, "slope": value.deriv(), "first": -u * value, "second": u**2 * value}
    return functions[function]


KERNELS: dict[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        Kernel("epanechnikov", 1, 3 / 5, 1 / 5),
        Kernel("biweight", 2, 5 / 7, 1 / 7),
        Kernel("triweight", 3, 350 / 429, 1 / 9),
        Kernel("gaussian", None, 1 / (2 * math.sqrt(math.pi)), 1.0),
    )
}


def get_kernel(name: str) -> Kernel:
    """The kernel of this name.

    Parameters
    ----------
    name : {"epanechnikov", "biweight", "triweight", "gaussian"}
        Name of a kernel.

    Returns
    -------
    Kernel
    """
    if name not in KERNELS:
        raise InvalidParameterError(f"kernel must be one of {', '.join(map(repr, KERNELS))}, got {name!r}")
    return KERNELS[name]
