"""A column in memory becomes a profile: by what its values are, not by the type that holds them."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.evidence.profile import COUNTED, ColumnProfile
from pytest_mlops.evidence.reading import profile_of_counts, profile_of_values
from pytest_mlops.statistics.distribution import EXACT
from pytest_mlops.verdict.errors import EvidenceError


def of(values: Any, dtype: Any = None) -> ColumnProfile:
    return profile_of_values(np.array(values, dtype=dtype))


def objects(values: Any) -> ColumnProfile:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return profile_of_values(array)


def cells(found: ColumnProfile) -> dict[float, int]:
    assert found.distribution is not None
    assert (found.distribution.lowest == found.distribution.highest).all()
    return dict(zip(found.distribution.lowest.tolist(), found.distribution.counts.tolist(), strict=True))


def names(found: ColumnProfile) -> dict[str, int]:
    assert found.categories is not None
    return found.categories.counts


# --- numbers

NUMBERS = [2, 0, 7, 2, 3]
FORMS = {
    "int64": lambda: of(NUMBERS), "uint8": lambda: of(NUMBERS, np.uint8), "float64": lambda: of(NUMBERS, float),
    "objects": lambda: objects(NUMBERS), "decimals": lambda: objects([Decimal(n) for n in NUMBERS]),
    "fractions": lambda: objects([Fraction(n) for n in NUMBERS]), "big-endian": lambda: of(NUMBERS, ">i4"),
    "numpy objects": lambda: objects([np.int32(n) for n in NUMBERS]), "mixed": lambda: objects([2.0, False, 7, 2, 3]),
    "long double": lambda: of(NUMBERS, np.longdouble), "sorted": lambda: of(sorted(NUMBERS)),
    "counted": lambda: profile_of_counts([7, 2, 0, 3], [1, 2, 1, 1]),
    "counted, with none": lambda: profile_of_counts([7, 2, 0, 3, 9], [1, 2, 1, 1, 0]),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_type_of_numbers_does_not_matter(form: Any) -> None:
    found = form()
    assert (found.holds, found.values, found.missing) == ("numbers", 5, 0)
    assert cells(found) == {0: 1, 2: 2, 3: 1, 7: 1}
    assert found == of(NUMBERS)


@pytest.mark.parametrize("n", [40, EXACT + 5_000])
@pytest.mark.parametrize("make", ["normal", "zeros", "decimals", "rare"])
def test_large_columns_of_objects_are_read_as_numbers_are(n: int, make: str) -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=n)
    values = {
        "normal": values, "zeros": np.where(values < 1, 0.0, values), "decimals": np.round(values, 1),
        "rare": (generator.random(n) < 1e-4).astype(float),
    }[make]  # fmt: skip
    distinct, counts = np.unique(values, return_counts=True)
    assert of(values) == objects(values.tolist()) == profile_of_counts(distinct, counts)
    assert of(values).distribution is not None


@given(st.lists(st.floats(allow_nan=True)))
def test_nan_is_missing_and_infinity_is_not(values: list[float]) -> None:
    found = of(values, float)
    there = [value for value in values if not math.isnan(value)]
    assert (found.values, found.missing) == (len(there), len(values) - len(there))
    assert found.holds == ("numbers" if there else None)
    assert objects(values) == found
    if there:
        assert found.distribution is not None
        assert found.distribution.infinite == sum(map(math.isinf, there))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_coarse_numbers_are_known_as_such(dtype: Any) -> None:
    found = of([0.1, math.nan], dtype)
    assert found.precision == np.dtype(dtype).name
    assert cells(found) == {float(dtype(0.1)): 1}
    assert profile_of_counts(np.array([0.1], dtype), [1], missing=1) == found


def test_integers_beyond_2_to_the_53_are_the_nearest_float() -> None:
    assert cells(of([2**53 + 1, -(2**63)])) == {float(2**53): 1, -(2.0**63): 1}
    assert cells(objects([2**53 + 1, 2**53, 10**30])) == {float(2**53): 2, 1e30: 1}


def test_a_whole_number_that_no_float_holds_cannot_be_read() -> None:
    with pytest.raises(EvidenceError, match="cannot be read"):
        objects([10**400])


@pytest.mark.parametrize(
    ("values", "binary"),
    [
        ([True, False, True], True), ([True], True), ([0, 1, 1], True), ([0.0, 1.0, math.nan], True), ([1.0], True),
        ([0, 1, 2], False), ([0.5], False), ([-1, 0], False), ([0.0, math.inf], False), ([0] * 500 + [3], False),
    ],
)  # fmt: skip
def test_yes_and_no_is_seen_in_the_values(values: Any, binary: bool) -> None:
    assert of(values).binary is binary
    assert objects(values) == of(values)
    assert of(values).kind == ("boolean" if binary else "numeric")


def test_rare_booleans_are_the_same_numbers() -> None:
    values = np.arange(EXACT * 2) == 17
    assert (
        profile_of_values(values) == profile_of_values(values.astype(float)) == profile_of_values(values.astype("u1"))
    )


# --- moments

DAYS = np.array(["2020-02-29", "1970-01-01", "1815-12-10"], dtype="datetime64[D]")
STAMPS = pd.to_datetime(DAYS)
MOMENTS = {
    "days": lambda: of(DAYS), "nanoseconds": lambda: of(DAYS.astype("datetime64[ns]")),
    "seconds": lambda: of(DAYS.astype("datetime64[s]")), "dates": lambda: objects(DAYS.tolist()),
    "datetimes": lambda: objects(DAYS.astype("datetime64[us]").tolist()), "stamps": lambda: objects(list(STAMPS)),
    "in UTC": lambda: objects(list(STAMPS.tz_localize("UTC"))),
    "in Tokyo": lambda: objects(list(STAMPS.tz_localize("UTC").tz_convert("Asia/Tokyo"))),
    "datetime64 objects": lambda: objects(list(DAYS.astype("datetime64[ms]"))),
    "counted": lambda: profile_of_counts(DAYS, [1, 1, 1]),
}  # fmt: skip


@pytest.mark.parametrize("form", MOMENTS.values(), ids=MOMENTS)
def test_dates_in_all_their_forms_are_microseconds(form: Any) -> None:
    found = form()
    assert (found.holds, found.kind) == ("dates", "datetime")
    assert list(cells(found)) == sorted(DAYS.astype("datetime64[us]").astype(float).tolist())


def test_durations_in_all_their_forms_are_microseconds() -> None:
    spans = [datetime.timedelta(days=1), datetime.timedelta(microseconds=-5)]
    counted = profile_of_counts(np.array(spans, "timedelta64[ns]"), [1, 1])
    for found in (
        objects(spans),
        objects([pd.Timedelta(span) for span in spans]),
        of(spans, "timedelta64[us]"),
        counted,
    ):
        assert (found.holds, found.kind) == ("durations", "duration")
        assert cells(found) == {-5: 1, 86_400_000_000: 1}


def test_moments_too_far_away_are_refused() -> None:
    with pytest.raises(EvidenceError, match="too far away"):
        of(["400000-01-01"], "datetime64[D]")


@pytest.mark.parametrize("dtype", ["datetime64[ns]", "timedelta64[s]"])
def test_missing_moments(dtype: str) -> None:
    found = profile_of_values(np.array([5, "NaT", "NaT"], dtype=dtype))
    assert (found.values, found.missing) == (1, 2)
    assert of(["NaT"], dtype) == of([math.nan]) == objects([None])


# --- text

TEXT = ["b", "a", "b", "", "é"]
STRINGS = np.dtypes.StringDType() if hasattr(np.dtypes, "StringDType") else "U9"
TEXTS = {
    "objects": lambda: objects(TEXT), "fixed": lambda: of(TEXT), "numpy": lambda: of(TEXT, STRINGS),
    "pandas": lambda: profile_of_values(pd.Series(TEXT).to_numpy()),
    "categorical": lambda: profile_of_values(np.asarray(pd.Categorical(TEXT))),
    "polars": lambda: profile_of_values(pl.Series(TEXT, dtype=pl.Categorical).to_numpy()),
    "counted": lambda: profile_of_counts(["é", "", "a", "b"], [1, 1, 1, 2]),
    "subclass": lambda: objects([np.str_(each) for each in TEXT]),
}  # fmt: skip


@pytest.mark.parametrize("form", TEXTS.values(), ids=TEXTS)
def test_text_in_all_its_forms_is_categories(form: Any) -> None:
    assert (form().holds, form().missing) == ("text", 0)
    assert list(names(form()).items()) == [("b", 2), ("", 1), ("a", 1), ("é", 1)]
    assert form() == objects(TEXT)


@pytest.mark.parametrize("missing", [None, math.nan, pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("NaN")], ids=repr)
@pytest.mark.parametrize("value", ["text", 1.5, datetime.date(2020, 1, 1)])
def test_missing_values_in_all_their_forms(missing: Any, value: Any) -> None:
    found = objects([value, missing, value, missing, missing])
    assert (found.values, found.missing) == (2, 3)
    assert found == profile_of_counts([missing, value], [3, 2]) == profile_of_counts([value], [2], missing=3)


def test_nothing_but_missing_values() -> None:
    for found in (
        objects([None, math.nan]),
        of([math.nan] * 2),
        profile_of_counts([None], [2]),
        profile_of_counts([], [], 2),
    ):
        assert (found.holds, found.values, found.missing, found.kind) == (None, 0, 2, "empty")
    assert of([], float) == of([], bool) == objects([]) == of([], "datetime64[s]")


def test_numbers_among_text_have_one_name() -> None:
    found = objects(["a", 1, 1.0, True, Decimal(1), 0.1 + 0.2, 0.3, -0.0, 0])
    assert names(found) == {"1": 4, "0": 2, "0.3": 2, "a": 1}
    assert objects(["a", -0.0]) == objects(["a", 0])


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([pd.Interval(0, 1), pd.Interval(1, 2)], "(0, 1]"),
        ([pd.Period("2020-01"), pd.Period("2020-02")], "2020-01"),
        ([UUID(int=1), UUID(int=2)], str(UUID(int=1))),
        ([datetime.time(1, 2), "x"], "01:02:00"),
        ([b"bytes", b"\xff"], "bytes"),
        (np.array([b"bytes", b"y"]), "bytes"),
        ([Path("a"), Path("b")], "a"),
    ],
)
def test_other_objects_are_known_by_their_names(values: Any, name: str) -> None:
    assert name in names(objects(list(values)))


def test_identifiers_are_not_named() -> None:
    ids = [f"id {place}" for place in range(COUNTED + 1)]
    for found in (
        objects([*ids, None]),
        profile_of_counts(ids, [1] * len(ids), missing=1),
        objects([*ids[:-1], 5, None]),
    ):
        assert found.categories is not None
        assert found.categories.distinct == COUNTED + 1
        assert (names(found), found.categories.others, found.missing) == ({}, COUNTED + 1, 1)


class Opaque:
    pass


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([{"a": 1}], "dict"),
        (["a", [1]], "list"),
        (["a", (1, 2)], "tuple"),
        ([{1, 2}], "set"),
        ([frozenset([1])], "frozenset"),
        ([1j, 2], "complex"),
        ([Opaque()], "Opaque"),
        ([[1], "a"], "lists beside"),
        ([[1], [2, 3]], "1 and of 2 values"),
        ([["a"], ["b"]], "no number"),
        ([[[1]], [[2]]], "no number"),
        ([[], []], "no numbers"),
        (np.array([1j]), "complex128"),
        (np.array([(1, 2)], dtype="i4,i4"), "type"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(values: Any, kind: str) -> None:
    with pytest.raises(EvidenceError, match=kind):
        profile_of_values(values) if isinstance(values, np.ndarray) else objects(values)


# --- vectors


@pytest.mark.parametrize(
    "row", [[1, 2, 3, 4], (1.0, 2.0, 3.0, 4.0), np.ones(4, np.float32), [True, 2, 3.5, 4]],
    ids=["list", "tuple", "array", "mixed"],
)  # fmt: skip
def test_lists_of_one_length_are_vectors(row: Any) -> None:
    for profile in (objects([row] * 3), profile_of_values(np.array([row] * 3))):
        assert (profile.holds, profile.values, profile.dimensions, profile.kind) == ("vectors", 3, 4, "embedding")


def test_vectors_may_be_missing() -> None:
    found = objects([None, [1, 2], math.nan, [3, 4]])
    assert (found.values, found.missing, found.dimensions) == (2, 2, 2)
