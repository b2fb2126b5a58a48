"""Gauss-Newton matrix of an objective, the nuisance's share of it removed.

With h the curvature of the loss in the index and D the (whitened) rows of the design, a nuisance
that is profiled out absorbs the mean of D given what it can see: nothing, a constant (a shift of
the link), or the index itself (the link). What is left,

    H = sum_i h_i C_i C_i',      C_i = D_i - E_h[D | nuisance],

approximates the Hessian of the profile objective; for the log loss it is the estimated efficient
information. It preconditions the steps, so that errors in it cost iterations, never accuracy.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from scipy.linalg import eigh

from semiindex._types import FloatArray
from semiindex.index.whitening import WhitenedDesign
from semiindex.objective.base import Evaluation, Objective
from semiindex.optimize.penalty import Penalty

__all__ = ["Preconditioner", "gauss_newton"]

#: Cells of the index axis in which rows are centred; a cell holds at least this many rows.
_MAX_CELLS, _MIN_PER_CELL = 64, 12
#: Curvature below this share of the mean one is raised to it: directions that the data hardly
#: determine get bounded steps.
_FLOOR = 1e-3

Preconditioner = Callable[[FloatArray], FloatArray]


def gauss_newton(
    design: WhitenedDesign,
    objective: Objective,
    evaluation: Evaluation,
    phi: FloatArray,
    t: FloatArray,
    penalty: Penalty,
) -> Preconditioner:
    """Inverse Gauss-Newton matrix as a map on gradients.

    Parameters
    ----------
    design : WhitenedDesign
        Rows of the sample at hand.
    objective : Objective
        Says what is profiled out and whether rows are turned round at t = 0.
    evaluation : Evaluation
        At `t`; gives the curvature.
    phi : array of shape (r,)
        Current parameters; for a scale-free objective curvature along them is supplied.
    t : array of shape (n,)
        Index at `phi`.
    penalty : Penalty
        Added to the objective.

    Returns
    -------
    callable
        ``g -> H^{-1} g``. For a design with more parameters than a matrix should have, the inverse
        mean curvature: whitened columns have unit mean square, so that it is that of every one.
    """
    if design.basis.ndim == 1:
        total = max(float(np.sum(evaluation.curvature())), 1e-12)
        diagonal = total + penalty.diagonal(design)
        return lambda gradient: gradient / diagonal
    rows = design.rows(slice(None))
    curvature = evaluation.curvature()
    if objective.nuisance == "link":
        rows = _centre_by_index(rows, t, curvature, objective)
    elif objective.nuisance == "shift":
        mass = curvature.sum()
        rows = rows - (curvature @ rows / mass if mass > 0 else 0.0)
    weighted = np.sqrt(np.maximum(curvature, 0.0))[:, None] * rows
    matrix = weighted.T @ weighted
    matrix += penalty.matrix(design)
    mean = float(np.trace(matrix)) / max(phi.size, 1)
    if not mean > 0:
        return lambda gradient: gradient
    if objective.scale_free:
        length = float(phi @ phi)
        matrix += mean * np.outer(phi, phi) / length
    eigenvalues, vectors = eigh(matrix)
    inverse = 1.0 / np.maximum(eigenvalues, _FLOOR * mean)
    return lambda gradient: vectors @ (inverse * (vectors.T @ gradient))


def _centre_by_index(
    rows: FloatArray, t: FloatArray, curvature: FloatArray, objective: Objective
) -> FloatArray:
    """Subtract the curvature-weighted mean of the rows in cells of (folded) index values."""
    if objective.antisymmetric:
        rows = np.sign(t)[:, None] * rows
        t = np.abs(t)
    n_cells = int(np.clip(t.size // _MIN_PER_CELL, 1, _MAX_CELLS))
    edges = np.quantile(t, np.arange(1, n_cells) / n_cells)
    cell = np.searchsorted(edges, t)
    if objective.classes is not None:  # every class has a nuisance of its own
        _, cell = np.unique(cell + n_cells * objective.classes, return_inverse=True)
        n_cells = int(cell.max()) + 1
    mass = np.bincount(cell, weights=curvature, minlength=n_cells)
    indicator = sp.csr_array((curvature, cell, np.arange(t.size + 1)), shape=(t.size, n_cells))
    sums = np.asarray(indicator.T @ rows)
    means = np.divide(sums, mass[:, None], out=np.zeros_like(sums), where=mass[:, None] > 0)
    return rows - means[cell]
