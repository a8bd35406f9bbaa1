"""A tiny project with two models, and one way to run the gate on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import narwhals
import numpy as np
import pandas as pd
import pytest
import rich.table
import scipy.optimize
import scipy.special

import pytest_mlops.recording
import pytest_mlops.session
from pytest_mlops import CheckResult, GateReport

# pytester forgets what a run in this process has imported, and numpy cannot be imported twice.
KEPT = (narwhals, np, pd, rich.table, scipy.optimize, scipy.special, pytest_mlops.recording, pytest_mlops.session)

# Plugins that have no part in it and take their time.
WITHOUT = ("-p", "no:hypothesispytest", "-p", "no:cov", "-p", "no:cacheprovider")

CONFTEST = """
import pytest
from pytest_mlops import Evaluation

def model(first_error, n=400, errors=40):
    import numpy as np  # here, so that a worker without a test does without
    y = np.arange(n) % 2
    said = y.copy()
    said[first_error : first_error + errors] ^= 1
    return Evaluation(y, said, said * 0.5 + np.linspace(0, 0.1, n), row_ids=np.arange(n))

@pytest.fixture
def mlops_challenger():
    return model(5)

@pytest.fixture
def mlops_champion():
    return model(0)
"""
PASSES = """
def test_passes(mlops):
    mlops.performance_threshold("accuracy", at_least=0.8)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run left behind."""

    status: int
    out: str
    report: GateReport | None
    count: Callable[[], dict[str, int]]
    """What pytest's last line counts."""

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """Of gate.json, where there is one."""
        return () if self.report is None else self.report.results

    @property
    def decision(self) -> str | None:
        """Of gate.json, where there is one."""
        return None if self.report is None else self.report.decision.value

    def result(self, name: str) -> CheckResult:
        """The one of this id."""
        (found,) = (result for result in self.results if result.id == name)
        return found

    @property
    def messages(self) -> str:
        """All that the results say."""
        return "\n".join(result.message for result in self.results)


class Project:
    """A folder with a conftest and tests."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self.path: Path = pytester.path
        self.base: Path = pytester.path.with_name(f"{pytester.path.name}-base")
        """Stands for a checkout of the base branch, outside of the project."""
        self.shared = CONFTEST.partition("@pytest.fixture")[0]
        """What a folder's own conftest may import from a module `shared`: the function `model`."""
        pytester.makeini("[pytest]\npythonpath = .\n")
        self.conftest()

    def conftest(self, more: str = "") -> None:
        """Write it; `more` may define the fixtures anew."""
        self._pytester.makeconftest(CONFTEST + more)

    def tests(self, **files: str) -> None:
        """Write files of tests, by name."""
        if files:
            self._pytester.makepyfile(**files)

    def write(self, name: str | Path, text: str) -> None:
        """A file, in whatever folder."""
        path = self.path / name  # an absolute name stays what it is
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))

    def policy(self, text: str, folder: str = "") -> None:
        """`mlops.toml` of one model."""
        self.write(str(Path(folder, "mlops.toml")), text)

    def run(self, *options: str, workers: int = 0, apart: bool = False, flag: str = "--mlops") -> Run:
        """Run the gate; in this process, unless it is to run `apart`. Workers have processes of their own anyway."""
        run = self._pytester.runpytest_subprocess if apart else self._pytester.runpytest_inprocess
        done = run(*filter(None, [flag]), f"-n{workers}", *WITHOUT, *options)
        written = self.path / ".mlops/report/gate.json"
        report = GateReport.from_json(written.read_text(encoding="utf-8")) if written.is_file() else None
        return Run(int(done.ret), f"{done.stdout.str()}\n{done.stderr.str()}", report, done.parseoutcomes)


def schema_of_the_policy() -> dict[str, Any]:
    """The JSON Schema of `mlops.toml`."""
    text = resources.files("pytest_mlops").joinpath("mlops.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    return Project(pytester)


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own CI's summary and annotations are not for the runs under test."""
    ours = ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "GITLAB_CI", "TF_BUILD", "JENKINS_URL")
    for name in ours:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(params=[0, 2], ids=["n0", "n2"])
def workers(request: pytest.FixtureRequest) -> int:
    """Without and with xdist."""
    count: int = request.param
    return count
