"""The maximum mean discrepancy of two samples of points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist

from pytest_mlops.statistics.mmd import mmd
from pytest_mlops.statistics.separation import separation
from pytest_mlops.statistics.two_sample import Stakes
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

STAKES = Stakes(0.95, bound=0.1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def of(reference: Any, current: Any) -> Estimate:
    return mmd(np.asarray(reference, float), np.asarray(current, float), stakes=STAKES, generator=rng())


def by_definition(reference: Any, current: Any) -> float:
    """Written a second time, pair by pair."""
    bandwidth = np.median(pdist(np.concatenate([reference, current])))

    def alike(a: Any, b: Any) -> Any:
        return np.exp(-cdist(a, b, "sqeuclidean") / (2 * bandwidth**2))

    within = [(alike(a, a).sum() - len(a)) / (len(a) * (len(a) - 1)) for a in (reference, current)]
    return math.sqrt(max(0.0, sum(within) - 2 * alike(reference, current).mean()))


@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 5), st.floats(0, 3))
@settings(max_examples=40, deadline=None)
def test_it_is_what_the_definition_says(n: int, m: int, dimensions: int, shift: float) -> None:
    generator = rng(n * m)
    reference, current = generator.normal(size=(n, dimensions)), generator.normal(shift, size=(m, dimensions))
    found = of(reference, current)
    assert found.value == pytest.approx(by_definition(reference, current), abs=1e-7)
    assert found.low <= found.value <= found.high


def test_no_order_of_rows_changes_anything() -> None:
    reference, current = rng(1).normal(size=(60, 3)), rng(2).normal(0.3, size=(40, 3))
    reference[:10] = reference[10:20]
    found = of(reference, current)
    assert of(reference[::-1], rng(3).permutation(current)) == found


def test_neither_sample_is_favoured() -> None:
    one, other = rng(1).normal(size=(50, 2)), rng(2).normal(0.4, size=(50, 2))
    assert of(one, other).value == pytest.approx(of(other, one).value)


def test_moving_or_stretching_all_points_changes_nothing() -> None:
    one, other = rng(1).normal(size=(50, 2)), rng(2).normal(0.4, size=(50, 2))
    assert of(1e3 * one + 7, 1e3 * other + 7).value == pytest.approx(of(one, other).value, abs=1e-9)


def test_far_apart_is_nearly_the_most_there_is() -> None:
    found = of(rng(1).normal(size=(100, 2)), rng(2).normal(50, size=(100, 2)))
    assert 0.7 < found.value < math.sqrt(2)
    assert found.p_value == pytest.approx(1 / 2001, rel=0.2)


def test_a_correlation_that_turns_is_seen_though_no_column_has_changed() -> None:
    a, b = rng(1).normal(size=(2, 400))
    noise = rng(2).normal(size=(2, 400)) / 3
    found = of(np.column_stack([a, a + noise[0]]), np.column_stack([b, -b + noise[1]]))
    assert found.p_value is not None
    assert found.p_value < 0.001
    assert found.low > 0.1


def test_the_same_point_everywhere_is_exactly_alike() -> None:
    found = of(np.ones((30, 4)), np.ones((20, 4)))
    assert (found.value, found.exact) == (0.0, True)
    assert found.blind_spot == pytest.approx(math.sqrt(2) * (1 - 0.2 ** (1 / 20)))


def test_points_of_which_most_are_equal_have_a_bandwidth() -> None:
    reference, current = np.zeros((50, 1)), np.zeros((50, 1))
    current[:20] = 1
    assert of(reference, current).value > 0.2


def test_more_rows_see_more() -> None:
    found = (of(rng(1).normal(size=(n, 2)), rng(2).normal(size=(n, 2))) for n in (50, 200, 800))
    errors = [each.standard_error or math.nan for each in found]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(EvidenceError, match="infinite values have no distance"):
        of([[0.0], [bad], [1.0]], [[0.0], [1.0]])


def test_one_row_is_no_sample() -> None:
    with pytest.raises(EvidenceError, match="fewer than two rows"):
        of([[0.0]], [[0.0], [1.0]])


# --- how well a score tells two samples apart


def test_a_score_that_tells_nothing_apart_has_the_interval_of_the_null() -> None:
    found = separation(np.arange(200) < 100, np.zeros(200), confidence=0.95)
    assert (found.value, found.null, found.p_value) == (0.5, 0.5, 1.0)
    assert found.low == pytest.approx(0.42, abs=0.005)
    assert found.high == pytest.approx(0.58, abs=0.005)


def test_a_score_that_is_wrong_is_no_harm_and_no_proof() -> None:
    current = np.arange(400) < 200
    found = separation(current, -1.0 * current + rng().normal(size=400), confidence=0.95)
    assert found.value < 0.3
    assert found.high > 0.55
    assert (found.p_value or 0) > 0.999


def test_the_p_value_is_that_of_mann_and_whitney() -> None:
    from scipy.stats import mannwhitneyu

    current, score = np.arange(90) < 40, rng(5).integers(0, 6, 90) + (np.arange(90) < 40) * 0.5
    expected = mannwhitneyu(score[current], score[~current], alternative="greater", use_continuity=False).pvalue
    assert separation(current, score, confidence=0.95).p_value == pytest.approx(expected)


def test_what_was_seen_has_no_say_in_what_could_be_seen() -> None:
    current = np.arange(100) < 50
    clear, blurred = (separation(current, current * k + rng().normal(size=100), confidence=0.95) for k in (3.0, 0.0))
    assert clear.standard_error == blurred.standard_error == pytest.approx(math.sqrt(101 / (12 * 2500)))
