"""What is at work, and for how long still: nothing for what is quick, a live line on a terminal, lines in a log."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from .report.text import plain

if TYPE_CHECKING:
    import pytest
    from rich.live import Live

_LOOK_EVERY = 0.25
_LIVE_AFTER = 1.0
_FIRST_LINE_AFTER = 2.0
_USUAL_COLUMNS = 80
_DUMB = ("", "dumb", "unknown")


class Progress:
    """Says what is at work where that takes long.

    Parameters
    ----------
    screen : Screen or None
        Where to write; None for nowhere.
    live : bool
        Draw one line anew and again, and erase it at last; else lines after 2, 4, 8, … seconds stay.
    """

    def __init__(self, screen: Screen | None, *, live: bool = False) -> None:
        self._screen = screen
        self._live = live
        self._works: list[Work] = []
        self._watch: tuple[threading.Event, threading.Thread] | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, config: pytest.Config) -> Progress:
        """Where this run's terminal is. A worker has none, and ``-q`` wants none."""
        if config.get_verbosity() < 0 or hasattr(config, "workerinput"):
            return cls(None)
        screen = Screen.of_this_process()
        shared = config.getoption("capture", "no") == "no"  # what tests print would run into the live line
        return cls(screen, live=screen is not None and screen.can_redraw and not shared)

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """While the block runs. Of blocks within blocks, the innermost is at work."""
        if self._screen is None:
            yield
            return
        work = Work(plain(what), monotonic())
        self._enter(work)
        try:
            yield
        finally:
            self._leave(work)

    def tell(self, how_far: str, share: float | None = None) -> None:
        """How far the innermost work is: in words, and as the share that is done where that is known."""
        works = self._works[-1:]
        if works:
            works[0].told(plain(how_far), share, monotonic())

    def hush(self) -> None:
        """Not a word more: a debugger has the terminal, or the run is over."""
        with self._lock:
            screen, self._screen = self._screen, None
            self._stop_watching()
        if screen is not None:
            screen.close()

    def _enter(self, work: Work) -> None:
        with self._lock:
            self._works.append(work)
            if self._watch is None and self._screen is not None:
                done = threading.Event()
                watcher = threading.Thread(target=self._show, args=(self._screen, done), daemon=True)
                self._watch = done, watcher
                watcher.start()

    def _leave(self, work: Work) -> None:
        with self._lock:
            self._works.remove(work)
            if not self._works:
                self._stop_watching()

    def _stop_watching(self) -> None:
        if self._watch is not None:
            done, watcher = self._watch
            self._watch = None
            done.set()
            watcher.join()

    def _show(self, screen: Screen, done: threading.Event) -> None:
        """A test may do anything to this process and its files: then nothing is shown, and nothing is disturbed."""
        view = _LiveLine(screen) if self._live else _Lines(screen)
        with suppress(Exception):
            while not done.wait(_LOOK_EVERY):
                works = tuple(self._works)
                if works:
                    view.show(works, monotonic())
        with suppress(Exception):
            view.stop()


# --- what there is to show


class Work:
    """One thing at work.

    Parameters
    ----------
    what : str
        Its name.
    since : float
        When it began, in seconds of a clock that only the caller needs to know.
    """

    def __init__(self, what: str, since: float) -> None:
        self.what = what
        self.since = since
        self.due = _FIRST_LINE_AFTER
        """After how many seconds the next line is."""
        self.how_far = ""
        self._pace: _Pace | None = None

    def told(self, how_far: str, share: float | None, now: float) -> None:
        """Counting may begin anew: a check resamples once for each slice."""
        self.how_far = how_far
        if share is None:
            self._pace = None
        elif self._pace is None or share < self._pace.share:
            self._pace = _Pace(now, share, now, share)
        else:
            self._pace = _Pace(self._pace.began, self._pace.from_share, now, share)

    def seconds(self, now: float) -> int:
        """How long it has been at work."""
        return round(now - self.since)

    def left(self, now: float) -> str:
        """``14 s left``; nothing where nobody knows, or where it should have been done by now."""
        seconds = self._pace.left(now) if self._pace else 0.0
        return f"{_duration(seconds)} left" if seconds > 0 else ""

    def words(self, now: float) -> str:
        """``resample 1,200 of 2,000, 14 s left``."""
        return ", ".join(filter(None, [self.how_far, self.left(now)]))


