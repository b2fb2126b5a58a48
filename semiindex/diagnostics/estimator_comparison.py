"""`compare_estimators`: held-out losses of several estimators, paired fold by fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from scipy.stats import t as student

from semiindex._types import FloatArray, IntArray
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.counts import require_count
from semiindex.diagnostics.held_out import Loss, held_out_folds, row_losses
from semiindex.diagnostics.refits import RefitData
from semiindex.exceptions import InvalidParameterError
from semiindex.inference.progress import shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EstimatorComparison", "compare_estimators"]

_NAMES = {"log": "log loss", "brier": "Brier score", "error": "share of wrong predictions"}


@dataclass(frozen=True, eq=False, repr=False)
class EstimatorComparison(Diagnostic):
    """Held-out losses of several estimators, by fold.

    Made by `compare_estimators`, which has an example.

    Attributes
    ----------
    losses : array of shape (n_folds * n_repeats, k)
        Mean loss on every test fold.
    names : tuple of str
        The k estimators.
    baseline : str
        The one that the others are compared with.
    loss : {"log", "brier", "error"}
        What was measured.
    test_ratio : float
        Comparisons tested per comparison trained on, which the standard errors allow for.
    confidence : float
        Level of the intervals.
    n_clusters : int
        What was held out together, how many.
    grouped : bool
        Whether that was groups of comparisons, else single ones.
    """

    losses: FloatArray
    names: tuple[str, ...]
    baseline: str
    loss: Loss
    test_ratio: float
    confidence: float
    n_clusters: int
    grouped: bool

    @property
    def title(self) -> str:
        """What was compared."""
        return f"Held-out {_NAMES[self.loss]}, compared with {self.baseline!r}"

    @property
    def loss_name(self) -> str:
        """What was measured, in words."""
        return _NAMES[self.loss]

    @property
    def differences(self) -> FloatArray:
        """Losses minus that of the baseline, fold by fold."""
        base = self.names.index(self.baseline)
        return np.asarray(self.losses - self.losses[:, [base]])

    @property
    def standard_errors(self) -> FloatArray:
        """Corrected standard errors of the mean differences, :eq:`corrected-resampling`, shape (k,)."""
        count = self.losses.shape[0]
        variance = self.differences.var(axis=0, ddof=1)
        return np.asarray(np.sqrt((1 / count + self.test_ratio) * variance))

    @property
    def half_widths(self) -> FloatArray:
        """Half the length of the intervals of the mean differences."""
        quantile = student.ppf((1 + self.confidence) / 2, self.losses.shape[0] - 1)
        return np.asarray(quantile * self.standard_errors)

    @property
    def level(self) -> Level:
        """A note where another estimator is better than the baseline beyond chance."""
        return "note" if np.any(self.differences.mean(axis=0) + self.half_widths < 0) else "fine"

    def reading(self) -> str:
        """Which differences are beyond chance."""
        means, half = self.differences.mean(axis=0), self.half_widths
        parts = []
        for k, name in enumerate(self.names):
            if name == self.baseline:
                continue
            if abs(means[k]) <= half[k]:
                parts.append(f"{name!r} cannot be told from it ({means[k]:+.4f} +- {half[k]:.4f})")
            else:
                word = "better" if means[k] < 0 else "worse"
                parts.append(f"{name!r} is {word} ({means[k]:+.4f} +- {half[k]:.4f})")
        held_out = (
            f"whole groups were held out ({self.n_clusters:,})"
            if self.grouped
            else f"each of {self.n_clusters:,} comparisons was held out by itself, as independent of the rest"
        )
        return (
            f"Mean {_NAMES[self.loss]} on held-out comparisons, minus that of {self.baseline!r}: "
            + "; ".join(parts)
            + f". Intervals at {self.confidence:.0%}, corrected for training sets that overlap; {held_out}. "
            "A model that cannot be told from another here may still give another policy: losses see the "
            "data, not the menu."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per estimator."""
        import pandas as pd

        means, half = self.differences.mean(axis=0), self.half_widths
        frame = pd.DataFrame(
            {
                _NAMES[self.loss]: self.losses.mean(axis=0),
                "difference": means,
                "standard error": self.standard_errors,
                "from": means - half,
                "to": means + half,
            },
            index=pd.Index(self.names, name="estimator"),
        )
        frame.loc[self.baseline, ["difference", "standard error", "from", "to"]] = np.nan
        return frame


