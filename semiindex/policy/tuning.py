"""Choice of the ridge, and of other parameters, by held-out log loss along a path of penalties.

Within a fold the features of the index class are computed once for every setting of the other
parameters; along the ridges, from the largest to the smallest, every fit starts at the last one and
nothing is factorised again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, ParameterGrid

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.index.linear import LinearIndex
from semiindex.policy._path import Fold, PathScores, score_path
from semiindex.policy._reading import FitInput, read_fit_input
from semiindex.policy.base import PreferencePolicy

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TuningResult", "tune"]

#: Number of ridges of the default grid, half a decade apart.
_DEFAULT_RIDGES = 11
#: Rows from which the scale of the default grid is read.
_SCALE_ROWS = 1_000


@dataclass(frozen=True)
class TuningResult:
    """What `tune` found.

    Attributes
    ----------
    scores : DataFrame
        One row per candidate, the best first: its parameters; ``log_loss``, the mean over held-out
        comparisons; ``standard_error`` of it over raters (comparisons, if there are no groups);
        ``excess``, the log loss above that of the best candidate, with ``excess_standard_error`` of
        that difference, in which what is hard for all cancels; ``converged``, the share of folds.
    best_params : dict
        Parameters of the first row.
    best_estimator : PreferencePolicy
        Fitted with them to all data.
    notes : tuple of str
        For example that the best ridge is the last of its grid.
    """

    scores: pd.DataFrame
    best_params: dict[str, Any]
    best_estimator: PreferencePolicy
    notes: tuple[str, ...]


def tune(
    estimator: PreferencePolicy,
    X: Any,
    y: ArrayLike | None = None,
    *,
    ridge: Sequence[float] | None = None,
    gamma: Sequence[float] | None = None,
    grid: Mapping[str, Sequence[Any]] | None = None,
    cv: Any = 5,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    link_groups: ArrayLike | None = None,
    random_state: int | None = 0,
    n_jobs: int | None = None,
) -> TuningResult:
    """Choose the penalty of an estimator, and other parameters, by cross-validated log loss.

    Every fold predicts with its own link. The numbers are those of a grid search with cold fits, up
    to the tolerance of the fits, and do not depend on `n_jobs`.

    Parameters
    ----------
    estimator : PreferencePolicy
        Not changed; its other parameters apply to every fit.
    X, y
        As in `PreferencePolicy.fit`.
    ridge : sequence of float, optional
        Penalties. The default is eleven values half a decade apart, from the mean squared length
        of the features of a comparison (where next to nothing is fitted) downwards: a scale that
        follows the units of the features and the size of the kernel. `OrthogonalPolicy` has none.
    gamma : sequence of float, optional
        Values of ``index__gamma``, the width of a kernel index.
    grid : mapping, optional
        Further parameters, by names as in `set_params`, with their values; all combinations are
        tried. For an estimator without a ridge, such as ``{"bandwidth": [0.2, 0.4]}``.
    cv : int, splitter or iterable of (train, test), default=5
        Number of folds, or folds as in scikit-learn. Folds of a number are drawn of raters if there
        are `groups`, else of comparisons, so that rows of one rater or comparison stay together. Folds
        that are given number the rows as they were passed, those of weight zero included.
    groups : array-like of shape (n,), optional
        Raters. The default is the groups that `PreferencePairs` carry, or their units where
        comparisons have several rows.
    sample_weight, link_groups : array-like of shape (n,), optional
        As in `PreferencePolicy.fit`; losses are weighted too.
    random_state : int or None, default=0
        Draws the folds.
    n_jobs : int, optional
        Number of parallel jobs over folds and combinations.

    Returns
    -------
    TuningResult

    Notes
    -----
    Standard errors treat raters as independent and the fits of the folds as given.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KernelIndex, KnownLinkPolicy, PreferencePairs, tune
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.uniform(-2, 2, size=(2, 300, 1))
    >>> y = rng.random(300) < 1 / (1 + np.exp(3 * (b**2 - a**2)[:, 0]))
    >>> pairs = PreferencePairs(a, b, y)
    >>> result = tune(KnownLinkPolicy(index=KernelIndex()), pairs, gamma=[0.1, 1.0], ridge=[0.1, 0.01, 0.001])
    >>> result.scores.shape
    (6, 7)
    >>> bool(result.best_estimator.score(pairs) > 0.7)
    True
    """
    base = clone(estimator)
    data = _read(base, X, y, sample_weight, link_groups, groups)
    used = _used_rows(X, sample_weight)
    clusters = _clusters(X, groups, used)
    folds = _folds(cv, data, clusters, random_state, used)
    candidates = _candidates(base, data, ridge, gamma, grid)
    tasks = [
        delayed(score_path)(base, parameters, ridges, data, fold)
        for parameters, ridges in candidates
        for fold in folds
    ]
    paths: list[PathScores] = Parallel(n_jobs)(tasks)
    losses = _held_out(len(folds), paths)
    scores, order = _table(candidates, losses, paths, folds, data.weight, clusters)
    best = _flat(candidates)[order[0]]
    model = clone(estimator).set_params(**best)
    model.fit(X, y, sample_weight=sample_weight, link_groups=link_groups, groups=groups)
    return TuningResult(scores, best, model, _notes(best, candidates))


#: Other parameters, and ridges from large to small; the one entry None for an estimator without a ridge.
_Candidates: TypeAlias = list[tuple[dict[str, Any], list[float | None]]]


def _read(
    base: PreferencePolicy, X: Any, y: Any, sample_weight: Any, link_groups: Any, groups: Any
) -> FitInput:
    """The checked sample; rows of weight zero are left out."""
    return read_fit_input(
        base, X, y, sample_weight, link_groups, groups, one_class_allowed=base.antisymmetric
    )


def _used_rows(X: Any, sample_weight: ArrayLike | None) -> AnyArray:
    """Mask of the rows that the checked sample kept: those of positive weight."""
    n_rows = int(X.shape[0]) if hasattr(X, "shape") else len(X)  # sparse matrices have no length
    weight = np.ones(n_rows) if sample_weight is None else np.broadcast_to(sample_weight, (n_rows,))
    if isinstance(X, PreferencePairs) and X.weights is not None:
        weight = weight * X.weights
    return np.asarray(weight > 0)


def _clusters(X: Any, groups: ArrayLike | None, used: AnyArray) -> IntArray | None:
    """What stays together in a fold, as numbers, for the rows of positive weight."""
    chosen = None if groups is None else np.asarray(groups)
    if isinstance(X, PreferencePairs) and chosen is None:
        chosen = X.groups if X.groups is not None else X.units
    if chosen is None:
        return None
    return np.asarray(np.unique(chosen[used], return_inverse=True)[1]).ravel()


def _folds(
    cv: Any, data: FitInput, clusters: IntArray | None, random_state: int | None, used: AnyArray
) -> list[Fold]:
    """Folds of the checked sample; those that are given count all rows that were passed."""
    rows = np.arange(data.z.size)
    if isinstance(cv, (int, np.integer)) and not isinstance(cv, bool):
        count = rows.size if clusters is None else int(clusters.max()) + 1
        if not 2 <= cv <= count:
            raise InvalidParameterError(f"cv={cv!r}: the number of folds must be from 2 to {count}")
        cv = (KFold if clusters is None else GroupKFold)(cv, shuffle=True, random_state=random_state)
    if hasattr(cv, "split") and not isinstance(cv, str):
        return [Fold(train, test) for train, test in cv.split(rows, data.z, clusters)]
    if not isinstance(cv, Iterable) or isinstance(cv, str):
        raise InvalidParameterError(
            f"cv must be a number of folds, a splitter or an iterable of folds, got {cv!r}"
        )
    place = np.where(used, np.cumsum(used) - 1, -1)  # among the rows of positive weight
    folds = [Fold(*(numbers[numbers >= 0] for numbers in (place[train], place[test]))) for train, test in cv]
    if any(fold.train.size == 0 or fold.test.size == 0 for fold in folds):
        raise InvalidDataError("cv: a fold trains on, or holds out, no row of positive weight")
    return folds


def _candidates(
    base: PreferencePolicy,
    data: FitInput,
    ridge: Sequence[float] | None,
    gamma: Sequence[float] | None,
    grid: Mapping[str, Sequence[Any]] | None,
) -> _Candidates:
    """Combinations of the other parameters, each with its ridges from large to small."""
    others = dict(grid or {})
    if "ridge" in others:
        raise InvalidParameterError("grid: give the penalties as the argument ridge")
    if gamma is not None:
        others["index__gamma"] = gamma
    if "ridge" not in base.get_params():
        return _without_ridge(base, ridge, others)
    candidates: _Candidates = []
    for parameters in ParameterGrid(others):
        trial = clone(base).set_params(**parameters)
        chosen = _default_ridges(trial, data) if ridge is None else sorted({float(r) for r in ridge})[::-1]
        ridges: list[float | None] = list(chosen)
        if not ridges:
            raise InvalidParameterError("ridge is empty; leave it at None for the default grid")
        for value in ridges:
            trial.set_params(ridge=value)._check_parameters()
        candidates.append((parameters, ridges))
    return candidates


def _without_ridge(
    base: PreferencePolicy, ridge: Sequence[float] | None, others: Mapping[str, Sequence[Any]]
) -> _Candidates:
    """Candidates of an estimator that has no penalty: one fit for every combination."""
    if ridge is not None:
        raise InvalidParameterError(
            f"ridge: {type(base).__name__} has no penalty; choose its other parameters by grid, such as "
            "grid={'bandwidth': [0.2, 0.4]}"
        )
    if not others:
        raise InvalidParameterError(
            f"{type(base).__name__} has no ridge, so that there is nothing to choose without a grid, such as "
            "grid={'bandwidth': [0.2, 0.4]}"
        )
    candidates: _Candidates = []
    for parameters in ParameterGrid(others):
        clone(base).set_params(**parameters)._check_parameters()
        candidates.append((parameters, [None]))
    return candidates


def _default_ridges(estimator: PreferencePolicy, data: FitInput) -> list[float]:
    """From the mean squared length of a comparison's features downwards, half a decade apart."""
    rows = np.linspace(0, data.z.size - 1, min(_SCALE_ROWS, data.z.size)).astype(np.intp)
    index = LinearIndex() if estimator.index is None else clone(estimator.index)
    design = index.fit_design(data.pairs[rows])
    length = float(np.sum(design.column_mean_square(data.weight[rows])))
    top = round(2 * np.log10(length)) if 0 < length < np.inf else 0
    return [float(f"{10 ** ((top - k) / 2):.3g}") for k in range(_DEFAULT_RIDGES)]


