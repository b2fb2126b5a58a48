"""The win rate of a policy from logged comparisons whose options were drawn with known probabilities.

Write mu(b, a) for the probability that the log shows b as option 0 and a as option 1, and
``s(b, a) = pi(a) q(b) - pi(b) q(a)`` with the policy pi and the reference q of the context. Then

    W = 1/2 + E[(2z - 1) s(y0, y1) / mu(y0, y1)] / 4,   :eq:`logged-win-rate`,

with z = 1 where option 1 was preferred, whatever the preferences are: no index, no link, no transitivity.
The plain importance-weighted share of wins, ``(w1 z + w0 (1 - z)) / 2`` with ``w1 = pi(y1) q(y0) / mu`` and
``w0 = pi(y0) q(y1) / mu``, has the same mean; it is noisy even where pi = q, because it does not use that
the mean weight is known to be one. With probabilities m(b, a) of a model,

    W = E[W_m(x)] + E[(z - m(y0, y1)) s(y0, y1) / mu(y0, y1)] / 2,   :eq:`doubly-robust-win-rate`,

which is right if either mu or m is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.inference.win_rate import WinRate
from semiindex.policy.menu_policy import Policy

__all__ = ["logged_win_rate"]

#: Standard errors by which the mean weight may be off before it is worth a note.
_OFF = 4.0
#: A difference of means that is no rounding error.
_NOTHING = 1e-9


@dataclass(frozen=True)
class _Log:
    """Logged comparisons over the options of a menu.

    Attributes
    ----------
    option0, option1 : array of int, shape (n,)
        Positions of the options in the menu.
    z : array of shape (n,)
        1 where option 1 was preferred.
    towards1, towards0 : array of shape (n,)
        ``w1`` and ``w0``, see the module.
    weight : array of shape (n,)
        Frequencies.
    clusters : array of int, shape (n,), or None
        Raters; None where all comparisons are independent, each as often as its weight says.
    """

    option0: IntArray
    option1: IntArray
    z: FloatArray
    towards1: FloatArray
    towards0: FloatArray
    weight: FloatArray
    clusters: IntArray | None

    @property
    def ratio(self) -> FloatArray:
        """Importance weights of the unordered pairs."""
        return (self.towards1 + self.towards0) / 2

    @property
    def n_independent(self) -> float:
        """Number of raters, or of comparisons."""
        return float(np.sum(self.weight)) if self.clusters is None else float(self.clusters.max() + 1)

    def mean(self, values: FloatArray) -> tuple[float, float]:
        """Weighted mean over the log and its standard error, cluster-robust where there are raters."""
        mean = float(np.average(values, weights=self.weight))
        if self.clusters is None:
            squares = float(np.sum(self.weight * (values - mean) ** 2))
        else:
            squares = float(np.sum(np.bincount(self.clusters, self.weight * (values - mean)) ** 2))
        n = self.n_independent
        return mean, float(np.sqrt(n / (n - 1) * squares) / np.sum(self.weight))


def logged_win_rate(
    policy: Policy,
    option0: ArrayLike,
    option1: ArrayLike,
    y: ArrayLike,
    log_propensity: ArrayLike,
    *,
    model: Any = None,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    level: float = 0.95,
) -> WinRate:
    """Win rate of a policy against its reference from logged comparisons, without a model of preferences.

    For comparisons whose two options were drawn with known probabilities, by importance weights. A check
    on `win_rate_interval`, which needs no such probabilities but believes in its index and link.

    Parameters
    ----------
    policy : Policy
        Over a menu that holds the contexts of the log.
    option0, option1 : array-like of int, shape (n,)
        The options compared, as positions in the arrays of the menu (what `Policy.sample` returns); both of
        one context.
    y : array-like of shape (n,)
        1 (or True) where option 1 was preferred, else 0.
    log_propensity : array-like of shape (n,)
        Logarithm of the probability with which the log shows this option 0 and this option 1 in this
        context: ``menu.log_reference[option0] + menu.log_reference[option1]`` for two independent draws from
        the reference. If position does not matter, the mean over both orders is as valid and steadier.
    model : fitted estimator, default=None
        Predicts the comparisons; the estimate is then doubly robust: right if propensities or model are.
        With right propensities it need not be a good model, only the variance depends on that. None:
        importance weights alone.
    sample_weight : array-like of shape (n,), default=None
        Frequencies of the comparisons.
    groups : array-like of shape (n,), default=None
        Raters: comparisons of one rater may depend on each other. None: all are independent.
    level : float, default=0.95
        Confidence level.

    Returns
    -------
    WinRate
        Contexts count as often as they occur in the log. The interval is normal (Student's t with the number
        of raters less one), cluster-robust, and not cut off at 0 and 1. `n_effective` is
        ``(sum w)^2 / sum w^2`` of the importance weights.

    Raises
    ------
    InvalidDataError
        For options of different contexts, labels that are not 0/1, propensities that are not those of
        something that happened, or less than two independent comparisons.
    InvalidParameterError
        For a level that is none, or something else than a `Policy`.

    Notes
    -----
    Assumptions: the propensities are right; every pair of different options that policy and reference could
    show had a positive one in some order of both (overlap); labels depend on nothing but context and the two
    options shown. A model should have been fitted to other comparisons; if it was fitted to these, that
    matters little for a linear index and a link, as errors of the model cancel to first order, and a lot
    for a kernel index. Weighting as in the literature on off-policy evaluation (Dudík, Erhan, Langford & Li
    2014), with an antisymmetric control variate.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import Menu, logged_win_rate, policy_from_scores
    >>> rng = np.random.default_rng(0)
    >>> menu, reward = Menu(offsets=np.arange(0, 8001, 4)), rng.normal(size=8000)
    >>> option0, option1 = (4 * np.arange(2000) + rng.integers(4, size=2000) for _ in "ab")
    >>> y = rng.random(2000) < 1 / (1 + np.exp(reward[option0] - reward[option1]))
    >>> policy = policy_from_scores(reward, menu, budget=0.3)
    >>> log_propensity = menu.log_reference[option0] + menu.log_reference[option1]
    >>> rate = logged_win_rate(policy, option0, option1, y, log_propensity)
    >>> rate.lower < 0.618 < rate.upper, rate.n_effective > 1000
    (True, True)
    """
    if not isinstance(policy, Policy):
        raise InvalidParameterError(f"policy must be a Policy, got {type(policy).__name__}")
    if not 0 < level < 1:
        raise InvalidParameterError(f"level must lie between 0 and 1, such as 0.95, got {level!r}")
    log = _read(policy, option0, option1, y, log_propensity, sample_weight, groups)
    difference = log.towards1 - log.towards0
    terms: FloatArray
    if model is None:
        terms = 0.5 + (2 * log.z - 1) * difference / 4
        method = "importance weights"
    else:
        terms = _doubly_robust(policy, log, difference, model)
        method = f"doubly robust: importance weights and {type(model).__name__}"
    estimate, error = log.mean(terms)
    half = float(student.ppf((1 + level) / 2, log.n_independent - 1)) * error
    weighted = log.weight * log.ratio
    n_effective = float(np.sum(weighted) ** 2 / np.sum(weighted * log.ratio)) if weighted.any() else 0.0
    notes = _notes(policy, log)
    return WinRate(estimate, error, estimate - half, estimate + half, level, method, n_effective, notes)


def _doubly_robust(policy: Policy, log: _Log, difference: FloatArray, model: Any) -> FloatArray:
    """Terms whose mean is the doubly robust estimate."""
    menu = policy.menu
    scores = np.asarray(model.score_options(menu.select_features(model)), dtype=np.float64)
    predicted = model.link_.probability(scores[log.option1] - scores[log.option0])
    by_context = policy.context_mean(model.win_probability(menu))
    return np.asarray(by_context[menu.codes[log.option0]] + (log.z - predicted) * difference / 2)


def _notes(policy: Policy, log: _Log) -> tuple[str, ...]:
    """Whether the weights of pairs of different options have the mean that right propensities give."""
    menu = policy.menu
    apart = 1 - policy.context_mean(menu.reference)[menu.codes[log.option0]]
    gap, error = log.mean(np.where(log.option0 != log.option1, log.ratio, 0.0) - apart)
    if abs(gap) <= max(_OFF * error, _NOTHING):
        return ()
    return (
        f"The importance weights of pairs of different options differ from their known mean by {gap:+.3f} "
        f"({abs(gap) / max(error, _NOTHING):.0f} standard errors): the propensities are not those of this "
        "log, or it never shows pairs that the policy and the reference would.",
    )


def _read(
    policy: Policy,
    option0: ArrayLike,
    option1: ArrayLike,
    y: ArrayLike,
    log_propensity: ArrayLike,
    sample_weight: ArrayLike | None,
    groups: ArrayLike | None,
) -> _Log:
    menu = policy.menu
    first, second = (_positions(values, menu.n_options, k) for k, values in enumerate((option0, option1)))
    n = first.size
    apart = second.size != n or (menu.codes[first] != menu.codes[second]).any()
    if apart:
        raise InvalidDataError("option0 and option1 must be two options of one context in every comparison")
    z = np.asarray(y, dtype=np.float64)
    if z.shape != (n,) or not np.isin(z, (0.0, 1.0)).all():
        raise InvalidDataError(f"y must hold 0 or 1, one for each of the {n} comparisons")
    log_mu = np.asarray(log_propensity, dtype=np.float64)
    if log_mu.shape != (n,) or not (np.isfinite(log_mu) & (log_mu <= 0)).all():
        raise InvalidDataError(
            f"log_propensity must be the finite logarithm of a probability for each of the {n} comparisons: "
            "what was logged had a positive one"
        )
    weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n,) or not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        raise InvalidDataError(f"sample_weight must hold {n} numbers, not negative, and not all zero")
    clusters = None if groups is None else _clusters(groups, weight > 0)
    log_p, log_q = policy.log_probabilities, menu.log_reference
    with np.errstate(over="ignore"):
        towards = [np.exp(log_p[a] + log_q[b] - log_mu) for a, b in ((second, first), (first, second))]
    if not all(np.isfinite(side).all() for side in towards):
        raise InvalidDataError(
            "log_propensity is so small in some comparisons that their importance weights overflow"
        )
    used = weight > 0
    towards1, towards0 = (side[used] for side in towards)
    log = _Log(first[used], second[used], z[used], towards1, towards0, weight[used], clusters)
    if not log.n_independent > 1:
        raise InvalidDataError("groups and sample_weight leave one independent comparison: two are needed")
    return log


def _positions(values: ArrayLike, n_options: int, k: int) -> IntArray:
    array = np.asarray(values)
    fine = array.ndim == 1 and array.dtype.kind in "iu" and array.size > 1
    if not (fine and (array >= 0).all() and (array < n_options).all()):
        raise InvalidDataError(
            f"option{k} must hold positions among the {n_options} options of the menu, for at least two "
            "comparisons"
        )
    return array.astype(np.intp)


def _clusters(groups: ArrayLike, used: AnyArray) -> IntArray:
    """Raters of the comparisons that are used, numbered without gaps."""
    ids = np.asarray(groups)
    if ids.shape != used.shape:
        raise InvalidDataError(f"groups must have one entry for each of the {used.size} comparisons")
    return np.asarray(np.unique(ids[used], return_inverse=True)[1])
