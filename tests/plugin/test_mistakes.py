"""A question that makes no sense is answered with a hint, at the user's own line and without ours."""

from __future__ import annotations

import pytest

from .conftest import PASSES, Project

MISTAKES = {
    "mlops.performance_threshold('acuracy', at_least=0.8)": "did you mean 'accuracy'",
    "mlops.performance_threshold('accuracy', at_lest=0.8)": "did you mean 'at_least'",
    "mlops.performance_threshold('accuracy')": "give exactly one of at_least= and at_most= (neither given)",
    "mlops.performance_threshold('accuracy', at_most=0.8)": "its limit is at_least=, not at_most=",
    "mlops.performance_threshold('accuracy', at_least=80)": "did you mean 0.8?",
    "mlops.performance_threshold('accuracy', at_least=float('nan'))": "give a finite number",
    "mlops.champion_challenger('accuracy')": "say margin=",
    "mlops.champion_challenger('accuracy', margin=0)": "margin=0 must be a number above 0",
    "mlops.champion_challenger('accuracy', margin=.1, require='beter')": "did you mean 'better'?",
    "mlops.champion_chalenger('accuracy', margin=.1)": "did you mean 'champion_challenger'?",
}


@pytest.mark.parametrize(("line", "hint"), MISTAKES.items(), ids=MISTAKES.values())
def test_the_hint_and_the_line(project: Project, line: str, hint: str) -> None:
    project.tests(test_it=f"def test_it(mlops):\n    {line}\n")
    run = project.run()
    failures, _, report = run.out.partition("= model gate =")
    assert (run.status, run.decision) == (1, "block")
    assert hint in failures
    assert line in failures
    assert "test_it.py:2" in failures
    assert "src/pytest_mlops" not in failures
    assert "test_it.py::test_it stopped before its end" in " ".join(report.split())


def test_no_challenger_says_what_to_define(project: Project) -> None:
    project.conftest("del mlops_challenger")
    project.tests(test_it=PASSES)
    run = project.run()
    assert "define a fixture mlops_challenger that returns an Evaluation" in run.messages
    assert "src/pytest_mlops" not in run.out


def test_bad_evidence_shows_the_line_of_the_fixture(project: Project) -> None:
    project.conftest("\n@pytest.fixture\ndef mlops_challenger():\n    return Evaluation([0, 1], [0])\n")
    project.tests(test_it=PASSES)
    run = project.run()
    assert (
        "y_pred has 1 row, but y_true has 2: they must be the same rows "
        "(the fixture mlops_challenger, conftest.py line " in run.messages
    )
    assert "src/pytest_mlops" not in run.out


def test_a_failed_check_shows_its_message_and_no_frame(project: Project) -> None:
    project.tests(test_it='def test_it(mlops): mlops.performance_threshold("recall", at_least=0.99)')
    failures = project.run().out.partition("= model gate =")[0]
    assert "FAIL performance_threshold:recall" in failures
    assert "Traceback" not in failures
    assert "recording.py" not in failures
