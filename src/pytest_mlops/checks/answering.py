"""From a question to its answer. Whatever is wrong with the evidence is an ERROR: never an exception, never a pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import CheckResult

if TYPE_CHECKING:
    from pytest_mlops.evidence.sources import Sources

    from .spec import Check, Settings


def answer(
    check: Check, sources: Sources, settings: Settings, on_error: Callable[[Exception], object] | None
) -> CheckResult:
    """Judge the evidence; an unforeseen exception is shown to `on_error` as well."""
    try:
        return check.answer(sources, settings)
    except EvidenceError as error:
        return _unjudged(check, settings, str(error))
    except Exception as error:
        if on_error:
            on_error(error)
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return _unjudged(check, settings, f"a {what} was raised")


def _unjudged(check: Check, settings: Settings, why: str) -> CheckResult:
    message = f"{check.spec.subject} cannot be judged: {why}."
    return check.spec.result(settings, Verdict.ERROR, message, limits=check.limits)
