"""All YAML that a CI reads: valid by the published schemas, and audited."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .runner import ACTION, BASH, ROOT, evaluated, filled, loaded

EXAMPLES = ROOT / "examples"
OURS = sorted((ROOT / ".github/workflows").glob("*.yml"))
WORKFLOWS = [*OURS, *sorted((EXAMPLES / "workflows").glob("*.yml"))]
GITLAB, AZURE = EXAMPLES / "gitlab/.gitlab-ci.yml", EXAMPLES / "azure/azure-pipelines.yml"
FILES = [ACTION / "action.yml", *WORKFLOWS]
MAY_WRITE = {
    "comment.yml": {"comment": "pull-requests"},
    "monitor.yml": {"issue": "issues"},
    "promote.yml": {"promote": "contents"},
    "pull-request.yml": {"comment": "pull-requests"},
}
"""The only jobs with a right to write, and what; none of them runs code of a pull request."""


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = loaded(path).get("jobs", {})
    return found


def steps(path: Path) -> Iterator[dict[str, Any]]:
    document = loaded(path)
    yield from document.get("runs", {}).get("steps", [])
    for job in document.get("jobs", {}).values():
        yield from job.get("steps", [])


def scripts(path: Path) -> list[str]:
    if path == GITLAB:
        return ["\n".join(loaded(path)["model-gate"]["script"])]
    if path == AZURE:
        return [step["bash"] for step in loaded(path)["steps"] if "bash" in step]
    return [step["run"] for step in steps(path) if "run" in step]


@pytest.mark.parametrize(
    ("schema", "options", "files"),
    [
        ("github-actions", [], FILES[:1]),
        ("github-workflows", [], WORKFLOWS),
        ("gitlab-ci", ["--data-transform", "gitlab-ci"], [GITLAB]),
        # its patterns are those of .NET
        ("azure-pipelines", ["--data-transform", "azure-pipelines", "--regex-variant", "python"], [AZURE]),
    ],
)
def test_every_file_is_valid_by_its_published_schema(schema: str, options: list[str], files: list[Path]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *options]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readmes_own_workflow(tmp_path: Path) -> None:
    """It is as valid, and as safe, as those to copy."""
    path = tmp_path / ".github/workflows/gate.yml"
    path.parent.mkdir(parents=True)
    found = re.search(
        r"<!-- gate\.yml -->\n```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), flags=re.DOTALL
    )
    assert found
    path.write_text(found.group(1), encoding="utf-8")
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    audit = [str(Path(sys.executable).with_name("zizmor")), "--offline", "--no-progress", "--no-config"]
    for command in (schema, audit):
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    (gate,) = [step for step in loaded(path)["jobs"]["gate"]["steps"] if "pytest-mlops" in step["uses"]]
    assert gate["with"].keys() <= loaded(ACTION / "action.yml")["inputs"].keys()


def test_the_audit_finds_nothing() -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [str(zizmor), "--offline", "--no-progress", "--no-config", "--strict-collection"]
    done = subprocess.run([*command, *map(str, FILES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stderr.count("completed") == len(FILES), done.stderr


@pytest.mark.parametrize("path", FILES, ids=named)
def test_nothing_is_written_into_a_script(path: Path) -> None:
    assert [script for script in scripts(path) if "${{" in script] == []


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_script_says_its_shell(path: Path) -> None:
    assert {step["shell"] for step in steps(path) if "run" in step} <= {"bash"}


@pytest.mark.parametrize("path", [*FILES, GITLAB, AZURE], ids=named)
def test_every_script_is_one(path: Path) -> None:
    assert scripts(path) or path.name == "gate.yml"
    for script in scripts(path):
        done = subprocess.run([*BASH, "-n"], input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_action_is_pinned_and_says_its_version(path: Path) -> None:
    lines = re.findall(r"^ +(?:- )?uses: (.*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == sum("uses" in step for step in steps(path))
    for line in lines:
        pinned = re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # (v\d+\.\d+\.\d+|fill in)", line)
        assert pinned or line.startswith("$/.github/actions/gate #"), line


def test_an_action_has_one_pin_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for path in FILES:
        for name, pin in re.findall(r"uses: ([\w./-]+)@(.*)", path.read_text(encoding="utf-8")):
            pins.setdefault(name, set()).add(pin)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_a_token_reads_and_only_the_jobs_that_must_may_write(path: Path) -> None:
    assert loaded(path)["permissions"] in ({}, {"contents": "read"})
    writes = {
        name: [what for what, right in job.get("permissions", {}).items() if right == "write"]
        for name, job in jobs(path).items()
    }
    allowed = MAY_WRITE.get(path.name, {})
    assert writes == {name: [allowed[name]] if name in allowed else [] for name in writes}


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_no_checkout_leaves_its_token_behind(path: Path) -> None:
    for step in steps(path):
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_a_job_that_may_write_checks_out_no_pull_request(path: Path) -> None:
    for name in MAY_WRITE.get(path.name, {}):
        for step in jobs(path)[name]["steps"]:
            assert "gate@" not in step.get("uses", "")
            if "actions/checkout" in step.get("uses", ""):
                assert re.search(r"github\.(base_ref|ref|event\.repository\.default_branch) ", step["with"]["ref"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_no_job_runs_for_ever(path: Path) -> None:
    assert all("timeout-minutes" in job for job in jobs(path).values())


def test_a_pull_request_and_the_queue_are_judged_without_a_filter() -> None:
    on = loaded(EXAMPLES / "workflows/pull-request.yml")["on"]
    assert on == {"pull_request": None, "merge_group": None}


def test_the_comment_follows_the_workflow_of_that_name() -> None:
    judging, commenting = (loaded(EXAMPLES / "workflows" / name) for name in ("pull-request.yml", "comment.yml"))
    assert commenting["on"]["workflow_run"]["workflows"] == [judging["name"]]


@pytest.mark.parametrize("fork", [True, False])
@pytest.mark.parametrize("conclusion", ["success", "failure", "cancelled", "skipped"])
def test_each_pull_request_gets_its_comment_from_one_place(fork: bool, conclusion: str) -> None:
    """Whatever came of the gate, unless it was called off."""
    head = {"full_name": "stranger/fork" if fork else "team/credit"}
    run = {"event": "pull_request", "conclusion": conclusion, "head_repository": head}
    event = {"pull_request": {"head": {"repo": head}}, "workflow_run": run}
    contexts = {
        "github": {"event_name": "pull_request", "repository": "team/credit", "event": event},
        "status": {"success": conclusion == "success", "failure": conclusion == "failure"},
    }
    conditions = [jobs(EXAMPLES / "workflows" / name)["comment"]["if"] for name in ("pull-request.yml", "comment.yml")]
    came = conclusion in ("success", "failure")
    assert [bool(evaluated(text, contexts)) for text in conditions] == [came and not fork, came and fork]


def test_an_artifact_is_fetched_by_the_name_it_was_kept_under() -> None:
    kept = loaded(ACTION / "action.yml")["inputs"]["artifact"]["default"]
    fetched = [step for path in WORKFLOWS for step in steps(path) if "download-artifact" in step.get("uses", "")]
    assert len(fetched) == 4
    for step in fetched:
        assert step["with"]["name"] == kept
        assert filled(step["with"]["path"], {"runner": {"temp": "/temp"}}) == "/temp/mlops-report"


def test_the_reusable_workflow_offers_what_the_action_offers() -> None:
    action, workflow = loaded(ACTION / "action.yml")["inputs"], loaded(ROOT / ".github/workflows/gate.yml")
    offered = workflow["on"]["workflow_call"]["inputs"]
    (step,) = (step for step in jobs(ROOT / ".github/workflows/gate.yml")["gate"]["steps"] if step.get("id") == "gate")
    assert step["with"].keys() == offered.keys() - {"timeout-minutes"}
    assert step["with"].keys() <= action.keys()
    assert {k: v.get("default", "") for k, v in offered.items() if k in action} == {
        name: action[name]["default"] for name in step["with"]
    }


@pytest.mark.parametrize("path", [*FILES[1:], GITLAB, AZURE], ids=named)
def test_what_is_to_be_filled_in_is_an_owner_and_a_commit(path: Path) -> None:
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    told = re.sub(rf"OWNER/pytest-mlops(/\.github/actions/gate)?@{'0' * 40}", "", text)
    assert "OWNER" not in told
    assert "0" * 40 not in told


def test_the_line_that_fills_them_in_leaves_none(tmp_path: Path) -> None:
    text = (EXAMPLES / "workflows/README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^sed .*", text, re.MULTILINE)
    for path in WORKFLOWS[len(OURS) :]:
        copy = tmp_path / ".github/workflows" / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run([*BASH, "-c", line.replace("the full commit", "a" * 40)], cwd=tmp_path, check=True)
    for copy in (tmp_path / ".github/workflows").iterdir():
        uses = " ".join(part for step in steps(copy) for part in (step.get("uses", ""), step.get("run", "")))
        assert "OWNER/" not in uses
        assert "0" * 40 not in uses


def test_what_is_posted_is_posted_with_options_that_there_are() -> None:
    from pytest_mlops.posting import command

    parser = ArgumentParser()
    command.add(parser.add_subparsers())
    lines = [line for path in FILES for script in scripts(path) for line in script.splitlines()]
    calls = [shlex.split(line.removesuffix("||")) for line in lines if re.search("pytest-mlops (comment|issue)", line)]
    asked = [parser.parse_args(call[1:]) for call in calls]
    assert sorted(one.run.__name__.strip("_") for one in asked) == ["comment"] * 3 + ["issue"]
    assert {str(one.policy) for one in asked} == {"$POLICY", ".", "None"}


def test_gitlab_reads_what_the_run_writes_for_it() -> None:
    from pytest_mlops.report.formats import detected, files

    written = files(detected({"GITLAB_CI": "true"}))
    artifacts = loaded(GITLAB)["model-gate"]["artifacts"]
    assert artifacts["when"] == "always"
    assert {Path(path).name for path in artifacts["reports"].values()} <= set(written.values())
    assert {Path(path).parent for path in artifacts["reports"].values()} == {Path(".mlops/report")}
