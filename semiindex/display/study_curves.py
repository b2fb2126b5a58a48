"""How the curves of a study are drawn: beside each other, with bars, and with the power fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from semiindex._types import FloatArray
from semiindex.display.study_panels import OPTIMAL, StudyCurve
from semiindex.display.style import INK, series_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["draw_curves", "legend_handles"]

#: Bars are this many Monte Carlo standard errors long on either side: about 95% of the means' law.
_BARS = 2.0
#: Curves stand beside each other, so that the bars of all are seen: the distance between two, and the most
#: that all of them take between two values of x, as shares of the axis and of the distance of the values.
_DODGE, _MOST_DODGED = 0.015, 0.3
_POINTS: dict[str, Any] = {"ms": 4.5, "mfc": "white", "mew": 1.2}
_OPTIMAL_STYLE: dict[str, Any] = {"color": INK, "ls": ":", "marker": ""}


def draw_curves(ax: Axes, curves: Sequence[StudyCurve], *, logarithmic: bool) -> None:
    """Draw the curves of a panel.

    Parameters
    ----------
    ax : matplotlib axes
        Where.
    curves : sequence of StudyCurve
        At least one.
    logarithmic : bool
        Whether both axes are; the values of x are then the ticks.
    """
    for (curve, style), shift in zip(_styles(curves), _shifts(curves, logarithmic=logarithmic), strict=True):
        x = curve.x * np.exp(shift) if logarithmic else curve.x + shift
        bars = _BARS * curve.error
        # On a logarithmic axis bars end above 0.
        below = np.minimum(bars, 0.9 * curve.mean) if logarithmic else bars
        # Where a power is fitted it is the line, and the means are joined faintly.
        joined = {} if curve.trend is None else {"ls": "none"}
        bars_and_points = {"elinewidth": 0.9, "lw": 1.5} | _POINTS | style | joined
        ax.errorbar(x, curve.mean, yerr=np.vstack([below, bars]), **bars_and_points)
        if curve.trend is not None:
            ax.plot(x, curve.mean, lw=0.7, alpha=0.5, color=style["color"])
            ax.plot(x, curve.trend, lw=1.5, **style | {"marker": ""})
    if logarithmic:
        _logarithmic_axes(ax, curves)


def legend_handles(curves: Sequence[StudyCurve]) -> list[Line2D]:
    """Entries of a legend: lines with markers, without bars.

    Parameters
    ----------
    curves : sequence of StudyCurve
        Of a panel.

    Returns
    -------
    list of matplotlib lines
    """
    from matplotlib.lines import Line2D

    return [Line2D([], [], label=curve.label, lw=1.5, **_POINTS | style) for curve, style in _styles(curves)]


def _styles(curves: Sequence[StudyCurve]) -> list[tuple[StudyCurve, dict[str, Any]]]:
    return [
        (curve, _OPTIMAL_STYLE if curve.name == OPTIMAL else series_style(position))
        for position, curve in enumerate(curves)
    ]


def _shifts(curves: Sequence[StudyCurve], *, logarithmic: bool) -> FloatArray:
    """How far every curve stands beside its x, on the scale of the axis; the optimal one does not."""
    places = np.unique(np.concatenate([curve.x for curve in curves]))
    places = np.log(places) if logarithmic else places
    own = np.array([curve.name != OPTIMAL for curve in curves])
    if places.size < 2 or own.sum() < 2:
        return np.zeros(len(curves))
    step = min(_DODGE * np.ptp(places), _MOST_DODGED * np.diff(places).min() / (own.sum() - 1))
    return np.where(own, step * (np.cumsum(own) - (own.sum() + 1) / 2), 0.0)


def _logarithmic_axes(ax: Axes, curves: Sequence[StudyCurve]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    ax.set(xscale="log", yscale="log")
    sizes = np.unique(np.concatenate([curve.x for curve in curves]))
    ax.xaxis.set_major_locator(FixedLocator(sizes[:: ceil(len(sizes) / 5)].tolist()))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
