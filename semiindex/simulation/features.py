"""Distributions of the features of options, as values.

The features of a menu of k options are drawn together, shape (k, d). What decides whether a wrong
link does harm is the distribution of *differences* of options: if it is elliptical and centred, the
direction of a logistic fit is consistent whatever the link (Brillinger 1983; Li & Duan 1989). Normal
and multivariate t differences are; skewed, binary and mixed ones are not.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError

__all__ = [
    "BinaryFeatures",
    "ConjointFeatures",
    "FeatureDistribution",
    "MixedFeatures",
    "NormalFeatures",
    "SkewedFeatures",
    "StudentFeatures",
]


class FeatureDistribution(ABC):
    """Joint distribution of the features of the options of a menu; a frozen, picklable value."""

    #: Options of a menu where a design does not say; None where it has to.
    menu_size: int | None = 2

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Number of features of an option, d."""

    @abstractmethod
    def draw(self, n_menus: int, menu_size: int, rng: np.random.Generator) -> FloatArray:
        """Features of independent menus, shape (n_menus, menu_size, d)."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, x0, x1, ... unless the distribution has better ones."""
        return tuple(f"x{j}" for j in range(self.n_features))


@dataclass(frozen=True)
class _PlainFeatures(FeatureDistribution):
    """A distribution with a stated number of features."""

    dimension: int

    def __post_init__(self) -> None:
        if int(self.dimension) != self.dimension or self.dimension < 1:
            raise InvalidParameterError(f"dimension must be an integer of at least 1, got {self.dimension!r}")

    @property
    def n_features(self) -> int:
        """Number of features of an option, d."""
        return self.dimension


@dataclass(frozen=True)
class NormalFeatures(_PlainFeatures):
    """Normal features of unit variance, equally correlated: differences are elliptical.

    Parameters
    ----------
    dimension : int
        Number of features, d.
    correlation : float, default=0.0
        Between any two features of an option, in [0, 1).

    Raises
    ------
    InvalidParameterError
        If a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import NormalFeatures
    >>> NormalFeatures(5).draw(100, 2, np.random.default_rng(0)).shape
    (100, 2, 5)
    """

    correlation: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.correlation < 1:
            raise InvalidParameterError(f"correlation must be in [0, 1), got {self.correlation}")

    def draw(self, n_menus: int, menu_size: int, rng: np.random.Generator) -> FloatArray:
        """Features of independent menus, shape (n_menus, menu_size, d)."""
        own = rng.standard_normal((n_menus, menu_size, self.dimension))
        if self.correlation == 0:
            return own
        common = rng.standard_normal((n_menus, menu_size, 1))
        return np.asarray(math.sqrt(1 - self.correlation) * own + math.sqrt(self.correlation) * common)


@dataclass(frozen=True)
class StudentFeatures(_PlainFeatures):
    """Heavy tails, but still elliptical: differences have a multivariate t distribution.

    The options of a menu share the chi-squared divisor; with one each, differences of options would
    not be elliptical.

    Parameters
    ----------
    dimension : int
        Number of features, d.
    degrees_of_freedom : float, default=5.0
        Of the t distribution, above 2; 5 has a kurtosis of 9. Features have unit variance.

    Raises
    ------
    InvalidParameterError
        If a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import StudentFeatures
    >>> options = StudentFeatures(3).draw(100_000, 2, np.random.default_rng(0))
    >>> bool(abs(options.std() - 1) < 0.02)
    True
    """

    degrees_of_freedom: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 < self.degrees_of_freedom < math.inf:
            raise InvalidParameterError(
                f"degrees_of_freedom must be above 2 (finite variance), got {self.degrees_of_freedom}"
            )

    def draw(self, n_menus: int, menu_size: int, rng: np.random.Generator) -> FloatArray:
        """Features of independent menus, shape (n_menus, menu_size, d)."""
        df = self.degrees_of_freedom
        normal = rng.standard_normal((n_menus, menu_size, self.dimension))
        divisor = np.sqrt(rng.chisquare(df, (n_menus, 1, 1)) / (df - 2))
        return np.asarray(normal / divisor)


