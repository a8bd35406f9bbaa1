"""As much of GitHub's runner as a composite action needs: its expressions, its files, and the order of its steps."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github/actions/gate"
BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")  # what `shell: bash` means

Inputs = Mapping[str, str]
Used = Callable[[Inputs], bool]
"""What stands for somebody else's action: from its inputs to whether it succeeds."""


def loaded(path: Path) -> dict[str, Any]:
    """A YAML file; its `on` is a word and no truth value."""
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in document.items()}


# --- expressions -----------------------------------------------------------------------------------------------------


def evaluated(text: str, contexts: Mapping[str, Any]) -> Any:
    """The value of what stands between ``${{`` and ``}}``: names, texts, brackets, `||`, `&&`, `==` and `!=`."""
    while inner := re.search(r"(?<!\w)\(((?:[^()]|\(\))+)\)", text):
        text = text.replace(inner[0], "'yes'" if evaluated(inner[1], contexts) else "''")
    value: Any = ""
    for alternative in text.split("||"):
        for term in alternative.split("&&"):
            value = _comparison(term, contexts)
            if not value:
                break
        if value:
            return value
    return value


def _comparison(text: str, contexts: Mapping[str, Any]) -> Any:
    left, sign, right = re.fullmatch(r"\s*(.*?)\s*(?:(==|!=)\s*(.*?)\s*)?", text, re.DOTALL).groups()  # type: ignore[union-attr]
    if sign is None:
        return _value(left, contexts)
    return (_value(left, contexts) == _value(right, contexts)) is (sign == "==")


def _value(name: str, contexts: Mapping[str, Any]) -> Any:
    if name.startswith("'"):
        return name[1:-1]
    if name.endswith("()"):
        return contexts["status"][name[:-2]]
    assert re.fullmatch(r"[\w-]+(\.[\w-]+)+", name), f"the runner under test does not know {name!r}"
    found: Any = contexts
    for part in name.split("."):
        found = found.get(part, "") if isinstance(found, Mapping) else ""
    return found


def filled(text: str, contexts: Mapping[str, Any]) -> str:
    """A text with its expressions replaced by their values."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(evaluated(found[1], contexts)), text)


# --- steps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """What an action left behind."""

    status: int
    outputs: Mapping[str, str]
    log: str


@dataclass
class Runner:
    """Runs the steps of a composite action in a workspace.

    Parameters
    ----------
    workspace : Path
    temp : Path
        The runner's own folder, outside of the workspace.
    environment : mapping
        Of each step.
    uses : mapping
        By the action's name without its version, who stands for it. Every action that is used must be here.
    """

    workspace: Path
    temp: Path
    environment: Mapping[str, str]
    uses: Mapping[str, Used]
    github: dict[str, Any] = field(default_factory=dict)
    _log: str = ""
    _status: int = 0

    def run(self, **inputs: str) -> Done:
        """Run it with these inputs, an underscore standing for a hyphen; the rest has its defaults."""
        action = loaded(ACTION / "action.yml")
        known = {name: str(one["default"]) for name, one in action["inputs"].items()}
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert given.keys() <= known.keys()
        contexts: dict[str, Any] = {"inputs": {**known, **given}, "github": self.github, "steps": {}}
        self._log, self._status = "", 0
        for step in action["runs"]["steps"]:
            contexts["steps"][step.get("id", step["name"])] = self._step(step, contexts)
        outputs = {name: filled(output["value"], contexts) for name, output in action["outputs"].items()}
        return Done(self._status, outputs, self._log)

    def _step(self, step: Mapping[str, Any], contexts: dict[str, Any]) -> dict[str, Any]:
        contexts["status"] = {"always": True, "success": self._status == 0}
        condition = str(step.get("if", "success()"))
        if not re.search(r"\b(always|success)\(\)", condition):
            condition = " && ".join(("success()", condition))
        if not evaluated(condition, contexts):
            return {"outcome": "skipped"}
        status, outputs = self._script(step, contexts) if "run" in step else self._used(step, contexts)
        if status and not step.get("continue-on-error"):
            self._status = self._status or status
        return {"outcome": "failure" if status else "success", "outputs": outputs}

    def _used(self, step: Mapping[str, Any], contexts: Mapping[str, Any]) -> tuple[int, dict[str, str]]:
        given = {name: filled(str(value), contexts) for name, value in step.get("with", {}).items()}
        return int(not self.uses[step["uses"].partition("@")[0]](given)), {}

    def _script(self, step: Mapping[str, Any], contexts: Mapping[str, Any]) -> tuple[int, dict[str, str]]:
        assert step["shell"] == "bash"
        script, output = self.temp / "script.sh", self.temp / "output"
        script.write_text(filled(step["run"], contexts), encoding="utf-8")
        output.write_text("", encoding="utf-8")
        done = subprocess.run(
            [*BASH, str(script)],
            cwd=self.workspace,
            env={**self._variables(output), **{k: filled(v, contexts) for k, v in step.get("env", {}).items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self._log += done.stdout
        lines = output.read_text(encoding="utf-8").splitlines()
        return done.returncode, {name: value for name, _, value in (line.partition("=") for line in lines)}

    def _variables(self, output: Path) -> dict[str, str]:
        files = {f"GITHUB_{name}": str(self.temp / name.lower()) for name in ("ENV", "PATH", "STATE", "STEP_SUMMARY")}
        return {
            **self.environment,
            **files,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ACTION),
            "GITHUB_EVENT_NAME": str(self.github.get("event_name", "")),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
        }
