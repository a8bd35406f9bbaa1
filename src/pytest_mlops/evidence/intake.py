"""What is admitted as evidence: each thing wrong with it has a sentence of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import count, did_you_mean

from . import fingerprint
from .frames import columns, matrix, vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .evaluation import Task

_EXACT_IN_FLOAT = 2**53
_ROUNDING = 1e-6  # of 32-bit floats: a softmax may give 1.0000001
_TASKS = ("binary", "multiclass", "regression")
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
    clusters: Any,
    time: Any,
    sample_weight: Any,
    row_ids: Any,
    features: Any,
    labels: Sequence[Any] | None,
    task: Task | None,
    probabilities: bool,
) -> dict[str, Any]:
    """The validated fields of an `Evaluation`, whose docstring says what each argument is."""
    truth, said = _whole(y_true, "y_true"), _whole(y_pred, "y_pred")
    n = truth.size
    if n == 0:
        raise EvidenceError("y_true is empty: there is nothing to judge")
    _same_length(said, n, "y_pred")
    task = _checked_task(task) or _infer_task(truth, said)
    if task == "regression":
        fields = _regression(truth, said, y_score, positive_label)
    else:
        fields = _classification(truth, said, labels, positive_label, task)
        fields["y_score"] = _scores(y_score, n, fields["labels"], fields["positive_label"], probabilities=probabilities)
    return {
        **fields,
        **_identity(row_ids, features, n),
        "n": n,
        "sensitive_features": _feature_columns(sensitive_features, n),
        "clusters": _optional(clusters, "clusters", n),
        "time": _optional(time, "time", n),
        "sample_weight": _weights(sample_weight, n),
        "notes": _notes(fields),
    }


def decode(codes: NDArray[Any], labels: Sequence[Any]) -> NDArray[Any]:
    """Labels of the codes."""
    integers = all(isinstance(label, int) for label in labels)
    known = np.array(labels) if integers else np.fromiter(labels, object, len(labels))
    return np.asarray(known[codes])


def _whole(data: Any, what: str) -> NDArray[Any]:
    """One value a row, none of them missing."""
    values = _unboxed(vector(data, what))
    missing = _missing(values)
    if missing.any():
        raise EvidenceError(
            f"{what} has {count(int(missing.sum()), 'missing value')} (NaN, infinite or None), the first in row "
            f"{int(missing.argmax())}: leave those rows out of the evaluation, or fix what made them"
        )
    return values


def _missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    missing = np.zeros(values.shape, dtype=np.bool_)
    if values.dtype.kind == "f":
        missing |= ~np.isfinite(values)
    elif values.dtype.kind in "mM":
        missing |= np.isnat(values)
    elif values.dtype.kind == "O":
        import pandas as pd

        infinite = [isinstance(x, float) and math.isinf(x) for x in values.ravel()]
        missing |= np.asarray(pd.isna(values)) | np.reshape(infinite, values.shape)
    return missing


def _unboxed(values: NDArray[Any]) -> NDArray[Any]:
    """Numbers that came as objects, as numbers; text as objects."""
    if values.dtype.kind == "O" and all(isinstance(x, int | float | np.number | np.bool_) for x in values):
        return np.array(values.tolist())
    return values.astype(object) if values.dtype.kind in "US" else values


def _same_length(values: NDArray[Any], n: int, what: str) -> None:
    if len(values) != n:
        raise EvidenceError(f"{what} has {count(len(values), 'row')}, but y_true has {n:,}: they must be the same rows")


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
            raise EvidenceError(f"{what} of a regression holds {_example(values)}, expected numbers")
    for given, what in ((y_score, "y_score"), (positive_label, "positive_label")):
        if given is not None:
            raise EvidenceError(f"{what} has no meaning for a regression: leave it out, or give labels as y_true")
    return {
        "task": "regression",
        "_true": _frozen(truth.astype(np.float64)),
        "_pred": _frozen(said.astype(np.float64)),
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
            f"y_true holds {_example(truth)} but y_pred holds {_example(said)}: labels of different kinds never "
            f"match; give both in the same form"
        )
    seen = _distinct(truth)
    if len(seen) < 2:
        raise EvidenceError(
            f"y_true holds one class only, {seen[0]!r}: a model that always says so would look perfect; "
            f"judge it on rows of every class"
        )
    known = seen if labels is None else _known_labels(labels)
    _never_seen(seen, known, "y_true", "the model's labels")
    _never_seen(_distinct(said), known, "y_pred", "y_true" if labels is None else "the model's labels")
    if task == "binary" and len(known) != 2:
        raise EvidenceError(f"task='binary', but there are {len(known)} labels: {_listed(known)}")
    binary = len(known) == 2 and task != "multiclass"
    return {
        "task": "binary" if binary else "multiclass",
        "_true": _frozen(_encode(truth, known)),
        "_pred": _frozen(_encode(said, known)),
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


def _known_labels(labels: Any) -> list[Any]:
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise EvidenceError(f"labels={labels!r} is no list of labels: give all classes that the model knows")
    known = [_scalar(label) for label in labels]
    if any(label in known[:place] for place, label in enumerate(known)):
        raise EvidenceError(f"labels= names a class twice: {_listed(known)}")
    return known


def _distinct(values: NDArray[Any]) -> list[Any]:
    if _numeric(values):
        return cast("list[Any]", np.unique(values).tolist())
    try:
        return sorted(set(values.tolist()), key=lambda label: (str(type(label)), label))
    except TypeError as error:
        raise EvidenceError(f"labels are {_example(values)}, expected text, integers or booleans") from error


def _scalar(label: Any) -> Any:
    plain = label.item() if isinstance(label, np.generic) else label
    return int(plain) if isinstance(plain, bool) or (isinstance(plain, float) and plain.is_integer()) else plain


def _never_seen(found: list[Any], known: list[Any], where: str, among: str) -> None:
    strangers = [label for label in found if label not in known]
    if strangers:
        near = did_you_mean(str(strangers[0]), map(str, known)) if isinstance(strangers[0], str) else ""
        hint = near or f"known: {_listed(known)}; if these numbers are quantities, say task='regression'"
        raise EvidenceError(f"{where} has labels that {among} never show: {_listed(strangers)}; {hint}")


def _encode(values: NDArray[Any], labels: list[Any]) -> NDArray[np.int32]:
    if _numeric(values):
        order = np.argsort(labels)
        return order[np.searchsorted(np.asarray(labels)[order], values)].astype(np.int32)
    place = {label: code for code, label in enumerate(labels)}
    return np.fromiter((place[value] for value in values.tolist()), np.int32, values.size)


def _positive_label(labels: list[Any], positive_label: Any, *, binary: bool) -> Any:
    if positive_label is None:
        return usual_positive(labels) if binary else None
    positive_label = _scalar(positive_label)
    if positive_label not in labels:
        raise EvidenceError(f"positive_label={positive_label!r} is none of the labels {_listed(labels)}")
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
    _same_length(scores, n, "y_score")
    scores = _finite_numbers(scores, "y_score")
    if probabilities or scores.ndim == 2:
        _check_probabilities(scores)
    if scores.ndim == 1:
        if len(labels) > 2:
            raise EvidenceError(f"y_score has one column for {len(labels)} classes: give one column for each class")
        return _frozen(scores)
    return _frozen(_score_columns(scores, labels, positive_label))


def _check_probabilities(scores: NDArray[np.float64]) -> None:
    outside = (scores < -_ROUNDING) | (scores > 1 + _ROUNDING)
    if outside.any():
        raise EvidenceError(
            f"y_score is meant to hold probabilities, but holds {count(int(outside.sum()), 'value')} outside [0, 1], "
            f"e.g. {float(scores[outside][0])!r}: give probabilities, or one raw score a row"
        )
    if scores.ndim == 2 and not np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        raise EvidenceError("the columns of y_score do not add up to 1 in every row: they are not class probabilities")


def _score_columns(scores: NDArray[np.float64], labels: tuple[Any, ...], positive_label: Any) -> NDArray[np.float64]:
    if scores.shape[1] != len(labels):
        raise EvidenceError(
            f"y_score has {scores.shape[1]} columns for {len(labels)} classes {_listed(labels)}: one for each, in "
            f"the order of labels="
        )
    if len(labels) > 2:
        return scores
    if positive_label is None:
        raise EvidenceError(
            f"which of {_listed(labels)} is the positive class? Say positive_label=, so that its scores can be told"
        )
    return scores[:, labels.index(positive_label)]


def _finite_numbers(values: NDArray[Any], what: str) -> NDArray[np.float64]:
    try:
        numbers = np.where(_missing(values), np.nan, values).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise EvidenceError(f"{what} holds {_example(values)}, expected numbers") from error
    bad = ~np.isfinite(numbers)
    if bad.any():
        raise EvidenceError(f"{what} has {count(int(bad.sum()), 'missing value')} (NaN, infinite or None)")
    return numbers


def _identity(row_ids: Any, features: Any, n: int) -> dict[str, Any]:
    if row_ids is not None:
        ids = _whole(row_ids, "row_ids")
        _same_length(ids, n, "row_ids")
        try:
            id_keys = fingerprint.column_keys(ids)
        except fingerprint.NoValueError as error:
            raise EvidenceError(f"row_ids hold {_example(ids)}, expected text or numbers") from error
        if np.unique(id_keys).size != n:
            raise EvidenceError("row_ids repeat: each row needs a name of its own")
        return {"row_keys": _frozen(id_keys), "identity": "row_ids"}
    keys = None if features is None else _feature_keys(features, n)
    if keys is None:
        return {"row_keys": None, "identity": "anonymous"}
    return {"row_keys": _frozen(keys), "identity": "features"}


def _feature_keys(features: Any, n: int) -> NDArray[np.uint64] | None:
    """A key a row; None where the features are no table of values (a list of images, a sparse matrix)."""
    try:
        found = columns(features, "features")
    except EvidenceError:
        return None
    for name, values in found.items():
        _same_length(values, n, f"features[{name!r}]")
    try:
        return fingerprint.row_keys(found) if found else None
    except fingerprint.NoValueError:
        return None


def _feature_columns(sensitive_features: Any, n: int) -> dict[str, NDArray[Any]]:
    if sensitive_features is None:
        return {}
    found = columns(sensitive_features, "sensitive_features")
    for name, values in found.items():
        _same_length(values, n, f"sensitive_features[{name!r}]")
    return {name: _frozen(values) for name, values in found.items()}


def _optional(data: Any, what: str, n: int) -> NDArray[Any] | None:
    if data is None:
        return None
    values = _whole(data, what)
    _same_length(values, n, what)
    return _frozen(values)


def _weights(sample_weight: Any, n: int) -> NDArray[np.float64] | None:
    if sample_weight is None:
        return None
    weights = vector(sample_weight, "sample_weight")
    _same_length(weights, n, "sample_weight")
    weights = _finite_numbers(weights, "sample_weight")
    if (weights < 0).any() or not weights.any():
        raise EvidenceError("sample_weight must not be negative, and at least one must be above 0")
    return _frozen(weights)


def _notes(fields: dict[str, Any]) -> tuple[str, ...]:
    """What is odd, but no error."""
    notes = []
    said, scores = fields["_pred"], fields["y_score"]
    if (said == said[0]).all():
        constant = fields["labels"][said[0]] if fields["labels"] else float(said[0])
        notes.append(f"the predictions are constant: every row is {constant!r}")
    if scores is not None and (scores == scores[0]).all():
        notes.append("the scores are constant")
    return tuple(notes)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A copy of our own that nobody can write to: a verdict must not change under its reader's hands."""
    own = np.array(array)
    own.setflags(write=False)
    return own


def _example(values: NDArray[Any]) -> str:
    value = values.ravel()[0]
    plain = value.item() if isinstance(value, np.generic) else value
    return f"{type(plain).__name__} (e.g. {plain!r})"


def _listed(labels: Sequence[Any]) -> str:
    shown = ", ".join(repr(label) for label in labels[:6])
    return f"{shown}, …" if len(labels) > 6 else shown
