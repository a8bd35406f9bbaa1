"""In the process that runs the tests: what each test's gate says, put on the test's report.

Under xdist this is a worker. Only builtins cross to the controller, as one JSON text for each test.
"""

from __future__ import annotations

import inspect
import json
import traceback
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pluggy
import pytest

from . import marks
from .evidence.later import Later
from .gate import Gate
from .keeper import Keeper
from .policy_items import PolicyItem, PolicyItems
from .progress import Progress
from .report import phrases
from .report.text import plain
from .verdict.comparison import compare
from .verdict.errors import EvidenceError, MlopsCheckFailed, MlopsUsageError
from .verdict.limits import Verdict
from .verdict.result import CheckResult

if TYPE_CHECKING:
    from .checks.spec import Check
    from .homes import Home, Homes
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
    stored : dict
        For each model, where its challenger's predictions are kept, or why they are not.
    finished : bool
        The body ran to its end: no check was left unasked by an exception or a skip.
    fails_its_test : bool
        A check of it is the reason why the test failed. If not, something else is.
    """

    results: tuple[CheckResult, ...]
    evidence: dict[str, Any]
    stored: dict[str, Any]
    finished: bool
    fails_its_test: bool

    def to_json(self) -> str:
        """One text of builtins, which crosses xdist."""
        rest = {name: getattr(self, name) for name in self.__slots__ if name != "results"}
        return json.dumps({"results": [result.to_dict() for result in self.results], **rest})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        data = json.loads(text)
        return cls(**{**data, "results": tuple(CheckResult.from_dict(result) for result in data["results"])})


class TestGate(Gate):
    """The gate of one test. It answers until the test's body ends, because nobody would hear it later."""

    __test__ = False  # pytest collects classes of this name

    ended = False
    """The body runs no more."""
    finished = False
    """The body ran to its end, as far as pytest's call could tell."""

    def __init__(self, home: Home, progress: Progress, **rest: Any) -> None:
        super().__init__(model=home.model, confidence=home.confidence, policy=home.policy, tell=progress.tell, **rest)
        self._home = home
        self._progress = progress

    @property
    def blocking(self) -> list[CheckResult]:
        """The answers that stop the merge."""
        return [result for result in self.results if self._home.policy.blocks(result)]

    def end(self, *, finished: bool) -> None:
        """The body has ended: one way or the other."""
        self.ended, self.finished = True, finished

    def leave_unasked(self, check: Check, why: str) -> None:
        """A check that would have been asked after the body."""
        message = f"{check.spec.subject} was not judged: {why}."
        found = check.spec.result(self._settings, Verdict.ERROR, message, limits=check.limits)
        self._results.setdefault(found.id, found)

    def _run(self, check: Check) -> CheckResult:
        if self.ended:
            raise MlopsUsageError(
                f"the check {check.spec.id!r} was asked for when the body of its test had ended: ask in the body"
            )
        keep_to_policy(check, self._home)
        with self._progress(f"{self.model} {check.spec.id}"):
            return super()._run(check)


_GATE = pytest.StashKey[TestGate]()


