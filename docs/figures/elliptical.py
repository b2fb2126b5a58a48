"""Draws which designs show a wrong link: elliptical ones hide it, skewed and discrete ones do not.

python docs/figures/elliptical.py docs/_static/elliptical.png
"""

from __future__ import annotations

import sys

import matplotlib as mpl

mpl.use("Agg")

from semiindex import KnownLinkPolicy, ProfiledLinkPolicy, StudyDisplay
from semiindex.simulation import (
    AngleError,
    AsOffered,
    BinaryFeatures,
    ComparisonDesign,
    ConjointFeatures,
    MixedFeatures,
    NormalFeatures,
    SkewedFeatures,
    StudentFeatures,
    Study,
    severity_grid,
)

STUDY = Study(
    truths=severity_grid(["flips"], [0.0, 0.5, 1.0], score=[1, -1, 1, -1, -1, -1, 2, 2, 2]),
    designs={
        "normal: elliptical": NormalFeatures(9),
        "Student t: elliptical": StudentFeatures(9),
        "skewed": SkewedFeatures(9),
        "flags": BinaryFeatures(9, rate=0.08),
        "mixed": ComparisonDesign(MixedFeatures(9), sampling=AsOffered()),
        "conjoint": ConjointFeatures(),
    },
    n=16_000,
    strength=0.2,  # with flips of 20 in 100 not every design reaches a quarter
    estimators={
        "logistic": KnownLinkPolicy(),
        "link learned (spline)": ProfiledLinkPolicy(),
        "link known": lambda truth: KnownLinkPolicy(truth.marginal_link),
    },
    metrics=[AngleError()],
    replications=20,
)


def main(path: str) -> None:
    """Run the study and draw it."""
    result = STUDY.run()
    display = StudyDisplay.against_severity(result, "angle", label="Error of the direction (degrees)").plot()
    print(result.summary("link known", metrics=["angle"]).to_string())
    display.figure_.savefig(path, dpi=110)


if __name__ == "__main__":
    main(sys.argv[1])
