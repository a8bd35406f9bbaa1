"""summary.md: what blocks first, the rest folded, and never more than a comment may have."""

from __future__ import annotations

import pytest

from pytest_mlops import CheckResult, Decision, Estimate, GateReport, Limits, Verdict
from pytest_mlops.report import chart, markdown, phrases
from pytest_mlops.verdict.decision import decide

VERDICTS = list(Verdict)


def estimate(value: float, low: float, high: float, **known: object) -> Estimate:
    return Estimate(value=value, low=low, high=high, confidence=0.95, method="by hand", n=100, **known)  # type: ignore[arg-type]


def check(name: str, verdict: Verdict, *, family: str = "performance_threshold", **known: object) -> CheckResult:
    facts: dict[str, object] = {
        "message": f"{name} is what it is.", "estimate": estimate(0.7, 0.6, 0.8), "limits": Limits(at_least=0.65),
    }  # fmt: skip
    return CheckResult(id=f"{family}:{name}", model="credit", family=family, verdict=verdict, **{**facts, **known})  # type: ignore[arg-type]


def difference(value: float, low: float, high: float, **details: object) -> CheckResult:
    return check(
        "roc_auc", Verdict.PASS, family="champion_challenger", estimate=estimate(value, low, high, null=0.0),
        limits=Limits(at_least=-0.02), details=details,
    )  # fmt: skip


def report(*results: CheckResult, **provenance: object) -> GateReport:
    return GateReport(decision=decide(results), results=results, provenance=provenance)


def section(text: str, title: str) -> str:
    """What stands below a heading, up to the next one."""
    return text.partition(f"{title}: ")[2].partition("###")[0].partition("<details>")[0]


def test_what_blocks_stands_first_and_what_passed_is_folded() -> None:
    text = markdown.render(report(*(check(verdict.value, verdict) for verdict in VERDICTS)))
    order = [
        text.index(part)
        for part in ("## Model gate: Merge blocked", "### What blocks: 3", "To look at: 3", "Passed: 1")
    ]
    assert order == sorted(order)
    assert all(
        f"`performance_threshold:{name}`" in section(text, "What blocks") for name in ("FAIL", "ERROR", "MISSING")
    )
    assert "<details><summary>Passed: 1 result</summary>" in text
    assert text.count("<details>") == text.count("</details>")


def test_what_asks_for_a_review_is_not_folded_where_that_is_the_decision() -> None:
    text = markdown.render(report(check("recall", Verdict.INCONCLUSIVE), check("f1", Verdict.PASS)))
    assert "### To look at: 1 result" in text


def test_a_policy_may_make_more_verdicts_block() -> None:
    strict = {"credit": {"file": "mlops.toml", "digest": None, "inconclusive": "block", "warn": "warn"}}
    results = check("recall", Verdict.INCONCLUSIVE), check("f1", Verdict.WARN)
    text = markdown.render(GateReport(decision=Decision.BLOCK, results=results, provenance={"policies": strict}))
    assert "`performance_threshold:recall`" in section(text, "What blocks")
    assert "`performance_threshold:f1`" in section(text, "To look at")


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (-0.034, -0.061, -0.006, "▼ worse by 0.034 | -0.061 to -0.006"),
        (0.0123, -0.001, 0.026, "▲ better by 0.012 | -0.001 to +0.026"),
        (0.0, -0.01, 0.01, "= the same | -0.010 to +0.010"),
        (float("nan"), float("nan"), float("nan"), "– | not a number to not a number"),
    ],
)
def test_a_difference_has_an_arrow_and_a_word(value: float, low: float, high: float, words: str) -> None:
    text = markdown.render(report(difference(value, low, high, models={"challenger": 0.684, "champion": 0.718})))
    assert f"| `roc_auc` | 0.684 | {words} | ≥ -0.02 | ✓ PASS |" in text


def test_checks_that_are_gone_are_listed() -> None:
    gone = {"credit": ["removed: drift:auto", "added: fairness:x:sex"]}
    text = markdown.render(report(check("f1", Verdict.PASS), policy_diff=gone))
    assert "### Gone since the champion was judged\n\n- `drift:auto`\n" in text
    assert "fairness:x:sex" not in text.partition("Gone since")[2].partition("<details>")[0]


COMMIT = {"commit": "0123456789abcdef", "dirty": False}
EVIDENCE = {"credit": {"challenger": {"rows": 1488}, "champion": {"rows": 1488}}}