@dataclass(frozen=True)
class SkewedFeatures(_PlainFeatures):
    """Independent skewed features: powers of exponential variables, of mean 0 and variance 1.

    Differences of two such options are symmetric but not elliptical: peaked, with heavy tails along
    the axes. That is enough for a wrong link to turn the direction.

    Parameters
    ----------
    dimension : int
        Number of features, d.
    power : float, default=1.5
        Exponent of the exponential variable, in (0, 4]; 1.5 has a skewness of 3.80.

    Raises
    ------
    InvalidParameterError
        If a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import SkewedFeatures
    >>> options = SkewedFeatures(2).draw(100_000, 2, np.random.default_rng(0))
    >>> bool(abs(options.mean()) < 0.02)
    True
    """

    power: float = 1.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.power <= 4:
            raise InvalidParameterError(f"power must be in (0, 4], got {self.power}")

    def draw(self, n_menus: int, menu_size: int, rng: np.random.Generator) -> FloatArray:
        """Features of independent menus, shape (n_menus, menu_size, d)."""
        mean = math.gamma(1 + self.power)
        deviation = math.sqrt(math.gamma(1 + 2 * self.power) - mean**2)
        raw = rng.standard_exponential((n_menus, menu_size, self.dimension)) ** self.power
        return np.asarray((raw - mean) / deviation)


@dataclass(frozen=True)
class BinaryFeatures(_PlainFeatures):
    """Independent flags, 0 or 1, most of them 0.

    With flags alone the coefficients are identified only up to the order of the finitely many
    differences; the score of more flags than a few is nearly continuous.

    Parameters
    ----------
    dimension : int
        Number of features, d.
    rate : float, default=0.15
        Probability of a 1, in (0, 1).

    Raises
    ------
    InvalidParameterError
        If a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import BinaryFeatures
    >>> options = BinaryFeatures(4).draw(10, 2, np.random.default_rng(0))
    >>> np.unique(options).tolist()
    [0.0, 1.0]
    """

    rate: float = 0.15

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.rate < 1:
            raise InvalidParameterError(f"rate must be in (0, 1), got {self.rate}")

    def draw(self, n_menus: int, menu_size: int, rng: np.random.Generator) -> FloatArray:
        """Features of independent menus, shape (n_menus, menu_size, d)."""
        return (rng.random((n_menus, menu_size, self.dimension)) < self.rate).astype(np.float64)


@dataclass(frozen=True)
class MixedFeatures(_PlainFeatures):
    """Normal, rare binary and skewed features in turn, with uncentred differences.

    Feature j of the difference "another option minus the first" is N(0, 1) where ``j mod 3 = 0``,
    ``Bern(.15) - Bern(.15)`` where it is 1, and ``E^1.5 - E'`` where it is 2 (E, E' exponential): the
    first option of a menu has E' there, the others E^1.5. Compare the options in the order in which
    they stand (`AsOffered`) to keep the asymmetry.

    Parameters
    ----------
    dimension : int
        Number of features, d.

    Raises
    ------
    InvalidParameterError
        If the number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import MixedFeatures
    >>> options = MixedFeatures(3).draw(100_000, 2, np.random.default_rng(0))
    >>> differences = options[:, 1] - options[:, 0]
    >>> bool(np.all(np.abs(differences.mean(axis=0) - [0, 0, 0.329]) < 0.02))
    True
    """

    #: Probability of a 1 in the binary columns, and exponent of the skewed ones.
    RATE: ClassVar[float] = 0.15
    POWER: ClassVar[float] = 1.5

    def draw(self, n_menus: int, menu_size: int, rng: np.random.Generator) -> FloatArray:
        """Features of independent menus, shape (n_menus, menu_size, d)."""
        options = rng.standard_normal((n_menus, menu_size, self.dimension)) * math.sqrt(0.5)
        binary, skewed = options[..., 1::3], options[..., 2::3]  # views
        binary[...] = rng.random(binary.shape) < self.RATE
        skewed[...] = rng.standard_exponential(skewed.shape)
        skewed[:, 1:] **= self.POWER
        return options


