"""Fitted null hypotheses: a known link, and any smooth link of one index."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, cast

import numpy as np

from semiindex.diagnostics.score_process import NullModel, blocks_of
from semiindex.exceptions import InvalidDataError, InvalidParameterError, SemiindexWarning, SeparationWarning
from semiindex.index.linear import LinearIndex
from semiindex.index.policy_index import PolicyIndex
from semiindex.inference.conditional_mean import index_basis
from semiindex.inference.eligibility import require_eligible
from semiindex.inference.influence import index_score
from semiindex.inference.sample import InferenceSample, read_sample
from semiindex.link.spline import SplineLink
from semiindex.policy.base import PreferencePolicy
from semiindex.policy.known_link import KnownLinkPolicy
from semiindex.policy.profiled_link import ProfiledLinkPolicy

__all__ = ["fit_free", "fit_known", "known_null", "read_tested_sample", "smooth_null"]

#: Probabilities are held this far from 0 and 1 where they are divided by.
_TINY = 1e-12
#: Numerical error of the refits, in standard errors.
_TOLERANCE = 1e-4


def read_tested_sample(model: Any, X: Any, y: Any, sample_weight: Any, groups: Any) -> InferenceSample:
    """The sample of a fit that a test of its assumptions is possible for.

    Parameters
    ----------
    model : fitted estimator
        Of a linear index, without a ridge, with one common link.
    X, y, sample_weight
        The data of the fit.
    groups : array-like of shape (n,) or None
        Clusters.

    Raises
    ------
    InvalidParameterError
        For other estimators.
    InvalidDataError
        For separated data, or other data than those of the fit.
    """
    _require_testable(model)
    try:
        require_eligible(model, single_feature=True)
    except InvalidDataError as error:
        raise InvalidDataError(str(error).replace("No standard errors", "No test")) from error
    if model.links_ is not None:
        raise InvalidParameterError(
            "The model has a link for every class of raters, and the tests are about one link; fit and test "
            "the classes by themselves"
        )
    return read_sample(model, X, y, sample_weight, None, groups)


def _require_testable(model: Any) -> None:
    """Say of penalised and rich fits why they are not tested; the rest is said of all of inference."""
    if not isinstance(model, PreferencePolicy) or not hasattr(model, "index_"):
        return
    if isinstance(model.index_, PolicyIndex):
        return
    if not isinstance(model.index_, LinearIndex):
        raise InvalidParameterError(
            f"index={model.index_!r}: the tests are about a linear index, whose coefficients they estimate "
            "along with the link; see calibration and compare_estimators for other classes"
        )
    if model.ridge > 0:
        raise InvalidParameterError(
            f"ridge={model.ridge!r}: the tests compare fits without a penalty, and would judge another fit "
            "than this one; fit with ridge=0"
        )


def fit_known(sample: InferenceSample, link: Any, *, antisymmetric: bool) -> KnownLinkPolicy:
    """Index under a known link: scale free, and a position effect unless antisymmetric.

    Parameters
    ----------
    sample : InferenceSample
        The data.
    link : str or ParametricLink
        The known link.
    antisymmetric : bool
        Whether position has no effect.

    Raises
    ------
    InvalidDataError
        If the likelihood has no finite maximum.
    """
    known = KnownLinkPolicy(link, antisymmetric=antisymmetric, tol=_TOLERANCE)
    _fit(known, sample)
    return known


def fit_free(model: Any, sample: InferenceSample, *, antisymmetric: bool) -> ProfiledLinkPolicy:
    """Index with a monotone spline for the link: the model itself where it is one, else a new fit.

    Parameters
    ----------
    model : fitted estimator
        A policy.
    sample : InferenceSample
        Its data.
    antisymmetric : bool
        Whether position has no effect.
    """
    smooth = isinstance(model, ProfiledLinkPolicy) and isinstance(model.link_, SplineLink)
    if smooth and bool(model.antisymmetric) == antisymmetric:
        return cast("ProfiledLinkPolicy", model)
    free = ProfiledLinkPolicy(antisymmetric=antisymmetric, tol=_TOLERANCE)
    _fit(free, sample)
    return free


def known_null(known: KnownLinkPolicy, sample: InferenceSample) -> NullModel:
    """A known link, linearised along the coefficients and the position effect.

    Parameters
    ----------
    known : KnownLinkPolicy
        Fitted by `fit_known`.
    sample : InferenceSample
        The data.
    """
    t = sample.differences @ np.asarray(known.coef_, dtype=np.float64)
    score = index_score(known, replace(sample, t=t), "known")
    nuisance = sample.differences
    if not known.antisymmetric:
        nuisance = np.column_stack([nuisance, np.ones(t.size)])
    blocks, clustered = blocks_of(sample)
    probability = known.link_.probability(t)
    return NullModel(
        t,
        probability,
        score.residual,
        score.curvature,
        np.ones(t.size),
        nuisance,
        sample.weight,
        blocks,
        clustered,
    )


def smooth_null(free: ProfiledLinkPolicy, sample: InferenceSample) -> NullModel:
    """One index and a smooth link, linearised along both: every function of the index is nuisance.

    Added directions are on the scale of the logit: e is ``z - g`` and h is ``g (1 - g)``, and a change of
    the coefficients moves the logit by its slope times D.

    Parameters
    ----------
    free : ProfiledLinkPolicy
        Fitted by `fit_free`.
    sample : InferenceSample
        The data.
    """
    t = sample.differences @ np.asarray(free.coef_, dtype=np.float64)
    g = np.clip(free.link_.probability(t), _TINY, 1 - _TINY)
    curvature = g * (1 - g)
    antisymmetric = bool(free.antisymmetric)
    functions = index_basis(t, sample.weight, antisymmetric=antisymmetric).toarray()
    slope = free.link_.slope(t) / curvature
    blocks, clustered = blocks_of(sample)
    nuisance = np.column_stack([slope[:, None] * sample.differences, functions])
    return NullModel(t, g, sample.z - g, curvature, slope, nuisance, sample.weight, blocks, clustered)


def _fit(estimator: Any, sample: InferenceSample) -> None:
    """Fit to the rows of a sample; what there is to warn of was said by the user's own fit."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(sample.differences, sample.z.astype(np.int8), sample_weight=sample.weight)
    for warning in caught:
        if issubclass(warning.category, SeparationWarning):
            raise InvalidDataError(f"No test: {warning.message}")
        if not issubclass(warning.category, SemiindexWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
