"""How far two policies of a menu are apart: total variation, divergence, regret at one budget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiindex._types import FloatArray
from semiindex.policy.menu import Menu

__all__ = ["PolicyDistance", "policy_distance"]


@dataclass(frozen=True)
class PolicyDistance:
    """Distance of a policy from a better one, averaged over the contexts of a menu.

    Attributes
    ----------
    total_variation : float
        Share of decisions that differ, at most 1.
    kl : float
        ``KL(policy || better one)`` in nats.
    regret : float
        Mean score lost, in the unit of the scores.
    """

    total_variation: float
    kl: float
    regret: float


def policy_distance(policy: FloatArray, best: FloatArray, scores: FloatArray, menu: Menu) -> PolicyDistance:
    """Distance of a policy from the one that is best for some scores.

    Parameters
    ----------
    policy, best : arrays of shape (n_options,)
        Probabilities of the options.
    scores : array of shape (n_options,)
        Scores in which regret is measured.
    menu : Menu
        Contexts and their weights.

    Returns
    -------
    PolicyDistance
        The divergence is infinite where the better policy excludes an option that the other takes.
    """
    share = np.repeat(menu.shares, menu.sizes)
    taken = policy > 0
    with np.errstate(divide="ignore"):
        log_ratio = np.log(policy[taken]) - np.log(best[taken])
    mean_ratio = float(np.sum((share * policy)[taken] * log_ratio))
    return PolicyDistance(
        total_variation=float(share @ np.abs(policy - best)) / 2,
        kl=max(mean_ratio, 0.0),
        regret=float((share * (best - policy)) @ np.where(menu.log_reference == -np.inf, 0.0, scores)),
    )
