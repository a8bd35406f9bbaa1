"""One issue while a scheduled run blocks, closed when it does no more."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from pytest_mlops import Decision, GateReport
from pytest_mlops.posting import sticky

from .conftest import ACTIONS, MARK, REFUSED, GitHub, drifting, run, write


def report(honest: GateReport, decision: Decision) -> None:
    write(replace(honest, decision=decision))


@pytest.fixture
def blocked(honest: GateReport, github: GitHub) -> None:
    report(honest, Decision.BLOCK)


@pytest.mark.usefixtures("blocked")
def test_it_is_opened_once_and_then_updated(github: GitHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("issue", "--title", "Data has drifted", "--label", "drift", "--label", "model") == 0
    (issue,) = github.issues.values()
    assert (issue["title"], issue["labels"]) == ("Data has drifted", ["drift", "model"])
    assert issue["body"].startswith(f"{MARK}\n## Model gate: Merge blocked")
    assert "opened the issue https://github.test/500" in capsys.readouterr().out
    issue["body"] = f"{MARK}\nold"
    assert run("issue") == 0
    assert len(github.issues) == 1
    assert "Merge blocked" in issue["body"]


@pytest.mark.usefixtures("blocked")
def test_others_and_pull_requests_and_closed_ones_are_left_alone(github: GitHub) -> None:
    known = [
        github.issue(1, body=MARK, user={"login": "mallory"}),
        github.issue(2, body=MARK, user={"login": ACTIONS}, pull_request={"url": "x"}),
        github.issue(3, body=MARK, user={"login": ACTIONS}, state="closed"),
    ]
    run("issue")
    assert [issue["body"] for issue in known] == [MARK] * 3
    assert len(github.issues) == 4


@pytest.mark.usefixtures("blocked")
def test_only_what_may_be_ours_is_asked_one_by_one(github: GitHub) -> None:
    github.page = 2
    for number in range(1, 6):
        github.issue(number, body=MARK)
    github.issue(6, body=MARK, user={"login": ACTIONS})
    run("issue")
    assert len(github.issues) == 6
    assert "GET /repos/me/it/issues/6" in github.calls
    assert "GET /repos/me/it/issues/1" not in github.calls


def test_it_is_closed_when_it_is_over(github: GitHub, honest: GateReport, capsys: pytest.CaptureFixture[str]) -> None:
    ours = [github.issue(number, body=MARK, user={"login": ACTIONS}) for number in (4, 5)]
    theirs = github.issue(6, body=MARK)
    write(honest)
    assert run("issue") == 0
    assert [issue["state"] for issue in (*ours, theirs)] == ["closed", "closed", "open"]
    assert github.bodies(4)[0].startswith("It is over.\n\n## Model gate: The challenger may merge")
    out = capsys.readouterr().out
    assert "closed the issue https://github.test/4, the issue https://github.test/5" in out


def test_nothing_to_close(github: GitHub, honest: GateReport, capsys: pytest.CaptureFixture[str]) -> None:
    write(honest)
    assert run("issue") == 0
    assert capsys.readouterr().out.startswith("there is no issue\n")
    assert not [call for call in github.calls if not call.startswith("GET")]


@pytest.mark.parametrize(("on", "opened"), [("block", 0), ("review", 1)])
def test_a_review_is_one_only_where_it_is_asked_for(github: GitHub, honest: GateReport, on: str, opened: int) -> None:
    write(drifting(honest))
    assert run("issue", "--on", on) == 0
    assert len(github.issues) == opened


@pytest.mark.usefixtures("blocked")
def test_an_issue_that_was_made_in_spite_of_an_error(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_: float) -> None:
        github.issue(9, body=MARK, user={"login": ACTIONS})

    monkeypatch.setattr(sticky, "time", SimpleNamespace(sleep=stumble))
    github.failures.append(("POST /repos/me/it/issues", 500, "oh no"))
    assert run("issue") == 0
    assert list(github.issues) == [9]


@pytest.mark.usefixtures("blocked")
@pytest.mark.parametrize(("status", "way_on"), [(403, "issues: write"), (410, "switched off")])
def test_a_refusal_says_the_way_on(github: GitHub, status: int, way_on: str) -> None:
    github.failures.append(("POST /repos/me/it/issues", status, REFUSED))
    with pytest.raises(ValueError, match=way_on):
        run("issue")


@pytest.mark.usefixtures("blocked")
def test_a_dry_run_asks_nobody(github: GitHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("issue", "--dry-run") == 0
    assert "Merge blocked" in capsys.readouterr().out
    assert github.calls == []
