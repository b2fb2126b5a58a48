"""Order of presentation: the doubled sample as a sample of half the size.

An antisymmetric objective of ``(t, z)`` and ``(-t, 1 - z)`` together is a function of ``|t|`` with
the labels of rows with t < 0 turned round; its derivative in t is that in ``|t|`` times the sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray
from semiindex.link.isotonic import antisymmetric_fold

__all__ = ["Folded", "fold"]


@dataclass(frozen=True)
class Folded:
    """A sample turned round to nonnegative index values.

    Attributes
    ----------
    t : array of shape (n,)
        Absolute index values, or the index itself where nothing is folded.
    z : array of shape (n,)
        Labels, ``1 - z`` where t was negative.
    sign : array of shape (n,) or None
        Derivative of the folded index in the original one; None where nothing is folded.
    """

    t: FloatArray
    z: FloatArray
    sign: FloatArray | None

    def unfold_gradient(self, gradient: FloatArray) -> FloatArray:
        """Derivative in the original index."""
        return gradient if self.sign is None else gradient * self.sign


def fold(t: FloatArray, z: FloatArray, antisymmetric: bool) -> Folded:
    """Fold the sample of :eq:`doubling` at t = 0; unchanged where the link need not be antisymmetric."""
    if not antisymmetric:
        return Folded(t, z, None)
    absolute, turned, flipped = antisymmetric_fold(t, z)
    # At t = 0 either sign is right: the objective of the doubled sample is smooth there.
    return Folded(absolute, turned, np.where(flipped, -1.0, 1.0))
