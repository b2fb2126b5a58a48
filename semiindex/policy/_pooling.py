"""Links of many classes of raters over one index, shrunk towards the link that they have in common.

A class of a dozen comparisons cannot carry a link of its own: in a criterion with thousands of separate
links each fits its few labels, and the index suffers. A common link ignores that some raters answer with
more care than others. So a class is given as much of its own as its data pay for.

* Links, :eq:`pooled-link`: every class recalibrates the common link, with m comparisons of the common link
  added to its own. A large class mixes that with its own link, in the proportion m to its own comparisons,
  :eq:`credibility`.
* Index: a class of at least `OWN_LINK` comparisons has its own link in the criterion. The rows of smaller
  ones are stratified by how decisive their class is *in its other rows*, and each stratum has a link. Labels
  do not choose their own stratum, so that within each the probability is a function of the index alone,
  :eq:`pooled-strata`: any learner's criterion holds there as it stands, whatever the strata are.

The prior weight m is one number for all classes. It is chosen by the log loss of comparisons that a class
holds out, m infinite (the common link) among the candidates: empirical Bayes without a distribution.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.exceptions import SeparationWarning
from semiindex.link.base import Link
from semiindex.link.mixture import AverageLink
from semiindex.link.monotone_spline import MonotoneSpline
from semiindex.link.piecewise import PiecewiseLinearLink
from semiindex.link.recalibrated import RecalibratedLink, bounded_logit
from semiindex.link.recalibration import Recalibrations, fit_recalibrations
from semiindex.objective.spline import SplineObjective
from semiindex.optimize.preconditioner import thinned_rows
from semiindex.policy._sample import PreparedSample
from semiindex.policy.estimate import Estimate, PooledLinks

__all__ = ["OWN_LINK", "fit_pooled"]

#: Weight from which a class has a link of its own in the criterion of the index. Beside some five
#: parameters of a smooth link that costs the index a few percent of the class's information at most.
OWN_LINK = 200.0
#: Prior weights among which "auto" chooses, besides infinity: from next to nothing to a thousand
#: comparisons, a factor of two apart (log loss is flat about its minimum).
_PRIOR_WEIGHTS = 2.0 ** np.arange(10, -1, -1)
#: Folds within every class, by position along the index: no randomness.
_N_FOLDS = 5
#: Points of the prior sample, at quantiles of the index.
_N_POINTS = 16
#: Rows of a large sample from which the prior weight is chosen: it is a property of the classes, not of
#: their sizes.
_CHOICE_ROWS = 50_000
#: Smallest weight of a stratum of small classes, and how often the rows are halved at most.
_STRATUM, _MAX_SPLITS = 400.0, 3
#: Knots at which an average of several links is tabulated before it is recalibrated.
_N_KNOTS = 129


@dataclass(frozen=True)
class _Rows:
    """A sample at a fixed index, with the common link."""

    t: FloatArray
    z: FloatArray
    weight: FloatArray
    classes: IntArray
    common: Link
    antisymmetric: bool

    @property
    def n_classes(self) -> int:
        return int(self.classes.max()) + 1

    @property
    def sizes(self) -> FloatArray:
        return np.asarray(np.bincount(self.classes, self.weight, self.n_classes), dtype=np.float64)

    def take(self, rows: IntArray) -> _Rows:
        return replace(
            self,
            t=self.t[rows],
            z=self.z[rows],
            weight=self.weight[rows],
            classes=np.unique(self.classes[rows], return_inverse=True)[1],
        )

    def recalibrate(
        self, weight: FloatArray, logit: FloatArray, m: float, start: Recalibrations | None = None
    ) -> Recalibrations:
        """Recalibration of every class by rows that count by `weight`."""
        points = np.quantile(logit, (np.arange(_N_POINTS) + 0.5) / _N_POINTS)
        return fit_recalibrations(
            logit,
            self.z,
            weight,
            self.classes,
            self.n_classes,
            prior_logit=points,
            prior_weight=m,
            shifts=not self.antisymmetric,
            start=start,
        )


def fit_pooled(
    fit: Callable[[PreparedSample], Estimate],
    prepared: PreparedSample,
    pooling: str | float,
    *,
    antisymmetric: bool,
) -> Estimate:
    """Fit an index, and a pooled link for every class of raters.

    Parameters
    ----------
    fit : callable
        Fits the index with one link for every class of the sample that it is given.
    prepared : PreparedSample
        Sample with classes of raters.
    pooling : "auto" or float
        Prior weight, positive; infinity for the common link.
    antisymmetric : bool
        Whether the links are.

    Returns
    -------
    Estimate
        With the link of every class, the common one, and what was pooled.
    """
    sample, codes = prepared.sample, prepared.link_classes
    n_classes = len(prepared.group_levels)
    whole = fit(replace(prepared, link_classes=None, group_levels=None))
    if codes is None or n_classes == 1:
        m = np.inf
    elif pooling == "auto":
        m = _chosen(_rows(whole, prepared, codes, antisymmetric))
    else:
        m = float(pooling)
    if codes is None or np.isinf(m):
        notes = () if n_classes == 1 else (_note(n_classes, m, 0),)
        pooled = PooledLinks(whole.links[0], np.inf, "common")
        return replace(whole, links=whole.links * n_classes, notes=whole.notes + notes, pooled=pooled)
    rows = _Rows(
        sample.design.matvec(whole.minimum.x), sample.z, sample.weight, codes, whole.links[0], antisymmetric
    )
    own = rows.sizes >= max(OWN_LINK, m)
    criterion = _criterion_links(rows, m, own)
    shares = np.asarray(np.bincount(criterion, sample.weight), dtype=np.float64)
    estimate = whole
    if shares.size > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SeparationWarning)  # said once: it depends on no class
            estimate = fit(replace(prepared, link_classes=criterion, group_levels=np.arange(shares.size)))
    t = sample.design.matvec(estimate.minimum.x)
    common = estimate.links[0] if shares.size == 1 else _average(estimate.links, shares, t, antisymmetric)
    own_links = iter(estimate.links)
    links = _links(replace(rows, t=t, common=common), m, [next(own_links) if k else None for k in own])
    pooled = PooledLinks(common, m, "classes" if own.all() else "strata")
    notes = (_note(n_classes, m, int(own.sum())),)
    return replace(estimate, links=links, notes=estimate.notes + notes, pooled=pooled)


def _rows(whole: Estimate, prepared: PreparedSample, codes: IntArray, antisymmetric: bool) -> _Rows:
    """The sample at the index of the fit with one link."""
    sample = prepared.sample
    t = sample.design.matvec(whole.minimum.x)
    return _Rows(t, sample.z, sample.weight, codes, whole.links[0], antisymmetric)


def _criterion_links(rows: _Rows, m: float, own: AnyArray) -> IntArray:
    """Number of the link that every row has in the criterion: of its class, else of its stratum."""
    number = np.where(own, np.cumsum(own) - 1, np.count_nonzero(own))[rows.classes]
    small = np.flatnonzero(~own[rows.classes])
    if small.size:
        number[small] += _strata(rows, m, small)
    return number.astype(np.intp)


def _strata(rows: _Rows, m: float, small: IntArray) -> IntArray:
    """Stratum of the rows of small classes, by their class's recalibration in the other folds.

    Halves of halves, by slope (and intercept in turn, where it is free), so that all are equally large.
    """
    n_splits = int(np.log2(max(float(np.sum(rows.weight[small])) / _STRATUM, 1.0)))
    logit, fold = bounded_logit(rows.common.probability(rows.t)), _folds(rows)
    found = np.empty((2, rows.t.size))
    for k in range(_N_FOLDS):
        test = fold == k
        fitted = rows.recalibrate(np.where(test, 0.0, rows.weight), logit, m)
        member = rows.classes[test]
        found[:, test] = fitted.slope_factor[member], fitted.intercept[member]
    stratum: IntArray = np.zeros(small.size, dtype=np.intp)
    for split in range(min(n_splits, _MAX_SPLITS)):
        values = found[0 if rows.antisymmetric else split % 2, small]
        upper = np.zeros(small.size, dtype=bool)
        for part in range(2**split):
            inside = stratum == part
            upper[inside] = values[inside] > np.median(values[inside]) if inside.any() else False
        stratum = 2 * stratum + upper
    return np.asarray(np.unique(stratum, return_inverse=True)[1])


def _average(links: tuple[Link, ...], shares: FloatArray, t: FloatArray, antisymmetric: bool) -> Link:
    """Link of a rater drawn at random, tabulated: it is the base of as many links as there are classes."""
    average = AverageLink(links, tuple(shares))
    levels = np.linspace(0, 1, _N_KNOTS)
    if antisymmetric:
        knots = np.unique(np.append(0.0, np.quantile(np.abs(t), levels)))
        values = np.append(0.5, average.probability(knots[1:]))
        knots = np.concatenate([-knots[:0:-1], knots])
        values = np.concatenate([1 - values[:0:-1], values])
    else:
        knots = np.unique(np.quantile(t, levels))
        values = average.probability(knots)
    # A sum of monotone links is monotone up to rounding.
    return PiecewiseLinearLink(knots, np.maximum.accumulate(values), antisymmetric)


def _links(rows: _Rows, m: float, own: list[Link | None]) -> tuple[Link, ...]:
    """Recalibrated common link of every class, mixed with its own where it has one."""
    found = rows.recalibrate(rows.weight, bounded_logit(rows.common.probability(rows.t)), m)
    sizes = rows.sizes
    links: list[Link] = []
    for k, link in enumerate(own):
        flexed = RecalibratedLink(rows.common, found.slope_factor[k], found.intercept[k])
        links.append(flexed if link is None else AverageLink((link, flexed), (float(sizes[k]), m)))
    return tuple(links)


def _chosen(rows: _Rows) -> float:
    """Prior weight by the log loss of comparisons that the classes hold out.

    The common link unless another prior weight is better by more than a standard error over classes: where
    classes hardly differ the least of a dozen noisy sums is no reason to tell them apart.
    """
    rows = rows.take(thinned_rows(rows.t.size, _CHOICE_ROWS))
    logit = bounded_logit(rows.common.probability(rows.t))
    fold = _folds(rows)
    losses = np.zeros((_PRIOR_WEIGHTS.size, rows.n_classes))
    for k in range(_N_FOLDS):
        losses += _held_out(rows, logit, fold == k)
    reference = np.bincount(rows.classes, rows.weight * _log_loss(rows.z, expit(logit)), rows.n_classes)
    excess = losses - reference
    best = int(np.argmin(excess.sum(axis=1)))
    gain = excess[best] - excess[best].mean()
    error = float(np.sqrt(np.sum(gain**2)))
    return float(_PRIOR_WEIGHTS[best]) if float(-excess[best].sum()) > error else np.inf


def _folds(rows: _Rows) -> IntArray:
    """Fold of every row: the rows of a class along the index are dealt out in turn."""
    order = np.lexsort([rows.t, rows.classes])
    counts = np.bincount(rows.classes, minlength=rows.n_classes)
    place = np.arange(order.size) - np.repeat(np.cumsum(counts) - counts, counts)
    # Classes begin at different folds, so that small ones do not all leave the same folds empty.
    fold = np.empty(order.size, dtype=np.intp)
    fold[order] = (place + rows.classes[order]) % _N_FOLDS
    return fold


def _held_out(rows: _Rows, logit: FloatArray, test: AnyArray) -> FloatArray:
    """Loss of the held-out rows of every class under every prior weight, shape (n_weights, n_classes)."""
    weight = np.where(test, 0.0, rows.weight)
    held = np.flatnonzero(test)
    classes = rows.classes[held]
    own = _own_predictions(rows, test)
    left = np.bincount(rows.classes, weight, rows.n_classes)[classes]
    losses = np.empty((_PRIOR_WEIGHTS.size, rows.n_classes))
    found: Recalibrations | None = None
    for k, m in enumerate(_PRIOR_WEIGHTS):  # from the common link to the classes' own
        found = rows.recalibrate(weight, logit, float(m), found)
        p = found.probability(logit[held], classes)
        p = np.where(np.isnan(own), p, (left * own + m * p) / (left + m))
        loss = rows.weight[held] * _log_loss(rows.z[held], p)
        losses[k] = np.bincount(classes, loss, rows.n_classes)
    return losses


def _own_predictions(rows: _Rows, test: AnyArray) -> FloatArray:
    """Prediction of every held-out row by its class's own link; NaN in small classes.

    A spline, whatever links the learner has: it serves the choice of one number.
    """
    predicted = np.full(rows.t.size, np.nan)
    left = np.bincount(rows.classes, np.where(test, 0.0, rows.weight), rows.n_classes)
    # Equal comparisons are one row, so that a fold may hold all of a class: then nothing is left.
    for k in np.flatnonzero((rows.sizes >= OWN_LINK) & (left >= rows.sizes / 2)):
        member = rows.classes == k
        train, held = member & ~test, member & test
        spline = SplineObjective(MonotoneSpline(), antisymmetric=rows.antisymmetric)
        part = rows.t[train], rows.z[train], rows.weight[train]
        spline.update(*part)
        predicted[held] = spline.fit_link(*part).probability(rows.t[held])
    return predicted[test]


def _log_loss(z: FloatArray, p: FloatArray) -> FloatArray:
    tiny = np.finfo(np.float64).eps
    p = np.clip(p, tiny, 1 - tiny)
    return np.asarray(-z * np.log(p) - (1 - z) * np.log1p(-p))


def _note(n_classes: int, m: float, n_own: int) -> str:
    """What was pooled, in words."""
    if np.isinf(m):
        return f"The {n_classes} classes of raters have the common link (pooling_ is infinite)."
    kept = f"; {n_own} of at least {max(OWN_LINK, m):g} comparisons have a link of their own in the criterion"
    return (
        f"The links of {n_classes} classes of raters are shrunk towards the common one, which counts as "
        f"{m:g} comparisons in each (pooling_){kept if n_own else ''}."
    )
