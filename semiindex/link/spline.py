"""Monotone spline for the logit of the link: ``Psi(t) = sigmoid(f(t))``, f a nondecreasing spline.

The derivative of f is a quadratic spline with nonnegative coefficients,

    f(t) = f0 + sum_k a_k J_k(t),      J_k(t) = int_anchor^t N_k(u) du,      a_k >= 0,

N_k the quadratic B-splines on the knots. The N_k are nonnegative and sum to one, so ``a_k >= 0``
makes f nondecreasing and ``a_k <= B`` bounds its slope by B. Beyond the outer knots f' is held
constant: f continues linearly (Ramsay 1988 calls the J_k integrated splines).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import BSpline
from scipy.special import expit, logit

from semiindex._types import FloatArray
from semiindex.link.base import Link

__all__ = ["SplineBasis", "SplineLink"]

_DEGREE = 2  # of the derivative; f itself is a cubic spline


@dataclass(frozen=True, eq=False)
class SplineBasis:
    """Integrated quadratic B-splines between fixed knots, linear beyond them.

    Parameters
    ----------
    breakpoints : array of shape (m,), m >= 2
        Strictly increasing knots, the two outer ones included.
    antisymmetric : bool
        Keep only odd functions; `breakpoints` must then be symmetric about 0. Coefficients of
        mirrored basis functions are tied.
    """

    breakpoints: FloatArray
    antisymmetric: bool

    @cached_property
    def _clamped(self) -> FloatArray:
        low, high = self.breakpoints[0], self.breakpoints[-1]
        return np.concatenate([[low] * _DEGREE, self.breakpoints, [high] * _DEGREE])

    @property
    def _n_raw(self) -> int:
        return self.breakpoints.size + _DEGREE - 1

    @property
    def n_coefficients(self) -> int:
        """Number of free coefficients, without the constant f0."""
        return (self._n_raw + 1) // 2 if self.antisymmetric else self._n_raw

    @property
    def anchor(self) -> float:
        """Index value at which every J_k is 0."""
        return 0.0 if self.antisymmetric else float(self.breakpoints[0])

    @cached_property
    def _tie(self) -> FloatArray:
        """Map from the free coefficients to those of all quadratic B-splines."""
        if not self.antisymmetric:
            return np.eye(self._n_raw)
        position = np.arange(self._n_raw)
        tie = np.zeros((self._n_raw, self.n_coefficients))
        tie[position, np.minimum(position, self._n_raw - 1 - position)] = 1.0
        return tie

    def expand(self, coefficients: FloatArray) -> FloatArray:
        """Coefficients of all quadratic B-splines, tied ones written out, from the free ones."""
        return np.asarray(self._tie @ coefficients)

    @cached_property
    def _primitive(self) -> FloatArray:
        """Map from the free coefficients to the cubic B-spline coefficients of f - f0."""
        knots = self._clamped
        width = (knots[_DEGREE + 1 :] - knots[: -(_DEGREE + 1)]) / (_DEGREE + 1)
        steps = width[:, None] * self._tie
        cubic = np.vstack([np.zeros(self.n_coefficients), np.cumsum(steps, axis=0)])
        if self.antisymmetric:
            at_zero = self._cubic(cubic)(np.array([0.0]))
            cubic = cubic - at_zero
        return np.asarray(cubic)

    def _cubic(self, coefficients: FloatArray) -> BSpline:
        knots = self._clamped
        return BSpline(np.concatenate([knots[:1], knots, knots[-1:]]), coefficients, _DEGREE + 1)

    def design(self, t: FloatArray) -> FloatArray:
        """``J_k(t)`` in columns, shape (n, n_coefficients)."""
        low, high = self.breakpoints[0], self.breakpoints[-1]
        inside = np.clip(t, low, high)
        knots = self._clamped
        padded = np.concatenate([knots[:1], knots, knots[-1:]])
        columns = BSpline.design_matrix(inside, padded, _DEGREE + 1) @ self._primitive
        columns = np.asarray(columns)
        # Outside, J_k continues with its slope at the end knot: only the end functions have one.
        excess = t - inside
        if np.any(excess):
            columns += np.outer(np.minimum(excess, 0.0), self._tie[0])
            columns += np.outer(np.maximum(excess, 0.0), self._tie[-1])
        return columns

    def value(self, t: FloatArray, coefficients: FloatArray) -> FloatArray:
        """``f(t) - f0`` for given coefficients."""
        low, high = self.breakpoints[0], self.breakpoints[-1]
        inside = np.clip(t, low, high)
        raw = self.expand(coefficients)
        excess = t - inside
        tail = np.where(excess < 0, raw[0], raw[-1]) * excess
        return np.asarray(self._cubic(self._primitive @ coefficients)(inside) + tail)

    def derivative(self, t: FloatArray, coefficients: FloatArray) -> FloatArray:
        """``f'(t)`` for given coefficients."""
        inside = np.clip(t, self.breakpoints[0], self.breakpoints[-1])
        spline = BSpline(self._clamped, self.expand(coefficients), _DEGREE)
        return np.asarray(np.maximum(spline(inside), 0.0))

    @cached_property
    def roughness(self) -> FloatArray:
        """Matrix Omega with ``a' Omega a = int f''(t)^2 dt`` between the outer knots."""
        # f'' is piecewise linear between knots: Simpson's rule is exact for its square.
        second = BSpline(self._clamped, self._tie, _DEGREE).derivative()
        left, right = self.breakpoints[:-1], self.breakpoints[1:]
        nudge = 1e-9 * (right - left)
        ends = second(left + nudge), second((left + right) / 2), second(right - nudge)
        omega = np.zeros((self.n_coefficients, self.n_coefficients))
        for values, factor in zip(ends, (1.0, 4.0, 1.0), strict=True):
            omega += np.einsum("i,ij,ik->jk", factor * (right - left) / 6, values, values)
        return omega


