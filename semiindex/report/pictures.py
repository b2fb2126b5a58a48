"""Pictures as text that a page can hold: vector graphics without outside references."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Display", "data_uri", "figure_uri"]


class Display(Protocol):
    """What can be drawn."""

    def plot(self, ax: Axes | None = None) -> Any:
        """Draw on the axes."""


def data_uri(display: Display, width: float, height: float) -> str:
    """Draw a display, and return the picture as a data URI.

    Parameters
    ----------
    display : Display
        A display of `semiindex.display`.
    width, height : float
        Size in inches.

    Returns
    -------
    str
        The same for the same display: no date, no random ids.
    """
    return figure_uri(lambda figure: display.plot(figure.add_subplot()), width, height)


def figure_uri(draw: Callable[[Figure], Any], width: float, height: float) -> str:
    """Draw a figure, and return the picture as a data URI.

    Parameters
    ----------
    draw : callable
        Draws on the empty figure that it is given.
    width, height : float
        Size in inches.

    Returns
    -------
    str
        The same for the same drawing: no date, no random ids.
    """
    from matplotlib import rc_context, style
    from matplotlib.figure import Figure

    settings: Any = {"svg.hashsalt": "semiindex", "svg.fonttype": "path", "font.size": 10.5}
    with style.context("default"), rc_context(settings):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