def _flat(candidates: _Candidates) -> list[dict[str, Any]]:
    """Parameters of every candidate, in the order of the losses."""
    return [
        parameters if ridge is None else {**parameters, "ridge": ridge}
        for parameters, ridges in candidates
        for ridge in ridges
    ]


def _held_out(n_folds: int, paths: list[PathScores]) -> FloatArray:
    """Loss of every candidate on every held-out row, fold after fold; shape (n_candidates, n)."""
    per_path = [paths[start : start + n_folds] for start in range(0, len(paths), n_folds)]
    return np.vstack([np.hstack([fold.losses for fold in path]) for path in per_path])


def _table(
    candidates: _Candidates,
    losses: FloatArray,
    paths: list[PathScores],
    folds: list[Fold],
    weight: FloatArray,
    clusters: IntArray | None,
) -> tuple[pd.DataFrame, IntArray]:
    """Scores of all candidates, the best first (of equals the one named first), and that order."""
    import pandas as pd

    test = np.concatenate([fold.test for fold in folds])
    share = weight[test] / np.sum(weight[test])
    cluster = np.arange(test.size) if clusters is None else clusters[test]
    mean = losses @ share
    order = np.argsort(mean, kind="stable")
    best = order[0]
    converged = [
        np.mean([path.converged for path in paths[start : start + len(folds)]], axis=0)
        for start in range(0, len(paths), len(folds))
    ]
    flat = _flat(candidates)
    columns: dict[str, Any] = {name: pd.Series([row[name] for row in flat]) for name in flat[0]}
    columns["log_loss"] = mean
    columns["standard_error"] = _standard_errors(losses, share, cluster)
    columns["excess"] = mean - mean[best]
    columns["excess_standard_error"] = _standard_errors(losses - losses[best], share, cluster)
    columns["converged"] = np.concatenate(converged)
    return pd.DataFrame(columns).iloc[order].reset_index(drop=True), order


def _standard_errors(losses: FloatArray, share: FloatArray, cluster: IntArray) -> FloatArray:
    """Of weighted means of every row, clusters independent; shape (n_candidates,)."""
    centred = share * (losses - (losses @ share)[:, None])
    sums = np.array([np.bincount(cluster, weights=row) for row in centred])
    return np.asarray(np.sqrt(np.sum(sums**2, axis=1)))


def _notes(best: dict[str, Any], candidates: _Candidates) -> tuple[str, ...]:
    """Whether the minimum may lie beyond the grid of ridges."""
    ridges = next(r for parameters, r in candidates if all(best[k] is v for k, v in parameters.items()))
    if len(ridges) < 2 or best["ridge"] not in (ridges[0], ridges[-1]):
        return ()
    end = "smallest" if best["ridge"] == ridges[-1] else "largest"
    return (f"The best ridge, {best['ridge']:g}, is the {end} of its grid: extend the grid.",)
