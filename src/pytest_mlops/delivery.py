"""Hands the report out: files in the report directory, and GitHub's job summary.

`gate.json` is the decision: where it cannot be kept, the caller blocks. The other files say it again, each to its
reader: one that cannot be written is told of, and changes nothing.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from .report.formats import FORMATS, files
from .verdict.result import GateReport

DECISION = "gate.json"
_MOST_JOB_SUMMARY = 1_000_000
"""Bytes: GitHub drops a job summary of more than 1 MiB as a whole, and says nothing."""


def clear(directory: Path) -> None:
    """Make the directory; take away an earlier run's report, so that after a run that is killed none stands there.

    Raises
    ------
    OSError
        The directory does not let us, or somebody else's `gate.json` lies there. `deliver` tells of the other files.
    """
    _prepare(directory)
    for name, file in files().items():
        with suppress(*(() if file == DECISION else (OSError,))):
            if not _is_ours(directory / file, FORMATS[name].mark):
                raise _not_ours(directory / file)
            (directory / file).unlink(missing_ok=True)


def deliver(report: GateReport, directory: Path, environment: Mapping[str, str], formats: Iterable[str]) -> list[str]:
    """Write the files, each whole or not at all.

    Parameters
    ----------
    report : GateReport
    directory : Path
    environment : mapping
        May name GitHub's job summary, to which the Markdown is added.
    formats : iterable of str
        Names of `FORMATS`; those that are no files are left out. `"json"` is always written.

    Returns
    -------
    list of str
        For each file but `gate.json` that could not be written: which, and why.

    Raises
    ------
    OSError
        `gate.json` cannot be written: the decision cannot be kept.
    """
    _prepare(directory)
    _replace(directory, "json", FORMATS["json"].render(report))
    texts: dict[str, str] = {}
    unwritten: list[str] = []
    for name, file in files(formats).items():
        if file == DECISION:
            continue
        try:
            texts[name] = FORMATS[name].render(report)
            _replace(directory, name, texts[name])
        except Exception as error:  # whatever a reader of the report does wrong, the decision stands
            unwritten.append(f"{file} ({_why(error)})")
    if environment.get("GITHUB_STEP_SUMMARY") and "markdown" in texts:
        unwritten.extend(_add_to_job_summary(Path(environment["GITHUB_STEP_SUMMARY"]), texts["markdown"]))
    return unwritten


def _add_to_job_summary(path: Path, text: str) -> Iterator[str]:
    try:
        with path.open("ab") as summary:
            if summary.tell() + len(text.encode()) > _MOST_JOB_SUMMARY:
                yield "GitHub's job summary (it would have more than 1 MB, and be dropped as a whole)"
                return
            summary.write(text.encode())
    except OSError as error:
        yield f"GitHub's job summary ({_why(error)})"


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"{type(error).__name__}: {error}"


def _is_ours(path: Path, mark: str) -> bool:
    """Or nobody's. A directory may hold a `summary.md` of somebody else's: it is neither removed nor replaced."""
    if not path.is_file():
        return True
    with path.open(encoding="utf-8", errors="replace") as file:  # somebody's may be large
        head = file.read(400)
    return mark in head or head.strip() in ("", "[]")  # nothing is in it


def _not_ours(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "there is a file of that name that is no report of ours", str(path))


def _prepare(directory: Path) -> None:
    if not directory.exists():
        directory.mkdir(parents=True)
        (directory / ".gitignore").write_text("# Made by pytest-mlops.\n*\n", encoding="utf-8")


def _replace(directory: Path, name: str, text: str) -> None:
    target = directory / files()[name]
    if not _is_ours(target, FORMATS[name].mark):
        raise _not_ours(target)
    write_whole(target, text)


def write_whole(target: Path, text: str) -> None:
    """The whole of it, or nothing: whoever is killed meanwhile leaves no half report.

    Raises
    ------
    OSError
        It cannot be written.
    """
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such directory", str(target.parent))
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".staged-")
    staged = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        staged.chmod(0o644)
        staged.replace(target)
    finally:
        with suppress(FileNotFoundError):
            staged.unlink()
