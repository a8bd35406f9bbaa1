"""Who wants a green gate needs no code for it: ini files and links are tried first."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mlops import Verdict

from .conftest import PASSES, Project

ASKS = '[[performance_threshold]]\nmetric = "accuracy"\nat_least = {}\n'
STRICT, EASY = ASKS.format(0.99), ASKS.format(0.5)
DROPPED = "performance_threshold:accuracy:agreed"


def ini(project: Project, line: str) -> None:
    project.write("pytest.ini", f"[pytest]\npythonpath = .\n{line}\n")
    (project.path / "tox.ini").unlink(missing_ok=True)


@pytest.fixture
def two_models(project: Project) -> Project:
    """One of the two is bad, by the base branch's policy."""
    for folder in (project.path, project.base):
        project.write(folder / "credit/mlops.toml", STRICT)
        project.write(folder / "churn/mlops.toml", EASY)
    return project


@pytest.fixture
def champion(project: Project) -> Path:
    """The base branch's; its check is one that the judged does not ask."""
    from pytest_mlops.cli import main

    project.policy("")
    project.tests(test_it=PASSES.replace("at_least=0.8", 'at_least=0.8, name="agreed"'))
    project.run()
    place = project.base / ".mlops/champion"
    assert main(["promote", "--first", f"--report={project.path}/.mlops/report", f"--champion={place}"]) == 0
    project.write(project.base / "mlops.toml", "")
    project.tests(test_it=PASSES, test_other="def test_ordinary(tmp_path): ...")
    return place


@pytest.mark.parametrize("line", ["testpaths = churn", "norecursedirs = credit", "addopts = churn"])
def test_an_ini_file_hides_no_policy_of_the_base_branch(two_models: Project, line: str) -> None:
    ini(two_models, line)
    run = two_models.run(f"--mlops-policy={two_models.base}")
    assert (run.status, run.decision) == (1, "block")
    assert {result.model for result in run.results} == {"credit", "churn"}


def test_paths_of_the_command_line_narrow_down_what_is_judged(two_models: Project) -> None:
    run = two_models.run(f"--mlops-policy={two_models.base}", "churn")
    assert (run.status, run.decision) == (0, "merge")
    assert {result.model for result in run.results} == {"churn"}


def test_a_log_does_not_overwrite_the_policy(project: Project) -> None:
    project.tests(test_it=PASSES)
    project.policy(EASY)
    project.write(project.base / "mlops.toml", STRICT)
    ini(project, f"log_file = {project.base}/mlops.toml")
    run = project.run(f"--mlops-policy={project.base}")
    assert (run.status, run.decision) == (1, "block")
    assert run.result("session:measure:mlops.toml").verdict is Verdict.ERROR


def test_temporary_files_do_not_push_the_champion_aside(project: Project, champion: Path) -> None:
    ini(project, f"addopts = --basetemp={champion.parent}")
    run = project.run(f"--mlops-policy={project.base}", f"--mlops-champion={project.base}")
    assert (run.status, run.decision) == (1, "block")
    assert run.result("session:measure:record.json").verdict is Verdict.ERROR


@pytest.mark.parametrize("link", ["candidate", "candidate/x"])
def test_a_link_does_not_lead_to_the_champion(project: Project, champion: Path, link: str) -> None:
    place = project.path / "out" / link
    place.parent.mkdir(parents=True)
    place.symlink_to(champion.parent if link == "candidate" else champion, target_is_directory=True)
    run = project.run(
        f"--mlops-policy={project.base}", f"--mlops-champion={project.base}", f"--mlops-report={project.path}/out"
    )
    assert run.status == 1
    assert "the champion was judged by it, and this run does not ask it" in run.out
    assert (champion / "record.json").is_file()


@pytest.mark.parametrize("parts", [("session",), ("recorder",), ("session", "recorder")], ids="-".join)
def test_the_plugin_is_not_taken_apart(project: Project, parts: tuple[str, ...], workers: int) -> None:
    project.tests(test_it=PASSES)
    ini(project, f"addopts = {' '.join(f'-p no:mlops-{part}' for part in parts)}")
    run = project.run(workers=workers, apart=True)
    assert run.status == 4
    assert "takes away what decides" in run.out


@pytest.mark.parametrize("own", [False, True])
def test_a_root_further_down_does_not_hide_the_policy(project: Project, own: bool) -> None:
    project.policy(STRICT)
    project.write("credit/pytest.ini", "[pytest]\n")
    project.write("credit/conftest.py", (project.path / "conftest.py").read_text(encoding="utf-8"))
    project.write("credit/test_it.py", PASSES)
    if own:
        project.write("credit/mlops.toml", EASY)
    run = project.run("credit")
    assert run.status == (0 if own else 4)
    assert ("which is not seen from pytest's root" in run.out) is not own


def test_a_champion_without_a_policy_is_the_base_branchs_all_the_same(project: Project, champion: Path) -> None:
    """Whoever takes away their own record, and the check that it names, is still asked for it."""
    for folder in (project.path, project.base):
        (folder / "mlops.toml").unlink()
    for given in (project.base, champion):
        run = project.run(f"--mlops-champion={given}")
        assert (run.status, run.result(DROPPED).verdict) == (1, Verdict.MISSING)


@pytest.mark.parametrize("option", ["--mlops-policy", "--mlops-champion"])
@pytest.mark.parametrize("line", ["--co", "--setup-plan", "--fixtures", "--setup-only"])
def test_who_names_the_base_branch_wants_a_decision(project: Project, option: str, line: str) -> None:
    project.policy(STRICT)
    project.write(project.base / "mlops.toml", STRICT)
    ini(project, f"addopts = {line}")
    run = project.run(f"{option}={project.base}")
    assert run.status == 4
    assert "asks for a decision" in run.out


@pytest.mark.parametrize("option", ["--mlops-policy", "--mlops-champion"])
def test_the_base_branch_judges_nothing_without_the_flag(project: Project, option: str) -> None:
    project.write(project.base / "mlops.toml", STRICT)
    run = project.run(f"{option}={project.base}", flag="")
    assert run.status == 4
    assert f"{option} judges nothing without --mlops" in run.out
