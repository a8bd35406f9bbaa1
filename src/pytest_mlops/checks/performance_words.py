"""What a performance drift check says of its windows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_mlops.statistics.power import POWER, quantile
from pytest_mlops.verdict.limits import Limits, Verdict
from pytest_mlops.verdict.wording import count, number, rounded_up, signed, with_interval

from .parts import combined

if TYPE_CHECKING:
    from pytest_mlops.evidence.metrics import Metric
    from pytest_mlops.verdict.estimate import Estimate
    from pytest_mlops.verdict.result import CheckResult

    from .performance_windows import Course, Stretch

ESTIMATED = "estimated, not measured: labels are not there yet"

_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.PASS)
_BLAMED = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN)
_FEW_NAMED = 5
_POWER_QUANTILE = quantile(2 * POWER - 1)


def message(
    metric: Metric,
    limits: Limits,
    course: Course,
    parts: Sequence[CheckResult],
    change: Mapping[str, Any] | None,
    *,
    blind: str = "",
) -> str:
    """The tally, the worst windows, since when it is so, and what is not known."""
    rows = sum(window.rows for window in course.windows)
    found = course.baseline.found
    assert found is not None  # a baseline has an estimate
    estimated = f", {ESTIMATED}" if course.estimated else ""
    sentences = [
        blind,
        f"{metric.name} in {count(len(parts), 'window')} of {course.of}, {rows:,} rows{estimated}; the baseline, "
        f"{_baseline(course)}, has {with_interval(found)}, and the limit of what is lost is {limits.words()}: "
        f"{_tally(parts, course)}.",
        *_blame(parts),
        *_changed(change),
        *_unclear(parts),
        *(f"{note}." for note in course.notes),
    ]
    return " ".join(filter(None, sentences))


def of_window(
    metric: Metric, limits: Limits, course: Course, window: Stretch, worse: Estimate, because: str
) -> str:  # fmt: skip
    """``2026-03-01 to 2026-03-30: accuracy is 0.84 (0.82 to 0.86) on 1,000 rows, …``."""
    assert window.found is not None
    said = " (estimated, not measured)" if course.estimated else ""
    return (
        f"{window.name}: {metric.name} is {with_interval(window.found)}{said} on {count(window.rows, 'row')}, worse "
        f"than the baseline by {with_interval(worse, sign=True)}, the limit is {limits.words()}: {because}."
    )


def ways_out(blind: Sequence[CheckResult], windows: int, max_blind: float, limits: Limits, confidence: float) -> str:
    """Of windows that are too short: fewer of them, or the limit that these support."""
    found = [part.estimate for part in blind if part.estimate]
    errors = sorted(each.standard_error for each in found if each.standard_error)
    doubts = [each.doubt for each in found if each.doubt]
    if doubts:
        return f"First of all, {doubts[0]}."
    seen = f"{len(blind)} of {count(windows, 'window')} are too short to see a loss of {number(max_blind)}."
    if max_blind <= limits.bound or not errors:
        return f"{seen} Use fewer, longer windows, or raise max_blind=."
    cap = max_blind / limits.bound
    z = quantile(1 - (1 - confidence) / windows)
    at_most = errors[len(errors) // 2] * max((z + _POWER_QUANTILE) / cap, _POWER_QUANTILE / (cap - 1))
    return f"{seen} Use fewer, longer windows, or at_most={rounded_up(at_most)} or more."


def worst(parts: Sequence[CheckResult]) -> CheckResult:
    """The window that the whole check is known by."""
    verdict = combined(parts)
    ordered = _worst_first(parts)
    shown = [part for part in ordered if part.verdict is verdict] or ordered
    return next((part for part in shown if part.estimate), shown[0])


def _worst_first(parts: Sequence[CheckResult]) -> list[CheckResult]:
    def badness(part: CheckResult) -> tuple[int, float, str]:
        return _WORST_FIRST.index(part.verdict), -(part.estimate.value if part.estimate else -math.inf), part.id

    return sorted(parts, key=badness)


def _baseline(course: Course) -> str:
    return f"the first window, {course.baseline.name}" if course.in_line else course.baseline.name


def _tally(parts: Sequence[CheckResult], course: Course) -> str:
    tally = Counter(part.verdict for part in parts)
    by = " by estimate" if course.estimated else ""
    if set(tally) == {Verdict.PASS}:
        return f"nothing is lost{by}"
    verdicts = (f"{tally[each]} {each}{by if each is Verdict.PASS else ''}" for each in _WORST_FIRST if tally[each])
    return ", ".join(verdicts)


def _blame(parts: Sequence[CheckResult]) -> list[str]:
    blamed = [part for part in _worst_first(parts) if part.verdict in _BLAMED]
    if not blamed:
        most = max((part for part in parts if part.estimate), key=_lost, default=None)
        return [] if most is None else [f"Worst: {most.message}"]
    more = len(blamed) - _FEW_NAMED
    return [*(part.message for part in blamed[:_FEW_NAMED]), *([f"And {more} more."] if more > 0 else [])]


def _lost(part: CheckResult) -> float:
    return part.estimate.value if part.estimate else -math.inf


def _changed(change: Mapping[str, Any] | None) -> list[str]:
    if change is None:
        return []
    moved = signed(change["after"] - change["before"], resolution=abs(change["after"] - change["before"]))
    return [
        f"The first change is at {change['window']}: from {number(change['before'])} to {number(change['after'])} "
        f"({moved}, p = {change['p_value']:.2g})."
    ]


def _unclear(parts: Sequence[CheckResult]) -> list[str]:
    names = [str(part.details["window"]) for part in parts if part.verdict is Verdict.INCONCLUSIVE]
    if not names:
        return []
    more = f" and {len(names) - _FEW_NAMED} more" if len(names) > _FEW_NAMED else ""
    reasons = Counter(str(part.details["because"]) for part in parts if part.verdict is Verdict.INCONCLUSIVE)
    return [f"Not known of {', '.join(names[:_FEW_NAMED])}{more}: {'; '.join(reasons)}."]
