"""Whether the index puts wins above losses among comparisons that it was not fitted to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from semiindex.diagnostics.held_out import held_out_folds
from semiindex.diagnostics.refits import RefitData
from semiindex.diagnostics.roc_area import Discrimination, auc_interval

__all__ = ["held_out_discrimination"]


def held_out_discrimination(
    model: Any, data: RefitData, *, n_folds: int = 5, random_state: int = 0
) -> Discrimination:
    """Area under the ROC curve of cross-validated predictions.

    Parameters
    ----------
    model : estimator
        Is cloned and fitted to every set of training folds.
    data : RefitData
        Its data; what belongs together is held out together.
    n_folds : int, default=5
        Largest number of folds.
    random_state : int, default=0
        Seed of the folds.

    Returns
    -------
    Discrimination
        Of predicted probabilities, which are on one scale over the folds, as indices need not be. For
        an antisymmetric model of the sample and its mirror image, as in `discrimination`.

    Raises
    ------
    InvalidDataError
        If there is nothing to hold out.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy
    >>> from semiindex.diagnostics.held_out_order import held_out_discrimination
    >>> from semiindex.diagnostics.refits import RefitData
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = rng.random(1000) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> result = held_out_discrimination(KnownLinkPolicy().fit(X, y), RefitData.read(X, y, None, None))
    >>> result.in_sample, 0.7 < result.auc < 0.9
    (False, True)
    """
    folds = held_out_folds(data.codes, n_folds, random_state)
    probability, z = np.empty(data.y.size), np.empty(data.y.size)
    for fold in range(int(folds.max()) + 1):
        test = np.flatnonzero(folds == fold)
        fresh = data.fit(model, np.flatnonzero(folds != fold))
        probability[test] = fresh.predict_proba(data.X[test])[:, 1]
        z[test] = data.y[test] == fresh.classes_[1]
    grouped = int(data.codes.max()) + 1 < data.codes.size
    if not model.antisymmetric:
        groups = data.codes if grouped else None
        return auc_interval(z, probability, groups=groups, sample_weight=data.weight)
    found = auc_interval(
        np.append(z, 1 - z),
        np.append(probability, 1 - probability),
        groups=np.tile(data.codes, 2),  # a comparison and its mirror image say the same
        sample_weight=np.tile(data.weight, 2),
    )
    return replace(found, n_clusters=found.n_clusters if grouped else None, doubled=True)
