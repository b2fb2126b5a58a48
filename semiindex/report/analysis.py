"""The analysis behind the command: what was read, both fits, and their held-out comparison."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semiindex.data import PreferencePairs
from semiindex.data.column_codes import ColumnCode
from semiindex.data.encoding import OptionEncoder
from semiindex.diagnostics import Diagnosis, LinkTest, diagnose
from semiindex.diagnostics.evidence import p_words
from semiindex.diagnostics.findings import COUNTS_FROM
from semiindex.diagnostics.held_out import HeldOutComparison, compare_held_out
from semiindex.display import CalibrationDisplay, CoefficientDisplay, LinkDisplay
from semiindex.exceptions import InvalidDataError, SemiindexWarning
from semiindex.index.normalization import normalize
from semiindex.policy import KnownLinkPolicy, OrthogonalPolicy, ProfiledLinkPolicy, RankingPolicy
from semiindex.policy.base import PreferencePolicy
from semiindex.report.arguments import FitSettings
from semiindex.report.layouts import TableLayout

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FREE", "LOGISTIC", "Analysis", "Reading", "analyse", "read_comparisons"]

#: Names of the two fits, in text and pictures.
FREE, LOGISTIC = "link-free", "logistic"


@dataclass(frozen=True, eq=False)
class Reading:
    """A table as it was understood.

    Attributes
    ----------
    table : str
        Name of the table.
    layout : TableLayout
        Its layout.
    n_rows, n_columns : int
        Its size.
    pairs : PreferencePairs
        The comparisons.
    encoder : OptionEncoder
        How columns became features.
    warnings : tuple of str
        What the reading warned of.
    """

    table: str
    layout: TableLayout
    n_rows: int
    n_columns: int
    pairs: PreferencePairs
    encoder: OptionEncoder
    warnings: tuple[str, ...]

    @property
    def units_name(self) -> str:
        """What a unit of the pairs is, in the plural."""
        return "choice sets" if self.layout.kind == "choice-sets" else "comparisons"

    def facts(self) -> list[tuple[str, str]]:
        """What was read, as name and value."""
        pairs, roles = self.pairs, self.layout.columns()
        size = f"{self.n_rows:,} rows, {self.n_columns} columns, layout {self.layout.kind}"
        facts = [
            ("table", f"{self.table}: {size}"),
            ("comparisons", self._comparisons()),
            ("raters", f"{len(np.unique(pairs.groups)):,} (column {roles['group']})"
             if pairs.groups is not None else "not given (--group); every comparison counts as independent"),
            ("option 1 preferred", f"{100 * float(np.average(pairs.labels, weights=pairs.weights)):.1f} %"),
            ("ties", f"{self._n_ties():,}"),
            ("self-comparisons", f"{pairs.n_self_comparisons:,} (both options have the same features)"),
        ]  # fmt: skip
        if pairs.link_groups is not None:
            levels = ", ".join(map(str, np.unique(pairs.link_groups)[:8]))
            facts.append(("classes of raters", f"{levels} (column {roles['link_group']})"))
        facts.append(("features", f"{pairs.n_features}: {', '.join(pairs.feature_names)}"))
        facts += [("encoding", sentence) for sentence in self._encodings()]
        return facts

    def _comparisons(self) -> str:
        pairs = self.pairs
        weighted = "" if pairs.weights is None else f", total weight {float(pairs.weights.sum()):g}"
        if pairs.n_units == pairs.n_pairs:
            return f"{pairs.n_pairs:,}{weighted}"
        return f"{pairs.n_pairs:,} rows from {pairs.n_units:,} {self.units_name}{weighted}"

    def _n_ties(self) -> int:
        """Comparisons with equal weight on both labels (in choice sets labels only tell the order)."""
        pairs = self.pairs
        if pairs.weights is None or self.layout.kind == "choice-sets":
            return 0
        _, unit = np.unique(pairs.units, return_inverse=True)
        for1, for0 = (np.bincount(unit, weights=pairs.weights * (pairs.labels == z)) for z in (1, 0))
        return int(np.sum((for1 == for0) & (for1 > 0)))

    def _encodings(self) -> list[str]:
        codes = [code for code in (*self.encoder.columns, *self.encoder.context) if code.levels is not None]
        if self.encoder.formula is not None:
            listed = [f"formula {self.encoder.formula.formula}"]
            return listed + [f"{code.name} is a category with the levels {_levels(code)}" for code in codes]
        return [
            f"{code.name} is a category: indicators for {_levels(code, 1)}, against {code.levels[0]}"
            for code in codes
            if code.levels is not None
        ]


def _levels(code: ColumnCode, start: int = 0) -> str:
    levels = list(code.levels or ())[start:]
    return ", ".join(map(str, levels[:8])) + (f", ... ({len(levels) - 8} more)" if len(levels) > 8 else "")


def read_comparisons(frame: pd.DataFrame, layout: TableLayout, table: str) -> Reading:
    """Turn a table into comparisons.

    Parameters
    ----------
    frame : DataFrame
        The table.
    layout : TableLayout
        Its layout.
    table : str
        Its name.

    Returns
    -------
    Reading

    Raises
    ------
    InvalidDataError
        If the table does not fit the layout, or a column of numbers holds some text.
    """
    for column in layout.feature_columns(frame):
        _require_no_stray_text(frame[column], table)
    pairs, said = _listening(lambda: layout.build(frame))
    encoder = pairs.encoder
    if encoder is None:  # every builder for tables leaves one
        raise InvalidDataError(f"{table} has no features.")
    return Reading(table, layout, len(frame), frame.shape[1], pairs, encoder, said)


def _require_no_stray_text(values: pd.Series[Any], table: str) -> None:
    """A column of numbers with a few words among them is a slip, not a category."""
    texts = [value for value in values.dropna() if isinstance(value, str)]
    words = [value for value in texts if not _looks_numeric(value)]
    if words and len(words) < len(texts) / 2:
        row = int(np.argmax(values.to_numpy() == words[0])) + 1
        raise InvalidDataError(
            f"column {values.name!r} of {table} is not numeric: it holds {words[0]!r} in row {row}, though "
            f"{len(texts) - len(words):,} of its {len(texts):,} values are numbers. Correct it, or leave "
            "such rows out; if the column is a category, let its values not look like numbers."
        )


def _looks_numeric(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _listening(action: Callable[[], Any]) -> tuple[Any, tuple[str, ...]]:
    """The result, and the library's warnings as sentences, each once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = action()
    said = [str(entry.message) for entry in caught if issubclass(entry.category, SemiindexWarning)]
    return result, tuple(dict.fromkeys(said))


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything that the command prints and writes.

    Attributes
    ----------
    reading : Reading
        The table as understood.
    settings : FitSettings
        What was asked for.
    free : fitted estimator
        The link-free fit to all comparisons.
    logistic : KnownLinkPolicy
        The logistic fit to all comparisons.
    held_out : HeldOutComparison
        Both, cross-validated.
    diagnosis : Diagnosis or None
        The diagnostics of the link-free fit; None if they were left out.
    warnings : tuple of str
        What reading and fits warned of.
    """

    reading: Reading
    settings: FitSettings
    free: PreferencePolicy
    logistic: KnownLinkPolicy
    held_out: HeldOutComparison
    diagnosis: Diagnosis | None
    warnings: tuple[str, ...]

    def coefficients(self) -> pd.DataFrame:
        """Coefficients of both fits under one normalisation, indexed by feature."""
        import pandas as pd

        names = self.reading.pairs.feature_names
        alike = normalize(self.settings.normalization, self.logistic.coef_, self.logistic.index_rms_, names)
        return pd.DataFrame(
            {FREE: self.free.coef_, LOGISTIC: self.logistic.coef_ / alike.divisor},
            index=pd.Index(names, name="feature"),
        )

    @property
    def _link_test(self) -> LinkTest | None:
        """The page's test of the logistic link; None where it did not run."""
        if self.diagnosis is None or "link" not in set(self.diagnosis):
            return None
        found = self.diagnosis["link"]
        return found if isinstance(found, LinkTest) else None

    @property
    def against_logistic(self) -> bool:
        """Whether held-out predictions or the test of the page speak against the logistic link."""
        gap = self.held_out.difference(LOGISTIC, FREE)
        test = self._link_test
        return gap.mean > 2 * gap.error or (test is not None and test.p_value <= COUNTS_FROM)

    def verdict(self) -> str:
        """What all that was done says of the logistic link."""
        head = f"{'Evidence' if self.against_logistic else 'No evidence'} against the logistic link"
        held_out = self.held_out.sentence(LOGISTIC, FREE).partition(": ")[2]
        test = self._link_test
        if test is None:
            return f"{head}: {held_out}"
        answer = "rejects it" if test.p_value <= COUNTS_FROM else "does not reject it"
        shown = p_words(test.p_value, test.n_draws)
        return f"{head}: {held_out} A test, which sees smaller departures, {answer} at 1% ({shown})."

    def notes(self) -> tuple[str, ...]:
        """Assumptions and remarks, without what was warned of."""
        gathered = (*self.reading.pairs.assumptions, *self.free.notes_)
        return tuple(note for note in dict.fromkeys(gathered) if note not in self.warnings)

    def link_display(self) -> LinkDisplay:
        """The estimated link over all comparisons."""
        return LinkDisplay.from_estimator(self.free, self.reading.pairs)

    def calibration_display(self) -> CalibrationDisplay:
        """Held-out calibration of both fits."""
        held = self.held_out
        return CalibrationDisplay.from_predictions(
            held.z, held.probability, sample_weight=held.weight, folded=self.settings.antisymmetric
        )

    def coefficient_display(self) -> CoefficientDisplay:
        """Coefficients of both fits, comparable between features."""
        models = {FREE: self.free, LOGISTIC: self.logistic}
        return CoefficientDisplay.from_estimator(
            models, self.reading.pairs, normalization=self.settings.normalization
        )


