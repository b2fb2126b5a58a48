"""Is the logistic link good enough? Tests on real stated choices, clustered by person.

Train trips (`load_train`), electricity suppliers (`load_electricity`) and Swissmetro (`load_swissmetro`); a
data set whose package is not installed is left out, with a line that says so. For each the quick test that
a careful analyst would do by hand, a Wald test of the added term t|t|, t the logistic index, with standard
errors clustered by person (CR1, and CR3: leaving out one person at a time); the score test of the same
term, which needs no standard error of a fit that the term has bent; and the library's tests.

    python benchmarks/real_data/link_tests.py --out docs/tables
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.stats import norm

from semiindex import KnownLinkPolicy, PreferencePairs, ProfiledLinkPolicy, index_test, infer, link_test
from semiindex.datasets import load_electricity, load_swissmetro, load_train
from semiindex.diagnostics.null_models import fit_known, known_null, read_tested_sample
from semiindex.diagnostics.score_process import score_process
from semiindex.exceptions import SemiindexWarning

DATA: dict[str, Callable[[], Any]] = {
    "Train": load_train,
    "Electricity": load_electricity,
    "Swissmetro": load_swissmetro,
}


def wald(pairs: PreferencePairs, covariance: str) -> float:
    """Wald statistic of an added t|t|, in standard errors."""
    t = pairs.differences @ KnownLinkPolicy().fit(pairs).coef_
    X = np.column_stack([pairs.differences, t * np.abs(t)])
    model = KnownLinkPolicy().fit(X, pairs.labels)
    # Rows of one choice are within a person, so that clusters by person say all there is to say.
    result = infer(model, X, pairs.labels, groups=pairs.groups, covariance=covariance)
    return float(model.coef_[-1] / result.standard_errors[-1])


def score(model: Any, pairs: PreferencePairs) -> float:
    """Score of t|t| in standard errors, projected on what the coefficients explain."""
    sample = read_tested_sample(model, pairs, None, None, None)
    null = known_null(fit_known(sample, "logistic", antisymmetric=True), sample)
    return float(score_process(null, (null.t * np.abs(null.t))[:, None]).values[0])


def row(name: str, pairs: PreferencePairs) -> str:
    """All tests of one data set."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SemiindexWarning)
        model = ProfiledLinkPolicy().fit(pairs)
        quick = [wald(pairs, covariance) for covariance in ("cluster", "jackknife")]
        direct = score(model, pairs)
        link = link_test(model, pairs, method="score")
        index = index_test(model, pairs)
    cells = [f"{z:+.1f}, {p_value(2 * norm.sf(abs(z)))}" for z in (*quick, direct)]
    worst = index.to_frame().index[0]
    cells += [p_value(link.p_value), f"{100 * link.gap:.1f}", f"{link.angle:.1f}"]
    cells.append(f"{p_value(index.p_value)} ({worst})")
    return f"| {name} | {pairs.n_units:,} | {len(np.unique(pairs.groups))} | {' | '.join(cells)} |"


def p_value(value: float) -> str:
    """Two digits, or the power of ten."""
    return f"{value:.2g}" if value >= 0.001 else f"{value:.0e}"


def table() -> str:
    """A row per data set that is installed."""
    lines = [
        "| data | choices | people | Wald t\\|t\\|, CR1: z, p | CR3: z, p | score t\\|t\\|: z, p "
        "| link test: p | gap, points | angle, degrees | index test: p (worst term) |",
        "|---" * 10 + "|",
    ]
    for name, load in DATA.items():
        try:
            pairs = load().pairs
        except ImportError as error:
            print(f"{name} left out: {error}", file=sys.stderr)
            continue
        lines.append(row(name, pairs))
    return "\n".join(lines)


def main() -> None:
    """Print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder of link_tests_real.md")
    arguments = parser.parse_args()
    text = table() + "\n"
    print(text)
    if arguments.out is not None:
        (arguments.out / "link_tests_real.md").write_text(text)


if __name__ == "__main__":
    main()
