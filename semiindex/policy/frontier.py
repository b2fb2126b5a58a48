"""Frontiers: what the best policies of given scores attain, budget by budget."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.data.checks import frozen
from semiindex.divergence import Divergence, get_divergence
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.link.base import Link
from semiindex.policy.menu import Menu
from semiindex.policy.menu_policy import Policy, policies_of_budgets, policy_from_scores, read_scores
from semiindex.policy.win_probability import win_probabilities

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Frontier", "frontier_from_scores", "read_budgets", "values_of_budgets"]


@dataclass(frozen=True, eq=False, repr=False)
class Frontier:
    """The best policies of given scores for several budgets of divergence, and what they attain.

    Made by `frontier_from_scores`, or by the method `frontier` of a fitted estimator. Arrays have an
    entry for each budget.

    Parameters
    ----------
    menu : Menu
        Options and reference.
    scores : array of shape (n_options,)
        What the policies maximise.
    kind : Divergence
        How the distance to the reference is measured.
    budget : array of shape (k,)
        Mean divergences allowed.
    temperature : array of shape (k,)
        Of the policies, in the unit of the scores.
    divergence : array of shape (k,)
        Mean divergence spent.
    expected_score : array of shape (k,)
        Mean score, in the unit of the scores: not comparable between estimators.
    win_rate : array of shape (k,), or None
        Probability that the policy's option is preferred to the reference's, :eq:`win-rate`; None
        without a link.
    reward : array of shape (k,), or None
        Mean of the reward that was passed.

    Examples
    --------
    >>> from semiindex import LogisticLink, Menu, frontier_from_scores
    >>> frontier = frontier_from_scores([0.0, 1.0, 2.0], Menu(offsets=[0, 3]), [0, 0.2], link=LogisticLink())
    >>> frontier.win_rate.round(3)
    array([0.5  , 0.603])
    """

    menu: Menu
    scores: FloatArray
    kind: Divergence
    budget: FloatArray
    temperature: FloatArray
    divergence: FloatArray
    expected_score: FloatArray
    win_rate: FloatArray | None
    reward: FloatArray | None

    @property
    def value(self) -> FloatArray:
        """What a picture shows against divergence: the reward, else the win rate, else the score."""
        given = (values for values in (self.reward, self.win_rate) if values is not None)
        return next(given, self.expected_score)

    @property
    def value_name(self) -> str:
        """What `value` is: "reward", "win rate" or "score"."""
        if self.reward is not None:
            return "reward"
        return "score" if self.win_rate is None else "win rate"

    def policy(self, k: int) -> Policy:
        """The policy of a budget.

        Parameters
        ----------
        k : int
            Position of the budget.

        Returns
        -------
        Policy
        """
        at = float(self.temperature[k])
        return policy_from_scores(self.scores, self.menu, temperature=at, divergence=self.kind)

    def __len__(self) -> int:
        return self.budget.size

    def __repr__(self) -> str:
        return (
            f"Frontier({len(self)} budgets of {self.kind.name} from {self.budget[0]:.4g} to "
            f"{self.budget[-1]:.4g}, {self.value_name} from {self.value[0]:.4g} to {self.value[-1]:.4g})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Table with a row per budget.

        Returns
        -------
        DataFrame
            Indexed by ``budget``, with the columns ``divergence``, ``temperature``, ``expected_score`` and,
            where there are such, ``win_rate`` and ``reward``.
        """
        import pandas as pd

        names = ("divergence", "temperature", "expected_score", "win_rate", "reward")
        columns = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return pd.DataFrame(columns, index=pd.Index(self.budget, name="budget"))


