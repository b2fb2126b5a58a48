"""The kernel index: ``t = h(option 1) - h(option 0)``, h a function of a reproducing kernel space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from semiindex._types import FloatArray, IntArray, Matrix
from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.index.base import Design, IndexClass
from semiindex.index.distinct import (
    DistinctRows,
    distinct_comparisons,
    distinct_options,
    thinned,
)
from semiindex.index.feature_design import (
    Comparisons,
    FeatureDesign,
    LazyDesign,
    compute_features,
    pieces,
)
from semiindex.index.feature_map import (
    FeatureMap,
    FourierMap,
    project,
)
from semiindex.index.kernels import BoundKernel, ProductKernel, bind_kernel

__all__ = ["KernelIndex"]

_APPROXIMATIONS = ("exact", "nystroem", "random_features")
#: Representers up to which the kernel matrix is decomposed exactly: half a minute, 400 MB.
_EXACT_LIMIT = 4_000
#: Features of new comparisons up to this number of entries are kept, beyond it formed when used.
_STORED_ENTRIES = 20_000_000
#: Rows from which nearly uncorrelated coordinates are found.
_ROTATION_ROWS = 20_000
#: Number of features beyond which that would take longer than the fit.
_ROTATION_LIMIT = 3_000


class KernelIndex(IndexClass):
    """Index of a score function in a reproducing kernel Hilbert space, ``t = h(x1) - h(x0)``.

    A score that is not linear in the features, with the ridge of the estimator as penalty on the
    squared norm of h. Every estimator takes it as `index`. It needs ``ridge > 0``, unless a number of
    `components` well below that of the comparisons bounds the class: then it may be fitted without a
    penalty too, as `OrthogonalPolicy` does, which has none.

    Parameters
    ----------
    kernel : str, callable or ProductKernel, default="rbf"
        A name that `sklearn.metrics.pairwise.pairwise_kernels` knows, ``"arc_cosine"`` (a wide
        network of rectified linear units; parameters ``layers`` and ``bias``, both 1 by default),
        ``"equality"`` (1 for equal options); a function that turns two matrices of shapes (a, d)
        and (b, d) into one of shape (a, b), as scikit-learn's ``rbf_kernel`` does; or a product of
        kernels over groups of columns.
    gamma : float, optional
        Parameter of the kernels that have one. The default for ``"rbf"`` is one over the mean
        squared distance of two options, ``1 / (2 * sum of the variances of the columns)`` over
        distinct options, so that a typical similarity is 1/e whatever the units and the number of
        features; for the others that of scikit-learn (``1 / d``).
    degree, coef0 : float, optional
        Parameters of the polynomial and sigmoid kernels, scikit-learn's defaults.
    kernel_params : dict, optional
        Further parameters of the kernel.
    components : int, optional
        Number of features. None: as many as the data need for an exact fit, one per distinct
        option or per distinct comparison, whichever are fewer; at most 4000.
    approximation : {None, "exact", "nystroem", "random_features"}, optional
        How `components` features are made. ``"nystroem"``: h is spanned by the kernel at that many
        options, drawn from those of the data; any kernel. ``"random_features"``: random waves, for
        the Gaussian kernel on all columns; worse than Nystroem at the same number, but cheaper to
        compute. None: "exact" without `components`, else "nystroem".
    random_state : int or RandomState, default=0
        Draws options or waves. An integer gives the same features in every fit.

    Attributes
    ----------
    gamma_ : float or None
        Parameter `gamma` of the kernel, of the first factor that has one in a product.
    n_components_ : int
        Number of features, which is the number of parameters.
    on_differences_ : bool
        Whether it was fitted to plain differences.

    See Also
    --------
    LinearIndex : Scores linear in the features.
    ProductKernel : Kernels over groups of columns.

    Notes
    -----
    On `PreferencePairs` the index has the *difference kernel*

        K((x1, x0), (y1, y0)) = k(x1, y1) - k(x1, y0) - k(x0, y1) + k(x0, y0).

    On plain differences it has the *odd part* ``(k(a, b) - k(a, -b)) / 2`` of the kernel, so that
    exchanging the options still changes the sign of the index. Such an index need not be a
    difference of scores, and `score` refuses.

    Parameters theta are coordinates in an orthonormal basis of the space, ``theta' theta`` is the
    squared norm of h: a ridge means the same for all numbers of features and for exact and
    approximate fits, and a penalised fit with ``components=None`` is that of the whole infinite
    space (the representer theorem). For kernels that contain the linear one a feature without
    variation in a comparison may matter, through what it does to the others.

    References
    ----------
    Schoelkopf & Smola 2002; Williams & Seeger 2001 (Nystroem); Rahimi & Recht 2007.

    Examples
    --------
    Options are liked best in the middle:

    >>> import numpy as np
    >>> from semiindex import KernelIndex, KnownLinkPolicy, PreferencePairs
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.uniform(-2, 2, size=(2, 500, 1))
    >>> y = rng.random(500) < 1 / (1 + np.exp(3 * (b**2 - a**2)[:, 0]))
    >>> model = KnownLinkPolicy(index=KernelIndex(), ridge=0.001).fit(PreferencePairs(a, b, y))
    >>> score = model.score_options([[-2.0], [0.0], [2.0]])
    >>> bool(score[1] > max(score[0], score[2]))
    True
    """

    def __init__(
        self,
        kernel: str | Callable[..., Any] | ProductKernel = "rbf",
        *,
        gamma: float | None = None,
        degree: float | None = None,
        coef0: float | None = None,
        kernel_params: Mapping[str, Any] | None = None,
        components: int | None = None,
        approximation: str | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.kernel_params = kernel_params
        self.components = components
        self.approximation = approximation
        self.random_state = random_state

    @property
    def needs_ridge(self) -> bool:
        """Whether there are as many features as data; a number of `components` is a bound of its own."""
        return self.components is None

    def fit_design(self, pairs: Any) -> FeatureDesign:
        """Choose the features on a sample, and give its design; see `IndexClass.fit_design`."""
        approximation = self._check_parameters()
        comparisons = Comparisons(pairs)
        self.on_differences_, self.n_features_in_ = comparisons.on_differences, comparisons.shape[1]
        if approximation == "exact":
            design = self._fit_exact(comparisons)
        else:
            options = distinct_options(comparisons, 0)
            kernel = self._bind(comparisons, options)
            make = self._nystroem if approximation == "nystroem" else self._fourier
            self._map: FeatureMap = make(kernel, options)
            design = _decorrelated(comparisons, self._map)
        self._rotation = design.rotation
        self.n_components_ = design.n_parameters
        return design

    def design(self, pairs: Any) -> Design:
        """Operator on new comparisons, with the features of the fit; see `IndexClass.design`."""
        self._require_fit()
        comparisons = Comparisons(self._comparable(pairs))
        if comparisons.shape[0] * max(self.n_components_, 1) > _STORED_ENTRIES:
            return LazyDesign(comparisons, self._map, self._rotation)
        features = compute_features(comparisons, self._map)
        return FeatureDesign(features, self._rotation, np.mean(np.square(features), axis=0))

    def score(self, options: Matrix, theta: FloatArray) -> FloatArray:
        """``h(option)``, shape (n_options,); refused after a fit to plain differences."""
        self._require_fit()
        if self.on_differences_:
            raise InvalidDataError(
                "options have no scores: the model was fitted to plain differences, where a kernel index is "
                "an odd function of the difference and need not be a difference of two scores. Fit it to "
                "PreferencePairs, which carry both options of every comparison"
            )
        dual = self._map.dual(theta if self._rotation is None else self._rotation @ theta)
        single = Comparisons(options)
        parts = [self._map.raw(*single.sides(c)) @ dual for c in pieces(single.shape[0], self._map.n_raw)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def parameter_names(self, feature_names: tuple[str, ...]) -> tuple[str, ...]:
        """Numbers: coordinates of a function space have no names."""
        return tuple(f"component {j}" for j in range(self.n_components_))

    def _require_fit(self) -> None:
        if not hasattr(self, "n_components_"):
            raise NotFittedError("this KernelIndex has no features yet; an estimator fits it, as its index_")

    def _comparable(self, pairs: Any) -> Any:
        """Comparisons of the kind that the fit had."""
        if self.on_differences_:
            return getattr(pairs, "differences", pairs)
        if not hasattr(pairs, "features0"):
            raise InvalidDataError(
                "X holds plain differences, but the kernel index was fitted to PreferencePairs: a score that "
                "is not linear needs both options of a comparison. Pass PreferencePairs"
            )
        return pairs

    def _check_parameters(self) -> str:
        """Refuse parameters without a meaning; the approximation in force."""
        approximation = self.approximation or ("exact" if self.components is None else "nystroem")
        if approximation not in _APPROXIMATIONS:
            raise InvalidParameterError(
                f"approximation must be None or one of {_APPROXIMATIONS}, got {self.approximation!r}"
            )
        if self.gamma is not None and not (np.isfinite(self.gamma) and self.gamma > 0):
            raise InvalidParameterError(
                f"gamma must be positive, or None for the default, got {self.gamma!r}"
            )
        if approximation == "exact" and self.components is not None:
            raise InvalidParameterError(
                f"components={self.components!r} with approximation='exact'; leave one of them at None"
            )
        if approximation == "exact":
            return approximation
        count = self.components
        if not isinstance(count, (int, np.integer)) or isinstance(count, bool) or count < 1:
            raise InvalidParameterError(
                f"components must be an integer >= 1 for approximation={approximation!r}, got {count!r}"
            )
        return approximation

    def _bind(self, comparisons: Comparisons, options: DistinctRows) -> BoundKernel:
        """The kernel with its parameters, the width from the data if none was given."""
        given = {"gamma": self.gamma, "degree": self.degree, "coef0": self.coef0}
        given |= dict(self.kernel_params or {})
        rows = options.first
        if comparisons.on_differences:  # a difference stands beside its mirror image
            rows = np.vstack([rows, -rows])
        kernel = bind_kernel(self.kernel, rows, comparisons.names, given)
        self.gamma_ = kernel.gamma
        return kernel

    def _fit_exact(self, comparisons: Comparisons) -> FeatureDesign:
        """One feature per distinct option or comparison, whichever are fewer."""
        options = distinct_options(comparisons, _EXACT_LIMIT)
        distinct = distinct_comparisons(comparisons, _EXACT_LIMIT)
        if min(len(options), len(distinct)) > _EXACT_LIMIT:
            raise InvalidParameterError(
                "KernelIndex(components=None) decomposes a kernel matrix of all distinct options or "
                f"comparisons, at most {_EXACT_LIMIT}, but the data have more of both; set components, for "
                "example components=1000"
            )
        kernel = self._bind(comparisons, options)
        second = -distinct.first if distinct.second is None else distinct.second
        moving = (distinct.first != second).any(axis=1)  # an option beside itself has no representer
        if not moving.any():
            raise InvalidDataError(
                "X: every comparison is of an option with itself, so that there is nothing to learn; "
                "check that the columns of option 0 and option 1 are not the same"
            )
        if not comparisons.on_differences and len(options) < len(distinct):
            self._map = project(kernel, options.first, None, 1.0)[0]
            return _decorrelated(comparisons, self._map)
        scale = 0.5 if comparisons.on_differences else 1.0
        self._map, root = project(kernel, distinct.first[moving], second[moving], scale)
        features = np.zeros((len(distinct), root.shape[1]))
        features[moving] = root  # the features of the comparisons that gave the representers
        spectrum = np.mean(features**2, axis=0)
        stored: FloatArray = np.asarray(features[distinct.inverse], dtype=comparisons.dtype)
        return FeatureDesign(stored, None, spectrum)

    def _nystroem(self, kernel: BoundKernel, options: DistinctRows) -> FeatureMap:
        """Kernel functions at options (or differences) drawn from the data."""
        first = options.first
        if self.on_differences_:
            first = first[first.any(axis=1)]
        count = min(int(self.components or 0), first.shape[0])
        drawn = check_random_state(self.random_state).permutation(first.shape[0])[:count]
        first = first[np.sort(drawn)]
        second, scale = (-first, 0.5) if self.on_differences_ else (None, 1.0)
        return project(kernel, first, second, scale)[0]

    def _fourier(self, kernel: BoundKernel, options: DistinctRows) -> FeatureMap:
        """Random waves."""
        if self.kernel != "rbf":
            raise InvalidParameterError(
                f"approximation='random_features' exists for kernel='rbf' only, got {self.kernel!r}; use "
                "'nystroem'"
            )
        count = int(self.components or 0)
        waves = count if self.on_differences_ else max(count // 2, 1)
        normal = check_random_state(self.random_state).standard_normal((options.first.shape[1], waves))
        return FourierMap(np.sqrt(2 * float(self.gamma_ or 1.0)) * normal, self.on_differences_)


def _decorrelated(comparisons: Comparisons, feature_map: FeatureMap) -> FeatureDesign:
    """Design in the principal axes of (a part of) the sample, unless there are too many of them."""
    features = compute_features(comparisons, feature_map)
    rows = features[_once(comparisons)].astype(np.float64, copy=False)
    if features.shape[1] > _ROTATION_LIMIT:
        return FeatureDesign(features, None, np.mean(rows**2, axis=0))
    spectrum, rotation = np.linalg.eigh(rows.T @ rows / max(rows.shape[0], 1))
    return FeatureDesign(features, rotation, np.maximum(spectrum, 0.0))


def _once(comparisons: Comparisons) -> IntArray:
    """One row of every distinct comparison of (a part of) the sample, whatever was repeated."""
    rows = np.arange(comparisons.shape[0])[thinned(comparisons.shape[0], _ROTATION_ROWS)]
    table = np.hstack(comparisons.sides(rows)) + 0.0
    return np.asarray(rows[np.unique(table, axis=0, return_index=True)[1]])
