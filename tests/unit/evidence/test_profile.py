"""What is known of a column without its rows, and of the same column of two samples."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.evidence.profile import COUNTED, NAMED, Categories, ColumnProfile
from pytest_mlops.evidence.profile_pair import ProfilePair
from pytest_mlops.evidence.reading import profile_of_values
from pytest_mlops.statistics.two_sample import plain_distance
from pytest_mlops.verdict.errors import EvidenceError

TEXTS = st.lists(st.text(max_size=3), max_size=40)


def of(values: Any, dtype: Any = None) -> ColumnProfile:
    return profile_of_values(np.array(values, dtype=dtype))


def of_text(counts: dict[str, int], **known: Any) -> ColumnProfile:
    categories = Categories.of(counts, **known)
    return ColumnProfile("text", categories.values, 0, categories=categories)


def many(n: int, each: int = 1) -> dict[str, int]:
    return {f"c{place:06}": each for place in range(n)}


# --- categories


def test_the_most_frequent_categories_stand_first_and_equal_ones_by_name() -> None:
    assert list(Categories.of({"b": 2, "c": 5, "a": 2}).counts.items()) == [("c", 5), ("a", 2), ("b", 2)]


def test_a_thousand_categories_are_named_and_the_others_counted() -> None:
    found = Categories.of({**many(NAMED + 5), "often": 3})
    assert (len(found.counts), found.others, found.distinct) == (NAMED, 6, NAMED + 6)
    assert next(iter(found.counts)) == "often"
    assert not found.complete


def test_of_too_many_categories_none_is_named() -> None:
    assert Categories.of(many(COUNTED, each=2)).distinct == COUNTED
    assert Categories.of(many(COUNTED + 1, each=2)) == Categories({}, 2 * COUNTED + 2, COUNTED + 1)
    assert Categories.of(many(COUNTED + 900)).distinct == COUNTED + 1


def test_an_engine_may_name_only_the_most_frequent() -> None:
    everything = many(NAMED + 700)
    most = dict(list(everything.items())[:NAMED])
    assert Categories.of(most, values=NAMED + 700, distinct=NAMED + 700) == Categories.of(everything)


def test_a_long_name_is_cut_and_stays_another_than_those_that_begin_alike() -> None:
    found = Categories.of({"x" * 5000 + end: 1 for end in "ab"})
    assert len(found.counts) == 2
    assert all(len(name) <= 100 for name in found.counts)


def test_small_categories_are_among_the_others() -> None:
    found = Categories.of({"a": 9, "b": 5, "c": 4}).without_small(5)
    assert (found.counts, found.others, found.distinct) == ({"a": 9, "b": 5}, 4, 3)


def test_hashed_names_are_the_same_for_the_same_salt_only() -> None:
    found = Categories.of({"Anna": 3, "Ben": 2})
    hidden = found.hidden("salt")
    assert hidden.hashed
    assert list(hidden.counts.values()) == [3, 2]
    assert not {"Anna", "Ben"} & set(hidden.counts)
    assert hidden == found.hidden("salt")
    assert hidden.counts != found.hidden("pepper").counts


# --- one column


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.5, 2], "numeric"),
        ([0, 1, 1], "boolean"),
        ([True, False], "boolean"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "datetime"),
        (np.array([5], dtype="timedelta64[s]"), "duration"),
        (["a", "b"], "categorical"),
        ([f"id {place}" for place in range(51)], "text"),
        ([f"id {place}" for place in range(50)] * 12, "categorical"),
        ([f"id {place}" for place in range(60)] * 9, "text"),
        ([f"id {place}" for place in range(COUNTED + 1)] * 11, "text"),
        ([[1.0, 2.0], [3.0, 4.0]], "embedding"),
        ([np.nan], "empty"),
    ],
)
def test_what_people_call_a_column(values: Any, kind: str) -> None:
    assert profile_of_values(np.asarray(values)).kind == kind


DIFFERENT = [
    of([1.0, 2.0]), of([1.0, 3.0]), of([1.0, 2.0, np.nan]), of([1.0, 2.0], np.float32), of([0, 1]), of(["1", "2"]),
    of(["1", "3"]), of([1, 2], "datetime64[us]"), of([1, 2], "timedelta64[us]"), of([[1.0], [2.0]]), of([np.nan]),
    of([np.nan] * 2), of([1.0, 2.0, 2.0]), of_text({"1": 1, "2": 1}, values=3, distinct=3),
]  # fmt: skip


def test_profiles_of_different_columns_have_different_digests() -> None:
    assert len({each.digest for each in DIFFERENT}) == len(DIFFERENT)


@given(st.lists(st.floats(allow_nan=True, width=32), max_size=30), st.randoms())
def test_the_order_of_rows_does_not_matter(values: list[float], random: Any) -> None:
    shuffled = random.sample(values, len(values))
    assert of(values, float) == of(shuffled, float)
    assert of([str(each) for each in values], object) == of([str(each) for each in shuffled], object)


# --- two samples


def pair(reference: Any, current: Any) -> ProfilePair:
    sides = (side if isinstance(side, ColumnProfile) else of(side) for side in (reference, current))
    return ProfilePair.of(*sides)


@pytest.mark.parametrize("other", [["a"], np.array([1], dtype="datetime64[s]"), [[1.0, 2.0]]])
def test_other_kinds_of_values_cannot_be_compared(other: Any) -> None:
    with pytest.raises(
        EvidenceError, match=r"the reference holds numbers and the current sample .*: give both the same"
    ):
        pair([1.5], other)


def test_vectors_of_other_lengths_cannot_be_compared() -> None:
    assert pair([[1.0, 2.0]], [[3.0, 4.0]]).holds == "vectors"
    with pytest.raises(EvidenceError, match="vectors of 2 numbers and the current sample of 3"):
        pair([[1.0, 2.0]], [[1.0, 2.0, 3.0]])


@pytest.mark.parametrize("values", [[1.5], ["a"], [[1.0, 2.0]], [True]])
def test_a_column_without_any_value_goes_with_all_others(values: Any) -> None:
    for found in (pair(values, [np.nan]), pair([np.nan], values)):
        assert found.holds == of(values).holds
        assert sorted(found.sizes) == [0, 1]
        assert sorted(found.missing) == [0, 1]
    assert pair([np.nan], [np.nan]).text


def test_yes_and_no_are_not_measured() -> None:
    assert not pair([0, 1], [True, False]).measured
    assert pair([0, 1], [0, 2]).measured
    assert not pair([0, 1], [np.nan]).measured
    assert pair(np.array([0, 1], dtype="timedelta64[us]"), np.array([0, 1], dtype="timedelta64[us]")).measured
    assert not pair(["a"], ["b"]).measured


def test_the_precision_of_numbers_does_not_matter() -> None:
    values = np.random.default_rng(0).choice([0.1, 0.2, 0.7, 1.3], 1000)
    for other in (np.float32, np.float16):
        steps = pair(values, values.astype(other)).steps
        assert (steps.lowest.size, steps.lead) == (4, 0)


@pytest.mark.parametrize(("reference", "current"), [("f4", "f4"), ("f8", "f4"), ("f4", "f8"), ("f2", "f4")])
def test_large_samples_of_coarse_numbers_keep_their_cells(reference: str, current: str) -> None:
    values = np.random.default_rng(0).normal(size=(2, 30_000))
    steps = pair(values[0].astype(reference), values[1].astype(current)).steps
    assert steps.lowest.size > 900
    exact = plain_distance("ks", pair(values[0][:20_000], values[1][:20_000]).steps)
    assert plain_distance("ks", steps) == pytest.approx(exact, abs=0.02)


def test_whole_numbers_that_float64_cannot_tell_apart_are_refused() -> None:
    near, far = 2**62 + np.arange(100), 2**62 + 10**9 * np.arange(100)
    with pytest.raises(EvidenceError, match=r"near 4.61e\+18, differ by less than float64 can tell apart: subtract"):
        pair(near, near + 200)
    assert pair(far, far).steps.lowest.size == 100
    assert pair(np.full(9, 1e20), np.full(9, 1e20)).steps.lead == 0


def test_text_has_no_steps() -> None:
    with pytest.raises(EvidenceError, match="no numbers"):
        _ = pair(["a"], ["b"]).steps


@given(TEXTS, TEXTS)
def test_all_categories_of_small_samples_are_cells(reference: list[str], current: list[str]) -> None:
    found = pair(of(reference, object), of(current, object))
    names, counts = found.cells
    assert not found.pooled
    counted = [Counter(sample) for sample in (reference, current)]
    assert names == sorted(set(reference + current))
    assert counts.tolist() == [[of_side[name] for name in names] for of_side in counted]


def test_what_one_side_does_not_name_is_pooled() -> None:
    reference = of_text({**many(NAMED, each=5), "z rare": 1})
    current = of_text({"c000000": 7, "z rare": 2, "z new": 3})
    found = pair(reference, current)
    names, counts = found.cells
    assert found.pooled
    assert (names[0], names[-1], len(names)) == ("c000000", "", NAMED + 1)
    assert counts[:, 0].tolist() == [5, 7]
    assert counts[:, -1].tolist() == [1, 5]
    assert counts.sum(axis=1).tolist() == list(found.sizes)


def test_suppressed_categories_may_be_anything() -> None:
    reference = of_text({"a": 90, "b": 2})
    assert reference.categories is not None
    kept = replace(reference, categories=reference.categories.without_small(5))
    names, counts = pair(kept, of_text({"a": 80, "b": 5, "c": 3})).cells
    assert (names, counts.tolist()) == (["a", ""], [[90, 2], [80, 8]])


def test_hashed_names_are_compared_with_names() -> None:
    reference, current = of_text({"a": 90, "b": 2}), of_text({"a": 80, "c": 3})
    assert reference.categories is not None
    hidden = replace(reference, categories=reference.categories.hidden("salt"))
    counts = sorted(pair(reference, current).cells[1].T.tolist())
    assert counts == [[0, 3], [2, 0], [90, 80]]
    assert sorted(pair(hidden, current).cells[1].T.tolist()) == counts
    assert sorted(pair(current, hidden).cells[1].T.tolist()) == sorted(column[::-1] for column in counts)
    assert sorted(pair(hidden, hidden).cells[1].T.tolist()) == [[2, 2], [90, 90]]
    pepper = replace(reference, categories=reference.categories.hidden("pepper"))
    with pytest.raises(EvidenceError, match="each has a hash of its own: give one of them as data"):
        pair(hidden, pepper)


def test_an_empty_category_is_not_the_others() -> None:
    found = pair(["", "a"], ["", "b"])
    assert found.cells[0] == ["", "a", "b"]
    assert not found.pooled
