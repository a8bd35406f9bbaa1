"""Rows of both samples as numbers: what a classifier can split, or what has a distance."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from .values import NESTED, REAL, WAY_ON, incomparable, name_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Floats = NDArray[np.float64]

_DENSE = 3
_NAMES = 0.5


@dataclass(frozen=True, slots=True)
class Coded:
    """The same column of both samples.

    Parameters
    ----------
    holds : "numbers", "dates", "durations", "text" or "vectors"
    reference, current : arrays of shape (n, k), (m, k)
        Numbers, NaN where a value is missing; dates and durations in microseconds; of text the codes, the
        most frequent category first. k is 1, or the length of the vectors.
    names : bool
        Does nearly every row have a value of its own, as a name or a number has that is given to a row?
    """

    holds: str
    reference: Floats
    current: Floats
    names: bool = False

    @classmethod
    def of(cls, reference: Array, current: Array) -> Coded:
        """Both, as the same kind of values. A column without any value goes with all others.

        Raises
        ------
        EvidenceError
            They are of different kinds, or of one that cannot be compared.
        """
        (kind, one), (other_kind, other) = _read(reference), _read(current)
        if kind and other_kind and kind != other_kind:
            raise EvidenceError(
                f"the reference holds {kind} and the current sample {other_kind}: give both the same type"
            )
        holds = kind or other_kind or "numbers"
        if holds == "text":
            return _text(one, other)
        if holds == "vectors":
            return _vectors(one, other)
        coarse = [values.dtype for values in (one, other) if values.dtype.kind == "f" and values.dtype.itemsize < 8]
        one, other = (_rounded(values, coarse) for values in (one, other))
        return cls(holds, one[:, None], other[:, None], names=all(map(_numbered, (one, other))))


# --- what a column holds


def _read(column: Array) -> tuple[str | None, Array]:
    """What it holds, None where that is nothing; and its values, NaN (of objects: None) where one is missing."""
    kind = column.dtype.kind
    if column.ndim == 2 and kind in "biuf":
        return "vectors", column
    if column.ndim != 1 or kind not in "biufmMOUST":
        raise incomparable(column.dtype)
    if kind in "mM":
        return _moments(column)
    if kind in "biuf":
        return ("numbers" if kind != "f" or not np.isnan(column).all() else None), column
    return _objects(column.astype(object))


def _moments(column: Array) -> tuple[str | None, Array]:
    what, unit = ("durations", "timedelta64[us]") if column.dtype.kind == "m" else ("dates", "datetime64[us]")
    missing = np.isnat(column)
    values = column.astype(unit).astype(np.int64).astype(np.float64)
    values[missing] = np.nan
    return (None if missing.all() else what), values


def _objects(column: Array) -> tuple[str | None, Array]:
    """Objects, of an own copy, are numbers, dates, durations or vectors only where all of them are."""
    import pandas as pd

    missing = np.asarray(pd.isna(column))
    present = column[~missing]
    types = set(map(type, present.tolist()))
    if not types:
        return None, np.full(column.size, np.nan)
    for known, reader in _READERS:
        if all(issubclass(each, known) for each in types):
            return reader(present, missing)
    column[missing] = None
    return "text", column


def _of_numbers(present: Array, missing: Array) -> tuple[str | None, Array]:
    return "numbers", _placed(present.astype(np.float64), missing)


def _of_dates(present: Array, missing: Array) -> tuple[str | None, Array]:
    import pandas as pd

    moments = np.asarray(pd.to_datetime(present, utc=True).tz_localize(None)).astype("datetime64[us]")
    return "dates", _placed(moments.astype(np.int64).astype(np.float64), missing)


def _of_durations(present: Array, missing: Array) -> tuple[str | None, Array]:
    import pandas as pd

    spans = np.asarray(pd.to_timedelta(present)).astype("timedelta64[us]")
    return "durations", _placed(spans.astype(np.int64).astype(np.float64), missing)


def _of_vectors(present: Array, missing: Array) -> tuple[str | None, Array]:
    lengths = {np.shape(each) for each in present}
    if len(lengths) > 1 or len(next(iter(lengths))) != 1:
        raise EvidenceError(f"it holds lists of different lengths, which are no vectors: {WAY_ON}")
    try:
        vectors = np.stack([np.asarray(each, dtype=np.float64) for each in present])
    except (TypeError, ValueError):
        raise EvidenceError(f"it holds lists of other things than numbers: {WAY_ON}") from None
    return "vectors", _placed(vectors, missing)


_READERS: tuple[tuple[tuple[type, ...], Callable[[Array, Array], tuple[str | None, Array]]], ...] = (
    (REAL, _of_numbers),
    ((datetime.date, np.datetime64), _of_dates),
    ((datetime.timedelta, np.timedelta64), _of_durations),
    (NESTED, _of_vectors),
)


def _placed(values: Floats, missing: Array) -> Floats:
    """Each where it stood, NaN where a value is missing."""
    placed = np.full((missing.size, *values.shape[1:]), np.nan)
    placed[~missing] = values
    return placed


# --- both samples alike


def _rounded(values: Array, coarse: Sequence[np.dtype[Any]]) -> Floats:
    """No more precise than the coarser sample: 0.1 in float32 is another number than in float64."""
    if coarse:
        with np.errstate(over="ignore"):
            values = values.astype(min(coarse, key=lambda dtype: dtype.itemsize))
    return values.astype(np.float64)


def _text(reference: Array, current: Array) -> Coded:
    """The codes are told from both samples together, so that no sample is favoured."""
    import pandas as pd

    values = np.concatenate([reference, current])
    there = ~pd.isna(values)
    named = np.full(values.size, None, dtype=object)
    named[there] = [name_of(value) for value in values[there]]
    counts = pd.Series(named).value_counts()
    frequent = sorted(counts.index, key=lambda name: (-counts[name], name))
    codes = {name: float(code) for code, name in enumerate(frequent)}
    coded = np.array([np.nan if name is None else codes[name] for name in named], dtype=np.float64)
    names = counts.size > _NAMES * counts.sum()
    return Coded("text", coded[: reference.size, None], coded[reference.size :, None], names=bool(names))


def _vectors(reference: Array, current: Array) -> Coded:
    widths = {values.shape[1] for values in (reference, current) if values.ndim == 2}
    if len(widths) > 1:
        raise EvidenceError(
            f"the reference holds vectors of {reference.shape[1]} numbers and the current sample of "
            f"{current.shape[1]}: make both with the same model"
        )
    width = widths.pop()
    one, other = (
        values.astype(np.float64) if values.ndim == 2 else np.full((values.size, width), np.nan)
        for values in (reference, current)
    )
    return Coded("vectors", one, other)


def _numbered(values: Floats) -> bool:
    """Integers without gaps worth the name, each of them once: rows were counted."""
    if not (values.size > 1 and np.isfinite(values).all() and (values == np.floor(values)).all()):
        return False
    distinct = np.unique(values)
    return bool(distinct.size == values.size and distinct[-1] - distinct[0] < _DENSE * values.size)


def holds_vectors(column: Array) -> bool:
    """Is there a list or an array of numbers in each row?"""
    try:
        return _read(np.asarray(column))[0] == "vectors"
    except EvidenceError:
        return False


def coded(reference: Mapping[str, Array], current: Mapping[str, Array]) -> dict[str, Coded]:
    """All columns of the reference, each beside that of the current sample.

    Raises
    ------
    EvidenceError
        A column cannot be compared; it is named.
    """
    found = {}
    for name, values in reference.items():
        try:
            found[name] = Coded.of(np.asarray(values), np.asarray(current[name]))
        except EvidenceError as error:
            raise EvidenceError(f"of the column {name!r}: {error}") from None
    return found


def canonical(values: Floats) -> Array:
    """Places that put rows of numbers in an order which no order of the rows changes."""
    return np.lexsort(values.T[::-1])
