"""`ItemTransformer`: what scikit-learn's transformers do to options, done to both sides of comparisons."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

from semiindex import ItemTransformer, KnownLinkPolicy, PreferencePairs, ProfiledLinkPolicy
from semiindex.exceptions import InvalidDataError, InvalidParameterError

NAMES = ["price", "time", "mode"]


def sample(n: int = 120, seed: int = 0) -> PreferencePairs:
    rng = np.random.default_rng(seed)
    sides = [np.column_stack([rng.uniform(0.5, 3, size=(n, 2)), rng.integers(0, 3, n)]) for _ in "01"]
    t = -((sides[1][:, 0] - 1.5) ** 2) + (sides[0][:, 0] - 1.5) ** 2 + sides[0][:, 1] - sides[1][:, 1]
    return PreferencePairs(
        *sides,
        rng.random(n) < 1 / (1 + np.exp(-2 * t)),
        weights=rng.integers(0, 4, n),
        groups=np.arange(n) // 6,
        link_groups=np.arange(n) % 2,
        units=np.arange(n) // 2,
        feature_names=NAMES,
        assumptions=["Alternatives are independent."],
    )


BY_COLUMN = ColumnTransformer(
    [("scaled", StandardScaler(), ["price", "time"]), ("coded", OneHotEncoder(drop="first"), ["mode"])]
)
#: Transformer and the names of its features, None where they are numbered.
TRANSFORMERS = {
    "scaler": (StandardScaler(), NAMES),
    "polynomial": (
        PolynomialFeatures(2, interaction_only=True, include_bias=False),
        [*NAMES, "price time", "price mode", "time mode"],
    ),
    "columns": (BY_COLUMN, ["scaled__price", "scaled__time", "coded__mode_1.0", "coded__mode_2.0"]),
    "pca": (PCA(2), ["pca0", "pca1"]),
    "pipeline": (make_pipeline(StandardScaler(), PCA(1)), ["pca0"]),
    "nystroem": (Nystroem(n_components=4, random_state=0), [f"nystroem{j}" for j in range(4)]),
    "splines": (SplineTransformer(n_knots=3, degree=1), [f"{x}_sp_{j}" for x in NAMES for j in range(3)]),
    "union": (make_union(PCA(1), MinMaxScaler()), ["pca__pca0", *(f"minmaxscaler__{x}" for x in NAMES)]),
    "frame function": (FunctionTransformer(np.log1p), NAMES),
    "array function": (
        FunctionTransformer(lambda x: np.asarray(x)[:, :2] ** 2),
        ["functiontransformer0", "functiontransformer1"],
    ),
    "named function": (FunctionTransformer(np.sqrt, feature_names_out="one-to-one"), NAMES),
    "frames out": (StandardScaler().set_output(transform="pandas"), NAMES),
}
by_name = pytest.mark.parametrize("name", TRANSFORMERS)


def frame(matrix) -> pd.DataFrame:
    return pd.DataFrame(np.asarray(matrix), columns=NAMES)


def dense(matrix) -> np.ndarray:
    return matrix.toarray() if sp.issparse(matrix) else np.asarray(matrix)


@by_name
def test_both_sides_are_transformed_by_one_fit(name) -> None:
    transformer, names = TRANSFORMERS[name]
    pairs = sample()
    item = ItemTransformer(transformer)
    out = item.fit_transform(pairs)
    used = pairs[pairs.weights > 0]
    stacked = frame(np.vstack([used.features0, used.features1]))
    weighted = {"sample_weight": np.tile(used.weights, 2)} if type(transformer) is StandardScaler else {}
    twin = clone(transformer).fit(stacked, **weighted)
    for side in ("features0", "features1"):
        expected = dense(twin.transform(frame(getattr(pairs, side))))
        np.testing.assert_allclose(dense(getattr(out, side)), expected, rtol=1e-10, atol=1e-12)
    assert out.feature_names == tuple(names) == tuple(item.get_feature_names_out())
    for field in ("labels", "weights", "groups", "link_groups", "units", "assumptions"):
        np.testing.assert_array_equal(getattr(out, field), getattr(pairs, field))


@by_name
def test_single_options_are_transformed_alike(name) -> None:
    pairs = sample()
    item = ItemTransformer(TRANSFORMERS[name][0]).fit(pairs)
    expected = dense(item.transform(pairs).features0)
    shuffled = frame(pairs.features0)[["mode", "price", "time"]].assign(other="text")
    for options in (pairs.features0, frame(pairs.features0), shuffled, pairs.features0.tolist()):
        np.testing.assert_allclose(dense(item.transform_options(options)), expected, rtol=1e-10, atol=1e-12)


def test_weights_are_frequencies_where_the_transformer_knows_them() -> None:
    pairs = sample()
    repeated = pairs.replace(weights=None)[np.repeat(np.arange(120), pairs.weights.astype(int))]
    scaler = ItemTransformer(StandardScaler()).fit(pairs).transformer_
    twin = ItemTransformer(StandardScaler()).fit(repeated).transformer_
    np.testing.assert_allclose(scaler.mean_, twin.mean_, rtol=1e-14)
    np.testing.assert_allclose(scaler.scale_, twin.scale_, rtol=1e-14)
    both = pairs[repeated.n_pairs - 120 :]  # some rows
    more = np.arange(len(both)) % 3 + 1.0
    product = both.replace(weights=both.weights * more)
    one = ItemTransformer(StandardScaler()).fit(both, sample_weight=more).transformer_
    np.testing.assert_array_equal(
        one.mean_, ItemTransformer(StandardScaler()).fit(product).transformer_.mean_
    )


def test_rows_of_weight_zero_are_not_there() -> None:
    pairs = sample().replace(weights=None)
    weight = np.ones(120)
    weight[7] = 0
    far = pairs.features0.copy()
    far[7] = 1e6
    item = ItemTransformer(MinMaxScaler()).fit(pairs.replace(features0=far), sample_weight=weight)
    without = ItemTransformer(MinMaxScaler()).fit(pairs[weight > 0])
    np.testing.assert_array_equal(item.transformer_.data_max_, without.transformer_.data_max_)


def test_sparse_pairs_stay_sparse_and_sparse_codes_are_features() -> None:
    pairs = sample()
    sparse = pairs.replace(features0=sp.csr_array(pairs.features0), features1=sp.csr_array(pairs.features1))
    item = ItemTransformer(MaxAbsScaler())
    out, twin = item.fit_transform(sparse), ItemTransformer(MaxAbsScaler()).fit_transform(pairs)
    assert sp.issparse(out.features0)
    np.testing.assert_allclose(out.features1.toarray(), twin.features1, rtol=1e-15)
    assert out.feature_names == tuple(NAMES)
    assert sp.issparse(item.transform_options(sparse.features0))
    bins = ItemTransformer(KBinsDiscretizer(3, strategy="uniform")).fit_transform(pairs)
    assert sp.issparse(bins.features0)
    np.testing.assert_array_equal(bins.features0.sum(axis=1), 3)


def test_float32_is_kept() -> None:
    pairs = sample()
    single = pairs.replace(
        features0=pairs.features0.astype(np.float32), features1=pairs.features1.astype(np.float32)
    )
    assert ItemTransformer(StandardScaler()).fit_transform(single).dtype == np.float32


def test_nothing_given_is_changed() -> None:
    pairs = sample()
    options = pairs.features0.copy()
    before = options.copy(), pairs.features0.copy()
    item = ItemTransformer(StandardScaler(copy=False)).fit(pairs)
    item.transform(pairs)
    item.transform_options(options)
    np.testing.assert_array_equal(options, before[0])
    np.testing.assert_array_equal(pairs.features0, before[1])
    assert not hasattr(item.transformer, "mean_")


# In a pipeline ------------------------------------------------------------------------------------


def pipeline() -> Pipeline:
    squares = ItemTransformer(PolynomialFeatures(2, include_bias=False))
    return Pipeline([("scale", ItemTransformer(StandardScaler())), ("powers", squares), ("policy", policy())])


def policy() -> ProfiledLinkPolicy:
    return ProfiledLinkPolicy(ridge=1e-3)


def test_pipeline_is_the_fit_to_transformed_pairs() -> None:
    pairs = sample(600)
    pipe = pipeline().fit(pairs)
    made = pairs
    for step in pipe[:-1]:
        made = step.transform(made)
    model = policy().fit(made)
    np.testing.assert_array_equal(pipe[-1].coef_, model.coef_)
    np.testing.assert_array_equal(pipe.predict_proba(pairs), model.predict_proba(made))
    assert pipe.score(pairs) == model.score(made)
    assert pipe[-1].feature_names_in_.tolist() == pipe[:-1].get_feature_names_out().tolist()


def test_scores_of_options_differ_by_the_index() -> None:
    pairs = sample(600).replace(link_groups=None)
    pipe = pipeline().fit(pairs)
    sides = []
    for options in (pairs.features0, pairs.features1):
        for step in pipe[:-1]:
            options = step.transform_options(options)
        sides.append(pipe[-1].score_options(options))
    np.testing.assert_allclose(sides[1] - sides[0], pipe.decision_function(pairs), atol=1e-12)


def test_the_square_is_found_that_a_linear_index_misses() -> None:
    pairs, new = sample(2000), sample(2000, seed=1)
    assert pipeline().fit(pairs).score(new) > policy().fit(pairs).score(new) + 0.02


def test_search_over_parameters_of_the_transformer() -> None:
    pairs = sample(600)
    grid = {"powers__transformer__degree": [1, 2], "scale__transformer__with_mean": [True]}
    search = GridSearchCV(pipeline(), grid, cv=GroupKFold(3), scoring="neg_log_loss")
    search.fit(pairs, pairs.labels, groups=pairs.groups)
    assert search.best_params_["powers__transformer__degree"] == 2
    assert search.predict(pairs).shape == (600,)
    whole = GridSearchCV(
        pipeline(), {"powers__transformer": [PCA(2), "no transformer"]}, cv=2, error_score=-9.0
    )
    with pytest.warns(Warning, match="transformer must be an object with the methods"):
        whole.fit(pairs, pairs.labels)
    assert isinstance(whole.best_params_["powers__transformer"], PCA)


def test_tools_that_make_arrays_of_pairs_are_refused() -> None:
    pairs = sample()
    pipe = pipeline().fit(pairs)
    with pytest.raises(InvalidDataError, match=r"ItemTransformer.transform, got ndarray: the transform of"):
        permutation_importance(pipe, pairs, pairs.labels, n_repeats=1)
    with pytest.raises(InvalidDataError, match="transform, got ndarray"):
        pipe.predict(pairs.differences)


def test_another_classifier_takes_the_differences() -> None:
    pairs = sample().replace(weights=None)
    known = make_pipeline(ItemTransformer(StandardScaler()), KnownLinkPolicy(tol=1e-9)).fit(pairs)
    other = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10)
    pipe = make_pipeline(ItemTransformer(StandardScaler()), other).fit(pairs, pairs.labels)
    np.testing.assert_allclose(pipe[-1].coef_[0], known[-1].coef_, rtol=1e-4)


# As a scikit-learn estimator ----------------------------------------------------------------------


def test_parameters_clone_and_pickle() -> None:
    item = ItemTransformer(StandardScaler(with_std=False))
    assert item.get_params()["transformer__with_std"] is False
    item.set_params(transformer__with_std=True)
    assert item.transformer.with_std is True
    pairs = sample()
    fitted = item.fit(pairs)
    copy = clone(fitted)
    assert copy.transformer is not fitted.transformer
    with pytest.raises(NotFittedError, match="ItemTransformer instance is not fitted"):
        copy.transform(pairs)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.transform(pairs).features1, fitted.transform(pairs).features1)
    assert fitted.n_features_in_ == 3
    assert fitted.feature_names_in_.tolist() == NAMES
    assert "StandardScaler" in fitted._repr_html_()


def test_set_output_chooses_the_table_of_options_alone() -> None:
    pairs = sample()
    item = ItemTransformer(PCA(2)).fit(pairs)
    options = frame(pairs.features0).set_index(np.arange(120) + 5)
    plain = item.transform_options(options)
    assert isinstance(plain, np.ndarray)
    table = item.set_output(transform="pandas").transform_options(options)
    pd.testing.assert_frame_equal(
        table, pd.DataFrame(plain, columns=["pca0", "pca1"], index=options.index), check_exact=True
    )
    assert isinstance(item.transform(pairs), PreferencePairs)
    kept = clone(item).fit(pairs)
    assert list(kept.transform_options(options).columns) == ["pca0", "pca1"]
    assert isinstance(kept.set_output(transform=None).transform_options(options), pd.DataFrame)
    assert isinstance(kept.set_output(transform="default").transform_options(options), np.ndarray)
    with sklearn.config_context(transform_output="pandas"):
        everywhere = ItemTransformer(PCA(2)).fit(pairs)
        assert isinstance(everywhere.transform_options(options), pd.DataFrame)
        assert isinstance(everywhere.transform(pairs), PreferencePairs)
        assert pipeline().fit(pairs).predict(pairs).shape == (120,)
    pipe = pipeline().set_output(transform="pandas").fit(pairs)
    assert list(pipe[0].transform_options(options).columns) == NAMES


def test_sparse_codes_are_not_made_a_dense_table() -> None:
    item = (
        ItemTransformer(OneHotEncoder(handle_unknown="ignore")).fit(sample()).set_output(transform="pandas")
    )
    with pytest.raises(InvalidDataError, match="sparse_output=False"):
        item.transform_options(sample().features0)


@pytest.mark.parametrize("data", [sample().differences, frame(sample().differences), [[1.0, 2.0, 3.0]]])
def test_differences_are_refused_with_the_reason(data) -> None:
    with pytest.raises(InvalidDataError, match="is not the difference of two transforms"):
        ItemTransformer(StandardScaler()).fit(data)


@pytest.mark.parametrize(
    ("transformer", "message"),
    [
        (TargetEncoder(), "learns from labels"),
        (StandardScaler, "must be an object with the methods fit and transform"),
        (None, "must be an object with the methods fit and transform"),
        (KnownLinkPolicy(), "must be an object with the methods fit and transform"),
    ],
)
def test_transformers_without_a_meaning(transformer, message) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        ItemTransformer(transformer).fit(sample())


def test_what_comes_out_must_be_features() -> None:
    pairs = sample()
    centred = pairs.replace(features0=pairs.features0 - pairs.features0.mean(axis=0))
    with (
        np.errstate(all="ignore"),
        pytest.raises(InvalidDataError, match="output of the transformer contains"),
    ):
        ItemTransformer(FunctionTransformer(np.log)).fit_transform(centred)
    texts = FunctionTransformer(lambda table: table.astype(str) + " text")
    with pytest.raises(InvalidDataError, match="of output of the transformer is not numeric"):
        ItemTransformer(texts).fit_transform(pairs)


def test_other_data_than_those_of_the_fit() -> None:
    pairs = sample()
    item = ItemTransformer(StandardScaler()).fit(pairs)
    with pytest.raises(InvalidDataError, match="X has the features"):
        item.transform(pairs.replace(feature_names=["price", "time", "speed"]))
    with pytest.raises(InvalidDataError, match="options has no column 'time'"):
        item.transform_options(frame(pairs.features0).drop(columns="time"))
    with pytest.raises(InvalidDataError, match=r"options must have shape \(n_options, 3\), got \(120, 2\)"):
        item.transform_options(pairs.features0[:, :2])
    with pytest.raises(InvalidDataError, match="options contains nan in feature 'price'"):
        item.transform_options(np.array([[np.nan, 1.0, 2.0]]))
    with pytest.raises(InvalidDataError, match="options holds comparisons"):
        item.transform_options(pairs)
    with pytest.raises(InvalidDataError, match="input_features is not equal"):
        item.get_feature_names_out(["a", "b", "c"])
    with pytest.raises(InvalidParameterError, match="set_output: transform must be one of"):
        item.set_output(transform="polars")
    with pytest.raises(InvalidDataError, match="sample_weight has 2 entries for 120 rows"):
        item.fit(pairs, sample_weight=[1.0, 2.0])
