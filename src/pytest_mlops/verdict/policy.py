"""What the team has agreed on: which verdicts block."""

from __future__ import annotations

from dataclasses import dataclass

from .limits import Verdict

_ALWAYS_BLOCK = frozenset({Verdict.FAIL, Verdict.ERROR, Verdict.MISSING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which verdicts stop a merge. FAIL, ERROR and MISSING always do.

    Parameters
    ----------
    block_inconclusive, block_warn : bool
        Block on these as well.
    """

    block_inconclusive: bool = False
    block_warn: bool = False

    def blocks(self, verdict: Verdict) -> bool:
        """Does a check with this verdict stop the merge?"""
        return (
            verdict in _ALWAYS_BLOCK
            or (self.block_inconclusive and verdict is Verdict.INCONCLUSIVE)
            or (self.block_warn and verdict is Verdict.WARN)
        )
