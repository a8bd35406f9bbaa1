"""Profiles as files: what is kept comes back exactly, and what anybody may have written is not believed."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pytest_mlops.evidence import packing, profile_file
from pytest_mlops.evidence.profile import ColumnProfile, Profile
from pytest_mlops.evidence.profile_file import dumps, for_file, load, loads
from pytest_mlops.evidence.profile_pair import ProfilePair
from pytest_mlops.evidence.reading import profile_of_values
from pytest_mlops.evidence.suppression import merged
from pytest_mlops.statistics.distribution import Distribution
from pytest_mlops.statistics.steps import Steps
from pytest_mlops.statistics.two_sample import plain_distance
from pytest_mlops.verdict.errors import EvidenceError

FLOATS = st.lists(st.floats(allow_nan=True), max_size=40)
TEXTS = st.lists(st.none() | st.text(max_size=4), max_size=40)


def of(values: Any, dtype: Any = None) -> ColumnProfile:
    return profile_of_values(np.array(values, dtype=dtype))


def profile(n: int = 200, seed: int = 0) -> Profile:
    generator = np.random.default_rng(seed)
    number = generator.normal(size=n)
    columns = {
        "number": number, "coarse": number.astype(np.float32), "whole": generator.poisson(3, n), "yes": number > 0,
        "zeros": np.where(number < 1, 0.0, number), "gaps": np.where(number < -1, np.nan, number),
        "when": (number * 1e9).astype("datetime64[s]"), "span": (number * 1e5).astype("timedelta64[s]"),
        "city": generator.choice(["Bonn", "Ulm", "Köln", "a\nb", ""], n), "id": np.array([f"id {i}" for i in range(n)]),
        "vector": generator.normal(size=(n, 3)), "nothing": np.full(n, np.nan),
    }  # fmt: skip
    return Profile(n, {name: profile_of_values(np.asarray(values)) for name, values in columns.items()})


def distribution(found: Profile, name: str) -> Distribution:
    kept = found.columns[name].distribution
    assert kept is not None
    return kept


# --- there and back


@given(FLOATS)
def test_numbers_come_back_exactly(values: list[float]) -> None:
    kept = Profile(len(values), {"x": of(values, float), "y": of(values, np.float64)})
    assert loads(dumps(kept)) == kept


@given(TEXTS)
def test_text_comes_back_exactly(values: list[str | None]) -> None:
    kept = Profile(len(values), {"x": of(values, object)})
    assert loads(dumps(kept)) == kept


@pytest.mark.parametrize("n", [1, 7, 200, 3_000, 30_000])
@pytest.mark.parametrize(
    "known", [{}, {"hashed": True}, {"suppress_below": 5}, {"hashed": "salt", "suppress_below": 9}]
)
def test_a_file_holds_what_it_says(n: int, known: dict[str, Any], tmp_path: Path) -> None:
    text = dumps(profile(n), **known)
    path = tmp_path / "p.profile.json"
    path.write_text(text, encoding="utf-8")
    assert load(path) == for_file(profile(n), **known)
    assert loads(dumps(load(path))) == load(path)
    Draft202012Validator(profile_file.schema()).validate(json.loads(text))


def test_columns_keep_their_order_and_strange_names() -> None:
    names = ["z", "a", "", 'q"\\', "é", "\ud800", "x\ny"]
    kept = Profile(2, dict.fromkeys(names, of([1.0, 2.0])))
    assert list(loads(dumps(kept)).columns) == names


def test_small_samples_are_kept_exactly_and_larger_ones_to_a_thousandth() -> None:
    for n in (100, 500, 2_000, 20_000, 30_000):
        values = np.random.default_rng(n).normal(size=n)
        full = profile_of_values(values)
        kept = loads(dumps(Profile(n, {"x": full}))).columns["x"]
        assert kept.distribution is not None
        assert kept.distribution.error <= (0.001 if n > 500 else 0)
        assert plain_distance("ks", ProfilePair.of(full, kept).steps) == 0
        assert ProfilePair.of(full, kept).steps.slack <= 0.001


def test_fifty_columns_of_a_million_rows_are_at_most_250_kilobytes() -> None:
    generator = np.random.default_rng(0)
    number = profile_of_values(generator.normal(size=1_000_000))
    ids = profile_of_values(
        np.array([f"category {place:06}" for place in generator.integers(0, 5_000, 1_000_000)], object)
    )
    columns = {**{f"n{place}": number for place in range(40)}, **{f"s{place}": ids for place in range(10)}}
    for known in ({}, {"hashed": True}):
        assert len(dumps(Profile(1_000_000, columns), **known)) < 250_000


# --- what a file does not tell


def test_hashed_names_are_nowhere_in_a_file() -> None:
    text = dumps(profile(), hashed=True)
    kept = loads(text).columns["city"].categories
    assert kept is not None
    assert kept.hashed
    assert not any(name in text for name in ("Bonn", "Ulm"))
    assert all(len(name) == 16 for name in kept.counts)
    assert loads(dumps(profile(), hashed="salt")).columns["city"].categories.salt == "salt"  # type: ignore[union-attr]
    assert dumps(profile(), hashed=True) == text
    assert dumps(profile(seed=1), hashed=True) != text


def test_hashed_names_are_not_hashed_again() -> None:
    once = loads(dumps(profile(), hashed="salt"))
    assert for_file(once, hashed="salt") == once
    with pytest.raises(EvidenceError, match="make the profile from the data"):
        for_file(once, hashed="pepper")


def test_a_suppressed_profile_has_no_small_count_and_no_value_of_one_row() -> None:
    values = np.random.default_rng(0).normal(size=400)
    kept = loads(dumps(Profile(400, {"x": profile_of_values(values)}), suppress_below=10))
    found = distribution(kept, "x")
    assert found.n == 400
    assert found.counts.min() >= 10
    ends = {*found.lowest.tolist(), *found.highest.tolist()}
    assert not ends & set(values.tolist())
    assert found.minimum <= values.min()
    assert found.maximum >= values.max()
    assert found.error < 0.06


@given(
    st.lists(
        st.sampled_from([-np.inf, -1e300, -2.5, -1.0, 0.0, 5e-324, 0.1, 1.0, 3.0, 1e9, 1.7e308, np.inf]), min_size=1
    ),
    st.integers(1, 12),
)
def test_merged_cells_hold_the_same_values(values: list[float], fewest: int) -> None:
    full = Distribution.of(np.array(values))
    found = merged(full, fewest)
    finite = np.isfinite(found.lowest)
    assert (found.n, found.infinite) == (full.n, full.infinite)
    assert (found.lowest[1:] > found.highest[:-1]).all()
    assert np.isfinite(found.highest[finite]).all()
    assert (found.counts[finite] >= min(fewest, full.n - full.infinite)).all()
    counted = [
        int(full.counts[(full.lowest >= low) & (full.highest <= high)].sum())
        for low, high in zip(found.lowest, found.highest, strict=True)
    ]
    assert counted == found.counts.tolist()
    assert Steps.of(full, found).lead == 0


def test_a_heavy_value_keeps_its_own_cell() -> None:
    values = np.concatenate([np.zeros(900), np.linspace(1, 2, 50), np.linspace(-2, -1, 50), [7.0]])
    found = merged(Distribution.of(values), 10)
    assert found.counts[found.lowest == 0].tolist() == [900]
    assert (found.highest[found.lowest == 0] == 0).all()


def test_yes_and_no_stay_within_0_and_1() -> None:
    found = merged(Distribution.of(np.array([0] * 97 + [1] * 3)), 5)
    assert (found.minimum, found.maximum, found.counts.tolist()) == (0, 1, [100])


def test_suppressed_categories_are_among_the_others() -> None:
    kept = loads(dumps(Profile(12, {"x": of(["a"] * 8 + ["b"] * 4)}), suppress_below=5)).columns["x"].categories
    assert kept is not None
    assert (kept.counts, kept.others, kept.distinct) == ({"a": 8}, 4, 2)


# --- what is not believed


def forged(change: Callable[[dict[str, Any]], object], *, sealed: bool = True) -> str:
    """A file that somebody has changed, and made to look as if it were whole."""
    data = json.loads(dumps(profile()))
    change(data)
    if sealed:
        rest = {name: value for name, value in data.items() if name != "sha256"}
        data["sha256"] = hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return json.dumps(data)


def column(data: dict[str, Any], name: str = "number") -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in data["columns"] if each["name"] == name)
    return found


def packed(data: bytes) -> str:
    return base64.b85encode(zlib.compress(data)).decode()


def cells(data: dict[str, Any], lowest: list[float], highest: list[float], counts: list[int]) -> None:
    found = Distribution(np.array(lowest, dtype=float), np.array(highest, dtype=float), np.array(counts))
    column(data)["numbers"] |= {"packed": packing.packed(found), "cells": len(counts)}


def names(data: dict[str, Any], categories: Any, **known: Any) -> None:
    text = json.dumps(categories).encode()
    column(data, "city")["categories"] |= {"packed": packed(text), "bytes": len(text), **known}


DEEP = packed(b"[" * 10**6)
FORGERIES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "version": (lambda data: data.update(pytest_mlops_profile=2, made_by="9.9"), "schema version 2 .*9.9.*reads 1"),
    "no version": (lambda data: data.pop("pytest_mlops_profile"), "does not say that it is a profile"),
    "version true": (lambda data: data.update(pytest_mlops_profile=True), "does not say"),
    "field": (lambda data: data.update(extra=1), "extra"),
    "no field": (lambda data: data.pop("rows"), "rows"),
    "rows": (lambda data: data.update(rows=201), "are 200, and there are 201 rows"),
    "negative": (lambda data: data.update(rows=-1), "rows"),
    "fraction": (lambda data: data.update(rows=200.5), "rows"),
    "huge": (lambda data: data.update(rows=2**70), "rows"),
    "no columns": (lambda data: data.update(columns=[]), "columns"),
    "text for a list": (lambda data: data.update(columns="x"), "columns"),
    "twice": (lambda data: data["columns"].append(data["columns"][0]), "two of its columns have one name"),
    "values": (lambda data: column(data).update(values=199, missing=1), "add up to 200, and it has 199"),
    "holds": (lambda data: column(data).update(holds="text"), "holds text, but has no 'categories'"),
    "empty": (lambda data: column(data).update(holds=None), "add up to 0, and it has 200"),
    "unknown kind": (lambda data: column(data).update(holds="pickles"), "holds"),
    "precision": (lambda data: column(data)["numbers"].update(precision="f4"), "precision"),
    "no cells": (lambda data: column(data)["numbers"].update(cells=0), "cells"),
    "other size": (lambda data: column(data)["numbers"].update(cells=7), "another size than it says"),
    "bomb": (lambda data: column(data)["numbers"].update(packed=packed(bytes(10**8)), cells=5), "another size"),
    "no base85": (lambda data: column(data)["numbers"].update(packed="\x00é"), "packed part is broken"),
    "no zlib": (lambda data: column(data)["numbers"].update(packed=base64.b85encode(b"abcd").decode()), "broken"),
    "cut": (lambda data: column(data)["numbers"].update(packed=packed(bytes(10))[:-5]), "another size|broken"),
    "not rising": (lambda data: cells(data, [2, 1], [2, 1], [100, 100]), "do not rise"),
    "overlapping": (lambda data: cells(data, [1, 2], [3, 4], [100, 100]), "do not rise"),
    "equal": (lambda data: cells(data, [1, 1], [1, 1], [100, 100]), "do not rise"),
    "turned over": (lambda data: cells(data, [3], [1], [200]), "do not rise"),
    "two zeros": (lambda data: cells(data, [-0.0, 0.0], [-0.0, 0.0], [100, 100]), "do not rise"),
    "nan": (lambda data: cells(data, [1, np.nan], [1, np.nan], [100, 100]), "do not rise"),
    "to infinity": (lambda data: cells(data, [1], [np.inf], [200]), "do not rise"),
    "no values": (lambda data: cells(data, [1, 2], [1, 2], [200, 0]), "has no values"),
    "negative count": (lambda data: cells(data, [1, 2], [1, 2], [201, -1]), "has no values"),
    "overflow": (lambda data: cells(data, [1, 2, 3], [1, 2, 3], [2**63 - 1, 2**63 - 1, 202]), "add up to"),
    "no pair": (lambda data: names(data, {"a": 200}), "no names and counts"),
    "uneven": (lambda data: names(data, [["a", "b"], [200]]), "not named one by one"),
    "number": (lambda data: names(data, [[1], [200]]), "not named one by one"),
    "no count": (lambda data: names(data, [["a"], [True]]), "no whole number"),
    "zero": (lambda data: names(data, [["a", "b"], [200, 0]]), "no whole number"),
    "order": (lambda data: names(data, [["a", "b"], [50, 150]]), "out of order"),
    "same name": (lambda data: names(data, [["a", "a"], [100, 100]]), "out of order"),
    "not all": (lambda data: names(data, [["a"], [200]], distinct=2), "not as many"),
    "others": (lambda data: names(data, [["a"], [150]], distinct=1, others=50), "not as many"),
    "too many": (lambda data: names(data, [["a"], [150]], distinct=10_001, others=50), "more categories than it may"),
    "sums": (lambda data: names(data, [["a"], [150]], distinct=1), "add up to 150, and it has 200"),
    "no json": (lambda data: column(data, "city")["categories"].update(packed=packed(b"[1, 2"), bytes=5), "city"),
    "deep": (lambda data: column(data, "city")["categories"].update(packed=DEEP, bytes=10**6), "recursion"),
    "dimensions": (lambda data: column(data, "vector").update(dimensions=0), "dimensions"),
    "no dimensions": (lambda data: column(data, "vector").pop("dimensions"), "has no 'dimensions'"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "why"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_file_is_refused(change: Callable[[dict[str, Any]], object], why: str, tmp_path: Path) -> None:
    path = tmp_path / "reference.profile.json"
    path.write_text(forged(change), encoding="utf-8")
    with pytest.raises(
        EvidenceError, match=f"'reference.profile.json' cannot be used as a profile: .*({why})"
    ) as caught:
        load(path)
    assert "make it anew with pytest-mlops profile" in str(caught.value)
    assert len(str(caught.value)) < 700


def test_what_is_changed_without_care_is_refused() -> None:
    assert loads(forged(lambda data: None, sealed=False)) == for_file(profile())
    with pytest.raises(ValueError, match="altered after it was written"):
        loads(forged(lambda data: column(data).update(kind="boolean"), sealed=False))


def test_all_together_may_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_file, "_MOST_UNPACKED", 1_000)
    with pytest.raises(ValueError, match="would unpack to"):
        loads(dumps(profile()))


WHOLE = dumps(profile(20)).encode()
BROKEN: dict[str, tuple[bytes, str]] = {
    "cut off": (WHOLE[: len(WHOLE) // 2], "cut off, or no JSON"), "empty": (b"", "cut off"),
    "binary": (b"\xff\xfe", "utf-8"),
    "a list": (b"[1]", "does not say"), "NaN": (b'{"pytest_mlops_profile": NaN}', "NaN is no JSON"),
    "1e999": (b'{"pytest_mlops_profile": 1e999}', "too large a number"), "deep": (b"[" * 100_000, "cannot be used"),
    "digits": (b"[" + b"9" * 5000 + b"]", "cannot be used"),
    "twice": (b'{"pytest_mlops_profile": 1, "pytest_mlops_profile": 1}', "stands there twice"),
    "parquet": (b"PAR1" + bytes(100), "cut off, or no JSON"), "a pickle": (b"\x80\x04K\x01.", "cannot be used"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused(data: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "x.profile.json"
    path.write_bytes(data)
    with pytest.raises(EvidenceError, match=why):
        load(path)


def test_a_file_of_absurd_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.profile.json"
    path.write_bytes(WHOLE)
    monkeypatch.setattr(profile_file, "MOST_BYTES", 1_000)
    with pytest.raises(EvidenceError, match="has more than"):
        load(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "x.profile.json", tmp_path):
        with pytest.raises(EvidenceError, match=r"cannot be read .*: check the path, or make it"):
            load(path)


@given(st.data())
def test_no_flipped_byte_goes_unseen(data: st.DataObject) -> None:
    """Or it raises anything but a ValueError."""
    place = data.draw(st.integers(0, len(WHOLE) - 1))
    changed = bytearray(WHOLE)
    changed[place] = data.draw(st.integers(0, 127))
    try:
        found = loads(changed.decode())
    except ValueError:
        return
    assert found == loads(WHOLE.decode())
