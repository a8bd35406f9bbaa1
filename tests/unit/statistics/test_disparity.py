"""How far the rates of groups are apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, fisher_exact
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

from pytest_mlops.statistics import disparity
from pytest_mlops.statistics.disparity import Pairs, Scale, Shares, compare
from pytest_mlops.statistics.multiplicity import holm
from pytest_mlops.statistics.proportions import share

COUNTS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=6)
SCALES: tuple[Scale, Scale] = ("difference", "ratio")


def shares(*counts: tuple[int, int]) -> Shares:
    """(rows that count, of how many) for each group."""
    return Shares(np.array([x for x, _ in counts]), np.array([n for _, n in counts]))


def pairs_of(*counts: tuple[int, int], scale: Scale = "difference") -> Pairs:
    return compare([shares(*counts)], scale=scale, confidence=0.95)


@pytest.mark.parametrize(("one", "two"), [((70, 100), (40, 90)), ((5, 5000), (40, 5000)), ((100, 100), (30, 40))])
def test_the_interval_of_two_groups_is_newcombes(one: tuple[int, int], two: tuple[int, int]) -> None:
    pairs = pairs_of(one, two)
    low, high = confint_proportions_2indep(*one, *two, method="newcomb", compare="diff", correction=False)
    expected = sorted([abs(low), abs(high)])
    assert pairs.values == pytest.approx(abs(one[0] / one[1] - two[0] / two[1]))
    assert (pairs.lows[0], pairs.highs[0]) == pytest.approx(expected, abs=1e-9)


def test_the_interval_of_a_ratio_is_built_on_the_log_scale() -> None:
    (l1, u1), (l2, u2) = (proportion_confint(x, n, method="wilson") for x, n in ((70, 100), (40, 90)))
    ratio, below, above = (40 / 90) / 0.7, math.log(40 / 90 / l2), math.log(u2 / (40 / 90))
    pairs = pairs_of((70, 100), (40, 90), scale="ratio")
    assert pairs.values[0] == pytest.approx(ratio)
    assert pairs.lows[0] == pytest.approx(ratio / math.exp(math.hypot(below, math.log(u1 / 0.7))))
    assert pairs.highs[0] == pytest.approx(ratio * math.exp(math.hypot(above, math.log(0.7 / l1))))


def test_the_end_at_parity_is_simultaneous_and_the_other_one_is_the_pairs_own() -> None:
    alone, among = pairs_of((350, 400), (100, 400)), pairs_of((350, 400), (100, 400), (100, 400), (100, 400))
    first = int(np.flatnonzero((among.higher == 0) & (among.lower == 1))[0])
    assert among.highs[first] == alone.highs[0]
    assert among.lows[first] < alone.lows[0]


def test_p_values_are_those_of_the_score_test_or_fishers() -> None:
    pairs = pairs_of((70, 100), (40, 90), (1, 8))
    expected = {
        (0, 1): proportions_ztest([70, 40], [100, 90])[1],
        (0, 2): fisher_exact(np.array([[70, 30], [1, 7]])).pvalue,
        (1, 2): fisher_exact(np.array([[40, 50], [1, 7]])).pvalue,
    }
    found = [expected[min(a, b), max(a, b)] for a, b in zip(pairs.higher.tolist(), pairs.lower.tolist(), strict=True)]
    assert pairs.p_values == pytest.approx(found)
    assert pairs.adjusted == pytest.approx(holm(found))


@pytest.mark.parametrize("cells", [2_000_000, 3])
def test_fisher_is_scipys(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disparity, "_CELLS", cells)
    generator = np.random.default_rng(0)
    n1, n2 = generator.integers(1, 40, 60), generator.integers(1, 400, 60)
    x1, x2 = generator.binomial(n1, 0.1), generator.binomial(n2, 0.2)
    expected = [
        fisher_exact(np.array([[a, b - a], [c, d - c]])).pvalue
        for a, b, c, d in zip(*(v.tolist() for v in (x1, n1, x2, n2)), strict=True)
    ]
    found = disparity.fisher(*(cells.astype(float) for cells in (x1, n1, x2, n2)))
    assert found == pytest.approx(expected, abs=1e-10)


@given(COUNTS, st.sampled_from(SCALES))
def test_all_that_pairs_say_lies_where_it_may(counts: list[tuple[int, int]], scale: Scale) -> None:
    pairs = pairs_of(*((min(x, n), n) for x, n in counts), scale=scale)
    for values in (pairs.lows, pairs.values, pairs.highs, pairs.p_values, pairs.adjusted):
        assert ((values >= 0) & (values <= 1)).all()
    assert (pairs.lows <= pairs.values).all()
    assert (pairs.values <= pairs.highs).all()
    assert (pairs.standard_errors > 0).all()
    unproven = pairs.adjusted > 0.05
    assert (pairs.lows[unproven] == 0).all() if scale == "difference" else (pairs.highs[unproven] == 1).all()


@given(COUNTS, st.sampled_from(SCALES), st.randoms(use_true_random=False))
def test_the_order_of_the_groups_does_not_matter(counts: list[tuple[int, int]], scale: Scale, random: object) -> None:
    counts = [(min(x, n), n) for x, n in counts]
    shuffled = list(counts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, two = (pairs_of(*each, scale=scale) for each in (counts, shuffled))
    assert one.size == two.size
    if one.size:
        assert disparity.disparity(one, 0.3, n=1) == disparity.disparity(two, 0.3, n=1)


def test_equal_rates_have_no_order() -> None:
    """The smaller group's limits are further off on one side: the higher rate may truly be either one."""
    one, two = pairs_of((1, 10), (10, 100)), pairs_of((10, 100), (1, 10))
    assert one.values.tolist() == two.values.tolist() == [0.0]
    assert one.highs.tolist() == two.highs.tolist()
    low, high = confint_proportions_2indep(1, 10, 10, 100, method="newcomb", compare="diff", correction=False)
    assert abs(low) != pytest.approx(abs(high), abs=0.01)
    assert one.highs[0] == pytest.approx(max(abs(low), abs(high)))


