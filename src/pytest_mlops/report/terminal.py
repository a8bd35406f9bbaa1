"""For people at a terminal: the verdict first, then a table, and what the gate cannot see at the end."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING

from pytest_mlops.verdict.decision import sentence, worst_first
from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import CheckResult, Decision, GateReport

from . import phrases
from .explain import explained
from .text import inert, plain

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_STYLES = {
    Verdict.PASS: "green",
    Verdict.WARN: "magenta",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.WAIVED: "magenta",
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold red",
    Verdict.MISSING: "bold red",
}
_DECISION_STYLES = {Decision.MERGE: "bold green", Decision.REVIEW: "bold magenta", Decision.BLOCK: "bold red"}
_ONE_LINE_IDS_FROM = 110
_ID_WIDTH = 30
"""What fits ``demographic_parity_difference:``; it leaves room for the other columns in 80."""
_GAPS = 6


def render(
    report: GateReport,
    *,
    width: int = 80,
    color: bool = False,
    brief: bool = False,
    verbose: bool = False,
    written: str | None = None,
) -> str:
    """Text of lines no longer than `width`.

    Parameters
    ----------
    report : GateReport
    width : int
        Columns of the terminal, at least 60.
    color : bool
        Words carry the meaning with or without.
    brief : bool
        The verdict, and words on what did not pass; nothing else.
    verbose : bool
        Each verdict is explained in two sentences, also of what passed.
    written : str, optional
        Where the report's files are.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(
        file=StringIO(), width=max(width, 60), force_terminal=color, color_system="standard" if color else None,
        no_color=not color, markup=False, emoji=False, highlight=False, legacy_windows=False, _environ={},
    )  # fmt: skip
    results = worst_first(report.results)
    console.print(Text(sentence(report.decision, report.results), style=_DECISION_STYLES[report.decision]))
    if phrases.checks(results) and not brief:
        console.print()
        console.print(_table(report, console.width))
    for result in results if verbose and not brief else phrases.needs_words(results):
        _print_words(console, report.name(result), result, verbose)
    if not brief:
        _print_rest(console, report, written)
    assert isinstance(console.file, StringIO)
    return inert("\n".join(line.rstrip() for line in console.file.getvalue().splitlines())) + "\n"


def _print_rest(console: Console, report: GateReport, written: str | None) -> None:
    _print_list(console, f"{phrases.POLICY}:", phrases.policy_diff(report))
    _print_list(console, "Judged:", phrases.judged(report))
    if written:
        _print_list(console, "Report:", [written])
    _print_list(console, f"{phrases.UNSEEN}:", phrases.unseen(report))


def _table(report: GateReport, width: int) -> RenderableType:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    results = phrases.checks(worst_first(report.results))
    names = [plain(report.name(result), longest=200) for result in results]
    if width < _ONE_LINE_IDS_FROM:
        names = [name.replace(":", ":\n") for name in names]
    limits, verdicts = ([words(result) for result in results] for words in (phrases.limit, phrases.verdict))
    fixed = [
        min(_widest(names), _ID_WIDTH if width < _ONE_LINE_IDS_FROM else width // 2),
        _widest([*limits, "limit"]),
        _widest([*verdicts, "verdict"]),
    ]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("check", overflow="fold", min_width=fixed[0])
    table.add_column(phrases.value_title(report), overflow="fold", max_width=width - sum(fixed) - _GAPS)
    table.add_column("limit", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for name, limit, verdict, result in zip(names, limits, verdicts, results, strict=True):
        table.add_row(Text(name), phrases.value(result), limit, Text(verdict, style=_STYLES[result.verdict]))
    return table


def _widest(texts: list[str]) -> int:
    return max((len(line) for text in texts for line in text.splitlines()), default=0)


def _print_words(console: Console, name: str, result: CheckResult, verbose: bool) -> None:
    from rich.padding import Padding
    from rich.text import Text

    head = Text.assemble((str(result.verdict), _STYLES[result.verdict]), " ", plain(name))
    console.print()
    console.print(head)
    for text in _words(result, verbose):
        console.print(Padding(Text(plain(text)), (0, 0, 0, 2)))


def _words(result: CheckResult, verbose: bool) -> Iterator[str]:
    needed = bool(phrases.needs_words([result]))
    if verbose and not (needed and result.estimate is None):  # without a number the message says all there is to say
        yield explained(result)
    if needed:
        yield result.message


def _print_list(console: Console, title: str, lines: list[str]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    if not lines:
        return
    console.print()
    console.print(Text(title, style="bold"))
    for line in lines:
        console.print(Padding(Text(plain(line)), (0, 0, 0, 2)))
