"""`policy_error_bound`: from the error of probabilities to that of the policy, factor by factor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import pdist

from semiindex._types import FloatArray
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.determinacy import Determinacy, coordinates_of, determinacy, widest_determinacy
from semiindex.diagnostics.policy_distance import read_menu, spend_budget
from semiindex.diagnostics.preference_bound import BoundedSample, read_bounded_sample
from semiindex.diagnostics.theorems import informative_from
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.link.base import Link
from semiindex.policy.menu import Menu

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Factor", "PolicyErrorBound", "policy_error_bound"]

#: What the number of a factor rests on.
Kind: TypeAlias = Literal["theorem", "computed", "assumption", "estimate"]

#: Points of the interval on which the least slope of a fitted link is looked for.
_SLOPE_POINTS = 201


@dataclass(frozen=True)
class Factor:
    """One factor of the bound.

    Attributes
    ----------
    name : str
        In words.
    value : float
        Its size; the bound is the product.
    kind : {"theorem", "computed", "assumption", "estimate"}
        A theorem's bound, a number computed from the data and the menu without error, what the user
        assumed, or an estimate without a limit of its own.
    meaning : str
        What it measures.
    """

    name: str
    value: float
    kind: Kind
    meaning: str


@dataclass(frozen=True, eq=False, repr=False)
class PolicyErrorBound(Diagnostic):
    """Upper limit on the total variation between the learned policy and the true one at a budget.

    Attributes
    ----------
    factors : tuple of Factor
        Their product bounds the tangent of the angle's share of the policy error.
    sine : float
        Bound on the sine of the angle between learned and true index, at most 1.
    total_variation : float
        Bound on the mean total variation at the budget, at most `trivial`.
    regret : float
        Bound on the mean score lost, in the root mean square of the true index over the sample.
    trivial : float
        Total variation of any two policies of that budget, at most.
    budget, temperature : float
        Mean Kullback-Leibler divergence, and the learned policy's temperature for an index of unit root
        mean square.
    confidence : float
        Level at which the first factor holds.
    n_comparisons : float
        Number of comparisons.
    informative_from : float
        Comparisons from which the bound is below `trivial`, the other factors as they are.
    dependent : bool
        Whether comparisons come in groups, which the theorem does not allow for.
    """

    factors: tuple[Factor, ...]
    sine: float
    total_variation: float
    regret: float
    trivial: float
    budget: float
    temperature: float
    confidence: float
    n_comparisons: float
    informative_from: float
    dependent: bool

    @property
    def is_bound(self) -> bool:
        """Whether no factor is an estimate: otherwise the result is an estimate of a bound."""
        return all(factor.kind != "estimate" for factor in self.factors)

    @property
    def informative(self) -> bool:
        """Whether the result says more than the budget does."""
        return self.total_variation < self.trivial

    @property
    def bottleneck(self) -> Factor:
        """The largest of the factors, in which improvement is worth most."""
        return max(self.factors, key=lambda factor: factor.value / _NEUTRAL[factor.name])

    @property
    def title(self) -> str:
        """What was bounded, and whether it is a bound."""
        what = "Bound" if self.is_bound else "Estimate of a bound"
        return f"{what} on the policy error at a divergence of {self.budget:g}"

    @property
    def level(self) -> Level:
        """A warning if raters were overlooked, a note if the number says nothing."""
        if self.dependent:
            return "warning"
        return "fine" if self.informative else "note"

    def reading(self) -> str:
        """The bound, its bottleneck, and what it rests on."""
        if self.informative:
            text = (
                f"At this budget the learned policy and the true one differ in at most "
                f"{100 * self.total_variation:.0f}% of their decisions, and at most {self.regret:.2g} of "
                f"score "
                "is lost (in units of the typical difference of two compared options)."
            )
        else:
            start = (
                "no number of comparisons up to 10^15 changes that"
                if math.isinf(self.informative_from)
                else f"from about {self.informative_from:,.0f} comparisons on it says something"
            )
            text = (
                f"The bound says nothing: any two policies of this budget differ in at most "
                f"{100 * self.trivial:.0f}% of their decisions. With the other factors as they are, {start}. "
                "Worst cases are multiplied here; policy_error_interval estimates the error itself."
            )
        text += f"\nThe bottleneck is {self.bottleneck.name}: {_REMEDY[self.bottleneck.name]}"
        kinds = "; ".join(f"{factor.name}: {factor.kind}" for factor in self.factors)
        text += (
            f"\nWhat each factor rests on: {kinds}. Assumed besides: independent answers, a probability that "
            "rises with one linear index, the right sign of the index, and no index that fits better than "
            "the best one found."
        )
        if not self.is_bound:
            text += " As one factor is an estimate, so is the product; state the slope to get a bound."
        if self.dependent:
            text += "\nThe answers come in groups (raters), which the theorem does not allow for."
        return text

    def to_frame(self) -> pd.DataFrame:
        """One row per factor, then the results."""
        import pandas as pd

        rows: list[tuple[str, float, str, str]] = [
            (factor.name, factor.value, factor.kind, factor.meaning) for factor in self.factors
        ]
        rows += [
            ("sine of the angle", self.sine, "", "between learned and true index, at most"),
            ("total variation", self.total_variation, "", "of the two policies, at most"),
            ("regret", self.regret, "", "mean score lost, at most"),
        ]
        return pd.DataFrame(rows, columns=["factor", "value", "rests on", "meaning"]).set_index("factor")


_ERROR, _FLATNESS, _BLUR, _LEVERAGE = "preference error", "flatness", "indeterminacy", "leverage"
#: Sizes of the factors in a benign case: probabilities known to 0.05, a link that rises by a quarter per
#: root mean square of the index, features that vary as much given the index as without it, and a menu
#: in which an angle of one radian moves one half of the decisions.
_NEUTRAL = {_ERROR: 0.05, _FLATNESS: 4.0, _BLUR: 1.0, _LEVERAGE: 0.5}
_REMEDY = {
    _ERROR: "collect more comparisons, or use fewer features.",
    _FLATNESS: (
        "even large differences of score change the answers little (random answers, lapses, or options "
        "that are all alike); ask clearer questions, or compare options that differ more."
    ),
    _BLUR: (
        "comparisons of equal score have nearly equal features, so that directions cannot be told apart; "
        "collect comparisons in which the features vary independently."
    ),
    _LEVERAGE: (
        "options of the menu differ far more than compared ones did, or the budget makes the policy sharp; "
        "collect comparisons of options like those of the menu, or lower the budget."
    ),
}


def policy_error_bound(
    model: Any,
    X: Any,
    menu: Menu,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    budget: float,
    slope: tuple[float, float] | None = None,
    groups: ArrayLike | None = None,
    confidence: float = 0.9,
) -> PolicyErrorBound:
    """Bound the distance between the learned policy and the true one at a Kullback-Leibler budget.

    Parameters
    ----------
    model : fitted estimator
        With a linear index, one link and no ridge.
    X : PreferencePairs, array-like or sparse matrix of shape (n, d)
        The comparisons of the fit.
    menu : Menu
        Contexts, options and reference of the policy.
    y, sample_weight : array-like of shape (n,), optional
        As they were passed to `fit`; whole numbers as weights.
    budget : float
        Mean reverse Kullback-Leibler divergence of both policies from the reference, in nats.
    slope : tuple (least slope, limit), optional
        What is assumed of the true link: it rises by at least `least slope` per unit of the index
        wherever the index is at most `limit` in size, the index in units of its root mean square over
        the sample. None: the least slope of a spline fit, an estimate, at the limit that serves best.
    groups : array-like of shape (n,), optional
        Raters; the default is what `PreferencePairs` carry.
    confidence : float, default=0.9
        Level of the bound on the preference error.

    Returns
    -------
    PolicyErrorBound

    Raises
    ------
    InvalidParameterError
        As for `preference_error_bound`, and for a slope that no link has.
    InvalidDataError
        As for `preference_error_bound`, for a single feature, and for a menu without features.
    BudgetError
        If no policy of the scores spends the budget.

    See Also
    --------
    policy_error_interval : An estimate with an interval, which is what to report.

    Notes
    -----
    Three steps, each an inequality with constants: the preference error bounds the angle between the
    indices :eq:`angle-bound`, and the angle the policies :eq:`policy-bound`. The last step is for the
    Kullback-Leibler divergence only; for others compute, do not bound.

    References
    ----------
    Derived on the page on finite-sample error.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import Menu, ProfiledLinkPolicy, policy_error_bound
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(4000, 2))
    >>> y = rng.random(4000) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> menu = Menu.from_array(rng.normal(size=(50, 4, 2)))
    >>> bound = policy_error_bound(ProfiledLinkPolicy().fit(X, y), X, menu, y, budget=0.1)
    >>> bound.is_bound, round(bound.trivial, 2)
    (False, 0.45)
    """
    data = read_bounded_sample(model, X, y, sample_weight, groups)
    if data.n_features == 1:
        raise InvalidDataError(
            "There is one feature: the policy of a budget is known up to the sign of the coefficient, and "
            "there is nothing to bound"
        )
    options = read_menu(model, menu)
    sample = data.sample
    theta = np.asarray(model.coef_, dtype=np.float64)
    rms = float(np.sqrt(np.average(sample.t**2, weights=sample.weight)))
    scores, t = options @ theta / rms, sample.t / rms
    temperature = spend_budget(scores, menu, budget).temperature
    coordinates = coordinates_of(sample.differences, sample.weight, theta)
    rows = (sample.differences, sample.weight, t, model.link_.probability(sample.t), coordinates)
    if slope is None:
        link = data.gap.smooth_link
        found = widest_determinacy(*rows, slope=lambda limit: _least_slope(link, limit))
        steepness = _least_slope(link, found.limit)
    else:
        steepness, limit = _read_slope(slope)
        found = determinacy(*rows, limit=limit)
    diameter = _diameter(options @ coordinates.tangent, menu)
    leverage = math.inf if temperature == 0 else diameter / (2 * temperature)
    trivial = min(1.0, math.sqrt(2 * budget))
    error = math.sqrt(data.in_sample(confidence))
    sine = _sine(error, steepness, found)
    return PolicyErrorBound(
        factors=_factors(error, steepness, found, leverage, assumed=slope is not None),
        sine=sine,
        total_variation=min(_tangent(sine) * leverage, trivial),
        regret=_regret(sine, diameter, temperature),
        trivial=trivial,
        budget=float(budget),
        temperature=temperature,
        confidence=confidence,
        n_comparisons=data.n,
        informative_from=_enough(data, confidence, steepness, found, leverage, trivial),
        dependent=data.dependent,
    )


def _factors(
    error: float, steepness: float, found: Determinacy, leverage: float, *, assumed: bool
) -> tuple[Factor, ...]:
    return (
        Factor(_ERROR, error, "theorem", "root mean square error of the probabilities in the sample"),
        Factor(
            _FLATNESS,
            math.inf if steepness == 0 else 1 / steepness,
            "assumption" if assumed else "estimate",
            f"index per probability, up to an index of {found.limit:.2g} root mean squares",
        ),
        Factor(
            _BLUR,
            math.inf if found.spread == 0 else 1 / found.spread,
            "computed",
            f"spread of features over that at equal index, {found.share:.0%} of the comparisons",
        ),
        Factor(_LEVERAGE, leverage, "computed", "total variation per angle: menu, budget"),
    )


def _sine(error: float, steepness: float, found: Determinacy) -> float:
    """Bound on the sine of the angle between the indices, :eq:`angle-bound`."""
    if steepness == 0 or found.spread == 0:
        return 1.0
    numerator = (error + found.probability_within) / steepness + found.index_within
    return min(1.0, numerator / found.spread)


def _tangent(sine: float) -> float:
    return math.inf if sine >= 1 else sine / math.sqrt(1 - sine**2)


def _regret(sine: float, diameter: float, temperature: float) -> float:
    if sine >= 1 or temperature == 0:
        return math.inf
    return sine**2 * diameter**2 / (8 * math.sqrt(1 - sine**2) * temperature)


def _enough(
    data: BoundedSample,
    confidence: float,
    steepness: float,
    found: Determinacy,
    leverage: float,
    trivial: float,
) -> float:
    """Comparisons from which the total variation is bounded by less than the budget does."""
    limit = Determinacy(found.limit, found.share, found.spread, 0.0, 0.0)  # both vanish in large samples

    def bound(n: float) -> float:
        error = math.sqrt(data.in_sample(confidence, n=n, gap=0.0))
        return _tangent(_sine(error, steepness, limit)) * leverage

    return informative_from(bound, trivial)


def _least_slope(link: Link, limit: float) -> float:
    return float(np.min(link.slope(np.linspace(-limit, limit, _SLOPE_POINTS))))


def _read_slope(slope: tuple[float, float]) -> tuple[float, float]:
    steepness, limit = map(float, slope)
    if not (steepness > 0 and limit > 0 and 2 * steepness * limit <= 1):
        raise InvalidParameterError(
            f"slope must be (least slope, limit), both positive, and 2 * slope * limit at most 1 since "
            f"probabilities are, got {slope!r}"
        )
    return steepness, limit


def _diameter(rows: FloatArray, menu: Menu) -> float:
    """Root mean square over contexts of the largest distance between two options with reference mass."""
    used = ~np.isneginf(menu.log_reference)
    squares = np.zeros(menu.n_contexts)
    for k in range(menu.n_contexts):
        options = slice(menu.offsets[k], menu.offsets[k + 1])
        points = rows[options][used[options]]
        if points.shape[0] > 1:
            squares[k] = float(pdist(points, "sqeuclidean").max())
    return float(np.sqrt(menu.shares @ squares))
