"""Means of a per-row loss against scipy, scikit-learn and the bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import skew, ttest_1samp
from sklearn.metrics import mean_absolute_error as sk_mae
from sklearn.metrics import r2_score, root_mean_squared_error

from pytest_mlops import Estimate, Evaluation, EvidenceError
from pytest_mlops.checks import estimation
from pytest_mlops.checks.estimation import How
from pytest_mlops.evidence.metrics import metric_named
from pytest_mlops.evidence.rows import Rows, rows_of
from pytest_mlops.statistics import linear, means
from pytest_mlops.statistics.linear import interval

Floats = NDArray[np.float64]
SAMPLES = st.lists(st.floats(-100, 100).map(lambda x: round(x, 3)), min_size=3, max_size=40)


def mean(rows: Floats, *, confidence: float) -> Estimate:
    return interval(means.mean(rows), confidence=confidence)


def student(rows: Floats) -> tuple[float, float]:
    interval = ttest_1samp(rows, 0).confidence_interval(0.95)
    return float(interval.low), float(interval.high)


@pytest.mark.parametrize(
    "half", [[1.0, 2.0, 5.0], [0.1], [0.3, 7.7, 1e-5, 1e4], list(np.random.default_rng(0).normal(size=99))]
)
@pytest.mark.parametrize("centre", [0.0, -1.0, 1e3])
def test_without_skewness_it_is_students_interval(half: list[float], centre: float) -> None:
    rows = centre + np.array([*half, *(-x for x in half)])
    estimate = mean(rows, confidence=0.95)
    assert (estimate.low, estimate.high) == pytest.approx(student(rows), rel=1e-6)
    assert estimate.p_value == pytest.approx(ttest_1samp(rows, 0, alternative="less").pvalue, rel=1e-6, abs=1e-12)


@given(SAMPLES)
def test_it_is_never_shorter_than_students_interval(values: list[float]) -> None:
    rows = np.array(values)
    if rows.std() < 1e-6:
        return
    estimate, (low, high) = mean(rows, confidence=0.95), student(rows)
    slack = 1e-9 * (high - low)
    assert estimate.low <= low + slack
    assert estimate.high >= high - slack
    longer = estimate.high - high if skew(rows) > 0 else low - estimate.low
    assert longer >= -slack


@given(SAMPLES)
def test_the_p_value_is_what_the_interval_implies(values: list[float]) -> None:
    estimate = mean(np.array(values), confidence=0.95)
    if estimate.p_value is not None and abs(estimate.high) > 1e-9:
        assert (estimate.p_value < 0.025) == (estimate.high < 0)


@pytest.mark.parametrize("a", [0.0, 1e-300, 1e-17, -1e-17, 1e-14, -1e-12, 1e-9, 0.01, -0.3])
@pytest.mark.parametrize("t", [-40.0, -3.0, -0.1, 0.0, 2.0])
def test_the_transformation_keeps_its_digits_however_small_the_skewness(a: float, t: float) -> None:
    expected = t + a + 2 * a * t**2 + 4 / 3 * a**2 * t**3
    assert linear._transform(t, a) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert linear._untransform(linear._transform(t, a), a) == pytest.approx(t, rel=1e-6, abs=1e-6)


def test_a_clear_loss_without_skewness_is_significant() -> None:
    """The skewness of these rows is rounding alone, and once took the digits of the p-value with it."""
    rows = np.tile([-0.8, -0.6, 0.5, 0.3], 25)
    p_value = mean(rows, confidence=0.95).p_value
    assert p_value == pytest.approx(ttest_1samp(rows, 0, alternative="less").pvalue, rel=0.05)


@pytest.mark.parametrize("rows", [[], [1.0]])
def test_too_few_rows(rows: list[float]) -> None:
    with pytest.raises(EvidenceError, match=f"at least two rows, and there is {len(rows)}"):
        mean(np.array(rows), confidence=0.95)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9, 1 / 3])
def test_equal_rows_have_no_variation(value: float) -> None:
    estimate = mean(np.full(1000, value), confidence=0.95)
    assert estimate.low == estimate.high
    assert estimate.p_value is None


def regression(seed: int, n: int = 2000) -> tuple[Floats, Floats, Floats]:
    """Targets, and the errors of two models."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 2, n)
    return truth, rng.normal(0.1, 0.9, n), rng.normal(0.2, 1.1, n)


