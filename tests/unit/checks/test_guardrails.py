"""One metric is asked about, and others may not get worse meanwhile."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_mlops import CheckResult, Evaluation, Gate, MlopsUsageError, Verdict

N = 6_000
TRUTH = np.arange(N) % 2


def model(recall: float, specificity: float, seed: int, **known: Any) -> Evaluation:
    right = np.random.default_rng(seed).random(N) < np.where(TRUTH == 1, recall, specificity)
    return Evaluation(TRUTH, np.where(right, TRUTH, 1 - TRUTH), row_ids=range(N), **known)


def asked(challenger: Evaluation, guardrails: Any, **how: Any) -> CheckResult:
    gate = Gate(challenger=challenger, champion=model(0.8, 0.7, 1))
    return gate.champion_challenger("accuracy", margin=0.03, guardrails=guardrails, **how)


def test_a_gain_that_is_paid_for_elsewhere_is_caught() -> None:
    result = asked(model(0.6, 0.95, 2), {"recall": 0.03, "specificity": 0.03})
    assert result.verdict is Verdict.FAIL
    assert result.estimate is not None
    assert result.estimate.value > 0
    assert {part.id.rpartition(":")[2]: part.verdict for part in result.parts} == {
        "recall": Verdict.FAIL, "specificity": Verdict.PASS,
    }  # fmt: skip
    assert result.parts[0].id == "champion_challenger:accuracy:guardrail:recall"
    assert result.message.startswith("Decided by its guardrails.")
    assert "Guardrail FAIL: recall: improvement -0." in result.message


def test_all_of_them_hold() -> None:
    result = asked(model(0.85, 0.75, 2), {"recall": 0.04, "f1_macro": 0.04})
    assert result.verdict is Verdict.PASS
    assert len(result.parts) == 2


def test_a_guardrail_that_is_not_proven_keeps_it_from_a_pass() -> None:
    result = asked(model(0.785, 0.8, 2), {"recall": 0.025})
    assert result.parts[0].verdict is Verdict.INCONCLUSIVE
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_guardrail_that_cannot_see_guards_nothing() -> None:
    result = asked(model(0.8, 0.8, 2), {"recall": 0.002})
    assert result.parts[0].verdict is Verdict.ERROR
    assert "or more can be judged here" in result.parts[0].message
    assert result.verdict is Verdict.ERROR


def test_nor_does_one_without_a_value() -> None:
    result = asked(model(0.8, 0.8, 2), {"roc_auc": 0.02})
    assert result.parts[0].verdict is Verdict.ERROR
    assert "roc_auc cannot be judged: of the champion: roc_auc needs scores" in result.parts[0].message
    assert result.verdict is Verdict.ERROR


def test_what_is_asked_about_may_be_shown_to_be_better() -> None:
    result = asked(model(0.85, 0.75, 2), {"recall": 0.04}, require="better")
    assert result.verdict is Verdict.PASS
    result = asked(model(0.8, 0.7, 2), {"recall": 0.04}, require="better")
    assert result.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("guardrails", "message"),
    [
        ({}, "must give each metric its margin"),
        (["recall"], "must give each metric its margin"),
        ({"accuracy_score": 0.01}, "accuracy is asked about twice"),
        ({"recall": 0.01, "sensitivity": 0.02}, "recall is asked about twice"),
        ({"recal": 0.01}, "did you mean"),
        ({"recall": 0}, "margin=0 must be a number above 0"),
        ({"recall": True}, "margin=True must be a number above 0"),
        ({"recall": float("nan")}, "must be a number above 0"),
        ({"recall": 1.0}, "lets any challenger pass"),
        ({"recall": None}, "say margin="),
    ],
)
def test_a_guardrail_that_makes_no_sense(guardrails: Any, message: str) -> None:
    with pytest.raises(MlopsUsageError, match=message):
        asked(model(0.8, 0.7, 2), guardrails)
