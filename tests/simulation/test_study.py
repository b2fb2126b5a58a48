"""Studies: numbers that depend on names alone, failures as rows, results and their summary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline

from semiindex import KnownLinkPolicy
from semiindex.exceptions import ConvergenceWarning, InvalidDataError, InvalidParameterError
from semiindex.simulation import (
    AngleError,
    ComparisonDesign,
    LinkError,
    NormalFeatures,
    PolicyError,
    StudyResult,
    Truth,
    link_at_severity,
    published_design,
    signal_strength,
)
from semiindex.simulation.cells import Block


class Failing(BaseEstimator):
    """Fails where the first label is 1."""

    def fit(self, X: Any, y: Any) -> Failing:
        if y[0] == 1:
            raise ValueError("the first label is 1\nand more")
        self.coef_ = np.ones(X.shape[1])
        return self


class Warning_(KnownLinkPolicy):
    def fit(self, X: Any, y: Any = None, **kwargs: Any) -> Any:
        import warnings

        warnings.warn("slow", ConvergenceWarning, stacklevel=2)
        warnings.warn("other", UserWarning, stacklevel=2)
        return super().fit(X, y, **kwargs)


# The table -----------------------------------------------------------------------------------------


def test_table_has_a_row_per_fit_in_order(study: Any, table: pd.DataFrame) -> None:
    assert list(table.columns) == [
        *("truth", "design", "n", "link", "severity", "replication", "estimator"),
        *("angle", "index_correlation", "n_warnings", "n_convergence_warnings", "warnings", "error"),
    ]
    expected = pd.MultiIndex.from_product(
        [["logistic", "flips"], ["normal", "mixed"], [60, 120], range(3), ["logistic", "probit"]]
    )
    keys = table[["truth", "design", "n", "replication", "estimator"]]
    assert list(keys.itertuples(index=False, name=None)) == list(expected)
    assert table["severity"].isna().sum() == 24
    assert table[["angle", "index_correlation"]].notna().all(axis=None)
    assert (table["error"] == "").all()
    assert study().n_fits == len(table)


def test_a_row_can_be_computed_by_hand(study: Any, table: pd.DataFrame) -> None:
    """The pieces of the library, put together without `Study`."""
    task = study()._tasks(study().cells, None)
    cell = next(cell for cell in task if cell.key == ("flips", "mixed", 120))
    truth = task[cell].truth
    assert isinstance(truth, Truth)
    sample = study().designs["mixed"].sample(truth, 120, task[cell].streams.sample(cell, 2))
    model = KnownLinkPolicy("probit").fit(sample.pairs)
    row = table[(table.truth == "flips") & (table.design == "mixed") & (table.n == 120)]
    row = row[(row.replication == 2) & (row.estimator == "probit")]
    assert row["angle"].item() == AngleError()(model, truth, sample)


@pytest.mark.parametrize("block_size", [1, 2, 50])
def test_block_size_does_not_matter(study: Any, numbers: Any, table: pd.DataFrame, block_size: int) -> None:
    assert_frame_equal(numbers(study().run(block_size=block_size)), table, check_exact=True)


def test_workers_do_not_matter(study: Any, numbers: Any, table: pd.DataFrame) -> None:
    assert_frame_equal(numbers(study().run(n_jobs=2)), table, check_exact=True)


def test_other_cells_estimators_and_replications_do_not_matter(study: Any, table: pd.DataFrame) -> None:
    part = study(
        truths={"new": Truth(link="probit"), "flips": study().truths["flips"]},
        designs={"mixed": study().designs["mixed"]},
        n=120,
        estimators={"other": KnownLinkPolicy(ridge=0.1), "probit": KnownLinkPolicy("probit")},
        replications=5,
    ).run()
    common = part.frame[
        (part.frame.truth == "flips") & (part.frame.estimator == "probit") & (part.frame.replication < 3)
    ]
    same = table[(table.truth == "flips") & (table.design == "mixed") & (table.n == 120)]
    same = same[same.estimator == "probit"]
    columns = ["replication", "angle", "index_correlation"]
    assert_frame_equal(common[columns].reset_index(drop=True), same[columns].reset_index(drop=True))


def test_the_seed_matters(study: Any, numbers: Any, table: pd.DataFrame) -> None:
    other = numbers(study(random_state=1).run())
    assert (other["angle"] != table["angle"]).all()


def test_replications_and_cells_are_independent_draws(study: Any) -> None:
    frame = study(replications=20, n=(60,)).run().frame
    assert frame["angle"].nunique() > 0.99 * len(frame) / 2
    wide = frame[frame.estimator == "logistic"].pivot(
        index="replication", columns=["truth", "design"], values="angle"
    )
    correlation = np.corrcoef(wide.to_numpy().T)[np.triu_indices(4, 1)]
    assert np.abs(correlation).max() < 4 / np.sqrt(20)


def test_common_random_numbers(study: Any) -> None:
    """Two names of one truth: the same samples with common numbers, others without."""
    twins = {"a": Truth(), "b": Truth()}
    for common in (True, False):
        frame = study(truths=twins, common_random_numbers=common).run().frame
        first, second = (frame.loc[frame.truth == name, "angle"].to_numpy() for name in twins)
        assert (first == second).all() if common else (first != second).all()


def test_estimators_may_depend_on_the_truth_and_come_from_scikit_learn(study: Any, numbers: Any) -> None:
    estimators = {
        "oracle": lambda truth: KnownLinkPolicy(truth.marginal_link),
        "sklearn": LogisticRegression(C=np.inf, fit_intercept=False),
        "pipeline": make_pipeline(SGDClassifier(loss="log_loss", fit_intercept=False)),
    }
    make = lambda: study(estimators=estimators, metrics=[AngleError()], n=60).run()  # noqa: E731
    frame = numbers(make())
    assert (frame["error"] == "").all()
    # Stochastic gradient descent has a random_state, which the study sets.
    assert_frame_equal(numbers(make()), frame, check_exact=True)


def test_truths_drawn_in_every_replication(study: Any) -> None:
    truths, design = published_design(0.5, n_features=3, n_actions=3, encoding="interactions")
    estimators = {"logistic": KnownLinkPolicy(ridge=0.01)}
    for strength in (None, 0.2):
        result = study(
            truths={"s": truths}, designs={"d": design}, n=80, estimators=estimators,
            metrics=[PolicyError((0.05,))], replications=4, strength=strength,
        ).run()  # fmt: skip
        assert (result.frame["shift"] == 0.5).all()
        assert result.frame["regret[0.05]"].nunique() == 4
        assert (result.frame["error"] == "").all()


@dataclass(frozen=True)
class RandomDirection:
    """Truths of any direction, with a scale of their own or that of the study."""

    keeps_strength: bool = False
    factors: ClassVar[dict[str, Any]] = {}

    def draw(self, rng: np.random.Generator) -> Truth:
        return Truth(rng.normal(size=3))


def test_strength_of_truths_drawn_in_every_replication(study: Any) -> None:
    """Scaled to the strength of the study, unless their scale belongs to them."""

    class Strength:
        name = "strength"

        def __init__(self, design: ComparisonDesign) -> None:
            self.design = design

        def __call__(self, model: Any, truth: Truth, sample: Any) -> float:
            return signal_strength(truth, self.design)

    design = ComparisonDesign(NormalFeatures(3))
    truths = {"scaled": RandomDirection(), "as it is": RandomDirection(keeps_strength=True)}
    result = study(
        truths=truths, designs={"d": design}, n=60, metrics=[Strength(design)], strength=0.2,
        estimators={"logistic": KnownLinkPolicy(ridge=0.01)}, common_random_numbers=True,
    ).run()  # fmt: skip
    scaled, kept = (result.frame.loc[result.frame["truth"] == name, "strength"] for name in truths)
    np.testing.assert_allclose(scaled, 0.2, atol=1e-9)
    assert kept.nunique() == 3
    assert (np.abs(kept - 0.2) > 0.01).any()


def test_the_published_links_stay_as_they_are_at_any_strength(study: Any, numbers: Any) -> None:
    truths, design = published_design(1.5, n_features=3, n_actions=3, encoding="interactions")
    frames = [
        numbers(
            study(
                truths={"s": truths}, designs={"d": design}, n=80, metrics=[PolicyError((0.05,))],
                estimators={"logistic": KnownLinkPolicy(ridge=0.01)}, strength=strength,
            ).run()
        )
        for strength in (None, 0.25, 0.1)
    ]  # fmt: skip
    for frame in frames[1:]:
        assert_frame_equal(frame, frames[0], check_exact=True)


# Failures ------------------------------------------------------------------------------------------


def test_failing_fit_is_a_row(study: Any) -> None:
    result = study(
        estimators={"failing": Failing(), "logistic": KnownLinkPolicy()}, metrics=[AngleError()]
    ).run()
    frame = result.frame
    failed = frame["error"] != ""
    assert 0 < failed.sum() < len(frame) / 2
    place = f"test_study.py:{_line_of('the first label is 1')}"
    assert (frame.loc[failed, "error"] == f"ValueError: the first label is 1 ({place})").all()
    assert frame.loc[failed, "angle"].isna().all()
    assert frame.loc[~failed, "angle"].notna().all()
    assert_frame_equal(result.failures, frame[failed].reset_index(drop=True))
    assert "with an error" in repr(result)
    summary = result.summary(metrics=["angle"]).groupby("estimator")[["n_fits", "n_failed"]].sum()
    assert summary.loc["failing", "n_failed"] == failed.sum()
    assert summary.loc["logistic", "n_failed"] == 0


def test_failing_metric_leaves_the_others(study: Any) -> None:
    frame = study(estimators={"failing": Failing()}, metrics=[LinkError(), AngleError()], n=60).run().frame
    fitted = ~frame["error"].str.startswith("ValueError")
    assert frame.loc[fitted, "error"].str.match("metric link_error: AttributeError").all()
    assert frame.loc[fitted, "angle"].notna().all()
    assert "link_error" not in frame


def test_failing_sample_is_a_row_of_every_estimator(study: Any) -> None:
    frame = study(designs={"d": NormalFeatures(3)}, truths={"t": Truth(_no_score)}, strength=None).run().frame
    place = f"test_study.py:{_line_of('no score today')}"
    assert frame["error"].eq(f"ValueError: no score today ({place})").all()
    assert len(frame) == 2 * 3 * 2


def _line_of(message: str) -> int:
    """Line of this file in which an error with a message is raised."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return 1 + next(i for i, line in enumerate(lines) if f'raise ValueError("{message}' in line)


