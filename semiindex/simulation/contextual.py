"""Contextual choice: a context and k actions, the menu being all actions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.exceptions import InvalidParameterError
from semiindex.simulation.features import FeatureDistribution, NormalFeatures

__all__ = ["ContextualFeatures"]


@dataclass(frozen=True)
class ContextualFeatures(FeatureDistribution):
    """A context x with k actions, written out as k options.

    Parameters
    ----------
    contexts : FeatureDistribution, default=NormalFeatures(20)
        Distribution of x; one option per menu is drawn from it.
    n_actions : int, default=10
        Number of actions, k. The menu is all of them.
    encoding : {"columns", "interactions"}, default="columns"
        ``"columns"``: x, then the number of the action, for kernels and networks (a `ProductKernel`
        of x times equality of the action). ``"interactions"``: x and a constant in the columns of the
        action and zeros elsewhere, k (d + 1) columns, for linear indices.

    Raises
    ------
    InvalidParameterError
        If there are fewer than two actions, or the encoding is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import ContextualFeatures, NormalFeatures
    >>> design = ContextualFeatures(NormalFeatures(2), n_actions=3)
    >>> design.draw(5, 3, np.random.default_rng(0)).shape
    (5, 3, 3)
    >>> ContextualFeatures(NormalFeatures(2), 3, "interactions").n_features
    9
    """

    contexts: FeatureDistribution = field(default_factory=lambda: NormalFeatures(20))
    n_actions: int = 10
    encoding: Literal["columns", "interactions"] = "columns"

    def __post_init__(self) -> None:
        if int(self.n_actions) != self.n_actions or self.n_actions < 2:
            raise InvalidParameterError(f"n_actions must be an integer of at least 2, got {self.n_actions!r}")
        if self.encoding not in ("columns", "interactions"):
            raise InvalidParameterError(
                f"encoding must be 'columns' or 'interactions', got {self.encoding!r}"
            )

    @property
    def menu_size(self) -> int:  # type: ignore[override]
        """Options of a menu: all actions."""
        return self.n_actions

    @property
    def n_features(self) -> int:
        """Number of columns of the encoding."""
        d = self.contexts.n_features
        return d + 1 if self.encoding == "columns" else self.n_actions * (d + 1)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of the encoding."""
        names = self.contexts.feature_names
        if self.encoding == "columns":
            return (*names, "action")
        return tuple(f"a{k}:{name}" for k in range(self.n_actions) for name in (*names, "1"))

    def draw(self, n_menus: int, menu_size: int, rng: np.random.Generator) -> FloatArray:
        """Features of independent menus, shape (n_menus, n_actions, columns)."""
        if menu_size != self.n_actions:
            raise InvalidParameterError(
                f"the menu of a contextual design is all {self.n_actions} actions; leave menu_size at None, "
                f"got {menu_size}"
            )
        x = np.repeat(self.contexts.draw(n_menus, 1, rng), self.n_actions, axis=1)
        return self.encode(x, np.broadcast_to(np.arange(self.n_actions), x.shape[:-1]))

    def encode(self, contexts: FloatArray, actions: IntArray) -> FloatArray:
        """Features of options, shape (..., columns).

        Parameters
        ----------
        contexts : array of shape (..., d)
            Context of every option.
        actions : array of int, shape (...,)
            Action of every option, 0 to ``n_actions - 1``.

        Returns
        -------
        array
        """
        actions = np.asarray(actions)
        if self.encoding == "columns":
            return np.concatenate([contexts, actions[..., None].astype(np.float64)], axis=-1)
        with_constant = np.concatenate([contexts, np.ones((*actions.shape, 1))], axis=-1)
        indicator = np.eye(self.n_actions)[actions]
        blocks = indicator[..., :, None] * with_constant[..., None, :]
        return np.asarray(blocks.reshape(*actions.shape, self.n_features))

    def decode(self, options: FloatArray) -> tuple[FloatArray, IntArray]:
        """Contexts and actions of options, the inverse of `encode`."""
        d = self.contexts.n_features
        if options.shape[-1] != self.n_features:
            raise InvalidParameterError(
                f"options must have the {self.n_features} columns of this encoding, got {options.shape[-1]}"
            )
        if self.encoding == "columns":
            return options[..., :d], options[..., d].astype(np.intp)
        blocks = options.reshape(*options.shape[:-1], self.n_actions, d + 1)
        # All blocks but that of the action are zero, so that the sum over actions is the block.
        return blocks.sum(axis=-2)[..., :d], np.asarray(np.argmax(blocks[..., d], axis=-1))
