"""How results become one decision, and the sentence that says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from .limits import Verdict
from .policy import Policies, Policy
from .result import SESSION, CheckResult, Decision
from .wording import count

PARTIAL_RUN = "session:partial_run"

_WORST_FIRST = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.MISSING,
    Verdict.INCONCLUSIVE,
    Verdict.WARN,
    Verdict.WAIVED,
    Verdict.PASS,
)
_TO_REVIEW = frozenset({Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.WAIVED})


def decide(results: Iterable[CheckResult], policy: Policy | Policies | None = None) -> Decision:
    """Any blocking result blocks; else anything unclear asks for a review; else merge. No result at all blocks."""
    policy, results = policy or Policy(), tuple(results)
    if not results or any(policy.blocks(result) for result in results):
        return Decision.BLOCK
    verdicts = {result.verdict for result in results}
    return Decision.REVIEW if verdicts & _TO_REVIEW else Decision.MERGE


def worst_first(results: Iterable[CheckResult]) -> list[CheckResult]:
    """In the order that a reader needs them."""
    return sorted(results, key=lambda result: (_WORST_FIRST.index(result.verdict), result.model, result.id))


def sentence(decision: Decision, results: Sequence[CheckResult]) -> str:
    """The verdict as a sentence, before any symbol.

    It says "may merge" only where the decision lets the model through.
    """
    checks = [result for result in results if result.family != SESSION]
    tally = tally_words(checks)
    models = len({result.model for result in checks})
    who = "The challenger" if models < 2 else f"All {models} challengers"
    if decision is Decision.MERGE:
        return f"{who} may merge: {_all(len(checks))} passed."
    remarks = sum(result.verdict is Verdict.WARN for result in results) - sum(r.verdict is Verdict.WARN for r in checks)
    if decision is Decision.REVIEW:
        remark = f"; {count(remarks, 'remark')} on what was asked" if remarks else ""
        return f"{who} may merge after a review: {tally}{remark}."
    if any(result.id == PARTIAL_RUN for result in results):
        return "Partial run: not a gate. The merge is blocked until every check has run."
    troubles = len(results) - len(checks) - remarks
    ran = tally if checks else "no check has run"
    trouble = f"; {count(troubles, 'problem')} with the run itself" if troubles else ""
    return f"Merge blocked: {ran}{trouble}."


def tally_words(checks: Sequence[CheckResult]) -> str:
    """``1 FAIL and 2 PASS of 3 checks``, worst first."""
    tally = Counter(result.verdict for result in checks)
    parts = [f"{tally[verdict]:,} {verdict}" for verdict in _WORST_FIRST if tally[verdict]]
    listed = " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else "0 results"
    return f"{listed} of {count(len(checks), 'check')}"


def false_alarm_budget(results: Iterable[CheckResult]) -> float:
    """The chance, at most, that noise alone blocks a challenger which is exactly as good as the champion.

    Each comparison FAILs by chance with probability (1 - confidence) / 2 at most, and with twice that where harm has
    two directions; so do its slices together, and its guardrails together. The sum is the union bound. Checks that FAIL
    whatever is not shown have no such chance: see `must_show`.
    """
    return min(1.0, sum(_chances(result) * _tail(result) for result in results if not must_show(result)))


def must_show(result: CheckResult) -> bool:
    """Was it asked to be shown, so that what is not FAILs, an equal challenger as well?"""
    asked = result.details.get("asked", {})
    return bool(asked.get("proof") == "shown" or asked.get("require", "not_worse") != "not_worse")


def _chances(result: CheckResult) -> int:
    """How often noise alone may FAIL it. Of two groups, either may be the one that is served worse."""
    compares = result.estimate is not None and result.estimate.null is not None
    if result.family == "fairness":
        return 2 * compares
    corrected_together = {kind for part in result.parts for kind in ("slice", "margin") if kind in part.details}
    return compares + len(corrected_together)


def _tail(result: CheckResult) -> float:
    return (1 - result.estimate.confidence) / 2 if result.estimate else 0.0


def _all(n: int) -> str:
    return "its one check" if n == 1 else f"all {n} checks"
