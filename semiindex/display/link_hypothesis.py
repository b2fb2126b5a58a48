"""`LinkTestDisplay`: the estimated link with a band for the whole of it, against the known one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.diagnostics.evidence import p_words
from semiindex.diagnostics.link_hypothesis import LinkTest, link_test
from semiindex.display.style import COLORS, QUIET, REFERENCE, prepare_axes, quiet_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LinkTestDisplay"]


class LinkTestDisplay:
    """Estimated link with a simultaneous band, and the known link that was tested.

    Where the known link leaves the band the two differ by more than chance explains: the band holds the
    whole link with its probability, not every point by itself.

    Use `from_test` or `from_estimator`; the constructor takes computed values.

    Parameters
    ----------
    index : array of shape (m,)
        Grid on the axis of the index.
    probability, lower, upper : arrays of shape (m,)
        Estimated link and its band.
    known : array of shape (m,)
        The known link, its scale (and shift) fitted to the same index.
    name : str
        The known link in words.
    p_value : float
        Of the test.
    n_draws : int, default=499
        Bootstrap draws behind it: a p-value is not told more finely than they allow.
    level : float, default=0.95
        Confidence level of the band.
    scale : str, default=""
        What the unit of the index is, in words.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        After `plot`.
    line_, known_line_, band_ : matplotlib artists
        After `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import LinkTestDisplay, ProfiledLinkPolicy
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> y = rng.random(500) < 0.2 + 0.6 * (X @ [0.6, -0.8] > 0)
    >>> display = LinkTestDisplay.from_estimator(ProfiledLinkPolicy().fit(X, y), X, y, method="score")
    >>> bool(np.all(display.lower <= display.probability))
    True
    >>> ax = display.plot().ax_
    """

    def __init__(
        self,
        index: FloatArray,
        probability: FloatArray,
        lower: FloatArray,
        upper: FloatArray,
        known: FloatArray,
        *,
        name: str,
        p_value: float,
        n_draws: int = 499,
        level: float = 0.95,
        scale: str = "",
    ) -> None:
        self.index = index
        self.probability = probability
        self.lower = lower
        self.upper = upper
        self.known = known
        self.name = name
        self.p_value = p_value
        self.n_draws = n_draws
        self.level = level
        self.scale = scale

    @classmethod
    def from_test(cls, test: LinkTest) -> Self:
        """The picture of a test.

        Parameters
        ----------
        test : LinkTest
            Result of `link_test`.

        Returns
        -------
        LinkTestDisplay
        """
        band = test.band
        return cls(
            band.t,
            band.probability,
            band.lower,
            band.upper,
            test.known_probability,
            name=test.link,
            p_value=test.p_value,
            n_draws=test.n_draws,
            level=band.level,
            scale=band.scale,
        )

    @classmethod
    def from_estimator(cls, model: Any, X: Any, y: ArrayLike | None = None, **options: Any) -> Self:
        """Run `link_test` and show it.

        Parameters
        ----------
        model : fitted estimator
            Of a linear index, without a ridge.
        X, y
            The data of the fit.
        **options
            Further arguments of `link_test`.

        Returns
        -------
        LinkTestDisplay
        """
        return cls.from_test(link_test(model, X, y, **options))

    def plot(self, ax: Axes | None = None) -> LinkTestDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        LinkTestDisplay
            Itself.
        """
        self.ax_, self.figure_ = prepare_axes(ax, (6.4, 4.4))
        ax = self.ax_
        ax.axhline(0.5, color=QUIET, lw=0.8, zorder=0)
        ax.axvline(0.0, color=QUIET, lw=0.8, zorder=0)
        self.band_: Any = ax.fill_between(
            self.index,
            self.lower,
            self.upper,
            color=COLORS[0],
            alpha=0.2,
            lw=0,
            label=f"{100 * self.level:g}% band for the whole link",
        )
        (self.line_,) = ax.plot(self.index, self.probability, color=COLORS[0], lw=2.2, label="estimated link")
        (self.known_line_,) = ax.plot(
            self.index,
            self.known,
            color=REFERENCE,
            ls=(0, (5, 2)),
            lw=1.6,
            label=f"{self.name} link, same index ({p_words(self.p_value, self.n_draws)})",
        )
        ax.set(xlim=(self.index[0], self.index[-1]), ylim=(0, 1), yticks=np.linspace(0, 1, 6))
        unit = f"\nscale: {self.scale}" if self.scale else ""
        ax.set_xlabel(f"Index: score of option 1 minus score of option 0{unit}")
        ax.set_ylabel("Probability that option 1 is preferred")
        quiet_legend(ax, loc="upper left")
        return self
