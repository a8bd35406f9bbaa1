"""Door 2: markers ask the gate after the body."""

from __future__ import annotations

import pytest

from pytest_mlops import Verdict

from .conftest import Project

RECALL = "@pytest.mark.mlops_performance_threshold('recall', at_least=0.8)\n"
ACCURACY = RECALL.replace("recall", "accuracy")
TOO_HIGH = RECALL.replace("0.8", "0.99")
HEAD = "import pytest\n"


def test_they_ask_in_source_order_and_add_up(project: Project, workers: int) -> None:
    project.tests(
        test_it=f"{HEAD}{RECALL.replace('recall', 'f1')}class TestIt:\n    {RECALL}    {ACCURACY}"
        "    def test_it(self): pass\n"
    )
    run = project.run("-rA", workers=workers)
    assert (run.status, run.decision) == (0, "merge")
    assert {result.id.partition(":")[2] for result in run.results} == {"recall", "accuracy", "f1"}


def test_the_order_of_failures_is_that_of_the_source(project: Project) -> None:
    project.tests(test_it=f"{HEAD}{TOO_HIGH}{TOO_HIGH.replace('recall', 'accuracy')}def test_it(): pass\n")
    failures = project.run().out.partition("= model gate =")[0]
    assert (
        0 < failures.index("FAIL performance_threshold:recall") < failures.index("FAIL performance_threshold:accuracy")
    )


def test_without_the_flag_the_test_is_skipped(project: Project) -> None:
    project.tests(test_it=f"{HEAD}{RECALL}def test_it(): assert False\n")
    assert project.run(flag="").count() == {"skipped": 1}


def test_a_family_can_be_selected(project: Project) -> None:
    project.policy('[[performance_threshold]]\nmetric = "f1"\nat_least = 0.8\n')
    project.tests(test_it=f"{HEAD}{RECALL}def test_it(): pass\ndef test_other(): pass\n")
    run = project.run("-m", "mlops_performance_threshold")
    assert run.count() == {"passed": 2, "deselected": 1}
    assert run.decision == "merge"
    assert "Partial run: not a gate" in project.run("-m", "mlops_drift").out


@pytest.mark.parametrize("body", ["raise ValueError('boo')", "pytest.skip('later')", "assert False"])
def test_a_body_that_does_not_end_makes_each_of_them_an_error(project: Project, body: str, workers: int) -> None:
    project.tests(test_it=f"{HEAD}{RECALL}{ACCURACY}def test_it(): {body}\n")
    run = project.run(workers=workers)
    assert run.status == 1
    errors = [result.id for result in run.results if result.verdict is Verdict.ERROR and result.family != "session"]
    assert errors == ["performance_threshold:accuracy", "performance_threshold:recall"]
    assert "the body of its test ended before" in run.messages


def test_parameters_may_bring_markers(project: Project, workers: int) -> None:
    values = f"[pytest.param(1, marks={RECALL.strip()[1:]}), pytest.param(2, marks={ACCURACY.strip()[1:]})]"
    project.tests(test_it=f"{HEAD}@pytest.mark.parametrize('x', {values})\ndef test_it(x): pass\n")
    run = project.run(workers=workers)
    assert (run.status, len(run.results)) == (0, 2)


@pytest.mark.parametrize(
    "tests",
    [
        f"{RECALL.replace('recall', 'recal')}def test_it(): pass\n",
        f"pytestmark = {RECALL.replace('recall', 'recal').strip()[1:]}\ndef test_it(): pass\n",
        f"@pytest.mark.parametrize('x', [pytest.param(1, marks={RECALL.replace('recall', 'recal').strip()[1:]})])\n"
        "def test_it(x): pass\n",
    ],
    ids=["function", "module", "parameter"],
)
def test_a_mistake_is_an_error_at_collection(project: Project, tests: str, workers: int) -> None:
    project.tests(test_it=HEAD + tests)
    run = project.run(workers=workers)
    assert run.status != 0
    assert run.decision == "block"
    assert "@pytest.mark.mlops_performance_threshold: unknown metric 'recal': did you mean 'recall'?" in run.out
    assert "INTERNALERROR" not in run.out


def test_a_marker_that_does_not_exist(project: Project, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nstrict_markers = true\n")
    project.tests(test_it=f"{HEAD}@pytest.mark.mlops_drfit(at_most=0.1)\ndef test_it(): pass\n")
    run = project.run()
    assert (run.status, run.decision) == (2, "block")


def test_xfail_hides_nothing(project: Project, workers: int) -> None:
    project.tests(test_it=f"{HEAD}@pytest.mark.xfail\n{TOO_HIGH}def test_it(): pass\n")
    run = project.run(workers=workers)
    assert (run.status, run.decision) == (1, "block")
