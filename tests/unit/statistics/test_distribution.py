"""Numbers in cells: the same from everywhere, every count exact, and nothing lost of what matters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import ks_2samp, wasserstein_distance

from pytest_mlops import EvidenceError
from pytest_mlops.evidence.suppression import merged
from pytest_mlops.statistics import distribution, two_sample
from pytest_mlops.statistics.distribution import Distribution, Search
from pytest_mlops.statistics.steps import Steps

Floats = NDArray[np.float64]
MANY = 60_000
WORLDS: dict[str, Callable[[np.random.Generator], Any]] = {
    "normal": lambda r: r.normal(size=MANY),
    "far from zero": lambda r: r.normal(1e6, 1, size=MANY),
    "mostly zero": lambda r: np.where(r.random(MANY) < 0.97, 0.0, r.lognormal(size=MANY)),
    "whole numbers": lambda r: r.integers(-40, 90, MANY),
    "counts": lambda r: r.poisson(3, MANY),
    "microseconds": lambda r: r.integers(1_600_000_000_000_000, 1_700_000_000_000_000, MANY),
    "heavy tails": lambda r: r.standard_cauchy(MANY),
    "prices": lambda r: np.round(r.lognormal(3, 1, MANY), 2),
    "two heaps": lambda r: np.concatenate([r.normal(-1e5, 1, MANY // 2), r.normal(3, 0.1, MANY // 2)]),
    "infinities": lambda r: r.choice([-math.inf, math.inf, *r.normal(size=500)], MANY),
    "one number": lambda r: np.full(MANY, -2.5),
    "two numbers": lambda r: r.choice([0.1, 0.3], MANY),
    "the ends of floating point": lambda r: r.choice([-1.7e308, -5e-324, -0.0, 0.0, 5e-324, 1.7e308], MANY),
    "only infinite": lambda r: r.choice([-math.inf, math.inf], MANY),
}
NUMBERS = st.floats(allow_nan=False) | st.integers(-5, 5).map(float)


def world(name: str, seed: int = 0) -> Floats:
    return np.asarray(WORLDS[name](np.random.default_rng(seed)), dtype=np.float64)


def same(one: Distribution, other: Distribution) -> bool:
    return all(np.array_equal(getattr(one, what), getattr(other, what)) for what in ("lowest", "highest", "counts"))


def counted(values: Floats, sample: Floats) -> tuple[Distribution, int]:
    """As an engine would be asked."""
    finite = values[np.isfinite(values)]
    infinities = int((values == -math.inf).sum()), int((values == math.inf).sum())
    search, rounds = Search(sample, values.size, finite.min(), finite.max(), infinities), 0
    while (highs := search.highs) is not None:
        assert (np.diff(highs) > 0).all()
        search.tell(np.bincount(np.searchsorted(highs, finite), minlength=highs.size))
        rounds += 1
    return search.distribution(), rounds


@pytest.mark.parametrize("name", WORLDS)
def test_cells_are_those_of_all_distinct_values(name: str) -> None:
    values = world(name)
    assert same(Distribution.of(values), Distribution.of_counts(*np.unique(values, return_counts=True)).trie())


@pytest.mark.parametrize("name", WORLDS)
def test_every_count_is_exact_and_every_cell_small_or_one_number(name: str) -> None:
    values = world(name)
    found = Distribution.of(values)
    assert np.cumsum(found.counts).tolist() == np.searchsorted(np.sort(values), found.highest, side="right").tolist()
    assert (found.lowest[1:] > found.highest[:-1]).all()
    assert (found.counts > 0).all()
    assert found.error <= 1 / distribution.CELLS
    assert (found.minimum, found.maximum, found.n) == (values.min(), values.max(), MANY)
    assert found.infinite == np.isinf(values).sum()


@pytest.mark.parametrize("name", [name for name in WORLDS if name != "only infinite"])
def test_an_engine_that_only_counts_finds_the_same_cells(name: str) -> None:
    values = world(name)
    finite = values[np.isfinite(values)]
    found, rounds = counted(values, np.random.default_rng(1).choice(finite, 20_000))
    assert same(found, Distribution.of(values))
    assert rounds <= 3


@pytest.mark.parametrize("name", ["normal", "mostly zero", "infinities"])
@pytest.mark.parametrize("drawn", [0, 1, 30])
def test_a_bad_sample_costs_questions_and_changes_nothing(name: str, drawn: int) -> None:
    values = world(name)
    found, _ = counted(values, np.sort(values[np.isfinite(values)])[:drawn])
    assert same(found, Distribution.of(values))


def test_an_answer_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="3 counts for"):
        Search(np.arange(50.0), 50, 0, 49).tell(np.array([1, 2, 3]))


def test_nothing_is_found_before_the_search_is_over() -> None:
    with pytest.raises(ValueError, match="not over"):
        Search(np.arange(50.0), 50, 0, 49).distribution()


@given(values=st.lists(NUMBERS, min_size=1, max_size=60), order=st.randoms())
def test_few_values_are_kept_as_they_are(values: list[float], order: Any) -> None:
    shuffled = list(values)
    order.shuffle(shuffled)
    found = Distribution.of(np.array(shuffled))
    assert same(found, Distribution.of(np.array(values)))
    assert found.error == 0
    assert np.repeat(found.lowest, found.counts).tolist() == [x + 0.0 for x in sorted(values)]


@given(values=st.lists(NUMBERS, min_size=1, max_size=200))
@settings(max_examples=50)
def test_many_values_of_any_kind_are_counted_exactly(values: list[float]) -> None:
    repeated = np.repeat(np.array(values), distribution.EXACT // len(values) + 1)
    found = Distribution.of(repeated)
    assert same(found, Distribution.of_counts(*np.unique(repeated, return_counts=True)).trie())
    assert np.cumsum(found.counts).tolist() == np.searchsorted(np.sort(repeated), found.highest, side="right").tolist()


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.nan] * 30_000])
def test_no_or_missing_values_are_refused(values: list[float]) -> None:
    with pytest.raises(EvidenceError, match=r"no values|missing"):
        Distribution.of(np.array(values))


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), shares=st.lists(st.floats(0, 1), max_size=5))
def test_quantiles_of_few_values_are_those_of_numpy(values: list[float], shares: list[float]) -> None:
    assert Distribution.of(np.array(values)).quantile(shares) == pytest.approx(np.quantile(values, shares))


@pytest.mark.parametrize("name", ["normal", "far from zero", "mostly zero", "prices", "microseconds"])
def test_quantiles_of_many_values_have_nearly_their_rank(name: str) -> None:
    values, shares = world(name), np.linspace(0, 1, 41)
    found = Distribution.of(values).quantile(shares)
    ordered = np.sort(values)
    low, high = (np.searchsorted(ordered, found, side=side) / MANY for side in ("left", "right"))
    assert (low - 0.002 <= shares).all()
    assert (high + 0.002 >= shares).all()
    assert found[[0, -1]].tolist() == [values.min(), values.max()]


def test_at_a_lower_precision_values_are_those_of_that_type() -> None:
    values = np.random.default_rng(0).normal(size=5_000)
    assert same(Distribution.of(values).at_precision("float32"), Distribution.of(values.astype(np.float32)))
    assert Distribution.of(values).at_precision("float16").n == 5_000


# --- two of them


def drifted(name: str) -> tuple[Floats, Floats]:
    reference, current = world(name), world(name, seed=1)
    return reference, np.where(np.random.default_rng(2).random(MANY) < 0.1, np.sqrt(np.abs(current)) + 1, current)


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("pair", [lambda name: (world(name), world(name, 1)), drifted])
def test_the_ks_distance_is_within_the_stated_bound(name: str, pair: Callable[[str], tuple[Floats, Floats]]) -> None:
    reference, current = pair(name)
    steps = Steps.of(Distribution.of(reference), Distribution.of(current))
    exact = ks_2samp(reference, current, method="asymp").statistic
    found = two_sample.plain_distance("ks", steps)
    assert steps.slack <= 0.002
    assert found - 1e-12 <= exact <= found + steps.slack + 1e-12


@given(
    reference=st.lists(NUMBERS, min_size=1, max_size=50),
    current=st.lists(NUMBERS, min_size=1, max_size=50),
    fewest=st.integers(1, 15),
    other=st.integers(1, 15),
)
def test_cells_of_any_width_bound_the_distance(
    reference: list[float], current: list[float], fewest: int, other: int
) -> None:
    steps = Steps.of(
        merged(Distribution.of(np.array(reference)), fewest), merged(Distribution.of(np.array(current)), other)
    )
    exact = two_sample.plain_distance(
        "ks", Steps.of(Distribution.of(np.array(reference)), Distribution.of(np.array(current)))
    )
    found = two_sample.plain_distance("ks", steps)
    assert found - 1e-12 <= exact <= found + steps.slack + 1e-12
    assert (steps.n, steps.m) == (len(reference), len(current))


@pytest.mark.parametrize("name", ["normal", "mostly zero", "whole numbers", "prices", "microseconds"])
def test_the_wasserstein_distance_is_within_its_slack(name: str) -> None:
    reference, current = drifted(name)
    steps = Steps.of(Distribution.of(reference), Distribution.of(current))
    median, spread = two_sample._middle_and_spread(steps)
    exact = wasserstein_distance(*(np.clip((x - median) / spread, -20, 20) for x in (reference, current)))
    seen = two_sample._Moved.of(steps)
    assert abs(seen.distance - exact) <= seen.slack + 1e-12
    assert seen.slack < 0.06


@pytest.mark.parametrize("name", ["normal", "prices", "whole numbers", "heavy tails"])
def test_without_its_block_the_reference_is_the_rest_of_it(name: str) -> None:
    values = world(name)
    block, rest = values[:25_000], values[25_000:]
    found = Steps.of(Distribution.of(values), Distribution.of(block)).rest()
    exact = ks_2samp(rest, block, method="asymp").statistic
    assert (found.n, found.m) == (rest.size, block.size)
    assert two_sample.plain_distance("ks", found) == pytest.approx(exact, abs=0.004)


def test_large_counts_do_not_overflow() -> None:
    many = 4 * 10**9
    one = Distribution.of_counts([0.0, 1.0], [many, many])
    other = Distribution.of_counts([0.0, 1.0], [many, 3 * many])
    assert two_sample.plain_distance("ks", Steps.of(one, other)) == pytest.approx(0.25)
