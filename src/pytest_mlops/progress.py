"""A line on what takes long, and nothing on what does not."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .report.text import plain

if TYPE_CHECKING:
    import pytest

_FIRST_AFTER = 2.0


class Progress:
    """Says after 2, 4, 8, … seconds what is still at work.

    Parameters
    ----------
    descriptor : int or None
        Where to write; None for nowhere.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._at = ""

    @classmethod
    def of(cls, config: pytest.Config) -> Progress:
        """Where this run's terminal is. A worker has none, and ``-q`` wants none."""
        quiet = config.get_verbosity() < 0
        return cls(None if quiet or hasattr(config, "workerinput") else _terminal())

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """While the block runs."""
        self._at = ""
        if self._descriptor is None:
            yield
            return
        done = threading.Event()
        teller = threading.Thread(target=self._tell, args=(plain(what), done), daemon=True)
        teller.start()
        try:
            yield
        finally:
            done.set()
            teller.join()

    def tell(self, how_far: str) -> None:
        """How far it is, shown with the next line."""
        self._at = f", {plain(how_far)}"

    def close(self) -> None:
        """No more lines."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _tell(self, what: str, done: threading.Event) -> None:
        assert self._descriptor is not None
        started, wait = time.monotonic(), _FIRST_AFTER
        while not done.wait(wait):
            seconds = round(time.monotonic() - started)
            os.write(self._descriptor, f"\nmlops: still at work on {what}{self._at} ({seconds} s)\n".encode())
            wait = seconds


def _terminal() -> int | None:
    """A descriptor of our own: pytest captures the usual one while a test runs."""
    try:
        return os.dup(sys.__stdout__.fileno()) if sys.__stdout__ else None
    except (OSError, ValueError):
        return None
