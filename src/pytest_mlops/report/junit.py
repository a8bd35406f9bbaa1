"""For all that read JUnit's XML, GitLab and Jenkins first: a suite for each model, a test case for each check.

It keeps to the schema of Jenkins (junit-10), but for what newer readers look for in a test case: `file`, `line` and
`properties`. The worst stand first, since GitLab keeps the first of two that are named alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import SESSION, CheckResult, GateReport
from pytest_mlops.verdict.wording import count

from . import phrases
from .places import place
from .text import plain

MOST_BYTES = 20_000_000
"""Of the test cases, before they are indented: GitLab refuses files of 30 MB."""
_SUITE_BYTES = 6_000
"""At most, of a suite without its test cases."""
_LONGEST_NAME = 300
_LONGEST_HEAD = 500
_LONGEST_MESSAGE = 2_000
_NEITHER_GOOD_NOR_BAD = frozenset({Verdict.INCONCLUSIVE, Verdict.WAIVED})


def render(report: GateReport) -> str:
    """XML that is red exactly where the gate blocks. No check is good because it is unclear: those are skipped."""
    root = Element("testsuites", name="model gate", time="0")
    for model, cases in _suites(report).items():
        suite = SubElement(root, "testsuite", {"name": _name(model), **_counts(cases), "time": "0"})
        if isinstance(time := report.provenance.get("time"), str):
            suite.set("timestamp", plain(time, longest=40))
        _add_properties(suite, _facts(report, model))
        suite.extend(cases)
    every = _counts(root.findall("testsuite/testcase"))
    root.attrib.update({what: every[what] for what in ("tests", "failures", "errors")})
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suites(report: GateReport) -> dict[str, list[Element]]:
    """The test cases by model, as many as a file may hold."""
    suites: dict[str, list[Element]] = {}
    blocking, others = phrases.told(report)
    results = [*blocking, *others]
    left = MOST_BYTES
    for shown, result in enumerate(results):
        case = _case(result, blocks=shown < len(blocking))
        left -= len(ET.tostring(case, encoding="utf-8")) + _SUITE_BYTES * (result.model not in suites)
        if left < 0:
            suites.setdefault(SESSION, []).append(_rest(len(results) - shown))
            break
        suites.setdefault(result.model, []).append(case)
    return suites


def _case(result: CheckResult, *, blocks: bool) -> Element:
    case = Element("testcase", name=_name(result.id), classname=_name(f"{result.model}.{result.family}"), time="0")
    for name, value in zip(("file", "line"), place(result) or (), strict=False):
        if value is not None:
            case.set(name, str(value))
    _add_properties(case, _numbers(result))
    outcome = _outcome(result, blocks)
    if outcome:
        attributes = {"type": result.verdict.value, "message": plain(result.message, longest=_LONGEST_HEAD)}
        said = SubElement(case, outcome, attributes if outcome != "system-out" else {})
        said.text = f"{result.verdict}: {plain(result.message, longest=_LONGEST_MESSAGE)}"
    return case


def _outcome(result: CheckResult, blocks: bool) -> str | None:
    """The element that says it; None for a check that passed without a word."""
    if result.verdict is Verdict.ERROR:
        return "error"
    if blocks:
        return "failure"
    if result.verdict in _NEITHER_GOOD_NOR_BAD:
        return "skipped"
    return "system-out" if phrases.needs_words([result]) else None


def _rest(hidden: int) -> Element:
    case = Element("testcase", name="the rest", classname=SESSION, time="0")
    SubElement(case, "skipped", message=f"{count(hidden, 'result')} more in gate.json: there is no room here")
    return case


def _counts(cases: list[Element]) -> dict[str, str]:
    kinds = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    found = {name: sum(case.find(kind) is not None for case in cases) for name, kind in kinds.items()}
    return {name: str(n) for name, n in {"tests": len(cases), **found}.items()}


def _numbers(result: CheckResult) -> Iterator[tuple[str, object]]:
    yield "verdict", result.verdict
    if result.estimate is not None:
        for name in ("value", "low", "high", "confidence", "n", "p_value", "method"):
            yield name, getattr(result.estimate, name)
    if result.limits is not None:
        yield "limit", f"at {'most' if result.limits.at_least is None else 'least'} {result.limits.bound!r}"


def _facts(report: GateReport, model: str) -> Iterator[tuple[str, object]]:
    yield "decision", report.decision
    yield "commit", (report.provenance.get("git") or {}).get("commit")
    yield "seed", report.provenance.get("seed")
    roles: Mapping[str, Mapping[str, Any]] = report.provenance.get("models", {}).get(model, {})
    for role in ("challenger", "champion"):
        for what in ("data", "predictions"):
            yield f"{role}.{what}", roles.get(role, {}).get(what)


def _add_properties(element: Element, known: Iterator[tuple[str, object]]) -> None:
    """Those that are known, with all their digits: they are read by machines."""
    properties = SubElement(element, "properties")
    for name, value in known:
        if value is not None and not (isinstance(value, float) and not math.isfinite(value)):
            SubElement(properties, "property", name=name, value=plain(str(value), longest=100))


def _name(text: str) -> str:
    return plain(text, longest=_LONGEST_NAME) or "?"
