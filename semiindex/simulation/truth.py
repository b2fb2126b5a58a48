"""`Truth`: how preferences come about, with exact probabilities, policies and regrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Number
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray, IntArray
from semiindex.divergence import get_divergence
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.link import LapsedLink, ParametricLink, get_link
from semiindex.policy.menu import Menu
from semiindex.policy.menu_policy import Policy, policy_from_scores
from semiindex.simulation.mixture_link import MixtureLink
from semiindex.simulation.raters import Raters
from semiindex.simulation.scores import as_score, linear_coefficients

__all__ = ["Truth", "TruthSource"]

#: Reference probabilities may miss a sum of 1 by this much.
_SUM_TOLERANCE = 1e-8


@runtime_checkable
class TruthSource(Protocol):
    """A truth, or a distribution of truths of which every replication draws its own.

    A study brings what it draws to its signal strength, unless the source has an attribute
    `keeps_strength` that is true: the scale of the links is then part of what is studied.
    """

    @property
    def factors(self) -> Mapping[str, Any]:
        """What distinguishes it from other truths of a study: columns of the study's table."""
        ...

    def draw(self, rng: np.random.Generator) -> Truth:
        """A truth; `Truth` itself returns itself."""
        ...


@dataclass(frozen=True)
class Truth:
    """How preferences come about: score, link, position, raters, reference and divergence.

    Option 1 is preferred to option 0 with probability ``Psi(h(option 1) - h(option 0))``, h the score
    function and Psi the link, see :eq:`single-index`.

    Parameters
    ----------
    score : array-like of shape (d,) or callable, optional
        Coefficients of a linear score, or a function from options, features on the last axis, to
        scores. Default: `AlternatingScore`, linear with coefficients for any number of features.
    link : str or ParametricLink, default="logistic"
        Link of all raters, unless the classes of `raters` have links of their own.
    divergence : str or Divergence, default="reverse_kl"
        In which the budget of a policy is stated.
    reference : array-like of shape (k,) or callable, optional
        Reference policy: probabilities by position in the menu, or a function from options of shape
        (n, k, d) to probabilities of shape (n, k). Default: uniform.
    position_bias : float, default=0.0
        How much more often than the link says option 1 is taken of two equal options:
        ``P(t = 0) = Psi(0) + position_bias``. The index is shifted by what this takes, so that the
        bias does not change with the scale of the index.
    raters : Raters, optional
        Who answers. Default: independent answers.
    factors : mapping, default={}
        What distinguishes this truth from others, such as ``{"link": "flips", "severity": .5}``:
        columns of the table of a study.

    Raises
    ------
    InvalidParameterError
        If a parameter has no meaning, or the link does not reach the position bias.

    See Also
    --------
    scaled_to_strength : Brings a truth to a stated signal strength.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import Truth
    >>> truth = Truth([1.0, -1.0], link="probit", position_bias=0.1)
    >>> truth.probability(np.zeros((1, 2)), np.array([[0.0, 0.0]])).round(3)
    array([0.6])
    """

    score: Any = None
    link: Any = "logistic"
    divergence: Any = "reverse_kl"
    reference: Any = None
    position_bias: float = 0.0
    raters: Raters | None = None
    factors: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        link = get_link(self.link)
        if not isinstance(link, ParametricLink):
            raise InvalidParameterError(
                f"link must be the name of a link or a ParametricLink, got {self.link!r}; a population of "
                "raters with links of their own is Raters(links=...) or a MixtureLink"
            )
        if self.raters is not None and not isinstance(self.raters, Raters):
            raise InvalidParameterError(f"raters must be Raters(...) or None, got {self.raters!r}")
        checked = {
            "score": as_score(self.score),
            "link": link,
            "divergence": get_divergence(self.divergence),
            "factors": _as_factors(self.factors),
        }
        if self.reference is not None and not callable(self.reference):
            checked["reference"] = _as_probabilities(self.reference)
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        self.class_links  # noqa: B018  # an unattainable position bias is said here, not in a worker

    def draw(self, rng: np.random.Generator) -> Truth:
        """Itself: a truth that is the same in every replication."""
        return self

    # Link ---------------------------------------------------------------------------------------

    @property
    def class_links(self) -> tuple[ParametricLink, ...]:
        """Link of every class of raters, position bias included; one link where there are no classes."""
        own = self.raters.links if self.raters is not None else ()
        return tuple(_with_position(link, self.position_bias) for link in own or (self.link,))

    @property
    def marginal_link(self) -> ParametricLink:
        """Link of a rater drawn at random: what a learner that is told the link gets to know."""
        links = self.class_links
        return links[0] if len(links) == 1 else MixtureLink(links, self._shares)

    @property
    def _shares(self) -> tuple[float, ...]:
        return (self.raters.shares if self.raters is not None else ()) or (1.0,)

    @property
    def antisymmetric(self) -> bool:
        """Whether position has no effect, on the average of the raters."""
        return self.marginal_link.antisymmetric

    def rescaled(self, factor: float) -> Truth:
        """The truth with every link at ``factor * t``, and the same position bias."""
        raters = self.raters
        if raters is not None and raters.links:
            raters = replace(raters, links=tuple(link.rescaled(factor) for link in raters.links))
        return replace(self, link=self.link.rescaled(factor), raters=raters)

    # Probabilities -------------------------------------------------------------------------------

    def index(self, options0: ArrayLike, options1: ArrayLike) -> FloatArray:
        """``t = h(option 1) - h(option 0)``, for features of shape (n, d)."""
        first, second = (np.asarray(options, dtype=np.float64) for options in (options0, options1))
        return np.asarray(self.option_scores(second) - self.option_scores(first))

    def option_scores(self, options: FloatArray) -> FloatArray:
        """True scores of options, features on the last axis; a score of another shape is refused."""
        scores = np.asarray(self.score(options), dtype=np.float64)
        if scores.shape != options.shape[:-1]:
            raise InvalidDataError(
                f"score must return one number per option, of shape {options.shape[:-1]}, got {scores.shape}"
            )
        return scores

    def probability(
        self, options0: ArrayLike, options1: ArrayLike, rater_class: IntArray | None = None
    ) -> FloatArray:
        """Exact probability that option 1 is preferred.

        Parameters
        ----------
        options0, options1 : array-like of shape (n, d)
            Features of both options.
        rater_class : array of int, shape (n,), optional
            Class of the rater of every comparison, as in `Raters`. Default: a rater drawn at random.

        Returns
        -------
        array of shape (n,)
        """
        return self.probability_of_index(self.index(options0, options1), rater_class)

    def probability_of_index(self, t: FloatArray, rater_class: IntArray | None = None) -> FloatArray:
        """`probability`, of comparisons whose index is known."""
        if rater_class is None:
            return self.marginal_link.probability(t)
        by_class = np.stack([link.probability(t) for link in self.class_links])
        return np.asarray(np.take_along_axis(by_class, np.asarray(rater_class)[None], axis=0)[0])

    def coefficients(self, n_features: int) -> FloatArray | None:
        """Coefficients of a linear score, shape (n_features,); None for any other score."""
        return linear_coefficients(self.score, n_features)

    # Policies ------------------------------------------------------------------------------------

    def reference_probabilities(self, options: FloatArray) -> FloatArray:
        """Reference policy on menus of shape (n, k, d): probabilities of shape (n, k)."""
        n, k = options.shape[:2]
        if self.reference is None:
            return np.full((n, k), 1 / k)
        if callable(self.reference):
            return np.asarray(_as_probabilities(self.reference(options), (n, k)))
        if len(self.reference) != k:
            raise InvalidParameterError(
                f"reference has {len(self.reference)} probabilities, but the menus have {k} options; give "
                "one per option, or a function of the options"
            )
        return np.broadcast_to(np.asarray(self.reference), (n, k))

    def menu(self, options: FloatArray) -> Menu:
        """Menus of shape (n, k, d) with the reference policy, as policies need them."""
        return Menu.from_array(options, reference=self.reference_probabilities(options))

    def policy(self, options: FloatArray, budget: float, scores: FloatArray | None = None) -> Policy:
        """Policy of the true scores, or of others, at a divergence budget from the reference.

        Parameters
        ----------
        options : array of shape (n, k, d)
            Menus.
        budget : float
            Mean divergence from the reference.
        scores : array of shape (n, k), optional
            Scores to act on. Default: the true ones, for the optimal policy.

        Returns
        -------
        Policy
        """
        scores = self.option_scores(options) if scores is None else np.asarray(scores, dtype=np.float64)
        return policy_from_scores(
            scores.ravel(), self.menu(options), budget=budget, divergence=self.divergence
        )

    def regret(self, scores: FloatArray, options: FloatArray, budget: float) -> float:
        """True score lost by acting on other scores at the same budget.

        Parameters
        ----------
        scores : array of shape (n, k)
            Scores of a learner.
        options : array of shape (n, k, d)
            Menus.
        budget : float
            Mean divergence from the reference, the same for both policies.

        Returns
        -------
        float
            Mean over menus of the expected true score of the optimal policy minus that of the policy
            of `scores`; in the units of the true score, never negative up to rounding.
        """
        true = self.option_scores(options).ravel()
        best, other = (self.policy(options, budget, s).probabilities for s in (None, scores))
        return float((best - other) @ true / len(options))


