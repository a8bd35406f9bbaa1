"""What one scan says of each column, and what it must be asked for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.evidence.profile import ColumnProfile
from pytest_mlops.evidence.reading import numbers
from pytest_mlops.statistics.distribution import EXACT, Distribution, Search
from pytest_mlops.verdict.errors import EvidenceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlops.evidence.profile import Holds

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a column is read.

    Parameters
    ----------
    holds : "numbers", "dates", "durations", "text" or "vectors"
    sql : str
        A double or NULL, a text or NULL; of vectors their length.
    row : str
        What `take` brings of a row, where that is another thing.
    precision : str
        Of numbers.
    refused, why : str
        A condition on values that cannot be read, and why they cannot.
    """

    holds: Holds
    sql: str
    row: str = ""
    precision: str = "float64"
    refused: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """How many values there are and of what kind, before any of them is counted.

    Parameters
    ----------
    reading : Reading
    missing, values, refused : int
        Rows without a value, with one, and with one that cannot be read.
    distinct : int
        About how many different values.
    zeros_and_ones : int
        Values that are 0 or 1.
    infinities, ends : pairs of numbers
        How many are minus and plus infinity; the least and the greatest finite one.
    lengths : pair of int
        The least and the greatest, of vectors.
    """

    reading: Reading
    missing: int
    values: int
    refused: int = 0
    distinct: int = 0
    zeros_and_ones: int = 0
    infinities: tuple[int, int] = (0, 0)
    ends: tuple[float, float] = (0.0, 0.0)
    lengths: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, reading: Reading, rows: int, answers: Sequence[Any]) -> Facts:
        """From the answers to `asked`, in its order."""
        values, refused, *more = (0 if answer is None else answer for answer in answers)
        known = cls(reading, rows - int(values), int(values), int(refused))
        return known._with(*more)

    def _with(self, *more: Any) -> Facts:
        known = self.reading, self.missing, self.values, self.refused
        if self.reading.holds == "text":
            return Facts(*known, distinct=int(more[0]))
        if self.reading.holds == "vectors":
            return Facts(*known, lengths=(int(more[0]), int(more[1])))
        distinct, bits, below, above, least, greatest = more
        return Facts(
            *known, int(distinct), int(bits), (int(below), int(above)), (float(least) + 0.0, float(greatest) + 0.0)
        )

    @property
    def finite(self) -> str:
        """The values that are finite, as SQL."""
        return _finite(self.reading.sql)

    @property
    def searched(self) -> bool:
        """Are there too many different numbers to count each?"""
        if self.refused or self.reading.holds in ("text", "vectors"):
            return False
        return min(self.values, self.distinct) > EXACT

    def search(self, sample: Floats) -> Search:
        """Nothing is counted yet."""
        return Search(sample, self.values, *self.ends, self.infinities)

    def of_numbers(self, cells: Distribution) -> ColumnProfile:
        """All counted."""
        holds = self.reading.holds
        binary = holds == "numbers" and self.zeros_and_ones == self.values
        return numbers(holds, cells, self.missing, binary=binary, precision=self.reading.precision)

    def of_vectors(self) -> ColumnProfile | EvidenceError:
        """If they are of one length."""
        least, most = self.lengths
        if least != most:
            return EvidenceError(f"it holds lists of {least} and of {most} values, vectors are of one length")
        if not most:
            return EvidenceError("it holds vectors of no numbers")
        return ColumnProfile("vectors", self.values, self.missing, dimensions=most)


def asked(reading: Reading) -> list[str]:
    """Aggregates, as SQL, whose answers `Facts.of` takes."""
    sql = reading.sql
    always = [f"count({sql})", f"count_if({reading.refused})" if reading.refused else "0"]
    if reading.holds == "text":
        return [*always, f"approx_count_distinct({sql})"]
    if reading.holds == "vectors":
        return [*always, f"min({sql})", f"max({sql})"]
    finite = _finite(sql)
    return [
        *always,
        f"approx_count_distinct({sql})",
        f"count_if({sql} IN ({double(0)}, {double(1)}))",
        f"count_if({sql} = {double(-np.inf)})",
        f"count_if({sql} = {double(np.inf)})",
        f"min({finite})",
        f"max({finite})",
    ]


def _finite(sql: str) -> str:
    return f"nullif(nullif({sql}, {double(np.inf)}), {double(-np.inf)})"


def double(value: float) -> str:
    """A number as SQL; every digit that it has."""
    return f"CAST('{_INFINITE.get(value, repr(float(value)))}' AS DOUBLE)"


_INFINITE = {np.inf: "Infinity", -np.inf: "-Infinity"}
