"""How far data moves when nothing has happened."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.statistics.noise_floor import against_blocks, memory
from pytest_mlops.statistics.power import with_blind_spot
from pytest_mlops.statistics.two_sample import Stakes
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

STAKES = Stakes(0.95, 1, 0.1)
FOUND = Estimate(
    value=0.29, low=0.25, high=0.35, confidence=0.95, method="KS", n=2_000, null=0.0, p_value=1e-9, standard_error=0.01
)
CALM = [0.02, 0.03, 0.025, 0.03, 0.02, 0.028]
effects = st.floats(0, 1)


def test_a_move_as_large_as_the_blocks_is_no_drift() -> None:
    assert against_blocks(FOUND, 0.3, [0.3] * 12, STAKES).p_value == pytest.approx(0.5)


def test_a_move_far_beyond_calm_blocks_is_drift() -> None:
    found = against_blocks(FOUND, 0.3, CALM, STAKES)
    assert found.p_value is not None
    assert found.p_value < 0.001


def test_one_month_in_twelve_that_differs_each_year_is_no_drift() -> None:
    found = against_blocks(FOUND, 0.3, [0.3] + [0.03] * 11, STAKES)
    assert found.p_value is not None
    assert found.p_value > 0.3


def test_what_the_blocks_show_is_subtracted_as_a_square() -> None:
    assert against_blocks(FOUND, 0.5, [0.3] * 6, STAKES).value == pytest.approx(0.4)


def test_a_square_is_judged_by_its_root() -> None:
    distance = against_blocks(FOUND, 0.3, CALM, STAKES)
    squared = replace(FOUND, value=0.29**2, low=0.25**2, high=0.35**2)
    square = against_blocks(squared, 0.3**2, [each**2 for each in CALM], STAKES, square=True)
    assert square.value == pytest.approx(distance.value**2)
    assert square.p_value == pytest.approx(distance.p_value)
    assert square.high == pytest.approx(distance.high**2)


def test_longer_blocks_count_as_though_they_moved_more() -> None:
    longer = against_blocks(FOUND, 0.3, CALM, STAKES, longer=4)
    assert longer == against_blocks(FOUND, 0.3, [2 * each for each in CALM], STAKES)


def test_blocks_that_never_move_leave_the_verdict_to_the_test() -> None:
    found = against_blocks(FOUND, 0.3, [0.0] * 6, STAKES)
    assert found.p_value == pytest.approx(1e-9, abs=1e-8)
    assert (found.value, found.low, found.high) == pytest.approx((0.3, FOUND.low, FOUND.high))


def test_nothing_moves_at_all() -> None:
    found = against_blocks(replace(FOUND, value=0.0, low=0.0, high=0.01, p_value=1.0), 0.0, [0.0] * 6, STAKES)
    assert (found.value, found.p_value) == (0.0, 1.0)


def test_an_exact_answer_stays_exact() -> None:
    exact = replace(FOUND, value=0.0, low=0.0, high=0.0, exact=True, p_value=1.0)
    assert against_blocks(exact, 0.0, [0.0] * 6, STAKES) is exact


def test_restless_blocks_make_the_check_blind() -> None:
    calm, restless = (with_blind_spot(against_blocks(FOUND, 0.3, blocks, STAKES), 0.1) for blocks in (CALM, [0.2] * 6))
    assert calm.blind_spot is not None
    assert restless.blind_spot is not None
    assert calm.blind_spot < 0.2 < 0.6 < restless.blind_spot


def test_few_blocks_prove_nothing() -> None:
    assert "5 stretches" in str(against_blocks(FOUND, 0.3, CALM[:5], STAKES).doubt)
    assert against_blocks(FOUND, 0.3, CALM, STAKES).doubt is None


@pytest.mark.parametrize("blocks", [[], [0.1]])
def test_one_block_is_no_floor(blocks: list[float]) -> None:
    with pytest.raises(EvidenceError, match="longer reference"):
        against_blocks(FOUND, 0.3, blocks, STAKES)


@given(plain=effects, blocks=st.lists(effects, min_size=6, max_size=20), square=st.booleans())
def test_an_order_never_makes_anything_surer(plain: float, blocks: list[float], square: bool) -> None:
    before = replace(FOUND, value=plain, low=max(0.0, plain - 0.05), high=plain + 0.05)
    found = against_blocks(before, plain, blocks, STAKES, square=square)
    assert found.low <= found.value <= found.high
    assert (found.low, -found.high) <= (before.low, -before.high)
    assert before.p_value is not None
    assert found.p_value is not None
    assert before.p_value <= found.p_value <= 1
    assert math.isfinite(found.standard_error or math.nan)


@given(blocks=st.lists(effects, min_size=6, max_size=12), seed=st.integers(0, 99))
def test_the_order_of_the_blocks_does_not_matter(blocks: list[float], seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(blocks)
    one, other = (against_blocks(FOUND, 0.3, each, STAKES) for each in (blocks, list(shuffled)))
    assert one.p_value == pytest.approx(other.p_value)
    assert one.value == pytest.approx(other.value)


# --- windows


def noise(seed: int = 0, n: int = 500) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=n)
    return np.asarray(drawn - drawn.mean())


def test_rows_without_memory_have_none() -> None:
    found = memory([(noise(seed), np.arange(500)) for seed in range(20)], confidence=0.95)
    assert found.doubt is None
    assert found.factor < 1.3


def test_rows_that_come_in_fours_are_worth_a_fourth() -> None:
    windows = [(np.repeat(noise(seed, 150), 4), np.arange(600)) for seed in range(20)]
    assert 1.7 < memory(windows, confidence=0.95).factor < 2.6


def test_the_order_of_the_windows_does_not_matter() -> None:
    windows = [(noise(seed), np.arange(500) + 500 * seed) for seed in range(20)]
    one, other = (memory(each, confidence=0.95) for each in (windows, windows[::-1]))
    assert one.factor == pytest.approx(other.factor)


def test_a_drift_inside_of_all_windows_is_a_doubt() -> None:
    slope = np.linspace(-1, 1, 500)
    assert "still alike" in str(memory([(slope, np.arange(500))] * 3, confidence=0.95).doubt)


def test_windows_of_one_moment_each_show_no_memory() -> None:
    found = memory([(noise(seed), np.full(500, seed)) for seed in range(20)], confidence=0.95)
    assert "fewer, longer windows" in str(found.doubt)


def test_a_metric_that_no_row_moves_has_no_memory() -> None:
    assert memory([(np.zeros(100), np.arange(100))] * 3, confidence=0.95).factor == 1


def test_memory_does_not_know_the_order_of_rows() -> None:
    moves, time = np.repeat(noise(0, 150), 4), np.arange(600)
    order = np.random.default_rng(1).permutation(600)
    one, other = ([(moves[rows], time[rows])] * 3 for rows in (np.arange(600), order))
    assert memory(one, confidence=0.95) == memory(other, confidence=0.95)
