"""The champion's record: a run leaves a candidate, a promotion makes it the champion, the next run meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pytest_mlops import Verdict
from pytest_mlops.cli import main
from pytest_mlops.report.machine import schema

from .conftest import PASSES, Project

COMPARES = """
[[champion_challenger]]
metric = "accuracy"
margin = 0.05

[[performance_threshold]]
metric = "recall"
at_least = 0.8
"""
NO_FIXTURE = "del mlops_champion"
WORSE = "del mlops_champion\n@pytest.fixture\ndef mlops_challenger():\n    return model(5, errors=120)\n"
CHAMPION = ".mlops/champion/record.json"


@pytest.fixture
def promoted(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose first model is in production."""
    monkeypatch.chdir(project.path)
    project.conftest(NO_FIXTURE)
    project.policy(COMPARES)
    project.run()
    assert main(["promote", "--first"]) == 0
    return project


def _record(project: Project, where: str = CHAMPION) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((project.path / where).read_text())
    return loaded


def test_the_first_champion(project: Project, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    monkeypatch.chdir(project.path)
    project.conftest(NO_FIXTURE)
    project.policy(COMPARES)
    run = project.run(workers=workers)
    assert run.status == 1
    assert "there is no champion" in run.messages
    assert "pytest-mlops promote --first" in run.messages
    assert main(["promote"]) == 1
    assert not (project.path / CHAMPION).exists()
    assert main(["promote", "--first"]) == 0
    run = project.run(workers=workers)
    assert (run.status, run.decision) == (0, "merge")
    assert "the predictions equal the champion's on all 400 rows" in run.result("champion_challenger:accuracy").message


def test_a_worse_challenger_is_held_against_the_record(promoted: Project, workers: int) -> None:
    promoted.conftest(WORSE)
    run = promoted.run(workers=workers)
    assert (run.status, run.result("champion_challenger:accuracy").verdict) == (1, Verdict.FAIL)
    assert main(["promote"]) == 1


def test_the_record_names_what_it_rests_on(promoted: Project) -> None:
    record = _record(promoted)
    text = (promoted.path / CHAMPION).read_text()
    assert len(text) < 100_000
    assert str(promoted.path) not in text
    assert {"model", "decision", "evidence", "checks", "policy", "provenance"} <= record.keys()


def test_the_report_says_what_the_champions_reached(promoted: Project) -> None:
    promoted.conftest(WORSE.replace("errors=120", "errors=41"))
    promoted.run()
    assert main(["promote"]) == 0
    alone, shared = (promoted.run(workers=workers).report for workers in (0, 2))
    assert alone is not None
    assert shared is not None
    history = alone.provenance["champions"]["model"]["history"]
    assert history == shared.provenance["champions"]["model"]["history"]
    assert [{*reign["values"]} for reign in history] == [{"performance_threshold:recall"}] * 2
    assert history[-1]["values"]["performance_threshold:recall"]["value"] == 0.895
    assert history[-1]["time"] == _record(promoted)["promoted"]["time"]
    assert history[:-1] == _record(promoted)["history"]
    assert not list(Draft202012Validator(schema()).iter_errors(alone.to_dict()))


def test_a_partial_run_leaves_no_candidate(promoted: Project, workers: int) -> None:
    promoted.run("-k", "recall", workers=workers)
    assert not (promoted.path / ".mlops/report/candidate").exists()
    assert main(["promote"]) == 1


def test_a_check_that_the_champion_had_is_missed(promoted: Project, workers: int) -> None:
    promoted.policy(COMPARES.partition("[[performance")[0])
    run = promoted.run(workers=workers)
    assert (run.status, run.result("performance_threshold:recall").verdict) == (1, Verdict.MISSING)
    assert "the champion was judged by it, and this run does not ask it" in run.messages
    assert "removed: performance_threshold:recall" in run.out


def test_a_check_is_taken_away_by_a_waiver_and_a_promotion(promoted: Project) -> None:
    waiver = (
        '[[waiver]]\ncheck = "performance_threshold:recall"\nuntil = 2999-01-01\nowner = "me"\n'
        'reason = "accuracy will do"\n'
    )
    less = COMPARES.partition("[[performance")[0]
    promoted.policy(less + waiver)
    assert promoted.run().decision == "review"
    assert main(["promote"]) == 0
    promoted.policy(less)
    assert promoted.run().decision == "merge"


def test_what_was_loosened_asks_for_a_review(promoted: Project, workers: int) -> None:
    promoted.policy(COMPARES.replace("0.8", "0.5").replace("0.05", "0.04"))
    run = promoted.run(workers=workers)
    assert (run.status, run.decision) == (0, "review")
    assert "loosened: performance_threshold:recall: at_least 0.8 → 0.5" in run.out
    assert "tightened: champion_challenger:accuracy: margin 0.05 → 0.04" in run.out
    summary = (promoted.path / ".mlops/report/summary.md").read_text()
    assert "Asked otherwise than the champion was" in summary


def test_what_was_added_and_which_waivers_are_new_or_expire(promoted: Project) -> None:
    import datetime

    soon = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=10)
    added = '[[performance_threshold]]\nmetric = "f1"\nat_least = 0.99\n'
    waiver = f'[[waiver]]\ncheck = "performance_threshold:f1"\nuntil = {soon}\nowner = "me"\nreason = "soon"\n'
    promoted.policy(COMPARES + added + waiver)
    out = " ".join(promoted.run().out.split())
    assert "added: performance_threshold:f1" in out
    assert f"new waiver: performance_threshold:f1, until {soon}, owner me: soon" in out
    assert "waiver expires in 10 days: performance_threshold:f1" in out


