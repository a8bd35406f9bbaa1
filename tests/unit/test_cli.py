"""`pytest-mlops promote` and `pytest-mlops champion`: what they do, what they say, with which exit status."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import PIPE, run
from typing import Any

import numpy as np
import pytest

from pytest_mlops import Evaluation, cli
from pytest_mlops.champion import store
from pytest_mlops.champion.record import ChampionRecord
from pytest_mlops.evidence.storage import to_arrays

NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)
ESTIMATE = {
    "value": 0.7178, "low": 0.6872, "high": 0.7513, "confidence": 0.95, "method": "DeLong", "n": 200, "null": None,
    "p_value": None, "standard_error": 0.01, "blind_spot": 0.0084, "exact": False,
}  # fmt: skip
LIMITS = {"at_least": 0.66, "at_most": None, "warn_below": None, "warn_above": None}
CHECKS: list[dict[str, Any]] = [
    {
        "id": "performance_threshold:roc_auc", "family": "performance_threshold", "verdict": "PASS", "asked": {},
        "limits": LIMITS, "estimate": ESTIMATE,
    },
    {
        "id": "champion_challenger:roc_auc", "family": "champion_challenger", "verdict": "INCONCLUSIVE", "asked": {},
        "limits": {**LIMITS, "at_least": -0.02},
        "estimate": {**ESTIMATE, "null": 0.0, "value": 0.01, "low": -0.03, "high": 0.035},
    },
    {
        "id": "reproducibility:predictions", "family": "reproducibility", "verdict": "PASS", "asked": {},
        "limits": None, "estimate": None,
    },
]  # fmt: skip


def leave(report: Path, model: str = "credit", *, seed: int = 0, **known: Any) -> ChampionRecord:
    """A candidate, as a run leaves it."""
    said = np.random.default_rng(seed).random(200)
    evaluation = Evaluation(np.arange(200) % 2, said.round().astype(int), said, row_ids=range(200))
    directory = report / "candidate" / model.replace("/", "%2F")
    standard: dict[str, Any] = {
        "model": model,
        "decision": "review",
        "complete": True,
        "home": "",
        "predictions": store.write_predictions(directory, evaluation),
        "evidence": {
            "rows": evaluation.n,
            "data": evaluation.data_digest,
            "predictions": evaluation.prediction_digest,
            "facts": to_arrays(evaluation)[1],
        },
        "checks": tuple(CHECKS),
        "policy": {
            "digest": "ab" * 32, "confidence": 0.95, "inconclusive": "warn", "warn": "warn", "required": [],
            "waivers": [],
        },
        "provenance": {
            "time": NOW.isoformat(),
            "git": {"commit": f"{seed:040d}", "dirty": bool(seed)},
            "packages": {"numpy": "2.4.6", "scikit-learn": "1.8.0"},
        },
    }  # fmt: skip
    record = ChampionRecord(**{**standard, **known})
    store.write_candidate(directory, record)
    return record


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which the program is called."""
    monkeypatch.chdir(tmp_path)
    at(monkeypatch, NOW)
    return tmp_path


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(cli, "_now", lambda: now)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def calling(*words: str) -> tuple[int, str, str]:
        status = cli.main(words)
        return status, *capsys.readouterr()

    return calling


Call = Callable[..., tuple[int, str, str]]
REPORT = Path(".mlops/report")


