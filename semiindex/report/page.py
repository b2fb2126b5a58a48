"""What the reports have in common: the frame of a page that is one file, tiles and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template

from semiindex import __version__

__all__ = ["html_table", "html_tiles", "render_page"]


def render_page(body: str, *, title: str, subtitle: str, **parts: str) -> str:
    """A complete HTML document that loads nothing from elsewhere.

    Parameters
    ----------
    body : str
        Name of the template in this package that stands between head and foot.
    title, subtitle : str
        Plain text.
    **parts : str
        What the template asks for, as HTML.

    Returns
    -------
    str
        HTML.
    """
    here = files("semiindex.report")

    def filled(name: str, **values: str) -> str:
        return Template((here / name).read_text(encoding="utf-8")).substitute(values)

    return filled(
        "page.html",
        style=(here / "report.css").read_text(encoding="utf-8"),
        version=escape(__version__),
        title=escape(title),
        subtitle=escape(subtitle),
        body=filled(body, **parts),
    )


def html_tiles(tiles: Iterable[tuple[str, str]]) -> str:
    """Numbers in boxes.

    Parameters
    ----------
    tiles : iterable of (str, str)
        Number and what it is.

    Returns
    -------
    str
        HTML.
    """
    return "\n".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(name)}</span></div>' for value, name in tiles
    )


def html_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : iterable of sequence of str
        First column text, the others numbers.

    Returns
    -------
    str
        HTML.
    """

    def line(cells: Sequence[str], tag: str) -> str:
        number = ' class="number"'
        marked = [f"<{tag}{number if j else ''}>{escape(cell)}</{tag}>" for j, cell in enumerate(cells)]
        return f"<tr>{''.join(marked)}</tr>"

    body = "\n".join(line(row, "td") for row in rows)
    return f"<table>\n<thead>{line(header, 'th')}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
