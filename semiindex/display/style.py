"""How the pictures look: colours that colour-blind readers tell apart, quiet axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "COLORS",
    "INK",
    "LINE_STYLES",
    "MARKERS",
    "QUIET",
    "REFERENCE",
    "plain_log_ticks",
    "prepare_axes",
    "quiet_legend",
    "series_style",
]

#: Okabe and Ito's colours, the darker ones first. Markers and line styles repeat the distinction.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P")
LINE_STYLES = ("-", "--", "-.", ":", "-", "--")
#: What is compared against, text and frame, and what should hardly be seen.
REFERENCE, INK, QUIET = "#D55E00", "#333333", "#DDDDDD"


def prepare_axes(ax: Axes | None, size: tuple[float, float]) -> tuple[Axes, Figure]:
    """The axes to draw on (new ones if None) without a frame above and to the right."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    figure: Any = ax.figure
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(INK)
    ax.tick_params(colors=INK, labelcolor=INK)
    ax.xaxis.label.set_color(INK)
    ax.yaxis.label.set_color(INK)
    ax.set_axisbelow(True)
    return ax, figure


def series_style(position: int) -> dict[str, Any]:
    """Colour, marker and line of one of many series: no two of the first 36 agree in colour and marker."""
    cycle = position // len(COLORS)
    return {
        "color": COLORS[position % len(COLORS)],
        "marker": MARKERS[(position + cycle) % len(MARKERS)],
        "ls": LINE_STYLES[(position + cycle) % len(LINE_STYLES)],
    }


def plain_log_ticks(axis: Axis) -> None:
    """Ticks of a logarithmic axis as plain numbers, and no more of them than fit."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def quiet_legend(ax: Axes, **where: Any) -> None:
    """A legend without a frame."""
    ax.legend(frameon=False, fontsize="small", labelcolor=INK, **where)