def analyse(
    reading: Reading,
    settings: FitSettings,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> Analysis:
    """Fit both models, compare them on comparisons that they have not seen, and diagnose the link-free one.

    Parameters
    ----------
    reading : Reading
        The comparisons.
    settings : FitSettings
        What to fit.
    progress : callable, default=iter
        Wraps the sequence of cross-validation fits.

    Returns
    -------
    Analysis
    """
    pairs = reading.pairs
    free = _link_free(settings, settings.normalization)
    logistic = KnownLinkPolicy(antisymmetric=settings.antisymmetric, ridge=settings.ridge)
    free, said_free = _listening(lambda: free.fit(pairs))
    logistic, said_logistic = _listening(lambda: logistic.fit(pairs))
    # Predictions do not depend on the normalisation, and "rms" exists in every fold.
    in_folds = _link_free(settings, "rms")
    held_out = compare_held_out(
        {FREE: in_folds, LOGISTIC: logistic},
        pairs,
        n_folds=settings.n_folds,
        seed=settings.seed,
        units_name=reading.units_name,
        progress=progress,
    )
    diagnosis = None
    if settings.diagnose_seconds is not None:
        diagnosis = diagnose(free, pairs, time_budget=settings.diagnose_seconds, random_state=settings.seed)
    said = [*reading.warnings, *said_free]
    said += [f"Logistic fit: {message}" for message in said_logistic if message not in said_free]
    if held_out.n_unfinished:
        n_fits = 2 * held_out.n_folds
        said.append(
            f"{held_out.n_unfinished} of {n_fits} cross-validation fits stopped before their tolerance."
        )
    return Analysis(reading, settings, free, logistic, held_out, diagnosis, tuple(dict.fromkeys(said)))


def _link_free(settings: FitSettings, normalization: str) -> PreferencePolicy:
    """The estimator asked for."""
    common: dict[str, Any] = {"antisymmetric": settings.antisymmetric, "normalization": normalization}
    if settings.estimator == "orthogonal":
        return OrthogonalPolicy(**common)
    if settings.estimator == "ranking":
        return RankingPolicy(ridge=settings.ridge, **common)
    return ProfiledLinkPolicy(settings.link, ridge=settings.ridge, **common)
