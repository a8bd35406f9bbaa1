"""What a column of a sample holds, and the same column of two samples side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class ColumnSample:
    """A column of one sample without its missing values.

    Dates and durations are integers, in microseconds; booleans are the numbers 0 and 1.
    """

    holds: str | None
    values: Array
    missing: int

    @classmethod
    def of(cls, column: Array) -> ColumnSample:
        """The values that are there, and how many are not."""
        try:
            holds, values = _values(column)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise EvidenceError(f"its values cannot be read ({error})") from None
        return cls(holds if values.size else None, values, column.size - values.size)


def _values(column: Array) -> tuple[str, Array]:
    """What a column holds and its values, without the missing ones."""
    kind = column.dtype.kind
    if kind == "O":
        return _objects(column)
    if kind in "biuf":
        return "numbers", column[~np.isnan(column)] if kind == "f" else column
    if kind in "mM":
        unit = "timedelta64[us]" if kind == "m" else "datetime64[us]"
        return _MOMENTS[kind], column[~np.isnat(column)].astype(unit).astype(np.int64)
    if kind in "UST":
        return _objects(column.astype(object))
    raise EvidenceError(f"it holds values of the type {column.dtype}, which cannot be compared")


_MOMENTS = {"M": "dates", "m": "durations"}


def _objects(column: Array) -> tuple[str, Array]:
    """Objects are numbers, dates or durations only where all of them are."""
    import datetime
    from decimal import Decimal
    from numbers import Real

    import pandas as pd

    values = column[~pd.isna(column)]
    types = set(map(type, values.tolist()))

    def all_are(*known: type) -> bool:
        return bool(types) and all(issubclass(each, known) for each in types)

    if all_are(Real, Decimal, np.bool_):
        return _values(values.astype(float))
    if all_are(datetime.date, np.datetime64):
        return _values(np.asarray(pd.to_datetime(values, utc=True).tz_localize(None)))
    if all_are(datetime.timedelta, np.timedelta64):
        return _values(np.asarray(pd.to_timedelta(values)))
    return "text", values


@dataclass(frozen=True, slots=True)
class ColumnPair:
    """The same column of both samples."""

    holds: str
    values: tuple[Array, Array]
    missing: tuple[int, int]
    codes: Array | None = field(default=None, repr=False)

    @classmethod
    def of(cls, reference: ColumnSample, current: ColumnSample) -> ColumnPair:
        """Both, as the same kind of values.

        Raises
        ------
        EvidenceError
            They are of different kinds.
        """
        kinds = [sample.holds for sample in (reference, current) if sample.holds]
        if len(set(kinds)) > 1:
            raise EvidenceError(
                f"the reference holds {reference.holds} and the current sample {current.holds}: give both the same type"
            )
        holds = kinds[0] if kinds else "text"
        values = reference.values, current.values
        if holds == "numbers":
            values = _as_precise(*values)
        return cls(holds, values, (reference.missing, current.missing), _coded(*values) if holds == "text" else None)

    @property
    def sizes(self) -> tuple[int, int]:
        """Values that are there."""
        return self.values[0].size, self.values[1].size

    @property
    def text(self) -> bool:
        """Are its values names, without an order?"""
        return self.holds == "text"

    @property
    def measured(self) -> bool:
        """Is it more than yes or no? Booleans may come as numbers: the type of a column is not its meaning."""
        return not self.text and not (
            self.holds == "numbers" and all(((values == 0) | (values == 1)).all() for values in self.values)
        )


def _as_precise(reference: Array, current: Array) -> tuple[Array, Array]:
    """Both as float64, but no more precise than the coarser one: 0.1 in float32 is another number than in float64."""
    coarse = [values.dtype for values in (reference, current) if values.dtype.kind == "f" and values.dtype.itemsize < 8]
    if coarse:
        precision = min(coarse, key=lambda dtype: dtype.itemsize)
        with np.errstate(over="ignore"):
            reference, current = reference.astype(precision), current.astype(precision)
    return reference.astype(np.float64), current.astype(np.float64)


def _coded(reference: Array, current: Array) -> Array:
    import pandas as pd

    try:
        return np.asarray(pd.factorize(np.concatenate([reference, current]))[0])
    except TypeError as error:  # e.g. lists
        raise EvidenceError(f"its values are no categories ({error})") from None
