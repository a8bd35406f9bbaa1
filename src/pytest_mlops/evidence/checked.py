"""What every column of an evaluation must be: as many values as there are rows, and none of them missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import count

from .frames import vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDING = 1e-6  # of 32-bit floats: a softmax may give 1.0000001


def whole(data: Any, what: str) -> NDArray[Any]:
    """One value a row, none of them missing."""
    values = unboxed(vector(data, what))
    refuse_missing(values, what)
    return values


def refuse_missing(values: NDArray[Any], what: str) -> None:
    """Raise an `EvidenceError` where a value is NaN, infinite or None."""
    absent = missing(values)
    if absent.any():
        row = int(absent.reshape(len(values), -1).any(axis=1).argmax())
        raise EvidenceError(
            f"{what} has {count(int(absent.sum()), 'missing value')} (NaN, infinite or None), the first in row "
            f"{row}: leave those rows out of the evaluation, or fix what made them"
        )


def missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values are NaN, infinite or None."""
    if values.dtype.kind == "f":
        return np.asarray(~np.isfinite(values))
    if values.dtype.kind in "mM":
        return np.asarray(np.isnat(values))
    if values.dtype.kind != "O":
        return np.zeros(values.shape, dtype=np.bool_)
    import pandas as pd

    absent = np.asarray(pd.isna(values))
    if any(issubclass(kind, float | np.floating) for kind in set(map(type, values.ravel().tolist()))):
        infinite = [isinstance(x, float | np.floating) and math.isinf(x) for x in values.ravel()]
        absent |= np.reshape(infinite, values.shape)
    return absent


def unboxed(values: NDArray[Any]) -> NDArray[Any]:
    """Numbers that came as objects, as numbers; text as objects."""
    if values.dtype.kind == "O" and all(isinstance(x, int | float | np.number | np.bool_) for x in values.ravel()):
        return np.array(values.tolist())
    return values.astype(object) if values.dtype.kind in "US" else values


def same_length(values: NDArray[Any], n: int, what: str) -> None:
    """Raise an `EvidenceError` where there are more or fewer than n rows."""
    if len(values) != n:
        raise EvidenceError(f"{what} has {count(len(values), 'row')}, but y_true has {n:,}: they must be the same rows")


def finite_numbers(values: NDArray[Any], what: str) -> NDArray[np.float64]:
    """As float64, none of them missing."""
    try:
        plain = values if values.dtype.kind != "O" else np.where(missing(values), np.nan, values)
        numbers = plain.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise EvidenceError(f"{what} holds {example(values)}, expected numbers") from error
    bad = int(np.count_nonzero(~np.isfinite(numbers)))
    if bad:
        raise EvidenceError(f"{what} has {count(bad, 'missing value')} (NaN, infinite or None)")
    return numbers


def refuse_no_probabilities(scores: NDArray[np.float64], ways_out: str) -> None:
    """Raise an `EvidenceError` where a score lies outside [0, 1]."""
    outside = (scores < -_ROUNDING) | (scores > 1 + _ROUNDING)
    if outside.any():
        raise EvidenceError(
            f"y_score is meant to hold probabilities, but holds {count(int(outside.sum()), 'value')} outside [0, 1], "
            f"e.g. {float(scores[outside][0])!r}: {ways_out}"
        )


def known_labels(labels: Any) -> list[Any]:
    """The value of ``labels=``: each once, as builtins."""
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise EvidenceError(f"labels={labels!r} is no list of labels: give all classes that the model knows")
    known = [scalar(label) for label in labels]
    try:
        twice = len(set(known)) < len(known)
    except TypeError as error:
        raise EvidenceError(f"labels= holds {listed(known)}, expected text, integers or booleans") from error
    if twice:
        raise EvidenceError(f"labels= names a class twice: {listed(known)}")
    return known


def scalar(label: Any) -> Any:
    """A label as a builtin: True is 1, and 1.0 is 1."""
    plain = label.item() if isinstance(label, np.generic) else label
    return int(plain) if isinstance(plain, bool) or (isinstance(plain, float) and plain.is_integer()) else plain


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A copy of our own that nobody can write to: a verdict must not change under its reader's hands."""
    own = np.array(array)
    own.setflags(write=False)
    return own


def example(values: NDArray[Any]) -> str:
    """The first value and its type, for a message."""
    value = values.ravel()[0]
    plain = value.item() if isinstance(value, np.generic) else value
    return f"{type(plain).__name__} (e.g. {plain!r})"


def listed(labels: Sequence[Any]) -> str:
    """The first of them, for a message."""
    shown = ", ".join(repr(label) for label in labels[:6])
    return f"{shown}, …" if len(labels) > 6 else shown
