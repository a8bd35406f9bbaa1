"""For the pull request: `summary.md`, in GitHub's Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_mlops.verdict.decision import sentence, worst_first
from pytest_mlops.verdict.result import CheckResult, GateReport

from . import phrases
from .text import code, markdown

_MOST_ROWS = 150
_MOST_MESSAGES = 40


def render(report: GateReport) -> str:
    """A section with the verdict as its heading; at most 150 rows, the blocking ones first."""
    results = worst_first(report.results)
    blocks = [
        f"## Model gate: {markdown(sentence(report.decision, report.results))}",
        _table(report, phrases.checks(results)),
        _list(
            (f"**{result.verdict}** {code(report.name(result))}: {markdown(result.message)}"
             for result in phrases.needs_words(results)),
            most=_MOST_MESSAGES,
        ),
        _section(phrases.UNSEEN, phrases.unseen(report)),
        _section(phrases.POLICY, phrases.policy_diff(report)),
        _section("Judged", phrases.judged(report)),
    ]  # fmt: skip
    return "\n\n".join(filter(None, blocks)) + "\n"


def _table(report: GateReport, results: list[CheckResult]) -> str:
    if not results:
        return ""
    rows = [
        f"| {code(report.name(result))} | {markdown(phrases.value(result))} | {markdown(phrases.limit(result))} "
        f"| {phrases.verdict(result)} |"
        for result in results[:_MOST_ROWS]
    ]
    hidden = len(results) - len(rows)
    more = [f"\n{hidden:,} more in gate.json."] if hidden else []
    return "\n".join(
        [f"| check | {phrases.value_title(report)} | limit | verdict |", "|---|---|---|---|", *rows, *more]
    )


def _section(title: str, lines: list[str]) -> str:
    if not lines:
        return ""
    return f"<details><summary>{title}</summary>\n\n{_list(map(markdown, lines), most=_MOST_ROWS)}\n\n</details>"


def _list(lines: Iterable[str], *, most: int) -> str:
    shown = [f"- {line}" for line in lines]
    hidden = len(shown) - most
    return "\n".join(shown[:most] + ([f"- {hidden:,} more in gate.json."] if hidden > 0 else []))
