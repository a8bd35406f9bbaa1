"""A question with parts: what they add up to."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import CheckResult

_HANDED_UP = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN)


def combined(parts: Sequence[CheckResult]) -> Verdict:
    """The verdict of a check over exploratory parts, e.g. columns.

    FAIL, ERROR and WARN are handed up, the worst first. Parts that are INCONCLUSIVE do not outweigh the ones that
    passed, but where none passed nothing is known.
    """
    found = {part.verdict for part in parts}
    for verdict in _HANDED_UP:
        if verdict in found:
            return verdict
    return Verdict.PASS if Verdict.PASS in found else Verdict.INCONCLUSIVE
