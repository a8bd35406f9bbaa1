"""Sentences that every human reader gets alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pytest_mlops.verdict.decision import false_alarm_budget, must_show, sentence, worst_first
from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.policy import Policies, Policy
from pytest_mlops.verdict.result import SESSION, CheckResult, Decision, GateReport
from pytest_mlops.verdict.wording import count, number, percent, signed, with_interval

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
_HARMS_OF_DRIFT = {
    "domain_classifier": "a drift of all columns together by which rows are told apart with an AUC less than {} above "
    "chance",
    "mmd": "a distance of the samples smaller than {}",
    "performance": "a drop of one window smaller than {}",
    "estimated_performance": "an estimated drop of one window smaller than {}",
}
"""By method, where it is not one of columns."""

GONE = "Gone since the champion was judged"
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


def interval(result: CheckResult) -> str:
    """``-0.061 to -0.006``, with the signs of a change; a dash where there is none."""
    estimate = result.estimate
    if estimate is None:
        return "–"
    if estimate.exact:
        return "exact"
    half = (estimate.high - estimate.low) / 2
    return f"{signed(estimate.low, resolution=half)} to {signed(estimate.high, resolution=half)}"


def change(result: CheckResult) -> str:
    """Of an improvement, arrow and word: ``▼ worse by 0.034``."""
    estimate = result.estimate
    if estimate is None or estimate.value != estimate.value:
        return "–"
    if estimate.value == 0:
        return "= the same"
    size = number(abs(estimate.value), resolution=None if estimate.exact else (estimate.high - estimate.low) / 2)
    return f"▲ better by {size}" if estimate.value > 0 else f"▼ worse by {size}"


def interval_title(report: GateReport) -> str:
    """``95 % interval``."""
    return value_title(report).removeprefix("value (").removesuffix(")")


def value_title(report: GateReport) -> str:
    """``value (95 % interval)``."""
    confidences = {result.estimate.confidence for result in report.results if result.estimate}
    return f"value ({' / '.join(percent(confidence) for confidence in sorted(confidences)) or 'with'} interval)"


def limit(result: CheckResult) -> str:
    """``≥ 0.8``."""
    if result.limits is None:
        return "–"
    if result.details.get("asked", {}).get("require") == "better":
        return "> 0"  # what is exactly as good is not better
    return f"{'≥' if result.limits.at_least is not None else '≤'} {number(result.limits.bound)}"


def checks(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Without what the run itself got wrong: that has no value and no limit, only words."""
    return [result for result in results if result.family != SESSION]


def parted(report: GateReport, results: Iterable[CheckResult]) -> tuple[list[CheckResult], list[CheckResult]]:
    """Those that block, by the policies of the report, and the others."""
    policies, results = _policies(report), list(results)
    return [each for each in results if policies.blocks(each)], [each for each in results if not policies.blocks(each)]


def told(report: GateReport) -> tuple[list[CheckResult], list[CheckResult]]:
    """What blocks, and what does not, the worst first. A block that no result accounts for is a result itself."""
    blocking, others = parted(report, worst_first(report.results))
    if report.decision is Decision.BLOCK and not blocking:
        said = sentence(report.decision, report.results)
        blocking = [
            CheckResult(id=f"{SESSION}:decision", model=SESSION, family=SESSION, verdict=Verdict.ERROR, message=said)
        ]
    return blocking, others


def flagged(report: GateReport, most: int) -> list[tuple[str, CheckResult]]:
    """The worst checks, as errors where they block and as warnings where they do not; what passed is not among them."""
    blocking, others = told(report)
    unclear = [result for result in others if result.verdict is not Verdict.PASS]
    return [*(("error", result) for result in blocking), *(("warning", result) for result in unclear)][:most]


def _policies(report: GateReport) -> Policies:
    stated: Mapping[str, Mapping[str, Any]] = report.provenance.get("policies", {})
    return Policies(
        {
            model: Policy(
                block_inconclusive=policy.get("inconclusive") == "block", block_warn=policy.get("warn") == "block"
            )
            for model, policy in stated.items()
        }
    )


