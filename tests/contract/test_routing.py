"""Weights, raters and classes of raters on their way through pipelines, searches and cross-validation."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import get_scorer, log_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from semiindex import (
    ItemTransformer,
    KnownLinkPolicy,
    OrthogonalPolicy,
    PreferencePairs,
    ProfiledLinkPolicy,
    RankingPolicy,
)

LEARNERS = [
    KnownLinkPolicy(loss="ipo"),
    ProfiledLinkPolicy(),
    OrthogonalPolicy(),
    OrthogonalPolicy("efficient_score", n_folds=2),
    RankingPolicy("logistic"),
]
by_learner = pytest.mark.parametrize("learner", LEARNERS, ids=repr)
FOLDS = GroupKFold(3)
N = 240
RATERS = np.arange(N) // 6
CLASSES = np.array(["new", "old"])[RATERS % 2]

# Small folds: whether each fit reaches its tolerance is not the subject here.
pytestmark = pytest.mark.filterwarnings("ignore::semiindex.exceptions.SemiindexWarning")


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    X = np.round(rng.normal(size=(N, 3)) * 64) / 64
    p = 0.1 + 0.8 / (1 + np.exp(-2 * X @ [1.0, -0.5, 0.3]))
    return X, (rng.random(N) < p).astype(int), rng.integers(1, 4, N).astype(float)


def pairs() -> PreferencePairs:
    X, y, weight = sample()
    return PreferencePairs(0 * X, X, y, weights=weight, groups=RATERS, link_groups=CLASSES)


def fit_arguments(rows=slice(None)) -> dict[str, np.ndarray]:
    """What a fit takes beside the data."""
    return {"sample_weight": sample()[2][rows], "link_groups": CLASSES[rows], "groups": RATERS[rows]}


def requesting(learner):
    """The learner, asking for everything that its methods take (a fit asks for raters by itself)."""
    model = clone(learner).set_fit_request(sample_weight=True, link_groups=True)
    return model.set_score_request(sample_weight=True, link_groups=True)


def by_hand(learner, scaled: bool = False) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Test rows, their probabilities and accuracy, for every fold."""
    X, y, weight = sample()
    found = []
    for train, test in FOLDS.split(X, y, RATERS):
        Z = X
        if scaled:
            scaler = StandardScaler(with_mean=False).fit(X[train], sample_weight=weight[train])
            Z = scaler.transform(X)
        model = clone(learner).fit(Z[train], y[train], **fit_arguments(train))
        test_data = {"sample_weight": weight[test], "link_groups": CLASSES[test]}
        proba = model.predict_proba(Z[test])  # scikit-learn routes to fits and scores only
        found.append((test, proba, model.score(Z[test], y[test], **test_data)))
    return found


@by_learner
def test_cross_validation_routes_everything(learner, routing) -> None:
    X, y, weight = sample()
    params = {"sample_weight": weight, "link_groups": CLASSES, "groups": RATERS}
    scores = cross_val_score(requesting(learner), X, y, cv=FOLDS, params=params)
    np.testing.assert_array_equal(scores, [score for _, _, score in by_hand(learner)])
    proba = cross_val_predict(requesting(learner), X, y, cv=FOLDS, params=params, method="predict_proba")
    for test, expected, _ in by_hand(learner):
        np.testing.assert_array_equal(proba[test], expected)


