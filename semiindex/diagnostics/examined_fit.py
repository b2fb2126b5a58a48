"""A fit under examination: its data, the settings, and how long refits and tests take."""

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
from semiindex.diagnostics.null_models import read_tested_sample
from semiindex.diagnostics.predictions import Predictions, has_labels_of_the_fit, read_predictions
from semiindex.diagnostics.refits import RefitData
from semiindex.diagnostics.score_process import MOST_BLOCKS, blocks_of
from semiindex.diagnostics.verdicts import ENOUGH_BLOCKS
from semiindex.divergence import Divergence
from semiindex.exceptions import InvalidDataError, InvalidParameterError, SemiindexError
from semiindex.inference.sample import InferenceSample, read_sample
from semiindex.policy.base import PreferencePolicy
from semiindex.policy.menu import Menu
from semiindex.policy.profiled_link import ProfiledLinkPolicy

__all__ = ["ExaminedFit", "read_examined", "require_enough"]

#: Comparisons on which the time of a refit is measured at most, and the part of them for the time that
#: does not depend on their number.
_TIMED, _PART = 20_000, 8
#: Comparisons below which nothing can be said at all.
_FEWEST_BLOCKS = 8
#: Of the cross-validated predictions.
_FOLDS = 5
#: Draws of the tests. The page asks whether p is at most 1%, for which these are enough.
_DRAWS = 999
#: Spline fits, or steps of about their cost, of a test; and how many draws, of sums over how many blocks,
#: are timed.
_FITS_OF_A_TEST, _TIMED_DRAWS, _TIMED_SUMS = 3, 99, 25


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
        return Multipliers(n_draws=_DRAWS, random_state=self.random_state)

    @cached_property
    def n_blocks(self) -> int:
        """Raters, or units where no raters are known; repeated answers count where that matters."""
        count = int(self.data.codes.max()) + 1
        if self.knows_raters or count >= ENOUGH_BLOCKS:
            return count
        with suppress(SemiindexError):
            return round(read_sample(*self.arguments, None, None).observations.total)
        return count

    @property
    def knows_raters(self) -> bool:
        """Whether the answers of one rater can be told from those of others."""
        return self.groups is not None or (isinstance(self.X, PreferencePairs) and self.X.groups is not None)

    @cached_property
    def tested_sample(self) -> InferenceSample:
        """The data as tests read them, if the fit is one that can be tested.

        Raises
        ------
        InvalidParameterError, InvalidDataError
            With the reason that all tests give.
        """
        sample = read_tested_sample(*self.arguments, self.groups)
        blocks_of(sample)
        return sample

    @cached_property
    def _seconds(self) -> tuple[float, float]:
        """Seconds of a refit: what does not depend on the number of comparisons, and per comparison."""
        return self._timed(self.model)

    @cached_property
    def _spline_seconds(self) -> tuple[float, float]:
        """The same of the spline fit that tests begin with."""
        spline = ProfiledLinkPolicy(antisymmetric=self.model.antisymmetric)
        alike = isinstance(self.model, ProfiledLinkPolicy) and self.model.link == spline.link
        return self._seconds if alike else self._timed(spline)

    def _timed(self, model: Any) -> tuple[float, float]:
        n = min(self.data.y.size, _TIMED)
        order = np.random.default_rng(self.random_state).permutation(self.data.y.size)
        large, small = (self._seconds_of(model, order[:count]) for count in (n, n // _PART))
        slope = max(large - small, 0.0) / (n - n // _PART)
        return max(large - slope * n, 0.0), slope

    def _seconds_of(self, model: Any, rows: IntArray) -> float:
        start = time.perf_counter()
        with suppress(SemiindexError):  # an eighth may be too little; finding out took time as well
            self.data.fit(model, np.sort(rows))
        return time.perf_counter() - start

    @cached_property
    def _draw_seconds(self) -> tuple[float, float]:
        """Seconds of all draws of a test: of the signs, and of the products for one sum."""
        blocks = np.ones(min(self.n_blocks, MOST_BLOCKS))
        start = time.perf_counter()
        signs = next(Multipliers(n_draws=_TIMED_DRAWS).chunks(blocks))
        drawn = time.perf_counter()
        signs @ np.ones((blocks.size, _TIMED_SUMS))
        multiplied = time.perf_counter()
        scale = _DRAWS / len(signs)
        return scale * (drawn - start), scale * (multiplied - drawn) / _TIMED_SUMS

    def test(self, sums: int) -> float:
        """Seconds of a test of so many sums: fits, signs, and products."""
        fixed, slope = self._spline_seconds
        signs, product = self._draw_seconds
        return _FITS_OF_A_TEST * (fixed + slope * self.data.y.size) + signs + sums * product

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
    if menu is not None and not isinstance(menu, Menu):
        raise InvalidParameterError(
            f"menu must be a Menu, got {type(menu).__name__}; labels and weights are passed by name: "
            "diagnose(model, X, y=y)"
        )
    if model.links_ is not None and not isinstance(X, PreferencePairs):
        raise InvalidParameterError(
            "The model has a link for every class of raters: pass PreferencePairs, which carry the classes"
        )
    if menu is not None:
        read_menu(model, menu)
    _require_groups(groups)
    data = RefitData.read(X, y, sample_weight, groups)
    if not read_predictions(model, X, y, sample_weight).in_sample:
        raise InvalidDataError(
            "X or sample_weight is not what the model was fitted on: a diagnosis is about the data of the fit"
        )
    _require_labels_of_the_fit(model, data)
    return data


def require_enough(case: ExaminedFit) -> None:
    """Refuse samples of which nothing can be said.

    Raises
    ------
    InvalidDataError
        For fewer than eight comparisons. Of few raters little can be said as well; the page says why.
    """
    count = case.data.y.size if case.knows_raters else case.n_blocks
    if count < _FEWEST_BLOCKS:
        raise InvalidDataError(
            f"There are {count} comparisons: a diagnosis needs {_FEWEST_BLOCKS} at least, and says little "
            f"with fewer than {ENOUGH_BLOCKS}"
        )


def _require_groups(groups: Any) -> None:
    import pandas as pd

    if groups is None:
        return
    missing = np.asarray(pd.isna(np.asarray(groups)))
    if missing.any():
        raise InvalidDataError(
            f"groups has no value in row {int(np.argmax(missing))}; drop the row, or give it a group of its "
            "own"
        )


def _require_labels_of_the_fit(model: Any, data: RefitData) -> None:
    t = model.index_.design(data.X).matvec(np.asarray(model.coef_, dtype=np.float64))
    if not has_labels_of_the_fit(model, t, data.y == model.classes_[1], data.weight):
        raise InvalidDataError(
            "y is not what the model was fitted on: a diagnosis is about the fit, so pass the labels that it "
            "was given"
        )
