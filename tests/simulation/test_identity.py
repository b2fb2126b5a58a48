"""Descriptions and fingerprints: equal for equal definitions in any process, and for no others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

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


USERS_MODULE = """
from __future__ import annotations
import functools
from dataclasses import dataclass, field
import numpy as np
from semiindex import KnownLinkPolicy
from semiindex.link import ShiftedMixtureLink

RIDGE = 0.5
NAMES = ("a", "b")
WEIGHTS = np.array([1.0, 2.0])
LINK = ShiftedMixtureLink(1.5, 0.25)
BASE = KnownLinkPolicy(ridge=0.5)
STORE = {}
SEEN = []
CALLS = 0

def factor(x):
    return 2 * x

@functools.lru_cache
def kept(x):
    return 3 * x

def even(x):
    return x == 0 or odd(x - 1)

def odd(x):
    return x != 0 and even(x - 1)

class Parent:
    SHIFT = 1.0

    @staticmethod
    def shifted(x):
        return x + Parent.SHIFT

@dataclass
class Score(Parent):
    power: int = 2
    seen: list = field(default_factory=list)

    @property
    def scale(self):
        return 7.0

    def __call__(self, options):
        return self.shifted(options[..., 0]) ** self.power * self.scale

def make(truth):
    global CALLS
    CALLS += 1
    SEEN.append(truth)
    STORE[truth] = CALLS
    inner = lambda x: factor(x) + kept(RIDGE) + WEIGHTS[0]
    return NAMES, LINK, BASE, inner, even(4), Score
"""


def users_module(changed: str = "", to: str = "") -> dict[str, Any]:
    """Names of a module that the user wrote, with one change."""
    assert USERS_MODULE.count(changed) == 1 or not changed
    names: dict[str, Any] = {"__name__": __name__}
    exec(USERS_MODULE.replace(changed, to) if changed else USERS_MODULE, names)
    return names


@pytest.mark.parametrize(
    ("changed", "to", "score_too"),
    [
        ("RIDGE = 0.5", "RIDGE = 0.6", False),
        ('("a", "b")', '("a", "c")', False),
        ("[1.0, 2.0]", "[1.0, 2.5]", False),
        ("ShiftedMixtureLink(1.5, 0.25)", "ShiftedMixtureLink(1.0, 0.25)", False),
        ("BASE = KnownLinkPolicy(ridge=0.5)", "BASE = KnownLinkPolicy(ridge=0.6)", False),
        ("return 2 * x", "return 4 * x", False),
        ("return 3 * x", "return 4 * x", False),
        ("x != 0 and even(x - 1)", "x != 0 and even(x - 3)", False),
        ("SHIFT = 1.0", "SHIFT = 2.0", True),
        ("return x + Parent.SHIFT", "return x - Parent.SHIFT", True),
        ("return 7.0", "return 8.0", True),
        ("** self.power * self.scale", "** self.power / self.scale", True),
        ("class Score(Parent)", "class Score(Parent, dict)", True),
    ],
)
def test_code_and_constants_of_the_user_count(changed: str, to: str, score_too: bool) -> None:
    """Those of what is called, inherited from or closed over, however far away."""
    old, new = users_module(), users_module(changed, to)
    assert fingerprint(old["make"]) != fingerprint(new["make"])
    if "dict" not in to:
        assert (fingerprint(old["Score"]()) != fingerprint(new["Score"]())) == score_too
    assert (fingerprint(old["Score"]) != fingerprint(new["Score"])) == score_too


def test_what_runs_leave_behind_does_not_count() -> None:
    """Stores that functions fill, counts of calls: a study must find its own cache again."""
    names = users_module()
    before = fingerprint([names["make"], names["Score"]()])
    other = users_module()
    assert before == fingerprint([other["make"], other["Score"]()])
    assert before == fingerprint([names["make"], other["Score"]()])  # the same, defined twice
    names["make"](Truth)
    assert (names["CALLS"], names["SEEN"], names["STORE"]) == (1, [Truth], {Truth: 1})
    assert fingerprint([names["make"], names["Score"]()]) == before


def test_functions_in_circles_are_described() -> None:
    def count(n: int) -> int:
        return 0 if n == 0 else 1 + count(n - 1)

    assert fingerprint(count) == fingerprint(count)
    names = users_module()
    assert fingerprint(names["even"]) == fingerprint(users_module()["even"])


def test_functions_that_change_places_are_another_definition() -> None:
    source = "{} = lambda x: 2 * x\n{} = lambda x: 3 * x\ndef f(x): return A(B(x) + 1)"
    prints = []
    for order in (("A", "B"), ("B", "A")):
        names: dict[str, Any] = {"__name__": __name__}
        exec(source.format(*order), names)
        prints.append(fingerprint(names["f"]))
    assert prints[0] != prints[1]


def test_installed_code_is_known_by_name() -> None:
    """What a library defines is described by its name and parameters; its version is the user's business."""
    assert '"code": []' in json.dumps(describe([KnownLinkPolicy(), LogisticRegression(), np.sum, Truth()]))


def test_what_cannot_be_described() -> None:
    with pytest.raises(InvalidParameterError, match="cannot be described"):
        describe(object())
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidParameterError, match="contains itself"):
        fingerprint(loop)
