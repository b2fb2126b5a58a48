"""`ComplexityDisplay`: local complexity against the radius, and where chance overtakes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from semiindex._types import FloatArray
from semiindex.diagnostics.complexity import local_complexity
from semiindex.diagnostics.richness import IndexComplexity
from semiindex.display.style import COLORS, INK, REFERENCE, plain_log_ticks, prepare_axes, quiet_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ComplexityDisplay"]

#: Radii on either side of the critical one, as a factor.
_SPAN = 20.0


class ComplexityDisplay:
    """How well indices of a size can follow random signs, against the square of the size.

    The critical radius is where the two cross: smaller differences of indices are of the size of what
    chance does to a fit. Use `from_complexity`; the constructor takes computed values.

    Parameters
    ----------
    radii, formula : array of shape (m,)
        Root mean squares, and the local complexity by formula.
    critical_radius : float
        Where the formula equals the square.
    monte_carlo, monte_carlo_error : float
        Complexity by random signs at the critical radius, and its standard error.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        After `plot`.
    line_, square_ : matplotlib lines
        After `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import ComplexityDisplay, KnownLinkPolicy, index_complexity
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 3))
    >>> y = rng.random(500) < 1 / (1 + np.exp(-X @ [1.0, -1.0, 0.5]))
    >>> display = ComplexityDisplay.from_complexity(index_complexity(KnownLinkPolicy().fit(X, y), X)).plot()
    >>> round(display.critical_radius, 2)
    0.11
    """

    def __init__(
        self,
        radii: FloatArray,
        formula: FloatArray,
        *,
        critical_radius: float,
        monte_carlo: float,
        monte_carlo_error: float,
    ) -> None:
        self.radii = radii
        self.formula = formula
        self.critical_radius = critical_radius
        self.monte_carlo = monte_carlo
        self.monte_carlo_error = monte_carlo_error

    @classmethod
    def from_complexity(cls, complexity: IndexComplexity) -> Self:
        """Take the numbers of a class of indices.

        Parameters
        ----------
        complexity : IndexComplexity
            Result of `index_complexity`.

        Returns
        -------
        ComplexityDisplay
        """
        critical = complexity.critical_radius
        radii = np.geomspace(critical / _SPAN, critical * _SPAN, 81)
        formula = [
            local_complexity(
                complexity.eigenvalues, complexity.n_comparisons, float(delta), radius=complexity.radius
            )
            for delta in radii
        ]
        return cls(
            radii,
            np.array(formula),
            critical_radius=critical,
            monte_carlo=complexity.monte_carlo,
            monte_carlo_error=complexity.monte_carlo_error,
        )

    def plot(self, ax: Axes | None = None) -> ComplexityDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ComplexityDisplay
            Itself.
        """
        self.ax_, self.figure_ = prepare_axes(ax, (5.6, 4.2))
        ax = self.ax_
        (self.line_,) = ax.plot(
            self.radii, self.formula, color=COLORS[0], lw=2.0, label="complexity, by formula"
        )
        ax.errorbar(
            self.critical_radius,
            self.monte_carlo,
            yerr=2 * self.monte_carlo_error,
            fmt="o",
            ms=6,
            mfc="white",
            mew=1.4,
            color=COLORS[0],
            label="by random signs (two standard errors)",
        )
        (self.square_,) = ax.plot(
            self.radii, self.radii**2, color=REFERENCE, ls=(0, (5, 2)), lw=1.6, label="square of the radius"
        )
        ax.axvline(
            self.critical_radius,
            color=INK,
            lw=0.8,
            ls=":",
            label=f"critical radius: {self.critical_radius:.2g}",
        )
        ax.set(xscale="log", yscale="log")
        for axis in (ax.xaxis, ax.yaxis):
            plain_log_ticks(axis)
        ax.set_xlabel("Radius: root mean square of the difference of two indices")
        ax.set_ylabel("Local Rademacher complexity")
        quiet_legend(ax, loc="upper left")
        return self
