"""`learning_curve`: how the error of the index falls with the number of comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from joblib import hash as fingerprint
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from sklearn.utils.validation import check_is_fitted

from semiindex._types import FloatArray, IntArray
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.curve_cache import CurveCache
from semiindex.diagnostics.predictions import looks_like_the_fit
from semiindex.diagnostics.refits import RefitData
from semiindex.exceptions import InvalidDataError, InvalidParameterError, SemiindexError
from semiindex.inference.progress import shown
from semiindex.policy.base import PreferencePolicy

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LearningCurve", "learning_curve"]

#: Exponents among which the rate is looked for.
_RATES = (0.02, 2.0)
#: Resamples of the repetitions for the interval of the rate.
_RESAMPLES = 999
#: Comparisons in the smallest default subsample: 50, and so many per feature.
_FEWEST, _FEWEST_PER_FEATURE = 50, 10
#: Slower than this, more comparisons hardly pay.
_SLOW = 0.25


@dataclass(frozen=True, eq=False, repr=False)
class LearningCurve(Diagnostic):
    """Error of the index by sample size, and the rate at which it falls.

    Attributes
    ----------
    sizes : array of shape (k,)
        Comparisons in the subsamples, as means over the repetitions.
    errors : array of shape (n_repeats, k)
        Root mean square distance from the reference, of indices of unit root mean square over the full
        sample; NaN where a fit failed.
    n_comparisons : float
        Comparisons of the full sample.
    against_truth : bool
        Whether the reference is the true index, else the fit to the full sample.
    rate, constant : float
        Error at n comparisons: ``constant * n^-rate``.
    rate_interval : tuple of float
        From resampled repetitions, at 95%: for these data, not for other data of the same kind.
    n_failed : int
        Fits that failed.
    """

    sizes: FloatArray
    errors: FloatArray
    n_comparisons: float
    against_truth: bool
    rate: float
    constant: float
    rate_interval: tuple[float, float]
    n_failed: int

    @property
    def title(self) -> str:
        """What was measured."""
        return "Learning curve of the index"

    @property
    def root_mean_square(self) -> FloatArray:
        """Root mean square error over repetitions, shape (k,)."""
        return np.asarray(np.sqrt(np.nanmean(self.errors**2, axis=0)))

    @property
    def corrected(self) -> FloatArray:
        """Errors against the truth: those against the full fit are too small, by what both share."""
        if self.against_truth:
            return self.root_mean_square
        n = self.n_comparisons
        return np.asarray(self.root_mean_square / np.sqrt(1 - (self.sizes / n) ** (2 * self.rate)))

    @property
    def n_more_to_halve(self) -> float:
        """Further comparisons that would halve the error of the full fit."""
        return self.n_comparisons * (2 ** (1 / self.rate) - 1)

    def predict(self, n: ArrayLike) -> FloatArray:
        """Error expected at other numbers of comparisons.

        Parameters
        ----------
        n : array-like
            Numbers of comparisons.

        Returns
        -------
        array
            Relative to the size of the index; an extrapolation where n is beyond the sample.
        """
        return self.constant * np.asarray(n, dtype=np.float64) ** -self.rate

    @property
    def level(self) -> Level:
        """A note if the error falls more slowly than n^(-1/4)."""
        return "note" if self.rate < _SLOW else "fine"

    def reading(self) -> str:
        """The error now, and what more comparisons would bring."""
        now = float(self.predict(self.n_comparisons))
        low, high = self.rate_interval
        text = (
            f"With {self.n_comparisons:,.0f} comparisons the learned index is off by about "
            f"{100 * now:.1f}% of its "
            f"size (root mean square). The error falls as n^-{self.rate:.2f} (interval {low:.2f} to "
            f"{high:.2f}): "
            f"{self.n_more_to_halve:,.0f} more comparisons would halve it."
        )
        if self.level == "note":
            text += (
                " That is slow: a penalty that holds the fit back, or an index that the features cannot "
                "express, will not be mended by more comparisons."
            )
        if not self.against_truth:
            text += (
                "\nMeasured against the fit to all the data, and corrected for the comparisons that a "
                "subsample shares with it. An error that both fits have in common, through a wrong link, "
                "missing features or a penalty, does not show."
            )
        if self.n_failed:
            text += f"\n{self.n_failed} fits to subsamples failed and are left out."
        return text

    def to_frame(self) -> pd.DataFrame:
        """One row per size of subsample."""
        import pandas as pd

        spread = np.nanstd(self.errors, axis=0)
        frame = pd.DataFrame(
            {
                "error": self.root_mean_square,
                "spread": spread,
                "corrected": self.corrected,
                "fitted curve": self.predict(self.sizes),
            },
            index=pd.Index(self.sizes, name="comparisons"),
        )
        return frame


def learning_curve(
    model: Any,
    X: Any,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    shares: ArrayLike | None = None,
    n_repeats: int = 10,
    true_index: ArrayLike | None = None,
    random_state: int = 0,
    cache: str | Path | None = None,
    n_jobs: int | None = None,
    progress: bool = False,
) -> LearningCurve:
    """Fit nested subsamples and see how fast the error of the index falls.

    Parameters
    ----------
    model : fitted estimator
        Any, with any index class; it is cloned.
    X, y, sample_weight
        The data of the fit.
    groups : array-like of shape (n,), optional
        Raters: subsamples are then of whole raters. The default is what `PreferencePairs` carry, else
        their units.
    shares : array-like of shape (k,), optional
        Sizes of the subsamples as shares of the sample, below 1 and at least two. The default is
        1/2, 1/4, ... 1/32, without those below 50 comparisons or 10 per feature. With large shares
        most of the error is shared with the full fit, and little is learned from them.
    n_repeats : int, default=10
        Random orders of the data; the subsamples of one are nested.
    true_index : array-like of shape (n,), optional
        The true index of the comparisons, in a simulation; the fit to all the data otherwise.
    random_state : int, default=0
        Seed of the orders.
    cache : path, optional
        Folder in which every finished fit leaves its error, so that an interrupted curve goes on
        where it stopped. Other data, models or seeds use other files.
    n_jobs : int, optional
        Number of processes; the numbers do not depend on it.
    progress : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    LearningCurve

    Raises
    ------
    InvalidParameterError
        For shares out of range.
    InvalidDataError
        If the sample is too small for two subsamples, or most fits fail.

    Notes
    -----
    A nested subsample of m of the n comparisons shares m of them with the full fit. With influence
    functions psi the difference is ``(1/m - 1/n) sum_{i <= m} psi_i - (1/n) sum_{i > m} psi_i``, whose mean
    square is ``sigma^2 (1/m - 1/n)``, :eq:`overlap`. Generally, where the error of the full fit is
    uncorrelated with the difference, ``c (m^(-2 r) - n^(-2 r))``: c and r are fitted to the logarithms.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy, learning_curve
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(4000, 3))
    >>> y = rng.random(4000) < 1 / (1 + np.exp(-X @ [1.0, -1.0, 0.5]))
    >>> curve = learning_curve(KnownLinkPolicy().fit(X, y), X, y)
    >>> bool(0.4 < curve.rate < 0.6)
    True
    """
    if not isinstance(model, PreferencePolicy):
        raise InvalidParameterError(f"model must be a fitted estimator, got {type(model).__name__}")
    check_is_fitted(model)
    if n_repeats < 2:
        raise InvalidParameterError(f"n_repeats must be at least 2, got {n_repeats!r}")
    data = RefitData.read(X, y, sample_weight, groups)
    fractions = _read_shares(shares, data, model.n_features_in_)
    fitted = _index(model, data.X)
    if not looks_like_the_fit(model, fitted, data.weight):
        raise InvalidDataError(
            "X or sample_weight is not what the model was fitted on; its curve is about the data of the fit"
        )
    target = _unit(fitted if true_index is None else _read_truth(true_index, data), data.weight)
    orders = _orders(data.codes, n_repeats, random_state)
    tasks = {
        (repeat, k): rows
        for repeat, order in enumerate(orders)
        for k, rows in enumerate(_nested(order, data, fractions))
    }
    store = (
        None
        if cache is None
        else CurveCache(
            Path(cache),
            fingerprint(
                (type(model).__name__, model.get_params(), data.content, target, fractions, random_state)
            ),
        )
    )
    found = {key: value for key in tasks if store is not None and (value := store.read(*key)) is not None}
    open_tasks = [key for key in tasks if key not in found]
    jobs = (delayed(_error)(model, data, tasks[key], target) for key in open_tasks)
    results = Parallel(n_jobs, return_as="generator")(jobs)
    for key, value in zip(
        open_tasks, shown(results, len(open_tasks), "learning curve", progress=progress), strict=True
    ):
        found[key] = value
        if store is not None:
            store.write(*key, value)
    errors = np.array([[found[repeat, k] for k in range(fractions.size)] for repeat in range(n_repeats)])
    masses = np.array(
        [[data.weight[tasks[repeat, k]].sum() for k in range(fractions.size)] for repeat in range(n_repeats)]
    )
    return _curve(masses.mean(axis=0), errors, float(data.weight.sum()), against_truth=true_index is not None)


def _index(model: Any, X: Any) -> FloatArray:
    return np.asarray(model.index_.design(X).matvec(np.asarray(model.coef_, dtype=np.float64)))


def _unit(t: FloatArray, weight: FloatArray) -> FloatArray:
    return np.asarray(t / np.sqrt(np.average(t**2, weights=weight)))


def _read_truth(true_index: ArrayLike, data: RefitData) -> FloatArray:
    t = np.asarray(true_index, dtype=np.float64)
    if t.shape != data.y.shape or not (np.isfinite(t).all() and t.any()):
        raise InvalidDataError(
            f"true_index must hold a finite index for each of the {data.y.size} comparisons, and not 0 only"
        )
    return t


def _read_shares(shares: ArrayLike | None, data: RefitData, n_features: int) -> FloatArray:
    if shares is None:
        least = max(_FEWEST, _FEWEST_PER_FEATURE * n_features) / float(data.weight.sum())
        values = 0.5 ** np.arange(5, 0, -1)
        values = values[(values >= least) & (values * (data.codes.max() + 1) >= 2)]
        if values.size < 2:
            raise InvalidDataError(
                f"There are {data.weight.sum():g} comparisons of {n_features} features, too few for a "
                f"learning "
                "curve; pass shares= to have one all the same"
            )
        return np.asarray(values)
    values = np.unique(np.asarray(shares, dtype=np.float64))
    if values.size < 2 or not (values[0] > 0 and values[-1] < 1):
        raise InvalidParameterError(f"shares must hold two different numbers between 0 and 1, got {shares!r}")
    return values


def _orders(codes: IntArray, n_repeats: int, random_state: int) -> list[IntArray]:
    """Random orders of what is drawn together, each from a stream of its own."""
    seeds = np.random.SeedSequence(random_state).spawn(n_repeats)
    return [np.random.default_rng(seed).permutation(int(codes.max()) + 1) for seed in seeds]


def _nested(order: IntArray, data: RefitData, shares: FloatArray) -> list[IntArray]:
    """Rows of the nested subsamples of one order: the first units that hold each share of the weight."""
    mass = np.bincount(data.codes, weights=data.weight)[order]
    ends = np.searchsorted(np.cumsum(mass), shares * mass.sum() * (1 - 1e-12)) + 1
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    return [np.flatnonzero(place[data.codes] < end) for end in ends]


def _error(model: Any, data: RefitData, rows: IntArray, target: FloatArray) -> float:
    """Distance of a refit's index from the target, NaN where the fit failed."""
    try:
        fresh = data.fit(model, rows)
    except SemiindexError:
        return float("nan")
    gap = _unit(_index(fresh, data.X), data.weight) - target
    return float(np.sqrt(np.average(gap**2, weights=data.weight)))