def test_the_first_and_the_next(call: Call, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(REPORT)
    assert call("promote", "--first") == (
        0,
        "credit is the champion now\n"
        "  decision  review\n"
        "  commit    000000000000\n"
        "  rows      200\n"
        "  where     .mlops/champion\n"
        "  before    none: this is the first\n",
        "",
    )
    at(monkeypatch, NOW + timedelta(days=12, hours=3))
    record = leave(REPORT, seed=1)
    status, said, _ = call("promote")
    assert status == 0
    assert "commit    000000000000, with uncommitted changes" in said
    assert "before    000000000000; promoted 12 days ago, on 2026-11-11" in said
    found = store.read_record(project / ".mlops/champion")
    assert found
    assert found.evidence == record.evidence
    assert found.promoted == {"time": "2026-11-23T15:00:00+00:00", "first": False}


def test_the_champion_is_shown(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(REPORT, seed=1)
    call("promote", "--first")
    at(monkeypatch, NOW + timedelta(days=1))
    status, said, complaint = call("champion")
    assert (status, complaint) == (0, "")
    assert said.splitlines() == [
        "credit",
        "  age       promoted 1 day ago, on 2026-11-11",
        "  commit    000000000000, with uncommitted changes",
        "  judged    review; on 200 rows",
        "  where     .mlops/champion",
        "  policy    abababababab, intervals of 95 %",
        "  packages  numpy 2.4.6, scikit-learn 1.8.0",
        "",
        "check                     value (interval)            limit     verdict",
        "──────────────────────────────────────────────────────────────────────────────",
        "performance_threshold:    0.718 (0.687 to 0.751)      ≥ 0.66    ✓ PASS",
        "roc_auc",
        "champion_challenger:      +0.010 (-0.030 to +0.035)   ≥ -0.02   ? INCONCLUSIVE",
        "roc_auc",
        "reproducibility:          no estimate                 –         ✓ PASS",
        "predictions",
    ]


def test_the_first_that_only_lacked_a_champion(call: Call) -> None:
    record = leave(REPORT)
    evidence = {**record.evidence, "champion": None, "first": "merge"}
    leave(REPORT, decision="block", evidence=evidence)
    assert "the gate has blocked this candidate" in call("promote")[2]
    assert "decision  merge, without the comparison with a champion" in call("promote", "--first")[1]
    assert "judged    merge, without the comparison with a champion; on 200 rows" in call("champion")[1]


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (timedelta(), "promoted today, on 2026-11-11"),
        (timedelta(hours=25), "promoted 1 day ago, on 2026-11-11"),
        (timedelta(days=1000), "promoted 1,000 days ago, on 2026-11-11"),
        (timedelta(days=-3), "promoted in the future, on 2026-11-11"),
    ],
)
def test_the_age(call: Call, monkeypatch: pytest.MonkeyPatch, later: timedelta, words: str) -> None:
    leave(REPORT)
    call("promote", "--first")
    at(monkeypatch, NOW + later)
    assert words in call("champion")[1]


def test_json_is_the_record(call: Call, project: Path) -> None:
    leave(REPORT)
    call("promote", "--first")
    _, said, _ = call("champion", "--json")
    assert said == (project / ".mlops/champion/record.json").read_text(encoding="utf-8")
    assert json.loads(said)["model"] == "credit"


def two(project: Path, **known: Any) -> None:
    for place, model in enumerate(["credit", "fraud"]):
        (project / "models" / model).mkdir(parents=True, exist_ok=True)
        leave(REPORT, model, seed=place, home=f"models/{model}", **(known if model == "fraud" else {}))


def test_two_models_are_promoted_together(call: Call, project: Path) -> None:
    two(project)
    status, said, _ = call("promote", "--first")
    assert status == 0
    assert [line for line in said.splitlines() if not line.startswith(" ")] == [
        "credit is the champion now",
        "fraud is the champion now",
    ]
    status, said, _ = call("champion")
    assert status == 0
    assert "where     models/credit/.mlops/champion" in said
    assert "\n\nfraud\n" in said
    assert call("champion", "--model", "fraud")[1].startswith("fraud\n")
    assert "credit, fraud: add --model" in call("champion", "--json")[2]
    assert json.loads(call("champion", "--json", "--model", "fraud")[1])["home"] == "models/fraud"


