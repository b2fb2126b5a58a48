"""`policy_error_bound`: from the error of probabilities to that of the policy, factor by factor."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import pdist

from semiindex._types import FloatArray
from semiindex.diagnostics.bound_factors import (
    COMPLEXITY,
    FLATNESS,
    INDETERMINACY,
    LEVERAGE,
    Factor,
    PolicyErrorBound,
)
from semiindex.diagnostics.bounded_sample import BoundedSample, read_bounded_sample
from semiindex.diagnostics.determinacy import AngleBound, TangentSample, coordinates_of
from semiindex.diagnostics.menu_features import read_menu
from semiindex.diagnostics.theorems import informative_from
from semiindex.diagnostics.training_gap import smooth_link
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.link.base import Link
from semiindex.policy.menu import Menu
from semiindex.policy.menu_policy import policy_from_scores

__all__ = ["policy_error_bound"]

#: Points of the interval on which the least slope of a fitted link is looked for.
_SLOPE_POINTS = 201


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
        With one link and a linear index, or a kernel index with a number of components that was fitted
        to `PreferencePairs`.
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
        Level at which the first factor holds.

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
    Three steps, each an inequality with constants: what noise the class can pick up within blocks of
    equal index :eq:`direction-noise`, the angle between the indices :eq:`angle-bound`, and the
    policies :eq:`policy-bound`. The first two hold for every fit, whatever its criterion or penalty; the
    last is for the Kullback-Leibler divergence only: for others compute, do not bound. The components
    of a kernel are taken as given, and the true score as made of them.

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
    data = read_bounded_sample(model, X, y, sample_weight, groups, full_rank=True)
    if data.n_features == 1:
        raise InvalidDataError(
            "There is one feature: the policy of a budget is known up to the sign of the coefficient, and "
            "there is nothing to bound"
        )
    options = _option_features(model, menu, data)
    sample = data.sample
    theta = np.asarray(model.coef_, dtype=np.float64)
    rms = float(np.sqrt(np.average(sample.t**2, weights=sample.weight)))
    temperature = float(policy_from_scores(options @ theta / rms, menu, budget=budget).temperature)
    coordinates = coordinates_of(sample.differences, sample.weight, theta)
    tangent = TangentSample(sample.differences @ coordinates.tangent, sample.t / rms, sample.z, sample.weight)
    if slope is None:
        link = smooth_link(model, sample)
        limit = tangent.widest(lambda limit: _least_slope(link, limit))
        steepness = _least_slope(link, limit)
    else:
        steepness, limit = _read_slope(slope)
    diameter = _diameter(options @ coordinates.tangent, menu)
    leverage = math.inf if temperature == 0 else diameter / (2 * temperature)
    trivial = min(1.0, math.sqrt(2 * budget))
    angle = tangent.angle(partial(data.noise, confidence), steepness, limit)
    return PolicyErrorBound(
        factors=_factors(angle, steepness, leverage, assumed=slope is not None),
        sine=angle.sine,
        total_variation=min(_tangent(angle.sine) * leverage, trivial),
        regret=_regret(angle.sine, diameter, temperature),
        trivial=trivial,
        budget=float(budget),
        temperature=temperature,
        confidence=confidence,
        n_comparisons=data.n,
        informative_from=_enough(data, tangent, confidence, (steepness, limit), leverage, trivial),
        dependent=data.dependent,
    )


def _option_features(model: Any, menu: Menu, data: BoundedSample) -> FloatArray:
    """Features of the options in the parameters of the index, shape (n_options, k)."""
    options = read_menu(model, menu)
    if not data.is_kernel:
        return options
    return np.column_stack([model.index_.score(options, unit) for unit in np.eye(data.n_features)])


def _factors(angle: AngleBound, steepness: float, leverage: float, *, assumed: bool) -> tuple[Factor, ...]:
    found = angle.found
    return (
        Factor(
            COMPLEXITY,
            angle.noise + found.moment,
            "theorem",
            "noise that indices of the class can pick up within blocks, and what the fit has left there",
        ),
        Factor(
            FLATNESS,
            math.inf if steepness == 0 else 1 / steepness,
            "assumption" if assumed else "estimate",
            f"index per probability, up to an index of {found.limit:.2g} root mean squares",
        ),
        Factor(
            INDETERMINACY,
            math.inf if found.spread == 0 else 1 / found.spread,
            "computed",
            f"spread of features over that at equal index, {found.share:.0%} of the comparisons",
        ),
        Factor(LEVERAGE, leverage, "computed", "total variation per angle: menu, budget"),
    )


def _tangent(sine: float) -> float:
    return math.inf if sine >= 1 else sine / math.sqrt(1 - sine**2)


def _regret(sine: float, diameter: float, temperature: float) -> float:
    if sine >= 1 or temperature == 0:
        return math.inf
    return sine**2 * diameter**2 / (8 * math.sqrt(1 - sine**2) * temperature)


def _enough(
    data: BoundedSample,
    tangent: TangentSample,
    confidence: float,
    slope: tuple[float, float],
    leverage: float,
    trivial: float,
) -> float:
    """Comparisons from which the total variation is bounded by less than the budget does."""

    def bound(n: float) -> float:
        return (
            _tangent(tangent.angle(partial(data.noise, confidence, n=n), *slope, blocks=False).sine)
            * leverage
        )

    return informative_from(bound, trivial)


def _least_slope(link: Link, limit: float) -> float:
    return float(np.min(link.slope(np.linspace(-limit, limit, _SLOPE_POINTS))))


def _read_slope(slope: tuple[float, float]) -> tuple[float, float]:
    try:
        steepness, limit = map(float, slope)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(
            f"slope must be two numbers, (least slope, limit), such as (0.1, 1.5), got {slope!r}"
        ) from error
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
