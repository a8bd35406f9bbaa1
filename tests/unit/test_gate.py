"""The gate: one model, its questions, one decision."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from pytest_mlops import Decision, Evaluation, Gate, GateReport, MlopsUsageError, Policy, Verdict

TRUTH = [0, 1] * 200
GOOD = Evaluation(TRUTH, [0, 1] * 190 + [1, 0] * 10, row_ids=range(400))


class Counted:
    """A source that counts how often it is asked."""

    def __init__(self, answer: Any) -> None:
        self.calls = 0
        self.answer = answer

    def __call__(self) -> Any:
        self.calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_question_is_answered_once() -> None:
    gate = Gate(challenger=GOOD)
    first = gate.performance_threshold("accuracy", at_least=0.8)
    assert gate.performance_threshold(metric="accuracy_score", at_least=0.8) is first
    assert gate.results == (first,)


def test_the_same_id_with_other_arguments_is_an_error() -> None:
    gate = Gate(challenger=GOOD)
    gate.performance_threshold("accuracy", at_least=0.8)
    with pytest.raises(MlopsUsageError, match=r"'performance_threshold:accuracy' was asked before.* give name="):
        gate.performance_threshold("accuracy", at_least=0.7)
    gate.performance_threshold("accuracy", at_least=0.7, name="loose")
    assert [result.id for result in gate.results] == [
        "performance_threshold:accuracy",
        "performance_threshold:accuracy:loose",
    ]


@pytest.mark.parametrize("name", ["a:b", "%3A", "a b", "é", "\n", "\x1b[31m", "\ud800"])
def test_no_name_can_look_like_two_parts(name: str) -> None:
    gate = Gate(challenger=GOOD)
    result = gate.performance_threshold("accuracy", at_least=0.8, name=name)
    assert result.id.count(":") == 2
    assert result.id.isascii()
    assert result.id.isprintable()
    assert GateReport.from_json(gate.report().to_json()).results == gate.results


def test_a_source_is_asked_once_and_only_when_needed() -> None:
    challenger, champion = Counted(GOOD), Counted(GOOD)
    gate = Gate(challenger=challenger, champion=champion)
    assert challenger.calls == 0
    gate.performance_threshold("accuracy", at_least=0.8)
    assert (challenger.calls, champion.calls) == (1, 0)
    gate.champion_challenger("accuracy", margin=0.05)
    gate.champion_challenger("recall", margin=0.05)
    assert (challenger.calls, champion.calls) == (1, 1)


@pytest.mark.parametrize(
    ("challenger", "champion", "message"),
    [
        (GOOD, None, "there is no champion: define a fixture mlops_champion"),
        (GOOD, lambda: None, "there is no champion"),
        (None, GOOD, "there is no challenger: define a fixture mlops_challenger"),
        ("a model", GOOD, "the challenger is a str, expected an Evaluation"),
        (GOOD, lambda: ([0, 1], [0, 1]), "the champion is a tuple, expected an Evaluation"),
        (Evaluation, GOOD, "a TypeError: .* was raised"),
        (GOOD, Counted(RuntimeError("no such bucket")), "a RuntimeError: no such bucket was raised"),
        (GOOD, Counted(KeyError()), "a KeyError was raised"),
        (GOOD, lambda: Evaluation([0, 1], [0]), "y_pred has 1 row, but y_true has 2"),
        (GOOD, Evaluation([0, 1], [0, 1]), "the rows are anonymous"),
        (Evaluation(TRUTH, TRUTH, clusters=[7] * 400, row_ids=range(400)), GOOD, "all rows are of one cluster"),
        (Evaluation(TRUTH, TRUTH, time=[7] * 400, row_ids=range(400)), GOOD, "all rows have the same time"),
        (GOOD, Evaluation(TRUTH, TRUTH, sample_weight=[2] + [0] * 399, row_ids=range(400)), "at least two rows with a"),
    ],
)
def test_evidence_that_is_not_there_is_an_error_and_blocks(challenger: Any, champion: Any, message: str) -> None:
    gate = Gate(challenger=challenger, champion=champion)
    result = gate.champion_challenger("accuracy", margin=0.05)
    assert result.verdict is Verdict.ERROR
    assert result.estimate is None
    assert re.search(message, result.message)
    assert gate.report().decision is Decision.BLOCK


def test_only_the_unforeseen_is_shown_to_on_error() -> None:
    seen: list[Exception] = []
    boom = RuntimeError("boom")
    gate = Gate(challenger=GOOD, champion=Counted(boom), on_error=seen.append)
    gate.champion_challenger("accuracy", margin=0.05)
    gate.performance_threshold("roc_auc", at_least=0.7)
    assert seen == [boom]
    assert [result.verdict for result in gate.results] == [Verdict.ERROR, Verdict.ERROR]


def test_no_check_blocks() -> None:
    assert Gate(challenger=GOOD).report().decision is Decision.BLOCK


@pytest.mark.parametrize(
    ("known", "policy", "decision"),
    [
        ({"at_least": 0.8}, None, "merge"),
        ({"at_least": 0.8, "warn_below": 0.99}, None, "review"),
        ({"at_least": 0.8, "warn_below": 0.99}, Policy(block_warn=True), "block"),
        ({"at_least": 0.94}, None, "review"),
        ({"at_least": 0.94}, Policy(block_inconclusive=True), "block"),
        ({"at_least": 0.99}, None, "block"),
    ],
)
def test_the_decision(known: dict[str, float], policy: Policy | None, decision: str) -> None:
    gate = Gate(challenger=GOOD, policy=policy)
    gate.performance_threshold("accuracy", **known)  # type: ignore[arg-type]
    assert gate.report().decision == decision


def test_the_report_says_what_was_judged() -> None:
    gate = Gate(challenger=GOOD, champion=GOOD, model="credit", confidence=0.9, seed=7)
    gate.champion_challenger("accuracy", margin=0.05)
    report = json.loads(gate.report().to_json())
    evidence = {"rows": 400, "data": GOOD.data_digest, "predictions": GOOD.prediction_digest}
    assert report["provenance"]["models"] == {"credit": {"challenger": evidence, "champion": evidence}}
    assert (report["provenance"]["seed"], report["provenance"]["confidence"]) == (7, 0.9)
    assert report["results"][0]["model"] == "credit"
    assert report["results"][0]["estimate"]["confidence"] == 0.9


def ask(name: str) -> Callable[[Gate], object]:
    return lambda gate: getattr(gate, name)


@pytest.mark.parametrize(
    ("family", "message"),
    [
        ("performance_treshold", "a Gate has no 'performance_treshold': did you mean 'performance_threshold'"),
        ("champion_chalenger", "did you mean 'champion_challenger'"),
        ("zzz", "valid names: champion_challenger, drift, fairness, performance_threshold, reproducibility"),
    ],
)
def test_a_misspelt_family_names_the_nearest(family: str, message: str) -> None:
    with pytest.raises(AttributeError, match=message):
        ask(family)(Gate(challenger=GOOD))


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"confidence": 95}, "confidence=95 is out of range"),
        ({"confidence": 0.5}, "confidence=0.5 is out of range"),
        ({"confidence": 1.0}, "confidence=1.0 is out of range"),
        ({"confidence": float("nan")}, "confidence=nan is out of range"),
        ({"seed": -1}, "seed=-1 is not a seed"),
        ({"seed": 1.5}, "seed=1.5 is not a seed"),
        ({"seed": True}, "seed=True is not a seed"),
        ({"model": ""}, "model='' is not a name"),
        ({"model": None}, "model=None is not a name"),
    ],
)
def test_settings_that_make_no_sense(known: dict[str, Any], message: str) -> None:
    with pytest.raises(MlopsUsageError, match=message):
        Gate(challenger=GOOD, **known)


def test_neither_the_order_nor_the_company_of_checks_changes_an_answer() -> None:
    worse = Evaluation(TRUTH, [0, 1] * 180 + [1, 0] * 20, row_ids=range(400))
    metrics = ["precision", "f1", "recall", "accuracy"]

    def answers(order: list[str]) -> dict[str, object]:
        gate = Gate(challenger=worse, champion=GOOD)
        return {metric: gate.champion_challenger(metric, margin=0.05) for metric in order}

    together = answers(metrics)
    assert answers(metrics[::-1]) == together
    assert all(answers([metric])[metric] == together[metric] for metric in metrics)
    other_seed = Gate(challenger=worse, champion=GOOD, seed=1).champion_challenger("f1", margin=0.05)
    assert other_seed != together["f1"]
