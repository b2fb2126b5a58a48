"""Separation of a sample, and the direction that no label contradicts."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import SemiindexWarning
from semiindex.index.linear import LinearIndex
from semiindex.index.shift import ShiftedDesign
from semiindex.inference.sample import InferenceSample
from semiindex.link.parametric import LogisticLink
from semiindex.objective.known_link import KnownLinkObjective
from semiindex.optimize.fit import IndexSample
from semiindex.optimize.separable import fit_separable
from semiindex.optimize.separation import uncontradicted_direction
from semiindex.policy._reading import FitInput
from semiindex.policy._sample import PreparedSample, prepare

__all__ = ["Separation", "distinct_sample", "separation_of"]

#: Entries above which the linear program for separation would outlast the rest.
_PROGRAM_ENTRIES = 2_000_000


@dataclass(frozen=True, eq=False)
class Separation:
    """Whether some direction is never contradicted by a label.

    Attributes
    ----------
    kind : {"none", "quasi-complete", "complete"}
        "complete": it orders every comparison rightly.
    theta : array of shape (d,)
        The direction, in the units of the features; 0 without separation.
    shift : float
        What the position adds to it.
    """

    kind: Literal["none", "quasi-complete", "complete"]
    theta: FloatArray
    shift: float = 0.0


def distinct_sample(sample: InferenceSample, *, antisymmetric: bool) -> PreparedSample:
    """The sample as a fit sees it: equal comparisons merged, in whitened coordinates.

    Parameters
    ----------
    sample : InferenceSample
        The data.
    antisymmetric : bool
        Whether a comparison and its mirror image are one.
    """
    data = FitInput(
        sample.differences, sample.z, sample.weight, np.array([0, 1]), None, None, sample.feature_names, ()
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SemiindexWarning)  # the user's fit has said it
        return prepare(data, LinearIndex(), antisymmetric=antisymmetric, free_location=not antisymmetric)


def separation_of(prepared: PreparedSample, *, antisymmetric: bool) -> Separation:
    """Separation of a sample by its features, and by the position where that may have an effect.

    Parameters
    ----------
    prepared : PreparedSample
        Distinct comparisons.
    antisymmetric : bool
        Whether position has no effect.
    """
    tested = prepared.sample
    r = tested.design.n_parameters
    if not antisymmetric:
        tested = IndexSample(ShiftedDesign(tested.design), tested.z, tested.weight)
    fit = fit_separable(tested, KnownLinkObjective(LogisticLink()))
    complete = fit.separation == "complete"
    direction = fit.minimum.x if complete else _uncontradicted(tested)
    if direction is None:
        return Separation("none", np.zeros_like(prepared.theta(np.zeros(r))))
    kind: Literal["quasi-complete", "complete"] = "complete" if complete else "quasi-complete"
    shift = float(direction[r:].sum()) - prepared.location(direction[:r])
    return Separation(kind, prepared.theta(direction[:r]), shift)


def _uncontradicted(sample: IndexSample) -> FloatArray | None:
    if sample.z.size * sample.design.n_parameters > _PROGRAM_ENTRIES:
        return None
    return uncontradicted_direction(sample)
