"""`PolicyErrorDisplay`: distances of refitted policies from the learned one, with their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from semiindex._types import FloatArray
from semiindex.diagnostics.policy_interval import PolicyErrorInterval
from semiindex.display.style import COLORS, REFERENCE, prepare_axes, quiet_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PolicyErrorDisplay"]

#: Times the largest distance from which the reference would leave no room for the distances.
_BEYOND = 5.0


class PolicyErrorDisplay:
    """Histogram of the bootstrap's distances, the upper limit, and the distance of the reference.

    Use `from_interval`; the constructor takes computed values.

    Parameters
    ----------
    draws : array of shape (n_draws,)
        Total variation between refitted policies and the learned one.
    upper_limit : float
        One-sided upper limit of the error.
    from_reference : float
        Total variation between the learned policy and the reference.
    confidence : float
        Level of the limit.
    budget : float
        Divergence of the policies from the reference.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        After `plot`.
    bars_ : matplotlib container
        The histogram, after `plot`.
    limit_, reference_ : matplotlib lines
        After `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import Bootstrap, KnownLinkPolicy, Menu, PolicyErrorDisplay, policy_error_interval
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> y = rng.random(500) < 1 / (1 + np.exp(-X @ [1.0, -1.0]))
    >>> menu = Menu.from_array(rng.normal(size=(20, 4, 2)))
    >>> model, few = KnownLinkPolicy().fit(X, y), Bootstrap(n_draws=49)
    >>> result = policy_error_interval(model, X, menu, y, budget=0.1, bootstrap=few)
    >>> display = PolicyErrorDisplay.from_interval(result).plot()
    >>> display.upper_limit == result.upper_limit
    True
    """

    def __init__(
        self,
        draws: FloatArray,
        *,
        upper_limit: float,
        from_reference: float,
        confidence: float,
        budget: float,
    ) -> None:
        self.draws = draws
        self.upper_limit = upper_limit
        self.from_reference = from_reference
        self.confidence = confidence
        self.budget = budget

    @classmethod
    def from_interval(cls, interval: PolicyErrorInterval) -> Self:
        """Take the numbers of an estimate.

        Parameters
        ----------
        interval : PolicyErrorInterval
            Result of `policy_error_interval`.

        Returns
        -------
        PolicyErrorDisplay
        """
        return cls(
            interval.draws[:, 0],
            upper_limit=interval.upper_limit,
            from_reference=interval.from_reference,
            confidence=interval.confidence,
            budget=interval.budget,
        )

    def plot(self, ax: Axes | None = None) -> PolicyErrorDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        PolicyErrorDisplay
            Itself.
        """
        self.ax_, self.figure_ = prepare_axes(ax, (6.0, 3.8))
        draws = self.draws[np.isfinite(self.draws)]
        n_bins = int(np.clip(np.sqrt(draws.size), 5, 40))
        _, _, self.bars_ = self.ax_.hist(
            100 * draws, bins=n_bins, color=COLORS[4], ec="white", lw=0.6, label="refitted policies"
        )
        self.limit_ = self._line(
            self.upper_limit,
            f"upper limit, {self.confidence:.0%} confidence",
            color=COLORS[0],
            ls="-",
            lw=1.8,
        )
        end = max(float(draws.max()), self.upper_limit)
        beyond = self.from_reference > _BEYOND * end
        self.reference_ = self._line(
            self.from_reference,
            "the reference" + (" (beyond the axis)" if beyond else ""),
            color=REFERENCE,
            ls=(0, (5, 2)),
            lw=1.6,
        )
        self.ax_.set_xlim(0, 100 * (1.3 * end if beyond else 1.05 * max(end, self.from_reference)))
        self.ax_.set_xlabel(
            f"Decisions that differ from the learned policy's, percent\n(at a divergence of {self.budget:g})"
        )
        self.ax_.set_ylabel("Bootstrap draws")
        quiet_legend(self.ax_, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
        return self

    def _line(self, value: float, text: str, **style: Any) -> Any:
        return self.ax_.axvline(100 * value, label=f"{text}: {100 * value:.1f}%", **style)
