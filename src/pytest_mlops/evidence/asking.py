"""A model is asked once: for its predictions, and for its scores where it has any."""

from __future__ import annotations

import hashlib
import inspect
import pickle
from typing import Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from .frames import matrix
from .intake import usual_positive


def ask(model: Any, rows: Any, *, positive_label: Any, several: bool = False) -> dict[str, Any]:
    """What the model says about the rows: the arguments of `Evaluation` that come from it.

    Parameters
    ----------
    model : object or callable
    rows : frame or array
    positive_label : label or None
    several : bool
        Has each row several labels?
    """
    if inspect.isclass(model):
        raise EvidenceError(f"{model.__name__} is a class: give a trained model, an instance of it")
    if not hasattr(model, "predict"):
        return _ask_callable(model, rows, several=several)
    if several:
        return {"y_pred": model.predict(rows), **_ask_scores_of_labels(model, rows)}
    answer: dict[str, Any] = {"y_pred": _one_a_row(model.predict(rows))}
    classes = getattr(model, "classes_", None)
    if classes is None or isinstance(classes, list):  # a list: one array for each of several outputs
        return answer
    answer["labels"] = np.asarray(classes).tolist()
    return {**answer, **_ask_scores(model, rows, answer["labels"], positive_label)}


def predictions(model: Any, rows: Any) -> Any:
    """What the model predicts, without its scores."""
    if hasattr(model, "predict"):
        return model.predict(rows)
    answer = model(rows)
    return answer[0] if isinstance(answer, tuple) and len(answer) == 2 else answer


def digest_of(model: Any) -> str | None:
    """sha256 of what pickle writes of a model: which one it was, for the record. Nothing is ever loaded from it."""
    sink = _Sink()
    try:
        pickle.Pickler(sink, protocol=5).dump(model)
    except Exception:  # a model may be anything: many cannot be written
        return None
    return sink.sha256.hexdigest()


class _Sink:
    """A file that keeps nothing but the hash of what was written to it."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, data: Any) -> int:
        """As of a file."""
        self.sha256.update(data)
        return len(data)


def _ask_callable(model: Any, rows: Any, *, several: bool) -> dict[str, Any]:
    if not callable(model):
        raise EvidenceError(
            f"a {type(model).__name__} has no predict and cannot be called: give a trained model, or a function of X"
        )
    answer = model(rows)
    said, *scores = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer,)
    y_pred = said if several else _one_a_row(said)
    return {"y_pred": y_pred, **({"y_score": scores[0]} if scores else {})}


def _ask_scores(model: Any, rows: Any, classes: list[Any], positive_label: Any) -> dict[str, Any]:
    if hasattr(model, "predict_proba"):
        return {"y_score": model.predict_proba(rows), "probabilities": True}
    if not hasattr(model, "decision_function"):
        return {}
    scores = matrix(model.decision_function(rows), "decision_function(X)")
    if scores.ndim == 2:
        return {}  # raw scores of many classes are no probabilities: nothing here can be ranked by them
    positive = usual_positive(classes) if positive_label is None else positive_label
    first_is_positive = positive is not None and positive == classes[0]
    return {"y_score": -scores if first_is_positive else scores}


def _ask_scores_of_labels(model: Any, rows: Any) -> dict[str, Any]:
    """A column for each label."""
    if hasattr(model, "predict_proba"):
        said = model.predict_proba(rows)
        by_label = isinstance(said, list)  # of arrays, each with the classes of one label
        return {"y_score": _of_having_it(said, model.classes_) if by_label else said, "probabilities": True}
    if hasattr(model, "decision_function"):
        return {"y_score": model.decision_function(rows)}
    return {}


def _of_having_it(said: list[Any], classes: list[Any]) -> Any:
    """The probability of 1, which is 0 where training never saw one."""
    columns = [
        np.asarray(one)[:, list(known).index(1)] if 1 in list(known) else np.zeros(len(one))
        for one, known in zip(said, classes, strict=True)
    ]
    return np.column_stack(columns)


def _one_a_row(predicted: Any) -> Any:
    shape = np.shape(predicted)
    if len(shape) == 2 and shape[1] > 1:
        raise EvidenceError(
            f"the model's predict gave an array of shape {shape}, expected one label or number a row: "
            f"wrap the model in a function that returns (y_pred, y_score)"
        )
    return predicted
