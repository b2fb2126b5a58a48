"""Policies over menus: the best under a budget of divergence from the reference, for given scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.data.checks import frozen
from semiindex.divergence import Divergence, PolicyProblem, get_divergence
from semiindex.divergence.optimum import read_per_context
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.policy.menu import Menu, require_menu

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Policy", "policies_of_budgets", "policy_from_scores", "read_scores"]


@dataclass(frozen=True, eq=False, repr=False)
class Policy:
    """Probabilities over the options of every context of a menu.

    Made by `policy_from_scores`, or by the method `policy` of a fitted estimator. Arrays over options
    are in the order of the menu; options ``offsets[k]`` to ``offsets[k + 1] - 1`` belong to context k.
    Means over contexts are weighted as the menu says.

    Parameters
    ----------
    menu : Menu
        Options and reference.
    scores : array of shape (n_options,)
        What the policy maximises.
    kind : Divergence
        How the distance to the reference is measured.
    temperature : float, or array of shape (n_contexts,)
        In the unit of the scores; 0 is greedy, inf the reference.
    log_ratio : array of shape (n_options,)
        ``log(pi / pi_ref)``, -inf for options without probability.
    normalizer : array of shape (n_contexts,)
        lambda of :eq:`score-policy`, in the unit of the scores.
    context_divergence : array of shape (n_contexts,)
        Divergence from the reference in each context.

    Examples
    --------
    >>> from semiindex import Menu, policy_from_scores
    >>> menu = Menu(offsets=[0, 2, 5])
    >>> policy = policy_from_scores([0.0, 1.0, 0.0, 1.0, 3.0], menu, budget=0.1)
    >>> policy
    Policy(2 contexts, 5 options, reverse_kl divergence 0.1, temperature 2.12)
    >>> policy.probabilities.round(2)
    array([0.38, 0.62, 0.15, 0.24, 0.61])
    """

    menu: Menu
    scores: FloatArray
    kind: Divergence
    temperature: FloatArray | float
    log_ratio: FloatArray
    normalizer: FloatArray
    context_divergence: FloatArray

    @property
    def offsets(self) -> IntArray:
        """Where the options of each context begin, shape (n_contexts + 1,)."""
        return self.menu.offsets

    @property
    def log_probabilities(self) -> FloatArray:
        """Logarithms of the probabilities, shape (n_options,)."""
        return self.menu.log_reference + self.log_ratio

    @cached_property
    def probabilities(self) -> FloatArray:
        """Probabilities, shape (n_options,)."""
        return np.asarray(frozen(np.exp(self.log_probabilities)))

    @property
    def divergence(self) -> float:
        """Mean divergence from the reference over contexts: what was spent of the budget."""
        return self._mean(self.context_divergence)

    @cached_property
    def context_score(self) -> FloatArray:
        """Expected score in each context, shape (n_contexts,)."""
        return self.context_mean(self.scores)

    @property
    def expected_score(self) -> float:
        """Mean expected score over contexts, in the unit of the scores."""
        return self._mean(self.context_score)

    def expected_reward(self, reward: ArrayLike) -> float:
        """Mean of a reward of the options under the policy, over contexts.

        Parameters
        ----------
        reward : array-like of shape (n_options,)
            Any number per option: a true reward, or ``model.win_probability(menu)``, whose mean is the
            win rate against the reference. Options without probability do not count, whatever it says.

        Returns
        -------
        float
        """
        return self._mean(self.context_mean(reward))

    def context_mean(self, values: ArrayLike) -> FloatArray:
        """Mean of numbers of the options under the policy, in each context.

        Parameters
        ----------
        values : array-like of shape (n_options,)
            Any number per option; those of options without probability do not count.

        Returns
        -------
        array of shape (n_contexts,)
        """
        given, p = np.asarray(values, dtype=np.float64), self.probabilities
        if given.shape != p.shape:
            raise InvalidDataError(
                f"values must have one entry for each of the {self.menu.n_options} options of the menu, got "
                f"shape {given.shape}"
            )
        return self._sum(p * np.where(p > 0, given, 0.0))

    @cached_property
    def entropy(self) -> FloatArray:
        """Entropy of the probabilities in each context, in nats, shape (n_contexts,)."""
        p = self.probabilities
        return np.maximum(-self._sum(p * np.where(p > 0, self.log_probabilities, 0.0)), 0.0)

    @property
    def effective_options(self) -> FloatArray:
        """Options with equal probabilities that have the same entropy, shape (n_contexts,)."""
        return np.asarray(np.exp(self.entropy))

    def _mean(self, values: FloatArray) -> float:
        """Weighted mean over contexts; those of no weight do not count, whatever their value."""
        share = self.menu.shares
        return float(share @ np.where(share > 0, values, 0.0))

    def _sum(self, values: FloatArray) -> FloatArray:
        return np.asarray(np.add.reduceat(values, self.offsets[:-1]))

    def __len__(self) -> int:
        return len(self.menu)

    def __repr__(self) -> str:
        t = np.asarray(self.temperature)
        shown = f"{t:.3g}" if t.ndim == 0 else f"{t.min():.3g} to {t.max():.3g}"
        return (
            f"Policy({len(self.menu)} contexts, {self.menu.n_options} options, {self.kind.name} divergence "
            f"{self.divergence:.4g}, temperature {shown})"
        )

    def argmax(self) -> IntArray:
        """Most probable option of each context, the first of equals.

        Returns
        -------
        array of int, shape (n_contexts,)
            Positions in the arrays of the menu, such as ``menu.option_labels``.
        """
        return _first_largest(self.log_probabilities, self.offsets)

    def sample(self, random_state: int | np.random.Generator | None = None) -> IntArray:
        """Draw an option in each context.

        Parameters
        ----------
        random_state : int or Generator, optional
            Seed, or the generator to draw from. None: another draw each time.

        Returns
        -------
        array of int, shape (n_contexts,)
            Positions in the arrays of the menu, such as ``menu.option_labels``.
        """
        noise = np.random.default_rng(random_state).gumbel(size=self.menu.n_options)
        return _first_largest(self.log_probabilities + noise, self.offsets)

    def to_frame(self) -> pd.DataFrame:
        """Table with a row per option.

        Returns
        -------
        DataFrame
            Columns ``context``, ``option``, ``score``, ``reference``, ``probability`` and ``log_ratio``.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "context": self.menu.context_labels[self.menu.codes],
                "option": self.menu.option_labels,
                "score": self.scores,
                "reference": self.menu.reference,
                "probability": self.probabilities,
                "log_ratio": self.log_ratio,
            }
        )


