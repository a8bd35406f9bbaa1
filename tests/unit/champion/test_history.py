"""What the champions were worth is handed down from one to the next, and never in the way of a promotion."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_mlops import Evaluation
from pytest_mlops.champion import store
from pytest_mlops.champion.history import reigns
from pytest_mlops.champion.record import MOST_BYTES, MOST_REIGNS, MOST_VALUES, ChampionError, ChampionRecord, schema

Candidate = Callable[..., ChampionRecord]
Make = Callable[..., Evaluation]
Check = Callable[..., dict[str, Any]]
Promote = Callable[..., ChampionRecord]

EARLIER = """{
"schema_version": 1, "digest": "8bf530aae23a1db3ff28f008f4892e21bd0ae3393b62d75fe5778a1b62badb28",
"model": "credit", "decision": "merge", "complete": true, "home": "",
"predictions": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.npz",
"evidence": {"rows": 200, "data": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
  "predictions": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
  "facts": {"task": "binary", "labels": [0, 1], "positive_label": 1, "identity": "row_ids", "notes": []}},
"checks": [{"id": "performance_threshold:roc_auc", "family": "performance_threshold", "verdict": "PASS",
  "asked": {"subject": "roc_auc", "at_least": 0.6},
  "limits": {"at_least": 0.6, "at_most": null, "warn_below": null, "warn_above": null},
  "estimate": {"value": 0.71, "low": 0.68, "high": 0.75, "confidence": 0.95, "method": "DeLong", "n": 200,
    "null": null, "p_value": null, "standard_error": 0.01, "blind_spot": 0.0084, "exact": false}}],
"policy": {"digest": null, "confidence": 0.95, "inconclusive": "warn", "warn": "warn", "required": [], "waivers": []},
"provenance": {"time": "2026-10-01T12:00:00+00:00", "git": {"commit": "0123456789abcdef", "dirty": false},
  "packages": {"numpy": "2.0"}, "pytest_mlops": "0.1.0"},
"promoted": {"time": "2026-10-02T12:00:00+00:00", "first": true}
}"""
"""A champion's record as it was before there was a history."""
AUC = "performance_threshold:roc_auc"
FIRST: dict[str, Any] = {
    "time": "2026-10-02T12:00:00+00:00",
    "commit": "0123456789abcdef",
    "data": "d" * 64,
    "values": {AUC: {"value": 0.71, "low": 0.68, "high": 0.75}},
}


def at(day: int) -> str:
    return f"2026-11-{day + 1:02}T12:00:00+00:00"


def from_commit(name: str) -> dict[str, Any]:
    return {"time": at(0), "git": {"commit": name, "dirty": False}, "packages": {}}


@pytest.fixture
def promote(tmp_path: Path, candidate: Candidate, evaluation: Make) -> Promote:
    """One model after another, one a day, into the same directory."""

    def promoted(day: int, **known: Any) -> ChampionRecord:
        candidate(tmp_path / "new", evaluation(day), **{"provenance": from_commit(f"c{day}"), **known})
        return store.promote(tmp_path / "new", tmp_path / "champion", first=day == 0, time=at(day)).record

    return promoted


def reaching(check: Check, value: float, name: str = AUC, **known: Any) -> dict[str, Any]:
    """A check that found this value."""
    estimate = {**check()["estimate"], "value": value, "low": value - 0.03, "high": value + 0.04}
    return check(name, estimate=estimate, **known)


# --- handing down ----------------------------------------------------------------------------------------------------


def test_an_earlier_record_is_still_read() -> None:
    record = ChampionRecord.from_json(EARLIER)
    assert record.history == ()
    assert reigns(record) == [FIRST]
    assert json.loads(record.to_json()) == json.loads(EARLIER)


def test_without_a_history_nothing_is_written_of_it(record: ChampionRecord, promote: Promote) -> None:
    """So an earlier pytest-mlops reads candidates and first champions, too."""
    for one in (record, promote(0)):
        assert "history" not in json.loads(one.to_json())


