"""Precision and F1 from paired cells, against scikit-learn, McNemar and the delta method."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score, precision_score

from pytest_mlops import Estimate, EvidenceError
from pytest_mlops.statistics import cells, proportions

Rows = NDArray[np.bool_]
RECALL = cells.metric_of("recall")
EIGHT = st.lists(st.integers(0, 30), min_size=8, max_size=8)


def rows(counts: list[int]) -> tuple[Rows, Rows, Rows]:
    """Truth, champion and challenger with these counts of truth × champion × challenger."""
    code = np.repeat(np.arange(8), counts)
    return code // 4 == 1, code // 2 % 2 == 1, code % 2 == 1


def improvement(counts: list[int], metric: cells.CellMetric, seed: int = 0) -> Estimate:
    generator = np.random.default_rng(seed)
    return cells.improvement(*rows(counts), metric=metric, confidence=0.95, generator=generator)


@given(EIGHT)
@pytest.mark.parametrize(("metric", "theirs"), [(cells.precision, precision_score), (cells.f1, f1_score)])
def test_the_value_is_the_difference_of_scikit_learns(
    metric: cells.CellMetric, theirs: Callable[..., float], counts: list[int]
) -> None:
    truth, champion, challenger = rows(counts)
    if not (champion.any() and challenger.any()):
        return
    expected = theirs(truth, challenger) - theirs(truth, champion)
    estimate = improvement(counts, metric)
    assert estimate.value == pytest.approx(expected, abs=1e-12)
    assert -1 <= estimate.low < estimate.high <= 1
    assert estimate.p_value is not None
    assert 0 < estimate.p_value <= 1


@pytest.mark.parametrize(("gains", "losses"), [(0, 0), (0, 1), (3, 12), (12, 3), (40, 60)])
def test_for_a_share_of_the_same_rows_the_sign_flip_is_mcnemars(gains: int, losses: int) -> None:
    counts = np.array([5, 1, 2, 3, 10, gains, losses, 50])
    observed = (gains - losses) / counts[4:].sum()
    ours = cells._sign_flip(counts, float(observed), RECALL, np.random.default_rng(1))
    exact = proportions.paired_difference(gains, losses, int(counts[4:].sum()), confidence=0.95).p_value
    assert exact is not None
    assert ours == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / cells.DRAWS) + 1e-4)


def test_the_deviation_is_that_of_the_delta_method() -> None:
    counts = np.array([500, 60, 80, 200, 150, 90, 70, 850], dtype=np.float64)
    n = counts.sum()

    def precision_gain(table: NDArray[np.float64]) -> float:
        t, b, a = np.indices((2, 2, 2)).reshape(3, 8)
        return float(table[(t == 1) & (a == 1)].sum() / table[a == 1].sum()) - float(
            table[(t == 1) & (b == 1)].sum() / table[b == 1].sum()
        )

    step = 1e-4
    gradient = np.array([
        (precision_gain(counts + step * unit) - precision_gain(counts - step * unit)) / (2 * step)
        for unit in np.eye(8)
    ])  # fmt: skip
    shares = counts / n
    expected = math.sqrt(n * (shares @ gradient**2 - (shares @ gradient) ** 2))
    assert improvement([int(c) for c in counts], cells.precision).standard_error == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("metric", [cells.precision, cells.f1])
def test_row_order_and_repetition_change_nothing(metric: cells.CellMetric) -> None:
    counts = [20, 3, 5, 9, 4, 6, 7, 30]
    order = np.random.default_rng(3).permutation(sum(counts))
    shuffled = cells.improvement(
        *(part[order] for part in rows(counts)), metric=metric, confidence=0.95, generator=np.random.default_rng(0)
    )
    assert improvement(counts, metric) == shuffled == improvement(counts, metric)


@pytest.mark.parametrize("silent", [[5, 0, 4, 0, 3, 0, 6, 0], [5, 4, 0, 0, 3, 6, 0, 0], [9, 0, 0, 0, 9, 0, 0, 0]])
def test_a_model_that_calls_no_row_positive_has_no_precision(silent: list[int]) -> None:
    with pytest.raises(EvidenceError, match="0 / 0"):
        improvement(silent, cells.precision)


@pytest.mark.parametrize("counts", [[0, 0, 0, 0, 1, 0, 0, 1], [0, 1, 0, 0, 0, 0, 1, 0], [3, 3, 0, 0, 0, 0, 3, 3]])
def test_few_rows_raise_no_warning(counts: list[int]) -> None:
    estimate = improvement(counts, cells.precision)
    assert estimate.p_value is not None
    assert 0 < estimate.p_value <= 1
