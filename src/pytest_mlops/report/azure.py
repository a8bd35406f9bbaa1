"""For Azure Pipelines' reader of logs: logging commands that become the issues of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_mlops.verdict.decision import sentence
from pytest_mlops.verdict.result import CheckResult, Decision, GateReport

from .phrases import flagged
from .places import place
from .text import plain

_MOST = 10
_LONGEST = 4_000
_LONGEST_PROPERTY = 1_000
_ESCAPES = str.maketrans({"%": "%AZP25", "\r": "%0D", "\n": "%0A"})
_PROPERTY_ESCAPES = {**_ESCAPES, **str.maketrans({";": "%3B", "]": "%5D"})}


def render(report: GateReport, *, prefix: str = "") -> list[str]:
    """At most ten lines: the verdict first, then the worst checks. None changes the result of the task.

    Parameters
    ----------
    report : GateReport
    prefix : str
        Path from the repository's root to pytest's, with a slash at its end; empty where they are the same.
    """
    worst = flagged(report, _MOST - 1)
    return [_roll_up(report), *(_issue(level, report.name(result), result, prefix) for level, result in worst)]


def attached(summary: Path) -> Iterator[str]:
    """The command that shows this Markdown file in the page of the run; nothing where there is no such file.

    The agent wants the whole path, and one that is not shown as it is cannot be found.
    """
    path = str(summary.absolute())
    if summary.is_file() and plain(path, longest=_LONGEST) == path:
        yield f"##vso[task.uploadsummary]{path.translate(_ESCAPES)}"


def _roll_up(report: GateReport) -> str:
    said = f"Model gate: {sentence(report.decision, report.results)}"
    if report.decision is Decision.MERGE:
        return f"##[section]{_data(said)}"  # nothing to look at, so no issue
    return _command("error" if report.decision is Decision.BLOCK else "warning", said, {})


def _issue(level: str, name: str, result: CheckResult, prefix: str) -> str:
    where: dict[str, object] = {}
    if found := place(result):
        where = {"sourcepath": prefix + found[0], "linenumber": found[1]}
    return _command(level, f"{result.verdict} {plain(name, longest=300)}: {result.message}", where)


def _command(level: str, message: str, properties: Mapping[str, object]) -> str:
    known = {"type": level, **{name: value for name, value in properties.items() if value is not None}}
    listed = "".join(f"{name}={_property(value)};" for name, value in known.items())
    return f"##vso[task.logissue {listed}]{_data(message)}"


def _data(text: str) -> str:
    return plain(text, longest=_LONGEST).translate(_ESCAPES)


def _property(value: object) -> str:
    return plain(str(value), longest=_LONGEST_PROPERTY).translate(_PROPERTY_ESCAPES)
