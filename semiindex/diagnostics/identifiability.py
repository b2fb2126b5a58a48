"""`identification`: which directions of the coefficients the data determine, and which they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from semiindex.data import PreferencePairs
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.comparison_graph import ComparisonGraph, comparison_graph
from semiindex.diagnostics.counts import require_count
from semiindex.diagnostics.direction_words import direction_words, relation_words, relations
from semiindex.diagnostics.information import DirectionalInformation, directional_information
from semiindex.diagnostics.menu_features import read_menu
from semiindex.diagnostics.menu_span import undetermined_features
from semiindex.diagnostics.multistart import MultistartSpread, multistart_spread
from semiindex.diagnostics.null_models import fit_free, smooth_null
from semiindex.diagnostics.separating_direction import Separation, distinct_sample, separation_of
from semiindex.exceptions import InvalidParameterError
from semiindex.index.linear import LinearDesign, LinearIndex
from semiindex.index.whitening import whiten
from semiindex.inference.sample import InferenceSample, read_sample
from semiindex.policy.base import PreferencePolicy
from semiindex.policy.known_link import KnownLinkPolicy
from semiindex.policy.menu import Menu

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Identification", "identification", "require_linear"]

#: Standard errors, in degrees, from which a direction is badly determined, or not at all.
_LOOSE, _UNKNOWN = 10.0, 30.0
#: Share of the information below which the link, and not the number of comparisons, is the bottleneck.
_LITTLE = 0.1


@dataclass(frozen=True, eq=False, repr=False)
class Identification(Diagnostic):
    """What the comparisons say, and do not say, about the coefficients.

    Made by `identification`, which has an example.

    Attributes
    ----------
    feature_names : tuple of str
        Names of the d features.
    without_variation : tuple of str
        Features that are the same in both options of every comparison.
    relations : tuple of str
        Exact linear relations between differences of the others.
    separation : {"none", "quasi-complete", "complete"}
        Whether some direction is never contradicted by a label.
    separating : str
        That direction in terms of features; empty without separation.
    information : DirectionalInformation or None
        Directions orthogonal to the index; None for separated data or a single direction.
    graph : ComparisonGraph or None
        Options and comparisons; None where the options are not known (differences alone).
    spread : MultistartSpread or None
        Fits from random directions; None where they say nothing.
    undetermined_in_menu : tuple of str
        Features in which options of the menu differ as no two compared options did; empty without a
        menu.
    """

    feature_names: tuple[str, ...]
    without_variation: tuple[str, ...]
    relations: tuple[str, ...]
    separation: Literal["none", "quasi-complete", "complete"]
    separating: str
    information: DirectionalInformation | None
    graph: ComparisonGraph | None
    spread: MultistartSpread | None
    undetermined_in_menu: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What was looked at."""
        return "Which directions do the comparisons determine?"

    @property
    def worst_error(self) -> float:
        """Standard error of the worst determined direction in degrees; 0 where there is none."""
        return float(self.information.errors[0]) if self.information is not None else 0.0

    @property
    def level(self) -> Level:
        """A warning where scores are arbitrary, a note where they are loose, or single coefficients are.

        Coefficients of which only a sum is determined move no score of the options that were compared.
        """
        if self.undetermined_in_menu or self.separation != "none" or self.worst_error > _UNKNOWN:
            return "warning"
        conventional = self.without_variation or self.relations
        split = self.graph is not None and self.graph.is_split
        ambiguous = self.spread is not None and self.spread.is_ambiguous
        little = (
            self.information is not None
            and not self.information.link_known
            and float(self.information.shares.min()) < _LITTLE
        )
        loose = split or ambiguous or little or self.worst_error > _LOOSE
        return "note" if conventional or loose else "fine"

    def reading(self) -> str:
        """Every finding with what to do; in the end what is determined, and how well."""
        lines = [*self._exact_findings(), *self._separation_finding(), *self._graph_finding()]
        lines += [*self._spread_finding(), *self._information_finding()]
        return "\n".join(lines or ["There is a single direction, and the data determine it."])

    def _exact_findings(self) -> list[str]:
        lines = []
        if self.without_variation:
            lines.append(
                f"The same in both options of every comparison: {', '.join(self.without_variation)}. Their "
                "coefficients are 0 by convention; drop them, or let them interact with a feature of the "
                "options."
            )
        if self.relations:
            lines.append(
                f"In every comparison: {'; '.join(self.relations)}. The separate coefficients are a "
                "convention, on which no score of compared options depends; drop a feature of each relation "
                "to have coefficients that are determined."
            )
        if self.undetermined_in_menu:
            lines.append(
                f"Options of the menu differ in {', '.join(self.undetermined_in_menu)} as no two compared "
                "options did: their scores, and the policy, rest on that convention. Compare such options, "
                "or fit without these features."
            )
        return lines

    def _separation_finding(self) -> list[str]:
        if self.separation == "none":
            return []
        what = "orders every comparison rightly" if self.separation == "complete" else "is never contradicted"
        return [
            f"The data are separated: {self.separating} {what}, so that many coefficients fit equally well "
            "there. Look for a feature that gives the answer away; else collect comparisons of options that "
            "are closer, or set ridge > 0."
        ]

    def _graph_finding(self) -> list[str]:
        graph = self.graph
        if graph is None or not graph.is_split:
            return []
        return [
            f"The {graph.n_options} options fall into {graph.n_parts} parts that no comparison connects (the "
            f"largest holds {100 * graph.largest_share:.0f}% of them): options of different parts are ranked "
            "through their features alone. Compare some across parts."
        ]

    def _spread_finding(self) -> list[str]:
        spread = self.spread
        if spread is None:
            return []
        if not spread.is_ambiguous:
            return [
                f"Fits from {spread.n_starts} random directions end at most {spread.angle:.1f} degrees from "
                "the model's, or fit worse: it is the minimum."
            ]
        return [
            f"Of {spread.n_starts} fits from random directions the best has a log likelihood "
            f"{spread.gain:.1f} above the model's, and equally good ones differ from it by up to "
            f"{spread.angle:.0f} degrees: the criterion has several minima. Collect more "
            "comparisons, or use fewer features."
        ]

    def _information_finding(self) -> list[str]:
        information = self.information
        if information is None:
            return []
        words = direction_words(information.loadings[0], self.feature_names)
        if not np.isfinite(self.worst_error):
            return [
                f"An unknown link leaves no information on {words}: the index determines these features, as "
                "where all features are discrete. What the fit says there rests on the smoothness of the "
                "link."
            ]
        least = int(np.argmin(information.shares))
        link_cost = direction_words(information.loadings[least], self.feature_names)
        left = f"{100 * float(information.shares[least]):.0f}% of the information"
        cost = (
            f"Not knowing the link would cost most for {link_cost}, where {left} would be left. Assumed: one "
            "index, and the known link."
            if information.link_known
            else f"Not knowing the link costs most for {link_cost}, where {left} is left. Assumed: one "
            "index, a smooth link."
        )
        return [
            f"Worst determined is the weight of {words}: the direction of the index may be off towards it by "
            f"{self.worst_error:.1f} degrees (standard error). {cost}"
        ]

    def to_frame(self) -> pd.DataFrame:
        """One row per direction: kind, share of information left by the link, error in degrees."""
        import pandas as pd

        rows: list[tuple[str, str, float, float]] = []
        rows += [("no variation", name, 0.0, np.inf) for name in self.without_variation]
        rows += [("collinear", words, 0.0, np.inf) for words in self.relations]
        if self.separation != "none":
            rows.append(("separating", self.separating, np.nan, np.nan))
        if self.information is not None:
            found = self.information
            rows += [
                ("information", direction_words(loading, self.feature_names), float(share), float(error))
                for loading, share, error in zip(found.loadings, found.shares, found.errors, strict=True)
            ]
        return pd.DataFrame(rows, columns=["kind", "direction", "share", "error_degrees"])