def needs_words(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Those whose row does not say enough: all but the passed ones, and passed ones with a note."""
    return [result for result in results if result.verdict is not Verdict.PASS or result.details.get("notes")]


def unseen(report: GateReport) -> list[str]:
    """What the gate cannot see, a sentence for each check that has a blind spot, and its false-alarm budget."""
    sentences = [f"{report.name(result)}: {_blind(result)}" for result in report.results if _has_blind_spot(result)]
    budget = false_alarm_budget(report.results)
    strict = sum(map(must_show, report.results))
    if budget:
        but = f", but for {count(strict, 'check')} that FAIL what is not shown" if strict else ""
        sentences.append(
            f"By noise alone, an unchanged model on unchanged data is failed in at most {percent(budget)} of such "
            f"runs{but}."
        )
    elif strict:
        sentences.append(f"{count(strict, 'check')} may FAIL an unchanged model: what is not shown does not pass.")
    return sentences


def _has_blind_spot(result: CheckResult) -> bool:
    """What FAILs unless it is shown overlooks nothing."""
    return bool(result.estimate and result.limits and result.estimate.blind_spot) and not must_show(result)


def _blind(result: CheckResult) -> str:
    estimate, limits = result.estimate, result.limits
    assert estimate is not None
    assert limits is not None
    assert estimate.blind_spot is not None
    spot = number(estimate.blind_spot, resolution=estimate.blind_spot)
    if estimate.null is not None:
        harm = _HARMS.get(result.family, "a harm smaller than {}")
        if result.family == "drift":
            harm = _HARMS_OF_DRIFT.get(_subject(result), harm)
        return f"{harm.format(spot)}."
    side = "below" if limits.at_least is not None else "above"
    return f"a true value less than {spot} {side} the limit."


def _subject(result: CheckResult) -> str:
    asked = result.details.get("asked")
    return str(asked.get("subject")) if isinstance(asked, Mapping) else ""


def compared(report: GateReport) -> list[str]:
    """For each model a sentence: which commit, on how many rows, against which champion."""
    git = report.provenance.get("git")
    return [
        f"{model}: {'a commit that is not known' if git is None else _commit(git)}; "
        f"{count(roles['challenger']['rows'], 'row')}, {_opponent(report, model, roles)}."
        for model, roles in sorted(report.provenance.get("models", {}).items())
        if "challenger" in roles
    ]


def _opponent(report: GateReport, model: str, roles: Mapping[str, Any]) -> str:
    champion = report.provenance.get("champions", {}).get(model)
    if champion is None:
        fallback = "against the champion that the fixture mlops_champion gave: none was promoted"
        return fallback if "champion" in roles else "without a champion to compare it with"
    made = f", made at {_commit(champion['git'])}" if champion["git"] else ""
    return f"against the champion promoted {_age(report, champion)}{made}"


def _age(report: GateReport, champion: Mapping[str, Any]) -> str:
    """``13 days before, on 2026-11-11``: before the run, whenever this is read."""
    then, now = champion["promoted"].get("time"), report.provenance.get("time")
    if then is None:
        return "at an unknown time"
    if now is None:
        return f"on {then[:10]}"
    days = _days_between(then, now)
    ago = {None: "", 0: "the same day, "}.get(days, f"{count(days or 0, 'day')} before, ")
    return f"{ago}on {then[:10]}"


def _days_between(then: str, now: str) -> int | None:
    """None where the two are in no order, or no times."""
    try:
        days = (datetime.fromisoformat(now) - datetime.fromisoformat(then)).days
    except (TypeError, ValueError):
        return None
    return days if days >= 0 else None


def _commit(git: Mapping[str, Any]) -> str:
    return f"commit {git['commit'][:12]}{', with uncommitted changes' if git['dirty'] else ''}"


def gone(report: GateReport) -> list[str]:
    """Checks that the champion was judged by, and that were not asked in this run."""
    return [line.partition("removed: ")[2] for line in policy_diff(report) if "removed: " in line]


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
        lines.append(f"{model}, policy: {policy['file']}, digest {(policy['digest'] or 'none')[:12]}")
    git = report.provenance.get("git")
    if git:
        lines.append(f"{_commit(git)}, seed {report.provenance.get('seed')}")
    return lines


def _champion(model: str, champion: Mapping[str, Any]) -> str:
    made = f", made at {_commit(champion['git'])}" if champion["git"] else ""
    return f"{model}, champion's record: promoted {champion['promoted'].get('time', 'at an unknown time')}{made}"


def policy_diff(report: GateReport) -> list[str]:
    """How what is asked differs from what the champion was asked."""
    differences = report.provenance.get("policy_diff", {})
    several = len(differences) > 1
    return [f"{model}: {line}" if several else line for model, lines in sorted(differences.items()) for line in lines]
