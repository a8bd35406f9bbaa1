"""Results become one decision, and a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops import CheckResult, Decision, Estimate, Policy, Verdict
from pytest_mlops.verdict.decision import PARTIAL_RUN, decide, false_alarm_budget, sentence, worst_first

STRICT = Policy(block_inconclusive=True, block_warn=True)


def answer(verdict: str, *, id: str = "a:b", family: str = "a", estimate: Estimate | None = None) -> CheckResult:  # noqa: A002
    return CheckResult(id=id, model="m", family=family, verdict=Verdict(verdict), message="", estimate=estimate)


def answers(*verdicts: str) -> list[CheckResult]:
    return [answer(verdict, id=f"a:{place}") for place, verdict in enumerate(verdicts)]


@pytest.mark.parametrize(
    ("verdicts", "policy", "decision"),
    [
        ([], None, "block"),
        (["PASS"], None, "merge"),
        (["PASS", "WARN"], None, "review"),
        (["PASS", "INCONCLUSIVE"], None, "review"),
        (["PASS", "WAIVED"], None, "review"),
        (["PASS", "FAIL"], None, "block"),
        (["PASS", "ERROR"], None, "block"),
        (["PASS", "MISSING"], None, "block"),
        (["WARN", "FAIL", "WAIVED"], None, "block"),
        ([], STRICT, "block"),
        (["PASS"], STRICT, "merge"),
        (["PASS", "WARN"], STRICT, "block"),
        (["PASS", "INCONCLUSIVE"], STRICT, "block"),
        (["PASS", "WAIVED"], STRICT, "review"),
        (["WARN"], Policy(block_inconclusive=True), "review"),
        (["INCONCLUSIVE"], Policy(block_warn=True), "review"),
    ],
)
def test_the_worst_answer_decides(verdicts: list[str], policy: Policy | None, decision: str) -> None:
    assert decide(iter(answers(*verdicts)), policy) == decision


VERDICTS = st.lists(st.sampled_from([*Verdict]), max_size=5)


@given(VERDICTS, st.booleans(), st.booleans(), st.sampled_from(["a", "session"]))
def test_a_blocked_merge_is_never_worded_as_allowed(
    verdicts: list[Verdict], inconclusive: bool, warn: bool, family: str
) -> None:
    results = [answer(verdict, family=family) for verdict in verdicts]
    decision = decide(results, Policy(block_inconclusive=inconclusive, block_warn=warn))
    said = sentence(decision, results)
    assert ("may merge" in said) == (decision is not Decision.BLOCK)
    assert ("review" in said) == (decision is Decision.REVIEW)


@given(VERDICTS, st.sampled_from([*Verdict]))
def test_one_more_answer_never_makes_a_decision_milder(verdicts: list[Verdict], more: Verdict) -> None:
    mildness = [Decision.BLOCK, Decision.REVIEW, Decision.MERGE]
    before, after = decide(answers(*verdicts)), decide(answers(*verdicts, more))
    assert not verdicts or mildness.index(after) <= mildness.index(before)


@pytest.mark.parametrize(
    ("decision", "results", "said"),
    [
        (Decision.MERGE, answers("PASS"), "The challenger may merge: its one check passed."),
        (Decision.MERGE, answers("PASS", "PASS"), "The challenger may merge: all 2 checks passed."),
        (
            Decision.REVIEW,
            answers("PASS", "WARN", "PASS"),
            "The challenger may merge after a review: 1 WARN and 2 PASS of 3 checks.",
        ),
        (
            Decision.BLOCK,
            answers("PASS", "ERROR", "FAIL"),
            "Merge blocked: 1 FAIL, 1 ERROR and 1 PASS of 3 checks.",
        ),
        (Decision.BLOCK, [], "Merge blocked: no check has run."),
        (
            Decision.BLOCK,
            [*answers("PASS"), answer("ERROR", family="session")],
            "Merge blocked: 1 PASS of 1 check; 1 problem with the run itself.",
        ),
        (
            Decision.BLOCK,
            [*answers("PASS"), answer("ERROR", family="session", id=PARTIAL_RUN)],
            "Partial run: not a gate. The merge is blocked until every check has run.",
        ),
    ],
)
def test_the_sentence(decision: Decision, results: list[CheckResult], said: str) -> None:
    assert sentence(decision, results) == said


def test_blocking_results_come_first() -> None:
    verdicts = ["PASS", "WAIVED", "WARN", "INCONCLUSIVE", "MISSING", "ERROR", "FAIL"]
    assert [result.verdict for result in worst_first(answers(*verdicts))] == [Verdict(v) for v in reversed(verdicts)]


def test_only_comparisons_can_block_by_noise() -> None:
    def estimate(null: float | None) -> Estimate:
        return Estimate(value=0, low=-1, high=1, confidence=0.9, method="", n=1, null=null)

    results = [answer("PASS", estimate=estimate(null)) for null in (0.0, None, 0.0)]
    assert false_alarm_budget([*results, answer("ERROR")]) == pytest.approx(0.1)
    assert false_alarm_budget([]) == 0
    assert false_alarm_budget(results * 50) == 1.0


def test_of_two_groups_either_may_be_served_worse() -> None:
    estimate = Estimate(
        value=0.1, low=0.0, high=0.2, confidence=0.95, method="", n=9, null=0.0, p_value=0.5, standard_error=0.05
    )
    unfair, drifted = (
        CheckResult(id=f"{family}:x", model="m", family=family, verdict=Verdict.PASS, message=".", estimate=estimate)
        for family in ("fairness", "drift")
    )
    assert false_alarm_budget([drifted]) == pytest.approx(0.025)
    assert false_alarm_budget([unfair, drifted]) == pytest.approx(0.075)
