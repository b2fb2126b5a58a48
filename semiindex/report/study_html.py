"""The report of a simulation study as one HTML file."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from semiindex.display.metric_words import metric_label, metric_meaning
from semiindex.report.page import html_table, html_tiles, render_page
from semiindex.report.pictures import figure_uri
from semiindex.report.study_pictures import StudyPicture
from semiindex.simulation.description import StudyDescription
from semiindex.simulation.result import StudyResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["means_table", "render_study"]

_FILES = (
    "Beside this page stand results.csv (a row per fit), summary.csv (means with standard errors, and paired "
    "differences to the baseline where there is one), study.toml and the pictures. The folder cache holds "
    "finished work: with --resume a run continues or grows; delete it when nothing is to be added."
)


def render_study(
    result: StudyResult, description: StudyDescription, pictures: Iterable[StudyPicture], command: str
) -> str:
    """The page.

    Parameters
    ----------
    result : StudyResult
        What to report.
    description : StudyDescription
        Of the study.
    pictures : iterable of StudyPicture
        In their order.
    command : str
        How it was made, as typed.

    Returns
    -------
    str
        A complete HTML document.
    """
    return render_page(
        "study.html",
        title=description.title,
        subtitle=_subtitle(description),
        tiles=_tiles(result),
        reading=escape(_reading(description, result)),
        pictures=_pictures(pictures),
        tables="\n".join(_section(result, metric) for metric in result.metrics),
        failures=f"{_failures(result)}\n{_warnings(result)}",
        description=escape(description.text.strip()),
        command=escape(command),
        files=escape(_FILES),
    )


def _subtitle(description: StudyDescription) -> str:
    study = description.study
    return (
        f"{len(study.truths)} truths, {len(study.designs)} designs, {len(study.n)} sample sizes, "
        f"{len(study.estimators)} estimators, {study.replications} replications; seed {study.random_state}"
    )


def _tiles(result: StudyResult) -> str:
    frame = result.frame
    warned = int((frame["n_warnings"] > 0).sum())
    return html_tiles(
        [
            (f"{len(frame):,}", "fits"),
            (f"{len(result.failures):,}", "with an error"),
            (f"{warned:,}", "with a warning"),
            (f"{frame['seconds'].sum():,.0f} s", "in fits, over all processes"),
        ]
    )


def _reading(description: StudyDescription, result: StudyResult) -> str:
    """What a reader of the pictures has to know."""
    sentences = ["All estimators of a study see the same samples."]
    if "severity" in result.factors:
        sentences.append(
            "The severity says how wrong the link is: at 0 it is logistic, at 1 as far from it as its family "
            "goes."
        )
    strength = description.study.strength
    if strength is not None:
        sentences.append(
            "Links are scaled so that the probabilities of the answers are on average "
            f"{strength:g} away from 1/2, whatever the severity and the design."
        )
    return " ".join(sentences)


def _pictures(pictures: Iterable[StudyPicture]) -> str:
    """Figures; those of one design each can be opened one by one, the first being open."""
    parts = []
    for picture in pictures:
        figure = _figure(picture)
        if picture.design:
            summary = f"<summary>{escape(picture.caption.partition('. ')[0])}</summary>"
            figure = f"<details{' open' if picture.first else ''}>\n{summary}\n{figure}\n</details>"
        parts.append(figure)
    return "\n".join(parts)


def _figure(picture: StudyPicture) -> str:
    caption = escape(picture.caption)
    uri = figure_uri(picture.draw, *picture.size)
    # No wider than it was drawn, or the text of a narrow heat map would stand larger than that of the page.
    image = f'<img src="{uri}" alt="{caption}" style="max-width: {picture.size[0]:.3g}in">'
    return f"<figure>\n{image}\n<figcaption>{caption}</figcaption>\n</figure>"


def means_table(result: StudyResult, metric: str) -> pd.DataFrame:
    """Means of a metric, a row per cell and a column per estimator, as text with standard errors.

    Parameters
    ----------
    result : StudyResult
        Of a study.
    metric : str
        Column of the table.

    Returns
    -------
    pandas.DataFrame
        Columns truth, design, n and the estimators.
    """
    summary = result.summary(metrics=[metric])
    entries = [
        f"{mean:.3g} ± {error:.2g}" if error == error else f"{mean:.3g}"
        for mean, error in zip(summary["mean"], summary["standard_error"], strict=True)
    ]
    keys = ["truth", "design", "n"]
    wide = summary.assign(entry=entries).pivot(index=keys, columns="estimator", values="entry")
    order = summary[keys].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None)), list(summary["estimator"].unique())]
    return wide.rename_axis(columns=None).reset_index()


def _section(result: StudyResult, metric: str) -> str:
    table = means_table(result, metric)
    rows = [[str(value) for value in row] for row in table.itertuples(index=False, name=None)]
    body = html_table([str(name) for name in table.columns], rows)
    label = metric_label(metric)
    column = "" if label == metric else f" <code>{escape(metric)}</code>"
    summary = f"<summary>{escape(label)}{column}</summary>"
    meaning = f"<p>{escape(metric_meaning(metric))}</p>" if metric_meaning(metric) else ""
    return f'<details>\n{summary}\n{meaning}\n<div class="scroll">\n{body}\n</div>\n</details>'


def _failures(result: StudyResult) -> str:
    frame = result.failures
    if frame.empty:
        return "<p>No fit failed.</p>"
    counts = frame.groupby(["error", "estimator"], sort=False).size().reset_index(name="fits")
    return f"<p>Means leave failed fits out.</p>\n{_counts(counts)}"


def _warnings(result: StudyResult) -> str:
    counts = result.warning_counts
    if counts.empty:
        return "<p>No fit gave a warning.</p>"
    text = "<p>Fits with warnings count like all others.</p>"
    if "SeparationWarning" in set(counts["warning"]):
        text += (
            "\n<p>A SeparationWarning says that some index predicts all comparisons of a sample, as in small "
            "samples with rare features. The likelihood then has no maximum, and the fit is one of many; how "
            "it compares with others says little. Larger samples or less rare features mend it.</p>"
        )
    return f"{text}\n{_counts(counts)}"


def _counts(counts: pd.DataFrame) -> str:
    rows = [[str(value) for value in row] for row in counts.itertuples(index=False, name=None)]
    body = html_table([str(name) for name in counts.columns], rows)
    return f'<div class="scroll">\n{body}\n</div>'
