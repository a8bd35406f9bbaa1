"""Logging commands of Azure Pipelines: issues of the run, and never another command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_mlops import CheckResult, Decision, GateReport, Verdict
from pytest_mlops.report import azure
from pytest_mlops.verdict.decision import decide

COMMAND = re.compile(r"##vso\[task\.logissue ((?:[a-z]+=[^;\]\r\n]*;)+)\]([^\r\n]*)")
HOSTILE = [
    "]##vso[task.complete result=Succeeded;]", "##vso[task.setvariable variable=x]y", "#\u200b#vso[x]", "##[error]no",
    "a;type=warning;", "a]b", "100%", "%3B%0A##vso[x]", "two\nlines\r", "\x1b[31mred", "\u202edesrever", "\ud800",
    "x" * 10_000,
]  # fmt: skip


def check(name: str = "f1", verdict: Verdict = Verdict.FAIL, **known: object) -> CheckResult:
    facts: dict[str, object] = {"id": name, "model": "credit", "family": "drift", "message": "It is what it is."}
    return CheckResult(verdict=verdict, **{**facts, **known})  # type: ignore[arg-type]


def at(file: str, line: int | None = 3) -> dict[str, object]:
    return {"test": {"nodeid": "n", "file": file, "line": line}}


def lines(*results: CheckResult, prefix: str = "", **provenance: object) -> list[str]:
    return azure.render(
        GateReport(decision=decide(results), results=results, provenance=provenance), prefix=prefix
    )  # fmt: skip


def test_the_verdict_comes_first_then_the_worst() -> None:
    assert lines(check("a", Verdict.WARN), check("b", details=at("tests/t.py")), check("c", Verdict.PASS)) == [
        "##vso[task.logissue type=error;]Model gate: Merge blocked: 1 FAIL, 1 WARN and 1 PASS of 3 checks.",
        "##vso[task.logissue type=error;sourcepath=tests/t.py;linenumber=3;]FAIL b: It is what it is.",
        "##vso[task.logissue type=warning;]WARN a: It is what it is.",
    ]


def test_a_merge_is_no_issue() -> None:
    said = "##[section]Model gate: The challenger may merge: its one check passed."
    assert lines(check(verdict=Verdict.PASS)) == [said]


def test_a_review_is_a_warning() -> None:
    assert lines(check(verdict=Verdict.WARN))[0].startswith("##vso[task.logissue type=warning;]Model gate: ")


def test_what_blocks_by_policy_is_an_error() -> None:
    policies = {"credit": {"file": "mlops.toml", "digest": None, "warn": "block"}}
    assert lines(check(verdict=Verdict.WARN), policies=policies)[1].startswith("##vso[task.logissue type=error;]")


def test_a_block_without_any_result_is_an_error() -> None:
    assert lines()[0] == "##vso[task.logissue type=error;]Model gate: Merge blocked: no check has run."


def test_files_are_named_from_the_repository() -> None:
    line = lines(check(details=at("t.py", None)), prefix="models/")[1]
    assert line.startswith("##vso[task.logissue type=error;sourcepath=models/t.py;]")


@pytest.mark.parametrize("file", ["../t.py", "/t.py", "C:/t.py"])
def test_no_file_outside_of_it_is_named(file: str) -> None:
    assert "sourcepath" not in lines(check(details=at(file)))[1]


def test_marks_of_the_command_are_escaped() -> None:
    line = lines(check("100 %", details=at("a;b]%.py")))[1]
    assert "sourcepath=a%3Bb%5D%AZP25.py;" in line
    assert line.endswith("]FAIL 100 %AZP25: It is what it is.")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name: str) -> None:
    for line in lines(check(name, model=name, message=name, details=at(name)), prefix="a;]%\n/"):
        command = COMMAND.fullmatch(line)
        assert command is not None
        assert command[1].startswith("type=error;")
        assert not re.search(r"##(vso)?\[", command[2])
        assert line.isprintable()
        assert len(line) < 6_000


def test_of_two_thousand_failing_checks_ten_lines_are_the_most() -> None:
    said = lines(*(check(f"{n:04}") for n in range(2_000)))
    assert len(said) == 10
    assert said[0].endswith("Merge blocked: 2,000 FAIL of 2,000 checks.")


@pytest.mark.parametrize("decision", list(Decision))
def test_the_result_of_the_task_is_left_alone(decision: Decision) -> None:
    said = azure.render(GateReport(decision=decision, results=(check(),)))
    assert all(line.startswith(("##vso[task.logissue ", "##[section]")) for line in said)


def test_the_summary_is_attached_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "100 %.md").touch()
    monkeypatch.chdir(tmp_path)
    assert list(azure.attached(Path("100 %.md"))) == [f"##vso[task.uploadsummary]{tmp_path}/100 %AZP25.md"]


@pytest.mark.parametrize("name", ["missing.md", "two\nlines.md", "##vso[x]y.md"])
def test_what_cannot_be_found_is_not_attached(tmp_path: Path, name: str) -> None:
    if name != "missing.md":
        (tmp_path / name).touch()
    assert list(azure.attached(tmp_path / name)) == []
