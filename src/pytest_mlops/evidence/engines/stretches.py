"""Where to cut rows that are in an order into blocks, if only the profile of the order is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_mlops.evidence.profile import ColumnProfile
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import count


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows whose time is above the one number and at most the other.

    Parameters
    ----------
    above, up_to : float
        As the profile of the column has them: dates in microseconds.
    rows : int
        How many these are.
    """

    above: float
    up_to: float
    rows: int


def stretches(name: str, profile: ColumnProfile, most: int, rows: int) -> list[Stretch]:
    """Up to `most` stretches of at least `rows` rows each, the oldest first, as equal as ties allow.

    Raises
    ------
    EvidenceError
        The column gives no order, or not for all rows.
    """
    if profile.missing:
        raise EvidenceError(f"the column {name!r} gives {count(profile.missing, 'row')} no time: leave those rows out")
    if profile.distribution is None:
        raise EvidenceError(f"the column {name!r} holds {profile.holds}, which gives rows no order: name a date column")
    ends, passed = profile.distribution.highest, np.cumsum(profile.distribution.counts)
    total, found = int(passed[-1]), list[Stretch]()
    start, above = 0, -np.inf
    while (left := min(most - len(found), (total - start) // max(rows, 1))) > 0:
        place = len(ends) - 1 if left == 1 else _nearest(passed, start + (total - start) / left, start + rows)
        if total - int(passed[place]) < rows:
            place = len(ends) - 1
        up_to = np.inf if place == len(ends) - 1 else float(ends[place])
        found.append(Stretch(above, up_to, int(passed[place]) - start))
        start, above = int(passed[place]), up_to
    return found


def _nearest(passed: np.ndarray[tuple[int], np.dtype[np.int64]], wanted: float, fewest: int) -> int:
    """The boundary that is nearest to what is wanted, with at least the fewest rows before it."""
    after = int(np.searchsorted(passed, wanted))
    before = after - 1
    if before >= 0 and passed[before] >= fewest and wanted - passed[before] <= passed[after] - wanted:
        return before
    return max(after, int(np.searchsorted(passed, fewest)))
