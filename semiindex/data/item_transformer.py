"""`ItemTransformer`: any scikit-learn transformer, applied to both options of every comparison."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from semiindex._types import AnyArray, FloatArray, Matrix, is_sparse
from semiindex.data import checks
from semiindex.data.pairs import PreferencePairs
from semiindex.exceptions import InvalidDataError, InvalidParameterError

__all__ = ["ItemTransformer"]

_CONTAINERS = ("default", "pandas")


# Outputs are wrapped here and not by scikit-learn, which would turn PreferencePairs into a table of
# differences.
class ItemTransformer(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """A scikit-learn transformer of single options, applied to both options of every comparison.

    Scalers, splines, polynomials, one-hot codes and kernel features are functions of an option. In a
    pipeline of `PreferencePairs` they have to see options, not differences: the square of a difference
    is not the difference of two squares.

    Parameters
    ----------
    transformer : transformer
        Any transformer with `fit` and `transform` that needs no labels, also a `Pipeline` or a
        `ColumnTransformer`. It is cloned, and sees tables with the feature names of the pairs (a
        sparse matrix without names where the pairs are sparse). Its output has to be numeric, dense
        or sparse.

    Attributes
    ----------
    transformer_ : transformer
        The fitted clone.
    n_features_in_ : int
        Number of features of the pairs.
    feature_names_in_ : ndarray of str, shape (d,)
        Their names.

    See Also
    --------
    PreferencePairs : The comparisons.
    KernelIndex : Scores that are not linear, under a penalty.

    Notes
    -----
    The transformer is fitted to the options of all comparisons below each other, option 0 first, an
    option as often as it was compared. Weights (those of the pairs times `sample_weight`) reach a
    transformer whose `fit` has the argument ``sample_weight``, such as `StandardScaler`; a `Pipeline`
    has none. Rows of weight zero are left out.

    `transform` accepts comparisons only. A table of single options goes through `transform_options`:
    were both taken by one method, scikit-learn's tools that turn their input into an array (such as
    `permutation_importance`) would have differences transformed as if they were options, and nothing
    would show it.

    What comes out of `transform` is always `PreferencePairs`, which carry their feature names.
    `set_output` therefore concerns `transform_options` alone.

    Standard errors of `infer` take what the transformer learned as given.

    Examples
    --------
    Options are liked best in the middle, which a linear index cannot say and its square can:

    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import PolynomialFeatures
    >>> from semiindex import ItemTransformer, KnownLinkPolicy, PreferencePairs
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.uniform(-2, 2, size=(2, 500, 1))
    >>> y = rng.random(500) < 1 / (1 + np.exp(3 * (b**2 - a**2)[:, 0]))
    >>> squares = ItemTransformer(PolynomialFeatures(2, include_bias=False))
    >>> pipe = make_pipeline(squares, KnownLinkPolicy()).fit(PreferencePairs(a, b, y))
    >>> pipe[-1].coefficients().round(1)["coefficient"].to_dict()
    {'x0': -0.2, 'x0^2': -2.6}

    Scores of single options, by the steps of the pipeline one after the other:

    >>> options = np.array([[-2.0], [0.0], [2.0]])
    >>> pipe[-1].score_options(pipe[0].transform_options(options)).round(0)
    array([-10.,   0., -11.])
    """

    transformer_: Any

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # comparisons, not arrays
        tags.input_tags.sparse = True
        return tags

    def fit(self, X: PreferencePairs, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the transformer to the options of all comparisons.

        Parameters
        ----------
        X : PreferencePairs of shape (n, d)
            Comparisons.
        y : object, default=None
            Not used: a label belongs to a comparison, not to an option.
        sample_weight : array-like of shape (n,), default=None
            Frequencies of the comparisons; they multiply the weights that the pairs carry.

        Returns
        -------
        self

        Raises
        ------
        InvalidDataError
            If `X` is not PreferencePairs.
        InvalidParameterError
            If the transformer is none, or learns from labels.
        """
        self._check_transformer()
        _require_pairs(X, "fit")
        weight = checks.check_weights(_product(X.weights, sample_weight), len(X), "sample_weight")
        used = X if weight is None or weight.all() else X[weight > 0]
        arguments: dict[str, Any] = {}
        if weight is not None and has_fit_parameter(self.transformer, "sample_weight"):
            arguments["sample_weight"] = np.tile(weight[weight > 0], 2)
        table = _table(_stacked(used), X.feature_names)
        self.transformer_ = clone(self.transformer).fit(table, **arguments)
        self.n_features_in_ = X.n_features
        self.feature_names_in_: AnyArray = np.array(X.feature_names, dtype=object)
        self._names_out = self._read_names(table)
        return self

    def _check_transformer(self) -> None:
        able = all(callable(getattr(self.transformer, method, None)) for method in ("fit", "transform"))
        if not able or isinstance(self.transformer, type):
            raise InvalidParameterError(
                f"transformer must be an object with the methods fit and transform, got {self.transformer!r}"
            )
        if isinstance(self.transformer, BaseEstimator) and get_tags(self.transformer).target_tags.required:
            raise InvalidParameterError(
                f"transformer={self.transformer!r} learns from labels, but a label says which of two options "
                "was preferred and belongs to neither; choose a transformer that needs none"
            )

    def _read_names(self, table: Any) -> tuple[str, ...]:
        """Names of the features that come out: of the transformer, or of the table that it returns."""
        try:
            names = self.transformer_.get_feature_names_out(list(self.feature_names_in_))
        except AttributeError:  # such as a FunctionTransformer that was told of no names
            output = self.transformer_.transform(table[:1])
            stem = type(self.transformer_).__name__.lower()
            names = getattr(output, "columns", [f"{stem}{j}" for j in range(output.shape[1])])
        return tuple(map(str, names))

    def transform(self, X: PreferencePairs) -> PreferencePairs:
        """Transform both options of every comparison.

        Parameters
        ----------
        X : PreferencePairs of shape (n, d)
            Comparisons with the features of the fit.

        Returns
        -------
        PreferencePairs of shape (n, k)
            The same comparisons (labels, weights, groups, link groups, units and assumptions) with the
            features of `get_feature_names_out`. Their `encoder` is None: it knew the features before.

        Raises
        ------
        InvalidDataError
            If `X` is not PreferencePairs, has other features, or if what the transformer returns
            cannot be features; the message says where.
        """
        check_is_fitted(self)
        _require_pairs(X, "transform")
        if X.feature_names != tuple(self.feature_names_in_):
            raise InvalidDataError(
                f"X has the features {list(X.feature_names)[:8]}, but the transformer was fitted on "
                f"{list(self.feature_names_in_)[:8]} (names and order must agree); build the pairs with the "
                "same columns"
            )
        both = self._apply(_stacked(X), X.feature_names)
        n = len(X)
        return X.replace(features0=both[:n], features1=both[n:], feature_names=self._names_out, encoder=None)

    def transform_options(self, options: Any) -> Any:
        """Transform a table of single options, for `score_options` of the policy at the end of a pipeline.

        Parameters
        ----------
        options : array-like, DataFrame or sparse matrix of shape (n_options, d)
            Features of options (not differences); a DataFrame may hold the columns in any order.

        Returns
        -------
        ndarray, csr_array or DataFrame of shape (n_options, k)
            A DataFrame with the index of `options` after ``set_output(transform="pandas")``.

        Raises
        ------
        InvalidDataError
            If `options` are comparisons, lack a feature or hold values that are no numbers.
        """
        check_is_fitted(self)
        names = list(self.feature_names_in_)
        if isinstance(options, PreferencePairs):
            raise InvalidDataError("options holds comparisons; pass PreferencePairs to transform instead")
        if checks.is_data_frame(options):
            missing = [name for name in names if name not in options.columns]
            if missing:
                raise InvalidDataError(f"options has no column {missing[0]!r}; the transformer needs {names}")
            options = options[names]
        matrix = checks.check_matrix(options, "options", names)
        if matrix.shape[1] != self.n_features_in_:
            raise InvalidDataError(
                f"options must have shape (n_options, {self.n_features_in_}), got {matrix.shape}"
            )
        return self._in_container(self._apply(matrix.copy(), names), getattr(options, "index", None))

    def _apply(self, matrix: Matrix, names: Any) -> Matrix:
        """What the transformer makes of single options, checked to be features."""
        output = self.transformer_.transform(_table(matrix, names))
        if checks.is_data_frame(output) and all(_is_numeric(dtype) for dtype in output.dtypes):
            output = output.to_numpy()
        return checks.check_matrix(output, "output of the transformer", self._names_out)

    def _in_container(self, matrix: Matrix, index: Any) -> Any:
        own = getattr(self, "_sklearn_output_config", {})
        container = own.get("transform", get_config()["transform_output"])
        if container == "default":
            return matrix
        _check_container(container)
        import pandas as pd

        if is_sparse(matrix):
            raise InvalidDataError(
                "the transformer returns a sparse matrix, which is not made a dense table silently: give it "
                "sparse_output=False, or use set_output(transform='default')"
            )
        return pd.DataFrame(matrix, columns=list(self._names_out), index=index)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform_options` returns; `transform` returns PreferencePairs always.

        Parameters
        ----------
        transform : {"default", "pandas"} or None, default=None
            An array or sparse matrix, or a DataFrame. None changes nothing. Without a call the global
            ``sklearn.set_config(transform_output=...)`` holds.

        Returns
        -------
        self

        Raises
        ------
        InvalidParameterError
            For other containers.
        """
        if transform is not None:
            _check_container(transform)
            # scikit-learn's own place for it, which clone carries over.
            self._sklearn_output_config = {"transform": transform}
        return self

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> AnyArray:
        """Names of the features that come out.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Nothing, or the names of the fit.

        Returns
        -------
        ndarray of str, shape (k,)
            Those of the transformer. If it gives none, the columns of the table that it returns, else
            its class in lower case with a number.

        Raises
        ------
        InvalidDataError
            If other names than those of the fit are given.
        """
        check_is_fitted(self)
        if input_features is not None and list(input_features) != list(self.feature_names_in_):  # type: ignore[arg-type]
            raise InvalidDataError(
                f"input_features is not equal to feature_names_in_, {list(self.feature_names_in_)[:8]}"
            )
        return np.array(self._names_out, dtype=object)


def _require_pairs(X: Any, method: str) -> None:
    if not isinstance(X, PreferencePairs):
        raise InvalidDataError(
            f"X must be PreferencePairs in ItemTransformer.{method}, got {type(X).__name__}: the transform "
            "of a feature difference is not the difference of two transforms, so that both options are "
            "needed. A table of single options belongs in transform_options"
        )


def _check_container(container: str) -> None:
    if container not in _CONTAINERS:
        raise InvalidParameterError(f"set_output: transform must be one of {_CONTAINERS}, got {container!r}")


def _product(weights: FloatArray | None, sample_weight: ArrayLike | None) -> FloatArray | None:
    if sample_weight is None:
        return weights
    given = np.asarray(sample_weight, dtype=np.float64)
    return given if weights is None or given.shape != weights.shape else given * weights


def _stacked(pairs: PreferencePairs) -> Matrix:
    """Options 0 of all rows, and options 1 below them."""
    stack: Any = sp.vstack if is_sparse(pairs.features0) else np.vstack
    both = stack([pairs.features0, pairs.features1])
    return sp.csr_array(both) if is_sparse(both) else both


def _table(matrix: Matrix, names: Any) -> Any:
    """A DataFrame, so that transformers can name columns; sparse matrices stay as they are."""
    if is_sparse(matrix):
        return matrix
    import pandas as pd

    return pd.DataFrame(matrix, columns=list(names), copy=False)


def _is_numeric(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "biuf"
