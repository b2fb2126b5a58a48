"""How far two policies over a menu are apart, and what the one loses against the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.policy.menu import Menu, require_menu
from semiindex.policy.menu_policy import Policy
from semiindex.policy.reference import SUM_TOLERANCE

__all__ = ["PolicyDistance", "policy_distance"]


@dataclass(frozen=True)
class PolicyDistance:
    """Distances between a policy and another one, averaged over the contexts of a menu.

    Attributes
    ----------
    total_variation : float
        Share of decisions that differ, from 0 to 1.
    kl : float
        ``KL(policy || other)`` in nats; inf where the other one excludes an option that the policy takes.
    kl_from_other : float
        ``KL(other || policy)`` in nats.
    squared_hellinger : float
        ``sum (sqrt p - sqrt p')^2 / 2``, from 0 to 1.
    regret : float
        Mean reward of the other policy minus that of this one; NaN without a reward.
    """

    total_variation: float
    kl: float
    kl_from_other: float
    squared_hellinger: float
    regret: float


def policy_distance(
    policy: Policy | ArrayLike,
    other: Policy | ArrayLike,
    reward: ArrayLike | None = None,
    menu: Menu | None = None,
) -> PolicyDistance:
    """Distances between two policies over the same menu.

    Parameters
    ----------
    policy, other : Policy, or array-like of shape (n_options,)
        Policies, or the probabilities of all options. Where one of them is the better one, it is `other`.
    reward : array-like of shape (n_options,), default=None
        Reward in which to measure regret. It is regret at equal budget if both policies spend the same
        divergence, and `other` is the best for this reward: ``policy_from_scores(reward, menu, budget=...)``.
    menu : Menu, default=None
        Contexts and their weights. None: those of `policy`, or of `other`.

    Returns
    -------
    PolicyDistance

    Raises
    ------
    InvalidParameterError
        If neither a menu nor a policy that has one is given.
    InvalidDataError
        If policies, reward and menu do not have the same options, or numbers are no probabilities: not
        finite, negative, or not summing to one (up to 1e-5) in some context.

    Notes
    -----
    In every context ``H^2 <= TV <= sqrt(KL / 2)`` (Pinsker) and ``TV <= sqrt(2 H^2)``.

    Examples
    --------
    >>> from semiindex import Menu, policy_distance, policy_from_scores
    >>> menu = Menu(offsets=[0, 3])
    >>> truth, guess = [0.0, 1.0, 2.0], [0.0, 2.0, 1.0]
    >>> best, policy = (policy_from_scores(scores, menu, budget=0.2) for scores in (truth, guess))
    >>> distance = policy_distance(policy, best, reward=truth)
    >>> round(distance.total_variation, 3), round(distance.regret, 3)
    (0.351, 0.351)
    """
    menu = _menu(policy, other, menu)
    p, log_p = _read(policy, menu, "policy")
    q, log_q = _read(other, menu, "other")
    share = np.repeat(menu.shares, menu.sizes)
    return PolicyDistance(
        total_variation=float(share @ np.abs(p - q)) / 2,
        kl=_kl(share, p, log_p, log_q),
        kl_from_other=_kl(share, q, log_q, log_p),
        squared_hellinger=float(share @ (np.sqrt(p) - np.sqrt(q)) ** 2) / 2,
        regret=math.nan if reward is None else _regret(share, p, q, reward),
    )


def _menu(policy: Policy | ArrayLike, other: Policy | ArrayLike, menu: Menu | None) -> Menu:
    known = [
        menu if menu is None else require_menu(menu),
        *(p.menu for p in (policy, other) if isinstance(p, Policy)),
    ]
    menus = [one for one in known if one is not None]
    if not menus:
        raise InvalidParameterError(
            "menu is missing: probabilities alone do not say which options belong to one context"
        )
    if any(not np.array_equal(one.offsets, menus[0].offsets) for one in menus[1:]):
        raise InvalidDataError("policy, other and menu must be about the same options: their offsets differ")
    return menus[0]


def _read(policy: Policy | ArrayLike, menu: Menu, name: str) -> tuple[FloatArray, FloatArray]:
    """Probabilities and their logarithms."""
    if isinstance(policy, Policy):
        return policy.probabilities, policy.log_probabilities
    p = np.asarray(policy, dtype=np.float64)
    if p.shape != (menu.n_options,):
        raise InvalidDataError(
            f"{name} must hold a probability for each of the {menu.n_options} options, got shape {p.shape}"
        )
    bad = ~((p >= 0) & (p < np.inf))
    if bad.any():
        row = int(np.argmax(bad))
        raise InvalidDataError(f"{name} must hold probabilities, but is {p[row]} first in row {row}")
    total = np.add.reduceat(p, menu.offsets[:-1])
    off = ~(np.abs(total - 1) <= SUM_TOLERANCE)
    if off.any():
        k = int(np.argmax(off))
        raise InvalidDataError(
            f"{name} must sum to one in every context, but does not in {np.count_nonzero(off)} of "
            f"{off.size}, first in {menu.context_labels[k]}, where the sum is {total[k]:.6g}"
        )
    with np.errstate(divide="ignore"):
        return p, np.log(p)


def _kl(share: FloatArray, p: FloatArray, log_p: FloatArray, log_q: FloatArray) -> float:
    taken = (p > 0) & (share > 0)  # a context of no weight counts for nothing, even if its divergence is inf
    return max(float((share * p)[taken] @ (log_p - np.where(taken, log_q, 0.0))[taken]), 0.0)


def _regret(share: FloatArray, p: FloatArray, q: FloatArray, reward: ArrayLike) -> float:
    worth = np.asarray(reward, dtype=np.float64)
    if worth.shape != p.shape:
        raise InvalidDataError(f"reward must have shape {p.shape}, one number per option, got {worth.shape}")
    return float((share * (q - p)) @ np.where((share > 0) & ((p > 0) | (q > 0)), worth, 0.0))
