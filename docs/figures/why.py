"""Draws the picture of the README: a wrong link is not mended by more data.

python docs/figures/why.py docs/_static/why.png
"""

from __future__ import annotations

import sys

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

from semiindex import KnownLinkPolicy, LapsedLink, LogisticLink, ProfiledLinkPolicy

#: People answer at random in 28 cases of 100, and rather "no" than "yes".
LINK = LapsedLink(LogisticLink(), lower=0.03, upper=0.25, scale=2.5, shift=-0.4)
THETA = np.array([0.8, -0.6, 0.5, -1.0, -0.8, 0.6, 1.5, -1.2, 1.0])
SIZES = (250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000)
REPLICATIONS = 20
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#555555"


def options(n: int, rng: np.random.Generator) -> np.ndarray:
    """Ordinal ratings, lognormal prices and rare flags: what surveys and shops record."""
    ordinal = rng.integers(0, 5, (n, 3)) / 2
    price = rng.lognormal(0.0, 1.2, (n, 3)) / 2
    flag = rng.random((n, 3)) < 0.08
    return np.column_stack([ordinal, price, flag])


def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Differences of two random options, and which was preferred."""
    X = options(n, rng) - options(n, rng)
    return X, rng.random(n) < LINK.probability(X @ THETA)


def angle(estimate: np.ndarray, X: np.ndarray) -> float:
    """Error of the direction in the metric of the index, in degrees."""
    s, t = X @ estimate, X @ THETA
    return float(np.degrees(np.arccos(np.clip(s @ t / np.sqrt((s @ s) * (t @ t)), -1, 1))))


def errors() -> dict[str, np.ndarray]:
    """Mean angle by sample size for the three estimators of the picture."""
    makers = {
        "logistic (Bradley-Terry, DPO)": lambda: KnownLinkPolicy(antisymmetric=False),
        "link learned (semiindex)": lambda: ProfiledLinkPolicy(antisymmetric=False),
        "link known (the yardstick)": lambda: KnownLinkPolicy(
            LINK, antisymmetric=False, position_effect=False
        ),
    }
    mean = {name: np.empty(len(SIZES)) for name in makers}
    reference = sample(100_000, np.random.default_rng(1))[0]
    for column, n in enumerate(SIZES):
        runs = [sample(n, np.random.default_rng([n, seed])) for seed in range(REPLICATIONS)]
        for name, make in makers.items():
            mean[name][column] = np.mean([angle(make().fit(X, y).coef_, reference) for X, y in runs])
    return mean


def main(path: str) -> None:
    """Draw the two panels."""
    plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False})
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained")

    X, y = sample(4000, np.random.default_rng(3))
    free = ProfiledLinkPolicy(antisymmetric=False).fit(X, y)
    # The logistic fit on the same axis: its index is a multiple of its own direction.
    logistic = KnownLinkPolicy(antisymmetric=False, normalization="rms").fit(X, y)
    t = np.linspace(-2, 2, 401)
    scale = np.sqrt(np.mean((X @ THETA) ** 2))
    left.plot(t, LINK.probability(t * scale), color=GREY, lw=5, alpha=0.35, label="truth")
    left.plot(t, free.link_.probability(t), color=BLUE, lw=2, label="learned from 4000 comparisons")
    left.plot(t, logistic.link_.probability(t), color=ORANGE, lw=2, ls="--", label="logistic fit")
    left.set(
        xlabel="index (difference in utility, unit root mean square)",
        ylabel="probability that option 1 is preferred",
        ylim=(0, 1),
        title="How a difference in utility turns into an answer",
    )
    left.legend(frameon=False, loc="upper left")

    styles = [(ORANGE, "--", "s"), (BLUE, "-", "o"), (GREY, ":", "^")]
    for (name, mean), (color, line, marker) in zip(errors().items(), styles, strict=True):
        right.loglog(SIZES, mean, color=color, ls=line, marker=marker, lw=2, label=name)
        print(name, np.round(mean, 2))
    right.set(
        xlabel="number of comparisons",
        ylabel="error of the learned direction (degrees)",
        title="More data do not mend a wrong link",
    )
    right.set_xticks([250, 1000, 4000, 16_000], ["250", "1000", "4000", "16 000"])
    right.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    right.minorticks_off()
    right.legend(frameon=False, loc="lower left")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main(sys.argv[1])
