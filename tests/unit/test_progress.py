"""What is shown of long work, and that nothing a test does to its process is made worse by it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_mlops import progress
from pytest_mlops.progress import Progress, Screen, Work


class Log:
    """The two ends of a pipe."""

    def __init__(self) -> None:
        self._reading, self.descriptor = os.pipe()
        os.set_blocking(self._reading, False)
        self.screen = Screen(self.descriptor)

    def read(self) -> str:
        try:
            return os.read(self._reading, 100_000).decode()
        except BlockingIOError:
            return ""

    def close(self) -> None:
        self.screen.close()
        os.close(self._reading)


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    yield log
    log.close()


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_LOOK_EVERY", 0.005)
    monkeypatch.setattr(progress, "_FIRST_LINE_AFTER", 0.0)


def shown_after(log: Log, *seconds: float, works: list[Work]) -> list[str]:
    view = progress._Lines(log.screen)
    for now in seconds:
        view.show(works, now)
    return log.read().split("\n")[1::2]


def test_lines_come_after_2_4_and_8_seconds(log: Log) -> None:
    lines = shown_after(log, *range(12), works=[Work("it", 0.0)])
    assert lines == [f"mlops: still at work on it ({seconds} s)" for seconds in (2, 4, 8)]


def test_the_innermost_is_named_and_the_outer_ones_wait_their_turn(log: Log) -> None:
    outer, inner = Work("outer", 0.0), Work("inner", 1.0)
    assert shown_after(log, 2.5, 3.0, works=[outer, inner]) == ["mlops: still at work on inner (2 s)"]
    assert shown_after(log, 4.0, 6.0, works=[outer]) == ["mlops: still at work on outer (6 s)"]


@pytest.mark.parametrize(
    ("share", "told", "now", "left"),
    [(0.5, 10, 10, "10 s left"), (0.5, 10, 13, "7 s left"), (0.5, 10, 21, ""), (0.0, 0, 5, ""),
     (0.1, 20, 20, "3 min left"), (0.001, 60, 60, "17 h left"), (1.0, 9, 9, "")],
)  # fmt: skip
def test_the_time_left_is_that_of_the_pace_so_far(share: float, told: float, now: float, left: str) -> None:
    work = Work("it", -100.0)
    work.told("begun", 0.0, 0.0)
    work.told("run 2", share, told)
    assert work.words(now) == ", ".join(filter(None, ["run 2", left]))


def test_counting_may_begin_anew() -> None:
    work = Work("it", 0.0)
    for share, now in ((0.0, 0.0), (0.9, 90.0), (0.0, 100.0), (0.5, 101.0)):
        work.told("resample", share, now)
    assert work.left(101.0) == "1 s left"


def test_what_has_no_share_has_no_time_left() -> None:
    work = Work("it", 0.0)
    for share, now in ((0.0, 0.0), (0.9, 90.0), (None, 100.0)):
        work.told("loading", share, now)
    assert work.words(101.0) == "loading"


@pytest.mark.usefixtures("_at_once")
def test_it_returns_to_the_outer_work(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    at_work = Progress(log.screen)
    names = []
    monkeypatch.setattr(progress._Lines, "show", lambda self, works, now: names.append(works[-1].what))
    with at_work("outer"):
        with at_work("inner"):
            _until(lambda: "inner" in names)
        names.clear()
        _until(lambda: "outer" in names)
    assert set(names) == {"outer"}


@pytest.mark.usefixtures("_at_once")
def test_names_are_plain_and_words_go_to_the_innermost(log: Log) -> None:
    at_work = Progress(log.screen)
    said = ""
    with at_work("outer"), at_work("\x1b[31mred\n::error::"):
        at_work.tell("half\a way", 0.5)
        while "half" not in said:
            time.sleep(0.001)
            said += log.read()
    assert "\nmlops: still at work on red ::error::, half way (0 s)\n" in said


@pytest.mark.usefixtures("_at_once")
def test_after_a_hush_there_is_no_word_and_no_thread(log: Log) -> None:
    at_work = Progress(log.screen)
    with at_work("outer"):
        _until(lambda: bool(log.read()))
        at_work.hush()
        assert at_work._watch is None
        with at_work("inner"):
            at_work.tell("half way", 0.5)
    assert log.read() == ""


@pytest.mark.usefixtures("_at_once")
def test_an_interrupt_ends_the_thread(log: Log) -> None:
    at_work = Progress(log.screen)
    with pytest.raises(KeyboardInterrupt), at_work("outer"), at_work("inner"):
        raise KeyboardInterrupt
    assert at_work._watch is None
    assert at_work._works == []


def test_a_closed_screen_is_left_alone() -> None:
    log = Log()
    os.close(log.descriptor)
    assert log.screen.write("lost") == 4
    assert not log.screen.isatty()
    log.close()


def test_a_file_in_the_place_of_the_screen_is_not_written_to(log: Log, tmp_path: Path) -> None:
    with (tmp_path / "predictions").open("wb") as file:
        os.dup2(file.fileno(), log.descriptor)
        log.screen.write("mlops: still at work")
        log.screen.close()
        os.close(log.descriptor)  # it was not ours to close
    assert (tmp_path / "predictions").read_bytes() == b""


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize("live", [True, False])
def test_whatever_goes_wrong_with_showing_disturbs_nothing(
    log: Log, monkeypatch: pytest.MonkeyPatch, live: bool
) -> None:
    asked = []

    def broken(self: Screen, text: str) -> int:
        asked.append(text)
        raise ImportError("no codec")

    monkeypatch.setattr(Screen, "write", broken)
    monkeypatch.setattr(progress, "_LIVE_AFTER", 0.0)
    with Progress(log.screen, live=live)("it"):
        _until(lambda: bool(asked))


@pytest.mark.parametrize("columns", [30, 60, 200])
def test_a_line_fits_and_loses_the_end_of_a_long_name_first(columns: int) -> None:
    from rich.cells import cell_len

    line = progress._fitted(f"mlops: {'名' * 100}", " – run 2 of 3", columns).plain
    assert cell_len(line) <= columns
    assert line.startswith("mlops: 名")
    assert line.endswith("… – run 2 of 3")


@pytest.mark.parametrize(
    ("variables", "redraws"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"TERM": ""}, False),
     ({"TERM": "xterm", "CI": "true"}, False)],
)  # fmt: skip
def test_a_line_is_redrawn_only_where_that_works(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], redraws: bool
) -> None:
    for name, value in {"CI": "", **variables}.items():
        monkeypatch.setenv(name, value)
    terminal, ours = os.openpty()
    screen = Screen(ours)
    assert screen.can_redraw is redraws
    screen.close()
    os.close(terminal)


@pytest.mark.parametrize(
    ("verbosity", "capture", "worker", "speaks", "live"),
    [(0, "fd", False, True, True), (0, "no", False, True, False), (-1, "fd", False, False, False),
     (0, "fd", True, False, False)],
    ids=["usual", "tests print", "quiet", "worker"],
)  # fmt: skip
def test_who_wants_a_live_line(
    monkeypatch: pytest.MonkeyPatch, log: Log, verbosity: int, capture: str, worker: bool, speaks: bool, live: bool
) -> None:
    config: Any = SimpleNamespace(get_verbosity=lambda: verbosity, getoption=lambda name, default: capture)
    if worker:
        config.workerinput = {}
    monkeypatch.setattr(Screen, "of_this_process", lambda: log.screen)
    monkeypatch.setattr(Screen, "can_redraw", True)
    at_work = Progress.of(config)
    assert (at_work._screen is not None) is speaks
    assert at_work._live is live


def test_a_log_is_not_redrawn(log: Log) -> None:
    assert not log.screen.can_redraw


def _until(condition: Callable[[], bool]) -> None:
    """The thread has its own pace."""
    while not condition():
        time.sleep(0.001)