def _no_score(options: np.ndarray) -> np.ndarray:
    raise ValueError("no score today")


def test_warnings_are_counted(study: Any) -> None:
    result = study(estimators={"w": Warning_(), "quiet": KnownLinkPolicy()}, n=300).run()
    warned = result.frame["estimator"] == "w"
    frame = result.frame[warned]
    assert (frame["n_warnings"] >= 2).all()
    assert (frame["n_convergence_warnings"] == 1).all()
    assert frame["warnings"].eq("ConvergenceWarning; UserWarning").all()
    assert result.frame.loc[~warned, "warnings"].eq("").all()
    assert result.warning_counts.to_dict("list") == {
        "warning": ["ConvergenceWarning", "UserWarning"],
        "estimator": ["w", "w"],
        "fits": [len(frame), len(frame)],
    }
    summary = result.summary(metrics=["angle"]).set_index("estimator")
    assert (summary.loc["w", ["n_warned", "n_convergence_warnings"]] == 3).all(axis=None)
    assert (summary.loc["quiet", ["n_warned", "n_convergence_warnings"]] == 0).all(axis=None)


def test_separated_samples_are_told_by_their_warning(study: Any) -> None:
    """Three comparisons of three features: a fit that no warning of convergence counts."""
    result = study(n=3, metrics=[], estimators={"logistic": KnownLinkPolicy()}).run()
    assert result.frame["warnings"].str.contains("SeparationWarning").all()
    assert (result.summary()["n_warned"] == 3).all()
    assert (result.summary()["n_convergence_warnings"] == 0).all()


