"""`ComparisonDesign`: which options there are, and which two of them are compared."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from semiindex._types import FloatArray, IntArray
from semiindex.data import PreferencePairs
from semiindex.exceptions import InvalidParameterError
from semiindex.simulation.features import FeatureDistribution
from semiindex.simulation.raters import Raters
from semiindex.simulation.sample import Evaluation, Sample
from semiindex.simulation.sampling import MenuDraw, PairSampling, UniformPairs
from semiindex.simulation.truth import Truth

__all__ = ["ComparisonDesign"]

_INDEPENDENT = Raters()


@dataclass(frozen=True)
class ComparisonDesign:
    """Options on offer, and which two of a menu are compared.

    Parameters
    ----------
    features : FeatureDistribution
        Distribution of the features of the options of a menu.
    menu_size : int, optional
        Options of a menu, at least 2. Default: that of `features`, which is 2, or all actions of a
        contextual design. Policies are evaluated on menus of this size.
    sampling : PairSampling, default=UniformPairs()
        Which two options of a menu are compared.

    Raises
    ------
    InvalidParameterError
        If an argument is of the wrong kind, or menus have fewer than two options.

    Examples
    --------
    >>> import numpy as np
    >>> from semiindex.simulation import ComparisonDesign, NormalFeatures, Truth
    >>> design = ComparisonDesign(NormalFeatures(5), menu_size=4)
    >>> sample = design.sample(Truth(link="probit"), 500, np.random.default_rng(0))
    >>> sample.pairs.shape
    (500, 5)
    """

    features: FeatureDistribution
    menu_size: int | None = None
    sampling: PairSampling = field(default_factory=UniformPairs)

    def __post_init__(self) -> None:
        if not isinstance(self.features, FeatureDistribution):
            raise InvalidParameterError(
                f"features must be a FeatureDistribution such as NormalFeatures(5), got {self.features!r}"
            )
        if not isinstance(self.sampling, PairSampling):
            raise InvalidParameterError(
                f"sampling must be a PairSampling such as UniformPairs(), got {self.sampling!r}"
            )
        size = self.features.menu_size if self.menu_size is None else self.menu_size
        if size is None or int(size) != size or size < 2:
            raise InvalidParameterError(f"menu_size must be an integer of at least 2, got {size!r}")
        object.__setattr__(self, "menu_size", int(size))

    @property
    def n_features(self) -> int:
        """Number of features of an option, d."""
        return self.features.n_features

    def menus(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Features of `n` independent menus, shape (n, menu_size, d)."""
        return self.features.draw(n, self._size, rng)

    @property
    def _size(self) -> int:
        return int(self.menu_size or 0)  # __post_init__ made it a number

    def sample(self, truth: Truth, n: int, rng: np.random.Generator) -> Sample:
        """Draw comparisons and their labels.

        Parameters
        ----------
        truth : Truth
            How the labels come about.
        n : int
            Number of comparisons.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        Sample
        """
        raters = truth.raters or _INDEPENDENT
        identity = raters.identities(n)
        rater_class = raters.draw_classes(identity, rng)
        options = self.menus(n, rng)
        if raters.own_menus:
            own = self.menus(int(identity[-1]) + 1, rng)[identity]
            options = raters.draw_menus(options, own, rng)
        uniforms = raters.draw_uniforms(identity, rng)
        scores = truth.option_scores(options)

        def answer(rows: IntArray, first: IntArray, second: IntArray) -> IntArray:
            t = scores[rows, second] - scores[rows, first]
            known = None if rater_class is None else rater_class[rows]
            return (uniforms[rows] < truth.probability_of_index(t, known)).astype(np.int8)

        menus = MenuDraw(options, scores, truth.reference_probabilities(options), answer)
        first, second = self.sampling.choose(menus, rng)
        rows = np.arange(n)
        t = scores[rows, second] - scores[rows, first]
        probability = truth.probability_of_index(t, rater_class)
        pairs = PreferencePairs(
            options[rows, first],
            options[rows, second],
            uniforms < probability,  # what `answer` says of these options
            groups=identity if truth.raters is not None else None,
            link_groups=rater_class,
            feature_names=self.features.feature_names,
        )
        return Sample(pairs, t, probability, truth)

    def evaluation(self, truth: Truth, n: int, rng: np.random.Generator) -> Evaluation:
        """Fresh menus and comparisons on which fits are judged.

        Parameters
        ----------
        truth : Truth
            How preferences come about.
        n : int
            Number of menus, and of comparisons, one in each.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        Evaluation
            With comparisons chosen as in a sample, but without answers where sampling is active.
        """
        options = self.menus(n, rng)
        scores, reference = truth.option_scores(options), truth.reference_probabilities(options)
        menus = MenuDraw(options, scores, reference, _no_answers)
        first, second = self.sampling.without_answers.choose(menus, rng)
        return Evaluation(options, scores, reference, first, second, truth, self.features.feature_names)


def _no_answers(rows: IntArray, first: IntArray, second: IntArray) -> IntArray:
    raise InvalidParameterError(
        "this sampling strategy looks at answers, of which an evaluation has none; define its "
        "`without_answers`"
    )
