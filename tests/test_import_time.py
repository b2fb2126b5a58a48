"""Importing the library costs no more than importing the scikit-learn module it is used beside."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Packages that a session which only fits a model never needs.
HEAVY = ("matplotlib", "statsmodels", "cvxpy", "pandas", "formulaic", "clarabel", "pyarrow")

TIMED = "import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"


def run(code: str) -> str:
    """What a new interpreter prints for `code`."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def heavy_after(module: str) -> set[str]:
    """Which of the heavy packages an import of `module` loads."""
    shown = run(f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])")
    return set(shown.split())


def test_import_of_the_package_loads_no_heavy_package() -> None:
    assert heavy_after("semiindex") == set()


def test_estimators_load_no_heavy_package_that_scikit_learn_does_not() -> None:
    # Recent releases of scikit-learn import pandas (and pandas pyarrow) themselves, where installed.
    more = heavy_after("semiindex.policy") - heavy_after("sklearn.linear_model")
    assert not more, f"import semiindex.policy also imports {sorted(more)}"


@pytest.mark.parametrize("module", ["semiindex", "semiindex.policy"])
def test_import_takes_at_most_1_3_times_that_of_linear_models(module: str) -> None:
    # Minima over alternating runs: other work on the machine only ever adds time, so that more rounds
    # come closer to the truth. As few as are needed to show the claim.
    ours = theirs = float("inf")
    for _ in range(12):
        theirs = min(theirs, float(run(TIMED.format(module="sklearn.linear_model"))))
        ours = min(ours, float(run(TIMED.format(module=module))))
        if ours < 1.3 * theirs:
            break
    assert ours < 1.3 * theirs, f"import {module}: {ours:.2f} s, sklearn.linear_model: {theirs:.2f} s"


def test_public_names_are_listed_before_they_are_imported() -> None:
    shown = run("import sys, semiindex; print('KnownLinkPolicy' in dir(semiindex), 'numpy' in sys.modules)")
    assert shown == "True False"
