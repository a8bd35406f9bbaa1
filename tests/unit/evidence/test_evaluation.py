"""What is admitted as evidence, and what is refused with which words."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from pytest_mlops import Evaluation, EvidenceError

Colour = Enum("Colour", ["RED", "BLUE"])
YES_NO = ["no", "yes", "yes", "no"]
BITS = [0, 1, 1, 0]
SCORES = [0.2, 0.9, 0.4, 0.1]


def same_in_every_library(values: list[Any]) -> dict[str, Any]:
    return {
        "list": values,
        "tuple": tuple(values),
        "numpy": np.array(values),
        "numpy objects": np.array(values, dtype=object),
        "numpy column": np.array(values).reshape(-1, 1),
        "pandas": pd.Series(values, index=range(7, 7 + len(values))),
        "pandas nullable": pd.Series(values).convert_dtypes(),
        "pandas arrow": pd.Series(values).convert_dtypes(dtype_backend="pyarrow"),
        "pandas categorical": pd.Series(values).astype("category"),
        "pandas extension array": pd.array(values),
        "pandas index": pd.Index(values),
        "pandas frame": pd.DataFrame({"y": values}),
        "polars": pl.Series(values),
        "polars frame": pl.DataFrame({"y": values}),
        "polars lazy frame": pl.LazyFrame({"y": values}),
        "pyarrow": pa.array(values),
        "pyarrow dictionary": pa.array(values).dictionary_encode(),
        "pyarrow chunks": pa.chunked_array([values[:1], values[1:]]),
        "pyarrow table": pa.table({"y": values}),
    }


LIBRARIES = list(same_in_every_library(BITS))
KINDS: dict[str, list[Any]] = {
    "text": ["no", "yes", "yes", "no", "yes"],
    "integers": [3, 1, 2, 1, 3],
    "booleans": [True, False, True, True, False],
    "fractions": [0.5, 1.25, -3.0, 2.0, 7.5],
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", KINDS)
def test_equal_data_is_equal_from_every_library(kind: str, library: str) -> None:
    values = KINDS[kind]
    reference = Evaluation(values, values[::-1], row_ids=range(5))
    theirs = Evaluation(
        same_in_every_library(values)[library],
        same_in_every_library(values[::-1])[library],
        row_ids=same_in_every_library(list(range(5)))[library],
    )
    assert theirs.data_digest == reference.data_digest
    assert theirs.prediction_digest == reference.prediction_digest
    assert theirs.labels == reference.labels
    assert theirs.y_true.tolist() == reference.y_true.tolist()


@pytest.mark.parametrize("library", LIBRARIES)
def test_scores_come_from_every_library(library: str) -> None:
    made = Evaluation(BITS, BITS, same_in_every_library(SCORES)[library])
    assert made.y_score is not None
    assert made.y_score.tolist() == SCORES


@pytest.mark.parametrize(
    ("y_true", "y_pred", "known", "task", "labels", "positive"),
    [
        (BITS, BITS, {}, "binary", (0, 1), 1),
        ([-1, 1], [1, 1], {}, "binary", (-1, 1), 1),
        ([1, 2], [1, 1], {}, "binary", (1, 2), None),
        ([1, 2], [1, 1], {"positive_label": 2}, "binary", (1, 2), 2),
        ([True, False], [True, True], {}, "binary", (0, 1), 1),
        ([True, False], [1, 0], {"positive_label": False}, "binary", (0, 1), 0),
        ([1.0, 0.0], [1, 0], {"positive_label": np.float64(0)}, "binary", (0, 1), 0),
        (YES_NO, YES_NO, {"positive_label": "yes"}, "binary", ("no", "yes"), "yes"),
        (YES_NO, YES_NO, {"labels": ["yes", "no"]}, "binary", ("yes", "no"), None),
        (YES_NO, YES_NO, {"labels": ["yes", "no", "maybe"]}, "multiclass", ("yes", "no", "maybe"), None),
        (BITS, BITS, {"task": "multiclass"}, "multiclass", (0, 1), None),
        ([0, 1, 2], [0, 0, 1], {}, "multiclass", (0, 1, 2), None),
        ([0, 1, 0], [0, 1, 10], {"labels": [10, 0, 1]}, "multiclass", (10, 0, 1), None),
        ([0, 1, 0], [1, 1, 0], {"labels": [0, 1, "unknown"]}, "multiclass", (0, 1, "unknown"), None),
        ([0.5, 1.5], [1, 2], {}, "regression", (), None),
        ([1, 2, 3], [1.5, 2, 3], {}, "regression", (), None),
        ([1, 2, 3], [1, 2, 4], {"task": "regression"}, "regression", (), None),
        ([0, 1], [0.5, 1.0], {"task": "regression"}, "regression", (), None),
        ([True, False], [0.5, 1.0], {"task": "regression"}, "regression", (), None),
    ],
)
def test_the_kind_of_task(
    y_true: list[Any], y_pred: list[Any], known: dict[str, Any], task: str, labels: tuple[Any, ...], positive: Any
) -> None:
    made = Evaluation(y_true, y_pred, **known)
    assert (made.task, made.labels, made.positive_label) == (task, labels, positive)
    assert made.y_true.tolist() == y_true
    assert made.y_pred.tolist() == y_pred


NAN, INF = float("nan"), float("inf")
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({"y_true": [], "y_pred": []}, "y_true is empty: there is nothing to judge"),
    "lengths": ({"y_pred": [0, 1]}, "y_pred has 2 rows, but y_true has 4"),
    "no y_true": ({"y_true": None}, "y_true is None, expected one value a row"),
    "text y_true": ({"y_true": "0110"}, "y_true is '0110', expected one value a row"),
    "number y_true": ({"y_true": 5}, "y_true is a int, expected one value a row"),
    "set y_true": ({"y_true": {0, 1}}, "y_true is a set, expected one value a row"),
    "dict y_true": ({"y_true": {"a": 1}}, "y_true is a dict, expected one value a row"),
    "2-D y_true": ({"y_true": np.eye(4)}, r"y_pred has shape \(4,\), but y_true \(4, 4\), a column for each label"),
    "2-D y_true of two classes": ({"y_true": np.eye(4), "task": "binary"}, r"y_true has shape \(4, 4\), expected one"),
    "2-D y_pred": ({"y_pred": np.eye(4)}, r"y_pred has shape \(4, 4\), expected one value a row"),
    "ragged": ({"y_true": [[0], [1, 2], [1], [0]]}, "y_true is not a table"),
    "NaN": ({"y_true": [0, NAN, 1, NAN]}, "y_true has 2 missing values .* the first in row 1"),
    "None": ({"y_pred": ["a", None, "b", "a"]}, "y_pred has 1 missing value"),
    "NaN among text": ({"y_true": ["a", NAN, "b", "a"]}, "y_true has 1 missing value"),
    "infinite": ({"y_true": [0.5, INF, 1, 2]}, "y_true has 1 missing value"),
    "infinite object": ({"y_true": np.array([0.5, np.float32("inf"), 1, 2], dtype=object)}, "1 missing value"),
    "pd.NA": ({"y_true": pd.Series([0, 1, pd.NA, 0], dtype="Int64")}, "y_true has 1 missing value"),
    "NaT": ({"y_true": np.array(["2020", "NaT", "2021", "2021"], dtype="datetime64[D]")}, "1 missing value"),
    "polars null": ({"y_true": pl.Series(["a", None, "b", "a"])}, "y_true has 1 missing value"),
    "arrow null": ({"y_true": pa.array([True, None, False, True])}, "y_true has 1 missing value"),
    "masked": ({"y_true": np.ma.masked_equal([0, 1, 1, 0], 1)}, "y_true has masked values"),
    "one class": ({"y_true": [1, 1, 1, 1]}, "y_true holds one class only, 1"),
    "label never seen": ({"y_pred": [0, 1, 2, 0]}, "y_pred has labels that y_true never show: 2; known: 0, 1"),
    "misspelt label": ({"y_true": YES_NO, "y_pred": ["no", "yess", "yes", "no"]}, "did you mean 'yes'"),
    "outside labels": ({"labels": [0, 2]}, "y_true has labels that the model's labels never show: 1"),
    "scores as y_pred": ({"y_pred": SCORES}, "look like scores: give labels as y_pred"),
    "scores as binary y_pred": ({"y_pred": SCORES, "task": "binary"}, "y_pred holds fractions .* no labels"),
    "fractions as labels": ({"y_true": [0.5, 1.5, 2.5, 0.5], "task": "multiclass"}, "y_true holds fractions"),
    "huge labels": ({"y_true": [0.0, 1e19, 2e19, 0.0], "y_pred": [0.0, 2e19, 1e19, 0.0]}, "y_true holds .*huge"),
    "text against numbers": ({"y_true": ["0", "1", "1", "0"]}, r"str \(e.g. '0'\) but y_pred holds int \(e.g. 0\)"),
    "dicts as labels": ({"y_true": [{}] * 4, "y_pred": [{}] * 4}, "labels are dict .* expected text, integers"),
    "complex labels": ({"y_true": [1j, 0, 1, 2], "y_pred": [1j] * 4}, "labels are complex"),
    "enum labels": ({"y_true": [*Colour] * 2, "y_pred": [*Colour] * 2}, "labels are Colour"),
    "task": ({"task": "regresion"}, "unknown task 'regresion': did you mean 'regression'"),
    "three binary": ({"y_true": [0, 1, 2, 0], "task": "binary"}, "task='binary', but there are 3 labels"),
    "positive label": ({"positive_label": "yes"}, "positive_label='yes' is none of the labels 0, 1"),
    "positive text": ({"positive_label": "1"}, "positive_label='1' is none of the labels"),
    "labels twice": ({"labels": [0, 1, True]}, "labels= names a class twice: 0, 1, 1"),
    "labels text": ({"labels": "01"}, "labels='01' is no list of labels"),
    "labels without hash": ({"labels": [[0], [1]]}, "labels= holds .* expected text, integers"),
    "labels number": ({"labels": 2}, "labels=2 is no list of labels"),
    "regression of text": ({"y_true": YES_NO, "task": "regression"}, "y_true of a regression holds str"),
    "regression of decimals": ({"y_pred": [Decimal(1)] * 4, "task": "regression"}, "holds Decimal"),
    "regression with scores": ({"y_score": SCORES, "task": "regression"}, "y_score has no meaning for a regression"),
    "regression positive": ({"positive_label": 1, "task": "regression"}, "positive_label has no meaning"),
    "score length": ({"y_score": [0.5]}, "y_score has 1 row, but y_true has 4"),
    "score NaN": ({"y_score": [0.1, NAN, 0.2, 0.3]}, "y_score has 1 missing value"),
    "score inf": ({"y_score": [0.1, -INF, 0.2, 0.3]}, "y_score has 1 missing value"),
    "score pd.NA": ({"y_score": pd.Series([0.1, pd.NA, 0.2, 0.3], dtype=object)}, "y_score has 1 missing value"),
    "score text": ({"y_score": ["high", "low", "low", "low"]}, r"y_score holds str \(e.g. 'high'\), expected numbers"),
    "score 3-D": ({"y_score": np.zeros((4, 2, 2))}, r"y_score has shape \(4, 2, 2\)"),
    "not probabilities": ({"y_score": [0, 1.5, 0.5, 1], "probabilities": True}, r"1 value outside \[0, 1\], e.g. 1.5"),
    "nearly probabilities": ({"y_score": [0, 1.00001, 0, 1], "probabilities": True}, "e.g. 1.00001"),
    "columns of raw scores": ({"y_score": np.full((4, 2), 2.0)}, r"8 values outside \[0, 1\]"),
    "columns do not add up": ({"y_score": np.full((4, 2), 0.4)}, "do not add up to 1"),
    "columns": ({"y_score": np.full((4, 4), 0.25)}, "y_score has 4 columns for 2 classes 0, 1"),
    "columns of what": (
        {"y_true": YES_NO, "y_pred": YES_NO, "y_score": np.full((4, 2), 0.5)},
        "which of 'no', 'yes' is the positive class",
    ),
    "one score of three classes": ({"y_true": [0, 1, 2, 0], "y_score": SCORES}, "one column for 3 classes"),
    "row_ids repeat": ({"row_ids": [1, 2, 2, 3]}, "row_ids repeat"),
    "row_ids missing": ({"row_ids": ["a", None, "b", "c"]}, "row_ids has 1 missing value"),
    "row_ids length": ({"row_ids": [1, 2]}, "row_ids has 2 rows, but y_true has 4"),
    "row_ids without value": ({"row_ids": [{}, {1: 1}, {2: 2}, {3: 3}]}, "row_ids hold dict .* expected text"),
    "two columns of row_ids": ({"row_ids": np.ones((4, 2))}, r"row_ids has shape \(4, 2\)"),
    "features length": ({"features": pd.DataFrame({"age": [1, 2]})}, r"features\['age'\] has 2 rows"),
    "no features": ({"features": np.empty((0, 3))}, r"features\['0'\] has 0 rows"),
    "sensitive length": ({"sensitive_features": {"sex": ["m"]}}, r"sensitive_features\['sex'\] has 1 row"),
    "slice length": ({"slice_features": {"region": ["n"]}}, r"slice_features\['region'\] has 1 row"),
    "slice text": ({"slice_features": "region"}, "slice_features is 'region'"),
    "sensitive text": ({"sensitive_features": "sex"}, "sensitive_features is 'sex'"),
    "clusters length": ({"clusters": [1]}, "clusters has 1 row"),
    "time NaT": ({"time": np.array(["2020", "NaT", "2021", "2022"], dtype="M8[D]")}, "time has 1 missing value"),
    "negative weight": ({"sample_weight": [1, 1, -1, 1]}, "sample_weight must not be negative"),
    "no weight": ({"sample_weight": [0, 0, 0, 0]}, "at least one must be above 0"),
    "weight NaN": ({"sample_weight": [1, None, 1, 1]}, "sample_weight has 1 missing value"),
    "weight length": ({"sample_weight": [1]}, "sample_weight has 1 row"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_bad_evidence_is_refused_with_a_sentence(what: str) -> None:
    bad, message = REFUSED[what]
    with pytest.raises(EvidenceError, match=message):
        Evaluation(**{"y_true": BITS, "y_pred": BITS, **bad})


@pytest.mark.parametrize(
    ("bad", "notes"),
    [
        ({"y_pred": [1, 1, 1, 1]}, ("the predictions are constant: every row is 1",)),
        ({"y_score": [0.5] * 4}, ("the scores are constant",)),
        ({"y_true": [0.5, 1, 2, 3], "y_pred": [2] * 4}, ("the predictions are constant: every row is 2.0",)),
        ({}, ()),
    ],
)
def test_what_is_odd_is_noted(bad: dict[str, Any], notes: tuple[str, ...]) -> None:
    assert Evaluation(**{"y_true": BITS, "y_pred": BITS, **bad}).notes == notes


@pytest.mark.parametrize(
    ("labels", "positive", "kept"), [(None, 1, 1), (None, 0, 0), ([1, 0], 1, 0), ([1, 0], None, 0)]
)
def test_of_two_columns_the_positive_one_is_kept(labels: list[int] | None, positive: int | None, kept: int) -> None:
    columns = np.column_stack([SCORES, [1 - score for score in SCORES]])
    made = Evaluation(BITS, BITS, columns, labels=labels, positive_label=positive)
    assert made.y_score is not None
    assert made.y_score.tolist() == columns[:, kept].tolist()


def arrays(made: Evaluation) -> list[Any]:
    return [
        made._true, made._pred, made.y_score, made.row_keys, made.clusters, made.time, made.sample_weight,
        *made.sensitive_features.values(), *made.slice_features.values(),
    ]  # fmt: skip


def full(y_true: Any, y_pred: Any, rest: Any) -> Evaluation:
    return Evaluation(
        y_true, y_pred, rest if np.asarray(y_true).dtype.kind == "i" else None, clusters=rest, time=rest,
        sample_weight=rest, row_ids=rest, sensitive_features={"group": rest}, slice_features={"slice": rest},
    )  # fmt: skip


@pytest.mark.parametrize("dtype", [int, float])
def test_changing_the_input_afterwards_changes_nothing(dtype: type) -> None:
    y_true: Any = np.array([0, 1, 1, 0.5]).astype(dtype)
    y_pred: Any = np.array([1, 1, 0.5, 0]).astype(dtype)
    rest = np.array([0.1, 0.2, 0.3, 0.4])
    made = full(y_true, y_pred, rest)
    before = [None if array is None else array.copy() for array in arrays(made)]
    for given in (y_true, y_pred, rest):
        given[:] = 9
    for array, copied in zip(arrays(made), before, strict=True):
        np.testing.assert_array_equal(array, copied)


@pytest.mark.parametrize("copied", [False, True], ids=["as made", "unpickled"])
def test_nothing_can_be_changed(copied: bool) -> None:
    made = full([0, 1, 1, 0], [0, 1, 0, 0], [0.1, 0.2, 0.3, 0.4])
    if copied:
        made = pickle.loads(pickle.dumps(made))
    for array in arrays(made):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9
    with pytest.raises(AttributeError, match="does not change"):
        made.n = 5
    with pytest.raises(AttributeError, match="does not change"):
        del made.n


@pytest.mark.parametrize(
    "slices", [{"a": [1, 2, 3, 4]}, pd.DataFrame({"a": [1, 2, 3, 4]}), pd.Series([1, 2, 3, 4], name="a")]
)
def test_slice_features_are_kept_like_sensitive_ones(slices: Any) -> None:
    made = Evaluation(BITS, BITS, slice_features=slices, sensitive_features={"sex": YES_NO})
    assert {name: values.tolist() for name, values in made.slice_features.items()} == {"a": [1, 2, 3, 4]}
    assert list(made.sensitive_features) == ["sex"]
    assert Evaluation(BITS, BITS).slice_features == {}


@pytest.mark.parametrize(
    "labels", [[-3, 5], [0, 2**40], [2**63 + 1, 2**63 + 5], [-(2**60), 2**60], [100, -100, 3], [7, 3, "unknown"]]
)
@pytest.mark.parametrize("dtype", [None, np.int8, np.uint64])
def test_codes_of_integers_near_and_far(labels: list[Any], dtype: Any) -> None:
    numbers = [label for label in labels if isinstance(label, int)]
    if dtype and not all(np.iinfo(dtype).min <= number <= np.iinfo(dtype).max for number in numbers):
        pytest.skip("no such integers of this type")
    truth = np.array(numbers * 2, dtype=dtype)
    made = Evaluation(truth, truth, labels=labels)
    assert made.y_true.tolist() == numbers * 2
    assert [labels[code] for code in made.true_codes] == numbers * 2
    assert Evaluation(truth, truth).labels == tuple(sorted(numbers))


def test_copies_are_the_same_evidence() -> None:
    made = Evaluation(YES_NO, YES_NO, SCORES, positive_label="yes", row_ids=range(4))
    for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert repr(other) == repr(made)
        assert other.prediction_digest == made.prediction_digest


def test_digests_tell_rows_truth_and_predictions_apart() -> None:
    def digests(y_true: list[int], y_pred: list[int], score: list[float] | None, ids: Any) -> tuple[str, str]:
        made = Evaluation(y_true, y_pred, score, row_ids=ids)
        return made.data_digest, made.prediction_digest

    base = digests(BITS, BITS, SCORES, range(4))
    other_prediction = digests(BITS, [1, 1, 1, 0], SCORES, range(4))
    other_score = digests(BITS, BITS, [0.3, *SCORES[1:]], range(4))
    other_truth = digests([1, 1, 1, 0], BITS, SCORES, range(4))
    other_rows = digests(BITS, BITS, SCORES, range(1, 5))
    assert base[0] == other_prediction[0] == other_score[0]
    assert len({base[0], other_truth[0], other_rows[0]}) == 3
    assert len({base[1], other_prediction[1], other_score[1], other_truth[1], other_rows[1]}) == 5
    assert digests(BITS[::-1], BITS[::-1], SCORES[::-1], range(3, -1, -1)) == base
    assert digests(BITS[1:] + BITS[:1], BITS, SCORES, None) != digests(BITS, BITS, SCORES, None)


def test_probabilities_may_exceed_1_by_the_rounding_of_32_bits() -> None:
    Evaluation([0, 1], [0, 1], [0.0, 1.0000001], probabilities=True)
