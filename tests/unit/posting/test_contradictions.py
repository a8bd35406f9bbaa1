"""What a result says of itself: whatever the gate answers is believed, and what it would never answer is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from pytest_mlops import CheckResult, Evaluation, Verdict
from pytest_mlops.gate import Gate
from pytest_mlops.posting.contradictions import badness, contradiction
from pytest_mlops.verdict.estimate import Estimate

QUESTIONS: dict[str, Callable[[Gate], CheckResult]] = {
    "a limit": lambda gate: gate.performance_threshold("accuracy", at_least=0.6, warn_below=0.95),
    "a limit, shown": lambda gate: gate.performance_threshold("roc_auc", at_least=0.6, proof="shown"),
    "a limit, not blind": lambda gate: gate.performance_threshold("recall", at_least=0.7, max_blind=0.1),
    "an upper limit": lambda gate: gate.performance_threshold("log_loss", at_most=0.6, warn_above=0.5),
    "slices": lambda gate: gate.performance_threshold("accuracy", at_least=0.75, slices=["sex", ["sex", "age"]]),
    "slices, shown": lambda gate: gate.performance_threshold("f1", at_least=0.7, slices=["age"], proof="shown"),
    "a comparison": lambda gate: gate.champion_challenger("accuracy", margin=0.05),
    "a comparison, any blindness": lambda gate: gate.champion_challenger("f1", margin=0.01, max_blind=float("inf")),
    "non-inferior": lambda gate: gate.champion_challenger("accuracy", margin=0.05, require="non_inferior"),
    "better": lambda gate: gate.champion_challenger("roc_auc", require="better"),
    "guardrails": lambda gate: gate.champion_challenger(
        "accuracy", margin=0.1, guardrails={"recall": 0.1, "log_loss": 0.2}, slices=["sex"], max_blind=1.0
    ),
    "drift": lambda gate: gate.drift(at_most=0.2, warn_above=0.15),
    "drift, shown": lambda gate: gate.drift("psi", at_most=0.3, proof="shown", columns=["a", "b"]),
    "a difference": lambda gate: gate.fairness("demographic_parity_difference", by="sex", at_most=0.2),
    "a ratio": lambda gate: gate.fairness("equalized_odds_ratio", by=["sex", "age"], at_least=0.6),
    "the worst group": lambda gate: gate.fairness("recall_score_group_min", by="age", at_least=0.7),
    "the worst group, shown": lambda gate: gate.fairness(
        "accuracy_score_group_min", by="age", at_least=0.7, proof="shown"
    ),
}  # fmt: skip


def evaluation(rng: np.random.Generator, y: np.ndarray[Any, Any], skill: float) -> Evaluation:
    n = y.size
    score = np.clip(0.5 + skill * (y - 0.5) + 0.25 * rng.standard_normal(n), 0.001, 0.999)
    groups = np.random.default_rng(1)
    return Evaluation(
        y,
        (score > 0.5).astype(int),
        score,
        row_ids=np.arange(n),
        sensitive_features={
            "sex": groups.choice(["f", "m"], n),
            "age": groups.choice(["x", "y", "z"], n, p=[0.9, 0.07, 0.03]),
        },
    )


def answered(question: Callable[[Gate], CheckResult], seed: int) -> CheckResult:
    rng = np.random.default_rng(seed)
    n = int(rng.choice([12, 60, 300, 2_000]))
    y = np.arange(n) % 2
    reference = {"a": rng.standard_normal(n), "b": rng.choice([1.0, np.nan], n), "c": rng.choice(["u", "v"], n)}
    current = {"a": rng.standard_normal(n) + rng.choice([0, 0.3, 1]), "b": rng.choice([1.0, np.nan], n)}
    gate = Gate(
        challenger=lambda: evaluation(rng, y, rng.uniform(0.1, 0.9)),
        champion=lambda: evaluation(rng, y, rng.uniform(0.3, 0.7)),
        reference=lambda: reference,
        current=lambda: {**current, "c": rng.choice(["u", "v"], n)},
    )
    return question(gate)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_what_the_gate_answers_is_believed(question: Callable[[Gate], CheckResult]) -> None:
    for seed in range(25):
        result = answered(question, seed)
        back = CheckResult.from_json(result.to_json())
        assert contradiction(back, confidence=0.95) is None, result.message


def test_every_verdict_was_among_them() -> None:
    found = Counter(answered(question, seed).verdict for question in QUESTIONS.values() for seed in range(12))
    assert set(found) == {Verdict.PASS, Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ERROR}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_no_milder_verdict_is_believed(question: Callable[[Gate], CheckResult]) -> None:
    """But of what the report has no numbers for: a fairness check that blames its small groups."""
    milder = [Verdict.PASS, Verdict.WARN, Verdict.INCONCLUSIVE]
    for seed in range(12):
        result = answered(question, seed)
        if result.verdict in (Verdict.ERROR, Verdict.PASS) or result.family == "fairness":
            continue
        for verdict in milder[: badness(result.verdict)]:
            assert contradiction(replace(result, verdict=verdict)), f"{verdict}: {result.message}"


@cache
def good(name: str) -> CheckResult:
    """A result that passed, or nearly."""
    found = [answered(QUESTIONS[name], seed) for seed in range(60)]
    return min(found, key=lambda result: badness(result.verdict))


def with_part(result: CheckResult, kind: str, **known: Any) -> CheckResult:
    """Changes the first part of a kind."""
    place = next(place for place, part in enumerate(result.parts) if kind in part.details)
    parts = list(result.parts)
    parts[place] = replace(parts[place], **known)
    return replace(result, parts=tuple(parts))


@pytest.mark.parametrize(
    ("name", "kind", "known", "why"),
    [
        ("guardrails", "margin", {"verdict": Verdict.FAIL}, "its parts come to FAIL"),
        ("guardrails", "margin", {"estimate": None, "verdict": Verdict.PASS}, "its own estimate comes to ERROR"),
        ("guardrails", "margin", {"id": "other"}, "guardrail recall was asked for, and is not among its parts"),
        ("guardrails", "slice", {"verdict": Verdict.FAIL}, "its parts come to FAIL"),
        ("slices", "slice", {"estimate": None, "verdict": Verdict.PASS}, "its own estimate comes to INCONCLUSIVE"),
        ("drift", "column", {"verdict": Verdict.FAIL}, "its parts come to FAIL"),
        ("drift", "column", {"estimate": None, "verdict": Verdict.PASS}, "it has no estimate, and says PASS"),
        ("the worst group", "rates", {"estimate": None, "verdict": Verdict.PASS}, "it has no estimate"),
    ],
)
def test_a_part_that_lies(name: str, kind: str, known: dict[str, Any], why: str) -> None:
    result = good(name)
    assert contradiction(result) is None
    assert why in str(contradiction(with_part(result, kind, **known)))


LIES: dict[str, tuple[str, Callable[[CheckResult], CheckResult], str]] = {
    "unclear, at a confidence nobody asked for": (
        "a comparison, any blindness",
        lambda result: estimated(result, Verdict.INCONCLUSIVE, confidence=1 - 1e-9),
        "its own estimate comes to FAIL",
    ),
    "a part of less confidence": (
        "drift",
        lambda result: with_part(result, "column", estimate=less_sure(result.parts[0])),
        "its interval is one of 0.5",
    ),
    "a limit is a matter of significance": (
        "a limit",
        lambda result: estimated(result, Verdict.INCONCLUSIVE, null=0.6, p_value=0.5),
        "its null is 0.6",
    ),
    "a value beside its interval": ("a limit", lambda result: estimated(result, Verdict.PASS, value=1.1), "outside"),
    "exact, with an interval": ("a limit", lambda result: estimated(result, Verdict.PASS, exact=True), "it is exact"),
    "slices are left out": ("slices", lambda result: replace(result, parts=()), "a slice by sex was asked for"),
    "a guardrail poses as a slice": (
        "guardrails",
        lambda result: with_part(result, "margin", details={"slice": "x", "rows": 300}),
        "the guardrail recall was asked for",
    ),
    "a slice of too few rows": (
        "slices, shown",
        lambda result: with_part(result, "slice", details={"slice": "x", "rows": 1}),
        "its own estimate comes to FAIL",
    ),
    "columns that are counted twice": (
        "drift",
        lambda result: replace(result, parts=(*result.parts, *result.parts)),
        "two of its parts have one name",
    ),
    "an estimate of no column": (
        "drift", lambda result: estimated(result, Verdict.PASS, n=1), "none of its parts'"
    ),
    "a column without an estimate, shown": (
        "drift, shown",
        lambda result: with_part(result, "column", estimate=None, verdict=Verdict.INCONCLUSIVE),
        "it has no estimate, and says INCONCLUSIVE",
    ),
    "groups that were not estimated": (
        "a difference",
        lambda result: replace(result, estimate=None, verdict=Verdict.INCONCLUSIVE),
        "it has no estimate, and its groups have rates",
    ),
    "groups that are gone": ("a difference", lambda result: replace(result, parts=()), "it has no groups"),
    "groups that are too small": (
        "a difference",
        lambda result: replace(result, details={**result.details, "too_small": ["m"]}),
        "groups that cannot be assessed come to INCONCLUSIVE",
    ),
    "a group of one row": (
        "a difference",
        lambda result: with_part(result, "rates", details={"rates": {"selection_rate": {"value": 0.5, "n": 1}}}),
        "groups that cannot be assessed come to INCONCLUSIVE",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "lie", "why"), LIES.values(), ids=LIES.keys())
def test_a_lie(name: str, lie: Callable[[CheckResult], CheckResult], why: str) -> None:
    honest = failed(name) if "comparison" in name else good(name)
    assert contradiction(honest, confidence=0.95) is None
    assert why in str(contradiction(lie(honest), confidence=0.95))


def failed(name: str) -> CheckResult:
    found = (answered(QUESTIONS[name], seed) for seed in range(60))
    return next(result for result in found if result.verdict is Verdict.FAIL)


def estimated(result: CheckResult, verdict: Verdict, **known: Any) -> CheckResult:
    assert result.estimate
    return replace(result, verdict=verdict, estimate=replace(result.estimate, **known))


def less_sure(result: CheckResult) -> Estimate:
    assert result.estimate
    return replace(result.estimate, confidence=0.5)


def test_more_confidence_than_was_agreed_on_may_pass() -> None:
    surer = estimated(good("a limit"), Verdict.PASS, confidence=0.99)
    assert contradiction(surer, confidence=0.95) is None


def test_a_value_may_lie_a_rounding_error_beside_its_interval() -> None:
    result = good("a limit")
    assert result.estimate
    beside = estimated(result, Verdict.PASS, value=1 + 1e-15, high=1.0)
    assert contradiction(beside) is None


def test_a_group_that_failed_was_not_passed_over() -> None:
    result = good("a difference")
    assert result.verdict is Verdict.PASS
    failed = tuple(replace(part, verdict=Verdict.FAIL) for part in result.parts)
    assert contradiction(replace(result, parts=failed)) == "it says PASS, and its parts come to FAIL"


def test_a_column_that_was_asked_for_by_name() -> None:
    result = good("drift, shown")
    columns = replace(result, parts=tuple(part for part in result.parts if part.details["column"] != "a"))
    assert "the column a was asked for" in str(contradiction(columns))


def test_slices_of_which_none_is_proven() -> None:
    result = good("slices")
    parts = tuple(replace(part, verdict=Verdict.INCONCLUSIVE) for part in result.parts)
    assert "its parts come to INCONCLUSIVE" in str(contradiction(replace(result, verdict=Verdict.PASS, parts=parts)))
