"""Numbers that a table of coefficients carries: log likelihood, area under the ROC curve, sample size."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from semiindex._types import FloatArray, IntArray
from semiindex.inference.sample import InferenceSample
from semiindex.link.base import Link
from semiindex.link.parametric import ParametricLink

__all__ = ["area_under_curve", "effective_size", "links_by_class", "log_likelihood"]

_SMALLEST = np.finfo(np.float64).tiny


def links_by_class(model: Any, sample: InferenceSample) -> list[tuple[IntArray, Link]]:
    """Rows of every class of raters, and the class's link."""
    if sample.link_classes is None:
        return [(np.arange(sample.t.size), model.link_)]
    links = list(model.links_.values())
    return [(np.flatnonzero(sample.link_classes == k), link) for k, link in enumerate(links)]


def log_likelihood(model: Any, sample: InferenceSample) -> float:
    """``sum_i w_i { z_i log Psi(t_i) + (1 - z_i) log(1 - Psi(t_i)) }``."""
    total = 0.0
    for rows, link in links_by_class(model, sample):
        z, weight = sample.z[rows], sample.weight[rows]
        won, lost = _log_probabilities(link, sample.t[rows])
        total += float(np.dot(weight, np.where(z > 0, won, lost)))
    return total


def area_under_curve(model: Any, sample: InferenceSample) -> float:
    """Share of pairs of a win and a loss that the index puts in order, ties counted half.

    For an antisymmetric model in the sample doubled by its mirror image, which does not depend on
    the order in which the options of a comparison were written.
    """
    t, z, weight = sample.t, sample.z, sample.weight
    if model.antisymmetric:
        t, z, weight = np.append(t, -t), np.append(z, 1 - z), np.append(weight, weight)
    return float(roc_auc_score(z, t, sample_weight=weight))


def effective_size(sample: InferenceSample) -> float:
    """Independent observations that say something on the coefficients."""
    observations = sample.observations
    telling = np.zeros(observations.frequency.size, dtype=bool)
    telling[observations.codes[sample.differences.any(axis=1)]] = True
    return float(np.sum(observations.frequency[telling]))


def _log_probabilities(link: Link, t: FloatArray) -> tuple[FloatArray, FloatArray]:
    if isinstance(link, ParametricLink):
        return link.log_probability(t), link.log_complement(t)
    probability = np.clip(link.probability(t), _SMALLEST, 1.0)
    return np.log(probability), np.log(np.maximum(1 - probability, _SMALLEST))
