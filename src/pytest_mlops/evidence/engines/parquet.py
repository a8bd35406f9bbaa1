"""Parquet files as one relation of DuckDB: out of core, and only if all have the same columns."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_mlops.verdict.errors import EvidenceError

from .base import first_line
from .duckdb import connection, of_relation
from .sql import Counted

if TYPE_CHECKING:
    from .base import Tell

SUFFIXES = (".parquet", ".pq")

_LONGEST = 200


def of_path(path: str, role: str, tell: Tell = None) -> Counted:
    """A file, a pattern of files, or a directory with all that is in it.

    Raises
    ------
    EvidenceError
        There are no such files, one is no Parquet, or they have different columns; or DuckDB is not installed.
    """
    files = _files(path, role)
    opened = connection()
    try:
        _refuse_different(_schemas(opened, files), role)
        relation = opened.sql("SELECT * FROM read_parquet(?)", params=[files])  # which reads year=2026/ as a column
    except EvidenceError:
        raise
    except Exception as error:
        raise EvidenceError(f"mlops_{role} cannot be read from {path!r} as Parquet: {first_line(error)}") from error
    return of_relation(relation, role, tell, opened=opened)


def _files(path: str, role: str) -> list[str]:
    if "://" in path:
        raise EvidenceError(
            f"mlops_{role} is the address {path!r}, and only files are read: fetch it first, or give the relation "
            f"duckdb.read_parquet({path!r})"
        )
    try:
        return _found(path, role)
    except OSError as error:  # a name that is too long, a directory that nobody may look into
        raise EvidenceError(
            f"mlops_{role}: {path[:_LONGEST]!r} cannot be looked up ({error.strerror}): check the path and who may "
            f"read it"
        ) from error


def _found(path: str, role: str) -> list[str]:
    place = Path(path)
    if place.is_dir():
        files = sorted(str(file) for file in place.rglob("*") if _is_ours(file.relative_to(place)) and file.is_file())
        what = f"the directory {path!r} holds no Parquet file (*.parquet, *.pq)"
    elif place.is_file():
        files, what = [str(place)], ""
    else:
        files = sorted(file for file in glob.glob(path, recursive=True) if Path(file).is_file())
        what = f"there is no file {path!r}" if glob.escape(path) == path else f"no file matches {path!r}"
    if not files:
        raise EvidenceError(f"mlops_{role}: {what}: check the path, or write the files first")
    return [glob.escape(file) for file in files]


def _is_ours(file: Path) -> bool:
    """Writers keep what is not done yet under names that begin with _ or a dot."""
    return file.suffix.lower() in SUFFIXES and not any(part.startswith(("_", ".")) for part in file.parts)


def _schemas(opened: Any, files: list[str]) -> dict[str, frozenset[tuple[str, ...]]]:
    """Of each file its columns and their types; whether they may be missing is no difference."""
    rows = opened.execute(
        "SELECT file_name, name, type, logical_type, num_children FROM parquet_schema(?) WHERE type IS NOT NULL",
        [files],
    ).fetchall()
    found: dict[str, set[tuple[str, ...]]] = {}
    for file, *column in rows:
        found.setdefault(file, set()).add(tuple(map(str, column)))
    return {file: frozenset(columns) for file, columns in found.items()}


def _refuse_different(schemas: dict[str, frozenset[tuple[str, ...]]], role: str) -> None:
    first, *others = sorted(schemas.items())
    for file, columns in others:
        if columns != first[1]:
            names = sorted({name for name, *_ in columns ^ first[1]})
            raise EvidenceError(
                f"the files of mlops_{role} are of different columns: {_listed(names)} of {Path(file).name!r} "
                f"{'is' if len(names) == 1 else 'are'} not as in {Path(first[0]).name!r}: write them with one schema"
            )


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(map(repr, names[:3])) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
