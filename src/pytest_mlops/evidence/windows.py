"""Windows of time: rows that happened together, oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.statistics.pieces import pieces_of
from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.wording import count, number

from .moments import when

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 500
"""More windows than this nobody reads."""

_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class Window:
    """Some of the rows.

    Parameters
    ----------
    name : str
        From when to when.
    rows : integer array of shape (m,)
        Their places, rising; none where nothing happened.
    """

    name: str
    rows: NDArray[np.intp]


def asked_windows(windows: Any) -> int | str:
    """A number of windows, or the length of each, as text.

    Raises
    ------
    MlopsUsageError
        It is neither.
    """
    if isinstance(windows, str) and windows.strip():
        return windows
    if isinstance(windows, int) and not isinstance(windows, bool) and 2 <= windows <= MOST:
        return windows
    raise MlopsUsageError(
        f"windows={windows!r} are no windows of time: give a number from 2 to {MOST}, e.g. windows=12, or the length "
        f"of each, e.g. windows='30 days'"
    )


def windows_of(time: NDArray[Any], windows: int | str) -> list[Window]:
    """Rows by window, none left out and none in two.

    Parameters
    ----------
    time : array of shape (n,)
        Numbers, dates or durations, as an `Evaluation` keeps them.
    windows : int or str
        So many windows of as equal numbers of rows as there can be, rows of one time never parted; or the length of
        each from the first row on, in days or the like, or for times that are numbers in their unit.

    Raises
    ------
    EvidenceError
        All rows are of one window, or there are too many; the length is none of such times.
    """
    found = _of_equal_size(time, windows) if isinstance(windows, int) else _of_equal_length(time, windows)
    if len(found) < 2:
        raise EvidenceError(
            f"all {count(time.size, 'row')} are in one window of time, {found[0].name}, and there is none to compare "
            f"it with: give rows of a longer time, or more and shorter windows="
        )
    return found


def _of_equal_size(time: NDArray[Any], windows: int) -> list[Window]:
    place = pieces_of(time, windows)
    rows = _rows_by(place, int(place.max()) + 1)
    return _named([(time[some].min(), time[some].max()) for some in rows], rows)


def _of_equal_length(time: NDArray[Any], length: str) -> list[Window]:
    size = _length(time, length)
    begin = time.min()
    if np.issubdtype(time.dtype, np.datetime64) and size % _DAY == np.timedelta64(0):
        begin = begin.astype("datetime64[D]").astype(time.dtype)  # days begin at midnight
    windows = int((time.max() - begin) // size) + 1
    if windows > MOST:
        raise EvidenceError(
            f"windows={length!r} makes {windows:,} windows of these times, and nobody reads more than {MOST}: give a "
            f"longer one"
        )
    place = ((time - begin) // size).astype(np.intp)
    ends = [(begin + size * each, _before(begin + size * (each + 1))) for each in range(windows)]
    return _named(ends, _rows_by(np.minimum(place, windows - 1), windows))


def _length(time: NDArray[Any], length: str) -> Any:
    """In the unit of the times; a text is a duration, or the number it spells where times are numbers."""
    said: Any = length
    if time.dtype.kind in "iuf":
        try:
            said = float(length)
        except ValueError:
            raise EvidenceError(
                f"windows={length!r} is no length of these times, which are numbers: give one in their unit, e.g. "
                f"windows='100', or how many windows there shall be"
            ) from None
    try:
        return when(time, said, time.size)["season"]
    except EvidenceError as error:
        raise EvidenceError(str(error).replace("season=", "windows=")) from None


def _before(end: Any) -> Any:
    """The last moment of a window that ends here, as far as dates are counted; numbers have none."""
    if not isinstance(end, np.datetime64 | np.timedelta64):
        return end
    tick: Any = np.ones(1, dtype=f"m8[{np.datetime_data(end.dtype)[0]}]")[0]
    return end - tick


def _rows_by(place: NDArray[np.intp], windows: int) -> list[NDArray[np.intp]]:
    order = np.argsort(place, kind="stable")
    return np.split(order, np.cumsum(np.bincount(place, minlength=windows))[:-1])


def _named(ends: list[tuple[Any, Any]], rows: list[NDArray[np.intp]]) -> list[Window]:
    """By day where that tells the windows apart; else by all that is known of the moment."""
    names = [_between(*each, "D") for each in ends]
    for unit in ("m", "s", "us", "ns"):
        if len(set(names)) == len(names):
            break
        names = [_between(*each, unit) for each in ends]
    return [Window(name, which) for name, which in zip(names, rows, strict=True)]


def _between(first: Any, last: Any, unit: str) -> str:
    begin, end = _moment(first, unit), _moment(last, unit)
    return begin if begin == end else f"{begin} to {end}"


def _moment(value: Any, unit: str) -> str:
    if isinstance(value, np.datetime64):
        return str(value.astype(f"datetime64[{unit}]")).replace("T", " ")
    if isinstance(value, np.timedelta64):
        import pandas as pd

        return str(pd.Timedelta(value))
    return number(float(value)) if unit == "D" else repr(float(value))
