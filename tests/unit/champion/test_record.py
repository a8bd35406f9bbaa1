"""What a record says, and what is refused as one, with which words."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import jsonschema
import pytest

from pytest_mlops import CheckResult, Estimate, EvidenceError, Limits, Verdict
from pytest_mlops.champion.record import (
    MOST_BYTES,
    RECORD_VERSION,
    ChampionError,
    ChampionRecord,
    _digest,
    checks_of,
    schema,
)

Check = Callable[..., dict[str, Any]]


def again(record: ChampionRecord, **changes: Any) -> str:
    """The record with changes, and with a digest that fits them."""
    data = {**json.loads(record.to_json()), **changes}
    del data["digest"]
    return json.dumps({"digest": _digest(data), **data})


def test_there_and_back(record: ChampionRecord) -> None:
    promoted = replace(record, promoted={"time": "2026-11-11T12:00:00+00:00", "first": False})
    for one in (record, promoted, replace(promoted, history=(REIGN, {**REIGN, "commit": None, "values": {}}))):
        assert ChampionRecord.from_json(one.to_json()) == one
        assert ChampionRecord.from_json(one.to_json()).to_json() == one.to_json()


def test_layout_and_line_ends_do_not_count(record: ChampionRecord) -> None:
    """Git may change the ends of lines, and an editor the indentation."""
    text = record.to_json()
    assert ChampionRecord.from_json(text.replace("\n", "\r\n")) == record
    assert ChampionRecord.from_json(json.dumps(json.loads(text), sort_keys=True)) == record


def test_it_is_ascii_and_knows_its_version(record: ChampionRecord) -> None:
    text = replace(record, model="crédit\u202e\ud800").to_json()
    assert text.isascii()
    assert json.loads(text)["schema_version"] == RECORD_VERSION
    assert ChampionRecord.from_json(text).model == "crédit\u202e\ud800"


REACHED = {"value": 0.7, "low": 0.6, "high": 0.8}
REIGN = {
    "time": "2026-11-01T12:00:00+00:00",
    "commit": "abc",
    "data": "d" * 64,
    "values": {"performance_threshold:f1": REACHED},
}
ALTERED: list[tuple[str, Any]] = [
    ("model", "other"),
    ("decision", "review"),
    ("complete", False),
    ("home", "elsewhere"),
    ("predictions", f"{'b' * 64}.npz"),
    ("evidence", {"rows": 1}),
    ("checks", []),
    ("policy", {}),
    ("provenance", {}),
    ("promoted", {"time": "2026-11-11T12:00:00+00:00", "first": True}),
    ("history", [REIGN]),
]


@pytest.mark.parametrize(("field", "value"), ALTERED)
def test_an_altered_field_is_recognised(record: ChampionRecord, field: str, value: Any) -> None:
    text = json.dumps({**json.loads(record.to_json()), field: value})
    with pytest.raises(ChampionError, match=r"was altered .* restore it from version control, or run the gate again"):
        ChampionRecord.from_json(text)


def test_every_field_can_be_altered(record: ChampionRecord) -> None:
    assert {field for field, _ in ALTERED} == {field.name for field in fields(record)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cut off, or no JSON"),
        ("{", "cut off, or no JSON"),
        ("[]", "is a JSON list, expected an object"),
        ("null", "is a JSON NoneType, expected an object"),
        ("{}", "no schema_version"),
        ('{"schema_version": true}', "no schema_version"),
        ('{"schema_version": "1"}', "no schema_version"),
        ('{"schema_version": 0}', "no schema_version"),
        ('{"schema_version": 1}', "lacks digest, model, decision"),
        ('{"schema_version": 1, "schema_version": 1}', "a field stands there twice"),
        ("[" * 50_000, "cannot be read"),
        ('{"schema_version": 1, "x": NaN}', "NaN is no JSON"),
        ('{"schema_version": 1, "x": -Infinity}', "-Infinity is no JSON"),
        ('{"schema_version": ' + "9" * 5000 + "}", "cannot be read"),
    ],
)
def test_what_is_no_record(text: str, words: str) -> None:
    with pytest.raises(ChampionError, match=words):
        ChampionRecord.from_json(text)


def test_one_cut_off_anywhere_is_refused(record: ChampionRecord) -> None:
    text = record.to_json().rstrip()
    for length in range(0, len(text), 7):
        with pytest.raises(ChampionError):
            ChampionRecord.from_json(text[:length])


def test_infinity_in_disguise(record: ChampionRecord) -> None:
    text = record.to_json().replace('"value": 0.71', '"value": 1e999')
    assert "1e999" in text
    with pytest.raises(ChampionError, match="holds what JSON cannot"):
        ChampionRecord.from_json(text)


def test_a_newer_one_says_what_to_install(record: ChampionRecord) -> None:
    newer = again(record, schema_version=2, provenance={"pytest_mlops": "3.1.0"}, unheard_of=1)
    with pytest.raises(ChampionError, match=r"schema version 2, .* reads 1 at most: install pytest-mlops 3\.1\.0 or"):
        ChampionRecord.from_json(newer)
    with pytest.raises(ChampionError, match="install a newer pytest-mlops"):
        ChampionRecord.from_json('{"schema_version": 7, "provenance": 3}')


WRONG: list[tuple[str, Any, str]] = [
    ("model", "", "model is '', expected a text"),
    ("model", 3, "model is 3, expected a text"),
    ("decision", "go", "expected one of 'merge', 'review', 'block'"),
    ("decision", [], "expected one of"),
    ("complete", 1, "expected true or false"),
    ("home", "../elsewhere", "a folder below the root"),
    ("home", "a/../../b", "a folder below the root"),
    ("home", "..\\elsewhere", "a folder below the root"),
    ("home", "/etc", "a folder below the root"),
    ("home", "\\etc", "a folder below the root"),
    ("home", "C:/x", "a folder below the root"),
    ("home", "C:x", "a folder below the root"),
    ("home", "//server/share", "a folder below the root"),
    ("home", "a//b", "a folder below the root"),
    ("home", "a/", "a folder below the root"),
    ("home", ".", "a folder below the root"),
    ("home", "a\0b", "a folder below the root"),
    ("home", None, "a folder below the root"),
    ("predictions", "../x.npz", "expected <sha256>.npz"),
    ("predictions", f"{'a' * 64}", "expected <sha256>.npz"),
    ("predictions", f"{'a' * 64}.npz\n", "expected <sha256>.npz"),
    ("predictions", f"{'A' * 64}.npz", "expected <sha256>.npz"),
    ("predictions", f"/{'a' * 64}.npz", "expected <sha256>.npz"),
    ("evidence", [], "expected an object"),
    ("evidence", {}, "evidence lacks rows, data, predictions, facts"),
    ("checks", {}, "expected a list"),
    ("checks", [1], "expected a list of objects"),
    ("policy", {}, "policy lacks digest"),
    ("provenance", {}, r"provenance\.time is None, expected a time with its zone"),
    ("promoted", {}, "promoted lacks time, first"),
    ("promoted", {"time": "yesterday", "first": True}, r"promoted\.time is 'yesterday', expected a time"),
    ("promoted", {"time": "2026-11-11T12:00:00", "first": True}, "with its zone"),
    ("promoted", {"time": 3, "first": True}, "with its zone"),
    ("history", {}, "history is {}, expected a list"),
    ("history", None, "history is None, expected a list"),
    ("history", [1], "history is .* expected a list of at most 19 objects"),
    ("history", [REIGN] * 20, "history is .* expected a list of at most 19 objects"),
    ("history", [REIGN, {}], r"history\[1\] lacks time, commit, data, values"),
    ("history", [{**REIGN, "first": True}], r"history\[0\] has an unknown field 'first'"),
    ("history", [{**REIGN, "time": "2026-11-01T12:00:00"}], r"history\[0\]\.time is .* with its zone"),
    ("history", [{**REIGN, "time": None}], r"history\[0\]\.time is None, expected a time"),
    ("history", [{**REIGN, "commit": ""}], r"history\[0\]\.commit is '', expected a text, or null"),
    ("history", [{**REIGN, "commit": 7}], r"history\[0\]\.commit is 7, expected a text, or null"),
    ("history", [{**REIGN, "values": []}], r"history\[0\]\.values is \[\], expected at most 200 checks"),
    ("history", [{**REIGN, "values": {f"a:{place}": REACHED for place in range(201)}}], "expected at most 200 checks"),
    ("history", [{**REIGN, "values": {"": REACHED}}], "expected at most 200 checks"),
    ("history", [{**REIGN, "values": {"a:b": 0.7}}], "with a finite value, low and high"),
    ("history", [{**REIGN, "values": {"a:b": {"value": 0.7, "low": 0.6}}}], "with a finite value, low and high"),
    ("history", [{**REIGN, "values": {"a:b": {**REACHED, "n": 9}}}], "with a finite value, low and high"),
    ("history", [{**REIGN, "values": {"a:b": {**REACHED, "low": None}}}], "with a finite value, low and high"),
    ("history", [{**REIGN, "values": {"a:b": {**REACHED, "low": "0.6"}}}], "with a finite value, low and high"),
    ("history", [{**REIGN, "values": {"a:b": {**REACHED, "low": True}}}], "with a finite value, low and high"),
    ("unheard_of", 1, "the record has an unknown field 'unheard_of'"),
]


@pytest.mark.parametrize(("field", "value", "words"), WRONG)
def test_a_wrong_field_is_named(record: ChampionRecord, field: str, value: Any, words: str) -> None:
    with pytest.raises(ChampionError, match=words):
        ChampionRecord.from_json(again(record, **{field: value}))


def test_numbers_of_a_history_are_finite(record: ChampionRecord) -> None:
    for number in (float("nan"), float("inf"), -float("inf"), 10**400):
        with pytest.raises(ChampionError, match="with a finite value, low and high"):
            replace(record, history=({**REIGN, "values": {"a:b": {**REACHED, "high": number}}},))


INNER: list[tuple[str, str, Any]] = [
    ("evidence", "rows", 0),
    ("evidence", "rows", True),
    ("evidence", "rows", 2.5),
    ("evidence", "data", "a" * 63),
    ("evidence", "predictions", None),
    ("evidence", "facts", None),
    ("evidence", "champion", 1),
    ("evidence", "row_data", [1, 2, 3]),
    ("policy", "digest", "short"),
    ("policy", "confidence", 95),
    ("policy", "confidence", True),
    ("policy", "inconclusive", "pass"),
    ("policy", "warn", None),
    ("policy", "required", "drift"),
    ("policy", "required", [1]),
    ("policy", "waivers", [1]),
    ("policy", "unheard_of", 1),
    ("provenance", "git", {}),
    ("provenance", "git", {"commit": "", "dirty": True}),
    ("provenance", "git", {"commit": "abc", "dirty": "no"}),
    ("provenance", "packages", {"numpy": 2}),
    ("provenance", "packages", None),
]


@pytest.mark.parametrize(("field", "name", "value"), INNER)
def test_a_wrong_inner_field_is_named(record: ChampionRecord, field: str, name: str, value: Any) -> None:
    with pytest.raises(ChampionError, match=rf"{field}(\.{name} is| has an unknown field '{name}')"):
        ChampionRecord.from_json(again(record, **{field: {**getattr(record, field), name: value}}))


FACTS: list[tuple[str, Any]] = [
    ("task", "guess"),
    ("labels", "ab"),
    ("labels", []),
    ("labels", [0, 0, 1]),
    ("labels", [0, 1.5]),
    ("labels", [False, True]),
    ("positive_label", 7),
    ("positive_label", 1.0),
    ("identity", None),
    ("notes", [1]),
    ("unheard_of", 1),
]


@pytest.mark.parametrize(("name", "value"), FACTS)
def test_a_wrong_fact_is_named(record: ChampionRecord, name: str, value: Any) -> None:
    evidence = {**record.evidence, "facts": {**record.evidence["facts"], name: value}}
    with pytest.raises(ChampionError, match=rf"evidence\.facts.*{name}"):
        replace(record, evidence=evidence)


CHECKS: list[tuple[str, Any]] = [
    ("id", ""),
    ("family", None),
    ("verdict", "PASSED"),
    ("asked", []),
    ("limits", {"at_least": 0.5, "at_most": 0.6, "warn_below": None, "warn_above": None}),
    ("limits", {"at_least": "0.5"}),
    ("limits", {"unheard_of": 1}),
    ("limits", 3),
    ("estimate", {}),
    ("estimate", 3),
    ("estimate", {"value": "high"}),
    ("message", 1),
    ("parts", {}),
    ("parts", [1]),
    ("parts", [{"id": "a:b"}]),
    ("parts", [{"id": "a:b", "verdict": "NO"}]),
    ("parts", [{"id": "a:b", "verdict": "PASS", "parts": [{}]}]),
    ("unheard_of", 1),
]


@pytest.mark.parametrize(("name", "value"), CHECKS)
def test_a_wrong_check_is_named(record: ChampionRecord, check: Check, name: str, value: Any) -> None:
    with pytest.raises(ChampionError, match=rf"checks\[1\].*{name}"):
        replace(record, checks=(check(), check(**{name: value})))


def test_an_estimate_with_a_wrong_number(record: ChampionRecord, check: Check) -> None:
    for name, value in [("value", "0.7"), ("n", 1.5), ("exact", 0), ("method", None), ("confidence", None)]:
        with pytest.raises(ChampionError, match="an estimate"):
            replace(record, checks=(check(estimate={**check()["estimate"], name: value}),))
    replace(record, checks=(check(estimate={**check()["estimate"], "value": None}),))  # was not finite


def test_a_record_of_a_regression_has_no_labels(record: ChampionRecord) -> None:
    facts = {**record.evidence["facts"], "task": "regression", "labels": [], "positive_label": None}
    assert replace(record, evidence={**record.evidence, "facts": facts})


def test_errors_are_errors_of_evidence(record: ChampionRecord) -> None:
    with pytest.raises(EvidenceError):
        replace(record, model="")


def test_what_json_cannot_hold_is_refused(record: ChampionRecord, check: Check) -> None:
    for value in (float("nan"), {1, 2}, object()):
        with pytest.raises(ChampionError, match="holds what JSON cannot"):
            replace(record, checks=(check(asked={"subject": value}),)).to_json()


def test_a_large_record_loses_the_numbers_of_parts_and_never_their_ids(record: ChampionRecord, check: Check) -> None:
    parts = [check(f"drift:column:{place}", message="m" * 40, parts=[]) for place in range(300)]
    large = replace(record, checks=(check(parts=parts, message="kept"),))
    text = large.to_json()
    read = ChampionRecord.from_json(text)
    assert len(text) <= MOST_BYTES
    assert [part["id"] for part in read.checks[0]["parts"]] == [part["id"] for part in parts]
    assert {*read.checks[0]["parts"][0]} == {"id", "family", "verdict", "asked", "parts"}
    assert read.checks[0]["message"] == "kept"
    assert read.checks[0]["estimate"] == check()["estimate"]


def test_messages_go_before_numbers(record: ChampionRecord, check: Check) -> None:
    parts = [check(f"drift:column:{place}", message="m" * 3000) for place in range(40)]
    read = ChampionRecord.from_json(replace(record, checks=(check(parts=parts),)).to_json())
    assert all(part["estimate"] and "message" not in part for part in read.checks[0]["parts"])


def test_a_record_that_cannot_be_small_is_refused(record: ChampionRecord, check: Check) -> None:
    with pytest.raises(ChampionError, match=r"would have \d\d\d KB, and at most 100 KB are kept: it has 500 checks"):
        replace(record, checks=tuple(check(f"a:{place}") for place in range(500))).to_json()


def test_what_fits_as_a_candidate_fits_as_a_champion(record: ChampionRecord, check: Check) -> None:
    """Whatever its length: no candidate is found too large only when it is promoted."""
    room = MOST_BYTES - len(replace(record, checks=(check(asked={"subject": ""}),)).to_json())
    fitting = [length for length in range(room - 260, room + 20) if _fits(record, check, length)]
    assert fitting
    assert len(fitting) < 280
    largest = replace(record, checks=(check(asked={"subject": "s" * max(fitting)}),))
    text = replace(largest, promoted={"time": "2026-11-11T12:00:00.123456+00:00", "first": False}).to_json()
    assert len(text) <= MOST_BYTES


def _fits(record: ChampionRecord, check: Check, length: int) -> bool:
    try:
        return bool(replace(record, checks=(check(asked={"subject": "s" * length}),)).to_json())
    except ChampionError:
        return False


def test_checks_of_results(record: ChampionRecord) -> None:
    estimate = Estimate(value=float("nan"), low=0.1, high=0.3, confidence=0.95, method="by hand", n=10)
    part = CheckResult(id="fairness:x:sex:a", model="credit", family="fairness", verdict=Verdict.WARN, message="so")
    result = replace(
        part,
        id="fairness:x:sex",
        estimate=estimate,
        limits=Limits(at_most=0.1),
        parts=(part,),
        details={"asked": {"by": "sex"}, "test": {"file": "/home/me/test_it.py"}},
    )
    (found,) = checks_of([result])
    assert found["asked"] == {"by": "sex"}
    assert found["estimate"]["value"] is None
    assert found["limits"]["at_most"] == 0.1
    assert found["parts"][0]["id"] == "fairness:x:sex:a"
    assert "/home/me" not in json.dumps(found)
    with_it = replace(record, checks=(found,))
    assert ChampionRecord.from_json(with_it.to_json()) == with_it


def test_the_schema_accepts_what_is_written(record: ChampionRecord, check: Check) -> None:
    part = {"id": "a:b:c", "verdict": "WARN"}
    full = replace(
        record,
        checks=(check(message="m", parts=[part]), check(limits=None, estimate=None)),
        evidence={**record.evidence, "champion": None},
        promoted={"time": "2026-11-11T12:00:00+00:00", "first": True},
        history=({**REIGN, "commit": None}, {**REIGN, "values": {}}),
    )
    for one in (record, full):
        jsonschema.validate(json.loads(one.to_json()), schema())


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, value, _ in WRONG])
def test_the_schema_refuses_what_the_record_refuses(record: ChampionRecord, field: str, value: Any) -> None:
    data = {**json.loads(record.to_json()), field: value}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema())


@pytest.mark.parametrize(("field", "name", "value"), INNER)
def test_the_schema_refuses_inner_fields_too(record: ChampionRecord, field: str, name: str, value: Any) -> None:
    data = json.loads(record.to_json())
    data[field][name] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema())