def policy_from_scores(
    scores: ArrayLike,
    menu: Menu,
    *,
    budget: ArrayLike | None = None,
    temperature: ArrayLike | None = None,
    divergence: str | Divergence = "reverse_kl",
) -> Policy:
    """Make the policy that is best for given scores under a budget of divergence, or at a temperature.

    Among all policies whose mean divergence from the reference is within the budget, it has the
    largest mean score, :eq:`budget`. Budgets compare across models and scores, as they do not depend on the
    scale of the scores; temperatures are in the unit of the scores.

    Parameters
    ----------
    scores : array-like of shape (n_options,)
        Scores of all options of the menu: the larger, the better. A constant per context changes nothing.
    menu : Menu
        Options and reference.
    budget : float, or array-like of shape (n_contexts,), default=None
        Mean divergence over contexts, from 0 (the reference) to that of the greedy policy; or a divergence
        for each context.
    temperature : float, or array-like of shape (n_contexts,), default=None
        Instead of a budget: from 0 (greedy) to inf (the reference). Exactly one of the two must be given.
    divergence : str or Divergence, default="reverse_kl"
        A name or a value, see :ref:`divergences`. The default is that of RLHF and DPO, whose policies are
        a softmax of the scores.

    Returns
    -------
    Policy

    Raises
    ------
    BudgetError
        For a budget beyond the divergence of the greedy policy; the message states that supremum.
    InvalidDataError
        For scores that are not one finite number per option.
    InvalidParameterError
        If not exactly one of budget and temperature is given, or has no meaning.

    See Also
    --------
    KnownLinkPolicy.policy : The policy of a fitted estimator.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import Menu, policy_from_scores
    >>> menu = Menu(offsets=[0, 3], reference=[0.5, 0.25, 0.25])
    >>> policy_from_scores(np.log([1.0, 2.0, 4.0]), menu, temperature=1.0).probabilities
    array([0.25, 0.25, 0.5 ])
    >>> policy_from_scores([0.0, 1.0, 2.0], menu, budget=1.0, divergence="chi_squared").probabilities.round(3)
    array([0.   , 0.146, 0.854])
    """
    if (budget is None) == (temperature is None):
        raise InvalidParameterError("exactly one of budget and temperature must be given")
    values, kind = read_scores(scores, menu), get_divergence(divergence)
    problem = PolicyProblem(values, menu.log_reference, menu.offsets, kind)
    if temperature is None:
        at: FloatArray | float = problem.temperature(budget, menu.weights)  # type: ignore[arg-type]
    else:
        at = read_per_context("temperature", temperature, len(menu))
    return _policy(problem, menu, at)


def policies_of_budgets(
    scores: FloatArray, menu: Menu, budgets: FloatArray, kind: Divergence
) -> Iterator[Policy]:
    """`policy_from_scores` for several budgets, one after the other, on menus that are prepared once.

    Parameters
    ----------
    scores : array of shape (n_options,)
        Scores of all options.
    menu : Menu
        Options and reference.
    budgets : array of shape (k,)
        Mean divergences; in order, as the policies are followed from one to the next.
    kind : Divergence
        Which f.
    """
    problem = PolicyProblem(scores, menu.log_reference, menu.offsets, kind)
    for budget in budgets:
        yield _policy(problem, menu, problem.temperature(budget, menu.weights))


def read_scores(scores: ArrayLike, menu: Menu) -> FloatArray:
    """Scores as an array of their own, refused unless there is one for each option of the menu."""
    menu = require_menu(menu)
    try:
        values = np.array(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"scores must be numbers, one for each option of the menu: {error}") from error
    if values.shape != (menu.n_options,):
        raise InvalidDataError(
            f"scores must have one entry for each of the {menu.n_options} options of the menu, got shape "
            f"{values.shape}"
        )
    return values


def _policy(problem: PolicyProblem, menu: Menu, temperature: FloatArray | float) -> Policy:
    best = problem.optimum(temperature)
    arrays = (best.log_ratio, best.normalizer, best.divergence)
    scores = frozen(problem.scores)
    return Policy(menu, scores, problem.divergence, temperature, *(frozen(array) for array in arrays))


def _first_largest(values: AnyArray, offsets: IntArray) -> IntArray:
    """Position of the first largest value of each context."""
    top = np.repeat(np.maximum.reduceat(values, offsets[:-1]), np.diff(offsets))
    position = np.where(values == top, np.arange(values.size), values.size)
    return np.asarray(np.minimum.reduceat(position, offsets[:-1]))
