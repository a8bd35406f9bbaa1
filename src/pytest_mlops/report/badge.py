"""For a README: the answer of the last gate, as Shields' endpoint badges read it."""

from __future__ import annotations

import json

from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import Decision, GateReport

from . import phrases

_WORDS = {Decision.MERGE: "merge", Decision.REVIEW: "review", Decision.BLOCK: "blocked"}
_COLORS = {Decision.MERGE: "brightgreen", Decision.REVIEW: "yellow", Decision.BLOCK: "red"}


def render(report: GateReport) -> str:
    """JSON with the decision in a word: ``blocked: 2 of 9``. Nobody can paint a block green."""
    shown = {
        "schemaVersion": 1,
        "label": "model gate",
        "message": f"{_WORDS[report.decision]}{_tally(report)}",
        "color": _COLORS[report.decision],
        "isError": report.decision is Decision.BLOCK,
    }
    return json.dumps(shown, indent=2) + "\n"


def _tally(report: GateReport) -> str:
    """How many checks are the reason; nothing where it is no check, but the run itself."""
    checks = phrases.checks(report.results)
    blocking, _ = phrases.parted(report, checks)
    unclear = [result for result in checks if result.verdict is not Verdict.PASS]
    reasons = {Decision.MERGE: [], Decision.REVIEW: unclear, Decision.BLOCK: blocking}[report.decision]
    return f": {len(reasons):,} of {len(checks):,}" if reasons else ""
