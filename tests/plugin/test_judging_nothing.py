"""Runs that execute no test decide nothing, and leave an earlier report alone."""

from __future__ import annotations

import pytest

from .conftest import PASSES, Project


@pytest.mark.parametrize("option", ["--fixtures-per-test", "--cache-show", "--version"])
def test_it_never_gates(project: Project, option: str) -> None:
    project.tests(test_it=PASSES)
    run = project.run("-p", "cacheprovider", option)
    assert run.status == 0
    assert "model gate =" not in run.out
    assert not (project.path / ".mlops").exists()


@pytest.mark.parametrize("option", ["--co", "--setup-plan", "--fixtures", "--fixtures-per-test"])
def test_an_earlier_report_stays(project: Project, option: str) -> None:
    project.tests(test_it=PASSES)
    before = project.run().report
    assert before is not None
    assert project.run(option).report == before


def test_collecting_with_workers_never_gates(project: Project) -> None:
    project.tests(test_it=PASSES)
    assert project.run("--co", workers=2).status == 0
    assert not (project.path / ".mlops").exists()
