"""gate.json keeps its schema, whatever happened, and reads back as the report it was."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from pytest_mlops import GateReport
from pytest_mlops.report import machine

from .conftest import PASSES, Project

HAPPENINGS = {
    "merge": (PASSES + '    mlops.champion_challenger("accuracy", margin=0.05)', ""),
    "an exact answer": (
        'def test_x(mlops): mlops.champion_challenger("accuracy", margin=0.2)',
        "\n@pytest.fixture\ndef mlops_champion():\n    return model(5)",
    ),
    "warn": ('def test_x(mlops): mlops.performance_threshold("recall", at_least=0.8, warn_below=0.95)', ""),
    "inconclusive": ('def test_x(mlops): mlops.performance_threshold("recall", at_least=0.89)', ""),
    "fail": ('def test_x(mlops): mlops.performance_threshold("recall", at_least=0.99)', ""),
    "better": ('def test_x(mlops): mlops.champion_challenger("roc_auc", require="better")', ""),
    "infinite max_blind": (
        'def test_x(mlops): mlops.champion_challenger("roc_auc", margin=0.1, max_blind=float("inf"))',
        "",
    ),
    "error": ('def test_x(mlops): mlops.champion_challenger("accuracy", margin=0.1)', "del mlops_champion"),
    "nothing": ("", ""),
    "idle": ("def test_x(mlops): pass", ""),
}


@pytest.mark.parametrize(("tests", "conftest"), HAPPENINGS.values(), ids=HAPPENINGS)
def test_it_keeps_its_schema(project: Project, tests: str, conftest: str) -> None:
    project.conftest(conftest)
    project.tests(test_it=tests)
    report = project.run().report
    text = (project.path / ".mlops/report/gate.json").read_text(encoding="ascii")
    jsonschema.Draft202012Validator(machine.schema()).validate(json.loads(text))
    assert report is not None
    assert machine.render(report) == text
    assert GateReport.from_json(text) == report


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(machine.schema())


def test_the_same_run_gives_the_same_file(project: Project) -> None:
    project.tests(test_it=PASSES)
    first, second = project.run().report, project.run("-v").report
    assert first is not None
    assert second is not None
    assert replace(first, provenance={**first.provenance, "time": second.provenance["time"]}) == second
