"""Draws the picture of the README: what a wrong link costs, however many comparisons there are.

The numbers are those of benchmarks/statistical/cost_of_a_wrong_link.py, in docs/tables.

    python docs/figures/regret.py docs/tables/cost_of_a_wrong_link.csv docs/_static/regret.png
"""

from __future__ import annotations

import sys

import matplotlib as mpl
import numpy as np
import pandas as pd

mpl.use("Agg")
import matplotlib.pyplot as plt

TITLES = {
    "lapses": "28 of 100 answers at random, mostly “no”",
    "flips": "20 of 100 answers flipped",
}
#: Estimator -> label, colour, line and marker.
CURVES = {
    "logistic, free shift, ridge tuned": ("logistic, tuned (Bradley-Terry, DPO)", "#D55E00", "--", "s"),
    "isotonic": ("isotonic link", "#56B4E9", "-", "v"),
    "orthogonal": ("orthogonal", "#CC79A7", "-", "D"),
    "ranking": ("ranking", "#009E73", "-", "^"),
    "spline": ("link learned: spline (the default)", "#0072B2", "-", "o"),
    "known link": ("link known, no ridge", "#555555", ":", ""),
}


def main(table: str, path: str) -> None:
    """Draw a panel per kind of answers."""
    summary = pd.read_csv(table)
    summary = summary[summary["metric"] == "lost"]
    plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False})
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained", sharey=True)
    for ax, (link, title) in zip(axes, TITLES.items(), strict=True):
        for estimator, (label, color, line, marker) in CURVES.items():
            rows = summary[(summary["link"] == link) & (summary["estimator"] == estimator)].sort_values("n")
            mean, bars = rows["mean"].to_numpy(), 2 * rows["standard_error"].to_numpy()
            ax.errorbar(
                rows["n"],
                mean,
                yerr=np.vstack([np.minimum(bars, 0.9 * mean), bars]),
                color=color,
                ls=line,
                marker=marker,
                ms=5,
                lw=2,
                elinewidth=1,
                label=label,
            )
        ax.set(xscale="log", yscale="log", title=title, xlabel="number of comparisons")
        ax.set_xticks([250, 1000, 4000, 16_000, 64_000], ["250", "1,000", "4,000", "16,000", "64,000"])
        ax.set_yticks([0.1, 0.3, 1, 3, 10, 30], ["0.1", "0.3", "1", "3", "10", "30"])
        ax.minorticks_off()
        ax.grid(visible=True, color="#E5E5E5", lw=0.6)
        ax.set_axisbelow(True)
    axes[0].set_ylabel("reward lost at equal budget (%)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
