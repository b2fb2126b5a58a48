"""`preference_error_bound`: how far fitted probabilities may be from the true ones, at most."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.theorems import (
    TRIVIAL_PREFERENCE_ERROR,
    in_sample_profile_bound,
    informative_from,
    profile_bound,
    ranking_bound,
)
from semiindex.diagnostics.training_gap import TrainingGap, training_gap
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.inference.eligibility import require_eligible, require_full_rank
from semiindex.inference.sample import InferenceSample, read_sample
from semiindex.policy.ranking import RankingPolicy

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "BoundedSample",
    "PreferenceErrorBound",
    "Statement",
    "preference_error_bound",
    "read_bounded_sample",
]

#: Excess ranking risk below which a bound says something: half of all pairs are misordered by chance.
_TRIVIAL_RANKING_RISK = 0.5


@dataclass(frozen=True)
class Statement:
    """What one theorem says of a fit.

    Attributes
    ----------
    name : str
        Of the error that is bounded.
    bound : float
        On the scale of squared probabilities, or of the ranking risk.
    trivial : float
        What is known without data.
    informative_from : float
        Number of comparisons from which the bound is below `trivial`, for a fit at the minimum.
    source : str
        Theorem.
    """

    name: str
    bound: float
    trivial: float
    informative_from: float
    source: str


@dataclass(frozen=True, eq=False)
class BoundedSample:
    """A sample that the theorems speak of, and what they need of it.

    Attributes
    ----------
    sample : InferenceSample
        Rows of the fit.
    n : float
        Number of comparisons, copies counted.
    n_features, n_distinct : int
        Number of features, and of different comparisons.
    gap : TrainingGap
        Excess of the fit over the best one found.
    dependent : bool
        Whether comparisons come in groups of more than one, which the theorems do not allow for.
    """

    sample: InferenceSample
    n: float
    n_features: int
    n_distinct: int
    gap: TrainingGap
    dependent: bool

    def in_sample(self, confidence: float, *, n: float | None = None, gap: float | None = None) -> float:
        """Bound at the fit's own comparisons; for another sample size, with as many different ones."""
        size = self.n if n is None else n
        return in_sample_profile_bound(
            size,
            self.n_features,
            confidence=confidence,
            gap=self.gap.squared_error if gap is None else gap,
            n_distinct=max(self.n_distinct * size / self.n, 1.0),
        )


