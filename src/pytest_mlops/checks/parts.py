"""A question with parts: what they add up to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import CheckResult

BLAMED = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN)
"""The verdicts of a part that the whole check has to answer for, the worst first."""

WORST_FIRST = (*BLAMED, Verdict.INCONCLUSIVE, Verdict.PASS)


def combined(parts: Sequence[CheckResult]) -> Verdict:
    """The verdict of a check over exploratory parts, e.g. columns.

    FAIL, ERROR and WARN are handed up, the worst first. A few parts that are INCONCLUSIVE do not outweigh the ones that
    passed; but where not even half of the parts were shown to be inside the limit, green would say too much.
    """
    found = Counter(part.verdict for part in parts)
    for verdict in BLAMED:
        if found[verdict]:
            return verdict
    return Verdict.PASS if found[Verdict.PASS] > len(parts) / 2 else Verdict.INCONCLUSIVE


def effect(part: CheckResult) -> float:
    """In limits, which may differ from part to part; a part without an effect has the least."""
    return part.estimate.value / part.limits.bound if part.estimate and part.limits else -math.inf


def worst_first(parts: Iterable[CheckResult]) -> list[CheckResult]:
    """By verdict, then by effect; a part without an effect is worse than one with."""

    def badness(part: CheckResult) -> tuple[int, float, str]:
        return WORST_FIRST.index(part.verdict), -effect(part) if part.estimate else -math.inf, part.id

    return sorted(parts, key=badness)


def known_by(parts: Sequence[CheckResult], verdict: Verdict) -> CheckResult:
    """The worst part that has this verdict, and an estimate if any of them has one."""
    shown = [part for part in worst_first(parts) if part.verdict is verdict]
    return next((part for part in shown if part.estimate), shown[0])
