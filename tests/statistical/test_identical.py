"""A challenger that says the same as the champion on every row may merge, where that says something."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlops import Evaluation, Gate
from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import Decision

from .worlds import LABEL_METRICS, METRICS, mixed, scores


def _gate(champion: Evaluation, challenger: Evaluation) -> Gate:
    return Gate(challenger=challenger, champion=champion)


def _copy(evaluation: Evaluation) -> Evaluation:
    return Evaluation(
        evaluation.y_true,
        evaluation.y_pred,
        evaluation.y_score,
        labels=evaluation.labels or None,
        positive_label=evaluation.positive_label,
        task=evaluation.task,
    )


@pytest.mark.parametrize("n", [30, 200, 1_000])
@pytest.mark.parametrize("metric", METRICS)
def test_the_same_numbers_merge(metric: str, n: int) -> None:
    """Scores and quantities are numbers of many digits: two models seldom have all of them in common."""
    world = scores(n) if metric in LABEL_METRICS else mixed(metric, n)
    champion, _ = world.draw(np.random.default_rng(3))
    gate = _gate(champion, _copy(champion))
    result = gate.champion_challenger(metric, margin=0.005, paired_by="order")
    assert result.verdict is Verdict.PASS
    assert result.estimate is not None
    assert (result.estimate.value, result.estimate.low, result.estimate.high) == (0, 0, 0)
    assert gate.report().decision is Decision.MERGE


@pytest.mark.parametrize("n", [200, 1_000])
@pytest.mark.parametrize("metric", LABEL_METRICS)
def test_the_same_labels_merge_where_three_margins_would_show(metric: str, n: int) -> None:
    champion, _ = mixed(metric, n).draw(np.random.default_rng(3))
    gate = _gate(champion, _copy(champion))
    gate.champion_challenger(metric, margin=0.01, paired_by="order")
    assert gate.report().decision is Decision.MERGE


@pytest.mark.parametrize("metric", LABEL_METRICS)
def test_the_same_few_labels_prove_nothing(metric: str) -> None:
    """A model that loses 3 % of the rows looks the same on 30 rows in 40 % of the runs."""
    champion, _ = mixed(metric, 30).draw(np.random.default_rng(3))
    gate = _gate(champion, _copy(champion))
    gate.champion_challenger(metric, margin=0.01, paired_by="order")
    assert gate.report().decision is Decision.BLOCK
