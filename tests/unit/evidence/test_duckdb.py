"""DuckDB: relations, and Parquet files wherever they lie."""

from __future__ import annotations

import builtins
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pytest_mlops.evidence.engines import duckdb as engine
from pytest_mlops.evidence.profile import ColumnProfile
from pytest_mlops.evidence.samples import sample_of
from pytest_mlops.statistics.distribution import EXACT
from pytest_mlops.verdict.errors import EvidenceError

N = EXACT + 10_000
TABLE = pa.table({"x": np.random.default_rng(0).normal(size=N), "city": [f"city {place % 7}" for place in range(N)]})


def profiles(data: Any) -> dict[str, ColumnProfile | EvidenceError]:
    sample = sample_of(data, "current")
    return sample.profiles(sample.names)


def one(sql: str) -> ColumnProfile | EvidenceError:
    return profiles(duckdb.sql(f"SELECT {sql} AS x"))["x"]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The table in three files, one of them in a directory of its own."""
    (tmp_path / "more").mkdir()
    for place, name in enumerate(["0.parquet", "1.parquet", "more/2.pq"]):
        pq.write_table(TABLE.slice(place * N // 3, N // 3), tmp_path / name)
    return tmp_path


# --- files


def test_a_directory_is_all_of_its_files(written: Path) -> None:
    sample = sample_of(written, "current")
    assert (sample.engine, sample.rows) == ("DuckDB", N)
    assert profiles(written) == profiles(TABLE)


def test_what_is_not_written_yet_is_left_out(written: Path) -> None:
    for hidden in ("_temporary/0.parquet", ".part.parquet"):
        (written / hidden).parent.mkdir(exist_ok=True)
        pq.write_table(TABLE, written / hidden)
    assert sample_of(written, "current").rows == N


def test_parts_of_a_path_that_name_values_are_a_column(tmp_path: Path) -> None:
    for year in (2025, 2026):
        (tmp_path / f"year={year}").mkdir()
        pq.write_table(TABLE.slice(0, 9), tmp_path / f"year={year}" / "0.parquet")
    assert sample_of(tmp_path, "current").names == ("x", "city", "year")


def test_a_pattern_is_the_files_that_it_matches(written: Path) -> None:
    assert sample_of(f"{written}/*.parquet", "current").rows == 2 * N // 3
    assert sample_of(f"{written}/**/*.p*q*", "current").rows == N


def test_a_file_may_have_a_name_that_looks_like_a_pattern(tmp_path: Path) -> None:
    pq.write_table(TABLE.slice(0, 9), tmp_path / "[a]*.parquet")
    pq.write_table(TABLE.slice(0, 4), tmp_path / "a1.parquet")
    assert sample_of(tmp_path / "[a]*.parquet", "current").rows == 9


def test_a_dataset_of_pyarrow_is_read_where_it_lies(written: Path) -> None:
    sample = sample_of(ds.dataset(written, exclude_invalid_files=True), "current")
    assert (sample.engine, sample.rows) == ("PyArrow", N)


def test_files_are_read_within_little_memory(written: Path) -> None:
    connection = duckdb.connect(config={"memory_limit": "100MB", "temp_directory": str(written / "spilt")})
    relation = connection.read_parquet(f"{written}/**/*.p*q*")
    assert profiles(relation) == profiles(TABLE)
    assert len(sample_of(relation, "current").take(["x", "city"], 50, 0)["x"]) == 50


def test_what_was_spilt_is_gone_with_the_sample(written: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    sample = sample_of(written, "current")
    assert list(tmp_path.glob("pytest-mlops-*"))
    del sample
    assert not list(tmp_path.glob("pytest-mlops-*"))


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("nowhere.parquet", "there is no file '.*nowhere.parquet': check the path, or write the files first"),
        ("*.feather", "no file matches '.*feather'"),
        ("empty", "the directory '.*empty' holds no Parquet file"),
        ("text.parquet", "mlops_current cannot be read from '.*text.parquet' as Parquet: .*[Pp]arquet"),
        ("nothing.parquet", "mlops_current cannot be read from '.*nothing.parquet' as Parquet: "),
        ("no_rows.parquet", "mlops_current has no rows or no columns"),
    ],
)
def test_a_path_without_rows_is_refused(path: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.parquet").write_text("these are no rows, whatever the name says")
    (tmp_path / "nothing.parquet").touch()
    pq.write_table(TABLE.slice(0, 0), tmp_path / "no_rows.parquet")
    with pytest.raises(EvidenceError, match=sentence):
        sample_of(tmp_path / path, "current")


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"x": [1.0]}, "'y' of '1.parquet' is not as in '0.parquet'"),
        ({"x": [1.0], "y": [1.0]}, "'y' of '1.parquet' is not as"),
        ({"x": [1.0], "z": [1]}, "'y', 'z' of '1.parquet' are not as"),
    ],
)
def test_files_of_different_columns_are_refused(other: dict[str, Any], what: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1.0], "y": [1]}), tmp_path / "0.parquet")
    pq.write_table(pa.table(other), tmp_path / "1.parquet")
    with pytest.raises(EvidenceError, match=what):
        sample_of(tmp_path, "current")


def test_without_duckdb_the_error_says_what_to_install(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "duckdb":
            raise ImportError(name)
        return find(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(EvidenceError, match=r"pip install 'pytest-mlops\[duckdb\]'"):
        sample_of(written, "current")


# --- relations


def test_a_relation_stays_on_its_own_connection() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE rows AS SELECT range AS x FROM range(9)")
    assert sample_of(connection.table("rows"), "current").rows == 9
    assert connection.sql("SELECT table_name FROM duckdb_tables()").fetchall() == [("rows",)]
    assert connection.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall() == []


@pytest.mark.parametrize("name", ['a "b"', "a; DROP TABLE rows", "select", "c0", "ü", "a.b", "x) AS c9, (1"])
def test_any_name_is_the_name_of_a_column(name: str) -> None:
    table = pa.table({"other": [7.0], name: [1.0]})
    found = profiles(duckdb.from_arrow(table))[name]
    assert isinstance(found, ColumnProfile)
    assert found.distribution is not None
    assert found.distribution.minimum == 1.0


@pytest.mark.parametrize(("first", "second"), [("a", "a"), ("a", "A")])
def test_columns_of_one_name_are_refused(first: str, second: str) -> None:
    relation = duckdb.sql(f'SELECT 1 AS "{first}", 2 AS "{second}"')
    with pytest.raises(EvidenceError, match="two columns"):
        sample_of(relation, "current")


def test_a_query_that_gives_other_rows_each_time_is_refused() -> None:
    restless = duckdb.sql(f"SELECT range + random() AS x FROM range({3 * N}) WHERE random() < 0.9")
    with pytest.raises(EvidenceError, match="its query must give the same rows each time"):
        profiles(restless)


def test_a_wide_table_is_read_in_parts() -> None:
    table = pa.table({f"column {place}": [place, place + 1] for place in range(100)})
    assert profiles(duckdb.from_arrow(table)) == profiles(table)


def test_a_query_that_fails_says_why_in_one_line() -> None:
    broken = duckdb.sql("SELECT CAST(name AS INTEGER) AS x FROM (VALUES ('1'), ('one')) rows(name)")
    with pytest.raises(EvidenceError, match=r"the query of mlops_current fails: .*'one'") as caught:
        profiles(broken)
    assert "\n" not in str(caught.value)


# --- types


@pytest.mark.parametrize(
    ("sql", "holds", "value"),
    [
        ("true", "numbers", 1),
        ("170141183460469231731687303715884105727::HUGEINT", "numbers", 2.0**127),
        ("18446744073709551615::UBIGINT", "numbers", 2.0**64),
        ("1.25::DECIMAL(10, 2)", "numbers", 1.25),
        ("DATE '1970-01-02'", "dates", 86_400e6),
        ("TIMESTAMP '1970-01-01 00:00:01'", "dates", 1e6),
        ("TIMESTAMP_S '1970-01-01 00:00:01'", "dates", 1e6),
        pytest.param(
            *("TIMESTAMP_NS '1969-12-31 23:59:59.999999999'", "dates", -1),
            marks=pytest.mark.skipif(duckdb.__version__ < "2", reason="rounds towards 1970"),
        ),
        ("TIMESTAMPTZ '1970-01-01 02:00:01+02'", "dates", 1e6),
        ("INTERVAL '2 days 1 second'", "durations", 172_801e6),
    ],
)
def test_a_type_is_read_as_numbers(sql: str, holds: str, value: float) -> None:
    found = one(sql)
    assert isinstance(found, ColumnProfile)
    assert found.distribution is not None
    assert (found.holds, found.distribution.minimum) == (holds, value)


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("'b'::ENUM('a', 'b')", "b"),
        ("'{}'::JSON", "{}"),
        ("UUID '00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_a_type_is_read_as_names(sql: str, name: str) -> None:
    found = one(sql)
    assert isinstance(found, ColumnProfile)
    assert found.categories is not None
    assert found.categories.counts == {name: 1}


@pytest.mark.parametrize("sql", ["[1.5, 2]", "[1.5, 2]::FLOAT[2]", "[true, false]"])
def test_lists_of_numbers_are_vectors(sql: str) -> None:
    assert one(sql) == ColumnProfile("vectors", 1, 0, dimensions=2)


@pytest.mark.parametrize("sql", ["NULL", "'NaN'::DOUBLE", "'NaN'::FLOAT", "NULL::VARCHAR", "NULL::TIMESTAMP"])
def test_what_is_missing_is_no_value(sql: str) -> None:
    assert one(sql) == ColumnProfile(None, 0, 1)


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("{'a': 1}", "it holds values of the type STRUCT(a INTEGER)"),
        ("MAP {'a': 1}", "it holds values of the type MAP"),
        ("'a'::BLOB", "it holds values of the type BLOB"),
        ("TIME '10:00'", "it holds values of the type TIME"),
        ("['a']", "it holds lists of the type VARCHAR[], expected vectors of numbers"),
        ("[]::DOUBLE[]", "it holds vectors of no numbers"),
        ("INTERVAL '1 month'", "it holds intervals of months, which are of no certain length"),
        ("'infinity'::TIMESTAMP", "it holds dates that are infinite"),
    ],
)
def test_other_types_are_refused_by_name(sql: str, sentence: str) -> None:
    found = one(sql)
    assert isinstance(found, EvidenceError)
    assert str(found).startswith(sentence)


def test_a_column_that_cannot_be_read_cannot_be_taken() -> None:
    sample = sample_of(duckdb.sql("SELECT {'a': 1} AS x"), "current")
    with pytest.raises(EvidenceError, match="of the column 'x' of mlops_current: it holds values of the type STRUCT"):
        sample.take(["x"], 1, 0)


def test_moments_are_taken_as_moments() -> None:
    relation = duckdb.sql("SELECT TIMESTAMP '2026-01-02' AS day UNION ALL SELECT NULL")
    found = sample_of(relation, "current").take(["day"], 2, 0)["day"]
    assert found.dtype == np.dtype("datetime64[us]")
    assert sorted(map(str, found)) == ["2026-01-02T00:00:00.000000", "NaT"]


def test_a_row_of_many_copies_is_drawn_copy_by_copy() -> None:
    relation = duckdb.sql("SELECT CASE WHEN range % 100 = 0 THEN 1 ELSE 0 END AS x FROM range(100_000)")
    assert 20 < sample_of(relation, "current").take(["x"], 5_000, 0)["x"].sum() < 90


def test_cells_are_counted_at_every_bound() -> None:
    rows: Any = duckdb.sql("SELECT unnest([-1e308, -0.0, 0.1, 0.1, 5e-324, NULL, 1e308])::DOUBLE AS x")
    bounds = np.array([-1.0, 0.0, 5e-324, 0.1, np.inf])
    assert [cells.tolist() for cells in engine._Relation(rows, "", None).cells([("x", bounds)])] == [[1, 1, 1, 2, 1]]
    assert engine._Relation(rows.limit(0), "", None).cells([("x", bounds)])[0].tolist() == [0] * 5


def test_the_index_of_pandas_is_no_column(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1, 2], "__index_level_0__": [7, 9]}), tmp_path / "of_pandas.parquet")
    assert sample_of(tmp_path / "of_pandas.parquet", "current").names == ("x",)