def test_each_champion_hands_down_what_it_and_those_before_it_reached(
    tmp_path: Path, promote: Promote, check: Check
) -> None:
    for day, value in enumerate((0.70, 0.72, 0.71)):
        record = promote(day, checks=(reaching(check, value),))
    assert store.read_record(tmp_path / "champion") == record
    assert [(reign["time"], reign["commit"]) for reign in record.history] == [(at(0), "c0"), (at(1), "c1")]
    assert [reign["values"][AUC]["value"] for reign in reigns(record)] == [0.70, 0.72, 0.71]
    assert reigns(record)[-1] == {
        "time": at(2), "commit": "c2", "data": record.evidence["data"],
        "values": {AUC: {"value": 0.71, "low": 0.68, "high": 0.75}},
    }  # fmt: skip
    jsonschema.validate(json.loads(record.to_json()), schema())


def test_the_newest_are_remembered(promote: Promote) -> None:
    for day in range(25):
        record = promote(day)
    assert [reign["commit"] for reign in record.history] == [f"c{day}" for day in range(24 - MOST_REIGNS, 24)]
    assert len(reigns(record)) == MOST_REIGNS + 1 == 20
    jsonschema.validate(json.loads(record.to_json()), schema())


def test_the_same_run_promoted_twice_is_one_reign(tmp_path: Path, promote: Promote) -> None:
    promote(0)
    once = promote(1)
    again = store.promote(tmp_path / "new", tmp_path / "champion", first=False, time=at(2)).record
    assert again.history == once.history
    assert len(again.history) == 1


def test_a_merge_that_touches_documents_only_is_the_same_reign(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make
) -> None:
    candidate(tmp_path / "docs", evaluation(1), provenance=from_commit("docs"))
    done = store.promote(tmp_path / "docs", champion, first=False, time=at(1))
    assert [reign["commit"] for reign in reigns(done.record)] == ["docs"]


def test_a_history_that_a_candidate_brings_along_does_not_count(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make
) -> None:
    candidate(tmp_path / "new", evaluation(), history=(FIRST,) * 3)
    done = store.promote(tmp_path / "new", champion, first=False, time=at(0))
    assert done.previous
    assert list(done.record.history) == reigns(done.previous)
    done = store.promote(tmp_path / "new", tmp_path / "another", first=True, time=at(0))
    assert done.record.history == ()


# --- what a champion reached -----------------------------------------------------------------------------------------


def test_only_what_can_be_followed_over_promotions_is_kept(record: ChampionRecord, check: Check) -> None:
    unknown = {**check()["estimate"], "high": None}
    checks = (
        reaching(check, 0.7, "drift:age", family="drift", parts=[check("drift:age:part")]),
        check("champion_challenger:roc_auc", family="champion_challenger"),
        check("reproducibility:predictions", family="reproducibility"),
        check("a:without", estimate=None),
        check("a:half", estimate=unknown),
        reaching(check, 0.8, "fairness:x:sex", family="fairness"),
    )
    (reign,) = reigns(replace(record, checks=checks))
    assert [*reign["values"]] == ["drift:age", "fairness:x:sex"]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (0.123456789, 0.123457),
        (-12345678.9, -12345700.0),
        (1.23456789e-9, 1.23457e-9),
        (0.0, 0.0),
        (7, 7.0),
        (1.7976931348623157e308, 1.79769e308),
    ],
)
def test_six_digits_are_kept(record: ChampionRecord, check: Check, value: float, kept: float) -> None:
    estimate = {**check()["estimate"], "value": value, "low": value, "high": value}
    (reign,) = reigns(replace(record, checks=(check(estimate=estimate),)))
    assert reign["values"][AUC] == {"value": kept, "low": kept, "high": kept}


# --- never in the way ------------------------------------------------------------------------------------------------


