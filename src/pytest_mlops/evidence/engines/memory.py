"""Samples whose rows are in memory: frames of pandas, Polars and PyArrow, mappings and arrays.

The frame stays as it is; one column at a time becomes an array, when a check asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.evidence import fingerprint
from pytest_mlops.evidence.profile import COUNTED, Categories, ColumnProfile
from pytest_mlops.evidence.reading import profile_of_counts, profile_of_values, text
from pytest_mlops.evidence.values import WAY_ON, incomparable
from pytest_mlops.verdict.errors import EvidenceError

from .base import Profiled, each, refuse_absent
from .stretches import stretches

if TYPE_CHECKING:
    import narwhals as nw
    from numpy.typing import NDArray

    from .base import Found, Tell

    Array = NDArray[Any]
    Rows = NDArray[np.intp] | None


class Memory(Profiled):
    """Columns in memory.

    Parameters
    ----------
    columns : mapping of arrays, or narwhals DataFrame
    role, engine, tell
        As of any sample.
    rows : integer array, or None
        The places of the rows that belong to it; all of them by default.
    """

    def __init__(
        self, columns: Mapping[str, Array] | nw.DataFrame[Any], role: str, engine: str, tell: Tell = None,
        *, rows: Rows = None,
    ) -> None:  # fmt: skip
        self._columns, self._rows = columns, rows
        self._own_names = {str(name): name for name in _names(columns)}
        lengths = {len(column) for column in columns.values()} if isinstance(columns, Mapping) else {len(columns)}
        if len(lengths) > 1:
            raise EvidenceError(
                f"mlops_{role} has columns of different lengths: give a table of at least one row and one column"
            )
        n = max(lengths, default=0) if rows is None else rows.size
        super().__init__(role, engine, map(str, _names(columns)), n, tell)
        self._digest: str | None = None

    def blocks(self, time: str, most: int, rows: int) -> list[Memory]:
        """Views: no row is copied before a column of it is read."""
        refuse_absent(self, [time])
        profile = self._one_profile(time)
        cut = stretches(time, profile, most, rows)
        order = np.argsort(_ordering(self._array(time), profile.holds), kind="stable")
        places = (np.sort(order[stretch.before : stretch.before + stretch.rows]) for stretch in cut)
        within = places if self._rows is None else (self._rows[some] for some in places)
        return [Memory(self._columns, self.role, self.engine, self._tell, rows=some) for some in within]

    def take(self, names: Sequence[str], most: int, seed: int) -> dict[str, Array]:
        """By a hash of the row, of which copy of equal rows it is, and of the seed."""
        refuse_absent(self, names)
        arrays = {name: self._array(name) for name in names}
        places = _drawn(_hashes(arrays), most, seed)
        return {name: array[places] for name, array in arrays.items()}

    def digests(self) -> dict[str, Any]:
        """How many rows, and sha256 of them in any order; None where a column holds what has no value."""
        if self._digest is None:
            try:
                self._digest = fingerprint.digest(fingerprint.row_keys(_Arrays(self)), ordered=False)
            except fingerprint.NoValueError:
                return {"rows": self.rows, "data": None}
        return {"rows": self.rows, "data": self._digest}

    def _read(self, names: Sequence[str]) -> Found:
        return each(self, names, self._profile)

    def _profile(self, name: str) -> ColumnProfile:
        if isinstance(self._columns, Mapping):
            return profile_of_values(self._array(name))
        return profile_of_series(self._series(name, self._columns))

    def _array(self, name: str) -> Array:
        if isinstance(self._columns, Mapping):
            column = np.asarray(self._columns[name])
            return column if self._rows is None else column[self._rows]
        return np.asarray(self._series(name, self._columns).to_numpy())

    def _series(self, name: str, frame: nw.DataFrame[Any]) -> nw.Series[Any]:
        series = frame.get_column(self._own_names[name])
        return series if self._rows is None else series[self._rows]


def _names(columns: Mapping[str, Array] | nw.DataFrame[Any]) -> list[Any]:
    """As the library knows them: of pandas they may be numbers."""
    return list(columns) if isinstance(columns, Mapping) else columns.columns


class _Arrays(Mapping[str, "Array"]):
    """The columns of a sample, each an array of shape (n,) for as long as somebody looks at it."""

    def __init__(self, sample: Memory) -> None:
        self._sample = sample

    def __getitem__(self, name: str) -> Array:
        array = self._sample._array(name)
        return array if array.ndim == 1 else _of_vectors(array)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sample.names)

    def __len__(self) -> int:
        return len(self._sample.names)


# --- one column of a frame


def profile_of_series(series: nw.Series[Any]) -> ColumnProfile:
    """By the fastest way that its library knows.

    Raises
    ------
    EvidenceError
        It holds what cannot be compared.
    """
    if is_text(series.dtype) and not _is_object(series):
        return _of_names(series)
    series, missing = _without_nulls(_plain(series))
    found = profile_of_values(np.asarray(series.to_numpy()))
    return replace(found, missing=found.missing + missing) if missing else found


def is_text(dtype: Any) -> bool:
    """Are its values names, by its type?"""
    import narwhals as nw

    return any(dtype == kind for kind in (nw.String, nw.Categorical, nw.Enum))


def profile_of_value_counts(names: nw.Series[Any], counts: nw.Series[Any]) -> ColumnProfile:
    """Of text, counted by its library."""
    missing = int(counts.filter(names.is_null()).sum()) if names.null_count() else 0
    distinct = len(names) - int(names.null_count())
    if distinct > COUNTED and names.dtype == _string():
        return text(Categories.of({}, values=int(counts.sum()) - missing, distinct=distinct), missing)
    return profile_of_counts(names.to_list(), counts.to_numpy())


def _string() -> Any:
    import narwhals as nw

    return nw.String


def _of_names(series: nw.Series[Any]) -> ColumnProfile:
    counted = series.alias("name").value_counts(name="count")
    return profile_of_value_counts(counted["name"], counted["count"])


def _is_object(series: nw.Series[Any]) -> bool:
    """Of Python objects nothing is known before each of them was looked at."""
    dtype = getattr(series.to_native(), "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.kind == "O"


def _plain(series: nw.Series[Any]) -> nw.Series[Any]:
    """As a type that numpy holds: moments in UTC, decimals as floats."""
    import narwhals as nw

    dtype = series.dtype
    if dtype == nw.Struct:
        raise incomparable(dtype)
    if isinstance(dtype, nw.Datetime) and dtype.time_zone is not None:
        return series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    if dtype == nw.Decimal and not series.implementation.is_polars():
        return series.cast(nw.String).cast(nw.Float64)  # PyArrow's own way is off by a last bit now and then
    if any(dtype == kind for kind in (nw.Decimal, nw.Int128, nw.UInt128)):
        return series.cast(nw.Float64)
    return series


def _without_nulls(series: nw.Series[Any]) -> tuple[nw.Series[Any], int]:
    """A null turns integers into floats, and booleans into objects. What numpy holds has none."""
    if isinstance(getattr(series.to_native(), "dtype", None), np.dtype):
        return series, 0
    missing = int(series.null_count())
    return (series.drop_nulls(), missing) if missing else (series, 0)


# --- rows at random


def _hashes(arrays: Mapping[str, Array]) -> NDArray[np.uint64]:
    return fingerprint.row_keys({name: _hash(name, array) for name, array in arrays.items()})


def _hash(name: str, array: Array) -> NDArray[np.uint64]:
    """One a value, or a vector."""
    try:
        return fingerprint.column_keys(array) if array.ndim == 1 else _of_vectors(array)
    except fingerprint.NoValueError:
        return _of_vectors(_stacked(name, array))


def _stacked(name: str, array: Array) -> Array:
    try:
        stacked = np.array(array.tolist(), dtype=np.float64)
    except (TypeError, ValueError):
        stacked = array
    if stacked.ndim != 2:
        raise EvidenceError(f"the column {name!r} holds what has no value to choose rows by: {WAY_ON}")
    return stacked


def _of_vectors(vectors: Array) -> NDArray[np.uint64]:
    return fingerprint.row_keys({str(place): vectors[:, place] for place in range(vectors.shape[1])})


def _drawn(hashes: NDArray[np.uint64], most: int, seed: int) -> NDArray[np.intp]:
    """Places of rows. Equal rows are drawn one by one: whether one is taken says nothing of its copies."""
    order = np.argsort(hashes, kind="stable")
    sorted_ = hashes[order]
    first = np.flatnonzero(np.append(True, sorted_[1:] != sorted_[:-1]))
    copies = np.arange(hashes.size) - np.repeat(first, np.diff(np.append(first, hashes.size)))
    lots = fingerprint.row_keys(
        {"row": sorted_, "copy": copies, "seed": np.full(hashes.size, seed % 2**64, dtype=np.uint64)}
    )
    drawn = np.argpartition(lots, most)[:most] if most < lots.size else np.arange(lots.size)
    return order[drawn[np.argsort(lots[drawn], kind="stable")]]


def _ordering(times: Array, holds: str | None) -> Array:
    """What can be sorted: objects as numbers or moments, which may be of several zones."""
    if times.dtype.kind != "O":
        return times
    if holds == "numbers":
        return times.astype(np.float64)
    import pandas as pd

    if holds == "durations":
        return np.asarray(pd.to_timedelta(times))
    return np.asarray(pd.to_datetime(times, utc=True).tz_localize(None))
