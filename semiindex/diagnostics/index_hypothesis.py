"""`index_test`: whether anything besides the index matters for the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.evidence import in_words, level_of, monte_carlo_p_value
from semiindex.diagnostics.index_terms import IndexTerms, index_terms
from semiindex.diagnostics.multipliers import Multipliers
from semiindex.diagnostics.null_models import fit_free, read_tested_sample, smooth_null
from semiindex.diagnostics.score_process import score_process

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["IndexTest", "index_test"]

#: Terms that the reading names.
_NAMED = 3
#: Level of the terms that are named.
_NOTABLE = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class IndexTest(Diagnostic):
    """Test of a single linear index.

    Made by `index_test`, which has an example.

    Attributes
    ----------
    terms : tuple of str
        What might be missing.
    scores : array of shape (q,)
        Their scores in standard errors: positive where option 1 wins more often than the index says when
        the term is larger for it.
    adjusted_p_values : array of shape (q,)
        p-value of every term, adjusted for their number: the probability that the largest of all scores
        is as large.
    p_value : float
        Of the largest score.
    critical_value : float
        What the largest of all scores exceeds in 5% of draws; `QuantitiesDisplay` draws it.
    n_draws : int
        Bootstrap draws.
    n_blocks : float
        Independent comparisons, or groups.
    clustered : bool
        Whether they are groups.
    explained : tuple of str
        Terms that the features and the link express already (a product of exclusive indicators is a linear
        function of the features), so that they could not be tested.
    """

    terms: tuple[str, ...]
    scores: FloatArray
    adjusted_p_values: FloatArray
    p_value: float
    critical_value: float
    n_draws: int
    n_blocks: float
    clustered: bool
    explained: tuple[str, ...]

    @property
    def title(self) -> str:
        """What was tested."""
        return "Is one linear index enough?"

    @property
    def level(self) -> Level:
        """Every estimator of the library relies on the index."""
        return level_of(self.p_value)

    def reading(self) -> str:
        """Evidence, the worst terms, and what to do."""
        units = "groups" if self.clustered else "comparisons"
        order = np.argsort(-np.abs(self.scores), kind="stable")
        named = [self.terms[k] for k in order if self.adjusted_p_values[k] <= _NOTABLE][:_NAMED]
        worst = int(order[0])
        lines = [
            f"Given the index nothing else in the features should matter. Of {len(self.terms)} terms that a "
            f"linear index leaves out, {self.terms[worst]!r} fits worst ({self.scores[worst]:+.1f} standard "
            f"errors): {in_words(self.p_value, self.n_draws)} after allowing for their number, from "
            f"{self.n_blocks:g} independent {units}."
        ]
        if named:
            lines.append(
                f"Add to the features: {', '.join(map(repr, named))}; or fit a richer class of indices "
                "(KernelIndex). Until then the policy is at best the best one of the linear class."
            )
        else:
            lines.append(
                "Nothing to do. Terms of higher order, and features not in the data, were not tested."
            )
        if self.explained:
            lines.append(
                f"Not testable, since features and link express them already: {', '.join(self.explained)}."
            )
        lines.append(f"Assumed: a smooth link common to all, independent {units}.")
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per term, the worst first: score in standard errors and adjusted p-value."""
        import pandas as pd

        frame = pd.DataFrame(
            {"score": self.scores, "adjusted_p_value": self.adjusted_p_values},
            index=pd.Index(self.terms, name="term"),
        )
        order = np.argsort(-np.abs(self.scores), kind="stable")
        return frame.iloc[order]


def index_test(
    model: Any,
    X: Any,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    multipliers: Multipliers | None = None,
) -> IndexTest:
    """Test whether anything besides one linear index matters: curvature, interactions, changing weights.

    The null hypothesis is ``E[z | features] = g(theta' D)`` with an unknown smooth g. Residuals are
    compared with squares and products of the features (for `PreferencePairs` those of either option, so
    that a property of the person can interact; for a matrix of differences the odd products
    ``D_j |D_k|``), and with ``D_j |t|``: a feature that weighs differently in close and in clear
    comparisons. With more than ten features products of two are left out.

    Parameters
    ----------
    model : fitted estimator
        Of a linear index, without a ridge. Unless it is a spline fit itself, one is fitted for the null
        hypothesis.
    X, y, sample_weight
        The data of the fit.
    groups : array-like of shape (n,), optional
        Clusters such as raters; by default those that `PreferencePairs` carry.
    multipliers : Multipliers, optional
        Draws of the multiplier bootstrap; `Multipliers()` by default.

    Returns
    -------
    IndexTest

    Raises
    ------
    InvalidParameterError
        For estimators without a linear index, with a ridge or with several links.
    InvalidDataError
        For separated data, or so many terms that they do not fit into memory.

    Notes
    -----
    A term that the index lacks moves the logit by its slope times the term, :eq:`index-direction`, as the
    features do: linear functions of them (products of exclusive indicators, squares of indicators) are
    no news. What coefficients and link explain is projected out, :eq:`projected-direction`, so that the
    estimation of both is part of the null distribution. The statistic is the largest
    standardised score, :eq:`largest-score`, with random signs for every comparison or group
    (Chernozhukov, Chetverikov & Kato 2013 for many terms).

    References
    ----------
    Stute & Zhu 2005 (single-index models); Chernozhukov, Chetverikov & Kato 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import PreferencePairs, ProfiledLinkPolicy, index_test
    >>> rng = np.random.default_rng(0)
    >>> first, second = rng.normal(size=(2, 2000, 2))
    >>> utility = lambda x: x[:, 0] + x[:, 1] ** 2
    >>> y = rng.random(2000) < 1 / (1 + np.exp(utility(first) - utility(second)))
    >>> pairs = PreferencePairs(first, second, y, feature_names=["price", "size"])
    >>> result = index_test(ProfiledLinkPolicy().fit(pairs), pairs)
    >>> result.level, result.to_frame().index[0]
    ('warning', 'size squared')
    """
    sample = read_tested_sample(model, X, y, sample_weight, groups)
    null = smooth_null(fit_free(model, sample, antisymmetric=bool(model.antisymmetric)), sample)
    terms: IndexTerms = index_terms(X, sample, null.t)
    multipliers = multipliers or Multipliers()
    process = score_process(null, null.index_directions(terms.values))
    scores = process.values
    largest = np.abs(process.draws(multipliers)).max(axis=1)
    adjusted = np.array([monte_carlo_p_value(abs(score), largest) for score in scores])
    tested = set(process.kept.tolist())
    return IndexTest(
        terms=tuple(terms.names[k] for k in process.kept),
        scores=scores,
        adjusted_p_values=adjusted,
        p_value=float(adjusted.min()),
        critical_value=float(np.quantile(largest, 1 - _NOTABLE)),
        n_draws=largest.size,
        n_blocks=null.blocks.total,
        clustered=null.clustered,
        explained=tuple(name for k, name in enumerate(terms.names) if k not in tested),
    )
