"""Two sentences on every verdict, and none of them untrue."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pytest_mlops import CheckResult, Estimate, Limits, Verdict
from pytest_mlops.report.explain import explained
from pytest_mlops.verdict.limits import judge

FAMILIES = ("performance_threshold", "champion_challenger", "drift", "fairness", "reproducibility", "another")
UNEXPLAINED = "How that comes to"


def estimate(value: float, low: float, high: float, **known: Any) -> Estimate:
    return Estimate(value=value, low=low, high=high, **{"confidence": 0.95, "method": "by hand", "n": 1488, **known})


def result(family: str, verdict: Verdict, **known: Any) -> CheckResult:
    facts: dict[str, Any] = {"id": f"{family}:profit", "model": "credit", "message": "It is so. And more.", **known}
    return CheckResult(family=family, verdict=verdict, **facts)


def drift_part(column: str, verdict: Verdict, *numbers: float, **known: Any) -> CheckResult:
    facts = {"estimate": estimate(*numbers, null=0.0, **known), "limits": Limits(at_most=0.1)} if numbers else {}
    because = "the current sample has no such column"
    return result("drift", verdict, id=f"drift:auto:{column}", details={"column": column, "because": because}, **facts)


GOOD, LOSS = estimate(0.84, 0.81, 0.87), estimate(-0.034, -0.061, -0.006, null=0.0, p_value=0.004, blind_spot=0.07)
SAME = estimate(0.0, 0.0, 0.0, null=0.0, p_value=1.0, exact=True, blind_spot=0.0)
FINE, DRIFTED = (0.02, 0.0, 0.06), (0.3, 0.2, 0.4)
UNSURE = drift_part("age", Verdict.INCONCLUSIVE, 0.08, 0.0, 0.14)
SHOWN, BETTER = {"require": "non_inferior"}, {"require": "better", "max_blind": "inf"}
NAMED = {
    "passes": (
        result("performance_threshold", Verdict.PASS, estimate=GOOD, limits=Limits(at_least=0.8)),
        "profit is 0.840 (0.810 to 0.870). The limit is at least 0.8, so even the low end passes.",
    ),
    "misses": (
        result("performance_threshold", Verdict.FAIL, estimate=GOOD, limits=Limits(at_least=0.9)),
        "profit is 0.840 (0.810 to 0.870). The value misses the limit of at least 0.9: requirement not met.",
    ),
    "crosses": (
        result("performance_threshold", Verdict.INCONCLUSIVE, estimate=GOOD, limits=Limits(at_least=0.83)),
        "profit is 0.840 (0.810 to 0.870). The interval reaches below the limit of at least 0.83: it looks fine, and "
        "is not proven.",
    ),
    "by a hair": (
        result("another", Verdict.INCONCLUSIVE, estimate=replace(GOOD, low=0.79996), limits=Limits(at_least=0.8)),
        "profit is 0.840 (0.800 to 0.870). The interval just reaches below the limit of at least 0.8: it looks fine, "
        "and is not proven.",
    ),
    "warns": (
        result("performance_threshold", Verdict.WARN, estimate=GOOD, limits=Limits(at_least=0.8, warn_below=0.85)),
        "profit is 0.840 (0.810 to 0.870). Even the low end keeps to the limit of at least 0.8, but the value is below "
        "the warn bound of 0.85.",
    ),
    "must be shown": (
        result(
            "performance_threshold", Verdict.FAIL, estimate=GOOD, limits=Limits(at_least=0.83),
            details={"asked": {"subject": "f1", "proof": "shown"}},
        ),
        "f1 is 0.840 (0.810 to 0.870). It had to be shown, and the interval reaches below the limit of at least 0.83.",
    ),
    "doubt": (
        result(
            "performance_threshold", Verdict.INCONCLUSIVE, limits=Limits(at_least=0.8),
            estimate=replace(GOOD, doubt="it rests on 4 units of rows, and 6 are needed"),
        ),
        "profit is 0.840 (0.810 to 0.870). The interval proves nothing: it rests on 4 units of rows, and 6 are needed.",
    ),
    "no variation": (
        result("performance_threshold", Verdict.ERROR, estimate=estimate(1, 1, 1), limits=Limits(at_least=0.8)),
        "profit is 1 (1 to 1). That cannot be judged: the interval has width 0 and no formula justifies it: the rows "
        "show no variation at all.",
    ),
    "not a number": (
        result("performance_threshold", Verdict.ERROR, estimate=estimate(math.nan, 0, 1), limits=Limits(at_least=0.8)),
        "The estimate of profit is not a finite number. What is no number cannot be judged, and never passes.",
    ),
    "no estimate": (
        result("performance_threshold", Verdict.ERROR, message="profit cannot be judged: no scores. Give y_score."),
        "profit cannot be judged: no scores. What cannot be judged never passes.",
    ),
    "a loss": (
        result("champion_challenger", Verdict.FAIL, estimate=LOSS, limits=Limits(at_least=-0.02)),
        "In profit the challenger looks worse than the champion: improvement -0.034 (-0.061 to -0.006). The "
        "measured loss is larger than the margin of 0.02, and too large to be chance (p = 0.004).",
    ),
    "perhaps no loss": (
        result(
            "champion_challenger", Verdict.INCONCLUSIVE, limits=Limits(at_least=-0.05),
            estimate=replace(LOSS, p_value=0.2),
        ),
        "In profit the challenger looks worse than the champion: improvement -0.034 (-0.061 to -0.006). The interval "
        "reaches beyond the margin of 0.05: the loss looks small enough, but that is not proven.",
    ),
    "perhaps a loss": (
        result(
            "champion_challenger", Verdict.INCONCLUSIVE, limits=Limits(at_least=-0.02),
            estimate=replace(LOSS, p_value=0.2),
        ),
        "In profit the challenger looks worse than the champion: improvement -0.034 (-0.061 to -0.006). The loss looks "
        "larger than the margin of 0.02, but that may be chance (p = 0.2).",
    ),
    "blind": (
        result(
            "champion_challenger", Verdict.ERROR, estimate=replace(LOSS, p_value=0.2), limits=Limits(at_least=-0.02),
            details={"asked": {"subject": "profit", "require": "not_worse", "max_blind": 0.06}},
        ),
        "In profit the challenger looks worse than the champion: improvement -0.034 (-0.061 to -0.006). The test set "
        "is too small for this limit: harm of 0.07 could be overlooked, and at most 0.06 may be.",
    ),
    "no p-value": (
        result(
            "champion_challenger", Verdict.ERROR, estimate=replace(LOSS, p_value=None), limits=Limits(at_least=-0.02),
        ),
        "In profit the challenger looks worse than the champion: improvement -0.034 (-0.061 to -0.006). That is beyond "
        "the limit, and without a p-value nobody can say whether by chance.",
    ),
    "not inferior": (
        result(
            "champion_challenger", Verdict.FAIL, estimate=LOSS, limits=Limits(at_least=-0.05), details={"asked": SHOWN}
        ),
        "In profit the challenger looks worse than the champion: improvement -0.034 (-0.061 to -0.006). It had to be "
        "shown, and the interval reaches beyond the margin of 0.05.",
    ),
    "not better": (
        result(
            "champion_challenger", Verdict.FAIL, estimate=LOSS, limits=Limits(at_least=0), details={"asked": BETTER},
        ),
        "In profit the challenger looks worse than the champion: improvement -0.034 (-0.061 to -0.006). It had to be "
        "shown to be better, and the interval reaches down to -0.061.",
    ),
    "equal": (
        result("champion_challenger", Verdict.PASS, estimate=SAME, limits=Limits(at_least=-0.02)),
        "In profit the challenger equals the champion, on all 1,488 rows. That is known exactly, and keeps to the "
        "margin of 0.02.",
    ),
    "equal is not better": (
        result(
            "champion_challenger", Verdict.FAIL, estimate=SAME, limits=Limits(at_least=0), details={"asked": BETTER},
        ),
        "In profit the challenger equals the champion, on all 1,488 rows. It had to be shown to be better, and is "
        "exactly 0.",
    ),
    "a slice decides": (
        result(
            "performance_threshold", Verdict.FAIL, estimate=GOOD, limits=Limits(at_least=0.8),
            details={"asked": {"subject": "recall", "proof": "table"}},
            parts=(
                result("performance_threshold", Verdict.PASS, details={"slice": "sex = male"}),
                result("performance_threshold", Verdict.FAIL, estimate=LOSS, details={"slice": "sex = female"}),
            ),
        ),
        "recall is 0.840 (0.810 to 0.870). By itself that would be PASS, but its part sex = female at -0.034 (-0.061 "
        "to -0.006) is FAIL.",
    ),
    "drifted": (
        result(
            "drift", Verdict.FAIL, estimate=estimate(*DRIFTED), limits=Limits(at_most=0.1),
            parts=(UNSURE, drift_part("sex", Verdict.FAIL, *DRIFTED, p_value=0.0001)),
        ),
        "1 of 2 parts is FAIL: sex, with a drift of 0.30 (0.20 to 0.40). The value is above the limit of at most 0.1, "
        "and too far off to be chance (p < 0.001).",
    ),
    "a column is gone": (
        result("drift", Verdict.ERROR, limits=Limits(at_most=0.1), parts=(drift_part("sex", Verdict.ERROR),)),
        "It is so. The answer is: the current sample has no such column.",
    ),
    "nothing drifted": (
        result(
            "drift", Verdict.PASS, estimate=estimate(*FINE), limits=Limits(at_most=0.1),
            parts=(drift_part("sex", Verdict.PASS, *FINE), drift_part("job", Verdict.PASS, 0.01, 0.0, 0.05)),
        ),
        "2 of 2 parts are PASS: the largest of these is sex, with a drift of 0.020 (0.000 to 0.060). Every part is "
        "shown to keep to the limit of at most 0.1.",
    ),
    "most did not drift": (
        result(
            "drift", Verdict.PASS, estimate=estimate(*FINE), limits=Limits(at_most=0.1),
            parts=(drift_part("sex", Verdict.PASS, *FINE), drift_part("job", Verdict.PASS, *FINE), UNSURE),
        ),
        "2 of 3 parts are PASS: the largest of these is sex, with a drift of 0.020 (0.000 to 0.060). More than half "
        "are shown to keep to the limit of at most 0.1, and no other is proven to exceed it.",
    ),
    "perhaps drifted": (
        result(
            "drift", Verdict.INCONCLUSIVE, estimate=UNSURE.estimate, limits=Limits(at_most=0.1),
            parts=(UNSURE, drift_part("sex", Verdict.PASS, *FINE)),
        ),
        "1 of 2 parts is INCONCLUSIVE: age, with a drift of 0.080 (0.000 to 0.140). Only 1 of 2 parts is shown to keep "
        "to the limit of at most 0.1, and it takes more than half.",
    ),
    "drifted, and tolerated": (
        result(
            "drift", Verdict.WARN, estimate=estimate(*DRIFTED), limits=Limits(at_most=0.1),
            parts=(drift_part("sex", Verdict.FAIL, *DRIFTED), drift_part("job", Verdict.PASS, *FINE)),
            details={"asked": {"at_most": 0.1, "tolerate": 0.05}, "drifted": {"share": 0.03}},
        ),
        "1 of 2 parts is FAIL: sex, with a drift of 0.30 (0.20 to 0.40). What has drifted holds 3 % of the weight of "
        "all features, and 5 % is tolerated.",
    ),
    "each column has its own limit": (
        result(
            "drift", Verdict.PASS, estimate=estimate(*FINE), limits=Limits(at_most=0.1),
            parts=(
                drift_part("sex", Verdict.PASS, *FINE),
                replace(drift_part("job", Verdict.PASS, 0.3, 0.2, 0.4), limits=Limits(at_most=2.0)),
            ),
            details={"asked": {"at_most": 0.1, "limits": {"job": 2.0}, "max_blind": 0.2}},
        ),
        "2 of 2 parts are PASS: the largest of these is sex, with a drift of 0.020 (0.000 to 0.060). Every part is "
        "shown to keep to its limit.",
    ),
    "blind for its own limit": (
        result(
            "drift", Verdict.ERROR, estimate=UNSURE.estimate, limits=Limits(at_most=0.1),
            parts=(drift_part("age", Verdict.ERROR, 0.08, 0.0, 0.14, blind_spot=0.25),),
            details={"asked": {"at_most": 0.2, "limits": {"age": 0.1}, "max_blind": 0.4}},
        ),
        "1 of 1 part is ERROR: age, with a drift of 0.080 (0.000 to 0.140). The test set is too small for this limit: "
        "harm of 0.25 could be overlooked, and at most 0.2 may be.",
    ),
    "rows are told apart": (
        result(
            "drift", Verdict.FAIL, estimate=estimate(0.7, 0.66, 0.74, null=0.5, p_value=0.0001),
            limits=Limits(at_most=0.6), details={"asked": {"subject": "domain_classifier", "at_most": 0.6}},
        ),
        "The AUC of telling the samples apart is 0.700 (0.660 to 0.740). The value is above the limit of at most 0.6, "
        "and too far off to be chance (p < 0.001).",
    ),
    "a window dropped": (
        result(
            "drift", Verdict.FAIL, estimate=estimate(*DRIFTED), limits=Limits(at_most=0.1),
            parts=(replace(drift_part("x", Verdict.FAIL, *DRIFTED, p_value=0.0001), details={"window": "May"}),),
            details={"asked": {"subject": "performance", "at_most": 0.1}},
        ),
        "1 of 1 part is FAIL: May, with a drop of 0.30 (0.20 to 0.40). The value is above the limit of at most 0.1, "
        "and too far off to be chance (p < 0.001).",
    ),
    "groups": (
        result(
            "fairness", Verdict.PASS, estimate=estimate(*FINE, null=0.0), limits=Limits(at_most=0.1),
            details={"asked": {"subject": "gap", "by": ["sex"]}, "widest": {"higher": "men", "lower": "women"}},
        ),
        "gap by sex is 0.020 (0.000 to 0.060), furthest apart are men and women. The limit is at most 0.1, so even the "
        "high end passes.",
    ),
    "a small group": (
        result(
            "fairness", Verdict.INCONCLUSIVE, estimate=estimate(*FINE, null=0.0), limits=Limits(at_most=0.1),
            details={"asked": {"subject": "gap", "by": ["sex"]}, "too_small": ["other"], "not_assessed": []},
        ),
        "gap by sex is 0.020 (0.000 to 0.060). Not every group can be assessed, which keeps it from passing: too few "
        "rows in other.",
    ),
    "trained alike": (
        result(
            "reproducibility", Verdict.PASS, estimate=SAME, limits=Limits(at_most=0.0),
            details={"asked": {"subject": "predictions", "runs": 3, "atol": 0.1}},
        ),
        "3 trainings gave the same predictions within the tolerance on 1,488 rows. No row may differ, and none does.",
    ),
    "trained otherwise": (
        result("reproducibility", Verdict.FAIL, estimate=estimate(7, 7, 7, exact=True), limits=Limits(at_most=0.0)),
        "The trainings differ in what they predict for 7 of 1,488 rows. No row may differ: requirement not met.",
    ),
    "missing": (
        result("drift", Verdict.MISSING, id="required:drift"),
        "This run has no answer to drift. The policy or the champion's record asks for it, and what is not answered "
        "does not pass.",
    ),
    "waived": (
        result(
            "performance_threshold", Verdict.WAIVED, estimate=GOOD, limits=Limits(at_least=0.9),
            details={"waived": {"verdict": "FAIL", "until": "2999-12-31", "owner": "risk", "reason": "new market"}},
        ),
        "profit is 0.840 (0.810 to 0.870). The value misses the limit of at least 0.9: requirement not met, but the "
        "policy waives it (until 2999-12-31, owner risk).",
    ),
    "the run itself": (
        result("session", Verdict.ERROR, message="1 test gave no answer: it was skipped."),
        "1 test gave no answer: it was skipped. That is a problem with the run itself, and such a run proves nothing "
        "about the model.",
    ),
    "a slice by itself": (
        result(
            "champion_challenger", Verdict.INCONCLUSIVE, id="champion_challenger:f1:sex:female",
            limits=Limits(at_least=-1),
            estimate=SAME, details={"slice": "sex = female", "because": "looks fine, but 9 rows are too few to pass"},
        ),
        "In f1 of sex = female the challenger equals the champion, on all 1,488 rows. The answer is: looks fine, but 9 "
        "rows are too few to pass.",
    ),
    "a guardrail by itself": (
        result(
            "champion_challenger", Verdict.PASS, id="champion_challenger:f1:guardrail:recall", details={"margin": 0.1},
            estimate=LOSS, limits=Limits(at_least=-0.1),
        ),
        "In recall the challenger looks worse than the champion: improvement -0.034 (-0.061 to -0.006). It may lose "
        "0.1 at most, so even the low end passes.",
    ),
    "a column by itself": (
        UNSURE,
        "The drift of age is 0.080 (0.000 to 0.140). The interval reaches above the limit of at most 0.1: it looks "
        "fine, and is not proven.",
    ),
    "a group by itself": (
        result(
            "fairness", Verdict.PASS, id="fairness:gap:sex:women", estimate=GOOD,
            details={"because": "shown", "rates": {"selection_rate": {"value": 0.2}, "recall_score": {"value": 0.84}}},
        ),
        "In the group women the recall score is 0.840 (0.810 to 0.870). The answer is: shown.",
    ),
    "forged": (
        result("performance_threshold", Verdict.PASS, estimate=GOOD, limits=Limits(at_least=0.9)),
        "profit is 0.840 (0.810 to 0.870). How that comes to PASS the report does not say.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMED)
def test_in_plain_words(case: str) -> None:
    found, words = NAMED[case]
    assert explained(found) == words


# --- whatever the numbers

NUMBERS = st.floats(-2, 2) | st.sampled_from((0.0, -0.02, 0.8, 1e-12, 1e300, -1e300))
ODD = NUMBERS | st.sampled_from((math.nan, math.inf, -math.inf))
MAYBE = st.none() | st.floats(0, 1) | st.just(math.nan)


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    bound, apart = draw(NUMBERS), draw(st.none() | st.floats(0, 1))
    if draw(st.booleans()):
        return Limits(at_least=bound, warn_below=None if apart is None else bound + apart)
    return Limits(at_most=bound, warn_above=None if apart is None else bound - apart)


@st.composite
def estimates(draw: st.DrawFn, numbers: st.SearchStrategy[float]) -> Estimate:
    low, value, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    if exact := draw(st.booleans()):
        low = high = value
    return estimate(
        value, low, high, exact=exact, n=draw(st.integers(0, 10**7)), null=draw(st.none() | st.just(0.0)),
        p_value=draw(MAYBE), blind_spot=draw(MAYBE), doubt=draw(st.none() | st.just("it rests on 3 units")),
    )  # fmt: skip


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    arguments = {"proof": draw(st.sampled_from(("table", "shown"))), "max_blind": draw(st.none() | st.floats(0, 1))}
    return {"subject": "profit", **arguments}


@given(st.sampled_from(FAMILIES), estimates(NUMBERS), limits(), questions(), st.booleans())
@example("champion_challenger", SAME, Limits(at_least=0.0), {"proof": "table", "max_blind": None}, True)
def test_what_the_rule_has_judged_is_explained_by_its_numbers(
    family: str, found: Estimate, bounds: Limits, asked: dict[str, Any], tells: bool
) -> None:
    judgement = judge(found, bounds, proof=asked["proof"], max_blind=asked["max_blind"])
    assume(tells or judgement.verdict is not Verdict.ERROR)
    details = {"asked": asked} if tells else {}
    text = explained(result(family, judgement.verdict, estimate=found, limits=bounds, details=details))
    assert UNEXPLAINED not in text
    _holds(text, judgement.verdict, found, bounds)


@given(
    st.sampled_from((*FAMILIES, "session")), st.sampled_from(Verdict), estimates(ODD) | st.none(), limits() | st.none()
)
def test_nothing_untrue_is_said_of_numbers_that_no_rule_has_judged(
    family: str, verdict: Verdict, found: Estimate | None, bounds: Limits | None
) -> None:
    text = explained(result(family, verdict, estimate=found, limits=bounds))
    if found and bounds and family != "session":
        _holds(text, verdict, found, bounds)
    else:
        _two_sentences(text)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda some: st.lists(some) | st.dictionaries(
    st.sampled_from(("verdict", "until", "owner", "subject", "by", "runs", "higher", "max_blind", "proof")), some
)), st.sampled_from(FAMILIES), st.sampled_from(Verdict))  # fmt: skip
def test_details_that_anybody_may_have_written(anything: Any, family: str, verdict: Verdict) -> None:
    names = (
        "asked",
        "waived",
        "widest",
        "too_small",
        "not_assessed",
        "because",
        "slice",
        "column",
        "of_missing",
        "rates",
        "margin",
    )
    part = result(family, verdict, estimate=GOOD, limits=Limits(at_least=0.8), details=dict.fromkeys(names, anything))
    assert explained(replace(part, parts=(part, replace(part, estimate=None))))


def test_hostile_names_do_nothing() -> None:
    hostile = "::error::\n\x1b[31m##[group]<!-- @all" * 500
    found = result("another", Verdict.PASS, id=hostile, estimate=GOOD, limits=Limits(at_least=0.8), message=hostile)
    text = explained(found)
    assert not re.search(r"\x1b|\n|##\[|^::", text)
    assert len(text) < 300


def _two_sentences(text: str) -> None:
    assert text.endswith(".")
    assert len(re.split(r"[.!?] (?=[A-Z])", text)) == 2
    assert not re.search(r"[.!?]{2}|[.!?] [a-z]", text)


def _holds(text: str, verdict: Verdict, found: Estimate, bounds: Limits) -> None:
    """No sentence claims what the numbers deny."""
    _two_sentences(text)
    beyond = bounds.beyond(found.value, bounds.bound)
    near = found.low if bounds.at_least is not None else found.high
    claims = {
        "end passes": verdict is Verdict.PASS and not bounds.beyond(near, bounds.bound),
        "none does": found.value <= 0,
        "end is": near > 0,
        "keeps to": not bounds.beyond(near, bounds.bound),
        "warn bound": bounds.warn_bound is not None and bounds.beyond(found.value, bounds.warn_bound),
        "misses": beyond,
        "too large to be chance": beyond and (found.p_value or 0) <= 0.025,
        "too far off": beyond and (found.p_value or 0) <= 0.025,
        "may be chance": beyond and found.p_value is not None and found.p_value > 0.025,
        "looks fine": not beyond,
        "reaches": bounds.beyond(near, bounds.bound) or near == bounds.bound,
        "ends on": near == bounds.bound,
        "looks better": found.value > 0,
        "looks worse": found.value < 0,
        "overlooked": bool(found.blind_spot),
    }
    assert [claim for claim, true in claims.items() if claim in text and not true] == []
