"""When did it change?"""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlops.statistics.change_point import ChangePoint, first_change, pooled


def change(values: list[float], error: float = 0.01, level: float = 0.05) -> ChangePoint | None:
    found = np.array(values)
    return first_change(found, np.full(found.size, error), level=level, generator=np.random.default_rng(0))


def found_in(values: list[float]) -> ChangePoint:
    found = change(values)
    assert found is not None
    return found


def test_a_fall_is_found_where_it_is() -> None:
    found = found_in([0.9, 0.91, 0.9, 0.8, 0.81, 0.79])
    assert found.place == 3
    assert found.before == pytest.approx(0.9033, abs=1e-4)
    assert found.after == pytest.approx(0.8)
    assert found.p_value == pytest.approx(0.0001)


def test_a_rise_is_a_change_too() -> None:
    assert found_in([0.8, 0.8, 0.9, 0.9]).place == 2


def test_noise_is_no_change() -> None:
    assert change([0.9, 0.91, 0.89, 0.9, 0.895, 0.905]) is None


def test_a_fall_is_told_before_a_later_and_larger_rise() -> None:
    assert found_in([0.8] * 4 + [0.7] * 4 + [0.99] * 4).place == 4


def test_after_the_fall_is_what_follows_up_to_the_next_change() -> None:
    assert found_in([0.8] * 4 + [0.7] * 4 + [0.99] * 4).after == pytest.approx(0.7)


@pytest.mark.parametrize("values", [[], [0.9], [0.9, 0.1]])
def test_two_values_are_no_course(values: list[float]) -> None:
    assert change(values) is None


def test_a_value_that_is_not_sure_moves_little() -> None:
    values, errors = np.array([0.9, 0.9, 0.5, 0.9, 0.9]), np.array([0.01, 0.01, 0.5, 0.01, 0.01])
    assert first_change(values, errors, level=0.05, generator=np.random.default_rng(0)) is None


def test_pooled_errors_differ_by_rows_alone() -> None:
    found = pooled(np.array([0.01, 0.03, 0.01]), np.array([100, 100, 400]))
    assert found[0] == found[1] == pytest.approx(2 * found[2])
    assert found[:2] == pytest.approx(np.sqrt([0.14 / 3 / 100] * 2))


def test_no_change_is_found_more_often_than_it_may() -> None:
    drawn = np.random.default_rng(3).normal(size=(200, 10))
    generator = np.random.default_rng(4)
    found = sum(first_change(row, np.ones(10), level=0.05, generator=generator) is not None for row in drawn)
    assert 3 <= found <= 18
