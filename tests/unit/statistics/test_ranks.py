"""ROC AUC against naive sums over all pairs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm, rankdata, t
from sklearn.metrics import average_precision_score, roc_auc_score

from pytest_mlops import Estimate, EvidenceError
from pytest_mlops.statistics.power import quantile
from pytest_mlops.statistics.ranks import (
    _Placements,
    auc,
    average_precision,
    mean_over_labels,
    one_vs_one,
    one_vs_rest,
    roc_auc,
    roc_auc_improvement,
)

Floats = NDArray[np.float64]
Z = quantile(0.95)


def sample(seed: int, n: int, *, signal: float = 1.0, digits: int = 1) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """Truth, and two scores with ties."""
    rng = np.random.default_rng(seed)
    positive = np.arange(n) % 3 == 0
    base = signal * positive + rng.normal(size=n)
    return positive, base.round(digits), (base + rng.normal(size=n) / 2).round(digits)


def components(positive: NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
    """Each pair one by one, as DeLong has it."""
    x, y = score[positive], score[~positive]
    wins = np.array([[1.0 if a > b else 0.5 if a == b else 0.0 for b in y] for a in x])
    return wins.mean(axis=1), wins.mean(axis=0)


def variance(parts: tuple[Floats, Floats]) -> float:
    return sum(float(part.var(ddof=1)) / part.size for part in parts)


@given(st.lists(st.integers(-3, 3) | st.floats(-1e3, 1e3), min_size=2, max_size=50), st.integers(1, 49))
def test_placements_are_scipys_midranks_less_those_among_themselves(values: list[float], first: int) -> None:
    array = np.array(values, dtype=np.float64)
    positive = np.arange(array.size) < min(first, array.size - 1)
    ranks, (above, below) = rankdata(array), (array[positive], array[~positive])
    expected = (ranks[positive] - rankdata(above)) / below.size, 1 - (ranks[~positive] - rankdata(below)) / above.size
    for found in (_Placements.of(positive, array), _Placements.unordered(positive, array)):
        np.testing.assert_allclose(np.sort(found.positives), np.sort(expected[0]), atol=1e-12)
        np.testing.assert_allclose(np.sort(found.negatives), np.sort(expected[1]), atol=1e-12)
    np.testing.assert_allclose(_Placements.of(positive, array).positives, expected[0], atol=1e-12)


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_delong_is_the_naive_sum_over_pairs(digits: int) -> None:
    positive, score, _ = sample(1, 210, digits=digits)
    parts = components(positive, score)
    auc, se = parts[0].mean(), math.sqrt(variance(parts))
    estimate = roc_auc(positive, score, confidence=0.95)
    assert estimate.method == "DeLong"
    assert estimate.value == pytest.approx(auc, abs=1e-12)
    assert (estimate.low, estimate.high) == pytest.approx((auc - Z * se, auc + Z * se), abs=1e-12)


@pytest.mark.parametrize("digits", [0, 6])
def test_paired_delong_is_the_naive_sum_over_pairs(digits: int) -> None:
    positive, champion, challenger = sample(2, 150, digits=digits)
    parts = [components(positive, score) for score in (champion, challenger)]
    gain = (parts[1][0] - parts[0][0], parts[1][1] - parts[0][1])
    shares = [float(part.var(ddof=1)) / part.size for part in gain]
    degrees = sum(shares) ** 2 / sum(s**2 / (part.size - 1) for s, part in zip(shares, gain, strict=True))
    estimate = roc_auc_improvement(positive, champion, challenger, confidence=0.95)
    reach = t.ppf(0.975, degrees) * math.sqrt(sum(shares))
    value = gain[0].mean()
    assert estimate.value == pytest.approx(value, abs=1e-12)
    assert (estimate.low, estimate.high) == pytest.approx((value - reach, value + reach), abs=1e-9)
    assert estimate.p_value == pytest.approx(t.cdf(value / math.sqrt(sum(shares)), degrees), abs=1e-9)


def newcombe_variance(theta: float, m: int, n: int) -> float:
    """Newcombe 2006, method 5."""
    size = (m + n) / 2 - 1
    return theta * (1 - theta) * (1 + size * (1 - theta) / (2 - theta) + size * theta / (1 + theta)) / (m * n)


@pytest.mark.parametrize("n_positive", [1, 2, 49])
@pytest.mark.parametrize("n_negative", [1, 7, 500])
@pytest.mark.parametrize("order", ["random", "perfect", "inverted", "constant"])
def test_few_rows_have_the_interval_of_newcombe(n_positive: int, n_negative: int, order: str) -> None:
    positive = np.arange(n_positive + n_negative) < n_positive
    score = {
        "random": np.random.default_rng(5).normal(size=positive.size),
        "perfect": positive.astype(np.float64),
        "inverted": (~positive).astype(np.float64),
        "constant": np.zeros(positive.size),
    }[order]
    estimate = roc_auc(positive, score, confidence=0.95)
    assert estimate.method == "Newcombe method 5"
    assert estimate.low < estimate.high
    for end in (estimate.low, estimate.high):
        if 0 < end < 1:
            reach = Z * math.sqrt(newcombe_variance(end, n_positive, n_negative))
            assert abs(end - estimate.value) == pytest.approx(reach, abs=1e-9)
        else:
            assert end == estimate.value


@pytest.mark.parametrize("n", [100, 1000, 100_000])
def test_a_perfect_order_is_not_a_certain_one(n: int) -> None:
    positive = np.arange(2 * n) < n
    estimate = roc_auc(positive, positive.astype(np.float64), confidence=0.95)
    assert estimate.method == "Newcombe method 5"
    assert estimate.value == estimate.high == 1
    assert 1 - 10 / n < estimate.low < 1


@given(st.integers(0, 10**6), st.integers(4, 80))
def test_swapping_the_classes_mirrors_the_area(seed: int, n: int) -> None:
    positive, score, _ = sample(seed, n)
    ours, theirs = (roc_auc(rows, score, confidence=0.95) for rows in (positive, ~positive))
    assert (ours.low, ours.value, ours.high) == pytest.approx((1 - theirs.high, 1 - theirs.value, 1 - theirs.low))


@given(st.integers(0, 10**6), st.integers(6, 80))
def test_only_the_order_of_the_scores_counts(seed: int, n: int) -> None:
    positive, champion, challenger = sample(seed, n)

    def compare(a: Floats, b: Floats) -> Estimate:
        return roc_auc_improvement(positive, a, b, confidence=0.95)

    assert compare(champion, challenger) == compare(np.exp(champion), 7 * challenger - 1e3)


def test_the_same_order_is_no_proof_of_the_same_model() -> None:
    positive, score, _ = sample(3, 200)
    estimate = roc_auc_improvement(positive, score, 2 * score, confidence=0.95)
    assert estimate.value == 0
    assert estimate.low < 0 < estimate.high
    assert estimate.p_value == pytest.approx(0.5)


@pytest.mark.parametrize("rows", [[True], [True, True], [False, False, False]])
def test_one_class_has_no_area(rows: list[bool]) -> None:
    with pytest.raises(EvidenceError, match="rows of both classes"):
        roc_auc(np.array(rows), np.zeros(len(rows)), confidence=0.95)


@pytest.mark.parametrize("rows", [[True, False], [True, False, False]])
def test_one_row_of_a_class_cannot_be_compared(rows: list[bool]) -> None:
    score: Any = np.arange(len(rows), dtype=np.float64)
    with pytest.raises(EvidenceError, match="at least two rows of each class"):
        roc_auc_improvement(np.array(rows), score, -score, confidence=0.95)


def test_large_samples_agree_with_the_normal_law() -> None:
    positive, champion, challenger = sample(4, 60_000, digits=9)
    estimate = roc_auc_improvement(positive, champion, challenger, confidence=0.95)
    assert estimate.standard_error is not None
    assert estimate.p_value == pytest.approx(norm.cdf(estimate.value / estimate.standard_error), abs=1e-4)


# --- with the influence of each row


def many(seed: int, *, ties: bool) -> tuple[NDArray[np.int64], Floats]:
    """Four classes of unequal size, and probabilities."""
    rng = np.random.default_rng(seed)
    true = rng.choice(4, 300, p=[0.1, 0.2, 0.3, 0.4])
    scores = np.exp(rng.normal(size=(300, 4)) + (true[:, None] == np.arange(4)))
    scores /= scores.sum(axis=1, keepdims=True)
    if ties:
        scores = scores.round(1) + 1e-3
        scores /= scores.sum(axis=1, keepdims=True)
    return true, scores


def weights(weighted: bool, n: int) -> Floats:
    weight = np.random.default_rng(9).exponential(size=n) if weighted else np.ones(n)
    return np.asarray(weight / weight.mean())


def is_the_derivative(of: Any, weight: Floats, found: Any) -> None:
    """The influence of a row is how the metric moves with its weight."""
    assert abs(found.influence.mean()) < 1e-10
    step = 1e-6
    for place in range(0, weight.size, 37):
        mixed = (1 - step) * weight / weight.mean()
        mixed[place] += step * weight.size
        moved = (of(mixed) - of(weight)) / step
        assert found.influence[place] == pytest.approx(weight[place] * moved, rel=2e-3, abs=2e-3)


@pytest.mark.parametrize("digits", [1, 6])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("of", "theirs"), [(auc, roc_auc_score), (average_precision, average_precision_score)])
def test_scores_of_two_classes(of: Any, theirs: Any, weighted: bool, digits: int) -> None:
    positive, score, _ = sample(3, 300, digits=digits)
    weight = weights(weighted, 300)
    found = of(positive, score, weight if weighted else None)
    assert found.value == pytest.approx(theirs(positive, score, sample_weight=weight), abs=1e-12)
    assert found.floor > 0
    is_the_derivative(lambda each: theirs(positive, score, sample_weight=each), weight, found)
    order = np.random.default_rng(1).permutation(300)
    other = of(positive[order], score[order], weight[order] if weighted else None)
    assert other.value == found.value
    np.testing.assert_array_equal(other.influence, found.influence[order])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("by_prevalence", [False, True])
@pytest.mark.parametrize(("of", "way"), [(one_vs_rest, "ovr"), (one_vs_one, "ovo")])
def test_scores_of_many_classes(of: Any, way: str, by_prevalence: bool, weighted: bool, ties: bool) -> None:
    true, scores = many(4, ties=ties)
    weight = weights(weighted, 300)

    def ours(each: Floats) -> float:
        return float(of(true, scores, 4, by_prevalence=by_prevalence, weight=each / each.mean()).value)

    found = of(true, scores, 4, by_prevalence=by_prevalence, weight=weight if weighted else None)
    average = "weighted" if by_prevalence else "macro"
    if way == "ovr" or not weighted:  # scikit-learn has no weights one against one
        known = {"sample_weight": weight} if weighted else {}
        expected = roc_auc_score(true, scores, multi_class=way, average=average, **known)
        assert found.value == pytest.approx(expected, abs=1e-12)
    is_the_derivative(ours, weight, found)


@pytest.mark.parametrize(("of", "theirs"), [(auc, roc_auc_score), (average_precision, average_precision_score)])
def test_scores_of_several_labels(of: Any, theirs: Any) -> None:
    rng = np.random.default_rng(5)
    truth = rng.random((200, 3)) < 0.4
    scores = truth + rng.normal(size=(200, 3))
    assert mean_over_labels(truth, scores, of).value == pytest.approx(theirs(truth, scores), abs=1e-12)


def test_a_class_without_a_row_is_named() -> None:
    true, scores = many(6, ties=False)
    with pytest.raises(EvidenceError, match="of 'cat': ROC AUC needs rows"):
        one_vs_rest(np.where(true == 2, 1, true), scores, 4, by_prevalence=False, names=["a", "b", "cat", "d"])
    with pytest.raises(EvidenceError, match="of 'cat': ROC AUC needs rows of every class"):
        one_vs_one(np.where(true == 2, 1, true), scores, 4, by_prevalence=True, names=["a", "b", "cat", "d"])
    with pytest.raises(EvidenceError, match="average precision needs positive rows"):
        average_precision(np.zeros(3, dtype=bool), np.arange(3.0))
    with pytest.raises(EvidenceError, match="with a weight above 0"):
        auc(np.array([True, False]), np.arange(2.0), np.array([0.0, 2.0]))
