"""Menus: the options that each context offers, and the reference policy over them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import AnyArray, FloatArray, IntArray, Matrix
from semiindex.data.checks import (
    check_feature_names,
    check_ids,
    check_matrix,
    check_weights,
    frozen,
    is_data_frame,
)
from semiindex.exceptions import DataWarning, InvalidDataError, InvalidParameterError, caller_level
from semiindex.policy.menu_tables import from_array, from_frame
from semiindex.policy.reference import read_available, read_reference

__all__ = ["Menu", "require_menu"]


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Menu:
    """Options of many contexts, as many in each as there are, with a reference policy over them.

    The options of all contexts stand below each other; `offsets` says where a context begins. Scores,
    probabilities and all else that concerns single options are arrays in that order.

    Parameters
    ----------
    features : array-like, DataFrame or sparse matrix of shape (n_options, d), default=None
        Features of the options, in the columns that the estimator was fitted on; features of the
        context are columns like others. None: a menu for scores that come from elsewhere.
    offsets : array-like of int, shape (n_contexts + 1,), default=None
        Options ``offsets[k]`` to ``offsets[k + 1] - 1`` belong to context k.
    contexts : array-like of shape (n_options,), default=None
        Instead of `offsets`: the context of each option, options of one context next to each other.
        The values become the labels of the contexts.
    reference : array-like of shape (n_options,), default=None
        Reference probabilities, summing to one in each context up to 1e-5 (that rounding is removed).
        Options of probability 0 stay excluded under every divergence.
    reference_log_probability : array-like of shape (n_options,), default=None
        Their logarithms, for references whose probabilities are too small for a number.
    reference_logits : array-like of shape (n_options,), default=None
        Logarithms up to a constant per context; they are normalised over the available options.
        At most one of the three may be given. None of them: uniform over the available options.
    available : array-like of bool, shape (n_options,), default=None
        Options that the context offers. None: all.
    weights : array-like of shape (n_contexts,), default=None
        Weights of the contexts in means over contexts. None: equal.
    feature_names : sequence of str, default=None
        None: the columns of a DataFrame, else x0, x1, ...
    context_labels : array-like of shape (n_contexts,), default=None
        Names of the contexts. None: the values of `contexts`, or numbers.
    option_labels : array-like of shape (n_options,), default=None
        Names of the options. None: their numbers within the context.

    Attributes
    ----------
    features : ndarray or scipy.sparse.csr_array of shape (n_options, d), or None
        Features, read-only. An array of floats that was passed is not copied, for the sake of memory: leave
        it as it is while the menu is in use.
    offsets : ndarray of int, shape (n_contexts + 1,)
        Where the contexts begin.
    log_reference : ndarray of shape (n_options,)
        Log-probabilities of the reference, -inf where it is 0.
    available : ndarray of bool, shape (n_options,)
        Options that the context offers; the others get no mass under any reference.
    weights : ndarray of shape (n_contexts,), or None
        Weights of the contexts.
    feature_names : tuple of str
        Names of the features, empty without features.
    context_labels, option_labels : ndarray
        Names of contexts and options.

    Raises
    ------
    InvalidDataError
        For arguments that contradict each other, a context without an available option, or a
        reference that does not sum to one.
    InvalidParameterError
        If `offsets` and `contexts`, or several kinds of reference, are given.

    Examples
    --------
    >>> from semiindex import Menu
    >>> menu = Menu([[1.0], [2.0], [5.0], [3.0], [4.0]], contexts=["a", "a", "b", "b", "b"])
    >>> len(menu), menu.sizes
    (2, array([2, 3]))
    >>> menu.reference.round(2)
    array([0.5 , 0.5 , 0.33, 0.33, 0.33])
    """

    features: Matrix | None
    offsets: IntArray
    log_reference: FloatArray
    available: AnyArray
    weights: FloatArray | None
    feature_names: tuple[str, ...]
    context_labels: AnyArray
    option_labels: AnyArray

    def __init__(
        self,
        features: Any = None,
        offsets: ArrayLike | None = None,
        *,
        contexts: ArrayLike | None = None,
        reference: ArrayLike | None = None,
        reference_log_probability: ArrayLike | None = None,
        reference_logits: ArrayLike | None = None,
        available: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        feature_names: Iterable[object] | None = None,
        context_labels: ArrayLike | None = None,
        option_labels: ArrayLike | None = None,
    ) -> None:
        if feature_names is None and is_data_frame(features):
            feature_names = [str(column) for column in features.columns]
        names = () if feature_names is None else tuple(map(str, feature_names))
        matrix = None if features is None else check_matrix(features, "features", names or None)
        starts, found = _read_offsets(offsets, contexts)
        n_options, n_contexts = int(starts[-1]), starts.size - 1
        if matrix is not None and matrix.shape[0] != n_options:
            raise InvalidDataError(
                f"features has {matrix.shape[0]} rows, but the contexts have {n_options} options in all"
            )
        labels = found if context_labels is None else check_ids(context_labels, n_contexts, "context_labels")
        own = check_ids(option_labels, n_options, "option_labels")
        within = np.arange(n_options) - np.repeat(starts[:-1], np.diff(starts))
        given = {
            "reference": reference,
            "reference_log_probability": reference_log_probability,
            "reference_logits": reference_logits,
        }
        offered = read_available(available, n_options)
        log_reference = read_reference(given, offered, starts, labels)
        self._set(
            features=matrix,
            offsets=frozen(starts),
            log_reference=frozen(log_reference),
            available=frozen(offered),
            weights=check_weights(weights, n_contexts),
            feature_names=() if matrix is None else check_feature_names(names or None, matrix.shape[1]),
            context_labels=labels,
            option_labels=frozen(within) if own is None else own,
        )

    def _set(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def n_contexts(self) -> int:
        """Number of contexts."""
        return self.offsets.size - 1

    @property
    def n_options(self) -> int:
        """Number of options of all contexts together."""
        return int(self.offsets[-1])

    @property
    def sizes(self) -> IntArray:
        """Number of options of each context, shape (n_contexts,)."""
        return np.diff(self.offsets)

    @property
    def codes(self) -> IntArray:
        """Position of the context of each option, shape (n_options,)."""
        return np.repeat(np.arange(self.n_contexts), self.sizes)

    @property
    def reference(self) -> FloatArray:
        """Reference probabilities, shape (n_options,)."""
        return np.asarray(np.exp(self.log_reference))

    @property
    def shares(self) -> FloatArray:
        """Weights of the contexts, summing to one, shape (n_contexts,)."""
        if self.weights is None:
            return np.full(self.n_contexts, 1 / self.n_contexts)
        return np.asarray(self.weights / self.weights.sum())

    def __len__(self) -> int:
        return self.n_contexts

    def __repr__(self) -> str:
        sizes = self.sizes
        size = str(sizes[0]) if sizes.min() == sizes.max() else f"{sizes.min()} to {sizes.max()}"
        features = "without features" if self.features is None else f"{len(self.feature_names)} features"
        return f"Menu({self.n_contexts} contexts, {size} options each, {features})"

    def __getitem__(self, key: Any) -> Menu:
        """Menus of some contexts, by position: a slice, integers, a mask, or one integer."""
        chosen = np.atleast_1d(np.arange(self.n_contexts)[key])
        if chosen.size == 0:
            raise InvalidDataError("The selection of contexts is empty: at least one is needed.")
        sizes = self.sizes[chosen]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][chosen] - offsets[:-1], sizes)
        part = object.__new__(type(self))
        part._set(
            features=None if self.features is None else frozen(self.features[rows]),
            offsets=frozen(offsets),
            log_reference=frozen(self.log_reference[rows]),
            available=frozen(self.available[rows]),
            weights=None if self.weights is None else check_weights(self.weights[chosen], chosen.size),
            feature_names=self.feature_names,
            context_labels=frozen(self.context_labels[chosen]),
            option_labels=frozen(self.option_labels[rows]),
        )
        return part

    def with_reference(
        self,
        *,
        reference: ArrayLike | None = None,
        reference_log_probability: ArrayLike | None = None,
        reference_logits: ArrayLike | None = None,
    ) -> Menu:
        """Return the same menus under another reference policy.

        Parameters
        ----------
        reference, reference_log_probability, reference_logits : array-like of shape (n_options,)
            Exactly one of them, as for the constructor. Available options that have no reference mass now
            may get some.

        Returns
        -------
        Menu

        Raises
        ------
        InvalidParameterError
            If not exactly one of the three is given.
        InvalidDataError
            For a reference that does not sum to one over the available options.
        """
        given = {
            "reference": reference,
            "reference_log_probability": reference_log_probability,
            "reference_logits": reference_logits,
        }
        if all(values is None for values in given.values()):
            raise InvalidParameterError(f"exactly one of {', '.join(given)} must be given")
        part = object.__new__(type(self))
        part._set(**vars(self))
        log_reference = read_reference(given, self.available, self.offsets, self.context_labels)
        part._set(log_reference=frozen(log_reference))
        return part

    def select_features(self, model: Any) -> Matrix:
        """Features in the columns that a model was fitted on.

        Parameters
        ----------
        model : fitted estimator
            Its `feature_names_in_` are looked up by name. Features without names (x0, x1, ...) are
            taken by position.

        Returns
        -------
        array or sparse matrix of shape (n_options, d)

        Warns
        -----
        DataWarning
            If the menu has names and the model has none.
        """
        if self.features is None:
            raise InvalidDataError(
                "menu has no features, which a model needs to score options; build it with features=..., or "
                "pass scores of your own to policy_from_scores"
            )
        wanted = [str(name) for name in getattr(model, "feature_names_in_", ())]
        unnamed = self.feature_names == check_feature_names(None, len(self.feature_names))
        if not wanted and not unnamed:
            warnings.warn(
                f"menu has feature names, but {type(model).__name__} was fitted without: its features are "
                "taken by position; fit to a DataFrame, or to PreferencePairs with names, to have them found",
                DataWarning,
                stacklevel=caller_level(),
            )
        if not wanted or unnamed or list(self.feature_names) == wanted:
            self._require_width(getattr(model, "n_features_in_", len(self.feature_names)))
            return self.features
        missing = [name for name in wanted if name not in self.feature_names]
        if missing:
            raise InvalidDataError(
                f"menu has no feature {missing[0]!r}; the model needs {wanted[:8]}, the menu has "
                f"{list(self.feature_names)[:8]}"
            )
        return self.features[:, [self.feature_names.index(name) for name in wanted]]

    def _require_width(self, n_features: int) -> None:
        if len(self.feature_names) != n_features:
            raise InvalidDataError(
                f"menu has {len(self.feature_names)} features, but the model was fitted on {n_features}: "
                "options need the columns of the fit, in that order"
            )

    # Builders, in a module of their own -----------------------------------------------------------

    from_array = classmethod(from_array)
    from_frame = classmethod(from_frame)


def require_menu(menu: Any) -> Menu:
    """A menu as it is; anything else is refused.

    Parameters
    ----------
    menu : Menu
        As it was passed.
    """
    if isinstance(menu, Menu):
        return menu
    raise InvalidParameterError(
        f"menu must be a Menu, got {type(menu).__name__}; build one with Menu(features, offsets), "
        "Menu.from_array or Menu.from_frame"
    )


def _read_offsets(offsets: ArrayLike | None, contexts: ArrayLike | None) -> tuple[IntArray, AnyArray]:
    """Where contexts begin, and their labels."""
    if (offsets is None) == (contexts is None):
        raise InvalidParameterError("exactly one of offsets and contexts must be given: they say the same")
    if contexts is not None:
        ids = np.asarray(check_ids(contexts, np.asarray(contexts).size, "contexts"))
        starts = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]])) if ids.size else np.zeros(0)
        if starts.size == 0:
            raise InvalidDataError("contexts is empty: at least one option is needed")
        labels = ids[starts.astype(np.intp)]
        if np.unique(labels).size < labels.size:
            raise InvalidDataError(
                "contexts must keep the options of one context next to each other; sort by context, or use "
                "Menu.from_frame, which groups the rows"
            )
        return np.append(starts, ids.size).astype(np.intp), np.asarray(frozen(labels))
    array = np.asarray(offsets)
    if array.ndim != 1 or array.size < 2 or array.dtype.kind not in "iu":
        raise InvalidDataError("offsets must be integers, one more than there are contexts, at least two")
    starts = array.astype(np.intp)
    if starts[0] != 0 or (np.diff(starts) < 1).any():
        raise InvalidDataError("offsets must begin with 0 and increase: every context needs an option")
    return starts, np.asarray(frozen(np.arange(starts.size - 1)))
