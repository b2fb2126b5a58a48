"""The data of a fit as inference reads them: rows, what counts as one observation, and clusters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from semiindex._types import AnyArray, FloatArray, IntArray
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidDataError
from semiindex.index.linear import LinearDesign
from semiindex.policy._reading import FitInput, encode_groups, read_fit_input

__all__ = ["InferenceSample", "Observations", "observations_of", "read_sample"]

#: Relative difference at which two sums over the sample count as different.
_TOLERANCE = 1e-6
_FLOAT32_TOLERANCE = 1e-3
#: Relative distance from a whole number at which a weight counts as one.
_WHOLE = 1e-9


@dataclass(frozen=True)
class Observations:
    """Which rows are one observation, and how often it was made.

    Attributes
    ----------
    codes : array of shape (n,) of int
        Observation of every row, numbered from 0.
    share : array of shape (n,)
        Weight of a row in one copy of its observation.
    frequency : array of shape (m,)
        Number of independent copies of every observation; ``weight = share * frequency``. All are 1 if
        some weights are fractions.
    """

    codes: IntArray
    share: FloatArray
    frequency: FloatArray

    @property
    def total(self) -> float:
        """Number of observations, copies counted."""
        return float(np.sum(self.frequency))


@dataclass(frozen=True)
class InferenceSample:
    """Rows of positive weight that a fitted model was trained on.

    Attributes
    ----------
    differences : array of shape (n, d)
        Feature differences, float64; for a kernel index those of its features.
    t : array of shape (n,)
        Fitted index, on the scale of the model's coefficients.
    z : array of shape (n,)
        1 where option 1 was preferred.
    weight : array of shape (n,)
        Frequency weights.
    observations : Observations
        What counts as one observation.
    clusters : tuple of arrays of shape (n,) of int
        Clusters of every row: none, one or two ways.
    link_classes : array of shape (n,) of int or None
        Class of raters with a link of its own, in the order of the model's `links_`; None where the
        links were pooled into one.
    feature_names : tuple of str
        Names of the d parameters, which are the features for a linear index.
    used : array of shape (n_all,) of bool
        Rows of positive weight among all that were passed.
    """

    differences: FloatArray
    t: FloatArray
    z: FloatArray
    weight: FloatArray
    observations: Observations
    clusters: tuple[IntArray, ...]
    link_classes: IntArray | None
    feature_names: tuple[str, ...]
    used: AnyArray

    @cached_property
    def second_moment(self) -> FloatArray:
        """``Sigma = D'WD / sum(w)``, shape (d, d)."""
        return LinearDesign(self.differences).gram(self.weight) / float(np.sum(self.weight))


def read_sample(
    model: Any, X: Any, y: Any, sample_weight: Any, link_groups: Any, groups: Any
) -> InferenceSample:
    """Check the data against the fitted model and take them apart.

    Parameters
    ----------
    model : fitted estimator
        Is not changed.
    X, y, sample_weight, link_groups
        As they were passed to `fit`.
    groups : array-like of shape (n,) or (n, 2), DataFrame, or None
        Clusters; None takes those that `PreferencePairs` carry.

    Raises
    ------
    InvalidDataError
        If these are not the data of the fit, or observations and clusters contradict each other.
    """
    data = read_fit_input(
        clone(model), X, y, sample_weight, link_groups, one_class_allowed=bool(model.antisymmetric)
    )
    used = _used_rows(X, sample_weight, data)
    clusters = _read_clusters(X, groups, used)
    frequency = _frequencies(sample_weight, used)
    observations = observations_of(data, frequency)
    _require_columns_of_fit(model, data)
    differences = model.index_.design(data.pairs).rows(slice(None))
    _require_data_of_fit(model, data, differences)
    for codes in clusters:
        _require_nested(observations.codes, codes)
    return InferenceSample(
        differences,
        differences @ np.asarray(model.coef_, dtype=np.float64),
        data.z,
        data.weight,
        observations,
        clusters,
        _classes(model, data),
        model.index_.parameter_names(data.feature_names),
        used,
    )


