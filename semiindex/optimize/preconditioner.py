"""Gauss-Newton matrix of an objective, the nuisance's share of it removed.

With h the curvature of the loss in the index and D the (whitened) rows of the design, a link that
is profiled out absorbs the mean of D given the index. What is left,

    H = sum_i h_i C_i C_i',      C_i = D_i - E_h[D | t],

approximates the Hessian of the profile objective; for the log loss it is the estimated efficient
information. It preconditions the steps, so that errors in it cost iterations, never accuracy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.linalg import eigh

from semiindex._types import FloatArray, IntArray
from semiindex.index.whitening import WhitenedDesign
from semiindex.objective.base import Evaluation, Objective
from semiindex.optimize.penalty import Penalty

__all__ = ["GaussNewton", "Preconditioner", "thinned_rows"]

#: Cells of the index axis in which rows are centred; a cell holds at least this many rows.
_MAX_CELLS, _MIN_PER_CELL = 64, 12
#: Curvature below this share of the mean one is raised to it: directions that the data hardly
#: determine get bounded steps.
_FLOOR = 1e-3

Preconditioner = Callable[[FloatArray], FloatArray]


class GaussNewton:
    """Gauss-Newton matrices of one sample, from a bounded number of its rows; see :eq:`information`.

    Parameters
    ----------
    design : WhitenedDesign
        Rows of the sample.
    objective : Objective
        Says what is profiled out and whether rows are turned round at t = 0.
    penalty : Penalty
        Added to the objective.
    max_rows : int, default=20000
        Number of rows, evenly spaced, from which a matrix is formed: with 20,000 it errs by a few
        percent, which costs a fraction of an iteration.
    """

    def __init__(
        self, design: WhitenedDesign, objective: Objective, penalty: Penalty, max_rows: int = 20_000
    ) -> None:
        self._design, self._objective, self._penalty = design, objective, penalty
        self._selection = thinned_rows(design.n_rows, max_rows) if design.n_rows > max_rows else slice(None)

    @cached_property
    def _rows(self) -> FloatArray:
        return self._design.rows(self._selection)

    def at(self, phi: FloatArray, t: FloatArray, evaluation: Evaluation) -> Preconditioner:
        """Inverse Gauss-Newton matrix as a map on gradients.

        Parameters
        ----------
        phi : array of shape (r,)
            Current parameters; for a scale-free objective curvature along them is supplied.
        t : array of shape (n,)
            Index at `phi`.
        evaluation : Evaluation
            At `t`; gives the curvature.

        Returns
        -------
        callable
            ``g -> H^{-1} g``. For a design with more parameters than a matrix should have, the
            inverse mean curvature: whitened columns have unit mean square, so that it is that of
            every one.
        """
        curvature = np.maximum(evaluation.curvature(), 0.0)
        total = float(np.sum(curvature))
        if self._design.basis.ndim == 1:
            diagonal = max(total, 1e-12) + self._penalty.diagonal(self._design)
            return lambda gradient: gradient / diagonal
        curvature, t = curvature[self._selection], t[self._selection]
        part = float(np.sum(curvature))
        matrix = self._matrix(t, curvature * (total / part if part > 0 else 0.0))
        data_mean = float(np.trace(matrix)) / phi.size
        matrix = matrix + self._penalty.matrix(self._design)
        mean = float(np.trace(matrix)) / phi.size
        if not mean > 0:
            return lambda gradient: gradient
        if self._objective.scale_free:
            matrix = matrix + mean * np.outer(phi, phi) / float(phi @ phi)
        # A ridge is in the units of the features, so that its part may exceed that of the data by any
        # factor in some directions: every parameter is measured against its own diagonal entry.
        scale = np.sqrt(np.maximum(np.diag(matrix), _FLOOR * data_mean))
        eigenvalues, vectors = eigh(matrix / np.outer(scale, scale))
        inverse = 1.0 / np.maximum(eigenvalues, _FLOOR)
        return lambda gradient: (vectors @ (inverse * (vectors.T @ (gradient / scale)))) / scale

    def _matrix(self, t: FloatArray, curvature: FloatArray) -> FloatArray:
        """``sum_i h_i C_i C_i'`` over the selected rows."""
        rows = self._rows
        if self._objective.nuisance == "link":
            rows = self._centred(t, curvature)
        weighted = np.sqrt(curvature)[:, None] * rows
        return np.asarray(weighted.T @ weighted)

    def _centred(self, t: FloatArray, curvature: FloatArray) -> FloatArray:
        """Rows minus their curvature-weighted means in cells of (folded) index values."""
        rows = self._rows
        if self._objective.antisymmetric:
            rows = np.where(t < 0, -1.0, 1.0)[:, None] * rows
            t = np.abs(t)
        n_cells = int(np.clip(t.size // _MIN_PER_CELL, 1, _MAX_CELLS))
        cell = np.searchsorted(np.quantile(t, np.arange(1, n_cells) / n_cells), t)
        if self._objective.classes is not None:  # every class has a nuisance of its own
            classes = self._objective.classes[self._selection]
            cell = np.unique(cell + n_cells * classes, return_inverse=True)[1]
            n_cells = int(cell.max()) + 1
        mass = np.bincount(cell, weights=curvature, minlength=n_cells)
        indicator = sp.csr_array((curvature, cell, np.arange(t.size + 1)), shape=(t.size, n_cells))
        sums = np.asarray(indicator.T @ rows)
        means = np.divide(sums, mass[:, None], out=np.zeros_like(sums), where=mass[:, None] > 0)
        return np.asarray(rows - means[cell])


def thinned_rows(n_rows: int, size: int) -> IntArray:
    """Evenly spaced rows: the same subsample in every run, without a random state."""
    return np.linspace(0, n_rows - 1, min(size, n_rows)).astype(np.intp)
