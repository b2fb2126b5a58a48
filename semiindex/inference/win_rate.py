"""The win rate of a policy against the reference: from the fitted index and link, with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from semiindex.exceptions import InvalidParameterError
from semiindex.inference.band import require_one_smooth_link
from semiindex.inference.bootstrap import Bootstrap, bootstrap_draws, percentile_intervals
from semiindex.inference.eligibility import require_eligible, require_full_rank
from semiindex.inference.sample import read_sample
from semiindex.policy.menu_policy import Policy
from semiindex.policy.win_probability import win_probabilities

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WinRate", "win_rate_interval"]


@dataclass(frozen=True)
class WinRate:
    """Probability that the option of a policy is preferred to that of the reference, with an interval.

    Attributes
    ----------
    estimate : float
        The win rate; 1/2 is as good as the reference.
    std_error : float
        Its standard error.
    lower, upper : float
        Ends of the interval.
    level : float
        Confidence level.
    method : str
        How it was estimated, in words.
    n_effective : float or None
        Effective number of comparisons, where comparisons were weighted: as many of equal weight
        would be as precise. None where they were not.
    notes : tuple of str
        What was noticed on the way.
    """

    estimate: float
    std_error: float
    lower: float
    upper: float
    level: float
    method: str
    n_effective: float | None
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """A table of one row."""
        import pandas as pd

        names = ("estimate", "std_error", "lower", "upper", "n_effective")
        row = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return pd.DataFrame(row, index=pd.Index([self.method], name="method"))

    def __str__(self) -> str:
        text = (
            f"Win rate against the reference: {self.estimate:.4f} (standard error {self.std_error:.4f})\n"
            f"  {100 * self.level:g}% interval: [{self.lower:.4f}, {self.upper:.4f}]\n"
            f"  {self.method}"
        )
        if self.n_effective is not None:
            text += f"; {self.n_effective:,.1f} effective comparisons"
        return "\n".join([text, *(f"Note: {note}" for note in self.notes)])


def win_rate_interval(
    model: Any,
    X: Any,
    policy: Policy,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    bootstrap: Bootstrap | None = None,
    level: float = 0.95,
) -> WinRate:
    """Win rate of a given policy against its reference under the fitted index and link, by the bootstrap.

    Every refit gives the options new win probabilities; the policy stays as it is. What it rests on: the
    single-index model and the class of its links. `logged_win_rate` does without them where it is known
    how the comparisons were chosen.

    Parameters
    ----------
    model : fitted estimator
        With a linear index, no ridge, and one smooth link: the judge.
    X : PreferencePairs, array-like or sparse matrix of shape (n, d)
        The comparisons of the fit.
    policy : Policy
        Over a menu with the features of the fit. It may come from the same model, another one, or from
        scores of any kind; the interval takes it as given, so that it does not say how good a policy
        learned from another sample would be (`frontier_band`, `policy_error_interval`).
    y, sample_weight : array-like of shape (n,), optional
        As they were passed to `fit`.
    groups : array-like of shape (n,), optional
        Raters: whole raters are then resampled. The default is what `PreferencePairs` carry.
    bootstrap : Bootstrap, optional
        Draws, seed, jobs and kind of interval; `Bootstrap()` by default.
    level : float, default=0.95
        Confidence level.

    Returns
    -------
    WinRate

    Raises
    ------
    InvalidParameterError
        For penalised fits and other index classes, whose bias the bootstrap does not see; for isotonic
        links, where it is inconsistent; for classes of raters with links of their own.
    InvalidDataError
        If these are not the data of the fit, or most refits fail.

    Notes
    -----
    A policy that was chosen to look good on this sample looks better on it than it is: the judge should
    have seen other comparisons than the model that made the policy.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import Bootstrap, KnownLinkPolicy, Menu, win_rate_interval
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = rng.random(1000) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> menu = Menu.from_array(rng.normal(size=(50, 4, 2)))
    >>> judge = KnownLinkPolicy().fit(X, y)
    >>> rate = win_rate_interval(judge, X, judge.policy(menu, budget=0.3), y, bootstrap=Bootstrap(n_draws=99))
    >>> 0.6 < rate.lower < rate.estimate < rate.upper < 0.75
    True
    """
    require_eligible(model, single_feature=True)
    require_one_smooth_link(model)
    if not isinstance(policy, Policy):
        raise InvalidParameterError(f"policy must be a Policy, got {type(policy).__name__}")
    if not 0 < level < 1:
        raise InvalidParameterError(f"level must lie between 0 and 1, such as 0.95, got {level!r}")
    sample = read_sample(model, X, y, sample_weight, None, groups)
    require_full_rank(sample)
    menu, spec = policy.menu, bootstrap or Bootstrap()
    estimate = policy.expected_reward(model.win_probability(menu))
    outcome = bootstrap_draws(model, X, y, sample_weight, None, sample, spec)
    options = menu.select_features(model)
    d = len(sample.feature_names)  # behind the coefficients, the shift of a known link
    draws = np.array(
        [
            policy.expected_reward(win_probabilities(np.asarray(options @ theta), menu, links[0]))
            for theta, links in zip(outcome.theta[:, :d], outcome.links, strict=True)
        ]
    )
    error = float(np.std(draws, ddof=1))
    ends = percentile_intervals(np.array([estimate]), draws[:, None], level, spec.interval)
    half = float(ndtri((1 + level) / 2)) * error
    lower, upper = (estimate - half, estimate + half) if ends is None else ends[0]
    resampled = "raters" if sample.clusters else "comparisons"
    method = f"fitted index and link of {type(model).__name__}, {draws.size} refits to resampled {resampled}"
    return WinRate(estimate, error, float(lower), float(upper), level, method, None, outcome.notes)
