"""From a column of answers to votes: how much weight each option of a comparison received."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from semiindex._types import AnyArray, FloatArray
from semiindex.data.tables import (
    require_columns,
    require_complete,
    require_option,
    shown,
    warn_about_data,
)
from semiindex.exceptions import InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Ties", "Votes", "equal_to", "read_shares", "require_one_answer", "votes_from_labels"]

Ties: TypeAlias = Literal["half", "drop", "error"]


@dataclass(frozen=True, eq=False)
class Votes:
    """Weight in favour of each option, one entry per comparison.

    A plain answer is (0, 1) or (1, 0), a tie (1/2, 1/2), k wins of n (k, n - k). A comparison with
    no vote at all yields no row.
    """

    for1: FloatArray
    for0: FloatArray

    @property
    def plain(self) -> bool:
        """Whether every comparison that counts has one vote for one option."""
        return bool(np.isin(self.for1, (0, 1)).all() and np.isin(self.for0, (0, 1)).all()) and not bool(
            np.any((self.for1 > 0) & (self.for0 > 0))
        )


def votes_from_labels(prefers1: AnyArray, tied: AnyArray, ties: str) -> Votes:
    """Votes from who was preferred, and from which comparisons were ties.

    Ties are two half votes, dropped with a warning that says how many, or an error.
    """
    require_option(ties, ("half", "drop", "error"), "ties")
    n_tied = int(tied.sum())
    if n_tied and ties == "error":
        raise InvalidDataError(
            f"{n_tied} of {len(tied)} comparisons are ties, first in comparison {int(np.argmax(tied))}: "
            "use ties='half' (two rows of half weight) or ties='drop'."
        )
    if n_tied == len(tied) and ties == "drop":
        raise InvalidDataError("All comparisons are ties, so that ties='drop' leaves none: use ties='half'.")
    if n_tied and ties == "drop":
        warn_about_data(
            f"{n_tied} of {len(tied)} comparisons are ties and were dropped, as ties='drop' asks."
        )
    each = 0.5 if ties == "half" else 0.0
    return Votes(np.where(tied, each, prefers1 * 1.0), np.where(tied, each, 1.0 - prefers1))


def votes_from_choice(frame: pd.DataFrame, choice: Any, positive: Any, tie_value: Any, ties: str) -> Votes:
    """Votes from a column with an answer per row: 0/1, booleans, or two values of which one is named."""
    values = frame[choice]
    tied = equal_to(values, tie_value)
    answers = values[~tied]
    require_complete(answers.to_frame(), [choice])
    kinds = list(answers.unique())
    if positive is None:
        _require_binary(kinds, choice)
        prefers1 = equal_to(values, 1)
    else:
        if len(set(kinds) | {positive}) > 2:
            raise InvalidDataError(
                f"choice={choice!r} must hold two values, positive={positive!r} and one other, but holds "
                f"{shown(kinds)}: correct positive=, or name the value of ties with tie_value=."
            )
        prefers1 = equal_to(values, positive)
    return votes_from_labels(prefers1, tied, ties)


def _require_binary(kinds: list[Any], choice: Any) -> None:
    if all(isinstance(kind, bool | int | float | np.number | np.bool_) and kind in (0, 1) for kind in kinds):
        return
    if len(kinds) == 2:
        advice = f"name the value that means option 1, for example positive={kinds[1]!r}"
    else:
        advice = "name the value of ties with tie_value=, or pass probabilities as probability="
    raise InvalidDataError(
        f"choice={choice!r} must hold 0/1 or booleans, but holds {len(kinds)} kind(s) of values, "
        f"{shown(kinds)}: {advice}."
    )


def equal_to(values: pd.Series[Any], target: Any) -> AnyArray:
    """Where a column equals `target`; a target of NaN or pandas.NA finds missing values."""
    if target is None:
        return np.zeros(len(values), dtype=bool)
    if type(target).__name__ == "NAType" or target != target:
        return values.isna().to_numpy()
    return np.asarray((values.astype(object) == target).to_numpy(), dtype=bool)


def require_one_answer(answers: Mapping[str, Any]) -> None:
    """Exactly one kind of answer is named: a column of choices, of probabilities, or of counts."""
    if (answers["wins"] is None) != (answers["trials"] is None):
        raise InvalidParameterError("wins= and trials= belong together: give both columns, or neither.")
    kinds = [name for name in answers if name != "trials"]
    given = [name for name in kinds if answers[name] is not None]
    if len(given) != 1:
        raise InvalidParameterError(
            f"Name exactly one kind of answer, {kinds[0]}=, probability= or wins= with trials= (given: "
            f"{shown([f'{name}=' for name in given]) if given else 'none'})."
        )


def read_shares(frame: pd.DataFrame, probability: Any, wins: Any, trials: Any) -> Votes | None:
    """Votes from soft labels (`probability`) or from counts (`wins` of `trials`), None if not given."""
    if probability is not None:
        share = _numbers(frame, probability, "probability")
        _require_range(share, 0.0, np.ones_like(share), f"probability={probability!r}", "between 0 and 1")
        return Votes(share, 1.0 - share)
    if wins is None:
        return None
    won, played = _numbers(frame, wins, "wins"), _numbers(frame, trials, "trials")
    _require_range(won, 0.0, played, f"wins={wins!r}", f"between 0 and trials={trials!r}")
    unplayed = int(np.sum(played == 0))
    if unplayed == len(played):
        raise InvalidDataError(f"trials={trials!r} is zero in every row: no comparison took place.")
    if unplayed:
        warn_about_data(
            f"{unplayed} of {len(played)} rows have trials={trials!r} equal to 0 and yield no pairs."
        )
    return Votes(won, played - won)


def _numbers(frame: pd.DataFrame, column: Any, argument: str) -> FloatArray:
    require_columns(frame, {argument: column})
    require_complete(frame, [column])
    try:
        return np.asarray(frame[column].to_numpy(dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"{argument}={column!r} must be numeric: {error}.") from error


def _require_range(values: FloatArray, low: float, high: FloatArray, what: str, where: str) -> None:
    inside = (values >= low) & (values <= high) & np.isfinite(high)
    if not inside.all():
        row = int(np.argmin(inside))
        raise InvalidDataError(
            f"{what} must lie {where}, but is {values[row]:g} first in row {row}: correct it."
        )
