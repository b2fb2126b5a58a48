"""`StudyResult`: the table of a study, a row per fit, and its summary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from semiindex.exceptions import InvalidDataError, InvalidParameterError
from semiindex.simulation.cache import require_pyarrow, write_atomically
from semiindex.simulation.replication import ACCOUNT, FIT, NAMES, Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StudyResult"]

_METADATA = b"semiindex_study"


@dataclass(frozen=True, eq=False)
class StudyResult:
    """Results of a study.

    Parameters
    ----------
    frame : DataFrame
        A row per fit, see `to_frame`.
    metrics : sequence of str
        Columns that metrics filled, in the order of the table.
    factors : sequence of str
        Columns that describe the truth.

    Examples
    --------
    >>> from semiindex import KnownLinkPolicy
    >>> from semiindex.simulation import AngleError, NormalFeatures, Study, Truth
    >>> study = Study(
    ...     {"logistic": Truth()}, {"normal": NormalFeatures(3)}, 200, {"logistic": KnownLinkPolicy()},
    ...     [AngleError()], replications=5,
    ... )
    >>> result = study.run()
    >>> result.summary(metrics=["angle"])[["estimator", "metric", "n_fits", "n_failed"]]
      estimator metric  n_fits  n_failed
    0  logistic  angle       5         0
    """

    frame: pd.DataFrame
    metrics: tuple[str, ...]
    factors: tuple[str, ...]

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Row],
        *,
        truths: Sequence[str],
        designs: Sequence[str],
        estimators: Sequence[str],
        factors: Mapping[str, Mapping[str, Any]],
    ) -> Self:
        """Table of rows in any order.

        Parameters
        ----------
        rows : iterable of dict
            As workers return them.
        truths, designs, estimators : sequence of str
            Names in the order of the table.
        factors : mapping from str to mapping
            Factors of every truth.

        Returns
        -------
        StudyResult
        """
        import pandas as pd

        order = [
            {name: position for position, name in enumerate(names)} for names in (truths, designs, estimators)
        ]

        def position(row: Row) -> tuple[int, ...]:
            truth, design = order[0][row["truth"]], order[1][row["design"]]
            return truth, design, row["n"], row["replication"], order[2][row["estimator"]]

        ordered = sorted(rows, key=position)
        known = {*NAMES, *FIT, *ACCOUNT}
        metrics = tuple(dict.fromkeys(column for row in ordered for column in row if column not in known))
        described = tuple(dict.fromkeys(factor for entries in factors.values() for factor in entries))
        taken = known | set(metrics)
        clash = sorted(factor for factor in described if factor in taken)
        if clash:
            raise InvalidParameterError(
                f"factors of the truths have names that the table needs itself: {clash}; rename them"
            )
        table = [row | dict(factors.get(row["truth"], {})) for row in ordered]
        columns = [*NAMES, *described, *FIT, *metrics, *ACCOUNT]
        frame = pd.DataFrame(table, columns=columns)
        return cls(frame, metrics, described)

    def to_frame(self) -> pd.DataFrame:
        """Table with a row per fit.

        Returns
        -------
        pandas.DataFrame
            Columns ``truth``, ``design``, ``n``, the factors of the truths, ``replication``,
            ``estimator``, the metrics, and of the fit ``seconds``, ``n_warnings`` (of any kind),
            ``n_convergence_warnings``, ``warnings``, the classes of all of them, and ``error``: empty, or
            class and message of what failed, a metric included. Where a fit failed its metrics are NaN.
        """
        return self.frame.copy()

    @property
    def failures(self) -> pd.DataFrame:
        """Rows with an error."""
        return self.frame[self.frame["error"] != ""].reset_index(drop=True)

    @property
    def warning_counts(self) -> pd.DataFrame:
        """Fits with a warning of every class, by estimator: columns ``warning``, ``estimator``, ``fits``."""
        caught = self.frame[self.frame["warnings"] != ""]
        single = caught.assign(warning=caught["warnings"].str.split("; ")).explode("warning")
        counts = single.groupby(["warning", "estimator"], sort=False).size()
        return counts.sort_index(level="warning", kind="stable", sort_remaining=False).reset_index(
            name="fits"
        )

    def summary(self, baseline: str | None = None, *, metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """Means with Monte Carlo standard errors, and paired differences to a baseline.

        Parameters
        ----------
        baseline : str, optional
            Estimator to compare with, replication by replication: all saw the same samples.
        metrics : sequence of str, optional
            Columns to summarise. Default: all metrics, and seconds.

        Returns
        -------
        pandas.DataFrame
            A row per truth, design, n, estimator and metric: ``mean``, ``standard_error`` (standard
            deviation over replications by the root of their number), ``n_fits`` that have a value,
            ``n_failed`` that have none, ``n_warned`` (fits with a warning of any kind) and
            ``n_convergence_warnings`` (with one of these); with a baseline ``difference`` (estimator
            minus baseline) and ``difference_se`` over the replications in which both have a value.
            Infinite values make means infinite.

        Raises
        ------
        InvalidParameterError
            If the baseline or a metric is unknown.
        """
        import pandas as pd

        chosen = [*self.metrics, "seconds"] if metrics is None else list(metrics)
        self.check_names(baseline, chosen)
        keys = [*NAMES, *self.factors]
        rows = []
        for common, cell in self._cells():
            for metric in chosen:
                wide = _by_estimator(cell, metric)
                reference = None if baseline is None else wide[baseline]
                for estimator in wide.columns:
                    values = wide[estimator]
                    row = common | {"estimator": estimator, "metric": metric} | _describe(values)
                    row |= _warned(cell[cell["estimator"] == estimator])
                    if reference is not None:
                        difference = _describe(values - reference)
                        row |= {
                            "difference": difference["mean"],
                            "difference_se": difference["standard_error"],
                        }
                    rows.append(row)
        first = [*keys, "estimator", "metric"]
        frame = pd.DataFrame(rows)
        return frame[[*first, *(column for column in frame.columns if column not in first)]]

    def cells(self, metric: str) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
        """Values of a metric, cell by cell.

        Parameters
        ----------
        metric : str
            Column of the table.

        Yields
        ------
        dict
            Truth, design, n and factors of a cell.
        pandas.DataFrame
            Values of the metric: a row per replication, a column per estimator.
        """
        for common, cell in self._cells():
            yield common, _by_estimator(cell, metric)

    def _cells(self) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
        """Names and factors of every cell, and its rows."""
        for names, cell in self.frame.groupby(list(NAMES), sort=False):
            common: dict[str, Any] = dict(zip(NAMES, names, strict=True))
            common |= {factor: cell[factor].iloc[0] for factor in self.factors}
            yield common, cell

    def check_names(self, baseline: str | None, metrics: Sequence[str]) -> None:
        """Refuse a baseline or metrics that the study does not have.

        Parameters
        ----------
        baseline : str or None
            Name of an estimator; None is in order.
        metrics : sequence of str
            Columns.

        Raises
        ------
        InvalidParameterError
            If one is unknown.
        """
        estimators = list(self.frame["estimator"].unique())
        if baseline is not None and baseline not in estimators:
            raise InvalidParameterError(
                f"baseline must be one of the estimators {estimators}, got {baseline!r}"
            )
        unknown = [metric for metric in metrics if metric not in (*self.metrics, "seconds")]
        if unknown:
            raise InvalidParameterError(
                f"the study has no metric {unknown[0]!r}; it has {[*self.metrics, 'seconds']}"
            )

    def save(self, path: str | Path) -> None:
        """Write the table as one Parquet file, which `load` and any reader of Parquet understand.

        Parameters
        ----------
        path : str or Path
            The file; an old one is replaced.

        Raises
        ------
        FileNotFoundError
            If there is no folder for it.
        """
        require_pyarrow("StudyResult.save")
        if not Path(path).parent.is_dir():
            raise FileNotFoundError(f"{path}: there is no folder {Path(path).parent}; make it first")
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pandas(self.frame, preserve_index=False)
        described = json.dumps({"metrics": self.metrics, "factors": self.factors}).encode()
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), _METADATA: described})
        write_atomically(Path(path), lambda temporary: pq.write_table(table, temporary))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Parameters
        ----------
        path : str or Path
            The file.

        Returns
        -------
        StudyResult

        Raises
        ------
        InvalidDataError
            If the file is no table of a study.
        FileNotFoundError
            If there is no such file.
        """
        require_pyarrow("StudyResult.load")
        import pyarrow as pa
        import pyarrow.parquet as pq

        content = Path(path).read_bytes()
        try:
            table = pq.read_table(pa.BufferReader(content))
        except (pa.ArrowInvalid, OSError) as error:  # of the content: the file itself was read
            raise InvalidDataError(f"{path} is no Parquet file, or is damaged: {error}") from error
        described = (table.schema.metadata or {}).get(_METADATA)
        if described is None:
            raise InvalidDataError(
                f"{path} was not written by StudyResult.save; read it with pandas.read_parquet"
            )
        names = json.loads(described)
        return cls(table.to_pandas(), tuple(names["metrics"]), tuple(names["factors"]))

    def __repr__(self) -> str:
        n_failed = int((self.frame["error"] != "").sum())
        cells = len(self.frame[list(NAMES)].drop_duplicates())
        return (
            f"StudyResult({len(self.frame)} fits in {cells} cells, {n_failed} with an error; "
            f"metrics {', '.join(self.metrics) or 'none'})"
        )


def _by_estimator(cell: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Values of a metric by replication and estimator, in the order of the table."""
    wide = cell.pivot(index="replication", columns="estimator", values=metric)
    return wide[list(cell["estimator"].unique())]


def _warned(fits: pd.DataFrame) -> dict[str, int]:
    """How many fits of an estimator in a cell gave a warning, of any kind and of no convergence."""
    return {
        "n_warned": int((fits["n_warnings"] > 0).sum()),
        "n_convergence_warnings": int((fits["n_convergence_warnings"] > 0).sum()),
    }


def _describe(values: Any) -> dict[str, Any]:
    """Mean, its Monte Carlo standard error, and how many values there are."""
    array = np.asarray(values, dtype=np.float64)
    present = array[~np.isnan(array)]
    with np.errstate(invalid="ignore"):  # the deviation of infinite values is NaN
        error = present.std(ddof=1) / np.sqrt(present.size) if present.size > 1 else np.nan
    mean = present.mean() if present.size else np.nan
    return {
        "mean": float(mean),
        "standard_error": float(error),
        "n_fits": int(present.size),
        "n_failed": int(array.size - present.size),
    }
