"""`FrontierDisplay`: what policies attain against how far they leave the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from semiindex._types import FloatArray
from semiindex.display.sample import name_models
from semiindex.display.style import COLORS, INK, LINE_STYLES, QUIET, prepare_axes, quiet_legend
from semiindex.divergence import Divergence
from semiindex.exceptions import InvalidParameterError
from semiindex.inference.frontiers import FrontierBand
from semiindex.policy.frontier import Frontier
from semiindex.policy.menu import Menu

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FrontierCurve", "FrontierDisplay"]

_LABELS = {
    "win rate": "Win rate against the reference",
    "reward": "Mean reward",
    "score": "Mean score, in its own unit",
}


@dataclass(frozen=True, eq=False)
class FrontierCurve:
    """One frontier.

    Attributes
    ----------
    name : str
        For the legend.
    divergence, value : arrays of shape (k,)
        Mean divergences from the reference, and what the policies attain.
    lower, upper : arrays of shape (k,), or None
        Band, where there is one.
    """

    name: str
    divergence: FloatArray
    value: FloatArray
    lower: FloatArray | None = None
    upper: FloatArray | None = None


class FrontierDisplay:
    """Frontiers of one or several estimators on the axes of divergence and win rate, or reward.

    Use `from_estimators` or `from_frontiers`; the constructor takes computed values.

    Parameters
    ----------
    curves : iterable of FrontierCurve
        One for every estimator.
    kind : str
        Name of the divergence.
    value_name : {"win rate", "reward", "score"}
        What is drawn upwards.
    judge : str, default=""
        By whom the policies are judged, for the axis.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        After `plot`.
    lines_, bands_ : list of matplotlib artists
        Frontiers, and the bands of those that have one, after `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex import FrontierDisplay, KnownLinkPolicy, Menu, ProfiledLinkPolicy
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> y = rng.random(500) < 0.2 + 0.6 * (X @ [0.6, -0.8] > 0)
    >>> menu = Menu.from_array(rng.normal(size=(50, 4, 2)))
    >>> models = {"logistic": KnownLinkPolicy().fit(X, y), "link learned": ProfiledLinkPolicy().fit(X, y)}
    >>> display = FrontierDisplay.from_estimators(
    ...     models, menu, np.linspace(0, 0.8, 9), judge=models["link learned"]
    ... )
    >>> display.plot().ax_.get_ylabel()
    'Win rate against the reference, by ProfiledLinkPolicy'
    """

    def __init__(
        self, curves: Any, *, kind: str = "reverse_kl", value_name: str = "win rate", judge: str = ""
    ) -> None:
        self.curves = tuple(curves)
        self.kind = kind
        self.value_name = value_name
        self.judge = judge

    @classmethod
    def from_estimators(
        cls,
        models: Any,
        menu: Menu,
        budgets: ArrayLike,
        *,
        divergence: str | Divergence = "reverse_kl",
        reward: ArrayLike | None = None,
        judge: Any = None,
    ) -> Self:
        """Compute the frontiers of fitted models.

        Parameters
        ----------
        models : fitted estimator, or dict of fitted estimators by name
            Whose policies to draw.
        menu : Menu
            Options with the features of the fits, and the reference.
        budgets : array-like of shape (k,)
            Mean divergences, in increasing order; 0 is the reference.
        divergence : str or Divergence, default="reverse_kl"
            How the distance to the reference is measured.
        reward : array-like of shape (n_options,), default=None
            A true reward by which all are judged. None: win rates.
        judge : fitted estimator, default=None
            Whose index and link say how often an option wins. None: every model judges its own
            policies, which favours the model that is most sure of itself; with several models pass one
            judge, best fitted to other comparisons.

        Returns
        -------
        FrontierDisplay
        """
        if reward is not None and judge is not None:
            raise InvalidParameterError("reward and judge were both given: one of them judges the policies")
        named = name_models(models)
        worth = reward
        if judge is not None:
            (judge,) = name_models(judge).values()
            worth = judge.win_probability(menu)
        frontiers = {
            name: model.frontier(menu, budgets, divergence=divergence, reward=worth)
            for name, model in named.items()
        }
        display = cls.from_frontiers(frontiers)
        if judge is not None:
            display.value_name, display.judge = "win rate", type(judge).__name__
        elif reward is None and len(named) > 1:
            display.judge = "each by its own fit"
        return display

    @classmethod
    def from_frontiers(cls, frontiers: Any) -> Self:
        """Take the numbers of frontiers.

        Parameters
        ----------
        frontiers : Frontier or FrontierBand, or dict of these by name
            From the method `frontier`, `frontier_from_scores` or `frontier_band`; over the same options and
            reference, under one divergence, and all of win rates or all of rewards.

        Returns
        -------
        FrontierDisplay
        """
        named = dict(frontiers) if isinstance(frontiers, Mapping) else {"frontier": frontiers}
        if not named:
            raise InvalidParameterError("frontiers is empty: pass at least one")
        curves = [_curve(str(name), one) for name, one in named.items()]
        central = [one.frontier if isinstance(one, FrontierBand) else one for one in named.values()]
        what = {(one.kind.name, one.value_name) for one in central}
        if len(what) > 1 or len({one.kind for one in central}) > 1:
            raise InvalidParameterError(
                "frontiers must share one divergence, and all hold win rates or all rewards, to be drawn on "
                f"the same axes; got {sorted(what)}"
            )
        if not all(_same_menu(one.menu, central[0].menu) for one in central[1:]):
            raise InvalidParameterError(
                "frontiers must be about the same menu: their options, reference or weights of contexts "
                "differ, so that neither divergences nor win rates compare"
            )
        (kind, value_name) = what.pop()
        return cls(curves, kind=kind, value_name=value_name)

    def plot(self, ax: Axes | None = None) -> FrontierDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        FrontierDisplay
            Itself.
        """
        self.ax_, self.figure_ = prepare_axes(ax, (5.6, 4.0))
        ax = self.ax_
        self.lines_: list[Any] = []
        self.bands_: list[Any] = []
        if self.value_name == "win rate":
            ax.axhline(0.5, color=QUIET, lw=1.0, zorder=0)
            ax.annotate(
                "as good as the reference",
                (1.0, 0.5),
                xycoords=("axes fraction", "data"),
                xytext=(0, 3),
                textcoords="offset points",
                ha="right",
                color=INK,
                alpha=0.7,
                fontsize="small",
            )
        for k, curve in enumerate(self.curves):
            color, style = COLORS[k % len(COLORS)], LINE_STYLES[k % len(LINE_STYLES)]
            if curve.lower is not None and curve.upper is not None:
                band = ax.fill_between(
                    curve.divergence, curve.lower, curve.upper, color=color, alpha=0.15, lw=0
                )
                self.bands_.append(band)
            (line,) = ax.plot(curve.divergence, curve.value, color=color, ls=style, lw=2.0, label=curve.name)
            self.lines_.append(line)
        ax.set_xlim(left=0)
        ax.set_xlabel(f"Divergence from the reference ({self.kind})")
        by = f", {'by ' if ' ' not in self.judge else ''}{self.judge}" if self.judge else ""
        ax.set_ylabel(_LABELS[self.value_name] + by)
        if len(self.curves) > 1:
            quiet_legend(ax, loc="lower right" if self.value_name != "win rate" else "upper left")
        return self


def _same_menu(first: Menu, second: Menu) -> bool:
    """Whether menus have the same contexts, weights and reference; features may differ between models."""
    return (
        np.array_equal(first.offsets, second.offsets)
        and np.allclose(first.reference, second.reference, rtol=0, atol=1e-9)
        and np.allclose(first.shares, second.shares, rtol=0, atol=1e-12)
    )


def _curve(name: str, one: Any) -> FrontierCurve:
    if isinstance(one, FrontierBand):
        return FrontierCurve(name, one.frontier.divergence, one.frontier.value, one.lower, one.upper)
    if isinstance(one, Frontier):
        return FrontierCurve(name, one.divergence, one.value)
    raise InvalidParameterError(f"frontiers must be Frontier or FrontierBand, got {type(one).__name__}")
