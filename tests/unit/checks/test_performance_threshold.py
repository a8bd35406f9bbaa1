"""Is the model good enough?"""

from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_mlops import Evaluation, Gate, MlopsUsageError, Verdict


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
