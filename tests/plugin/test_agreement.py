"""Exit status, summary, JUnit and gate.json tell the same story, however pytest is told to speak."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from .conftest import PASSES, Project

FAILS = 'def test_fails(mlops): mlops.performance_threshold("recall", at_least=0.99)\n'
REVIEW = 'def test_warns(mlops): mlops.performance_threshold("recall", at_least=0.8, warn_below=0.95)\n'
HIDDEN = "import pytest\n@pytest.mark.xfail\n" + FAILS
SKIPPED = PASSES + "import pytest\n@pytest.mark.skip\n" + FAILS

STORIES = {
    # tests: (exit status, decision, what pytest counts)
    "merge": (PASSES, 0, "merge", {"passed": 1}),
    "review": (REVIEW + PASSES, 0, "review", {"passed": 2}),
    "a failed check is its test's failure": (FAILS + PASSES, 1, "block", {"passed": 1, "failed": 1}),
    "a failed check that xfail hides is counted": (HIDDEN, 1, "block", {"xfailed": 1, "failed": 1}),
    "a skipped test is counted": (SKIPPED, 1, "block", {"passed": 1, "skipped": 1, "failed": 1}),
    "an ordinary failure is counted once": (
        PASSES + "def test_plain(): assert 0",
        1,
        "block",
        {"passed": 1, "failed": 1},
    ),
    "no check at all is counted": ("def test_plain(): pass", 1, "block", {"passed": 1, "failed": 1}),
}


@pytest.mark.parametrize(("tests", "status", "decision", "counts"), STORIES.values(), ids=STORIES)
def test_all_agree(
    project: Project, tests: str, status: int, decision: str, counts: dict[str, int], workers: int
) -> None:
    project.tests(test_it=tests)
    run = project.run("--junitxml=junit.xml", workers=workers)
    suite = ElementTree.parse(project.path / "junit.xml").find("testsuite")
    assert suite is not None
    in_junit = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    assert (run.status, run.decision, run.count()) == (status, decision, counts)
    assert in_junit == {
        "tests": sum(counts.values()),
        "failures": counts.get("failed", 0),
        "errors": 0,
        "skipped": counts.get("skipped", 0) + counts.get("xfailed", 0),
    }
    assert run.count().get("warnings", 0) == 0


@pytest.mark.parametrize(
    "options",
    [
        ("-q",),
        ("-qq",),
        ("-v",),
        ("--color=yes",),
        ("--color=no",),
        ("--tb=no",),
        ("--no-header", "--no-summary"),
        ("-p", "no:terminal"),
        ("-p", "no:junitxml", "-p", "no:unittest", "-p", "no:subtests"),
        ("-s",),
        ("--strict-markers", "--strict-config"),
        ("-W", "error"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(("tests", "status", "decision"), [(PASSES, 0, "merge"), (FAILS, 1, "block")])
def test_no_option_changes_the_decision(
    project: Project, tests: str, status: int, decision: str, options: tuple[str, ...]
) -> None:
    project.tests(test_it=tests)
    run = project.run(*options)
    assert (run.status, run.decision) == (status, decision)


def test_quiet_is_brief(project: Project) -> None:
    project.tests(test_it=PASSES + FAILS)
    loud, quiet = project.run().out, project.run("-q").out
    for line in ("Merge blocked: 1 FAIL and 1 PASS of 2 checks.", "FAIL performance_threshold:recall"):
        assert line in loud.splitlines()
        assert line in quiet.splitlines()
    assert "Judged:" in loud
    assert "Judged:" not in quiet


def test_colour(project: Project) -> None:
    project.tests(test_it=FAILS)
    assert "\x1b[1;31mMerge blocked" in project.run("--color=yes").out
    assert "\x1b" not in project.run("--color=no").out


def test_a_terminal_that_knows_no_unicode(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it cannot show is escaped, line by line."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    project.tests(test_it=FAILS)
    run = project.run(apart=True)
    assert (run.status, run.decision) == (1, "block")
    assert "Merge blocked: 1 FAIL of 1 check." in run.out.splitlines()
    assert r"\n" not in run.out
