"""What the rewards of the published experiment say: tables, gains in two parts, and the picture.

Rewards are tables with a row per shift s, sample and learner. Gains and their standard errors are of
differences between learners on the same samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd

from semiindex.display.style import COLORS, INK, QUIET, prepare_axes

mpl.use("Agg")
import matplotlib.pyplot as plt

ORACLE = "oracle"
OVERTRAINED, LOGISTIC, TOLD = "overtrained logistic", "logistic", "told the link"
PROFILED, ORTHOGONAL, RANKING = "profiled spline", "orthogonal", "ranking"
#: Methods of the published code, and what they are.
METHODS = {"dpo": OVERTRAINED, "pspo": PROFILED, "ospo": ORTHOGONAL, "rspo": RANKING}
#: Minuend and subtrahend of gains.
GAINS = {
    f"{index}, {meaning}: {first} - {second}": (f"{index}, {first}", f"{index}, {second}")
    for index in ("kernel", "linear")
    for meaning, first, second in (
        ("overfitting", LOGISTIC, OVERTRAINED),
        ("link", PROFILED, LOGISTIC),
        ("link", RANKING, LOGISTIC),
        ("link", ORTHOGONAL, LOGISTIC),
        ("link", TOLD, LOGISTIC),
        ("link", ORTHOGONAL, OVERTRAINED),
    )
}
PUBLISHED_GAINS = {
    "published gain: ospo - dpo": ("published ospo", "published dpo"),
    "published gain: pspo - dpo": ("published pspo", "published dpo"),
    "overfitting: kernel, logistic - published dpo": (f"kernel, {LOGISTIC}", "published dpo"),
    "left for the link: published ospo - kernel, logistic": ("published ospo", f"kernel, {LOGISTIC}"),
    "the stand-in: kernel, overtrained logistic - published dpo": (f"kernel, {OVERTRAINED}", "published dpo"),
}


def markdown(
    fresh: pd.DataFrame,
    published: pd.DataFrame | None,
    pilot: pd.DataFrame,
    held: Mapping[float, Mapping[str, dict[str, Any]]],
) -> str:
    """Rewards, the split of the gains, and what was held, a table each.

    `pilot` has what holding the parameters earned more than tuning them, in the place of rewards.
    """
    wide = by_learner(fresh)
    parts = [f"Mean reward, {_count(wide)} fresh samples:", table("learner", wide)]
    parts += ["Gains, fresh samples:", table("gain", gains(wide, GAINS))]
    if published is not None:
        wide = by_learner(published)
        parts += [f"Mean reward, the {_count(wide)} published data sets:", table("learner", wide)]
        parts += ["Gains, published data sets:", table("gain", gains(wide, PUBLISHED_GAINS))]
    wide = by_learner(pilot)
    parts += [f"What was held, and its reward minus that of tuning in each of {_count(wide)} pilot samples:"]
    return "\n\n".join([*parts, held_table(held, wide)]) + "\n"


def by_learner(rewards: pd.DataFrame) -> pd.DataFrame:
    """A row per shift and sample, a column per learner, in the order of the table."""
    wide = rewards.pivot(index=["s", "seed"], columns="learner", values="reward")
    return wide[list(rewards["learner"].unique())]


def _count(wide: pd.DataFrame) -> int:
    return wide.index.get_level_values("seed").nunique()


def gains(wide: pd.DataFrame, pairs: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Differences of two learners on the same samples, where there are both."""
    return pd.DataFrame(
        {
            name: wide[first] - wide[second]
            for name, (first, second) in pairs.items()
            if {first, second} <= set(wide.columns)
        }
    )


def table(corner: str, wide: pd.DataFrame) -> str:
    """Means over samples with their standard errors: a row per column of `wide`, a column per shift."""
    shifts = list(wide.index.unique("s"))
    lines = [f"| {corner} | " + " | ".join(f"s = {s:g}" for s in shifts) + " |"]
    lines.append("|---" * (len(shifts) + 1) + "|")
    for name in wide.columns:
        lines.append(f"| {name} | " + " | ".join(cell(wide.loc[s, name]) for s in shifts) + " |")
    return "\n".join(lines)


def cell(values: pd.Series) -> str:
    """Mean ± standard error, without a minus before zeros."""
    return f"{values.mean() + 0.0:z.4f} ± {values.sem():.4f}"


