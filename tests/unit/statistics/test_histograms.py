"""Bars for two samples: tidy, comparable, and without a row to be read off them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_mlops.statistics.distribution import Distribution
from pytest_mlops.statistics.histograms import BARS, BINS, Bars, Histogram, bars, histogram

Floats = NDArray[np.float64]
NUMBERS = st.lists(st.floats(allow_nan=False) | st.sampled_from([-1.0, 0.0, 0.1, 0.3, 7.0]), min_size=1, max_size=40)


def normal(n: int = 2_000, *, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=n)


def drawn(reference: Any, current: Any) -> Histogram | None:
    return histogram(Distribution.of(np.asarray(reference)), Distribution.of(np.asarray(current)))


def of(reference: Any, current: Any) -> Histogram:
    found = drawn(reference, current)
    assert found is not None
    return found


def of_counts(counts: Any, names: list[str] | None = None) -> Bars:
    counts = np.array(counts)
    found = bars(counts, names or [f"c{place:03}" for place in range(counts.shape[1])])
    assert found is not None
    return found


# --- of numbers


@given(NUMBERS, NUMBERS)
def test_any_numbers_are_drawn_whole_or_not_at_all(reference: list[float], current: list[float]) -> None:
    found = drawn(reference, current)
    if found is not None:
        assert np.isfinite(found.edges).all()
        assert (np.diff(found.edges) > 0).all()
        assert 1 <= len(found.edges) - 1 == len(found.reference) == len(found.current) <= BINS
        assert sum(found.reference) == pytest.approx(1)
        assert sum(found.current) == pytest.approx(1)


@given(NUMBERS, st.data())
def test_the_order_of_the_rows_does_not_matter(values: list[float], data: st.DataObject) -> None:
    shuffled, other = data.draw(st.permutations(values)), np.arange(50.0)
    assert drawn(values, other) == drawn(shuffled, other)
    assert drawn(other, values) == drawn(other, shuffled)


def test_shares_are_numpys() -> None:
    reference, current = normal(), normal(seed=1) + 0.5
    found = of(reference, current)
    for sample, shares in ((reference, found.reference), (current, found.current)):
        inside = np.clip(sample, found.edges[0], found.edges[-1] - 1e-9)
        np.testing.assert_allclose(shares, np.histogram(inside, found.edges)[0] / sample.size)


def test_edges_are_tidy() -> None:
    assert of(normal(), normal(seed=1)).edges == tuple(step / 2 for step in range(-6, 7))


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e6])
def test_edges_have_few_digits_on_any_scale(scale: float) -> None:
    edges = of(normal() * scale, normal() * scale).edges
    assert max(len(f"{edge / scale:.9g}".lstrip("-")) for edge in edges) <= 4
    assert all(float(f"{edge:.3g}") == edge for edge in edges)


def test_a_heavy_tail_does_not_squeeze_the_rest_into_one_bin() -> None:
    values = np.random.default_rng(0).standard_cauchy(5_000)
    assert max(of(values, values).reference) < 0.35


def test_one_absurd_value_does_not_either() -> None:
    values = np.append(normal(99), 1e12)
    assert max(of(values, values).reference) < 0.35


def test_the_end_bins_take_what_lies_beyond_and_infinity_too() -> None:
    values = np.concatenate([normal(900), np.full(60, np.inf), np.full(40, -np.inf)])
    found = of(values, values)
    assert found.reference[-1] >= 0.06
    assert found.reference[0] >= 0.04
    assert sum(found.reference) == pytest.approx(1)


def test_a_small_sample_far_away_is_drawn_as_well_as_a_large_one() -> None:
    found = of(normal(20_000), normal(100) + 10)
    assert found.edges[-1] >= 11
    assert max(found.current) < 0.8


def test_whole_numbers_fall_into_bins_of_whole_width() -> None:
    grades = np.arange(1_000) % 5 + 1
    assert of(grades, grades).edges == (1, 2, 3, 4, 5, 6)
    assert of(grades, grades).reference == pytest.approx([0.2] * 5)
    ages = np.arange(10_000) % 60 + 18
    assert set(np.diff(of(ages, ages).edges)) == {5}


def test_few_values_make_wide_bins() -> None:
    few, many = (of(normal(n), normal(n, seed=1)).edges for n in (20, 2_000))
    assert few[1] - few[0] > many[1] - many[0]


@pytest.mark.parametrize("extreme", [100.0, 37.0])
def test_no_edge_tells_an_extreme_value(extreme: float) -> None:
    ages = np.append(np.arange(100) % 10 + 20, extreme)
    for sign in (1, -1):
        found = of(ages * sign, ages * sign)
        assert max(map(abs, found.edges)) <= 30


@given(st.lists(st.integers(-1_000, 1_000), min_size=5, max_size=60))
def test_an_end_bin_holds_five_values_or_more(values: list[int]) -> None:
    found = of(values, values)
    for end in (0, -1):
        assert (found.reference[end] + found.current[end]) * len(values) > 4.5


def test_one_value_is_one_bin_around_it() -> None:
    (low, high) = of([0.372] * 9, [0.372] * 9).edges
    assert low < 0.372 < high


@pytest.mark.parametrize(
    ("reference", "current"),
    [
        pytest.param([1.0] * 4, [2.0] * 4, id="few values"),
        pytest.param([1.0] * 9, [np.inf] * 9, id="nothing finite"),
        pytest.param([-1.7e308] * 9, [1.7e308] * 9, id="too far apart"),
        pytest.param([1e17] * 9, [1e17 + 16] * 9, id="too close together"),
    ],
)
def test_what_is_odd_is_not_drawn(reference: list[float], current: list[float]) -> None:
    assert drawn(reference, current) is None


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e306])
def test_cells_of_many_values_give_the_same_picture_but_for_a_hair(scale: float) -> None:
    values = np.append(normal(120_000), [30.0, -8.0, np.inf]) * scale
    counted = Distribution.of(values)
    assert counted.counts.size < 10_000
    exact = Distribution.of_counts(*np.unique(values, return_counts=True))
    few, many = histogram(counted, counted), histogram(exact, exact)
    assert few is not None
    assert many is not None
    assert few.edges == many.edges
    np.testing.assert_allclose(few.reference, many.reference, atol=0.002)


def test_small_whole_numbers_are_whole_also_where_the_rare_ones_share_a_cell() -> None:
    counts = np.random.default_rng(0).poisson(2, 200_000) * 1.0
    counts[:4] += 0.25  # no longer all whole: they are counted in cells
    assert set(np.diff(of(counts, counts).edges)) == {1}


# --- of categories


def test_the_largest_come_first_and_the_rest_is_gathered() -> None:
    found = of_counts([[50, *range(10, 30)], [70, *range(10, 30)]])
    assert found.places == (0, *range(20, 10, -1))
    assert found.others == 10
    assert len(found.reference) == BARS + 1
    assert math.fsum(found.current) == pytest.approx(1)
    assert found.reference[-1] == pytest.approx(sum(range(10, 20)) / (50 + sum(range(10, 30))))


def test_without_others_there_is_no_bar_for_them() -> None:
    assert of_counts([[30, 70], [50, 50]]) == Bars((1, 0), 0, (0.7, 0.3), (0.5, 0.5))


def test_a_category_of_few_values_is_not_named() -> None:
    assert of_counts([[3, 90, 2], [1, 90, 3]]).places == (1, 2)


def test_both_samples_count_alike() -> None:
    assert of_counts([[9_000, 1_000, 0], [0, 0, 10]]).places == (2, 0, 1)


def test_equal_shares_are_in_the_order_of_their_names() -> None:
    assert of_counts([[10, 10, 10], [10, 10, 10]], ["b", "c", "a"]).places == (2, 0, 1)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=30), st.data())
def test_the_order_of_categories_does_not_matter(cells: list[tuple[int, int]], data: st.DataObject) -> None:
    cells = [(1, 1), *cells]  # neither sample is empty
    named = [(*cell, f"c{place}") for place, cell in enumerate(cells)]
    found = []
    for each in (named, data.draw(st.permutations(named))):
        names = [cell[2] for cell in each]
        shown = bars(np.array([cell[:2] for cell in each]).T, names)
        found.append(shown and ([names[place] for place in shown.places], shown.others, shown.reference, shown.current))
    assert found[0] == found[1]


def test_the_rest_is_never_named() -> None:
    counts = np.array([[50, 900], [60, 900]])
    assert bars(counts, ["a", ""], pooled=True) == Bars((0,), 1, (50 / 950, 900 / 950), (0.0625, 0.9375))
    assert bars(counts[:, 1:], [""], pooled=True) is None


def test_where_every_category_is_rare_nothing_is_drawn() -> None:
    assert bars(np.ones((2, 30), dtype=np.int64), [""] * 30) is None
