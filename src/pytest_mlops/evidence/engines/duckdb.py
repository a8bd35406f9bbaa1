"""Rows that DuckDB reads: relations on any connection, and Parquet files, which may be larger than the memory."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.evidence.values import WAY_ON, incomparable
from pytest_mlops.verdict.errors import EvidenceError

from .base import query_of
from .facts import Reading, double
from .sql import Counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .base import Tell

    Array = NDArray[Any]
    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]


def of_relation(relation: Any, role: str, tell: Tell = None, *, label: str = "DuckDB", opened: Any = None) -> Counted:
    """A relation, which stays on its own connection; one that was `opened` for it lives as long as it does."""
    with query_of(role):
        names, types = list(relation.columns), list(relation.types)
        _refuse_alike(names, role)
        plain = relation.project(", ".join(f"{_quoted(name)} AS c{place}" for place, name in enumerate(names)))
    readings = [_reading(f"c{place}", kind) for place, kind in enumerate(types)]
    return Counted(_Relation(plain, label, opened), names, readings, role, tell)


def connection() -> Any:
    """A database in memory that may spill to disk, and leaves nothing there.

    Raises
    ------
    EvidenceError
        DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError:
        raise EvidenceError("reading Parquet files needs DuckDB: pip install 'pytest-mlops[duckdb]'") from None
    spill = tempfile.mkdtemp(prefix="pytest-mlops-")
    opened = duckdb.connect(config={"preserve_insertion_order": "false", "temp_directory": spill})
    weakref.finalize(opened, shutil.rmtree, spill, ignore_errors=True)
    return opened


@dataclass(frozen=True, slots=True)
class _Relation:
    """An `Engine`."""

    relation: Any
    label: str
    opened: Any
    at_once: int = 4

    def one_row(self, expressions: Sequence[str]) -> Sequence[Any]:
        found: Sequence[Any] = self.relation.aggregate(", ".join(expressions)).fetchall()[0]
        return found

    def groups(self, expression: str) -> tuple[Array, Counts]:
        known = self.relation.project(f"{expression} AS value").filter("value IS NOT NULL")
        found = known.aggregate("value, count(*) AS seen", "value").fetchnumpy()
        return np.ma.getdata(found["value"]), np.ma.getdata(found["seen"]).astype(np.int64)

    def some(self, expressions: Sequence[str], share: float) -> list[Floats]:
        rows = self.relation.filter(f"random() < {double(share)}") if share < 1 else self.relation
        found = rows.project(_named(expressions)).fetchnumpy()
        return [_known(found[f"x{place}"]) for place in range(len(expressions))]

    def cells(self, bounds: Sequence[tuple[str, Floats]]) -> list[Counts]:
        found = self.one_row([f"map_values(histogram({x}, {_doubles(highs)}))" for x, highs in bounds])
        return [
            np.zeros(highs.size, dtype=np.int64) if counts is None else np.array(counts, dtype=np.int64)
            for counts, (_, highs) in zip(found, bounds, strict=True)
        ]

    def rows(self, expressions: Sequence[str], most: int, seed: int) -> list[Array]:
        """Equal rows are drawn one by one: whether one is taken says nothing of its copies."""
        hashed = self.relation.project(f"hash({', '.join(expressions)}) AS row, {_named(expressions)}")
        kinds = hashed.aggregate("row, count(*) AS copies", "row")
        thousands = kinds.project("row, copies, unnest(range((copies + 999) // 1000)) AS thousand")
        each = thousands.project("row, thousand, unnest(range(least(1000, copies - 1000 * thousand))) AS copy")
        lots = each.project(f"row, hash(row, 1000 * thousand + copy, {int(seed)}) AS lot").order("lot, row").limit(most)
        drawn = np.ma.getdata(lots.fetchnumpy()["row"])
        wanted = hashed.filter(f"row IN ({', '.join(map(str, np.unique(drawn).tolist()))})")
        firsts = ", ".join(f"first(x{place}) AS x{place}" for place in range(len(expressions)))
        found = wanted.aggregate(f"row, {firsts}", "row").fetchnumpy()
        order = np.argsort(found["row"])
        places = order[np.searchsorted(found["row"], drawn, sorter=order)]
        return [_objects(found[f"x{place}"])[places] for place in range(len(expressions))]

    def where(self, condition: str) -> _Relation:
        return replace(self, relation=self.relation.filter(condition))


