"""What a study costs besides its fits, and what a second worker gains.

A study of many small fits (n = 500, d = 5 by default) is run with one worker and with `--jobs`,
with a cache, and without. Overhead is everything but the fits: drawing samples, the metric, the
hand-over to workers, writing the cache, starting and scaling; as a share of the fits' own time.
The speed-up compares wall times after the workers have been started. The tables of all runs must be
identical.

    python benchmarks/speed/study_overhead.py --fits 10000 --jobs 2
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
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


def main() -> None:
    """Run the study in all ways and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fits", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--features", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--quick-only", action="store_true", help="logistic fits only, the smallest there are"
    )
    arguments = parser.parse_args()
    task = study(arguments.fits, arguments.rows, arguments.features, arguments.quick_only)
    study(6, 100, 2, quick_only=False).run()  # imports
    Parallel(arguments.jobs)(delayed(time.sleep)(0.5) for _ in range(arguments.jobs))
    study(6 * arguments.jobs, 100, 2, quick_only=False).run(n_jobs=arguments.jobs, block_size=1)
    print(f"{task.n_fits} fits, n = {arguments.rows}, d = {arguments.features}\n")
    print("| workers | cache | wall seconds | of fits | overhead | speed-up |\n|---|---|---|---|---|---|")
    first: StudyResult | None = None
    baseline: dict[bool, float] = {}
    for n_jobs in (1, arguments.jobs):
        for cached in (False, True):
            result, wall = timed(task, n_jobs, cached=cached)
            fits = float(result.frame["seconds"].sum())
            overhead = wall * n_jobs / fits - 1
            gain = baseline.setdefault(cached, wall) / wall
            print(f"| {n_jobs} | {cached} | {wall:.2f} | {fits:.2f} | {overhead:.1%} | {gain:.2f} |")
            first = result if first is None else first
            assert_frame_equal(
                result.frame.drop(columns="seconds"), first.frame.drop(columns="seconds"), check_exact=True
            )


if __name__ == "__main__":
    main()
