"""Rows that Spark reads, wherever they are. All is SQL that runs in the JVM: the workers need no Python library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.evidence.values import WAY_ON, boxed, incomparable
from pytest_mlops.verdict.errors import EvidenceError

from .base import query_of
from .facts import Reading
from .sql import Counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .base import Tell

    Array = NDArray[Any]
    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]


def of_frame(frame: Any, role: str, tell: Tell = None) -> Counted:
    """A DataFrame of a session, near or far."""
    with query_of(role):
        fields = list(frame.schema.fields)
        names = [field.name for field in fields]
        plain = frame.toDF(*(f"c{place}" for place in range(len(names))))
    readings = [_reading(f"c{place}", field.dataType) for place, field in enumerate(fields)]
    return Counted(_Frame(plain), names, readings, role, tell)


def needs_java(error: Exception) -> bool:
    """Is it what PySpark says where there is no Java?"""
    of_spark = type(error).__module__.partition(".")[0] == "pyspark"
    return of_spark and any(sign in str(error) for sign in ("JAVA_GATEWAY_EXITED", "JAVA_HOME"))


NO_JAVA = "Spark needs Java 17 or newer, and found none: install it, and set JAVA_HOME to where it is"


@dataclass(frozen=True, slots=True)
class _Frame:
    """An `Engine`."""

    frame: Any
    label: str = "Spark"
    at_once: int = 16

    def one_row(self, expressions: Sequence[str]) -> Sequence[Any]:
        found: Sequence[Any] = self.frame.selectExpr(*expressions).collect()[0]
        return found

    def groups(self, expression: str) -> tuple[Array, Counts]:
        known = self.frame.selectExpr(f"{expression} AS value").where("value IS NOT NULL")
        rows = known.groupBy("value").count().collect()
        return boxed([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=np.int64)

    def some(self, expressions: Sequence[str], share: float) -> list[Floats]:
        rows = self.frame.sample(share, seed=0) if share < 1 else self.frame
        found = rows.selectExpr(*_named(expressions)).collect()
        columns = zip(*found, strict=True) if found else ([] for _ in expressions)
        return [np.array([value for value in column if value is not None], dtype=np.float64) for column in columns]

    def cells(self, bounds: Sequence[tuple[str, Floats]]) -> list[Counts]:
        """All columns in one scan: each row says in which cells it is, and the cells are counted."""
        starts = np.cumsum([0, *(highs.size for _, highs in bounds)]).tolist()
        places = [_place(x, highs, start) for (x, highs), start in zip(bounds, starts, strict=False)]
        counted = self.frame.selectExpr(f"explode(array({', '.join(places)})) AS cell").where("cell IS NOT NULL")
        total = np.zeros(starts[-1], dtype=np.int64)
        for cell, seen in counted.groupBy("cell").count().collect():
            total[cell] = seen
        return np.split(total, starts[1:-1])

    def rows(self, expressions: Sequence[str], most: int, seed: int) -> list[Array]:
        """Equal rows are drawn one by one: whether one is taken says nothing of its copies."""
        flags = [f"isnull({expression})" for expression in expressions]  # a NULL by itself would leave no trace
        hashed = self.frame.selectExpr(f"xxhash64({', '.join([*expressions, *flags])}) AS row", *_named(expressions))
        kinds = hashed.groupBy("row").count()
        thousands = kinds.selectExpr("row", "count", "explode(sequence(0, (count - 1) div 1000)) AS thousand")
        last = "least(999, count - 1 - 1000 * thousand)"
        each = thousands.selectExpr("row", "thousand", f"explode(sequence(0, {last})) AS copy")
        lots = each.selectExpr("row", f"xxhash64(row, 1000 * thousand + copy, {int(seed)}L) AS lot")
        drawn = [row[0] for row in lots.orderBy("lot", "row").limit(most).collect()]
        wanted = hashed.where(f"row IN ({', '.join(f'{row}L' for row in sorted(set(drawn)))})")
        found = {row["row"]: row for row in wanted.dropDuplicates(["row"]).collect()}
        return [boxed([found[row][f"x{place}"] for row in drawn]) for place in range(len(expressions))]

    def where(self, condition: str) -> _Frame:
        return _Frame(self.frame.where(condition), self.label)


def _named(expressions: Sequence[str]) -> list[str]:
    return [f"{expression} AS x{place}" for place, expression in enumerate(expressions)]


def _place(x: str, highs: Floats, start: int) -> str:
    """The cell that a number is in: how many bounds are below it, found by halving. Of NULL it is NULL."""
    steps = [1 << bit for bit in reversed(range(int(highs.size).bit_length()))]
    padded = [*highs.tolist(), *[np.inf] * (2 * steps[0] - 1 - highs.size)]
    # One literal of text, which Spark folds to an array: thousands of literal numbers take it half a minute.
    bounds = f"CAST(split('{','.join(map(repr, padded))}', ',') AS ARRAY<DOUBLE>)"
    found = f"aggregate(array({', '.join(map(str, steps))}), 0, (at, step) -> " \
            f"if({bounds}[at + step - 1] < {x}, at + step, at))"  # fmt: skip
    return f"if({x} IS NULL, NULL, {start} + {found})"


# --- types


def _reading(column: str, kind: Any) -> Reading | EvidenceError:
    """How a column of a type is read, or why it is not."""
    read = _READINGS.get(type(kind).__name__)
    if read is None:
        return incomparable(kind.simpleString())
    return read(column, kind)


def _number(column: str, kind: Any) -> Reading:
    return Reading("numbers", f"CAST({column} AS DOUBLE)")


def _float(column: str, kind: Any) -> Reading:
    """NaN is missing, as in frames."""
    sql = f"nanvl(CAST({column} AS DOUBLE), CAST(NULL AS DOUBLE))"
    return Reading("numbers", sql, precision="float32" if kind.typeName() == "float" else "float64")


def _instant(column: str, kind: Any) -> Reading:
    return Reading("dates", f"CAST(unix_micros({column}) AS DOUBLE)")


def _day(column: str, kind: Any) -> Reading:
    return Reading("dates", f"CAST(unix_date({column}) * 86400000000L AS DOUBLE)")


def _wall_clock(column: str, kind: Any) -> Reading:
    """As it stands: the zone of the session must not move it."""
    return Reading("dates", f"CAST({_micros(column)} AS DOUBLE)")


def _duration(column: str, kind: Any) -> Reading:
    return Reading("durations", f"CAST({_micros(f'(TIMESTAMP_NTZ {_EPOCH} + {column})')} AS DOUBLE)")


_EPOCH = "'1970-01-01 00:00:00'"


def _micros(wall_clock: str) -> str:
    parts = (
        f"unix_date(CAST({wall_clock} AS DATE)) * 86400000000L",
        f"hour({wall_clock}) * 3600000000L",
        f"minute({wall_clock}) * 60000000L",
        f"CAST(extract(SECOND FROM {wall_clock}) * 1000000 AS BIGINT)",
    )
    return f"({' + '.join(parts)})"


def _name(column: str, kind: Any) -> Reading:
    return Reading("text", f"CAST({column} AS STRING)")


def _vector(column: str, kind: Any) -> Reading | EvidenceError:
    if _READINGS.get(type(kind.elementType).__name__) not in (_number, _float):
        listed = kind.simpleString()
        return EvidenceError(f"it holds lists of the type {listed}, expected vectors of numbers: {WAY_ON}")
    return Reading("vectors", f"array_size({column})", row=column)


_INTEGERS = ("ByteType", "ShortType", "IntegerType", "LongType")
_READINGS = {
    **dict.fromkeys((*_INTEGERS, "BooleanType", "DecimalType"), _number),
    **dict.fromkeys(("FloatType", "DoubleType"), _float),
    **dict.fromkeys(("StringType", "CharType", "VarcharType", "NullType"), _name),
    "TimestampType": _instant,
    "TimestampNTZType": _wall_clock,
    "DateType": _day,
    "DayTimeIntervalType": _duration,
    "ArrayType": _vector,
}
