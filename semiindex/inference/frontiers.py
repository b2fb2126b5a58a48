"""A frontier with intervals: what the best policies attain, budget by budget, by the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.divergence import Divergence
from semiindex.exceptions import BudgetError, InvalidDataError, InvalidParameterError
from semiindex.inference.band import require_one_smooth_link
from semiindex.inference.bootstrap import Bootstrap, bootstrap_draws
from semiindex.inference.eligibility import require_eligible, require_full_rank
from semiindex.inference.sample import read_sample
from semiindex.policy.frontier import Frontier, values_of_budgets
from semiindex.policy.menu import Menu

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FrontierBand", "frontier_band"]


@dataclass(frozen=True, eq=False)
class FrontierBand:
    """A frontier, with intervals for what its policies attain.

    Attributes
    ----------
    frontier : Frontier
        Of the fitted model; `lower` and `upper` belong to its `value`.
    lower, upper : arrays of shape (k,)
        Ends of the intervals.
    level : float
        Confidence level at every budget by itself, not of the band as a whole.
    covers : str
        What the intervals cover, in words.
    notes : tuple of str
        How the refits went.
    """

    frontier: Frontier
    lower: FloatArray
    upper: FloatArray
    level: float
    covers: str
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """The frontier's table with the columns ``lower`` and ``upper``."""
        return self.frontier.to_frame().assign(lower=self.lower, upper=self.upper)

    def __str__(self) -> str:
        table = self.to_frame().to_string(float_format=lambda value: f"{value:.4f}")
        lines = [table, f"{100 * self.level:g}% pointwise intervals cover {self.covers}."]
        return "\n".join([*lines, *(f"Note: {note}" for note in self.notes)])


def frontier_band(
    model: Any,
    X: Any,
    menu: Menu,
    budgets: ArrayLike,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    divergence: str | Divergence = "reverse_kl",
    reward: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    bootstrap: Bootstrap | None = None,
    level: float = 0.95,
) -> FrontierBand:
    """Frontier of a fitted model with pointwise bootstrap intervals.

    Every refit makes its own policies for the budgets, and judges them by its own index and link (or
    by the reward). The intervals are for the frontier of the population: the win rates of the policies that
    are best under the index that infinitely many comparisons would give. The menu is taken as given.

    Parameters
    ----------
    model : fitted estimator
        With a linear index, no ridge, and one smooth link.
    X : PreferencePairs, array-like or sparse matrix of shape (n, d)
        The comparisons of the fit.
    menu : Menu
        Options with the features of the fit, and the reference.
    budgets : array-like of shape (k,)
        Mean divergences over contexts, in increasing order; 0 is the reference.
    y, sample_weight : array-like of shape (n,), optional
        As they were passed to `fit`.
    divergence : str or Divergence, default="reverse_kl"
        How the distance to the reference is measured.
    reward : array-like of shape (n_options,), default=None
        Reward to average under the policies instead of win rates.
    groups : array-like of shape (n,), optional
        Raters: whole raters are then resampled. The default is what `PreferencePairs` carry.
    bootstrap : Bootstrap, optional
        Draws, seed and jobs; `Bootstrap()` by default. The intervals are quantiles of the draws, whatever
        its `interval`.
    level : float, default=0.95
        Confidence level at every budget.

    Returns
    -------
    FrontierBand

    Raises
    ------
    InvalidParameterError
        For penalised fits and other index classes, whose bias the bootstrap does not see; for isotonic
        links, where it is inconsistent; for classes of raters with links of their own.
    InvalidDataError
        If these are not the data of the fit, or most refits fail.
    BudgetError
        For a budget that no policy of the fitted scores spends.

    See Also
    --------
    win_rate_interval : For one policy that is given.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import Bootstrap, Menu, ProfiledLinkPolicy, frontier_band
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = rng.random(1000) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> menu = Menu.from_array(rng.normal(size=(50, 4, 2)))
    >>> model = ProfiledLinkPolicy().fit(X, y)
    >>> band = frontier_band(model, X, menu, [0.0, 0.3], y, bootstrap=Bootstrap(n_draws=39))
    >>> bool(band.lower[1] < band.frontier.win_rate[1] < band.upper[1])
    True
    """
    require_eligible(model, single_feature=True)
    require_one_smooth_link(model)
    if not 0 < level < 1:
        raise InvalidParameterError(f"level must lie between 0 and 1, such as 0.95, got {level!r}")
    sample = read_sample(model, X, y, sample_weight, None, groups)
    require_full_rank(sample)
    frontier: Frontier = model.frontier(menu, budgets, divergence=divergence, reward=reward)
    worth = None if reward is None else np.asarray(reward, dtype=np.float64)
    outcome = bootstrap_draws(model, X, y, sample_weight, None, sample, bootstrap or Bootstrap())
    options = menu.select_features(model)
    d = len(sample.feature_names)  # behind the coefficients, the shift of a known link
    draws = []
    for theta, links in zip(outcome.theta[:, :d], outcome.links, strict=True):
        try:
            draws.append(
                values_of_budgets(
                    np.asarray(options @ theta),
                    menu,
                    frontier.budget,
                    frontier.kind,
                    link=links[0],
                    reward=worth,
                )
            )
        except BudgetError as error:
            raise InvalidDataError(
                f"A refit cannot spend the largest budget, {frontier.budget[-1]:g}, which lies close to the "
                f"divergence of the greedy policy: pass smaller budgets. ({error})"
            ) from error
    tail = (1 - level) / 2
    lower, upper = np.quantile(draws, [tail, 1 - tail], axis=0)
    what = "reward" if reward is not None else "win rate against the reference"
    covers = f"the {what} of the policies that are best under the index of the population"
    return FrontierBand(frontier, lower, upper, level, covers, outcome.notes)
