"""What policy and champion ask of a run, beyond what its own checks have said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from .checks import FAMILIES
from .checks.spec import check_id
from .verdict.comparison import compare
from .verdict.limits import Verdict
from .verdict.result import CheckResult

if TYPE_CHECKING:
    from .champion.record import ChampionRecord
    from .homes import Home

EXPIRING = timedelta(days=14)


def missing(home: Home, results: Sequence[CheckResult], record: ChampionRecord | None) -> list[CheckResult]:
    """What should have been asked and was not, each once."""
    answered = {result.id for result in results} | {result.family for result in results}
    found: dict[str, CheckResult] = {}
    for name, why in _expected(home, record):
        if name not in answered and name not in found:
            found[name] = _missing(home, name, why)
    return list(found.values())


def _expected(home: Home, record: ChampionRecord | None) -> Iterator[tuple[str, str]]:
    policy = home.name()
    for question in home.readable.questions if home.readable else ():
        yield question.spec.id, f"the policy {policy} asks it in line {question.line}, and no test gave its answer"
    for name in home.policy.required:
        what = "checks of this family" if name in FAMILIES else "it"
        yield name, f"the policy {policy} requires {what}, and no test gave an answer"
    for check in record.checks if record else ():
        yield (
            check["id"],
            "the champion was judged by it, and this run does not ask it: bring it back, or let the policy waive it",
        )


def _missing(home: Home, name: str, why: str) -> CheckResult:
    family = name.partition(":")[0]
    return CheckResult(
        id=check_id("required", name) if name in FAMILIES else name,
        model=home.model,
        family=family,
        verdict=Verdict.MISSING,
        message=f"{name} is missing: {why}.",
        details={"asked": {}},
    )


def misused_waivers(home: Home, results: Iterable[CheckResult], today: date) -> Iterator[tuple[str, str]]:
    """Waivers that have expired, or that speak of a check which does not exist: the check, and a sentence."""
    known = {result.id for result in results}
    for waiver in home.policy.waivers:
        if waiver.until < today:
            yield (
                waiver.check,
                f"the waiver of {waiver.check} in {home.name()} expired on {waiver.until.isoformat()} "
                f"(owner {waiver.owner}): take it out, or agree on a new one",
            )
        elif waiver.check not in known:
            yield (
                waiver.check,
                f"the waiver of {waiver.check} in {home.name()} matches no check of this run: take it out, or mend "
                f"its id",
            )


def loosened(results: Iterable[CheckResult], record: ChampionRecord) -> list[str]:
    """What this run asks less strictly than the champion was asked."""
    return [
        f"{result.id}: {words}"
        for result, change in _compared(results, record)
        for words in (*change.loosened, *change.other)
    ]


def policy_diff(home: Home, results: Sequence[CheckResult], record: ChampionRecord, today: date) -> list[str]:
    """How what is asked differs from what the champion was asked, in sentences."""
    compared = list(_compared(results, record))
    by_the_champion = {check["id"] for check in record.checks}
    return [
        *_gate_diff(home, record.policy),
        *(f"loosened: {line}" for line in loosened(results, record)),
        *(f"tightened: {result.id}: {words}" for result, change in compared for words in change.tightened),
        *(
            f"added: {result.id}"
            for result in results
            if result.id not in by_the_champion and result.verdict is not Verdict.MISSING
        ),
        *(f"removed: {result.id}" for result in results if is_absent(result) and result.id in by_the_champion),
        *_waiver_diff(home, record.policy, today),
    ]


def _compared(results: Iterable[CheckResult], record: ChampionRecord) -> Iterator[tuple[CheckResult, Any]]:
    asked = {check["id"]: check["asked"] for check in record.checks}
    for result in results:
        if result.id in asked and not is_absent(result):
            yield result, compare(asked[result.id], result.details["asked"])


def is_absent(result: CheckResult) -> bool:
    """Was it not asked at all, waived or not?"""
    waived = result.details.get("waived", {}).get("verdict")
    return Verdict.MISSING in (result.verdict, waived)


def _gate_diff(home: Home, before: Mapping[str, Any]) -> Iterator[str]:
    now = {"confidence": home.confidence, **home.policy.to_dict()}
    for name in ("confidence", "inconclusive", "warn"):
        if name in before and before[name] != now[name]:
            yield f"changed: {name} {before[name]} → {now[name]}"
    for name in before.get("required", []):
        if name not in now["required"]:
            yield f"loosened: {name} is no longer required"
    for name in now["required"]:
        if name not in before.get("required", []):
            yield f"tightened: {name} is now required"


def _waiver_diff(home: Home, before: Mapping[str, Any], today: date) -> Iterator[str]:
    for waiver in home.policy.waivers:
        if waiver.to_dict() not in before.get("waivers", []):
            yield f"new waiver: {waiver.check}, {waiver.words()}"
        if today <= waiver.until <= today + EXPIRING:
            yield f"waiver expires in {(waiver.until - today).days} days: {waiver.check}, {waiver.words()}"