@pytest.mark.parametrize(
    ("provenance", "words"),
    [
        ({"git": None}, "a commit that is not known; 1,488 rows, against the champion that the fixture"),
        ({"models": {"credit": {"challenger": {"rows": 1}}}}, "; 1 row, without a champion to compare it with."),
        (
            {
                "time": "2026-11-24T09:00:00+00:00",
                "champions": {"credit": {"promoted": {"time": "2026-11-11T08:00:00+00:00"}, "git": COMMIT}},
            },
            "against the champion promoted 13 days before, on 2026-11-11, made at commit 0123456789ab.",
        ),
        (
            {
                "time": "2026-11-24T09:00:00+00:00",
                "champions": {"credit": {"promoted": {"time": "2026-13-99T08:00:00+00:00"}, "git": None}},
            },
            "against the champion promoted on 2026-13-99.",
        ),
    ],
)  # fmt: skip
def test_it_says_what_was_compared_with_what(provenance: dict[str, object], words: str) -> None:
    known = {"git": COMMIT, "models": EVIDENCE, **provenance}
    assert words in "\n".join(phrases.compared(report(check("f1", Verdict.PASS), **known)))


def test_of_drift_alone_nothing_was_compared_with_a_champion() -> None:
    assert phrases.compared(report(models={"data": {"reference": {"rows": 9}, "current": {"rows": 9}}})) == []


def test_what_must_be_shown_overlooks_nothing_and_may_fail_an_equal_model() -> None:
    blind = estimate(0.0, -0.01, 0.01, null=0.0, blind_spot=0.02)
    usual, better, shown = (
        check(name, Verdict.PASS, family="champion_challenger", estimate=blind, details={"asked": asked})
        for name, asked in {
            "f1": {"require": "not_worse"},
            "auc": {"require": "better"},
            "mcc": {"proof": "shown"},
        }.items()
    )
    seen, budget = phrases.unseen(report(usual, better, shown))
    assert seen.startswith("champion_challenger:f1: a loss smaller than 0.02")
    assert budget.endswith("in at most 2.5 % of such runs, but for 2 checks that FAIL what is not shown.")
    assert phrases.unseen(report(better)) == ["1 check may FAIL an unchanged model: what is not shown does not pass."]
    assert [phrases.limit(each) for each in (usual, better)] == ["≥ 0.65", "> 0"]


@pytest.mark.parametrize("checks", [1, 40, 2_000])
@pytest.mark.parametrize("name", ["f1", "<&|`*" * 2_000])
def test_it_is_never_longer_than_a_comment_may_be(checks: int, name: str) -> None:
    results = [check(f"{number}{name}", Verdict.FAIL, message=f"{name} " * 50) for number in range(checks)]
    waived = [check(f"w{number}{name}", Verdict.WAIVED) for number in range(checks)]
    lines = {"credit": [f"removed: {number}{name}" for number in range(checks)]}
    text = markdown.render(report(*results, *waived, policy_diff=lines, git=COMMIT, models=EVIDENCE))
    assert len(text) <= markdown.MOST_CHARACTERS
    assert text.startswith(f"## Model gate: Merge blocked: {checks:,} FAIL")
    assert text.count("<details>") == text.count("</details>")
    assert all(row.count(" | ") == 4 for row in text.splitlines() if row.startswith("| `") and "roc_auc" not in row)
    if checks == 2_000:
        assert "rows more in report.html" in text
        assert "What has no room here is in report.html and gate.json." in text


@pytest.mark.parametrize(
    ("found", "limits", "drawn"),
    [
        ((0.7, 0.6, 0.8), Limits(at_least=0.65), "░░━━━━━│━━━━●━━━━━━━━━━··"),
        ((0.7, 0.6, 0.8), Limits(at_least=0.4), "░░│·········━━━━━●━━━━━··"),
        ((0.1, 0.05, 0.2), Limits(at_most=0.1), "··━━━━━━━●━━━━━━━━━━━━━░░"),
        ((0.3, 0.2, 0.4), Limits(at_most=0.1), "··│░░░░░░━━━━━━●━━━━━━━░░"),
    ],
)
def test_the_chart(found: tuple[float, float, float], limits: Limits, drawn: str) -> None:
    assert chart.interval(estimate(*found), limits) == drawn
    assert len(drawn) == chart.WIDTH


@pytest.mark.parametrize(
    ("found", "limits"),
    [
        (None, Limits(at_least=0.5)),
        (estimate(0.5, 0.4, 0.6), None),
        (estimate(float("nan"), 0.4, 0.6), Limits(at_least=0.5)),
        (estimate(0.5, 0.4, float("inf")), Limits(at_least=0.5)),
        (estimate(0.0, 0.0, 0.0), Limits(at_most=0.0)),
        (estimate(0.0, -1e308, 1e308), Limits(at_most=0.0)),
    ],
)
def test_where_nothing_can_be_drawn_nothing_is(found: Estimate | None, limits: Limits | None) -> None:
    assert chart.interval(found, limits) == ""
