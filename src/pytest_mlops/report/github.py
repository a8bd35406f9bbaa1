"""For GitHub's reader of logs: workflow commands that become annotations at the tests."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_mlops.verdict.decision import sentence
from pytest_mlops.verdict.result import CheckResult, Decision, GateReport

from .phrases import flagged
from .text import plain

_MOST = 10
_LONGEST = 4_000
_ROLL_UP = {Decision.MERGE: "notice", Decision.REVIEW: "warning", Decision.BLOCK: "error"}


def render(report: GateReport, *, prefix: str = "") -> list[str]:
    """At most ten commands: the verdict first, then the worst checks. More than ten of a kind GitHub drops.

    Parameters
    ----------
    report : GateReport
    prefix : str
        Path from the repository's root to pytest's, with a slash at its end; empty where they are the same.
    """
    roll_up = _command(_ROLL_UP[report.decision], sentence(report.decision, report.results), {"title": "Model gate"})
    worst = flagged(report, _MOST - 1)
    return [roll_up, *(_annotation(level, result, report.name(result), prefix) for level, result in worst)]


def _annotation(level: str, result: CheckResult, name: str, prefix: str) -> str:
    properties: dict[str, object] = {"title": f"{result.verdict} {name}"}
    test = result.details.get("test")
    if test and test["line"] is not None:
        properties = {"file": prefix + test["file"], "line": test["line"], **properties}
    return _command(level, result.message, properties)


def _command(level: str, message: str, properties: Mapping[str, object]) -> str:
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(plain(message, longest=_LONGEST))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(plain(str(value), longest=300)).replace(":", "%3A").replace(",", "%2C")
