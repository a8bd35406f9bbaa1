"""A checkout of a pull request, the base branch it would be merged into, and a runner."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .runner import Done, Inputs, Runner

FROM_A_FORK = {"repo": {"full_name": "stranger/fork"}}
FROM_HERE = {"repo": {"full_name": "team/credit"}}


class Checkout:
    """A workspace in which the action runs.

    Attributes
    ----------
    path : Path
        The pull request's tree.
    base : Path
        The base branch's tree; the action has it checked out.
    kept : dict
        What was uploaded, by the artifact's name: the files' names.
    asked_for : list of str
        What was checked out.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self.base, self._tools, temp = (folder / name for name in ("work", "base", "tools", "temp"))
        for made in (self.path, self.base, self._tools, temp):
            made.mkdir()
        self.kept: dict[str, list[str]] = {}
        self.asked_for: list[str] = []
        self.runner = Runner(self.path, temp, self._environment(), self._uses())
        self.event("pull_request", base_ref="main", event={"pull_request": {"head": FROM_HERE}})

    def _environment(self) -> dict[str, str]:
        """Our own tools first; nothing of the CI that runs these tests."""
        mine = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "GH_", "RUNNER_", "PYTEST", "CI"))}
        return {**mine, "PATH": os.pathsep.join((str(self._tools), str(Path(sys.executable).parent), mine["PATH"]))}

    def _uses(self) -> dict[str, Any]:
        return {
            "actions/setup-python": lambda given: True,
            "actions/checkout": self._check_out,
            "actions/upload-artifact": self._keep,
        }

    def _check_out(self, given: Inputs) -> bool:
        assert given["persist-credentials"] == "False"
        self.asked_for.append(given["ref"])
        shutil.copytree(self.base, self.path / given["path"], dirs_exist_ok=True)
        return True

    def _keep(self, given: Inputs) -> bool:
        folder = self.path / given["path"]
        self.kept[given["name"]] = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
        return folder.is_dir()

    def event(self, name: str, **github: Any) -> None:
        """What has happened; by default a pull request from the same repository."""
        self.runner.github = {"event_name": name, "repository": "team/credit", "token": "t0ken", **github}

    def tool(self, name: str, script: str) -> None:
        """A program that goes before the one of this name."""
        tool = self._tools / name
        tool.write_text(f"#!/usr/bin/env bash\n{script}\n", encoding="utf-8")
        tool.chmod(0o755)

    def write(self, files: Mapping[str, str], *, base: bool = True) -> None:
        """Files of the pull request, and of the base branch."""
        for folder in (self.path, self.base) if base else (self.path,):
            for name, text in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8")

    def run(self, **inputs: str) -> Done:
        """Run the action. Nothing needs to be installed."""
        return self.runner.run(**{"install": "true", **inputs})


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)