def frontier_from_scores(
    scores: ArrayLike,
    menu: Menu,
    budgets: ArrayLike,
    *,
    divergence: str | Divergence = "reverse_kl",
    link: Link | None = None,
    reward: ArrayLike | None = None,
) -> Frontier:
    """Trace the frontier of given scores: the best policy for each of several budgets.

    Parameters
    ----------
    scores : array-like of shape (n_options,)
        Scores of all options of the menu.
    menu : Menu
        Options and reference.
    budgets : array-like of shape (k,)
        Mean divergences over contexts, in increasing order; 0 is the reference.
    divergence : str or Divergence, default="reverse_kl"
        How the distance to the reference is measured.
    link : Link, default=None
        Link of the scores, from which win rates follow. None: no win rates.
    reward : array-like of shape (n_options,), default=None
        A reward of the options to average under the policies, a true one in a simulation; or the
        `win_probability` of another model, to judge several estimators by the same.

    Returns
    -------
    Frontier

    Raises
    ------
    BudgetError
        For a budget beyond the divergence of the greedy policy.
    InvalidDataError
        For scores or rewards that are not one number per option.
    InvalidParameterError
        For budgets that are negative or do not increase.

    See Also
    --------
    KnownLinkPolicy.frontier : The frontier of a fitted estimator.
    frontier_band : With intervals.

    Notes
    -----
    Divergence, expected score and win rate increase with the budget, in every context: a lower temperature
    moves mass from options below some score to options above it, and links increase. A reward of others
    may fall: where it does, the scores have been trusted too far.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import Menu, frontier_from_scores
    >>> rng = np.random.default_rng(0)
    >>> menu, truth = Menu(offsets=np.arange(0, 60, 5)), rng.normal(size=55)
    >>> estimate = truth + rng.normal(size=55)
    >>> frontier_from_scores(estimate, menu, [0.0, 0.1, 0.2, 0.4], reward=truth).reward.round(2)
    array([0.09, 0.28, 0.36, 0.46])
    """
    values, allowed, kind = read_scores(scores, menu), read_budgets(budgets), get_divergence(divergence)
    worth = None if reward is None else _read_reward(reward, menu)
    wins = None if link is None else win_probabilities(values, menu, link)
    policies = list(policies_of_budgets(values, menu, allowed, kind))
    return Frontier(
        menu=menu,
        scores=frozen(values),
        kind=kind,
        budget=frozen(allowed),
        temperature=frozen(np.array([float(policy.temperature) for policy in policies])),
        divergence=frozen(np.array([policy.divergence for policy in policies])),
        expected_score=frozen(np.array([policy.expected_score for policy in policies])),
        win_rate=None if wins is None else _means(policies, wins),
        reward=None if worth is None else _means(policies, worth),
    )


def read_budgets(budgets: ArrayLike) -> FloatArray:
    """Budgets as an array, refused unless they are finite, not negative, and increase."""
    allowed = np.array(budgets, dtype=np.float64)
    if allowed.ndim != 1 or allowed.size == 0:
        raise InvalidParameterError(
            f"budgets must be a sequence of numbers, got shape {allowed.shape}; for a single one use policy()"
        )
    if not (np.isfinite(allowed).all() and allowed[0] >= 0 and (np.diff(allowed) > 0).all()):
        raise InvalidParameterError(
            f"budgets must be finite, at least 0 and in increasing order, got {allowed.tolist()[:8]}"
        )
    return allowed


def values_of_budgets(
    scores: FloatArray,
    menu: Menu,
    budgets: FloatArray,
    kind: Divergence,
    *,
    link: Link | None = None,
    reward: FloatArray | None = None,
) -> FloatArray:
    """`Frontier.value` alone, shape (k,), for scores and budgets that were read already.

    Parameters
    ----------
    scores : array of shape (n_options,)
        Scores of all options.
    menu : Menu
        Options and reference.
    budgets : array of shape (k,)
        Mean divergences.
    kind : Divergence
        Which f.
    link : Link, optional
        Link of the scores, for win rates.
    reward : array of shape (n_options,), optional
        Reward to average instead.
    """
    worth = win_probabilities(scores, menu, link) if reward is None and link is not None else reward
    return _means(policies_of_budgets(scores, menu, budgets, kind), scores if worth is None else worth)


def _means(policies: Iterable[Policy], worth: FloatArray) -> FloatArray:
    return np.asarray(frozen(np.array([policy.expected_reward(worth) for policy in policies])))


def _read_reward(reward: ArrayLike, menu: Menu) -> FloatArray:
    worth = np.array(reward, dtype=np.float64)
    if worth.shape != (menu.n_options,) or not np.isfinite(worth[menu.log_reference > -np.inf]).all():
        raise InvalidDataError(
            f"reward must hold a finite number for each of the {menu.n_options} options of the menu (those "
            f"without reference mass excepted), got shape {worth.shape}"
        )
    return worth
