"""`tune`: the numbers of a cold grid search for any number of jobs, by folds that keep raters together."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold

from semiindex import (
    KnownLinkPolicy,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    ShapeConstrainedLink,
)
from semiindex.exceptions import ConvergenceWarning, InvalidDataError, InvalidParameterError, SemiindexWarning
from semiindex.index import KernelIndex, ProductKernel
from semiindex.policy import _path
from semiindex.policy.tuning import tune

RIDGES = [0.1, 0.003, 0.01]
ESTIMATORS = [
    KnownLinkPolicy(),
    KnownLinkPolicy("probit"),
    KnownLinkPolicy(loss="ipo"),
    KnownLinkPolicy(antisymmetric=False),
    ProfiledLinkPolicy(),
    ProfiledLinkPolicy(antisymmetric=False),
    ProfiledLinkPolicy(ShapeConstrainedLink(lipschitz=0.25, n_knots=20)),
]


def sample(n: int = 150, seed: int = 0, **fields) -> PreferencePairs:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, n, 2))
    score = [-2 * np.abs((side**2).sum(axis=1) - 1) for side in (first, second)]
    labels = rng.random(n) < 1 / (1 + np.exp(score[0] - score[1]))
    return PreferencePairs(first, second, labels, **fields)


@pytest.mark.parametrize("index", [None, KernelIndex()], ids=repr)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_scores_are_those_of_cold_fits(estimator, index) -> None:
    pairs = sample()
    folds = list(KFold(3, shuffle=True, random_state=1).split(np.arange(150)))
    estimator = clone(estimator).set_params(index=index, tol=1e-5)
    result = tune(estimator, pairs, ridge=RIDGES, cv=folds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search = GridSearchCV(estimator, {"ridge": sorted(RIDGES)[::-1]}, scoring="neg_log_loss", cv=folds)
        search.fit(pairs, pairs.labels)
    # Knots under the index make the profile of the shape-constrained link rough.
    rough = isinstance(getattr(estimator, "link", None), ShapeConstrainedLink)
    scores = result.scores.set_index("ridge").log_loss[search.cv_results_["param_ridge"].tolist()]
    np.testing.assert_allclose(scores, -search.cv_results_["mean_test_score"], rtol=1e-2 if rough else 2e-5)
    if not rough:
        assert result.best_params == search.best_params_
        wanted = search.best_estimator_.predict_proba(pairs)
        np.testing.assert_allclose(result.best_estimator.predict_proba(pairs), wanted, atol=1e-4)


def test_the_path_starts_at_the_last_solution(monkeypatch) -> None:
    """From there few steps are left, and the features are computed once per fold."""
    designs, steps = [], []
    monkeypatch.setattr(
        KernelIndex,
        "fit_design",
        lambda self, pairs, inner=KernelIndex.fit_design: designs.append(0) or inner(self, pairs),
    )
    continue_fit = _path.continue_fit

    def counted(estimator, prepared, start):
        steps.append((start is None, continue_fit(estimator, prepared, start).minimum.n_iter))
        return continue_fit(estimator, prepared, start)

    monkeypatch.setattr(_path, "continue_fit", counted)
    ridges = list(0.1 * 0.8 ** np.arange(8))
    tune(KnownLinkPolicy(index=KernelIndex()), sample(), ridge=ridges, cv=3)
    assert len(designs) == 3 + 1  # and the refit
    assert [cold for cold, _ in steps] == ([True] + [False] * 7) * 3
    cold = np.mean([n for is_cold, n in steps if is_cold])
    assert np.mean([n for is_cold, n in steps if not is_cold]) < cold


def test_any_number_of_jobs_gives_the_same_numbers() -> None:
    arguments = {"ridge": RIDGES, "gamma": [0.1, 1.0], "cv": 3}
    one, two = (
        tune(ProfiledLinkPolicy(index=KernelIndex()), sample(), n_jobs=n, **arguments) for n in (1, 2)
    )
    np.testing.assert_array_equal(one.scores.to_numpy(), two.scores.to_numpy())
    assert one.best_params == two.best_params


def test_table_of_scores() -> None:
    pairs = sample()
    estimator = KnownLinkPolicy(index=KernelIndex())
    result = tune(estimator, pairs, ridge=RIDGES, gamma=[0.1, 1.0], cv=3)
    frame = result.scores
    assert list(frame.columns) == [
        "index__gamma",
        "ridge",
        "log_loss",
        "standard_error",
        "excess",
        "excess_standard_error",
        "converged",
    ]
    assert frame.log_loss.is_monotonic_increasing
    assert frame.excess[0] == frame.excess_standard_error[0] == 0
    assert (frame.excess_standard_error[1:] < frame.standard_error[1:]).any()
    assert (frame.converged == 1).all()
    assert result.best_params == {"index__gamma": frame.index__gamma[0], "ridge": frame.ridge[0]}
    assert result.best_estimator.ridge == frame.ridge[0]
    assert result.best_estimator.index_.gamma_ == frame.index__gamma[0]
    assert estimator.ridge == 0.0
    assert not hasattr(estimator, "coef_")


def test_standard_error_is_that_of_the_mean_over_raters() -> None:
    raters = np.arange(150) // 5
    pairs = sample(groups=raters)
    folds = list(GroupKFold(3).split(np.arange(150), groups=raters))
    result = tune(KnownLinkPolicy(index=KernelIndex()), pairs, ridge=[0.01], cv=folds)
    losses = np.empty(150)
    for train, test in folds:
        model = KnownLinkPolicy(index=KernelIndex(), ridge=0.01).fit(pairs[train])
        p = model.predict_proba(pairs[test])[:, 1]
        losses[test] = -np.log(np.where(pairs.labels[test] == 1, p, 1 - p))
    sums = np.bincount(raters, weights=losses - losses.mean())
    assert result.scores.log_loss[0] == pytest.approx(losses.mean(), rel=1e-4)
    assert result.scores.standard_error[0] == pytest.approx(np.sqrt((sums**2).sum()) / 150, rel=1e-3)


@pytest.mark.parametrize("where", ["argument", "pairs", "units"])
def test_folds_keep_together_what_belongs_together(where: str, monkeypatch) -> None:
    ids = np.random.default_rng(0).integers(0, 30, 150)
    fields = {"pairs": {"groups": ids}, "units": {"units": ids}}.get(where, {})
    seen = []
    score_path = _path.score_path
    monkeypatch.setattr(
        "semiindex.policy.tuning.score_path",
        lambda base, parameters, ridges, data, fold: (
            seen.append(fold) or score_path(base, parameters, ridges, data, fold)
        ),
    )
    given = ids if where == "argument" else None
    tune(KnownLinkPolicy(), sample(**fields), ridge=[0.1], cv=4, groups=given)
    assert len(seen) == 4
    np.testing.assert_array_equal(np.sort(np.concatenate([fold.test for fold in seen])), np.arange(150))
    for fold in seen:
        assert not set(ids[fold.train]) & set(ids[fold.test])


def test_weights_count_in_fits_and_in_scores() -> None:
    pairs = sample()
    weight = np.random.default_rng(0).integers(0, 3, 150).astype(float)
    train, test = np.arange(100), np.arange(100, 150)
    folds = [(train, test)]
    result = tune(KnownLinkPolicy(), pairs, ridge=[0.1], cv=folds, sample_weight=weight)
    model = KnownLinkPolicy(ridge=0.1).fit(pairs[train], sample_weight=weight[train])
    wanted = log_loss(pairs.labels[test], model.predict_proba(pairs[test]), sample_weight=weight[test])
    assert result.scores.log_loss[0] == pytest.approx(wanted, rel=1e-9)
    carried = tune(KnownLinkPolicy(), pairs.replace(weights=weight), ridge=[0.1], cv=folds)
    assert carried.scores.log_loss[0] == pytest.approx(wanted, rel=1e-9)


def test_every_fold_predicts_with_its_own_links() -> None:
    """A class of raters that a fold did not train on gets the average of the others."""
    pairs, classes = sample(), np.arange(150) // 50
    folds = [(np.arange(100), np.arange(100, 150)), (np.arange(50, 150), np.arange(50))]
    estimator = ProfiledLinkPolicy(index=KernelIndex())
    result = tune(estimator, pairs, ridge=[0.01], cv=folds, link_groups=classes)
    losses = []
    for train, test in folds:
        model = clone(estimator).set_params(ridge=0.01).fit(pairs[train], link_groups=classes[train])
        losses.append(log_loss(pairs.labels[test], model.predict_proba(pairs[test])))
    assert result.scores.log_loss[0] == pytest.approx(np.mean(losses), rel=1e-4)
    assert set(result.best_estimator.links_) == {0, 1, 2}


def test_default_ridges_follow_the_units() -> None:
    pairs = sample()
    plain = tune(KnownLinkPolicy(), pairs, cv=3)
    larger = tune(
        KnownLinkPolicy(), PreferencePairs(100 * pairs.features0, 100 * pairs.features1, pairs.labels), cv=3
    )
    assert len(plain.scores) == 11
    np.testing.assert_allclose(np.sort(larger.scores.ridge), 1e4 * np.sort(plain.scores.ridge), rtol=0.02)
    np.testing.assert_allclose(larger.scores.log_loss, plain.scores.log_loss, rtol=0.01)


def test_no_ridge_at_all_is_one_of_the_candidates_of_a_linear_index() -> None:
    pairs = sample(399)
    rng = np.random.default_rng(1)
    labels = rng.random(399) < 1 / (1 + np.exp(-3 * pairs.differences @ [1.0, -1.0]))
    result = tune(ProfiledLinkPolicy(), pairs.differences, labels.astype(int), ridge=[0.0, 1.0, 10.0], cv=3)
    assert result.best_params == {"ridge": 0.0}
    cold = GridSearchCV(
        ProfiledLinkPolicy(),
        {"ridge": [0.0]},
        scoring="neg_log_loss",
        cv=KFold(3, shuffle=True, random_state=0),
    ).fit(pairs.differences, labels)
    assert result.scores.log_loss[0] == pytest.approx(-cold.best_score_, rel=1e-4)


def test_kernels_are_tuned_like_numbers_and_the_end_of_a_grid_is_said() -> None:
    kernels = [ProductKernel(([0], "rbf"), ([1], "rbf")), "linear", None]
    grid = {"index__kernel": kernels[:2], "index__gamma": [None, 0.3]}
    result = tune(KnownLinkPolicy(index=KernelIndex()), sample(), ridge=[10.0, 1.0], grid=grid, cv=3)
    assert result.best_params["index__kernel"] == kernels[0]
    assert result.best_params["ridge"] == 1.0
    assert result.notes == ("The best ridge, 1, is the smallest of its grid: extend the grid.",)


@pytest.mark.filterwarnings("error")
def test_warnings_come_once_from_the_refit() -> None:
    pairs = sample()
    with pytest.warns(SemiindexWarning) as record:
        tune(KnownLinkPolicy(index=KernelIndex(), max_iter=1), pairs, ridge=[0.001], cv=3)
    assert len(record) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ridge": []}, "ridge is empty"),
        ({"ridge": [-1.0]}, "ridge must be a finite number"),
        ({"ridge": [0.0]}, "ridge=0 with index=KernelIndex"),
        ({"grid": {"ridge": [1.0]}}, "give the penalties as the argument ridge"),
        ({"cv": 1}, "the number of folds must be from 2 to 150"),
        ({"cv": "loo"}, "cv must be a number of folds"),
        ({"groups": np.zeros(3)}, "groups must have one entry for each of the 150"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message) -> None:
    error = InvalidDataError if "groups" in arguments else InvalidParameterError
    with pytest.raises(error, match=message):
        tune(KnownLinkPolicy(index=KernelIndex()), sample(), **arguments)


def test_sparse_differences_are_tuned_like_dense_ones() -> None:
    pairs = sample()
    X, y = pairs.differences, pairs.labels
    dense = tune(KnownLinkPolicy(), X, y, ridge=RIDGES, cv=3)
    sparse = tune(KnownLinkPolicy(), sp.csr_array(X), y, ridge=RIDGES, cv=3)
    np.testing.assert_allclose(sparse.scores.log_loss, dense.scores.log_loss, rtol=1e-6)


@pytest.mark.parametrize("masks", [False, True])
def test_given_folds_number_all_rows_those_of_weight_zero_included(masks: bool) -> None:
    pairs = sample()
    X, y = pairs.differences, pairs.labels
    weight = np.where(np.arange(150) % 5 == 0, 0.0, 1.0)
    folds = list(KFold(3).split(X))
    used = np.flatnonzero(weight)
    kept = [tuple(np.flatnonzero(np.isin(used, rows)) for rows in fold) for fold in folds]
    if masks:
        folds = [tuple(np.isin(np.arange(150), rows) for rows in fold) for fold in folds]
    whole = tune(KnownLinkPolicy(), X, y, ridge=RIDGES, cv=folds, sample_weight=weight)
    without = tune(KnownLinkPolicy(), X[used], y[used], ridge=RIDGES, cv=kept)
    np.testing.assert_allclose(whole.scores.log_loss, without.scores.log_loss, rtol=1e-8)
    with pytest.raises(InvalidDataError, match="no row of positive weight"):
        tune(KnownLinkPolicy(), X, y, cv=[(np.arange(1, 150), np.array([0]))], sample_weight=weight)


@pytest.mark.parametrize("method", ["klein_spady", "efficient_score"])
def test_an_estimator_without_a_ridge_is_tuned_by_its_grid(method: str) -> None:
    pairs = sample()
    X, y = pairs.differences, pairs.labels
    folds = list(KFold(3).split(X))
    estimator = OrthogonalPolicy(method)
    raters = np.arange(150) // 2
    result = tune(estimator, X, y, grid={"bandwidth": [0.3, 0.6]}, cv=folds, groups=raters)
    assert set(result.best_params) == {"bandwidth"}
    assert result.notes == ()
    for bandwidth in (0.3, 0.6):
        losses = []
        for train, test in folds:
            model = clone(estimator).set_params(bandwidth=bandwidth)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SemiindexWarning)
                model.fit(X[train], y[train], groups=raters[train])
            losses += [log_loss(y[test], model.predict_proba(X[test]))]
        row = result.scores.set_index("bandwidth").loc[bandwidth]
        assert row.log_loss == pytest.approx(np.mean(losses), rel=1e-6)
    with pytest.raises(InvalidParameterError, match="has no penalty"):
        tune(estimator, X, y, ridge=RIDGES)
    with pytest.raises(InvalidParameterError, match="nothing to choose without a grid"):
        tune(estimator, X, y)
    with pytest.raises(InvalidParameterError, match="bandwidth must be"):
        tune(estimator, X, y, grid={"bandwidth": [-1.0]})
