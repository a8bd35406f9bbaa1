"""How much each feature matters to a model."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression

from pytest_mlops import Evaluation, EvidenceError
from pytest_mlops.evidence.storage import from_arrays, to_arrays

RNG = np.random.default_rng(0)
X = pd.DataFrame({"age": RNG.normal(size=600), "income": RNG.normal(size=600), "noise": RNG.normal(size=600)})
Y = (2 * X["age"] + X["income"] + RNG.normal(0, 0.5, 600) > 0).astype(int)
AMOUNT = 2 * X["age"] + X["income"] + RNG.normal(0, 0.5, 600)
CLASSIFIER = LogisticRegression().fit(X, Y)
REGRESSOR = LinearRegression().fit(X, AMOUNT)


def by_array(rows: Any) -> Any:
    """A model of its own making that knows no frame in particular."""
    return (2 * np.asarray(rows["age"]) + np.asarray(rows["income"]) > 0).astype(int)


def importance(model: Any, rows: Any, y: Any, **known: Any) -> dict[str, float]:
    found = Evaluation.from_model(model, rows, y, importance=True, **known).importance
    assert found is not None
    return dict(found)


@pytest.mark.parametrize(("model", "y", "scoring"), [(CLASSIFIER, Y, "accuracy"), (REGRESSOR, AMOUNT, "r2")])
def test_it_is_what_scikit_learn_says(model: Any, y: Any, scoring: str) -> None:
    found = importance(model, X, y)
    expected = permutation_importance(model, X, y, scoring=scoring, n_repeats=20, random_state=1)["importances_mean"]
    assert list(found.values()) == pytest.approx(np.maximum(expected, 0), abs=0.05)
    assert found["age"] > found["income"] > found["noise"]


def test_no_row_order_and_no_column_order_changes_it() -> None:
    order = RNG.permutation(600)
    shuffled = X.iloc[order][["noise", "income", "age"]]
    assert importance(by_array, shuffled, Y.iloc[order]) == importance(by_array, X, Y)


@pytest.mark.parametrize("of", [pl.from_pandas, pa.Table.from_pandas], ids=["polars", "pyarrow"])
def test_any_frame_gives_the_same(of: Any) -> None:
    assert importance(by_array, of(X), Y) == importance(by_array, X, Y)


def test_an_index_with_repeats_is_no_matter() -> None:
    assert importance(by_array, X.set_axis([0] * 600), Y) == importance(by_array, X, Y)


def test_columns_keep_their_types() -> None:
    seen: list[Any] = []
    rows = pd.DataFrame({"kind": pd.Categorical(["a", "b"] * 20), "size": np.arange(40, dtype="int16")})

    def model(given: Any) -> Any:
        seen.append(given.dtypes.tolist())
        return given["kind"].astype(str)

    assert importance(model, rows, ["a", "b"] * 20)["kind"] > 0.3
    assert all(types == seen[0] for types in seen)


def test_text_labels_and_several_labels_are_compared() -> None:
    words = np.where(Y == 1, "old", "young")
    assert importance(lambda rows: np.where(by_array(rows), "old", "young"), X, words) == importance(by_array, X, Y)
    both = np.column_stack([Y, Y])
    found = importance(lambda rows: np.column_stack([by_array(rows)] * 2), X, both, task="multilabel")
    assert found == importance(by_array, X, Y)


def test_a_feature_that_does_no_good_has_no_importance_below_0() -> None:
    assert min(importance(lambda rows: np.asarray(rows["noise"] > 0).astype(int), X, Y).values()) >= 0


def test_scores_beside_predictions_are_left_aside() -> None:
    assert importance(lambda rows: (by_array(rows), np.asarray(rows["age"])), X, Y) == importance(by_array, X, Y)


@pytest.mark.parametrize("rows", [X.to_numpy(), X.to_numpy().tolist()], ids=["array", "list"])
def test_features_without_names_are_refused(rows: Any) -> None:
    with pytest.raises(EvidenceError, match=r"features with names, .* give a frame"):
        Evaluation.from_model(lambda given: np.asarray(Y), rows, Y, importance=True)


def test_nobody_pays_who_does_not_ask() -> None:
    assert Evaluation.from_model(by_array, X, Y).importance is None
    assert Evaluation(Y, Y).importance is None


def test_copies_and_pickles_keep_it_and_the_record_does_not() -> None:
    made = Evaluation.from_model(by_array, X, Y, importance=True)
    assert made.importance
    assert copy.deepcopy(made).importance == made.importance
    assert pickle.loads(pickle.dumps(made)).importance == made.importance
    assert from_arrays(*to_arrays(made)).importance is None


def test_what_has_no_r2_has_no_importance() -> None:
    with pytest.raises(EvidenceError, match="all y are equal"):
        importance(REGRESSOR, X, np.full(600, 3.5))

    def wild(rows: Any) -> Any:
        right = np.asarray(rows["age"] + rows["income"]) == np.asarray(X["age"] + X["income"])
        return np.where(right, np.asarray(rows["age"]), np.nan)

    with pytest.raises(EvidenceError, match="no finite number"):
        importance(wild, X, AMOUNT, row_ids=np.arange(600))
