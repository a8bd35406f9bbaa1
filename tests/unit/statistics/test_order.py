"""Medians against scikit-learn and scipy; the largest errors against what is known of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import quantile_test
from sklearn import __version__ as sklearn_version
from sklearn.metrics import median_absolute_error
from sklearn.utils.fixes import parse_version

from pytest_mlops import EvidenceError
from pytest_mlops.statistics import order
from pytest_mlops.statistics.linear import interval

Floats = NDArray[np.float64]
ERRORS = st.lists(st.integers(0, 8), min_size=2, max_size=40)


def drawn(n: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).exponential(size=n)


@given(ERRORS)
def test_the_median_is_that_of_scikit_learn(errors: list[int]) -> None:
    values = np.array(errors) / 7
    assert order.median(values).value == pytest.approx(median_absolute_error(values, 0 * values), abs=1e-12)


@pytest.mark.skipif(parse_version(sklearn_version) < parse_version("1.8"), reason="it took the lower of two medians")
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4)), min_size=2, max_size=40))
def test_the_weighted_median_is_that_of_scikit_learn(rows: list[tuple[int, int]]) -> None:
    values, weight = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    if np.count_nonzero(weight) < 2:
        return
    expected = median_absolute_error(values, 0 * values, sample_weight=weight)
    assert order.median(values, weight / weight.mean()).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@given(errors=ERRORS)
def test_the_influence_has_a_mean_of_0_and_is_0_only_where_all_are_equal(weighted: bool, errors: list[int]) -> None:
    values = np.array(errors, dtype=float)
    weight = np.linspace(0.5, 1.5, values.size) if weighted else None
    influence = order.median(values, weight).influence
    assert abs(influence.mean()) < 1e-9
    assert bool(influence.any()) == (np.unique(values).size > 1)


def test_the_standard_error_is_that_of_the_density() -> None:
    n, runs = 10_000, 30
    found = [interval(order.median(drawn(n, seed)), confidence=0.95).standard_error for seed in range(runs)]
    expected = 1 / np.sqrt(n)  # the density at the median is ½
    assert sum(error or 0.0 for error in found) / runs == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("n", [6, 7, 50, 501])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_of_the_median_is_that_of_scipy(n: int, confidence: float) -> None:
    values = drawn(n)
    ours = order.median_interval(values, confidence=confidence)
    expected: Any = quantile_test(values, q=0, p=0.5).confidence_interval(confidence)
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high))


def test_few_rows_have_no_interval_of_the_median() -> None:
    with pytest.raises(EvidenceError, match=r"at 0\.95 needs 6 rows, and there are 5: judge more rows$"):
        order.median_interval(drawn(5), confidence=0.95)


@given(st.lists(st.integers(0, 3), min_size=6, max_size=40))
def test_intervals_have_a_width_unless_all_are_equal(errors: list[int]) -> None:
    values = np.array(errors, dtype=float)
    for estimate in (order.median_interval(values, confidence=0.95), order.largest(values, confidence=0.95)):
        assert estimate.low <= estimate.value <= estimate.high
        assert (estimate.low < estimate.high) == (np.unique(values).size > 1)
        assert (estimate.standard_error is None) == (estimate.low == estimate.high)


@pytest.mark.parametrize("n", [2, 10, 50, 500])
def test_the_interval_of_the_largest_holds_the_percentile_and_the_basic_one(n: int) -> None:
    values, generator = drawn(n), np.random.default_rng(0)
    draws = values[generator.integers(n, size=(5_000, n))].max(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    estimate = order.largest(values, confidence=0.95)
    assert estimate.low <= low
    assert estimate.high >= max(high, 2 * values.max() - low)


@pytest.mark.parametrize("n", [2, 40, 500])
def test_the_improvement_of_the_largest_resamples_rows(n: int) -> None:
    champion, challenger = 1.2 * drawn(n, 1), drawn(n, 2)
    ours = order.largest_improvement(champion, challenger, confidence=0.95, generator=np.random.default_rng(0))
    assert ours.value == champion.max() - challenger.max()
    assert ours.low < ours.value < ours.high
    rows = np.random.default_rng(1).integers(n, size=(5_000, n))
    spread = np.std(champion[rows].max(axis=1) - challenger[rows].max(axis=1))
    if n > 2:
        assert ours.standard_error is not None
        assert ours.standard_error > 0.95 * spread


def test_a_much_larger_largest_error_is_a_harm_and_a_single_one_is_not() -> None:
    champion = drawn(500)
    all_worse = order.largest_improvement(champion, 3 * champion, confidence=0.95, generator=np.random.default_rng(0))
    assert all_worse.p_value is not None
    assert all_worse.p_value < 0.025
    one_worse = champion.copy()
    one_worse[0] = 100.0
    single = order.largest_improvement(champion, one_worse, confidence=0.95, generator=np.random.default_rng(0))
    assert single.p_value is not None
    assert single.p_value > 0.2


def test_identical_models_have_no_p_value() -> None:
    same = order.largest_improvement(drawn(50), drawn(50), confidence=0.95, generator=np.random.default_rng(0))
    assert (same.low, same.high, same.p_value, same.standard_error) == (0.0, 0.0, None, None)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=6, max_size=150))
def test_nothing_changes_with_the_order_of_the_rows(rows: list[tuple[int, int]]) -> None:
    places = np.random.default_rng(len(rows)).permutation(len(rows))
    first, second = (np.array(column) / 7 for column in zip(*rows, strict=True))
    weight = (second + 0.1) / (second + 0.1).mean()

    def all_of(which: NDArray[np.intp]) -> list[object]:
        a, b, w = first[which], second[which], weight[which]
        linear, weighted = order.median(a), order.median(a, w)
        generator = np.random.default_rng(0)
        return [
            (linear.value, weighted.value, sorted(linear.influence), sorted(weighted.influence)),
            order.median_interval(a, confidence=0.95),
            order.largest(a, confidence=0.95),
            order.largest_improvement(a, b, confidence=0.95, generator=generator),
        ]

    assert all_of(np.arange(len(rows))) == all_of(places)


def test_fewer_than_two_rows_say_nothing() -> None:
    one, generator = np.ones(1), np.random.default_rng(0)
    with pytest.raises(EvidenceError, match="at least two rows"):
        order.median(one)
    with pytest.raises(EvidenceError, match="at least two rows"):
        order.median(np.ones(3), np.array([3.0, 0, 0]))
    with pytest.raises(EvidenceError, match="at least two rows"):
        order.largest(one, confidence=0.95)
    with pytest.raises(EvidenceError, match="at least two rows"):
        order.largest_improvement(one, one, confidence=0.95, generator=generator)
    with pytest.raises(EvidenceError, match="do not pair"):
        order.largest_improvement(np.ones(3), np.ones(2), confidence=0.95, generator=generator)
