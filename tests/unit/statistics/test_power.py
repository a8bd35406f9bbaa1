"""What a check could see."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from pytest_mlops import Estimate
from pytest_mlops.statistics.power import quantile, rows_needed, supported_margin, with_blind_spot

MARGINS = st.floats(1e-3, 0.5)
ERRORS = st.floats(1e-4, 0.5)


def estimate(standard_error: float | None, *, null: float | None = 0.0, n: int = 1000) -> Estimate:
    return Estimate(
        value=0.3, low=0, high=1, confidence=0.95, method="", n=n, null=null, standard_error=standard_error
    )  # fmt: skip


def blind_spot(standard_error: float, margin: float, n: int = 1000) -> float:
    found = with_blind_spot(estimate(standard_error, n=n), -margin).blind_spot
    assert found is not None
    return found


@pytest.mark.parametrize("confidence", [0.51, 0.8, 0.95, 0.999])
def test_quantiles(confidence: float) -> None:
    assert quantile(confidence) == pytest.approx(norm.ppf((1 + confidence) / 2), abs=1e-9)


@given(MARGINS, ERRORS)
def test_a_harm_of_the_size_of_the_blind_spot_is_caught_with_power(margin: float, standard_error: float) -> None:
    """FAIL needs an estimate beyond the margin and a significant harm."""
    harm = blind_spot(standard_error, margin)
    needed = max(margin, norm.ppf(0.975) * standard_error)
    assert norm.cdf((harm - needed) / standard_error) == pytest.approx(0.8)


@pytest.mark.parametrize("bound", [0.1, 0.8, -3.0])
def test_without_a_null_it_counts_from_the_bound(bound: float) -> None:
    found = with_blind_spot(estimate(0.1, null=None), bound).blind_spot
    assert found == pytest.approx(0.1 * norm.ppf(0.8))


@pytest.mark.parametrize("standard_error", [None, math.nan, math.inf])
def test_what_is_not_known_stays_unknown(standard_error: float | None) -> None:
    assert with_blind_spot(estimate(standard_error), -0.1).blind_spot is None


@given(ERRORS, st.floats(1.5, 5))
def test_the_supported_margin_is_the_smallest_one(standard_error: float, cap: float) -> None:
    margin = supported_margin(estimate(standard_error), cap)
    assert blind_spot(standard_error, margin) <= cap * margin * (1 + 1e-9)
    assert blind_spot(standard_error, 0.99 * margin) > cap * 0.99 * margin


@given(ERRORS, MARGINS, st.floats(1.5, 5))
def test_the_rows_needed_support_the_margin(standard_error: float, margin: float, cap: float) -> None:
    rows = rows_needed(estimate(standard_error), margin, cap)
    shrunk = standard_error * math.sqrt(1000 / rows)
    assert blind_spot(shrunk, margin, rows) <= cap * margin * (1 + 1e-9)
