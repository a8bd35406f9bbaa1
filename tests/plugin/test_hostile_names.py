"""Names and messages from others are inert for every reader: terminal, summary, annotations, JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from pytest_mlops import CheckResult, Decision, Estimate, GateReport, Limits, Verdict
from pytest_mlops.report import (
    azure,
    badge,
    codequality,
    github,
    html,
    junit,
    machine,
    markdown,
    openmetrics,
    terminal,
)
from pytest_mlops.report.formats import FORMATS

from .conftest import Project

HOSTILE = {
    "new lines": "a\r\n::error::b\n| c |",
    "workflow command": "::error title=x::gone",
    "legacy command": "##[add-mask]secret ##vso[task.complete result=Succeeded;]",
    "Markdown": "**a** | `b` | [c](https://example.com) ![d](e) # f ~~g~~",
    "comment": "<!-- --> <script>alert(1)</script> <details>",
    "mention": "@team #1 www.example.com https://example.com",
    "ANSI": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b31m",
    "bidi": "\u202eright\u2066left\u200b",
    "long": "x" * 10_000,
    "percent": "100 % %0A::error::",
    "surrogate": "\ud800",
    "backticks": "```\ncode\n``` `",
}
COMMAND_AT_START = re.compile(r"(?m)^(?:\s|\x1b\[[0-9;]*m)*::")
LEGACY_COMMAND = re.compile(r"##(\[|vso\[)", re.IGNORECASE)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def report_with(name: str) -> GateReport:
    """A report in which everything that others may name has this name."""
    known = {"value": 0.7, "low": 0.6, "high": 0.8, "n": 100}
    estimate = Estimate(**known, confidence=0.95, method=name, blind_spot=0.04)  # type: ignore[arg-type]
    test = {"nodeid": name, "file": name, "line": 1}
    group = CheckResult(
        id=f"fairness:x:{name}", model=name, family="fairness", verdict=Verdict.PASS, message=name or "x",
        estimate=estimate, details={"rates": {name: known}, "because": name, "column": name},
    )  # fmt: skip
    results = [
        CheckResult(
            id=f"{family}:{name}",
            model=name,
            family=family,
            verdict=Verdict.FAIL,
            message=f"{name} cannot be judged: {name}.",
            estimate=estimate,
            limits=Limits(at_least=0.9),
            parts=(group,) if family == "fairness" else (),
            details={"test": test, "notes": [name], "asked": {"subject": name}, "picture": picture},
        )
        for (family, picture) in zip(FAMILIES, _pictures(name), strict=True)
    ]
    session = CheckResult(
        id=f"session:collection:{name}", model="session", family="session", verdict=Verdict.ERROR, message=name or "x"
    )
    return GateReport(decision=Decision.BLOCK, results=(*results, session), provenance=_provenance(name))


FAMILIES = ("performance_threshold", "champion_challenger", "drift", "fairness", "reproducibility")


def _pictures(name: str) -> list[dict[str, Any]]:
    curve = {"x": [0.0, 0.5, 1.0], "y": [0.0, 0.8, 1.0]}
    shares = {name: [0.5, 0.5], "current": [0.25, 0.75]}
    return [
        {"kind": "calibration", "lines": {name: {**curve, "low": [0.0] * 3, "high": [1.0] * 3, "n": [9] * 3}}},
        {"kind": "roc", "lines": {name: curve, "champion": curve}},
        {"kind": "histogram", "unit": name, "edges": [0.0, 1.0, 2.0], "shares": shares},
        {"kind": "bars", "labels": [name, f"{name}2"], "shares": shares},
        {"kind": "precision_recall", "lines": {name: curve}},
    ]


def _provenance(name: str) -> dict[str, Any]:
    git = {"commit": name, "dirty": True}
    known = {"value": 0.7, "low": 0.6, "high": 0.8}
    reign = {"time": "2026-11-11T08:00:00+00:00", "commit": name, "values": {f"performance_threshold:{name}": known}}
    promoted = {"time": "2026-11-11T08:00:00+00:00", "first": False}
    return {
        "models": {name: {"challenger": {"rows": 1, "data": name, "predictions": name}}},
        "champions": {name: {"promoted": promoted, "git": git, "predictions": name, "history": [reign, reign]}},
        "policies": {name: {"file": name, "digest": name, "confidence": 0.95}},
        "policy_diff": {name: [f"removed: {name}", f"added: {name}"]},
        "packages": {name: name},
        "git": git,
        "python": name,
        "platform": name,
        "pytest_mlops": name,
        "time": "2026-11-24T08:00:00+00:00",
        "seed": 0,
    }


pieces = st.sampled_from([*HOSTILE.values(), "|", "`", "\\", "<", "@a", "::", "##[", "\n", " "])
names = st.one_of(st.text(max_size=60), st.lists(pieces, max_size=4).map("".join))


def check_terminal(name: str) -> None:
    for color, verbose in ((False, True), (True, False)):
        text = terminal.render(report_with(name), color=color, verbose=verbose)
        without_ours = re.sub(r"\x1b\[[0-9;]*m", "", text) if color else text
        assert not CONTROL.search(without_ours)
        assert not COMMAND_AT_START.search(text)
        assert not LEGACY_COMMAND.search(text)


def check_markdown(name: str) -> None:
    text = markdown.render(report_with(name))
    assert len(text) <= 65_536
    assert not CONTROL.search(text)
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    ours = {"<details><summary>", "</details>"}
    raw = [token.content for token in [*tokens, *inline] if token.type in ("html_block", "html_inline")]
    assert all(any(html.startswith(start) for start in ours) for html in raw)
    assert not [token for token in inline if token.type in ("link_open", "image", "em_open", "s_open")]
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type in ("td_open", "th_open")]
    assert (len(rows), len(cells)) == (1 + len(FAMILIES) + 2, 5 * (1 + len(FAMILIES)) + 6 * 2)
    outside_code = [child.content for child in inline if child.type == "text"]
    assert not re.search(r"@\w|://|www\.", " ".join(outside_code))


class Page(HTMLParser):
    """What a browser would make of it: tags, balanced, and what is in their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.urls: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(sorted(name for name, _ in attrs))))
        self.urls.extend(value or "" for name, value in attrs if name in ("href", "src", "action", "xlink:href"))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(sorted(name for name, _ in attrs))))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


