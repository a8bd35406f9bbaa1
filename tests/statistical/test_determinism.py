"""The same question has the same answer, to the byte."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlops import Evaluation, Gate
from pytest_mlops.verdict.result import CheckResult

from .worlds import labels

N = 400


def _evaluations(*, order: np.random.Generator | None = None) -> tuple[Evaluation, Evaluation]:
    """The same champion and challenger, each in a row order of its own."""
    champion, challenger = labels("f1", N, harm=0.03).draw(np.random.default_rng(8))
    ids = np.arange(N)
    shuffled = [ids if order is None else order.permutation(ids) for _ in range(2)]
    first, second = (
        Evaluation(model.y_true[rows], model.y_pred[rows], positive_label=1, row_ids=rows)
        for model, rows in zip((champion, challenger), shuffled, strict=True)
    )
    return first, second


def _asked(metric: str, *, seed: int = 0, order: np.random.Generator | None = None, before: bool = False) -> str:
    champion, challenger = _evaluations(order=order)
    gate = Gate(challenger=challenger, champion=champion, seed=seed)
    if before:
        for other in ("f1", "precision", "accuracy"):
            gate.champion_challenger(other, margin=0.05, name="another")
        gate.performance_threshold(metric, at_least=0.5)
    result: CheckResult = gate.champion_challenger(metric, margin=0.02)
    assert result.estimate is not None
    assert "Dirichlet" in result.estimate.method
    return result.to_json()


@pytest.mark.parametrize("metric", ["precision", "f1"])
def test_neither_run_nor_row_order_nor_other_checks_matter(metric: str) -> None:
    answer = _asked(metric)
    assert _asked(metric) == answer
    assert _asked(metric, order=np.random.default_rng(9)) == answer
    assert _asked(metric, order=np.random.default_rng(10), before=True) == answer


def test_the_seed_matters_a_little() -> None:
    """Else the test above would say nothing: the interval is drawn."""
    assert _asked("f1", seed=1) != _asked("f1", seed=2)
