"""The result of a fit as a frozen value that prints."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FitSummary"]

_WIDTH = 88


@dataclass(frozen=True)
class FitSummary:
    """Coefficients, normalisation and what was noticed in a fit.

    Attributes
    ----------
    estimator, link : str
        Name of the estimator, and the fitted link.
    feature_names : tuple of str
        Names of the features.
    coefficients : tuple of float
        Coefficients under the normalisation.
    normalization : str
        The normalisation in words.
    n_comparisons : float
        Sum of the weights.
    loss : float
        Final value of the training objective.
    converged : bool
        Whether the numerical method reached its tolerance.
    n_iter : int
        Steps that it took.
    notes : tuple of str
        Assumptions and peculiarities of the data.
    """

    estimator: str
    link: str
    feature_names: tuple[str, ...]
    coefficients: tuple[float, ...]
    normalization: str
    n_comparisons: float
    loss: float
    converged: bool
    n_iter: int
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Coefficients as a DataFrame indexed by feature."""
        import pandas as pd

        index = pd.Index(self.feature_names, name="feature")
        return pd.DataFrame({"coefficient": self.coefficients}, index=index)

    def __str__(self) -> str:
        width = max([len("feature"), *map(len, self.feature_names)])
        state = f"converged in {self.n_iter} steps" if self.converged else "NOT CONVERGED"
        lines = [
            f"{self.estimator}: {self.n_comparisons:g} comparisons, {len(self.coefficients)} features",
            f"Link: {self.link}",
            f"Training loss {self.loss:.6g}, {state}",
            "",
            f"{'feature':<{width}}  {'coefficient':>12}",
            "-" * (width + 14),
            *(
                f"{name:<{width}}  {value:>12.5g}"
                for name, value in zip(self.feature_names, self.coefficients, strict=True)
            ),
            "-" * (width + 14),
            f"Normalisation: {self.normalization}.",
            "Standard errors, tests and intervals: semiindex.infer(model, X, y).",
        ]
        for note in self.notes:
            lines += textwrap.wrap(f"Note: {note}", _WIDTH, subsequent_indent="      ")
        return "\n".join(lines)
