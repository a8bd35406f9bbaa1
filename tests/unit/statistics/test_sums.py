"""Sums that are the same in any order, against `math.fsum` and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import skew

from pytest_mlops import EvidenceError
from pytest_mlops.statistics.sums import mean, moments, total

FLOATS = st.lists(st.floats(-1e200, 1e200), min_size=1, max_size=60)


@given(FLOATS)
def test_the_sum_is_off_by_less_than_rounding(values: list[float]) -> None:
    rows = np.array(values)
    slack = 2.0**-47 * rows.size * float(np.abs(rows).max())
    assert total(rows) == pytest.approx(math.fsum(values), abs=slack, rel=1e-15)


@given(FLOATS, st.randoms())
def test_no_order_changes_a_bit(values: list[float], chance: object) -> None:
    shuffled = list(values)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    rows, others = np.array(values), np.array(shuffled)
    assert total(rows) == total(others)
    assert moments(rows) == moments(others) if rows.size > 1 else True


@pytest.mark.parametrize("n", [32_767, 32_768, 100_003])
def test_nor_does_a_chunk(n: int) -> None:
    """Heavy tails, of which the usual sum rounds otherwise in another order."""
    rng = np.random.default_rng(n)
    rows = rng.standard_t(2, size=n) * 1e6
    others = rng.permutation(rows)
    assert float(rows.sum()) != float(others.sum())
    assert total(rows) == total(others) == pytest.approx(math.fsum(rows), rel=1e-12)
    assert moments(rows) == moments(others)


@pytest.mark.parametrize("scale", [1e-290, 1e-100, 1.0, 1e100, 1e250])
def test_the_moments_are_those_of_numpy_and_scipy(scale: float) -> None:
    rows = np.random.default_rng(0).gamma(2.0, size=501)
    found = moments(rows * scale)
    assert found.mean == pytest.approx(rows.mean() * scale, rel=1e-13)
    assert found.deviation == pytest.approx(rows.std(ddof=1) * scale, rel=1e-12)
    assert found.skewness == pytest.approx(skew(rows, bias=False), rel=1e-9)


@given(st.lists(st.floats(-1e-300, 1e-300), min_size=1, max_size=40))
@example([0.0, 1e-309])
@example([1e-310, 3e-310])
@example([0.0, 5e-324])
def test_the_smallest_of_floats_are_added_up(values: list[float]) -> None:
    """Below 1e-308 a float has fewer digits, and in the end none."""
    rows = np.array(values)
    slack = 2.0**-47 * rows.size * float(np.abs(rows).max()) + rows.size * 5e-324
    assert total(rows) == pytest.approx(math.fsum(values), abs=slack)
    if rows.size > 1:
        found = moments(rows)
        assert 0 <= found.deviation <= 3e-300
        assert math.isfinite(found.skewness)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9, 1 / 3])
def test_equal_rows_have_no_deviation(value: float) -> None:
    found = moments(np.full(1000, value))
    assert (found.deviation, found.skewness) == (0.0, 0.0)
    assert found.mean == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300])
def test_what_cannot_be_added_up_is_refused(bad: float) -> None:
    with pytest.raises(EvidenceError, match="not a finite number, or too large to add up"):
        total(np.array([1.0, bad, 2.0]))
    with pytest.raises(EvidenceError, match="not a finite number"):
        mean(np.array([bad]))


def test_nothing_is_0() -> None:
    assert total(np.array([])) == 0
    assert total(np.zeros(5)) == 0
