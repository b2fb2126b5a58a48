"""Model files: what is read back predicts the same to the last bit, without pickle."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semiindex import (
    KernelIndex,
    KnownLinkPolicy,
    LapsedLink,
    LinearIndex,
    LogisticLink,
    MonotoneSpline,
    OrthogonalPolicy,
    PolicyIndex,
    PreferencePairs,
    ProductKernel,
    ProfiledLinkPolicy,
    RankingPolicy,
    ShapeConstrainedLink,
    alpha_divergence,
    infer,
)
from semiindex.divergence import chi_squared, js_divergence
from semiindex.exceptions import InvalidDataError
from semiindex.report.model_file import model_from_dict, model_to_dict, read_model, write_model
from semiindex.report.plain_values import from_plain, to_plain

MODELS = {
    "spline": ProfiledLinkPolicy(),
    "isotonic": ProfiledLinkPolicy("isotonic"),
    "shape": ProfiledLinkPolicy(ShapeConstrainedLink(lipschitz=2.0, n_knots=30)),
    "spline specification": ProfiledLinkPolicy(MonotoneSpline(n_knots=5), normalization="x1"),
    "ridge": ProfiledLinkPolicy(ridge=0.01, normalization=0),
    "spline, position": ProfiledLinkPolicy(antisymmetric=False),
    "isotonic, position": ProfiledLinkPolicy("isotonic", antisymmetric=False, normalization="norm"),
    "logistic": KnownLinkPolicy(index=LinearIndex()),
    "logistic, position": KnownLinkPolicy(antisymmetric=False),
    "probit": KnownLinkPolicy("probit", normalization="rms"),
    "cauchit": KnownLinkPolicy("cauchit"),
    "loglog": KnownLinkPolicy("loglog", antisymmetric=False),
    "cloglog": KnownLinkPolicy("cloglog", antisymmetric=False),
    "lapsed": KnownLinkPolicy(LapsedLink(LogisticLink(), lower=0.1, upper=0.1)),
    "ipo": KnownLinkPolicy(loss="ipo"),
    "hinge": KnownLinkPolicy(loss="hinge"),
    "robust": KnownLinkPolicy(loss="robust", flip_rate=0.05),
    "Klein-Spady": OrthogonalPolicy(bandwidth=0.5, kernel="triweight"),
    "efficient score": OrthogonalPolicy("efficient_score", antisymmetric=False, normalization="norm"),
    "smoothed rank": RankingPolicy(temperature=0.1),
    "logistic rank": RankingPolicy("logistic", ridge=0.01),
    "squared-hinge rank, position": RankingPolicy("squared_hinge", antisymmetric=False),
}
CONTEXT = ProductKernel(([0, 1], "rbf"), (2, "polynomial", {"degree": 2, "coef0": 1.0}))
KERNELS = {
    "exact": KernelIndex(),
    "network": KernelIndex("arc_cosine", kernel_params={"layers": 2}),
    "product": KernelIndex(CONTEXT, gamma=0.7),
    "nystroem": KernelIndex("laplacian", components=30, gamma=0.2),
    "waves": KernelIndex(components=20, approximation="random_features", random_state=5),
}


def sample():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(300, 3))
    y = rng.random(300) < 0.15 + 0.7 / (1 + np.exp(-2 * X @ [1.0, -1.0, 0.5]))
    return X, y.astype(int)


def assert_same_predictions(model, again, X, **groups):
    np.testing.assert_array_equal(again.decision_function(X, **groups), model.decision_function(X, **groups))
    np.testing.assert_array_equal(again.predict_proba(X, **groups), model.predict_proba(X, **groups))
    predicted = model.predict(X, **groups)
    np.testing.assert_array_equal(again.predict(X, **groups), predicted)
    assert again.predict(X, **groups).dtype == predicted.dtype
    options = np.asarray(X)[:20]
    np.testing.assert_array_equal(again.score_options(options), model.score_options(options))


@pytest.mark.parametrize("name", MODELS)
def test_round_trip(name, tmp_path):
    X, y = sample()
    model = MODELS[name].fit(X, y)
    path = tmp_path / "model.json"
    write_model(path, model, remark="kept")
    again, document = read_model(path)
    assert document["remark"] == "kept"
    assert_same_predictions(model, again, X)
    assert str(again.summary()) == str(model.summary())
    assert repr(again.get_params()) == repr(model.get_params())
    assert again.link_ == model.link_
    assert_same_attributes(model, again)


def assert_same_attributes(model, again):
    assert vars(again).keys() == vars(model).keys()
    for name in {name for name in vars(model) if name.endswith("_")} - {"index_", "links_"}:
        np.testing.assert_equal(getattr(again, name), getattr(model, name))


@pytest.mark.parametrize("on_differences", [False, True])
@pytest.mark.parametrize("name", KERNELS)
def test_round_trip_of_a_kernel_index(name, on_differences, tmp_path):
    X, y = sample()
    pairs = PreferencePairs(np.sin(X[::-1]), np.sin(X[::-1]) + X, y)
    fitted_to = (X, y) if on_differences else (pairs,)
    model = ProfiledLinkPolicy(index=KERNELS[name], ridge=0.02, max_iter=500).fit(*fitted_to)
    write_model(tmp_path / "model.json", model)
    again, _ = read_model(tmp_path / "model.json")
    data = X[:50] if on_differences else pairs[:50]
    for method in ("decision_function", "predict_proba", "predict"):
        np.testing.assert_array_equal(getattr(again, method)(data), getattr(model, method)(data))
    if not on_differences:
        np.testing.assert_array_equal(again.score_options(X), model.score_options(X))
    assert repr(again) == repr(model)
    assert vars(again.index_).keys() == vars(model.index_).keys()
    assert_same_attributes(model, again)


@pytest.mark.parametrize(
    "divergence", ["forward_kl", js_divergence, chi_squared, alpha_divergence(0.4)], ids=str
)
def test_round_trip_of_the_index_of_a_policy(divergence, tmp_path):
    X, y = sample()
    names = ["length", "logp", "ref_logp"]
    first, second = np.sin(X[::-1]), np.sin(X)
    y = second[:, 1] - second[:, 2] - first[:, 1] + first[:, 2] + y > 0.5  # favours what the policy favours
    pairs = PreferencePairs(first, second, y, feature_names=names)
    model = ProfiledLinkPolicy(index=PolicyIndex(divergence=divergence), normalization="norm").fit(pairs)
    write_model(tmp_path / "model.json", model)
    again, _ = read_model(tmp_path / "model.json")
    assert_same_attributes(model, again)
    assert again.index_.get_params() == model.index_.get_params()
    np.testing.assert_array_equal(again.predict_proba(pairs), model.predict_proba(pairs))
    np.testing.assert_array_equal(again.score_options(X), model.score_options(X))


@pytest.mark.parametrize("learner", [KnownLinkPolicy, RankingPolicy])
def test_round_trip_of_a_kernel_index_in_single_precision(learner):
    X, y = sample()
    X = X.astype(np.float32)
    kernel = ProductKernel((["x0", "x2"], "rbf"), ("x1", "linear"))
    model = learner(index=KernelIndex(kernel, components=15), ridge=0.02).fit(PreferencePairs(X[::-1], X, y))
    again = model_from_dict(json.loads(json.dumps(model_to_dict(model))))
    pairs = PreferencePairs(X, X[::-1], y)
    np.testing.assert_array_equal(again.predict_proba(pairs), model.predict_proba(pairs))
    assert again.predict_proba(pairs).dtype == np.float32


@pytest.mark.parametrize("learner", [OrthogonalPolicy(), ProfiledLinkPolicy(), KnownLinkPolicy()], ids=repr)
def test_inference_on_a_model_read_back(learner):
    X, y = sample()
    model = learner.fit(X, y)
    again = model_from_dict(json.loads(json.dumps(model_to_dict(model))))
    np.testing.assert_array_equal(infer(again, X, y).covariance, infer(model, X, y).covariance)


@pytest.mark.parametrize("learner", [OrthogonalPolicy(), RankingPolicy()], ids=repr)
def test_links_of_three_classes(learner):
    X, y = sample()
    groups = np.array(["a", "b", "c"])[np.arange(300) % 3]
    model = learner.fit(X, y, link_groups=groups)
    again = model_from_dict(json.loads(json.dumps(model_to_dict(model))))
    np.testing.assert_array_equal(
        again.predict_proba(X, link_groups=groups), model.predict_proba(X, link_groups=groups)
    )
    np.testing.assert_allclose(again.predict_proba(X), model.predict_proba(X), rtol=0, atol=1e-15)


def test_files_of_the_first_format_are_read():
    X, y = sample()
    model = ProfiledLinkPolicy().fit(X, y)
    document = model_to_dict(model)
    old = {key: document[key] for key in document if key not in ("n_features", "index", "attributes")}
    assert_same_predictions(model, model_from_dict(old | {"format_version": 1}), X)


@pytest.mark.parametrize("classes", [None, np.arange(300) % 2], ids=["one link", "two links"])
def test_inference_on_a_file_from_before_links_were_pooled(classes):
    X, y = sample()
    model = ProfiledLinkPolicy(pooling=None).fit(X, y, link_groups=classes)
    document = model_to_dict(model)
    for entries, name in (
        (document["attributes"], "pooling_"),
        (document["attributes"], "criterion_links_"),
        (document["estimator"]["parameters"], "pooling"),
    ):
        del entries[name]
    again = model_from_dict(json.loads(json.dumps(document)))
    assert again.pooling is None
    one, two = (infer(fitted, X, y, link_groups=classes) for fitted in (model, again))
    np.testing.assert_array_equal(two.covariance, one.covariance)


@settings(max_examples=30)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: (
            st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.integers() | st.text(), inner)
        ),
        max_leaves=10,
    )
)
def test_plain_values_come_back(value):
    again = from_plain(json.loads(json.dumps(to_plain(value), allow_nan=False)))
    assert again == value
    assert repr(again) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        np.array([[1.5, -0.0], [np.inf, np.nan]], dtype=">f4"),
        np.arange(6).reshape(1, 2, 3),
        np.arange(6.0).reshape(3, 2).T,
        np.arange(12.0).reshape(3, 4)[:, ::2],
        np.array([np.nan, 2.0]),
        np.zeros((0, 3)),
        np.array(["a", "bc"]),
        np.array([True, False]),
    ],
    ids=repr,
)
def test_arrays_come_back(value):
    again = from_plain(json.loads(json.dumps(to_plain(value), allow_nan=False)))
    np.testing.assert_array_equal(again, value)
    assert again.dtype.kind == value.dtype.kind
    assert again.dtype.itemsize == value.dtype.itemsize
    assert again.shape == value.shape
    if value.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(again), np.signbit(value))


@pytest.mark.parametrize("labels", [["no", "yes"], [-1.0, 1.0], [False, True]])
def test_labels_come_back_as_they_were(labels):
    X, y = sample()
    model = KnownLinkPolicy().fit(X, np.array(labels)[y])
    assert_same_predictions(model, model_from_dict(json.loads(json.dumps(model_to_dict(model)))), X)


def test_labels_of_objects():
    X, y = sample()
    model = KnownLinkPolicy().fit(X, np.array(["no", "yes"], dtype=object)[y])
    again = model_from_dict(json.loads(json.dumps(model_to_dict(model))))
    assert list(again.predict(X[:5])) == list(model.predict(X[:5]))


def test_float32():
    X, y = sample()
    model = ProfiledLinkPolicy().fit(X.astype(np.float32), y)
    again = model_from_dict(json.loads(json.dumps(model_to_dict(model))))
    assert again.coef_.dtype == np.float32
    assert_same_predictions(model, again, X.astype(np.float32))


@pytest.mark.parametrize("levels", [["new", "old"], [1, 2]])
def test_links_of_classes(levels, tmp_path):
    X, y = sample()
    groups = np.array(levels)[np.arange(300) % 2]
    model = ProfiledLinkPolicy().fit(X, y, link_groups=groups)
    write_model(tmp_path / "model.json", model)
    again, _ = read_model(tmp_path / "model.json")
    assert list(again.links_) == levels
    assert_same_predictions(model, again, X)
    assert_same_predictions(model, again, X, link_groups=groups)


def test_feature_names_are_checked_after_reading():
    X, y = sample()
    pairs = PreferencePairs(np.zeros_like(X), X, y, feature_names=["p", "q", "r"])
    again = model_from_dict(model_to_dict(ProfiledLinkPolicy().fit(pairs)))
    assert list(again.feature_names_in_) == ["p", "q", "r"]
    with pytest.raises(InvalidDataError, match="X has the features"):
        again.predict(pairs.replace(feature_names=["p", "q", "s"]))


def test_the_file_is_readable(tmp_path):
    X, y = sample()
    write_model(tmp_path / "model.json", ProfiledLinkPolicy().fit(X, y))
    document = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    assert document["format"] == "semiindex-model"
    assert document["estimator"]["class"] == "ProfiledLinkPolicy"
    assert document["estimator"]["parameters"]["link"] == "spline"
    assert document["normalization"] == "unit root mean square of the index"
    assert document["training"]["converged"] is True


def test_an_old_file_survives_a_new_one_that_fails(tmp_path, monkeypatch):
    X, y = sample()
    path, model = tmp_path / "model.json", KnownLinkPolicy().fit(X, y)
    write_model(path, model)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="no space left"):
        write_model(path, model, remark="new")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


class _OwnPolicy(KnownLinkPolicy):
    pass


def test_what_cannot_be_written():
    X, y = sample()
    with pytest.raises(InvalidDataError, match=r"_OwnPolicy cannot be written .* joblib"):
        model_to_dict(_OwnPolicy().fit(X, y))
    model = KnownLinkPolicy().fit(X, y).set_params(tau=object())
    with pytest.raises(InvalidDataError, match="of type object cannot be written"):
        model_to_dict(model)
    own_kernel = KernelIndex(lambda a, b: a @ b.T)
    with pytest.raises(InvalidDataError, match="of type function cannot be written as JSON; use joblib"):
        model_to_dict(KnownLinkPolicy(index=own_kernel, ridge=0.1).fit(X, y))
    model = KnownLinkPolicy(index=KernelIndex(), ridge=0.1).fit(X, y)
    model.index_.later_ = 1.0
    with pytest.raises(InvalidDataError, match="does not know: 'later_' in KernelIndex"):
        model_to_dict(model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "is not a model file: it has no entry 'format'"),
        ({"format_version": 99}, "in a newer format"),
        ({"link": {"kind": "unheard of"}}, "is damaged: ValueError"),
        ({"coefficients": None}, "is damaged: TypeError"),
        ({"estimator": {"class": "Other", "parameters": {}}}, "not know: 'Other' in the estimator"),
        (
            {"estimator": {"class": "KnownLinkPolicy", "parameters": {"depth": 3}}},
            "not know: 'depth' in KnownLinkPolicy",
        ),
        ({"index": {"value": "TreeIndex", "fields": {}}}, "not know: 'TreeIndex' in the file"),
        (
            {"index": {"value": "KernelIndex", "fields": {"parameters": {"depth": 3}}}},
            "not know: 'depth' in KernelIndex",
        ),
        (
            {"index": {"value": "KernelIndex", "fields": {"fitted": {"score": 3}}}},
            "not know: 'score' in KernelIndex",
        ),
        (
            {
                "estimator": {
                    "class": "KnownLinkPolicy",
                    "parameters": {"link": {"value": "MonotoneSpline", "fields": {"knots": 3}}},
                }
            },
            "not know: 'knots' in MonotoneSpline",
        ),
        ({"estimator": {"class": "KnownLinkPolicy", "depth": 3}}, "not know: 'depth' in the estimator"),
        ({"training": {"n_trees": 3}}, "not know: 'n_trees' in the training"),
        ({"attributes": {"predict": 3}}, "not know: 'predict' in the attributes"),
        ({"attributes": {"__class__": 3}}, "not know: '__class__' in the attributes"),
    ],
)
def test_files_that_are_no_models(change, message, tmp_path):
    X, y = sample()
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model_to_dict(KnownLinkPolicy().fit(X, y)) | change), encoding="utf-8")
    with pytest.raises(InvalidDataError, match=message):
        read_model(path)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00", b"[]"])
def test_files_that_are_no_json(content, tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(InvalidDataError, match="is not a model file"):
        read_model(path)
