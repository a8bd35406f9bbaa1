"""How good a model is likely to be where nobody knows the truth yet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn import metrics

from pytest_mlops.evidence.metrics import metric_named
from pytest_mlops.statistics.calibrator import Calibrator
from pytest_mlops.statistics.expected_performance import METRICS, expected
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

OF_LABELS = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "specificity": lambda y, said: metrics.recall_score(~y, ~said),
    "f1": metrics.f1_score,
}
OF_SCORES = {
    "roc_auc": metrics.roc_auc_score,
    "brier_score_loss": metrics.brier_score_loss,
    "log_loss": metrics.log_loss,
}


def world(n: int, seed: int = 0, steep: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Scores, which are too timid, and what happens."""
    generator = np.random.default_rng(seed)
    x = generator.normal(0, 1.3, n)
    return expit(x), generator.random(n) < expit(steep * x - 1)


def estimate(metric: str, score: np.ndarray, calibrator: Calibrator, said: np.ndarray | None = None) -> Estimate:
    said = score >= 0.5 if said is None else said
    return expected(metric, score, said, calibrator, confidence=0.95, generator=np.random.default_rng(0))


def test_every_metric_has_its_name_in_the_registry() -> None:
    assert [metric_named(name).name for name in METRICS] == list(METRICS)
    assert set(METRICS) == {*OF_LABELS, *OF_SCORES}


@pytest.mark.parametrize("metric", METRICS)
def test_the_metric_of_rows_whose_labels_come_later_is_foreseen(metric: str) -> None:
    calibrator = Calibrator.of(*world(20_000, 1))
    score, happened = world(20_000, 2)
    found = estimate(metric, score, calibrator)
    truth = OF_LABELS[metric](happened, score >= 0.5) if metric in OF_LABELS else OF_SCORES[metric](happened, score)
    assert found.low < truth < found.high
    assert found.high - found.low < 0.06


def test_calibrated_scores_say_what_happens() -> None:
    score, happened = world(50_000)
    x = np.array([-2.0, -1, 0, 1, 2])
    assert Calibrator.of(score, happened).probability(expit(x)) == pytest.approx(expit(1.5 * x - 1), abs=0.02)


def test_a_bend_that_no_sigmoid_has_is_followed() -> None:
    generator = np.random.default_rng(0)
    score = generator.random(50_000)
    happened = generator.random(score.size) < np.where(score < 0.5, 0.1, 0.3)
    found = Calibrator.of(score, happened).probability(np.array([0.1, 0.9]))
    assert found == pytest.approx([0.1, 0.3], abs=0.03)


def test_nothing_is_known_beyond_all_scores_of_the_reference() -> None:
    score, happened = world(2_000)
    calibrator = Calibrator.of(np.clip(score, 0.2, 0.8), happened)
    assert calibrator.share_beyond(np.array([0.1, 0.5, 0.9, 0.6])) == 0.5


def test_a_reference_of_few_rows_leaves_more_open() -> None:
    score, _ = world(5_000, 1)
    few, many = (Calibrator.of(*world(n, 2)) for n in (200, 20_000))
    assert estimate("accuracy", score, few).standard_error > 2 * estimate("accuracy", score, many).standard_error  # type: ignore[operator]


def test_the_factor_lengthens_the_interval() -> None:
    calibrator, (score, _) = Calibrator.of(*world(2_000)), world(2_000, 1)
    plain, longer = (
        expected("f1", score, score > 0.5, calibrator, confidence=0.95, generator=np.random.default_rng(0), factor=f)
        for f in (1.0, 2.0)
    )
    assert longer.high - longer.low == pytest.approx(2 * (plain.high - plain.low))


def test_weights_count_as_rows_do() -> None:
    score, happened = world(3_000)
    weight = np.where(happened, 3.0, 1.0)
    found = Calibrator.of(score, happened, weight / weight.mean()).probability(np.array([0.5]))[0]
    odds = 3 * expit(-1.0) / (1 - expit(-1.0))
    assert found == pytest.approx(odds / (1 + odds), abs=0.05)


@pytest.mark.parametrize(
    ("score", "positive", "message"),
    [
        (np.linspace(0, 1, 100), np.arange(100) < 19, "19 rows of the rarer class"),
        (np.full(100, 0.5), np.arange(100) < 50, "all scores of the reference are equal"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(score: np.ndarray, positive: np.ndarray, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        Calibrator.of(score, positive)


def test_a_metric_without_a_value_has_no_interval() -> None:
    score, happened = world(1_000)
    with pytest.raises(EvidenceError, match="0 / 0"):
        estimate("precision", score, Calibrator.of(score, happened), said=np.zeros(1_000, dtype=bool))


def test_no_rows_have_no_metric() -> None:
    with pytest.raises(EvidenceError, match="no rows"):
        estimate("accuracy", np.empty(0), Calibrator.of(*world(1_000)))


def test_separated_classes_have_a_finite_calibration() -> None:
    score = np.linspace(0, 1, 1_000)
    found = estimate("accuracy", score, Calibrator.of(score, score > 0.5))
    assert 0.94 < found.low <= found.value <= found.high <= 1


def test_two_distinct_scores_are_enough() -> None:
    score, happened = np.repeat([0.2, 0.8], 500), np.tile([True, False, False, False, True], 200)
    found = estimate("accuracy", score, Calibrator.of(score, happened))
    assert found.low < 0.5 < found.high


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1_000), metric=st.sampled_from(METRICS))
def test_the_order_of_rows_does_not_matter(seed: int, metric: str) -> None:
    score, happened = world(500, seed)
    order = np.random.default_rng(seed).permutation(500)
    one, other = (
        estimate(metric, score[rows], Calibrator.of(score[rows], happened[rows])) for rows in (np.arange(500), order)
    )
    assert one == other


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1_000), metric=st.sampled_from(METRICS))
def test_an_estimate_lies_in_its_interval_and_in_the_range_of_its_metric(seed: int, metric: str) -> None:
    found = estimate(metric, world(300, seed)[0], Calibrator.of(*world(300, seed + 1)))
    known = metric_named(metric)
    assert known.lowest <= found.low <= found.value <= found.high <= known.highest
    assert found.low < found.high