def test_if_one_is_refused_none_is_promoted(call: Call, project: Path) -> None:
    two(project, decision="block")
    status, said, complaint = call("promote", "--first")
    assert (status, said) == (1, "")
    assert complaint.splitlines() == [
        "pytest-mlops: fraud: the gate has blocked this candidate: mend the model, or waive the check in mlops.toml, "
        "and run the gate again",
        "pytest-mlops: nothing was promoted",
    ]
    assert not list(project.glob("models/*/.mlops"))
    assert call("promote", "--first", "--model", "credit")[0] == 0


@pytest.mark.parametrize(
    ("known", "words", "complaint"),
    [
        ({"decision": "block"}, ["--first"], "credit: the gate has blocked this candidate"),
        ({"complete": False}, ["--first"], "credit: the run that left this candidate was partial"),
        ({}, [], "there is no champion in"),
        ({}, ["--model", "credi"], "there is no candidate of a model 'credi': did you mean 'credit'?"),
        ({}, ["--report", "elsewhere"], "there is no candidate in elsewhere: run pytest --mlops first, or say"),
        ({}, ["--root", "elsewhere"], "--root: there is no directory 'elsewhere'"),
        ({"home": "models/none"}, ["--first"], "credit: 'models/none' is no folder of this project"),
    ],
)
def test_refusals(call: Call, project: Path, known: dict[str, Any], words: list[str], complaint: str) -> None:
    leave(REPORT, **known)
    status, said, found = call("promote", *words)
    assert (status, said) == (1, "")
    assert found.startswith("pytest-mlops: ")
    assert complaint in found
    assert not list(project.rglob("champion"))


def test_the_first_where_there_is_one(call: Call) -> None:
    leave(REPORT)
    assert call("promote", "--first")[0] == 0
    status, _, complaint = call("promote", "--first")
    assert status == 1
    assert "already: leave --first out" in complaint


def test_a_home_behind_a_link_that_leads_outside(call: Call, project: Path, tmp_path_factory: Any) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (project / "models").symlink_to(outside)
    leave(REPORT, home="models")
    status, _, complaint = call("promote", "--first")
    assert status == 1
    assert "is no folder of this project" in complaint
    assert not list(outside.iterdir())


def test_two_candidates_for_one_place(call: Call) -> None:
    leave(REPORT, "credit")
    leave(REPORT, "fraud")
    status, _, complaint = call("promote", "--first")
    assert status == 1
    assert "the candidates credit, fraud would go to one place: add --model" in complaint


def test_another_place(call: Call, project: Path) -> None:
    two(project)
    status, _, complaint = call("promote", "--first", "--champion", "kept")
    assert status == 1
    assert "--champion is the place of one model, and there are 2 candidates (credit, fraud): add --model" in complaint
    assert call("promote", "--first", "--champion", "kept", "--model", "fraud")[0] == 0
    assert call("champion", "--champion", "kept")[1].startswith("fraud\n")
    assert call("champion")[2] == (
        "pytest-mlops: there is no champion in '.': make one with pytest-mlops promote --first\n"
    )


