"""For GitHub's reader of logs: workflow commands that become annotations at the tests."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_mlops.verdict.decision import sentence, worst_first
from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.policy import Policy
from pytest_mlops.verdict.result import CheckResult, Decision, GateReport

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
    worst = [result for result in worst_first(report.results) if result.verdict is not Verdict.PASS]
    return [roll_up, *(_annotation(result, report.name(result), prefix) for result in worst[: _MOST - 1])]


def _annotation(result: CheckResult, name: str, prefix: str) -> str:
    properties: dict[str, object] = {"title": f"{result.verdict} {name}"}
    test = result.details.get("test")
    if test and test["line"] is not None:
        properties = {"file": prefix + test["file"], "line": test["line"], **properties}
    return _command("error" if Policy().blocks(result) else "warning", result.message, properties)


def _command(level: str, message: str, properties: Mapping[str, object]) -> str:
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(plain(message, longest=_LONGEST))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(plain(str(value), longest=300)).replace(":", "%3A").replace(",", "%2C")
