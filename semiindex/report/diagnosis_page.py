"""The diagnostics in the words of the command: a part of the report, and a paragraph for the terminal."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from semiindex.report.analysis import Analysis
from semiindex.report.text import sentence_lines

__all__ = ["diagnosis_section", "diagnosis_text"]

#: What the library advises, and what a user of the command does instead.
_OPTIONS = (
    ("with antisymmetric=False", "with --position-matters"),
    ("(antisymmetric=False)", "(--position-matters)"),
    ("set ridge > 0", "use --ridge"),
    ("pass groups", "name their column by --group"),
    ("allow for more by time_budget", "allow for more by --diagnose-seconds"),
    (
        "pass the options that a policy would choose among",
        "the command takes none; in Python pass one to diagnose",
    ),
    ("Report coefficients with standard errors (infer).", "For standard errors see infer, in Python."),
)
_EXPLANATION = (
    "Every line of what was found unfolds: what was computed, what it means, and what was assumed. A test "
    "can find fault with a fit and cannot prove it right; with few comparisons only large faults show."
)


def diagnosis_section(analysis: Analysis) -> str:
    """The part of the report, as HTML; empty if the diagnostics were left out.

    Parameters
    ----------
    analysis : Analysis
        With its diagnosis.
    """
    diagnosis = analysis.diagnosis
    if diagnosis is None:
        return ""
    page = _in_options(diagnosis._repr_html_(), escape)
    return f"<section>\n{page}\n<p>{escape(_EXPLANATION)}</p>\n</section>"


def diagnosis_text(analysis: Analysis) -> str:
    """Answers and next steps, for the terminal; empty if the diagnostics were left out.

    Parameters
    ----------
    analysis : Analysis
        With its diagnosis.
    """
    diagnosis = analysis.diagnosis
    if diagnosis is None:
        return ""
    lines = [diagnosis.title]
    for answer in diagnosis.answers:
        lines += [f"  {answer.asked}", sentence_lines(_in_options(answer.sentence), "    ")]
    steps = enumerate(diagnosis.next_steps, 1)
    lines += ["  Next:", *(sentence_lines(_in_options(step), f"    {number}. ") for number, step in steps)]
    return "\n".join(lines)


def _in_options(text: str, written: Callable[[str], str] = str) -> str:
    """Advice in the words of the command; `written` is how the text writes what was said."""
    for words, option in _OPTIONS:
        text = text.replace(written(words), written(option))
    return text
