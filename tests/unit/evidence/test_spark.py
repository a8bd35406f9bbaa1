"""Spark, for real: one session on this machine, which needs Java 17 or newer.

Where there is no Java these tests are skipped, unless MLOPS_SPARK=required.
"""

from __future__ import annotations

import datetime
import os
import shutil
import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_mlops.evidence.profile import ColumnProfile
from pytest_mlops.evidence.samples import sample_of
from pytest_mlops.statistics.distribution import EXACT
from pytest_mlops.verdict.errors import EvidenceError

pytestmark = [
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # py4j of Spark 4.0 leaves them to chance
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
]

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")) and os.environ.get("MLOPS_SPARK") != "required":
        pytest.skip("Spark needs Java 17 or newer")
    from pyspark.sql import SparkSession

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        builder = SparkSession.builder.master("local[1]")
        for name, value in SETTINGS.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
    yield session
    session.stop()


def profiles(data: Any) -> dict[str, ColumnProfile | EvidenceError]:
    sample = sample_of(data, "current")
    return sample.profiles(sample.names)


ROWS = [
    (0.5, 1, True, "a", Decimal("1.25"), datetime.date(1969, 12, 31), datetime.timedelta(-1, 5)),
    (float("nan"), 3, None, "it's \"q\"", Decimal("-7.10"), datetime.date(2026, 2, 1), datetime.timedelta(0, 0, 7)),
    (float("inf"), None, False, "ü", None, None, None),
    (float("-inf"), 2**53, True, None, Decimal("0.10"), datetime.date(2026, 2, 1), datetime.timedelta(9)),
    (-0.0, 1, True, "a", Decimal("0.10"), datetime.date(2026, 2, 1), datetime.timedelta(9)),
    (None, -5, False, "", Decimal("1.25"), datetime.date(1969, 12, 31), datetime.timedelta(-1, 5)),
]  # fmt: skip
NAMES = ["number", "integer", "boolean", "text", "dec.imal", "day", "dura`tion"]
SCHEMA = ["double", "long", "boolean", "string", "decimal(10, 2)", "date", "interval day to second"]


def small(spark: Any) -> Any:
    columns = ", ".join(f"c{place} {kind}" for place, kind in enumerate(SCHEMA))
    return spark.createDataFrame(ROWS, columns).toDF(*NAMES)


def in_memory() -> dict[str, list[Any]]:
    return dict(zip(NAMES, map(list, zip(*ROWS, strict=True)), strict=True))


def large(spark: Any) -> Any:
    """More rows than are counted one by one, and the same in each scan."""
    return spark.range(EXACT + 10_000, numPartitions=2).selectExpr(
        "CASE WHEN id % 50 = 0 THEN -0.0D WHEN id % 999 = 3 THEN double('Infinity') ELSE log(id + 0.5D) - 5 END AS x",
        "CAST(sqrt(id) AS FLOAT) AS single",
        "id % 7 AS few",
        "concat('name ', id % 13) AS name",
        "concat('name ', id) AS identifier",
        "timestamp_micros(id * 12345678 - 90000000000) AS time",
    )


def collected(frame: Any) -> pd.DataFrame:
    rows = pd.DataFrame([row.asDict() for row in frame.collect()])
    return rows.astype({"single": "float32"}) if "single" in rows else rows


def test_small_data_have_the_profiles_of_memory(spark: Any) -> None:
    sample = sample_of(small(spark), "current")
    assert (sample.engine, sample.rows, sample.names) == ("Spark", 6, tuple(NAMES))
    assert sample.profiles(NAMES) == profiles(in_memory())


def test_large_data_have_the_profiles_of_memory(spark: Any) -> None:
    frame = large(spark)
    found, expected = profiles(frame), profiles(collected(frame))
    assert [name for name in expected if found[name] != expected[name]] == []
    precise = found["single"]
    assert isinstance(precise, ColumnProfile)
    assert precise.precision == "float32"


def test_blocks_are_those_of_memory(spark: Any) -> None:
    frame = large(spark).select("time", "few")
    found, expected = (sample_of(data, "reference").blocks("time", 6, 4_000) for data in (frame, collected(frame)))
    assert [block.rows for block in found] == [block.rows for block in expected]
    assert len(found) == 6
    assert found[3].profiles(["few"]) == expected[3].profiles(["few"])


def test_the_same_rows_are_taken_in_any_order(spark: Any) -> None:
    frame = large(spark).select("x", "name", "time")
    found, again = (
        sample_of(rows, "current").take(["x", "name", "time"], 300, 4) for rows in (frame, frame.orderBy("name"))
    )
    assert [values.dtype.kind for values in found.values()] == ["f", "O", "M"]
    for name, values in found.items():
        assert values.shape == (300,)
        assert np.array_equal(values, again[name])


def test_of_equal_rows_some_are_taken(spark: Any) -> None:
    drawn = sample_of(large(spark).select("few"), "current").take(["few"], 3_500, 1)["few"]
    assert np.abs(np.unique(drawn, return_counts=True)[1] - 500).max() < 100


def test_missing_values_come_with_their_rows(spark: Any) -> None:
    found = sample_of(small(spark), "current").take(NAMES, 10, 0)
    assert np.isnan(found["number"]).sum() == 2
    assert [value for value in found["text"] if value is None] == [None]
    assert np.isnat(found["day"]).sum() == np.isnat(found["dura`tion"]).sum() == 1


def test_a_zone_moves_instants_and_no_wall_clock(spark: Any) -> None:
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    try:
        frame = spark.sql(
            "SELECT timestamp_micros(7) AS instant, TIMESTAMP_NTZ '2026-03-08 02:30:00.000001' AS wall_clock, "
            "TIMESTAMP_NTZ '1969-12-31 23:59:59.999999' AS before"
        )
        found = sample_of(frame, "current").take(["instant", "wall_clock", "before"], 1, 0)
        assert {name: str(values[0]) for name, values in found.items()} == {
            "instant": "1970-01-01T00:00:00.000007",
            "wall_clock": "2026-03-08T02:30:00.000001",
            "before": "1969-12-31T23:59:59.999999",
        }
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")


def test_types_are_read_or_refused_by_name(spark: Any) -> None:
    found = profiles(
        spark.sql(
            "SELECT array(1D, 2D) AS vector, map('a', 1) AS map, struct(1) AS struct, array('a') AS names, "
            "X'00' AS bytes, INTERVAL '2' YEAR AS years, NULL AS nothing"
        )
    )
    assert found["vector"] == ColumnProfile("vectors", 1, 0, dimensions=2)
    assert found["nothing"] == ColumnProfile(None, 0, 1)
    assert str(found["map"]).startswith("it holds values of the type map<string,int>, which cannot be compared")
    assert str(found["struct"]).startswith("it holds values of the type struct<")
    assert str(found["names"]).startswith("it holds lists of the type array<string>, expected vectors of numbers")
    assert str(found["bytes"]).startswith("it holds values of the type binary")
    assert str(found["years"]).startswith("it holds values of the type interval year")


def test_what_is_no_sample_is_refused(spark: Any) -> None:
    with pytest.raises(EvidenceError, match="mlops_current has no rows or no columns"):
        sample_of(spark.range(0), "current")
    with pytest.raises(EvidenceError, match="two columns"):
        sample_of(spark.sql("SELECT 1 AS a, 2 AS a"), "current")
    with pytest.raises(EvidenceError, match="the query of mlops_current fails: ") as caught:
        profiles(spark.sql("SELECT CAST(name AS INT) AS x FROM VALUES ('1'), ('one') AS rows(name)"))
    assert "\n" not in str(caught.value)