@dataclass(frozen=True, eq=False, repr=False)
class SplineLink(Link):
    """A link whose logit is a monotone cubic spline with linear tails, :eq:`spline`.

    Parameters
    ----------
    breakpoints : array of shape (m,), m >= 2
        Knots on the index axis, strictly increasing; symmetric about 0 if `antisymmetric`.
    coefficients : array of shape (m + 1,) or, if antisymmetric, of half that number rounded up
        Coefficients (>= 0) of the logit's slope in the quadratic B-spline basis; the first and the
        last are its slopes in the tails.
    intercept : float, default=0.0
        Logit at the first knot; 0 if `antisymmetric`, where the logit vanishes at 0.
    antisymmetric : bool, default=False
        Whether ``Psi(-t) = 1 - Psi(t)``.

    Examples
    --------
    With all coefficients equal to c the link is logistic with scale c:

    >>> from semiindex.link import SplineLink
    >>> link = SplineLink([-1.0, 0.0, 1.0], [2.0, 2.0], antisymmetric=True)
    >>> link.probability([0.0, 3.0]).round(4)
    array([0.5   , 0.9975])
    """

    breakpoints: FloatArray
    coefficients: FloatArray
    intercept: float = 0.0
    antisymmetric: bool = False

    kind: ClassVar[str] = "spline"

    def __post_init__(self) -> None:
        breakpoints = np.array(self.breakpoints, dtype=np.float64).ravel()
        coefficients = np.array(self.coefficients, dtype=np.float64).ravel()
        if breakpoints.size < 2 or not (np.diff(breakpoints) > 0).all():
            raise ValueError("breakpoints must be at least two strictly increasing numbers")
        if self.antisymmetric and (
            not np.allclose(breakpoints, -breakpoints[::-1], rtol=1e-12, atol=0) or self.intercept
        ):
            raise ValueError("antisymmetric=True needs breakpoints symmetric about 0 and intercept 0")
        basis = SplineBasis(breakpoints, self.antisymmetric)
        if coefficients.size != basis.n_coefficients:
            raise ValueError(
                f"coefficients must have length {basis.n_coefficients} for {breakpoints.size} breakpoints, "
                f"got {coefficients.size}"
            )
        if not (np.isfinite(coefficients).all() and (coefficients >= 0).all()):
            raise ValueError("coefficients must be finite and nonnegative, or the link is not monotone")
        breakpoints.flags.writeable = coefficients.flags.writeable = False
        object.__setattr__(self, "breakpoints", breakpoints)
        object.__setattr__(self, "coefficients", coefficients)
        object.__setattr__(self, "_basis", basis)

    def logit(self, t: ArrayLike) -> FloatArray:
        """``f(t)``, the log odds that option 1 is preferred."""
        t = np.asarray(t, dtype=np.float64)
        basis: SplineBasis = self._basis  # type: ignore[attr-defined]
        return np.asarray(self.intercept + basis.value(t, self.coefficients))

    def probability(self, t: ArrayLike) -> FloatArray:
        """``sigmoid(f(t))``."""
        return np.asarray(expit(self.logit(t)))

    def slope(self, t: ArrayLike) -> FloatArray:
        """``Psi (1 - Psi) f'``."""
        t = np.asarray(t, dtype=np.float64)
        basis: SplineBasis = self._basis  # type: ignore[attr-defined]
        odds = self.logit(t)
        return np.asarray(expit(odds) * expit(-odds) * basis.derivative(t, self.coefficients))

    def index(self, p: ArrayLike) -> FloatArray:
        """Generalised inverse, by bisection between the knots and in closed form in the tails."""
        p = np.asarray(p, dtype=np.float64)
        target = logit(np.clip(p, 0.0, 1.0))  # a p out of range lies beyond every value, as 0 and 1 do
        lower = _first_reaching(self, target)
        mirrored = SplineLink(
            -self.breakpoints[::-1],
            self.coefficients if self.antisymmetric else self.coefficients[::-1],
            0.0 if self.antisymmetric else -float(self.logit(self.breakpoints[-1])),
            self.antisymmetric,
        )
        upper = -_first_reaching(mirrored, -target)
        with np.errstate(invalid="ignore"):
            middle = np.where(np.isneginf(lower) & np.isposinf(upper), 0.0, lower / 2 + upper / 2)
            # Two bisections of a strictly rising stretch agree to rounding only.
            return np.where(upper - lower > 1e-9 * (1 + np.abs(lower)), middle, lower)

    def rescaled(self, factor: float) -> SplineLink:
        """The link of ``factor * t``."""
        return SplineLink(
            self.breakpoints / factor, self.coefficients * factor, self.intercept, self.antisymmetric
        )

    def shifted(self, offset: float) -> SplineLink:
        """The link of ``t + offset``; antisymmetric no more, unless offset is 0."""
        if offset == 0:
            return self
        if not self.antisymmetric:
            return SplineLink(self.breakpoints - offset, self.coefficients, self.intercept)
        basis: SplineBasis = self._basis  # type: ignore[attr-defined]
        start = float(self.logit(self.breakpoints[0]))
        return SplineLink(self.breakpoints - offset, basis.expand(self.coefficients), start)

    def to_dict(self) -> dict[str, Any]:
        """Knots, coefficients and intercept as plain numbers."""
        return {
            "kind": self.kind,
            "breakpoints": self.breakpoints.tolist(),
            "coefficients": self.coefficients.tolist(),
            "intercept": float(self.intercept),
            "antisymmetric": bool(self.antisymmetric),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> SplineLink:
        """Inverse of `to_dict`."""
        return cls(
            np.asarray(state["breakpoints"]),
            np.asarray(state["coefficients"]),
            float(state["intercept"]),
            bool(state["antisymmetric"]),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SplineLink) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.breakpoints.tobytes(), self.coefficients.tobytes(), self.intercept))

    def __repr__(self) -> str:
        return (
            f"SplineLink({self.breakpoints.size} knots on [{self.breakpoints[0]:.4g}, "
            f"{self.breakpoints[-1]:.4g}], antisymmetric={self.antisymmetric})"
        )


def _first_reaching(link: SplineLink, target: FloatArray) -> FloatArray:
    """Smallest t with ``f(t) >= target``; -inf or inf where there is none."""
    low, high = float(link.breakpoints[0]), float(link.breakpoints[-1])
    first, last = float(link.coefficients[0]), float(link.coefficients[0 if link.antisymmetric else -1])
    f_low, f_high = (float(v) for v in link.logit(np.array([low, high])))
    with np.errstate(divide="ignore", invalid="ignore"):
        left_tail = low + (target - f_low) / first if first > 0 else np.full(target.shape, -np.inf)
        right_tail = high + (target - f_high) / last if last > 0 else np.full(target.shape, np.inf)
    a, b = np.full(target.shape, low), np.full(target.shape, high)
    for _ in range(80):  # halves the bracket to the last bit of a double
        middle = (a + b) / 2
        reached = link.logit(middle) >= target
        b, a = np.where(reached, middle, b), np.where(reached, a, middle)
    result = np.where(target <= f_low, left_tail, np.where(target > f_high, right_tail, b))
    return np.where(np.isnan(target), np.nan, result)
