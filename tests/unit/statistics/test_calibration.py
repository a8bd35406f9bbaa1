"""Expected calibration error: its value by hand, its noise by simulation, and what the gate says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_mlops import Evaluation, Gate, Verdict
from pytest_mlops.statistics.calibration import BINS, calibration

Floats = NDArray[np.float64]


def happened(n: int, seed: int, slope: float = 1.0) -> tuple[NDArray[np.bool_], Floats]:
    """Rows, and probabilities that are too sure by this slope."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(size=n)
    return rng.random(n) < 1 / (1 + np.exp(-logit)), 1 / (1 + np.exp(-slope * logit))


def by_hand(rows: NDArray[np.bool_], probability: Floats, weight: Floats) -> float:
    edges = np.linspace(0, 1, BINS + 1)
    places = np.clip(np.digitize(probability, edges[1:-1]), 0, BINS - 1)
    gaps = [abs(((rows - probability) * weight)[places == place].sum()) for place in range(BINS)]
    return float(sum(gaps) / weight.sum())


@pytest.mark.parametrize("weighted", [False, True])
def test_the_raw_error_is_the_definition(weighted: bool) -> None:
    rows, probability = happened(700, 1, 2.0)
    weight = np.random.default_rng(2).exponential(size=700) if weighted else np.ones(700)
    weight /= weight.mean()
    found = calibration(rows, probability, weight if weighted else None, generator=np.random.default_rng(0))
    assert found.raw.value == pytest.approx(by_hand(rows, probability, weight), abs=1e-12)
    assert abs(found.raw.influence.mean()) < 1e-12
    step = 1e-6
    for place in (0, 11, 400):
        mixed = (1 - step) * weight / weight.sum()
        mixed[place] += step
        moved = (by_hand(rows, probability, mixed) - found.raw.value) / step * weight[place]
        assert found.raw.influence[place] == pytest.approx(moved, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("n", [60, 600, 6_000])
def test_the_noise_is_that_of_perfect_probabilities(n: int) -> None:
    _, probability = happened(n, 3)
    rng = np.random.default_rng(4)
    drawn = [by_hand(rng.random(n) < probability, probability, np.ones(n)) for _ in range(600)]
    found = calibration(probability > 0.5, probability, generator=np.random.default_rng(0))
    assert found.noise == pytest.approx(np.mean(drawn), rel=0.06)
    assert found.noise_deviation == pytest.approx(np.std(drawn), rel=0.15)


def test_no_order_changes_a_bit() -> None:
    rows, probability = happened(900, 5)
    order = np.random.default_rng(6).permutation(900)
    first, other = (
        calibration(rows[each], probability[each], generator=np.random.default_rng(0)) for each in (slice(None), order)
    )
    assert (first.raw.value, first.noise, first.noise_deviation) == (
        other.raw.value, other.noise, other.noise_deviation,
    )  # fmt: skip


def made(n: int, seed: int, slope: float = 1.0) -> Evaluation:
    rows, probability = happened(n, seed, slope)
    return Evaluation(rows.astype(int), (probability > 0.5).astype(int), probability, row_ids=range(n))


def test_perfect_probabilities_pass_and_those_that_are_too_sure_fail() -> None:
    def threshold(slope: float) -> Any:
        return Gate(challenger=made(5_000, 7, slope)).performance_threshold("ece", at_most=0.05)

    assert threshold(1.0).verdict is Verdict.PASS
    assert threshold(1.0).estimate.value < 0.01
    assert threshold(2.5).verdict is Verdict.FAIL


def test_a_challenger_that_became_too_sure_is_worse() -> None:
    gate = Gate(challenger=made(5_000, 7, 2.5), champion=made(5_000, 7, 1.0))
    assert gate.champion_challenger("expected_calibration_error", margin=0.03).verdict is Verdict.FAIL
    turned = Gate(challenger=made(5_000, 7, 1.0), champion=made(5_000, 7, 2.5))
    assert turned.champion_challenger("expected_calibration_error", margin=0.03).verdict is Verdict.PASS


def test_of_many_classes_it_is_that_of_the_most_probable_one() -> None:
    rng = np.random.default_rng(8)
    raw = np.exp(rng.normal(size=(4_000, 4)))
    raw /= raw.sum(axis=1, keepdims=True)
    truth = (raw.cumsum(axis=1) > rng.random((4_000, 1))).argmax(axis=1)
    result = Gate(challenger=Evaluation(truth, raw.argmax(axis=1), raw)).performance_threshold("ece", at_most=0.06)
    assert result.verdict is Verdict.PASS


def test_many_rows_that_are_all_but_certain_are_not_drawn_one_by_one() -> None:
    """Their exceptions are Poisson's; the noise is that of drawing each."""
    rng = np.random.default_rng(9)
    probability = np.r_[rng.random(6_000) * 2e-3, 1 - rng.random(6_000) * 2e-3]
    drawn = [by_hand(rng.random(12_000) < probability, probability, np.ones(12_000)) for _ in range(400)]
    found = calibration(probability > 0.5, probability, generator=np.random.default_rng(0))
    assert found.noise == pytest.approx(np.mean(drawn), rel=0.1)
    assert found.noise_deviation == pytest.approx(np.std(drawn), rel=0.2)
