"""A page of diagnostics: answers, what to do next, what was found, and what was not looked at."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from semiindex.diagnostics.base import LEVELS, Diagnostic, Level
from semiindex.diagnostics.findings import COUNTS_FROM, Finding, finding_of
from semiindex.diagnostics.verdicts import ENOUGH_BLOCKS, Answer, answers
from semiindex.exceptions import InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Diagnosis", "Section", "Skipped"]

_WIDTH = 92
_SEVERAL_TESTS = (
    f"Several tests are run, so that p counts here from {COUNTS_FROM:g} on; a single result by itself speaks "
    "of some evidence from 0.05 on."
)


@dataclass(frozen=True, eq=False)
class Section:
    """One diagnostic of the page.

    Attributes
    ----------
    key : str
        Its name.
    result : Diagnostic
        What it found.
    seconds : float
        How long it took.
    """

    key: str
    result: Diagnostic
    seconds: float

    @cached_property
    def finding(self) -> Finding:
        """The result in the words of the page."""
        return finding_of(self.result)

    @property
    def sentence(self) -> str:
        """What was looked at, and what was found."""
        title, clause = self.result.title, self.finding.clause
        return f"{title} {_sentence(clause)}" if title.endswith("?") else f"{title}: {clause}."


@dataclass(frozen=True)
class Skipped:
    """A diagnostic that did not run.

    Attributes
    ----------
    key, title : str
        Its name, and what it would have looked at.
    reason : str
        Why it did not run, and what would make it run.
    moot : bool
        Whether the question does not arise for these data: no answer waits for it.
    """

    key: str
    title: str
    reason: str
    moot: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis(Diagnostic):
    """All diagnostics that apply to a fit, as one page; ``diagnosis["link"]`` is one of them.

    Made by `diagnose`, which has an example.

    Attributes
    ----------
    subject : str
        Estimator and data in words.
    sections : tuple of Section
        What ran: warnings first, then notes, then what is fine.
    skipped : tuple of Skipped
        What did not run, and why.
    notes : tuple of str
        What the reader should know of the data, and what the diagnostics warned of.
    n_blocks : int
        Independent comparisons, or raters.
    answers : tuple of Answer
        May the direction, the link, the policy be trusted?
    """

    subject: str
    sections: tuple[Section, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    n_blocks: int

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """The three answers; computed from the sections."""
        findings = [(section.key, section.finding) for section in self.sections]
        waited_for = {item.key: item.reason for item in self.skipped if not item.moot}
        return answers(findings, waited_for, self.n_blocks)

    @property
    def title(self) -> str:
        """The question of the page."""
        return "How far can this fit be trusted?"

    @property
    def level(self) -> Level:
        """The most pressing level of the sections; never "fine" where no question was answered."""
        levels: list[Level] = [section.finding.level for section in self.sections]
        if not any(answer.verdict == "yes" for answer in self.answers):
            levels.append("note")
        return max(levels, key=LEVELS.index, default="note")

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What to do, the most pressing first."""
        steps = tuple(
            dict.fromkeys(section.finding.step for section in self.sections if section.finding.step)
        )
        if steps:
            return steps
        if not self.sections:
            return ("Run it again with more time, or another kind of fit: nothing was examined.",)
        if self.n_blocks < ENOUGH_BLOCKS:
            few = f"{self.n_blocks} independent raters or comparisons show large faults only"
            return (f"Collect more comparisons, of more raters: {few}.",)
        if all(answer.verdict == "yes" for answer in self.answers[:2]):
            return ("Nothing has to be changed. Report coefficients with standard errors (infer).",)
        return (
            "Nothing that was looked at asks for a change. See below why the rest was not examined, and what "
            "would make it run.",
        )

    def __getitem__(self, key: str) -> Diagnostic:
        for section in self.sections:
            if section.key == key:
                return section.result
        for item in self.skipped:
            if item.key == key:
                raise InvalidParameterError(f"{key!r} was not examined: {item.reason}")
        raise InvalidParameterError(f"key must be one of {[*self]}, got {key!r}")

    def __iter__(self) -> Iterator[str]:
        return (section.key for section in self.sections)

    def reading(self) -> str:
        """The answers, the next steps, and what was not examined."""
        lines = [f"{answer.asked} {answer.sentence}" for answer in self.answers]
        lines += ["Next:", *(f"- {step}" for step in self.next_steps)]
        return "\n".join([*lines, *self._remarks])

    @property
    def _remarks(self) -> list[str]:
        """What was not examined, and the notes."""
        left = (f"{item.title} Not examined: {item.reason.rstrip('.')}." for item in self.skipped)
        return [*left, *self.notes]

    def to_frame(self) -> pd.DataFrame:
        """One row per diagnostic: level, what was looked at, what was found; what was skipped, why."""
        import pandas as pd

        rows: dict[str, list[str]] = {
            section.key: [section.finding.level, section.result.title, section.finding.clause]
            for section in self.sections
        }
        rows |= {item.key: ["not examined", item.title, item.reason] for item in self.skipped}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["level", "looked at", "found"])
        return frame.rename_axis("diagnostic")

    def __str__(self) -> str:
        lines = [f"{self.title} [{self.level}]", "=" * _WIDTH, *_wrapped(self.subject), ""]
        for answer in self.answers:
            lines += [answer.asked, *_wrapped(answer.sentence, "  ")]
        lines += ["", "What to do next"]
        for number, step in enumerate(self.next_steps, 1):
            lines += _wrapped(step, f" {number}. ", "    ")
        if self.sections:
            lines += ["", "What was found"]
        for section in self.sections:
            mark = f"  {section.finding.level:<9}"
            lines += _wrapped(section.sentence, mark, " " * 11)
        if self.sections:
            lines += _wrapped(_SEVERAL_TESTS, "  ")
        if self.skipped:
            lines += ["", "What was not examined"]
        for item in self.skipped:
            lines += _wrapped(f"{item.title} {_sentence(item.reason)}", "  - ", "    ")
        if self.notes:
            lines += ["", "Notes", *(line for note in self.notes for line in _wrapped(note, "  - ", "    "))]
        if self.sections:
            lines += ["", *_wrapped(f"Each in full: diagnosis[{self.sections[0].key!r}], and so on.")]
        return "\n".join([*lines, "=" * _WIDTH])

    def _repr_html_(self) -> str:
        """The page for a notebook or a report; every text is escaped, single results unfold."""
        asked = "".join(
            f"<div class='semiindex-{answer.verdict.replace(' ', '-')}'><dt>{escape(answer.asked)}</dt>"
            f"<dd><b>{escape(_capital(answer.verdict))}</b>: {escape(_sentence(answer.because))}</dd></div>"
            for answer in self.answers
        )
        steps = "".join(f"<li>{escape(step)}</li>" for step in self.next_steps)
        found = "".join(
            f"<details class='semiindex-{section.finding.level}'><summary><b>{section.finding.level}</b> "
            f"<span>{escape(section.sentence)}</span></summary>"
            f"{section.result._repr_html_()}</details>"
            for section in self.sections
        )
        notes = "".join(f"<li>{escape(text)}</li>" for text in self._remarks)
        return (
            f"<div class='semiindex-diagnosis semiindex-{self.level}'><h2>{escape(self.title)}</h2>"
            f"<p>{escape(self.subject)}</p>"
            f"<dl>{asked}</dl><h3>What to do next</h3><ol>{steps}</ol>"
            + (f"<h3>What was found</h3>{found}<p>{escape(_SEVERAL_TESTS)}</p>" if found else "")
            + (f"<h3>Not examined, and notes</h3><ul>{notes}</ul>" if notes else "")
            + "</div>"
        )


def _sentence(clause: str) -> str:
    return f"{_capital(clause).rstrip('.')}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _wrapped(text: str, first: str = "", then: str | None = None) -> list[str]:
    rest = first if then is None else then
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False)
