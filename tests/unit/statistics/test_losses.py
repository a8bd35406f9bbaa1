"""Where a loss is not defined it is refused; ties of top-k accuracy are scikit-learn's. (Values: test_every_metric.)"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_gamma_deviance, mean_poisson_deviance, top_k_accuracy_score

from pytest_mlops import EvidenceError
from pytest_mlops.statistics import losses

ONES = np.ones(4)


@pytest.mark.parametrize(
    ("name", "true", "said", "message"),
    [
        ("mean_absolute_percentage_error", [1, 0, 2, 0], ONES, "y_true of 0, by which it divides, and 2 of 4 rows"),
        ("mean_squared_log_error", [-1, 0, 1, 2], ONES, "y_true of -1 or less"),
        ("mean_squared_log_error", ONES, [0, 1, -2, 2], "y_pred of -1 or less"),
        ("mean_poisson_deviance", ONES, [1, 0, 1, 1], "y_pred of 0 or less, and 1 of 4"),
        ("mean_poisson_deviance", [1, -1, 1, 1], ONES, "y_true below 0"),
        ("mean_gamma_deviance", [1, 0, 1, 1], ONES, "y_true of 0 or less"),
    ],
)
def test_a_loss_that_is_not_defined(name: str, true: object, said: object, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        losses.of_quantities(name, np.array(true, dtype=float), np.array(said, dtype=float))


def test_a_poisson_count_may_be_0() -> None:
    true, said = np.array([0.0, 1.0, 3.0]), np.array([0.5, 1.0, 2.0])
    assert losses.of_quantities("mean_poisson_deviance", true, said).mean() == pytest.approx(
        mean_poisson_deviance(true, said)
    )
    assert losses.of_quantities("mean_gamma_deviance", true + 1, said).mean() == pytest.approx(
        mean_gamma_deviance(true + 1, said)
    )


@given(st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=1, max_size=30), st.integers(1, 3))
def test_ties_among_the_best_are_scikit_learns(table: list[list[int]], k: int) -> None:
    scores = np.array(table, dtype=float)
    true = np.arange(len(table)) % 4
    expected = top_k_accuracy_score(true, scores, k=k, labels=range(4))
    assert losses.within_top(true, scores, k).mean() == pytest.approx(expected)


def test_a_certain_mistake_costs_36() -> None:
    lost = losses.log_loss(np.array([0, 1]), np.array([1.0, 1.0]), 1)
    assert lost[0] == pytest.approx(36.04, abs=0.01)
    assert lost[1] == pytest.approx(0, abs=1e-12)