def held_table(held: Mapping[float, Mapping[str, dict[str, Any]]], pilot: pd.DataFrame) -> str:
    """Parameters of every learner that has some, with what holding them earns."""
    tuned = list(pilot.index.unique("s"))
    titles = [f"s = {s:g} | held - tuned" if s in tuned else f"s = {s:g}" for s in held]
    lines = ["| learner | " + " | ".join(titles) + " |", "|---" * (len(held) + len(tuned) + 1) + "|"]
    for name in pilot.columns:
        cells = []
        for s, parameters in held.items():
            cells += [_words(parameters[name])] + ([cell(pilot.loc[s, name])] if s in tuned else [])
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _words(parameters: Mapping[str, Any]) -> str:
    (layers,) = parameters["layers"]
    ridge = parameters.get("ridge")
    words = f"{parameters['components'][0]} components" if ridge is None else f"ridge {ridge:g}"
    return words + (f", {layers} layer{'s' if layers > 1 else ''}" if layers else "")


def summary(samples: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Of every set of samples: mean, its standard error and the number of samples, by shift and learner."""
    parts = []
    for name, rewards in samples.items():
        grouped = rewards.groupby(["s", "learner"], sort=False)["reward"]
        described = grouped.agg(mean="mean", standard_error="sem", n_samples="count").reset_index()
        parts.append(described.assign(samples=name).sort_values("s", kind="stable"))
    frame = pd.concat(parts)
    return frame[["samples", *frame.columns.drop("samples")]]


#: Colour and marker of what a learner does about the link; the published code's are dashed and open.
STYLES = {
    OVERTRAINED: (COLORS[1], "s"),
    LOGISTIC: (COLORS[0], "o"),
    PROFILED: (COLORS[4], "v"),
    ORTHOGONAL: (COLORS[3], "D"),
    RANKING: (COLORS[2], "^"),
    TOLD: ("#777777", "P"),
}
TITLES = {"published": "Published data sets", "kernel": "Kernel index", "linear": "Linear index"}


def draw(fresh: pd.DataFrame, published: pd.DataFrame | None, path: Path) -> None:
    """A panel per index class, and one of the published code where its figures are given."""
    wide = by_learner(fresh)
    panels = {index: wide for index in ("kernel", "linear") if f"{index}, {LOGISTIC}" in wide}
    if published is not None:
        panels = {"published": by_learner(published), **panels}
    size = (4 * len(panels), 4.9)
    figure, grid = plt.subplots(
        1, len(panels), figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    axes = grid[0]
    handles: dict[str, Any] = {}
    for ax, (kind, rewards) in zip(axes, panels.items(), strict=True):
        prepare_axes(ax, size)
        ax.grid(visible=True, color=QUIET, linewidth=0.6)
        ax.set_title(f"{TITLES[kind]} ({_count(rewards)} samples)", fontsize="medium", color=INK)
        ax.set(xlabel="Shift s of the link", xticks=list(rewards.index.unique("s")))
        for label, column, style in curves(kind):
            if column in rewards:
                handles[label] = curve(ax, rewards, column, style)
    axes[0].set_ylabel("Mean reward at equal divergence")
    ordered = sorted(handles, key=lambda label: label.startswith("published"))
    figure.legend(
        [handles[label] for label in ordered],
        ordered,
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize="small",
        labelcolor=INK,
    )
    figure.savefig(path, dpi=150)


def curves(kind: str) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """Labels, columns and styles of the curves of a panel."""
    yield ORACLE, ORACLE, {"color": INK, "ls": ":"}
    index = "kernel" if kind == "published" else kind
    shown = (OVERTRAINED, LOGISTIC) if kind == "published" else STYLES
    for treatment in shown:
        color, marker = STYLES[treatment]
        style = {"color": color, "marker": marker, "ls": "-"}
        if treatment == PROFILED:  # it lies on the logistic learner, which shows through
            style |= {"ls": "", "mfc": "white", "ms": 4, "zorder": 3}
        label = f"{treatment}, tuned" if treatment == LOGISTIC else treatment
        yield label, f"{index}, {treatment}", style
    if kind == "published":
        for method, treatment in METHODS.items():
            color, marker = STYLES[treatment]
            name = f"published {method}"
            yield (
                f"published code: {method}",
                name,
                {"color": color, "marker": marker, "ls": "--", "mfc": "white"},
            )


def curve(ax: Any, rewards: pd.DataFrame, column: str, style: Mapping[str, Any]) -> Any:
    """Means, with a band of two standard errors of the distance to the oracle.

    Rewards differ more between networks than between learners; the distance to the oracle does not.
    """
    mean = rewards[column].groupby("s").mean()
    error = 2 * (rewards[column] - rewards[ORACLE]).groupby("s").sem()
    ax.fill_between(mean.index, mean - error, mean + error, color=style["color"], alpha=0.15, lw=0)
    return ax.plot(mean.index, mean, **{"lw": 1.6, "ms": 5.5, **style})[0]
