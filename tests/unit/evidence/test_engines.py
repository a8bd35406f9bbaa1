"""The same data gives the same profiles, whichever library holds it."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlops.evidence.profile import COUNTED, ColumnProfile
from pytest_mlops.evidence.samples import Sample, sample_of
from pytest_mlops.statistics.distribution import EXACT
from pytest_mlops.verdict.errors import EvidenceError

ENGINES: dict[str, Callable[[pa.Table], Any]] = {
    "pandas": lambda table: table.to_pandas(),
    "pandas of arrow": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
    "arrays": lambda table: {name: column.to_numpy() for name, column in table.to_pandas().items()},
    "Polars": pl.from_arrow,
    "lazy Polars": lambda table: pl.DataFrame(pl.from_arrow(table)).lazy(),
    "PyArrow": lambda table: table,
    "DuckDB": lambda table: duckdb.from_arrow(table),
}


def in_engine(engine: str, table: pa.Table) -> Sample:
    return sample_of(ENGINES[engine](table), "current")


def profiled(engine: str, table: pa.Table) -> dict[str, ColumnProfile]:
    found = in_engine(engine, table).profiles(table.column_names)
    return {name: profile for name, profile in found.items() if isinstance(profile, ColumnProfile)}


def columns(n: int) -> st.SearchStrategy[pa.Table]:
    def of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
        return st.lists(st.none() | values, min_size=n, max_size=n)

    moments = st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
    return st.fixed_dictionaries(
        {
            "floats": of(st.floats() | st.sampled_from([0.0, -0.0, 1.0])),
            "singles": of(st.floats(width=32)),
            "integers": of(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3)),
            "booleans": of(st.booleans()),
            "text": of(st.sampled_from(["a", "'", '"; DROP', "ü", "", "nan", "NULL"]) | text),
            "decimals": of(st.decimals(-(10**9), 10**9, places=2)),
            "wall clock": of(moments),
            "instants": of(moments),
            "days": of(st.dates(datetime.date(1700, 1, 1), datetime.date(2200, 1, 1))),
            "durations": of(st.timedeltas(datetime.timedelta(-(10**5)), datetime.timedelta(10**5))),
            "nothing": of(st.nothing()),
        }
    ).map(lambda found: pa.table(found, schema=SCHEMA))


SCHEMA = pa.schema(
    {
        "floats": pa.float64(),
        "singles": pa.float32(),
        "integers": pa.int64(),
        "booleans": pa.bool_(),
        "text": pa.string(),
        "decimals": pa.decimal128(12, 2),
        "wall clock": pa.timestamp("us"),
        "instants": pa.timestamp("us", "Europe/Berlin"),
        "days": pa.date32(),
        "durations": pa.duration("us"),
        "nothing": pa.float64(),
    }
)


@settings(max_examples=20)
@given(st.integers(1, 12).flatmap(columns))
def test_small_data_have_one_profile(table: pa.Table) -> None:
    expected = profiled("PyArrow", table)
    assert len(expected) == len(SCHEMA)
    for engine in ENGINES:
        assert profiled(engine, table) == expected, engine


def large() -> pa.Table:
    generator, n = np.random.default_rng(1), 3 * EXACT
    normal = generator.normal(size=n)
    rare = generator.random(n) < 0.03
    return pa.table(
        {
            "normal": normal,
            "single": normal.astype(np.float32),
            "mostly zero": np.where(rare, normal, -0.0),
            "missing": pa.array(normal, mask=rare),
            "infinite": np.where(rare, np.where(normal > 0, np.inf, -np.inf), normal),
            "few": generator.integers(0, 9, n),
            "large": generator.integers(-(2**62), 2**62, n),
            "binary": rare,
            "instants": pa.array(generator.integers(0, 2**50, n), pa.timestamp("us", "Asia/Tokyo")),
            "names": [f"name {place}" for place in generator.integers(0, 500, n)],
            "many names": [f"name {place}" for place in generator.integers(0, COUNTED + 500, n)],
            "identifiers": [f"name {place}" for place in range(n)],
        }
    )


LARGE = large()


@pytest.mark.parametrize("engine", ENGINES)
def test_large_data_have_one_profile(engine: str) -> None:
    found, expected = profiled(engine, LARGE), profiled("PyArrow", LARGE)
    assert [name for name in LARGE.column_names if found[name] != expected[name]] == []
    assert expected["identifiers"].kind == "text"
    assert 0 < next(filter(None, [expected["normal"].distribution])).error <= 0.001


# --- blocks of time


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("time", ["instants", "large", "normal"])
def test_blocks_hold_the_same_rows_in_every_engine(engine: str, time: str) -> None:
    found, expected = (in_engine(each, LARGE).blocks(time, 6, 2_000) for each in (engine, "PyArrow"))
    assert len(found) == 6
    assert [block.rows for block in found] == [block.rows for block in expected]
    for block, other in zip(found, expected, strict=True):
        assert block.profiles(["normal", "names"]) == other.profiles(["normal", "names"])


@pytest.mark.parametrize("engine", ENGINES)
def test_blocks_can_be_cut_by_days_and_durations(engine: str) -> None:
    days = [datetime.date(2026, 1, 1) + datetime.timedelta(place // 3) for place in range(30)]
    table = pa.table({"day": days, "since": [day - days[0] for day in days], "place": range(30)})
    for time in ("day", "since"):
        blocks = in_engine(engine, table).blocks(time, 5, 6)
        firsts = [block.profiles(["place"])["place"].distribution.minimum for block in blocks]  # type: ignore[union-attr]
        assert firsts == [0, 6, 12, 18, 24]


@given(st.lists(st.integers(0, 30), min_size=30, max_size=80), st.integers(1, 9), st.integers(1, 20))
def test_blocks_are_long_enough_and_hold_all_rows_unless_more_of_them_fit(
    times: list[int], most: int, rows: int
) -> None:
    sample = sample_of({"time": np.array(times)}, "reference")
    blocks = sample.blocks("time", most, rows)
    assert 1 <= len(blocks) <= most
    assert all(block.rows >= rows for block in blocks)
    seen = [Counter(block.take(["time"], 100, 0)["time"].tolist()) for block in blocks]
    assert all(max(earlier) < min(later) for earlier, later in pairwise(seen))
    assert all(found[time] == times.count(time) for found in seen for time in found)
    assert len(times) // rows > most or sum(block.rows for block in blocks) == len(times)


def test_no_block_is_longer_than_asked_where_many_fit_and_no_season_has_them_all_at_one_time_of_it() -> None:
    sample = sample_of({"time": np.arange(12_000)}, "reference")
    blocks = sample.blocks("time", 24, 100)
    assert [block.rows for block in blocks] == [100] * 24
    starts = np.array([block.take(["time"], 100, 0)["time"].min() for block in blocks])
    for season in (500, 1_000, 250):
        assert np.unique(starts % season * 8 // season).size >= 7


# --- rows at random


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_rows_are_taken_in_any_order(engine: str) -> None:
    names = ["normal", "missing", "names", "instants"]
    shuffled = LARGE.take(np.random.default_rng(2).permutation(LARGE.num_rows))
    found, again = (in_engine(engine, table).take(names, 500, 7) for table in (LARGE, shuffled))
    for name in names:
        pd.testing.assert_series_equal(pd.Series(found[name]), pd.Series(again[name]))
    assert len(found["normal"]) == 500


@pytest.mark.parametrize("engine", ENGINES)
def test_another_seed_takes_other_rows(engine: str) -> None:
    sample = in_engine(engine, LARGE)
    one, other = (set(sample.take(["normal"], 500, seed)["normal"].tolist()) for seed in (1, 2))
    assert len(one & other) < 50


@pytest.mark.parametrize("engine", ENGINES)
def test_of_equal_rows_some_are_taken(engine: str) -> None:
    shares = np.unique(in_engine(engine, LARGE).take(["few"], 9_000, 7)["few"], return_counts=True)[1] / 9_000
    assert np.abs(shares - 1 / 9).max() < 0.02


@pytest.mark.parametrize("engine", ENGINES)
def test_all_rows_are_taken_where_they_are_few(engine: str) -> None:
    table = pa.table({"x": [1.0, None, 1.0, 3.0], "text": ["a", None, "a", "b"]})
    found = in_engine(engine, table).take(["x", "text"], 10, 0)
    assert sorted(found["x"][~np.isnan(found["x"])]) == [1.0, 1.0, 3.0]
    assert pd.Series(found["text"]).value_counts(dropna=False).tolist() == [2, 1, 1]


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine != "arrays"])
def test_vectors_are_told_apart_from_lists_of_many_lengths(engine: str) -> None:
    table = pa.table({"vector": [[1.0, 2.0], None, [3.0, 4.0]], "list": [[1.0], [1.0, 2.0], None]})
    found = in_engine(engine, table).profiles(["vector", "list"])
    vector = found["vector"]
    assert isinstance(vector, ColumnProfile)
    assert (vector.holds, vector.values, vector.missing, vector.dimensions) == ("vectors", 2, 1, 2)
    assert isinstance(found["list"], EvidenceError)
    assert "lists of 1 and of 2 values" in str(found["list"])


@pytest.mark.parametrize("engine", ENGINES)
def test_vectors_come_with_their_rows(engine: str) -> None:
    table = pa.table({"vector": [[float(place), 0.5] for place in range(9)]})
    found = in_engine(engine, table).take(["vector"], 5, 3)["vector"]
    assert np.array(found.tolist()).shape == (5, 2)


@pytest.mark.parametrize("engine", ["Polars", "lazy Polars", "PyArrow", "DuckDB"])
def test_nested_types_are_refused_by_name(engine: str) -> None:
    table = pa.table({"struct": [{"a": 1}], "names": [["a"]], "x": [Decimal("1.5")]})
    found = in_engine(engine, table).profiles(["struct", "names", "x"])
    assert "struct" in str(found["struct"]).lower()
    assert "expected vectors" in str(found["names"])
    assert isinstance(found["x"], ColumnProfile)
