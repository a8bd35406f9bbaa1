"""What a run adds up to: results of all tests, and all that stands in the way of trusting them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .checks.spec import check_id
from .verdict.comparison import compare
from .verdict.decision import PARTIAL_RUN, worst_first
from .verdict.limits import Verdict
from .verdict.result import SESSION, CheckResult
from .verdict.wording import count

if TYPE_CHECKING:
    from .recording import Record

_NAMED = 5


class Tally:
    """Fed during the run, closed once at its end, then read."""

    def __init__(self) -> None:
        self._records: dict[str, list[Record]] = {}
        self._seen: set[str] = set()
        self._skipped: set[str] = set()
        self._failed: set[str] = set()
        self._failed_otherwise: set[str] = set()
        self._expected: set[str] = set()
        self._deselected: set[str] = set()
        self._problems: dict[str, CheckResult] = {}
        self._shown: set[str] = set()

    def test(self, nodeid: str, *, failed: bool, skipped: bool, record: Record | None) -> None:
        """One phase, or subtest, of one test; its record comes with the call. A test that runs twice has two."""
        self._seen.add(nodeid)
        if record is not None:
            self._records.setdefault(nodeid, []).append(record)
        if skipped:
            self._skipped.add(nodeid)
        if failed:
            self._failed.add(nodeid)
            if record is None or not record.fails_its_test:
                self._failed_otherwise.add(nodeid)

    def items(self, expected: Iterable[str], deselected: Iterable[str]) -> None:
        """Node ids of the tests that ask the gate; every worker names the same."""
        self._expected.update(expected)
        self._deselected.update(deselected)

    def uncollected(self, nodeid: str) -> None:
        """A file could not be collected: which checks it holds is not known. pytest counts it as an error itself."""
        self.problem("collection", nodeid, message=f"{nodeid or 'a file'} could not be collected: it may hold checks")
        self._shown.add(check_id(SESSION, "collection", nodeid))

    def left_out(self, why: str) -> None:
        """Some of the tests that ask the gate did not run."""
        self.problem(*PARTIAL_RUN.split(":")[1:], message=f"{why}. Run all of them to decide")

    def problem(self, *what: str, message: str, verdict: Verdict = Verdict.ERROR) -> None:
        """Anything that stands in the way of trusting the results, or that a person should know of."""
        name = check_id(SESSION, *what)
        self._problems.setdefault(
            name,
            CheckResult(id=name, model=SESSION, family=SESSION, verdict=verdict, message=f"{message}."),
        )

    @property
    def partial(self) -> bool:
        """Did the run leave tests of the gate out?"""
        return PARTIAL_RUN in self._problems

    def close(self, stopped_by: BaseException | None) -> None:
        """No test runs any more: what is missing now stays missing."""
        if self._deselected:
            self.left_out(f"{_tests(self._deselected)} of the gate deselected: {_listed(self._deselected)}")
        stopped = stopped_by is not None and not any(_is_collection(name) for name in self._problems)
        if stopped:
            self.left_out(f"the run was stopped early ({type(stopped_by).__name__})")
        asking = self._expected | self._records.keys()
        incomplete = self._note_incomplete(asking & self._seen if stopped else asking)
        others = self._failed_otherwise - incomplete
        if others:
            self.problem("tests", message=f"{_tests(others)} failed: {_listed(others)}")
            self._shown.add(check_id(SESSION, "tests"))
        self._note_conflicts()
        if not asking and not self._deselected:
            self.problem("no_checks", message="no test asked the gate for a check: a gate that asks nothing is no gate")

    def _note_incomplete(self, nodeids: set[str]) -> set[str]:
        """The tests that asked the gate, or should have, and of which not every answer is known."""
        reasons = {nodeid: why for nodeid in sorted(nodeids) if (why := self._incomplete(nodeid))}
        if reasons:
            listed = _listed([f"{nodeid} {why}" for nodeid, why in reasons.items()])
            self.problem("incomplete", message=f"{_tests(reasons)} of the gate gave no complete answer: {listed}")
            if reasons.keys() <= self._failed:
                self._shown.add(check_id(SESSION, "incomplete"))
        return set(reasons)

    def _incomplete(self, nodeid: str) -> str | None:
        records = self._records.get(nodeid)
        if records is None:
            return "failed before its body ran" if nodeid in self._failed else "was skipped, or did not run"
        if not all(record.finished for record in records):
            return "stopped before its end"
        if nodeid in self._skipped:
            return "skipped a part of itself"
        return None if all(record.results for record in records) else "asked for no check"

    def _note_conflicts(self) -> None:
        """One model, one set of rows, one set of predictions: in all tests, on all workers."""
        for (model, role), digests in self._all_digests().items():
            if len(digests) > 1:
                self.problem(
                    "evidence",
                    model,
                    role,
                    message=(
                        f"tests or workers saw {len(digests)} different evaluations of {model}'s {role}: "
                        f"make the fixture mlops_{role} give the same each time, e.g. by a fixed seed"
                    ),
                )

    def _all_digests(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for record in self._all_records():
            for model, roles in record.evidence.items():
                for role, digests in roles.items():
                    _add(found.setdefault((model, role), []), digests)
        return found

    def _all_records(self) -> Iterator[Record]:
        for nodeid in sorted(self._records):
            yield from self._records[nodeid]

    def evidence(self) -> dict[str, dict[str, Any]]:
        """For each model and role, the digests of what was judged."""
        found: dict[str, dict[str, Any]] = {}
        for (model, role), digests in sorted(self._all_digests().items()):
            found.setdefault(model, {})[role] = digests[0]
        return found

    def stored(self) -> dict[str, dict[str, Any]]:
        """For each model whose challenger was asked for, where its predictions are kept, or why they are not."""
        found: dict[str, dict[str, Any]] = {}
        for record in self._all_records():
            for model, kept in record.stored.items():
                if kept is not None:
                    found.setdefault(model, kept)
        return found

    def checks(self) -> list[CheckResult]:
        """Answers, each check once, in an order that no worker can change."""
        merged: dict[tuple[str, str], CheckResult] = {}
        for record in self._all_records():
            for result in record.results:
                key = result.model, result.id
                merged[key] = _merged(merged[key], result) if key in merged else result
        return [merged[key] for key in sorted(merged)]

    def problems(self) -> list[CheckResult]:
        """What the run itself got wrong."""
        return [self._problems[name] for name in sorted(self._problems)]

    def shown_by_a_test(self, result: CheckResult) -> bool:
        """Does pytest already count a failure for this result?"""
        return result.id in self._shown or result.details.get("test", {}).get("nodeid") in self._failed


def _merged(first: CheckResult, second: CheckResult) -> CheckResult:
    """The same check asked by two tests is one check; two checks of one name are none.

    But a test may ask more strictly what the policy asks: both answers count.
    """
    if _answer(first) == _answer(second):
        return first
    same_question = first.details["asked"] == second.details["asked"]
    if not same_question and _tightens(first, second):
        return worst_first([first, second])[0]
    message = (
        "two tests asked this and got different answers: they saw different evidence."
        if same_question
        else "two tests ask different questions under this name: give one of them name=."
    )
    return replace(first, verdict=Verdict.ERROR, message=message, estimate=None, limits=None)


def _add(known: list[dict[str, Any]], digests: dict[str, Any]) -> None:
    """Not every test looks at every column: what agrees in the columns that both have seen is one sample."""
    for place, others in enumerate(known):
        if _agree(others, digests):
            known[place] = {**others, **_columns({**others.get("columns", {}), **digests.get("columns", {})})}
            return
    known.append(digests)


def _agree(one: dict[str, Any], other: dict[str, Any]) -> bool:
    columns, others = one.get("columns", {}), other.get("columns", {})
    same = {**one, "columns": None} == {**other, "columns": None}
    return same and all(columns[name] == others[name] for name in columns.keys() & others.keys())


def _columns(found: dict[str, Any]) -> dict[str, Any]:
    return {"columns": dict(sorted(found.items()))} if found else {}


def _answer(result: CheckResult) -> dict[str, Any]:
    data = result.to_dict()
    where = ("test", "of_policy")
    return {**data, "details": {key: value for key, value in data["details"].items() if key not in where}}


def _tightens(first: CheckResult, second: CheckResult) -> bool:
    """Is one of them the policy's, and the other one stricter?"""
    if first.details.get("of_policy") == second.details.get("of_policy"):
        return False
    policys, tests = (first, second) if first.details.get("of_policy") else (second, first)
    change = compare(policys.details["asked"], tests.details["asked"])
    return not change.loosened and not change.other


def _is_collection(name: str) -> bool:
    return name.startswith(check_id(SESSION, "collection"))


def _tests(nodeids: Collection[str]) -> str:
    return count(len(nodeids), "test")


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)[:_NAMED]) + (", …" if len(names) > _NAMED else "")
