"""The command line, and the same in an ini file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_mlops.report.formats import files

from .conftest import PASSES, Project

REVIEW = "def test_it(mlops): mlops.performance_threshold('recall', at_least=.8, warn_below=.95)"


@pytest.mark.parametrize("directory", ["out", "deep/er/out", "absolute"])
def test_the_report_directory(project: Project, directory: str, tmp_path: Path) -> None:
    target = tmp_path / "abs" if directory == "absolute" else project.path / directory
    project.tests(test_it=PASSES)
    assert project.run(f"--mlops-report={target if directory == 'absolute' else directory}").status == 0
    assert json.loads((target / "gate.json").read_text())["decision"] == "merge"
    assert (target / "summary.md").read_text(encoding="utf-8").startswith("## Model gate: The challenger may merge")
    assert (target / ".gitignore").exists()
    assert not list(target.glob(".staged-*"))


def test_an_existing_directory_keeps_its_files(project: Project) -> None:
    (project.path / "out").mkdir()
    (project.path / "out/mine.txt").write_text("mine")
    project.tests(test_it=PASSES)
    project.run("--mlops-report=out")
    ours = {"gate.json", "summary.md", "report.html", "candidate"}
    assert {path.name for path in (project.path / "out").iterdir()} == {"mine.txt", *ours}


@pytest.mark.parametrize("name", files().values())
def test_files_of_others_are_left_alone(project: Project, name: str) -> None:
    """Without gate.json the decision cannot be kept; the other files only say it again."""
    (project.path / "out").mkdir()
    (project.path / "out" / name).write_text("precious")
    project.tests(test_it=PASSES)
    run = project.run("--mlops-report=out", *(f"--mlops-format={each}" for each in files()))
    assert run.status == (1 if name == "gate.json" else 0)
    assert "no report of ours" in run.out
    assert (project.path / "out" / name).read_text() == "precious"
    others = {path.name for path in (project.path / "out").iterdir()} - {name, "candidate"}
    assert others == (set() if name == "gate.json" else set(files().values()) - {name})


@pytest.mark.parametrize(
    ("options", "status"), [((), 0), (("--mlops-fail-on=block",), 0), (("--mlops-fail-on=review",), 1)]
)
def test_fail_on(project: Project, options: tuple[str, ...], status: int, workers: int) -> None:
    project.tests(test_it=REVIEW)
    run = project.run(*options, workers=workers)
    assert (run.status, run.decision) == (status, "review")
    assert ("wants nothing but merge" in run.out) == bool(status)


def test_the_ini_file_says_the_same(project: Project, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmlops = true\nmlops_report = from_ini\nmlops_seed = 7\nmlops_fail_on = review\n")
    project.tests(test_it=REVIEW + "\ndef test_seed(mlops_seed): assert mlops_seed == 7")
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    assert done.ret == 1
    assert json.loads((project.path / "from_ini/gate.json").read_text())["provenance"]["seed"] == 7


def test_pyproject_says_the_same(project: Project, pytester: pytest.Pytester) -> None:
    (project.path / "tox.ini").unlink()
    pytester.makepyprojecttoml("[tool.pytest]\nstrict = true\nmlops = true\nmlops_seed = 3\n")
    project.tests(test_it=PASSES + "\ndef test_seed(mlops_seed): assert mlops_seed == 3")
    assert pytester.runpytest_inprocess("-p", "no:cacheprovider").ret == 0


@pytest.mark.parametrize(
    ("options", "ini", "message"),
    [
        (("--mlops-seed=-1",), "", "--mlops-seed / mlops_seed is -1: give an integer, 0 or more"),
        (("--mlops-seed=x",), "", "invalid int value"),
        (("--mlops-fail-on=never",), "", "invalid choice: 'never'"),
        ((), "mlops_fail_on = never\n", "mlops_fail_on is 'never': give block or review"),
        (("--mlops-report=",), "", "is empty: name a directory"),
    ],
)  # fmt: skip
def test_values_that_make_no_sense(
    project: Project, pytester: pytest.Pytester, options: tuple[str, ...], ini: str, message: str
) -> None:
    pytester.makeini(f"[pytest]\n{ini}")
    project.tests(test_it=PASSES)
    run = project.run(*options)
    assert run.status == 4
    assert message in run.out
    assert run.report is None


def test_the_seed_decides_the_random_numbers(project: Project) -> None:
    project.tests(test_it="def test_it(mlops): mlops.champion_challenger('f1', margin=0.05)")

    def low(seed: int) -> float:
        (result,) = project.run(f"--mlops-seed={seed}").results
        assert result.estimate is not None
        return result.estimate.low

    assert low(1) == low(1)
    assert low(1) != low(2)


def test_the_marker_selects_the_tests_that_ask(project: Project) -> None:
    project.tests(test_it=PASSES + "\ndef test_plain(): assert 0")
    assert project.run("-m", "mlops").decision == "merge"


def test_without_a_terminal_reporter_it_still_decides(project: Project) -> None:
    project.tests(test_it=PASSES.replace("0.8", "0.99"))
    run = project.run("-p", "no:terminal", apart=True)
    assert (run.status, run.decision) == (1, "block")
