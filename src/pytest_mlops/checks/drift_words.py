"""What a drift check says of its columns: the worst first, and what is not known."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_mlops.verdict.limits import Limits, Verdict
from pytest_mlops.verdict.wording import count, with_interval

from .parts import combined

if TYPE_CHECKING:
    from pytest_mlops.verdict.result import CheckResult

EFFECTS = {
    "ks": "KS distance",
    "cramers_v": "Cramér's V",
    "wasserstein": "Wasserstein distance",
    "psi": "PSI",
    "jensen_shannon": "Jensen–Shannon distance",
}
"""What the methods measure."""

_FEW_NAMED = 5
_MANY_NAMED = 20
_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.PASS)
_BLAMED = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN)


def message(parts: Sequence[CheckResult], limits: Limits, added: Sequence[str], n: int, m: int) -> str:
    """Of n reference and m current rows: the tally, the worst columns, those that are not known, and new ones."""
    sentences = [
        f"{n:,} reference and {m:,} current rows, the limit is {limits.words()}: {_tally(parts)}.",
        *_blame(parts),
        *_unclear(parts),
    ]
    if added:
        sentences.append(f"New, with nothing to compare to: {listed(added)}.")
    return " ".join(sentences)


def _worst_first(parts: Iterable[CheckResult]) -> list[CheckResult]:
    """By verdict, then by effect; a part without an effect is worse than one with."""

    def badness(part: CheckResult) -> tuple[int, float, str]:
        return _WORST_FIRST.index(part.verdict), -_effect(part) if part.estimate else -math.inf, part.id

    return sorted(parts, key=badness)


def worst(parts: Sequence[CheckResult]) -> CheckResult:
    """The part that the whole check is known by: of those with its verdict and an estimate, if there are any."""
    verdict = combined(parts)
    shown = [part for part in _worst_first(parts) if part.verdict is verdict]
    return next((part for part in shown if part.estimate), shown[0])


def all_missing(details: Mapping[str, Any]) -> str:
    """Of a part about missing values: why the column has no other part."""
    empty = [role for role, missing in details["missing"].items() if missing == details["values"][role]]
    return f" The {empty[0]} sample has no other value of it: there is nothing else to compare." if empty else ""


def _tally(parts: Sequence[CheckResult]) -> str:
    tally = Counter(part.verdict for part in parts)
    if set(tally) == {Verdict.PASS}:
        return f"no drift in {count(len(parts), 'part')}"
    verdicts = ", ".join(f"{tally[verdict]} {verdict}" for verdict in _WORST_FIRST if tally[verdict])
    return f"{verdicts} of {count(len(parts), 'part')}"


def _blame(parts: Sequence[CheckResult]) -> list[str]:
    """The worst parts; where there is none, the largest effect."""
    blamed = [part for part in _worst_first(parts) if part.verdict in _BLAMED]
    if not blamed:
        largest = max((part for part in parts if part.estimate), key=_effect, default=None)
        return [] if largest is None else [f"Largest effect: {_brief(largest)}."]
    sentences = [f"{_brief(part)}: {part.details['because']}." for part in blamed[:_FEW_NAMED]]
    if more := blamed[_FEW_NAMED:]:
        sentences.append(f"And {len(more)} more: {listed([_shown(part) for part in more])}.")
    ways_out = [part.details["ways_out"] for part in blamed if part.details.get("ways_out")]
    return [*sentences, *ways_out[:1]]


def _unclear(parts: Sequence[CheckResult]) -> list[str]:
    """Parts that say neither yes nor no, and why."""
    sentences = []
    unclear = [part for part in parts if part.verdict is Verdict.INCONCLUSIVE]
    for estimated, what in ((True, "Not proven either way"), (False, "Could not be assessed")):
        names = [_shown(part) for part in unclear if (part.estimate is not None) is estimated]
        if names:
            sentences.append(f"{what}: {count(len(names), 'part')}: {listed(names)}.")
    return sentences


def _brief(part: CheckResult) -> str:
    """``age: KS distance 0.31 (0.28 to 0.34)``."""
    if part.estimate is None:
        return _shown(part)
    return f"{_shown(part)}: {EFFECTS[part.details['method']]} {with_interval(part.estimate)}"


def _effect(part: CheckResult) -> float:
    return part.estimate.value if part.estimate else -math.inf


def _shown(part: CheckResult) -> str:
    """The name of a part as people know it: its column, and whether it is about missing values."""
    column = str(part.details["column"])
    return f"{column} (missing values)" if part.details.get("of_missing") else column


def listed(names: Sequence[str]) -> str:
    """At most 20 names."""
    shown = ", ".join(names[:_MANY_NAMED])
    return f"{shown} and {len(names) - _MANY_NAMED} more" if len(names) > _MANY_NAMED else shown
