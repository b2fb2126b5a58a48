"""How far two policies of a menu are apart: total variation, divergence, regret at one budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semiindex._types import FloatArray
from semiindex.divergence.named import get_divergence
from semiindex.divergence.optimum import PolicyProblem
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.policy._reading import check_options
from semiindex.policy.menu import Menu

__all__ = ["BudgetPolicy", "PolicyDistance", "policy_distance", "read_menu", "spend_budget"]


@dataclass(frozen=True, eq=False)
class BudgetPolicy:
    """The policy of given scores that spends a budget.

    Attributes
    ----------
    probability : array of shape (n_options,)
        Of each option.
    temperature : float
        In the unit of the scores.
    """

    probability: FloatArray
    temperature: float


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


def read_menu(model: Any, menu: Any) -> FloatArray:
    """Features of the options of a menu as a dense matrix, checked against the fit.

    Parameters
    ----------
    model : fitted estimator
        Whose columns the menu must have.
    menu : Menu
        With features.

    Raises
    ------
    InvalidParameterError
        If it is no menu.
    InvalidDataError
        If the menu has no features, or others than the fit.
    """
    if not isinstance(menu, Menu):
        raise InvalidParameterError(f"menu must be a Menu, got {type(menu).__name__}")
    if menu.features is None:
        raise InvalidDataError(
            "menu has no features, so that the model cannot score its options; pass features"
        )
    names = getattr(model, "feature_names_in_", None)
    unnamed = tuple(f"x{j}" for j in range(len(menu.feature_names)))
    if names is not None and menu.feature_names not in (unnamed, tuple(names)):
        raise InvalidDataError(
            f"menu has the features {list(menu.feature_names)[:8]}, but the model was fitted on "
            f"{list(names)[:8]} (names and order must agree)"
        )
    matrix = check_options(model, menu.features)
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=np.float64)


def spend_budget(
    scores: FloatArray, menu: Menu, budget: float, divergence: Any = "reverse_kl"
) -> BudgetPolicy:
    """Policy of the scores whose mean divergence from the reference is the budget.

    Parameters
    ----------
    scores : array of shape (n_options,)
        Scores of the options.
    menu : Menu
        Contexts and reference.
    budget : float
        Mean divergence.
    divergence : str or Divergence, default="reverse_kl"
        Which f.

    Raises
    ------
    BudgetError
        If no policy of these scores spends it.
    """
    problem = PolicyProblem(scores, menu.log_reference, menu.offsets, get_divergence(divergence))
    temperature = float(problem.temperature(budget, menu.weights))
    log_ratio = problem.optimum(temperature).log_ratio
    return BudgetPolicy(
        np.exp(log_ratio + np.where(np.isneginf(log_ratio), 0.0, menu.log_reference)), temperature
    )


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
