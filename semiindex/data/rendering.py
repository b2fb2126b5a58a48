"""Text and HTML views of `PreferencePairs`."""

from __future__ import annotations

import textwrap
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from semiindex.data.pairs import PreferencePairs

__all__ = ["as_html", "as_text"]

_NAMES_SHOWN = 8
_WIDTH = 100


def as_text(pairs: PreferencePairs) -> str:
    """Several lines: the title, then one fact per line."""
    facts = _facts(pairs)
    width = max(len(name) for name, _ in facts)
    lines = [_title(pairs)]
    for name, value in facts:
        head = f"  {name:<{width}}  "
        lines.append(textwrap.fill(value, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head)))
    return "\n".join(lines)


def as_html(pairs: PreferencePairs) -> str:
    """A small table for notebooks; every text is escaped."""
    left = "style='text-align:left'"
    rows = "".join(
        f"<tr><th {left}>{escape(name)}</th><td {left}>{escape(value)}</td></tr>"
        for name, value in _facts(pairs)
    )
    return f"<div><strong>{escape(_title(pairs))}</strong><table><tbody>{rows}</tbody></table></div>"


def _title(pairs: PreferencePairs) -> str:
    n_units = pairs.n_units
    rows = "" if n_units == pairs.n_pairs else f" in {pairs.n_pairs} rows"
    return f"PreferencePairs: {_count(n_units, 'comparison')}{rows}, {_count(pairs.n_features, 'feature')}"


def _facts(pairs: PreferencePairs) -> list[tuple[str, str]]:
    names = pairs.feature_names
    more = f", ... ({len(names) - _NAMES_SHOWN} more)" if len(names) > _NAMES_SHOWN else ""
    share = np.average(pairs.labels, weights=pairs.weights) if _has_weight(pairs) else pairs.labels.mean()
    facts = [
        ("features", ", ".join(names[:_NAMES_SHOWN]) + more),
        ("option 1 preferred", f"{100 * share:.1f} %"),
        ("raters", "not given" if pairs.groups is None else str(len(np.unique(pairs.groups)))),
        ("weights", "one each" if pairs.weights is None else f"total {pairs.weights.sum():g}"),
        ("self-comparisons", str(pairs.n_self_comparisons)),
    ]
    if pairs.link_groups is not None:
        facts.append(("link groups", str(len(np.unique(pairs.link_groups)))))
    facts += [("assumes", sentence) for sentence in pairs.assumptions]
    return facts


def _has_weight(pairs: PreferencePairs) -> bool:
    return pairs.weights is not None and bool(pairs.weights.any())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
