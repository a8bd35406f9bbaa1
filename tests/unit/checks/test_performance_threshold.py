"""Is the model good enough?"""

from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_mlops import Evaluation, Gate, MlopsUsageError, Verdict
from pytest_mlops.verdict.limits import Proof


def right(share: int, of: int) -> Evaluation:
    """An evaluation with so many right rows."""
    truth = [row % 2 for row in range(of)]
    return Evaluation(truth, [y if row < share else 1 - y for row, y in enumerate(truth)])


@pytest.mark.parametrize(
    ("share", "of", "known", "verdict"),
    [
        (900, 1000, {"at_least": 0.8}, "PASS"),
        (900, 1000, {"at_least": 0.8, "warn_below": 0.95}, "WARN"),
        (82, 100, {"at_least": 0.8}, "INCONCLUSIVE"),
        (82, 100, {"at_least": 0.8, "proof": "shown"}, "FAIL"),
        (82, 100, {"at_least": 0.8, "max_blind": 0.01}, "ERROR"),
        (82, 100, {"at_least": 0.8, "max_blind": 0.1}, "INCONCLUSIVE"),
        (79, 100, {"at_least": 0.8}, "FAIL"),
        (1, 2, {"at_least": 0.8}, "FAIL"),
        (2, 2, {"at_least": 0.8}, "INCONCLUSIVE"),
        (1000, 1000, {"at_least": 0.99}, "PASS"),
        (1000, 1000, {"at_least": 1.0}, "INCONCLUSIVE"),
    ],
)
def test_verdicts(share: int, of: int, known: dict[str, Any], verdict: str) -> None:
    result = Gate(challenger=right(share, of)).performance_threshold("accuracy", **known)
    assert result.verdict == verdict
    assert f"on {of:,} rows" in result.message


@pytest.mark.parametrize(("at_most", "verdict"), [(1.0, "PASS"), (0.55, "INCONCLUSIVE"), (0.4, "FAIL")])
def test_where_smaller_is_better(at_most: float, verdict: str) -> None:
    truth = [row / 10 for row in range(100)]
    made = Evaluation(truth, [y + 0.5 * (1 + math.sin(row)) for row, y in enumerate(truth)])
    assert Gate(challenger=made).performance_threshold("mae", at_most=at_most).verdict == verdict


def test_a_blind_check_says_how_it_could_see() -> None:
    message = Gate(challenger=right(82, 100)).performance_threshold("accuracy", at_least=0.8, max_blind=0.01).message
    assert "test set too small for this limit" in message
    rows = int(message.split("Judge on about ")[1].split(" rows")[0].replace(",", ""))
    for n, verdict in ((int(0.9 * rows), Verdict.ERROR), (int(1.1 * rows), Verdict.INCONCLUSIVE)):
        share = math.ceil(0.82 * n)
        result = Gate(challenger=right(share, n)).performance_threshold("accuracy", at_least=0.8, max_blind=0.01)
        assert result.verdict is verdict


def test_constant_predictions_are_said() -> None:
    made = Evaluation([0, 1] * 50, [1] * 100)
    result = Gate(challenger=made).performance_threshold("accuracy", at_least=0.4)
    assert "Note: the predictions are constant: every row is 1." in result.message


