"""Studies described in a TOML file: for people who do not program, and for the record.

    title = "Flipped answers on two designs"
    n = [500, 2000]
    replications = 50
    metrics = ["angle"]
    budgets = [0.2]
    baseline = "told the link"

    [truths.flips]
    severity = [0, 0.5, 1]

    [designs.normal]
    features = "normal"
    dimension = 5

    [estimators.logistic]
    kind = "known_link"

    [estimators.spline]
    kind = "profiled"

    [estimators."told the link"]
    kind = "oracle"

docs/how_to/simulation_study.md lists the keys. Every module reads one kind of table, by the names in its
tables of `Kind`; what a class takes is read off its signature.
"""

from semiindex.simulation.description.estimators import EstimatorForTruth
from semiindex.simulation.description.reading import StudyDescription, read_study, ready_studies

__all__ = ["EstimatorForTruth", "StudyDescription", "read_study", "ready_studies"]
