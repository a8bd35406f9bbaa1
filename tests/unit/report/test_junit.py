"""junit.xml: red exactly where the gate blocks, and XML whatever the names are."""

from __future__ import annotations

from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import pytest

from pytest_mlops import CheckResult, Decision, Estimate, GateReport, Limits, Verdict
from pytest_mlops.report import junit
from pytest_mlops.verdict.decision import decide
from pytest_mlops.verdict.policy import Policies, Policy

HOSTILE = [
    "]]><failure/></testsuites>", '"><script>alert(1)</script>', "&lol;&#0;", "<!--", "\x00\x07\x0b\x1b[31mred\x1b[0m",
    "\ufffe\uffff", "\ud800", "\u202edesrever\u2066", "two\nlines\t", "x" * 10_000, "\U0001f600",
    "##vso[task.complete]",
]  # fmt: skip
ALLOWED = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "testcase": {"name", "classname", "time", "file", "line"},
    "properties": set(),
    "property": {"name", "value"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
}
"""Of Jenkins' junit-10.xsd, with `file` and `line`."""


def check(name: str = "f1", verdict: Verdict = Verdict.PASS, **known: object) -> CheckResult:
    facts: dict[str, object] = {"id": name, "model": "credit", "family": "drift", "message": f"{name} was looked at."}
    return CheckResult(verdict=verdict, **{**facts, **known})  # type: ignore[arg-type]


def report(*results: CheckResult, policy: Policy | None = None, **provenance: object) -> GateReport:
    decision = decide(results, Policies({"credit": policy or Policy()}))
    stated = {"credit": (policy or Policy()).to_dict()}
    return GateReport(decision=decision, results=results, provenance={"policies": stated, **provenance})


def parsed(of: GateReport) -> Element:
    return ET.fromstring(junit.render(of).encode())


def only_case(*results: CheckResult, **known: object) -> Element:
    (case,) = parsed(report(*results, **known)).iter("testcase")  # type: ignore[arg-type]
    return case


def properties(of: Element) -> dict[str, str]:
    return {each.get("name", ""): each.get("value", "") for each in of.findall("properties/property")}


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict.PASS, None),
        (Verdict.WARN, "system-out"),
        (Verdict.INCONCLUSIVE, "skipped"),
        (Verdict.WAIVED, "skipped"),
        (Verdict.FAIL, "failure"),
        (Verdict.MISSING, "failure"),
        (Verdict.ERROR, "error"),
    ],
)
def test_each_verdict_has_its_element(verdict: Verdict, said: str | None) -> None:
    elements = [each for each in only_case(check(verdict=verdict)) if each.tag != "properties"]
    assert [each.tag for each in elements] == ([said] if said else [])
    assert all(each.text == f"{verdict}: f1 was looked at." for each in elements)


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.WARN])
def test_what_blocks_by_policy_is_a_failure(verdict: Verdict) -> None:
    failure = only_case(check(verdict=verdict), policy=Policy(block_inconclusive=True, block_warn=True)).find("failure")
    assert failure is not None
    assert failure.attrib == {"type": verdict, "message": "f1 was looked at."}


@pytest.mark.parametrize("results", [(), (check(),)])
def test_a_block_is_never_green(results: tuple[CheckResult, ...]) -> None:
    root = parsed(GateReport(decision=Decision.BLOCK, results=results))
    assert root.get("errors") == "1"
    assert (root.findtext(".//error") or "").startswith("ERROR: Merge blocked")


def test_counts_are_of_the_suite_and_of_all() -> None:
    session = check("session:tests", Verdict.ERROR, model="session", family="session")
    root = parsed(report(*(check(each.value, each) for each in Verdict), check("auc", model="risk"), session))
    assert {suite.get("name"): suite.attrib for suite in root} == {
        name: {"name": name, "tests": tests, "failures": failures, "errors": errors, "skipped": skipped, "time": "0"}
        for name, tests, failures, errors, skipped in (
            ("credit", "7", "2", "1", "2"),
            ("session", "1", "0", "1", "0"),
            ("risk", "1", "0", "0", "0"),
        )
    }
    assert root.attrib == {"name": "model gate", "time": "0", "tests": "9", "failures": "2", "errors": "2"}


def test_the_worst_stand_first() -> None:
    names = [
        case.get("name") for case in parsed(report(*(check(each.value, each) for each in Verdict))).iter("testcase")
    ]
    assert names == ["FAIL", "ERROR", "MISSING", "INCONCLUSIVE", "WARN", "WAIVED", "PASS"]


