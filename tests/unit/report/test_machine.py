"""gate.json from wherever: read back as it was written, or refused with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pytest_mlops import CheckResult, Decision, Estimate, GateReport, Limits, Verdict
from pytest_mlops.report import machine
from pytest_mlops.verdict.errors import EvidenceError

PART = CheckResult(id="drift:auto:age", model="credit", family="drift", verdict=Verdict.PASS, message="It is.")
RESULT = CheckResult(
    id="drift:auto", model="credit", family="drift", verdict=Verdict.PASS, message="No drift.",
    estimate=Estimate(value=0.01, low=0.0, high=0.05, confidence=0.95, method="KS", n=10), limits=Limits(at_most=0.1),
    parts=(PART,), details={"notes": [], "test": {"nodeid": "t.py::t", "file": "t.py", "line": 1}},
)  # fmt: skip
REPORT = GateReport(
    decision=Decision.MERGE, results=(RESULT,),
    provenance={"git": {"commit": "0123", "dirty": False}, "time": "2026-11-24T09:00:00+00:00", "seed": 0},
)  # fmt: skip


def test_what_was_written_is_read() -> None:
    text = machine.render(REPORT)
    assert machine.read(text) == REPORT
    assert machine.render(machine.read(text)) == text


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    data = json.loads(machine.render(REPORT))
    change(data)
    return json.dumps(data)


def in_details(name: str, value: object) -> str:
    return changed(lambda data: data["results"][0]["details"].update({name: value}))


def in_provenance(name: str, value: object) -> str:
    return changed(lambda data: data["provenance"].update({name: value}))


def picture(**fields: object) -> str:
    return in_details("picture", fields)


def nested(depth: int) -> list[Any]:
    parts: list[Any] = []
    for _ in range(depth):
        parts = [{**PART.to_dict(), "parts": parts}]
    return parts


BROKEN = {
    "nothing": "",
    "cut off": machine.render(REPORT)[:-30],
    "a list": "[]",
    "another version": changed(lambda data: data.update(schema_version=2)),
    "no decision": changed(lambda data: data.pop("decision")),
    "an unknown decision": changed(lambda data: data.update(decision="yes")),
    "an unknown verdict": changed(lambda data: data["results"][0].update(verdict="OK")),
    "an unknown field": changed(lambda data: data["results"][0].update(colour="green")),
    "NaN": machine.render(REPORT).replace("0.95", "NaN"),
    "infinity": machine.render(REPORT).replace("0.05", "1e999"),
    "a huge integer": machine.render(REPORT).replace('"n": 10', f'"n": 1{"0" * 400}'),
    "digits without end": machine.render(REPORT).replace('"n": 10', f'"n": 1{"0" * 5_000}'),
    "twice": machine.render(REPORT).replace('"decision": "merge"', '"decision": "block", "decision": "merge"'),
    "two bounds": machine.render(REPORT).replace('"at_least": null', '"at_least": 0.0'),
    "deep": "[" * 100_000,
    "deep parts": changed(lambda data: data["results"][0].update(parts=nested(240))),
    "a test nowhere": in_details("test", {"file": 3}),
    "notes that are none": in_details("notes", "text"),
    "rates of text": in_details("rates", {"selection_rate": {"value": "<b>"}}),
    "a picture of text": picture(kind="bars", labels=["a"], shares={"current": ["<b>"]}),
    "an unknown picture": picture(kind="photo", shares={"current": [1.0]}),
    "an endless picture": picture(kind="roc", lines={"challenger": {"x": [0.0] * 201, "y": [0.0] * 201}}),
    "a time that is none": in_provenance("time", "yesterday"),
    "rows that are none": in_provenance("models", {"credit": {"challenger": {"rows": "many"}}}),
    "a commit that is none": in_provenance("git", {"commit": ["a"], "dirty": False}),
    "a diff that is none": in_provenance("policy_diff", {"credit": [{}]}),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_refused(text: str) -> None:
    with pytest.raises(EvidenceError, match=r"no gate\.json that can be trusted: \S.{5,}"):
        machine.read(text)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(EvidenceError, match="more than 20 MB"):
        machine.read(" " * (machine.MOST_BYTES + 1))


@pytest.mark.parametrize(
    "drawn",
    [
        {"kind": "histogram", "unit": "ms", "edges": [0, 1, 2], "shares": {"reference": [0.5, 0.5], "current": [1, 0]}},
        {"kind": "bars", "labels": ["a"], "shares": {"reference": [1.0], "current": [1.0]}},
        {"kind": "calibration", "lines": {"challenger": {"x": [0.1], "y": [0.2], "low": [0], "high": [1], "n": [9]}}},
    ],
)
def test_pictures_are_kept(drawn: dict[str, Any]) -> None:
    assert machine.read(in_details("picture", drawn)).results[0].details["picture"] == drawn
