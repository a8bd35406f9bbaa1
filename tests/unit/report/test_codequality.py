"""codequality.json: what did not pass, at a place that GitLab can link to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_mlops import CheckResult, Decision, GateReport, Verdict
from pytest_mlops.report import codequality
from pytest_mlops.verdict.decision import decide

HOSTILE = [
    '","severity":"info"}]', "\\", "\x00\x1b[31mred", "\ud800", "\u202edesrever", "two\nlines", "<img src=x>",
    "x" * 10_000, "::error::no", "##[group]",
]  # fmt: skip


def check(name: str = "drift:auto", verdict: Verdict = Verdict.FAIL, **known: object) -> CheckResult:
    facts: dict[str, object] = {"id": name, "model": "credit", "family": "drift", "message": "It has drifted."}
    return CheckResult(verdict=verdict, **{**facts, **known})  # type: ignore[arg-type]


def at(file: str, line: int | None) -> dict[str, object]:
    return {"test": {"nodeid": "n", "file": file, "line": line}}


def findings(*results: CheckResult, **provenance: object) -> list[dict[str, Any]]:
    of = GateReport(decision=decide(results), results=results, provenance=provenance)
    read: list[dict[str, Any]] = json.loads(codequality.render(of))
    return read


def test_a_finding_has_what_gitlab_asks_for() -> None:
    (finding,) = findings(check(details=at("tests/test_it.py", 3)))
    assert finding.pop("fingerprint")
    assert finding == {
        "engine_name": "pytest-mlops",
        "description": "FAIL drift:auto: It has drifted.",
        "check_name": "drift:auto",
        "severity": "blocker",
        "location": {"path": "tests/test_it.py", "lines": {"begin": 3}},
    }


def test_what_passed_is_no_finding() -> None:
    assert findings(check(verdict=Verdict.PASS)) == []


def test_severities_go_from_what_blocks_to_what_is_waived() -> None:
    severities = {each["check_name"]: each["severity"] for each in findings(*(check(v.value, v) for v in Verdict))}
    assert severities == {
        "FAIL": "blocker", "ERROR": "blocker", "MISSING": "blocker", "INCONCLUSIVE": "minor", "WARN": "minor",
        "WAIVED": "info",
    }  # fmt: skip


def test_what_blocks_by_policy_is_a_blocker() -> None:
    policies = {"credit": {"file": "mlops.toml", "digest": None, "inconclusive": "block"}}
    assert findings(check(verdict=Verdict.INCONCLUSIVE), policies=policies)[0]["severity"] == "blocker"


def test_a_block_is_never_without_a_finding() -> None:
    (finding,) = json.loads(codequality.render(GateReport(decision=Decision.BLOCK, results=())))
    assert finding["severity"] == "blocker"
    assert "Merge blocked" in finding["description"]


@pytest.mark.parametrize(
    ("details", "policy", "place"),
    [
        (at("tests/test_it.py", None), "mlops.toml", ("tests/test_it.py", 1)),
        (at("tests/test_it.py", 0), "mlops.toml", ("tests/test_it.py", 1)),
        ({}, "models/mlops.toml", ("models/mlops.toml", 1)),
        ({}, "/etc/passwd", ("mlops.toml", 1)),
        (at("../b.py", 7), "a/../../mlops.toml", ("mlops.toml", 1)),
        (at("/b.py", 7), "D:\\mlops.toml", ("mlops.toml", 1)),
    ],
)
def test_it_stands_at_the_test_or_in_the_policy(
    details: dict[str, object], policy: str, place: tuple[str, int]
) -> None:
    (finding,) = findings(check(details=details), policies={"credit": {"file": policy, "digest": None}})
    assert (finding["location"]["path"], finding["location"]["lines"]["begin"]) == place


def test_a_fingerprint_is_of_the_model_and_the_check_alone() -> None:
    (before,) = findings(check())
    (after,) = findings(check(verdict=Verdict.WARN, message="It warns.", details=at("other.py", 9)))
    assert before["fingerprint"] == after["fingerprint"]


def test_no_two_findings_are_taken_for_one() -> None:
    found = findings(
        check("x"), check("y"), check("x", model="risk"), check("y", Verdict.WARN),
        check("b/c", model="a"), check("c", model="a/b"),
    )  # fmt: skip
    assert len({each["fingerprint"] for each in found}) == 6


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name: str) -> None:
    result = check(name, model=name, message=name, details=at(name, 1))
    (finding,) = findings(result, policies={name: {"file": name, "digest": None}})
    texts = (finding["description"], finding["check_name"], finding["location"]["path"])
    assert finding["severity"] == "blocker"
    assert all(len(text) < 1_300 for text in texts)
    assert all(text.isprintable() for text in texts)
    assert not any("##[" in text or text.startswith("::") for text in texts)


def test_two_thousand_failing_checks_fit() -> None:
    results = [check(f"{n}" + "é" * 10_000, message="\U0001f600" * 10_000) for n in range(2_000)]
    of = GateReport(decision=Decision.BLOCK, results=tuple(results))
    text = codequality.render(of)
    *shown, rest = json.loads(text)
    assert len(text) < 20_000_000
    assert len(shown) == 1_000
    assert rest["description"] == "1,000 results more in gate.json: there is no room here"
