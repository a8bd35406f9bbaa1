"""Workflow commands of GitHub: their levels are those of the policy."""

from __future__ import annotations

import pytest

from pytest_mlops import CheckResult, GateReport, Verdict
from pytest_mlops.report import github
from pytest_mlops.verdict.decision import decide


def levels(*verdicts: Verdict, **policy: str) -> list[str]:
    results = tuple(
        CheckResult(id=f"f{place}", model="credit", family="drift", message="So it is.", verdict=verdict)
        for place, verdict in enumerate(verdicts)
    )
    policies = {"credit": {"file": "mlops.toml", "digest": None, **policy}}
    report = GateReport(decision=decide(results), results=results, provenance={"policies": policies})
    return [line.split("::")[1].split()[0] for line in github.render(report)[1:]]


@pytest.mark.parametrize("verdict", [Verdict.WARN, Verdict.INCONCLUSIVE])
def test_what_blocks_by_policy_is_an_error(verdict: Verdict) -> None:
    assert levels(verdict) == ["warning"]
    assert levels(verdict, **{verdict.value.lower(): "block"}) == ["error"]


def test_what_blocks_comes_first_and_what_passed_not_at_all() -> None:
    assert levels(Verdict.PASS, Verdict.WARN, Verdict.FAIL) == ["error", "warning"]
    assert levels(*[Verdict.FAIL] * 30) == ["error"] * 9