VOID = {"meta", "link", "br", "hr", "img", "input", "col", "wbr"}


def check_html(name: str) -> None:
    text = html.render(report_with(name))
    assert not CONTROL.search(text)
    page, of_a_word = Page(text), Page(html.render(report_with("word")))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in of_a_word.tags}
    assert {names for _, names in page.tags} <= {names for _, names in of_a_word.tags}
    assert "script" not in {tag for tag, _ in page.tags}
    assert all(url.startswith("#") for url in page.urls)
    assert len(text) < 300_000


def check_annotations(name: str) -> None:
    commands = github.render(report_with(name))
    assert len(commands) == 2 + len(FAMILIES)
    for command in commands:
        assert len(command) < 6_000
        assert not CONTROL.search(command)
        assert not LEGACY_COMMAND.search(command)
        level, rest = command.removeprefix("::").split(" ", 1)
        properties, _ = rest.split("::", 1)
        assert level in ("error", "warning", "notice")
        assert {pair.split("=", 1)[0] for pair in properties.split(",")} <= {"file", "line", "title"}


def check_azure(name: str) -> None:
    commands = azure.render(report_with(name))
    assert len(commands) == 2 + len(FAMILIES)
    for command in commands:
        assert not CONTROL.search(command)
        head, _, message = command.removeprefix("##vso[task.logissue ").partition("]")
        assert {pair.split("=", 1)[0] for pair in head.split(";") if pair} <= {"type", "sourcepath", "linenumber"}
        assert not LEGACY_COMMAND.search(message)


