"""A model is asked once, whatever kind of model it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from pytest_mlops import Evaluation, EvidenceError, Gate

RNG = np.random.default_rng(0)
X = pd.DataFrame({"age": RNG.normal(40, 10, 120), "income": RNG.normal(5, 2, 120)})
Y = np.where(X["age"] + RNG.normal(0, 5, 120) > 40, "old", "young")


class Scored:
    """A model whose classes stand in an order of their own."""

    def __init__(self, classes: list[Any]) -> None:
        self.classes_ = np.array(classes)

    def predict(self, rows: Any) -> Any:
        return self.classes_[(self.decision_function(rows) > 0).astype(int)]

    def decision_function(self, rows: Any) -> Any:
        return np.asarray(rows["age"]) - 40


def auc(made: Evaluation) -> float:
    estimate = Gate(challenger=made).performance_threshold("roc_auc", at_least=0.5).estimate
    assert estimate is not None
    return estimate.value


@pytest.mark.parametrize("positive", ["old", "young"])
@pytest.mark.parametrize("kind", [LogisticRegression, LinearSVC])
def test_scores_point_to_the_positive_label(kind: Any, positive: str) -> None:
    model = make_pipeline(StandardScaler(), kind()).fit(X, Y)
    made = Evaluation.from_model(model, X, Y, positive_label=positive)
    rank = model.decision_function(X)
    expected = roc_auc_score(np.equal(Y, positive), rank if positive == "young" else -rank)
    assert made.identity == "features"
    assert made.labels == ("old", "young")
    assert made.y_pred.tolist() == model.predict(X).tolist()
    assert auc(made) == pytest.approx(expected, abs=1e-12)
    assert auc(made) > 0.9


@pytest.mark.parametrize("classes", [[0, 1], [1, 0], [-1, 1], [1, -1]])
def test_the_usual_positive_label_needs_no_words(classes: list[int]) -> None:
    model = Scored(classes)
    made = Evaluation.from_model(model, X, model.predict(X))
    assert made.positive_label == 1
    assert auc(made) == 1.0


@pytest.mark.parametrize("order", [1, -1])
def test_other_labels_than_the_models_are_refused(order: int) -> None:
    model = LogisticRegression().fit(X, Y)
    labels = ["old", "young"][::order]
    if order == 1:
        assert Evaluation.from_model(model, X, Y, labels=labels, positive_label="old").labels == ("old", "young")
    else:
        with pytest.raises(EvidenceError, match="are not the model's classes_"):
            Evaluation.from_model(model, X, Y, labels=labels, positive_label="old")


def test_classes_that_the_test_set_lacks_are_known_to_the_model() -> None:
    y = np.where(X["income"] > 7, "rich", Y)
    model = LogisticRegression(max_iter=1000).fit(X, y)
    rows = y != "rich"
    made = Evaluation.from_model(model, X[rows], y[rows])
    assert made.labels == ("old", "rich", "young")
    assert made.y_score is not None
    assert made.y_score.shape == (rows.sum(), 3)


def test_a_regression_has_no_scores() -> None:
    target = X["age"] * 2.5
    made = Evaluation.from_model(LinearRegression().fit(X, target), X, target)
    assert made.task == "regression"
    assert made.y_score is None


def test_an_outlier_detector_is_a_model_of_labels() -> None:
    model = IsolationForest(n_estimators=5, random_state=0).fit(X)
    made = Evaluation.from_model(model, X, np.where(X["age"] > 60, -1, 1))
    assert (made.task, made.positive_label, made.y_score) == ("binary", 1, None)


@pytest.mark.parametrize(
    "model",
    [
        lambda rows: (rows["age"] > 40).astype(int),
        lambda rows: (rows["age"] > 40).astype(int).tolist(),
        lambda rows: ((rows["age"] > 40).astype(int), rows["age"]),
        lambda rows: (np.array(rows["age"] > 40).reshape(-1, 1), np.array(rows["age"])),
    ],
    ids=["series", "list", "with scores", "column"],
)
def test_a_function_is_a_model(model: Any) -> None:
    made = Evaluation.from_model(model, X, (X["age"] > 41).astype(int))
    assert made.task == "binary"
    assert made.y_pred.sum() == (X["age"] > 40).sum()


class Matrix:
    def predict(self, rows: Any) -> Any:
        return np.full((len(rows), 2), 0.5)


class NotProbabilities(Scored):
    def predict_proba(self, rows: Any) -> Any:
        return np.column_stack([rows["age"], -rows["age"]])


def _multi_output() -> Any:
    return MultiOutputClassifier(LogisticRegression()).fit(X, np.column_stack([Y, Y]))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LogisticRegression, "LogisticRegression is a class: give a trained model"),
        (Matrix(), r"predict gave an array of shape \(120, 2\)"),
        (_multi_output(), r"predict gave an array of shape \(120, 2\)"),
        (lambda rows: np.zeros((len(rows), 3)), r"predict gave an array of shape \(120, 3\)"),
        ("model.pkl", "a str has no predict and cannot be called"),
        (None, "a NoneType has no predict"),
        (lambda rows: Y[:5], "y_pred has 5 rows, but y_true has 120"),
        (lambda rows: None, "y_pred is None"),
        (NotProbabilities(["old", "young"]), r"240 values outside \[0, 1\]"),
        (Scored([0, 1]), "labels of different kinds never match"),
    ],
)
def test_what_is_no_model_is_refused(model: Any, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        Evaluation.from_model(model, X, Y, positive_label="young")


def test_row_ids_go_before_features() -> None:
    made = Evaluation.from_model(lambda rows: Y, X, Y, row_ids=range(120))
    assert made.identity == "row_ids"


@pytest.mark.parametrize(
    "features",
    [
        np.array([object() for _ in range(3)]),
        pd.DataFrame({"a": [{}, {}, {}]}),
        pd.DataFrame([[1, 2], [3, 4], [5, 6]], columns=["a", "a"]),
        {},
        5,
    ],
    ids=["objects", "dicts", "a name twice", "no column", "number"],
)
def test_features_that_are_no_table_of_values_identify_nothing(features: Any) -> None:
    assert Evaluation.from_model(lambda rows: [0, 1, 1], features, [0, 1, 0]).identity == "anonymous"


def test_the_model_is_named_by_its_digest() -> None:
    def digest(model: Any) -> str | None:
        return Evaluation.from_model(model, X, Y, positive_label="young").model_digest

    first, same, other = (LogisticRegression(C=c, max_iter=1000).fit(X, Y) for c in (1.0, 1.0, 0.5))
    assert digest(first) == digest(same)
    assert len(digest(first) or "") == 64
    assert digest(first) != digest(other)


def test_a_model_that_cannot_be_written_has_no_digest() -> None:
    assert Evaluation.from_model(lambda rows: Y, X, Y, positive_label="young").model_digest is None
    assert Evaluation(Y, Y, positive_label="young").model_digest is None
