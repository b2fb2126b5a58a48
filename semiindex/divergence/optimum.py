"""The best policy at a temperature, and the temperature that spends a budget of divergence.

Given scores h, a reference and f, the policy ``q (f')^-1((h - lambda) / temperature)`` of :eq:`score-policy`
maximises the mean score among policies of its divergence. The divergence falls with the temperature;
`PolicyProblem.temperature` finds where it equals a budget. Time and memory are linear in the options.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray, IntArray
from semiindex.divergence.base import Divergence
from semiindex.divergence.blocks import menu_blocks
from semiindex.divergence.budget import Response, solve_budget
from semiindex.divergence.path import FollowedBlock, first_guess
from semiindex.exceptions import BudgetError, InvalidDataError, InvalidParameterError

__all__ = ["Optimum", "PolicyProblem", "optimal_ratio", "read_per_context", "solve_temperature"]

#: More contexts than this are first solved on a part of them of about a quarter of this size.
_MANY = 65_536
#: Differences of larger scores overflow.
_LARGEST_SCORE = 8e307
#: Totals that are further from one, in logarithms, are no rounding errors.
_LARGEST_DEFECT = 1e-10
#: A budget this close to the supremum is the supremum.
_AT_SUPREMUM = 1e-14


class Optimum(NamedTuple):
    """Optimal policies of all contexts.

    Attributes
    ----------
    log_ratio : array of shape (n_options,)
        ``log(pi / pi_ref)``; -inf where an option has no probability.
    normalizer : array of shape (n_contexts,)
        lambda, in the unit of the scores.
    divergence : array of shape (n_contexts,)
        Divergence of each context.
    """

    log_ratio: FloatArray
    normalizer: FloatArray
    divergence: FloatArray


class PolicyProblem:
    """Scores on ragged menus with a reference: what policies are computed from.

    Parameters
    ----------
    scores : array of shape (n_options,)
        Scores h, context after context; those of options without reference mass are not used.
    log_reference : array of shape (n_options,)
        Logarithms of the reference probabilities, summing to one in each context; -inf excludes.
    offsets : array of int, shape (n_contexts + 1,)
        Where the options of each context begin and end.
    divergence : Divergence
        Which f.
    """

    def __init__(
        self, scores: FloatArray, log_reference: FloatArray, offsets: IntArray, divergence: Divergence
    ) -> None:
        self.scores, self.log_reference = scores, log_reference
        self.offsets, self.divergence = offsets, divergence
        self.n_contexts = offsets.size - 1
        used = scores[~np.isneginf(log_reference)]
        if not np.isfinite(used).all() or (used.size and np.abs(used).max() > _LARGEST_SCORE):
            raise InvalidDataError(
                "scores must be finite and below 8e307 in size, so that their differences are; correct or "
                "rescale them, or give options that must not be chosen no reference mass"
            )

        self._parts = self._part(np.arange(self.n_contexts))

    def _part(self, contexts: IntArray) -> list[FollowedBlock]:
        blocks = menu_blocks(self.scores, self.log_reference, self.offsets, contexts)
        return [FollowedBlock(block, self.divergence) for block in blocks]

    def supremum(self) -> FloatArray:
        """Divergence of the greedy policy of each context: no policy of the scores has more.

        Ties share their reference mass: ``Q f(1/Q) + (1 - Q) f(0+)``, :eq:`greedy-divergence`.
        """
        result = np.empty(self.n_contexts)
        for part in self._parts:
            result[part.block.contexts] = part.greedy_divergence()
        return result

    def optimum(self, temperature: FloatArray | float) -> Optimum:
        """Policies at a common temperature, or at one per context; 0 is greedy, inf the reference.

        Parameters
        ----------
        temperature : float, or array of shape (n_contexts,)
            In the unit of the scores.

        Returns
        -------
        Optimum

        Raises
        ------
        InvalidDataError
            Where rounding errors, of the functions of a custom divergence as a rule, keep the probabilities
            from summing to one within 1e-10.
        """
        per_context = np.broadcast_to(np.asarray(temperature, dtype=np.float64), (self.n_contexts,))
        log_ratio = np.full(self.scores.shape, -np.inf)
        normalizer, divergence = np.empty(self.n_contexts), np.empty(self.n_contexts)
        for part in self._parts:
            rows = part.block.contexts
            solved = part.solve(per_context[rows])
            _require_resolved(solved.defect, self.divergence)
            part.block.scatter(solved.log_ratio, log_ratio)
            divergence[rows] = part.spent(solved)
            normalizer[rows] = part.normalizer(solved, per_context[rows])
        return Optimum(log_ratio, normalizer, divergence)

    def temperature(self, budget: ArrayLike, context_weight: FloatArray | None = None) -> FloatArray | float:
        """Temperature at which the divergence equals a budget.

        Parameters
        ----------
        budget : float, or array-like of shape (n_contexts,)
            Mean divergence over contexts; or a divergence for each context.
        context_weight : array of shape (n_contexts,), optional
            Weights of the mean, not negative; equal by default.

        Returns
        -------
        float, or array of shape (n_contexts,)
            inf for a budget of 0 (the reference), 0 for the supremum (the greedy policy).

        Raises
        ------
        BudgetError
            For a budget that no policy of the scores spends; the message states the supremum.
        InvalidParameterError
            For a budget that is negative, infinite, no number, or of another shape.
        """
        wanted = read_per_context("budget", budget, self.n_contexts)
        if np.isinf(wanted).any():
            raise InvalidParameterError("budget must be finite, got inf; temperature=0 is the greedy policy")
        if isinstance(wanted, float):
            return self._common(wanted, _shares(context_weight, self.n_contexts))
        return self._per_context(wanted)

    def _per_context(self, budget: FloatArray) -> FloatArray:
        supremum = self.supremum()
        beyond = budget > supremum * (1 + _AT_SUPREMUM)
        if beyond.any():
            k = int(np.argmax(beyond))
            raise _beyond(budget[k], supremum[k], f"in context {k}")
        log_inverse = np.empty(self.n_contexts)
        for part in self._parts:
            rows = part.block.contexts
            unit = part.block.gap.max(axis=0)
            guess = first_guess(budget[rows], unit, part.gap_variance(unit), self.divergence)
            log_inverse[rows] = solve_budget(part.respond, budget[rows], supremum[rows], guess)
        return np.exp(-log_inverse)

    def _common(self, budget: float, share: FloatArray) -> float:
        supremum = self.supremum()
        most = float(share @ np.where(share > 0, supremum, 0.0))
        if budget > most * (1 + _AT_SUPREMUM):
            raise _beyond(budget, most, "on average over the contexts")
        guess = None
        if self.n_contexts > _MANY:
            some = np.arange(0, self.n_contexts, 4 * self.n_contexts // _MANY)
            there = float(share[some] @ np.where(share[some] > 0, supremum[some], 0.0))
            if 0 < there < np.inf and most < np.inf:  # the same part of what can be spent
                guess = self._search(self._part(some), budget * there / most, there, share, None)
            elif there > 0:
                guess = self._search(self._part(some), budget * share[some].sum(), there, share, None)
        return float(np.exp(-self._search(self._parts, budget, most, share, guess)[0]))

    def _search(
        self,
        parts: list[FollowedBlock],
        budget: float,
        supremum: float,
        share: FloatArray,
        guess: FloatArray | None,
    ) -> FloatArray:
        """Logarithm of the inverse temperature for a mean budget of some contexts, as an array of one."""
        weights = [share[part.block.contexts] for part in parts]

        def respond(log_inverse: FloatArray) -> Response:
            value, slope = 0.0, 0.0
            for part, w in zip(parts, weights, strict=True):
                response = part.respond(log_inverse)
                value, slope = value + float(w @ response.value), slope + float(w @ response.slope)
            return Response(np.array([value]), np.array([slope]))

        if guess is None:
            unit = max(float(part.block.gap.max()) for part in parts)
            variance = sum(float(w @ part.gap_variance(unit)) for part, w in zip(parts, weights, strict=True))
            sizes = np.array([budget]), np.array([unit]), np.array([variance])
            guess = first_guess(*sizes, self.divergence)
        return solve_budget(respond, np.array([budget]), np.array([supremum]), guess)


def read_per_context(name: str, values: ArrayLike, n_contexts: int) -> FloatArray | float:
    """A budget or temperature: a number that is not negative, or one for each context.

    Parameters
    ----------
    name : str
        For messages.
    values : float, or array-like of shape (n_contexts,)
        As it was passed.
    n_contexts : int
        Number of contexts.

    Returns
    -------
    float, or array of shape (n_contexts,)

    Raises
    ------
    InvalidParameterError
        For anything else, truth values included.
    """
    given = np.asarray(values)
    if given.dtype.kind not in "iuf":
        raise InvalidParameterError(f"{name} must be a number or one number per context, got {values!r}")
    if given.shape not in ((), (n_contexts,)):
        raise InvalidParameterError(
            f"{name} must be a number or one number per context ({n_contexts}), got shape {given.shape}"
        )
    if not (given >= 0).all():
        raise InvalidParameterError(f"{name} must be at least 0, got {float(given.min())!r}")
    return given.astype(np.float64) if given.ndim else float(given)


def _shares(weight: FloatArray | None, n_contexts: int) -> FloatArray:
    if weight is None:
        return np.full(n_contexts, 1 / n_contexts)
    return np.asarray(weight / weight.sum())


def _require_resolved(defect: FloatArray, divergence: Divergence) -> None:
    """Refuse policies whose probabilities do not sum to one before they are divided by their total."""
    lost = ~(defect <= _LARGEST_DEFECT)
    if lost.any():
        raise InvalidDataError(
            f"the policy of {np.count_nonzero(lost)} context(s) is lost in rounding errors: under "
            f"{divergence.name} at this temperature no ratios make the probabilities sum to one within "
            f"{_LARGEST_DEFECT:g}. Look for functions of a custom divergence that cancel or are imprecise, "
            "or use a higher temperature"
        )


def _beyond(budget: float, supremum: float, where: str) -> BudgetError:
    return BudgetError(
        f"budget={float(budget):.10g} cannot be spent: the greedy policy of these scores has a divergence of "
        f"{float(supremum):.10g} {where}, and no policy of them has more. Pass a budget of at most that, "
        "temperature=0 for the greedy policy, or a divergence without a supremum (forward_kl)"
    )


def optimal_ratio(
    scores: FloatArray,
    log_reference: FloatArray,
    offsets: IntArray,
    divergence: Divergence,
    temperature: FloatArray | float,
) -> Optimum:
    """Optimal policies of ragged menus at given temperatures.

    Parameters
    ----------
    scores : array of shape (n_options,)
        Scores, context after context.
    log_reference : array of shape (n_options,)
        Logarithms of the reference probabilities; -inf excludes an option.
    offsets : array of int, shape (n_contexts + 1,)
        Where the options of each context begin and end.
    divergence : Divergence
        Which f.
    temperature : float, or array of shape (n_contexts,)
        In the unit of the scores, from 0 (greedy) to inf (the reference).

    Returns
    -------
    Optimum
        Log-ratios of the options, and lambda and the divergence of each context.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.divergence import chi_squared, optimal_ratio
    >>> scores, log_q = np.array([2.0, 1.0, 0.0]), np.log([0.25, 0.25, 0.5])
    >>> best = optimal_ratio(scores, log_q, np.array([0, 3]), chi_squared, 1.0)
    >>> np.exp(best.log_ratio), best.normalizer
    (array([2.25, 1.25, 0.25]), array([0.75]))
    """
    return PolicyProblem(scores, log_reference, offsets, divergence).optimum(temperature)


def solve_temperature(
    scores: FloatArray,
    log_reference: FloatArray,
    offsets: IntArray,
    divergence: Divergence,
    budget: ArrayLike,
    context_weight: FloatArray | None = None,
) -> FloatArray | float:
    """Temperature at which optimal policies spend a budget of divergence.

    Parameters
    ----------
    scores, log_reference, offsets, divergence
        As for `optimal_ratio`.
    budget : float, or array-like of shape (n_contexts,)
        Mean divergence over contexts; or a divergence for each context.
    context_weight : array of shape (n_contexts,), optional
        Weights of the mean; equal by default.

    Returns
    -------
    float, or array of shape (n_contexts,)
        In the unit of the scores; inf for a budget of 0, 0 for the supremum.

    Raises
    ------
    BudgetError
        For a budget that no policy of the scores spends; the message states the supremum.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.divergence import chi_squared, solve_temperature
    >>> scores, log_q = np.array([2.0, 1.0, 0.0]), np.log([0.25, 0.25, 0.5])
    >>> round(solve_temperature(scores, log_q, np.array([0, 3]), chi_squared, 0.34375), 9)
    1.0
    """
    return PolicyProblem(scores, log_reference, offsets, divergence).temperature(budget, context_weight)
