"""`antisymmetry_test`: whether the position of an option, or its role, changes the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.binning import BinnedShares, bin_codes
from semiindex.diagnostics.evidence import in_words, level_of, monte_carlo_p_value
from semiindex.diagnostics.index_functions import even_steps
from semiindex.diagnostics.multipliers import Multipliers
from semiindex.diagnostics.null_models import fit_free, read_tested_sample, smooth_null
from semiindex.diagnostics.residual_bins import binned_residuals
from semiindex.diagnostics.score_process import NullModel, score_process
from semiindex.exceptions import InvalidDataError
from semiindex.inference.sample import InferenceSample

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AntisymmetryTest", "antisymmetry_test", "why_no_positions"]

#: Bins of the size of the index, for the picture.
_BINS = 8


@dataclass(frozen=True, eq=False, repr=False)
class AntisymmetryTest(Diagnostic):
    """Test of ``Psi(-t) = 1 - Psi(t)``.

    Made by `antisymmetry_test`, which has an example.

    Attributes
    ----------
    statistic, p_value : float
        Mean square of the standardised sums of residuals, and its p-value.
    n_draws : int
        Bootstrap draws.
    n_blocks : float
        Independent comparisons, or groups.
    clustered : bool
        Whether they are groups.
    excess : float
        Share of wins of option 1 less what an antisymmetric link predicts, over all comparisons.
    close_excess : float
        The same over the half of the comparisons with the smaller ``|t|``.
    relied_on : bool
        Whether the model that was passed assumes antisymmetry.
    bins : BinnedShares
        The excess, and its standard error, by quantiles of ``|t|``; `IndexBinsDisplay` draws them.
    scale : str
        Normalisation of the index in words.
    """

    statistic: float
    p_value: float
    n_draws: int
    n_blocks: float
    clustered: bool
    excess: float
    close_excess: float
    relied_on: bool
    bins: BinnedShares
    scale: str

    @property
    def title(self) -> str:
        """What was tested."""
        return "Does position have no effect (antisymmetric link)?"

    @property
    def level(self) -> Level:
        """A rejection is a warning if the model assumes antisymmetry, else a note."""
        return level_of(self.p_value, harmful=self.relied_on)

    def reading(self) -> str:
        """Evidence, size of the effect, and what to do."""
        units = "groups" if self.clustered else "comparisons"
        return "\n".join(
            [
                "Null hypothesis: swapping the two options of a comparison swaps the probabilities. There "
                f"is {in_words(self.p_value, self.n_draws)}, from {self.n_blocks:g} independent {units}.",
                f"Option 1 won {100 * self.excess:+.1f} percentage points more often than it would without "
                f"an effect of position, {100 * self.close_excess:+.1f} where the two options are close. "
                "Position is the order in which the two options of a row stand in the data.",
                self._advice(),
                f"Assumed: one index, a smooth link, independent {units}.",
            ]
        )

    def _advice(self) -> str:
        if self.p_value > 0.05:
            return "Nothing speaks against using every comparison together with its mirror image."
        if self.relied_on:
            return (
                "The model assumes that position has no effect. If the order of the options was randomised "
                "its ranking is still right, but not its probabilities; if it was not, or if the noise "
                "differs between the roles of the options, fit again with antisymmetric=False. If the order "
                "was made after the answer (the chosen option mostly first, say), none of this follows: the "
                "labels then say nothing on position."
            )
        return "The model allows for it (antisymmetric=False): keep it so."

    def to_frame(self) -> pd.DataFrame:
        """One row: statistic, p-value, draws, excess of wins of option 1."""
        import pandas as pd

        row = {
            "statistic": self.statistic,
            "p_value": self.p_value,
            "draws": self.n_draws,
            "excess": self.excess,
            "close_excess": self.close_excess,
        }
        return pd.DataFrame([row], index=pd.Index(["antisymmetric link"], name="null"))


def antisymmetry_test(
    model: Any,
    X: Any,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    multipliers: Multipliers | None = None,
) -> AntisymmetryTest:
    """Test whether the link is antisymmetric: no effect of position, and noise that knows no roles.

    The null hypothesis is a single index with an unknown smooth link that satisfies
    ``Psi(-t) = 1 - Psi(t)``. Fits that assume it can be tested as well: the residuals of the labels as
    they are, not those of the doubled sample, are compared with every even function of the index.

    Parameters
    ----------
    model : fitted estimator
        Of a linear index, without a ridge. Unless it is an antisymmetric spline fit itself, one is
        fitted for the null hypothesis.
    X, y, sample_weight
        The data of the fit.
    groups : array-like of shape (n,), optional
        Clusters such as raters; by default those that `PreferencePairs` carry.
    multipliers : Multipliers, optional
        Draws of the multiplier bootstrap; `Multipliers()` by default.

    Returns
    -------
    AntisymmetryTest

    Raises
    ------
    InvalidParameterError
        For estimators without a linear index, with a ridge or with several links.
    InvalidDataError
        For separated data, other data than those of the fit, labels of one kind, or choice sets and
        rankings: nobody saw their pairs one by one, in any order.

    See Also
    --------
    link_test : A known link against a monotone one.

    Notes
    -----
    The directions are the constant and the steps ``1{|t| <= c}``, projected on what neither the
    coefficients nor an odd logit can explain, :eq:`projected-direction`; the statistic is
    :eq:`quadratic-form`. If options were written down in an order that depends on the answer (chosen
    first), the labels carry no information on position, and the test must not be used. Where all labels
    are of one kind it is refused.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import ProfiledLinkPolicy, antisymmetry_test
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = rng.random(1000) < np.exp(-np.exp(-1.5 * X @ [1.0, -1.0]))
    >>> result = antisymmetry_test(ProfiledLinkPolicy().fit(X, y), X, y)
    >>> result.level, round(result.excess, 1)
    ('warning', -0.1)
    """
    sample = read_tested_sample(model, X, y, sample_weight, groups)
    if reason := why_no_positions(sample):
        raise InvalidDataError(f"No test of position: {reason}")
    free = fit_free(model, sample, antisymmetric=True)
    null = smooth_null(free, sample)
    multipliers = multipliers or Multipliers()
    process = score_process(null, even_steps(null.t, null.weight))
    draws = np.mean(process.draws(multipliers) ** 2, axis=1)
    statistic = float(np.mean(process.values**2))
    size = np.abs(null.t)
    close = size <= np.quantile(size, 0.5)
    return AntisymmetryTest(
        statistic=statistic,
        p_value=monte_carlo_p_value(statistic, draws),
        n_draws=draws.size,
        n_blocks=null.blocks.total,
        clustered=null.clustered,
        excess=_excess(null, np.ones_like(close)),
        close_excess=_excess(null, close),
        relied_on=bool(model.antisymmetric),
        bins=binned_residuals(null, size, null.residual, null.residual, bin_codes(size, null.weight, _BINS)),
        scale=str(free.normalization_),
    )


def why_no_positions(sample: InferenceSample) -> str:
    """Why the labels say nothing on position; empty where they may.

    Parameters
    ----------
    sample : InferenceSample
        The data.
    """
    if np.ptp(sample.z) == 0:
        return (
            "all labels are of one kind, so that the options stand in the order of the answer (chosen and "
            "rejected), and not in that in which they were seen"
        )
    codes = sample.observations.codes
    first = np.empty(int(codes.max()) + 1, dtype=np.intp)
    first[codes[::-1]] = np.arange(codes.size)[::-1]
    if np.any(sample.differences != sample.differences[first[codes]]):
        return (
            "the pairs come from choice sets or rankings, of which nobody saw them one by one: their order "
            "is that of the alternatives in the table"
        )
    return ""


def _excess(null: NullModel, rows: np.ndarray[Any, Any]) -> float:
    return float(np.average(null.residual[rows], weights=null.weight[rows]))
