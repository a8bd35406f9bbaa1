"""Names and messages from others are inert for every reader: terminal, summary, annotations, JSON."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pytest_mlops import CheckResult, Decision, Estimate, GateReport, Limits, Verdict
from pytest_mlops.report import github, machine, markdown, terminal

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
    estimate = Estimate(value=0.7, low=0.6, high=0.8, confidence=0.95, method=name, n=100, blind_spot=0.04)
    result = CheckResult(
        id=f"performance_threshold:{name}",
        model=name,
        family="performance_threshold",
        verdict=Verdict.FAIL,
        message=f"{name} cannot be judged: {name}.",
        estimate=estimate,
        limits=Limits(at_least=0.9),
        details={"test": {"nodeid": name, "file": name, "line": 1}, "notes": [name]},
    )
    session = CheckResult(
        id=f"session:collection:{name}", model="session", family="session", verdict=Verdict.ERROR, message=name or "x"
    )
    digests = {"rows": 1, "data": name, "predictions": name}
    provenance = {"models": {name: {"challenger": digests}}, "git": {"commit": name, "dirty": True}, "seed": 0}
    return GateReport(decision=Decision.BLOCK, results=(result, session), provenance=provenance)


pieces = st.sampled_from([*HOSTILE.values(), "|", "`", "\\", "<", "@a", "::", "##[", "\n", " "])
names = st.one_of(st.text(max_size=60), st.lists(pieces, max_size=4).map("".join))


def check_terminal(name: str, *, color: bool) -> None:
    text = terminal.render(report_with(name), color=color)
    without_ours = re.sub(r"\x1b\[[0-9;]*m", "", text) if color else text
    assert not CONTROL.search(without_ours)
    assert not COMMAND_AT_START.search(text)
    assert not LEGACY_COMMAND.search(text)


def check_markdown(name: str) -> None:
    text = markdown.render(report_with(name))
    assert not CONTROL.search(text)
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    ours = {"<details><summary>", "</details>"}
    raw = [token.content for token in [*tokens, *inline] if token.type in ("html_block", "html_inline")]
    assert all(any(html.startswith(start) for start in ours) for html in raw)
    assert not [token for token in inline if token.type in ("link_open", "image", "em_open", "s_open")]
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type in ("td_open", "th_open")]
    assert (len(rows), len(cells)) == (2, 8)
    outside_code = [child.content for child in inline if child.type == "text"]
    assert not re.search(r"@\w|://|www\.", " ".join(outside_code))


def check_annotations(name: str) -> None:
    commands = github.render(report_with(name))
    assert len(commands) == 3
    for command in commands:
        assert len(command) < 6_000
        assert not CONTROL.search(command)
        assert not LEGACY_COMMAND.search(command)
        level, rest = command.removeprefix("::").split(" ", 1)
        properties, _ = rest.split("::", 1)
        assert level in ("error", "warning", "notice")
        assert {pair.split("=", 1)[0] for pair in properties.split(",")} <= {"file", "line", "title"}


def check_json(name: str) -> None:
    text = machine.render(report_with(name))
    assert text.isascii()
    assert GateReport.from_json(text).to_dict() == json.loads(text)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_each_reader(name: str) -> None:
    check_terminal(name, color=False)
    check_terminal(name, color=True)
    check_markdown(name)
    check_annotations(name)
    check_json(name)


@settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(name=names)
def test_any_name(name: str) -> None:
    check_terminal(name, color=True)
    check_markdown(name)
    check_annotations(name)
    check_json(name)


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
