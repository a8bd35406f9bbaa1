"""What is admitted as evidence: each thing wrong with it has a sentence of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import did_you_mean

from . import fingerprint
from .checked import (
    example,
    finite_numbers,
    frozen,
    known_labels,
    listed,
    refuse_no_probabilities,
    same_length,
    scalar,
    whole,
)
from .frames import Table, columns, matrix, vector
from .moments import together, when
from .multilabel import odd_labels, several_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .evaluation import Task

_EXACT_IN_FLOAT = 2**53
_TASKS = ("binary", "multiclass", "multilabel", "regression")
_USUAL_POSITIVES: tuple[tuple[frozenset[Any], Any], ...] = (
    (frozenset({0, 1}), 1),
    (frozenset({-1, 1}), 1),
)


def admit(
    *,
    y_true: Any,
    y_pred: Any,
    y_score: Any,
    positive_label: Any,
    sensitive_features: Any,
    slice_features: Any,
    clusters: Any,
    time: Any,
    season: Any,
    sample_weight: Any,
    row_ids: Any,
    features: Any,
    labels: Sequence[Any] | None,
    task: Task | None,
    probabilities: bool,
) -> dict[str, Any]:
    """The validated fields of an `Evaluation`, whose docstring says what each argument is."""
    table = Table.of(y_true, "y_true")
    n = len(table.values)
    if n == 0:
        raise EvidenceError("y_true is empty: there is nothing to judge")
    if _checked_task(task) == "multilabel" or (task is None and _several_columns(table)):
        fields = several_labels(
            table, y_pred, y_score, labels=labels, positive_label=positive_label, probabilities=probabilities
        )
    else:
        fields = _one_a_row(table, y_pred, y_score, labels, positive_label, task, probabilities=probabilities)
    return {
        **fields,
        **_identity(row_ids, features, n),
        "n": n,
        "sensitive_features": _named_columns(sensitive_features, "sensitive_features", n),
        "slice_features": _named_columns(slice_features, "slice_features", n),
        "clusters": together(clusters, n),
        **when(time, season, n),
        "sample_weight": _weights(sample_weight, n),
        "notes": _notes(fields),
    }


def decode(codes: NDArray[Any], labels: Sequence[Any]) -> NDArray[Any]:
    """Labels of the codes."""
    integers = all(isinstance(label, int) for label in labels)
    known = np.array(labels) if integers else np.fromiter(labels, object, len(labels))
    return np.asarray(known[codes])


def _several_columns(table: Table) -> bool:
    return table.values.ndim == 2 and table.values.shape[1] > 1


def _one_a_row(
    table: Table, y_pred: Any, y_score: Any, labels: Sequence[Any] | None, positive_label: Any, task: Task | None,
    *, probabilities: bool,
) -> dict[str, Any]:  # fmt: skip
    """One label or quantity a row."""
    truth, said = whole(table.values, "y_true"), whole(y_pred, "y_pred")
    n = truth.size
    same_length(said, n, "y_pred")
    task = task or _infer_task(truth, said)
    if task == "regression":
        return _regression(truth, said, y_score, positive_label)
    fields = _classification(truth, said, labels, positive_label, task)
    scores = _scores(y_score, n, fields["labels"], fields["positive_label"], probabilities=probabilities)
    return {**fields, "y_score": scores}


def _checked_task(task: Any) -> Task | None:
    if task is not None and task not in _TASKS:
        raise EvidenceError(f"unknown task {task!r}: {did_you_mean(str(task), _TASKS)}")
    return cast("Task | None", task)


def _infer_task(truth: NDArray[Any], said: NDArray[Any]) -> Task | None:
    """Regression where values are fractions; None: classification, of as many classes as there are labels."""
    if not (_numeric(truth) and _numeric(said)):
        return None
    if _fractions(truth):
        return "regression"
    if not _fractions(said):
        return None
    if np.unique(truth).size <= 2:
        raise EvidenceError(
            "y_true has two values but y_pred has fractions, which look like scores: give labels as y_pred and the "
            "scores as y_score= (or say task='regression')"
        )
    return "regression"


def _numeric(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "biuf"


def _fractions(values: NDArray[Any]) -> bool:
    return values.dtype.kind == "f" and bool((values != np.floor(values)).any())


def _regression(truth: NDArray[Any], said: NDArray[Any], y_score: Any, positive_label: Any) -> dict[str, Any]:
    for values, what in ((truth, "y_true"), (said, "y_pred")):
        if not _numeric(values):
            raise EvidenceError(f"{what} of a regression holds {example(values)}, expected numbers")
    for given, what in ((y_score, "y_score"), (positive_label, "positive_label")):
        if given is not None:
            raise EvidenceError(f"{what} has no meaning for a regression: leave it out, or give labels as y_true")
    return {
        "task": "regression",
        "_true": frozen(truth.astype(np.float64)),
        "_pred": frozen(said.astype(np.float64)),
        "labels": (),
        "positive_label": None,
        "y_score": None,
    }


def _classification(
    truth: NDArray[Any], said: NDArray[Any], labels: Sequence[Any] | None, positive_label: Any, task: Task | None
) -> dict[str, Any]:
    truth, said = _as_labels(truth, "y_true"), _as_labels(said, "y_pred")
    if _numeric(truth) != _numeric(said):
        raise EvidenceError(
            f"y_true holds {example(truth)} but y_pred holds {example(said)}: labels of different kinds never "
            f"match; give both in the same form"
        )
    seen = _distinct(truth)
    if len(seen) < 2:
        raise EvidenceError(
            f"y_true holds one class only, {seen[0]!r}: a model that always says so would look perfect; "
            f"judge it on rows of every class"
        )
    known = seen if labels is None else known_labels(labels)
    _never_seen(seen, known, "y_true", "the model's labels")
    _never_seen(_distinct(said), known, "y_pred", "y_true" if labels is None else "the model's labels")
    if task == "binary" and len(known) != 2:
        raise EvidenceError(f"task='binary', but there are {len(known)} labels: {listed(known)}")
    binary = len(known) == 2 and task != "multiclass"
    return {
        "task": "binary" if binary else "multiclass",
        "_true": frozen(_encode(truth, known)),
        "_pred": frozen(_encode(said, known)),
        "labels": tuple(known),
        "positive_label": _positive_label(known, positive_label, binary=binary),
    }


def _as_labels(values: NDArray[Any], what: str) -> NDArray[Any]:
    if values.dtype.kind == "f" and (_fractions(values) or np.abs(values).max(initial=0) > _EXACT_IN_FLOAT):
        raise EvidenceError(
            f"{what} holds fractions or huge numbers, which are no labels: give labels (scores go into y_score=), or "
            f"say task='regression' if these are quantities"
        )
    if values.dtype.kind in "bf":
        return values.astype(np.int64)  # True is 1, and 1.0 is 1
    return values if values.dtype.kind in "iu" else values.astype(object)


def _distinct(values: NDArray[Any]) -> list[Any]:
    if _numeric(values):
        present = _present(values)
        return cast("list[Any]", (np.unique(values) if present is None else present).tolist())
    try:
        return sorted(set(values.tolist()), key=lambda label: (str(type(label)), label))
    except TypeError as error:
        raise EvidenceError(f"labels are {example(values)}, expected text, integers or booleans") from error


def _present(values: NDArray[Any]) -> NDArray[Any] | None:
    """The integers that occur, in order, found by counting; None where they lie too far apart for that."""
    lowest, highest = int(values.min()), int(values.max())
    if not _close_together(lowest, highest, values.size):
        return None
    return np.flatnonzero(np.bincount(values.astype(np.int64, copy=False) - lowest)) + lowest


def _close_together(lowest: int, highest: int, rows: int) -> bool:
    """May there be a place for each integer between?"""
    return highest - lowest <= max(1024, rows) and -(2**62) < lowest <= highest < 2**62


def _never_seen(found: list[Any], known: list[Any], where: str, among: str) -> None:
    among_known = set(known)
    strangers = [label for label in found if label not in among_known]
    if strangers:
        near = did_you_mean(str(strangers[0]), map(str, known)) if isinstance(strangers[0], str) else ""
        hint = near or f"known: {listed(known)}; if these numbers are quantities, say task='regression'"
        raise EvidenceError(f"{where} has labels that {among} never show: {listed(strangers)}; {hint}")


def _encode(values: NDArray[Any], labels: list[Any]) -> NDArray[np.int32]:
    """The place of each value in the labels, among which it is."""
    place = {label: code for code, label in enumerate(labels)}
    if not _numeric(values):
        return np.fromiter(map(place.__getitem__, values.tolist()), np.int32, values.size)
    known = sorted(label for label in labels if isinstance(label, int))
    codes = np.array([place[label] for label in known], dtype=np.int32)
    if not _close_together(known[0], known[-1], values.size):
        return codes[np.searchsorted(np.array(known), values)]
    by_value = np.zeros(known[-1] - known[0] + 1, dtype=np.int32)
    by_value[np.array(known) - known[0]] = codes
    return by_value[values.astype(np.int64, copy=False) - known[0]]


def _positive_label(labels: list[Any], positive_label: Any, *, binary: bool) -> Any:
    if positive_label is None:
        return usual_positive(labels) if binary else None
    positive_label = scalar(positive_label)
    if positive_label not in labels:
        raise EvidenceError(f"positive_label={positive_label!r} is none of the labels {listed(labels)}")
    return positive_label


def usual_positive(labels: Sequence[Any]) -> Any:
    """The positive class of two that everybody writes alike; None where it must be said."""
    return next((positive for pair, positive in _USUAL_POSITIVES if set(labels) == pair), None)


def _scores(
    y_score: Any, n: int, labels: tuple[Any, ...], positive_label: Any, *, probabilities: bool
) -> NDArray[np.float64] | None:
    if y_score is None:
        return None
    scores = matrix(y_score, "y_score")
    same_length(scores, n, "y_score")
    scores = finite_numbers(scores, "y_score")
    if probabilities or scores.ndim == 2:
        _check_probabilities(scores)
    if scores.ndim == 1:
        if len(labels) > 2:
            raise EvidenceError(f"y_score has one column for {len(labels)} classes: give one column for each class")
        return frozen(scores)
    return frozen(_score_columns(scores, labels, positive_label))


def _check_probabilities(scores: NDArray[np.float64]) -> None:
    refuse_no_probabilities(scores, "give probabilities, or one raw score a row")
    if scores.ndim == 2 and not np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        raise EvidenceError("the columns of y_score do not add up to 1 in every row: they are not class probabilities")


def _score_columns(scores: NDArray[np.float64], labels: tuple[Any, ...], positive_label: Any) -> NDArray[np.float64]:
    if scores.shape[1] != len(labels):
        raise EvidenceError(
            f"y_score has {scores.shape[1]} columns for {len(labels)} classes {listed(labels)}: one for each, in "
            f"the order of labels="
        )
    if len(labels) > 2:
        return scores
    if positive_label is None:
        raise EvidenceError(
            f"which of {listed(labels)} is the positive class? Say positive_label=, so that its scores can be told"
        )
    return scores[:, labels.index(positive_label)]


def _identity(row_ids: Any, features: Any, n: int) -> dict[str, Any]:
    if row_ids is not None:
        ids = whole(row_ids, "row_ids")
        same_length(ids, n, "row_ids")
        try:
            id_keys = fingerprint.column_keys(ids)
        except fingerprint.NoValueError as error:
            raise EvidenceError(f"row_ids hold {example(ids)}, expected text or numbers") from error
        in_order = np.sort(id_keys)
        if (in_order[1:] == in_order[:-1]).any():
            raise EvidenceError("row_ids repeat: each row needs a name of its own")
        return {"row_keys": frozen(id_keys), "identity": "row_ids"}
    keys = None if features is None else _feature_keys(features, n)
    if keys is None:
        return {"row_keys": None, "identity": "anonymous"}
    return {"row_keys": frozen(keys), "identity": "features"}


def _feature_keys(features: Any, n: int) -> NDArray[np.uint64] | None:
    """A key a row; None where the features are no table of values (a list of images, a sparse matrix)."""
    try:
        found = columns(features, "features")
    except EvidenceError:
        return None
    for name, values in found.items():
        same_length(values, n, f"features[{name!r}]")
    try:
        return fingerprint.row_keys(found) if found else None
    except fingerprint.NoValueError:
        return None


def _named_columns(given: Any, what: str, n: int) -> dict[str, NDArray[Any]]:
    if given is None:
        return {}
    found = columns(given, what)
    for name, values in found.items():
        same_length(values, n, f"{what}[{name!r}]")
    return {name: frozen(values) for name, values in found.items()}


def _weights(sample_weight: Any, n: int) -> NDArray[np.float64] | None:
    if sample_weight is None:
        return None
    weights = vector(sample_weight, "sample_weight")
    same_length(weights, n, "sample_weight")
    weights = finite_numbers(weights, "sample_weight")
    if (weights < 0).any() or not weights.any():
        raise EvidenceError("sample_weight must not be negative, and at least one must be above 0")
    return frozen(weights)


def _notes(fields: dict[str, Any]) -> tuple[str, ...]:
    """What is odd, but no error."""
    notes = []
    said, scores = fields["_pred"], fields["y_score"]
    if (said == said[0]).all():
        notes.append(f"the predictions are constant: every row is {_constant(fields)!r}")
    if scores is not None and (scores == scores[0]).all():
        notes.append("the scores are constant")
    if fields["task"] == "multilabel":
        notes.extend(odd_labels(fields["_true"], fields["labels"]))
    return tuple(notes)


def _constant(fields: dict[str, Any]) -> Any:
    """What every row is said to be."""
    said, labels = fields["_pred"][0], fields["labels"]
    if fields["task"] == "multilabel":
        return [label for label, has in zip(labels, said, strict=True) if has]
    return labels[said] if labels else float(said)
