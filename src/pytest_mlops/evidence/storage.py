"""An evaluation as plain arrays and back: what may be written to a file, and read without running code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from .evaluation import Evaluation

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ARRAYS = {"y_true": "_true", "y_pred": "_pred", "y_score": "y_score", "row_keys": "row_keys"}
_OPTIONAL = ("y_score", "row_keys")
_FACTS = ("task", "labels", "positive_label", "identity", "notes")


def to_arrays(evaluation: Evaluation) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """What was said of which row, and what it means.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    arrays : dict of arrays of n rows
        ``y_true`` and ``y_pred`` (codes of labels, 0 and 1 for each label, or quantities), ``y_score`` and
        ``row_keys`` where there are any.
        No features, no sensitive features.
    facts : dict
        Builtins only; ``design`` says which of clusters, time and weights the rows have, and not what they are.

    Raises
    ------
    EvidenceError
        The labels are neither text nor integers.
    """
    strange = [label for label in evaluation.labels if not isinstance(label, str | int)]
    if strange:
        raise EvidenceError(f"labels such as {strange[0]!r} cannot be stored: use text or integers")
    found = {name: getattr(evaluation, attribute) for name, attribute in _ARRAYS.items()}
    facts = {name: getattr(evaluation, name) for name in _FACTS}
    facts = {name: list(value) if isinstance(value, tuple) else value for name, value in facts.items()}
    if evaluation.design:
        facts["design"] = list(evaluation.design)
    return {name: array for name, array in found.items() if array is not None}, facts


def from_arrays(arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> Evaluation:
    """The inverse of `to_arrays`: an evaluation with the same digests, and without sensitive features.

    Raises
    ------
    EvidenceError
        Something is missing, of another length, or cannot be what was stored.
    """
    absent = [name for name in _ARRAYS if name not in arrays and name not in _OPTIONAL]
    absent += [name for name in _FACTS if name not in facts]
    if absent:
        raise EvidenceError(f"stored predictions lack {', '.join(absent)}")
    n, labels = len(arrays["y_true"]), tuple(facts["labels"])
    for name, array in arrays.items():
        if len(array) != n:
            raise EvidenceError(f"stored predictions have {len(array)} rows of {name}, but {n} of y_true")
    fields: dict[str, Any] = {attribute: arrays.get(name) for name, attribute in _ARRAYS.items()}
    _refuse_other_codes(arrays, facts["task"], n, len(labels))
    if (facts["identity"] == "anonymous") != (fields["row_keys"] is None):
        raise EvidenceError("stored predictions do not say which rows they are of")
    return _restored(
        {
            **{name: None if array is None else _frozen(array) for name, array in fields.items()},
            **facts,
            "labels": labels,
            "notes": tuple(facts["notes"]),
            "n": n,
            "sensitive_features": {},
            "slice_features": {},
            "clusters": None,
            "time": None,
            "season": None,
            "sample_weight": None,
            "model_digest": None,
            "importance": None,
            "_design": tuple(facts.get("design", ())),
            "_digests": {},
        }
    )


def _refuse_other_codes(arrays: Mapping[str, NDArray[Any]], task: str, n: int, labels: int) -> None:
    """Codes are places in the labels; of a multilabel evaluation 0 or 1, a column for each label."""
    several = task == "multilabel"
    if several and any(arrays[name].shape != (n, labels) for name in ("y_true", "y_pred", "y_score") if name in arrays):
        raise EvidenceError(f"stored predictions have not one column for each of the {labels} labels")
    for name in ("y_true", "y_pred") if task != "regression" else ():
        codes = np.asarray(arrays[name])
        if codes.dtype.kind != "i" or not n or codes.min() < 0 or codes.max() >= (2 if several else labels):
            raise EvidenceError(f"stored predictions have codes in {name} that stand for no label")


def _restored(fields: Mapping[str, Any]) -> Evaluation:
    evaluation = Evaluation.__new__(Evaluation)
    for name in Evaluation.__slots__:
        object.__setattr__(evaluation, name, fields[name])
    return evaluation


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    own = np.array(array)
    own.setflags(write=False)
    return own
