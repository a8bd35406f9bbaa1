"""Samples that only an engine can count: what is asked of it, in SQL that the engines share, and what follows from it.

An engine answers five questions (see `Engine`), all by aggregation: one row of facts about all columns, the groups of
one column, some of its values at random, how many values lie in each of many cells, and a few rows at random.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from pytest_mlops.evidence.profile import COUNTED, Categories, ColumnProfile
from pytest_mlops.evidence.reading import text
from pytest_mlops.statistics.distribution import EXACT, Distribution, Search
from pytest_mlops.verdict.errors import EvidenceError

from .base import Profiled, query_of, refuse_absent
from .facts import Facts, Reading, asked, double
from .stretches import Stretch, stretches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .base import Found, Tell

    Array = NDArray[Any]
    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

SAMPLE = 100_000
"""So many values, drawn at random, tell where to count. They decide nothing."""

_IN_ONE_PLAN = 40
_ANY_SEED = 2**31
_SURELY = 4
"""Approximate counts of distinct values are off by less than this factor."""


class Engine(Protocol):
    """What counts. All expressions are SQL; each method scans the rows once.

    Attributes
    ----------
    label : str
        For people.
    at_once : int
        Columns whose cells are counted in one scan: a scan of more tells of no progress.
    """

    @property
    def label(self) -> str: ...

    @property
    def at_once(self) -> int: ...

    def one_row(self, expressions: Sequence[str]) -> Sequence[Any]:
        """Aggregates of all rows."""

    def groups(self, expression: str) -> tuple[Array, Counts]:
        """Distinct values and how often each is seen, NULL left out."""

    def some(self, expressions: Sequence[str], share: float) -> list[Floats]:
        """Of each the values of rows at random, NULL left out."""

    def cells(self, bounds: Sequence[tuple[str, Floats]]) -> list[Counts]:
        """Of each how many values are at most each bound and above the one before, NULL left out."""

    def rows(self, expressions: Sequence[str], most: int, seed: int) -> list[Array]:
        """At most so many rows at random: the same ones in any order. NULL is None."""

    def where(self, condition: str) -> Self:
        """Some of the rows."""


class Counted(Profiled):
    """Rows that stay where they are.

    Parameters
    ----------
    engine : Engine
    names, readings : sequences of equal length
        The columns, and how each is read; the error where its type cannot be.
    role, tell, rows
        As of any sample; the engine counts its rows if nobody has.
    """

    def __init__(
        self, engine: Engine, names: Sequence[str], readings: Sequence[Reading | EvidenceError], role: str,
        tell: Tell = None, *, rows: int | None = None,
    ) -> None:  # fmt: skip
        self._by, self._readings = engine, dict(zip(names, readings, strict=True))
        if rows is None:
            with query_of(role):
                rows = int(engine.one_row(["count(*)"])[0]) if names else 0
        super().__init__(role, engine.label, names, rows, tell)

    def blocks(self, time: str, most: int, rows: int) -> list[Counted]:
        """By conditions on the column: the engine finds their rows."""
        refuse_absent(self, [time])
        sql, readings = self._readable(time).sql, list(self._readings.values())
        return [
            Counted(
                self._by.where(_within(sql, stretch)), self.names, readings, self.role, self._tell, rows=stretch.rows
            )
            for stretch in stretches(time, self._one_profile(time), most, rows)
        ]

    def take(self, names: Sequence[str], most: int, seed: int) -> dict[str, Array]:
        """By a hash of the row that is the engine's own: another engine takes other rows of the same data."""
        refuse_absent(self, names)
        readings = [self._readable(name) for name in names]
        with query_of(self.role):
            found = self._by.rows([reading.row or reading.sql for reading in readings], most, seed % _ANY_SEED)
        return {
            name: _as_array(reading.holds, values) for name, reading, values in zip(names, readings, found, strict=True)
        }

    def _readable(self, name: str) -> Reading:
        reading = self._readings[name]
        if isinstance(reading, EvidenceError):
            raise EvidenceError(f"of the column {name!r} of mlops_{self.role}: {reading}")
        return reading

    # --- profiles

    def _read(self, names: Sequence[str]) -> Found:
        found: Found = {name: error for name in names if isinstance(error := self._readings[name], EvidenceError)}
        readings = {name: reading for name in names if isinstance(reading := self._readings[name], Reading)}
        with query_of(self.role):
            self._told(0.0)
            facts = self._all_facts(readings)
            self._told(0.2)
            wide = [name for name, fact in facts.items() if fact.searched]
            for done, (name, fact) in enumerate(facts.items()):
                if not fact.searched:
                    found[name] = self._known(fact)
                    self._told(0.2 + 0.3 * (done + 1) / len(facts))
            for name, cells in self._searched([facts[name] for name in wide], wide):
                found[name] = facts[name].of_numbers(cells)
        self._told(1.0)
        return found

    def _all_facts(self, readings: Mapping[str, Reading]) -> dict[str, Facts]:
        """Some columns at a time: a wide table would be a plan of thousands of aggregates."""
        names = list(readings)
        return {
            name: fact
            for start in range(0, len(names), _IN_ONE_PLAN)
            for name, fact in self._facts(
                {name: readings[name] for name in names[start : start + _IN_ONE_PLAN]}
            ).items()
        }

    def _facts(self, readings: Mapping[str, Reading]) -> dict[str, Facts]:
        questions = {name: asked(reading) for name, reading in readings.items()}
        answers = iter(self._by.one_row(["count(*)", *(sql for each in questions.values() for sql in each)]))
        self._unchanged(int(next(answers)), self.rows)
        return {
            name: Facts.of(readings[name], self.rows, [next(answers) for _ in each]) for name, each in questions.items()
        }

    def _known(self, fact: Facts) -> ColumnProfile | EvidenceError:
        """A column whose values are none, few, or too many to name."""
        if fact.refused:
            return EvidenceError(fact.reading.why)
        if not fact.values:
            return ColumnProfile(None, 0, fact.missing)
        if fact.reading.holds == "vectors":
            return fact.of_vectors()
        if fact.reading.holds == "text" and fact.distinct > _SURELY * COUNTED:
            return text(Categories.of({}, values=fact.values, distinct=COUNTED + 1), fact.missing)
        values, counts = self._by.groups(fact.reading.sql)
        self._unchanged(int(counts.sum()), fact.values)
        if fact.reading.holds == "text":
            return text(Categories.of(dict(zip(values.tolist(), counts.tolist(), strict=True))), fact.missing)
        cells = Distribution.of_counts(values, counts)
        return fact.of_numbers(cells if fact.values <= EXACT else cells.trie())

    def _searched(self, facts: Sequence[Facts], names: Sequence[str]) -> Iterator[tuple[str, Distribution]]:
        """Cells of columns with too many different values to count each."""
        for start in range(0, len(facts), self._by.at_once):
            some = facts[start : start + self._by.at_once]
            drawn = self._by.some([fact.finite for fact in some], min(1.0, SAMPLE / self.rows))
            searches = [fact.search(values) for fact, values in zip(some, drawn, strict=True)]
            self._ask(some, searches)
            self._told(0.5 + 0.5 * (start + len(some)) / len(facts))
            for name, search in zip(names[start:], searches, strict=False):
                yield name, search.distribution()

    def _ask(self, facts: Sequence[Facts], searches: Sequence[Search]) -> None:
        open_ = list(zip(facts, searches, strict=True))
        while left := [(fact, search, highs) for fact, search in open_ if (highs := search.highs) is not None]:
            counted = self._by.cells([(fact.finite, highs) for fact, _, highs in left])
            for (fact, search, _), counts in zip(left, counted, strict=True):
                self._unchanged(int(counts.sum()), fact.values - sum(fact.infinities))
                search.tell(counts)

    def _unchanged(self, found: int, before: int) -> None:
        if found != before:
            raise EvidenceError(
                f"mlops_{self.role} gave {before:,} rows or values at first and {found:,} later: "
                f"its query must give the same rows each time, so write them to a table or a file first"
            )


def _within(sql: str, stretch: Stretch) -> str:
    bounds = [f"{sql} <= {double(stretch.up_to)}"]
    if np.isfinite(stretch.above):
        bounds.append(f"{sql} > {double(stretch.above)}")
    return " AND ".join(bounds)


def _as_array(holds: str, values: Array) -> Array:
    """As a frame in memory would have it."""
    if holds == "numbers":
        return values.astype(np.float64)  # None is NaN
    if holds in ("dates", "durations"):
        known = np.array([value is not None for value in values], dtype=bool)
        moments = np.full(values.size, np.iinfo(np.int64).min)  # is NaT
        moments[known] = values[known].astype(np.float64).astype(np.int64)
        return moments.view("datetime64[us]" if holds == "dates" else "timedelta64[us]")
    return values
