"""What the report is turned into: where it is asked for, where a CI reads it, and where it cannot be written."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from pytest_mlops.report.formats import ALWAYS, FORMATS, OPTIONAL, files
from pytest_mlops.report.machine import read

from .conftest import PASSES, Project

FAILS = PASSES.replace("0.8", "0.99")
ALWAYS_WRITTEN = set(files(ALWAYS).values())


def written(project: Project) -> set[str]:
    return {path.name for path in (project.path / ".mlops/report").iterdir() if path.is_file()} - {".gitignore"}


def test_what_every_run_leaves(project: Project) -> None:
    project.tests(test_it=PASSES)
    run = project.run()
    assert written(project) == ALWAYS_WRITTEN == {"gate.json", "summary.md", "report.html"}
    assert ".mlops/report/gate.json, summary.md, report.html" in run.out


@pytest.mark.parametrize("name", files(OPTIONAL))
def test_what_is_asked_for(project: Project, name: str, workers: int) -> None:
    project.tests(test_it=FAILS)
    run = project.run(f"--mlops-format={name}", workers=workers)
    assert run.status == 1
    assert written(project) == {*ALWAYS_WRITTEN, files()[name]}


def test_all_of_them_are_those_that_the_stored_report_gives(project: Project) -> None:
    project.tests(test_it=FAILS)
    project.run(*(f"--mlops-format={name}" for name in OPTIONAL))
    directory = project.path / ".mlops/report"
    report = read((directory / "gate.json").read_text(encoding="utf-8"))
    for name, file in files().items():
        assert (directory / file).read_text(encoding="utf-8") == FORMATS[name].render(report)


def test_the_ini_file(project: Project) -> None:
    project.write("pytest.ini", "[pytest]\npythonpath = .\nmlops_format = badge junit\n")
    project.tests(test_it=PASSES)
    project.run("-c", "pytest.ini")
    assert written(project) == {*ALWAYS_WRITTEN, "badge.json", "junit.xml"}


@pytest.mark.parametrize(
    ("variable", "names"),
    [
        ("GITLAB_CI", {"junit.xml", "codequality.json", "metrics.txt"}),
        ("JENKINS_URL", {"junit.xml"}),
        ("TF_BUILD", {"junit.xml"}),
        ("GITHUB_ACTIONS", set()),
    ],
)
def test_what_the_ci_reads(project: Project, variable: str, names: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "True")
    project.tests(test_it=FAILS)
    run = project.run()
    assert written(project) == {*ALWAYS_WRITTEN, *names}
    assert ("##vso[task.logissue type=error" in run.out) == (variable == "TF_BUILD")
    assert ("::error title=Model gate::" in run.out) == (variable == "GITHUB_ACTIONS")


def test_azure_gets_the_summary(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_BUILD", "True")
    project.tests(test_it=PASSES)
    summary = project.path / ".mlops/report/summary.md"
    assert f"##vso[task.uploadsummary]{summary}" in project.run().out.splitlines()


@pytest.mark.parametrize("name", ["report.html", "gate.json"])
@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_replaced_and_not_written_through(project: Project, name: str, there: bool) -> None:
    project.tests(test_it=PASSES)
    project.run()
    link, elsewhere = project.path / ".mlops/report" / name, project.path / "elsewhere"
    text = link.read_text(encoding="utf-8") + "\n"
    link.unlink()
    link.symlink_to(elsewhere)
    if there:
        elsewhere.write_text(text, encoding="utf-8")
    assert project.run().status == 0
    assert not link.is_symlink()
    assert (elsewhere.read_text(encoding="utf-8") if elsewhere.exists() else None) == (text if there else None)


def test_a_link_to_what_is_not_ours_stays(project: Project) -> None:
    project.tests(test_it=PASSES)
    elsewhere, link = project.path / "elsewhere", project.path / ".mlops/report/report.html"
    elsewhere.write_text("none of ours", encoding="utf-8")
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    run = project.run()
    assert (run.status, run.decision) == (0, "merge")
    assert "mlops: not written: report.html (there is a file of that name" in run.out
    assert elsewhere.read_text(encoding="utf-8") == "none of ours"


def test_a_misspelt_one_is_named(project: Project) -> None:
    project.tests(test_it=PASSES)
    run = project.run("--mlops-format=junt")
    assert run.status == 4
    assert "did you mean 'junit'?" in run.out


def test_an_earlier_runs_files_are_gone(project: Project) -> None:
    project.tests(test_it=PASSES)
    project.run(*(f"--mlops-format={name}" for name in OPTIONAL))
    assert written(project) == set(files().values())
    project.run()
    assert written(project) == ALWAYS_WRITTEN


@pytest.mark.parametrize("test", [PASSES, FAILS], ids=["merge", "block"])
def test_a_file_that_cannot_be_written_changes_nothing(project: Project, test: str, workers: int) -> None:
    (project.path / ".mlops/report/summary.md").mkdir(parents=True)
    project.tests(test_it=test)
    run = project.run(workers=workers)
    assert (run.status, run.decision) == ((0, "merge") if test is PASSES else (1, "block"))
    assert "mlops: not written: summary.md (Is a directory). The decision stands." in run.out
    assert written(project) == ALWAYS_WRITTEN - {"summary.md"}


@pytest.mark.parametrize("test", [PASSES, FAILS], ids=["merge", "block"])
def test_a_reader_that_breaks_changes_nothing(project: Project, test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: object) -> str:
        raise KeyError("no such thing")

    broken = {**FORMATS, "html": type(FORMATS["html"])(breaks, "report.html", "x")}
    monkeypatch.setattr("pytest_mlops.delivery.FORMATS", broken)
    project.tests(test_it=test)
    run = project.run("-q")
    assert (run.status, run.decision) == ((0, "merge") if test is PASSES else (1, "block"))
    assert "mlops: not written: report.html (KeyError: 'no such thing'). The decision stands." in run.out


@pytest.mark.parametrize("test", [PASSES, FAILS], ids=["merge", "block"])
def test_a_job_summary_that_cannot_be_written_changes_nothing(
    project: Project, test: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path))
    project.tests(test_it=test)
    run = project.run()
    assert (run.status, run.decision) == ((0, "merge") if test is PASSES else (1, "block"))
    assert "mlops: not written: GitHub's job summary (Is a directory). The decision stands." in run.out
    assert written(project) == ALWAYS_WRITTEN


def test_a_job_summary_that_would_be_dropped_is_not_added_to(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    job: Path = project.path / "job.md"
    job.write_text("x" * 999_900)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job))
    project.tests(test_it=PASSES)
    run = project.run()
    assert run.status == 0
    assert "mlops: not written: GitHub's job summary (it would have more than 1 MB" in run.out
    assert job.stat().st_size == 999_900


def test_pytests_own_junit_says_what_each_check_found(project: Project, workers: int) -> None:
    project.tests(test_it=PASSES + '    mlops.performance_threshold("recall", at_least=0.99)')
    project.run("--junitxml=pytest.xml", workers=workers)
    (case,) = ElementTree.parse(project.path / "pytest.xml").iter("testcase")
    assert [tuple(each.attrib.values()) for each in case.iter("property")] == [
        ("mlops:performance_threshold:accuracy", "PASS, 0.900 (0.867 to 0.926), limit ≥ 0.8"),
        ("mlops:performance_threshold:recall", "FAIL, 0.900 (0.851 to 0.934), limit ≥ 0.99"),
    ]


def test_verbose(project: Project, workers: int) -> None:
    project.tests(test_it=PASSES)
    runs = (project.run(*options, workers=workers).out for options in (("--mlops-verbose",), ()))
    said, silent = (" ".join(out.split()) for out in runs)
    assert "so even the low end passes" in said
    assert "so even the low end passes" not in silent


def test_a_file_of_another_tool_is_not_taken_for_ours(project: Project) -> None:
    """pytest's own junit.xml may lie where the report goes."""
    others = {"junit.xml": '<?xml version="1.0"?><testsuites name="pytest tests"/>', "codequality.json": '[{"a": 1}]'}
    for name, text in others.items():
        project.write(f".mlops/report/{name}", text)
    project.tests(test_it=PASSES)
    run = project.run("--mlops-format=junit", "--mlops-format=codequality")
    assert run.status == 0
    assert run.out.count("no report of ours") == 2
    assert {name: (project.path / ".mlops/report" / name).read_text() for name in others} == others
