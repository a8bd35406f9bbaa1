"""In the process that runs the tests: what each test's gate says, put on the test's report.

Under xdist this is a worker. Only builtins cross to the controller, as one JSON text for each test.
"""

from __future__ import annotations

import inspect
import json
import traceback
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pluggy
import pytest

from .gate import Gate
from .progress import Progress
from .report.text import plain
from .verdict.errors import EvidenceError, MlopsCheckFailed, MlopsUsageError
from .verdict.policy import Policy
from .verdict.result import CheckResult

if TYPE_CHECKING:
    from .checks.spec import Check
    from .settings import RunSettings

_HOUSES = {Path(file).parent for file in (__file__, inspect.getfile(pytest.Item), pluggy.__file__)}
WORKER_OUTPUT = "mlops"
REPORT_ATTRIBUTE = "mlops"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one test's gate said.

    Parameters
    ----------
    results : tuple of CheckResult
    evidence : dict
        For each model and role, the digests of what was judged.
    finished : bool
        The body ran to its end: no check was left unasked by an exception or a skip.
    """

    results: tuple[CheckResult, ...]
    evidence: dict[str, Any]
    finished: bool

    @property
    def fails_its_test(self) -> bool:
        """Is a check of it the reason why the test failed? If not, something else is."""
        return self.finished and any(Policy().blocks(result.verdict) for result in self.results)

    def to_json(self) -> str:
        """One text of builtins, which crosses xdist."""
        results = [result.to_dict() for result in self.results]
        return json.dumps({"results": results, "evidence": self.evidence, "finished": self.finished})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        data = json.loads(text)
        results = tuple(CheckResult.from_dict(result) for result in data["results"])
        return cls(results=results, evidence=data["evidence"], finished=data["finished"])


class TestGate(Gate):
    """The gate of one test. It answers until the test's body ends, because nobody would hear it later."""

    __test__ = False  # pytest collects classes of this name

    ended = False
    """The body runs no more."""
    finished = False
    """The body ran to its end, as far as pytest's call could tell."""

    def end(self, *, finished: bool) -> None:
        """The body has ended: one way or the other."""
        self.ended, self.finished = True, finished

    def _run(self, check: Check) -> CheckResult:
        if self.ended:
            raise MlopsUsageError(
                f"the check {check.spec.id!r} was asked for when the body of its test had ended: ask in the body"
            )
        return super()._run(check)


_GATE = pytest.StashKey[TestGate]()


class Recorder:
    """Hooks around each test that asks the gate."""

    def __init__(self, config: pytest.Config, settings: RunSettings) -> None:
        self._settings = settings
        self._policy = Policy()
        self._progress = Progress.of(config)
        self._collected: list[pytest.Item] = []
        self.expected: list[str] = []
        """Node ids of the tests that ask the gate and will run."""
        self.deselected: list[str] = []
        """Node ids of the tests that ask the gate, were collected, and will not run."""

    def gate(self, request: pytest.FixtureRequest) -> Gate:
        """A gate for one test; its evaluations are the user's fixtures."""
        item = request.node
        with self._progress("the fixture mlops_challenger"):
            challenger = request.getfixturevalue("mlops_challenger")
        gate = TestGate(
            challenger=challenger,
            champion=lambda: self._champion(request),
            seed=self._settings.seed,
            policy=self._policy,
            on_error=lambda error: item.add_report_section("call", "mlops", _traceback(error)),
        )
        item.stash[_GATE] = gate
        return gate

    def _champion(self, request: pytest.FixtureRequest) -> Any:
        with self._progress("the fixture mlops_champion"):
            return request.getfixturevalue("mlops_champion")

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        self._collected.append(item)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Some who deselect tests do not tell: what was collected and is gone was deselected."""
        self.expected = _model_items(session.items)
        kept = set(self.expected)
        self.deselected = [nodeid for nodeid in _model_items(self._collected) if nodeid not in kept]
        self._collected.clear()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        try:
            with self._progress(f"the test {item.name}"):
                yield
        except BaseException:
            _end(item, finished=False)
            _show_in_report(item)
            raise
        _end(item, finished=True)
        gate = item.stash.get(_GATE, None)
        blocking = [result for result in gate.results if self._policy.blocks(result.verdict)] if gate else []
        if blocking:
            raise MlopsCheckFailed("\n".join(_line(result) for result in blocking))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed and call.excinfo is not None:
            _shorten(report, call.excinfo)
        gate = item.stash.get(_GATE, None)
        if gate is None or call.when != "call" or not gate.ended:  # a subtest's report comes before the body's end
            return report
        record = Record(
            results=tuple(_located(result, item) for result in gate.results),
            evidence={gate.model: dict(gate.evidence())},
            finished=gate.finished and (call.excinfo is None or call.excinfo.errisinstance(MlopsCheckFailed)),
        )
        setattr(report, REPORT_ATTRIBUTE, record.to_json())
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._progress.close()
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[WORKER_OUTPUT] = {"expected": self.expected, "deselected": self.deselected}


def _model_items(items: Sequence[pytest.Item]) -> list[str]:
    return [item.nodeid for item in items if item.get_closest_marker("mlops")]


def _shorten(report: pytest.TestReport, raised: pytest.ExceptionInfo[BaseException]) -> None:
    """Our own frames tell the reader nothing: the message, and the lines of the test and its fixtures, do."""
    if raised.errisinstance(MlopsCheckFailed):
        report.longrepr = raised.getrepr(style="value")
    elif raised.errisinstance((MlopsUsageError, EvidenceError)):
        frames = raised.traceback.filter(lambda frame: not _HOUSES & set(Path(frame.path).parents))
        report.longrepr = raised.getrepr(style="short", tbfilter=lambda _: frames)


def _located(result: CheckResult, item: pytest.Item) -> CheckResult:
    file, line, _ = item.location
    test = {"nodeid": item.nodeid, "file": file, "line": None if line is None else line + 1}
    return replace(result, details={**result.details, "test": test})


def _end(item: pytest.Item, *, finished: bool) -> None:
    gate = item.stash.get(_GATE, None)
    if gate is not None:
        gate.end(finished=finished)


def _show_in_report(item: pytest.Item) -> None:
    """A body that raises does not hide what the gate has said before."""
    gate = item.stash.get(_GATE, None)
    if gate is not None and gate.results:
        item.add_report_section("call", "mlops", "\n".join(_line(result) for result in gate.results))


def _line(result: CheckResult) -> str:
    return plain(f"{result.verdict} {result.id} – {result.message}")


def _traceback(error: Exception) -> str:
    return "\n".join(plain(line) for line in "".join(traceback.format_exception(error)).splitlines())
