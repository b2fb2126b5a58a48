"""The common face of all diagnostics: text, table and HTML."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pytest

from semiindex.diagnostics.base import LEVELS, Diagnostic, Level


@dataclass(frozen=True, eq=False, repr=False)
class Example(Diagnostic):
    """Two numbers."""

    values: tuple[float, float]

    @property
    def title(self) -> str:
        return "Two <numbers>"

    @property
    def level(self) -> Level:
        return "note" if max(self.values) > 1 else "fine"

    def reading(self) -> str:
        return f"The larger is {max(self.values):g} metres & more.\nNothing to do."

    def to_frame(self) -> pd.DataFrame:
        return pd.DataFrame({"value": self.values}, index=pd.Index(["a<b", "c"], name="name"))


def test_text_has_title_level_table_and_reading() -> None:
    text = str(Example((0.123456, 12.0)))
    assert text.startswith("Two <numbers> [note]\n====")
    assert "0.1235" in text
    assert "\nThe larger is 12 metres & more.\nNothing to do." in text


def test_html_escapes_what_users_wrote() -> None:
    html = Example((0.5, 0.25))._repr_html_()
    assert "Two &lt;numbers&gt;" in html
    assert "a&lt;b" in html
    assert "metres &amp; more" in html
    assert "<numbers>" not in html


def test_repr_is_one_line() -> None:
    assert repr(Example((0.5, 0.25))) == "<Example: Two <numbers> [fine]>"


def test_levels_are_ordered_by_urgency() -> None:
    assert LEVELS == ("fine", "note", "warning")


def test_an_unfinished_diagnostic_cannot_be_made() -> None:
    class Unfinished(Diagnostic):
        """Lacks everything."""

    with pytest.raises(TypeError, match="abstract"):
        Unfinished()  # type: ignore[abstract]
