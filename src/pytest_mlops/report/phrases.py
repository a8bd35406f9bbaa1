"""Sentences that every human reader gets alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_mlops.verdict.decision import false_alarm_budget
from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import SESSION, CheckResult, GateReport
from pytest_mlops.verdict.wording import count, number, percent, with_interval

SYMBOLS = {
    Verdict.PASS: "✓",
    Verdict.WARN: "!",
    Verdict.INCONCLUSIVE: "?",
    Verdict.FAIL: "✗",
    Verdict.ERROR: "✗",
    Verdict.MISSING: "✗",
    Verdict.WAIVED: "~",
}

_HARMS = {
    "champion_challenger": "a loss smaller than {} against the champion",
    "drift": "a drift of one column smaller than {}",
    "fairness": "a disparity smaller than {}",
}

POLICY = "Asked otherwise than the champion was"
UNSEEN = "What this gate cannot see (it misses each at least one time in five)"


def verdict(result: CheckResult) -> str:
    """Symbol and word: ``✗ FAIL``."""
    return f"{SYMBOLS[result.verdict]} {result.verdict}"


def value(result: CheckResult) -> str:
    """The estimate with its interval, or that there is none."""
    if result.estimate is None:
        return "no estimate"
    return with_interval(result.estimate, sign=result.family == "champion_challenger")


def value_title(report: GateReport) -> str:
    """``value (95 % interval)``."""
    confidences = {result.estimate.confidence for result in report.results if result.estimate}
    return f"value ({' / '.join(percent(confidence) for confidence in sorted(confidences)) or 'with'} interval)"


def limit(result: CheckResult) -> str:
    """``≥ 0.8``."""
    if result.limits is None:
        return "–"
    return f"{'≥' if result.limits.at_least is not None else '≤'} {number(result.limits.bound)}"


def checks(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Without what the run itself got wrong: that has no value and no limit, only words."""
    return [result for result in results if result.family != SESSION]


def needs_words(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Those whose row does not say enough: all but the passed ones, and passed ones with a note."""
    return [result for result in results if result.verdict is not Verdict.PASS or result.details.get("notes")]


def unseen(report: GateReport) -> list[str]:
    """What the gate cannot see, a sentence for each check that has a blind spot, and its false-alarm budget."""
    sentences = [f"{report.name(result)}: {_blind(result)}" for result in report.results if _has_blind_spot(result)]
    budget = false_alarm_budget(report.results)
    if budget:
        sentences.append(
            f"By noise alone, an unchanged model on unchanged data is failed in at most {percent(budget)} of such runs."
        )
    return sentences


def _has_blind_spot(result: CheckResult) -> bool:
    return bool(result.estimate and result.limits and result.estimate.blind_spot)


def _blind(result: CheckResult) -> str:
    estimate, limits = result.estimate, result.limits
    assert estimate is not None
    assert limits is not None
    assert estimate.blind_spot is not None
    spot = number(estimate.blind_spot, resolution=estimate.blind_spot)
    if estimate.null is not None:
        harm = _HARMS.get(result.family, "a harm smaller than {}")
        return f"{harm.format(spot)}."
    side = "below" if limits.at_least is not None else "above"
    return f"a true value less than {spot} {side} the limit."


def judged(report: GateReport) -> list[str]:
    """What was compared with what: rows, and the first letters of the digests."""
    lines = []
    for model, roles in sorted(report.provenance.get("models", {}).items()):
        for role, digests in roles.items():
            rows = count(digests["rows"], "row")
            digest = "".join(f", {what} {digests[what][:12]}" for what in ("data", "predictions") if digests.get(what))
            lines.append(f"{model}, {role}: {rows}{digest}")
    lines.extend(_champion(model, found) for model, found in sorted(report.provenance.get("champions", {}).items()))
    for model, policy in sorted(report.provenance.get("policies", {}).items()):
        lines.append(f"{model}, policy: {policy['file']}, digest {policy['digest'][:12]}")
    git = report.provenance.get("git")
    if git:
        dirty = ", with uncommitted changes" if git["dirty"] else ""
        lines.append(f"commit {git['commit'][:12]}{dirty}, seed {report.provenance.get('seed')}")
    return lines


def _champion(model: str, champion: Mapping[str, Any]) -> str:
    git = champion["git"]
    made = f", made at commit {git['commit'][:12]}{', with uncommitted changes' if git['dirty'] else ''}" if git else ""
    return f"{model}, champion's record: promoted {champion['promoted'].get('time', 'at an unknown time')}{made}"


def policy_diff(report: GateReport) -> list[str]:
    """How what is asked differs from what the champion was asked."""
    differences = report.provenance.get("policy_diff", {})
    several = len(differences) > 1
    return [f"{model}: {line}" if several else line for model, lines in sorted(differences.items()) for line in lines]
