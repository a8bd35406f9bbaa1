"""What a performance drift check says of its windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_mlops.statistics.power import supported_margin
from pytest_mlops.verdict.limits import BLIND, Limits, Verdict
from pytest_mlops.verdict.wording import count, number, rounded_up, with_interval

from .drift_rule import LIMITS_UNSEEN, Met
from .parts import BLAMED, WORST_FIRST, combined, effect, known_by, worst_first

if TYPE_CHECKING:
    from pytest_mlops.evidence.metrics import Metric
    from pytest_mlops.verdict.estimate import Estimate
    from pytest_mlops.verdict.result import CheckResult

    from .performance_windows import Course, Stretch

ESTIMATED = "estimated, not measured: labels are not there yet"

_FEW_NAMED = 3


def message(
    metric: Metric,
    limits: Limits,
    course: Course,
    parts: Sequence[CheckResult],
    change: Mapping[str, Any] | None,
    *,
    blind: str = "",
) -> str:
    """The tally, the baseline and its limit, the worst windows, since when it is so, and what is not known."""
    rows = sum(window.rows for window in course.windows)
    estimated = f"; {ESTIMATED}" if course.estimated else ""
    sentences = [
        blind,
        f"{metric.name} in {count(len(parts), 'window')} of {course.of}, {rows:,} rows: "
        f"{_tally(parts, course)}{estimated}.",
        f"The baseline, {_baseline(course)}, has {_value(course.baseline)}; a {_moves(metric)[0]} of "
        f"{limits.words()} is allowed{_warns(limits)}.",
        *_blame(metric, course, parts),
        *_changed(course, change),
        *_unclear(parts, blind),
        *(f"{note}." for note in course.notes),
    ]
    return " ".join(filter(None, sentences))


def of_window(
    metric: Metric, limits: Limits, course: Course, window: Stretch, worse: Estimate, because: str
) -> str:  # fmt: skip
    """``2026-03-01 to 2026-03-30: accuracy is 0.84 (0.82 to 0.86) on 1,000 rows, a loss of …``."""
    said = " (estimated, not measured)" if course.estimated else ""
    return (
        f"{window.name}: {metric.name} is {_value(window)}{said} on {count(window.rows, 'row')}, "
        f"{lost(metric, worse)} against the baseline, the limit is {limits.words()}: {because}."
    )


def lost(metric: Metric, worse: Estimate) -> str:
    """``a loss of 0.12 (0.04 to 0.19)``; ``no loss (between a gain of 0.03 and a loss of 0.01)``."""
    loss, gain = _moves(metric)
    if not worse.value <= 0:  # also of what is no number: that is never "no loss"
        return f"a {loss} of {with_interval(worse)}"
    low, high = (number(abs(x), resolution=(worse.high - worse.low) / 2) for x in (worse.low, worse.high))
    if worse.low == worse.high:
        return f"no {loss}"
    if worse.high <= 0:
        return f"no {loss} (a {gain} of {high} to {low})"
    return f"no {loss} (between a {gain} of {low} and a {loss} of {high})"


def ways_out(metric: Metric, blind: Sequence[CheckResult], windows: int, max_blind: float, limits: Limits) -> str:
    """Of windows that are too short: fewer of them, or the limit that these support."""
    found = [part.estimate for part in blind if part.estimate]
    known = sorted((each for each in found if each.standard_error), key=lambda each: each.standard_error or 0.0)
    doubts = [each.doubt for each in found if each.doubt]
    which, harm = f"{len(blind)} of {count(windows, 'window')}", f"a {_moves(metric)[0]} of {number(max_blind)}"
    if doubts:
        return f"{which} cannot tell {harm}: {doubts[0]}."
    seen = f"{which} are too short to see {harm}."
    if not (known and Met(limits, max_blind).usual):
        return f"{seen} Use fewer, longer windows, or raise max_blind=."
    at_most = supported_margin(known[len(known) // 2], LIMITS_UNSEEN, comparisons=windows)
    return f"{seen} Use fewer, longer windows, or at_most={rounded_up(at_most)} or more."


def worst(parts: Sequence[CheckResult]) -> CheckResult:
    """The window that the whole check is known by."""
    return known_by(parts, combined(parts))


def _baseline(course: Course) -> str:
    return f"the first window, {course.baseline.name}" if course.in_line else course.baseline.name


def _value(stretch: Stretch) -> str:
    assert stretch.found is not None  # nobody asks for the value of others
    return with_interval(stretch.found)


def _moves(metric: Metric) -> tuple[str, str]:
    """To the worse, to the better."""
    return ("loss", "gain") if metric.greater_is_better else ("rise", "fall")


def _warns(limits: Limits) -> str:
    return "" if limits.warn_bound is None else f", and above {number(limits.warn_bound)} it warns"


def _tally(parts: Sequence[CheckResult], course: Course) -> str:
    tally = Counter(part.verdict for part in parts)
    by = " by estimate" if course.estimated else ""
    verdicts = (f"{tally[each]} {each}{by if each is Verdict.PASS else ''}" for each in WORST_FIRST if tally[each])
    return ", ".join(verdicts)


# --- the worst


def _blame(metric: Metric, course: Course, parts: Sequence[CheckResult]) -> list[str]:
    """Few of them; where none is to blame, the one with the largest loss."""
    stretches = {part.id: window for part, window in zip(parts, course.windows, strict=True)}
    blamed = [part for part in worst_first(parts) if part.verdict in BLAMED]
    if blamed:
        named = [_brief(metric, stretches[part.id], part) for part in blamed[:_FEW_NAMED]]
        return [f"{'; '.join(named)}{_more(len(blamed))}."]
    most = max((part for part in parts if part.estimate), key=effect, default=None)
    return [] if most is None else [f"Worst: {_brief(metric, stretches[most.id], most)}."]


def _brief(metric: Metric, window: Stretch, part: CheckResult) -> str:
    """``2026-03-01 to 2026-03-30: 0.84 (0.82 to 0.86), a loss of …``, and why, where numbers do not show it."""
    if part.estimate is None:
        return f"{window.name}: {window.why}"
    why = "" if _is_seen(part) else f": {part.details['because']}"
    return f"{window.name}: {_value(window)}, {lost(metric, part.estimate)}{why}"


def _is_seen(part: CheckResult) -> bool:
    """Are the numbers and the limits reason enough? So they are of all that are not to blame."""
    if part.verdict is not Verdict.FAIL:
        return part.verdict is not Verdict.ERROR
    assert part.estimate is not None
    assert part.limits is not None
    return part.estimate.doubt is None and part.limits.beyond(part.estimate.value, part.limits.bound)


# --- since when, and what is not known


def _changed(course: Course, change: Mapping[str, Any] | None) -> list[str]:
    if change is None:
        return []
    found = course.baseline.found
    assert found is not None  # a baseline has an estimate
    before, after = (number(change[key], resolution=(found.high - found.low) / 2) for key in ("before", "after"))
    since = "since" if change["lasts"] else "at first"
    return [f"The first change is at {change['window']}: from {before} before it to {after} {since}."]


def _unclear(parts: Sequence[CheckResult], said: str) -> list[str]:
    """By reason; what is `said` already, of one window or of all that are blind, is not said again."""
    blind = [part for part in parts if part.details["because"] == BLIND]
    of_blind = said and 2 * len(blind) >= len(parts)
    told = {part.id for part in (blind if of_blind else parts) if of_blind or part.message in said}
    whys: dict[str, list[str]] = {}
    for part in parts:
        if part.verdict is Verdict.INCONCLUSIVE and part.id not in told:
            whys.setdefault(str(part.details["because"]), []).append(str(part.details["window"]))
    reasons = [f"{', '.join(names[:_FEW_NAMED])}{_more(len(names))} ({why})" for why, names in whys.items()]
    rest = sum(map(len, list(whys.values())[_FEW_NAMED:]))
    more = f"; and {rest} more" if rest else ""
    return [f"Not known: {'; '.join(reasons[:_FEW_NAMED])}{more}."] if reasons else []


def _more(all_of_them: int) -> str:
    return f", and {all_of_them - _FEW_NAMED} more" if all_of_them > _FEW_NAMED else ""
