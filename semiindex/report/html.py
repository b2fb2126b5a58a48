"""The report of an analysis as one HTML file: text, tables and pictures, nothing loaded from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

import numpy as np

from semiindex.report.analysis import FREE, LOGISTIC, Analysis
from semiindex.report.diagnosis_page import diagnosis_section
from semiindex.report.page import html_table, html_tiles, render_page
from semiindex.report.pictures import data_uri

__all__ = ["render_report"]


def render_report(analysis: Analysis, command: str) -> str:
    """The page.

    Parameters
    ----------
    analysis : Analysis
        What to report.
    command : str
        How it was made, as typed.

    Returns
    -------
    str
        A complete HTML document.
    """
    return render_page(
        "report.html",
        title=f"Preferences in {analysis.reading.table}",
        subtitle=_subtitle(analysis),
        tone="against" if analysis.against_logistic else "",
        summary="\n".join(_summary(analysis)),
        tiles=_tiles(analysis),
        command=escape(command),
        predict_command=escape("semiindex predict model.json NEW.csv --out predictions.csv"),
        facts=_facts_table(analysis.reading.facts()),
        diagnosis=diagnosis_section(analysis),
        notes=_notes(analysis),
        files=escape(_FILES),
        **_link_parts(analysis),
        **_coefficient_parts(analysis),
        **_held_out_parts(analysis),
    )


_FILES = (
    "Beside this page stand coefficients.csv, link.csv (the curves of the first picture), model.json (the "
    "model, readable by people and programs) and model.joblib (the fitted estimator for Python). New "
    "comparisons in a table of the same layout are predicted by:"
)


def _subtitle(analysis: Analysis) -> str:
    reading, pairs = analysis.reading, analysis.reading.pairs
    raters = "" if pairs.groups is None else f" by {len(np.unique(pairs.groups)):,} raters"
    features = f"{pairs.n_features} feature{'s' if pairs.n_features > 1 else ''}"
    return f"{pairs.n_units:,} {reading.units_name}{raters}, {features}, {analysis.settings.description}"


def _summary(analysis: Analysis) -> list[str]:
    """The answer in words."""
    held, verdict = analysis.held_out, analysis.verdict()
    head, _, rest = verdict.partition(": ")
    lines = [f'<p class="verdict">{escape(head)}</p>', f"<p>{escape(rest[0].upper() + rest[1:])}</p>"]
    names, values = _by_importance(analysis)
    listed = ", ".join(_liked(name, value) for name, value in zip(names, values, strict=True))
    lines.append(
        f"<p>What makes an option preferred, most important first: <b>{escape(listed)}</b> "
        "(weighed by the typical difference of each feature between two options).</p>"
    )
    gain = held.accuracy(FREE)
    lines.append(
        f"<p>The link-free fit predicts {100 * gain:.1f} % of held-out comparisons rightly, the logistic fit "
        f"{100 * held.accuracy(LOGISTIC):.1f} %.</p>"
    )
    if analysis.diagnosis is not None:
        asked = "; ".join(f"{answer.asked} {answer.verdict}" for answer in analysis.diagnosis.answers)
        lines.append(f"<p>{escape(asked)}. The reasons stand below, under the same questions.</p>")
    return lines


def _liked(name: str, coefficient: float) -> str:
    """What of a feature is liked: more or less of it, or a level of a category."""
    level = re.fullmatch(r"([^:\[\]]+)\[T\.([^:]*)\]", name)
    if level is None:
        return f"{'more' if coefficient > 0 else 'less'} {name}"
    return f"{level[1]} {'is' if coefficient > 0 else 'is not'} {level[2]}"


def _by_importance(analysis: Analysis, most: int = 6) -> tuple[list[str], list[float]]:
    display = analysis.coefficient_display()
    values = display.coefficients[FREE]
    order = [int(j) for j in np.argsort(-np.abs(values), kind="stable") if values[j] != 0][:most]
    return [display.feature_names[j] for j in order], [float(values[j]) for j in order]


def _tiles(analysis: Analysis) -> str:
    held, pairs = analysis.held_out, analysis.reading.pairs
    gap = held.difference(LOGISTIC, FREE)
    return html_tiles(
        [
            (f"{pairs.n_units:,}", analysis.reading.units_name),
            (f"{held.log_loss(FREE):.4f}", "held-out log loss, link-free"),
            (f"{held.log_loss(LOGISTIC):.4f}", "held-out log loss, logistic"),
            (f"{gap.mean:+.4f} ± {gap.error:.4f}".replace("-", "−"), "difference and its standard error"),
        ]
    )


def _link_parts(analysis: Analysis) -> dict[str, str]:
    display = analysis.link_display()
    several = len(display.curves) > 1
    what = "one for each class of raters" if several else "solid line"
    caption = (
        f"The estimated link ({what}) says how probable it is that option 1 is preferred, given how much "
        "higher it scores. Points are the data, gathered into bins with about equal numbers of comparisons; "
        "bars are one binomial standard error. The dashed line is the logistic link fitted to the same "
        "index: where it leaves the points by several of their bars, it misstates the probabilities. Grey "
        "bars at the bottom show where the comparisons lie; far from them the curves are extrapolated."
    )
    if display.folded:
        caption += (
            " Position is taken to have no effect, so that every comparison also counts with its options "
            "exchanged, and the right half of the picture mirrors the left."
        )
    return {"link_picture": data_uri(display, 8.4, 4.6), "link_caption": escape(caption)}


def _coefficient_parts(analysis: Analysis) -> dict[str, str]:
    table = analysis.coefficients()
    rows = [(str(name), f"{row[FREE]:.5g}", f"{row[LOGISTIC]:.5g}") for name, row in table.iterrows()]
    display = analysis.coefficient_display()
    n_shown = min(len(table), 30)
    text = (
        f"Normalisation of both columns: {analysis.free.normalization_}. A link that is not known absorbs "
        "the scale of the coefficients, so that only their ratios are determined; both fits are put on one "
        "scale. The table gives estimates without standard errors."
    )
    caption = (
        "Each coefficient times the typical (root mean square) difference of its feature between the two "
        "options compared, so that features in different units can be compared. Where the two marks differ, "
        "assuming the logistic link changes the answer."
    )
    return {
        "coefficient_table": html_table(("feature", FREE, LOGISTIC), rows),
        "coefficient_text": escape(text),
        "coefficient_picture": data_uri(display, 8.4, 1.4 + 0.36 * n_shown),
        "coefficient_caption": escape(caption),
    }


def _held_out_parts(analysis: Analysis) -> dict[str, str]:
    held = analysis.held_out
    rows = [(n, f"{held.log_loss(n):.4f}", f"{100 * held.accuracy(n):.1f} %") for n in (LOGISTIC, FREE)]
    gap = held.difference(LOGISTIC, FREE)
    text = (
        f"{held.n_folds}-fold cross-validation; {held.cluster_name} are kept together. The log loss of the "
        f"logistic fit minus that of the link-free fit is {gap.mean:.4f}, with standard error "
        f"{gap.error:.4f} from sums within {gap.n_clusters:,} {held.cluster_name}. More than two standard "
        "errors above 0 would be evidence against the logistic link. Without it the logistic link may still "
        "be wrong; these data then do not show it."
    )
    option = "the option that the model favours" if analysis.settings.antisymmetric else "option 1"
    caption = (
        f"How often {option} was preferred, by the probability predicted for it, for comparisons that the "
        "model was not fitted to. On the dotted line predictions come true as often as they say. Bars: one "
        "standard error."
    )
    return {
        "held_out_table": html_table(("fit", "log loss", "accuracy"), rows),
        "held_out_text": escape(text),
        "calibration_picture": data_uri(analysis.calibration_display(), 4.9, 4.4),
        "calibration_caption": escape(caption),
    }


def _facts_table(facts: Iterable[tuple[str, str]]) -> str:
    rows = "\n".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts)
    return f'<table class="facts">\n<tbody>\n{rows}\n</tbody>\n</table>'


def _notes(analysis: Analysis) -> str:
    position = (
        "The order in which two options stand is taken to have no effect on the answer."
        if analysis.settings.antisymmetric
        else "The order in which two options stand may have an effect on the answer."
    )
    state = f"The fit converged in {analysis.free.n_iter_} steps."
    notes = [position, *analysis.notes(), *([state] if analysis.free.converged_ else [])]
    warned = [f'<li class="warning"><b>Warning:</b> {escape(text)}</li>' for text in analysis.warnings]
    return "\n".join([*warned, *(f"<li>{escape(note)}</li>" for note in notes)])
