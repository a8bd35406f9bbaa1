"""The examples' own scripts, run where they would run: promotion, monitoring, and GitLab's job."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from .conftest import Checkout
from .runner import BASH, ROOT, loaded
from .test_action import ASKS, CONFTEST, MAIN, PROJECT

WORKFLOWS = ROOT / "examples/workflows"
BETTER = CONFTEST.replace("said[:40]", "said[:20]")
DRIFT = """
import numpy as np
import pytest

@pytest.fixture
def mlops_reference():
    import pandas as pd
    return pd.DataFrame({"age": np.arange(2000) % 60})

@pytest.fixture
def mlops_current(mlops_reference):
    return mlops_reference + BY
"""


class Team:
    """A repository on a server, and clones of it."""

    def __init__(self, folder: Path, checkout: Checkout) -> None:
        self._folder, self._checkout = folder, checkout
        self._server = folder / "server.git"
        self._commands(folder, f"git init --quiet --bare --initial-branch=main '{self._server}'")

    def clone(self, name: str) -> Path:
        """A new one."""
        self._commands(self._folder, f"git clone --quiet '{self._server}' '{name}'")
        return self._folder / name

    def push(self, clone: Path, files: Mapping[str, str]) -> None:
        """Commit these files, and all that lies there."""
        for name, text in files.items():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            (clone / name).write_text(text, encoding="utf-8")
        self.script(clone, "git add --all\ngit commit --quiet --message more\ngit push --quiet origin HEAD:main")

    def script(self, clone: Path, text: str, **variables: str) -> str:
        """Run it there, and give what it prints."""
        return self._commands(clone, text, **variables)

    def _commands(self, folder: Path, text: str, **variables: str) -> str:
        who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            [*BASH, "-c", text],
            cwd=folder,
            env={**self._checkout.runner.environment, **who, "GIT_CONFIG_GLOBAL": "/dev/null", **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def team(tmp_path: Path, checkout: Checkout) -> Team:
    return Team(tmp_path, checkout)


def test_what_was_judged_on_main_becomes_the_champion_on_main(team: Team, checkout: Checkout, tmp_path: Path) -> None:
    mine = team.clone("mine")
    team.push(mine, PROJECT)
    team.script(mine, "pytest --mlops && pytest-mlops promote --first")
    team.push(mine, {"conftest.py": BETTER})

    checkout.runner.workspace = team.clone("judging")
    checkout.path = checkout.runner.workspace
    checkout.event("push", ref="refs/heads/main", event=MAIN)
    done = checkout.run()
    assert (done.status, done.outputs["decision"]) == (0, "merge")
    shutil.copytree(checkout.path / ".mlops/report", tmp_path / "temp/mlops-report")

    promoting = team.clone("promoting")
    checkout.tool("gh", 'echo "$@" >> "$RUNNER_TEMP/asked"')
    steps = loaded(WORKFLOWS / "promote.yml")["jobs"]["promote"]["steps"]
    for script in (step["run"] for step in steps if "run" in step and "pip install" not in step["run"]):
        team.script(
            promoting, script, RUNNER_TEMP=str(tmp_path / "temp"), GITHUB_SHA="a" * 40, GITHUB_REF="refs/heads/main"
        )

    now = team.clone("now")
    record = json.loads((now / ".mlops/champion/record.json").read_text(encoding="utf-8"))
    (check,) = record["checks"]
    assert check["estimate"]["value"] == pytest.approx(0.95)
    assert (now / ".mlops/champion" / record["predictions"]).is_file()
    assert team.script(now, "git log -1 --format=%s").strip() == f"Promote the model judged at {'a' * 40}"
    assert (tmp_path / "temp/asked").read_text(encoding="utf-8") == "auth setup-git\n"


@pytest.mark.parametrize(("moved_by", "expected"), [(0, (0, "merge")), (30, (1, "block"))])
def test_the_monitor_asks_nothing_of_the_model_beside_it(
    checkout: Checkout, moved_by: int, expected: tuple[int, str]
) -> None:
    checkout.write(PROJECT)
    checkout.write({
        "monitoring/conftest.py": DRIFT.replace("BY", str(moved_by)),
        "monitoring/mlops.toml": '[gate]\nmodel = "production data"\n\n[[drift]]\nmethod = "ks"\nat_most = 0.2\n',
    })  # fmt: skip
    checkout.event("schedule", ref="refs/heads/main", event=MAIN)
    (inputs,) = (
        step["with"]
        for step in loaded(WORKFLOWS / "monitor.yml")["jobs"]["monitor"]["steps"]
        if "gate@" in step["uses"]
    )
    done = checkout.run(paths=inputs["paths"])
    assert (done.status, done.outputs["decision"]) == expected


def test_gitlab_judges_by_the_target_branch(team: Team) -> None:
    mine = team.clone("mine")
    team.push(mine, PROJECT | {"mlops.toml": ASKS.format(0.85), ".gitlab-ci.yml": ""})
    (mine / "mlops.toml").write_text(ASKS.format(0.1), encoding="utf-8")
    script = loaded(ROOT / "examples/gitlab/.gitlab-ci.yml")["model-gate"]["script"][1]
    team.script(mine, script, GITLAB_CI="true", CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    report = json.loads((mine / ".mlops/report/gate.json").read_text(encoding="utf-8"))
    assert [result["limits"]["at_least"] for result in report["results"]] == [0.85]
