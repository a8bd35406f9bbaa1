"""One run: collects what every test's gate said, asks for the decision, and hands the report out.

It lives in the one process that decides: the only one, or xdist's controller.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import delivery
from .champion import store
from .checks.spec import check_id
from .keeper import candidate_of
from .recording import REPORT_ATTRIBUTE, WORKER_OUTPUT, Record, Recorder
from .report import azure, formats, github, terminal
from .report.text import plain
from .ruling import Ruling, rule
from .settings import WORKER_INPUT
from .tally import Tally
from .verdict.errors import EvidenceError
from .verdict.limits import Verdict
from .verdict.policy import Policies
from .verdict.result import SESSION, CheckResult, Decision, GateReport

if TYPE_CHECKING:
    from .homes import Homes
    from .settings import RunSettings


_WHO = "what judges the model is nothing that the run may write"


class GateSession:
    """Hooks of the process that decides."""

    def __init__(self, config: pytest.Config, settings: RunSettings, homes: Homes) -> None:
        self._config = config
        self._settings = settings
        self._homes = homes
        self._policies = Policies()
        self._tally = Tally()
        self._report: GateReport | None = None
        self._unwritten: list[str] | None = []
        self._measures = _states(homes)

    # What happens in the run

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        try:
            delivery.clear(self._settings.report)
            self._clear_candidates()
        except OSError as error:
            self._tally.problem("report", message=_cannot_write(self._settings.report, error))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        text = getattr(report, REPORT_ATTRIBUTE, None)
        record = None if text is None else Record.from_json(text)
        skipped = report.skipped and not hasattr(report, "wasxfail")
        self._tally.test(report.nodeid, failed=report.failed, skipped=skipped, record=record)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._tally.uncollected(report.nodeid)
        elif report.skipped and _mentions_the_gate(self._config.rootpath / report.nodeid):
            self._tally.problem(
                "skipped", report.nodeid, message=f"{report.nodeid} was skipped as a whole: it may hold checks"
            )

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[WORKER_INPUT] = json.dumps(self._homes.to_builtins())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        output = getattr(node, "workeroutput", {}).get(WORKER_OUTPUT)
        if error is not None or output is None:
            self._tally.problem(
                "worker", node.gateway.id, message="a worker crashed: what it would have judged is not known"
            )
        else:
            self._tally.items(output["expected"], output["deselected"])

    # What is made of it

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Decide when all tests have run, or none will run any more, while pytest still counts failures."""
        try:
            finished = yield
        except BaseException as error:
            self._conclude(session, stopped_by=error)
            raise
        self._conclude(session, stopped_by=None)
        return finished

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """The last word: nothing that blocks leaves with exit status 0."""
        if self._report is None:
            self._tally.left_out("the run ended before its tests began")
            self._conclude(session, stopped_by=None)
        yield
        if session.exitstatus == 0 and self._fails(self._report):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._report is None:
            return
        screen = self._config.get_terminal_writer()
        text = terminal.render(
            self._report,
            width=screen.fullwidth,
            color=screen.hasmarkup,
            brief=self._config.get_verbosity() < 0,
            verbose=self._settings.verbose,
            written=None if self._unwritten is None else self._shown_files(),
        )
        terminalreporter.write_sep("=", "model gate")
        for line in text.splitlines():  # one by one: pytest escapes what a poor terminal cannot show, newlines too
            terminalreporter.write_line(line)
        for what in self._unwritten or ():
            terminalreporter.write_line(plain(f"mlops: not written: {what}. The decision stands."))
        for line in self._log_commands(self._report):
            terminalreporter.write_line(line)

    def _log_commands(self, report: GateReport) -> Iterator[str]:
        """For the CI that reads this log."""
        prefix = _prefix(self._config.rootpath)
        if "github" in self._settings.formats:
            yield from github.render(report, prefix=prefix)
        if "azure" in self._settings.formats:
            yield from azure.render(report, prefix=prefix)
            yield from azure.attached(self._settings.report / "summary.md")

    def _conclude(self, session: pytest.Session, stopped_by: BaseException | None) -> None:
        self._take_stock(stopped_by)
        ruling = self._rule()
        try:
            self._clear_candidates(kept=ruling.candidates)
            for directory, record in ruling.candidates.items():
                store.write_candidate(directory, record)
            self._unwritten = self._deliver(ruling.report, os.environ)
        except (OSError, EvidenceError) as error:
            ruling = self._block_unwritten(error)
        unreported = list(self._unreported(ruling.report))
        session.testscollected += len(unreported)
        for result in unreported:
            _emit(session, ruling.report.name(result), result)

    def _block_unwritten(self, error: OSError | EvidenceError) -> Ruling:
        """A report or candidate that cannot be written blocks; what can be written of it says so."""
        self._unwritten = None
        self._tally.problem("report", message=_cannot_write(self._settings.report, error))
        with suppress(OSError, EvidenceError):
            self._clear_candidates()
        ruling = self._rule()
        with suppress(OSError):
            self._deliver(ruling.report, {})
        return ruling

    def _deliver(self, report: GateReport, environment: Mapping[str, str]) -> list[str]:
        return delivery.deliver(report, self._settings.report, environment, self._settings.formats)

    def _take_stock(self, stopped_by: BaseException | None) -> None:
        recorder = self._config.pluginmanager.get_plugin("mlops-recorder")
        if isinstance(recorder, Recorder) and not self._config.pluginmanager.has_plugin("dsession"):
            self._tally.items(recorder.expected, recorder.deselected)
        if self._config.getoption("lf", False):
            self._tally.left_out("--lf leaves out what did not fail last time")
        self._tally.close(stopped_by)
        for path, state in _states(self._homes).items():
            if state != self._measures[path]:
                self._tally.problem("measure", path.name, message=f"{str(path)!r} has changed during the run: {_WHO}")
        for model, kept in self._tally.stored().items():
            if "unwritten" in kept:
                self._tally.problem(
                    "candidate", model, message=f"the challenger's predictions cannot be kept: {kept['unwritten']}"
                )

    def _rule(self) -> Ruling:
        settings, today = self._settings, datetime.now(UTC).date()
        ruling = rule(self._tally, self._homes, today, seed=settings.seed, report=settings.report)
        self._report, self._policies = ruling.report, ruling.policies
        return ruling

    def _clear_candidates(self, kept: Collection[Path] = ()) -> None:
        """None but what this run leaves, and no predictions without a record."""
        home = candidate_of(self._settings.report, "x").parent
        for link in (home, *home.glob("*")):
            if link.is_symlink():  # it would have us clear somebody else's, the champion's say
                link.unlink()
        for directory in (*home.glob("*/"), home):
            if directory in kept:
                continue
            store.clear_candidate(directory)
            with suppress(OSError):  # it holds something else
                directory.rmdir()

    def _fails(self, report: GateReport | None) -> bool:
        if report is None:
            return False
        mildest = (Decision.BLOCK, Decision.REVIEW) if self._settings.fail_on == "review" else (Decision.BLOCK,)
        return report.decision in mildest

    def _unreported(self, report: GateReport) -> Iterator[CheckResult]:
        """What blocks without a failed test to show for it: pytest must count it, and JUnit must hold it."""
        for result in report.results:
            if self._policies.blocks(result) and not self._tally.shown_by_a_test(result):
                yield result
        if report.decision is Decision.REVIEW and self._fails(report):
            yield CheckResult(
                id=check_id(SESSION, "decision"),
                model=SESSION,
                family=SESSION,
                verdict=Verdict.FAIL,
                message="the decision is review, and --mlops-fail-on review wants nothing but merge",
            )

    def _shown_files(self) -> str:
        directory = self._settings.report
        if directory.is_relative_to(Path.cwd()):
            directory = directory.relative_to(Path.cwd())
        names = [name for name in formats.files(self._settings.formats).values() if (directory / name).is_file()]
        return f"{directory / names[0]}{''.join(f', {name}' for name in names[1:])}"