def observations_of(data: FitInput, frequency: FloatArray) -> Observations:
    """What counts as one observation.

    Rows of one unit (the halves of a tie, a soft label, the pairs of a choice set) are one
    observation, made as often as `sample_weight` says. A row alone in its unit is an observation made
    as often as its weight says. So are the two rows of a comparison that was repeated, ``k`` wins of
    ``n > 1``: its trials are independent, and counts the same as their rows written one by one.

    Only whole numbers say how often. If some are fractions, the weights are those of an unequal sample
    (importance weights, inverse probabilities): every comparison was then made once, and counts as its
    weight says. Half a comparison is not half the information of a whole one.

    Parameters
    ----------
    data : FitInput
        Rows of positive weight.
    frequency : array of shape (n,)
        `sample_weight` of every row.
    """
    units = getattr(data.pairs, "units", None)
    n_rows = data.weight.size
    alone = data.weight if _are_whole(data.weight) else frequency
    if units is None:
        return _observations(np.arange(n_rows), alone, data.weight)
    codes = np.unique(units, return_inverse=True)[1]
    together = (np.bincount(codes) > 1)[codes] & ~_repeated_trials(data, codes, frequency)
    if not together.any():
        return _observations(np.arange(n_rows), alone, data.weight)
    low = np.full(codes.max() + 1, np.inf)
    np.minimum.at(low, codes, frequency)
    if np.any(together & (frequency > low[codes] * (1 + 1e-12))):
        raise InvalidDataError(
            "sample_weight differs between the rows of one comparison (the halves of a tie, the pairs of a "
            "choice set): it says how often the comparison was observed, so that it must be the same in "
            "all of them"
        )
    # Rows that stand alone are numbered behind the units.
    merged = np.where(together, codes, codes.max() + 1 + np.arange(n_rows))
    kept, merged = np.unique(merged, return_inverse=True)
    single = data.weight if _are_whole(data.weight[~together]) else frequency
    copies = np.zeros(kept.size)
    copies[merged] = np.where(together, frequency, single)
    return _observations(merged, copies, data.weight)


def _observations(codes: IntArray, copies: FloatArray, weight: FloatArray) -> Observations:
    """Whole numbers count copies. Others do not: every observation was then made once."""
    if not _are_whole(copies):
        copies = np.ones_like(copies)
    return Observations(codes, weight / copies[codes], copies)


def _are_whole(values: FloatArray) -> bool:
    return bool(np.all(np.abs(values - np.round(values)) <= _WHOLE * values))


def _repeated_trials(data: FitInput, codes: IntArray, frequency: FloatArray) -> AnyArray:
    """Rows of units that are counts of independent trials: one comparison, both labels, total above 1."""
    size = np.bincount(codes)
    wins = np.bincount(codes, weights=data.z)
    total = np.bincount(codes, weights=data.weight / frequency)
    candidate = (size == 2) & (wins == 1) & (total > 1 + 1e-9)
    if not candidate.any():
        return np.zeros(codes.size, dtype=bool)
    order = np.argsort(codes, kind="stable")
    first = order[np.searchsorted(codes[order], np.flatnonzero(candidate))]
    second = order[np.searchsorted(codes[order], np.flatnonzero(candidate)) + 1]
    matrix = data.pairs.differences
    gap = abs(matrix[first] - matrix[second]).sum(axis=1)
    apart = np.asarray(gap).ravel() > 0
    candidate[np.flatnonzero(candidate)[apart]] = False
    return np.asarray(candidate[codes])


def _used_rows(X: Any, sample_weight: Any, data: FitInput) -> AnyArray:
    """Mask of the rows that `read_fit_input` kept: those of positive weight."""
    carried = X.weights if isinstance(X, PreferencePairs) else None
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    weight = np.ones(n_rows) if carried is None else np.asarray(carried)
    weight = weight * (1.0 if sample_weight is None else np.asarray(sample_weight, dtype=np.float64))
    return np.asarray(weight > 0)


def _frequencies(sample_weight: Any, used: AnyArray) -> FloatArray:
    if sample_weight is None:
        return np.ones(int(used.sum()))
    weight = np.broadcast_to(np.asarray(sample_weight, dtype=np.float64), used.shape)
    return np.asarray(weight[used])