def compare_estimators(
    estimators: Mapping[str, Any],
    X: Any,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    baseline: str | None = None,
    loss: Loss = "log",
    n_folds: int = 5,
    n_repeats: int = 2,
    confidence: float = 0.95,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
) -> EstimatorComparison:
    """Compare estimators by grouped cross-validation, with errors corrected for overlapping training sets.

    Parameters
    ----------
    estimators : mapping of str to estimator
        Two or more, by name; they are cloned.
    X : PreferencePairs, array-like or sparse matrix of shape (n, d)
        Comparisons.
    y, sample_weight : array-like of shape (n,), optional
        Labels and frequency weights; None for those of `PreferencePairs`.
    groups : array-like of shape (n,), optional
        What is held out together. The default is the raters of `PreferencePairs`, else their units.
    baseline : str, optional
        The estimator that the others are compared with; the first by default.
    loss : {"log", "brier", "error"}, default="log"
        Log loss, squared error of the probability, or share of wrong predictions (half where both
        options are equally probable).
    n_folds : int, default=5
        Folds of one partition.
    n_repeats : int, default=2
        Partitions.
    confidence : float, default=0.95
        Level of the intervals.
    random_state : int, default=0
        Seed of the partitions.
    n_jobs : int, optional
        Number of processes; the numbers do not depend on it.
    progress : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    EstimatorComparison

    Raises
    ------
    InvalidParameterError
        For fewer than two estimators, an unknown loss or baseline, a confidence out of range, and numbers
        of folds or partitions that are not whole.
    InvalidDataError
        If there is nothing to hold out.

    Notes
    -----
    Losses of different folds are not independent: training sets overlap. With J folds in all, and d_j
    the differences, the variance of their mean is estimated by ``(1 / J + n_test / n_train) S^2``, with
    ``t(J - 1)`` for intervals, :eq:`corrected-resampling`.

    References
    ----------
    Nadeau & Bengio 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy, ProbitLink, compare_estimators
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = rng.random(1000) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> both = {"logistic": KnownLinkPolicy(), "probit": KnownLinkPolicy(ProbitLink())}
    >>> result = compare_estimators(both, X, y)
    >>> result.level
    'fine'
    """
    if not isinstance(estimators, Mapping):
        raise InvalidParameterError(
            f"estimators must be a dictionary of estimators by name, got {type(estimators).__name__}"
        )
    names = tuple(estimators)
    first = names[0] if baseline is None and names else baseline
    if len(names) < 2 or first not in names:
        raise InvalidParameterError(
            f"estimators must hold two or more, the baseline among them, got {list(names)} and {baseline!r}"
        )
    if loss not in _NAMES:
        raise InvalidParameterError(f"loss must be one of {list(_NAMES)}, got {loss!r}")
    if not 0 < confidence < 1:
        raise InvalidParameterError(f"confidence must lie between 0 and 1, such as 0.95, got {confidence!r}")
    n_folds, n_repeats = require_count("n_folds", n_folds, 2), require_count("n_repeats", n_repeats, 1)
    data = RefitData.read(X, y, sample_weight, groups)
    tests = [
        np.flatnonzero(folds == fold)
        for repeat in range(n_repeats)
        for folds in [held_out_folds(data.codes, n_folds, random_state + repeat)]
        for fold in range(int(folds.max()) + 1)
    ]
    jobs = [delayed(_fold_loss)(estimators[name], data, test, loss) for test in tests for name in names]
    results = Parallel(n_jobs, return_as="generator")(jobs)
    losses = np.array(list(shown(results, len(jobs), "folds", progress=progress))).reshape(
        len(tests), len(names)
    )
    total = float(data.weight.sum())
    tested = float(np.mean([data.weight[test].sum() for test in tests]))
    return EstimatorComparison(
        losses,
        names,
        str(first),
        loss,
        tested / (total - tested),
        confidence,
        int(np.unique(data.codes).size),
        grouped=int(data.codes.max()) + 1 < data.codes.size,
    )


def _fold_loss(estimator: Any, data: RefitData, test: IntArray, loss: Loss) -> float:
    train = np.setdiff1d(np.arange(data.y.size), test, assume_unique=True)
    model = data.fit(estimator, train)
    z = np.asarray(data.y[test] == model.classes_[1], dtype=np.float64)
    return float(
        np.average(row_losses(z, model.predict_proba(data.X[test])[:, 1], loss), weights=data.weight[test])
    )
