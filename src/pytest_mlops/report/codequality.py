"""For GitLab's Code Quality: what did not pass, beside the line of the test or of the policy that asked for it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import SESSION, CheckResult, GateReport
from pytest_mlops.verdict.wording import count

from .phrases import told
from .places import inside, place
from .text import plain

MOST = 1_000
"""Findings that are listed: more than anybody reads."""
_LONGEST = 1_000
_POLICY = "mlops.toml"


def render(report: GateReport) -> str:
    """A JSON array, the worst first; empty where every check passed."""
    return json.dumps(list(_findings(report)), indent=2) + "\n"


def _findings(report: GateReport) -> Iterator[dict[str, Any]]:
    blocking, others = told(report)
    unclear = [result for result in others if result.verdict is not Verdict.PASS]
    severities = [*("blocker" for _ in blocking), *map(_severity, unclear)]
    results = [*blocking, *unclear]
    seen: Counter[tuple[str, str]] = Counter()
    for result, severity in zip(results[:MOST], severities, strict=False):
        key = (result.model, result.id)
        seen[key] += 1
        said = f"{result.verdict} {plain(report.name(result), longest=200)}: {plain(result.message, longest=_LONGEST)}"
        yield _finding(said, result.id, (*key, seen[key]), severity, *_place(report, result))
    hidden = len(results) - MOST
    if hidden > 0:
        said = f"{count(hidden, 'result')} more in gate.json: there is no room here"
        yield _finding(said, f"{SESSION}:rest", (SESSION, "rest", 1), "info", _POLICY, 1)


def _finding(said: str, name: str, key: tuple[str, str, int], severity: str, path: str, line: int) -> dict[str, Any]:
    return {
        "engine_name": "pytest-mlops",
        "description": said,
        "check_name": plain(name, longest=200),
        "fingerprint": hashlib.sha256(json.dumps(key).encode()).hexdigest(),
        "severity": severity,
        "location": {"path": path, "lines": {"begin": line}},
    }


def _severity(result: CheckResult) -> str:
    return "info" if result.verdict is Verdict.WAIVED else "minor"


def _place(report: GateReport, result: CheckResult) -> tuple[str, int]:
    """GitLab drops what stands nowhere: where no test is known, it stands in the policy."""
    if found := place(result):
        file, line = found
        return file, line or 1
    policy = report.provenance.get("policies", {}).get(result.model, {})
    return inside(policy.get("file", _POLICY)) or _POLICY, 1