def _named(expressions: Sequence[str]) -> str:
    return ", ".join(f"{expression} AS x{place}" for place, expression in enumerate(expressions))


def _doubles(values: Floats) -> str:
    """Every digit: as text, since a literal number may be a decimal."""
    return "[" + ", ".join(f"'{value!r}'" for value in values.tolist()) + "]::DOUBLE[]"


def _known(values: Any) -> Floats:
    return np.asarray(values.compressed() if isinstance(values, np.ma.MaskedArray) else values, dtype=np.float64)


def _objects(values: Any) -> Array:
    """NULL is None."""
    if not isinstance(values, np.ma.MaskedArray):
        return np.asarray(values)
    found = np.ma.getdata(values).astype(object)
    found[np.ma.getmaskarray(values)] = None
    return found


# --- types


def _reading(column: str, kind: Any) -> Reading | EvidenceError:
    """How a column of a type is read, or why it is not."""
    read = _READINGS.get(kind.id)
    if read is None:
        return incomparable(kind)
    return read(column, kind)


def _number(column: str, kind: Any) -> Reading:
    return Reading("numbers", f"CAST({column} AS DOUBLE)")


def _float(column: str, kind: Any) -> Reading:
    """NaN is missing, as in frames."""
    sql = f"nullif(CAST({column} AS DOUBLE), CAST('NaN' AS DOUBLE))"
    return Reading("numbers", sql, precision="float32" if kind.id == "float" else "float64")


def _moment(column: str, kind: Any) -> Reading:
    why = "it holds dates that are infinite: make them NULL, or a date"
    return Reading("dates", f"CAST(epoch_us({column}) AS DOUBLE)", refused=f"NOT isfinite({column})", why=why)


def _duration(column: str, kind: Any) -> Reading:
    months = f"datepart('year', {column}) <> 0 OR datepart('month', {column}) <> 0"
    why = "it holds intervals of months, which are of no certain length: give days or less"
    return Reading("durations", f"CAST(epoch_us({column}) AS DOUBLE)", refused=months, why=why)


def _name(column: str, kind: Any) -> Reading:
    return Reading("text", f"CAST({column} AS VARCHAR)")


def _vector(column: str, kind: Any) -> Reading | EvidenceError:
    child = next(value for name, value in kind.children if name == "child")
    if child.id not in _NUMBERS:
        return EvidenceError(f"it holds lists of the type {kind}, expected vectors of numbers: {WAY_ON}")
    return Reading("vectors", f"len({column})", row=column)


_NUMBERS = (
    "boolean", "tinyint", "smallint", "integer", "bigint", "hugeint",
    "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint", "decimal", "float", "double",
)  # fmt: skip
_MOMENTS = ("date", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone")
_READINGS = {
    **dict.fromkeys(_NUMBERS, _number),
    **dict.fromkeys(("float", "double"), _float),
    **dict.fromkeys(_MOMENTS, _moment),
    **dict.fromkeys(("varchar", "enum", "uuid", '"null"', "null"), _name),
    **dict.fromkeys(("list", "array"), _vector),
    "interval": _duration,
}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _refuse_alike(names: Sequence[str], role: str) -> None:
    """DuckDB takes the case of names for nothing: of two such columns it would read the first one twice."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other is not name:
            raise EvidenceError(f"mlops_{role} has two columns that DuckDB cannot tell apart, {other!r} and {name!r}: "
                                f"rename one of them")  # fmt: skip
