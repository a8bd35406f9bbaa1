"""Exception messages, labels, column names and ids that are hostile, on their whole way through a run."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from .conftest import PASSES, Project
from .test_hostile_names import COMMAND_AT_START, CONTROL, HOSTILE, LEGACY_COMMAND

CONFTEST = """
NAME = {name!a}

@pytest.fixture
def mlops_champion(request):
    return globals()[request.function.__name__.removeprefix("test_")]()

def raises():
    raise RuntimeError(NAME)

def labels():
    return Evaluation([NAME + "a", NAME + "b"] * 200, ["c", NAME + "b"] * 200)

def columns():
    return Evaluation([0, 1] * 200, [0, 1] * 200, sensitive_features={{NAME: [1]}})
"""
TESTS = f"""
import pytest
{PASSES}
def test_raises(mlops):
    mlops.champion_challenger("accuracy", margin=0.1, name="raises")

def test_labels(mlops):
    mlops.champion_challenger("accuracy", margin=0.1, name="labels")

def test_columns(mlops):
    mlops.champion_challenger("accuracy", margin=0.1, name="columns")
"""
NAMED = """
import pytest

@pytest.mark.parametrize("name", [{name!a}])
def test_skipped(mlops, name):
    pytest.skip(name)
"""


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_run_is_inert(project: Project, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    project.conftest(CONFTEST.format(name=name))
    project.tests(test_it=TESTS, test_named=NAMED.format(name=name))
    run = project.run()
    ours = run.out.partition("= model gate =")[2].partition("= short test summary info =")[0]
    report, annotations = re.split(r"(?m)^(?=::)", ours, maxsplit=1)
    assert (run.status, run.decision) == (1, "block")
    assert [result.verdict for result in run.results] == ["ERROR", "ERROR", "ERROR", "PASS", "ERROR"]
    assert not CONTROL.search(ours)
    assert not LEGACY_COMMAND.search(ours)
    assert not COMMAND_AT_START.search(report)
    assert not COMMAND_AT_START.search(run.out.partition("= model gate =")[0])
    assert "\x1b" not in run.out
    assert max(map(len, report.splitlines())) <= 80
    assert len([line for line in annotations.splitlines() if line.startswith("::")]) == 5
    _check_summary((project.path / ".mlops/report/summary.md").read_text(encoding="utf-8"))


def _check_summary(text: str) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    html = [child.content for token in tokens for child in [token, *(token.children or ())] if "html" in child.type]
    cells = [token for token in tokens if token.type in ("td_open", "th_open")]
    assert not CONTROL.search(text)
    assert len(cells) == 5 * (1 + 3) + 5 * (1 + 1), "what blocks, and what passed"
    assert {line.strip() for block in html for line in block.splitlines()} <= {
        "<details><summary>Passed: 1 result</summary>",
        "<details><summary>Judged</summary>",
        "<details><summary>What this gate cannot see (it misses each at least one time in five)</summary>",
        "</details>",
    }
