"""Where a test stands, for readers that make a link of it."""

from __future__ import annotations

from pathlib import PurePosixPath

from pytest_mlops.verdict.result import CheckResult

from .text import plain

_LONGEST_PATH = 1_000


def place(result: CheckResult) -> tuple[str, int | None] | None:
    """File and line (from 1) of the test, as far as they are known."""
    test = result.details.get("test")
    file = inside(test["file"]) if test else None
    if test is None or file is None:
        return None
    return file, None if test["line"] is None else max(1, test["line"])


def inside(path: str) -> str | None:
    """The path with slashes, or None where it leaves the repository: a reader makes a link of it."""
    if len(path) > _LONGEST_PATH:
        return None
    parts = PurePosixPath(plain(path.replace("\\", "/"))).parts
    if not parts or parts[0].startswith("/") or ":" in parts[0] or any(part.strip() == ".." for part in parts):
        return None
    return "/".join(parts)
