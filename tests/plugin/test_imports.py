"""With the flag, each process imports what it needs: a worker shows nothing, and who decides judges nothing."""

from __future__ import annotations

import json

import pytest

from .conftest import PASSES, Project

HEAVY = {"fairlearn", "narwhals", "numpy", "pandas", "rich", "scipy", "sklearn"}
TELLS = """
import json, os, sys
import pytest
from pytest_mlops import Evaluation

@pytest.fixture
def mlops_challenger():
    return Evaluation([0, 1] * 50, [0, 1] * 48 + [1, 0] * 2)

def pytest_unconfigure():
    with open(os.environ.get("PYTEST_XDIST_WORKER", "main") + ".json", "w") as file:
        json.dump(sorted({name.partition(".")[0] for name in sys.modules}), file)
"""


def test_each_process_imports_what_it_needs(
    project: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # other plugins may import numpy
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # our own
    pytester.makeconftest(TELLS)
    project.tests(test_it=PASSES)
    assert pytester.runpytest_subprocess("-p", "pytest_mlops.plugin", "-p", "xdist", "-n1", "--mlops").ret == 0
    heavy = {
        process: HEAVY & set(json.loads((project.path / f"{process}.json").read_text(encoding="utf-8")))
        for process in ("main", "gw0")
    }
    assert heavy == {"main": {"rich"}, "gw0": {"numpy", "scipy"}}
