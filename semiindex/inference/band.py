"""A confidence band for the link: probabilities at given index values, by the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.inference.bootstrap import Bootstrap, bootstrap_draws
from semiindex.inference.eligibility import require_eligible
from semiindex.inference.sample import read_sample
from semiindex.link.parametric import ParametricLink
from semiindex.link.piecewise import PiecewiseLinearLink

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LinkBand", "link_band", "require_one_smooth_link"]


@dataclass(frozen=True, eq=False)
class LinkBand:
    """Probabilities at given index values, with pointwise intervals.

    Attributes
    ----------
    t : array of shape (m,)
        Index values, under the normalisation of the fit.
    probability, lower, upper : arrays of shape (m,)
        ``Psi(t)`` and the ends of its intervals.
    level : float
        Confidence level at every t by itself, not of the band as a whole.
    covers : str
        What the intervals cover, in words.
    notes : tuple of str
        How the refits went.
    """

    t: FloatArray
    probability: FloatArray
    lower: FloatArray
    upper: FloatArray
    level: float
    covers: str
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """The band as a DataFrame indexed by t."""
        import pandas as pd

        columns = {"probability": self.probability, "lower": self.lower, "upper": self.upper}
        return pd.DataFrame(columns, index=pd.Index(self.t, name="t"))

    def __str__(self) -> str:
        table = self.to_frame().to_string(float_format=lambda value: f"{value:.4f}")
        lines = [table, f"{100 * self.level:g}% pointwise intervals cover {self.covers}."]
        return "\n".join([*lines, *(f"Note: {note}" for note in self.notes)])


def link_band(
    model: Any,
    X: Any,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    at: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    bootstrap: Bootstrap | None = None,
    level: float = 0.95,
) -> LinkBand:
    """Pointwise intervals for the link at given index values.

    Every bootstrap refit estimates index and link anew, so that the intervals hold the uncertainty of
    both.

    Parameters
    ----------
    model : fitted estimator
        With a smooth link: a spline, or a known link under a normalisation.
    X, y, sample_weight
        The data of the fit.
    at : array-like of shape (m,), optional
        Index values under the normalisation of the fit; by default 21 from the 1% to the 99% point of
        the index (mirrored at 0 for an antisymmetric link).
    groups : array-like of shape (n,), optional
        Clusters, resampled as wholes; by default those that `PreferencePairs` carry.
    bootstrap : Bootstrap, optional
        Draws, seed and jobs; `Bootstrap()` by default.
    level : float, default=0.95
        Confidence level.

    Returns
    -------
    LinkBand

    Raises
    ------
    InvalidParameterError
        For an isotonic link, whose bootstrap is inconsistent (Kosorok 2008; Sen, Banerjee & Woodroofe
        2010), or another one that is not smooth; for classes of raters with links of their own.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import ProfiledLinkPolicy
    >>> from semiindex.inference import Bootstrap, link_band
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 2))
    >>> y = rng.random(400) < 0.2 + 0.6 / (1 + np.exp(-5 * X @ [0.6, -0.8]))
    >>> band = link_band(ProfiledLinkPolicy().fit(X, y), X, y, at=[0.0, 1.0], bootstrap=Bootstrap(n_draws=49))
    >>> bool(band.lower[1] < 0.8 < band.upper[1])
    True
    """
    require_eligible(model, single_feature=True)
    require_one_smooth_link(model)
    _require_estimated(model)
    if not 0 < level < 1:
        raise InvalidParameterError(f"level must lie between 0 and 1, such as 0.95, got {level!r}")
    sample = read_sample(model, X, y, sample_weight, None, groups)
    t = _default_points(sample.t, model.antisymmetric) if at is None else np.asarray(at, dtype=np.float64)
    draws = bootstrap_draws(model, X, y, sample_weight, None, sample, bootstrap or Bootstrap())
    values = np.array([links[0].probability(t) for links in draws.links])
    tail = (1 - level) / 2
    lower, upper = np.quantile(values, [tail, 1 - tail], axis=0)
    covers = f"the probability that option 1 is preferred at index t ({model.normalization_})"
    return LinkBand(t, model.link_.probability(t), lower, upper, level, covers, draws.notes)


def _default_points(t: FloatArray, antisymmetric: bool) -> FloatArray:
    if antisymmetric:
        end = float(np.quantile(np.abs(t), 0.98))
        return np.linspace(-end, end, 21)
    low, high = np.quantile(t, [0.01, 0.99])
    return np.linspace(low, high, 21)


def require_one_smooth_link(model: Any) -> None:
    """Refuse fits whose link the bootstrap does not reproduce, or that have several links.

    Raises
    ------
    InvalidParameterError
        For classes of raters with links of their own, and for links that are not smooth.
    """
    if model.links_ is not None:
        raise InvalidParameterError(
            "The model has a link for every class of raters; fit the classes by themselves for bands of "
            "their links"
        )
    if isinstance(model.link_, PiecewiseLinearLink):
        raise InvalidParameterError(
            "The link is isotonic or piecewise linear: its error at a point is of order n^(-1/3) and not "
            "normal, and the bootstrap does not reproduce it (it is inconsistent there). Fit link='spline' "
            "for a band"
        )


def _require_estimated(model: Any) -> None:
    if isinstance(model.link_, ParametricLink) and model.normalization is None and model.antisymmetric:
        raise InvalidParameterError(
            "The link was assumed, not estimated: there is nothing to bound. Fit it with ProfiledLinkPolicy"
        )
