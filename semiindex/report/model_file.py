"""A fitted estimator as a JSON file: readable by people and other programs, without pickle."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from sklearn.utils.validation import check_is_fitted

from semiindex import __version__
from semiindex.exceptions import InvalidDataError
from semiindex.index.linear import LinearIndex
from semiindex.link import link_from_dict
from semiindex.policy import KnownLinkPolicy, OrthogonalPolicy, ProfiledLinkPolicy, RankingPolicy
from semiindex.policy.base import PreferencePolicy
from semiindex.report.plain_values import from_plain, require_known, to_plain

__all__ = ["FORMAT", "FORMAT_VERSION", "model_from_dict", "model_to_dict", "read_model", "write_model"]

#: Version 2 added the estimators beside `KnownLinkPolicy` and `ProfiledLinkPolicy`, and kernel indices.
FORMAT, FORMAT_VERSION = "semiindex-model", 2

_ESTIMATORS: dict[str, type[PreferencePolicy]] = {
    estimator.__name__: estimator
    for estimator in (KnownLinkPolicy, ProfiledLinkPolicy, OrthogonalPolicy, RankingPolicy)
}
#: Attributes of all estimators; they have entries of their own. Those of one estimator alone, such as
#: a temperature, stand under "attributes".
_COMMON = {
    "classes_", "coef_", "converged_", "feature_names_in_", "index_", "index_label_moment_", "index_rms_",
    "link_", "links_", "loss_curve_", "n_comparisons_", "n_features_in_", "n_iter_", "normalization_",
    "notes_",
}  # fmt: skip
#: Entries of the section "training".
_TRAINING = ("n_comparisons", "converged", "n_iter", "index_rms", "index_label_moment", "loss_curve")


def write_model(path: Path, model: PreferencePolicy, **extra: Any) -> None:
    """Write a fitted estimator as JSON; an existing file is replaced when the new one is complete.

    Parameters
    ----------
    path : Path
        The file.
    model : fitted estimator
        One of the four estimators, with a linear or a kernel index.
    **extra : dict
        Further entries of plain values.
    """
    document = model_to_dict(model) | extra
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)
    partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}.partial")
    try:
        partial.write_text(text + "\n", encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read_model(path: Path) -> tuple[PreferencePolicy, dict[str, Any]]:
    """Read what `write_model` wrote.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    model : fitted estimator
        Its predictions are those of the estimator written, to the last bit.
    document : dict
        The whole content of the file.

    Raises
    ------
    InvalidDataError
        If the file is not a model of this format.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InvalidDataError(f"{path} is not a model file: it is not JSON ({error})") from error
    try:
        return model_from_dict(document), document
    except InvalidDataError as error:
        raise InvalidDataError(f"{path} {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidDataError(
            f"{path} is damaged: {type(error).__name__} at {error}; write the model again"
        ) from error


def model_to_dict(model: PreferencePolicy) -> dict[str, Any]:
    """A fitted estimator as plain numbers, strings, lists and dictionaries.

    Parameters
    ----------
    model : fitted estimator
        As for `write_model`.

    Returns
    -------
    dict

    Raises
    ------
    InvalidDataError
        If the estimator, or a value in it, has no form as JSON, such as a kernel that is a function.
    """
    check_is_fitted(model)
    name = type(model).__name__
    if _ESTIMATORS.get(name) is not type(model):
        raise InvalidDataError(f"a {name} cannot be written as JSON; use joblib.dump")
    links = None
    if model.links_ is not None:
        links = [{"class": to_plain(level), "link": link.to_dict()} for level, link in model.links_.items()]
    parameters = model.get_params(deep=False)
    own = {key: value for key, value in vars(model).items() if key not in {*_COMMON, *parameters}}
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "semiindex_version": __version__,
        "estimator": {
            "class": name,
            "parameters": {key: to_plain(value) for key, value in parameters.items()},
        },
        "n_features": model.n_features_in_,
        "feature_names": _names(model),
        "coefficients": to_plain(model.coef_)["fields"],
        "normalization": model.normalization_,
        "index": to_plain(model.index_),
        "link": model.link_.to_dict(),
        "links_of_classes": links,
        "classes": to_plain(model.classes_)["fields"],
        "attributes": {key: to_plain(value) for key, value in own.items()},
        "notes": list(model.notes_),
        "training": {
            "n_comparisons": model.n_comparisons_,
            "converged": bool(model.converged_),
            "n_iter": int(model.n_iter_),
            "index_rms": float(model.index_rms_),
            "index_label_moment": model.index_label_moment_,
            "loss_curve": [float(value) if np.isfinite(value) else None for value in model.loss_curve_],
        },
    }


def model_from_dict(document: Any) -> PreferencePolicy:
    """Make a fitted estimator from the result of `model_to_dict`.

    Parameters
    ----------
    document : dict
        As `model_to_dict` returned it; further entries are ignored.

    Returns
    -------
    fitted estimator

    Raises
    ------
    InvalidDataError
        If it is of another format, or of a newer version of this one.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidDataError(f"is not a model file: it has no entry 'format': '{FORMAT}'")
    if document["format_version"] > FORMAT_VERSION:
        raise InvalidDataError(
            f"was written by semiindex {document.get('semiindex_version')} in a newer format "
            f"({document['format_version']}, this version reads {FORMAT_VERSION}); update semiindex"
        )
    model = _made_estimator(document["estimator"])
    model.coef_ = _array(document["coefficients"])
    model.n_features_in_ = document.get("n_features", model.coef_.size)
    if document["feature_names"] is not None:
        model.feature_names_in_ = np.array(document["feature_names"], dtype=object)
    model.index_ = from_plain(document["index"]) if "index" in document else LinearIndex()
    model.classes_ = _array(document["classes"])
    model.normalization_ = document["normalization"]
    model.link_ = link_from_dict(document["link"])
    links = document["links_of_classes"]
    model.links_ = (
        None
        if links is None
        else {from_plain(entry["class"]): link_from_dict(entry["link"]) for entry in links}
    )
    model.notes_ = tuple(document["notes"])
    model.pooling_ = model.criterion_links_ = None  # as "attributes" say, where links were pooled
    for name, value in document.get("attributes", {}).items():
        if not (name.isidentifier() and name.endswith("_") and not name.startswith("_")):
            require_known([name], (), "the attributes")
        setattr(model, name, from_plain(value))
    _restore_training(model, document["training"])
    return model


def _made_estimator(entry: dict[str, Any]) -> PreferencePolicy:
    require_known(entry, ("class", "parameters"), "the estimator")
    require_known([entry["class"]], _ESTIMATORS, "the estimator")
    kind = _ESTIMATORS[entry["class"]]
    require_known(entry["parameters"], kind._get_param_names(), entry["class"])
    parameters = {key: from_plain(value) for key, value in entry["parameters"].items()}
    # A file that says nothing of pooling is older than that: classes of raters had links of their own.
    return kind(**{"pooling": None} | parameters)


def _restore_training(model: PreferencePolicy, training: dict[str, Any]) -> None:
    require_known(training, _TRAINING, "the training")
    model.n_comparisons_ = training["n_comparisons"]
    model.converged_ = training["converged"]
    model.n_iter_ = training["n_iter"]
    model.index_rms_ = training["index_rms"]
    model.index_label_moment_ = training.get("index_label_moment")  # older files have none
    model.loss_curve_ = [np.nan if value is None else value for value in training["loss_curve"]]


def _names(model: PreferencePolicy) -> list[str] | None:
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def _array(content: dict[str, Any]) -> Any:
    return from_plain({"value": "array", "fields": content})