def test_another_root(call: Call, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(project / "out")
    (project / "checkout").mkdir()
    assert call("promote", "--first", "--report", "out", "--root", "checkout")[0] == 0
    assert "where     checkout/.mlops/champion" in call("champion", "--root", "checkout")[1]


def test_a_bad_candidate_stops_all(call: Call, project: Path) -> None:
    two(project)
    (project / REPORT / "candidate/fraud/record.json").write_text("{", encoding="utf-8")
    status, said, complaint = call("promote", "--first")
    assert (status, said) == (1, "")
    assert "report/candidate/fraud/record.json: the record is cut off" in complaint


def test_a_bad_champion_is_named(call: Call, project: Path) -> None:
    (project / ".mlops/champion").mkdir(parents=True)
    (project / ".mlops/champion/record.json").write_text('{"schema_version": 9}', encoding="utf-8")
    status, said, complaint = call("champion")
    assert (status, said) == (1, "")
    assert ".mlops/champion/record.json: the record has schema version 9" in complaint


def test_what_cannot_be_written_is_said(call: Call, project: Path) -> None:
    leave(REPORT)
    (project / ".mlops/champion").write_text("", encoding="utf-8")
    status, _, complaint = call("promote", "--first")
    assert status == 1
    assert complaint == "pytest-mlops: .mlops/champion: File exists\n"


def test_where_champions_are_not_looked_for(call: Call, project: Path) -> None:
    leave(REPORT)
    call("promote", "--first")
    (project / "env").mkdir()
    (project / "env/pyvenv.cfg").write_text("", encoding="utf-8")
    for hidden in (".tox", "node_modules", "env", "deep/.venv"):
        target = project / hidden / ".mlops"
        target.mkdir(parents=True)
        (target / "champion").symlink_to(project / ".mlops/champion")
    assert call("champion")[1].count("promoted today") == 1


def test_names_are_inert(call: Call) -> None:
    name = "\x1b[31mred\n::error::\u202eevil"
    checks = ({**CHECKS[0], "id": "a:\x1b]0;title\x07\n::warning::x"},)
    git = {"commit": "\x1b[2J", "dirty": True}
    provenance = {"time": NOW.isoformat(), "git": git, "packages": {"\x1b[1m": "\n::error::"}}
    leave(REPORT, name, checks=checks, provenance=provenance)
    said = "".join([*call("promote", "--first")[1:], *call("champion")[1:], *call("champion", "--model", "x")[1:]])
    assert "evil" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)
    assert not any(line.strip().startswith("::") for line in said.splitlines())


def test_lines_have_80_columns(call: Call) -> None:
    long = {**CHECKS[0], "id": f"fairness:{'x' * 60}:{'y' * 60}"}
    packages = {f"package-{place}": "1.2.3" for place in range(20)}
    leave(
        REPORT,
        "m" * 200,
        checks=(*CHECKS, long),
        provenance={"time": NOW.isoformat(), "git": None, "packages": packages},
    )
    said = call("promote", "--first")[1] + call("champion")[1]
    assert "made outside version control" in said
    assert max(map(len, said.splitlines())) <= 80


def test_one_put_there_by_hand(call: Call, project: Path) -> None:
    leave(REPORT)
    (project / REPORT / "candidate/credit").rename(project / ".mlops/champion")
    assert "never promoted: somebody has put it there by hand" in " ".join(call("champion")[1].split())


@pytest.mark.parametrize("words", [[], ["promot"], ["promote", "--frist"], ["champion", "--first"], ["promote", "x"]])
def test_mistakes_in_the_arguments(call: Call, words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        call(*words)


def test_help_and_version(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["promote", "--help"], ["champion", "--help"], ["--version"]):
        with pytest.raises(SystemExit, match="0"):
            call(*words)
    said = capsys.readouterr().out
    assert "make the model that the gate has judged the champion" in said
    assert "pytest-mlops 0." in said


def program(*words: str, **environment: str) -> tuple[int, str]:
    done = run(
        [sys.executable, "-X", "importtime", "-m", "pytest_mlops.cli", *words],
        capture_output=True,
        env={"PATH": "", **environment},
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def test_showing_imports_no_numpy(call: Call) -> None:
    leave(REPORT)
    call("promote", "--first")
    status, said = program("champion")
    assert status == 0
    assert "pytest_mlops.champion.record" in said
    assert not {"numpy", "pandas", "scipy", "pytest"} & {line.rpartition("|")[2].strip() for line in said.splitlines()}


def test_a_reader_who_has_had_enough(call: Call) -> None:
    leave(REPORT)
    call("promote", "--first")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = run([sys.executable, "-m", "pytest_mlops.cli", "champion"], stdout=closed, stderr=PIPE, check=False)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_terminal_that_knows_ascii_only(call: Call) -> None:
    leave(REPORT)
    call("promote", "--first")
    status, said = program("champion", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert status == 0
    assert "\\u2265 0.66" in said
