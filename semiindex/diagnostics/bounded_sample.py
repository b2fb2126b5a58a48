"""The sample of a fit as the bounds read it: what counts as an answer, and what the class of indices is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semiindex.diagnostics.direction_theorem import direction_noise
from semiindex.diagnostics.theorems import in_sample_profile_bound, profile_bound
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.index.kernel import KernelIndex
from semiindex.index.kernels import ProductKernel
from semiindex.index.linear import LinearIndex
from semiindex.inference.eligibility import require_eligible, require_full_rank
from semiindex.inference.sample import InferenceSample, read_sample

__all__ = ["BoundedSample", "read_bounded_sample"]


@dataclass(frozen=True, eq=False)
class BoundedSample:
    """A sample that the theorems speak of.

    Attributes
    ----------
    sample : InferenceSample
        Rows of the fit; for a kernel index in its features.
    n : float
        Number of comparisons, copies counted.
    n_features, n_distinct : int
        Number of features, and of different comparisons.
    n_anchors : int
        Number of options of the sample that the features were made from.
    is_kernel : bool
        Whether the features are those of a kernel index.
    new_comparisons : str
        Why there is no bound for new comparisons; empty where there is one.
    dependent : bool
        Whether comparisons come in groups of more than one, which the theorems do not allow for.
    """

    sample: InferenceSample
    n: float
    n_features: int
    n_distinct: int
    n_anchors: int
    is_kernel: bool
    new_comparisons: str
    dependent: bool

    def in_sample(self, confidence: float, gap: float = 0.0, *, n: float | None = None) -> float:
        """Bound at the fit's own comparisons; for another sample size, with the same share of different ones.

        Parameters
        ----------
        confidence : float
            Level.
        gap : float, default=0.0
            Excess of the fit over the least squared training error.
        n : float, optional
            Another sample size.
        """
        size = self.n if n is None else n
        return in_sample_profile_bound(
            size, self.n_features, confidence=confidence, gap=gap, n_distinct=self._distinct(size)
        )

    def new(self, confidence: float, gap: float = 0.0, *, n: float | None = None) -> float:
        """Bound at new comparisons, with the arguments of `in_sample`."""
        size = self.n if n is None else n
        return profile_bound(size, self.n_features, confidence=confidence, gap=gap, n_anchors=self.n_anchors)

    def noise(self, confidence: float, step: int, *, n: float | None = None) -> float:
        """Noise of the labels at a step of the bound on the angle."""
        size = self.n if n is None else n
        return direction_noise(
            size, self.n_features, confidence=confidence, step=step, n_distinct=self._distinct(size)
        )

    def _distinct(self, n: float) -> float:
        return max(self.n_distinct * n / self.n, 1.0)


def read_bounded_sample(
    model: Any, X: Any, y: Any, sample_weight: Any, groups: Any, *, full_rank: bool
) -> BoundedSample:
    """Read the data of a fit, and refuse what the theorems do not cover.

    Parameters
    ----------
    model : fitted estimator
        With a linear index, or a kernel index of a number of components.
    X, y, sample_weight, groups
        As in `preference_error_bound`.
    full_rank : bool
        Whether the features must be told apart: a direction is asked for, not probabilities alone.
    """
    require_eligible(model, single_feature=True, penalised=True, classes=(LinearIndex, KernelIndex))
    index = model.index_
    is_kernel = isinstance(index, KernelIndex)
    if is_kernel and index.components is None:
        raise InvalidParameterError(
            f"index={index!r}: it has as many features as data, and the bounds count features. Set "
            "components. For the whole space there is the formula semiindex.diagnostics."
            "lipschitz_link_bound: it is about the fit of least squared error over a ball, whose radius "
            "has to be known"
        )
    if model.links_ is not None:
        raise InvalidParameterError(
            "The model has a link for every class of raters, and the bounds are about one link; fit and "
            "bound the classes by themselves"
        )
    sample = read_sample(model, X, y, sample_weight, None, groups)
    if full_rank or not is_kernel:
        require_full_rank(sample)
    _require_answers(sample)
    return BoundedSample(
        sample=sample,
        n=float(np.sum(sample.weight)),
        n_features=sample.differences.shape[1],
        n_distinct=np.unique(sample.differences, axis=0).shape[0],
        n_anchors=_anchors(index) if is_kernel else 0,
        is_kernel=is_kernel,
        new_comparisons=_objection(index) if is_kernel else "",
        dependent=any(np.unique(codes).size < codes.size for codes in sample.clusters),
    )


def _require_answers(sample: InferenceSample) -> None:
    """Refuse rows that are no independent answers."""
    if sample.observations.frequency.size < sample.t.size:
        raise InvalidDataError(
            "Rows of one comparison (halves of a tie, soft labels, choice sets) are no independent answers, "
            "and the bounds count answers; leave these comparisons out, or use policy_error_interval"
        )
    if not np.allclose(sample.weight, np.round(sample.weight), rtol=0, atol=1e-9):
        raise InvalidDataError(
            "The weights are not whole numbers: the bounds count answers; use policy_error_interval"
        )


def _anchors(index: KernelIndex) -> int:
    """Options of the sample that a kernel's features are made from; random waves are made from none."""
    return 0 if index.approximation == "random_features" else int(index.components or 0)


def _objection(index: KernelIndex) -> str:
    """Why the features of a kernel depend on all of the sample, if they do."""
    shared = index.gamma is not None or "gamma" in (index.kernel_params or {})
    factors = (
        [(factor[1], factor[2] if len(factor) == 3 else {}) for factor in index.kernel.factors]
        if isinstance(index.kernel, ProductKernel)
        else [(index.kernel, {})]
    )
    if shared or all(kernel != "rbf" or "gamma" in own for kernel, own in factors):
        return ""
    return (
        "The width of the kernel was taken from the sample, so that the class of indices depends on all of "
        "its features: there is no bound for new comparisons. With gamma chosen beforehand there is one."
    )