class Recorder:
    """Hooks around each test that asks the gate."""

    def __init__(self, config: pytest.Config, settings: RunSettings, homes: Homes) -> None:
        self._settings = settings
        self._homes = homes
        self._progress = Progress.of(config)
        self._keeper = Keeper(settings.report)
        self._collected: list[pytest.Item] = []
        self.expected: list[str] = []
        """Node ids of the tests that ask the gate and will run."""
        self.deselected: list[str] = []
        """Node ids of the tests that ask the gate, were collected, and will not run."""

    def gate(self, request: pytest.FixtureRequest) -> Gate:
        """A gate for one test; its evidence is what the user's fixtures give, each when a check first needs it."""
        item = request.node

        def of(name: str) -> Any:
            try:
                with self._progress(f"the fixture {name}"):
                    return request.getfixturevalue(name)
            except EvidenceError as error:
                raise EvidenceError(f"{error} (the fixture {name}{_place(error)})") from error
            except pytest.FixtureLookupError as error:
                raise EvidenceError(
                    f"the fixture {name} asks for {error.argname!r}, which is no fixture: a fixture takes fixtures only"
                ) from error

        home = self._home_of(item)
        gate = TestGate(
            home,
            self._progress,
            challenger=lambda: of("mlops_challenger"),
            champion=lambda: (self.promoted(item) if home.given else None) or of("mlops_champion"),
            reference=lambda: of("mlops_reference"),
            current=lambda: of("mlops_current"),
            train=Later(lambda: of("mlops_train")),
            seed=self._settings.seed,
            on_error=lambda error: item.add_report_section("call", "mlops", _traceback(error)),
        )
        item.stash[_GATE] = gate
        return gate

    def promoted(self, item: pytest.Item) -> Any:
        """The champion of the record, for this test's model; None where there is none."""
        return self._keeper.champion(self._home_of(item).champion)

    def _home_of(self, item: pytest.Item) -> Home:
        return item.home if isinstance(item, PolicyItem) else self._homes.of(item.path)

    @pytest.fixture(autouse=True)
    def mlops_marked(self, request: pytest.FixtureRequest) -> None:
        """Brings the gate to a test whose markers ask it."""
        if marks.of(request.node):
            request.getfixturevalue("mlops")

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> PolicyItems | None:
        home = self._homes.collecting(file_path)
        return None if home is None else PolicyItems.of(home, file_path, parent)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Mistakes in markers are errors at collection."""
        home = self._homes.of(metafunc.definition.path)
        for mark in marks.of_definition(metafunc.definition):
            try:
                keep_to_policy(marks.question_of(mark), home)
            except MlopsUsageError as error:
                pytest.fail(f"{metafunc.definition.nodeid}: @pytest.mark.{mark.name}: {error}", pytrace=False)

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
                _ask_by_markers(item)
        except BaseException as error:
            _end(item, unasked=f"the body of its test ended before ({type(error).__name__})")
            _show_in_report(item)
            raise
        _end(item)
        gate = item.stash.get(_GATE, None)
        if gate and gate.blocking:
            raise MlopsCheckFailed("\n".join(_line(result) for result in gate.blocking))

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
        finished = gate.finished and (call.excinfo is None or call.excinfo.errisinstance(MlopsCheckFailed))
        record = Record(
            results=tuple(_located(result, item) for result in gate.results),
            evidence={gate.model: dict(gate.evidence())},
            stored={gate.model: self._keeper.keep(gate)},
            finished=finished,
            fails_its_test=finished and bool(gate.blocking),
        )
        setattr(report, REPORT_ATTRIBUTE, record.to_json())
        item.user_properties.extend(_property(result) for result in gate.results)
        return report

    def pytest_enter_pdb(self) -> None:
        """The terminal is its own."""
        self._progress.hush()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._progress.hush()
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[WORKER_OUTPUT] = {"expected": self.expected, "deselected": self.deselected}


def keep_to_policy(check: Check, home: Home) -> None:
    """Test code may tighten what the policy asks under the same name, never loosen it.

    Raises
    ------
    MlopsUsageError
        It loosens a limit, or asks something else.
    """
    agreed = home.readable.asks(check.spec.id) if home.readable else None
    if agreed is None:
        return
    change = compare(agreed.asked, check.spec.asked)
    if change.loosened:
        raise MlopsUsageError(
            f"{check.spec.id} loosens the policy {home.name()} ({'; '.join(change.loosened)}): a test may tighten it, "
            f"never loosen it. Keep to the policy, or have its owners change it"
        )
    if change.other:
        raise MlopsUsageError(
            f"{check.spec.id} is another question in the policy {home.name()} ({'; '.join(change.other)}): give name="
        )


def _model_items(items: Sequence[pytest.Item]) -> list[str]:
    return [item.nodeid for item in items if item.get_closest_marker("mlops")]


def _shorten(report: pytest.TestReport, raised: pytest.ExceptionInfo[BaseException]) -> None:
    """Our own frames tell the reader nothing: the message, and the lines of the test and its fixtures, do."""
    if raised.errisinstance(MlopsCheckFailed):
        report.longrepr = raised.getrepr(style="value")
    elif raised.errisinstance((MlopsUsageError, EvidenceError)):
        frames = raised.traceback.filter(lambda frame: not _of_our_houses(Path(frame.path)))
        report.longrepr = raised.getrepr(style="short", tbfilter=lambda _: frames)


def _place(error: BaseException) -> str:
    """The last line of the user's own code."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _of_our_houses(Path(frame.filename))]
    return f", {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""


def _of_our_houses(file: Path) -> bool:
    return bool(_HOUSES & set(file.parents))


def _located(result: CheckResult, item: pytest.Item) -> CheckResult:
    file, line, _ = item.location
    test = {"nodeid": item.nodeid, "file": file, "line": None if line is None else line + 1}
    return replace(result, details={**result.details, "test": test, "of_policy": isinstance(item, PolicyItem)})


def _ask_by_markers(item: pytest.Item) -> None:
    """Door 2: after the body, in source order."""
    gate = item.stash.get(_GATE, None)
    for mark in marks.of(item) if gate else ():
        getattr(gate, marks.family(mark))(*mark.args, **mark.kwargs)


def _end(item: pytest.Item, *, unasked: str | None = None) -> None:
    gate = item.stash.get(_GATE, None)
    if gate is None:
        return
    for mark in marks.of(item) if unasked else ():
        with suppress(MlopsUsageError):  # a question that makes no sense is what ended the body
            gate.leave_unasked(marks.question_of(mark), str(unasked))
    gate.end(finished=unasked is None)


def _show_in_report(item: pytest.Item) -> None:
    """A body that raises does not hide what the gate has said before."""
    gate = item.stash.get(_GATE, None)
    if gate is not None and gate.results:
        item.add_report_section("call", "mlops", "\n".join(_line(result) for result in gate.results))


def _property(result: CheckResult) -> tuple[str, str]:
    """For pytest's own JUnit file, where each test case says what its checks found."""
    found = f"{result.verdict}, {phrases.value(result)}, limit {phrases.limit(result)}"
    return plain(f"mlops:{result.id}", longest=300), plain(found)


def _line(result: CheckResult) -> str:
    return plain(f"{result.verdict} {result.id} – {result.message}")


def _traceback(error: Exception) -> str:
    return "\n".join(plain(line) for line in "".join(traceback.format_exception(error)).splitlines())
