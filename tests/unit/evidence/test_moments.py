"""When rows happened, how long a season is, and which rows belong together."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pytest_mlops import Evaluation, EvidenceError

BITS = [0, 1]
DAYS = np.array(["2026-01-01", "2026-01-02"], dtype="M8[us]")
DATES = [datetime.date(2026, 1, 1), datetime.date(2026, 1, 2)]
MOMENTS = [datetime.datetime(2026, 1, day) for day in (1, 2)]
ZONE = ZoneInfo("Asia/Tokyo")
IN_TOKYO = [moment.replace(hour=9, tzinfo=ZONE) for moment in MOMENTS]
WEEK = np.timedelta64(7 * 86400 * 10**6, "us")


def made(**known: Any) -> Evaluation:
    return Evaluation(BITS, BITS, **known)


@pytest.mark.parametrize(
    "time",
    [
        DAYS,
        DAYS.astype("M8[D]"),
        DAYS.astype("M8[ns]"),
        DATES,
        MOMENTS,
        [DATES[0], MOMENTS[1]],
        [pd.Timestamp(moment) for moment in MOMENTS],
        [np.datetime64("2026-01-01"), np.datetime64("2026-01-02")],
        np.array(IN_TOKYO, dtype=object),
        pd.Series(MOMENTS),
        pd.Series(IN_TOKYO),
        pd.DatetimeIndex(IN_TOKYO),
        pl.Series(MOMENTS),
        pl.Series(DATES),
        pl.Series(MOMENTS).dt.replace_time_zone("UTC"),
    ],
)
def test_dates_are_the_same_in_every_form(time: Any) -> None:
    found = made(time=time).time
    assert found is not None
    assert found.dtype.kind == "M"
    assert (found == DAYS).all()
    assert not found.flags.writeable


@pytest.mark.parametrize(
    ("time", "kept"),
    [
        ([3, 1], [3, 1]),
        ([0.5, 1], [0.5, 1]),
        (np.array([1, 2.5], dtype=object), [1, 2.5]),
        ([Decimal("0.5"), Decimal(2)], [0.5, 2]),
        ([datetime.timedelta(days=1), datetime.timedelta(days=2)], np.array([1, 2], "m8[D]").tolist()),
        (np.array([1, 2], "m8[h]"), [datetime.timedelta(hours=1), datetime.timedelta(hours=2)]),
    ],
)
def test_numbers_and_durations(time: Any, kept: list[Any]) -> None:
    found = made(time=time).time
    assert found is not None
    assert found.tolist() == kept


@pytest.mark.parametrize(
    ("time", "season", "kept"),
    [
        ([1, 2], 7, 7.0),
        ([1, 2], np.float32(0.5), 0.5),
        (DAYS, "7 days", WEEK),
        (DAYS, datetime.timedelta(days=7), WEEK),
        (DAYS, np.timedelta64(7, "D"), WEEK),
        (DAYS, pd.Timedelta(days=7), WEEK),
        (DAYS.astype("M8[ns]"), "1 W", WEEK),
        ([datetime.timedelta(1), datetime.timedelta(2)], "168 h", WEEK),
        (DAYS, None, None),
        (None, None, None),
    ],
)
def test_seasons(time: Any, season: Any, kept: Any) -> None:
    found = made(time=time, season=season).season
    assert found == kept
    assert type(found) is type(kept)


NAN = float("nan")


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"time": ["2026-01-01", "2026-01-02"]}, r"time holds str \(e.g. '2026-01-01'\), .* pandas.to_datetime"),
        ({"time": [True, False]}, "time holds bool"),
        ({"time": np.array([True, False], dtype=object)}, "time holds bool"),
        ({"time": np.array([True, 1.5], dtype=object)}, "several kinds, bool and float"),
        ({"time": np.array([1, "a"], dtype=object)}, "several kinds, int and str"),
        ({"time": np.array([1, DATES[0]], dtype=object)}, "several kinds, date and int"),
        ({"time": np.array([MOMENTS[0], IN_TOKYO[1]], dtype=object)}, "with a time zone and dates without"),
        ({"time": np.array([{}, {}], dtype=object)}, "time holds dict"),
        ({"time": [1j, 2j]}, "time holds complex"),
        ({"time": [1, NAN]}, "time has 1 missing value .* in row 1"),
        ({"time": [MOMENTS[0], None]}, "time has 1 missing value"),
        ({"time": np.array(["2026", "NaT"], "M8[s]")}, "time has 1 missing value"),
        ({"time": np.array(["2026-01-01", "900000-01-01"], "M8[D]")}, "too far away"),
        ({"time": [1, 2, 3]}, "time has 3 rows"),
        ({"time": np.eye(2)}, r"time has shape \(2, 2\)"),
        ({"season": 7}, "give time= as well"),
        ({"time": [1, 2], "season": 0}, "season=0 must be positive"),
        ({"time": [1, 2], "season": NAN}, "season=nan must be positive"),
        ({"time": [1, 2], "season": float("inf")}, "season=inf must be positive"),
        ({"time": [1, 2], "season": True}, "season=True is no number"),
        ({"time": [1, 2], "season": "7 days"}, "'7 days' is no number, but time holds numbers"),
        ({"time": [1, 2], "season": np.timedelta64(7, "D")}, "is no number, but time holds numbers"),
        ({"time": DAYS, "season": 7}, "season=7 is no duration, .* such as '7 days'"),
        ({"time": DAYS, "season": "7"}, "season='7' is no duration"),
        ({"time": DAYS, "season": "a week or so"}, "is no duration"),
        ({"time": DAYS, "season": ""}, "is no duration"),
        ({"time": DAYS, "season": "NaT"}, "is no duration"),
        ({"time": DAYS, "season": "-7 days"}, "must be a positive duration"),
        ({"time": DAYS, "season": datetime.timedelta(0)}, "must be a positive duration"),
        ({"time": DAYS, "season": np.timedelta64("NaT", "D")}, "must be a positive duration"),
        ({"time": DAYS, "season": pd.NaT}, "is no duration"),
        ({"time": DAYS, "season": np.timedelta64(1, "M")}, "has no fixed length"),
        ({"clusters": np.array([[1], {2}], dtype=object)}, "clusters hold list .* cannot be told apart"),
        ({"clusters": ["a", None]}, "clusters has 1 missing value"),
        ({"clusters": [1]}, "clusters has 1 row"),
    ],
)
def test_what_is_refused(known: dict[str, Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        made(**known)


@pytest.mark.parametrize("clusters", [["a", "b"], [1, 2], [True, False], DATES, DAYS])
def test_clusters_are_kept_as_they_are(clusters: Any) -> None:
    found = made(clusters=clusters).clusters
    assert found is not None
    assert found.tolist() == list(clusters) if not isinstance(clusters, np.ndarray) else clusters.tolist()
    assert not found.flags.writeable


def test_from_predictions() -> None:
    frame = pd.DataFrame({"y_true": BITS, "y_pred": BITS, "day": DAYS, "region": ["n", "s"], "age": [30, 50]})
    found = Evaluation.from_predictions(frame, time="day", season="7 days", slice_features=["region", "age"])
    assert found.season == WEEK
    assert {name: values.tolist() for name, values in found.slice_features.items()} == {
        "region": ["n", "s"],
        "age": [30, 50],
    }
    assert list(Evaluation.from_predictions(frame, slice_features="age").slice_features) == ["age"]
    with pytest.raises(EvidenceError, match="no column 'agee' for slice_features: did you mean 'age'"):
        Evaluation.from_predictions(frame, slice_features="agee")
