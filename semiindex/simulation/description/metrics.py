"""Metrics in study files: names, or tables of a name and its parameters."""

from __future__ import annotations

from typing import Any

from semiindex.inference import Bootstrap
from semiindex.simulation.description.table import Kind, Table
from semiindex.simulation.intervals import CoefficientIntervals, NormalizedCoefficients
from semiindex.simulation.metrics import (
    AngleError,
    Coverage,
    IndexCorrelation,
    LinkError,
    LogLoss,
    Metric,
    PolicyError,
    rms_coefficients,
)

__all__ = ["COVARIANCES", "METRICS", "read_metrics"]


def _coverage(
    covariance: Any = "auto", level: float = 0.95, normalization: str | int = "rms", name: str = "coverage"
) -> Coverage:
    """Coverage of the intervals of `infer`."""
    by_default = normalization == "rms"
    estimand = rms_coefficients if by_default else NormalizedCoefficients(normalization)
    return Coverage(CoefficientIntervals(covariance, level), estimand, name)


def _named(name: str) -> Kind[str]:
    return Kind(lambda: name)


#: Covariances by name; of one rater per comparison there are no two ways to cluster.
COVARIANCES: dict[str, Kind[Any]] = {
    **{name: _named(name) for name in ("auto", "sandwich", "cluster", "jackknife")},
    "bootstrap": Kind(Bootstrap, hidden=("n_jobs", "progress")),
}


def _read_covariance(table: Table, key: str) -> Any:
    return table.object(key, COVARIANCES)


def _read_budgets(table: Table, key: str) -> tuple[float, ...]:
    return tuple(table.numbers(key))


#: Metrics by name.
METRICS: dict[str, Kind[Any]] = {
    "angle": Kind(AngleError),
    "index_correlation": Kind(IndexCorrelation),
    "log_loss": Kind(LogLoss),
    "link_error": Kind(LinkError),
    "policy": Kind(PolicyError, {"budgets": _read_budgets}),
    "coverage": Kind(_coverage, {"covariance": _read_covariance}),
}


def read_metrics(table: Table) -> list[Metric]:
    """Metrics of a study; ``budgets`` beside them are those of a `PolicyError`."""
    names = table.values.get("metrics", ["angle"])
    if not isinstance(names, list):
        raise table.error(
            "metrics", f"must be a list of {', '.join(METRICS)}, or of tables {{ kind = ... }}, got {names!r}"
        )
    listed = Table({"metrics": names}, table.place)
    chosen = listed.objects("metrics", lambda part, key: part.object(key, METRICS)) if names else []
    if "budgets" in table.values:
        chosen.append(table.call(PolicyError, {"budgets": table.numbers("budgets")}))
    return chosen
