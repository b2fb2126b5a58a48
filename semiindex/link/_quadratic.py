"""The quadratic program of a link, stated once in cvxpy and solved for many data sets.

Nothing of cvxpy leaves this module.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
from scipy.linalg import cholesky_banded

from semiindex._types import FloatArray
from semiindex.exceptions import LinkFitError

__all__ = ["GAP_TOLERANCE", "QuadraticProgram", "Side", "multiply"]

#: Clarabel's defaults of 1e-8 leave errors of 4e-4 in the values.
_FEASIBILITY_TOLERANCE = 1e-12
GAP_TOLERANCE = 1e-14


@dataclass(frozen=True)
class Side:
    """Right-hand side of the inequalities, and the bounds in it."""

    vector: FloatArray
    low: float
    high: float


class QuadraticProgram:
    """``min v'Gv - 2 m'v`` over ``A v <= b``: the only place that handles cvxpy's objects and statuses.

    G is pentadiagonal and given by its upper bands. Its Cholesky factor R is the parameter, since
    cvxpy's rules for fast repetition demand that parameters enter ``||R v||^2`` linearly.
    """

    def __init__(self, matrix: Any, antisymmetric: bool, solver: str) -> None:
        self._matrix = matrix
        self._antisymmetric = antisymmetric
        self._solver = solver

    @cached_property
    def _problem(self) -> tuple[Any, Any, Any, dict[str, Any]]:
        """Problem, variable, inequality and parameters."""
        cp = _cvxpy()
        rows, m = self._matrix.shape
        values = cp.Variable(m)
        parameters = {"side": cp.Parameter(rows), "moment": cp.Parameter(m), "factor0": cp.Parameter(m)}
        residual = cp.multiply(parameters["factor0"], values)
        for offset in range(1, min(3, m)):
            factor = parameters[f"factor{offset}"] = cp.Parameter(m - offset)
            residual += cp.hstack([cp.multiply(factor, values[offset:]), np.zeros(offset)])
        inequality = self._matrix @ values <= parameters["side"]
        problem = cp.Problem(
            cp.Minimize(cp.sum_squares(residual) - 2 * (parameters["moment"] @ values)),
            [inequality, values[0] == 0.5] if self._antisymmetric else [inequality],
        )
        return problem, values, inequality, parameters

    def solve(self, bands: FloatArray, moment: FloatArray, side: Side) -> tuple[FloatArray, FloatArray]:
        """Solution and multipliers of the inequalities."""
        problem, values, inequality, parameters = self._problem
        factor = cholesky_banded(bands)
        parameters["side"].value = side.vector
        parameters["moment"].value = moment
        for offset in range(min(3, moment.size)):
            parameters[f"factor{offset}"].value = factor[2 - offset, offset:]
        tolerances = {
            "tol_gap_abs": GAP_TOLERANCE,
            "tol_gap_rel": GAP_TOLERANCE,
            "tol_feas": _FEASIBILITY_TOLERANCE,
        }
        try:
            with warnings.catch_warnings():
                # "Solution may be inaccurate" is said of results exact to 1e-9: the gap decides.
                warnings.simplefilter("ignore")
                problem.solve(solver=self._solver, **(tolerances if self._solver == "CLARABEL" else {}))
        except (_cvxpy().error.SolverError, ValueError) as error:
            raise LinkFitError(f"the solver {self._solver} failed on the link's program: {error}") from None
        if problem.status not in ("optimal", "optimal_inaccurate", "user_limit") or values.value is None:
            raise LinkFitError(
                f"the solver {self._solver} found no link within [{side.low:g}, {side.high:g}] "
                f"(status {problem.status!r})"
            )
        multipliers = np.maximum(np.asarray(inequality.dual_value, dtype=np.float64), 0.0)
        return np.array(values.value, dtype=np.float64), multipliers


def _cvxpy() -> Any:
    """Module cvxpy, imported where it is first needed: it takes a second, and has no complete types."""
    return import_module("cvxpy")


def multiply(bands: FloatArray, values: FloatArray) -> FloatArray:
    """Product of a symmetric pentadiagonal matrix, given by its upper bands, with a vector."""
    product = bands[2] * values
    for offset in range(1, min(3, values.size)):
        band = bands[2 - offset, offset:]
        product[:-offset] += band * values[offset:]
        product[offset:] += band * values[:-offset]
    return np.asarray(product)
