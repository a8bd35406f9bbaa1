"""Several labels a row: tables of 0 and 1, a column for each label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from .checked import (
    example,
    finite_numbers,
    frozen,
    known_labels,
    listed,
    refuse_missing,
    refuse_no_probabilities,
    same_length,
    unboxed,
)
from .frames import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray


def several_labels(
    truth: Table, y_pred: Any, y_score: Any, *, labels: Sequence[Any] | None, positive_label: Any, probabilities: bool
) -> dict[str, Any]:
    """The fields of a multilabel `Evaluation`, whose docstring says what each argument is.

    Raises
    ------
    EvidenceError
        A table is none of zeros and ones, or not of the same rows and labels; all rows have the same labels.
    """
    if positive_label is not None:
        raise EvidenceError(
            "positive_label has no meaning where each row has several labels: leave it out (1 says that a row has "
            "the label)"
        )
    true = _indicators(truth, "y_true")
    said = Table.of(y_pred, "y_pred")
    _same_shape(said, true, "y_pred")
    pred = _indicators(said, "y_pred")
    if (true == true[0]).all():
        raise EvidenceError(
            "all rows of y_true have the same labels: a model that always says so would look perfect; judge it on "
            "rows that differ"
        )
    names = _names(truth, labels)
    _same_columns(said, names, "y_pred")
    return {
        "task": "multilabel",
        "_true": frozen(true),
        "_pred": frozen(pred),
        "labels": names,
        "positive_label": None,
        "y_score": None if y_score is None else _scores(y_score, true, names, probabilities=probabilities),
    }


def odd_labels(true: NDArray[np.int8], labels: Sequence[Any]) -> list[str]:
    """Notes on labels of which nothing can be learnt."""
    having = np.count_nonzero(true, axis=0)
    never = [label for label, rows in zip(labels, having, strict=True) if not rows]
    always = [label for label, rows in zip(labels, having, strict=True) if rows == len(true)]
    said = (("no row has", never), ("every row has", always))
    return [f"{who} the label{'s' * (len(which) > 1)} {listed(which)}" for who, which in said if which]


def _indicators(table: Table, what: str) -> NDArray[np.int8]:
    """Zeros and ones of shape (n, labels)."""
    values = table.values
    if values.ndim != 2 or values.shape[1] < 2:
        raise EvidenceError(
            f"{what} has shape {values.shape}, expected (n, labels): where each row has several labels, a column of 0 "
            f"and 1 for each of at least two labels"
        )
    values = unboxed(values)
    refuse_missing(values, what)
    if values.dtype.kind not in "biuf":
        raise EvidenceError(f"{what} holds {example(values)}, expected 0 and 1 in the column of each label")
    strange = (values != 0) & (values != 1)
    if strange.any():
        raise EvidenceError(
            f"{what} has {values.shape[1]} columns and holds {values[strange][0].item()!r}: a table holds 0 and 1, a "
            f"column for each label (judge several quantities one by one; scores go into y_score=)"
        )
    return np.ascontiguousarray(values, dtype=np.int8)


def _same_shape(table: Table, true: NDArray[np.int8], what: str) -> None:
    same_length(table.values, len(true), what)
    if table.values.shape != true.shape:
        raise EvidenceError(
            f"{what} has shape {table.values.shape}, but y_true {true.shape}, a column for each label: give both in "
            f"this form (or, if each row has one label only, y_true.argmax(axis=1))"
        )


def _names(truth: Table, labels: Sequence[Any] | None) -> tuple[Any, ...]:
    """Those said, or those of the columns, or places."""
    width = truth.values.shape[1]
    if labels is None:
        return tuple(range(width)) if truth.names is None else tuple(known_labels(truth.names))
    names = tuple(known_labels(labels))
    if len(names) != width:
        raise EvidenceError(f"labels= names {len(names)} labels, but y_true has {width} columns: one for each")
    _same_columns(truth, names, "y_true")
    return names


def _same_columns(table: Table, labels: tuple[Any, ...], what: str) -> None:
    """Columns by names that are labels, but in another place, would be judged as other labels."""
    moved = [
        name
        for name, label in zip(table.names or (), labels, strict=False)
        if isinstance(name, str) and name in labels and name != label
    ]
    if moved:
        raise EvidenceError(
            f"the columns of {what} are {listed(table.names or ())}, but the labels {listed(labels)}: give both in the "
            f"same order"
        )


def _scores(
    y_score: Any, true: NDArray[np.int8], labels: tuple[Any, ...], *, probabilities: bool
) -> NDArray[np.float64]:
    table = Table.of(y_score, "y_score")
    _same_shape(table, true, "y_score")
    _same_columns(table, labels, "y_score")
    scores = np.ascontiguousarray(finite_numbers(table.values, "y_score"))
    if probabilities:
        refuse_no_probabilities(scores, "give probabilities, or raw scores without probabilities=True")
    return frozen(scores)
