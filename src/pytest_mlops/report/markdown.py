"""For the pull request: `summary.md`, in GitHub's Markdown. What blocks comes first, the rest is folded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_mlops.verdict.decision import sentence, worst_first
from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import CheckResult, Decision, GateReport
from pytest_mlops.verdict.wording import count, number

from . import chart, phrases
from .text import code, markdown

MOST_CHARACTERS = 60_000
"""GitHub refuses comments of more than 65,536: there is room for whoever adds a line."""
_LONGEST_VERDICT = 1_000
_LONGEST_MESSAGE = 2_000
_ELSEWHERE = "What has no room here is in report.html and gate.json."


class _Page:
    """Blocks of Markdown that never have more than so many characters: a section that is too long is cut at a row."""

    def __init__(self, most: int) -> None:
        self._left = most - len(_ELSEWHERE) - 4
        self._blocks: list[str] = []
        self._cut = False

    def line(self, text: str) -> None:
        """A paragraph."""
        self.section("", [text], share=1.0)

    def section(self, head: str, rows: Sequence[str], *, foot: str = "", share: float = 0.5) -> None:
        """Rows below a head, as many as fit into a share of what is left; nothing where there are none."""
        if not rows:
            return
        room = int(self._left * share) - len(head) - len(foot) - 80
        shown: list[str] = []
        for row in rows:
            room -= len(row) + 1
            if room < 0:
                break
            shown.append(row)
        hidden = sum(map(bool, rows[len(shown) :]))
        self._cut = self._cut or hidden > 0
        if shown:
            more = f"\n\n{count(hidden, 'row')} more in report.html." if hidden else ""
            block = head + "\n".join(shown).rstrip() + more + foot
            self._blocks.append(block)
            self._left -= len(block) + 2

    def text(self) -> str:
        """The whole of it."""
        return "\n\n".join([*self._blocks, *([_ELSEWHERE] if self._cut else [])]) + "\n"


def render(report: GateReport, *, most: int = MOST_CHARACTERS) -> str:
    """A section with the verdict as its heading.

    Parameters
    ----------
    report : GateReport
    most : int
        Characters, at least 2,000.
    """
    page = _Page(most)
    page.line(f"## Model gate: {markdown(sentence(report.decision, report.results), longest=_LONGEST_VERDICT)}")
    page.section("", [markdown(line) for line in phrases.compared(report)], share=0.2)
    blocking, others = phrases.parted(report, worst_first(report.results))
    unclear = [result for result in others if result.verdict is not Verdict.PASS]
    passed = [result for result in others if result.verdict is Verdict.PASS]
    _tell(page, report, "What blocks", blocking)
    _compare(page, report)
    page.section(f"### {phrases.GONE}\n\n", [f"- {code(name)}" for name in phrases.gone(report)], share=0.2)
    _tell(page, report, "To look at", unclear, folded=report.decision is not Decision.REVIEW)
    _tell(page, report, "Passed", passed, folded=True)
    for title, lines in (
        (phrases.UNSEEN, phrases.unseen(report)),
        (phrases.POLICY, phrases.policy_diff(report)),
        ("Judged", phrases.judged(report)),
    ):
        head, foot = _fold(title)
        page.section(head, [f"- {markdown(line)}" for line in lines], foot=foot)
    return page.text()


def _fold(title: str) -> tuple[str, str]:
    return f"<details><summary>{title}</summary>\n\n", "\n\n</details>"


def _tell(page: _Page, report: GateReport, title: str, results: Sequence[CheckResult], *, folded: bool = False) -> None:
    """A table of those that have a value, and words on those whose row does not say enough."""
    if not results:
        return
    title = f"{title}: {count(len(results), 'result')}"
    head, foot = _fold(title) if folded else (f"### {title}\n\n", "")
    rows = [_row(report, result) for result in phrases.checks(results)]
    words = [_words(report, result) for result in phrases.needs_words(results)]
    if rows:
        head += f"| check | {phrases.value_title(report)} | limit | {chart.LEGEND} | verdict |\n|---|---|---|---|---|\n"
    page.section(head, [*rows, "", *words] if rows else words, foot=foot)


def _row(report: GateReport, result: CheckResult) -> str:
    drawn = chart.interval(result.estimate, result.limits)
    cells = (
        code(report.name(result)),
        markdown(phrases.value(result)),
        markdown(phrases.limit(result)),
        f"`{drawn}`" if drawn else "–",
        phrases.verdict(result),
    )
    return _line(cells)


def _words(report: GateReport, result: CheckResult) -> str:
    message = markdown(result.message, longest=_LONGEST_MESSAGE)
    return f"- **{result.verdict}** {code(report.name(result))}: {message}"


def _compare(page: _Page, report: GateReport) -> None:
    """Each difference of the two models with its interval, and how much may be lost."""
    compared = [
        result
        for result in report.results
        if result.family == "champion_challenger" and result.estimate and result.limits
    ]
    head = (
        "### Champion and challenger\n\n"
        f"| metric | challenger | change | {phrases.interval_title(report)} | limit | verdict |\n"
        "|---|---|---|---|---|---|\n"
    )
    page.section(head, [_difference(report, result) for result in compared], share=0.3)


def _difference(report: GateReport, result: CheckResult) -> str:
    value = result.details.get("models", {}).get("challenger")
    name = report.name(result).removeprefix("champion_challenger:")
    cells = (
        code(name),
        "–" if value is None else number(value),
        markdown(phrases.change(result)),
        markdown(phrases.interval(result)),
        markdown(phrases.limit(result)),
        phrases.verdict(result),
    )
    return _line(cells)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
