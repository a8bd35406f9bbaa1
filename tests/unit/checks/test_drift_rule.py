"""What columns add up to: limits of their own, weights, and what is tolerated."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops import CheckResult, Evaluation, Gate, Limits, MlopsUsageError, Verdict
from pytest_mlops.checks import drift_rule
from pytest_mlops.checks.drift_rule import Drifted, Met, whole
from pytest_mlops.gate import question
from pytest_mlops.verdict.estimate import Estimate

N = 2_000
FAIL, PASS, WARN, ERROR = Verdict.FAIL, Verdict.PASS, Verdict.WARN, Verdict.ERROR


def normal(shift: float = 0.0, *, seed: int = 0, n: int = N) -> Any:
    return np.random.default_rng(seed).normal(shift, size=n)


def frames(drifted: int, of: int, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    reference = {f"c{i:02}": normal(seed=i) for i in range(of)}
    current = {f"c{i:02}": normal(1.0 if i < drifted else 0.0, seed=100 + i) for i in range(of)}
    return {**reference, **more}, {**current, **more}


def drift(reference: Any, current: Any, *, challenger: Any = None, **known: Any) -> CheckResult:
    gate = Gate(challenger=challenger, reference=reference, current=current)
    return gate.drift(**{"at_most": 0.15, **known})


def part(result: CheckResult, column: str) -> CheckResult:
    (found,) = [each for each in result.parts if each.details["column"] == column]
    return found


# --- limits of single columns


def test_a_column_may_have_a_limit_of_its_own() -> None:
    reference, current = {"a": normal(), "b": normal(seed=1)}, {"a": normal(0.5, seed=2), "b": normal(0.5, seed=3)}
    result = drift(reference, current, limits={"a": 0.4})
    assert (part(result, "a").verdict, part(result, "b").verdict) == (PASS, FAIL)
    assert part(result, "a").limits == Limits(at_most=0.4)
    assert part(result, "b").limits == Limits(at_most=0.15)
    assert "the limit is at most 0.15 (a: 0.4)" in result.message
    assert "the limit is at most 0.4" in part(result, "a").message


def test_the_whole_has_the_limit_of_the_column_that_it_is_known_by() -> None:
    result = drift({"a": normal()}, {"a": normal(0.6, seed=2)}, limits={"a": 0.4}, columns=["a"])
    assert result.limits == part(result, "a").limits == Limits(at_most=0.4)


def test_the_worst_column_is_the_one_that_is_furthest_beyond_its_own_limit() -> None:
    reference, current = {"a": normal(), "b": normal(seed=1)}, {"a": normal(0.9, seed=2), "b": normal(0.5, seed=3)}
    result = drift(reference, current, limits={"a": 0.3, "b": 0.05})
    assert result.estimate == part(result, "b").estimate


def test_a_limit_of_its_own_moves_the_warn_bound_and_the_blind_spot_with_it() -> None:
    met = Met.by(Limits(at_most=0.1, warn_above=0.05), 0.3, 0.2)
    assert met == Met(Limits(at_most=0.2, warn_above=0.1), 0.6)
    assert Met.by(Limits(at_most=0.1, warn_above=0.1), math.inf, 0.3).limits.warn_bound == 0.3


def test_a_column_with_a_wider_limit_may_be_blinder() -> None:
    few = {"a": normal(n=60), "b": normal(n=60, seed=1)}
    result = drift(few, {"a": normal(n=60, seed=2), "b": normal(n=60, seed=3)}, at_most=0.1, limits={"a": 0.5})
    assert part(result, "a").verdict is PASS
    assert part(result, "b").verdict is ERROR
    narrow = drift(few, {"a": normal(n=60, seed=2), "b": normal(n=60, seed=3)}, at_most=0.5, limits={"a": 0.1})
    assert "use limits={'a': 0." in part(narrow, "a").message


def test_a_limit_of_a_column_that_is_not_there_names_the_nearest() -> None:
    result = drift({"age": normal()}, {"age": normal(seed=1)}, limits={"agee": 0.2})
    assert result.verdict is ERROR
    assert "limits= names 'agee', which is not judged: did you mean 'age'?" in result.message


# --- what is tolerated


def test_a_few_columns_of_many_may_drift() -> None:
    result = drift(*frames(1, 20), tolerate=0.05)
    assert result.verdict is WARN
    assert "1 of 20 columns (5 % of the weight) has drifted, 5 % are tolerated." in result.message
    assert part(result, "c00").verdict is FAIL
    assert result.estimate == part(result, "c00").estimate
    assert result.details["drifted"] == {"columns": 1, "of": 20, "share": 0.05}
    more = drift(*frames(2, 20), tolerate=0.05)
    assert more.verdict is FAIL
    assert "2 of 20 columns (10 % of the weight) have drifted" in more.message


def test_without_tolerance_one_column_fails_the_whole() -> None:
    assert drift(*frames(1, 20)).verdict is FAIL


def test_weights_say_what_a_column_counts() -> None:
    weights = {"c00": 1.0, "c01": 9.0}
    assert drift(*frames(1, 2), weights=weights, tolerate=0.1).verdict is WARN
    assert drift(*frames(1, 2), weights={"c00": 1.2, "c01": 9.0}, tolerate=0.1).verdict is FAIL
    assert part(drift(*frames(1, 2), weights=weights, tolerate=0.1), "c01").details["weight"] == 9.0


def test_a_column_and_its_missing_values_are_one() -> None:
    reference, current = frames(1, 10)
    current["c00"] = np.where(np.arange(N) % 3 == 0, np.nan, current["c00"])
    result = drift(reference, current, tolerate=0.1)
    assert [each.verdict for each in result.parts[:2]] == [FAIL, FAIL]
    assert result.verdict is WARN
    assert "1 of 10 columns (10 % of the weight)" in result.message


def test_what_cannot_be_judged_is_never_tolerated() -> None:
    reference, current = frames(1, 20)
    result = drift({**reference, "gone": normal()}, current, tolerate=0.9)
    assert result.verdict is ERROR


@pytest.mark.parametrize("role", drift_rule.ROLES)
def test_labels_predictions_and_scores_are_never_tolerated(role: str) -> None:
    named: dict[str, Any] = {role: "c00"}
    result = drift(*frames(1, 20), tolerate=0.5, **named)
    assert result.verdict is FAIL
    assert "weight" not in part(result, "c00").details
    assert part(result, "c00").message.startswith(f"{role} drift in c00: ")
    assert f"{role} drift in c00: KS distance" in result.message


def test_the_importance_of_features_weighs_them() -> None:
    def challenger(importance: Any) -> Evaluation:
        known = Evaluation([0, 1] * 20, [0, 1] * 20)
        object.__setattr__(known, "importance", importance)
        return known

    reference, current = frames(1, 2)
    little = challenger({"c00": 0.01, "c01": 0.99, "unused": 1.0})
    assert drift(reference, current, challenger=little, weights="importance", tolerate=0.02).verdict is WARN
    much = challenger({"c00": 0.99, "c01": 0.01})
    assert drift(reference, current, challenger=much, weights="importance", tolerate=0.02).verdict is FAIL
    unknown = drift(reference, current, challenger=challenger(None), weights="importance", tolerate=0.02)
    assert unknown.verdict is ERROR
    assert "importance=True" in unknown.message


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        ({"c00": 1.0}, "weights= says nothing of c01"),
        ({"c00": 1.0, "c01": 1.0, "c011": 1.0}, "weights= names 'c011', which is not judged: did you mean 'c01'"),
    ],
)
def test_every_feature_has_a_weight_and_nothing_else(weights: dict[str, float], why: str) -> None:
    result = drift(*frames(1, 2), weights=weights, tolerate=0.1)
    assert result.verdict is ERROR
    assert why in result.message


def column(name: str, verdict: Verdict, weight: float = 1.0, **details: Any) -> CheckResult:
    found = Estimate(value=0.2, low=0.1, high=0.3, confidence=0.95, method="by hand", n=9)
    known = {"column": name, "weight": weight, **details}
    return CheckResult(
        id=f"drift:auto:{name}", model="m", family="drift", verdict=verdict, message=".", estimate=found, details=known
    )


def test_columns_without_any_weight_excuse_nothing() -> None:
    assert Drifted.among([column("a", FAIL, 0.0), column("b", PASS, 0.0)]).share == 1.0


def test_what_was_not_judged_has_no_weight() -> None:
    unknown = replace(column("c", Verdict.INCONCLUSIVE, 100.0), estimate=None)
    assert Drifted.among([column("a", FAIL), column("b", PASS), unknown]).share == 0.5


@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="no weight"):
        Drifted.among([column("a", FAIL), column("b", PASS, weight)])


def test_two_weights_of_one_column_are_refused() -> None:
    with pytest.raises(ValueError, match="no weight of a"):
        Drifted.among([column("a", FAIL), column("a", PASS, 2.0)])


VERDICTS = st.sampled_from([PASS, WARN, Verdict.INCONCLUSIVE, FAIL, ERROR])


@given(st.lists(VERDICTS, min_size=1, max_size=8), st.floats(0, 0.999), st.floats(0, 0.999))
def test_more_tolerance_is_never_stricter_and_never_hides_an_error(
    verdicts: list[Verdict], one: float, other: float
) -> None:
    parts = [column(f"c{place}", verdict) for place, verdict in enumerate(verdicts)]
    strict, lax = (whole(parts, tolerate) for tolerate in sorted([one, other]))
    assert lax is strict or (strict is FAIL and lax in (WARN, ERROR, Verdict.INCONCLUSIVE))
    if FAIL in verdicts:
        assert lax in ((FAIL, ERROR) if ERROR in verdicts else (FAIL, WARN, Verdict.INCONCLUSIVE))


def test_a_column_that_fails_does_not_excuse_those_that_nobody_could_assess() -> None:
    unknown = [replace(column(name, Verdict.INCONCLUSIVE), estimate=None) for name in "abc"]
    proven = [column(name, PASS) for name in "xy"]
    assert whole([*unknown, *proven], 0.4) is Verdict.INCONCLUSIVE
    assert whole([*unknown, *proven, column("z", FAIL)], 0.4) is Verdict.INCONCLUSIVE
    assert whole([*unknown[:1], *proven, column("z", FAIL)], 0.4) is WARN


# --- the arguments


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"limits": 0.2}, "must map columns"),
        ({"limits": {"a": 0}}, r"limits\['a'\]=0 must be a number above 0"),
        ({"limits": {"a": 5}}, r"limits\['a'\]=5.0 lets pass any drift.*did you mean 0.05"),
        ({"limits": {"ag": 0.1}, "columns": ["age"]}, "did you mean 'age'"),
        ({"tolerate": 5}, "did you mean 0.05"),
        ({"tolerate": -0.1}, "no share"),
        ({"tolerate": 1.0}, "no share"),
        ({"tolerate": "x"}, "no share"),
        ({"tolerate": True}, "no share"),
        ({"weights": {"a": 1.0}}, "give tolerate= as well"),
        ({"weights": "importances", "tolerate": 0.1}, "did you mean 'importance'"),
        ({"weights": {"a": -1.0}, "tolerate": 0.1}, r"weights\['a'\]=-1.0 is no weight"),
        ({"weights": [1.0], "tolerate": 0.1}, "must map columns"),
        ({"time": ""}, "time='' is not a name"),
        ({"label": 3}, "label=3 is not a name"),
        ({"label": "y", "prediction": "y"}, "label= and prediction= both name the column 'y'"),
        ({"time": "y", "label": "y"}, "time= and label= both name"),
        ({"time": "day", "columns": ["day", "a"]}, "leave it out of columns="),
        ({"metric": "accuracy"}, "method='auto' has no use for metric=, which goes with 'performance'"),
        ({"windows": 5}, "no use for windows="),
        ({"method": "mmd", "tolerate": 0.1}, "method='mmd' has no use for tolerate="),
        ({"method": "domain_classifier", "time": "day"}, "no use for time="),
        ({"method": "performance", "columns": ["a"]}, "no use for columns="),
        ({"method": "estimated_performance", "limits": {"a": 0.1}}, "no use for limits="),
    ],
)
def test_what_makes_no_sense_is_refused_at_the_call(known: dict[str, Any], why: str) -> None:
    with pytest.raises(MlopsUsageError, match=why):
        question("drift", **{"at_most": 0.1, **known})


def test_what_is_not_asked_for_leaves_the_question_as_it_was() -> None:
    asked = question("drift", at_most=0.1, limits={}, tolerate=0, weights=None).spec.asked
    assert sorted(asked) == ["at_most", "columns", "max_blind", "proof", "subject", "warn_above"]


def test_columns_with_a_role_are_among_those_asked_for() -> None:
    asked = question("drift", at_most=0.1, columns=["a"], label="y").spec.asked
    assert asked["columns"] == ["a", "y"]
    assert asked["label"] == "y"


# --- read back from a report


@given(st.floats(0.01, 0.9), st.floats(0.01, 0.9), st.none() | st.floats(0.1, 1.0))
def test_what_was_asked_tells_what_each_column_met(of_all: float, own: float, warned: float | None) -> None:
    warn = None if warned is None else of_all * warned
    check: Any = question("drift", at_most=of_all, warn_above=warn, limits={"a": own})
    for name in ("a", "b"):
        assert drift_rule.met_by(check.spec.asked, name) == check.met(name)
    blind: Any = question("drift", at_most=of_all, limits={"a": own}, max_blind=math.inf)
    assert drift_rule.met_by(blind.spec.asked, "a").max_blind == math.inf
