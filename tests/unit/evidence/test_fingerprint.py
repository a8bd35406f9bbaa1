"""Hashes that do not depend on row order, process, library or dtype."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.evidence import fingerprint
from pytest_mlops.evidence.frames import columns

MIXED = st.lists(st.integers(-5, 5) | st.text(max_size=2) | st.booleans() | st.none() | st.just(1.0), min_size=1)


def objects(values: list[Any]) -> Any:
    return np.fromiter(values, dtype=object, count=len(values))


@given(MIXED, st.randoms())
def test_a_value_has_the_same_key_wherever_it_stands(values: list[Any], random: Any) -> None:
    order = list(range(len(values)))
    random.shuffle(order)
    keys = fingerprint.column_keys(objects(values))
    np.testing.assert_array_equal(fingerprint.column_keys(objects([values[k] for k in order])), keys[order])


@given(MIXED)
def test_keys_are_equal_where_values_are(values: list[Any]) -> None:
    keys = fingerprint.column_keys(objects(values))
    for a, key in zip(values, keys, strict=True):
        for b, other in zip(values, keys, strict=True):
            assert (key == other) == (a == b)


@pytest.mark.parametrize(
    "values",
    [
        [1, 0, 1],
        [1.0, 0.0, 1.0],
        [True, False, True],
        np.array([1, -0.0, 1], dtype=np.float32),
        np.array([1, 0, 1], dtype=">i8"),
        np.array([9, 1, 9, 0, 9, 1], dtype=np.uint8)[1::2],
        objects([1, 0.0, True]),
        objects([np.int8(1), np.float32(0), np.bool_(True)]),
    ],
    ids=["integers", "floats", "booleans", "small floats", "big-endian", "strided", "objects", "numpy objects"],
)
def test_equal_numbers_have_equal_keys(values: Any) -> None:
    expected = fingerprint.column_keys(np.array([1, 0, 1]))
    np.testing.assert_array_equal(fingerprint.column_keys(np.asarray(values)), expected)


@pytest.mark.parametrize("dtype", ["<i8", ">i8", "<u8", object])
def test_large_integers_are_told_apart(dtype: Any) -> None:
    big = 2**62
    keys = fingerprint.column_keys(np.array([big, big + 1, big + 2, 3], dtype=dtype))
    assert len(set(keys.tolist())) == 4


def test_the_byte_order_is_not_a_value() -> None:
    keys = [fingerprint.column_keys(np.array([2**62, -1], dtype=dtype)) for dtype in ("<i8", ">i8")]
    assert keys[0].tolist() == keys[1].tolist()


@pytest.mark.parametrize("values", [[1, None, 0], [True, None, False], [0.5, None, 2.0], ["a", None, "b"]], ids=str)
def test_missing_values_are_the_same_in_every_library(values: list[Any]) -> None:
    frames = [
        {"x": values},
        {"x": objects(values)},
        pd.DataFrame({"x": values}),
        pd.DataFrame({"x": values}).convert_dtypes(),
        pd.DataFrame({"x": values}).convert_dtypes(dtype_backend="pyarrow"),
        pl.DataFrame({"x": values}),
        pa.table({"x": values}),
    ]
    keys = {tuple(fingerprint.row_keys(columns(frame, "x")).tolist()) for frame in frames}
    assert len(keys) == 1
    assert len(set(*keys)) == 3


def test_columns_count_by_name_and_not_by_place() -> None:
    a, b = np.array([1, 2, 3]), np.array([3, 2, 1])
    keys = fingerprint.row_keys({"a": a, "b": b})
    np.testing.assert_array_equal(keys, fingerprint.row_keys({"b": b, "a": a}))
    swapped = fingerprint.row_keys({"a": b, "b": a})
    assert (keys == swapped).tolist() == [False, True, False]


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=30))
def test_different_rows_have_different_keys(rows: list[tuple[int, int]]) -> None:
    a, b = np.array(rows).T
    assert len(set(fingerprint.row_keys({"a": a, "b": b}).tolist())) == len(set(rows))


@pytest.mark.parametrize("value", [{}, [1], object(), lambda: 0], ids=["dict", "list", "object", "function"])
def test_objects_without_a_value_are_refused(value: Any) -> None:
    values = np.empty(2, dtype=object)
    values[:] = [value, value]
    with pytest.raises(fingerprint.NoValueError, match="holds"):
        fingerprint.column_keys(values)


def test_dates_are_the_same_in_every_unit() -> None:
    days = ["2020-01-01", "1969-12-31"]
    keys = [fingerprint.column_keys(np.array(days, dtype=f"datetime64[{unit}]")) for unit in ("D", "s", "ms", "ns")]
    assert len({tuple(key.tolist()) for key in keys}) == 1


def test_a_digest_is_of_a_set_unless_ordered() -> None:
    keys = np.array([3, 1, 2], dtype=np.uint64)
    assert fingerprint.digest(keys, ordered=False) == fingerprint.digest(np.sort(keys), ordered=False)
    assert fingerprint.digest(keys, ordered=True) != fingerprint.digest(np.sort(keys), ordered=True)


def test_another_process_has_the_same_keys() -> None:
    code = (
        "import numpy as np; from pytest_mlops.evidence.fingerprint import row_keys;"
        "print(row_keys({'a': np.array(['x', None, 2.5], dtype=object), 'b': np.arange(3)}).tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
