"""`CoefficientDisplay`: coefficients of one or several models, normalised alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from semiindex._types import FloatArray
from semiindex.data import PreferencePairs
from semiindex.display.sample import name_models
from semiindex.display.style import COLORS, INK, MARKERS, QUIET, prepare_axes, quiet_legend
from semiindex.exceptions import InvalidParameterError
from semiindex.index.linear import LinearDesign
from semiindex.index.normalization import normalize

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CoefficientDisplay"]


class CoefficientDisplay:
    """Coefficients as dots, those of several models side by side under one normalisation.

    Use `from_estimator`; the constructor takes computed values.

    Parameters
    ----------
    feature_names : sequence of str
        Names of the d features.
    coefficients : mapping of str to array of shape (d,)
        Coefficients of every model.
    normalization : str, default=""
        The common normalisation in words.
    per_typical_difference : bool, default=False
        Whether the coefficients are multiplied by the root mean square of the feature's differences.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        After `plot`.
    lines_ : list of matplotlib lines
        The dots of every model, after `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import CoefficientDisplay, KnownLinkPolicy, ProfiledLinkPolicy
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> y = rng.random(500) < 1 / (1 + np.exp(-X @ [1.0, -2.0]))
    >>> models = {"logistic": KnownLinkPolicy().fit(X, y), "free": ProfiledLinkPolicy().fit(X, y)}
    >>> display = CoefficientDisplay.from_estimator(models, normalization="norm")
    >>> float(np.linalg.norm(display.coefficients["free"]).round(6))
    1.0
    >>> ax = display.plot().ax_
    """

    def __init__(
        self,
        feature_names: Sequence[str],
        coefficients: Mapping[str, FloatArray],
        *,
        normalization: str = "",
        per_typical_difference: bool = False,
    ) -> None:
        self.feature_names = tuple(feature_names)
        self.coefficients = dict(coefficients)
        self.normalization = normalization
        self.per_typical_difference = per_typical_difference

    @classmethod
    def from_estimator(cls, model: Any, X: Any = None, *, normalization: str | int = "rms") -> Self:
        """Compute the display of one or several fitted models.

        Parameters
        ----------
        model : fitted estimator, or mapping of str to such
            Models of the same features, by name.
        X : PreferencePairs, array-like, DataFrame or sparse matrix of shape (n, d), default=None
            Comparisons. If given, every coefficient is multiplied by the root mean square of its
            feature's differences, so that features in different units can be compared.
        normalization : {"rms", "norm"}, feature name or column number, default="rms"
            The common normalisation, as in `ProfiledLinkPolicy`.

        Returns
        -------
        CoefficientDisplay
        """
        models = name_models(model)
        names = [summary.feature_names for summary in (one.summary() for one in models.values())]
        if len(set(names)) > 1:
            raise InvalidParameterError("the models have different features; show them one by one")
        typical = 1.0 if X is None else _root_mean_square(X)
        coefficients, description = {}, ""
        for name, one in models.items():
            applied = normalize(normalization, one.coef_, one.index_rms_, names[0])
            coefficients[name] = np.asarray(one.coef_ / applied.divisor * typical, dtype=np.float64)
            description = applied.description
        return cls(names[0], coefficients, normalization=description, per_typical_difference=X is not None)

    def plot(self, ax: Axes | None = None, *, max_features: int = 30) -> CoefficientDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Where to draw; None makes a figure.
        max_features : int, default=30
            Of more features only those with the largest coefficients are drawn; the axis says so.

        Returns
        -------
        CoefficientDisplay
            Itself.
        """
        rows = self._largest(max_features)
        self.ax_, self.figure_ = prepare_axes(ax, (6.4, 1.5 + 0.34 * len(rows)))
        ax = self.ax_
        place = np.arange(len(rows))
        ax.axvline(0, color=INK, lw=0.8)
        ax.hlines(place, *self._range(rows), color=QUIET, lw=0.8, zorder=0)
        spread = np.linspace(-0.14, 0.14, len(self.coefficients)) if len(self.coefficients) > 1 else [0.0]
        self.lines_ = [
            self._draw(ax, k, values[rows], place + spread[k])
            for k, values in enumerate(self.coefficients.values())
        ]
        ax.set_yticks(place, [self.feature_names[j] for j in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel(self._label(len(rows)))
        if len(self.coefficients) > 1:
            n = len(self.coefficients)
            quiet_legend(ax, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=n, borderaxespad=0.2)
        return self

    def _draw(self, ax: Axes, k: int, values: FloatArray, place: FloatArray) -> Any:
        (line,) = ax.plot(
            values,
            place,
            ls="none",
            marker=MARKERS[k % len(MARKERS)],
            ms=6.5,
            color=COLORS[k % len(COLORS)],
            mec="white",
            mew=0.6,
            label=list(self.coefficients)[k],
            clip_on=False,
        )
        return line

    def _largest(self, limit: int) -> list[int]:
        """Positions of the features to draw, in their own order."""
        size = np.max([np.abs(values) for values in self.coefficients.values()], axis=0)
        return [int(j) for j in np.sort(np.argsort(-size, kind="stable")[:limit])]

    def _range(self, rows: list[int]) -> tuple[float, float]:
        values = np.concatenate([[0.0], *(v[rows] for v in self.coefficients.values())])
        margin = 0.06 * float(np.ptp(values)) or 1.0
        return float(values.min()) - margin, float(values.max()) + margin

    def _label(self, n_shown: int) -> str:
        label = "Coefficient"
        if self.per_typical_difference:
            label = "Coefficient × typical difference of the feature"
        if self.normalization:
            label += f"\nscale: {self.normalization}"
        hidden = len(self.feature_names) - n_shown
        return f"{label}\n({hidden} features with smaller coefficients are not shown)" if hidden else label


def _root_mean_square(X: Any) -> FloatArray:
    """Root mean square of every feature's differences."""
    matrix = X if isinstance(X, PreferencePairs) or hasattr(X, "tocsr") else np.asarray(X, dtype=np.float64)
    n_rows = matrix.shape[0]
    weight = getattr(X, "weights", None)
    weight = np.ones(n_rows) if weight is None else weight
    design = LinearDesign(getattr(matrix, "differences", matrix))
    return np.sqrt(design.column_mean_square(weight))
