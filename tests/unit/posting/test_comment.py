"""One comment on the pull request: written once, then written again."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_mlops import Decision, EvidenceError, GateReport, Verdict
from pytest_mlops.posting import client, context, sticky

from .conftest import ACTIONS, MARK, REFUSED, Event, GitHub, run, write

POST = r"POST /repos/me/it/issues/5/comments"


@pytest.fixture(autouse=True)
def ready(github: GitHub, honest: GateReport) -> None:
    """A pull request, and a report to post on it."""
    write(honest)
    github.issue(5, pull_request={"url": "x"})


def post(*words: str) -> int:
    return run("comment", "--pull-request", "5", *words)


def test_it_is_written_once_and_then_updated(
    github: GitHub, honest: GateReport, capsys: pytest.CaptureFixture[str]
) -> None:
    assert post() == 0
    assert capsys.readouterr().out == "wrote the comment c1000\nThe challenger may merge: all 2 checks passed.\n"
    (first,) = github.bodies(5)
    assert first.startswith(f"{MARK}\n## Model gate: The challenger may merge")
    write(replace(honest, decision=Decision.BLOCK))
    assert post() == 0
    assert "updated the comment c1000" in capsys.readouterr().out
    (second,) = github.bodies(5)
    assert second.startswith(f"{MARK}\n## Model gate: Merge blocked")


def test_what_is_up_to_date_is_left_alone(github: GitHub) -> None:
    post()
    github.comments[1000]["body"] = github.comments[1000]["body"].replace("\n", "\r\n")
    post()
    assert not [call for call in github.calls if call.startswith("PATCH")]


def test_a_mark_by_somebody_else_is_not_ours(github: GitHub) -> None:
    theirs = github.comment(5, f"{MARK}\nAll is well.", author="mallory")
    post()
    assert (len(github.bodies(5)), theirs["body"]) == (2, f"{MARK}\nAll is well.")


@pytest.mark.parametrize("body", ["", None, f"see {MARK}", f"\n{MARK}", MARK.replace("gate", "other")])
def test_our_comments_without_the_mark_are_left_alone(github: GitHub, body: Any) -> None:
    other = github.comment(5, body)
    post()
    assert (len(github.bodies(5)), other["body"]) == (2, body)


def test_a_comment_of_a_deleted_account_is_nobodys(github: GitHub) -> None:
    github.comment(5, MARK)["user"] = None
    post()
    assert len(github.bodies(5)) == 2


def test_ours_is_found_on_the_third_page(github: GitHub) -> None:
    github.page = 2
    for place in range(5):
        github.comment(5, f"chat {place}", author="ann")
    ours = github.comment(5, MARK)
    post()
    assert len(github.bodies(5)) == 6
    assert "may merge" in ours["body"]


def test_of_several_the_first_is_updated_and_the_rest_told(github: GitHub, capsys: pytest.CaptureFixture[str]) -> None:
    bodies = [github.comment(5, MARK), github.comment(5, MARK)]
    post()
    assert ["may merge" in each["body"] for each in bodies] == [True, False]
    assert "left 1 other comment of the same mark alone" in capsys.readouterr().out


def test_each_key_has_its_own(github: GitHub) -> None:
    post("--key", "nightly")
    post("--key", "gate")
    assert [body.splitlines()[0] for body in github.bodies(5)] == [MARK.replace("gate", "nightly"), MARK]


def test_a_key_that_would_end_the_mark(github: GitHub) -> None:
    with pytest.raises(EvidenceError, match="--key"):
        post("--key", "x --> <b>")


def test_whose_token_it_is(github: GitHub) -> None:
    github.me = "robot"
    github.comment(5, MARK, author=ACTIONS)
    post()
    post()
    assert [each["user"]["login"] for each in github.comments.values()] == [ACTIONS, "robot"]


def test_an_author_who_is_named_is_not_asked_for(github: GitHub) -> None:
    ours = github.comment(5, MARK, author="gate-app[bot]")
    post("--author", "gate-app[bot]")
    assert "may merge" in ours["body"]
    assert "GET /user" not in github.calls


def test_a_dry_run_asks_nobody(github: GitHub, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    assert post("--dry-run") == 0
    assert "## Model gate: The challenger may merge" in capsys.readouterr().out
    assert github.calls == []


def test_hostile_names_are_inert(github: GitHub, honest: GateReport) -> None:
    evil = "x\n<!-- pytest-mlops:gate -->\n::error::boo @everyone <script>|`"
    (first, *rest) = honest.results
    write(replace(honest, results=(replace(first, verdict=Verdict.FAIL, message=evil), *rest)))
    post()
    (body,) = github.bodies(5)
    assert body.count("<!--") == 1
    assert "<script>" not in body
    assert "@everyone" not in body
    assert not [line for line in body.splitlines() if line.startswith("::")]


# --- which pull request ----------------------------------------------------------------------------------------------


def finished(commit: str = "abc", **known: Any) -> dict[str, Any]:
    head = {"head_repository": {"owner": {"login": "Fork"}}, "head_branch": "try/it", "head_sha": commit}
    return {"event": "pull_request", "pull_requests": [], "conclusion": "failure", **head, **known}


def test_the_event_names_the_pull_request(github: GitHub, event: Event) -> None:
    event(pull_request={"number": 5})
    assert run("comment") == 0
    assert len(github.bodies(5)) == 1


@pytest.mark.parametrize(
    "payload", [{"merge_group": {}}, {"ref": "refs/heads/main"}, {"pull_request": {"number": True}}]
)
def test_without_a_pull_request_there_is_nothing_to_do(
    github: GitHub, event: Event, payload: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    event(**payload)
    assert run("comment") == 0
    assert "nothing to comment on" in capsys.readouterr().out
    assert github.calls == []


def test_the_pull_request_of_a_fork_is_found_by_its_head(github: GitHub, event: Event) -> None:
    github.pull(6, "other", "try/it", "abc")
    github.pull(7, "fork", "try/it", "abc")
    github.pulls[1]["head"]["label"] = "Fork:try/it"
    event(workflow_run=finished())
    assert run("comment") == 0
    assert (len(github.bodies(6)), len(github.bodies(7))) == (0, 1)


def test_a_head_that_has_moved_on_gets_no_comment(
    github: GitHub, event: Event, capsys: pytest.CaptureFixture[str]
) -> None:
    github.pull(7, "Fork", "try/it", "newer")
    event(workflow_run=finished("abc"))
    assert run("comment") == 0
    assert "#7 has moved on since abc" in capsys.readouterr().out
    assert github.comments == {}


def test_a_closed_pull_request_gets_no_comment(
    github: GitHub, event: Event, capsys: pytest.CaptureFixture[str]
) -> None:
    event(workflow_run=finished())
    assert run("comment") == 0
    assert "Fork:try/it has no open pull request" in capsys.readouterr().out


def test_two_pull_requests_of_one_head_are_not_guessed(github: GitHub, event: Event) -> None:
    for number in (7, 8):
        github.pull(number, "Fork", "try/it", "abc")
    event(workflow_run=finished())
    with pytest.raises(EvidenceError, match="#7, #8 have the same head: say which"):
        run("comment")


@pytest.mark.parametrize("known", [{"event": "push"}, {"head_repository": None}, {"head_branch": 5}])
def test_a_finished_run_of_something_else(
    event: Event, known: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    event(workflow_run=finished(**known))
    assert run("comment") == 0
    assert "nothing to comment on" in capsys.readouterr().out


def test_an_event_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "event.json").write_text("{")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    with pytest.raises(EvidenceError, match="the event in GITHUB_EVENT_PATH cannot be read"):
        run("comment")


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "said", "way_on"),
    [
        (401, "Bad credentials", "renew GITHUB_TOKEN"),
        (403, REFUSED, r"workflow_run, as examples/workflows/comment\.yml does"),
        (403, "You have exceeded a secondary rate limit", "run this step again in some minutes"),
        (404, "Not Found", "look at --repo and --pull-request"),
        (422, "Validation Failed", "does not take what was sent"),
        (429, "Slow down", "run this step again in some minutes"),
        (418, "I'm a teapot", "not foreseen"),
    ],
)
def test_a_refusal_says_the_way_on(github: GitHub, status: int, said: str, way_on: str) -> None:
    github.failures.append((POST, status, said))
    with pytest.raises(EvidenceError, match=f"GitHub answers {status} .*{way_on}"):
        post()


def test_what_github_says_is_inert(github: GitHub) -> None:
    github.failures.append((POST, 422, "no\n::error::boo\x1b[2J"))
    with pytest.raises(EvidenceError) as caught:
        post()
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("call", ["GET /repos/me/it", "GET /user", "GET /repos/me/it/issues/5/comments"])
def test_a_server_that_stumbles_is_asked_again(github: GitHub, call: str) -> None:
    github.failures.append((call, 502, "bad gateway"))
    assert post() == 0
    assert len(github.bodies(5)) == 1


def test_a_server_that_is_down_is_not_asked_for_ever(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib3.util.Retry.sleep", lambda *_: None)
    github.failures += [("GET /repos/me/it", 500, "oh no")] * 9
    with pytest.raises(EvidenceError, match="trouble of its own"):
        post()
    assert len(github.calls) == 4


@pytest.mark.parametrize("made", [True, False])
def test_what_was_made_in_spite_of_an_error_is_not_made_twice(
    github: GitHub, monkeypatch: pytest.MonkeyPatch, made: bool
) -> None:
    def stumble(_: float) -> None:
        if made:
            github.comment(5, MARK)

    monkeypatch.setattr(sticky, "time", SimpleNamespace(sleep=stumble))
    github.failures.append((POST, 502, "bad gateway"))
    assert post() == 0
    assert len(github.bodies(5)) == 1


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, github: GitHub) -> None:
    monkeypatch.setattr("urllib3.util.Retry.sleep", lambda *_: None)
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    with pytest.raises(EvidenceError, match="cannot be reached"):
        post()


def test_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    with pytest.raises(EvidenceError, match="set GITHUB_TOKEN"):
        post()


def test_without_pygithub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "github", cast("Any", None))
    with pytest.raises(EvidenceError, match=r"pip install 'pytest-mlops\[github\]'"):
        post()


@pytest.mark.parametrize("name", ["", "it", "me/it/.."])
def test_a_repository_that_is_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", name)
    with pytest.raises(EvidenceError, match="say --repo OWNER/NAME"):
        post()


def test_the_token_is_never_shown() -> None:
    assert "s3cret" not in repr(context.Context(repository="me/it", token="s3cret"))


def test_without_pytest_and_without_pygithub_until_it_is_asked() -> None:
    program = (
        "import sys, argparse; from pytest_mlops.posting import command; "
        "command.add(argparse.ArgumentParser().add_subparsers()); from pytest_mlops.posting import trust; "
        "sys.exit(bool({'pytest', 'github', 'requests', 'pandas'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# --- length ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["## Head\n" + "row\n" * 40_000, "## Head " + "x" * 90_000])
def test_a_body_is_never_too_long(text: str) -> None:
    body = sticky.Mark("gate", "me").on(text)
    assert len(body) <= sticky.LONGEST
    assert body.startswith(f"{MARK}\n## Head")
    assert body.endswith("in the report of the run.\n")


def test_a_body_that_fits_is_whole() -> None:
    assert sticky.Mark("gate", "me").on("x\n") == f"{MARK}\nx\n"


def test_a_message_of_github_that_is_no_object() -> None:
    assert "GitHub answers 500 (None)" in client._words(500, None)
