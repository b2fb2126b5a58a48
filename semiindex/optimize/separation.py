"""Separated data: an index that orders every comparison without error.

*Complete* separation: some index has every informative comparison on the right side. Every monotone
link then fits perfectly, and the data do not choose among the separating directions. *Quasi-complete*
separation: some direction is never contradicted. The likelihood of a known link then has its
supremum at infinity (Albert & Anderson 1984; the linear program is Konis's 2007).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from semiindex._types import FloatArray
from semiindex.optimize.fit import IndexSample

__all__ = ["is_quasi_separated", "separates", "uncontradicted_direction"]

#: Largest number of entries of the linear program: above it the check would outlast the fit.
_PROGRAM_ENTRIES = 2_000_000


def separates(sample: IndexSample, t: FloatArray) -> bool:
    """Whether the index puts every comparison that it can move on the side of its label.

    Parameters
    ----------
    sample : IndexSample
        Labels and design.
    t : array of shape (n,)
        Index, any shift of the link included.
    """
    margin = np.where(sample.z == 1, t, np.where(sample.z == 0, -t, -np.abs(t)))
    if float(margin.min()) < 0 or float(margin.max()) <= 0:
        return False
    touching = np.flatnonzero(margin == 0)
    return touching.size == 0 or not sample.design.rows(touching).any()


def is_quasi_separated(sample: IndexSample) -> bool | None:
    """Whether some direction is never contradicted by a label.

    Parameters
    ----------
    sample : IndexSample
        Labels and design.

    Returns
    -------
    bool or None
        None where the linear program of `uncontradicted_direction` would be too large.
    """
    if sample.z.size * sample.design.n_parameters > _PROGRAM_ENTRIES:
        return None
    return uncontradicted_direction(sample) is not None


def uncontradicted_direction(sample: IndexSample) -> FloatArray | None:
    """A direction of the parameters that no label contradicts, if there is one.

    Solves ``max sum_i s_i a_i' d`` subject to ``s_i a_i' d >= 0`` for rows of one label and
    ``a_i' d = 0`` for rows with both, ``-1 <= d <= 1``: positive if and only if separated.

    Parameters
    ----------
    sample : IndexSample
        Labels and design.

    Returns
    -------
    array of shape (r,) or None
        In the coordinates of the design.
    """
    rows = sample.design.rows(slice(None))
    pure = (sample.z == 0) | (sample.z == 1)
    signed = (2 * sample.z[pure] - 1)[:, None] * rows[pure]
    if signed.shape[0] == 0:
        return None
    mixed = rows[~pure]
    solution = linprog(
        -signed.sum(axis=0),
        A_ub=-signed,
        b_ub=np.zeros(signed.shape[0]),
        A_eq=mixed if mixed.size else None,
        b_eq=np.zeros(mixed.shape[0]) if mixed.size else None,
        bounds=(-1, 1),
        method="highs",
    )
    found = solution.status == 0 and -float(solution.fun or 0.0) > 1e-7 * np.abs(signed).sum()
    return np.asarray(solution.x) if found else None
