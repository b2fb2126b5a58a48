"""What the learners without a known link share: the scale of the index is a convention."""

from __future__ import annotations

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.policy.base import PreferencePolicy

__all__ = ["LinkFreePolicy", "unit_direction"]


class LinkFreePolicy(PreferencePolicy):
    """Base of the estimators whose link is unknown, so that the scale of the index is chosen."""

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.normalization is None:
            raise InvalidParameterError(
                "normalization=None: a free link absorbs the scale of the index, so that one must be chosen; "
                "use 'rms', 'norm' or the name of a feature"
            )


def unit_direction(phi: FloatArray) -> FloatArray:
    """Parameters of an index of unit root mean square; the first coordinate where there is no direction."""
    norm = float(np.linalg.norm(phi))
    return np.asarray(np.eye(phi.size)[0] if norm == 0 else phi / norm)
