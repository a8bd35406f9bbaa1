"""A column in memory, as numpy holds it, becomes a profile. Objects are told apart first, and looked at once each."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pytest_mlops.statistics.distribution import EXACT, Distribution
from pytest_mlops.verdict.errors import EvidenceError

from .profile import COUNTED, Categories, ColumnProfile
from .values import NESTED, REAL, WAY_ON, boxed, incomparable, name_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .profile import Holds

    Array = NDArray[Any]
    Counts = NDArray[np.int64]

_PRECISIONS = {2: "float16", 4: "float32"}
_A_FEW = 100
_VECTORS_AT_ONCE = 1_000


def profile_of_values(values: Array) -> ColumnProfile:
    """What a column holds, and how often.

    Parameters
    ----------
    values : array of shape (n,), or (n, d) for vectors
        NaN, NaT, None and NA are missing; infinities are values. Integers beyond 2^53 become the nearest float64.

    Raises
    ------
    EvidenceError
        It holds what is neither a number, a moment, a name nor a vector: the message says what.
    """
    try:
        return _READERS.get(values.dtype.kind, _refused)(values) if values.ndim == 1 else _table(values)
    except EvidenceError:
        raise
    except (TypeError, ValueError, ArithmeticError) as error:
        raise EvidenceError(f"its values cannot be read ({error})") from None


def profile_of_counts(values: ArrayLike | Sequence[object], counts: ArrayLike, missing: int = 0) -> ColumnProfile:
    """The same profile, of what an engine has counted.

    Parameters
    ----------
    values : array or sequence
        The distinct values; a missing one may be among them. Text in any number; of numbers and moments all.
    counts : integers, as many
    missing : int
        Rows without a value, beside those that `counts` has.

    Raises
    ------
    EvidenceError
        As `profile_of_values`.
    """
    import pandas as pd

    distinct = values if isinstance(values, np.ndarray) else boxed(list(cast(Sequence[object], values)))
    seen = np.asarray(counts, dtype=np.int64)
    there = ~pd.isna(distinct) & (seen > 0)
    missing += int(seen[~there].sum())
    try:
        return _counted(distinct[there], seen[there], missing)
    except EvidenceError:
        raise
    except (TypeError, ValueError, ArithmeticError) as error:
        raise EvidenceError(f"its values cannot be read ({error})") from None


def numbers(
    holds: Holds, distribution: Distribution, missing: int, *, binary: bool = False, precision: str = "float64"
) -> ColumnProfile:
    """The profile of numbers or moments that are counted already."""
    return ColumnProfile(holds, distribution.n, missing, distribution, binary=binary, precision=precision)


def text(categories: Categories, missing: int) -> ColumnProfile:
    """The profile of names that are counted already."""
    return ColumnProfile("text", categories.values, missing, categories=categories)


# --- numbers and moments


def _floats(column: Array) -> ColumnProfile:
    values = column
    if column.size and np.isnan(column.min()):
        values = column[~np.isnan(column)]
    return _of_numbers(values, column.size - values.size, _PRECISIONS.get(column.dtype.itemsize, "float64"))


def _of_numbers(values: Array, missing: int = 0, precision: str = "float64") -> ColumnProfile:
    if not values.size:
        return ColumnProfile(None, 0, missing)
    return numbers("numbers", Distribution.of(values), missing, binary=_all_0_or_1(values), precision=precision)


def _booleans(column: Array) -> ColumnProfile:
    ones = int(np.count_nonzero(column))
    counts = np.array([column.size - ones, ones])
    seen = counts > 0
    return _counted(np.array([0, 1])[seen], counts[seen], 0)


def _all_0_or_1(values: Array) -> bool:
    """Most columns tell by their first few."""
    return all(bool(((some == 0) | (some == 1)).all()) for some in (values[:_A_FEW], values))


def _moments(column: Array) -> ColumnProfile:
    there = ~np.isnat(column)
    values = column if there.all() else column[there]
    if not values.size:
        return ColumnProfile(None, 0, column.size)
    return numbers(_HOLDS[column.dtype.kind], Distribution.of(_microseconds(values)), column.size - values.size)


def _microseconds(values: Array) -> NDArray[np.int64]:
    fine = values.astype(f"{values.dtype.kind}8[us]")
    coarse = np.datetime_data(values.dtype)[0] in ("Y", "M", "W", "D", "h", "m", "s", "ms")
    if coarse and (fine.astype(values.dtype) != values).any():
        raise EvidenceError("it holds moments too far away to be counted in microseconds")
    return fine.astype(np.int64)


# --- objects


def _objects(column: Array) -> ColumnProfile:
    import pandas as pd

    if isinstance(_first(column), NESTED):
        return _vectors(column)
    try:
        codes, distinct = pd.factorize(column)
    except TypeError:
        raise _nested(column) from None
    missing = int(np.count_nonzero(codes < 0))
    counts = np.bincount(codes[codes >= 0] if missing else codes, minlength=len(distinct))
    return _counted(np.asarray(distinct, dtype=object), counts, missing)


def _first(column: Array) -> object:
    """The first value that is there."""
    import pandas as pd

    for start in range(0, column.size, _VECTORS_AT_ONCE):
        some = column[start : start + _VECTORS_AT_ONCE]
        there = np.flatnonzero(~pd.isna(some))
        if there.size:
            return some[there[0]]
    return None


def _counted(distinct: Array, counts: Counts, missing: int) -> ColumnProfile:
    """Objects are numbers, dates or durations only where all of them are."""
    if not distinct.size:
        return ColumnProfile(None, 0, missing)
    if distinct.dtype.kind not in "OUST":
        return _counted_numbers(distinct, counts, missing)
    types = set(map(type, distinct.tolist()))

    def all_are(*known: type) -> bool:
        return all(issubclass(each, known) for each in types)

    import pandas as pd

    if all_are(*REAL):
        return _counted_numbers(distinct.astype(np.float64), counts, missing)
    if all_are(datetime.date, np.datetime64):
        moments = np.asarray(pd.to_datetime(distinct, utc=True).tz_localize(None))
        return _counted_numbers(moments, counts, missing)
    if all_are(datetime.timedelta, np.timedelta64):
        return _counted_numbers(np.asarray(pd.to_timedelta(distinct)), counts, missing)
    if all_are(str) and distinct.size > COUNTED:
        return text(Categories.of({}, values=int(counts.sum()), distinct=distinct.size), missing)
    return text(Categories.of(_named(distinct, counts)), missing)


def _counted_numbers(distinct: Array, counts: Counts, missing: int) -> ColumnProfile:
    kind = distinct.dtype.kind
    if kind not in "biufmM":
        _refused(distinct)
    values = _microseconds(distinct) if kind in "mM" else distinct
    found = Distribution.of_counts(values, counts)
    precision = _PRECISIONS.get(distinct.dtype.itemsize, "float64") if kind == "f" else "float64"
    binary = kind not in "mM" and _all_0_or_1(values)
    return numbers(
        _HOLDS.get(kind, "numbers"), found if found.n <= EXACT else found.trie(), missing,
        binary=binary, precision=precision,
    )  # fmt: skip


def _named(distinct: Array, counts: Counts) -> Counter[str]:
    found: Counter[str] = Counter()
    for value, count in zip(distinct.tolist(), counts.tolist(), strict=True):
        found[name_of(value)] += count
    return found


def _nested(column: Array) -> EvidenceError:
    """Some value has no hash: which?"""
    kind = next((type(value).__name__ for value in column if not _hashable(value)), "object")
    return EvidenceError(f"it holds values of the type {kind}, which are no categories: {WAY_ON}")


def _hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


# --- vectors


def _table(values: Array) -> ColumnProfile:
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise EvidenceError(
            f"it holds arrays of shape {values.shape[1:]} of {values.dtype}, expected vectors of numbers"
        )
    return _of_vectors(len(values), 0, values.shape[1])


def _vectors(column: Array) -> ColumnProfile:
    """Lists or arrays in each row, all of one length."""
    import pandas as pd

    there = column[~pd.isna(column)]
    lengths = sorted(set(map(_length, there)))
    if lengths[0] < 0:
        raise EvidenceError(f"it holds lists beside values that are none: {WAY_ON}")
    if len(lengths) > 1:
        raise EvidenceError(f"it holds lists of {lengths[0]} and of {lengths[-1]} values, vectors are of one length")
    if not all(some.ndim == 2 and some.dtype.kind in "biuf" for some in _stacked(there)):
        raise EvidenceError(f"it holds lists of what is no number, expected vectors: {WAY_ON}")
    return _of_vectors(there.size, column.size - there.size, lengths[0])


def _length(value: object) -> int:
    return len(value) if isinstance(value, NESTED) else -1


def _stacked(vectors: Array) -> Iterator[Array]:
    """Some at a time: all of them may be more than the memory holds twice."""
    for start in range(0, vectors.size, _VECTORS_AT_ONCE):
        yield np.array(vectors[start : start + _VECTORS_AT_ONCE].tolist())


def _of_vectors(values: int, missing: int, dimensions: int) -> ColumnProfile:
    if not dimensions:
        raise EvidenceError("it holds vectors of no numbers")
    return ColumnProfile("vectors" if values else None, values, missing, dimensions=dimensions if values else 0)


# --- by numpy's kinds


def _refused(column: Array) -> ColumnProfile:
    raise incomparable(column.dtype)


_HOLDS: dict[str, Holds] = {"M": "dates", "m": "durations"}
_READERS: dict[str, Callable[[Array], ColumnProfile]] = {
    "b": _booleans,
    "i": _of_numbers,
    "u": _of_numbers,
    "f": _floats,
    "M": _moments,
    "m": _moments,
    "O": _objects,
    "U": lambda column: _objects(column.astype(object)),
    "S": lambda column: _objects(column.astype(object)),
    "T": lambda column: _objects(column.astype(object)),
}
