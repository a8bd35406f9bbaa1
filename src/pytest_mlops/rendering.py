"""``pytest-mlops report``: any reader's text from a stored `gate.json`, on any machine, as the run has written it."""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from .delivery import DECISION, write_whole
from .report import terminal
from .report.formats import FORMATS
from .report.machine import MOST_BYTES, read
from .verdict.errors import EvidenceError
from .verdict.result import GateReport

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add(commands: _SubParsersAction[ArgumentParser]) -> None:
    """The subcommand."""
    command = commands.add_parser("report", help="turn a stored gate.json into any of its readers' texts")
    command.set_defaults(run=_report)
    command.add_argument("file", metavar="FILE", type=Path, help="gate.json, or the directory that holds it")
    what = command.add_mutually_exclusive_group()
    what.add_argument("--format", choices=FORMATS, default="terminal", help="default: %(default)s")
    what.add_argument("--decision", action="store_true", help="print one word: merge, review or block")
    command.add_argument("--output", metavar="FILE", type=Path, help="write it there, and print nothing")


def load(path: Path) -> GateReport:
    """The report of a file, or of the directory that holds it, whoever has written it.

    Raises
    ------
    EvidenceError
        It is no report that can be trusted to be one.
    OSError
        There is none.
    """
    file = path / DECISION if path.is_dir() else path
    with file.open("rb") as opened:
        data = opened.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise EvidenceError(f"{file} has more than {MOST_BYTES // 1_000_000} MB: no gate.json has that")
    try:
        return read(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise EvidenceError(f"{file} is no text: it is no gate.json") from None
    except EvidenceError as error:
        raise EvidenceError(f"{file}: {error}") from None


def _report(arguments: Namespace) -> int:
    report = load(arguments.file)
    if arguments.decision:
        text = f"{report.decision}\n"
    elif arguments.format == "terminal" and arguments.output is None:
        text = terminal.render(report, width=shutil.get_terminal_size().columns, color=sys.stdout.isatty())
    else:
        text = FORMATS[arguments.format].render(report)
    if arguments.output is None:
        print(text, end="")
    else:
        _write(arguments.output, text)
    return 0


def _write(target: Path, text: str) -> None:
    """A device or a pipe is written to: what puts a file in the place of /dev/stdout has broken the machine."""
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8")
    else:
        write_whole(target, text)
