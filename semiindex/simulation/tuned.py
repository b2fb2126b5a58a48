"""`TunedPolicy`: an estimator of which every fit chooses its penalty by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from semiindex._types import FloatArray
from semiindex.policy.base import PreferencePolicy
from semiindex.policy.tuning import tune

__all__ = ["TunedPolicy"]


class TunedPolicy(BaseEstimator):
    """An estimator whose penalty, and other parameters, every fit chooses by held-out log loss.

    `tune` as an estimator, for studies: learners compare fairly if each is at its best by the same
    rule. What it learned is that of the estimator with the parameters chosen.

    Parameters
    ----------
    estimator : PreferencePolicy
        Not changed; its other parameters apply to every fit.
    ridge, gamma : sequence of float, optional
        Penalties, and widths of a kernel index, to choose from; as in `tune`.
    grid : mapping, optional
        Further parameters with their values, as in `tune`.
    cv : int, default=5
        Number of folds.
    random_state : int or None, default=0
        Draws the folds.

    Attributes
    ----------
    best_estimator_ : PreferencePolicy
        Fitted to all data, with the parameters chosen.
    best_params_ : dict
        These parameters.

    See Also
    --------
    tune : The choice alone, with a table of the candidates.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy
    >>> from semiindex.simulation import ComparisonDesign, NormalFeatures, Truth, TunedPolicy
    >>> sample = ComparisonDesign(NormalFeatures(3)).sample(Truth(), 200, np.random.default_rng(0))
    >>> model = TunedPolicy(KnownLinkPolicy(), ridge=(0.1, 0.001)).fit(sample.pairs)
    >>> model.best_params_
    {'ridge': 0.001}
    """

    def __init__(
        self,
        estimator: PreferencePolicy,
        *,
        ridge: Sequence[float] | None = None,
        gamma: Sequence[float] | None = None,
        grid: Mapping[str, Sequence[Any]] | None = None,
        cv: int = 5,
        random_state: int | None = 0,
    ) -> None:
        self.estimator = estimator
        self.ridge = ridge
        self.gamma = gamma
        self.grid = grid
        self.cv = cv
        self.random_state = random_state

    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Choose the parameters, and fit with them to all data.

        Parameters
        ----------
        X, y
            As in `PreferencePolicy.fit`.

        Returns
        -------
        TunedPolicy
            Itself.
        """
        result = tune(
            self.estimator,
            X,
            y,
            ridge=self.ridge,
            gamma=self.gamma,
            grid=self.grid,
            cv=self.cv,
            random_state=self.random_state,
        )
        self.best_estimator_ = result.best_estimator
        self.best_params_ = result.best_params
        return self

    @property
    def coef_(self) -> FloatArray:
        """Coefficients of the estimator chosen."""
        return self.best_estimator_.coef_

    @property
    def index_(self) -> Any:
        """Fitted class of indices of the estimator chosen."""
        return self.best_estimator_.index_

    @property
    def index_rms_(self) -> float:
        """Root mean square of the index of the estimator chosen."""
        return self.best_estimator_.index_rms_

    @property
    def link_(self) -> Any:
        """Link of the estimator chosen."""
        return self.best_estimator_.link_

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities of both labels, as the estimator chosen predicts them."""
        return self.best_estimator_.predict_proba(X)

    def score_options(self, options: Any) -> FloatArray:
        """Scores of options, as of the estimator chosen."""
        return self.best_estimator_.score_options(options)
