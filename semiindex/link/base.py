"""The link protocol: a frozen, monotone map from the index to a probability.

==============  ============================================  =========================
symbol          meaning                                       method
==============  ============================================  =========================
``t``           index of a comparison, any real number        argument
``Psi(t)``      probability that option 1 is preferred        ``probability(t)``
``Psi'(t)``     derivative of the probability in the index    ``slope(t)``
``Psi^-(p)``    generalised inverse                           ``index(p)``
``t0``          half point, ``Psi(t0) = 1/2``                 ``half_point``
==============  ============================================  =========================

The word "link" alone is ambiguous (scikit-learn and glum map means to predictors, the preference
literature maps rewards to probabilities), hence these three method names and no others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray

__all__ = ["Link", "link_from_dict"]

_REGISTRY: dict[str, type[Link]] = {}


class Link(ABC):
    """A nondecreasing map from the index to the probability that option 1 is preferred.

    Subclasses are frozen dataclasses: values that compare, pickle and print, and that know nothing
    of how they were fitted. A concrete class sets `kind`, which names it in saved models, and is
    registered by it.
    """

    kind: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("kind"):
            _REGISTRY[cls.kind] = cls

    @property
    def domain(self) -> tuple[float, float]:
        """Interval of index values on which the link is defined (the whole line, as a rule)."""
        return (-np.inf, np.inf)

    @property
    @abstractmethod
    def antisymmetric(self) -> bool:
        """Whether ``Psi(-t) = 1 - Psi(t)`` for every t."""

    @property
    def half_point(self) -> float:
        """Index value at which both options are equally probable."""
        return 0.0 if self.antisymmetric else float(self.index(np.array([0.5]))[0])

    @abstractmethod
    def probability(self, t: ArrayLike) -> FloatArray:
        """``Psi(t)``, in [0, 1], of the shape of `t`."""

    @abstractmethod
    def slope(self, t: ArrayLike) -> FloatArray:
        """``Psi'(t) >= 0``, of the shape of `t`."""

    @abstractmethod
    def index(self, p: ArrayLike) -> FloatArray:
        """Generalised inverse: a t with ``Psi(t) = p``.

        Where the link is flat at p, the midpoint of the flat part; -inf or inf where p is below or
        above every value of the link, or where the flat part has no end.
        """

    @abstractmethod
    def rescaled(self, factor: float) -> Link:
        """The link ``t -> Psi(factor * t)``, for ``factor > 0``.

        Dividing the parameters by `factor` and rescaling the link by it leaves every prediction as
        it was: this is how a normalisation is applied after a fit.
        """

    @abstractmethod
    def shifted(self, offset: float) -> Link:
        """The link ``t -> Psi(t + offset)``.

        A fit under a free location sees the index minus its mean c; shifting its link by ``-c`` gives
        that of the index itself.
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and lists from which `link_from_dict` makes the link again."""

    @classmethod
    @abstractmethod
    def from_dict(cls, state: dict[str, Any]) -> Link:
        """Inverse of `to_dict` (without the entry ``kind``)."""


def link_from_dict(state: dict[str, Any]) -> Link:
    """Make a link from the dictionary that its `Link.to_dict` returned.

    Parameters
    ----------
    state : dict
        With an entry ``"kind"`` that names the class.

    Returns
    -------
    Link
    """
    state = dict(state)
    kind = state.pop("kind", None)
    if kind not in _REGISTRY:
        raise ValueError(
            f"unknown kind of link {kind!r}; known are {sorted(_REGISTRY)}. "
            "Was the model saved by a newer version of semiindex?"
        )
    return _REGISTRY[kind].from_dict(state)