def test_an_interval_does_not_exclude_parity_where_its_test_does_not() -> None:
    counts = (0, 5), (240, 495)
    low, high = confint_proportions_2indep(*counts[0], *counts[1], method="newcomb", compare="diff", correction=False)
    assert max(low, -high) > 0.04
    pairs = pairs_of(*counts)
    assert pairs.adjusted[0] > 0.05
    assert pairs.lows[0] == 0
    assert pairs_of(*counts, scale="ratio").highs[0] == 1


def test_what_is_not_defined_is_no_pair() -> None:
    assert pairs_of((0, 0), (3, 9), (4, 9)).size == 1
    assert pairs_of((0, 9), (0, 9), scale="ratio").size == 0
    assert pairs_of((0, 9), (0, 9)).values.tolist() == [0.0]
    assert math.isnan(shares((0, 0)).values[0])


def test_nothing_of_something_is_a_ratio_of_0() -> None:
    pairs = pairs_of((0, 50), (25, 50), (0, 50), scale="ratio")
    assert pairs.values.tolist() == [0.0, 0.0]
    assert pairs.lows.tolist() == [0.0, 0.0]
    assert (pairs.highs > 0).all()
    assert (pairs.highs < 0.5).all()


def test_the_disparity_is_the_worst_pairs() -> None:
    found = disparity.disparity(pairs_of((90, 100), (50, 100), (60, 100)), 0.1, n=300)
    assert found.value == pytest.approx(0.4)
    assert (found.null, found.n) == (0.0, 300)
    assert found.low < 0.4 < found.high
    ratio = disparity.disparity(pairs_of((90, 100), (50, 100), (60, 100), scale="ratio"), 0.8, n=300)
    assert ratio.value == pytest.approx(5 / 9)
    assert ratio.null == 1.0


def test_only_a_significant_pair_beyond_the_bound_counts() -> None:
    """A sure difference of 0.05 does not make a difference of 0.5 sure that rests on four rows."""
    pairs = pairs_of((30_000, 60_000), (33_000, 60_000), (0, 4))
    found = disparity.disparity(pairs, 0.1, n=1)
    assert pairs.adjusted.min() < 1e-9
    assert found.value == pytest.approx(0.55)
    assert found.p_value is not None
    assert found.p_value > 0.025
    clearest = pairs.clearest(0.1)
    assert clearest is not None
    assert pairs.values[clearest] > 0.1
    assert pairs.clearest(0.9) is None


