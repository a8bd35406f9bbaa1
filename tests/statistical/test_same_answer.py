"""The same bytes in any row order, for every metric and every design of rows; and with any number of threads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pytest_mlops import Evaluation, Gate
from pytest_mlops.evidence.metrics import _REGISTRY, Metric
from pytest_mlops.verdict.limits import Verdict

pytestmark = pytest.mark.usefixtures("few_draws")

N = 240


def profit(y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
    """A metric of one's own whose floats add up otherwise in another order."""
    return float(np.average(np.abs(np.asarray(y_true) - np.asarray(y_pred)) ** 1.5, weights=sample_weight))


def _columns(task: str, seed: int) -> dict[str, Any]:
    """What one model says of the same rows."""
    truth, own = np.random.default_rng(0), np.random.default_rng(seed)
    if task == "regression":
        target = truth.gamma(2.0, size=N)
        return {"y_true": target, "y_pred": target * np.exp(own.normal(size=N) / 4), "task": task}
    if task == "binary":
        y = (truth.random(N) < 0.4).astype(int)
        score = 1 / (1 + np.exp(0.5 - y - own.normal(size=N)))
        return {"y_true": y, "y_pred": (score > 0.5).astype(int), "y_score": score}
    if task == "multiclass":
        y = truth.integers(0, 4, N)
        raw = np.exp(own.normal(size=(N, 4)) + 1.5 * (y[:, None] == np.arange(4)))
        raw /= raw.sum(axis=1, keepdims=True)
        return {"y_true": y, "y_pred": raw.argmax(axis=1), "y_score": raw}
    several = (truth.random((N, 3)) < 0.4).astype(int)
    scores = 1 / (1 + np.exp(0.5 - several - own.normal(size=(N, 3))))
    return {"y_true": several, "y_pred": (scores > 0.5).astype(int), "y_score": scores, "task": task}


DESIGNS: dict[str, dict[str, Any]] = {
    "independent": {},
    "weights": {"sample_weight": np.random.default_rng(5).exponential(size=N)},
    "clusters": {"clusters": np.random.default_rng(6).integers(0, 12, N)},
    "time": {"time": np.random.default_rng(7).permutation(N)},
}


def _evaluation(task: str, seed: int, order: Any, design: str, *, named: bool) -> Evaluation:
    given = {**_columns(task, seed), **DESIGNS[design]}
    given = {name: value[order] if isinstance(value, np.ndarray) else value for name, value in given.items()}
    return Evaluation(**given, **({"row_ids": np.arange(N)[order]} if named else {}))


def _cases() -> Iterator[Any]:
    for metric in _REGISTRY.values():
        for task in metric.tasks:
            for design in DESIGNS:
                yield pytest.param(metric, task, design, id=f"{metric.name}-{task}-{design}")


def _answers(metric: Metric, task: str, design: str, orders: tuple[Any, Any], *, named: bool) -> list[str]:
    champion, challenger = (
        _evaluation(task, seed, order, design, named=named) for seed, order in zip((1, 2), orders, strict=True)
    )
    gate = Gate(champion=champion, challenger=challenger)
    limits: dict[str, Any] = {"at_least": 0.01} if metric.greater_is_better else {"at_most": 0.99}
    results = [
        gate.performance_threshold(metric.name, **limits),
        gate.champion_challenger(metric.name, margin=0.05, paired_by="identity" if named else "order"),
    ]
    assert all("was raised" not in result.message for result in results), [result.message for result in results]
    return [result.to_json() for result in results]


@pytest.mark.parametrize(("metric", "task", "design"), list(_cases()))
def test_no_row_order_changes_a_byte(metric: Metric, task: str, design: str) -> None:
    shuffle = np.random.default_rng(9)
    straight, one, other = np.arange(N), shuffle.permutation(N), shuffle.permutation(N)
    expected = _answers(metric, task, design, (straight, straight), named=True)
    assert _answers(metric, task, design, (one, other), named=True) == expected
    anonymous = _answers(metric, task, design, (straight, straight), named=False)
    assert _answers(metric, task, design, (one, one), named=False) == anonymous


@pytest.mark.parametrize("design", DESIGNS)
def test_nor_of_a_metric_of_ones_own(design: str) -> None:
    def answer(order: Any) -> list[str]:
        champion, challenger = (_evaluation("regression", seed, order, design, named=True) for seed in (1, 2))
        gate = Gate(champion=champion, challenger=challenger)
        results = [
            gate.performance_threshold(profit, at_most=0.9),
            gate.champion_challenger(profit, margin=0.1, greater_is_better=False),
        ]
        assert Verdict.ERROR not in {result.verdict for result in results}, [result.message for result in results]
        return [result.to_json() for result in results]

    assert answer(np.random.default_rng(3).permutation(N)) == answer(np.arange(N))


PROGRAM = """
import numpy as np
from pytest_mlops import Evaluation, Gate
rng = np.random.default_rng(0)
y = rng.integers(0, 5, 20_000)
raw = np.exp(rng.normal(size=(2, y.size, 5)) + (y[:, None] == np.arange(5)))
raw /= raw.sum(axis=2, keepdims=True)
known = {"clusters": np.arange(y.size) // 50, "row_ids": range(y.size)}
champion, challenger = (Evaluation(y, score.argmax(axis=1), score, **known) for score in raw)
gate = Gate(champion=champion, challenger=challenger)
for name in ("brier_score_loss", "log_loss", "f1_macro", "roc_auc_ovr"):
    print(gate.champion_challenger(name, margin=0.02).to_json())
"""


def test_nor_does_the_number_of_threads() -> None:
    def answer(threads: str) -> str:
        names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        environment = {**os.environ, **dict.fromkeys(names, threads)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert answer("1") == answer("2") != ""
