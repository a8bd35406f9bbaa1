"""What is at work is said where it takes long, for whoever looks at a terminal or a log."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from .conftest import PASSES, WITHOUT, Project

SLOW = """
@pytest.fixture
def mlops_challenger():
    __import__("time").sleep(2.5)
    return model(5)
"""
LINE = "mlops: still at work on the fixture mlops_challenger (2 s)"
SLOW_CHECK = """
import time

def profit(y_true, y_pred):
    time.sleep(0.0011)
    return float((y_true == y_pred).mean())

def test_slow(mlops):
    {before}
    mlops.performance_threshold(profit, at_least=0.5)
"""
CHECK = "mlops: model performance_threshold:profit – resample "
COLUMNS = 100


@pytest.mark.parametrize(
    ("options", "workers", "lines"), [((), 0, 1), (("-q",), 0, 0), ((), 1, 0)], ids=["alone", "quiet", "worker"]
)
def test_a_slow_fixture(project: Project, options: tuple[str, ...], workers: int, lines: int) -> None:
    project.conftest(SLOW)
    project.tests(test_it=PASSES)
    run = project.run(*options, workers=workers, apart=True)
    assert run.status == 0
    assert run.out.splitlines().count(LINE) == lines


# --- on a terminal


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run has sent to its terminal."""

    sent: str
    status: int

    @property
    def screen(self) -> list[str]:
        """What a terminal shows at the end: it knows as much of escape sequences as is used here."""
        lines, at, column = [""], 0, 0
        for token in re.findall(r"\x1b\[[\d;?]*[a-zA-Z]|[\r\n]|[^\x1b\r\n]+", self.sent):
            if token == "\r":
                column = 0
            elif token == "\n":
                at += 1
                lines.extend([""] * (at + 1 - len(lines)))
            elif token.endswith("A"):
                at -= int(token[2:-1])
            elif token == "\x1b[2K":
                lines[at] = ""
            elif not token.startswith("\x1b"):
                line = lines[at].ljust(column)
                lines[at], column = line[:column] + token + line[column + len(token) :], column + len(token)
        return [line.rstrip() for line in lines]


@pytest.fixture
def on_a_terminal(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Seen]:
    def run(*options: str, term: str = "xterm", until: str | None = None) -> Seen:
        """Run the gate; interrupt it as soon as it says `until`."""
        monkeypatch.setenv("TERM", term)
        monkeypatch.delenv("COLUMNS")
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        command = [sys.executable, "-m", "pytest", "--mlops", "--color=no", "-n0", *WITHOUT, *options]
        process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, cwd=project.path, close_fds=True)
        os.close(its)
        sent = b""
        with suppress(OSError):  # the way in which a terminal says that nobody writes to it any more
            while some := os.read(ours, 10_000):
                sent += some
                if until is not None and until in sent.decode(errors="replace"):
                    process.send_signal(signal.SIGINT)
                    until = None
        os.close(ours)
        return Seen(sent.decode(), process.wait())

    return run


def test_a_live_line_names_the_check_and_the_time_left_and_is_erased(
    project: Project, on_a_terminal: Callable[..., Seen]
) -> None:
    project.tests(test_it=SLOW_CHECK.format(before=""))
    seen = on_a_terminal()
    assert seen.status == 0
    assert re.search(rf"\r\x1b\[2K{CHECK}[\d,]+ of 2,000, \d s left", seen.sent)
    assert not [line for line in seen.screen if line.startswith("mlops: ")]
    assert seen.screen[seen.screen.index("test_it.py") + 1].startswith(". ")
    assert seen.sent.rindex("\x1b[?25h") > seen.sent.rindex("\x1b[?25l")


def test_a_dumb_terminal_gets_lines(project: Project, on_a_terminal: Callable[..., Seen]) -> None:
    project.tests(test_it=SLOW_CHECK.format(before=""))
    seen = on_a_terminal(term="dumb")
    assert "\x1b" not in seen.sent
    line = (
        r"mlops: still at work on model performance_threshold:profit, resample [\d,]+ of 2,000, \d s left \(2 s\)\r\n"
    )
    assert re.search(line, seen.sent)


def test_a_test_may_close_all_files(project: Project, on_a_terminal: Callable[..., Seen]) -> None:
    before = "import os; time.sleep(1.5); [os.close(n) for n in range(3, 30) if _is_terminal(n)]"
    helper = "def _is_terminal(n):\n    return __import__('os').isatty(n)\n"
    project.tests(test_it=helper + SLOW_CHECK.format(before=before))
    seen = on_a_terminal("--capture=sys", "-p", "no:faulthandler")  # which wants to close its own
    assert seen.status == 0
    assert "mlops: the test test_slow" in seen.sent
    assert CHECK not in seen.sent


def test_an_interrupt_leaves_a_clean_screen(project: Project, on_a_terminal: Callable[..., Seen]) -> None:
    project.tests(test_it=SLOW_CHECK.format(before=""))
    seen = on_a_terminal(until=CHECK)
    assert seen.status == pytest.ExitCode.INTERRUPTED
    assert not [line for line in seen.screen if line.startswith("mlops: ")]
    assert seen.sent.endswith("\r\n")
    assert seen.sent.rindex("\x1b[?25h") > seen.sent.rindex("\x1b[?25l")


def test_a_debugger_has_the_terminal_to_itself(project: Project, on_a_terminal: Callable[..., Seen]) -> None:
    project.tests(test_it=SLOW_CHECK.format(before="breakpoint()"))
    project.write(".pdbrc", "!import time; time.sleep(1.5)\ncontinue\n")
    seen = on_a_terminal()
    assert seen.status == 0
    assert "PDB set_trace" in seen.sent
    assert "mlops: model" not in seen.sent
    assert "mlops: the test" not in seen.sent
