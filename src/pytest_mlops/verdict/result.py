"""What one check says, and what the whole gate says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from .estimate import Estimate
from .limits import Limits, Verdict

SCHEMA_VERSION = 1

SESSION = "session"
"""The family of what the run itself got wrong: it counts as a blocking result, not as a check."""


class Decision(StrEnum):
    """The answer of the gate: may this model be merged?"""

    MERGE = "merge"
    REVIEW = "review"
    BLOCK = "block"


class _Json:
    """To and from JSON text, for classes that turn to and from builtins."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        raise NotImplementedError

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        raise NotImplementedError

    def to_json(self, *, indent: int | None = None) -> str:
        """JSON text, ASCII only, so that no name in it can act on a terminal or a log reader."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        return cls.from_dict(json.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult(_Json):
    """One question, one answer.

    Parameters
    ----------
    id : str
        Stable name, ``family:subject[:name]``, its parts percent-escaped.
    model : str
        The model that was judged.
    family : str
        The kind of check, e.g. ``"performance_threshold"``; ``"session"`` for what the run itself got wrong.
    verdict : Verdict
    message : str
        The verdict as a sentence.
    estimate : Estimate or None
        None where there is nothing to estimate, or the check could not be run.
    limits : Limits or None
    parts : tuple of CheckResult
        Slices, columns, groups: each with its own verdict.
    details : mapping
        Builtins only: what was asked, where the test stands.
    """

    id: str
    model: str
    family: str
    verdict: Verdict
    message: str
    estimate: Estimate | None = None
    limits: Limits | None = None
    parts: tuple[CheckResult, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        raise TypeError("a CheckResult is neither true nor false: read .verdict")

    def to_dict(self) -> dict[str, Any]:
        """Builtins only."""
        return {
            "id": self.id,
            "model": self.model,
            "family": self.family,
            "verdict": self.verdict.value,
            "estimate": self.estimate.to_dict() if self.estimate else None,
            "limits": self.limits.to_dict() if self.limits else None,
            "message": self.message,
            "parts": [part.to_dict() for part in self.parts],
            "details": dict(self.details),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> CheckResult:
        """The inverse of `to_dict`."""
        return cls(
            id=data["id"],
            model=data["model"],
            family=data["family"],
            verdict=Verdict(data["verdict"]),
            message=data["message"],
            estimate=Estimate.from_dict(data["estimate"]) if data["estimate"] else None,
            limits=Limits.from_dict(data["limits"]) if data["limits"] else None,
            parts=tuple(cls.from_dict(part) for part in data["parts"]),
            details=data["details"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport(_Json):
    """What the gate decided, and all it rests on.

    Parameters
    ----------
    decision : Decision
    results : tuple of CheckResult
    provenance : mapping
        Builtins only: versions, seed, commit, and the digests of the data and predictions.
    """

    decision: Decision
    results: tuple[CheckResult, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    _several: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        models = {result.model for result in self.results if result.family != SESSION}
        object.__setattr__(self, "_several", len(models) > 1)  # once, and not for each name

    def __bool__(self) -> bool:
        raise TypeError("a GateReport is neither true nor false: read .decision")

    def name(self, result: CheckResult) -> str:
        """The id of a result, with its model before it where the report is of several."""
        return f"{result.model}/{result.id}" if self._several and result.family != SESSION else result.id

    def to_dict(self) -> dict[str, Any]:
        """Builtins only: what `gate.json` holds."""
        return {
            "schema_version": SCHEMA_VERSION,
            "decision": self.decision.value,
            "results": [result.to_dict() for result in self.results],
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> GateReport:
        """The inverse of `to_dict`.

        Raises
        ------
        ValueError
            The data has another schema version.
        """
        if data.get("schema_version") != SCHEMA_VERSION:
            raise ValueError(
                f"this report has schema version {data.get('schema_version')!r}, expected {SCHEMA_VERSION}: "
                f"read it with the version of pytest-mlops that wrote it"
            )
        return cls(
            decision=Decision(data["decision"]),
            results=tuple(CheckResult.from_dict(result) for result in data["results"]),
            provenance=data["provenance"],
        )