def test_the_p_value_is_half_of_the_two_sided_one() -> None:
    pairs = pairs_of((70, 100), (40, 90))
    assert disparity.disparity(pairs, 0.1, n=1).p_value == pytest.approx(pairs.p_values[0] / 2)


def test_one_level_is_split_over_two_rates() -> None:
    rate = shares((70, 100), (50, 100))
    one, two = (compare([rate] * times, scale="difference", confidence=0.95) for times in (1, 2))
    assert two.size == 2
    assert two.adjusted == pytest.approx(one.adjusted.repeat(2) * 2)
    assert two.lows[0] < one.lows[0]
    assert two.highs[0] == one.highs[0]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("apart", "cap"), [(0.1, 0.2), (0.05, 0.4), (0.3, 0.35)])
def test_the_needed_error_makes_the_blind_spot_as_small_as_it_may_be(scale: Scale, apart: float, cap: float) -> None:
    error = disparity.needed_error(apart, cap, scale, 10, 0.95)
    assert error is not None
    found = share(1, 2, confidence=0.95)
    found = type(found)(**{**found.to_dict(), "standard_error": error})
    assert disparity.blind_spot(found, apart, scale, 10) == pytest.approx(cap)


def test_no_rows_see_what_the_limit_allows() -> None:
    assert disparity.needed_error(0.2, 0.2, "difference", 1, 0.95) is None


@pytest.mark.parametrize("scale", SCALES)
def test_the_rows_for_an_error_are_just_enough(scale: Scale) -> None:
    rows = disparity.rows_for(0.02, shares((10, 40)), 0, scale, 0.95)
    assert rows is not None
    errors = [
        disparity.standard_error(shares((round(n / 4), n)), 0, scale, 0.95)
        for n in (rows - rows % 4 + 4, rows - rows % 4 - 4)
    ]
    assert errors[0] <= 0.02 < errors[1]


def test_no_rows_make_the_logarithm_of_nothing_precise() -> None:
    assert disparity.rows_for(0.1, shares((0, 40)), 0, "ratio", 0.95) is None
    assert disparity.rows_for(0.1, shares((0, 40)), 0, "difference", 0.95) is not None


def test_the_blind_spot_never_vanishes_by_luck() -> None:
    for scale in SCALES:
        found = disparity.disparity(pairs_of((40, 40), (40, 40), scale=scale), 0.1, n=80)
        assert found.blind_spot is not None
        assert found.blind_spot > 0.1


def test_the_least_precise_pair_is_the_one_that_sees_least() -> None:
    pairs = pairs_of((500, 1000), (500, 1000), (5, 10))
    everything = disparity.disparity(pairs, 0.1, n=1)
    large = disparity.disparity(pairs, 0.1, n=1, seen=~pairs.of_group(2))
    assert everything.standard_error == pytest.approx(pairs.standard_errors.max())
    assert large.standard_error == pytest.approx(pairs.standard_errors.min())
    assert large.value == everything.value


def test_the_worst_group_has_its_own_harmful_end() -> None:
    own = [share(x, 100, confidence=0.95) for x in (80, 60)]
    wide = [share(x, 100, confidence=0.975) for x in (80, 60)]
    least = disparity.worst_of(own, wide, smallest=True, n=200)
    assert (least.value, least.low, least.high, least.null) == (0.6, own[1].low, wide[1].high, None)
    most = disparity.worst_of(own, wide, smallest=False, n=200)
    assert (most.value, most.low, most.high) == (0.8, wide[0].low, own[0].high)


@pytest.mark.parametrize("counted", [0, 3, 10])
def test_tails_are_binomial(counted: int) -> None:
    assert disparity.tail(counted, 10, 0.3, below=True) == pytest.approx(binom.cdf(counted, 10, 0.3))
    assert disparity.tail(counted, 10, 0.3, below=False) == pytest.approx(binom.sf(counted - 1, 10, 0.3))


def test_a_million_rows_and_fifty_groups() -> None:
    generator = np.random.default_rng(0)
    n = generator.integers(5, 40_000, 50)
    pairs = compare([Shares(generator.binomial(n, 0.001), n)] * 2, scale="ratio", confidence=0.95)
    assert pairs.size <= 2 * 50 * 49 // 2
    assert np.isfinite(pairs.p_values).all()
