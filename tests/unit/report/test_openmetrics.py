"""metrics.txt: what Prometheus' own parser and GitLab's split into words read alike."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from pytest_mlops import CheckResult, Decision, Estimate, GateReport, Limits, Verdict
from pytest_mlops.report import openmetrics

HOSTILE = [
    '"} 1\nmlops_decision 0', "\\", '\\"', "ends with \\", "{a=b,c}", "# EOF", "a # b", "\x00\x1b[31m", "\ud800",
    "\u202edesrever", "two\nlines\r\n", "", "\u200b", "x" * 10_000, "it's",
]  # fmt: skip
Samples = dict[tuple[str, ...], float]


def check(name: str = "f1", **known: object) -> CheckResult:
    facts: dict[str, object] = {
        "model": "credit", "family": "drift", "verdict": Verdict.PASS, "message": "fine.",
        "estimate": Estimate(value=0.7, low=0.6, high=1e-05, confidence=0.95, method="by hand", n=9),
        "limits": Limits(at_least=0.65),
    }  # fmt: skip
    return CheckResult(id=name, **{**facts, **known})  # type: ignore[arg-type]


def text(*results: CheckResult, decision: Decision = Decision.MERGE) -> str:
    return openmetrics.render(GateReport(decision=decision, results=results))


def read(rendered: str) -> Samples:
    """Every sample by its name and the values of its labels."""
    families = text_string_to_metric_families(rendered)  # type: ignore[no-untyped-call]
    return {
        (sample.name.removeprefix("mlops_"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def read_by_gitlab(rendered: str) -> list[tuple[str, str]]:
    """As its `generic.rb` does: a comment goes to the end of the line, then the first two words of a shell."""
    lines = [shlex.split(re.sub(r"#.*", "", line)) for line in rendered.splitlines()]
    return [(words[0], words[1]) for words in lines if words]


def test_each_number_of_a_check_is_a_sample() -> None:
    assert read(text(check())) == {
        ("decision",): 0,
        ("check_verdict", "credit", "f1", "PASS"): 1,
        ("check_value", "credit", "f1"): 0.7,
        ("check_low", "credit", "f1"): 0.6,
        ("check_high", "credit", "f1"): 1e-05,
        ("check_limit", "credit", "f1", "at_least"): 0.65,
    }


@pytest.mark.parametrize(("decision", "number"), [(Decision.MERGE, 0), (Decision.REVIEW, 1), (Decision.BLOCK, 2)])
def test_the_worse_the_decision_the_higher_its_number(decision: Decision, number: int) -> None:
    assert read(text(decision=decision)) == {("decision",): number}


def test_what_is_not_finite_is_left_out() -> None:
    nan, inf = float("nan"), float("inf")
    estimate = Estimate(value=nan, low=-inf, high=inf, confidence=0.95, method="by hand", n=9)
    samples = read(text(check(estimate=estimate, limits=Limits(at_most=0.1))))
    assert {name for name, *_ in samples} == {"decision", "check_verdict", "check_limit"}
    assert samples["check_limit", "credit", "f1", "at_most"] == 0.1


def test_a_check_without_numbers_has_its_verdict() -> None:
    result = check("session:tests", model="session", verdict=Verdict.ERROR, estimate=None, limits=None)
    assert ("check_verdict", "session", "session:tests", "ERROR") in read(text(result))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name: str) -> None:
    rendered = text(check(name, model=name), check(name), decision=Decision.BLOCK)
    samples = read(rendered)
    assert len(samples) == 1 + 2 * 5
    assert samples[("decision",)] == 2
    assert all(len(label) <= 200 and label.isprintable() for labels in samples for label in labels)
    assert rendered.endswith("\n# EOF\n")
    assert rendered.count("# EOF") == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_gitlab_reads_every_sample(name: str) -> None:
    rendered = text(check(name, model=name))
    assert [float(value) for _, value in read_by_gitlab(rendered)] == list(read(rendered).values())


def test_names_that_become_equal_stay_apart() -> None:
    results = [check(f"f1{hidden}") for hidden in ("", "\u200b", "\x00", "\u202e", " (2)")]
    names = {labels[2] for labels in read(text(*results)) if labels[0] == "check_value"}
    assert len(names) == 5


@given(st.lists(st.tuples(st.text(), st.text()), max_size=6))
def test_whatever_the_names_no_sample_is_lost(names: list[tuple[str, str]]) -> None:
    rendered = text(*(check(name, model=model) for model, name in names))
    assert len(read(rendered)) == 1 + 5 * len(names)
    assert len(read_by_gitlab(rendered)) == 1 + 5 * len(names)


def test_two_thousand_failing_checks_of_one_long_name_fit() -> None:
    rendered = text(*(check("é" * 10_000 + str(n)) for n in range(2_000)), decision=Decision.BLOCK)
    assert len(rendered.encode()) < 10_000_000
    assert rendered.count("\nmlops_check_value{") == 2_000
    assert len(set(rendered.splitlines())) == len(rendered.splitlines())
