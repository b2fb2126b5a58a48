"""What a fitted index and link say of menus: policies, frontiers, win probabilities."""

from __future__ import annotations

from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from semiindex._types import FloatArray
from semiindex.divergence import Divergence
from semiindex.policy.frontier import Frontier, frontier_from_scores
from semiindex.policy.menu import Menu, require_menu
from semiindex.policy.menu_policy import Policy, policy_from_scores
from semiindex.policy.prediction import ComparisonClassifier
from semiindex.policy.win_probability import win_probabilities

__all__ = ["MenuEstimates"]


class MenuEstimates(ComparisonClassifier):
    """Policies over menus by the scores and the link of a fitted classifier of comparisons."""

    def _menu_scores(self, menu: Menu) -> FloatArray:
        check_is_fitted(self)
        return self.score_options(require_menu(menu).select_features(self))

    def policy(
        self,
        menu: Menu,
        *,
        budget: ArrayLike | None = None,
        temperature: ArrayLike | None = None,
        divergence: str | Divergence = "reverse_kl",
        reference: ArrayLike | None = None,
    ) -> Policy:
        """Policy over a menu that is best for the scores of the fit, see `policy_from_scores`.

        The scale of the index is not identified, only fixed by `normalization_`: a temperature means
        something within one fitted model, a budget means the same for all models.

        Parameters
        ----------
        menu : Menu
            Options with the features of the fit, by name, or by position where the menu has no names.
        budget : float, or array-like of shape (n_contexts,), default=None
            Mean divergence from the reference over contexts, or a divergence for each context.
        temperature : float, or array-like of shape (n_contexts,), default=None
            Instead of a budget, in the unit of the scores. Exactly one of the two must be given.
        divergence : str or Divergence, default="reverse_kl"
            How the distance to the reference is measured.
        reference : array-like of shape (n_options,), default=None
            Reference probabilities to use instead of those of the menu.

        Returns
        -------
        Policy

        Raises
        ------
        BudgetError
            For a budget beyond the divergence of the greedy policy; the message states that supremum.
        InvalidDataError
            For a menu without the features of the fit, or where options have no scores (kernel indices
            that were fitted to plain differences).
        InvalidParameterError
            If not exactly one of budget and temperature is given, or has no meaning.
        """
        scores = self._menu_scores(menu)
        menu = menu if reference is None else menu.with_reference(reference=reference)
        return policy_from_scores(scores, menu, budget=budget, temperature=temperature, divergence=divergence)

    def frontier(
        self,
        menu: Menu,
        budgets: ArrayLike,
        *,
        divergence: str | Divergence = "reverse_kl",
        reference: ArrayLike | None = None,
        reward: ArrayLike | None = None,
    ) -> Frontier:
        """Frontier of the fit: the best policy for each of several budgets, and what it attains.

        Win rates against the reference are by the fitted index and link, and do not depend on the scale of
        the index. Each estimator judges itself by them; to compare estimators pass a common `reward`.

        Parameters
        ----------
        menu : Menu
            Options with the features of the fit, by name, or by position where the menu has no names.
        budgets : array-like of shape (k,)
            Mean divergences over contexts, in increasing order; 0 is the reference.
        divergence : str or Divergence, default="reverse_kl"
            How the distance to the reference is measured.
        reference : array-like of shape (n_options,), default=None
            Reference probabilities to use instead of those of the menu.
        reward : array-like of shape (n_options,), default=None
            A reward of the options to average under the policies: a true one in a simulation, or the
            `win_probability` of another model.

        Returns
        -------
        Frontier

        Raises
        ------
        BudgetError
            For a budget beyond the divergence of the greedy policy; the message states that supremum.
        InvalidDataError
            As for `policy`.
        InvalidParameterError
            For budgets that are negative or do not increase.

        See Also
        --------
        frontier_band : With intervals.
        FrontierDisplay : As a picture, for several estimators.
        """
        scores = self._menu_scores(menu)
        menu = menu if reference is None else menu.with_reference(reference=reference)
        return frontier_from_scores(
            scores, menu, budgets, divergence=divergence, link=self.link_, reward=reward
        )

    def win_probability(self, menu: Menu) -> FloatArray:
        """Probability that each option is preferred to an option drawn from the reference of its context.

        The mean under a policy, ``policy.expected_reward(model.win_probability(menu))``, is the win rate of
        the policy against the reference, :eq:`win-rate`. It is a reward by which any policies can be judged,
        those of other models included. Both orders of presentation count half.

        Parameters
        ----------
        menu : Menu
            Options with the features of the fit, and the reference.

        Returns
        -------
        array of shape (n_options,)
            NaN for options without reference mass, which no policy takes.

        See Also
        --------
        win_rate_interval : The win rate of a policy with an interval.
        """
        return win_probabilities(self._menu_scores(menu), menu, self.link_)
