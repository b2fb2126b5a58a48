"""`monotonicity_test`: whether a larger index ever means a smaller probability."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray, IntArray
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.binning import BinnedShares
from semiindex.diagnostics.evidence import in_words, level_of, monte_carlo_p_value
from semiindex.diagnostics.multipliers import Multipliers
from semiindex.diagnostics.null_models import fit_free, read_tested_sample, smooth_null
from semiindex.diagnostics.residual_bins import binned_residuals, block_sums
from semiindex.diagnostics.score_process import merged_blocks, residual_without_block
from semiindex.exceptions import InvalidDataError
from semiindex.link.monotone_spline import weighted_quantiles

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MonotonicityTest", "monotonicity_test"]

#: Bins of the index, at quantiles. All pairs of adjacent unions of bins are compared.
_BINS = 14


@dataclass(frozen=True, eq=False, repr=False)
class MonotonicityTest(Diagnostic):
    """Test of a nondecreasing link.

    Made by `monotonicity_test`, which has an example.

    Attributes
    ----------
    statistic, p_value : float
        Largest fall of the share of wins between adjacent ranges of the index, in standard errors, and
        its p-value.
    n_draws : int
        Bootstrap draws.
    n_blocks : float
        Independent comparisons, or groups.
    clustered : bool
        Whether they are groups.
    fall : float
        That fall of the share of wins; negative where it rises between all ranges.
    lower, upper : tuple of float
        The two ranges of the index (of ``|t|`` for an antisymmetric model). For such a model the
        lower range may be the mirror image of the upper one.
    bins : BinnedShares
        Share of wins by bins of the index (of ``|t|`` for an antisymmetric model), of which the ranges
        are made; `IndexBinsDisplay` draws them.
    antisymmetric : bool
        Whether they are bins of ``|t|``, with their mirror images below 0.
    scale : str
        Normalisation of the index in words.
    """

    statistic: float
    p_value: float
    n_draws: int
    n_blocks: float
    clustered: bool
    fall: float
    lower: tuple[float, float]
    upper: tuple[float, float]
    bins: BinnedShares
    antisymmetric: bool
    scale: str

    @property
    def title(self) -> str:
        """What was tested."""
        return "Is the link monotone?"

    @property
    def level(self) -> Level:
        """A rejection is a warning: which option is better rests on monotonicity."""
        return level_of(self.p_value)

    def reading(self) -> str:
        """Evidence, where it is, and what to do."""
        units = "groups" if self.clustered else "comparisons"
        where = (
            f"From the range {_range(self.lower)} of the index to the range {_range(self.upper)} the share "
            f"of wins {'falls most clearly' if self.fall > 0 else 'rises least'}, by "
            f"{100 * abs(self.fall):.1f} percentage points ({self.scale})."
        )
        advice = (
            "Nothing speaks against a link that never falls."
            if self.p_value > 0.05
            else "A larger index should never be worse. Look at the comparisons in that range: swapped "
            "labels, a group that answers the other way round, or a missing feature; see index_test."
        )
        return "\n".join(
            [
                "Null hypothesis: the larger the index, the more often option 1 wins. There is "
                f"{in_words(self.p_value, self.n_draws)}, from {self.n_blocks:g} independent {units}.",
                where,
                advice,
                f"Assumed: the fitted index and independent {units}. The test is cautious: where the link "
                "rises it rejects more seldom than the level says.",
            ]
        )

    def to_frame(self) -> pd.DataFrame:
        """One row: statistic, p-value, draws, fall and its ranges."""
        import pandas as pd

        row = {
            "statistic": self.statistic,
            "p_value": self.p_value,
            "draws": self.n_draws,
            "fall": self.fall,
            "from_low": self.lower[0],
            "from_high": self.lower[1],
            "to_low": self.upper[0],
            "to_high": self.upper[1],
        }
        return pd.DataFrame([row], index=pd.Index(["nondecreasing link"], name="null"))


def monotonicity_test(
    model: Any,
    X: Any,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    multipliers: Multipliers | None = None,
) -> MonotonicityTest:
    """Test whether the probability that option 1 is preferred never falls as the index rises.

    Shares of wins are compared between all pairs of adjacent ranges of the index, narrow and wide; the
    largest fall in standard errors is the statistic. Its null distribution is that of a flat link, the
    monotone link that is hardest to tell from a falling one: elsewhere the test is conservative.

    Parameters
    ----------
    model : fitted estimator
        Of a linear index, without a ridge. Its index is tested; for an antisymmetric model comparisons
        with a negative index are turned round first.
    X, y, sample_weight
        The data of the fit.
    groups : array-like of shape (n,), optional
        Clusters such as raters; by default those that `PreferencePairs` carry.
    multipliers : Multipliers, optional
        Draws of the multiplier bootstrap; `Multipliers()` by default. ``kind="auto"`` means the points of
        Mammen for independent comparisons, since a contrast of a narrow range with a wide one is skewed,
        and signs for groups.

    Returns
    -------
    MonotonicityTest

    Raises
    ------
    InvalidParameterError
        For estimators without a linear index, with a ridge or with several links.
    InvalidDataError
        For separated data, or an index that takes a single value.

    Notes
    -----
    See :eq:`largest-fall`. Residuals of independent comparisons are those of the fit without them, to first
    order; for groups that correction is too large here (a flat link was rejected in 2% of samples at 5%).
    The coefficients were chosen under a monotone link, and are taken as given:
    the share of wins given the fitted index is monotone up to their error, which has no effect where the
    link is flat.

    References
    ----------
    Ghosal, Sen & van der Vaart 2000; Chetverikov 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import ProfiledLinkPolicy, monotonicity_test
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(3000, 2))
    >>> t = X @ [0.8, -0.6]
    >>> y = rng.random(3000) < 0.5 + 0.4 * np.sin(2 * t)  # falls beyond |t| = 0.8
    >>> result = monotonicity_test(ProfiledLinkPolicy().fit(X, y), X, y)
    >>> result.level, bool(result.fall > 0.2)
    ('warning', True)
    """
    sample = read_tested_sample(model, X, y, sample_weight, groups)
    antisymmetric = bool(model.antisymmetric)
    free = fit_free(model, sample, antisymmetric=antisymmetric)
    null = smooth_null(free, sample)
    t, z, sign = null.t, sample.z, np.ones(null.t.size)
    if antisymmetric:
        sign = np.where(t < 0, -1.0, 1.0)
        t, z = np.abs(t), np.where(sign < 0, 1 - z, z)
    codes, edges = _bins(t, null.weight)
    mass = np.bincount(codes, weights=null.weight).astype(np.float64)
    contrasts = _contrasts(mass, mirrored=antisymmetric)
    wins = np.bincount(codes, weights=null.weight * (z - 0.5 * antisymmetric))
    falls = contrasts @ wins
    multipliers = multipliers or Multipliers()
    left = null.residual
    if not null.clustered:
        left = residual_without_block(null)
        multipliers = replace(multipliers, kind="mammen") if multipliers.kind == "auto" else multipliers
    sums, frequency = merged_blocks(block_sums(null, sign * left, codes), null.blocks.frequency)
    sums = sums @ contrasts.T
    error = np.sqrt(frequency @ sums**2)
    draws = np.concatenate([(part @ (sums / error)).max(axis=1) for part in multipliers.chunks(frequency)])
    worst = int(np.argmax(falls / error))
    lower, upper = _ranges(worst, edges, mirrored=antisymmetric)
    return MonotonicityTest(
        statistic=float(falls[worst] / error[worst]),
        p_value=monte_carlo_p_value(float(falls[worst] / error[worst]), draws),
        n_draws=draws.size,
        n_blocks=null.blocks.total,
        clustered=null.clustered,
        fall=float(falls[worst]),
        lower=lower,
        upper=upper,
        bins=binned_residuals(null, t, sign * null.residual, z, codes),
        antisymmetric=antisymmetric,
        scale=str(free.normalization_),
    )


def _bins(t: FloatArray, weight: FloatArray) -> tuple[IntArray, FloatArray]:
    """Bin of every row, and the edges; equal values stay together."""
    cuts = np.unique(weighted_quantiles(t, weight, np.arange(1, _BINS) / _BINS))
    cuts = cuts[cuts < t.max()]
    if cuts.size == 0:
        raise InvalidDataError("The index takes a single value, so that there is no order to test")
    return np.searchsorted(cuts, t), np.concatenate([[t.min()], cuts, [t.max()]])


def _windows(n_bins: int) -> list[tuple[int, int, int]]:
    """``(a, b, c)``: the bins from a to b, and those from b to c."""
    return list(combinations(range(n_bins + 1), 3))


def _contrasts(mass: FloatArray, *, mirrored: bool) -> FloatArray:
    """Mean of the lower range minus that of the upper one, as weights of the bins' sums.

    Behind them, for an antisymmetric model, minus twice the mean of the first bins, 1/2 subtracted: their
    mirror image has the opposite mean, so that the fall between the two is that.
    """
    rows = []
    for a, b, c in _windows(mass.size):
        row = np.zeros(mass.size)
        row[a:b] = 1 / mass[a:b].sum()
        row[b:c] = -1 / mass[b:c].sum()
        rows.append(row)
    for c in range(1, mass.size + 1) if mirrored else ():
        row = np.zeros(mass.size)
        row[:c] = -2 / mass[:c].sum()
        rows.append(row)
    return np.array(rows)


def _ranges(
    position: int, edges: FloatArray, *, mirrored: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    windows = _windows(edges.size - 1)
    if position < len(windows):
        a, b, c = (float(edges[k]) for k in windows[position])
        return (a, b), (b, c)
    low, high = float(edges[0]), float(edges[position - len(windows) + 1])
    return (-high, -low), (low, high)


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.2f} to {ends[1]:.2f}"
