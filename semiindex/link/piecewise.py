"""The fitted value of the isotonic and the shape-constrained link: linear between knots."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.link.base import Link

__all__ = ["PiecewiseLinearLink"]


@dataclass(frozen=True, eq=False, repr=False)
class PiecewiseLinearLink(Link):
    """A link given by its values at knots, linear between and constant beyond them.

    Parameters
    ----------
    knots : array of shape (m,)
        Index values, strictly increasing.
    values : array of shape (m,)
        Probabilities at the knots, in [0, 1].
    antisymmetric : bool, default=False
        Declares ``Psi(-t) = 1 - Psi(t)``; checked against the knots and values.
    monotone : bool, default=True
        Declares that the values are nondecreasing; checked. A link without it comes from a fit
        without monotonicity only: its slope may be negative, and its `index` is that of its running
        maximum.

    Raises
    ------
    InvalidParameterError
        If knots and values are not as described.

    Notes
    -----
    The isotonic fit determines the link at the observed index values only. Linear interpolation
    between them (rather than a step function) halves the worst error of a smooth link between two
    blocks and keeps the fitted values at the observations. Its slope is that of the interpolant:
    zero on every block, so never a basis for a derivative with respect to the index.

    Examples
    --------
    >>> from semiindex.link import PiecewiseLinearLink
    >>> link = PiecewiseLinearLink([-1.0, 0.0, 2.0], [0.2, 0.5, 0.9])
    >>> link.probability([-5.0, 1.0, 5.0])
    array([0.2, 0.7, 0.9])
    >>> link.index([0.7])
    array([1.])
    """

    knots: FloatArray
    values: FloatArray
    antisymmetric: bool = False  # a field where the base has a property
    monotone: bool = True

    kind: ClassVar[str] = "piecewise_linear"

    def __post_init__(self) -> None:
        # Negative zeros become positive ones, so that equal links have equal bytes and hashes.
        knots = np.array(self.knots, dtype=np.float64).ravel() + 0.0
        values = np.array(self.values, dtype=np.float64).ravel() + 0.0
        if knots.size == 0 or knots.size != values.size:
            raise InvalidParameterError(
                f"knots and values must have one common length >= 1, got {knots.size} and {values.size}"
            )
        if not (np.isfinite(knots).all() and (knots[1:] > knots[:-1]).all()):
            raise InvalidParameterError("knots must be finite and strictly increasing")
        if not ((values >= 0).all() and (values <= 1).all()):
            raise InvalidParameterError("values must be probabilities in [0, 1]")
        if self.monotone and not (values[1:] >= values[:-1]).all():
            raise InvalidParameterError("values must be nondecreasing; or say monotone=False")
        if self.antisymmetric and not (
            np.array_equal(knots, -knots[::-1]) and np.allclose(values, 1 - values[::-1], rtol=0, atol=1e-12)
        ):
            raise InvalidParameterError(
                "antisymmetric=True, but the knots and values are not antisymmetric about 0"
            )
        knots.flags.writeable = values.flags.writeable = False
        object.__setattr__(self, "knots", knots)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "antisymmetric", bool(self.antisymmetric))
        object.__setattr__(self, "monotone", bool(self.monotone))

    def probability(self, t: ArrayLike) -> FloatArray:
        """Interpolated probability."""
        t = np.asarray(t, dtype=np.float64)
        interpolated = np.interp(t, self.knots, self.values)
        # Rounding may leave the range of the values by an ulp, a subnormal step by more.
        clipped = np.clip(interpolated, self.values.min(), self.values.max())
        # With a single knot numpy's interpolation is blind to NaN.
        return np.where(np.isnan(t), np.nan, clipped)

    def slope(self, t: ArrayLike) -> FloatArray:
        """Slope of the segment that contains t (the right one at a knot), 0 beyond the knots."""
        t = np.asarray(t, dtype=np.float64)
        with np.errstate(over="ignore"):
            segment = np.diff(self.values) / np.diff(self.knots)
        padded = np.concatenate([[0.0], segment, [0.0]])
        slope = padded[np.searchsorted(self.knots, t, side="right")]
        return np.where(np.isnan(t), np.nan, slope)

    def index(self, p: ArrayLike) -> FloatArray:
        """Generalised inverse; the midpoint of a flat part, infinite beyond the range.

        The midpoint of all knots where the link is one constant, p.
        """
        p = np.asarray(p, dtype=np.float64)
        lower, upper = self._edge(p, "left"), self._edge(p, "right")
        with np.errstate(invalid="ignore"):
            middle = np.where(lower == upper, lower, lower / 2 + upper / 2)
        whole_line = np.isneginf(lower) & np.isposinf(upper)
        middle = np.where(whole_line, self.knots[0] / 2 + self.knots[-1] / 2, middle)
        return np.where(np.isnan(p), np.nan, middle)

    def _edge(self, p: FloatArray, side: Literal["left", "right"]) -> FloatArray:
        """Left or right end of the set where the link equals p; infinite where that is unbounded.

        Where the link rises through p both are one point; p below or above all values gives an
        infinite edge of that sign.
        """
        values = np.maximum.accumulate(self.values)
        last = values.size - 1
        # The first knot whose value reaches p, or exceeds it: the crossing is on the segment before.
        position = np.searchsorted(values, p, side=side)
        high = np.clip(position, min(1, last), last)
        low = np.maximum(high - 1, 0)
        rise = values[high] - values[low]
        share = np.clip((p - values[low]) / np.where(rise > 0, rise, 1.0), 0.0, 1.0)
        crossing = (1 - share) * self.knots[low] + share * self.knots[high]
        return np.where(position == 0, -np.inf, np.where(position == values.size, np.inf, crossing))

    def rescaled(self, factor: float) -> PiecewiseLinearLink:
        """The link of ``factor * t``."""
        if not 0 < factor < math.inf:
            raise InvalidParameterError(f"factor must be positive and finite, got {factor}")
        return self._on(self.knots / factor, self.antisymmetric)

    def shifted(self, offset: float) -> PiecewiseLinearLink:
        """The link of ``t + offset``; antisymmetric no more, unless offset is 0."""
        return self if offset == 0 else self._on(self.knots - offset, False)

    def _on(self, knots: FloatArray, antisymmetric: bool) -> PiecewiseLinearLink:
        """The same values at knots that rounding may have made one.

        The knot nearer to 0 stays, on both sides alike.
        """
        apart = knots[1:] > knots[:-1]
        kept = np.where(knots > 0, np.append(True, apart), np.append(apart, True))
        return PiecewiseLinearLink(knots[kept], self.values[kept], antisymmetric, self.monotone)

    def to_dict(self) -> dict[str, Any]:
        """Knots and values as lists."""
        return {
            "kind": self.kind,
            "knots": self.knots.tolist(),
            "values": self.values.tolist(),
            "antisymmetric": self.antisymmetric,
            "monotone": self.monotone,
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> PiecewiseLinearLink:
        """Inverse of `to_dict`."""
        return cls(
            np.asarray(state["knots"]),
            np.asarray(state["values"]),
            bool(state["antisymmetric"]),
            bool(state.get("monotone", True)),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor: a pickled array forgets that it is read-only.
        return type(self), (self.knots, self.values, self.antisymmetric, self.monotone)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PiecewiseLinearLink)
            and (self.antisymmetric, self.monotone) == (other.antisymmetric, other.monotone)
            and np.array_equal(self.knots, other.knots)
            and np.array_equal(self.values, other.values)
        )

    def __hash__(self) -> int:
        return hash((self.knots.tobytes(), self.values.tobytes(), self.antisymmetric))

    def __repr__(self) -> str:
        return (
            f"PiecewiseLinearLink({self.knots.size} knots on [{self.knots[0]:.4g}, {self.knots[-1]:.4g}], "
            f"values in [{self.values.min():.4g}, {self.values.max():.4g}], "
            f"antisymmetric={self.antisymmetric})"
        )