def identification(
    model: Any,
    X: Any,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    menu: Menu | None = None,
    n_starts: int = 5,
    random_state: int = 0,
) -> Identification:
    """Which directions of the coefficients the comparisons determine, in terms of features.

    Features without variation, exact relations, separation with the separating direction, options that
    no comparison connects, minima elsewhere, and for the rest the standard error of every principal
    direction and what an unknown link leaves of its information. The standard errors of a fit with a known
    link take it for known, and those of others allow for its estimation.

    Parameters
    ----------
    model : fitted estimator
        Of a linear index.
    X, y, sample_weight
        The data of the fit.
    groups : array-like of shape (n,), optional
        Clusters such as raters, for the standard errors; by default those that `PreferencePairs` carry.
    menu : Menu, optional
        Options of a policy: is every difference of their scores determined? Without it exact relations
        between features are a note, as they move no score of the options that were compared.
    n_starts : int, default=5
        Random directions from which a profiled fit is repeated; 0 for none.
    random_state : int, default=0
        Seed of these directions.

    Returns
    -------
    Identification

    Raises
    ------
    InvalidParameterError
        For estimators without a linear index, with several links, or a negative `n_starts`.
    InvalidDataError
        For other data than those of the fit.

    Notes
    -----
    Directions are the principal axes of the sampling error in coordinates in which the index has unit
    mean square, :eq:`direction-error`: their standard errors are angles, free of the units of features
    and of the normalisation.

    References
    ----------
    Albert & Anderson 1984; Konis 2007 (separation); Klein & Spady 1993 (efficient information).

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import ProfiledLinkPolicy, identification
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 3))
    >>> X[:, 2] = X[:, 0] - 2 * X[:, 1]
    >>> y = rng.random(500) < 1 / (1 + np.exp(-X[:, 0]))
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # the fit warns as well
    ...     model = ProfiledLinkPolicy().fit(X, y)
    >>> result = identification(model, X, y)
    >>> result.level, result.relations
    ('note', ('x1 = 0.5 x0 - 0.5 x2',))
    """
    require_linear(model)
    require_count("n_starts", n_starts, 0)
    sample = read_sample(model, X, y, sample_weight, None, groups)
    constant, linear = _null_findings(sample)
    antisymmetric = bool(model.antisymmetric)
    prepared = distinct_sample(sample, antisymmetric=antisymmetric)
    separation = separation_of(prepared, antisymmetric=antisymmetric)
    information, spread = None, None
    if separation.kind == "none" and prepared.sample.design.n_parameters > 1:
        free = fit_free(model, sample, antisymmetric=antisymmetric)
        null = smooth_null(free, sample)
        information = directional_information(
            sample,
            null,
            free.link_,
            antisymmetric=antisymmetric,
            link_known=isinstance(model, KnownLinkPolicy),
        )
        spread = multistart_spread(model, prepared, n_starts, np.random.default_rng(random_state))
    return Identification(
        feature_names=sample.feature_names,
        without_variation=constant,
        relations=linear,
        separation=separation.kind,
        separating=_separating(separation, sample),
        information=information,
        graph=comparison_graph(X[sample.used]) if isinstance(X, PreferencePairs) else None,
        spread=spread,
        undetermined_in_menu=_undetermined(model, sample, menu),
    )


