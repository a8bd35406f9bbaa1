"""Ordinary oddities of columns, each with a sentence of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pytest_mlops import CheckResult, Gate
from pytest_mlops.evidence.profile import Categories, ColumnProfile
from pytest_mlops.evidence.profile_pair import ProfilePair
from pytest_mlops.statistics import divergence

N = 4_000


def normal(shift: float = 0.0, *, seed: int = 0, n: int = N) -> Any:
    return np.random.default_rng(seed).normal(shift, size=n)


def drift(reference: Any, current: Any, method: str = "auto", *, at_most: float = 0.1) -> CheckResult:
    gate = Gate(challenger=None, reference={"x": reference}, current={"x": current})
    return gate.drift(method, at_most=at_most)


def notes(reference: Any, current: Any) -> list[str]:
    (part,) = [each for each in drift(reference, current).parts if not each.details.get("of_missing")]
    found: list[str] = part.details.get("notes", [])
    assert all(note in part.message for note in found)
    return found


def mostly(value: float, share: float, *, seed: int = 0) -> Any:
    return np.where(np.random.default_rng(seed).random(N) < share, value, normal(seed=seed))


def text(counts: dict[str, int]) -> Any:
    return np.repeat(np.array(list(counts), dtype=object), list(counts.values()))


# --- numbers


def test_an_ordinary_column_has_none() -> None:
    assert notes(normal(), normal(seed=1)) == []


def test_one_value_for_nearly_all_rows() -> None:
    (note,) = notes(np.where(np.arange(N) % 100 < 97, 7.5, normal()), mostly(7.5, 0.9))
    assert note.startswith("7.5 is the value of 97 % of the reference values and 9")


def test_zero_inflation() -> None:
    (note,) = notes(mostly(0.0, 0.2), mostly(0.0, 0.3, seed=1))
    assert note.startswith("0 is the value of ")
    assert notes(mostly(1.0, 0.2), mostly(1.0, 0.3, seed=1)) == []


def test_small_counts_are_not_called_zero_inflated() -> None:
    assert notes(np.arange(N) % 5, np.arange(N) % 5) == []


def test_infinite_values_are_counted() -> None:
    values = normal()
    some = np.where(np.arange(N) < 12, math.inf, values)
    assert notes(values, some) == ["12 current values are infinite."]
    both = np.where(np.arange(N) < 3, -math.inf, some)
    assert notes(both, some) == ["12 reference and 12 current values are infinite."]


def test_a_constant_says_its_value() -> None:
    assert notes(np.full(N, 3.0), np.full(N, 3.0)) == ["Both samples hold a single value, 3."]
    assert notes(np.full(N, 3.0), normal()) == ["The reference holds a single value, 3."]
    assert notes(np.full(N, 3.0), np.full(N, 4.0)) == [
        "The reference holds a single value, 3.", "The current sample holds a single value, 4.",
    ]  # fmt: skip


def test_yes_or_no_that_has_become_a_number() -> None:
    (note,) = notes(np.arange(N) % 2, np.arange(N) % 5)
    assert note == "The reference holds 0 and 1 only, the current sample other numbers as well."


def test_moments_are_said_as_moments() -> None:
    days = np.full(N, np.datetime64("2024-02-29"))
    assert notes(days, days) == ["Both samples hold a single value, 2024-02-29."]
    spans = np.full(N, np.timedelta64(90, "s"))
    assert notes(spans, spans) == ["Both samples hold a single value, 90 s."]


def test_at_most_two_things_are_said() -> None:
    odd = np.where(np.arange(N) % 10 == 0, math.inf, 3.0)
    assert len(notes(np.arange(N) % 2, odd)) == 2


# --- categories


def test_categories_never_seen_before_and_those_that_are_gone() -> None:
    new, gone = notes(text({"a": 3_900, "b": 100}), text({"a": 3_920, "c": 70, "d": 10}))
    assert new == "2 categories (c, d) were never seen before: 2 % of the current values."
    assert gone == "1 category (b) is gone: 2.5 % of the reference values."


def test_a_name_that_few_rows_have_is_not_told() -> None:
    (note,) = notes(text({"a": 3_900}), text({"a": 3_900, "Jane Doe": 1, "c": 9}))
    assert note == "2 categories (c, …) were never seen before: 0.256 % of the current values."
    (note,) = notes(text({"a": 3_900}), text({"a": 3_900, "Jane Doe": 1}))
    assert note.startswith("1 category was never seen before")


def of(counts: dict[str, int], *, others: int = 0, distinct: int = 0, salt: str = "") -> ColumnProfile:
    known = Categories(counts, others, distinct or len(counts), salt)
    return ColumnProfile("text", known.values, 0, categories=known)


def test_hashed_names_are_only_counted() -> None:
    from pytest_mlops.checks.drift_notes import notes as of_pair

    hidden = of({"a": 90, "b": 10})
    assert hidden.categories is not None
    hashed = ColumnProfile("text", 100, 0, categories=hidden.categories.hidden("salt"))
    (note,) = of_pair(ProfilePair.of(hashed, of({"a": 80, "b": 10, "c": 10})))
    assert note == "1 category was never seen before: 10 % of the current values."


def test_what_is_not_named_may_have_been_seen() -> None:
    from pytest_mlops.checks.drift_notes import notes as of_pair

    (note,) = of_pair(ProfilePair.of(of({"a": 90}, others=10, distinct=3), of({"a": 80, "c": 20})))
    assert note == "20 % of the values are of categories too rare to be compared by name."


# --- too many categories


def test_categories_that_nobody_can_compare_by_name_never_pass() -> None:
    """Of each side the 1,000 most frequent are known by name, and none is on both sides."""
    one, other = (text({f"{side}{place}": 40 for place in range(5_000)}) for side in "xy")
    result = drift(one, other, at_most=0.3)
    assert result.verdict == "INCONCLUSIVE"
    assert "100 % of the values are of categories too rare to be compared by name." in result.parts[0].message
    assert drift(one, other, "psi", at_most=0.3).verdict == "INCONCLUSIVE"


def test_a_drift_among_the_frequent_ones_is_seen_all_the_same() -> None:
    many = {f"c{place}": 40 for place in range(2_500)}
    result = drift(text({"top": 90_000, **many}), text({"top": 10_000, **many}), at_most=0.3)
    assert result.verdict == "FAIL"


@pytest.mark.parametrize("method", ["cramers_v", "psi", "jensen_shannon", "hellinger"])
@pytest.mark.parametrize(("rows", "verdict"), [(1, "PASS"), (40, "INCONCLUSIVE")])
def test_the_rare_ones_pass_as_one_where_they_could_not_hide_a_drift(method: str, rows: int, verdict: str) -> None:
    values = text({"top": 400_000, **{f"c{place:04}": rows for place in range(2_500)}})
    result = drift(values, values, method, at_most=0.3)
    assert result.verdict == verdict
    assert ("too rare to be compared" in result.parts[0].message) is (verdict == "INCONCLUSIVE")
    assert result.parts[0].details["picture"]["labels"][-1] == "others"


def test_more_categories_than_are_counted_cannot_be_assessed() -> None:
    ids = np.arange(200_000).astype(str).astype(object)
    result = drift(ids, ids)
    assert result.verdict == "INCONCLUSIVE"
    assert "more than 10,000 categories in 400,000 values" in result.message


@pytest.mark.parametrize("method", ["cramers_v", "psi", "jensen_shannon", "hellinger"])
@pytest.mark.parametrize("shared", [0, 300, 1_400])
def test_the_interval_reaches_to_whatever_the_rare_ones_may_hide(method: str, shared: int) -> None:
    rng = np.random.default_rng(shared)
    names = [f"c{place}" for place in range(3_000 - shared)]
    counts = np.zeros((2, len(names)), dtype=np.int64)
    counts[0, :1_500], counts[1, -1_500:] = rng.integers(20, 60, (2, 1_500))
    samples = [text(dict(zip(names, side.tolist(), strict=True))) for side in counts]
    (part,) = drift(samples[0], samples[1], method, at_most=0.9).parts
    assert part.estimate is not None
    assert part.estimate.high >= divergence.plain(method, counts) - 1e-9


# --- vectors


@pytest.mark.parametrize("method", ["auto", "ks", "psi"])
def test_vectors_are_a_matter_for_another_method(method: str) -> None:
    vectors = np.empty(N, dtype=object)
    vectors[:] = list(np.random.default_rng(0).normal(size=(N, 3)))
    gate = Gate(challenger=None, reference={"e": vectors, "x": normal(), "y": normal()}, current={
        "e": vectors, "x": normal(seed=1), "y": normal(seed=2)})  # fmt: skip
    result = gate.drift(method, at_most=0.1)
    assert {part.id.rpartition(":")[2]: part.verdict.value for part in result.parts} == {
        "e": "INCONCLUSIVE", "x": "PASS", "y": "PASS",
    }  # fmt: skip
    assert "ask drift(\"mmd\", columns=['e']) for it" in result.parts[0].message
