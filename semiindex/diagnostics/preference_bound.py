"""`preference_error_bound`: how far fitted probabilities may be from the true ones, at most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.bounded_sample import BoundedSample, read_bounded_sample
from semiindex.diagnostics.theorems import TRIVIAL_PREFERENCE_ERROR, informative_from, ranking_bound
from semiindex.diagnostics.training_gap import TrainingGap, training_gap
from semiindex.policy.ranking import RankingPolicy

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PreferenceErrorBound", "Statement", "preference_error_bound"]

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
    remarks : tuple of str
        What the theorems do not say of this fit, or say only under a further condition.
    dependent : bool
        Whether comparisons come in groups, which the theorems do not allow for.
    """

    estimator: str
    n_comparisons: float
    n_features: int
    confidence: float
    gap: float
    statements: tuple[Statement, ...]
    remarks: tuple[str, ...]
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
                f"With {self.confidence:.0%} confidence the fitted probabilities are, at the comparisons of "
                f"the sample, within {100 * math.sqrt(first.bound):.0f} percentage points of the true ones "
                "(root mean square). This is a bound, which holds for any link and any features; the error "
                "itself is as a rule ten times smaller or more."
            )
        else:
            text = (
                f"With {self.n_comparisons:,.0f} comparisons and {self.n_features} features the bound says "
                "nothing: it does not beat the claim that all probabilities are 1/2. That does not mean that "
                f"the fit is bad. From about {first.informative_from:,.0f} comparisons on it says something."
            )
        text += (
            "\nAssumed: answers are independent of each other given the features; the probability is a "
            "rising function of one index of these features; and no index fits the sample better than the "
            f"best one found (this fit is above it by {self.gap:.2g} in mean squared error)."
        )
        text += "".join(f"\n{remark}" for remark in self.remarks)
        if self.dependent:
            text += (
                "\nThe answers come in groups (raters). If those of one rater depend on each other, the "
                "bound need not hold: count the raters, not the answers, or use intervals by the bootstrap."
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
    rivals: Sequence[Any] = (),
    confidence: float = 0.9,
) -> PreferenceErrorBound:
    """Bound the mean squared error of a fit's probabilities, without knowing the truth.

    Parameters
    ----------
    model : fitted estimator
        With one link and a linear index, or a kernel index with a number of components: profiled,
        orthogonal, ranking, or with a known link; with or without a ridge.
    X, y, sample_weight
        The data of the fit. Weights must be whole numbers: how often a comparison was made.
    groups : array-like of shape (n,), optional
        Raters; the default is what `PreferencePairs` carry. The theorems do not allow for them, and the
        result says so.
    rivals : sequence of fitted estimators, default=()
        Further fits of the same class of indices to the same data, such as those from other starts: the
        least training error is looked for among them too.
    confidence : float, default=0.9
        Level at which each statement holds by itself.

    Returns
    -------
    PreferenceErrorBound

    Raises
    ------
    InvalidParameterError
        For other index classes, kernels without a number of components, models with several links, and
        rivals of another class or other data.
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
    least error among this fit, a spline fit, an isotonic fit and the rivals stands in, the only
    estimate here.

    A kernel index with k components is a linear index of k features, which are made from the options
    of the sample and not from its labels. The bound at the comparisons of the sample holds given these
    features. For new comparisons the options that made them are given up and every choice of them is
    paid for, :eq:`anchored-bound`; random waves are free. Where the width of the kernel came from the
    sample there is no such bound, and the result says so. The true score is assumed to be one of the
    class, as it is for linear indices.

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
    data = read_bounded_sample(model, X, y, sample_weight, groups, full_rank=False)
    gap = training_gap(model, data.sample, rivals)
    return PreferenceErrorBound(
        type(model).__name__,
        data.n,
        data.n_features,
        confidence,
        gap.squared_error,
        _statements(model, data, gap, confidence),
        _remarks(data),
        data.dependent,
    )


def _statements(
    model: Any, data: BoundedSample, gap: TrainingGap, confidence: float
) -> tuple[Statement, ...]:
    excess = gap.squared_error
    statements = [
        Statement(
            "squared error of the probability, these comparisons",
            data.in_sample(confidence, excess),
            TRIVIAL_PREFERENCE_ERROR,
            informative_from(lambda size: data.in_sample(confidence, n=size)),
            "least squares with the link profiled out, by chaining",
        )
    ]
    if data.new_comparisons:
        return tuple(statements)
    statements.append(
        Statement(
            "squared error of the probability, new comparisons",
            data.new(confidence, excess),
            TRIVIAL_PREFERENCE_ERROR,
            informative_from(lambda size: data.new(confidence, n=size)),
            "least squares with the link profiled out, by half-spaces",
        )
    )
    if isinstance(model, RankingPolicy):
        rule = partial(
            ranking_bound,
            d=data.n_features,
            confidence=confidence,
            antisymmetric=bool(model.antisymmetric),
            n_anchors=data.n_anchors,
        )
        statements.append(
            Statement(
                "excess ranking risk, new comparisons",
                rule(data.n, gap=gap.ranking_risk),
                _TRIVIAL_RANKING_RISK,
                informative_from(rule, _TRIVIAL_RANKING_RISK),
                "Clemencon, Lugosi & Vayatis 2008",
            )
        )
    return tuple(statements)


def _remarks(data: BoundedSample) -> tuple[str, ...]:
    """What a reader has to know of features that were made from the sample."""
    if not data.is_kernel:
        return ()
    given = (
        f"The features are the {data.n_features} components of a kernel. They were made without looking at "
        "the answers, and their number must have been chosen so. The true score is assumed to be made of "
        "them: what they cannot express is not in the bound. More components make that safer and the bound "
        "larger."
    )
    return (given, data.new_comparisons) if data.new_comparisons else (given,)
