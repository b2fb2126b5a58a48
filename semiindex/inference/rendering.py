"""Text and HTML of an `Inference`."""

from __future__ import annotations

import textwrap
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from semiindex.inference.result import Inference

__all__ = ["as_html", "as_text"]

_WIDTH = 92
_NUMBER = 11


def as_text(result: Inference) -> str:
    """Title, facts in two columns, the table, and what it rests on."""
    header, rows = _table(result)
    names = max(len("feature"), *map(len, result.names))
    width = max(_WIDTH, names + len(header) * (_NUMBER + 1))
    lines = [
        _title(result).center(width).rstrip(),
        "=" * width,
        *_facts_in_columns(result, width),
        "=" * width,
    ]
    lines.append(" " * names + "".join(f" {text:>{_NUMBER}}" for text in header))
    lines.append("-" * width)
    for name, row in zip(result.names, rows, strict=True):
        lines.append(f"{name:<{names}}" + "".join(f" {text:>{_NUMBER}}" for text in row))
    lines.append("=" * width)
    for head, text in _remarks(result):
        lines += textwrap.wrap(f"{head}: {text}", width, subsequent_indent="  ")
    return "\n".join(lines)


def as_html(result: Inference) -> str:
    """The same as an HTML table; every text is escaped."""
    header, rows = _table(result)
    head = "".join(f"<th>{escape(text)}</th>" for text in ["", *header])
    body = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        + "".join(f"<td>{escape(text)}</td>" for text in row)
        + "</tr>"
        for name, row in zip(result.names, rows, strict=True)
    )
    facts = "; ".join(f"{escape(name)} {escape(value)}" for name, value in _facts(result))
    remarks = "".join(f"<li>{escape(name)}: {escape(text)}</li>" for name, text in _remarks(result))
    return (
        f"<div><strong>{escape(_title(result))}</strong><p>{facts}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><ul>{remarks}</ul></div>"
    )


def _title(result: Inference) -> str:
    return f"{result.estimator}: coefficients of the index"


def _facts(result: Inference) -> list[tuple[str, str]]:
    facts = [
        ("Comparisons:", f"{result.n_comparisons:g}"),
        ("Log likelihood:", f"{result.log_likelihood:.6g}"),
        ("Effective n:", f"{result.n_effective:g}"),
        ("AUC:", f"{result.auc:.4f}"),
        ("Covariance:", result.estimate.kind),
        ("Reference:", result.reference_name),
    ]
    counts = result.estimate.n_clusters
    if counts:
        facts.append(("Clusters:", ", ".join(map(str, counts))))
    return facts


def _facts_in_columns(result: Inference, width: int) -> list[str]:
    facts = _facts(result)
    half = (width - 4) // 2
    cells = [f"{name}{value:>{half - len(name)}}" for name, value in facts]
    cells += [""] * (len(cells) % 2)
    return [f"{left}    {right}".rstrip() for left, right in zip(cells[::2], cells[1::2], strict=True)]


def _table(result: Inference) -> tuple[list[str], list[list[str]]]:
    """Header and cells; a coefficient that the normalisation fixes says so."""
    letter = "z" if result.estimate.degrees_of_freedom is None else "t"
    tail = (1 - result.level) / 2
    header = ["coef", "std err", letter, f"P>|{letter}|", f"[{tail:.4g}", f"{1 - tail:.4g}]"]
    rows = []
    for j, value in enumerate(result.coefficients):
        if result.fixed[j]:
            rows.append([_number(value), "fixed", "", "", "", ""])
            continue
        rows.append(
            [
                _number(value),
                _number(result.standard_errors[j]),
                f"{result.z[j]:.3f}",
                f"{result.p_values[j]:.3f}",
                _number(result.intervals[j, 0]),
                _number(result.intervals[j, 1]),
            ]
        )
    return header, rows


def _number(value: float) -> str:
    """Four decimals as statsmodels prints them, powers of ten where those say nothing."""
    size = abs(value)
    return f"{value:.4f}" if size == 0 or 1e-2 <= size < 1e5 or not np.isfinite(size) else f"{value:.3e}"


def _remarks(result: Inference) -> list[tuple[str, str]]:
    remarks = [
        ("Normalisation", f"{result.normalization}."),
        (f"{100 * result.level:g}% intervals cover", f"{result.covers}."),
        ("Covariance", f"{result.estimate.description}."),
        ("Link", result.link),
    ]
    return remarks + [("Note", note) for note in result.notes]
