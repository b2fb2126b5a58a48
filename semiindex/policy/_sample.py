"""From checked input to the canonical, whitened sample of the drivers, with what was noticed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from semiindex._types import FloatArray, IntArray, is_sparse
from semiindex.exceptions import IdentificationWarning, InvalidDataError, caller_level
from semiindex.index.base import Design, IndexClass
from semiindex.index.centring import CentredDesign, centred
from semiindex.index.feature_design import FeatureDesign
from semiindex.index.linear import LinearIndex
from semiindex.index.whitening import WhitenedDesign, whiten, without_constant
from semiindex.objective.base import Objective
from semiindex.objective.grouped import GroupedObjective
from semiindex.optimize.canonical import canonicalize, is_small
from semiindex.optimize.fit import IndexSample
from semiindex.optimize.preconditioner import thinned_rows
from semiindex.policy._reading import FitInput, encode_groups

__all__ = ["PreparedSample", "prepare"]

#: Column magnitudes beyond these bounds are rescaled before they are squared.
_SMALLEST, _LARGEST = 1e-100, 1e100
#: Share of a ridge in the curvature of a parameter, to that of the data, beyond which a double cannot
#: hold both (and the coefficient is 0 for every purpose).
_MOST_RIDGE = 1e10
#: A feature with at most this number of distinct differences counts as discrete.
_DISCRETE_VALUES = 20


@dataclass(frozen=True)
class PreparedSample:
    """Sample of the drivers and the way back to the features.

    Attributes
    ----------
    sample : IndexSample
        Whitened design, labels, weights. Where the link absorbs location the design is centred.
    column_scale : array of shape (d,) or None
        Factors of the features in that design (powers of two), None where all are one.
    link_classes : array of shape (m,) of int or None
        Class of raters of every row of the sample.
    group_levels : array or None
        The classes of raters.
    strata : array of shape (m,) of int or None
        What else kept equal comparisons apart.
    notes : tuple of str
        What a reader of the results should know about the data.
    """

    sample: IndexSample
    column_scale: FloatArray | None
    link_classes: IntArray | None
    group_levels: Any
    strata: IntArray | None
    notes: tuple[str, ...]

    def theta(self, phi: FloatArray) -> FloatArray:
        """Parameters in the units of the features."""
        theta = self.sample.design.to_theta(phi)
        return theta if self.column_scale is None else theta * self.column_scale

    def location(self, phi: FloatArray) -> float:
        """What the index of the drivers lacks of that of the features: its mean, or nothing."""
        design = self.sample.design
        return design.location(phi) if isinstance(design, CentredDesign) else 0.0

    def with_ridge(self, ridge: float) -> PreparedSample:
        """The same sample in the coordinates of another (positive) ridge; nothing is factorised again."""
        current, design = self.sample.design, self.sample.design.design
        if not isinstance(design, FeatureDesign):
            return self
        coordinates = design.ridge_coordinates(ridge)
        if isinstance(current, CentredDesign):
            coordinates = CentredDesign.of(coordinates, self.sample.weight)
        return replace(self, sample=replace(self.sample, design=coordinates))

    def objective(self, make: Callable[[], Objective]) -> Objective:
        """The objective of the sample: one, or one for every class of raters."""
        return make() if self.link_classes is None else GroupedObjective.build(make, self.link_classes)


def prepare(
    data: FitInput,
    index: IndexClass,
    *,
    antisymmetric: bool,
    free_location: bool,
    ridge: float = 0.0,
    strata: IntArray | None = None,
) -> PreparedSample:
    """Canonical form, design and whitening of a sample.

    With `free_location` the link absorbs a shift of the index, so that the index is held at mean 0: a
    constant added to a feature then changes nothing that a fit sees.

    Equal comparisons are merged, except those of two classes of raters or of two strata.

    Warns of features without variation within comparisons, of collinear ones, of more features
    than comparisons, and of a combination of features that is constant beside a free position
    effect: the answer is then the least-norm one. A ridge chooses among those itself, so that only
    features without variation are worth a warning.
    """
    penalised = ridge > 0
    levels = None if data.link_groups is None else np.unique(data.link_groups)
    codes = None if levels is None else encode_groups(data.link_groups, levels)  # type: ignore[arg-type]
    kept_apart = _crossed(codes, strata)
    pairs, z, weight = data.pairs, data.z, data.weight
    notes = [*data.assumptions]
    column_scale = None
    if isinstance(index, LinearIndex):
        matrix = getattr(pairs, "differences", pairs)
        small = is_small(*matrix.shape)
        if small and is_sparse(matrix):
            matrix = matrix.toarray()
        notes += _describe(matrix, weight)
        if small:
            dense = np.asarray(matrix, dtype=np.float64)
            merged = canonicalize(dense, z, weight, kept_apart, antisymmetric=antisymmetric)
            matrix, z, weight, kept_apart = merged.differences, merged.z, merged.weight, merged.classes
        largest = _column_maximum(matrix)
        if penalised:
            _require_units(largest, ridge, data.feature_names)
        pairs, column_scale = _tame(matrix, largest)
    whitened, null = _coordinates(index.fit_design(pairs), weight, ridge)
    constant = None
    if free_location:
        whitened, constant = _about_mean(whitened, weight, penalised=penalised)
    if whitened.n_parameters == 0:
        raise InvalidDataError(
            "X: no feature differs between the two options of any comparison, so that there is nothing to "
            "learn; check that the columns of option 0 and option 1 are not the same"
        )
    names = index.parameter_names(data.feature_names)
    messages = _rank_messages(whitened, null, names, penalised=penalised)
    if constant is not None and whitened.design.n_parameters <= whitened.design.n_rows:
        messages.append(_constant_message(constant, names))
    for message in messages:
        warnings.warn(message, IdentificationWarning, stacklevel=caller_level())
    notes += messages
    codes = kept_apart
    if kept_apart is not None and strata is not None:
        codes, strata = np.divmod(kept_apart, int(strata.max()) + 1)
    sample = IndexSample(whitened, z, weight)
    classes = None if levels is None else codes
    return PreparedSample(sample, column_scale, classes, levels, strata, tuple(notes))


def _crossed(classes: IntArray | None, strata: IntArray | None) -> IntArray | None:
    """One number for every class of raters and stratum."""
    if strata is None:
        return classes
    return strata if classes is None else classes * (int(strata.max()) + 1) + strata


def _coordinates(design: Design, weight: FloatArray, ridge: float) -> tuple[WhitenedDesign, FloatArray]:
    """Coordinates of the fit, and the directions without variation that they leave out."""
    if isinstance(design, FeatureDesign):  # a rich class: directions are many, and mean nothing one by one
        return design.ridge_coordinates(ridge), np.zeros((design.n_parameters, 0))
    return whiten(design, weight, least_norm="penalty" if ridge > 0 else "spread")


def _about_mean(
    whitened: WhitenedDesign, weight: FloatArray, *, penalised: bool
) -> tuple[WhitenedDesign, FloatArray | None]:
    """Coordinates of an index of mean 0, and the direction that they leave out as it moves every index alike.

    A ridge rules that direction itself.
    """
    if isinstance(whitened.design, FeatureDesign):  # its coordinates are those of the ridge
        return CentredDesign.of(whitened, weight), None
    constant = None
    if not penalised:
        whitened, constant = without_constant(whitened, weight)
    return centred(whitened, weight), constant


def _require_units(largest: FloatArray, ridge: float, names: tuple[str, ...]) -> None:
    """Refuse a ridge on features in whose units it means nothing, or everything."""
    with np.errstate(over="ignore", divide="ignore"):
        odd = (largest > _LARGEST) | ((ridge / largest**2 > _MOST_RIDGE) & (largest > 0))
    if odd.any():
        shown = ", ".join(f"{names[j]!r} (up to {largest[j]:.2g})" for j in np.flatnonzero(odd)[:6])
        raise InvalidDataError(
            f"ridge={ridge:g} is in the units of the features, and means nothing for features of this "
            f"magnitude: {shown}. Rescale them, for example with StandardScaler(with_mean=False)"
        )


def _tame(matrix: Any, largest: FloatArray) -> tuple[Any, FloatArray | None]:
    """Rescale columns whose squares would overflow or vanish, by powers of two."""
    wild = (largest > _LARGEST) | ((largest < _SMALLEST) & (largest > 0))
    if not wild.any():
        return matrix, None
    exponent = np.where(wild, -np.frexp(np.where(wild, largest, 1.0))[1], 0)
    scale = np.ldexp(1.0, np.clip(exponent, -1022, 1022))
    scaled = matrix @ sp.diags_array(scale) if is_sparse(matrix) else matrix * scale
    return scaled, scale


def _column_maximum(matrix: Any) -> FloatArray:
    """Largest absolute value of every column, without a copy of the matrix."""
    if is_sparse(matrix):
        return np.asarray(abs(matrix).max(axis=0).todense(), dtype=np.float64).ravel()
    return np.asarray(np.maximum(matrix.max(axis=0), -matrix.min(axis=0)), dtype=np.float64)


def _describe(matrix: Any, weight: FloatArray) -> list[str]:
    """Notes on comparisons of an option with itself and on discrete features."""
    if is_sparse(matrix):
        same = float(np.sum(weight[np.asarray((matrix != 0).sum(axis=1)).ravel() == 0]))
        return [_self_note(same)] if same else []
    candidates = np.flatnonzero(matrix[:, 0] == 0)  # a pass over one column instead of all, as a rule
    same = float(np.sum(weight[candidates[~matrix[candidates].any(axis=1)]]))
    notes = [_self_note(same)] if same else []
    part = matrix[thinned_rows(matrix.shape[0], 20_000)]
    if np.sum(weight) > 5 * _DISCRETE_VALUES and all(
        np.unique(part[:, j]).size <= _DISCRETE_VALUES for j in range(part.shape[1])
    ):
        notes.append(
            "All feature differences are discrete: a free link identifies a set of coefficients (all that "
            "order the comparisons alike), and the choice within it rests on the smoothness of the link."
        )
    return notes


def _self_note(count: float) -> str:
    return (
        f"{count:g} comparison{'' if count == 1 else 's'} of an option with itself: valid, "
        "informative on the link at 0 only, not on the coefficients."
    )


def _rank_messages(
    whitened: WhitenedDesign, null: FloatArray, names: tuple[str, ...], *, penalised: bool
) -> list[str]:
    """What to say of directions without variation."""
    d = whitened.design.n_parameters
    if d > whitened.design.n_rows:
        message = (
            f"There are more features ({d}) than different comparisons ({whitened.design.n_rows}): many "
            "coefficient vectors fit equally well and the one of least norm (in units of each feature's "
            "spread) is reported. Collect more comparisons, drop features, or set ridge > 0."
        )
        return [] if penalised else [message]
    constant = [names[j] for j in np.flatnonzero(~whitened.basis.reshape(d, -1).any(axis=1))]
    messages = []
    if constant:
        have = "these features have" if len(constant) > 1 else "this feature has"
        messages.append(
            f"No comparison varies in {_listed(constant)}: {have} the same value in both options of "
            "every comparison, and coefficient 0. Drop or interact (a property of the person matters "
            "only through an interaction with one of the options)."
        )
    collinear = null.shape[1] - len(constant)
    if collinear > 0 and not penalised:
        loading = np.abs(null).max(axis=1)
        involved = [names[j] for j in range(d) if loading[j] > 1e-6 and names[j] not in constant]
        messages.append(
            f"The features {_listed(involved)} are collinear in the comparisons ({collinear} exact linear "
            f"relation{'s' if collinear > 1 else ''}): their separate coefficients are not identified, and "
            "those of least norm are reported. Drop one of them."
        )
    return messages


def _constant_message(direction: FloatArray, names: tuple[str, ...]) -> str:
    involved = [names[j] for j in np.flatnonzero(direction > 1e-6)]
    which = "The feature" if len(involved) == 1 else "A combination of the features"
    return (
        f"{which} {_listed(involved)} is the same in every comparison. With antisymmetric=False the position "
        "effect cannot be told from it: the coefficients of least norm are reported. Drop one of them, "
        "or use antisymmetric=True."
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:6]))
    return shown + (f" and {len(names) - 6} more" if len(names) > 6 else "")
