"""The rate at which errors of nested subsamples fall, with an interval from their repetitions."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import t as student

from semiindex._types import FloatArray

__all__ = ["fit_rate", "rate_interval"]

#: Exponents among which the rate is looked for.
_RATES = (0.02, 2.0)
_CONFIDENCE = 0.95


def fit_rate(sizes: FloatArray, errors: FloatArray, reference: float) -> tuple[float, float]:
    """Exponent and constant of ``c (m^(-2 r) - n^(-2 r))``, by least squares of logarithms.

    Parameters
    ----------
    sizes : array of shape (k,)
        Sizes m of the subsamples.
    errors : array of shape (n_repeats, k)
        Errors; NaN where there is none.
    reference : float
        Size n of the sample of the reference; infinite for the truth.

    Returns
    -------
    rate, constant : float
        The error at n is ``constant * n^-rate``.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.diagnostics.power_law import fit_rate
    >>> sizes = np.array([100.0, 200.0, 400.0])
    >>> rate, constant = fit_rate(sizes, 3 * sizes[None, :] ** -0.5, np.inf)
    >>> round(rate, 3), round(constant, 2)
    (0.5, 3.0)
    """
    squares = np.log(np.maximum(np.nanmean(errors**2, axis=0), np.finfo(np.float64).tiny))

    def residuals(rate: float) -> FloatArray:
        # With sizes relative to n the difference stays accurate, and r to 0 harmless.
        overlap = np.log(-np.expm1(2 * rate * np.log(sizes / reference))) if np.isfinite(reference) else 0.0
        return np.asarray(squares + 2 * rate * np.log(sizes) - overlap)

    best = minimize_scalar(lambda rate: float(np.var(residuals(rate))), bounds=_RATES, method="bounded")
    return float(best.x), float(np.exp(np.mean(residuals(best.x)) / 2))


def rate_interval(sizes: FloatArray, errors: FloatArray, reference: float) -> tuple[float, float]:
    """95% interval of the rate: leaves one repetition out at a time.

    The jackknife's standard error with ``t(n_repeats - 1)``. Quantiles of resampled repetitions were
    rejected: of ten they are too narrow, by a fifth of the length.

    Parameters
    ----------
    sizes, errors, reference
        As in `fit_rate`.

    Returns
    -------
    tuple of float
        Within the exponents that are looked for.
    """
    repeats = range(errors.shape[0])
    parts = [np.delete(errors, repeat, axis=0) for repeat in repeats]
    whole = [part for part in parts if not np.isnan(part).all(axis=0).any()]
    if len(whole) < 2:
        return _RATES
    rate = fit_rate(sizes, errors, reference)[0]
    rates = np.array([fit_rate(sizes, part, reference)[0] for part in whole])
    error = np.sqrt((rates.size - 1) * rates.var())
    half = float(student.ppf((1 + _CONFIDENCE) / 2, rates.size - 1) * error)
    return max(rate - half, _RATES[0]), min(rate + half, _RATES[1])