def _with_position(link: ParametricLink, bias: float) -> ParametricLink:
    """The link shifted so that its value at 0 is larger by `bias`."""
    if bias == 0:
        return link
    at_zero = float(link.probability(np.zeros(1))[0])
    shift = float(link.index(np.array([at_zero + bias]))[0]) if 0 < at_zero + bias < 1 else np.inf
    if not np.isfinite(shift):
        raise InvalidParameterError(
            f"position_bias={bias} is not attainable: the link is {at_zero:.3g} at 0 and does not reach "
            f"{at_zero + bias:.3g}; choose a bias nearer to 0"
        )
    return LapsedLink(link, shift=shift)


def _as_factors(factors: Any) -> dict[str, Any]:
    """Checked factors: columns of a table, which hold one value for a truth."""
    if not isinstance(factors, Mapping) or not all(isinstance(name, str) for name in factors):
        raise InvalidParameterError(f"factors must be a mapping of values by name, got {factors!r}")
    for name, value in factors.items():
        if value is not None and not isinstance(value, str | Number | np.generic):
            raise InvalidParameterError(
                f"factors[{name!r}] must be one number or text, a value of a column, got {value!r}"
            )
    return dict(factors)


def _as_probabilities(values: Any, shape: tuple[int, int] | None = None) -> Any:
    """Checked probabilities: a tuple by position in the menu, or an array of a stated shape."""
    array = np.asarray(values, dtype=np.float64)
    if shape is not None and array.shape != shape:
        raise InvalidDataError(f"reference must return probabilities of shape {shape}, got {array.shape}")
    if shape is None and array.ndim != 1:
        raise InvalidParameterError(
            f"reference must have one probability per option, got shape {array.shape}"
        )
    if not (array >= 0).all() or np.abs(array.sum(axis=-1) - 1).max() > _SUM_TOLERANCE:
        raise InvalidDataError("reference must be probabilities: at least 0, with a sum of 1 over every menu")
    return tuple(array.tolist()) if shape is None else array
