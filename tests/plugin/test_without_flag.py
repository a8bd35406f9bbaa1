"""Installed but unused, the plugin skips what asks it and loads nothing heavy."""

from __future__ import annotations

import pytest

from .conftest import PASSES

HEAVY = ("numpy", "pandas", "scipy", "sklearn", "rich", "narwhals", "fairlearn")
WITNESS = f"""
import sys
import pytest
from pytest_mlops import Evaluation, Gate

@pytest.fixture
def mlops_challenger():
    raise AssertionError("nobody asked for it")

def pytest_unconfigure():
    print("loaded:", [name for name in {HEAVY!r} if name in sys.modules])
"""


@pytest.fixture
def witness(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\n")
    pytester.makeconftest(WITNESS)
    pytester.makepyfile(PASSES + "\ndef test_plain(): pass\n")
    return pytester


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_the_gate_is_not_run(witness: pytest.Pytester, workers: str) -> None:
    done = witness.runpytest_subprocess("-rs", workers, "-p", "no:hypothesispytest")
    done.assert_outcomes(passed=1, skipped=1)
    done.stdout.fnmatch_lines(["*model gate not run: add --mlops*"])
    assert "model gate =" not in done.stdout.str()
    assert not (witness.path / ".mlops").exists()


def test_nothing_heavy_is_loaded(witness: pytest.Pytester) -> None:
    done = witness.runpytest_subprocess("-s", "-p", "no:hypothesispytest")
    assert "loaded: []" in done.stdout.str()


def test_the_witness_would_see_it(witness: pytest.Pytester) -> None:
    (witness.path / "conftest.py").write_text(WITNESS + "import numpy, rich\n")
    assert "loaded: ['numpy', 'rich']" in witness.runpytest_subprocess("-s", "-p", "no:hypothesispytest").stdout.str()


def test_a_dynamic_request_skips_too(witness: pytest.Pytester) -> None:
    witness.makepyfile("def test_it(request): request.getfixturevalue('mlops')")
    witness.runpytest_subprocess().assert_outcomes(skipped=1)
