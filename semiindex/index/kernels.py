"""Kernels between options: by name, as a function of two matrices, or as products over groups of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics.pairwise import KERNEL_PARAMS, pairwise_kernels

from semiindex._types import FloatArray, IntArray
from semiindex.exceptions import InvalidDataError, InvalidParameterError

__all__ = ["BoundKernel", "ProductKernel", "arc_cosine_kernel", "bind_kernel", "equality_kernel"]


def equality_kernel(first: FloatArray, second: FloatArray) -> FloatArray:
    """``1`` where two rows agree in every column, ``0`` elsewhere.

    Parameters
    ----------
    first, second : arrays of shape (a, d) and (b, d)
        Options.

    Returns
    -------
    array of shape (a, b)

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.index.kernels import equality_kernel
    >>> equality_kernel(np.array([[1.0], [2.0]]), np.array([[2.0], [3.0]]))
    array([[0., 0.],
           [1., 0.]])
    """
    if first.shape[1] == 1:
        return np.asarray(first == second.T, dtype=np.float64)
    code = np.unique(np.vstack([first, second]), axis=0, return_inverse=True)[1].ravel()
    left, right = code[: first.shape[0]], code[first.shape[0] :]
    return np.asarray(left[:, None] == right[None, :], dtype=np.float64)


def arc_cosine_kernel(
    first: FloatArray, second: FloatArray, *, layers: int = 1, bias: float = 1.0
) -> FloatArray:
    """Kernel of an infinitely wide network of rectified linear units.

    With ``c`` the cosine of the angle between two rows (to which `bias` is appended as a further
    column) and ``u = arccos(c)``, a layer turns ``c`` into ``(sin u + (pi - u) c) / pi`` and keeps
    the norms.

    Parameters
    ----------
    first, second : arrays of shape (a, d) and (b, d)
        Options.
    layers : int, default=1
        Number of hidden layers; 0 is the linear kernel.
    bias : float, default=1.0
        Scale of the biases relative to that of the columns. With 0 functions are positively
        homogeneous.

    Returns
    -------
    array of shape (a, b)

    References
    ----------
    Cho & Saul 2009 (Kernel methods for deep learning), the kernel of degree 1.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.index.kernels import arc_cosine_kernel
    >>> arc_cosine_kernel(np.array([[1.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 1.0]]), bias=0.0).round(3)
    array([[2.   , 0.318]])
    """
    left, right = (np.sqrt(np.sum(side**2, axis=1) + bias**2) for side in (first, second))
    norms = np.outer(left, right)
    product = first @ second.T + bias**2
    cosine = np.divide(product, norms, out=np.zeros_like(product), where=norms > 0)
    for _ in range(layers):
        cosine = np.clip(cosine, -1.0, 1.0)
        angle = np.arccos(cosine)
        cosine = (np.sin(angle) + (np.pi - angle) * cosine) / np.pi
    return np.asarray(norms * cosine)


#: Kernels of this module, beside those of scikit-learn, with the parameters that they take.
_OWN: dict[str, tuple[Callable[..., FloatArray], frozenset[str]]] = {
    "equality": (equality_kernel, frozenset()),
    "arc_cosine": (arc_cosine_kernel, frozenset({"layers", "bias"})),
}


class ProductKernel:
    """Product of kernels, each over its own columns of the features.

    For contextual comparisons: a Gaussian kernel on the context times equality of the action gives
    every action a smooth score of the context, all of one smoothness.

    Parameters
    ----------
    *factors : tuples (columns, kernel) or (columns, kernel, params)
        `columns` are names of features (with `PreferencePairs` only) or their numbers, or a single
        one of them; `kernel` a name or a function as in `KernelIndex`; `params` a dictionary of its
        parameters. What `params` leaves out comes from the `KernelIndex`: its `gamma` goes to every
        factor that takes one and sets none.

    Examples
    --------
    >>> from semiindex import ProductKernel
    >>> ProductKernel((["age", "income"], "rbf"), ("item", "equality"))
    ProductKernel((['age', 'income'], 'rbf'), ('item', 'equality'))
    """

    def __init__(self, *factors: Any) -> None:
        if not factors:
            raise InvalidParameterError("ProductKernel needs at least one factor (columns, kernel, params)")
        for factor in factors:
            if isinstance(factor, str) or not isinstance(factor, Sequence) or len(factor) not in (2, 3):
                raise InvalidParameterError(
                    "a factor of ProductKernel is (columns, kernel) or (columns, kernel, params), got "
                    f"{factor!r}"
                )
            _check_name(factor[1])
        self.factors = tuple(tuple(factor) for factor in factors)

    def __repr__(self) -> str:
        return f"ProductKernel({', '.join(map(repr, self.factors))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProductKernel) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


@dataclass(frozen=True)
class BoundKernel:
    """A kernel with its parameters and columns: a function of two dense matrices.

    Attributes
    ----------
    factors : tuple of (columns or None, name or callable, params)
        Multiplied with each other; None stands for all columns.
    """

    factors: tuple[tuple[IntArray | None, str | Callable[..., Any], dict[str, Any]], ...]

    def __call__(self, first: FloatArray, second: FloatArray) -> FloatArray:
        """Kernel of every row of `first` with every row of `second`, shape (a, b)."""
        result: FloatArray | None = None
        for columns, kernel, params in self.factors:
            a, b = (first, second) if columns is None else (first[:, columns], second[:, columns])
            value = _evaluate(kernel, a, b, params)
            result = value if result is None else np.multiply(result, value, out=value)
        return np.asarray(result)

    @property
    def gamma(self) -> float | None:
        """The width of the (first) kernel that has one."""
        return next((params["gamma"] for _, _, params in self.factors if "gamma" in params), None)


def bind_kernel(
    kernel: Any, options: FloatArray, names: Sequence[str] | None, params: Mapping[str, Any]
) -> BoundKernel:
    """Settle the parameters and the columns of a kernel on a sample of options.

    Parameters
    ----------
    kernel : str, callable or ProductKernel
        As in `KernelIndex`.
    options : array of shape (a, d)
        Distinct options, from which the default width is computed.
    names : sequence of str or None
        Names of the columns; None where they have none.
    params : mapping
        Parameters by name; None where not set. Kernels take those that they know.

    Returns
    -------
    BoundKernel
    """
    if not isinstance(kernel, ProductKernel):
        _check_name(kernel)
        return BoundKernel(((None, kernel, _settled(kernel, params, options)),))
    bound = []
    for factor in kernel.factors:
        columns = _columns(factor[0], names, options.shape[1])
        own = {**params, **(factor[2] if len(factor) == 3 else {})}
        bound.append((columns, factor[1], _settled(factor[1], own, options[:, columns])))
    return BoundKernel(tuple(bound))


def _check_name(kernel: Any) -> None:
    known = sorted({*KERNEL_PARAMS, *_OWN})
    if not callable(kernel) and not (isinstance(kernel, str) and kernel in known):
        raise InvalidParameterError(
            f"kernel must be a function of two matrices, a ProductKernel or one of {known}, got {kernel!r}"
        )


def _settled(kernel: Any, params: Mapping[str, Any], options: FloatArray) -> dict[str, Any]:
    """The parameters that this kernel takes, the width of a Gaussian from the data if not given."""
    given = {name: value for name, value in params.items() if value is not None}
    if callable(kernel):
        shared = {"gamma", "degree", "coef0"}  # parameters of the kernels known by name
        return {name: value for name, value in given.items() if name not in shared}
    known = _OWN[kernel][1] if kernel in _OWN else KERNEL_PARAMS[kernel]
    chosen = {name: value for name, value in given.items() if name in known}
    if kernel == "rbf" and "gamma" not in chosen:
        spread = 2 * float(np.sum(np.var(options, axis=0)))
        chosen["gamma"] = 1.0 / spread if spread > 0 else 1.0
    return chosen


def _evaluate(
    kernel: str | Callable[..., Any], a: FloatArray, b: FloatArray, params: dict[str, Any]
) -> FloatArray:
    if isinstance(kernel, str):
        if kernel in _OWN:
            return _OWN[kernel][0](a, b, **params)
        return np.asarray(pairwise_kernels(a, b, metric=kernel, **params))
    value = np.array(kernel(a, b, **params), dtype=np.float64)
    if value.shape != (a.shape[0], b.shape[0]):
        raise InvalidParameterError(
            f"kernel: the function must turn matrices of shapes {a.shape} and {b.shape} into one of shape "
            f"{(a.shape[0], b.shape[0])}, got {value.shape}; wrap a function of two rows in "
            "sklearn.metrics.pairwise.pairwise_kernels"
        )
    return value


def _columns(columns: Any, names: Sequence[str] | None, width: int) -> IntArray:
    """Numbers of the columns of a factor."""
    single = isinstance(columns, (str, int, np.integer)) or not isinstance(columns, Iterable)
    chosen = [columns] if single else list(columns)
    if all(isinstance(c, (int, np.integer)) and not isinstance(c, bool) and 0 <= c < width for c in chosen):
        return np.array(chosen, dtype=np.intp)
    if names is None:
        raise InvalidDataError(
            f"ProductKernel: the columns {chosen[:8]} are no numbers from 0 to {width - 1}, and plain "
            "matrices of differences carry no names here; use such numbers, or PreferencePairs"
        )
    unknown = [c for c in chosen if c not in names]
    if unknown:
        raise InvalidDataError(
            f"ProductKernel: there is no column {unknown[0]!r}; the features are {list(names)[:12]}"
        )
    return np.array([list(names).index(c) for c in chosen], dtype=np.intp)
