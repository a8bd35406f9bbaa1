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
from pytest_mlops.verdict.limits import Limits

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
    "drift, limits of its own": lambda gate: gate.drift(
        at_most=0.05, warn_above=0.04, limits={"a": 0.3, "c": 0.4}, max_blind=0.5
    ),
    "drift, tolerated": lambda gate: gate.drift(at_most=0.1, max_blind=9.0, tolerate=0.4),
    "drift, tolerated by weight": lambda gate: gate.drift(
        at_most=0.1, max_blind=9.0, tolerate=0.2, weights={"a": 1, "b": 2, "c": 3.5, "t": 1}
    ),
    "drift, of labels": lambda gate: gate.drift(at_most=0.1, max_blind=9.0, tolerate=0.6, label="c", columns=["a"]),
    "drift, in order": lambda gate: gate.drift(at_most=0.2, max_blind=9.0, time="t", columns=["a"]),
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
    m = 8 * n
    reference = {"a": rng.standard_normal(m), "b": rng.choice([1.0, np.nan], m), "c": rng.choice(["u", "v"], m)}
    current = {"a": rng.standard_normal(n) + rng.choice([0, 0.3, 1]), "b": rng.choice([1.0, np.nan], n)}
    gate = Gate(
        challenger=lambda: evaluation(rng, y, rng.uniform(0.1, 0.9)),
        champion=lambda: evaluation(rng, y, rng.uniform(0.3, 0.7)),
        reference=lambda: {**reference, "t": np.arange(m)},
        current=lambda: {**current, "c": rng.choice(["u", "v"], n), "t": np.arange(n) * 8},
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
        ("drift, limits of its own", "column", {"limits": Limits(at_most=0.9)}, "its limits are not those that were"),
        ("drift, limits of its own", "column", {"id": "drift:auto:b"}, "it is not of the column a"),
        ("drift, tolerated by weight", "column", {"details": {"column": "a", "weight": 0.1}}, "its weight is 0.1, and"),
        (
            "drift, of labels",
            "role",
            {"details": {"column": "c", "weight": 1.0}},
            "does not say that it holds the label",
        ),
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


def tolerated() -> CheckResult:
    """One that WARNs, as what FAILs is tolerated."""
    found = (answered(QUESTIONS["drift, tolerated"], seed) for seed in range(60))
    return next(result for result in found if result.verdict is Verdict.WARN)


def test_more_that_fails_than_is_tolerated() -> None:
    result = tolerated()
    assert contradiction(result, confidence=0.95) is None
    asked = {**result.details["asked"], "tolerate": 0.01}
    less = replace(result, details={**result.details, "asked": asked})
    assert contradiction(less) == "it says WARN, and its parts come to FAIL"
    assert contradiction(replace(result, verdict=Verdict.PASS)) == "it says PASS, and its parts come to WARN"


@pytest.mark.parametrize("tolerate", [1.0, -0.5, float("nan"), "all"])
def test_a_tolerance_that_is_none(tolerate: Any) -> None:
    result = tolerated()
    asked = {**result.details["asked"], "tolerate": tolerate}
    assert "makes no sense" in str(contradiction(replace(result, details={**result.details, "asked": asked})))


def test_a_column_with_a_limit_of_its_own_was_judged() -> None:
    result = good("drift, limits of its own")
    parts = tuple(part for part in result.parts if part.details["column"] != "c")
    assert "the column c was asked for, and is not among its parts" in str(contradiction(replace(result, parts=parts)))


def test_the_whole_shows_the_limit_of_the_column_that_it_is_known_by() -> None:
    result = replace(good("drift, limits of its own"), limits=Limits(at_most=0.9))
    assert contradiction(result) == "its estimate is none of its parts'"


@pytest.mark.parametrize("subject", ["mmd", "everything"])
def test_columns_do_not_pose_as_another_method(subject: str) -> None:
    result = good("drift")
    asked = {**result.details["asked"], "subject": subject}
    assert "makes no sense" in str(contradiction(replace(result, details={**result.details, "asked": asked})))


AUC = Estimate(value=0.55, low=0.52, high=0.58, confidence=0.95, method="DeLong", n=900, null=0.5, p_value=0.001)


def test_a_classifier_that_tells_nothing_has_an_auc_of_one_half() -> None:
    asked = {"subject": "domain_classifier", "at_most": 0.6, "warn_above": None, "proof": "table", "max_blind": 0.2}
    result = CheckResult(
        id="drift:domain_classifier", model="m", family="drift", verdict=Verdict.PASS, message="", estimate=AUC,
        limits=Limits(at_most=0.6), details={"asked": asked},
    )  # fmt: skip
    assert contradiction(result, confidence=0.95) is None
    assert "its null is 0.0" in str(contradiction(replace(result, estimate=replace(AUC, null=0.0))))
    beyond = replace(AUC, value=0.7, low=0.65, high=0.75)
    assert contradiction(replace(result, estimate=beyond)) == "it says PASS, and its own estimate comes to FAIL"
    assert "its limits are not those" in str(contradiction(replace(result, limits=Limits(at_most=0.9))))


def in_time(seed: int, drop: float) -> Evaluation:
    rng, n = np.random.default_rng(seed), 900
    y = rng.integers(0, 2, n)
    wrong = rng.random(n) < 0.1 + drop * (np.arange(n) > n / 2)
    return Evaluation(y, np.where(wrong, 1 - y, y), rng.random(n), time=np.datetime64("2026-01-01") + np.arange(n) // 9)


OF_ROWS: dict[str, Callable[[Gate], CheckResult]] = {
    "told apart": lambda gate: gate.drift("domain_classifier", at_most=0.7),
    "embeddings": lambda gate: gate.drift("mmd", at_most=0.3, columns=["a", "b"]),
    "over time": lambda gate: gate.drift("performance", metric="accuracy", windows=6, at_most=0.1),
    "over time, shown": lambda gate: gate.drift(
        "performance", metric="recall", windows="20 days", at_most=0.1, proof="shown"
    ),
}


@pytest.mark.parametrize("ask", OF_ROWS.values(), ids=OF_ROWS.keys())
def test_so_is_what_it_answers_of_whole_rows(ask: Callable[[Gate], CheckResult]) -> None:
    found = []
    for seed, moved in enumerate((0.0, 0.1, 0.5, 2.0)):
        rng = np.random.default_rng(seed)
        reference, current = (
            {name: rng.normal(shift, size=200) for name in "ab"} for shift in (0.0, moved)
        )  # fmt: skip
        result = ask(Gate(challenger=in_time(seed, moved / 4), reference=reference, current=current))
        found.append(result.verdict)
        assert contradiction(CheckResult.from_json(result.to_json()), confidence=0.95) is None, result.message
    assert found[-1] is Verdict.FAIL


def over_time(*drops: tuple[float, float, Verdict]) -> CheckResult:
    """Of windows, each with its drop, the error of that, and its verdict."""
    asked = {"subject": "performance", "at_most": 0.1, "warn_above": None, "proof": "table", "max_blind": 0.2}
    limits = Limits(at_most=0.1)
    found = [
        Estimate(
            value=drop, low=drop - 2 * error, high=drop + 2 * error, confidence=0.95, method="by hand", n=99, null=0.0,
            p_value=0.0001 if drop > 3 * error else 0.4, blind_spot=4 * error,
        )
        for drop, error, _ in drops
    ]  # fmt: skip
    known: dict[str, Any] = {"model": "m", "family": "drift", "message": "", "limits": limits}
    parts = tuple(
        CheckResult(id=f"drift:performance:w{i}", verdict=verdict, estimate=each, details={"window": f"w{i}"}, **known)
        for i, (each, (_, _, verdict)) in enumerate(zip(found, drops, strict=True))
    )
    return CheckResult(
        id="drift:performance", verdict=Verdict.PASS, estimate=found[0], parts=parts, details={"asked": asked}, **known
    )


FINE, BLIND = (0.01, 0.01, Verdict.PASS), (0.05, 0.09, Verdict.INCONCLUSIVE)


def test_windows_are_judged_like_columns() -> None:
    assert contradiction(over_time(FINE, FINE), confidence=0.95) is None
    fallen = over_time(FINE, (0.4, 0.01, Verdict.PASS))
    assert contradiction(fallen) == "of its part drift:performance:w1: it says PASS, and its own estimate comes to FAIL"
    assert contradiction(over_time(FINE, (0.4, 0.01, Verdict.FAIL))) == "it says PASS, and its parts come to FAIL"


def test_some_windows_may_be_blind_and_not_half_of_them() -> None:
    assert contradiction(over_time(FINE, FINE, BLIND)) is None
    assert contradiction(over_time(FINE, BLIND)) == "it says PASS, and its parts come to ERROR"


def test_slices_of_which_none_is_proven() -> None:
    result = good("slices")
    parts = tuple(replace(part, verdict=Verdict.INCONCLUSIVE) for part in result.parts)
    assert "its parts come to INCONCLUSIVE" in str(contradiction(replace(result, verdict=Verdict.PASS, parts=parts)))
