"""The package as a whole: what importing it costs, and whether its examples are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import pytest_mlops

HEAVY = "numpy pandas scipy sklearn narwhals rich polars pyarrow"
MODULES = [found.name for found in pkgutil.walk_packages(pytest_mlops.__path__, "pytest_mlops.")]


def test_importing_the_public_names_imports_nothing_heavy() -> None:
    code = (
        "import sys; from pytest_mlops import Evaluation, Gate;"
        f"print([name for name in '{HEAVY}'.split() if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_report_can_be_read_without_numpy() -> None:
    code = (
        "import sys; from pytest_mlops import CheckResult, GateReport, Verdict, Decision;"
        "r = CheckResult(id='a', model='m', family='a', verdict=Verdict.FAIL, message='');"
        "GateReport.from_json(GateReport(decision=Decision.BLOCK, results=(r,)).to_json());"
        f"print([name for name in '{HEAVY}'.split() if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", pytest_mlops.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(pytest_mlops, name).__name__ == name
    assert name in dir(pytest_mlops)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Evaluations'"):
        pytest_mlops.Evaluations  # noqa: B018


def documented() -> list[ModuleType]:
    modules = [importlib.import_module(name) for name in ("pytest_mlops", *MODULES)]
    return [module for module in modules if doctest.DocTestFinder(exclude_empty=True).find(module)]


def test_the_examples_in_the_docstrings_are_true() -> None:
    known = {"Evaluation": pytest_mlops.Evaluation, "Gate": pytest_mlops.Gate}
    ran = {module.__name__: doctest.testmod(module, extraglobs=known) for module in documented()}
    assert {name: result.failed for name, result in ran.items() if result.failed} == {}
    examples = {name for name, result in ran.items() if result.attempted}
    assert {"pytest_mlops.gate", "pytest_mlops.evidence.evaluation", "pytest_mlops.verdict.wording"} <= examples
