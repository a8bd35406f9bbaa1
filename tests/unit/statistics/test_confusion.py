"""Metrics of labels from shares of classes, and what each row does to them, against scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sk

from pytest_mlops import EvidenceError
from pytest_mlops.statistics.confusion import Average, counted, formula, linear

N = 250
AVERAGED = [
    (name, average) for name in ("precision", "recall", "f1", "jaccard") for average in ("macro", "micro", "weighted")
]
WHOLE = {
    "matthews_corrcoef": sk.matthews_corrcoef,
    "cohen_kappa": sk.cohen_kappa_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
}
Codes = NDArray[np.int64]


def rows(classes: int, *, several: bool = False) -> tuple[Codes, Codes]:
    rng = np.random.default_rng(classes)
    if several:
        true = (rng.random((N, classes)) < 0.4).astype(np.int64)
        return true, np.where(rng.random((N, classes)) < 0.8, true, 1 - true)
    true = rng.integers(0, classes, N)
    return true, np.where(rng.random(N) < 0.7, true, rng.integers(0, classes, N))


def weights(kind: str) -> NDArray[np.float64] | None:
    if kind == "plain":
        return None
    weight = np.random.default_rng(1).exponential(size=N)
    return np.asarray(weight / weight.mean())


def moved(score: Any, weight: NDArray[np.float64] | None, place: int) -> float:
    """The derivative towards a point mass at one row, by weights."""
    whole, step = np.ones(N) if weight is None else weight, 1e-6
    mixed = (1 - step) * whole / whole.sum()
    mixed[place] += step
    return float((score(mixed) - score(whole)) / step)


def close(found: Any, score: Any, weight: NDArray[np.float64] | None) -> None:
    whole = np.ones(N) if weight is None else weight
    assert found.value == pytest.approx(score(whole), abs=1e-12)
    assert abs(found.influence.mean()) < 1e-12
    assert found.floor > 0
    for place in range(0, N, 40):
        expected = moved(score, weight, place) * whole[place]
        assert found.influence[place] == pytest.approx(expected, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("kind", ["plain", "weighted"])
@pytest.mark.parametrize(("classes", "several"), [(2, False), (5, False), (3, True)])
@pytest.mark.parametrize(("name", "average"), AVERAGED)
def test_averages(name: str, average: Average, classes: int, several: bool, kind: str) -> None:
    (true, said), weight = rows(classes, several=several), weights(kind)
    score: Any = getattr(sk, f"{name}_score")
    found = linear(formula(name, average), true, said, classes, weight)
    close(found, lambda each: score(true, said, average=average, sample_weight=each), weight)


@pytest.mark.parametrize("kind", ["plain", "weighted"])
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("name", WHOLE)
def test_metrics_of_the_whole_table(name: str, classes: int, kind: str) -> None:
    (true, said), weight = rows(classes), weights(kind)
    found = linear(formula(name, None), true, said, classes, weight)
    close(found, lambda each: WHOLE[name](true, said, sample_weight=each), weight)


@pytest.mark.parametrize("kind", ["plain", "weighted"])
@pytest.mark.parametrize(("name", "place"), [("positive_likelihood_ratio", 0), ("negative_likelihood_ratio", 1)])
def test_likelihood_ratios(name: str, place: int, kind: str) -> None:
    (true, said), weight = rows(2), weights(kind)
    found = linear(formula(name, "positive", 1), true, said, 2, weight)
    close(found, lambda each: sk.class_likelihood_ratios(true, said, sample_weight=each)[place], weight)


@pytest.mark.parametrize("kind", ["plain", "weighted"])
@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("name", ["precision", "recall", "f1", "jaccard", "specificity"])
def test_the_positive_class_alone(name: str, positive: int, kind: str) -> None:
    """Specificity is the recall of the other class."""
    (true, said), weight = rows(2), weights(kind)
    score, of = (sk.recall_score, 1 - positive) if name == "specificity" else (getattr(sk, f"{name}_score"), positive)
    found = linear(formula(name, "positive", positive), true, said, 2, weight)
    close(found, lambda each: score(true, said, pos_label=of, sample_weight=each), weight)


@pytest.mark.parametrize("kind", ["plain", "weighted"])
@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_specificity_of_many_classes_is_each_ones_against_the_others(average: Average, kind: str) -> None:
    (true, said), weight = rows(4), weights(kind)

    def score(weight: NDArray[np.float64]) -> float:
        each = [
            sk.recall_score(true == label, said == label, pos_label=False, sample_weight=weight) for label in range(4)
        ]
        shares = np.bincount(true, weight) if average == "weighted" else None
        return float(np.average(each, weights=shares))

    close(linear(formula("specificity", average), true, said, 4, weight), score, weight)


@pytest.mark.parametrize("kind", ["plain", "weighted"])
@pytest.mark.parametrize(("classes", "several"), [(2, False), (5, False), (3, True)])
@pytest.mark.parametrize(("name", "average"), [*AVERAGED, *((name, None) for name in WHOLE)])
def test_no_order_changes_a_bit(name: str, average: Average, classes: int, several: bool, kind: str) -> None:
    if several and average is None:
        pytest.skip("of one class a row only")
    (true, said), weight, order = rows(classes, several=several), weights(kind), np.random.default_rng(3).permutation(N)
    found = linear(formula(name, average), true, said, classes, weight)
    other = linear(formula(name, average), true[order], said[order], classes, None if weight is None else weight[order])
    assert other.floor == found.floor
    assert other.value == found.value
    np.testing.assert_array_equal(other.influence, found.influence[order])


@pytest.mark.parametrize("average", ["macro", "weighted", "micro"])
def test_a_class_that_nobody_has_or_says_does_not_count(average: Average) -> None:
    """The model knows seven classes, of which two are not among these rows; one is said but never true."""
    rng = np.random.default_rng(5)
    true, said = rng.integers(0, 4, N), rng.integers(0, 5, N)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sk.f1_score(true, said, average=average)
    assert linear(formula("f1", average), true, said, 7).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("name", "average"), [*AVERAGED, ("matthews_corrcoef", None), ("cohen_kappa", None)])
def test_no_error_is_no_proof(name: str, average: Average) -> None:
    """All influence is 0, and the floor is about that of Wilson's interval for a share without an error."""
    true = np.arange(60) % 4
    found = linear(formula(name, average), true, true, 4)
    assert found.value == pytest.approx(1)
    assert np.abs(found.influence).max() < 1e-12
    assert 1 / 60 < found.floor < 5 / 60


@pytest.mark.parametrize("name", ["precision", "recall", "f1", "jaccard"])
def test_no_error_on_few_heavy_rows_is_less_proof(name: str) -> None:
    """Sixty rows of which six carry nearly all the weight are worth about six."""
    true = np.arange(60) % 2
    weight = np.where(np.arange(60) < 6, 9.9, 0.1 * 60 / 540)
    weight /= weight.mean()
    even, uneven = (linear(formula(name, "positive", 1), true, true, 2, each) for each in (None, weight))
    assert uneven.floor > 5 * even.floor


def test_what_is_0_by_0() -> None:
    true = np.array([0, 1, 0, 1])
    with pytest.raises(EvidenceError, match="0 / 0"):
        linear(formula("precision", "positive", 1), true, 0 * true, 2)
    with pytest.raises(EvidenceError, match="0 / 0"):
        linear(formula("matthews_corrcoef", None), true, 0 * true, 2)


def test_a_thousand_classes_need_no_million_cells() -> None:
    true = np.arange(20_000) % 1000
    shares = counted(true, np.roll(true, 1), 1000)
    assert shares.right.shape == shares.true.shape == shares.said.shape == (1000,)
