"""What every diagnostic answers with: a level, numbers, and a reading in plain words."""

from __future__ import annotations

import textwrap
from abc import ABC, abstractmethod
from html import escape
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LEVELS", "Diagnostic", "Level"]

#: How much a result asks for the reader's attention.
Level: TypeAlias = Literal["fine", "note", "warning"]
#: From the least to the most pressing, the order in which a page of results counts backwards.
LEVELS: tuple[Level, ...] = ("fine", "note", "warning")

_WIDTH = 92


class Diagnostic(ABC):
    """Result of a diagnostic: numbers that also say in words what they mean.

    Subclasses are frozen dataclasses (``eq=False, repr=False``) whose fields are the numbers.

    Attributes
    ----------
    title : str
        What was looked at, in one line.
    level : {"fine", "note", "warning"}
        "fine": nothing to do; "note": worth knowing when the policy is used; "warning": conclusions
        from the fit may be wrong until something is done.
    """

    @property
    @abstractmethod
    def title(self) -> str:
        """What was looked at, in one line without a full stop."""

    @property
    @abstractmethod
    def level(self) -> Level:
        """How pressing the result is; see the class."""

    @abstractmethod
    def reading(self) -> str:
        """What was found, what it means for the policy, and what to do, for readers without statistics.

        Returns
        -------
        str
            Sentences with numbers and their units, and the assumptions by name. Paragraphs are
            separated by a line break.
        """

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """The numbers as a tidy DataFrame.

        Returns
        -------
        DataFrame
            One row for every quantity, direction or test.
        """

    def __str__(self) -> str:
        table = self.to_frame().to_string(float_format=_number, na_rep="").splitlines()
        width = max(_WIDTH, *map(len, table))
        lines = [f"{self.title} [{self.level}]", "=" * width, *table, "=" * width]
        for paragraph in self.reading().splitlines():
            lines += textwrap.wrap(paragraph, width)
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.title} [{self.level}]>"

    def _repr_html_(self) -> str:
        """Title, table and reading for a notebook; every text is escaped."""
        table = self.to_frame().to_html(float_format=_number, na_rep="", border=0)
        words = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in self.reading().splitlines())
        head = f"<strong>{escape(self.title)}</strong> [{escape(self.level)}]"
        return f"<div class='semiindex-diagnostic semiindex-{self.level}'>{head}{table}{words}</div>"


def _number(value: float) -> str:
    return f"{value:.4g}"
