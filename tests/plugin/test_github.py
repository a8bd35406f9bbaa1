"""GitHub Actions: annotations that point at the tests, and the job's summary."""

from __future__ import annotations

import pytest

from .conftest import PASSES, Project

MANY = """
import pytest
@pytest.mark.parametrize("number", range(50))
def test_many(mlops, number):
    mlops.performance_threshold("accuracy", at_least=0.99, name=str(number))
"""


@pytest.fixture(autouse=True)
def _on_actions(_no_ci: None, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "job.md"))


def commands(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("::")]


def test_the_roll_up_comes_first_and_ten_are_the_most(project: Project, workers: int) -> None:
    project.tests(test_it=MANY)
    said = commands(project.run(workers=workers).out)
    assert said[0] == "::error title=Model gate::Merge blocked: 50 FAIL of 50 checks."
    assert len(said) == 10
    assert all(
        line.startswith("::error file=test_it.py,line=2,title=FAIL performance_threshold%3A") for line in said[1:]
    )


def test_files_are_named_from_the_checkout(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.path.parent))
    project.tests(test_it=PASSES.replace("0.8", "0.99"))
    assert f"file={project.path.name}/test_it.py,line=1," in commands(project.run().out)[1]


@pytest.mark.parametrize(("tests", "level"), [(PASSES, "notice"), (PASSES.replace("0.8", "0.88"), "warning")])
def test_levels(project: Project, tests: str, level: str) -> None:
    project.tests(test_it=tests)
    assert commands(project.run().out)[0].startswith(f"::{level} title=Model gate::The challenger may merge")


def test_the_job_summary_is_added_to(project: Project) -> None:
    job = project.path / "job.md"
    job.write_text("before\n")
    project.tests(test_it=PASSES)
    project.run()
    summary = (project.path / ".mlops/report/summary.md").read_text(encoding="utf-8")
    assert job.read_text(encoding="utf-8") == "before\n" + summary
