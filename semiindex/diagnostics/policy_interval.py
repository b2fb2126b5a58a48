"""`policy_error_interval`: how far the policy is from the best of its class, estimated with an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.menu_features import read_menu
from semiindex.diagnostics.menu_span import require_determined
from semiindex.divergence import Divergence
from semiindex.exceptions import InvalidParameterError
from semiindex.inference.bootstrap import Bootstrap, bootstrap_draws
from semiindex.inference.eligibility import require_eligible
from semiindex.inference.sample import InferenceSample, read_sample
from semiindex.policy.menu import Menu
from semiindex.policy.menu_policy import policy_from_scores
from semiindex.policy.policy_distance import policy_distance

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PolicyErrorInterval", "policy_error_interval", "require_budget"]

#: Share of decisions from which a policy error is worth a note.
_WORTH_A_NOTE = 0.1


@dataclass(frozen=True, eq=False, repr=False)
class PolicyErrorInterval(Diagnostic):
    """Estimated distance between the learned policy and the best of its class at a budget.

    Made by `policy_error_interval`, which has an example.

    Attributes
    ----------
    draws : array of shape (n_draws, 3)
        Total variation, Kullback-Leibler divergence and regret of refitted policies against the
        learned one.
    budget : float
        Mean divergence of both policies from the reference.
    divergence : str
        Which divergence.
    from_reference : float
        Total variation between the learned policy and the reference.
    confidence : float
        Level of limits and intervals.
    n_comparisons : float
        Number of comparisons of the fit.
    rate : float
        The error falls as ``n^-rate``.
    resampled : str
        What the bootstrap drew.
    notes : tuple of str
        What it noticed.
    """

    draws: FloatArray
    budget: float
    divergence: str
    from_reference: float
    confidence: float
    n_comparisons: float
    rate: float
    resampled: str
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        """What was estimated."""
        return f"Policy error at a divergence of {self.budget:g} ({self.divergence}), estimated"

    @property
    def upper_limit(self) -> float:
        """One-sided upper limit of the total variation: the headline."""
        return float(_quantiles(self.draws[:, 0], self.confidence))

    @property
    def n_more_to_halve(self) -> float:
        """Further comparisons that would halve the total variation."""
        return self.n_comparisons * (2 ** (1 / self.rate) - 1)

    @property
    def level(self) -> Level:
        """A note above 10% of decisions, a warning where the reference may be as near."""
        if self.upper_limit >= self.from_reference:
            return "warning"
        return "note" if self.upper_limit > _WORTH_A_NOTE else "fine"

    def reading(self) -> str:
        """The upper limit in decisions, and what would halve it."""
        regret = float(_quantiles(self.draws[:, 2], self.confidence))
        text = (
            f"With {self.confidence:.0%} confidence the learned policy and the best policy of its class "
            f"at this budget differ in at most {100 * self.upper_limit:.1f}% of their decisions (typically "
            f"in {100 * float(np.median(self.draws[:, 0])):.1f}%); at most {regret:.2g} of score is lost, in "
            "units of the typical difference between compared options. For comparison: the learned policy "
            f"differs from the reference in {100 * self.from_reference:.1f}%."
        )
        if self.level == "warning":
            text += (
                " The best policy may be as far from the learned one as the reference is: the sample "
                "does not "
                "yet say in which direction to leave the reference. Collect more comparisons first."
            )
        text += (
            f"\nAbout {self.n_more_to_halve:,.0f} more comparisons like these {self.n_comparisons:,.0f} "
            f"would "
            f"halve the error, if it falls as n^-{self.rate:.2g}."
        )
        text += (
            f"\nAn estimate by refits to resampled {self.resampled}, not a bound. It measures the "
            f"distance to "
            "the best policy with these features; what other features would add, it cannot see."
        )
        return "\n".join([text, *self.notes])

    def to_frame(self) -> pd.DataFrame:
        """One row per measure of error."""
        import pandas as pd

        tail = (1 - self.confidence) / 2
        quantiles = _quantiles(self.draws, [0.5, self.confidence, tail, 1 - tail]).T
        return pd.DataFrame(
            quantiles,
            index=pd.Index(["total variation", "KL", "regret"], name="error"),
            columns=["median", f"upper {self.confidence:.0%}", "interval from", "to"],
        )


def policy_error_interval(
    model: Any,
    X: Any,
    menu: Menu,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    budget: float,
    divergence: str | Divergence = "reverse_kl",
    link_groups: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    bootstrap: Bootstrap | None = None,
    confidence: float = 0.9,
    rate: float = 0.5,
) -> PolicyErrorInterval:
    """Estimate how far the learned policy is from the best policy of its class at a budget.

    Parameters
    ----------
    model : fitted estimator
        With a linear index and no ridge.
    X : PreferencePairs, array-like or sparse matrix of shape (n, d)
        The comparisons of the fit.
    menu : Menu
        Contexts, options and reference of the policy.
    y, sample_weight : array-like of shape (n,), optional
        As they were passed to `fit`.
    budget : float
        Mean divergence of every policy from the reference.
    divergence : str or Divergence, default="reverse_kl"
        Which divergence.
    link_groups : array-like of shape (n,), optional
        As they were passed to `fit`.
    groups : array-like of shape (n,), optional
        Raters: whole raters are then resampled. The default is what `PreferencePairs` carry.
    bootstrap : Bootstrap, optional
        Draws, seed, jobs; 399 draws by default, of which the quantile at 90% is an order statistic.
    confidence : float, default=0.9
        Level of the upper limit and of the interval.
    rate : float, default=0.5
        Exponent at which the error falls with the sample, for the advice on further comparisons. 1/2
        is the rate of a linear index; `learning_curve` measures it.

    Returns
    -------
    PolicyErrorInterval

    Raises
    ------
    InvalidParameterError
        For penalised fits and other index classes, whose bias the bootstrap does not see; for a budget,
        confidence or rate without a meaning.
    InvalidDataError
        If these are not the data of the fit, most refits fail, or options of the menu differ as no two
        compared options did. Coefficients of which only sums are determined (indicators of all items)
        do no harm where the policy does not depend on them.
    BudgetError
        If no policy of the scores spends the budget.

    See Also
    --------
    policy_error_bound : A bound instead, which is much larger.
    learning_curve : How the error falls with the sample.

    Notes
    -----
    The distribution of ``TV(learned, best)`` is estimated by that of ``TV(refitted, learned)``,
    :eq:`bootstrap-limit`, and the same for the divergence and the regret. The policy of a budget is a smooth
    function of the coefficients, which are root-n consistent and normal. An interval for a distance is
    not centred at an estimate: the learned policy is at distance 0 from itself.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import Bootstrap, Menu, ProfiledLinkPolicy, policy_error_interval
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 3))
    >>> y = rng.random(2000) < 1 / (1 + np.exp(-X @ [1.0, -1.0, 0.5]))
    >>> menu = Menu.from_array(rng.normal(size=(100, 4, 3)))
    >>> model = ProfiledLinkPolicy().fit(X, y)
    >>> error = policy_error_interval(model, X, menu, y, budget=0.2, bootstrap=Bootstrap(n_draws=39))
    >>> 0.01 < error.upper_limit < 0.08, error.n_more_to_halve
    (True, 6000.0)
    """
    if not 0 < confidence < 1:
        raise InvalidParameterError(f"confidence must lie between 0 and 1, such as 0.9, got {confidence!r}")
    if not (rate > 0 and math.isfinite(rate)):
        raise InvalidParameterError(f"rate must be positive, got {rate!r}")
    require_budget(budget)
    require_eligible(model, single_feature=True)
    sample = read_sample(model, X, y, sample_weight, link_groups, groups)
    options = read_menu(model, menu)
    require_determined(sample, options, menu)
    theta = np.asarray(model.coef_, dtype=np.float64)
    rms = float(np.sqrt(np.average(sample.t**2, weights=sample.weight)))
    scores = options @ theta / rms
    learned = policy_from_scores(scores, menu, budget=budget, divergence=divergence).probabilities
    spec = Bootstrap(n_draws=399) if bootstrap is None else bootstrap
    outcome = bootstrap_draws(model, X, y, sample_weight, link_groups, sample, spec)
    draws = np.empty((outcome.theta.shape[0], 3))
    for b, drawn in enumerate(outcome.theta[:, : theta.size]):  # behind them, the shift of a known link
        refitted = policy_from_scores(
            options @ drawn, menu, budget=budget, divergence=divergence
        ).probabilities
        distance = policy_distance(refitted, learned, scores, menu)
        draws[b] = distance.total_variation, distance.kl, distance.regret
    return PolicyErrorInterval(
        draws=draws,
        budget=float(budget),
        divergence=divergence if isinstance(divergence, str) else divergence.name,
        from_reference=policy_distance(learned, menu.reference, scores, menu).total_variation,
        confidence=confidence,
        n_comparisons=float(np.sum(sample.weight)),
        rate=rate,
        resampled=_resampled(sample),
        notes=outcome.notes,
    )


def require_budget(budget: Any) -> None:
    """Refuse budgets of which no error can be told.

    Raises
    ------
    InvalidParameterError
        For anything but a positive number.
    """
    if not (isinstance(budget, int | float | np.number) and budget > 0 and math.isfinite(budget)):
        raise InvalidParameterError(
            f"budget must be a positive number, such as 0.1, got {budget!r}: at a divergence of 0 every "
            "policy is the reference"
        )


def _quantiles(draws: FloatArray, levels: float | list[float]) -> FloatArray:
    """Quantiles as order statistics: a divergence may be infinite, and does not interpolate."""
    return np.asarray(np.quantile(draws, levels, axis=0, method="inverted_cdf"))


def _resampled(sample: InferenceSample) -> str:
    if sample.clusters:
        return f"raters ({int(sample.clusters[0].max()) + 1} groups)"
    return "comparisons"