def oracle(metric: Callable[..., float], truth: Floats, errors: Floats) -> float:
    return float(metric(truth, truth + errors))


def bootstrap_deviation(statistic: Callable[[NDArray[np.intp]], float], n: int) -> float:
    rng = np.random.default_rng(7)
    return float(np.std([statistic(rng.integers(0, n, n)) for _ in range(400)]))


def rows_of_errors(truth: Floats, errors: Floats) -> Rows:
    return rows_of(Evaluation(truth, truth + errors, task="regression"))


def alone(name: str, truth: Floats, errors: Floats, confidence: float = 0.95) -> Estimate:
    how = How(confidence, np.random.default_rng(0))
    return estimation.estimate(metric_named(name), rows_of_errors(truth, errors), how)


def compared(name: str, truth: Floats, champion: Floats, challenger: Floats) -> Estimate:
    how = How(0.95, np.random.default_rng(0))
    return estimation.estimate_improvement(
        metric_named(name), rows_of_errors(truth, champion), rows_of_errors(truth, challenger), how
    )


METRICS = [("mae", sk_mae), ("rmse", root_mean_squared_error), ("r2", r2_score)]


@pytest.mark.parametrize(("name", "metric"), METRICS)
def test_metrics_of_errors(name: str, metric: Callable[..., float]) -> None:
    truth, errors, _ = regression(1)
    estimate = alone(name, truth, errors)
    assert estimate.value == pytest.approx(oracle(metric, truth, errors), abs=1e-12)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.null is estimate.p_value is None
    deviation = bootstrap_deviation(lambda rows: oracle(metric, truth[rows], errors[rows]), truth.size)
    assert estimate.standard_error == pytest.approx(deviation, rel=0.15)


def test_the_rmse_has_the_interval_of_the_mean_square() -> None:
    truth, errors, _ = regression(2)
    square, root = mean(errors**2, confidence=0.9), alone("rmse", truth, errors, 0.9)
    assert (root.low, root.high) == pytest.approx((math.sqrt(square.low), math.sqrt(square.high)))


IMPROVEMENTS = [("mae", sk_mae, -1), ("rmse", root_mean_squared_error, -1), ("r2", r2_score, 1)]


@pytest.mark.parametrize(("name", "metric", "sign"), IMPROVEMENTS)
def test_improvements(name: str, metric: Callable[..., float], sign: int) -> None:
    truth, champion, challenger = regression(3)

    def gain(rows: NDArray[np.intp]) -> float:
        theirs, ours = (oracle(metric, truth[rows], errors[rows]) for errors in (champion, challenger))
        return sign * (ours - theirs)

    estimate = compared(name, truth, champion, challenger)
    assert estimate.value == pytest.approx(gain(np.arange(truth.size)), abs=1e-12)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.null == 0
    assert estimate.standard_error == pytest.approx(bootstrap_deviation(gain, truth.size), rel=0.15)
    assert compared(name, truth, challenger, champion).value == pytest.approx(-estimate.value)


def test_a_perfect_champion_can_be_missed() -> None:
    truth, errors, _ = regression(4)
    estimate = compared("rmse", truth, np.zeros(errors.size), errors)
    assert estimate.value < 0
    assert estimate.p_value is not None
    assert estimate.p_value < 1e-9


@pytest.mark.parametrize("truth", [[2.0], [2.0, 2.0, 2.0]])
def test_r2_of_a_constant_target(truth: list[float]) -> None:
    errors = np.arange(len(truth), dtype=np.float64)
    with pytest.raises(EvidenceError, match="y_true is constant"):
        alone("r2", np.array(truth), errors)
    with pytest.raises(EvidenceError, match="y_true is constant"):
        compared("r2", np.array(truth), errors, 2 * errors + 1)


def test_bounds_that_no_value_can_leave() -> None:
    heavy = np.array([0.0] * 30 + [100.0])
    zeros = np.zeros(heavy.size)
    assert alone("mae", zeros, heavy).low >= 0
    assert alone("rmse", zeros, heavy).low >= 0
    truth, errors, _ = regression(5, 12)
    assert alone("r2", truth, errors / 1e3, 0.999).high <= 1
