"""Metrics of a study: what is measured of a fit, against a truth that is known exactly.

A metric is a callable ``metric(model, truth, sample)`` that returns a number, or a dictionary of
numbers by name, and has a `name`. `sample.evaluation` holds fresh menus and comparisons, the same for
all estimators; scales of estimated scores are not identified, and no metric here depends on them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.index import IndexClass, LinearIndex
from semiindex.policy.policy_distance import policy_distance
from semiindex.simulation.sample import Evaluation, Sample
from semiindex.simulation.truth import Truth

__all__ = [
    "AngleError",
    "Coverage",
    "IndexCorrelation",
    "LinkError",
    "LogLoss",
    "Metric",
    "PolicyError",
    "rms_coefficients",
]


@runtime_checkable
class Metric(Protocol):
    """What a study calls after every fit."""

    @property
    def name(self) -> str:
        """Column of the study's table; a dictionary's keys are columns of their own."""
        ...

    def __call__(self, model: Any, truth: Truth, sample: Sample, /) -> float | Mapping[str, float]:
        """Number, or numbers by name; NaN where the metric has no value."""
        ...


def _evaluation(sample: Sample) -> Evaluation:
    if sample.evaluation is None:
        raise InvalidDataError(
            "the metric needs sample.evaluation, which is None; draw one with ComparisonDesign.evaluation"
        )
    return sample.evaluation


def _estimated_coefficients(model: Any) -> FloatArray:
    """Coefficients of a fitted linear model, of this package or of scikit-learn."""
    final = model[-1] if hasattr(model, "named_steps") else model
    if not hasattr(final, "coef_"):
        raise InvalidDataError(
            f"{type(final).__name__} has no coef_: use a metric of indices or policies instead"
        )
    index = getattr(final, "index_", None)
    if isinstance(index, IndexClass) and not isinstance(index, LinearIndex):
        raise InvalidDataError(
            f"the parameters of {index!r} are no coefficients of features: use a metric of indices or "
            "policies instead"
        )
    return np.asarray(final.coef_, dtype=np.float64).ravel()


def _true_coefficients(truth: Truth, n_features: int) -> FloatArray:
    theta = truth.coefficients(n_features)
    if theta is None:
        raise InvalidDataError(
            "the truth's score is not linear, so that it has no coefficients: use a metric of indices or "
            "policies"
        )
    return theta


@dataclass(frozen=True)
class AngleError:
    """Angle between estimated and true coefficients, in degrees, in the metric of the sample's index.

    That metric is ``D'D / n``, D the feature differences of the sample: cos of the angle is the
    (uncentred) correlation of the two indices over the sample. 0 is the true direction, 90 is no
    relation, 180 the opposite direction.

    Parameters
    ----------
    name : str, default="angle"
        Column of the table.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy
    >>> from semiindex.simulation import AngleError, ComparisonDesign, NormalFeatures, Truth
    >>> truth, design = Truth(), ComparisonDesign(NormalFeatures(3))
    >>> sample = design.sample(truth, 4000, np.random.default_rng(0))
    >>> AngleError()(KnownLinkPolicy().fit(sample.pairs), truth, sample) < 5
    True
    """

    name: str = "angle"

    def __call__(self, model: Any, truth: Truth, sample: Sample, /) -> float:
        """Angle in degrees; NaN if the estimated index does not vary."""
        theta = _estimated_coefficients(model)
        t = np.asarray(sample.pairs.differences @ theta)
        u = np.asarray(sample.pairs.differences @ _true_coefficients(truth, theta.size))
        size = math.sqrt(float(t @ t) * float(u @ u))
        return math.degrees(math.acos(min(max(float(t @ u) / size, -1.0), 1.0))) if size > 0 else math.nan


@dataclass(frozen=True)
class IndexCorrelation:
    """Correlation of estimated and true scores within menus, over the evaluation.

    Scores are centred within menus, since a constant per menu is not identified. It needs
    `score_options` of the model, but no coefficients: it serves kernels and networks.

    Parameters
    ----------
    name : str, default="index_correlation"
        Column of the table.

    Examples
    --------
    >>> from semiindex.simulation import IndexCorrelation
    >>> IndexCorrelation().name
    'index_correlation'
    """

    name: str = "index_correlation"

    def __call__(self, model: Any, truth: Truth, sample: Sample, /) -> float:
        """Correlation in [-1, 1]; NaN if the estimated scores do not vary."""
        evaluation = _evaluation(sample)
        h, g = (
            scores - scores.mean(axis=1, keepdims=True)
            for scores in (_estimated_scores(model, evaluation), evaluation.scores)
        )
        size = math.sqrt(float(np.sum(h * h)) * float(np.sum(g * g)))
        return float(np.sum(h * g)) / size if size > 0 else math.nan


def _estimated_scores(model: Any, evaluation: Evaluation) -> FloatArray:
    if not hasattr(model, "score_options"):
        raise InvalidDataError(
            f"{type(model).__name__} has no score_options: metrics of indices and policies need scores of "
            "options"
        )
    scores = np.asarray(model.score_options(evaluation.flat_options), dtype=np.float64)
    return scores.reshape(evaluation.scores.shape)


@dataclass(frozen=True)
class PolicyError:
    """Distance of the estimated from the optimal policy, both at one budget, over the evaluation.

    Of every budget: ``regret[b]``, the true score lost; ``total_variation[b]``, the mean total
    variation distance; ``kl[b]``, the mean of ``KL(estimated || optimal)``; ``reward[b]``, the mean true
    score of the estimated policy; ``gain_share[b]``, what it gains over the reference as a share of what
    the optimal policy gains: 1 is optimal, 0 no better than the reference.

    Parameters
    ----------
    budgets : sequence of float, default=(0.2,)
        Mean divergences from the reference, under the divergence of the truth.
    name : str, default="policy"
        Name of the metric; its columns are named as above.

    Raises
    ------
    InvalidParameterError
        If there is no budget, or one is not positive.

    Examples
    --------
    >>> from semiindex.simulation import PolicyError
    >>> PolicyError((0.1, 0.2)).budgets
    (0.1, 0.2)
    """

    budgets: Sequence[float] = (0.2,)
    name: str = "policy"

    def __post_init__(self) -> None:
        budgets = tuple(float(budget) for budget in np.atleast_1d(np.asarray(self.budgets, dtype=np.float64)))
        if not budgets or not all(0 < budget < math.inf for budget in budgets):
            raise InvalidParameterError(f"budgets must be positive numbers, got {self.budgets!r}")
        object.__setattr__(self, "budgets", budgets)

    def __call__(self, model: Any, truth: Truth, sample: Sample, /) -> dict[str, float]:
        """The measures of every budget."""
        evaluation = _evaluation(sample)
        scores, reward = _estimated_scores(model, evaluation), evaluation.scores.ravel()
        reference = float(np.mean(np.sum(evaluation.reference * evaluation.scores, axis=1)))
        results: dict[str, float] = {}
        for budget in self.budgets:
            best, estimated = evaluation.optimal_policy(budget), evaluation.policy(scores, budget)
            gap = policy_distance(estimated, best, reward=reward)
            attainable = best.expected_reward(reward) - reference
            results |= {
                f"regret[{budget:g}]": gap.regret,
                f"reward[{budget:g}]": estimated.expected_reward(reward),
                f"total_variation[{budget:g}]": gap.total_variation,
                f"kl[{budget:g}]": gap.kl,
                f"gain_share[{budget:g}]": 1 - gap.regret / attainable,
            }
        return results


@dataclass(frozen=True)
class LogLoss:
    """Expected log loss of the predicted probabilities over the evaluation, under the exact ones.

    ``log_loss`` is ``E[-P log Q - (1 - P) log(1 - Q)]`` with P the exact and Q the predicted
    probability; no label is drawn. ``excess_log_loss`` is that minus its value at Q = P: the mean
    Kullback-Leibler divergence of the predictions, 0 for the truth.

    Parameters
    ----------
    name : str, default="log_loss"
        Name of the metric and, with ``excess_`` before it, of its second column.

    Examples
    --------
    >>> from semiindex.simulation import LogLoss
    >>> LogLoss()
    LogLoss(name='log_loss')
    """

    name: str = "log_loss"

    def __call__(self, model: Any, truth: Truth, sample: Sample, /) -> dict[str, float]:
        """Both losses; infinite where an outcome that happens is predicted with probability 0."""
        evaluation = _evaluation(sample)
        p, q = evaluation.probability, np.asarray(model.predict_proba(evaluation.pairs))[:, 1]
        loss, smallest = (float(np.mean(-xlogy(p, x) - xlogy(1 - p, 1 - x))) for x in (q, p))
        return {self.name: loss, f"excess_{self.name}": loss - smallest}


@dataclass(frozen=True)
class LinkError:
    """Largest distance of the fitted from the true link over the central range of the true index.

    Both links are read per root mean square of their own index over the sample, so that scales do not
    matter. The true link is that of a rater drawn at random.

    Parameters
    ----------
    central : float, default=0.95
        Probability of the central range, in (0, 1): in the tails no link is estimable.
    name : str, default="link_error"
        Column of the table.

    Raises
    ------
    InvalidParameterError
        If `central` is out of its range.

    Examples
    --------
    >>> from semiindex.simulation import LinkError
    >>> LinkError(central=0.9)
    LinkError(central=0.9, name='link_error')
    """

    central: float = 0.95
    name: str = "link_error"

    def __post_init__(self) -> None:
        if not 0 < self.central < 1:
            raise InvalidParameterError(f"central must be in (0, 1), got {self.central}")

    def __call__(self, model: Any, truth: Truth, sample: Sample, /) -> float:
        """Largest distance, over 501 points."""
        tail = (1 - self.central) / 2
        lower, upper = np.quantile(sample.index, [tail, 1 - tail])
        points = np.linspace(float(lower), float(upper), 501)
        rms = math.sqrt(float(np.mean(sample.index**2)))
        fitted = model.link_.probability(points * (model.index_rms_ / rms))
        return float(np.abs(fitted - truth.probability_of_index(points)).max())


def rms_coefficients(truth: Truth, sample: Sample) -> FloatArray:
    """True coefficients under the sample normalisation: an index of unit root mean square.

    Parameters
    ----------
    truth : Truth
        With a linear score.
    sample : Sample
        The sample over which the index is normalised.

    Returns
    -------
    array of shape (d,)
    """
    theta = _true_coefficients(truth, sample.pairs.n_features)
    return np.asarray(theta / math.sqrt(float(np.mean(sample.index**2))))


@dataclass(frozen=True)
class Coverage:
    """Share of intervals that contain their true value, and their mean length.

    Parameters
    ----------
    intervals : callable
        ``intervals(model, sample)``: limits of shape (k, 2), such as those of `semiindex.infer`.
    estimand : callable, default=rms_coefficients
        ``estimand(truth, sample)``: the k true values. Default: coefficients under the normalisation
        "rms" over the sample, the default of the estimators that learn the link. Estimators of another
        `normalization` are refused: those of a known link have to be told "rms", or the estimand is
        `NormalizedCoefficients` of theirs. Functions of your own are not compared.
    name : str, default="coverage"
        Name of the metric and, with ``_length`` behind it, of its second column.

    Raises
    ------
    InvalidParameterError
        If the coefficients of a model and the true ones have different normalisations.
    InvalidDataError
        If the intervals have another shape than the true values.

    Examples
    --------
    >>> from semiindex import infer
    >>> from semiindex.simulation import Coverage
    >>> def intervals(model, sample):
    ...     return infer(model, sample.pairs).intervals
    >>> Coverage(intervals).name
    'coverage'
    """

    intervals: Callable[[Any, Sample], ArrayLike]
    estimand: Callable[[Truth, Sample], ArrayLike] = rms_coefficients
    name: str = "coverage"

    def __call__(self, model: Any, truth: Truth, sample: Sample, /) -> dict[str, float]:
        """Share covered, and mean length."""
        self._require_one_scale(model)
        limits = np.asarray(self.intervals(model, sample), dtype=np.float64)
        target = np.asarray(self.estimand(truth, sample), dtype=np.float64)
        if limits.shape != (*target.shape, 2):
            raise InvalidDataError(
                f"intervals must have shape {(*target.shape, 2)}, one row for each true value, "
                f"got {limits.shape}"
            )
        covered = (limits[:, 0] <= target) & (target <= limits[:, 1])
        return {
            self.name: float(covered.mean()),
            f"{self.name}_length": float(np.mean(limits[:, 1] - limits[:, 0])),
        }

    def _require_one_scale(self, model: Any) -> None:
        """Refuse true values on another scale than the coefficients, which nothing would cover."""
        by_default = "rms" if self.estimand is rms_coefficients else None
        wanted = getattr(self.estimand, "normalization", by_default)
        given = getattr(model, "normalization", wanted)
        if wanted is not None and given != wanted:
            raise InvalidParameterError(
                f"the true coefficients have normalization={wanted!r}, but those of the estimator "
                f"{'the scale of its link' if given is None else repr(given)}; give the estimator "
                f"normalization={wanted!r}, or let estimand=NormalizedCoefficients(...) have that of the "
                "estimator"
            )