@pytest.mark.parametrize(
    ("metric", "known", "message"),
    [
        ("roc_acu", {"at_least": 0.8}, "unknown metric 'roc_acu': did you mean 'roc_auc'"),
        (None, {"at_least": 0.8}, "unknown metric None: valid names"),
        (["f1"], {"at_least": 0.8}, r"unknown metric \['f1'\]"),
        ("accuracy", {}, "exactly one of at_least= and at_most= .neither given"),
        ("accuracy", {"at_most": 0.8}, "accuracy is better when greater: its limit is at_least="),
        ("rmse", {"at_least": 3}, "root_mean_squared_error is better when smaller: its limit is at_most="),
        ("accuracy", {"at_least": 80}, "accuracy lies between 0 and 1.*did you mean 0.8"),
        ("accuracy", {"at_least": 0}, "a limit of at least 0 cannot fail"),
        ("accuracy", {"at_least": -0.1}, "can never be met or never fail"),
        ("mae", {"at_most": -1}, "can never be met or never fail"),
        ("r2", {"at_least": 1.2}, "r2 lies between infinite and 1"),
        ("accuracy", {"at_least": math.nan}, "at_least=nan is not a limit"),
        ("accuracy", {"at_least": 0.8, "warn_below": 83}, "warn_below=83 would always warn"),
        ("accuracy", {"at_least": 0.8, "warn_below": 0.7}, "lies beyond the fail bound"),
        ("mae", {"at_most": 1, "warn_above": -1}, "warn_above=-1 would always warn"),
        ("accuracy", {"at_least": 0.8, "proof": "show"}, "unknown proof='show': did you mean 'shown'"),
        ("accuracy", {"at_least": 0.8, "max_blind": 0}, "max_blind=0 must be a number above 0"),
        ("accuracy", {"at_least": 0.8, "max_blind": math.nan}, "max_blind=nan must be a number above 0"),
        ("accuracy", {"at_least": 0.8, "max_blind": True}, "max_blind=True must be a number above 0"),
        ("accuracy", {"at_least": 0.8, "name": ""}, "name='' is not a name"),
        ("accuracy", {"at_least": 0.8, "name": 3}, "name=3 is not a name"),
        ("accuracy", {"at_last": 0.8}, "performance_threshold has no argument 'at_last': did you mean 'at_least'"),
        ("accuracy", {"threshold": 0.8}, "has no argument 'threshold': valid names: at_least"),
    ],
)  # fmt: skip
def test_questions_that_make_no_sense(metric: Any, known: dict[str, Any], message: str) -> None:
    gate = Gate(challenger=right(9, 10))
    with pytest.raises(MlopsUsageError, match=message):
        gate.performance_threshold(metric, **known)
    assert gate.results == ()


def own(y_true: Any, y_pred: Any) -> float:
    return float((y_true == y_pred).mean())


def test_a_limit_says_which_way_an_own_function_is_better() -> None:
    good = right(900, 1000)
    assert Gate(challenger=good).performance_threshold(own, at_least=0.8).verdict is Verdict.PASS
    assert Gate(challenger=good).performance_threshold(own, at_most=0.8).verdict is Verdict.FAIL
    with pytest.raises(MlopsUsageError, match="has no argument 'greater_is_better'"):
        Gate(challenger=good).performance_threshold(own, at_least=0.8, greater_is_better=True)  # type: ignore[call-arg]


@pytest.mark.parametrize("proof", ["table", "shown"])
def test_few_clusters_never_pass(proof: Proof) -> None:
    """Right on 99 of 100 rows, which are four patients."""
    truth = [row % 2 for row in range(1000)]
    said = [1 - y if row % 100 == 0 else y for row, y in enumerate(truth)]
    made = Evaluation(truth, said, clusters=[row // 250 for row in range(1000)])
    result = Gate(challenger=made).performance_threshold("accuracy", at_least=0.5, proof=proof)
    assert result.verdict is (Verdict.INCONCLUSIVE if proof == "table" else Verdict.FAIL)
    assert result.estimate is not None
    assert result.estimate.doubt is not None
    assert result.estimate.doubt in result.message


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("roc_auc", "roc_auc needs scores, and this evaluation has none"),
        ("mae", "mean_absolute_error is a metric of regression"),
        ("top_k_accuracy", "top_k_accuracy is a metric of more than two classes"),
        ("f1_samples", "f1_samples is a metric of several labels a row"),
    ],
)
def test_what_the_evaluation_cannot_answer_is_an_error(metric: str, message: str) -> None:
    limit: dict[str, Any] = {"at_most": 1} if metric == "mae" else {"at_least": 0.5}
    result = Gate(challenger=right(90, 100)).performance_threshold(metric, **limit)
    assert result.verdict is Verdict.ERROR
    assert message in result.message


def test_who_is_blind_and_in_doubt_is_told_of_both() -> None:
    """More rows of the same four patients will not help."""
    truth = [row % 2 for row in range(2000)]
    said = [1 - y if row % 7 == 0 else y for row, y in enumerate(truth)]
    clustered = Evaluation(truth, said, clusters=[row // 500 for row in range(2000)])
    result = Gate(challenger=clustered).performance_threshold("accuracy", at_least=0.8, max_blind=1e-9)
    assert result.verdict is Verdict.ERROR
    assert result.message.endswith("First of all, it rests on 4 clusters, and 6 are needed.")
