"""A fitted estimator as a JSON file: readable by people and other programs, without pickle."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from semiindex import __version__
from semiindex._types import AnyArray
from semiindex.exceptions import InvalidDataError
from semiindex.index.linear import LinearIndex
from semiindex.link import Link, MonotoneSpline, ShapeConstrainedLink, link_from_dict
from semiindex.policy import KnownLinkPolicy, ProfiledLinkPolicy
from semiindex.policy.base import PreferencePolicy

__all__ = ["FORMAT", "FORMAT_VERSION", "model_from_dict", "model_to_dict", "read_model", "write_model"]

FORMAT, FORMAT_VERSION = "semiindex-model", 1

_ESTIMATORS: dict[str, type[PreferencePolicy]] = {
    "KnownLinkPolicy": KnownLinkPolicy,
    "ProfiledLinkPolicy": ProfiledLinkPolicy,
}
#: Values of parameters that are neither numbers nor text: name -> how to make them from a dictionary.
_VALUES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "Link": link_from_dict,
    "LinearIndex": lambda state: LinearIndex(**state),
    "MonotoneSpline": lambda state: MonotoneSpline(**state),
    "ShapeConstrainedLink": lambda state: ShapeConstrainedLink(**state),
}


def write_model(path: Path, model: PreferencePolicy, **extra: Any) -> None:
    """Write a fitted estimator as JSON.

    Parameters
    ----------
    path : Path
        The file.
    model : fitted estimator
        `KnownLinkPolicy` or `ProfiledLinkPolicy` with a linear index.
    **extra : dict
        Further entries of plain values.
    """
    document = model_to_dict(model) | extra
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


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
        `KnownLinkPolicy` or `ProfiledLinkPolicy`.

    Returns
    -------
    dict
    """
    check_is_fitted(model)
    name = type(model).__name__
    if _ESTIMATORS.get(name) is not type(model) or type(model.index_) is not LinearIndex:
        raise InvalidDataError(
            f"a {name} with {type(model.index_).__name__} cannot be written as JSON; use joblib.dump"
        )
    links = None
    if model.links_ is not None:
        links = [{"class": _plain(level), "link": link.to_dict()} for level, link in model.links_.items()]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "semiindex_version": __version__,
        "estimator": {
            "class": name,
            "parameters": {key: _plain(value) for key, value in model.get_params(deep=False).items()},
        },
        "feature_names": _names(model),
        "coefficients": _array(model.coef_),
        "normalization": model.normalization_,
        "link": model.link_.to_dict(),
        "links_of_classes": links,
        "classes": _array(model.classes_),
        "notes": list(model.notes_),
        "training": {
            "n_comparisons": model.n_comparisons_,
            "converged": bool(model.converged_),
            "n_iter": int(model.n_iter_),
            "index_rms": float(model.index_rms_),
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
    kind = _ESTIMATORS[document["estimator"]["class"]]
    model = kind(**{key: _made(value) for key, value in document["estimator"]["parameters"].items()})
    model.coef_ = _made_array(document["coefficients"])
    model.n_features_in_ = model.coef_.size
    if document["feature_names"] is not None:
        model.feature_names_in_ = np.array(document["feature_names"], dtype=object)
    model.index_ = LinearIndex()
    model.classes_ = _made_array(document["classes"])
    model.normalization_ = document["normalization"]
    model.link_ = link_from_dict(document["link"])
    links = document["links_of_classes"]
    model.links_ = (
        None if links is None else {entry["class"]: link_from_dict(entry["link"]) for entry in links}
    )
    model.notes_ = tuple(document["notes"])
    _restore_training(model, document["training"])
    return model


def _restore_training(model: PreferencePolicy, training: dict[str, Any]) -> None:
    model.n_comparisons_ = training["n_comparisons"]
    model.converged_ = training["converged"]
    model.n_iter_ = training["n_iter"]
    model.index_rms_ = training["index_rms"]
    model.loss_curve_ = [np.nan if value is None else value for value in training["loss_curve"]]


def _names(model: PreferencePolicy) -> list[str] | None:
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def _plain(value: Any) -> Any:
    """A parameter, or a class of raters, as JSON knows it; values of the library by their kind."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Link):
        return {"value": "Link", "fields": value.to_dict()}
    if isinstance(value, MonotoneSpline | ShapeConstrainedLink):
        fields = {key: _plain(entry) for key, entry in asdict(value).items()}
        return {"value": type(value).__name__, "fields": fields}
    if type(value) is LinearIndex:
        return {"value": "LinearIndex", "fields": {}}
    raise InvalidDataError(
        f"{value!r} of type {type(value).__name__} cannot be written as JSON; use joblib.dump"
    )


def _made(value: Any) -> Any:
    """Inverse of `_plain`."""
    return _VALUES[value["value"]](value["fields"]) if isinstance(value, dict) else value


def _array(values: AnyArray) -> dict[str, Any]:
    return {"dtype": values.dtype.str, "values": [_plain(value) for value in values.tolist()]}


def _made_array(state: dict[str, Any]) -> AnyArray:
    dtype = state["dtype"]
    return np.array(state["values"], dtype=object if dtype.startswith("|O") else dtype)
