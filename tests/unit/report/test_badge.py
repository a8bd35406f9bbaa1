"""badge.json: the answer in a word, and the colour only beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_mlops import CheckResult, Decision, GateReport, Verdict
from pytest_mlops.report import badge
from pytest_mlops.verdict.decision import decide


def check(verdict: Verdict, *, family: str = "drift", name: str = "x") -> CheckResult:
    return CheckResult(id=name, model="credit", family=family, verdict=verdict, message="It is what it is.")


def shown(*results: CheckResult, decision: Decision | None = None, **provenance: object) -> dict[str, Any]:
    of = GateReport(decision=decision or decide(results), results=results, provenance=provenance)
    read: dict[str, Any] = json.loads(badge.render(of))
    return read


def test_a_badge_is_what_shields_reads() -> None:
    assert shown(check(Verdict.PASS)) == {
        "schemaVersion": 1, "label": "model gate", "message": "merge", "color": "brightgreen", "isError": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("worst", "message", "color"),
    [
        (Verdict.FAIL, "blocked: 2 of 4", "red"),
        (Verdict.ERROR, "blocked: 2 of 4", "red"),
        (Verdict.WARN, "review: 3 of 4", "yellow"),
        (Verdict.WAIVED, "review: 3 of 4", "yellow"),
    ],
)
def test_the_word_stands_beside_the_number_of_its_reasons(worst: Verdict, message: str, color: str) -> None:
    found = shown(check(worst), check(worst), check(Verdict.INCONCLUSIVE), check(Verdict.PASS))
    assert (found["message"], found["color"]) == (message, color)


def test_what_blocks_by_policy_is_counted() -> None:
    results = (check(Verdict.WARN), check(Verdict.PASS))
    policies = {"credit": {"file": "mlops.toml", "digest": None, "warn": "block"}}
    assert shown(*results, decision=Decision.BLOCK, policies=policies)["message"] == "blocked: 1 of 2"


@pytest.mark.parametrize("results", [(), (check(Verdict.ERROR, family="session"), check(Verdict.PASS))])
def test_where_the_run_itself_is_the_reason_no_number_is_given(results: tuple[CheckResult, ...]) -> None:
    assert shown(*results)["message"] == "blocked"


def test_nobody_can_paint_a_block_green() -> None:
    assert shown(check(Verdict.FAIL))["isError"] is True


@pytest.mark.parametrize("name", ['","color":"green"}', "\x1b[31m", "\ud800", "x" * 10_000])
def test_no_name_stands_in_it(name: str) -> None:
    assert shown(check(Verdict.FAIL, name=name)) == shown(check(Verdict.FAIL))


def test_of_two_thousand_failing_checks_the_number_is_told() -> None:
    assert shown(*(check(Verdict.FAIL) for _ in range(2_000)))["message"] == "blocked: 2,000 of 2,000"