def test_a_fixture_may_not_stand_in_for_the_record(promoted: Project, workers: int) -> None:
    promoted.conftest("\n@pytest.fixture\ndef mlops_champion():\n    return model(0, errors=150)\n")
    run = promoted.run(workers=workers)
    assert run.status == 1
    assert "gave another champion than the promoted one" in run.messages


def test_the_base_branchs_champion_counts(promoted: Project, workers: int) -> None:
    promoted.conftest("\n@pytest.fixture\ndef mlops_champion():\n    return model(0, errors=150)\n")
    (promoted.path / ".mlops/champion").rename(promoted.base)
    promoted.write(CHAMPION, "{}")
    run = promoted.run(f"--mlops-champion={promoted.base}", workers=workers)
    assert (run.status, run.decision) == (0, "merge")
    checkout = promoted.base.with_name(f"{promoted.base.name}-checkout")
    (checkout / ".mlops").mkdir(parents=True)
    promoted.base.rename(checkout / ".mlops/champion")
    run = promoted.run(f"--mlops-champion={checkout}", workers=workers)
    assert (run.status, run.decision) == (0, "merge")


def _altered(path: Path) -> None:
    path.write_text(path.read_text().replace('"accuracy"', '"recall"'))


def _truncated(path: Path) -> None:
    path.write_text(path.read_text()[:200])


def _newer(path: Path) -> None:
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 9'))


def _without_predictions(path: Path) -> None:
    for file in path.parent.glob("*.npz"):
        file.unlink()


def _other_predictions(path: Path) -> None:
    for file in path.parent.glob("*.npz"):
        file.write_bytes(file.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_altered, "the record was altered after it was written"),
        (_truncated, "the champion's record cannot be used"),
        (_newer, "version"),
        (_without_predictions, "restore it from version control"),
        (_other_predictions, "restore it from version control"),
    ],
)
def test_a_record_that_cannot_be_trusted_blocks(promoted: Project, spoil: object, says: str, workers: int) -> None:
    assert callable(spoil)
    spoil(promoted.path / CHAMPION)
    run = promoted.run(workers=workers)
    assert (run.status, run.decision) == (1, "block")
    assert says in run.messages


def test_a_record_of_other_rows(promoted: Project, workers: int) -> None:
    promoted.conftest("del mlops_champion\n@pytest.fixture\ndef mlops_challenger():\n    return model(5, n=300)\n")
    run = promoted.run(workers=workers)
    assert run.status == 1
    assert "test rows differ from the champion's" in run.messages


def test_two_models_are_promoted_together(project: Project, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    monkeypatch.chdir(project.path)
    project.conftest(NO_FIXTURE)
    for folder in ("models/credit", "models/churn"):
        project.policy(COMPARES, folder)
    project.run(workers=workers)
    assert main(["promote", "--first"]) == 0
    assert (project.path / "models/credit/.mlops/champion/record.json").is_file()
    run = project.run(workers=workers)
    assert (run.status, run.decision) == (0, "merge")


def test_a_candidate_that_cannot_be_kept_blocks(project: Project, workers: int) -> None:
    project.tests(test_it=PASSES)
    project.write(".mlops/report/candidate", "a file where a folder should be")
    run = project.run(workers=workers)
    assert run.status == 1
    assert run.decision in ("block", None)


def test_labels_that_cannot_be_stored_leave_no_candidate(project: Project, workers: int) -> None:
    import_ = "import datetime\nDAY = datetime.date(2026, 1, 1), datetime.date(2026, 1, 2)\n"
    project.conftest(
        f"{import_}\n@pytest.fixture\ndef mlops_challenger():\n    y = [DAY[k % 2] for k in range(400)]\n"
        "    return Evaluation(y, y, positive_label=DAY[1])\n"
    )
    project.tests(test_it=PASSES)
    run = project.run(workers=workers)
    assert (run.status, run.decision) == (0, "merge")
    assert not (project.path / ".mlops/report/candidate").exists()


def test_a_record_of_another_model(promoted: Project, workers: int) -> None:
    promoted.policy("[gate]\nmodel = 'other'\n" + COMPARES)
    run = promoted.run(workers=workers)
    assert run.status == 1
    assert "the champion's record is of the model 'model', and what is judged is 'other'" in run.messages


def test_where_the_base_branch_has_promoted_none_the_fixture_answers(project: Project, workers: int) -> None:
    project.policy(COMPARES)
    project.base.mkdir()
    run = project.run(f"--mlops-champion={project.base}", workers=workers)
    assert (run.status, run.decision) == (0, "merge")
    summary = (project.path / ".mlops/report/summary.md").read_text(encoding="utf-8")
    assert "the champion that the fixture mlops" in summary
