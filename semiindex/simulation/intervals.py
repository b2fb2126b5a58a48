"""Confidence intervals of coefficients, and the true values that they are to cover, for `Coverage`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semiindex._types import FloatArray
from semiindex.index.normalization import normalize
from semiindex.inference import infer
from semiindex.simulation.metrics import rms_coefficients
from semiindex.simulation.sample import Sample
from semiindex.simulation.truth import Truth

__all__ = ["CoefficientIntervals", "NormalizedCoefficients"]


@dataclass(frozen=True)
class CoefficientIntervals:
    """Intervals of `infer`: the first argument of `Coverage`.

    They are of the coefficients as the estimator normalises them; `Coverage` has to be told of the same
    normalisation.

    Parameters
    ----------
    covariance : str or Bootstrap, default="auto"
        As in `infer`: ``"auto"`` is clustered by raters where there are raters.
    level : float, default=0.95
        Confidence level.

    Examples
    --------
    >>> from semiindex.simulation import CoefficientIntervals, Coverage
    >>> Coverage(CoefficientIntervals(level=0.9)).name
    'coverage'
    """

    covariance: Any = "auto"
    level: float = 0.95

    def __call__(self, model: Any, sample: Sample) -> FloatArray:
        """Limits of shape (d, 2); those of the shift of a known link, which come last, are left out."""
        result = infer(model, sample.pairs, covariance=self.covariance, level=self.level)
        return np.asarray(result.intervals)[: sample.pairs.n_features]


@dataclass(frozen=True)
class NormalizedCoefficients:
    """True coefficients under a normalisation: the second argument of `Coverage`.

    Parameters
    ----------
    normalization : str or int, default="rms"
        As of the estimators: ``"rms"``, the same as `rms_coefficients`; ``"norm"``; a feature.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import ComparisonDesign, NormalFeatures, NormalizedCoefficients, Truth
    >>> truth = Truth([3.0, -4.0])
    >>> sample = ComparisonDesign(NormalFeatures(2)).sample(truth, 100, np.random.default_rng(0))
    >>> NormalizedCoefficients("norm")(truth, sample)
    array([ 0.6, -0.8])
    """

    normalization: str | int = "rms"

    def __call__(self, truth: Truth, sample: Sample) -> FloatArray:
        """True values, shape (d,)."""
        theta = rms_coefficients(truth, sample)
        scale = normalize(self.normalization, theta, 1.0, sample.pairs.feature_names)
        return np.asarray(theta / scale.divisor)
