"""What the command prints: plain text of the width of a terminal."""

from __future__ import annotations

import textwrap

from semiindex.report.analysis import FREE, LOGISTIC, Analysis, Reading

__all__ = ["coefficient_text", "held_out_text", "notes_text", "reading_text", "sentence_lines"]

_WIDTH = 92


def sentence_lines(text: str, first: str = "", then: str | None = None) -> str:
    """A sentence broken into lines."""
    indent = " " * len(first) if then is None else then
    return textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=indent, break_long_words=False)


def reading_text(reading: Reading) -> str:
    """What was read."""
    facts = reading.facts()
    width = max(len(name) for name, _ in facts)
    lines = [sentence_lines(value, f"  {name:<{width}}  ") for name, value in facts]
    return "\n".join(["What was read", *lines])


def coefficient_text(analysis: Analysis) -> str:
    """The coefficients of both fits and their normalisation."""
    table = analysis.coefficients()
    width = max(len("feature"), *(len(name) for name in table.index))
    lines = ["Coefficients", f"  {'feature':<{width}}  {FREE:>12}  {LOGISTIC:>12}"]
    lines += [
        f"  {name:<{width}}  {row[FREE]:>12.5g}  {row[LOGISTIC]:>12.5g}" for name, row in table.iterrows()
    ]
    lines.append(sentence_lines(f"Normalisation of both: {analysis.free.normalization_}.", "  "))
    return "\n".join(lines)


def held_out_text(analysis: Analysis) -> str:
    """Held-out log loss and accuracy, and the sentence on the logistic link."""
    held = analysis.held_out
    lines = [
        f"Held out ({held.n_folds}-fold cross-validation, {held.cluster_name} kept together)",
        f"  {'':<10}{'log loss':>10}{'accuracy':>10}",
    ]
    lines += [
        f"  {name:<10}{held.log_loss(name):>10.4f}{held.accuracy(name):>10.4f}" for name in (LOGISTIC, FREE)
    ]
    lines.append(sentence_lines(analysis.verdict(), "  "))
    return "\n".join(lines)


def notes_text(analysis: Analysis) -> str:
    """Assumptions and remarks; empty if there are none."""
    notes = analysis.notes()
    return "\n".join(["Notes", *(sentence_lines(note, "  - ") for note in notes)]) if notes else ""
