"""A question with parts: what they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import CheckResult

_HANDED_UP = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN)


def combined(parts: Sequence[CheckResult]) -> Verdict:
    """The verdict of a check over exploratory parts, e.g. columns.

    FAIL, ERROR and WARN are handed up, the worst first. A few parts that are INCONCLUSIVE do not outweigh the ones that
    passed; but where not even half of the parts were shown to be inside the limit, green would say too much.
    """
    found = Counter(part.verdict for part in parts)
    for verdict in _HANDED_UP:
        if found[verdict]:
            return verdict
    return Verdict.PASS if found[Verdict.PASS] > len(parts) / 2 else Verdict.INCONCLUSIVE
