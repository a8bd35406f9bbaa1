"""What samples of all engines have in common: a role, columns, rows, and profiles that are made once."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, Self

from pytest_mlops.evidence.profile import ColumnProfile
from pytest_mlops.evidence.values import WAY_ON
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tell = Callable[[str, float], object] | None
    Found = dict[str, ColumnProfile | EvidenceError]

_INDEX = re.compile(r"__index_level_\d+__")
"""How pandas calls an index in the Parquet files it writes: no column of the data."""


class _Named(Protocol):
    role: str
    names: tuple[str, ...]


class Profiled(ABC):
    """A sample whose columns become profiles when a check needs them, and only once.

    Parameters
    ----------
    role : str
        ``"reference"`` or ``"current"``.
    engine : str
        What people call the place where its rows are.
    names : sequence of str
        Of its columns.
    rows : int
    tell : callable, or None
        Is told how far the reading is.

    Raises
    ------
    EvidenceError
        There are no rows, no columns, or two columns of one name.
    """

    def __init__(self, role: str, engine: str, names: Iterable[str], rows: int, tell: Tell = None) -> None:
        self.role, self.engine, self.rows = role, engine, rows
        self.names = tuple(name for name in names if not _INDEX.fullmatch(name))
        self._tell = tell
        self._profiles: Found = {}
        if not self.names or not rows:
            raise EvidenceError(
                f"mlops_{role} has no rows or no columns: give a table of at least one row and one column"
            )
        twice = next((name for place, name in enumerate(self.names) if name in self.names[:place]), None)
        if twice is not None:
            raise EvidenceError(f"mlops_{role} has two columns named {twice!r}: rename one of them")

    def profiles(self, names: Sequence[str]) -> Found:
        """Of each column what it holds, or the error that says why it cannot be read."""
        refuse_absent(self, names)
        if new := [name for name in dict.fromkeys(names) if name not in self._profiles]:
            self._profiles |= self._read(new)
        return {name: self._profiles[name] for name in names}

    def digests(self) -> dict[str, Any]:
        """What can be said of the rows without moving them: how many they are, and what the checked columns held."""
        read = sorted(self._profiles.items())
        columns = {name: found.digest for name, found in read if isinstance(found, ColumnProfile)}
        return {"rows": self.rows, "data": None, "columns": columns}

    @abstractmethod
    def blocks(self, time: str, most: int, rows: int) -> list[Self]:
        """In the order of a column, at most `most` stretches of at least `rows` rows each, the oldest first."""

    @abstractmethod
    def take(self, names: Sequence[str], most: int, seed: int) -> dict[str, NDArray[Any]]:
        """At most so many rows, chosen at random, the same ones in whatever order the rows stand."""

    @abstractmethod
    def _read(self, names: Sequence[str]) -> Found:
        """Profiles of columns that have none yet."""

    def _one_profile(self, name: str) -> ColumnProfile:
        found = self.profiles([name])[name]
        if isinstance(found, EvidenceError):
            raise EvidenceError(f"of the column {name!r} of mlops_{self.role}: {found}")
        return found

    def _told(self, done: float) -> None:
        if self._tell is not None:
            self._tell(f"reading mlops_{self.role} ({self.engine})", done)


def refuse_absent(sample: _Named, names: Iterable[str]) -> None:
    """Before anything is read.

    Raises
    ------
    EvidenceError
        The sample lacks one of these columns.
    """
    for name in names:
        if name not in sample.names:
            raise EvidenceError(f"mlops_{sample.role} has no column {name!r}: {did_you_mean(name, sample.names)}")


def each(sample: Profiled, names: Sequence[str], read: Callable[[str], ColumnProfile]) -> Found:
    """Column by column, for engines where that is the way."""
    found: Found = {}
    for done, name in enumerate(names):
        sample._told(done / len(names))
        try:
            found[name] = read(name)
        except EvidenceError as error:
            found[name] = error
        except Exception as error:  # a type that its own library has no name for
            found[name] = EvidenceError(f"its values cannot be read ({first_line(error)}): {WAY_ON}")
    sample._told(1.0)
    return found


@contextmanager
def query_of(role: str) -> Iterator[None]:
    """Whatever an engine raises while it answers is an error of the evidence."""
    try:
        yield
    except EvidenceError:
        raise
    except Exception as error:
        why = first_line(error).rstrip(".!")
        raise EvidenceError(f"the query of mlops_{role} fails: {why}: mend it, or write its rows to a file") from error


def first_line(error: Exception) -> str:
    """What a library says first; some go on for pages."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
