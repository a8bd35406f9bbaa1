"""The composite action's steps, run as GitHub's runner runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import FROM_A_FORK, Checkout
from .runner import ROOT

CONFTEST = """
import numpy as np
import pytest
from pytest_mlops import Evaluation

@pytest.fixture
def mlops_challenger():
    truth = np.arange(400) % 2
    said = truth.copy()
    said[:40] ^= 1
    return Evaluation(truth, said, row_ids=np.arange(400))
"""
ASKS = '[[performance_threshold]]\nmetric = "accuracy"\nat_least = {}\n'
PROJECT = {"pytest.ini": "[pytest]\n", "conftest.py": CONFTEST, "mlops.toml": ASKS.format(0.8)}
FOUND = """def test_it(mlops):
    mlops.performance_threshold("accuracy", at_least=0.7, name="found")
"""
REPORT = '{{"schema_version": 1, "decision": "{}", "results": [], "provenance": {{}}}}'
JUDGES = """
report="${{!#}}" && report="${{report#--mlops-report=}}"
mkdir -p "$report" && printf '%s' '{}' > "$report/gate.json"
"""


def judged(checkout: Checkout, decision: str, status: int) -> None:
    """A pytest that comes to this decision, and leaves with this exit status."""
    checkout.tool("pytest", f"{JUDGES.format(REPORT.format(decision))}\nexit {status}")


# --- with the real pytest --------------------------------------------------------------------------------------------


def test_a_good_model_may_be_merged(checkout: Checkout) -> None:
    checkout.write(PROJECT)
    done = checkout.run()
    assert (done.status, done.outputs["decision"]) == (0, "merge")
    assert done.outputs["report"] == ".mlops/report"
    assert {"gate.json", "summary.md", "candidate/model/record.json"} <= set(checkout.kept["mlops-report"])


def test_a_bad_model_is_blocked_by_the_base_branchs_policy_whatever_its_own_says(checkout: Checkout) -> None:
    checkout.write(PROJECT | {"mlops.toml": ASKS.format(0.99)})
    checkout.write({"mlops.toml": ASKS.format(0.1)}, base=False)
    done = checkout.run()
    assert (done.status, done.outputs["decision"]) == (1, "block")
    assert "gate.json" in checkout.kept["mlops-report"]
    assert checkout.asked_for == ["refs/heads/main"]


def test_names_are_names(checkout: Checkout) -> None:
    names = ["a b/test_it $(touch pwned).py", "a b/test_it; touch pwned; '`touch pwned`.py"]
    checkout.write(PROJECT | dict.fromkeys(names, FOUND))
    done = checkout.run(paths="\n".join(names), args="-o\njunit_suite_name=$(touch pwned); touch pwned\n\n")
    assert (done.status, done.outputs["decision"]) == (0, "merge")
    assert "3 passed" in done.log
    assert not list(checkout.path.rglob("pwned"))


def test_a_root_further_down_has_its_report_where_it_is_looked_for(checkout: Checkout) -> None:
    checkout.write({f"models/{name}": text for name, text in PROJECT.items()})
    done = checkout.run(paths="models", policy=".mlops-base/models", champion=".mlops-base/models")
    assert (done.status, done.outputs["decision"]) == (0, "merge")


# --- whatever pytest does --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "status", "fail_on", "expected"),
    [
        ("merge", 0, "block", (0, "merge")),
        ("merge", 0, "review", (0, "merge")),
        ("merge", 1, "block", (1, "block")),
        ("merge", 3, "block", (3, "block")),
        ("review", 0, "block", (0, "review")),
        ("review", 0, "review", (1, "review")),
        ("review", 1, "review", (1, "review")),
        ("review", 1, "block", (1, "block")),
        ("review", 3, "review", (3, "block")),
        ("block", 0, "block", (1, "block")),
        ("block", 1, "block", (1, "block")),
        ("block", 2, "review", (2, "block")),
    ],
)  # fmt: skip
def test_the_exit_status_and_the_report_must_agree(
    checkout: Checkout, decision: str, status: int, fail_on: str, expected: tuple[int, str]
) -> None:
    judged(checkout, decision, status)
    checkout.tool("pytest-mlops", f"echo {decision}")
    done = checkout.run(fail_on=fail_on)
    assert (done.status, done.outputs["decision"]) == expected


@pytest.mark.parametrize("status", [0, 1, 2, 3, 4, 5, 137])
def test_a_run_without_a_report_is_blocked_and_an_old_report_does_not_speak_for_it(
    checkout: Checkout, status: int
) -> None:
    checkout.write({".mlops/report/gate.json": REPORT.format("merge")})
    checkout.tool("pytest", f"exit {status}")
    done = checkout.run()
    assert (done.status, done.outputs["decision"]) == (status or 1, "block")
    assert "mlops-report" in checkout.kept


def test_a_report_that_cannot_be_read_is_blocked(checkout: Checkout) -> None:
    checkout.tool("pytest", JUDGES.format("not JSON"))
    done = checkout.run()
    assert (done.status, done.outputs["decision"]) == (1, "block")


def test_an_install_that_fails_is_blocked(checkout: Checkout) -> None:
    checkout.write({".mlops/report/gate.json": REPORT.format("merge")})
    judged(checkout, "merge", 0)
    done = checkout.run(install="false | true")
    assert (done.status, done.outputs["decision"]) == (1, "block")
    assert "::error title=pytest-mlops::The gate did not run to its end: blocked." in done.log


def test_the_plugin_comes_with_the_action(checkout: Checkout) -> None:
    judged(checkout, "merge", 0)
    checkout.run(install='printf %s "$MLOPS_PACKAGE" > package')
    folder, extra, _ = (checkout.path / "package").read_text(encoding="utf-8").partition("[github]")
    assert extra
    assert Path(folder).resolve() == ROOT
    assert (ROOT / "pyproject.toml").is_file()


def test_the_code_under_test_cannot_write_our_outputs_by_mistake(checkout: Checkout) -> None:
    checkout.tool("pytest", "env > variables; exit 3")
    checkout.run()
    seen = {line.partition("=")[0] for line in (checkout.path / "variables").read_text(encoding="utf-8").splitlines()}
    assert not seen & {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_TOKEN"}
    assert {"GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"} <= seen


def test_arguments_and_paths_are_one_a_line_and_ours_come_last(checkout: Checkout) -> None:
    checkout.tool("pytest", "printf '%s\\n' \"$@\" > arguments; exit 3")
    checkout.run(args="-n2\n-k\n a or b\n", paths="\none two\nthree\n", report="out put")
    assert (checkout.path / "arguments").read_text(encoding="utf-8").splitlines() == [
        *("-n2", "-k", "a or b", "one two", "three"),
        *("--mlops-policy=.mlops-base", "--mlops-champion=.mlops-base", "--mlops"),
        *("--mlops-fail-on=block", f"--mlops-report={checkout.path}/out put"),
    ]


# --- who is told -----------------------------------------------------------------------------------------------------

WRITES_DOWN = 'if [ "$1" = report ]; then echo {}; else printf "%s\\n" "$GITHUB_TOKEN" "$@" > posted; exit {}; fi'


@pytest.mark.parametrize(("decision", "status"), [("merge", 0), ("block", 1)])
@pytest.mark.parametrize("posting", [0, 1])
def test_a_comment_changes_nothing_whether_it_is_posted_or_not(
    checkout: Checkout, decision: str, status: int, posting: int
) -> None:
    judged(checkout, decision, status)
    checkout.tool("pytest-mlops", WRITES_DOWN.format(decision, posting))
    done = checkout.run(comment="true", paths="one two\nthree")
    assert (done.status, done.outputs["decision"]) == (status, decision)
    assert ("::warning title=pytest-mlops::The summary was not posted" in done.log) is bool(posting)
    assert (checkout.path / "posted").read_text(encoding="utf-8").splitlines() == [
        *("t0ken", "comment", "--report", ".mlops/report", "--policy", ".mlops-base", "--champion", ".mlops-base"),
        *("--paths", "one two", "three"),
    ]


def test_the_real_command_without_an_api_only_warns(checkout: Checkout) -> None:
    judged(checkout, "merge", 0)
    checkout.runner.github["token"] = ""
    done = checkout.run(comment="true")
    assert (done.status, done.outputs["decision"]) == (0, "merge")
    assert "::warning title=pytest-mlops::The summary was not posted" in done.log


def test_a_fork_and_a_queue_are_not_commented_on(checkout: Checkout) -> None:
    judged(checkout, "merge", 0)
    checkout.tool("pytest-mlops", WRITES_DOWN.format("merge", 0))
    checkout.event("pull_request", base_ref="main", event={"pull_request": {"head": FROM_A_FORK}})
    assert checkout.run(comment="true").status == 0
    checkout.event("push", ref="refs/heads/main", event={"repository": {"default_branch": "main"}})
    assert checkout.run(comment="true").status == 0
    assert not (checkout.path / "posted").exists()


def test_an_upload_that_fails_changes_nothing(checkout: Checkout) -> None:
    judged(checkout, "merge", 0)
    checkout.runner.uses = {**checkout.runner.uses, "actions/upload-artifact": lambda given: False}
    assert checkout.run().status == 0


# --- whose policy counts ---------------------------------------------------------------------------------------------

MAIN = {"repository": {"default_branch": "main"}}


@pytest.mark.parametrize(
    ("event", "github", "expected"),
    [
        ("pull_request", {"base_ref": "release/1"}, ["refs/heads/release/1"]),
        ("merge_group", {"event": {"merge_group": {"base_sha": "a" * 40}}}, ["a" * 40]),
        ("push", {"ref": "refs/heads/work", "event": MAIN}, ["refs/heads/main"]),
        ("workflow_dispatch", {"ref": "refs/tags/v1", "event": MAIN}, ["refs/heads/main"]),
        ("push", {"ref": "refs/heads/main", "event": MAIN}, []),
        ("schedule", {"ref": "refs/heads/main"}, []),
    ],
)
def test_what_is_not_the_default_branch_is_judged_by_another(
    checkout: Checkout, event: str, github: dict[str, object], expected: list[str]
) -> None:
    judged(checkout, "merge", 0)
    checkout.event(event, **github)
    assert checkout.run().status == 0
    assert checkout.asked_for == expected


def test_a_link_cannot_stand_for_the_base_branch(checkout: Checkout) -> None:
    judged(checkout, "merge", 0)
    checkout.write({"mine": "base"})
    checkout.write({"mine": "pull request"}, base=False)
    (checkout.path / ".mlops-base").symlink_to(".", target_is_directory=True)
    assert checkout.run().status == 0
    assert (checkout.path / ".mlops-base/mine").read_text(encoding="utf-8") == "base"
    assert (checkout.path / "mine").read_text(encoding="utf-8") == "pull request"


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run", "pull_request", "merge_group"])
def test_an_event_with_secrets_or_without_a_base_is_refused(checkout: Checkout, event: str) -> None:
    judged(checkout, "merge", 0)
    checkout.event(event, ref="refs/heads/main", event=MAIN)
    done = checkout.run()
    assert (done.status, done.outputs["decision"]) == (1, "block")
    assert "::error title=pytest-mlops::" in done.log
    assert not checkout.kept


@pytest.mark.parametrize(
    "inputs",
    [
        {"fail_on": "never"},
        {"comment": "yes"},
        {"report": ""},
        {"report": "out\nsecrets"},
        {"report": "**"},
        {"report": "~/out"},
        {"paths": "--mlops-policy=mine"},
    ],
    ids=str,
)
def test_an_input_that_means_nothing_is_refused(checkout: Checkout, inputs: dict[str, str]) -> None:
    judged(checkout, "merge", 0)
    done = checkout.run(**inputs)
    assert (done.status, done.outputs["decision"]) == (1, "block")
    assert f"::error title=pytest-mlops::{next(iter(inputs)).replace('_', '-')}:" in done.log