@dataclass(frozen=True)
class ConjointFeatures(FeatureDistribution):
    """Attributes of a conjoint study: ordinal levels, lognormal prices and rare flags.

    Every column is divided by its standard deviation (prices are centred too), so that the
    coefficients of a score compare. A design with teeth: differences are far from elliptical, and
    where rare flags weigh much, as in the score ``(1, -1, 1, -1, -1, -1, 2, 2, 2)``, a logistic fit is
    off by 20 degrees and more under lapses and flips, however large the sample.

    Parameters
    ----------
    n_ordinal, n_prices, n_flags : int, default=3
        Number of columns of each kind, in this order.
    n_levels : int, default=4
        Levels of an ordinal attribute, equally likely and equally spaced.
    price_sigma : float, default=0.8
        Standard deviation of the logarithm of a price.
    flag_rate : float, default=0.02
        Probability of a flag.

    Raises
    ------
    InvalidParameterError
        If a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import ConjointFeatures
    >>> design = ConjointFeatures()
    >>> design.n_features, design.feature_names[3]
    (9, 'price0')
    >>> design.draw(10, 4, np.random.default_rng(0)).shape
    (10, 4, 9)
    """

    n_ordinal: int = 3
    n_prices: int = 3
    n_flags: int = 3
    n_levels: int = 4
    price_sigma: float = 0.8
    flag_rate: float = 0.02

    def __post_init__(self) -> None:
        counts = (self.n_ordinal, self.n_prices, self.n_flags)
        if min(counts) < 0 or sum(counts) == 0:
            raise InvalidParameterError(
                f"n_ordinal, n_prices and n_flags must be at least 0, and one of them positive, got {counts}"
            )
        if self.n_levels < 2:
            raise InvalidParameterError(f"n_levels must be at least 2, got {self.n_levels}")
        if not 0 < self.price_sigma < 3:
            raise InvalidParameterError(f"price_sigma must be in (0, 3), got {self.price_sigma}")
        if not 0 < self.flag_rate < 1:
            raise InvalidParameterError(f"flag_rate must be in (0, 1), got {self.flag_rate}")

    @property
    def n_features(self) -> int:
        """Number of features of an option, d."""
        return self.n_ordinal + self.n_prices + self.n_flags

    @property
    def feature_names(self) -> tuple[str, ...]:
        """ordinal0, ..., price0, ..., flag0, ..."""
        kinds = {"ordinal": self.n_ordinal, "price": self.n_prices, "flag": self.n_flags}
        return tuple(f"{kind}{j}" for kind, count in kinds.items() for j in range(count))

    def draw(self, n_menus: int, menu_size: int, rng: np.random.Generator) -> FloatArray:
        """Features of independent menus, shape (n_menus, menu_size, d)."""
        rows = (n_menus, menu_size)
        levels = rng.integers(self.n_levels, size=(*rows, self.n_ordinal))
        prices = rng.lognormal(0.0, self.price_sigma, (*rows, self.n_prices))
        flags = rng.random((*rows, self.n_flags)) < self.flag_rate
        variance = self.price_sigma**2
        price_mean = math.exp(variance / 2)
        price_deviation = price_mean * math.sqrt(math.expm1(variance))
        return np.concatenate(
            [
                levels / math.sqrt((self.n_levels**2 - 1) / 12),
                (prices - price_mean) / price_deviation,
                flags / math.sqrt(self.flag_rate * (1 - self.flag_rate)),
            ],
            axis=2,
        )
