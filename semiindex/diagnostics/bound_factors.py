"""The result of `policy_error_bound`: named factors, their product, and which of them is the bottleneck."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from semiindex.diagnostics.base import Diagnostic, Level

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COMPLEXITY", "FLATNESS", "INDETERMINACY", "LEVERAGE", "Factor", "Kind", "PolicyErrorBound"]

#: What the number of a factor rests on.
Kind: TypeAlias = Literal["theorem", "computed", "assumption", "estimate"]


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
        Their product is the bound on the total variation, but for what the index varies within blocks
        and the difference between sine and tangent.
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
                "score is lost (in units of the typical difference of two compared options)."
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
            "rises with one index of these features, and the right sign of the index."
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


#: Names of the factors.
COMPLEXITY, FLATNESS, INDETERMINACY, LEVERAGE = "complexity", "flatness", "indeterminacy", "leverage"
#: Sizes of the factors in a benign case: five features and twenty thousand comparisons, a link that rises
#: by a quarter per root mean square of the index, features that vary as much given the index as without
#: it, and a menu in which an angle of one radian moves one half of the decisions.
_NEUTRAL = {COMPLEXITY: 0.05, FLATNESS: 4.0, INDETERMINACY: 1.0, LEVERAGE: 0.5}
_REMEDY = {
    COMPLEXITY: "collect more comparisons, or use fewer features.",
    FLATNESS: (
        "even large differences of score change the answers little (random answers, lapses, or options "
        "that are all alike); ask clearer questions, or compare options that differ more."
    ),
    INDETERMINACY: (
        "comparisons of equal score have nearly equal features, so that directions cannot be told apart; "
        "collect comparisons in which the features vary independently."
    ),
    LEVERAGE: (
        "options of the menu differ far more than compared ones did, or the budget makes the policy sharp; "
        "collect comparisons of options like those of the menu, or lower the budget."
    ),
}