@dataclass(frozen=True, slots=True)
class _Pace:
    """How fast a share grows: from the time and share at its beginning to those of the last word."""

    began: float
    from_share: float
    told: float
    share: float

    def left(self, now: float) -> float:
        """Seconds; 0 where nothing was done yet."""
        done = self.share - self.from_share
        return (self.told - self.began) / done * (1 - self.share) - (now - self.told) if done > 0 else 0.0


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 6000 else f"{math.ceil(seconds / 3600)} h"


# --- how it is shown


class _View(Protocol):
    def show(self, works: Sequence[Work], now: float) -> None:
        """Of works within works, the innermost last."""

    def stop(self) -> None:
        """No more."""


class _Lines:
    """Lines that stay: after 2, 4, 8, … seconds of one thing."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def show(self, works: Sequence[Work], now: float) -> None:
        work = works[-1]
        if now - work.since < work.due:
            return
        words = "".join(f", {part}" for part in [work.words(now)] if part)
        self._screen.write(f"\nmlops: still at work on {work.what}{words} ({work.seconds(now)} s)\n")
        for each in works:  # the outer ones need no line of their own as soon as this one ends
            each.due = max(each.due, 2 * each.seconds(now))

    def stop(self) -> None:
        pass


class _LiveLine:
    """One line, drawn on a fresh line once a thing has been at work for a second, and erased in the end."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._live: Live | None = None

    def show(self, works: Sequence[Work], now: float) -> None:
        work = works[-1]
        if self._live is None:
            if now - work.since < _LIVE_AFTER:
                return
            self._screen.write("\n")
            self._live = self._started()
        columns = self._live.console.width = self._screen.columns
        words = work.words(now) or f"{_duration(max(now - work.since, 1))} so far"
        self._live.update(_fitted(f"mlops: {work.what}", f" – {words}", columns - 1), refresh=True)

    def stop(self) -> None:
        if self._live is not None:
            self._live.stop()

    def _started(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        console = Console(
            file=cast("IO[str]", self._screen), force_terminal=True, force_jupyter=False, color_system=None,
            markup=False, emoji=False, highlight=False, _environ={},
        )  # fmt: skip
        live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
        live.start()
        console.show_cursor()  # it was hidden, and a test that kills this process would leave it so
        return live


def _fitted(name: str, words: str, columns: int) -> Any:
    """A line that fits: what is known is worth more than the end of a long name."""
    from rich.cells import cell_len
    from rich.text import Text

    head = Text(name, no_wrap=True)
    head.truncate(max(columns - cell_len(words), columns // 2), overflow="ellipsis")
    head.append(words)
    head.truncate(columns, overflow="ellipsis")
    return head


class Screen:
    """A terminal or log that others may close, or put another file in the place of: then nothing is written any more.

    Parameters
    ----------
    descriptor : int
        Is closed by `close`.
    """

    encoding = "utf-8"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._known = os.fstat(descriptor)

    @classmethod
    def of_this_process(cls) -> Screen | None:
        """With a descriptor of our own: pytest captures the usual one while a test runs."""
        try:
            return cls(os.dup(sys.__stdout__.fileno())) if sys.__stdout__ else None
        except (OSError, ValueError):
            return None

    @property
    def can_redraw(self) -> bool:
        """Does it do more than print? The log of a CI does not, whatever it calls itself."""
        dumb = os.name != "nt" and os.environ.get("TERM", "") in _DUMB
        return os.isatty(self._descriptor) and not dumb and os.environ.get("CI", "").lower() in ("", "false")

    @property
    def columns(self) -> int:
        """How wide it is right now; the usual width where it does not know."""
        return os.get_terminal_size(self._descriptor).columns or _USUAL_COLUMNS

    def write(self, text: str) -> int:
        """All of it, as a file does: rich writes here."""
        if self._is_ours():
            with suppress(OSError):
                os.write(self._descriptor, text.encode(self.encoding, "replace"))
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""

    def isatty(self) -> bool:
        """Is it a terminal?"""
        return self._is_ours() and os.isatty(self._descriptor)

    def close(self) -> None:
        """No more."""
        if self._is_ours():
            os.close(self._descriptor)

    def _is_ours(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._known)
        except OSError:
            return False
