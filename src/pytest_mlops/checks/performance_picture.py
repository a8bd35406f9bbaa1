"""How a metric went by windows of time, for a report to draw. It has no say in the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_mlops.evidence.metrics import Metric
    from pytest_mlops.verdict.limits import Limits
    from pytest_mlops.verdict.result import CheckResult

    from .performance_windows import Course, Stretch

MOST = 60
"""Windows that are drawn, the baseline among them."""

_DECIMALS = 4


def of_course(metric: Metric, limits: Limits, course: Course, parts: Sequence[CheckResult]) -> dict[str, Any]:
    """The baseline, then the newest windows: each with its interval, or null, and whether it lost more than it may.

    Parameters
    ----------
    metric : Metric
    limits : Limits
        Of what may be lost.
    course : Course
    parts : sequence of CheckResult
        One for each window of the course.
    """
    assert course.baseline.found is not None  # a baseline has an estimate
    decimals = max(_DECIMALS, 2 - math.floor(math.log10(limits.bound)))  # of a finer limit more, so that it is seen
    newest = slice(-(MOST - 1), None)
    shown = [course.baseline, *course.windows[newest]]
    way = -1 if metric.greater_is_better else 1
    return {
        "kind": "windows",
        "names": [window.name for window in shown],
        **{
            f"{end}s" if end == "value" else end: [_rounded(window, end, decimals) for window in shown]
            for end in ("value", "low", "high")
        },
        "beyond": [False, *(_is_beyond(part, limits) for part in parts[newest])],
        "limit": round(course.baseline.found.value + way * limits.bound, decimals),
        "first": course.in_line and len(course.windows) < MOST,
        **({"estimated": True} if course.estimated else {}),
    }


def _rounded(window: Stretch, end: str, decimals: int) -> float | None:
    """None of all three where one of them is no number that can be drawn."""
    found = window.found
    if found is None or not all(map(math.isfinite, (found.value, found.low, found.high))):
        return None
    return round(float(getattr(found, end)), decimals)


def _is_beyond(part: CheckResult, limits: Limits) -> bool:
    return part.estimate is not None and limits.beyond(part.estimate.value, limits.bound)
