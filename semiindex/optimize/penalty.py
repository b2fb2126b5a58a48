"""Quadratic penalties on the parameters, in whitened coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray
from semiindex.index.whitening import WhitenedDesign

__all__ = ["NO_PENALTY", "Penalty", "Ridge", "TieBreaker"]


@dataclass(frozen=True)
class Penalty:
    """No penalty; the base of the others."""

    def value_and_gradient(self, design: WhitenedDesign, phi: FloatArray) -> tuple[float, FloatArray]:
        """Penalty and its gradient in phi."""
        return 0.0, np.zeros_like(phi)

    def matrix(self, design: WhitenedDesign) -> FloatArray | float:
        """Hessian of the penalty in phi (0.0 for none)."""
        return 0.0

    def diagonal(self, design: WhitenedDesign) -> FloatArray | float:
        """Diagonal of that Hessian, without forming it."""
        return 0.0


@dataclass(frozen=True)
class Ridge(Penalty):
    """``ridge / 2 * theta' P theta`` in the units of the features.

    Parameters
    ----------
    ridge : float
        Strength, against the *mean* loss.
    """

    ridge: float

    def value_and_gradient(self, design: WhitenedDesign, phi: FloatArray) -> tuple[float, FloatArray]:
        """Penalty and its gradient."""
        product = self.ridge * design.penalty_matvec(phi)
        return float(phi @ product) / 2, product

    def matrix(self, design: WhitenedDesign) -> FloatArray | float:
        """Its Hessian."""
        return self.ridge * design.penalty_matrix()

    def diagonal(self, design: WhitenedDesign) -> FloatArray | float:
        """Its diagonal."""
        return self.ridge * design.penalty_diagonal()


@dataclass(frozen=True)
class TieBreaker(Penalty):
    """``strength / 2 * phi' phi``: a vanishing ridge that knows no units.

    Used where the data alone determine no finite answer (separation): it selects, among all
    parameters that fit as well, the one of smallest mean square index (above 2000 parameters, where
    whitening only scales the columns, of smallest sum of squares of standardised parameters).
    Rescaling a feature rescales its coefficient, as without it.

    Parameters
    ----------
    strength : float, default=1e-6
        Against the mean loss; small enough to change no estimate that the data determine.
    """

    strength: float = 1e-6

    def value_and_gradient(self, design: WhitenedDesign, phi: FloatArray) -> tuple[float, FloatArray]:
        """Penalty and its gradient."""
        return self.strength * float(phi @ phi) / 2, self.strength * phi

    def matrix(self, design: WhitenedDesign) -> FloatArray | float:
        """Its Hessian."""
        return self.strength * np.eye(design.n_parameters)

    def diagonal(self, design: WhitenedDesign) -> FloatArray | float:
        """Its diagonal."""
        return self.strength


NO_PENALTY = Penalty()
