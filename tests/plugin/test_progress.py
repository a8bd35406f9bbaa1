"""A line on what takes longer than two seconds, for whoever looks at a terminal."""

from __future__ import annotations

import pytest

from .conftest import PASSES, Project

SLOW = """
@pytest.fixture
def mlops_challenger():
    __import__("time").sleep(2.5)
    return model(5)
"""
LINE = "mlops: still at work on the fixture mlops_challenger (2 s)"


@pytest.mark.parametrize(
    ("options", "workers", "lines"), [((), 0, 1), (("-q",), 0, 0), ((), 1, 0)], ids=["alone", "quiet", "worker"]
)
def test_a_slow_fixture(project: Project, options: tuple[str, ...], workers: int, lines: int) -> None:
    project.conftest(SLOW)
    project.tests(test_it=PASSES)
    run = project.run(*options, workers=workers, apart=True)
    assert run.status == 0
    assert run.out.splitlines().count(LINE) == lines


def test_a_quick_run_says_nothing(project: Project) -> None:
    project.tests(test_it=PASSES)
    assert "still at work" not in project.run(apart=True).out
