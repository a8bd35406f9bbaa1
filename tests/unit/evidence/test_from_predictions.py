"""Predictions of models that live elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from pytest_mlops import Evaluation, EvidenceError

COLUMNS: dict[str, list[Any]] = {
    "id": [11, 12, 13, 14],
    "y_true": ["NA", "yes", "yes", "NA"],
    "y_pred": ["NA", "yes", "NA", "NA"],
    "y_score": [0.25, 0.75, 0.5, 0.125],
    "sex": ["f", "m", "f", "m"],
}
KNOWN: dict[str, Any] = {"row_ids": "id", "positive_label": "yes", "sensitive_features": "sex"}


def written(folder: Path, name: str) -> Path:
    path = folder / name
    frame = pd.DataFrame(COLUMNS)
    frame.to_csv(path, index=False) if path.suffix.lower() == ".csv" else frame.to_parquet(path)
    return path


@pytest.mark.parametrize("name", ["p.csv", "p.CSV", "p.parquet", "p.pq"])
@pytest.mark.parametrize("kind", [str, Path])
def test_files(tmp_path: Path, name: str, kind: type) -> None:
    expected = Evaluation.from_predictions(COLUMNS, **KNOWN)
    made = Evaluation.from_predictions(kind(written(tmp_path, name)), **KNOWN)
    assert made.prediction_digest == expected.prediction_digest
    assert made.labels == ("NA", "yes")
    assert made.sensitive_features["sex"].tolist() == COLUMNS["sex"]


@pytest.mark.parametrize(
    "library", [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table], ids=["pandas", "polars", "lazy", "arrow"]
)
def test_frames(library: Any) -> None:
    made = Evaluation.from_predictions(library(COLUMNS), **KNOWN)
    assert made.prediction_digest == Evaluation.from_predictions(COLUMNS, **KNOWN).prediction_digest


def test_columns_by_other_names() -> None:
    frame = {"t": [0, 1, 2], "p": [0, 1, 1], "a": [1, 0, 0.5], "b": [0, 1, 0.5], "c": [0, 0, 0], "w": [1, 1, 2]}
    made = Evaluation.from_predictions(
        frame, y_true="t", y_pred="p", y_score=["a", "b", "c"], features=["a", "b"], sample_weight="w", clusters="t",
        time="w",
    )  # fmt: skip
    assert made.identity == "features"
    assert made.y_score is not None
    assert made.y_score.shape == (3, 3)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.csv", None, "there is no predictions file '.*missing.csv'"),
        ("missing.parquet", None, "there is no predictions file"),
        ("p.json", b"{}", "expected a .csv or .parquet file"),
        ("p", b"y_true,y_pred", "expected a .csv or .parquet file"),
        ("p.csv", b"", "cannot read predictions from '.*p.csv': No columns"),
        ("p.csv", b"y_true,y_pred\n", "y_true is empty"),
        ("p.csv", b"y_true,y_pred\n0,1\n1,0,1,1\n", "cannot read predictions from .*fields in line 3, saw 4"),
        ("p.csv", b"y_true,y_pred\n0,1,1\n1,0,0\n", "header .* does not match length of data"),
        ("p.csv", b"y_true,y_pred\n7,1,1\n9,0,0\n", "header .* does not match length of data"),
        ("p.csv", b"\xff\xfe\x00y_true", "cannot read predictions from"),
        ("p.csv", b"y_true;y_pred\n0;1\n", "no column 'y_true' for y_true: did you mean 'y_true;y_pred'"),
        ("p.csv", b"truth,said\n0,1\n1,0\n", "no column 'y_true' for y_true: valid names: said, truth"),
        ("p.csv", b"y_true,y_pred\n0,1\n,0\n", "y_true has 1 missing value"),
        ("p.csv", b"y_true,y_pred\n0,nan\n1,0\n", "y_pred has 1 missing value"),
        ("p.parquet", b"PAR1 but not really", "cannot read predictions from '.*p.parquet'"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_judged(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(EvidenceError, match=message):
        Evaluation.from_predictions(tmp_path / name)


def test_a_comma_at_the_end_of_each_row_moves_no_value(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("y_true,y_pred\n0,1,\n1,1,\n")
    made = Evaluation.from_predictions(path)
    assert (made.y_true.tolist(), made.y_pred.tolist()) == ([0, 1], [1, 1])


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "p.csv").mkdir()
    with pytest.raises(EvidenceError, match="there is no predictions file"):
        Evaluation.from_predictions(tmp_path / "p.csv")


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"y_pred": "y_prde"}, "no column 'y_prde' for y_pred: did you mean 'y_pred'"),
        ({"row_ids": "ids"}, "no column 'ids' for row_ids: did you mean 'id'"),
        ({"y_score": "score"}, "no column 'score' for y_score: did you mean 'y_score'"),
        ({"y_score": []}, "names no column"),
        ({"sensitive_features": ["sex", "age"]}, "no column 'age' for sensitive_features"),
        ({"features": ["agee"]}, "no column 'agee' for features"),
    ],
)
def test_columns_that_are_not_there(known: dict[str, Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        Evaluation.from_predictions(COLUMNS, **{**KNOWN, **known})


@pytest.mark.parametrize("source", [None, 5, ["a", "b"]])
def test_what_is_no_frame(source: Any) -> None:
    with pytest.raises(EvidenceError, match="predictions"):
        Evaluation.from_predictions(source)
