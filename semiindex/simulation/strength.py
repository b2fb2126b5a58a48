"""Signal strength: how far from a coin flip the answers are, and the scale that brings it about."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from semiindex._types import FloatArray
from semiindex.exceptions import InvalidParameterError
from semiindex.simulation.design import ComparisonDesign
from semiindex.simulation.truth import Truth

__all__ = ["scaled_to_strength", "signal_strength"]

#: Comparisons and seed of the sample in which strength is computed.
_SAMPLE_SIZE = 100_000
_SEED = 20_251_217
#: Factors of an index of unit root mean square among which the solution is looked for.
_LOG_FACTORS = np.linspace(np.log(1e4), np.log(1e-4), 17)


def signal_strength(truth: Truth, design: ComparisonDesign) -> float:
    """``E |Psi(t) - 1/2|`` of a truth on a design.

    Parameters
    ----------
    truth : Truth
        How preferences come about; of several classes of raters the average link counts.
    design : ComparisonDesign
        Which options are compared. A strategy that looks at answers counts as what it does before
        there are any.

    Returns
    -------
    float
        In [0, 1/2], see :eq:`signal-strength`. Average over a fixed sample of 100,000 comparisons: its
        standard error is below 0.0008, whatever the truth (a variable in [0, 1/2] has a standard deviation
        of at most 1/4).

    Examples
    --------
    >>> from semiindex.simulation import ComparisonDesign, NormalFeatures, Truth, signal_strength
    >>> round(signal_strength(Truth([1.0]), ComparisonDesign(NormalFeatures(1))), 2)
    0.23
    """
    return _strength(truth, _index_sample(truth, design))


def scaled_to_strength(truth: Truth, design: ComparisonDesign, strength: float = 0.25) -> Truth:
    """The truth with the scale of its links chosen for a signal strength.

    Links differ in how steep they are; at a common strength their severities compare. The scale of
    the links changes, not the score, whose units policies and regrets keep.

    Parameters
    ----------
    truth : Truth
        How preferences come about.
    design : ComparisonDesign
        Which options are compared.
    strength : float, default=0.25
        ``E |Psi(t) - 1/2|``, in (0, 1/2). At 1/4 the more probable answer is given in three of four
        comparisons: half way between a coin flip and certainty.

    Returns
    -------
    Truth
        Of this strength in the sample of `signal_strength` to 1e-10; in the population up to the
        standard error stated there.

    Raises
    ------
    InvalidParameterError
        If no scale brings the strength about (lapses and flips bound it), or the score does not vary.

    Notes
    -----
    The links of an asymmetric truth need not have a monotone strength; the largest scale that brings
    it about is taken.

    Examples
    --------
    >>> from semiindex.simulation import (
    ...     ComparisonDesign, NormalFeatures, Truth, link_at_severity, scaled_to_strength, signal_strength
    ... )
    >>> design = ComparisonDesign(NormalFeatures(5))
    >>> truth = scaled_to_strength(Truth(link=link_at_severity("flips", 0.5)), design)
    >>> round(signal_strength(truth, design), 6)
    0.25
    """
    if not 0 < strength < 0.5:
        raise InvalidParameterError(f"strength must be in (0, 1/2), got {strength}")
    t = _index_sample(truth, design)
    rms = float(np.sqrt(np.mean(t**2)))
    if not (np.isfinite(rms) and rms > 0):
        raise InvalidParameterError("the score of the truth does not vary, or is not finite, on this design")

    def excess(log_factor: float) -> float:
        return _strength(truth.rescaled(np.exp(log_factor) / rms), t) - strength

    # From the steep side: where the strength is not monotone in the scale, the steepest solution.
    values: list[float] = []
    for x in _LOG_FACTORS:
        values.append(excess(x))
        if values[-1] < 0 < max(values):
            break
    else:
        raise InvalidParameterError(
            f"strength={strength} is not attainable: over all scales of its links this truth has between "
            f"{min(values) + strength:.3g} and {max(values) + strength:.3g} on this design (lapses, flips "
            "and ties bound it from above, asymmetry from below); choose another strength or a smaller "
            "severity"
        )
    lower, upper = _LOG_FACTORS[len(values) - 1], _LOG_FACTORS[len(values) - 2]
    root = brentq(excess, lower, upper, xtol=1e-12, rtol=1e-12)
    return truth.rescaled(float(np.exp(root)) / rms)


def _index_sample(truth: Truth, design: ComparisonDesign) -> FloatArray:
    return design.evaluation(truth, _SAMPLE_SIZE, np.random.default_rng(_SEED)).index


def _strength(truth: Truth, t: FloatArray) -> float:
    return float(np.mean(np.abs(truth.probability_of_index(t) - 0.5)))