def _read_clusters(X: Any, groups: ArrayLike | None, used: AnyArray) -> tuple[IntArray, ...]:
    """Codes of the clusters, one array for every way of clustering."""
    if groups is None:
        carried = X.groups if isinstance(X, PreferencePairs) else None
        return () if carried is None else (_codes(np.asarray(carried)[used]),)
    columns = _columns(groups)
    if len(columns) not in (1, 2) or any(column.shape != used.shape for column in columns):
        raise InvalidDataError(
            f"groups must have one entry for each of the {used.size} rows, and two columns at most "
            f"(clusters in two ways), got shape {np.shape(groups)}"
        )
    return tuple(_codes(column[used]) for column in columns)


def _columns(groups: Any) -> list[AnyArray]:
    if hasattr(groups, "columns"):  # a DataFrame: its columns may be of different types
        return [np.asarray(groups[name]) for name in groups.columns]
    array = np.asarray(groups)
    if array.ndim == 2:
        return [array[:, j] for j in range(array.shape[1])]
    return [array]


def _codes(values: AnyArray) -> IntArray:
    import pandas as pd

    codes, _ = pd.factorize(values)
    if (codes < 0).any():
        raise InvalidDataError(
            f"groups has no value in row {int(np.argmax(codes < 0))}; drop the row, or give it a group of "
            "its own"
        )
    return np.asarray(codes)


def _classes(model: Any, data: FitInput) -> IntArray | None:
    if model.links_ is None:
        if data.link_groups is not None:
            raise InvalidDataError(
                "link_groups: the model was fitted with one common link; pass the link_groups of the fit"
            )
        return None
    if data.link_groups is None:
        raise InvalidDataError(
            "link_groups: the model was fitted with several links; pass the same link_groups"
        )
    if model.criterion_links_ == "common":  # as far as the index is concerned there are no classes
        return None
    return encode_groups(data.link_groups, np.array(list(model.links_)))


def _require_columns_of_fit(model: Any, data: FitInput) -> None:
    n_features = data.pairs.shape[1]
    if n_features != model.n_features_in_ or list(data.classes) != list(model.classes_):
        raise InvalidDataError(
            f"X has {n_features} features and y the labels {list(data.classes)}, but the model "
            f"was fitted on {model.n_features_in_} and {list(model.classes_)}; pass the data of the fit"
        )


def _require_data_of_fit(model: Any, data: FitInput, differences: FloatArray) -> None:
    """Standard errors need the sample of the fit: its weight, the spread of its index, its labels."""
    coef = np.asarray(model.coef_, dtype=np.float64)
    total = float(np.sum(data.weight))
    t = differences @ coef
    rms = float(np.sqrt(np.dot(data.weight, t**2) / total))
    tolerance = _TOLERANCE if model.coef_.dtype == np.float64 else _FLOAT32_TOLERANCE
    if not (
        np.isclose(total, model.n_comparisons_, rtol=tolerance)
        and np.isclose(rms, model.index_rms_, rtol=tolerance)
    ):
        raise InvalidDataError(
            f"X or sample_weight is not what the model was fitted on ({total:g} comparisons with an index "
            f"of root mean square {rms:.6g}; in the fit there were {model.n_comparisons_:g} with "
            f"{model.index_rms_:.6g}). Standard errors describe a fit: pass its data"
        )
    fitted = getattr(model, "index_label_moment_", None)  # models that were stored before may have none
    moment = float(np.dot(data.weight, t * (data.z - 0.5)) / total)
    if fitted is not None and abs(moment - fitted) > tolerance * rms:
        raise InvalidDataError(
            f"y is not what the model was fitted on (mean product of index and label - 1/2 {moment:.6g}; in "
            f"the fit it was {fitted:.6g}). Standard errors describe a fit: pass the labels that it was given"
        )


def _require_nested(observations: IntArray, clusters: IntArray) -> None:
    first = np.full(observations.max() + 1, -1)
    first[observations] = clusters
    if np.any(first[observations] != clusters):
        row = int(np.argmax(first[observations] != clusters))
        raise InvalidDataError(
            "groups: rows of one comparison (a tie, a choice set) belong to different groups, first in row "
            f"{row} of those with positive weight; one comparison has one rater"
        )
