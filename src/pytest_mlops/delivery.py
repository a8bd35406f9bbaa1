"""Hands the report out: files in the report directory, and GitHub's job summary. All of them, or it says so."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TextIO

from .report import machine, markdown
from .verdict.result import GateReport

FILES = ("gate.json", "summary.md")
_OURS = {"gate.json": '"schema_version"', "summary.md": "## Model gate:"}
"""By this in its first lines a file is known to be one of our own."""


def clear(directory: Path) -> None:
    """Make the directory; take away an earlier run's report, so that after a run that is killed none stands there.

    Raises
    ------
    OSError
        The directory does not let us.
    """
    _prepare(directory)
    for name in FILES:
        (directory / name).unlink(missing_ok=True)


def deliver(report: GateReport, directory: Path, environment: Mapping[str, str]) -> None:
    """Write all files, or leave what is there as it was.

    Raises
    ------
    OSError
        Something cannot be written.
    """
    texts = {"gate.json": machine.render(report), "summary.md": markdown.render(report)}
    _prepare(directory)
    staged: dict[Path, Path] = {}
    try:
        for name, text in texts.items():
            staged[directory / name] = _stage(directory, text)
        with _job_summary(environment.get("GITHUB_STEP_SUMMARY")) as summary:
            for target, temporary in staged.items():
                temporary.replace(target)
            if summary:  # last: what has been appended cannot be taken back
                summary.write(texts["summary.md"])
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


def _refuse_files_of_others(directory: Path) -> None:
    """A directory may hold a `summary.md` of somebody else's: it is neither removed nor replaced."""
    for name, mark in _OURS.items():
        path = directory / name
        if path.is_file() and mark not in path.read_text(encoding="utf-8", errors="replace")[:200]:
            raise FileExistsError(errno.EEXIST, "there is a file of that name that is no report of ours", str(path))


def _prepare(directory: Path) -> None:
    _refuse_files_of_others(directory)
    if not directory.exists():
        directory.mkdir(parents=True)
        (directory / ".gitignore").write_text("# Made by pytest-mlops.\n*\n", encoding="utf-8")


def _stage(directory: Path, text: str) -> Path:
    descriptor, name = tempfile.mkstemp(dir=directory, prefix=".staged-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    path = Path(name)
    path.chmod(0o644)
    return path


def _job_summary(path: str | None) -> AbstractContextManager[TextIO | None]:
    return Path(path).open("a", encoding="utf-8") if path else nullcontext()
