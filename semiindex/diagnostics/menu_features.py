"""Features of the options of a menu, as a dense matrix in the columns of a fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.policy._reading import check_options
from semiindex.policy.menu import Menu

__all__ = ["read_menu"]


def read_menu(model: Any, menu: Any) -> FloatArray:
    """Features of the options of a menu.

    Parameters
    ----------
    model : fitted estimator
        Whose columns the menu must have.
    menu : Menu
        With features.

    Returns
    -------
    array of shape (n_options, d)

    Raises
    ------
    InvalidParameterError
        If it is no menu.
    InvalidDataError
        If the menu has no features, or not those of the fit.
    """
    if not isinstance(menu, Menu):
        raise InvalidParameterError(f"menu must be a Menu, got {type(menu).__name__}")
    matrix = check_options(model, menu.select_features(model))
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=np.float64)
