"""Whatever holds rows becomes a sample, or is refused with a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from pytest_mlops.evidence import profile_file
from pytest_mlops.evidence.engines import spark
from pytest_mlops.evidence.evaluation import Evaluation
from pytest_mlops.evidence.profile import ColumnProfile, Profile
from pytest_mlops.evidence.samples import Sample, sample_of
from pytest_mlops.evidence.sources import Sources
from pytest_mlops.verdict.errors import EvidenceError

FRAME = pd.DataFrame({"age": [31.0, 47.0, np.nan], "city": ["Bonn", "Köln", "Bonn"]})


def all_profiles(sample: Sample) -> dict[str, ColumnProfile]:
    found = sample.profiles(sample.names)
    assert not [error for error in found.values() if isinstance(error, EvidenceError)]
    return {name: profile for name, profile in found.items() if isinstance(profile, ColumnProfile)}


def as_profile(frame: Any) -> Profile:
    sample = sample_of(frame, "reference")
    return Profile(sample.rows, all_profiles(sample))


# --- where rows are

HOLDERS = {
    "pandas": FRAME,
    "Polars": pl.from_pandas(FRAME, nan_to_null=True),
    "PyArrow": pa.Table.from_pandas(FRAME),
    "DuckDB": duckdb.from_arrow(pa.Table.from_pandas(FRAME)),
    "memory": {"age": [31.0, 47.0, np.nan], "city": ["Bonn", "Köln", "Bonn"]},
    "a profile": as_profile(FRAME),
}


@pytest.mark.parametrize("engine", HOLDERS)
def test_a_sample_knows_where_its_rows_are(engine: str) -> None:
    sample = sample_of(HOLDERS[engine], "reference")
    assert (sample.engine, sample.role, sample.names, sample.rows) == (engine, "reference", ("age", "city"), 3)
    assert all_profiles(sample) == all_profiles(sample_of(FRAME, "reference"))


def test_a_query_of_polars_is_a_sample() -> None:
    sample = sample_of(pl.LazyFrame({"x": [3, 1, 2]}).filter(pl.col("x") > 1), "current")
    assert (sample.engine, sample.rows) == ("Polars", 2)


def test_a_csv_file_is_a_sample(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "rows.csv", index=False)
    found = sample_of(str(tmp_path / "rows.csv"), "current")
    assert all_profiles(found) == all_profiles(sample_of(FRAME, "current"))


def test_numbers_may_be_names_of_columns() -> None:
    sample = sample_of(pd.DataFrame([[1, 2], [3, 4]]), "current")
    assert sample.names == ("0", "1")
    assert sorted(sample.take(["1"], 2, 0)["1"]) == [2, 4]


def test_arrays_and_series_are_samples() -> None:
    assert sample_of(np.ones((3, 2)), "current").names == ("0", "1")
    assert sample_of(pd.Series([1, 2], name="age"), "current").names == ("age",)
    assert sample_of([1, 2, 3], "current").rows == 3


def test_a_table_in_a_mapping_is_a_column_of_vectors() -> None:
    sample = sample_of({"embedding": np.eye(3), "x": [1, 2, 3]}, "current")
    assert sample.profiles(["embedding"])["embedding"] == ColumnProfile("vectors", 3, 0, dimensions=3)
    assert sample.digests()["data"]


def test_columns_are_read_once_and_only_when_asked_for() -> None:
    asked: list[float] = []
    sample = sample_of(FRAME, "reference", tell=lambda words, share: asked.append(share))
    assert asked == []
    first, again = (sample.profiles(["age"])["age"] for _ in range(2))
    assert first is again
    assert asked == [0.0, 1.0]


def test_progress_names_the_sample_and_its_engine() -> None:
    told: list[tuple[str, float]] = []
    sample_of(HOLDERS["DuckDB"], "current", tell=lambda *said: told.append(said)).profiles(["age", "city"])
    assert {words for words, _ in told} == {"reading mlops_current (DuckDB)"}
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert told[-1][1] == 1.0


# --- evaluations


def test_an_evaluation_is_its_columns() -> None:
    made = Evaluation([0, 1, 1], [0, 1, 0], [0.2, 0.9, 0.4], sensitive_features={"sex": ["f", "m", "f"]})
    sample = sample_of(made, "current")
    assert sample.names == ("sex", "label", "prediction", "score")
    assert all(profile.binary for name, profile in all_profiles(sample).items() if name in ("label", "prediction"))


def test_numbers_that_name_classes_are_no_quantities() -> None:
    found = all_profiles(sample_of(Evaluation([3, 5, 9], [3, 5, 9]), "current"))
    assert {profile.kind for profile in found.values()} == {"categorical"}


# --- what a report says


def test_rows_in_memory_have_one_digest_in_any_order_and_library() -> None:
    holders = (FRAME, FRAME.iloc[::-1], HOLDERS["PyArrow"], HOLDERS["memory"])
    digests = [sample_of(holder, "current").digests() for holder in holders]
    assert digests[0]["rows"] == 3
    assert len(str(digests[0]["data"])) == 64
    assert all(digest == digests[0] for digest in digests)


def test_what_has_no_value_has_no_digest() -> None:
    assert sample_of({"x": [1, 2], "thing": [object(), object()]}, "current").digests() == {"rows": 2, "data": None}


def test_rows_elsewhere_are_told_apart_by_the_columns_that_were_checked() -> None:
    sample = sample_of(HOLDERS["DuckDB"], "current")
    assert sample.digests() == {"rows": 3, "data": None, "columns": {}}
    checked = sample.profiles(["age"])["age"]
    assert isinstance(checked, ColumnProfile)
    assert sample.digests()["columns"] == {"age": checked.digest}


def test_sources_say_what_their_samples_say() -> None:
    sources = Sources(None, reference=lambda: FRAME, current=HOLDERS["DuckDB"])
    assert sources.digests() == {}
    assert sources.reference() is sources.reference()
    assert sources.current().engine == "DuckDB"
    assert sources.digests() == {
        "reference": sample_of(FRAME, "reference").digests(),
        "current": {"rows": 3, "data": None, "columns": {}},
    }


# --- profiles


def test_a_profile_file_stands_in_for_rows(tmp_path: Path) -> None:
    path = tmp_path / "reference.profile.json"
    path.write_text(profile_file.dumps(as_profile(FRAME)))
    sample = sample_of(path, "reference")
    assert all_profiles(sample) == all_profiles(sample_of(FRAME, "reference"))
    assert sample.digests()["rows"] == 3
    assert len(sample.digests()["data"]) == 64


def test_a_profile_has_no_rows_to_give() -> None:
    sample = sample_of(as_profile(FRAME), "reference")
    for ask in (lambda: sample.take(["age"], 2, 0), lambda: sample.blocks("age", 2, 1)):
        with pytest.raises(EvidenceError, match=r"is a profile, which holds no rows.*: give the rows themselves"):
            ask()


# --- what is refused

REFUSED = {
    "no rows": (pd.DataFrame({"x": []}), "mlops_current has no rows or no columns: give a table of at least one row"),
    "no rows of a query": (pl.LazyFrame({"x": [1]}).filter(pl.col("x") > 1), "mlops_current has no rows or no columns"),
    "no rows of DuckDB": (duckdb.sql("SELECT 1 AS x WHERE false"), "mlops_current has no rows or no columns"),
    "no columns": (pd.DataFrame(index=[1, 2]), "mlops_current has no rows or no columns"),
    "an empty mapping": ({}, "mlops_current has no rows or no columns"),
    "lengths": ({"x": [1, 2], "y": [1]}, "mlops_current has columns of different lengths"),
    "nothing": (None, "mlops_current is None, expected one value a row"),
    "a number": (3, "mlops_current is a int, expected one value a row"),
    "a cube": ({"x": np.ones((2, 2, 2))}, r"mlops_current\['x'\] has shape \(2, 2, 2\)"),
    "a mask": ({"x": np.ma.masked_less(np.eye(2), 1)}, r"mlops_current\['x'\] has masked values"),
    "two of a name": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "mlops_current cannot be read: .*unique"),
    "two of a number": (pd.DataFrame([[1, 2]], columns=[1, "1"]), "mlops_current has two columns named '1'"),
    "no CSV": ("nowhere.csv", "there is no mlops_current file 'nowhere.csv'"),
    "no profile": ("nowhere.profile.json", "nowhere.profile.json"),
    "a broken query": (pl.LazyFrame({"x": [1]}).select("y"), "the query of mlops_current fails: "),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_sample_is_refused(what: str) -> None:
    data, sentence = REFUSED[what]
    with pytest.raises(EvidenceError, match=sentence):
        sample_of(data, "current")


@pytest.mark.parametrize("engine", HOLDERS)
def test_an_unknown_column_is_named_with_the_nearest(engine: str) -> None:
    with pytest.raises(EvidenceError, match="mlops_current has no column 'agee': did you mean 'age'"):
        sample_of(HOLDERS[engine], "current").profiles(["agee"])


def test_a_query_that_fails_for_one_column_spares_the_others() -> None:
    broken = pl.LazyFrame({"x": ["a"], "y": [1]}).with_columns(pl.col("x").cast(pl.Int64))
    found = sample_of(broken, "current").profiles(["x", "y"])
    assert str(found["x"]).startswith("the query of mlops_current fails: conversion")
    assert "\n" not in str(found["x"])
    assert isinstance(found["y"], ColumnProfile)


@pytest.mark.parametrize("engine", ["pandas", "DuckDB"])
def test_rows_without_an_order_are_not_cut(engine: str) -> None:
    sample = sample_of(HOLDERS[engine], "current")
    with pytest.raises(EvidenceError, match="'city' holds text, which gives rows no order"):
        sample.blocks("city", 2, 1)
    with pytest.raises(EvidenceError, match="'age' gives 1 row no time"):
        sample.blocks("age", 2, 1)


@pytest.mark.parametrize("engine", ["pandas", "DuckDB"])
@pytest.mark.parametrize("seed", [-1, 2**70])
def test_any_number_is_a_seed(engine: str, seed: int) -> None:
    assert len(sample_of(HOLDERS[engine], "current").take(["age"], 2, seed)["age"]) == 2


def test_rows_are_not_chosen_by_what_has_no_value() -> None:
    sample = sample_of({"thing": [object(), object()]}, "current")
    with pytest.raises(EvidenceError, match="'thing' holds what has no value to choose rows by"):
        sample.take(["thing"], 1, 0)


def test_a_function_that_finds_no_java_says_what_to_install() -> None:
    def start() -> None:
        from pyspark.errors import PySparkRuntimeError

        raise PySparkRuntimeError(errorClass="JAVA_GATEWAY_EXITED", messageParameters={})

    with pytest.raises(EvidenceError, match="Spark needs Java 17 or newer"):
        Sources(None, reference=start).reference()
    assert not spark.needs_java(RuntimeError("JAVA_HOME"))
