"""Docstrings cite the equations of the theory pages by label; a label that is cited must exist."""

from __future__ import annotations

import re
from pathlib import Path

import semiindex

ROOT = Path(__file__).parents[1]
PACKAGE = Path(semiindex.__file__).parent


def labels() -> set[str]:
    pages = (ROOT / "docs" / "theory").glob("*.md")
    return {label for page in pages for label in re.findall(r"^\$\$ \(([\w-]+)\)$", page.read_text(), re.M)}


def citations() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for label in re.findall(r":eq:`([\w-]+)`", path.read_text()):
            found.setdefault(label, []).append(str(path.relative_to(PACKAGE)))
    return found


def test_cited_equations_exist() -> None:
    missing = {label: files for label, files in citations().items() if label not in labels()}
    assert not missing, f"cited in docstrings, but in no theory page: {missing}"


def test_the_objectives_cite_their_equations() -> None:
    cited = set(citations())
    assert {"log-loss", "score", "tangent-score", "unit-index", "envelope-gradient", "robust"} <= cited