@dataclass(frozen=True, eq=False, repr=False)
class PreferenceErrorBound(Diagnostic):
    """Upper limits, at a confidence level, on the error of fitted probabilities.

    Attributes
    ----------
    estimator : str
        Class of the fit.
    n_comparisons : float
        Number of comparisons.
    n_features : int
        Number of features.
    confidence : float
        Level at which each statement holds.
    gap : float
        Mean squared training error above the least one found.
    statements : tuple of Statement
        The theorems.
    dependent : bool
        Whether comparisons come in groups, which the theorems do not allow for.
    """

    estimator: str
    n_comparisons: float
    n_features: int
    confidence: float
    gap: float
    statements: tuple[Statement, ...]
    dependent: bool

    @property
    def title(self) -> str:
        """What was bounded."""
        return f"Bound on the error of the fitted probabilities ({self.confidence:.0%} confidence)"

    @property
    def squared_error(self) -> float:
        """Bound on the mean squared error at the comparisons of the fit."""
        return self.statements[0].bound

    @property
    def informative(self) -> bool:
        """Whether the sharpest bound says more than what holds without data."""
        return self.squared_error < TRIVIAL_PREFERENCE_ERROR

    @property
    def level(self) -> Level:
        """A warning if raters were overlooked, a note if the bound says nothing."""
        if self.dependent:
            return "warning"
        return "fine" if self.informative else "note"

    def reading(self) -> str:
        """The bound in percentage points, and what it rests on."""
        first = self.statements[0]
        if self.informative:
            text = (
                f"With {self.confidence:.0%} confidence the fitted probabilities are, at the comparisons "
                f"of the "
                f"sample, within {100 * math.sqrt(first.bound):.0f} percentage points of the true ones (root "
                "mean square). This is a bound, which holds for any link and any features; the error "
                "itself is "
                "as a rule several times smaller."
            )
        else:
            text = (
                f"With {self.n_comparisons:,.0f} comparisons and {self.n_features} features the bound says "
                "nothing: it does not beat the claim that all probabilities are 1/2. That does not mean that "
                f"the fit is bad. From about {first.informative_from:,.0f} comparisons on it says something."
            )
        text += (
            "\nAssumed: answers are independent of each other given the features; the probability is a "
            "rising "
            "function of one index of these features; and no index fits the sample better than the best one "
            f"found (this fit is above it by {self.gap:.2g} in mean squared error)."
        )
        if self.dependent:
            text += (
                "\nThe answers come in groups (raters). If those of one rater depend on each other, the "
                "bound "
                "need not hold: count the raters, not the answers, or use intervals by the bootstrap."
            )
        return text

    def to_frame(self) -> pd.DataFrame:
        """One row per theorem."""
        import pandas as pd

        rows = {
            statement.name: {
                "bound": statement.bound,
                "without data": statement.trivial,
                "informative from n": statement.informative_from,
                "theorem": statement.source,
            }
            for statement in self.statements
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("error")


def preference_error_bound(
    model: Any,
    X: Any,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    confidence: float = 0.9,
) -> PreferenceErrorBound:
    """Bound the mean squared error of a fit's probabilities, without knowing the truth.

    Parameters
    ----------
    model : fitted estimator
        With a linear index, one link and no ridge: profiled, orthogonal, ranking, or with a known link.
    X, y, sample_weight
        The data of the fit. Weights must be whole numbers: how often a comparison was made.
    groups : array-like of shape (n,), optional
        Raters; the default is what `PreferencePairs` carry. The theorems do not allow for them, and the
        result says so.
    confidence : float, default=0.9
        Level at which each statement holds by itself.

    Returns
    -------
    PreferenceErrorBound

    Raises
    ------
    InvalidParameterError
        For penalised fits, other index classes, and models with several links.
    InvalidDataError
        For ties, soft labels and choice sets, whose rows are not independent answers.

    See Also
    --------
    policy_error_bound : From here to the policy.
    policy_error_interval : An estimate with an interval, which is what to report.

    Notes
    -----
    The theorems are about the fit of least training error over all linear indices and monotone links.
    Every other fit obeys them with its excess over that minimum added. The minimum is not known: the
    least error among this fit, a spline fit and an isotonic fit stands in, the only estimate here.

    References
    ----------
    The page on finite-sample error derives the bounds; Clemencon, Lugosi & Vayatis 2008 (ranking).

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import ProfiledLinkPolicy, preference_error_bound
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(4000, 2))
    >>> y = rng.random(4000) < 1 / (1 + np.exp(-2 * X @ [1.0, -1.0]))
    >>> bound = preference_error_bound(ProfiledLinkPolicy().fit(X, y), X, y)
    >>> bound.informative, 0.05 < bound.squared_error < 0.15
    (True, True)
    """
    data = read_bounded_sample(model, X, y, sample_weight, groups)
    n, d, gap = data.n, data.n_features, data.gap
    excess = gap.squared_error
    statements = [
        Statement(
            "squared error of the probability, these comparisons",
            data.in_sample(confidence),
            TRIVIAL_PREFERENCE_ERROR,
            informative_from(lambda size: data.in_sample(confidence, n=size, gap=0.0)),
            "least squares with the link profiled out, by chaining",
        ),
        Statement(
            "squared error of the probability, new comparisons",
            profile_bound(n, d, confidence=confidence, gap=excess),
            TRIVIAL_PREFERENCE_ERROR,
            informative_from(partial(profile_bound, d=d, confidence=confidence)),
            "least squares with the link profiled out, by half-spaces",
        ),
    ]
    if isinstance(model, RankingPolicy):
        rule = partial(ranking_bound, d=d, confidence=confidence, antisymmetric=bool(model.antisymmetric))
        statements.append(
            Statement(
                "excess ranking risk, new comparisons",
                rule(n, gap=gap.ranking_risk),
                _TRIVIAL_RANKING_RISK,
                informative_from(rule, _TRIVIAL_RANKING_RISK),
                "Clemencon, Lugosi & Vayatis 2008",
            )
        )
    return PreferenceErrorBound(
        type(model).__name__, n, d, confidence, excess, tuple(statements), data.dependent
    )


def read_bounded_sample(model: Any, X: Any, y: Any, sample_weight: Any, groups: Any) -> BoundedSample:
    """The sample of a fit that the theorems speak of; see `preference_error_bound`."""
    require_eligible(model, single_feature=True)
    if model.links_ is not None:
        raise InvalidParameterError(
            "The model has a link for every class of raters, and the bounds are about one link; fit and "
            "bound the classes by themselves"
        )
    sample = read_sample(model, X, y, sample_weight, None, groups)
    require_full_rank(sample)
    if sample.observations.frequency.size < sample.t.size:
        raise InvalidDataError(
            "Rows of one comparison (halves of a tie, soft labels, choice sets) are no independent answers, "
            "and the bounds count answers; leave these comparisons out, or use policy_error_interval"
        )
    if not np.allclose(sample.weight, np.round(sample.weight), rtol=0, atol=1e-9):
        raise InvalidDataError(
            "The weights are not whole numbers: the bounds count answers; use policy_error_interval"
        )
    dependent = any(np.unique(codes).size < codes.size for codes in sample.clusters)
    return BoundedSample(
        sample,
        float(np.sum(sample.weight)),
        sample.differences.shape[1],
        np.unique(sample.differences, axis=0).shape[0],
        training_gap(model, sample),
        dependent,
    )
