"""Numbers and names as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops import Estimate
from pytest_mlops.verdict.wording import count, did_you_mean, number, percent, signed, with_interval


@pytest.mark.parametrize(
    ("value", "resolution", "words"),
    [
        (0.8, None, "0.8"),
        (0.0, None, "0"),
        (-0.0, None, "0"),
        (0.12345, None, "0.1235"),
        (12345.678, None, "12,346"),
        (0.00001234, None, "1.234e-05"),
        (1e20, None, "1e+20"),
        (0.71777, 0.033, "0.718"),
        (1234567.0, 30000.0, "1,235,000"),
        (-0.0001, 0.1, "0.00"),
        (0.5, 1e-12, "0.5"),
        (0.8, 0.0, "0.8"),
        (0.8, math.nan, "0.8"),
        (math.nan, None, "not a number"),
        (math.inf, 0.1, "infinite"),
    ],
)
def test_numbers(value: float, resolution: float | None, words: str) -> None:
    assert number(value, resolution=resolution) == words


@given(st.floats(-1e300, 1e300), st.none() | st.floats(min_value=0))
def test_every_number_can_be_read_back(value: float, resolution: float | None) -> None:
    read = float(number(value, resolution=resolution).replace(",", ""))
    unit = resolution if resolution is not None and 0 < resolution < math.inf else 0.0
    assert abs(read - value) <= max(1e-2 * abs(value), 1e-4, unit)


@given(st.floats(-1e6, 1e6))
def test_a_sign_belongs_to_a_number_that_is_not_zero(value: float) -> None:
    words = signed(value, resolution=0.1)
    assert words.startswith("+") == (value > 0 and float(words.replace(",", "")) != 0)


@pytest.mark.parametrize(
    ("null", "exact", "words"),
    [
        (None, False, "0.012 (-0.010 to 0.034)"),
        (0.0, False, "+0.012 (-0.010 to +0.034)"),
        (0.0, True, "0.0123 exactly"),
    ],
)
def test_intervals(null: float | None, exact: bool, words: str) -> None:
    made = Estimate(
        value=0.0123, low=-0.0101, high=0.034, confidence=0.95, method="", n=9, null=null, exact=exact
    )  # fmt: skip
    assert with_interval(made, sign=null is not None) == words


def test_small_words() -> None:
    assert [percent(0.95), percent(0.025)] == ["95 %", "2.5 %"]
    assert [count(1, "row"), count(0, "row"), count(1488, "row")] == ["1 row", "0 rows", "1,488 rows"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("f1_", "did you mean 'f1'?"), ("nothing like it", "valid names: f1, r2"), ("", "valid names: f1, r2")],
)
def test_hints(name: str, hint: str) -> None:
    assert did_you_mean(name, ["r2", "f1"]) == hint
