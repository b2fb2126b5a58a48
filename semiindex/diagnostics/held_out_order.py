"""What a fit predicts for comparisons that it was not fitted to: their order, and their probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from semiindex.diagnostics.held_out import held_out_folds
from semiindex.diagnostics.predictions import Predictions
from semiindex.diagnostics.refits import RefitData
from semiindex.diagnostics.reliability import Calibration, calibration_of_predictions
from semiindex.diagnostics.roc_area import Discrimination, auc_interval

__all__ = ["held_out_calibration", "held_out_discrimination", "held_out_predictions"]


def held_out_predictions(
    model: Any, data: RefitData, *, n_folds: int = 5, random_state: int = 0
) -> Predictions:
    """Cross-validated predictions.

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
    Predictions
        The probability takes the place of the index too: it is on one scale over the folds, as indices
        need not be.

    Raises
    ------
    InvalidDataError
        If there is nothing to hold out.
    """
    folds = held_out_folds(data.codes, n_folds, random_state)
    probability, z = np.empty(data.y.size), np.empty(data.y.size)
    for fold in range(int(folds.max()) + 1):
        test = np.flatnonzero(folds == fold)
        fresh = data.fit(model, np.flatnonzero(folds != fold))
        probability[test] = fresh.predict_proba(data.X[test])[:, 1]
        z[test] = data.y[test] == fresh.classes_[1]
    grouped = int(data.codes.max()) + 1 < data.codes.size
    return Predictions(probability, probability, z, data.weight, data.codes if grouped else None, False)


def held_out_calibration(model: Any, data: Predictions) -> Calibration:
    """Calibration of cross-validated predictions.

    Parameters
    ----------
    model : estimator
        Says whether comparisons are seen from the favoured option.
    data : Predictions
        From `held_out_predictions`.

    Returns
    -------
    Calibration
        The probabilities of the folds' fits are tested, which had a little less data than the fit.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy
    >>> from semiindex.diagnostics.held_out_order import held_out_calibration, held_out_predictions
    >>> from semiindex.diagnostics.refits import RefitData
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = rng.random(1000) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> model = KnownLinkPolicy().fit(X, y)
    >>> held_out_calibration(model, held_out_predictions(model, RefitData.read(X, y, None, None))).level
    'fine'
    """
    return calibration_of_predictions(data, folded=bool(model.antisymmetric))


def held_out_discrimination(model: Any, data: Predictions) -> Discrimination:
    """Area under the ROC curve of cross-validated predictions.

    Parameters
    ----------
    model : estimator
        Says whether a comparison and its mirror image are the same.
    data : Predictions
        From `held_out_predictions`.

    Returns
    -------
    Discrimination
        For an antisymmetric model of the sample and its mirror image, as in `discrimination`.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy
    >>> from semiindex.diagnostics.held_out_order import held_out_discrimination, held_out_predictions
    >>> from semiindex.diagnostics.refits import RefitData
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = rng.random(1000) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> model = KnownLinkPolicy().fit(X, y)
    >>> result = held_out_discrimination(model, held_out_predictions(model, RefitData.read(X, y, None, None)))
    >>> result.in_sample, 0.7 < result.auc < 0.9
    (False, True)
    """
    z, probability = data.z, data.probability
    if not model.antisymmetric:
        return auc_interval(z, probability, groups=data.clusters, sample_weight=data.weight)
    codes = np.arange(z.size) if data.clusters is None else data.clusters
    found = auc_interval(
        np.append(z, 1 - z),
        np.append(probability, 1 - probability),
        groups=np.tile(codes, 2),  # a comparison and its mirror image say the same
        sample_weight=np.tile(data.weight, 2),
    )
    return replace(found, n_clusters=None if data.clusters is None else found.n_clusters, doubled=True)