def _curve(sizes: FloatArray, errors: FloatArray, n: float, *, against_truth: bool) -> LearningCurve:
    failed = int(np.isnan(errors).sum())
    if np.isnan(errors).all(axis=0).any() or failed > errors.size / 2:
        raise InvalidDataError(
            f"{failed} of {errors.size} fits to subsamples failed; use larger shares, or collect more data"
        )
    reference = np.inf if against_truth else n
    rate, constant = _fit_rate(sizes, errors, reference)
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, errors.shape[0], errors.shape[0]) for _ in range(_RESAMPLES)]
    whole = [errors[draw] for draw in draws if not np.isnan(errors[draw]).all(axis=0).any()]
    rates = [_fit_rate(sizes, part, reference)[0] for part in whole]
    low, high = np.quantile(rates, [0.025, 0.975])
    return LearningCurve(sizes, errors, n, against_truth, rate, constant, (float(low), float(high)), failed)


def _fit_rate(sizes: FloatArray, errors: FloatArray, reference: float) -> tuple[float, float]:
    """Exponent and constant of ``c (m^(-2 r) - n^(-2 r))``, by least squares of logarithms."""
    squares = np.log(np.maximum(np.nanmean(errors**2, axis=0), np.finfo(np.float64).tiny))

    def residuals(rate: float) -> FloatArray:
        # With sizes relative to n the difference stays accurate, and r to 0 harmless.
        overlap = np.log(-np.expm1(2 * rate * np.log(sizes / reference))) if np.isfinite(reference) else 0.0
        return np.asarray(squares + 2 * rate * np.log(sizes) - overlap)

    best = minimize_scalar(lambda rate: float(np.var(residuals(rate))), bounds=_RATES, method="bounded")
    return float(best.x), float(np.exp(np.mean(residuals(best.x)) / 2))
