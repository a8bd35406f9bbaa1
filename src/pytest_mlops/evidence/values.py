"""Single values: what they are called, and which of them say nothing to a drift check."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from numbers import Complex, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

REAL = (Real, Decimal, np.bool_)
"""The types of numbers."""

NESTED = (list, tuple, np.ndarray)
"""The types of vectors, if numbers are in them."""

WAY_ON = "make columns of what it holds, or leave it out with columns="
"""What to do with a column that cannot be read."""

_NAMELESS = (*NESTED, dict, set, frozenset, Complex)


def name_of(value: object) -> str:
    """The name of a category: 1, 1.0 and True are one, and have one name.

    Raises
    ------
    EvidenceError
        It is nested, or its text would tell where in memory it lies.
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, REAL):
        return f"{float(value) + 0.0:.15g}"
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, _NAMELESS):
        raise incomparable(type(value).__name__)
    if f"{id(value):x}" in repr(value).lower():  # an address, which is another one in the next process
        raise EvidenceError(f"it holds a {type(value).__name__}, which says nothing about its value: {WAY_ON}")
    return str(value)


def incomparable(kind: object) -> EvidenceError:
    """Of a column whose values have a type that says nothing to a drift check."""
    return EvidenceError(f"it holds values of the type {kind}, which cannot be compared: {WAY_ON}")


def boxed(values: Sequence[object]) -> Array:
    """Whatever they are, one object each: numpy would make a table of lists."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
