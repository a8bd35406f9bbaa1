"""Every metric is scikit-learn's, alone and compared; what cannot be taken into account is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from pytest_mlops import Estimate, Evaluation, EvidenceError
from pytest_mlops.checks import estimation
from pytest_mlops.checks.estimation import How
from pytest_mlops.evidence.metrics import metric_named
from pytest_mlops.evidence.pairing import pair
from pytest_mlops.evidence.rows import rows_of


def how() -> How:
    return How(0.95, np.random.default_rng(0))


def estimate(name: str, made: Evaluation) -> Estimate:
    return estimation.estimate(metric_named(name), rows_of(made), how())


def specificity(y_true: Any, y_pred: Any, positive: Any) -> float:
    """The recall of the other class."""
    return float(sk.recall_score(np.asarray(y_true) != positive, np.asarray(y_pred) != positive))


def of_positive(score: Callable[..., float]) -> Callable[..., float]:
    return lambda made: score(made.y_true, made.y_pred, pos_label=made.positive_label)


ORACLES: dict[str, Callable[[Evaluation], float]] = {
    "accuracy": lambda made: sk.accuracy_score(made.y_true, made.y_pred),
    "precision": of_positive(sk.precision_score),
    "recall": of_positive(sk.recall_score),
    "specificity": lambda made: specificity(made.y_true, made.y_pred, made.positive_label),
    "f1": of_positive(sk.f1_score),
    "roc_auc": lambda made: sk.roc_auc_score(made.y_true == made.positive_label, made.y_score),
    "mean_absolute_error": lambda made: sk.mean_absolute_error(made.y_true, made.y_pred),
    "root_mean_squared_error": lambda made: sk.root_mean_squared_error(made.y_true, made.y_pred),
    "r2": lambda made: sk.r2_score(made.y_true, made.y_pred),
}
REGRESSION = ("mean_absolute_error", "root_mean_squared_error", "r2")
CLASSIFICATION = [name for name in ORACLES if name not in REGRESSION]


def labelled(seed: int, n: int, labels: list[Any]) -> Evaluation:
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 3 == 0
    score = truth + np.random.default_rng(seed).normal(size=n).round(1)
    said = score + rng.normal(size=n) > 0.5
    names = np.array(labels)
    return Evaluation(names[truth.astype(int)], names[said.astype(int)], score, positive_label=labels[1])


def measured(seed: int, n: int) -> Evaluation:
    truth = np.random.default_rng(0).normal(5, 3, n)
    return Evaluation(truth, truth + np.random.default_rng(seed).standard_t(4, n))


def made_for(name: str, seed: int, n: int, labels: list[Any]) -> Evaluation:
    return measured(seed, n) if name in REGRESSION else labelled(seed, n, labels)


@pytest.mark.parametrize("labels", [[0, 1], ["no", "yes"], ["yes", "no"]], ids=["numbers", "text", "reversed"])
@pytest.mark.parametrize("n", [12, 500])
@pytest.mark.parametrize("name", ORACLES)
def test_the_value_is_scikit_learns(name: str, n: int, labels: list[Any]) -> None:
    metric = metric_named(name)
    champion, challenger = (made_for(name, seed, n, labels) for seed in (1, 2))
    alone = estimate(name, challenger)
    expected = [float(ORACLES[name](made)) for made in (champion, challenger)]
    assert alone.value == pytest.approx(expected[1], abs=1e-12)
    assert alone.low <= alone.value <= alone.high
    assert metric.lowest <= alone.low < alone.high <= metric.highest

    rows = pair(champion, challenger, paired_by="order").rows()
    compared = estimation.estimate_improvement(metric, *rows, how())
    sign = 1 if metric.greater_is_better else -1
    assert compared.value == pytest.approx(sign * (expected[1] - expected[0]), abs=1e-12)
    assert compared.low < compared.high
    assert compared.null == 0


def test_accuracy_of_many_classes() -> None:
    rng = np.random.default_rng(0)
    truth, said = rng.integers(0, 7, 300), rng.integers(0, 7, 300)
    found = estimate("accuracy", Evaluation(truth, said))
    assert found.value == pytest.approx(sk.accuracy_score(truth, said), abs=1e-12)


BITS = [0, 1, 0, 1]
QUANTITIES = [0.5, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_classification_metrics_of_quantities(name: str) -> None:
    with pytest.raises(EvidenceError, match=f"{name} is a metric of classification, and this evaluation is regression"):
        estimate(name, Evaluation(QUANTITIES, QUANTITIES))


@pytest.mark.parametrize("name", REGRESSION)
def test_regression_metrics_of_labels(name: str) -> None:
    with pytest.raises(EvidenceError, match=f"{name} is a metric of regression, and this evaluation is binary"):
        estimate(name, Evaluation(BITS, BITS))


@pytest.mark.parametrize(
    ("name", "made", "message"),
    [
        ("roc_auc", Evaluation(BITS, BITS), "roc_auc needs scores, and this evaluation has none: give y_score="),
        ("recall", Evaluation([0, 1, 2], [0, 1, 2]), "recall needs two classes, and this evaluation has 3"),
        ("f1", Evaluation(["a", "b"], ["a", "b"]), "which of 'a' and 'b' is the positive class"),
        ("precision", Evaluation(BITS, [0, 0, 0, 0]), "precision is 0 / 0"),
        ("mean_absolute_error", Evaluation([0.5], [0.5]), "at least two rows, and there is 1"),
        ("r2", Evaluation([0.5, 0.5], [0.5, 1.0]), "y_true is constant"),
        ("accuracy", Evaluation(BITS, BITS, clusters=[7] * 4), "all rows are of one cluster"),
        ("accuracy", Evaluation(BITS, BITS, time=[7] * 4), "all rows have the same time"),
        ("accuracy", Evaluation(BITS, BITS, sample_weight=[0, 0, 0, 2]), "at least two rows with a weight above 0"),
        ("accuracy", Evaluation(BITS, BITS, time=BITS, clusters=BITS), "clusters and time"),
    ],
)  # fmt: skip
def test_evidence_that_cannot_answer(name: str, made: Evaluation, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        estimate(name, made)


SURE = ("log_loss", "brier_score_loss", "d2_log_loss_score", "d2_brier_score")


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", SURE)
def test_a_model_that_is_sure_and_was_never_wrong_proves_little(name: str, classes: int) -> None:
    """20 rows right, each with a probability of .99: such a model may well be wrong on one row of twenty."""
    rng, n = np.random.default_rng(0), 20
    truth = np.arange(n) % classes
    score = np.full((n, classes), 0.01) + rng.random((n, classes)) / 1e3
    score[np.arange(n), truth] = 1 - (classes - 1) * 0.01
    made = Evaluation(truth, truth, score / score.sum(axis=1, keepdims=True))
    found = estimate(name, made)
    wrong_once = np.where(np.arange(n) == 0, (truth + 1) % classes, truth)
    true_value = estimate(name, Evaluation(wrong_once, truth, score / score.sum(axis=1, keepdims=True))).value
    assert found.low <= true_value <= found.high


def test_hamming_loss_of_one_label_is_the_share_of_wrong_rows() -> None:
    truth, said = np.arange(40) % 3, np.arange(40) % 3
    assert estimate("hamming_loss", Evaluation(truth, said)) == estimate("zero_one_loss", Evaluation(truth, said))
    several = np.random.default_rng(0).integers(0, 2, (40, 3))
    perfect = estimate("hamming_loss", Evaluation(several, several))
    assert (perfect.value, perfect.low) == (0, 0)
    assert perfect.high > 1 / 40


@pytest.mark.parametrize("name", ["mean_absolute_error", "root_mean_squared_error", "r2", "max_error"])
def test_a_handful_of_quantities_is_in_doubt(name: str) -> None:
    """Two errors that are near each other by chance have a short interval, and say nothing of the next one."""
    few, enough = measured(1, 5), measured(1, 6)
    assert estimate(name, few).doubt == "it rests on 5 rows, and 6 are needed"
    assert estimate(name, enough).doubt is None
    paired = estimation.estimate_improvement(metric_named(name), rows_of(measured(2, 5)), rows_of(few), how())
    assert paired.doubt is not None
