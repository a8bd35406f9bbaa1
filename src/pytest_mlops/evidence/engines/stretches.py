"""Where to cut rows that are in an order into blocks, if only the profile of the order is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlops.evidence.profile import ColumnProfile
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]


_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows whose time is above the one number and at most the other.

    Parameters
    ----------
    above, up_to : float
        As the profile of the column has them: dates in microseconds.
    before, rows : int
        How many rows are earlier than these, and how many these are.
    """

    above: float
    up_to: float
    before: int
    rows: int


def stretches(name: str, profile: ColumnProfile, most: int, rows: int) -> list[Stretch]:
    """Up to `most` stretches of at least `rows` rows each, the oldest first.

    Where no more than `most` of them fit, they hold all rows, and are as equal as ties allow. Else they are no longer
    than ties want, and lie apart: a stretch that is longer than a sample cannot show how samples of that length differ,
    as a week knows nothing of night and day. How far they lie apart varies, so that no season has them all at one time
    of it.

    Raises
    ------
    EvidenceError
        The column gives no order, or not for all rows.
    """
    if profile.missing:
        raise EvidenceError(f"the column {name!r} gives {count(profile.missing, 'row')} no time: leave those rows out")
    if profile.distribution is None:
        raise EvidenceError(f"the column {name!r} holds {profile.holds}, which gives rows no order: name a date column")
    passed = np.append(0, np.cumsum(profile.distribution.counts))
    fitting = int(passed[-1]) // max(rows, 1)
    cuts = _apart(passed, most, rows) if fitting > most else _side_by_side(passed, fitting, rows)
    ends = [-np.inf, *profile.distribution.highest[:-1].tolist(), np.inf]
    return [
        Stretch(ends[first], ends[last], int(passed[first]), int(passed[last] - passed[first])) for first, last in cuts
    ]


def _apart(passed: Counts, most: int, rows: int) -> Iterator[tuple[int, int]]:
    """One in each of `most` equal parts, further on in it each time by the golden ratio: in no rhythm."""
    part, free = 0, passed[-1] / most - rows
    for place in range(most):
        first = max(part, _nearest(passed, place * passed[-1] / most + place * _GOLDEN % 1 * free))
        part = int(np.searchsorted(passed, passed[first] + rows))
        if part == passed.size:
            return
        yield first, part


def _side_by_side(passed: Counts, most: int, rows: int) -> Iterator[tuple[int, int]]:
    first, last, total = 0, passed.size - 1, int(passed[-1])
    for found in range(most):
        start = int(passed[first])
        left = min(most - found, (total - start) // max(rows, 1))
        if not left:
            return
        place = max(_nearest(passed, start + (total - start) / left), int(np.searchsorted(passed, start + rows)))
        if left == 1 or total - int(passed[place]) < rows:
            place = last
        yield first, place
        first = place


def _nearest(passed: Counts, wanted: float) -> int:
    """The boundary with a number of rows before it that is nearest to what is wanted."""
    after = min(int(np.searchsorted(passed, wanted)), passed.size - 1)
    before = max(after - 1, 0)
    return before if wanted - passed[before] <= passed[after] - wanted else after
