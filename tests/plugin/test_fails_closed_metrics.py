"""Metrics, slices, guardrails, weights and folds that bear no verdict out: the run is blocked, or sent to review."""

from __future__ import annotations

import pytest

from .conftest import Project
from .test_fails_closed import Broken, challenger, champion

FEW = """
import numpy as np
from pytest_mlops import Evaluation

def weighted(weight, **known):
    y = np.arange(400) % 2
    return Evaluation(y, y ^ (np.arange(400) % 10 == 0), row_ids=range(400), sample_weight=weight, **known)
"""
THRESHOLD = "def test_x(mlops): mlops.performance_threshold({})\n"
COMPARED = "def test_x(mlops): mlops.champion_challenger({})\n"
OWN = "def own(y_true, y_pred): return {}\n"

BROKEN = {
    "AUC without scores": Broken(
        tests=THRESHOLD.format("'roc_auc', at_least=0.5"),
        conftest=challenger("Evaluation(np.arange(400) % 2, np.arange(400) % 2, row_ids=range(400))"),
        says="roc_auc needs scores",
    ),
    "a lower limit of a loss": Broken(
        tests=THRESHOLD.format("'log_loss', at_least=0.1"), says="test_x stopped before its end"
    ),
    "a function that says NaN": Broken(
        tests=OWN.format("float('nan')") + THRESHOLD.format("own, at_least=0.5"), says="it returned nan"
    ),
    "a function that is a lottery": Broken(
        tests="import numpy as np\n" + OWN.format("float(np.random.default_rng().random())")
        + THRESHOLD.format("own, at_least=0.01"),
        says="of the same rows",
    ),
    "a function that raises": Broken(
        tests=OWN.format("1 / 0") + THRESHOLD.format("own, at_least=0.5"), says="it raised ZeroDivisionError"
    ),
    "a guardrail that cannot be judged": Broken(
        tests=COMPARED.format("'accuracy', margin=0.2, guardrails={'mae': 0.1}"), says="Decided by its guardrails"
    ),
    "a guardrail under another name": Broken(
        tests=COMPARED.format("'accuracy', margin=0.2, guardrails={'accuracy_score': 0.1}"),
        says="test_x stopped before its end",
    ),
    "no such slice": Broken(
        tests=THRESHOLD.format("'accuracy', at_least=0.5, slices=['sex']"), says="there is no column 'sex'"
    ),
    "a slice that raises": Broken(
        tests="def slice_(frame): return 1 / 0\n" + THRESHOLD.format("'accuracy', at_least=0.5, slices=[slice_]"),
        says="the slice slice_ raised ZeroDivisionError",
    ),
    "one weight": Broken(
        tests=THRESHOLD.format("'accuracy', at_least=0.5"),
        conftest=FEW + challenger("weighted(np.eye(1, 400)[0])"),
        says="at least two rows with a weight above 0",
    ),
    "one cluster": Broken(
        tests=THRESHOLD.format("'accuracy', at_least=0.5"),
        conftest=FEW + challenger("weighted(None, clusters=np.zeros(400))"),
        says="all rows are of one cluster",
    ),
    "other clusters than the champion's": Broken(
        tests=COMPARED.format("'accuracy', margin=0.2"),
        conftest=FEW
        + challenger("weighted(None, clusters=np.arange(400) % 10)")
        + champion("weighted(None, clusters=np.arange(400) % 20)"),
        says="clusters of champion and challenger differ",
    ),
    "paired by order, and in another order": Broken(
        tests=COMPARED.format("'accuracy', margin=0.2, paired_by='order'"),
        conftest=challenger(
            "Evaluation(np.arange(400) % 2, np.arange(400) % 2, row_ids=np.roll(np.arange(400), 2))"
        ),
        says="the row_ids of champion and challenger differ",
    ),
    "folds of a scorer's negative": Broken(
        tests=COMPARED.format(
            "'log_loss', margin=0.1, folds={'champion': [-0.5, -0.4], 'challenger': [-0.6, -0.5], 'n_train': 90, "
            "'n_test': 10}"
        ),
        says="test_x stopped before its end",
    ),
}  # fmt: skip
WITH_WORKERS = ("a function that is a lottery", "a guardrail that cannot be judged")
RUNS = [*((name, 0) for name in BROKEN), *((name, 2) for name in WITH_WORKERS)]


@pytest.mark.parametrize(("name", "count"), RUNS, ids=[f"{name}, {count} workers" for name, count in RUNS])
def test_it_is_blocked(project: Project, name: str, count: int) -> None:
    broken = BROKEN[name]
    project.conftest(broken.conftest)
    project.tests(test_broken=broken.tests)
    run = project.run(workers=count)
    assert run.status != 0, run.out
    assert run.decision == "block"
    assert broken.says in run.messages
    assert "may merge" not in run.out


POLICY = """
[[champion_challenger]]
metric = "accuracy"
margin = 0.1
guardrails = { recall = 0.05 }
slices = ["sex"]
"""
LOOSER = {
    "no guardrail": "'accuracy', margin=0.1, slices=['sex']",
    "a wider guardrail": "'accuracy', margin=0.1, guardrails={'recall': 0.2}, slices=['sex']",
    "another guardrail": "'accuracy', margin=0.1, guardrails={'precision': 0.05}, slices=['sex']",
    "no slices": "'accuracy', margin=0.1, guardrails={'recall': 0.05}",
    "smaller slices": "'accuracy', margin=0.1, guardrails={'recall': 0.05}, slices=['sex'], min_slice_size=1",
}


@pytest.mark.parametrize("asked", LOOSER.values(), ids=LOOSER)
def test_test_code_cannot_loosen_the_policy(project: Project, asked: str) -> None:
    project.policy(POLICY)
    sexes = "slice_features={'sex': np.arange(400) // 200}"
    right = "np.arange(400) % 2, np.arange(400) % 2 ^ (np.arange(400) % 10 == 0)"
    project.conftest(challenger(f"Evaluation({right}, row_ids=range(400), {sexes})"))
    project.tests(test_looser=COMPARED.format(asked))
    run = project.run()
    assert run.status != 0, run.out
    assert run.decision == "block"
    assert "loosens the policy" in run.out


TWO_OF_ONE_NAME = """
def times(by):
    def score(y_true, y_pred):
        return by * float((y_true == y_pred).mean())
    return score

def test_good(mlops): mlops.performance_threshold(times(1.0), at_least=0.8)
def test_bad(mlops): mlops.performance_threshold(times(0.5), at_least=0.8)
"""


def test_two_functions_of_one_name_in_two_tests(project: Project) -> None:
    project.tests(test_two=TWO_OF_ONE_NAME)
    run = project.run()
    assert run.status != 0, run.out
    assert run.decision == "block"


def test_two_functions_of_one_name_in_one_test(project: Project) -> None:
    project.tests(
        test_two=TWO_OF_ONE_NAME.partition("def test_good")[0]
        + "def test_both(mlops):\n"
        + "    mlops.performance_threshold(times(1.0), at_least=0.8)\n"
        + "    mlops.performance_threshold(times(0.5), at_least=0.8)\n"
    )
    run = project.run()
    assert run.status != 0, run.out
