"""A fit under examination: its data, the settings, and how long a refit takes."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from semiindex._types import IntArray
from semiindex.data import PreferencePairs
from semiindex.diagnostics.held_out_order import held_out_predictions
from semiindex.diagnostics.menu_features import read_menu
from semiindex.diagnostics.multipliers import Multipliers
from semiindex.diagnostics.predictions import Predictions, read_predictions
from semiindex.diagnostics.refits import RefitData
from semiindex.divergence import Divergence
from semiindex.exceptions import InvalidDataError, InvalidParameterError, SemiindexError
from semiindex.policy.base import PreferencePolicy
from semiindex.policy.menu import Menu

__all__ = ["ExaminedFit", "read_examined"]

#: Comparisons on which the time of a refit is measured at most, and the part of them for the time that
#: does not depend on their number.
_TIMED, _PART = 20_000, 8
#: Of the cross-validated predictions.
_FOLDS = 5


@dataclass(frozen=True, eq=False)
class ExaminedFit:
    """What every diagnostic of a page reads.

    Attributes
    ----------
    model : fitted estimator
        The fit.
    X, y, sample_weight, groups
        Its data, as they were passed.
    menu : Menu or None
        Options of a policy.
    budget : float
        Its divergence from the reference.
    divergence : str or Divergence
        Which.
    random_state : int
        Seed of all resampling.
    n_jobs : int or None
        Processes for refits.
    data : RefitData
        The data, read for refits.
    """

    model: Any
    X: Any
    menu: Menu | None
    y: Any
    sample_weight: Any
    groups: Any
    budget: float
    divergence: str | Divergence
    random_state: int
    n_jobs: int | None
    data: RefitData

    @property
    def arguments(self) -> tuple[Any, Any, Any, Any]:
        """Model and data, in the order in which diagnostics take them."""
        return self.model, self.X, self.y, self.sample_weight

    @property
    def in_folds(self) -> Any:
        """For parts of the data: predictions do not depend on the scale, and "rms" is always defined."""
        if self.model.normalization in (None, "rms"):
            return self.model
        return clone(self.model).set_params(normalization="rms")

    @property
    def multipliers(self) -> Multipliers:
        """Draws of the score tests."""
        return Multipliers(random_state=self.random_state)

    @cached_property
    def _seconds(self) -> tuple[float, float]:
        """Seconds of a refit: what does not depend on the number of comparisons, and per comparison."""
        n = min(self.data.y.size, _TIMED)
        order = np.random.default_rng(self.random_state).permutation(self.data.y.size)
        large = self._timed(order[:n])
        small = self._timed(order[: n // _PART])
        slope = max(large - small, 0.0) / (n - n // _PART)
        return max(large - slope * n, 0.0), slope

    def _timed(self, rows: IntArray) -> float:
        start = time.perf_counter()
        with suppress(SemiindexError):  # an eighth may be too little; finding out took time as well
            self.data.fit(self.model, np.sort(rows))
        return time.perf_counter() - start

    @cached_property
    def held_out(self) -> Predictions:
        """Cross-validated predictions, made once for all diagnostics that look at them."""
        return held_out_predictions(self.in_folds, self.data, n_folds=_FOLDS, random_state=self.random_state)

    @property
    def held_out_cost(self) -> float:
        """Seconds that `held_out` will take; hardly any once it is there."""
        if "held_out" in self.__dict__:
            return self.refits(0.2)
        return self.refits(_FOLDS, 1 - 1 / _FOLDS)

    def refits(self, count: float, share: float = 1.0) -> float:
        """Seconds of so many refits to a share of the comparisons."""
        fixed, slope = self._seconds
        return count * (fixed + slope * share * self.data.y.size)

    def shared(self, seconds: float) -> float:
        """The same, spread over the processes."""
        return seconds / int(effective_n_jobs(self.n_jobs))


def read_examined(model: Any, X: Any, menu: Any, y: Any, sample_weight: Any, groups: Any) -> RefitData:
    """Refuse what no diagnostic could work with; the rest is left to each of them."""
    if not isinstance(model, PreferencePolicy):
        raise InvalidParameterError(
            f"model must be a fitted estimator of semiindex, got {type(model).__name__}; of a pipeline pass "
            "the last step, and the data that it was given"
        )
    check_is_fitted(model)
    if model.links_ is not None and not isinstance(X, PreferencePairs):
        raise InvalidParameterError(
            "The model has a link for every class of raters: pass PreferencePairs, which carry the classes"
        )
    if menu is not None:
        read_menu(model, menu)
    data = RefitData.read(X, y, sample_weight, groups)
    if not read_predictions(model, X, y, sample_weight).in_sample:
        raise InvalidDataError(
            "X or sample_weight is not what the model was fitted on: a diagnosis is about the data of the fit"
        )
    return data
