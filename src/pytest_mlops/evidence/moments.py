"""When rows happened, how long a season is, and which rows belong together."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from .checked import example, frozen, missing, refuse_missing, same_length, unboxed, whole
from .frames import vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FINER = ("ns", "ps", "fs", "as")
"""Units of dates that are kept as they are: others become microseconds."""


def together(clusters: Any, n: int) -> NDArray[Any] | None:
    """Which rows belong together: any values that can be told apart, as they are.

    Raises
    ------
    EvidenceError
        One is missing or has no hash, or there are not n of them.
    """
    if clusters is None:
        return None
    values = whole(clusters, "clusters")
    same_length(values, n, "clusters")
    if values.dtype.kind == "O":
        try:
            set(values.tolist())
        except TypeError as error:
            raise EvidenceError(
                f"clusters hold {example(values)}, which cannot be told apart: give text or numbers"
            ) from error
    return frozen(values)


def when(time: Any, season: Any, n: int) -> dict[str, Any]:
    """The fields `time` and `season` of an evaluation.

    Parameters
    ----------
    time : array-like of shape (n,), or None
        Numbers, dates or durations.
    season : float, timedelta, text such as ``"7 days"``, or None
        In the unit of `time`.
    n : int

    Returns
    -------
    dict
        ``time``: numbers, or numpy's dates or durations, dates in UTC. ``season``: float, or numpy's duration.

    Raises
    ------
    EvidenceError
        Times are missing, or of several kinds, or of none that has an order and distances; the season is not
        positive, not in the unit of the times, or there are no times.
    """
    if time is None:
        if season is not None:
            raise EvidenceError("season= is how long a batch of time= is at least: give time= as well")
        return {"time": None, "season": None}
    values = _when(vector(time, "time"))
    same_length(values, n, "time")
    return {"time": frozen(values), "season": None if season is None else _season(season, values)}


def _when(values: NDArray[Any]) -> NDArray[Any]:
    if missing(values).any():
        refuse_missing(values, "time")
    if values.dtype.kind == "O":
        values = _objects(values)
    if values.dtype.kind in "iuf":
        return values
    if values.dtype.kind in "mM":
        return _precise(values)
    raise EvidenceError(
        f"time holds {example(values)}, which has no distances: give numbers, dates or durations "
        f"(text can be made dates by pandas.to_datetime)"
    )


def _objects(values: NDArray[Any]) -> NDArray[Any]:
    kinds = set(map(type, values.tolist()))

    def all_are(*known: type) -> bool:
        return all(issubclass(kind, known) for kind in kinds)

    if all_are(Real, Decimal) and not any(issubclass(kind, bool) for kind in kinds):
        return unboxed(values) if all_are(int, float, np.number) else values.astype(np.float64)
    if all_are(datetime.date, np.datetime64):
        return _in_utc(values)
    if all_are(datetime.timedelta, np.timedelta64):
        return np.array(values.tolist(), dtype="timedelta64[us]")
    if len(kinds) > 1 and not all_are(str):
        names = " and ".join(sorted(kind.__name__ for kind in kinds))
        raise EvidenceError(f"time holds values of several kinds, {names}: give numbers, dates or durations only")
    return values


def _in_utc(values: NDArray[Any]) -> NDArray[Any]:
    """Dates without a zone stay as they are; one time may not mean two moments."""
    moments = values.tolist()
    aware = [isinstance(moment, datetime.datetime) and moment.tzinfo is not None for moment in moments]
    if any(aware):
        if not all(aware):
            raise EvidenceError("time holds dates with a time zone and dates without: give all of them in one form")
        moments = [moment.astimezone(datetime.UTC).replace(tzinfo=None) for moment in moments]
    return np.array(moments, dtype="datetime64[us]")


def _precise(values: NDArray[Any]) -> NDArray[Any]:
    """In microseconds, unless they are finer."""
    if np.datetime_data(values.dtype)[0] in _FINER:
        return values
    converted = values.astype(f"{values.dtype.kind}8[us]")
    if (converted.astype(values.dtype) != values).any():
        raise EvidenceError("time holds dates too far away to be counted in microseconds")
    return converted


def _season(season: Any, time: NDArray[Any]) -> float | np.timedelta64:
    """Of the kind of the times, and positive."""
    return _number(season) if time.dtype.kind in "iuf" else _duration(season)


def _number(season: Any) -> float:
    if not isinstance(season, int | float | np.number) or isinstance(season, bool | np.timedelta64):
        raise EvidenceError(f"season={season!r} is no number, but time holds numbers: give the season in their unit")
    if not 0 < season < math.inf:
        raise EvidenceError(f"season={season!r} must be positive and finite")
    return float(season)


def _duration(season: Any) -> np.timedelta64:
    found = _said_duration(season)
    if np.isnat(found) or found <= np.timedelta64(0, "us"):
        raise EvidenceError(f"season={season!r} must be a positive duration, of a microsecond or more")
    return found


def _said_duration(season: Any) -> np.timedelta64:
    if isinstance(season, np.timedelta64) and np.datetime_data(season.dtype)[0] in ("Y", "M", "generic"):
        raise EvidenceError(f"season={season!r} has no fixed length: give it in days or a finer unit")
    if isinstance(season, datetime.timedelta | np.timedelta64):
        return np.timedelta64(season, "us") if season == season else np.timedelta64("NaT", "us")
    if isinstance(season, str) and not _plain_number(season):
        import pandas as pd

        try:
            return pd.Timedelta(season).as_unit("us").to_timedelta64()
        except (ValueError, OverflowError, AttributeError):
            pass  # NaT has no unit
    raise EvidenceError(
        f"season={season!r} is no duration, but time holds dates or durations: give a datetime.timedelta, or text "
        f"such as '7 days'"
    )


def _plain_number(text: str) -> bool:
    """pandas takes a number without a unit for nanoseconds, which nobody means."""
    try:
        float(text)
    except ValueError:
        return False
    return True
