"""Slices, guardrails, functions and folds through every door, with and without workers."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_mlops import Verdict

from .conftest import Project

CONFTEST = """
import numpy as np
import pytest
from pytest_mlops import Evaluation

N = 4_000
rng = np.random.default_rng(0)
truth = np.arange(N) % 2
sex, age = rng.choice(["f", "m"], N), rng.choice(["old", "young"], N, p=[0.2, 0.8])


def made(right, **known):
    return Evaluation(truth, np.where(right, truth, 1 - truth), row_ids=range(N), **known)


@pytest.fixture
def mlops_champion():
    return made(np.random.default_rng(1).random(N) < 0.8)


@pytest.fixture
def mlops_challenger():
    harmed = (sex == "f") & (age == "old")
    better = np.random.default_rng(1).random(N) < 0.86
    right = np.where(harmed, np.random.default_rng(2).random(N) < 0.6, better)
    return made(right, slice_features={"sex": sex, "age": age})
"""
ASKED = "'accuracy', margin=0.02, guardrails={'recall': 0.05}, slices=['sex', ['sex', 'age']]"
POLICY = """
[[champion_challenger]]
metric = "accuracy"
margin = 0.02
guardrails = { recall = 0.05 }
slices = ["sex", ["sex", "age"]]
"""
DOORS: dict[str, dict[str, str]] = {
    "fixture": {"test_it.py": f"def test_it(mlops):\n    mlops.champion_challenger({ASKED})\n"},
    "marker": {"test_it.py": f"import pytest\n@pytest.mark.mlops_champion_challenger({ASKED})\ndef test_it(): pass\n"},
    "policy": {"mlops.toml": POLICY},
}


def _write(project: Project, files: dict[str, str]) -> None:
    project.conftest(CONFTEST)
    for name, text in files.items():
        (project.path / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("door", DOORS)
def test_a_harm_in_a_slice_blocks(project: Project, door: str, workers: int) -> None:
    _write(project, DOORS[door])
    run = project.run(workers=workers)
    assert run.status == 1, run.out
    assert run.decision == "block"
    (result,) = (each for each in run.results if each.family != "session")
    assert result.verdict is Verdict.FAIL
    assert result.message.startswith("Decided by its slices, not by all rows together.")
    verdicts = {part.id.removeprefix("champion_challenger:accuracy:"): part.verdict for part in result.parts}
    assert verdicts["sex and age:f and old"] is Verdict.FAIL
    assert verdicts["guardrail:recall"] is Verdict.PASS
    assert verdicts["sex and age:m and young"] is Verdict.PASS


FUNCTION = """
import pytest


def profit(y_true, y_pred):
    return float((100 * (y_true & y_pred) - 20 * y_pred).mean())


def young(frame):
    return frame["age"] == "young"


def test_fixture(mlops):
    mlops.performance_threshold(profit, at_least=20, slices=[young])
    mlops.champion_challenger(profit, margin=3, greater_is_better=True, slices=[young])


@pytest.mark.mlops_champion_challenger("recall", margin=0.02, folds={
    "champion": [0.8, 0.81, 0.79, 0.8], "challenger": [0.83, 0.85, 0.82, 0.84], "n_train": 900, "n_test": 100,
})
def test_marker(): pass
"""


def test_functions_and_folds(project: Project, workers: int) -> None:
    _write(project, {"test_it.py": FUNCTION})
    run = project.run(workers=workers)
    assert (run.status, run.decision) == (0, "merge"), run.out
    assert {result.id for result in run.results} == {
        "performance_threshold:profit",
        "champion_challenger:profit",
        "champion_challenger:recall:retraining",
    }


def test_workers_change_no_byte(project: Project) -> None:
    _write(project, {"test_it.py": FUNCTION + DOORS["fixture"]["test_it.py"], **DOORS["policy"]})
    alone, spread = ([each.to_json() for each in project.run(workers=n).results] for n in (0, 2))
    assert alone == spread
    assert len(alone) == 4


LOOSER: dict[str, Any] = {
    "a slice left out": "'accuracy', margin=0.02, guardrails={'recall': 0.05}, slices=['sex']",
    "no slices at all": "'accuracy', margin=0.02, guardrails={'recall': 0.05}",
    "a wider guardrail": "'accuracy', margin=0.02, guardrails={'recall': 0.5}, slices=['sex', ['sex', 'age']]",
    "no guardrails": "'accuracy', margin=0.02, slices=['sex', ['sex', 'age']]",
    "a smaller slice passes": f"{ASKED}, min_slice_size=5",
}


@pytest.mark.parametrize("arguments", LOOSER.values(), ids=LOOSER)
def test_test_code_cannot_loosen_what_the_policy_asks(project: Project, arguments: str) -> None:
    _write(
        project,
        {**DOORS["policy"], "test_it.py": f"def test_it(mlops):\n    mlops.champion_challenger({arguments})\n"},
    )
    run = project.run()
    assert run.status != 0
    assert run.decision == "block"
    assert "loosen" in run.out
