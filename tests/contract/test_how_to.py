"""The code of the page on scikit-learn's tools runs, and prints what stands below it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how_to" / "scikit_learn.md"


@pytest.mark.filterwarnings("ignore::semiindex.exceptions.SemiindexWarning")
def test_the_page_prints_what_it_says(capsys) -> None:
    blocks = re.findall(r"```(python|text)\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) > 10
    names: dict[str, object] = {"__name__": "page"}
    for kind, block in blocks:
        if kind == "python":
            exec(compile(block, str(PAGE), "exec"), names)
        else:
            assert capsys.readouterr().out == block
