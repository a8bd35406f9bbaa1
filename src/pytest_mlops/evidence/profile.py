"""What is known of a column without its rows: counts. They are the same whichever engine has counted.

A drift check looks at nothing else, so data of 200 rows and of 200 million, in memory, in a warehouse or long gone but
for a file of some kilobytes, are judged alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pytest_mlops.statistics.distribution import Distribution
from pytest_mlops.verdict.errors import EvidenceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Holds = Literal["numbers", "dates", "durations", "text", "vectors"]

NAMED = 1_000
"""Categories kept by name: the most frequent ones."""

COUNTED = 10_000
"""Categories whose number is known. Where there are more, none is named: these are identifiers, or free text."""

PRECISIONS = ("float16", "float32", "float64")
"""Of numbers, the coarsest first."""

_LONGEST = 100
_FEW = 50
_ROWS_PER_CATEGORY = 10
_KINDS = {"dates": "datetime", "durations": "duration", "vectors": "embedding", None: "empty"}


@dataclass(frozen=True, slots=True)
class Categories:
    """How often each category is seen.

    Parameters
    ----------
    counts : dict
        From the name of a category to how many rows it has, at most 1,000 of them, the most frequent first and equally
        frequent ones by name. 1, 1.0 and True are one category, and have one name.
    others : int
        Rows whose category is not named.
    distinct : int
        Categories in all; 10,001 means more than 10,000.
    salt : str
        With which names were hashed; empty where they are the names themselves.
    """

    counts: dict[str, int]
    others: int
    distinct: int
    salt: str = ""

    @classmethod
    def of(cls, counts: Mapping[str, int], *, values: int | None = None, distinct: int | None = None) -> Categories:
        """All categories of a column, of which the most frequent are kept by name.

        Parameters
        ----------
        counts : mapping
            From each name to its count. Names of more than 100 characters are cut, and end with a hash of the whole.
        values, distinct : int, optional
            Rows and categories in all, where `counts` holds only the most frequent 1,000 or more.
        """
        values = sum(counts.values()) if values is None else values
        distinct = len(counts) if distinct is None else distinct
        if distinct > COUNTED:
            return cls({}, values, COUNTED + 1)
        short = ((_short(name), count) for name, count in counts.items())
        named = dict(sorted(short, key=frequent_first)[:NAMED])
        return cls(named, values - sum(named.values()), distinct)

    @property
    def hashed(self) -> bool:
        """Are the names hidden?"""
        return bool(self.salt)

    @property
    def complete(self) -> bool:
        """Is every row's category named? Then one that is not named is not there."""
        return self.others == 0

    @property
    def values(self) -> int:
        """Rows in all."""
        return sum(self.counts.values()) + self.others

    def hidden(self, salt: str) -> Categories:
        """The same with hashed names. Whoever has the salt can try names, so it hides only what cannot be guessed."""
        key = salt.encode()
        hashes = {_hash(name, key): count for name, count in self.counts.items()}
        return replace(self, counts=dict(sorted(hashes.items(), key=frequent_first)), salt=salt)

    def without_small(self, fewest: int) -> Categories:
        """Categories of fewer than `fewest` rows are among the others."""
        counts = {name: count for name, count in self.counts.items() if count >= fewest}
        return replace(self, counts=counts, others=self.values - sum(counts.values()))


def frequent_first(item: tuple[str, int]) -> tuple[int, str]:
    """The order of categories: a key for `sorted`, of a name and its count."""
    return -item[1], item[0]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 17]}…{_hash(name)}"


def _hash(name: str, key: bytes = b"") -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, key=key).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class ColumnProfile:
    """One column of one sample.

    Parameters
    ----------
    holds : "numbers", "dates", "durations", "text", "vectors" or None
        None where no row has a value.
    values, missing : int
        Rows with a value, and without.
    distribution : Distribution or None
        Of numbers; of dates and durations in microseconds. Dates count from 1970 in UTC, or as they stand if they have
        no zone.
    categories : Categories or None
        Of text.
    binary : bool
        Are all numbers 0 or 1? Booleans are such numbers.
    precision : "float64", "float32" or "float16"
        How finely the numbers are known.
    dimensions : int
        Of vectors.
    """

    holds: Holds | None
    values: int
    missing: int
    distribution: Distribution | None = None
    categories: Categories | None = None
    binary: bool = False
    precision: str = "float64"
    dimensions: int = 0

    @property
    def rows(self) -> int:
        """With and without a value."""
        return self.values + self.missing

    @property
    def kind(self) -> str:
        """For people; a column of text is called so where its categories are too many to compare."""
        if self.holds == "numbers":
            return "boolean" if self.binary else "numeric"
        if self.categories is None:
            return _KINDS[self.holds]
        many = max(_FEW, self.values / _ROWS_PER_CATEGORY)
        return "text" if self.categories.distinct > min(many, COUNTED) else "categorical"

    @property
    def digest(self) -> str:
        """sha256 of all that is known; the same from every engine."""
        facts = {
            "holds": self.holds,
            "values": self.values,
            "missing": self.missing,
            "binary": self.binary,
            "precision": self.precision,
            "dimensions": self.dimensions,
            "categories": self.categories and _facts(self.categories),
        }
        found = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
        if self.distribution is not None:
            for array, dtype in _arrays(self.distribution):
                found.update(np.ascontiguousarray(array, dtype=dtype).tobytes())
        return found.hexdigest()

    def hidden(self, salt: str) -> ColumnProfile:
        """The same with hashed names of categories.

        Raises
        ------
        EvidenceError
            They are hashed already, in another way.
        """
        if self.categories is None or self.categories.salt == salt:
            return self
        if self.categories.hashed:
            raise EvidenceError("the names of categories are hashed already: make the profile from the data")
        return replace(self, categories=self.categories.hidden(salt))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ColumnProfile) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def _facts(categories: Categories) -> list[Any]:
    """Names are data: in sequence, so that no name can pass for a fact."""
    return [list(categories.counts.items()), categories.others, categories.distinct, categories.salt]


def _arrays(distribution: Distribution) -> Iterable[tuple[NDArray[Any], str]]:
    return (distribution.lowest, "<f8"), (distribution.highest, "<f8"), (distribution.counts, "<i8")


@dataclass(frozen=True, slots=True)
class Profile:
    """All columns of one sample, in their order.

    Parameters
    ----------
    rows : int
    columns : dict of ColumnProfile, by name
    """

    rows: int
    columns: dict[str, ColumnProfile]
