"""Which rows, and which predictions: hashes that do not depend on row order, process, library or dtype.

A row's key is 64 bits: two different rows of a million share one with a chance of 3 in 100 million.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]

_EXACT_IN_FLOAT = 2**53


class NoValueError(TypeError):
    """A column holds objects that have no value to tell them apart by: an image, a dict, a handle."""


def row_keys(columns: Mapping[str, NDArray[Any]]) -> Keys:
    """One key a row, from the values of all named columns of shape (n,), in whatever order the columns stand."""
    by_column = (_mix(column_keys(values) ^ _text_key(name)) for name, values in columns.items())
    return _mix(reduce(np.add, by_column))


def column_keys(values: NDArray[Any]) -> Keys:
    """One key a value. Equal numbers have equal keys, be they integers, floats or booleans."""
    if values.dtype.kind in "biuf":
        return _mix(_number_bits(values))
    if values.dtype.kind in "mM":
        unit = "datetime64[ns]" if values.dtype.kind == "M" else "timedelta64[ns]"
        return _mix(values.astype(unit).view(np.uint64))
    return _object_keys(values)


def digest(keys: Keys, *, ordered: bool) -> str:
    """sha256 of a set of keys; of their sequence where `ordered`."""
    canonical = keys if ordered else np.sort(keys)
    return hashlib.sha256(np.ascontiguousarray(canonical, dtype="<u8").tobytes()).hexdigest()


def _number_bits(values: NDArray[Any]) -> Keys:
    beyond = values.dtype.kind in "iu" and values.dtype.itemsize == 8 and values.size
    if beyond and (int(values.max()) > _EXACT_IN_FLOAT or int(values.min()) < -_EXACT_IN_FLOAT):
        return values.astype(np.uint64)
    floats = values.astype(np.float64) + 0.0  # -0.0 equals 0.0
    floats[np.isnan(floats)] = np.nan  # one NaN of many
    return floats.view(np.uint64)


def _object_keys(values: NDArray[Any]) -> Keys:
    import pandas as pd

    try:
        codes, uniques = pd.factorize(np.asarray(values, dtype=object), use_na_sentinel=True)
    except TypeError as error:
        raise NoValueError("a column holds objects that cannot be hashed") from error
    keys = np.array([_object_key(value) for value in [*uniques, np.nan]], dtype=np.uint64)
    return keys[codes]  # the code of a missing value is -1, the last


def _object_key(value: Any) -> np.uint64:
    """Of equal numbers the same as in a column of numbers, since a missing value turns any column into objects."""
    if isinstance(value, str):
        return _text_key(f"str:{value}")
    if isinstance(value, bool | float | np.bool_ | np.floating) or _is_exact_integer(value):
        return np.uint64(_mix(_number_bits(np.array([value])))[0])
    if f"{id(value):x}" in repr(value).lower():  # an address, which is another one in the next process
        raise NoValueError(f"a column holds a {type(value).__name__}, which says nothing about its value")
    return _text_key(f"{type(value).__name__}:{value!r}")


def _is_exact_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and abs(int(value)) <= _EXACT_IN_FLOAT


def _text_key(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()))


def _mix(bits: Keys) -> Keys:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014): each bit of the input moves half of the output's."""
    with np.errstate(over="ignore"):
        bits = bits + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return bits ^ (bits >> np.uint64(31))
