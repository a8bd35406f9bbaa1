"""The one rule: an estimate meets its limits."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops import Estimate, Limits, MlopsUsageError, Verdict
from pytest_mlops.verdict.limits import BLIND, Proof, judge

PASS, WARN, INCONCLUSIVE, FAIL, ERROR = (
    Verdict.PASS, Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ERROR,
)  # fmt: skip
FIELDS: dict[str, Any] = {"confidence": 0.95, "method": "made up", "n": 100}
PROOFS = st.sampled_from(["table", "shown"])


def metric(value: float, low: float, high: float, **rest: Any) -> Estimate:
    return Estimate(value=value, low=low, high=high, **{**FIELDS, **rest})


def difference(value: float, low: float, high: float, **rest: Any) -> Estimate:
    return metric(value, low, high, **{"null": 0.0, "p_value": 0.4, "blind_spot": 0.02, **rest})


def mirrored(estimate: Estimate) -> Estimate:
    null = None if estimate.null is None else -estimate.null
    return replace(estimate, value=-estimate.value, low=-estimate.high, high=-estimate.low, null=null)


def opposite(limits: Limits) -> Limits:
    def minus(bound: float | None) -> float | None:
        return None if bound is None else -bound

    return Limits(
        at_least=minus(limits.at_most),
        at_most=minus(limits.at_least),
        warn_below=minus(limits.warn_above),
        warn_above=minus(limits.warn_below),
    )


@st.composite
def estimates(draw: st.DrawFn) -> Estimate:
    ends = st.sampled_from([-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2]) | st.floats(-0.3, 0.3)
    low, value, high = sorted(draw(st.tuples(ends, ends, ends)))
    return Estimate(
        value=value,
        low=low,
        high=high,
        **FIELDS,
        null=draw(st.sampled_from([None, 0.0])),
        p_value=draw(st.sampled_from([None, math.nan, 0.0, 0.024, 0.025, 0.026, 1.0])),
        blind_spot=draw(st.sampled_from([None, 0.0, 0.01, 0.1, math.inf])),
        exact=low == high and draw(st.booleans()),
    )


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    bounds = st.sampled_from([-0.1, -0.05, 0.0, 0.05, 0.1])
    bound, warn = sorted((draw(bounds), draw(bounds)))
    made = Limits(at_least=bound, warn_below=draw(st.sampled_from([None, warn])))
    return opposite(made) if draw(st.booleans()) else made


CAPS = st.sampled_from([None, 0.02, 0.1])
AT_LEAST = Limits(at_least=0.8, warn_below=0.85)
MARGIN = Limits(at_least=-0.01)

TABLE = [
    pytest.param(metric(0.90, 0.86, 0.94), AT_LEAST, {}, PASS, "whole interval", id="wholly inside"),
    pytest.param(metric(0.84, 0.81, 0.87), AT_LEAST, {}, WARN, "warn bound 0.85", id="beyond the warn bound"),
    pytest.param(metric(0.85, 0.81, 0.89), AT_LEAST, {}, PASS, "whole interval", id="on the warn bound"),
    pytest.param(metric(0.90, 0.79, 0.95), AT_LEAST, {}, INCONCLUSIVE, "not proven", id="crosses"),
    pytest.param(metric(0.90, 0.80, 0.95), AT_LEAST, {}, INCONCLUSIVE, "not proven", id="touches"),
    pytest.param(metric(0.80, 0.70, 0.90), AT_LEAST, {}, INCONCLUSIVE, "not proven", id="on the fail bound"),
    pytest.param(metric(0.79, 0.70, 0.90), AT_LEAST, {}, FAIL, "requirement not met", id="beyond, no null"),
    pytest.param(difference(-0.05, -0.09, -0.011, p_value=0.01), MARGIN, {}, FAIL, "significant", id="harm"),
    pytest.param(
        difference(-0.05, -0.09, -0.011, p_value=0.025), MARGIN, {}, FAIL, "significant", id="harm at the level"
    ),
    pytest.param(difference(-0.05, -0.11, 0.01, p_value=0.026), MARGIN, {}, INCONCLUSIVE, "noise", id="maybe noise"),
    pytest.param(
        difference(-0.05, -0.09, -0.01, p_value=None), MARGIN, {}, ERROR, "without a p-value", id="no p-value"
    ),
    pytest.param(
        difference(-0.05, -0.09, 0, p_value=math.nan), MARGIN, {}, ERROR, "without a p-value", id="NaN p-value"
    ),
    pytest.param(metric(math.nan, 0.8, 0.9), AT_LEAST, {}, ERROR, "not a finite number", id="NaN value"),
    pytest.param(metric(0.9, math.nan, 0.95), AT_LEAST, {}, ERROR, "not a finite number", id="NaN end"),
    pytest.param(metric(0.9, 0.85, math.inf), AT_LEAST, {}, ERROR, "not a finite number", id="infinite far end"),
    pytest.param(metric(0.9, 0.95, 0.85), AT_LEAST, {}, ERROR, "wrong order", id="ends swapped"),
    pytest.param(metric(0.9, 0.9, 0.9), AT_LEAST, {}, ERROR, "width 0", id="zero width"),
    pytest.param(metric(0.7, 0.7, 0.7), AT_LEAST, {}, ERROR, "width 0", id="zero width beyond the bound"),
    pytest.param(metric(0.9, 0.9, 0.9, exact=True), AT_LEAST, {}, PASS, "exact", id="exact"),
    pytest.param(metric(0.8, 0.8, 0.8, exact=True), Limits(at_least=0.8), {}, PASS, "exact", id="exact on the bound"),
    # Blindness speaks only where nothing else is proven.
    pytest.param(difference(0, -0.05, 0.05), MARGIN, {"max_blind": 0.01}, ERROR, BLIND, id="blind, looks fine"),
    pytest.param(difference(-0.02, -0.05, 0.05), MARGIN, {"max_blind": 0.01}, ERROR, BLIND, id="blind, looks bad"),
    pytest.param(
        difference(0, -0.05, 0.05), MARGIN, {"max_blind": 0.02}, INCONCLUSIVE, "proven", id="blind spot at cap"
    ),
    pytest.param(difference(0, -0.05, 0.05), MARGIN, {}, INCONCLUSIVE, "not proven", id="any blind spot is allowed"),
    pytest.param(
        difference(0, -0.05, 0.05, blind_spot=None), MARGIN, {"max_blind": 9.0}, ERROR, BLIND, id="unknown blind spot"
    ),
    pytest.param(
        difference(0, -0.05, 0.05, blind_spot=math.nan), MARGIN, {"max_blind": 9.0}, ERROR, BLIND, id="NaN blind spot"
    ),
    pytest.param(
        difference(-0.2, -0.3, -0.1, p_value=0.001),
        MARGIN,
        {"max_blind": 0.01},
        FAIL,
        "significant",
        id="harm was seen",
    ),
    pytest.param(difference(0.05, 0.0, 0.1), MARGIN, {"max_blind": 0.01}, PASS, "shown", id="harm is excluded"),
    pytest.param(
        difference(0, 0, 0, exact=True, blind_spot=0.5),
        MARGIN,
        {"max_blind": 0.01},
        ERROR,
        BLIND,
        id="equal on few rows",
    ),
    pytest.param(
        difference(0, 0, 0, exact=True, blind_spot=0.0),
        MARGIN,
        {"max_blind": 0.01},
        PASS,
        "exact",
        id="equal, and seen",
    ),
    # proof="shown" has no room between PASS and FAIL.
    pytest.param(metric(0.90, 0.86, 0.94), AT_LEAST, {"proof": "shown"}, PASS, "shown", id="shown"),
    pytest.param(metric(0.84, 0.81, 0.87), AT_LEAST, {"proof": "shown"}, WARN, "warn bound", id="shown, but a warning"),
    pytest.param(metric(0.90, 0.79, 0.94), AT_LEAST, {"proof": "shown"}, FAIL, "not shown", id="not shown"),
    pytest.param(metric(0.90, 0.80, 0.94), AT_LEAST, {"proof": "shown"}, FAIL, "not shown", id="touching is not shown"),
    pytest.param(metric(0.90, 0.90, 0.90), AT_LEAST, {"proof": "shown"}, ERROR, "width 0", id="shown by no variation"),
    pytest.param(
        difference(0, 0, 0, exact=True),
        Limits(at_least=0.0),
        {"proof": "shown"},
        FAIL,
        "not shown",
        id="equal, not better",
    ),
    pytest.param(
        difference(0, 0, 0, exact=True, blind_spot=0.5),
        MARGIN,
        {"proof": "shown", "max_blind": 0.01},
        ERROR,
        BLIND,
        id="equal on few rows shows nothing",
    ),
]


@pytest.mark.parametrize(("estimate", "limits", "rule", "verdict", "because"), TABLE)
@pytest.mark.parametrize("turned", [False, True], ids=["at_least", "at_most"])
def test_each_row_of_the_table(
    estimate: Estimate, limits: Limits, rule: dict[str, Any], verdict: Verdict, because: str, turned: bool
) -> None:
    if turned:
        estimate, limits, because = mirrored(estimate), opposite(limits), because.replace("bound 0", "bound -0")
    judgement = judge(estimate, limits, **rule)
    assert judgement.verdict is verdict
    assert because in judgement.because


@given(estimates(), limits(), PROOFS, CAPS)
def test_a_mirrored_world_has_the_same_verdict(
    estimate: Estimate, limits: Limits, proof: Proof, cap: float | None
) -> None:
    ours = judge(estimate, limits, proof=proof, max_blind=cap)
    theirs = judge(mirrored(estimate), opposite(limits), proof=proof, max_blind=cap)
    assert ours.verdict is theirs.verdict


@given(estimates(), limits(), PROOFS, CAPS)
def test_nothing_passes_whose_interval_reaches_the_bound(
    estimate: Estimate, limits: Limits, proof: Proof, cap: float | None
) -> None:
    if judge(estimate, limits, proof=proof, max_blind=cap).verdict in (PASS, WARN):
        near = estimate.low if limits.at_most is None else estimate.high
        assert not limits.beyond(near, limits.bound)
        assert estimate.exact or near != limits.bound


@given(
    estimates(), limits(), PROOFS, CAPS,
    st.sampled_from(["value", "low", "high"]), st.sampled_from([math.nan, math.inf, -math.inf]),
)  # fmt: skip
def test_what_is_not_finite_is_an_error(
    estimate: Estimate, limits: Limits, proof: Proof, cap: float | None, where: str, what: float
) -> None:
    broken = replace(estimate, **{where: what})  # type: ignore[arg-type]
    assert judge(broken, limits, proof=proof, max_blind=cap).verdict is ERROR


@given(estimates(), limits(), CAPS)
def test_a_comparison_fails_only_by_a_significant_harm(estimate: Estimate, limits: Limits, cap: float | None) -> None:
    if judge(estimate, limits, max_blind=cap).verdict is FAIL and estimate.null is not None:
        assert estimate.p_value is not None
        assert estimate.p_value <= 0.025
        assert limits.beyond(estimate.value, limits.bound)


@given(estimates(), limits(), CAPS)
def test_what_must_be_shown_is_never_left_open(estimate: Estimate, limits: Limits, cap: float | None) -> None:
    assert judge(estimate, limits, proof="shown", max_blind=cap).verdict is not INCONCLUSIVE


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({}, "exactly one of at_least= and at_most= \\(neither given\\)"),
        ({"at_least": 0.1, "at_most": 0.2}, "both given"),
        ({"at_least": math.nan}, "at_least=nan is not a limit"),
        ({"at_most": math.inf}, "at_most=inf is not a limit"),
        ({"at_least": "0.8"}, "at_least='0.8' is not a limit"),
        ({"at_least": True}, "at_least=True is not a limit"),
        ({"at_least": 0.8, "warn_below": math.nan}, "warn_below=nan is not a limit"),
        ({"at_least": 0.8, "warn_above": 0.9}, "the warn bound beside at least 0.8 is warn_below="),
        ({"at_most": 0.8, "warn_below": 0.7}, "the warn bound beside at most 0.8 is warn_above="),
        ({"at_least": 0.8, "warn_below": 0.7}, "warn_below=0.7 lies beyond the fail bound 0.8"),
        ({"at_most": 0.8, "warn_above": 0.9}, "warn_above=0.9 lies beyond the fail bound 0.8"),
    ],
)
def test_limits_that_make_no_sense(bounds: dict[str, Any], message: str) -> None:
    with pytest.raises(MlopsUsageError, match=message):
        Limits(**bounds)


@given(limits())
def test_limits_survive_a_round_trip(limits: Limits) -> None:
    assert Limits.from_dict(limits.to_dict()) == limits


@pytest.mark.parametrize("proof", ["table", "shown"])
@pytest.mark.parametrize("null", [None, 0.0])
def test_an_estimate_in_doubt_never_passes(proof: Proof, null: float | None) -> None:
    doubtful = Estimate(
        value=0.9, low=0.88, high=0.92, confidence=0.95, method="by hand", n=100, null=null, p_value=0.9,
        standard_error=0.01, blind_spot=0.03, doubt="it rests on 4 clusters, and 6 are needed",
    )  # fmt: skip
    found = judge(doubtful, Limits(at_least=0.8), proof=proof)
    assert found.verdict is (Verdict.INCONCLUSIVE if proof == "table" else Verdict.FAIL)
    assert found.because.endswith("it rests on 4 clusters, and 6 are needed")
    blind = judge(doubtful, Limits(at_least=0.8), proof=proof, max_blind=0.02)
    assert blind.verdict is (Verdict.ERROR if proof == "table" else Verdict.FAIL)


def test_in_doubt_a_requirement_that_is_not_met_still_fails_and_a_comparison_does_not() -> None:
    facts = {"value": -0.1, "low": -0.12, "high": -0.08, "confidence": 0.95, "method": "by hand", "n": 100}
    doubtful = Estimate(**facts, doubt="it rests on 4 clusters")  # type: ignore[arg-type]
    assert judge(doubtful, Limits(at_least=0.8)).verdict is Verdict.FAIL
    compared = replace(doubtful, null=0.0, p_value=1e-9, standard_error=0.01)
    assert judge(compared, Limits(at_least=-0.02)).verdict is Verdict.INCONCLUSIVE