def _undetermined(model: Any, sample: InferenceSample, menu: Menu | None) -> tuple[str, ...]:
    if menu is None or sample.differences.shape[1] > sample.t.size:
        return ()
    return undetermined_features(sample, read_menu(model, menu), menu)


def require_linear(model: Any) -> None:
    """Refuse fits whose coefficients have no directions.

    Parameters
    ----------
    model : fitted estimator
        A policy.

    Raises
    ------
    InvalidParameterError
        For estimators without a linear index, or with several links.
    """
    if not isinstance(model, PreferencePolicy):
        raise InvalidParameterError(
            f"model must be a fitted estimator of semiindex, got {type(model).__name__}; of a pipeline pass "
            "the last step, and the data that it was given"
        )
    check_is_fitted(model)
    if not isinstance(model.index_, LinearIndex):
        raise InvalidParameterError(
            f"index={model.index_!r}: directions of coefficients are those of a linear index; the "
            "coefficients of a richer class have no meaning one by one"
        )
    if model.links_ is not None:
        raise InvalidParameterError(
            "The model has a link for every class of raters; fit the classes by themselves"
        )


def _separating(separation: Separation, sample: InferenceSample) -> str:
    """The separating direction in terms of features, and of the position."""
    if separation.kind == "none":
        return ""
    loading = separation.theta * np.sqrt(np.diag(sample.second_moment))
    names = [*sample.feature_names, "position"]
    return direction_words(np.append(loading, separation.shift), names, least=1e-6)


def _null_findings(sample: InferenceSample) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Features without variation, and relations between the others."""
    spread = np.sqrt(np.diag(sample.second_moment))
    varying = np.flatnonzero(spread > 0)
    names = sample.feature_names
    constant = tuple(names[j] for j in np.flatnonzero(spread == 0))
    if varying.size == 0 or varying.size > sample.t.size:
        return constant, ()
    _, null = whiten(LinearDesign(sample.differences[:, varying]), sample.weight)
    found = relations(null / spread[varying][:, None])
    kept = [names[j] for j in varying]
    return constant, tuple(relation_words(relation, kept) for relation in found)
