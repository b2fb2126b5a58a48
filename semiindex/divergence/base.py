"""The divergence protocol: a convex f, its derivative and the inverse of that.

============================  ==============================================  ============================
symbol                        meaning                                         method or attribute
============================  ==============================================  ============================
``f(r)``                      generator, ``f(1) = 0``                         ``f(r)``
``f'(r)``                     derivative                                      ``derivative(r)``
``(f')^-1(u)``                ratio at which the derivative is u              ``inverse_derivative(u)``
``f(0+)``                     cost of giving an option up                     ``at_zero``
``f'(0+)``                    -inf, or where policies become sparse           ``derivative_at_zero``
``f'(inf)``                   supremum of the derivative                      ``derivative_at_infinity``
============================  ==============================================  ============================

``D_f(p || q) = sum_y q(y) f(p(y) / q(y))``, :eq:`divergence`. All methods are vectorised.

The solver works with ``x = log r``, because ratios of probabilities range over more than floating
point numbers do (references of language models underflow), and because the optimality condition in x
has no cancellation: an option that scores `gap` temperatures less than another one has

    f'(exp(x_other)) = f'(exp(x)) - gap,   :eq:`ratio-below`,

which every divergence can state without forming f'. These methods have ``log`` in their names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray

__all__ = ["Divergence"]

#: The exponential of this, and its square root times a few factors, are finite numbers.
_LOG_LARGEST = 300.0


class Divergence(ABC):
    """An f-divergence: strictly convex f, differentiable on (0, inf), with ``f(1) = 0``.

    Subclasses are frozen dataclasses: values that compare, print and pickle.
    """

    name: ClassVar[str] = ""

    @property
    @abstractmethod
    def at_zero(self) -> float:
        """``f(0+)``, possibly inf."""

    @property
    @abstractmethod
    def derivative_at_zero(self) -> float:
        """``f'(0+)``: -inf where optimal policies keep every option, finite where they are sparse."""

    @property
    @abstractmethod
    def derivative_at_infinity(self) -> float:
        """``f'(inf)``, the supremum of the derivative, possibly inf."""

    @abstractmethod
    def f(self, r: ArrayLike) -> FloatArray:
        """``f(r)`` for ``r >= 0``, of the shape of `r`; ``f(0+)`` at 0."""

    @abstractmethod
    def derivative(self, r: ArrayLike) -> FloatArray:
        """``f'(r)`` for ``r >= 0``, of the shape of `r`; the limits at 0 and at inf."""

    @abstractmethod
    def inverse_derivative(self, u: ArrayLike) -> FloatArray:
        """The ratio r with ``f'(r) = u``, of the shape of `u`.

        0 at and below ``f'(0+)`` (an option that is given up), inf at and above ``f'(inf)``.
        """

    @abstractmethod
    def derivative_at_log(self, log_ratio: FloatArray) -> FloatArray:
        """``f'(exp(log_ratio))``, as exact for small log-ratios as for large ones."""

    @abstractmethod
    def log_ratio_below(self, log_ratio: FloatArray, gap: FloatArray) -> FloatArray:
        """``x`` with ``f'(exp(x)) = f'(exp(log_ratio)) - gap``; -inf below ``f'(0+)``.

        Parameters
        ----------
        log_ratio : array
            Logarithm of a ratio.
        gap : array
            Nonnegative, possibly inf; broadcasts with `log_ratio`.
        """

    def log_ratio_above(self, log_ratio: FloatArray, rise: FloatArray) -> FloatArray:
        """``x`` with ``f'(exp(x)) = f'(exp(log_ratio)) + rise``, :eq:`ratio-above`.

        Asked for only where ``f'(0+)`` is finite. By default through f' and its inverse.

        Parameters
        ----------
        log_ratio : array
            Logarithm of a ratio; -inf is an option that is just given up.
        rise : array
            Nonnegative; broadcasts with `log_ratio`.
        """
        with np.errstate(over="ignore", divide="ignore"):
            above = np.log(self.inverse_derivative(self.derivative_at_log(log_ratio) + rise))
        return np.where(rise == 0, log_ratio, above)

    def ratio_below(self, top: FloatArray, gap: FloatArray) -> tuple[FloatArray, FloatArray] | None:
        """`log_ratio_below` for ratios that are ordinary numbers, if there is a faster form of it.

        Parameters
        ----------
        top : array of shape (m,)
            Ratios of the best options.
        gap : array of shape (k, m)
            Nonnegative, possibly inf.

        Returns
        -------
        ratio, rate : array of shape (k, m)
            Ratios, and their derivatives in the logarithm of `top`. None by default.
        """
        return None

    @abstractmethod
    def log_inverse_curvature(self, log_ratio: FloatArray) -> FloatArray:
        """``-log f''(exp(log_ratio))``, by how much a ratio yields; -inf where the ratio is 0."""

    @abstractmethod
    def log_terms(self, log_reference: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """Summands ``q f(p / q)`` of the divergence.

        Exact to a relative error of machine precision over ``|log_ratio|``, where f as a formula in
        the ratio would cancel to machine precision over its square.

        Parameters
        ----------
        log_reference : array
            ``log q``, possibly -inf, where `log_ratio` must be finite.
        log_ratio : array
            ``log(p / q)``, -inf where the option is given up.
        """

    def masses(
        self, log_ratio_top: FloatArray, gap: FloatArray, log_reference: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Probabilities, and their derivatives in the log-ratio of the best option.

        Parameters
        ----------
        log_ratio_top : array of shape (m,)
            Log-ratio of the best option of m contexts.
        gap : array of shape (k, m)
            By how many temperatures the options score less than the best one.
        log_reference : array of shape (k, m)
            ``log q``.
        """
        if np.max(log_ratio_top, initial=0.0) < _LOG_LARGEST:
            ordinary = self.ratio_below(np.exp(log_ratio_top), gap)
            if ordinary is not None:
                q = np.exp(log_reference)
                return q * ordinary[0], q * ordinary[1]
        x = self.log_ratio_below(log_ratio_top, gap)
        log_rate = self.log_inverse_curvature(x) + self.log_slope(log_ratio_top)
        with np.errstate(over="ignore"):
            return np.exp(log_reference + x), np.exp(log_reference + log_rate)

    def masses_above(
        self, log_ratio_worst: FloatArray, rise: FloatArray, log_reference: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Probabilities, and their derivatives in the log-ratio of the worst option.

        Parameters
        ----------
        log_ratio_worst : array of shape (m,)
            Log-ratio of the worst option that is kept, of m contexts.
        rise : array of shape (k, m)
            By how many temperatures the options score more than that one.
        log_reference : array of shape (k, m)
            ``log q``; -inf for options that are given up.
        """
        x = self.log_ratio_above(log_ratio_worst, rise)
        log_rate = self.log_inverse_curvature(x) + self.log_slope(log_ratio_worst)
        with np.errstate(over="ignore"):
            return np.exp(log_reference + x), np.exp(log_reference + log_rate)

    def log_slope(self, log_ratio: FloatArray) -> FloatArray:
        """``log(r f''(r))``, the logarithm of ``d f' / d log r``."""
        return log_ratio - self.log_inverse_curvature(log_ratio)
