"""The tools of scikit-learn around an estimator: importance, calibration, ensembles, curves, workers."""

from __future__ import annotations

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold, learning_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from semiindex import (
    ItemTransformer,
    KernelIndex,
    KnownLinkPolicy,
    OrthogonalPolicy,
    PreferencePairs,
    ProductKernel,
    ProfiledLinkPolicy,
    RankingPolicy,
)
from semiindex.exceptions import InvalidDataError

NAMES = ["price", "time", "mode"]
LEARNERS = [
    KnownLinkPolicy(),
    ProfiledLinkPolicy(),
    OrthogonalPolicy(),
    OrthogonalPolicy("efficient_score"),
    RankingPolicy(),
]
by_learner = pytest.mark.parametrize("learner", LEARNERS, ids=repr)
PRODUCT = ProductKernel((["price", "time"], "rbf"), ("mode", "equality"))
KERNELS = [KernelIndex(), KernelIndex(components=20), KernelIndex(PRODUCT)]
KERNELS += [KernelIndex(components=20, approximation="random_features")]
WITH_INDEX = LEARNERS + [
    learner(index=index, ridge=0.05)
    for learner in (KnownLinkPolicy, ProfiledLinkPolicy, RankingPolicy)
    for index in KERNELS
]

pytestmark = pytest.mark.filterwarnings("ignore::semiindex.exceptions.SemiindexWarning")


def sample(n: int = 240) -> PreferencePairs:
    rng = np.random.default_rng(4)
    sides = [np.column_stack([rng.normal(size=(n, 2)), rng.integers(0, 3, n)]) for _ in "01"]
    X = sides[1] - sides[0]
    y = rng.random(n) < 1 / (1 + np.exp(-X @ [2.0, -1.0, 0.0]))
    return PreferencePairs(*sides, y, groups=np.arange(n) // 4, feature_names=NAMES)


def test_importance_of_features_from_differences_or_pairs() -> None:
    pairs = sample()
    model = ProfiledLinkPolicy().fit(pairs)
    settings = {"n_repeats": 5, "random_state": 0, "scoring": "neg_log_loss"}
    table = pd.DataFrame(pairs.differences, columns=NAMES)
    found = permutation_importance(model, table, pairs.labels, **settings)
    assert np.argsort(-found.importances_mean).tolist() == [0, 1, 2]
    # The pairs become their differences: scikit-learn makes an array of whatever is no table.
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        same = permutation_importance(model, pairs, pairs.labels, **settings)
    np.testing.assert_array_equal(same.importances, found.importances)


def test_importance_counts_the_weights_that_it_is_given() -> None:
    pairs = sample()
    weight = np.arange(240) % 3 + 1.0
    X, y = pairs.differences, pairs.labels
    model = ProfiledLinkPolicy().fit(X, y, sample_weight=weight)
    settings = {"n_repeats": 1, "random_state": 0, "scoring": "neg_log_loss"}
    found = permutation_importance(model, X, y, sample_weight=weight, **settings)
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max + 1)  # scikit-learn's draws
    plain = log_loss(y, model.predict_proba(X), sample_weight=weight)
    for j, importance in enumerate(found.importances[:, 0]):
        order = np.arange(240)
        np.random.RandomState(seed).shuffle(order)
        mixed = X.copy()
        mixed[:, j] = X[order, j]
        loss = log_loss(y, model.predict_proba(mixed), sample_weight=weight)
        assert importance == pytest.approx(loss - plain, rel=1e-10)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_importance_where_both_options_are_needed_is_refused() -> None:
    pairs = sample()
    model = KnownLinkPolicy(index=KernelIndex(), ridge=0.05).fit(pairs)
    with pytest.raises(InvalidDataError, match=r"needs both options of a comparison\. Pass PreferencePairs"):
        permutation_importance(model, pairs, pairs.labels, n_repeats=1)