@by_learner
def test_pipeline_and_search_route_everything(learner, routing) -> None:
    X, y, weight = sample()
    scaler = StandardScaler(with_mean=False).set_fit_request(sample_weight=True)
    pipe = Pipeline([("scale", scaler), ("policy", requesting(learner))])
    scorer = get_scorer("neg_log_loss").set_score_request(sample_weight=True)
    grid = {"policy__normalization": ["rms", "norm"]}
    search = GridSearchCV(pipe, grid, cv=FOLDS, scoring=scorer)
    search.fit(X, y, sample_weight=weight, link_groups=CLASSES, groups=RATERS)
    # A scorer asks for probabilities without classes of raters.
    expected = []
    for train, test in FOLDS.split(X, y, RATERS):
        model = clone(pipe).fit(X[train], y[train], **fit_arguments(train))
        proba = model.predict_proba(X[test])
        expected.append(-log_loss(y[test], proba, sample_weight=weight[test]))
    found = [search.cv_results_[f"split{k}_test_score"][0] for k in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    best = search.best_estimator_
    twin = clone(learner).set_params(normalization=best[-1].normalization)
    scaled = StandardScaler(with_mean=False).fit_transform(X, sample_weight=weight)
    np.testing.assert_array_equal(twin.fit(scaled, y, **fit_arguments()).coef_, best[-1].coef_)
    assert list(best[-1].links_) == ["new", "old"]


@by_learner
def test_pipeline_is_scored_with_what_is_routed(learner, routing) -> None:
    X, y, weight = sample()
    scaler = StandardScaler(with_mean=False).set_fit_request(sample_weight=True)
    pipe = Pipeline([("scale", scaler), ("policy", requesting(learner))])
    params = {"sample_weight": weight, "link_groups": CLASSES, "groups": RATERS}
    scores = cross_validate(pipe, X, y, cv=FOLDS, params=params)["test_score"]
    np.testing.assert_array_equal(scores, [score for _, _, score in by_hand(learner, scaled=True)])


@by_learner
def test_what_nobody_asked_for_is_refused(learner, routing) -> None:
    X, y, weight = sample()
    with pytest.raises(UnsetMetadataPassedError, match=r"sample_weight.*set_fit_request"):
        cross_validate(learner, X, y, cv=FOLDS, params={"sample_weight": weight, "groups": RATERS})


@by_learner
def test_parameters_of_steps_without_routing(learner) -> None:
    X, y, weight = sample()
    pipe = Pipeline([("scale", StandardScaler(with_mean=False)), ("policy", clone(learner))])
    arguments = {f"policy__{name}": value for name, value in fit_arguments().items()}
    fitted = clone(pipe).fit(X, y, scale__sample_weight=weight, **arguments)
    scaled = StandardScaler(with_mean=False).fit_transform(X, sample_weight=weight)
    twin = clone(learner).fit(scaled, y, **fit_arguments())
    np.testing.assert_array_equal(fitted[-1].coef_, twin.coef_)
    # scikit-learn takes the parts of the arrays that belong to a fold.
    scores = cross_val_score(pipe, X, y, groups=RATERS, cv=FOLDS, params=arguments)
    for (train, test), score in zip(FOLDS.split(X, y, RATERS), scores, strict=True):
        part = {f"policy__{name}": value for name, value in fit_arguments(train).items()}
        assert clone(pipe).fit(X[train], y[train], **part).score(X[test], y[test]) == score


def own_score(model, X, y=None) -> float:
    """The score under the labels and weights of the pairs."""
    return model.score(X)


@pytest.mark.parametrize("routed", [False, True])
@by_learner
def test_pairs_carry_everything_themselves(learner, routed) -> None:
    data = pairs()
    with sklearn.config_context(enable_metadata_routing=routed):
        groups = {"params": {"groups": RATERS}} if routed else {"groups": RATERS}
        scores = cross_validate(clone(learner), data, cv=FOLDS, scoring=own_score, **groups)["test_score"]
    np.testing.assert_array_equal(scores, [score for _, _, score in by_hand(learner)])


def test_weights_reach_a_transformer_of_options(routing) -> None:
    X, y, _ = sample()
    data = PreferencePairs(X[::-1], X, y)
    more = np.where(X[:, 0] > 0, 9.0, 1.0)
    item = ItemTransformer(StandardScaler()).set_fit_request(sample_weight=True)
    policy = ProfiledLinkPolicy().set_fit_request(sample_weight=True)
    pipe = Pipeline([("scale", item), ("policy", policy)]).fit(data, sample_weight=more)
    weighted = ItemTransformer(StandardScaler()).fit(data.replace(weights=more))
    np.testing.assert_array_equal(pipe[0].transformer_.mean_, weighted.transformer_.mean_)
    assert pipe[-1].n_comparisons_ == more.sum()
    unasked = Pipeline([("scale", ItemTransformer(StandardScaler())), ("policy", policy)])
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        unasked.fit(data, sample_weight=more)
