"""A report from a directory that somebody else has filled."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pytest_mlops.report import machine
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.result import GateReport


def read(place: Path) -> GateReport:
    """The report in a directory, or a file.

    Parameters
    ----------
    place : Path
        `gate.json`, or its directory.

    Raises
    ------
    EvidenceError
        There is none, or none that can be trusted.
    """
    path = place / "gate.json" if place.is_dir() else place
    for each in (path, path.parent):
        if each.is_symlink():
            raise EvidenceError(f"{str(each)!r} is a link: a report is read from where it lies")
    try:
        text = _bytes(path).decode("utf-8")
    except FileNotFoundError:
        raise EvidenceError(
            f"there is no {str(path)!r}: the run ended before it wrote its report, or --report is another directory"
        ) from None
    except OSError as error:
        raise EvidenceError(f"{str(path)!r} cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise EvidenceError(f"{str(path)!r} is not UTF-8 text, so it is no report") from None
    return machine.read(text)


def _bytes(path: Path) -> bytes:
    """Of a plain file: a pipe would keep us waiting for ever."""
    with open(path, "rb", opener=_plainly) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise EvidenceError(f"{str(path)!r} is no plain file")
        data = file.read(machine.MOST_BYTES + 1)
    if len(data) > machine.MOST_BYTES:
        raise EvidenceError(f"{str(path)!r} has more than {machine.MOST_BYTES // 1_000_000} MB, so it is no report")
    return data


def _plainly(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