def check_json(name: str) -> None:
    text = machine.render(report_with(name))
    assert text.isascii()
    assert machine.read(text).to_dict() == json.loads(text)


def check_junit(name: str) -> None:
    text = junit.render(report_with(name))
    assert not CONTROL.search(text)
    suites = ElementTree.fromstring(text)
    cases = suites.findall("testsuite/testcase")
    assert len(cases) == 1 + len(FAMILIES)
    assert all(len(case.get("name", "")) <= 300 for case in cases)
    assert {element.tag for element in suites.iter()} <= {
        "testsuites", "testsuite", "testcase", "properties", "property", "failure", "error", "system-out",
    }  # fmt: skip


def check_codequality(name: str) -> None:
    findings = json.loads(codequality.render(report_with(name)))
    assert len(findings) == 1 + len(FAMILIES)
    assert len({finding["fingerprint"] for finding in findings}) == len(findings)
    for finding in findings:
        assert not CONTROL.search(finding["description"])
        path = PurePosixPath(finding["location"]["path"])
        assert not path.is_absolute()
        assert ".." not in path.parts


def check_openmetrics(name: str) -> None:
    text = openmetrics.render(report_with(name))
    assert not CONTROL.search(text)
    assert text.endswith("# EOF\n")
    parsed = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    families = {family.name: family.samples for family in parsed}
    assert len(families["mlops_check_verdict"]) == 1 + len(FAMILIES)


def check_badge(name: str) -> None:
    assert badge.render(report_with(name)) == badge.render(report_with("word"))


CHECKS = {
    "json": check_json,
    "markdown": check_markdown,
    "html": check_html,
    "junit": check_junit,
    "codequality": check_codequality,
    "openmetrics": check_openmetrics,
    "badge": check_badge,
    "terminal": check_terminal,
    "github": check_annotations,
    "azure": check_azure,
}


def test_no_reader_is_forgotten() -> None:
    assert CHECKS.keys() == FORMATS.keys()


@pytest.mark.parametrize("reader", CHECKS)
@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_each_reader(name: str, reader: str) -> None:
    CHECKS[reader](name)


@settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(name=names)
def test_any_name(name: str) -> None:
    for check in CHECKS.values():
        check(name)


MOST = {"html": 1_500_000, "markdown": 65_536, "junit": 30_000_000, "github": 60_000, "azure": 60_000, "badge": 500}


@pytest.mark.parametrize("reader", FORMATS)
def test_2000_failing_checks(reader: str) -> None:
    """Within the limits of whoever reads it, and the verdict is kept."""
    one = report_with("<b>|`*@" * 1_500)
    results = tuple(
        replace(one.results[0], id=f"performance_threshold:{number}{'<&' * 5_000}") for number in range(2_000)
    )
    text = FORMATS[reader].render(replace(one, results=results))
    assert len(text.encode("utf-8", "surrogatepass")) <= MOST.get(reader, 10**9)
    assert re.search("blocked|block|FAIL|failures|decision", text[:3_000])


def test_a_run_full_of_them(project: Project, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    project.tests(
        test_it=f"""
        import pytest
        NAMES = {list(HOSTILE.values())!a}
        @pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
        def test_it(mlops, name):
            mlops.performance_threshold("accuracy", at_least=0.99, name=name)
        def test_raises(mlops):
            mlops.performance_threshold("recall", at_least=0.5)
            raise ValueError("in a test's own words, which pytest prints behind an E")
        """
    )
    run = project.run(workers=workers)
    assert run.decision == "block"
    assert len([result for result in run.results if result.verdict == "FAIL"]) == len(HOSTILE)
    at_start = [line for line in run.out.splitlines() if line.lstrip().startswith("::")]
    assert all(re.match(r"::(error|warning) (file=test_it\.py,line=\d+,)?title=[^:]*::", line) for line in at_start)
    assert len(at_start) == 10
    assert not LEGACY_COMMAND.search(run.out)
    assert "\x1b" not in run.out
