"""Descriptions and fingerprints: equal for equal definitions in any process, and for no others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from semiindex import KnownLinkPolicy, ProfiledLinkPolicy
from semiindex.exceptions import InvalidParameterError
from semiindex.simulation import AngleError, NormalFeatures, PolicyError, Raters, Truth, link_at_severity
from semiindex.simulation.identity import describe, fingerprint, stream_key

#: Definitions of which no two are the same.
DIFFERENT = [
    Truth(),
    Truth([1.0, 2.0]),
    Truth(link="probit"),
    Truth(link=link_at_severity("flips", 0.5)),
    Truth(position_bias=0.1),
    Truth(divergence="chi_squared"),
    Truth(raters=Raters(3)),
    Truth(lambda options: options[..., 0]),
    Truth(lambda options: options[..., 1]),
    Truth(lambda options, k=2: options[..., 0] * k),
    Truth(lambda options, k=3: options[..., 0] * k),
    NormalFeatures(2),
    NormalFeatures(2, 0.1),
    KnownLinkPolicy(),
    KnownLinkPolicy(ridge=0.1),
    ProfiledLinkPolicy(),
    AngleError(),
    AngleError("other"),
    PolicyError((0.1, 0.2)),
    partial(np.sum, axis=0),
    partial(np.sum, axis=1),
    np.sum,
    np.arange(3),
    np.arange(3.0),
    np.arange(3).reshape(1, 3),
    np.array(["a", None], dtype=object),
    1,
    1.0,
    True,
    "1",
    None,
    (1, 2),
    {1, 2},
    {"a": 1},
    AngleError().__call__,
    KnownLinkPolicy,
]


def test_different_definitions_have_different_fingerprints() -> None:
    prints = [fingerprint(value) for value in DIFFERENT]
    assert len(set(prints)) == len(DIFFERENT)


def test_fingerprint_is_of_the_value_and_not_of_the_object() -> None:
    def score(weight: float) -> Callable[[np.ndarray], np.ndarray]:
        return lambda options: weight * options[..., 0]

    assert fingerprint(Truth(score(1.0))) == fingerprint(Truth(score(1.0)))
    assert fingerprint(Truth(score(1.0))) != fingerprint(Truth(score(2.0)))  # what the code closes over
    assert fingerprint(Truth([1, 2])) == fingerprint(Truth(np.array([1.0, 2.0])))
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


def test_another_process_finds_the_same_fingerprint() -> None:
    code = (
        "from semiindex import *; from semiindex.simulation import *\n"
        "from semiindex.simulation.identity import fingerprint, stream_key\n"
        "value = [Truth(lambda o: o[..., 0] if len(o) in {1, 2, 'a', 'b'} else 0.0), KnownLinkPolicy(),\n"
        "         {'x', 'y', 'z'}, PolicyError((.1, .2))]\n"
        "print(fingerprint(value), stream_key('a', 3))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert said[0].split(maxsplit=1)[1].strip() == str(stream_key("a", 3))


def test_stream_keys_depend_on_every_name() -> None:
    keys = {stream_key("sample", "a", "b"), stream_key("sample", "ab", ""), stream_key("sample", "a", 1)}
    assert len(keys | {stream_key("sample", "a", "1")}) == 4
    assert all(0 <= word < 2**32 and len(key) == 4 for key in keys for word in key)


def test_what_cannot_be_described() -> None:
    with pytest.raises(InvalidParameterError, match="cannot be described"):
        describe(object())
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidParameterError, match="contains itself"):
        fingerprint(loop)