def test_unattainable_strength_is_said_before_the_run(study: Any) -> None:
    truths = {"noise": Truth(link=link_at_severity("flips", 1.0))}
    with pytest.raises(InvalidParameterError, match=r"truth 'noise' on design 'normal': strength=0.4 is not"):
        study(truths=truths, strength=0.4).run()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truths": {}}, "truths must be a mapping"),
        ({"truths": {"a": 3}}, r"truths\['a'\] must be a Truth"),
        ({"designs": {"a": 3}}, r"designs\['a'\] must be"),
        ({"estimators": {"a": KnownLinkPolicy}}, "an object, not a class"),
        ({"estimators": [KnownLinkPolicy()]}, "estimators must be a mapping"),
        ({"metrics": [AngleError]}, "callables with a name"),
        ({"n": ()}, "n must be integers"),
        ({"n": (60, 60)}, "n has an entry twice"),
        ({"n": 60.5}, "n must be integers"),
        ({"n": [[60], [60, 70]]}, "n must be integers"),
        ({"replications": 0}, "replications must be"),
        ({"replications": [3, 4]}, r"replications must be one integer .*\[3, 4\]"),
        ({"n_evaluation": (3, 4)}, "n_evaluation must be one integer"),
        ({"n_evaluation": [[3], [4, 5]]}, "n_evaluation must be one integer"),
        ({"random_state": None}, "random_state must be one integer"),
        ({"strength": 0.7}, "strength"),
        ({"strength": "a"}, "strength must be None or in .* 'a'"),
        ({"strength": True}, "strength must be None or in"),
        ({"random_state": -1}, "random_state"),
        ({"random_state": [0, 1]}, "random_state must be one integer"),
        ({"common_random_numbers": "yes"}, "common_random_numbers must be True or False, got 'yes'"),
        ({"metrics": AngleError()}, r"metrics must be a list, such as \[AngleError\(\)\]"),
        ({"metrics": "angle"}, "metrics must be a list"),
        ({"metrics": ["angle"]}, "callables with a name"),
    ],
)
def test_parameters_without_a_meaning(study: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        study(**changes)


def test_budget_that_no_policy_can_spend_is_said_before_the_run(study: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"truth 'logistic' on design 'normal': budget 5: "):
        study(metrics=[PolicyError((0.1, 5.0))]).run()


# Results -------------------------------------------------------------------------------------------


def test_summary_against_pandas(study: Any) -> None:
    result = study(replications=6).run()
    summary = result.summary("logistic")
    assert len(summary) == 8 * 2 * 3
    cell = result.frame[
        (result.frame.truth == "flips") & (result.frame.design == "mixed") & (result.frame.n == 60)
    ]
    wide = cell.pivot(index="replication", columns="estimator", values="angle")
    row = summary[(summary.truth == "flips") & (summary.design == "mixed") & (summary.n == 60)]
    row = row[(row.metric == "angle") & (row.estimator == "probit")].iloc[0]
    assert row["severity"] == 1.0
    assert row["mean"] == pytest.approx(wide["probit"].mean())
    assert row["standard_error"] == pytest.approx(wide["probit"].sem())
    assert row["difference"] == pytest.approx((wide["probit"] - wide["logistic"]).mean())
    assert row["difference_se"] == pytest.approx((wide["probit"] - wide["logistic"]).sem())
    with pytest.raises(InvalidParameterError, match="baseline must be one of"):
        result.summary("unknown")
    with pytest.raises(InvalidParameterError, match="no metric 'unknown'"):
        result.summary(metrics=["unknown"])


def test_save_and_load(study: Any, tmp_path: Path) -> None:
    result = study(n=60).run()
    result.save(tmp_path / "r.parquet")
    loaded = StudyResult.load(tmp_path / "r.parquet")
    assert_frame_equal(loaded.to_frame(), result.to_frame(), check_exact=True)
    assert (loaded.metrics, loaded.factors) == (result.metrics, result.factors)
    assert_frame_equal(loaded.summary("logistic"), result.summary("logistic"))
    result.frame.to_parquet(tmp_path / "plain.parquet")
    with pytest.raises(ValueError, match=r"not written by StudyResult.save"):
        StudyResult.load(tmp_path / "plain.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain.parquet", "r.parquet"]
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*missing; make it first"):
        result.save(tmp_path / "missing" / "r.parquet")
    (tmp_path / "r.parquet").write_bytes((tmp_path / "r.parquet").read_bytes()[:-50])
    with pytest.raises(InvalidDataError, match=r"r.parquet is no Parquet file, or is damaged"):
        StudyResult.load(tmp_path / "r.parquet")


def test_progress_is_shown_on_request(study: Any, capsys: pytest.CaptureFixture[str]) -> None:
    study(n=60).run()
    assert capsys.readouterr().err == ""
    study(n=60).run(progress=True)
    assert "24/24" in capsys.readouterr().err


def test_block_is_a_value(study: Any) -> None:
    cell = study().cells[0]
    block = Block(cell, (1, 2), ("logistic",))
    assert block == Block(cell, (1, 2), ("logistic",))
    assert block != Block(cell, (1, 2), ("probit",))
    assert block.n_fits == 2
