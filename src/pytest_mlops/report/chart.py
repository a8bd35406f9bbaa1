"""An interval beside its limit in one line of text, for readers that strip images."""

from __future__ import annotations

import math

from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import Limits

WIDTH = 25
LEGEND = "░│ limit, ━●━ interval"
_BEYOND, _INSIDE, _LIMIT, _INTERVAL, _VALUE = "░·│━●"


def interval(estimate: Estimate | None, limits: Limits | None, *, width: int = WIDTH) -> str:
    """``░░░░│····━━━━●━━━━····``: what lies beyond the limit, the interval, the value. Empty where one is missing.

    Parameters
    ----------
    estimate : Estimate or None
    limits : Limits or None
    width : int
        Columns, at least 5.
    """
    if estimate is None or limits is None:
        return ""
    marks = [estimate.low, estimate.value, estimate.high, limits.bound]
    span = max(marks) - min(marks)
    if not all(map(math.isfinite, [*marks, span])) or span <= 0:
        return ""

    def at(x: float) -> int:
        return 2 + round((x - min(marks)) / span * (width - 5))

    bound = at(limits.bound)
    cells = [_BEYOND if (cell < bound) == (limits.at_least is not None) else _INSIDE for cell in range(width)]
    cells[bound] = _LIMIT
    for cell in range(at(estimate.low), at(estimate.high) + 1):
        cells[cell] = _INTERVAL
    cells[at(estimate.value)] = _VALUE
    if bound != at(estimate.value):
        cells[bound] = _LIMIT  # also where the interval crosses it
    return "".join(cells)
