"""What the team has agreed on: which verdicts block, what must be asked, and what may fail for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from .limits import Verdict
from .result import CheckResult

_ALWAYS_BLOCK = frozenset({Verdict.FAIL, Verdict.ERROR, Verdict.MISSING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A named, reasoned, expiring permission for one check to fail.

    Parameters
    ----------
    check : str
        Id of the check.
    until : date
        The last day on which it holds.
    owner, reason : str
        Who answers for it, and why.
    """

    check: str
    until: date
    owner: str
    reason: str

    def words(self) -> str:
        """``until 2026-12-31, owner model-risk: the reason``."""
        return f"until {self.until.isoformat()}, owner {self.owner}: {self.reason}"

    def to_dict(self) -> dict[str, str]:
        """Builtins only."""
        return {"check": self.check, "until": self.until.isoformat(), "owner": self.owner, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which verdicts stop a merge. FAIL, ERROR and MISSING always do, unless a FAIL or MISSING is waived.

    Parameters
    ----------
    block_inconclusive, block_warn : bool
        Block on these as well.
    required : tuple of str
        Families, or ids of checks, that a run must bring.
    waivers : tuple of Waiver
    """

    block_inconclusive: bool = False
    block_warn: bool = False
    required: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def blocks(self, result: CheckResult) -> bool:
        """Does this result stop the merge?"""
        return (
            result.verdict in _ALWAYS_BLOCK
            or (self.block_inconclusive and result.verdict is Verdict.INCONCLUSIVE)
            or (self.block_warn and result.verdict is Verdict.WARN)
        )

    def waive(self, result: CheckResult, today: date) -> CheckResult:
        """The result as WAIVED, where a waiver that has not expired speaks of it; else the result itself.

        An ERROR cannot be waived: a check that could not be judged has not failed, and nobody knows what it hides.
        """
        if not self.blocks(result) or result.verdict is Verdict.ERROR:
            return result
        waiver = next((waiver for waiver in self.waivers if waiver.check == result.id and today <= waiver.until), None)
        if waiver is None:
            return result
        return replace(
            result,
            verdict=Verdict.WAIVED,
            message=f"{result.verdict}, but waived {waiver.words().rstrip('.')}. {result.message}",
            details={**result.details, "waived": {"verdict": result.verdict.value, **waiver.to_dict()}},
        )

    def to_dict(self) -> dict[str, Any]:
        """Builtins only."""
        return {
            "inconclusive": "block" if self.block_inconclusive else "warn",
            "warn": "block" if self.block_warn else "warn",
            "required": list(self.required),
            "waivers": [waiver.to_dict() for waiver in self.waivers],
        }


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of a session, by model; a model without one has the default."""

    by_model: Mapping[str, Policy] = field(default_factory=dict)

    def blocks(self, result: CheckResult) -> bool:
        """Does this result stop the merge?"""
        return self.by_model.get(result.model, Policy()).blocks(result)
