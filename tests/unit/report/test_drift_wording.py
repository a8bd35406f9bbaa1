"""Drift is not always one of columns, and then it is called otherwise."""

from __future__ import annotations

import pytest

from pytest_mlops import CheckResult, Decision, Estimate, GateReport, Limits, Verdict
from pytest_mlops.report import html, phrases


def report(subject: str) -> GateReport:
    found = Estimate(
        value=0.02, low=0.0, high=0.04, confidence=0.95, method="by hand", n=900, null=0.0, blind_spot=0.07
    )  # fmt: skip
    result = CheckResult(
        id=f"drift:{subject}", model="m", family="drift", verdict=Verdict.FAIL, message="So it is.", estimate=found,
        limits=Limits(at_most=0.1), details={"asked": {"subject": subject}},
    )  # fmt: skip
    return GateReport(decision=Decision.BLOCK, results=(result,), provenance={})


@pytest.mark.parametrize(
    ("subject", "unseen", "expected"),
    [
        ("auto", "a drift of one column smaller than 0.070", "drift of at most 0.1"),
        ("domain_classifier", "told apart with an AUC less than 0.070 above chance", "AUC of at most 0.1"),
        ("mmd", "a distance of the samples smaller than 0.070", "distance of at most 0.1"),
        ("performance", "a drop of one window smaller than 0.070", "drop of at most 0.1"),
        (
            "estimated_performance",
            "an estimated drop of one window smaller than 0.070",
            "estimated drop of at most 0.1",
        ),
    ],
)
def test_each_method_has_its_own_words(subject: str, unseen: str, expected: str) -> None:
    assert unseen in phrases.unseen(report(subject))[0]
    assert f">{expected}<" in html.render(report(subject))
