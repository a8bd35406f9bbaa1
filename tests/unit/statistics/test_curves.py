"""Curves against those of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from pytest_mlops.statistics.curves import POINTS, Calibrated, Line, calibrated, precision_recall, roc
from pytest_mlops.statistics.proportions import share

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]
CURVES = [roc, precision_recall]
SAMPLES = [
    pytest.param(7, 1, id="a handful"),
    pytest.param(300, 1, id="many ties"),
    pytest.param(3_000, 0, id="two or three scores"),
    pytest.param(20_000, 9, id="more rows than marks"),
]


def sample(n: int, digits: int = 9, *, seed: int = 0, signal: float = 1.0) -> tuple[Booleans, Floats]:
    rng = np.random.default_rng(seed)
    positive = np.arange(n) % 3 == 0
    return positive, (signal * positive + rng.normal(size=n)).round(digits)


def weights(n: int) -> Floats:
    """Some of nothing, one as heavy as a third of all others."""
    weight = np.random.default_rng(1).exponential(size=n) * (np.arange(n) % 5 > 0)
    weight[n // 2] = n / 3
    return weight


def drawn(line: Line | None) -> Line:
    assert line is not None
    return line


def whole_roc(positive: Booleans, score: Floats, weight: Floats | None = None) -> tuple[Floats, Floats]:
    x, y, _ = roc_curve(positive, score, sample_weight=weight, drop_intermediate=False)
    return x, y


def whole_precision_recall(positive: Booleans, score: Floats, weight: Floats | None = None) -> tuple[Floats, Floats]:
    y, x, _ = precision_recall_curve(positive, score, sample_weight=weight)
    return x, y


WHOLE: dict[Any, Any] = {roc: whole_roc, precision_recall: whole_precision_recall}


def distances(line: Line, x: Floats, y: Floats) -> Floats:
    """From each point of the line to the nearest of these."""
    return np.array([np.hypot(x - a, y - b).min() for a, b in zip(line.x, line.y, strict=True)])


# --- points


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(("n", "digits"), SAMPLES)
@pytest.mark.parametrize("weighted", [False, True])
def test_every_point_is_one_of_scikit_learns(curve: Any, n: int, digits: int, weighted: bool) -> None:
    positive, score = sample(n, digits)
    weight = weights(n) if weighted else None
    assert distances(drawn(curve(positive, score, weight)), *WHOLE[curve](positive, score, weight)).max() < 1e-9


def strays(line: Line, positive: Booleans, score: Floats) -> float:
    """How far the whole curve is from the line, where both have come equally far."""
    x, y = whole_roc(positive, score)
    at = np.interp(x + y, line.x + line.y, line.x), np.interp(x + y, line.x + line.y, line.y)
    return float(np.hypot(at[0] - x, at[1] - y).max())


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=40))
def test_of_few_thresholds_no_bend_is_lost(rows: list[tuple[bool, int]]) -> None:
    positive, score = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=np.float64)
    line = roc(positive, score)
    if line is None:
        assert positive.all() or not positive.any()
    else:
        assert strays(line, positive, score) < 1e-9


def test_with_as_many_points_as_bends_none_is_lost() -> None:
    positive, score = sample(900)
    assert strays(drawn(roc(positive, score, most=900)), positive, score) < 1e-9


def test_with_the_usual_number_of_points_the_line_strays_little() -> None:
    positive, score = sample(20_000)
    assert strays(drawn(roc(positive, score)), positive, score) < 0.005


@pytest.mark.parametrize(("n", "digits"), SAMPLES)
@pytest.mark.parametrize("signal", [-1.0, 0.0, 1.0, 4.0])
def test_the_area_is_the_auc(n: int, digits: int, signal: float) -> None:
    positive, score = sample(n, digits, signal=signal)
    line = drawn(roc(positive, score))
    assert np.trapezoid(line.y, line.x) == pytest.approx(roc_auc_score(positive, score), abs=0.005)


def test_the_area_is_that_of_weighted_rows_too() -> None:
    positive, score = sample(20_000)
    weight = weights(20_000)
    line = drawn(roc(positive, score, weight))
    wanted = roc_auc_score(positive, score, sample_weight=weight)
    assert np.trapezoid(line.y, line.x) == pytest.approx(wanted, abs=0.005)


@pytest.mark.parametrize("curve", CURVES)
def test_the_whole_curve_runs_close_to_the_line(curve: Any) -> None:
    positive, score = sample(20_000)
    x, y = WHOLE[curve](positive, score)
    line = drawn(curve(positive, score))
    inside = (x > 0.05) & (x < 0.95)  # of few rows, precision jumps
    assert np.abs(np.interp(x, line.x, line.y) - y)[inside].max() < 0.01


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("most", [2, 3, POINTS])
def test_there_are_no_more_points_than_asked_for_and_the_ends_are_among_them(curve: Any, most: int) -> None:
    positive, score = sample(2_000)
    line, whole = drawn(curve(positive, score, most=most)), drawn(curve(positive, score, most=10_000))
    assert line.x.size == most < whole.x.size
    for values, of_whole in ((line.x, whole.x), (line.y, whole.y)):
        assert (values[0], values[-1]) == (of_whole[0], of_whole[-1])


def test_roc_goes_from_corner_to_corner() -> None:
    line = drawn(roc(*sample(500)))
    assert [line.x[0], line.y[0], line.x[-1], line.y[-1]] == [0, 0, 1, 1]


def test_precision_begins_with_rows_that_there_are() -> None:
    line = drawn(precision_recall(np.array([False, True, False]), np.array([0.9, 0.8, 0.1])))
    assert list(zip(line.x, line.y, strict=True)) == [(0, 0), (1, 0.5), (1, pytest.approx(1 / 3))]


def test_a_row_without_weight_says_nothing() -> None:
    line = drawn(precision_recall(np.array([False, True, False]), np.array([3.0, 2.0, 1.0]), np.array([0.0, 1.0, 1.0])))
    assert list(zip(line.x, line.y, strict=True)) == [(1, 1), (1, 0.5)]


def test_a_straight_line_needs_two_points() -> None:
    line = drawn(roc(np.arange(100) % 2 == 0, np.zeros(100)))
    assert (line.x.tolist(), line.y.tolist()) == ([0, 1], [0, 1])


def test_infinite_scores_are_scores() -> None:
    line = drawn(roc(np.array([True, False, True, False]), np.array([np.inf, 3.0, 2.0, -np.inf])))
    assert np.trapezoid(line.y, line.x) == 0.75


# --- what cannot be drawn


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(
    ("positive", "score", "weight"),
    [
        pytest.param([True, True], [0.1, 0.2], None, id="one class"),
        pytest.param([], [], None, id="no row"),
        pytest.param([True, False], [0.1, np.nan], None, id="a score that is no number"),
        pytest.param([True, False], [0.1, 0.2], [1.0, 0.0], id="a class without weight"),
        pytest.param([True, False], [0.1, 0.2], [1.0, np.nan], id="a weight that is no number"),
    ],
)
def test_what_is_odd_is_not_drawn(curve: Any, positive: list[bool], score: list[float], weight: Any) -> None:
    weight = None if weight is None else np.array(weight)
    assert curve(np.array(positive, dtype=bool), np.array(score), weight) is None


@pytest.mark.parametrize(
    ("happened", "probability"),
    [
        pytest.param([True] * 50, [0.5] * 50, id="one class"),
        pytest.param([True, False] * 9, [0.5] * 18, id="few rows"),
        pytest.param([True, False] * 25, [0.5] * 49 + [np.nan], id="no number"),
    ],
)
def test_an_odd_calibration_is_not_drawn(happened: list[bool], probability: list[float]) -> None:
    assert calibrated(np.array(happened), np.array(probability), confidence=0.95) is None


# --- the order of the rows


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.3, 0.7]), st.floats(0, 3)), min_size=2), st.data())
def test_the_order_of_the_rows_does_not_matter(rows: list[tuple[bool, float, float]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    for curve in CURVES:
        one, other = (curve(*map(np.array, zip(*each, strict=True))) for each in (rows, shuffled))
        points = [each and (each.x.tobytes(), each.y.tobytes()) for each in (one, other)]
        assert points[0] == points[1]


@given(st.integers(0, 50), st.integers(1, 6))
def test_the_order_of_the_rows_does_not_matter_to_calibration(seed: int, digits: int) -> None:
    happened, probability = of_probabilities(200, digits)
    order = np.random.default_rng(seed).permutation(200)
    one, other = (calibrated(happened[by], probability[by], confidence=0.9) for by in (slice(None), order))
    assert one == other is not None


# --- calibration


def of_probabilities(n: int, digits: int = 9) -> tuple[Booleans, Floats]:
    rng = np.random.default_rng(0)
    probability = rng.beta(1, 3, size=n)
    return rng.random(n) < probability, probability.round(digits)


@pytest.mark.parametrize(("n", "digits", "bins"), [(50, 9, 2), (1_000, 1, 10), (1_000, 9, 10), (1_001, 9, 10)])
def test_bins_are_those_of_scikit_learn(n: int, digits: int, bins: int) -> None:
    happened, probability = of_probabilities(n, digits)
    observed, predicted = calibration_curve(happened, probability, n_bins=bins, strategy="quantile")
    found = of(happened, probability)
    np.testing.assert_allclose(found.predicted, predicted, atol=1e-9)
    np.testing.assert_allclose(found.observed, observed, atol=1e-9)
    assert sum(found.n) == n


def of(happened: Booleans, probability: Floats, confidence: float = 0.95) -> Calibrated:
    found = calibrated(happened, probability, confidence=confidence)
    assert found is not None
    return found


def test_intervals_are_wilsons() -> None:
    found = of(*of_probabilities(1_000), confidence=0.8)
    wanted = [share(round(p * n), n, confidence=0.8) for p, n in zip(found.observed, found.n, strict=True)]
    assert found.low == tuple(each.low for each in wanted)
    assert found.high == tuple(each.high for each in wanted)


def test_a_bin_of_few_rows_tells_nothing_of_them() -> None:
    probability = np.append(np.full(96, 0.1), np.full(4, 0.9))
    found = of(np.arange(100) % 2 == 0, probability)
    assert found.n == (96,)
    assert found.predicted == pytest.approx((0.1,))
