"""What a study costs besides its fits, and what a second worker gains.

A study of many small fits (n = 500, d = 5 by default) is run with one worker and with `--jobs`,
with a cache, and without: once with logistic and profiled fits, and once with the smallest there are,
logistic ones alone. Overhead is everything but the fits: drawing samples, the metric, the
hand-over to workers, writing the cache, starting and scaling; as a share of the fits' own time.
The speed-up compares wall times after the workers have been started. The tables of all runs must be
identical.

    python benchmarks/speed/study_overhead.py --fits 10000 --jobs 2 --out docs/tables
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from joblib import Parallel, delayed
from pandas.testing import assert_frame_equal

from semiindex import KnownLinkPolicy, ProfiledLinkPolicy
from semiindex.simulation import AngleError, NormalFeatures, Study, StudyResult, severity_grid

SEVERITIES = (0.0, 0.5, 1.0)


def study(n_fits: int, n: int, n_features: int, quick_only: bool) -> Study:
    """A study of about `n_fits` fits: three truths, and one or two estimators."""
    estimators: dict[str, Any] = {"logistic": KnownLinkPolicy()}
    if not quick_only:
        estimators["profiled"] = ProfiledLinkPolicy()
    return Study(
        truths=severity_grid(["flips"], SEVERITIES),
        designs={"normal": NormalFeatures(n_features)},
        n=n,
        estimators=estimators,
        metrics=[AngleError()],
        replications=max(n_fits // (len(SEVERITIES) * len(estimators)), 1),
    )


def timed(task: Study, n_jobs: int, *, cached: bool) -> tuple[StudyResult, float]:
    """Result and wall time."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = task.run(n_jobs=n_jobs, cache=f"{folder}/cache" if cached else None)
        return result, time.perf_counter() - start


def table(task: Study, jobs: int, what: str) -> list[str]:
    """Rows of one study: one worker and several, without a cache and with one."""
    lines: list[str] = []
    first: StudyResult | None = None
    baseline: dict[bool, float] = {}
    for n_jobs in (1, jobs):
        for cached in (False, True):
            result, wall = timed(task, n_jobs, cached=cached)
            fits = float(result.frame["seconds"].sum())
            overhead = wall * n_jobs / fits - 1
            gain = baseline.setdefault(cached, wall) / wall
            way = f"{what} | {task.n_fits} | {n_jobs} | {'yes' if cached else 'no'}"
            lines.append(f"| {way} | {wall:.1f} | {fits:.1f} | {overhead:.1%} | {gain:.2f} |")
            first = result if first is None else first
            assert_frame_equal(
                result.frame.drop(columns="seconds"), first.frame.drop(columns="seconds"), check_exact=True
            )
    return lines


def main() -> None:
    """Run the studies in all ways, print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fits", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--features", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, help="folder for study_overhead.md")
    arguments = parser.parse_args()
    study(6, 100, 2, quick_only=False).run()  # imports
    Parallel(arguments.jobs)(delayed(time.sleep)(0.5) for _ in range(arguments.jobs))
    study(6 * arguments.jobs, 100, 2, quick_only=False).run(n_jobs=arguments.jobs, block_size=1)
    lines = [
        "| study | fits | workers | cache | wall seconds | of fits | overhead | speed-up |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for quick_only, what in ((False, "logistic and profiled"), (True, "logistic alone")):
        task = study(arguments.fits, arguments.rows, arguments.features, quick_only)
        lines += table(task, arguments.jobs, what)
    text = "\n".join([*lines, "", f"n = {arguments.rows}, d = {arguments.features}."])
    print(text)
    if arguments.out is not None:
        (arguments.out / "study_overhead.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
