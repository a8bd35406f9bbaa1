"""Who is who."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pytest_mlops import Evaluation
from pytest_mlops.evidence.groups import MOST_GROUPS, groups_by, groups_of
from pytest_mlops.verdict.errors import EvidenceError


def grouped(values: Any, by: tuple[str, ...] = ("who",)) -> dict[str, list[int]]:
    """The rows of each group."""
    features = values if isinstance(values, dict) else {"who": values}
    n = len(next(iter(features.values())))
    truth = np.arange(n) % 2
    groups = groups_by(Evaluation(truth, truth, sensitive_features=features), by)
    return {label: np.flatnonzero(groups.codes == place).tolist() for place, label in enumerate(groups.labels)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["b", "a", "b"], {"a": [1], "b": [0, 2]}),
        (np.array(["b", "a", "b"]), {"a": [1], "b": [0, 2]}),
        ([10, 9, 10], {"9": [1], "10": [0, 2]}),
        ([1.0, math.nan, 0.0], {"0": [2], "1": [0], "missing": [1]}),
        ([0.5, 1.5, 0.5], {"0.5": [0, 2], "1.5": [1]}),
        (np.array([0.1, 2, 0.1], dtype=np.float32), {"0.1": [0, 2], "2": [1]}),
        ([True, False, True], {"False": [1], "True": [0, 2]}),
        (["a", None, "b"], {"a": [0], "b": [2], "missing": [1]}),
        (["a", math.nan, None], {"a": [0], "missing": [1, 2]}),
        (["a", "", " "], {"' '": [2], "''": [1], "a": [0]}),
        ([1, 2, "3+"], {"1": [0], "2": [1], "3+": [2]}),
        ([True, None, False], {"False": [2], "True": [0], "missing": [1]}),
        (pd.Categorical(["b", "a", None], categories=["b", "a", "never"]), {"a": [1], "b": [0], "missing": [2]}),
        (pd.array([1, None, 2], dtype="Int64"), {"1": [0], "2": [2], "missing": [1]}),
        (pl.Series(["b", None, "a"]), {"a": [2], "b": [0], "missing": [1]}),
        (pl.Series([1, None, 2]), {"1": [0], "2": [2], "missing": [1]}),
        (
            np.array(["2024-01-01", "NaT", "2023-01-01"], dtype="datetime64[D]"),
            {"2023-01-01": [2], "2024-01-01": [0], "missing": [1]},
        ),
        (["Ä", "\u202e", "\ud800"], {"Ä": [0], "\u202e": [1], "\ud800": [2]}),
    ],
)
def test_groups(values: Any, expected: dict[str, list[int]]) -> None:
    found = grouped({"who": values} if not isinstance(values, pd.Categorical) else {"who": pd.Series(values)})
    assert {key.removesuffix("T00:00:00.000000000"): rows for key, rows in found.items()} == expected


def test_the_order_of_groups_is_not_that_of_the_rows() -> None:
    values = ["c", None, "a", "b"]
    assert list(grouped(values)) == list(grouped(values[::-1])) == ["a", "b", "c", "missing"]
    assert list(grouped([10, 2, 1])) == ["1", "2", "10"]


def test_intersections_that_have_rows() -> None:
    found = grouped({"sex": ["F", "M", "M"], "age": [30, 30, None]}, ("sex", "age"))
    assert found == {"F / 30": [0], "M / 30": [1], "M / missing": [2]}


def test_names_of_groups_keep_their_parts() -> None:
    truth = np.arange(2)
    features = {"a": ["x / y", "x"], "b": ["z", "y / z"]}
    groups = groups_by(Evaluation(truth, truth, sensitive_features=features), ("a", "b"))
    assert groups.names == (("x", "y / z"), ("x / y", "z"))


def test_counts() -> None:
    truth = np.arange(4) % 2
    groups = groups_by(Evaluation(truth, truth, sensitive_features={"a": list("xyxx")}), ["a"])
    assert groups.count(truth == 0).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("values", "by", "message"),
    [
        ([1, 1, 1], ("who",), "all rows are of one group of 'who', '1'"),
        ([None, None], ("who",), "all rows are of one group of 'who', 'missing'"),
        ([1, 2], ("whom",), "no sensitive feature 'whom': did you mean 'who'?"),
        (["1", 1, 2], ("who",), "2 groups that read '1'"),
        (["missing", None], ("who",), "2 groups that read 'missing'"),
        (np.array([True, 1, 0], dtype=object), ("who",), "both truth values and numbers"),
        ([True, 1, "a"], ("who",), "both truth values and numbers"),
        ([["a"], ["b", "c"]], ("who",), "cannot be told apart"),
        (list(range(MOST_GROUPS + 1)), ("who",), "makes 101 groups"),
    ],
)
def test_what_makes_no_groups(values: Any, by: tuple[str, ...], message: str) -> None:
    if isinstance(values[0], list):
        values = np.fromiter(values, dtype=object, count=len(values))
    with pytest.raises(EvidenceError, match=message.replace("?", r"\?")):
        grouped({"who": values}, by)


def test_an_evaluation_without_features() -> None:
    with pytest.raises(
        EvidenceError, match="has no sensitive features, so none called 'sex': give sensitive_features="
    ):
        groups_by(Evaluation([0, 1], [0, 1]), ["sex"])


def test_dates_as_objects() -> None:
    day = datetime.date(2024, 1, 1)
    assert grouped(np.array([day, None, day], dtype=object)) == {"2024-01-01": [0, 2], "missing": [1]}


def test_columns_of_any_mapping_and_of_one_group() -> None:
    columns = {"age": np.array([30, 50, 30]), "all": np.array(["x", "x", "x"], dtype=object)}
    assert groups_of(columns, ["age", "all"]).labels == ("30 / x", "50 / x")
    assert groups_of(columns, ["age", "all"]).codes.tolist() == [0, 1, 0]
    only = groups_of(columns, ["all"])
    assert (only.labels, only.codes.tolist()) == (("x",), [0, 0, 0])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"age": np.arange(3)}, r"there is no column 'agee' to group rows by: did you mean 'age'\?"),
        ({}, "there is no column 'agee'"),
        ({"agee": np.arange(MOST_GROUPS + 1)}, "'agee' makes 101 groups"),
        ({"agee": np.eye(2)}, r"the column 'agee' has shape \(2, 2\)"),
    ],
)
def test_what_makes_no_slices(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        groups_of(columns, ["agee"])
