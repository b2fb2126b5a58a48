"""What the means of a study say: efficiency against a baseline, and how fast errors fall with n."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from semiindex.exceptions import InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

    from semiindex.simulation.result import StudyResult

__all__ = ["convergence_rates", "efficiency_ratios"]


def efficiency_ratios(result: StudyResult, baseline: str, metric: str) -> pd.DataFrame:
    """Mean of a metric over that of a baseline, replication by replication.

    Parameters
    ----------
    result : StudyResult
        Of a study.
    baseline : str
        Estimator that the others are held to, such as the one that is told the link.
    metric : str
        Column of the table that is small for good fits, such as an error or a regret.

    Returns
    -------
    pandas.DataFrame
        A row per truth, design, n and estimator: ``ratio`` of the means over the replications in which
        both have a value, its Monte Carlo standard error ``ratio_se``, and ``n_pairs``, how many there
        are. The baseline has ratio 1 and error 0.

    Raises
    ------
    InvalidParameterError
        If the baseline or the metric is unknown.

    Notes
    -----
    Of the m paired values ``a_r`` and ``b_r`` the ratio is ``q = mean(a) / mean(b)``, and its error that
    of the delta method, ``sd(a - q b) / (sqrt(m) mean(b))``: what is hard for both cancels.

    Examples
    --------
    >>> from semiindex import KnownLinkPolicy
    >>> from semiindex.simulation import AngleError, NormalFeatures, Study, Truth, efficiency_ratios
    >>> estimators = {"logistic": KnownLinkPolicy(), "probit": KnownLinkPolicy("probit")}
    >>> study = Study({"t": Truth()}, {"d": NormalFeatures(3)}, 200, estimators, [AngleError()], 5)
    >>> efficiency_ratios(study.run(), "logistic", "angle")["ratio"].round(1).tolist()
    [1.0, 1.0]
    """
    import pandas as pd

    result.check_names(baseline, [metric])
    rows = []
    for common, wide in result.cells(metric):
        for estimator in wide.columns:
            pair = wide[list(dict.fromkeys((estimator, baseline)))].dropna()
            row = {"estimator": estimator} | _ratio(pair[estimator].to_numpy(), pair[baseline].to_numpy())
            rows.append(common | row)
    return pd.DataFrame(rows)


def _ratio(values: Any, reference: Any) -> dict[str, Any]:
    ratio, error = np.nan, np.nan
    # Infinite values have no ratio, and a baseline without error no ratio to it.
    if values.size and np.isfinite(values).all() and np.isfinite(reference).all() and reference.mean() != 0:
        ratio = float(values.mean() / reference.mean())
        if values.size > 1:
            deviation = (values - ratio * reference).std(ddof=1)
            error = float(deviation / np.sqrt(values.size) / abs(reference.mean()))
    return {"ratio": ratio, "ratio_se": error, "n_pairs": int(values.size)}


def convergence_rates(result: StudyResult, metric: str) -> pd.DataFrame:
    """Slope of the logarithm of a mean error in the logarithm of the sample size.

    An estimator that is consistent at the usual rate has slopes near -1/2 for angles and other errors of
    the index, and near -1 for regrets, which are quadratic in them. Slopes near 0 are those of
    estimators that converge to something else.

    Parameters
    ----------
    result : StudyResult
        Of a study with two sample sizes or more.
    metric : str
        Column of the table with positive means.

    Returns
    -------
    pandas.DataFrame
        A row per truth, design and estimator: ``slope`` by least squares over the sizes, its Monte Carlo
        standard error ``slope_se``, and ``n_sizes``. NaN where a mean is not positive and finite.

    Raises
    ------
    InvalidParameterError
        If the metric is unknown, or there is a single size.

    Notes
    -----
    With weights ``c_k = (log n_k - mean) / sum (log n_k - mean)^2`` the slope is ``sum c_k log m_k``.
    Samples of different sizes are independent, so that its variance is ``sum (c_k s_k / m_k)^2``, s_k the
    standard error of the mean m_k. The sizes count alike: weighted by their precision the largest would
    decide alone.

    Examples
    --------
    >>> from semiindex import KnownLinkPolicy
    >>> from semiindex.simulation import AngleError, NormalFeatures, Study, Truth, convergence_rates
    >>> estimators = {"logistic": KnownLinkPolicy()}
    >>> study = Study({"t": Truth()}, {"d": NormalFeatures(3)}, (100, 3000), estimators, [AngleError()], 20)
    >>> bool(abs(convergence_rates(study.run(), "angle")["slope"][0] + 0.5) < 0.2)
    True
    """
    import pandas as pd

    summary = result.summary(metrics=[metric])
    if summary["n"].nunique() < 2:
        raise InvalidParameterError("a rate needs two sample sizes or more; the study has one")
    rows = []
    for (truth, design, estimator), cell in summary.groupby(["truth", "design", "estimator"], sort=False):
        common = {"truth": truth, "design": design} | cell.iloc[0][list(result.factors)].to_dict()
        slope, error = _slope(*(cell[name].to_numpy(float) for name in ("n", "mean", "standard_error")))
        rows.append(
            common | {"estimator": estimator, "slope": slope, "slope_se": error, "n_sizes": len(cell)}
        )
    return pd.DataFrame(rows)


def _slope(sizes: Any, means: Any, errors: Any) -> tuple[float, float]:
    if not (np.isfinite(means).all() and (means > 0).all()):
        return np.nan, np.nan
    centred = np.log(sizes) - np.log(sizes).mean()
    weights = centred / (centred @ centred)
    return float(weights @ np.log(means)), float(np.sqrt(np.sum((weights * errors / means) ** 2)))