@by_learner
def test_calibration_and_ensembles_run(learner) -> None:
    pairs = sample()
    X, y = pairs.differences, pairs.labels
    for tool in (
        CalibratedClassifierCV(clone(learner), cv=3),
        VotingClassifier([("one", clone(learner)), ("two", LogisticRegression())], voting="soft"),
        StackingClassifier([("one", clone(learner))], cv=3),
    ):
        assert log_loss(y, tool.fit(X, y).predict_proba(X)) < np.log(2)


@by_learner
def test_calibration_of_pairs_is_that_of_differences(learner) -> None:
    pairs = sample().replace(groups=None)
    X, y = pairs.differences, pairs.labels
    from_pairs, from_arrays = (
        CalibratedClassifierCV(clone(learner), cv=3, ensemble=False).fit(data, y) for data in (pairs, X)
    )
    np.testing.assert_allclose(from_pairs.predict_proba(pairs), from_arrays.predict_proba(X), atol=1e-12)


def test_search_over_a_kernel_leads_through_the_index() -> None:
    pairs = sample()
    policy = KnownLinkPolicy(index=KernelIndex(components=20), ridge=0.01)
    grid = {"index__gamma": [None, 0.05, 50.0], "ridge": [0.01]}
    search = GridSearchCV(policy, grid, cv=GroupKFold(3), scoring="neg_log_loss")
    search.fit(pairs, pairs.labels, groups=pairs.groups)
    assert search.best_params_["index__gamma"] != 50.0
    assert policy.index.gamma is None
    assert search.best_estimator_.score_options(pairs.features0).shape == (240,)


def test_learning_curve_of_pairs() -> None:
    pairs = sample(600)
    sizes, _, test = learning_curve(
        ProfiledLinkPolicy(), pairs, pairs.labels, train_sizes=[0.1, 1.0], cv=3, scoring="neg_log_loss"
    )
    assert sizes.tolist() == [40, 400]
    assert test.mean(axis=1)[1] > test.mean(axis=1)[0]


@by_learner
def test_tables_between_the_steps_of_a_pipeline(learner) -> None:
    pairs = sample()
    table = pd.DataFrame(pairs.differences, columns=NAMES)
    plain = make_pipeline(MaxAbsScaler(), clone(learner)).fit(table, pairs.labels)
    named = make_pipeline(MaxAbsScaler(), clone(learner)).set_output(transform="pandas")
    named.fit(table, pairs.labels)
    assert named[-1].feature_names_in_.tolist() == NAMES
    assert not hasattr(plain[-1], "feature_names_in_")
    np.testing.assert_array_equal(named.predict_proba(table), plain.predict_proba(table))


@pytest.mark.parametrize("model", WITH_INDEX, ids=repr)
def test_fits_travel_through_files_and_clone_forgets_them(model, tmp_path) -> None:
    pairs = sample()
    fitted = clone(model).fit(pairs)
    joblib.dump(fitted, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(again.predict_proba(pairs), fitted.predict_proba(pairs))
    np.testing.assert_array_equal(again.score_options(pairs.features1), fitted.score_options(pairs.features1))
    assert again.index_.__dict__.keys() == fitted.index_.__dict__.keys()
    fresh = clone(again)
    assert repr(fresh) == repr(model)
    assert not [name for name in vars(fresh) if name.endswith("_")]
    np.testing.assert_array_equal(fresh.fit(pairs).coef_, fitted.coef_)


@pytest.mark.slow
def test_fits_of_worker_processes_are_those_of_this_one() -> None:
    pairs = sample()
    models = [*WITH_INDEX[:9], make_pipeline(ItemTransformer(MaxAbsScaler()), ProfiledLinkPolicy())]
    fitted = joblib.Parallel(n_jobs=2)(joblib.delayed(clone(model).fit)(pairs) for model in models)
    for model, there in zip(models, fitted, strict=True):
        np.testing.assert_array_equal(
            there.predict_proba(pairs), clone(model).fit(pairs).predict_proba(pairs)
        )


def test_scorers_know_the_estimators() -> None:
    pairs = sample()
    model = RankingPolicy(antisymmetric=False).fit(pairs)
    found = get_scorer("roc_auc")(model, pairs, pairs.labels)
    assert found == pytest.approx(model.auc(pairs), abs=1e-12)
