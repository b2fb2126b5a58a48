"""`QuantitiesDisplay`: what belongs to terms, directions, estimators or factors, one below the other."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.diagnostics.bound_factors import PolicyErrorBound
from semiindex.diagnostics.direction_words import direction_words
from semiindex.diagnostics.estimator_comparison import EstimatorComparison
from semiindex.diagnostics.identifiability import Identification
from semiindex.diagnostics.index_hypothesis import IndexTest
from semiindex.display.style import COLORS, INK, QUIET, REFERENCE, plain_log_ticks, prepare_axes
from semiindex.exceptions import InvalidDataError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["QuantitiesDisplay"]

#: Longest line of a name, and lines of one.
_WIDTH, _LINES = 40, 2
#: Inches of a row, and of marks and axis.
_ROW, _REST = 0.36, 1.3
#: Standard error in degrees from which `identification` calls a direction loose.
_LOOSE = 10.0


class QuantitiesDisplay:
    """Named quantities with intervals, the first on top, and the values that they are compared with.

    Use `from_index_test`, `from_identification`, `from_comparison` or `from_bound`; the constructor takes
    computed values.

    Parameters
    ----------
    names : sequence of str
        Of the k quantities, the first on top.
    values : array of shape (k,)
        Where points stand; infinite ones are drawn as arrows at the end of the axis.
    lower, upper : array of shape (k,), optional
        Ends of the intervals.
    label : str
        Of the axis.
    marks : mapping of str to float, optional
        Values that the quantities are compared with, by what they are.
    highlighted : array of bool, shape (k,), optional
        Quantities to be drawn in the colour of what is questioned.
    notes : sequence of str, optional
        What stands to the right of each.
    logarithmic : bool, default=False
        Whether the axis is.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        After `plot`.
    points_ : list of matplotlib lines
        One per quantity, after `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import KnownLinkPolicy, QuantitiesDisplay, identification
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 3))
    >>> y = rng.random(1000) < 1 / (1 + np.exp(-X @ [1.0, -1.0, 0.5]))
    >>> result = identification(KnownLinkPolicy().fit(X, y), X, y)
    >>> display = QuantitiesDisplay.from_identification(result).plot()
    >>> len(display.points_)
    2
    """

    def __init__(
        self,
        names: Sequence[str],
        values: ArrayLike,
        lower: ArrayLike | None = None,
        upper: ArrayLike | None = None,
        *,
        label: str,
        marks: dict[str, float] | None = None,
        highlighted: ArrayLike | None = None,
        notes: Sequence[str] | None = None,
        logarithmic: bool = False,
    ) -> None:
        self.names = tuple(names)
        self.values: FloatArray = np.asarray(values, dtype=np.float64)
        self.lower: FloatArray | None = None if lower is None else np.asarray(lower, dtype=np.float64)
        self.upper: FloatArray | None = None if upper is None else np.asarray(upper, dtype=np.float64)
        self.label = label
        self.marks = dict(marks or {})
        chosen = np.zeros(len(self.names)) if highlighted is None else highlighted
        self.highlighted = np.asarray(chosen, dtype=bool)
        self.notes = ("",) * len(self.names) if notes is None else tuple(notes)
        self.logarithmic = logarithmic

    @classmethod
    def from_index_test(cls, test: IndexTest, *, n_terms: int = 12) -> Self:
        """Scores of the terms that fit worst, against what the largest of all may be by chance.

        Parameters
        ----------
        test : IndexTest
            Result of `index_test`.
        n_terms : int, default=12
            So many terms at most.

        Returns
        -------
        QuantitiesDisplay
        """
        order = np.argsort(-np.abs(test.scores), kind="stable")[:n_terms]
        hidden = len(test.terms) - order.size
        return cls(
            [test.terms[k] for k in order],
            test.scores[order],
            label="Score in standard errors" + (f" ({hidden} smaller ones are not shown)" if hidden else ""),
            marks={
                "5% of samples of a right index\nhave a score beyond": test.critical_value,
                "": -test.critical_value,
                "no effect": 0.0,
            },
            highlighted=np.abs(test.scores[order]) > test.critical_value,
        )

    @classmethod
    def from_identification(cls, result: Identification) -> Self:
        """Standard errors of the directions, and what the unknown link leaves of the information.

        Parameters
        ----------
        result : Identification
            Result of `identification`.

        Returns
        -------
        QuantitiesDisplay

        Raises
        ------
        InvalidDataError
            Where there are no standard errors: separated data, or a single direction.
        """
        found = result.information
        if found is None:
            raise InvalidDataError(
                "There are no standard errors to show: the data are separated, or there is a single direction"
            )
        notes = [
            "not determined" if np.isinf(error) else f"{error:.1f}" + _left(share, known=found.link_known)
            for error, share in zip(found.errors, found.shares, strict=True)
        ]
        return cls(
            [direction_words(loading, result.feature_names) for loading in found.loadings],
            found.errors,
            label="Standard error of the index towards the direction, degrees",
            marks={"perfectly known": 0.0, "loose": _LOOSE},
            highlighted=found.errors > _LOOSE,
            notes=notes,
        )

    @classmethod
    def from_comparison(cls, comparison: EstimatorComparison) -> Self:
        """Paired differences of held-out losses with their intervals.

        Parameters
        ----------
        comparison : EstimatorComparison
            Result of `compare_estimators`.

        Returns
        -------
        QuantitiesDisplay
        """
        others = [k for k, name in enumerate(comparison.names) if name != comparison.baseline]
        mean, half = comparison.differences.mean(axis=0)[others], comparison.half_widths[others]
        return cls(
            [comparison.names[k] for k in others],
            mean,
            mean - half,
            mean + half,
            label=(
                f"{comparison.loss_name.capitalize()} minus that of {comparison.baseline!r}, held out\n"
                f"(left is better; {comparison.confidence:.0%} intervals)"
            ),
            marks={comparison.baseline: 0.0},
            highlighted=mean + half < 0,
        )

    @classmethod
    def from_bound(cls, bound: PolicyErrorBound) -> Self:
        """The factors of a bound, their result, and what is known without data.

        Parameters
        ----------
        bound : PolicyErrorBound
            Result of `policy_error_bound`.

        Returns
        -------
        QuantitiesDisplay
        """
        factors = bound.factors
        return cls(
            [*(factor.name for factor in factors), "total variation"],
            [*(factor.value for factor in factors), bound.total_variation],
            label="Factor (their product bounds the total variation)",
            marks={"known without data": bound.trivial},
            highlighted=[*(factor is bound.bottleneck for factor in factors), False],
            notes=[
                *(f"{factor.value:.2g}, {factor.kind}" for factor in factors),
                f"{bound.total_variation:.2g}" + ("" if bound.informative else ", no more than without data"),
            ],
            logarithmic=True,
        )

    def plot(self, ax: Axes | None = None) -> QuantitiesDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Where to draw; None makes a figure whose height depends on the number of quantities.

        Returns
        -------
        QuantitiesDisplay
            Itself.
        """
        count = len(self.names)
        self.ax_, self.figure_ = prepare_axes(ax, (8.0, _REST + _ROW * max(count, 3)))
        if self.logarithmic:
            self.ax_.set_xscale("log")
            plain_log_ticks(self.ax_.xaxis)
        for text, value in self.marks.items():
            self._mark(text, value)
        self.points_ = [self._draw(k) for k in range(count)]
        self.ax_.set_yticks(range(count), [_wrapped(name) for name in self.names])
        self.ax_.set_ylim(count - 0.5, -0.5 - 0.9 * bool(self.marks))
        self.ax_.tick_params(axis="y", length=0)
        self.ax_.spines["left"].set_visible(False)
        self.ax_.set_xlabel(self.label)
        return self

    def _mark(self, text: str, value: float) -> None:
        self.ax_.axvline(value, color=INK, lw=0.8, ls=":", zorder=0)
        self.ax_.annotate(
            text,
            (value, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(4, -2),
            textcoords="offset points",
            va="top",
            fontsize="small",
            color=INK,
        )

    def _draw(self, k: int) -> object:
        color = REFERENCE if self.highlighted[k] else COLORS[0]
        self.ax_.axhline(k, color=QUIET, lw=0.6, zorder=0)
        if self.lower is not None and self.upper is not None:
            self.ax_.plot([self.lower[k], self.upper[k]], [k, k], color=color, lw=1.6)
        style: dict[str, Any] = {"ms": 6, "mfc": "white", "mew": 1.4, "color": color, "clip_on": False}
        if np.isinf(self.values[k]):
            (point,) = self.ax_.plot(1.0, k, ">", transform=self.ax_.get_yaxis_transform(), **style)
        else:
            (point,) = self.ax_.plot(self.values[k], k, "o", **style)
        self.ax_.annotate(
            self.notes[k],
            (1.0, k),
            xycoords=("axes fraction", "data"),
            xytext=(10, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            color=INK,
            annotation_clip=False,
        )
        return point


def _left(share: float, *, known: bool) -> str:
    """What not knowing the link leaves of the information; nothing for a link that is known."""
    return "" if known else f" ({100 * share:.0f}% of the information left)"


def _wrapped(name: str) -> str:
    """A long name on two lines, shortened where they do not hold it."""
    lines = textwrap.wrap(name, _WIDTH, max_lines=_LINES, placeholder=" ...")
    return "\n".join(lines) or name
