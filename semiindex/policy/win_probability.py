"""How often an option of a menu is preferred to a draw from the reference policy.

For a link Psi and scores h the win rate of a policy against the reference is

    W(pi) = mean over contexts of sum_{a, b} pi(a) pi_ref(b) P(a, b),   :eq:`win-rate`,

``P(a, b) = Psi(h(a) - h(b))``. It is linear in the policy, so that the double sum is done once for all
policies of a menu: ``W(pi)`` is the mean of ``w(a) = sum_b pi_ref(b) P(a, b)`` under pi.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.divergence.blocks import MenuBlock, menu_blocks
from semiindex.link.base import Link
from semiindex.policy.menu import Menu
from semiindex.policy.menu_policy import read_scores

__all__ = ["win_probabilities"]


def win_probabilities(scores: ArrayLike, menu: Menu, link: Link) -> FloatArray:
    """Probability that each option is preferred to an option drawn from the reference of its context.

    Both orders of presentation count half: where position matters, ``P(a, b)`` is the mean of
    ``Psi(t)`` and ``1 - Psi(-t)`` at ``t = h(a) - h(b)``. An option against itself counts 1/2.

    Parameters
    ----------
    scores : array-like of shape (n_options,)
        Scores of all options, in the unit of the index of the link.
    menu : Menu
        Options and reference.
    link : Link
        From differences of scores to probabilities.

    Returns
    -------
    array of shape (n_options,)
        NaN for options without reference mass, which no policy takes. Under the reference its mean is 1/2
        in every context.

    Notes
    -----
    Exact: half a square of the menu's size in evaluations of the link, in blocks of linear memory.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import LogisticLink, Menu
    >>> from semiindex.policy.win_probability import win_probabilities
    >>> win_probabilities(np.log([1.0, 3.0]), Menu(offsets=[0, 2]), LogisticLink())
    array([0.375, 0.625])
    """
    values = read_scores(scores, menu)
    result = np.full(menu.n_options, np.nan)
    for block in menu_blocks(values, menu.log_reference, menu.offsets, np.arange(len(menu))):
        block.scatter(_block_wins(block, link), result)
    return result


def _block_wins(block: MenuBlock, link: Link) -> FloatArray:
    """``w`` of a block, shape (k, m): every pair of rows is evaluated once, ``P(b, a) = 1 - P(a, b)``."""
    q = np.exp(block.log_reference)
    wins = q / 2
    for b in range(q.shape[0] - 1):
        won = _either_order(link, block.gap[b] - block.gap[b + 1 :])
        wins[b + 1 :] += q[b] * won
        wins[b] += (q[b + 1 :] * (1 - won)).sum(axis=0)
    return wins


def _either_order(link: Link, t: FloatArray) -> FloatArray:
    probability = link.probability(t)
    return probability if link.antisymmetric else (probability + 1 - link.probability(-t)) / 2
