"""Menus of different sizes as dense blocks: contexts with about equally many options side by side.

A block has shape (k, m), options by contexts: every sum over options is then a sum of k long rows, and
what belongs to a context broadcasts without being repeated. Menus smaller than k are filled up with
options of zero reference mass, which no divergence sees. Sizes go up in steps of an eighth, so that
little is filled up; menus of one size are not filled up at all. Segmented sums (reduceat) on the flat
arrays were the alternative; they took about three times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray, IntArray

__all__ = ["MenuBlock", "menu_blocks"]

#: Entries of a block: a handful of such arrays fit into the cache of a core.
_ENTRIES = 32_768


@dataclass(frozen=True)
class MenuBlock:
    """Some contexts with about equally many options.

    Attributes
    ----------
    contexts : array of int, shape (m,)
        Their positions.
    gap : array of shape (k, m)
        By how much an option's score is below the best of its context, possibly inf.
    log_reference : array of shape (k, m)
        ``log q``; -inf for excluded options and places that are filled up, whose gap is 0.
    best : array of shape (m,)
        The best score among options with reference mass.
    log_best_mass : array of shape (m,)
        Logarithm of the reference mass of the options with that score.
    offsets : array of int, shape (m,)
        Where the options of the contexts begin in the flat arrays.
    """

    contexts: IntArray
    gap: FloatArray
    log_reference: FloatArray
    best: FloatArray
    log_best_mass: FloatArray
    offsets: IntArray

    def scatter(self, values: FloatArray, flat: FloatArray) -> None:
        """Write the values of options with reference mass to their places in a flat array."""
        position = self.offsets + np.arange(self.gap.shape[0])[:, None]
        there = self.log_reference > -np.inf
        flat[position[there]] = values[there]


def menu_blocks(
    scores: FloatArray, log_reference: FloatArray, offsets: IntArray, contexts: IntArray
) -> Iterator[MenuBlock]:
    """Blocks of some contexts of ragged menus.

    Parameters
    ----------
    scores, log_reference : array of shape (n_options,)
        Scores and logarithms of the reference probabilities, context after context.
    offsets : array of int, shape (n_contexts + 1,)
        Where the options of each context begin and end.
    contexts : array of int
        The contexts wanted.
    """
    sizes = np.diff(offsets)[contexts]
    classes = _size_classes(sizes)
    for size_class in np.unique(classes):
        members = contexts[classes == size_class]
        width = int(np.diff(offsets)[members].max())
        step = max(_ENTRIES // width, 1)
        for start in range(0, members.size, step):
            yield _block(scores, log_reference, offsets, members[start : start + step], width)


def _size_classes(sizes: IntArray) -> IntArray:
    """Number of the class of every size: sizes of a class differ by an eighth at most."""
    exponent = np.floor(np.log2(sizes)).astype(np.intp)
    eighth = np.floor(8 * (sizes / 2.0**exponent - 1)).astype(np.intp)
    return np.asarray(8 * exponent + eighth)


def _block(
    scores: FloatArray, log_reference: FloatArray, offsets: IntArray, contexts: IntArray, width: int
) -> MenuBlock:
    starts = offsets[contexts]
    position = starts + np.arange(width)[:, None]
    missing = position >= offsets[contexts + 1]
    if missing.any():
        position[missing] = 0
    values, log_q = scores[position], log_reference[position]
    log_q[missing] = -np.inf
    excluded = log_q == -np.inf
    values[excluded] = -np.inf
    best = values.max(axis=0)
    gap = best - values
    gap[excluded] = 0.0
    leading = np.where(gap == 0, log_q, -np.inf)
    top = leading.max(axis=0)
    log_mass = np.minimum(top + np.log(np.exp(leading - top).sum(axis=0)), 0.0)
    return MenuBlock(contexts, gap, log_q, best, log_mass, starts)