def test_a_case_has_the_numbers_with_all_their_digits() -> None:
    estimate = Estimate(
        value=0.7123456789, low=0.7, high=float("inf"), confidence=0.95, method="by hand", n=100, null=0.0, p_value=0.25
    )
    case = only_case(check(estimate=estimate, limits=Limits(at_least=0.65001)))
    assert properties(case) == {
        "verdict": "PASS", "value": "0.7123456789", "low": "0.7", "confidence": "0.95", "n": "100", "p_value": "0.25",
        "method": "by hand", "limit": "at least 0.65001",
    }  # fmt: skip


def test_a_suite_says_what_was_compared_with_what() -> None:
    roles = {"challenger": {"rows": 2, "data": "aa", "predictions": "bb"}, "champion": {"rows": 2, "data": "cc"}}
    git = {"commit": "f00", "dirty": False}
    suite = parsed(report(check(), git=git, seed=7, models={"credit": roles}, time="2026-11-24T11:52:24+00:00"))[0]
    assert suite.get("timestamp") == "2026-11-24T11:52:24+00:00"
    assert properties(suite) == {
        "decision": "merge", "commit": "f00", "seed": "7", "challenger.data": "aa", "challenger.predictions": "bb",
        "champion.data": "cc",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "line", "shown"),
    [
        ("tests/test_it.py", 3, {"file": "tests/test_it.py", "line": "3"}),
        ("tests\\test_it.py", 0, {"file": "tests/test_it.py", "line": "1"}),
        ("./a//b.py", None, {"file": "a/b.py"}),
        ("/etc/passwd", 1, {}),
        ("//host/share", 1, {}),
        ("a/../../b.py", 1, {}),
        ("a/.\u200b./b.py", 1, {}),
        ("C:\\b.py", 1, {}),
        ("https://evil.example/b.py", 1, {}),
        ("", 1, {}),
        ("x" * 2_000, 1, {}),
    ],
)
def test_only_a_file_of_the_repository_is_named(file: str, line: int | None, shown: dict[str, str]) -> None:
    case = only_case(check(details={"test": {"nodeid": "n", "file": file, "line": line}}))
    assert {name: case.get(name) for name in ("file", "line") if name in case.attrib} == shown


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name: str) -> None:
    test = {"nodeid": name, "file": name, "line": 1}
    estimate = Estimate(value=0.5, low=0.4, high=0.6, confidence=0.95, method=name, n=9)
    result = check(name, Verdict.FAIL, model=name, family=name, message=name, estimate=estimate, details={"test": test})
    of = report(result, time=name, git={"commit": name}, models={name: {"challenger": {"data": name}}})
    root = parsed(of)
    assert all(each.attrib.keys() <= ALLOWED[each.tag] for each in root.iter())
    assert [each.tag for each in root.iter("testsuite")] == ["testsuite"]
    assert len(root.findall("testsuite/testcase/failure")) == 1
    assert len(junit.render(of)) < 12_000
    assert not set("\x00\x07\x0b\x1b\u202e\u2066\ufffe\uffff\ud800") & set(junit.render(of))
    assert "##vso[" not in junit.render(of)


def test_two_thousand_failing_checks_fit() -> None:
    worst = [check(f"{n}" + "&" * 10_000, Verdict.FAIL, message="\U0001f600" * 10_000) for n in range(2_000)]
    text = junit.render(report(*worst, check("last")))
    assert len(text.encode()) < 30_000_000
    cases = list(ET.fromstring(text.encode()).iter("testcase"))
    assert cases[0].find("failure") is not None
    assert len(cases) > 1_000


def test_what_has_no_room_is_counted_but_never_before_what_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "MOST_BYTES", 8_000)
    root = parsed(report(*(check(f"fine {n}") for n in range(50)), check("bad", Verdict.FAIL)))
    assert root.findall("testsuite/testcase")[0].get("name") == "bad"
    *_, rest = root.iter("testcase")
    skipped = rest.find("skipped")
    assert skipped is not None
    shown = len(list(root.iter("testcase"))) - 1
    assert skipped.get("message") == f"{51 - shown} results more in gate.json: there is no room here"


def test_the_text_is_the_same_whenever_it_is_rendered() -> None:
    of = report(check(verdict=Verdict.WARN), check("auc"))
    assert junit.render(of) == junit.render(GateReport.from_json(of.to_json()))
