"""Columns of any library in, numpy arrays out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

from pytest_mlops import EvidenceError
from pytest_mlops.evidence.frames import columns, matrix, vector

TABLE = {"a": [1, 2], "b": ["x", None]}


@pytest.mark.parametrize(
    "library",
    [dict, pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table],
    ids=["mapping", "pandas", "polars", "lazy", "arrow"],
)
def test_columns_of_a_frame(library: Any) -> None:
    found = columns(library(TABLE), "frame")
    assert list(found) == ["a", "b"]
    assert found["a"].tolist() == [1, 2]
    assert found["b"][0] == "x"
    assert pd.isna(found["b"][1])


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (np.zeros(2), ["frame"]),
        (np.zeros((2, 3)), ["0", "1", "2"]),
        (np.zeros((2, 2, 2)), ["0", "1", "2", "3"]),
        (np.zeros((0, 2)), ["0", "1"]),
        ([[1, 2], [3, 4]], ["0", "1"]),
        (["a text", "another"], ["frame"]),
        (pd.Series([1, 2], name="age"), ["age"]),
        (pd.Series([1, 2]), ["frame"]),
        (pl.Series("age", [1, 2]), ["age"]),
        (pd.DataFrame(np.zeros((2, 2))), ["0", "1"]),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])), ["('a', 1)", "('b', 2)"]),
        (pd.DataFrame(index=range(2)), []),
    ],
)  # fmt: skip
def test_names_of_columns(data: Any, names: list[str]) -> None:
    assert list(columns(data, "frame")) == names


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "frame is None"),
        ("a", "frame is 'a'"),
        (3, "frame is a int"),
        (csr_array(np.eye(2)), "frame is a csr_array"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "frame cannot be read: Expected unique column names"),
        ({"a": 1}, r"frame\['a'\] is a int"),
        ([[1], [1, 2]], "frame is not a table"),
    ],
)
def test_what_has_no_columns(data: Any, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        columns(data, "frame")


@pytest.mark.parametrize("values", [["a", 1], [True, "a"], ["a", float("nan")], [b"a", 1]], ids=str)
def test_a_list_keeps_the_kinds_of_its_values(values: list[Any]) -> None:
    assert [type(value) for value in vector(values, "y")] == [type(value) for value in values]


@pytest.mark.parametrize(("shape", "found"), [((3,), (3,)), ((3, 1), (3,)), ((3, 2), (3, 2))])
def test_scores_have_one_or_more_columns(shape: tuple[int, ...], found: tuple[int, ...]) -> None:
    assert matrix(np.zeros(shape), "y_score").shape == found


def test_scores_of_three_dimensions() -> None:
    with pytest.raises(EvidenceError, match=r"y_score has shape \(2, 2, 2\)"):
        matrix(np.zeros((2, 2, 2)), "y_score")
