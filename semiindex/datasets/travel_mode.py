"""Travel mode choice between Australian cities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.utils import Bunch

from semiindex.data import PreferencePairs
from semiindex.datasets.installed import as_bunch

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_travel_mode"]

_MODES = {4: "car", 1: "air", 2: "train", 3: "bus"}

_FORMULA = "mode + ttme + invc + invt + air:hinc"

_DESCRIPTION = """\
Travel mode choice
==================

210 travellers on non-business trips between Sydney, Canberra and Melbourne, 1987. Each chose one of
four modes: air, train, bus or car. One row of the table is one mode of one traveller (840 rows).

individual  traveller, 1 to 210
mode        air, train, bus or car
choice      1 for the chosen mode
ttme        waiting time in the terminal, minutes; 0 for the car
invc        cost of the whole trip in the vehicle, dollars
invt        time of the whole trip in the vehicle, minutes
gc          generalised cost, dollars: invc and invt times a value of time
hinc        income of the household, 1000 dollars
psize       number of people travelling together

The pairs set the chosen mode against each of the three others (630 pairs, a unit and a group per
traveller). Features: a constant for each mode except the car, ttme, invc, invt, and hinc for air
(air:hinc). gc is left out because it is made of invc and invt.

The sample is choice-based: travellers by air, train and bus were sampled more often, and travellers
by car less often, than they occur. In a logit model that shifts the constants of the modes and nothing
else; under another link it may reach further."""

_SOURCE = """\
Greene, W. H. and Hensher, D. A. (1997), multinomial logit and discrete choice models, in: Greene, W. H.,
LIMDEP user's manual, version 7.0; table F18-2 of Greene, W. H. (2011), Econometric Analysis, 7th edition.
Read from statsmodels.datasets.modechoice."""

_TERMS = "Public domain, as stated by statsmodels.datasets.modechoice."


def load_travel_mode() -> Bunch:
    """Travel mode choice of 210 people among air, train, bus and car, as 630 pairs.

    Nothing is downloaded: statsmodels, which the library requires, brings the table. A choice among
    four is encoded as three pairs, which assumes independence of irrelevant alternatives; the pairs
    carry that sentence.

    Returns
    -------
    Bunch
        With the entries

        pairs : PreferencePairs of shape (630, 7)
            The chosen mode against each other one. `units` and `groups` are travellers. Features:
            `mode[T.air]`, `mode[T.train]`, `mode[T.bus]` (constants against the car), `ttme` and
            `invt` in minutes, `invc` in dollars, `air:hinc` in 1000 dollars.
        frame : DataFrame of shape (840, 10)
            The table of statsmodels with names for the modes and the indicator `air`.
        feature_names : list of str
            Names of the features.
        DESCR, source, license, package : str
            Full description, citation, terms, and the package that brought the table.

    Examples
    --------
    >>> from semiindex.datasets import load_travel_mode
    >>> load_travel_mode().pairs.shape
    (630, 7)
    """
    frame = _read()
    pairs = PreferencePairs.from_choice_sets(
        frame, set="individual", chosen="choice", group="individual", formula=_FORMULA
    )
    return as_bunch(
        pairs, frame, description=_DESCRIPTION, source=_SOURCE, terms=_TERMS, package="statsmodels"
    )


def _read() -> pd.DataFrame:
    import pandas as pd
    from statsmodels.datasets import modechoice

    frame: pd.DataFrame = modechoice.load_pandas().data.astype(
        {"individual": int, "mode": int, "choice": int}
    )
    frame["mode"] = pd.Categorical(frame["mode"].map(_MODES), categories=list(_MODES.values()))
    return frame.assign(air=(frame["mode"] == "air").astype(float))
