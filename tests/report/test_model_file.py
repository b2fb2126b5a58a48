"""Model files: what is read back predicts the same to the last bit, without pickle."""

from __future__ import annotations

import json

import numpy as np
import pytest

from semiindex import (
    KnownLinkPolicy,
    LapsedLink,
    LinearIndex,
    LogisticLink,
    MonotoneSpline,
    PreferencePairs,
    ProfiledLinkPolicy,
    ShapeConstrainedLink,
)
from semiindex.exceptions import InvalidDataError
from semiindex.report.model_file import model_from_dict, model_to_dict, read_model, write_model

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


class _OwnPolicy(KnownLinkPolicy):
    pass


def test_what_cannot_be_written():
    X, y = sample()
    with pytest.raises(InvalidDataError, match=r"_OwnPolicy with LinearIndex cannot be written .* joblib"):
        model_to_dict(_OwnPolicy().fit(X, y))
    model = KnownLinkPolicy().fit(X, y).set_params(tau=object())
    with pytest.raises(InvalidDataError, match="of type object cannot be written"):
        model_to_dict(model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "is not a model file: it has no entry 'format'"),
        ({"format_version": 99}, "in a newer format"),
        ({"link": {"kind": "unheard of"}}, "is damaged: ValueError"),
        ({"coefficients": None}, "is damaged: TypeError"),
        ({"estimator": {"class": "Other", "parameters": {}}}, "is damaged: KeyError"),
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
