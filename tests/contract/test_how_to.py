"""The code of the how-to pages runs, and prints what stands below it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "how_to"


@pytest.mark.filterwarnings("ignore::semiindex.exceptions.SemiindexWarning")
@pytest.mark.parametrize("page", ["scikit_learn.md", "policies_from_a_fit.md", "how_far_can_i_trust_this.md"])
def test_the_page_prints_what_it_says(page, capsys) -> None:
    text = (FOLDER / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```(python|text)\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) > 10
    names: dict[str, object] = {"__name__": "page"}
    for kind, block in blocks:
        if kind == "python":
            exec(compile(block, page, "exec"), names)
        else:
            assert capsys.readouterr().out == block
