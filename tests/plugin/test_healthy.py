"""Healthy projects go through, and xdist changes nothing of the report."""

from __future__ import annotations

import pytest

from .conftest import PASSES, Project

MERGE = "merge"
HEALTHY = {
    "one check": (PASSES, MERGE),
    "both families": (PASSES + '    mlops.champion_challenger("accuracy", margin=0.05)', MERGE),
    "random numbers": ('def test_x(mlops): mlops.champion_challenger("f1", margin=0.05)', MERGE),
    "beside ordinary tests": (PASSES + "def test_plain(): pass", MERGE),
    "an ordinary skip and xfail": (
        PASSES + "import pytest\n@pytest.mark.skip\ndef test_s(): pass\n@pytest.mark.xfail\ndef test_f(): assert 0",
        MERGE,
    ),
    "the same check twice": (PASSES + PASSES.replace("test_passes", "test_again"), MERGE),
    "parametrised": (
        "import pytest\n@pytest.mark.parametrize('limit', [0.7, 0.8])\n"
        "def test_x(mlops, limit): mlops.performance_threshold('accuracy', at_least=limit, name=str(limit))",
        MERGE,
    ),
    "in a class": ("class TestIt:\n    def test_x(self, mlops): mlops.performance_threshold('f1', at_least=.8)", MERGE),
    "a subtest": (
        PASSES.replace("(mlops)", "(mlops, subtests)") + "    with subtests.test():\n"
        "        mlops.performance_threshold('recall', at_least=.8)\n",
        MERGE,
    ),
    "a unittest": (
        "import pytest, unittest\nclass TestIt(unittest.TestCase):\n"
        "    @pytest.fixture(autouse=True)\n    def _keep(self, mlops): self.mlops = mlops\n"
        "    def test_x(self): self.mlops.performance_threshold('recall', at_least=.8)\n",
        MERGE,
    ),
    "asked for in the body": (
        "def test_x(request): request.getfixturevalue('mlops').performance_threshold('recall', at_least=.8)",
        MERGE,
    ),
    "a fixture that asks": (
        "import pytest\n@pytest.fixture\ndef good(mlops): mlops.performance_threshold('recall', at_least=.8)\n"
        "def test_x(good): pass",
        MERGE,
    ),
    "a warning": ("def test_x(mlops): mlops.performance_threshold('recall', at_least=.8, warn_below=.95)", "review"),
    "inconclusive": ("def test_x(mlops): mlops.performance_threshold('recall', at_least=.89)", "review"),
}  # fmt: skip


@pytest.mark.parametrize(("tests", "decision"), HEALTHY.values(), ids=HEALTHY)
def test_a_healthy_project(project: Project, tests: str, decision: str) -> None:
    project.tests(test_it=tests)
    alone, together = project.run(), project.run(workers=2)
    assert (alone.status, alone.decision) == (0, decision)
    assert "The challenger may merge" in alone.out
    assert alone.report is not None
    assert together.report is not None
    assert _timeless(alone.report.to_dict()) == _timeless(together.report.to_dict())
    assert together.status == 0


def test_another_file_may_skip_itself(project: Project, workers: int) -> None:
    """Where it does not speak of the gate."""
    project.tests(test_it=PASSES, test_other="import pytest\npytest.importorskip('no_such_module')")
    run = project.run(workers=workers)
    assert (run.status, run.decision) == (0, MERGE)


def test_a_test_that_is_named_is_no_partial_run(project: Project) -> None:
    project.tests(test_it=PASSES + "def test_plain(): pass")
    assert project.run("test_it.py::test_passes").decision == MERGE


@pytest.mark.parametrize("dist", ["worksteal", "loadgroup"])
def test_how_xdist_deals_changes_nothing(project: Project, dist: str) -> None:
    grouped = "import pytest\npytestmark = pytest.mark.xdist_group('models')\n"
    project.tests(test_it=grouped + PASSES + PASSES.replace("test_passes", "test_again"))
    run = project.run(f"--dist={dist}", workers=2)
    assert (run.status, run.decision, len(run.results)) == (0, MERGE, 1)


def test_two_files_and_their_order_change_nothing(project: Project) -> None:
    other = PASSES.replace("accuracy", "recall")
    project.tests(test_a=PASSES, test_b=other)
    forth = project.run("test_a.py", "test_b.py")
    back = project.run("test_b.py", "test_a.py")
    assert forth.report is not None
    assert back.report is not None
    assert _timeless(forth.report.to_dict()) == _timeless(back.report.to_dict())


def _timeless(report: dict[str, object]) -> dict[str, object]:
    provenance = report["provenance"]
    assert isinstance(provenance, dict)
    return {**report, "provenance": {**provenance, "time": None}}
