"""Which verdicts block, and what a waiver may waive."""

from __future__ import annotations

from datetime import date

import pytest

from pytest_mlops import CheckResult, Policy, Verdict
from pytest_mlops.verdict.policy import Policies, Waiver

WAIVER = Waiver(check="drift:auto", until=date(2026, 12, 31), owner="me", reason="a season.")
POLICY = Policy(waivers=(WAIVER,))


def result(verdict: Verdict, name: str = "drift:auto", model: str = "credit") -> CheckResult:
    return CheckResult(id=name, model=model, family="drift", verdict=verdict, message="It drifted.", details={"x": 1})


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("strict", [False, True])
def test_what_blocks(verdict: Verdict, strict: bool) -> None:
    always = verdict in ("FAIL", "ERROR", "MISSING")
    policy = Policy(block_inconclusive=strict, block_warn=strict)
    assert policy.blocks(result(verdict)) == (always or (strict and verdict in ("INCONCLUSIVE", "WARN")))


def test_each_model_has_its_policy() -> None:
    policies = Policies({"credit": Policy(block_warn=True)})
    assert policies.blocks(result(Verdict.WARN))
    assert not policies.blocks(result(Verdict.WARN, model="churn"))


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.MISSING])
def test_a_waiver(verdict: Verdict) -> None:
    waived = POLICY.waive(result(verdict), date(2026, 12, 31))
    assert waived.verdict is Verdict.WAIVED
    assert waived.message == f"{verdict}, but waived until 2026-12-31, owner me: a season. It drifted."
    assert waived.details == {"x": 1, "waived": {"verdict": verdict.value, **WAIVER.to_dict()}}


@pytest.mark.parametrize(
    ("found", "today"),
    [
        (result(Verdict.FAIL), date(2027, 1, 1)),
        (result(Verdict.FAIL, name="drift:ks"), date(2026, 1, 1)),
        (result(Verdict.ERROR), date(2026, 1, 1)),
        (result(Verdict.PASS), date(2026, 1, 1)),
        (result(Verdict.INCONCLUSIVE), date(2026, 1, 1)),
    ],
    ids=["expired", "of another check", "an error", "a pass", "what does not block"],
)
def test_what_is_not_waived(found: CheckResult, today: date) -> None:
    assert POLICY.waive(found, today) is found


def test_what_blocks_by_the_policy_can_be_waived() -> None:
    policy = Policy(block_inconclusive=True, waivers=(WAIVER,))
    assert policy.waive(result(Verdict.INCONCLUSIVE), date(2026, 1, 1)).verdict is Verdict.WAIVED
