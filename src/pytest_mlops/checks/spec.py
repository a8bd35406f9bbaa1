"""What is asked: one check, named and complete, the same from whichever door it came."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from pytest_mlops.verdict.errors import MlopsUsageError
from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import CheckResult
from pytest_mlops.verdict.wording import did_you_mean

if TYPE_CHECKING:
    from pytest_mlops.evidence.sources import Sources
    from pytest_mlops.verdict.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What all checks of a gate share.

    Parameters
    ----------
    model : str
        Whose gate it is.
    confidence : float
        Of every interval, in (0.5, 1).
    seed : int
        Of every random number, not negative.
    """

    model: str = "model"
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if not (isinstance(self.model, str) and self.model):
            raise MlopsUsageError(f"model={self.model!r} is not a name: give a text")
        if not (isinstance(self.confidence, float) and 0.5 < self.confidence < 1):
            raise MlopsUsageError(f"confidence={self.confidence!r} is out of range: give a share such as 0.95")
        if not isinstance(self.seed, int) or isinstance(self.seed, bool) or self.seed < 0:
            raise MlopsUsageError(f"seed={self.seed!r} is not a seed: give an integer, 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """One question.

    Parameters
    ----------
    family, subject : str
        The kind of check and what it is about, e.g. a metric.
    slice : str or None
        Whom or what it is asked of, where that belongs to its name, e.g. a sensitive feature.
    name : str or None
        Tells apart two checks with the same family, subject and slice.
    arguments : mapping
        All other arguments, as builtins.
    """

    family: str
    subject: str
    slice: str | None = None
    name: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name is not None and not (isinstance(self.name, str) and self.name):
            raise MlopsUsageError(f"name={self.name!r} is not a name: give a text, or leave it out")

    @property
    def id(self) -> str:
        """``family:subject[:slice][:name]``, its parts percent-escaped."""
        parts = (self.family, self.subject, self.slice, self.name)
        return check_id(*(part for part in parts if part is not None))

    @property
    def asked(self) -> dict[str, Any]:
        """All arguments as builtins: equal for equal questions. JSON has no infinity, so it is spelt out."""
        return {
            "subject": self.subject,
            **{key: "inf" if value == math.inf else value for key, value in self.arguments.items()},
        }

    def seed(self, seed: int) -> tuple[int, int]:
        """A seed of its own for each check, so that no check moves another's random numbers."""
        return seed, zlib.crc32(json.dumps([self.id, self.asked], sort_keys=True).encode())

    def result(self, settings: Settings, verdict: Verdict, message: str, **rest: Any) -> CheckResult:
        """The answer to this question."""
        details = {"asked": self.asked, **rest.pop("details", {})}
        return CheckResult(
            id=self.id,
            model=settings.model,
            family=self.family,
            verdict=verdict,
            message=message,
            details=details,
            **rest,
        )

    def part(
        self, settings: Settings, names: Sequence[str], verdict: Verdict, message: str, **rest: Any
    ) -> CheckResult:
        """The answer for a part of it, e.g. a column, whose id is the check's with its own names behind."""
        return CheckResult(
            id=f"{self.id}:{check_id(*names)}",
            model=settings.model,
            family=self.family,
            verdict=verdict,
            message=message,
            **rest,
        )


class Check(Protocol):
    """A question that can be answered: what each family's file gives."""

    @property
    def spec(self) -> CheckSpec:
        """What is asked."""

    @property
    def limits(self) -> Limits | None:
        """What the estimate will meet."""

    def answer(self, sources: Sources, settings: Settings) -> CheckResult:
        """Judge the evidence. An `EvidenceError` says that it cannot be judged."""


def check_id(*parts: str) -> str:
    """Parts joined by colons, each percent-escaped so that no part can look like two."""
    return ":".join(quote(part, safe=" ", errors="backslashreplace") for part in parts)


def positive_number(value: object, what: str) -> float:
    """The value as a float above 0, or an error that names it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise MlopsUsageError(f"{what}={value!r} must be a number above 0")
    return float(value)


def one_of(value: object, valid: Sequence[str], what: str) -> None:
    """An error that names the nearest, where the value is none of the valid ones."""
    if value not in valid:
        raise MlopsUsageError(f"unknown {what}={value!r}: {did_you_mean(str(value), valid)}")
