"""What travels between processes and into `gate.json`."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops import CheckResult, Decision, Estimate, GateReport, Limits, Verdict

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ANY_FLOAT = st.floats()
TEXT = st.text(max_size=20)
BUILTINS = st.dictionaries(TEXT, TEXT | FINITE | st.booleans() | st.none() | st.lists(TEXT, max_size=2), max_size=3)


def estimates(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[Estimate]:
    maybe = st.none() | numbers
    return st.builds(
        Estimate, value=numbers, low=numbers, high=numbers, confidence=st.floats(0.51, 0.99), method=TEXT,
        n=st.integers(0, 10**9), null=maybe, p_value=maybe, standard_error=maybe, blind_spot=maybe, exact=st.booleans(),
    )  # fmt: skip


def results(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[CheckResult]:
    def with_parts(parts: st.SearchStrategy[tuple[CheckResult, ...]]) -> st.SearchStrategy[CheckResult]:
        return st.builds(
            CheckResult, id=TEXT, model=TEXT, family=TEXT, verdict=st.sampled_from(Verdict), message=TEXT,
            estimate=st.none() | estimates(numbers), limits=st.none() | st.builds(Limits, at_least=FINITE),
            parts=parts, details=BUILTINS,
        )  # fmt: skip

    return with_parts(st.lists(with_parts(st.just(())), max_size=2).map(tuple))


def reports(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[GateReport]:
    return st.builds(
        GateReport,
        decision=st.sampled_from(Decision),
        results=st.lists(results(numbers), max_size=2).map(tuple),
        provenance=BUILTINS,
    )


RESULT = CheckResult(id="a:b", model="model", family="a", verdict=Verdict.FAIL, message="no")
REPORT = GateReport(decision=Decision.BLOCK, results=(RESULT,))


@given(results(FINITE))
def test_a_result_survives_a_round_trip(result: CheckResult) -> None:
    assert CheckResult.from_json(result.to_json()) == result


@given(reports(FINITE))
def test_a_report_survives_a_round_trip(report: GateReport) -> None:
    assert GateReport.from_json(report.to_json(indent=1)) == report


@given(reports(ANY_FLOAT))
def test_what_is_not_finite_travels_as_null(report: GateReport) -> None:
    text = report.to_json()
    assert text.isascii()
    assert GateReport.from_json(text).to_json() == text


def test_an_estimate_of_nan_comes_back_as_nan() -> None:
    estimate = Estimate(value=math.nan, low=-math.inf, high=1.0, confidence=0.95, method="none", n=0, p_value=math.nan)
    back = Estimate.from_dict(json.loads(json.dumps(estimate.to_dict(), allow_nan=False)))
    assert math.isnan(back.value)
    assert math.isnan(back.low)
    assert back.high == 1.0
    assert back.p_value is None


@pytest.mark.parametrize(("what", "read"), [(RESULT, ".verdict"), (REPORT, ".decision")])
def test_neither_true_nor_false(what: Any, read: str) -> None:
    with pytest.raises(TypeError, match=f"neither true nor false: read {read}"):
        bool(what)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_schema_version_is_refused(version: object) -> None:
    data = {**REPORT.to_dict(), "schema_version": version}
    with pytest.raises(ValueError, match=f"schema version {version!r}, expected 1"):
        GateReport.from_dict(data)


def test_builtins_only() -> None:
    data = REPORT.to_dict()
    assert type(data["decision"]) is str
    assert type(data["results"][0]["verdict"]) is str


def test_results_do_not_change() -> None:
    with pytest.raises(AttributeError):
        RESULT.verdict = Verdict.PASS  # type: ignore[misc]
