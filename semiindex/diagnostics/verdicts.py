"""The answers on top of a diagnosis: whether the direction, the link and the policy may be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from semiindex.diagnostics.findings import VERDICTS, Finding, Question, Verdict

__all__ = ["ENOUGH_BLOCKS", "Answer", "answers"]

#: Every question in words, and without which diagnostics a "yes" would be a guess.
_QUESTIONS: dict[Question, tuple[str, tuple[str, ...]]] = {
    "direction": ("May I trust how the features are weighed?", ("identification", "index")),
    "link": ("May I trust the probabilities?", ("antisymmetry", "monotonicity", "link")),
    "policy": ("May I trust the policy?", ("policy_error",)),
}
_YES: dict[Question, str] = {
    "direction": "nothing that was looked at speaks against it",
    "link": "nothing that was looked at speaks against them",
    "policy": "it is close to the best one that these features allow",
}
#: Findings that an answer names.
_NAMED = 2
#: Independent comparisons, or raters, below which nothing that is found can mean "yes".
ENOUGH_BLOCKS = 50


@dataclass(frozen=True)
class Answer:
    """Answer to one question.

    Attributes
    ----------
    question : {"direction", "link", "policy"}
        Which.
    verdict : {"yes", "not examined", "with care", "no"}
        May it be trusted?
    because : str
        Why, as a clause.
    """

    question: Question
    verdict: Verdict
    because: str

    @property
    def asked(self) -> str:
        """The question in words."""
        return _QUESTIONS[self.question][0]

    @property
    def sentence(self) -> str:
        """Verdict and reason."""
        return f"{self.verdict[0].upper()}{self.verdict[1:]}: {self.because.rstrip('.')}."


def answers(
    findings: Sequence[tuple[str, Finding]], skipped: Mapping[str, str], n_blocks: int
) -> tuple[Answer, ...]:
    """Answer every question by the worst that was found.

    Parameters
    ----------
    findings : sequence of (key, Finding)
        What ran, the most pressing first.
    skipped : mapping of key to reason
        What did not, though it could have said something.
    n_blocks : int
        Independent comparisons, or raters.

    Returns
    -------
    tuple of Answer
        Direction, link, policy. A policy is at best as good as the direction that it follows.
    """
    found: list[Answer] = []
    for question in get_args(Question):
        answer = _answer(question, [finding for _, finding in findings], skipped, n_blocks)
        found.append(_inherited(answer, found[0]) if question == "policy" else answer)
    return tuple(found)


def _answer(
    question: Question, findings: Iterable[Finding], skipped: Mapping[str, str], n_blocks: int
) -> Answer:
    said = [(finding.bears[question], finding.clause) for finding in findings if question in finding.bears]
    verdicts: list[Verdict] = [verdict for verdict, _ in said]
    worst = max(verdicts, key=VERDICTS.index, default=VERDICTS[0])
    if worst != "yes":
        clauses = [clause for verdict, clause in said if verdict == worst][:_NAMED]
        return Answer(question, worst, "; ".join(clauses))
    missing = [key for key in _QUESTIONS[question][1] if key in skipped]
    if missing:
        return Answer(question, "not examined", skipped[missing[0]])
    if n_blocks < ENOUGH_BLOCKS:
        few = f"{n_blocks} independent raters or comparisons show little (fewer than {ENOUGH_BLOCKS})"
        return Answer(question, "with care", f"nothing that was looked at speaks against it, but {few}")
    return Answer(question, "yes", _YES[question])


def _inherited(policy: Answer, direction: Answer) -> Answer:
    """The verdict on a policy, no better than that on the direction."""
    if VERDICTS.index(direction.verdict) <= VERDICTS.index(policy.verdict):
        return policy
    if direction.verdict == "not examined":
        return Answer("policy", "not examined", "nor was the weighing of the features that it follows")
    besides = "; how far it is from the best one was not examined" if policy.verdict == "not examined" else ""
    return Answer("policy", direction.verdict, f"it follows the weighing of the features{besides}")
