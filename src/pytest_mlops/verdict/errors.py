"""The exceptions of the gate, each for one reader."""

from __future__ import annotations


class MlopsUsageError(ValueError):
    """A check was asked for wrongly: a misspelt name, a limit that makes no sense. Raised at the call."""


class EvidenceError(ValueError):
    """What is to be judged cannot be judged: wrong lengths, NaN, one class only, rows that do not pair."""


class MlopsCheckFailed(AssertionError):  # noqa: N818 - it reads as what happened
    """At least one check of a test blocks the merge. Raised once, after the test's body."""


for _error in (MlopsUsageError, EvidenceError, MlopsCheckFailed):
    _error.__module__ = "pytest_mlops"  # where users import it from, and short enough for a summary line
