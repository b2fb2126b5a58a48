"""The public names: they exist, they are documented, and all tables of them agree."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import semiindex

NAMES = semiindex.__all__
OBJECTS = [name for name in NAMES if name not in {"datasets", "simulation"}]
API_PAGES = Path(__file__).parents[1] / "docs" / "api"


def section(docstring: str, title: str) -> str:
    """Body of a numpydoc section, up to the next one; empty if it is missing."""
    found = re.search(rf"^{title}\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", docstring, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


@pytest.mark.parametrize("name", NAMES)
def test_name_is_imported_on_request(name: str) -> None:
    assert getattr(semiindex, name) is not None
    assert name in dir(semiindex)


@pytest.mark.parametrize("name", NAMES)
def test_name_is_public_where_it_lives(name: str) -> None:
    home = semiindex._EXPORTS[name]
    if home != f"semiindex.{name}":
        assert name in __import__(home, fromlist=["__all__"]).__all__


@pytest.mark.parametrize("name", OBJECTS)
def test_docstring_has_an_example(name: str) -> None:
    value = getattr(semiindex, name)
    if inspect.isabstract(value):
        pytest.skip("made only through its subclasses")
    docstring = inspect.getdoc(value) or ""
    assert ">>> " in section(docstring, "Examples"), f"{name} needs a section 'Examples' that runs"


@pytest.mark.parametrize("name", OBJECTS)
def test_docstring_names_every_parameter(name: str) -> None:
    value = getattr(semiindex, name)
    if inspect.isabstract(value):
        pytest.skip("made only through its subclasses")
    documented = section(inspect.getdoc(value) or "", "Parameters")
    entries = {
        parameter.strip().lstrip("*")
        for line in re.findall(r"^(\S.*?)(?: : .*)?$", documented, re.MULTILINE)
        for parameter in line.split(",")
    }
    missing = set(inspect.signature(value).parameters) - entries
    assert not missing, f"{name}: parameters without documentation: {sorted(missing)}"


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Unknown'"):
        semiindex.Unknown  # noqa: B018


def test_the_three_tables_of_names_agree() -> None:
    """The literal `__all__`, the table of homes, and the imports that type checkers read."""
    assert set(NAMES) == semiindex._EXPORTS.keys()
    tree = ast.parse(Path(semiindex.__file__).read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    typed = {
        alias.name: node.module if node.module != "semiindex" else f"semiindex.{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == semiindex._EXPORTS


def test_every_public_name_has_an_entry_in_the_api_pages() -> None:
    listed = {
        line.strip().rsplit(".", 1)[-1]
        for page in API_PAGES.glob("*.md")
        for line in page.read_text(encoding="utf-8").splitlines()
    }
    missing = sorted(set(NAMES) - listed)
    assert not missing, f"not in docs/api: {missing}"