ROC = json.loads(EARLIER)["checks"][0]
HUGE = {**ROC, "estimate": {**ROC["estimate"], "value": 10**400}}
NO_GIT = {"time": at(0), "packages": {}}
SMALL = {**ROC, "limits": None, "asked": {}}
ODD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "put there by hand": ({"promoted": None}, {"time": "2026-11-01T12:00:00+00:00"}),
    "without git": ({"provenance": NO_GIT}, {"commit": None}),
    "outside of a repository": ({"provenance": {**NO_GIT, "git": None}}, {"commit": None}),
    "without checks": ({"checks": ()}, {"values": {}}),
    "a number too large for a float": ({"checks": (HUGE,)}, {"values": {}}),
    "an id that stands there twice": ({"checks": (ROC, ROC)}, {"values": FIRST["values"]}),
    "half a character": ({"provenance": from_commit("\ud800")}, {"commit": "\ud800"}),
    "many checks": (
        {"checks": tuple({**SMALL, "id": f"a:{place}"} for place in range(MOST_VALUES + 10))},
        {"values": {f"a:{place}": FIRST["values"][AUC] for place in range(MOST_VALUES)}},
    ),
}
"""What a champion's record may be as well, and what is handed down of it."""


@pytest.mark.parametrize("kind", ODD)
def test_whatever_the_champion_was_it_can_be_replaced(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make, kind: str
) -> None:
    old = store.read_record(champion)
    assert old
    known, expected = ODD[kind]
    (champion / store.RECORD).write_text(replace(old, **known).to_json(), encoding="ascii")
    candidate(tmp_path / "new", evaluation())
    (reign,) = store.promote(tmp_path / "new", champion, first=False, time=at(0)).record.history
    assert expected.items() <= reign.items()


def a_full_history() -> tuple[dict[str, Any], ...]:
    return tuple({**FIRST, "commit": f"{place}-{'c' * 1000}"} for place in range(MOST_REIGNS))


def test_the_oldest_history_goes_before_parts_lose_anything(record: ChampionRecord, check: Check) -> None:
    parts = [check(f"drift:column:{place}", message="m" * 2000) for place in range(35)]
    full = replace(
        record, checks=(check(parts=parts),), promoted={"time": at(0), "first": False}, history=a_full_history()
    )
    text = full.to_json()
    read = ChampionRecord.from_json(text)
    kept = len(read.history)
    assert 0 < kept < MOST_REIGNS
    assert read.history == full.history[-kept:]
    assert read.checks == full.checks
    assert len(text) <= MOST_BYTES < len(text) + 1200, "one more would not have found room"


def test_a_candidate_of_the_largest_size_is_promoted_without_a_history(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make, check: Check, record: ChampionRecord
) -> None:
    old = store.read_record(champion)
    assert old
    (champion / store.RECORD).write_text(replace(old, history=a_full_history()).to_json(), encoding="ascii")
    room = MOST_BYTES - 200 - len(replace(record, checks=(check(asked={"subject": ""}),)).to_json())
    made = candidate(tmp_path / "new", evaluation(), checks=(check(asked={"subject": "s" * room}),))
    assert len(made.to_json()) == MOST_BYTES - 200
    done = store.promote(tmp_path / "new", champion, first=False, time="2026-11-11T12:00:00.123456+00:00")
    assert done.record.history == ()
    assert done.record.checks == made.checks
    assert store.read_record(champion) == done.record, "a promotion says what it has written"


# --- what was tampered with ------------------------------------------------------------------------------------------


def test_a_changed_history_is_recognised(tmp_path: Path, promote: Promote) -> None:
    promote(0)
    promote(1)
    path = tmp_path / "champion" / store.RECORD
    data = json.loads(path.read_text(encoding="ascii"))
    (reign,) = data["history"]
    for forged in ([], [reign, reign], [{**reign, "commit": None}], [{**reign, "values": {}}]):
        path.write_text(json.dumps({**data, "history": forged}), encoding="ascii")
        with pytest.raises(ChampionError, match="was altered after it was written"):
            store.read_record(tmp_path / "champion")


def test_a_champion_whose_history_was_forged_is_not_replaced(tmp_path: Path, promote: Promote) -> None:
    promote(0)
    path = tmp_path / "champion" / store.RECORD
    forged = json.dumps({**json.loads(path.read_text(encoding="ascii")), "history": [FIRST]})
    path.write_text(forged, encoding="ascii")
    with pytest.raises(ChampionError, match="was altered after it was written"):
        promote(1)
    assert path.read_text(encoding="ascii") == forged