def _states(homes: Homes) -> dict[Path, tuple[int, int, int] | None]:
    """Of the policies and records that count: a run that writes over them would judge itself.

    One line of an ini file is enough for that: `log_file = .base/mlops.toml`.
    """
    paths = (path for home in homes for path in (home.policy_path, home.champion / store.RECORD) if path)
    return {path: _state(path) for path in paths}


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _emit(session: pytest.Session, name: str, result: CheckResult) -> None:
    """A test report of our own, which all readers of pytest understand."""
    name = plain(name, longest=300)
    nodeid, location = f"mlops::{name}", ("mlops", None, name)
    hook = session.config.hook
    hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
    for when in ("setup", "call", "teardown"):
        failed = when == "call"
        report = pytest.TestReport(
            nodeid=nodeid,
            location=location,
            keywords={},
            outcome="failed" if failed else "passed",
            longrepr=f"{result.verdict} {name} – {plain(result.message)}" if failed else None,
            when=when,
        )
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)


def _mentions_the_gate(file: Path) -> bool:
    """May this file hold checks? One that cannot be read may."""
    try:
        return "mlops" in file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True


def _cannot_write(directory: Path, error: OSError | EvidenceError) -> str:
    if isinstance(error, EvidenceError):
        return str(error)
    where = str(error.filename2 or error.filename or directory)
    return (
        f"the report cannot be written to {where!r} ({error.strerror or error}): "
        f"make it writable, or name another directory with --mlops-report"
    )


def _prefix(root: Path) -> str:
    """From the checkout's root to pytest's: annotations name files from the former."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if not workspace or not root.is_relative_to(workspace) or root == Path(workspace):
        return ""
    return f"{root.relative_to(workspace).as_posix()}/"
