"""`LearningCurve`: the sampling error of an index by sample size, and what can be said of its rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.diagnostics.base import Diagnostic, Level
from semiindex.diagnostics.power_law import fit_rate, rate_interval
from semiindex.exceptions import InvalidDataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LearningCurve", "curve_of_errors"]

#: Slower than this, more comparisons hardly pay; the rate of a regular estimate.
_SLOW, _REGULAR = 0.25, 0.5
#: A rate is measured if its interval is no wider, and lies above a rate at which a thousand times as many
#: comparisons would be needed to halve the error; an error if it is below half the size of the index. Of two
#: indices of equal size that have nothing to do with each other it is 1.4, and 2 at most.
_WIDEST, _SLOWEST, _LARGEST = 0.8, 0.1, 0.5
#: Errors below are those of rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class LearningCurve(Diagnostic):
    """Sampling error of the index by sample size, and the rate at which it falls.

    Made by `learning_curve`, which has an example.

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
        Error at n comparisons: ``constant * n^-rate``. NaN where they cannot be measured: errors as large
        as the index, or so variable that the rate could be anything.
    rate_interval : tuple of float
        Of the rate, at 95%, from leaving out one repetition at a time.
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
        """Errors against the truth: those against the full fit are too small, by what both share.

        Without a measured rate they are left as they are.
        """
        if self.against_truth or not self.measurable:
            return self.root_mean_square
        n = self.n_comparisons
        return np.asarray(self.root_mean_square / np.sqrt(1 - (self.sizes / n) ** (2 * self.rate)))

    @property
    def measurable(self) -> bool:
        """Whether error and rate could be measured."""
        return bool(np.isfinite(self.rate))

    @property
    def n_more_to_halve(self) -> float:
        """Further comparisons that would halve the sampling error of the full fit; NaN if not measurable."""
        return self.n_comparisons * (2 ** (1 / self.rate) - 1)

    @property
    def n_more_interval(self) -> tuple[float, float]:
        """`n_more_to_halve` at both ends of the interval of the rate, the smaller first."""
        slow, fast = self.rate_interval
        low, high = (self.n_comparisons * (2 ** (1 / rate) - 1) for rate in (fast, slow))
        return low, high

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
        """A note if the error is as large as the index, or falls clearly more slowly than n^(-1/4)."""
        slow = self.rate < _SLOW and self.rate_interval[1] < _REGULAR
        return "note" if slow or self._is_lost else "fine"

    @property
    def _is_lost(self) -> bool:
        return not self.measurable and bool(self.root_mean_square[-1] > _LARGEST)

    def reading(self) -> str:
        """The error now, what more comparisons would bring, and what the error leaves out."""
        lines = [self._measured() if self.measurable else self._not_measurable()]
        if self.level == "note" and self.measurable:
            lines[0] += (
                " That is slow: a penalty that holds the fit back, or an index that the features cannot "
                "express, will not be mended by more comparisons."
            )
        if not self.against_truth:
            lines.append(
                "This is sampling error only: fits to parts of the comparisons are compared with the fit to "
                "all of them, and corrected for what both share. An error that both have in common does not "
                "show, and no number of comparisons mends it: the bias of a wrong link (link_test), missing "
                "features (index_test), a penalty."
            )
        if self.n_failed:
            lines.append(f"{self.n_failed} fits to subsamples failed and are left out.")
        return "\n".join(lines)

    def _measured(self) -> str:
        now = float(self.predict(self.n_comparisons))
        low, high = self.rate_interval
        fewest, most = self.n_more_interval
        return (
            f"With {self.n_comparisons:,.0f} comparisons the sampling error of the learned index is about "
            f"{100 * now:.1f}% of its size (root mean square). It falls as n^-{self.rate:.2f} (interval "
            f"{low:.2f} to {high:.2f}): {_two_digits(fewest)} to {_two_digits(most)} more comparisons would "
            "halve it."
        )

    def _not_measurable(self) -> str:
        k = self.sizes.size - 1
        reference = "the truth" if self.against_truth else "the fit to all of them"
        seen = (
            f"Fits to {self.sizes[k]:,.0f} comparisons differ from {reference} by "
            f"{100 * self.root_mean_square[k]:.0f}% of the size of the index (root mean square; 200% is the "
            "most that two indices of equal size can differ)."
        )
        if self._is_lost:
            return (
                f"{seen} The comparisons hardly determine the index: how its error falls is not measurable, "
                "and nothing should be decided by it before there are many more."
            )
        return (
            f"{seen} How the error falls is not measurable: it varies too much between the repetitions, or "
            "obeys no power law. Take more repetitions (n_repeats), other shares, or more comparisons."
        )

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


def curve_of_errors(sizes: FloatArray, errors: FloatArray, n: float, *, against_truth: bool) -> LearningCurve:
    """Fit the rate, and say where there is none to be fitted.

    Parameters
    ----------
    sizes : array of shape (k,)
        Comparisons in the subsamples.
    errors : array of shape (n_repeats, k)
        NaN where a fit failed.
    n : float
        Comparisons of the full sample.
    against_truth : bool
        Whether errors are distances from the truth, else from the fit to the full sample.

    Raises
    ------
    InvalidDataError
        If most fits failed, or all gave the same index.
    """
    failed = int(np.isnan(errors).sum())
    if np.nanmax(errors, initial=0.0) < _ROUNDING and failed < errors.size:
        raise InvalidDataError(
            "Every subsample gives the same index, so that there is no error to fall: with a single feature, "
            "or one direction in which the comparisons vary, only its sign could be wrong"
        )
    if np.isnan(errors).all(axis=0).any() or failed > errors.size / 2:
        raise InvalidDataError(
            f"{failed} of {errors.size} fits to subsamples failed; use larger shares, or collect more data"
        )
    reference = np.inf if against_truth else n
    rate, constant = fit_rate(sizes, errors, reference)
    low, high = rate_interval(sizes, errors, reference)
    now = constant * n**-rate
    if high - low > _WIDEST or low < _SLOWEST or now > _LARGEST:
        rate, constant, low, high = (float("nan"),) * 4
    return LearningCurve(sizes, errors, n, against_truth, rate, constant, (low, high), failed)


def _two_digits(number: float) -> str:
    """A number of comparisons to two digits: no estimate of one has more."""
    size = 10 ** max(int(np.floor(np.log10(max(number, 1.0)))) - 1, 0)
    return f"{round(number / size) * size:,.0f}"
