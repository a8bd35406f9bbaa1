"""A profile as text, in a file that stands in for data: no rows, no code, and nothing that is believed unchecked."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import metadata, resources
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from . import packing
from .profile import COUNTED, NAMED, Categories, ColumnProfile, Profile
from .suppression import suppressed

SCHEMA_VERSION = 1
SUFFIX = ".profile.json"
MARK = '"pytest_mlops_profile"'
"""What such a file begins with, after its bracket."""

MOST_BYTES = 64_000_000
"""Of a file that is read; 50 columns need 250 KB."""

_FEW = 500
_MOST_UNPACKED = 512_000_000
_QUARTILES = (0, 0.25, 0.5, 0.75, 1)
_WAY_ON = "make it anew with pytest-mlops profile, or take it from version control"


def for_file(profile: Profile, *, hashed: bool | str = False, suppress_below: int = 0) -> Profile:
    """The profile as a file holds it.

    Parameters
    ----------
    profile : Profile
    hashed : bool or str
        Hide the names of categories. Each profile hashes in its own way, so only one of two samples can be such a file,
        unless both are given the same text here.
    suppress_below : int
        No category and no cell of numbers is of fewer rows.

    Returns
    -------
    Profile
        Numbers of more than 500 distinct values are in cells of at most one value in a thousand.
    """
    columns = {name: _bounded(column) for name, column in profile.columns.items()}
    if suppress_below > 1:
        columns = {name: suppressed(column, suppress_below) for name, column in columns.items()}
    if hashed:
        salt = hashed if isinstance(hashed, str) else _own_salt(columns.values())
        columns = {name: column.hidden(salt) for name, column in columns.items()}
    return Profile(profile.rows, columns)


def dumps(profile: Profile, *, hashed: bool | str = False, suppress_below: int = 0) -> str:
    """The text of a file: JSON, one line for each column, the same for the same profile.

    Parameters
    ----------
    profile, hashed, suppress_below
        As in `for_file`.
    """
    kept = for_file(profile, hashed=hashed, suppress_below=suppress_below)
    columns = [_column(name, column) for name, column in kept.columns.items()]
    data = {
        "pytest_mlops_profile": SCHEMA_VERSION,
        "made_by": metadata.version("pytest-mlops"),
        "rows": kept.rows,
        "error": max((column["numbers"]["error"] for column in columns if "numbers" in column), default=0.0),
        "suppressed_below": suppress_below,
        "columns": columns,
    }
    data["sha256"] = _digest(data)
    return "{\n" + ",\n".join(_lines(data)) + "\n}\n"


def load(path: str | Path) -> Profile:
    """The profile of a file that anybody may have written; raises as `load_with_digest` does."""
    return load_with_digest(path)[0]


def load_with_digest(path: str | Path) -> tuple[Profile, str]:
    """The profile of a file, and sha256 of the very bytes that it was read from.

    Raises
    ------
    EvidenceError
        There is none, or it is cut off, altered, of another version, or no profile at all.
    """
    file = Path(path)
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise EvidenceError(
            f"the profile {str(path)!r} cannot be read ({error.strerror or error}): check the path, "
            f"or make it with pytest-mlops profile"
        ) from None
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES // 1_000_000} MB")
        return loads(data.decode("utf-8")), hashlib.sha256(data).hexdigest()
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{file.name!r} cannot be used as a profile: {_capped(error)}: {_WAY_ON}") from None


def loads(text: str) -> Profile:
    """The inverse of `dumps`.

    Raises
    ------
    ValueError
        It is not what `dumps` has written: why.
    """
    data = _parsed(text)
    _refuse_other_versions(data)
    _refuse_other_shapes(data)
    if data["sha256"] != _digest({name: value for name, value in data.items() if name != "sha256"}):
        raise ValueError("it was altered after it was written (its sha256 differs)")
    unpacked = sum(_unpacked_size(column) for column in data["columns"])
    if unpacked > _MOST_UNPACKED:
        raise ValueError(f"it would unpack to {unpacked // 1_000_000:,} MB")
    columns = {column["name"]: _of_column(column, data["rows"]) for column in data["columns"]}
    if len(columns) < len(data["columns"]):
        raise ValueError("two of its columns have one name")
    return Profile(int(data["rows"]), columns)


def schema() -> dict[str, Any]:
    """The JSON Schema of such files."""
    text = resources.files("pytest_mlops").joinpath("profile.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


# --- what a file holds


def _bounded(column: ColumnProfile) -> ColumnProfile:
    """A small sample knows each of its values; the file knows them where they are few."""
    known = column.distribution
    if known is None or known.counts.size <= _FEW or (known.lowest < known.highest).any():
        return column
    return replace(column, distribution=known.trie())


def _own_salt(columns: Iterable[ColumnProfile]) -> str:
    """From what is kept, so that the same data make the same file, and no table of hashes serves for two of them."""
    digests = "".join(column.digest for column in columns)
    return hashlib.sha256(digests.encode()).hexdigest()[:32]


# --- the text


def _column(name: str, column: ColumnProfile) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "kind": column.kind,
        "holds": column.holds,
        "values": column.values,
        "missing": column.missing,
    }
    if column.distribution is not None:
        found["numbers"] = {
            "precision": column.precision,
            "binary": column.binary,
            "error": column.distribution.error,
            "quartiles": [_said(column, value) for value in column.distribution.quantile(_QUARTILES).tolist()],
            "cells": column.distribution.counts.size,
            "packed": packing.packed(column.distribution),
        }
    if column.categories is not None:
        found["categories"] = _categories(column.categories)
    if column.dimensions:
        found["dimensions"] = column.dimensions
    return found


def _categories(categories: Categories) -> dict[str, Any]:
    packed, size = packing.packed_names(categories.counts)
    return {
        "distinct": categories.distinct,
        "others": categories.others,
        "salt": categories.salt,
        "bytes": size,
        "packed": packed,
    }


def _said(column: ColumnProfile, value: float) -> str:
    if column.holds == "dates" and abs(value) < 2**62:
        return str(np.datetime64(int(value), "us").astype("datetime64[s]"))
    return f"{value / 1e6:.4g} s" if column.holds == "durations" else f"{value:.4g}"


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    for name, value in data.items():
        text = ",\n".join(f"  {json.dumps(column)}" for column in value) if name == "columns" else json.dumps(value)
        yield f'"{name}": [\n{text}\n]' if name == "columns" else f'"{name}": {text}'


def _digest(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


# --- the way back


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is cut off, or no JSON (line {error.lineno}: {error.msg})") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ValueError(f"{digits[:20]} is too large a number")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a field stands there twice")
    return found


def _refuse_other_versions(data: Any) -> None:
    version = data.get("pytest_mlops_profile") if isinstance(data, dict) else None
    if type(version) is not int:
        raise ValueError("it does not say that it is a profile of pytest-mlops")
    if version != SCHEMA_VERSION:
        maker = str(data.get("made_by", "another"))[:40]
        raise ValueError(
            f"it has schema version {version} (made by pytest-mlops {maker}), and this pytest-mlops reads "
            f"{SCHEMA_VERSION}"
        )


def _refuse_other_shapes(data: Any) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    mistake = best_match(Draft202012Validator(schema()).iter_errors(data))
    if mistake is not None:
        raise ValueError(f"{mistake.json_path}: {mistake.message[:200]}")


def _unpacked_size(column: Mapping[str, Any]) -> int:
    cells = column["numbers"]["cells"] if "numbers" in column else 0
    return int(cells * packing.BYTES_PER_CELL + (column["categories"]["bytes"] if "categories" in column else 0))


def _of_column(data: Mapping[str, Any], rows: int) -> ColumnProfile:
    try:
        holds, values, missing = data["holds"], int(data["values"]), int(data["missing"])
        found = ColumnProfile(holds, values, missing, **_PARTS[holds](data))
        _refuse_sums(found, rows)
    except KeyError as error:
        raise ValueError(f"the column {data['name']!r} holds {data['holds']}, but has no {error}") from None
    except ValueError as error:
        raise ValueError(f"of the column {data['name']!r}: {error}") from None
    return found


def _numbers(data: Mapping[str, Any]) -> dict[str, Any]:
    of = data["numbers"]
    distribution = packing.unpacked(of["packed"], int(of["cells"]))
    return {"distribution": distribution, "precision": of["precision"], "binary": of["binary"]}


def _text(data: Mapping[str, Any]) -> dict[str, Any]:
    of = data["categories"]
    counts = packing.unpacked_names(of["packed"], int(of["bytes"]))
    found = Categories(counts, int(of["others"]), int(of["distinct"]), of["salt"])
    if len(counts) > (NAMED if found.distinct <= COUNTED else 0):
        raise ValueError("it names more categories than it may")
    if len(counts) > found.distinct or found.complete != (len(counts) == found.distinct):
        raise ValueError("its categories are not as many as it says")
    return {"categories": found}


_PARTS: dict[str | None, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "numbers": _numbers,
    "dates": _numbers,
    "durations": _numbers,
    "text": _text,
    "vectors": lambda data: {"dimensions": int(data["dimensions"])},
    None: lambda data: {},
}


def _refuse_sums(column: ColumnProfile, rows: int) -> None:
    """A count that is too large for its sum would overflow it."""
    if column.rows != rows:
        raise ValueError(f"its values and the missing ones are {column.rows:,}, and there are {rows:,} rows")
    counts = column.distribution.counts.tolist() if column.distribution is not None else []
    counted = sum(counts) if column.categories is None else column.categories.values
    if column.holds in ("vectors", None):
        counted = column.values if column.holds else 0
    if counted != column.values:
        raise ValueError(f"its counts add up to {counted:,}, and it has {column.values:,} values")


def _capped(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 400 else f"{text[:400]}…"
