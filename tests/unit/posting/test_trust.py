"""A report from anywhere: honest ones stay as they are, and no lie comes out as "may merge"."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_mlops import CheckResult, Decision, EvidenceError, GateReport, Verdict
from pytest_mlops.champion import store
from pytest_mlops.champion.record import ChampionRecord, checks_of
from pytest_mlops.evidence.storage import to_arrays
from pytest_mlops.homes import Homes, find
from pytest_mlops.posting import artifact
from pytest_mlops.posting.trust import rejudged, unreadable
from pytest_mlops.report import machine, markdown
from pytest_mlops.verdict.decision import sentence

from .conftest import GitHub, drifting, evaluation, run, write

TODAY = date(2026, 11, 24)
ACCURACY = "performance_threshold:accuracy"
WAIVER = """
[[waiver]]
check = "performance_threshold:accuracy"
until = 2026-12-31
owner = "model-risk"
reason = "new labels in January."
"""

Change = Callable[[CheckResult], CheckResult]


def homes(base: Path, champion: Path | None = None) -> Homes:
    return find(base, [base], policy=None, champion=champion)


def changed(report: GateReport, change: Change, which: str = ACCURACY, **known: Any) -> GateReport:
    """The report with one result that was tampered with, as it is read back."""
    results = tuple(change(result) if result.id == which else result for result in report.results)
    return machine.read(machine.render(replace(report, results=results, **known)))


def asking(result: CheckResult, **asked: Any) -> CheckResult:
    return replace(result, details={**result.details, "asked": {**result.details["asked"], **asked}})


def moved(result: CheckResult, **known: Any) -> CheckResult:
    assert result.estimate
    return replace(result, estimate=replace(result.estimate, **known))


def limited(result: CheckResult, **known: Any) -> CheckResult:
    assert result.limits
    return replace(result, limits=replace(result.limits, **known))


def failing(result: CheckResult) -> CheckResult:
    return replace(moved(result, value=0.5, low=0.45, high=0.55), verdict=Verdict.FAIL)


def waived(result: CheckResult, verdict: str = "FAIL") -> CheckResult:
    waiver = {"verdict": verdict, "check": result.id, "until": "2026-12-31", "owner": "model-risk"}
    details = {**result.details, "waived": {**waiver, "reason": "new labels in January."}}
    message = f"FAIL, but waived until 2026-12-31, owner model-risk: new labels in January. {result.message}"
    return replace(failing(result), verdict=Verdict.WAIVED, details=details, message=message)


# --- honest reports --------------------------------------------------------------------------------------------------


def test_an_honest_report_stays_what_it_is(honest: GateReport, base: Path) -> None:
    found = rejudged(honest, homes(base), TODAY)
    assert (found.decision, found.results) == (Decision.MERGE, honest.results)
    assert found.provenance["policies"]["credit"]["file"] == "mlops.toml"


def test_an_honest_report_alone(honest: GateReport) -> None:
    assert rejudged(honest, None, TODAY) == honest


@pytest.mark.parametrize("alone", [True, False])
def test_a_review_stays_a_review(honest: GateReport, base: Path, alone: bool) -> None:
    found = rejudged(drifting(honest), None if alone else homes(base), TODAY)
    assert found.decision is Decision.REVIEW
    assert found.results == drifting(honest).results


@pytest.mark.parametrize("alone", [True, False])
def test_a_block_stays_a_block(honest: GateReport, base: Path, alone: bool) -> None:
    blocked = changed(honest, failing, decision=Decision.BLOCK)
    found = rejudged(blocked, None if alone else homes(base), TODAY)
    assert (found.decision, found.results) == (Decision.BLOCK, blocked.results)


def test_a_waiver_of_the_base_branch_counts(honest: GateReport, base: Path) -> None:
    (base / "mlops.toml").write_text((base / "mlops.toml").read_text() + WAIVER)
    report = changed(honest, waived, decision=Decision.REVIEW)
    found = rejudged(report, homes(base), TODAY)
    assert (found.decision, found.results) == (Decision.REVIEW, report.results)


def test_a_waiver_counts_where_nobody_knows_better(honest: GateReport) -> None:
    report = changed(honest, waived, decision=Decision.REVIEW)
    assert rejudged(report, None, TODAY) == report


def test_a_test_may_ask_more_than_the_policy(honest: GateReport, base: Path) -> None:
    stricter = changed(honest, lambda result: limited(asking(result, at_least=0.85), at_least=0.85))
    assert rejudged(stricter, homes(base), TODAY).decision is Decision.MERGE


def test_what_the_run_got_wrong_stays(honest: GateReport, base: Path) -> None:
    wrong = unreadable("x").results
    report = replace(honest, decision=Decision.BLOCK, results=(*honest.results, *wrong))
    assert rejudged(report, homes(base), TODAY).results == report.results


def test_a_new_model_goes_to_review(honest: GateReport, base: Path) -> None:
    new = tuple(replace(result, model="new") for result in honest.results)
    report = replace(honest, results=(*honest.results, *new))
    found = rejudged(report, homes(base), TODAY)
    assert found.decision is Decision.REVIEW
    assert [result.id for result in found.results if result.verdict is Verdict.WARN] == ["session:policy:new:new"]


# --- lies ------------------------------------------------------------------------------------------------------------

LIES: dict[str, Change] = {
    "the verdict is flipped": lambda result: replace(failing(result), verdict=Verdict.PASS),
    "a fail is called unclear": lambda result: replace(failing(result), verdict=Verdict.INCONCLUSIVE),
    "the interval crosses the limit": lambda result: moved(result, low=0.7),
    "the estimate is no number": lambda result: moved(result, value=float("nan")),
    "the interval has no width": lambda result: moved(result, low=0.9, high=0.9),
    "the interval is in doubt": lambda result: moved(result, doubt="it rests on 4 clusters"),
    "the interval is of another confidence": lambda result: moved(result, confidence=0.5),
    "there is no estimate": lambda result: replace(result, estimate=None),
    "unclear without an estimate": lambda result: replace(result, estimate=None, verdict=Verdict.INCONCLUSIVE),
    "there are no limits": lambda result: replace(result, limits=None),
    "the limit is not what was asked": lambda result: limited(result, at_least=0.1),
    "the question is loosened": lambda result: limited(asking(result, at_least=0.1), at_least=0.1),
    "it is another question": lambda result: asking(result, subject="recall"),
    "nothing was asked": lambda result: replace(result, details={}),
    "what was asked is nonsense": lambda result: asking(result, at_least="0.8"),
    "what was asked is no number": lambda result: asking(result, max_blind="big"),
    "what was asked is a list": lambda result: asking(result, slices=[[1]]),
    "the waiver is forged": waived,
    "an error is waived": lambda result: waived(result, "ERROR"),
    "a waiver of nothing": lambda result: replace(result, verdict=Verdict.WAIVED),
    "a waiver of gibberish": lambda result: waived(result, "maybe"),
    "another family": lambda result: replace(result, family="drift"),
    "a family that is none": lambda result: replace(result, family="love", id="love:accuracy"),
    "hidden in the session": lambda result: replace(result, family="session", verdict=Verdict.PASS),
    "the model has another name": lambda result: replace(result, model="credit2"),
    "the check has another name": lambda result: replace(result, id=f"{result.id}:other"),
    "a part failed": lambda result: replace(
        result, parts=(replace(failing(result), details={"slice": "sex = f"}),)
    ),
    "a part that failed is said to pass": lambda result: replace(
        result, parts=(replace(failing(result), verdict=Verdict.PASS, details={"slice": "sex = f"}),)
    ),
    "a part of a part": lambda result: replace(
        result, parts=(replace(result, parts=(result,), details={"slice": "sex = f"}),)
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_no_lie_may_merge(honest: GateReport, base: Path, lie: Change) -> None:
    for claimed in (Decision.MERGE, Decision.REVIEW):
        found = rejudged(changed(honest, lie, decision=claimed), homes(base), TODAY)
        assert found.decision is Decision.BLOCK
        assert "session:decision" in {result.id for result in found.results}
        assert "Merge blocked" in markdown.render(found)


def test_a_decision_that_does_not_follow(honest: GateReport, base: Path) -> None:
    report = changed(honest, failing)
    for known in (None, homes(base)):
        found = rejudged(report, known, TODAY)
        assert found.decision is Decision.BLOCK
        assert found.results[-1].message == "the report says merge, and its results come to block."


def test_a_decision_that_is_worse_than_its_results_stays(honest: GateReport, base: Path) -> None:
    found = rejudged(replace(honest, decision=Decision.BLOCK), homes(base), TODAY)
    assert found.decision is Decision.BLOCK
    assert "the report says block, and its results come to merge" in found.results[-1].message


@pytest.mark.parametrize("left", ["nothing", "a remark", "other checks"])
def test_a_check_that_is_left_out_is_missing(honest: GateReport, base: Path, left: str) -> None:
    remark = replace(unreadable("x").results[0], verdict=Verdict.WARN)
    results = {"nothing": (), "a remark": (remark,), "other checks": honest.results[1:]}[left]
    found = rejudged(replace(honest, results=results), homes(base), TODAY)
    assert found.decision is Decision.BLOCK
    assert Verdict.MISSING in {result.verdict for result in found.results}


@pytest.mark.parametrize("results", [0, 1])
def test_a_report_without_checks_alone(honest: GateReport, results: int) -> None:
    remark = replace(unreadable("x").results[0], verdict=Verdict.WARN)
    assert rejudged(replace(honest, results=(remark,) * results), None, TODAY).decision is Decision.BLOCK


@pytest.mark.parametrize("name", ["session:partial_run", "session:tests"])
def test_what_stands_in_the_way_of_trust_is_no_remark(honest: GateReport, base: Path, name: str) -> None:
    """With a partial run, nothing is missing: it cannot decide anyway."""
    remark = replace(unreadable("x").results[0], id=name, verdict=Verdict.WARN)
    report = replace(honest, decision=Decision.REVIEW, results=(honest.results[0], remark))
    for known in (None, homes(base)):
        found = rejudged(report, known, TODAY)
        assert found.decision is Decision.BLOCK
        assert {result.id: result.verdict for result in found.results}[name] is Verdict.ERROR


def test_remarks_stay_remarks(honest: GateReport, base: Path) -> None:
    remarks = [
        replace(unreadable("x").results[0], id=f"session:{name}", verdict=Verdict.WARN)
        for name in ("loosened:credit", "policy:new:mlops.toml")
    ]
    report = replace(honest, decision=Decision.REVIEW, results=(*honest.results, *remarks))
    for known in (None, homes(base)):
        assert rejudged(report, known, TODAY) == replace(report, provenance=rejudged(report, known, TODAY).provenance)


def test_what_the_report_calls_missing_stays_missing(honest: GateReport, base: Path) -> None:
    gone = CheckResult(id="drift:auto", model="credit", family="drift", verdict=Verdict.MISSING, message="gone")
    report = replace(honest, decision=Decision.BLOCK, results=(*honest.results, gone))
    found = rejudged(report, homes(base), TODAY)
    assert found.decision is Decision.BLOCK
    assert "drift:auto" in {result.id for result in found.results}


def test_a_waived_absence_is_no_answer_to_what_is_required(honest: GateReport, base: Path) -> None:
    policy = (base / "mlops.toml").read_text().replace("[gate]", '[gate]\nrequired = ["drift"]')
    (base / "mlops.toml").write_text(policy + WAIVER.replace(ACCURACY, "drift:auto"))
    gone = CheckResult(id="drift:auto", model="credit", family="drift", verdict=Verdict.WAIVED, message="gone")
    gone = waived(replace(gone, estimate=honest.results[0].estimate), "MISSING")
    report = replace(honest, decision=Decision.REVIEW, results=(*honest.results, gone))
    found = rejudged(report, homes(base), TODAY)
    assert found.decision is Decision.BLOCK
    assert "required:drift" in {result.id for result in found.results}


def test_a_waiver_that_has_expired(honest: GateReport, base: Path) -> None:
    (base / "mlops.toml").write_text((base / "mlops.toml").read_text() + WAIVER)
    found = rejudged(changed(honest, waived, decision=Decision.REVIEW), homes(base), date(2027, 1, 1))
    assert found.decision is Decision.BLOCK
    (result,) = (result for result in found.results if result.id == ACCURACY)
    assert (result.verdict, "waived" in result.message) == (Verdict.FAIL, False)


def test_the_policy_of_the_report_does_not_count(honest: GateReport, base: Path) -> None:
    strict = (base / "mlops.toml").read_text().replace("[gate]", '[gate]\nwarn = "block"')
    (base / "mlops.toml").write_text(strict)
    own = {"credit": {"file": "mlops.toml", "digest": None, "warn": "warn"}}
    report = replace(drifting(honest), provenance={**honest.provenance, "policies": own})
    found = rejudged(report, homes(base), TODAY)
    assert found.decision is Decision.BLOCK
    assert found.provenance["policies"]["credit"]["warn"] == "block"


def test_alone_the_stricter_of_both_policies_counts(honest: GateReport) -> None:
    own = {"credit": {"file": "mlops.toml", "digest": None, "warn": "block"}}
    report = replace(drifting(honest), provenance={**honest.provenance, "policies": own})
    assert rejudged(report, None, TODAY).decision is Decision.BLOCK


def test_a_policy_that_cannot_be_read(honest: GateReport, base: Path) -> None:
    (base / "mlops.toml").write_text('[gate]\nmodel = "credit"\nlove = 1\n')
    assert rejudged(honest, homes(base), TODAY).decision is Decision.BLOCK


# --- the champion ----------------------------------------------------------------------------------------------------


@pytest.fixture
def promoted(honest: GateReport, base: Path) -> Path:
    """The base branch with the champion that the honest report compares with."""
    old, place = evaluation(0), base / ".mlops/champion"
    record = ChampionRecord(
        model="credit", decision="merge", complete=True, home="", predictions=store.write_predictions(place, old),
        evidence={
            "rows": old.n, "data": old.data_digest, "predictions": old.prediction_digest, "facts": to_arrays(old)[1]
        },
        checks=checks_of(honest.results),
        policy={
            "digest": None, "confidence": 0.95, "inconclusive": "warn", "warn": "warn", "required": [], "waivers": []
        },
        provenance={"time": "2026-11-01T12:00:00+00:00", "git": None, "packages": {}},
        promoted={"time": "2026-11-02T12:00:00+00:00", "first": True},
    )  # fmt: skip
    (place / "record.json").write_text(record.to_json())
    return base


def test_an_honest_report_meets_its_champion(honest: GateReport, promoted: Path) -> None:
    for champion in (None, promoted, promoted / ".mlops/champion"):
        found = rejudged(honest, homes(promoted, champion), TODAY)
        assert (found.decision, found.results) == (Decision.MERGE, honest.results)
    assert found.provenance["champions"]["credit"]["promoted"]["first"]


@pytest.mark.parametrize("digest", ["other", None, "gone"])
def test_another_champion(honest: GateReport, promoted: Path, digest: str | None) -> None:
    models = json.loads(json.dumps(honest.provenance["models"]))
    if digest == "gone":
        del models["credit"]["champion"]
    else:
        models["credit"]["champion"]["predictions"] = digest
    report = replace(honest, provenance={**honest.provenance, "models": models})
    found = rejudged(report, homes(promoted), TODAY)
    assert found.decision is Decision.BLOCK
    assert "session:champion:credit:other" in {result.id for result in found.results}


def test_what_the_champion_was_asked_and_the_report_leaves_out(honest: GateReport, promoted: Path) -> None:
    (promoted / "mlops.toml").write_text('[gate]\nmodel = "credit"\n')
    found = rejudged(replace(honest, results=honest.results[:1]), homes(promoted), TODAY)
    assert [result.id for result in found.results if result.verdict is Verdict.MISSING] == [
        "champion_challenger:accuracy"
    ]


def test_nonsense_is_not_compared_with_what_the_champion_was_asked(honest: GateReport, promoted: Path) -> None:
    (promoted / "mlops.toml").write_text('[gate]\nmodel = "credit"\n')
    report = changed(honest, lambda result: asking(failing(result), at_least="nonsense"), decision=Decision.BLOCK)
    found = rejudged(report, homes(promoted), TODAY)
    assert found.decision is Decision.BLOCK
    assert "what was asked makes no sense" in found.results[0].message


def test_a_record_that_cannot_be_read(honest: GateReport, promoted: Path) -> None:
    (promoted / ".mlops/champion/record.json").write_text("{")
    assert rejudged(honest, homes(promoted), TODAY).decision is Decision.BLOCK


# --- reading ---------------------------------------------------------------------------------------------------------


def nested(report: GateReport) -> str:
    data: Any = report.results[0].to_dict()
    for _ in range(100):
        data = {**data, "parts": [data]}
    return json.dumps({**report.to_dict(), "results": [data]})


UNREADABLE: dict[str, Callable[[GateReport], str]] = {
    "empty": lambda _: "",
    "no object": lambda _: "[]",
    "NaN": lambda report: machine.render(report).replace("0.95", "NaN"),
    "another version": lambda report: machine.render(report).replace('"schema_version": 1', '"schema_version": 2'),
    "deep": lambda _: "[" * 100_000,
    "30 MB": lambda report: machine.render(report) + " " * 30_000_000,
    "an unknown verdict": lambda report: machine.render(report).replace('"PASS"', '"GOOD"'),
    "contradicting limits": lambda report: machine.render(report).replace('"at_most": null', '"at_most": 1'),
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_report_replaces_an_earlier_one(
    github: GitHub, honest: GateReport, base: Path, text: Callable[[GateReport], str]
) -> None:
    github.issue(5)
    write(honest)
    assert run("comment", "--pull-request", "5", "--policy", str(base)) == 0
    assert "may merge" in github.bodies(5)[0]
    Path(".mlops/report/gate.json").write_text(text(honest))
    with pytest.raises(EvidenceError):
        run("comment", "--pull-request", "5", "--policy", str(base))
    (body,) = github.bodies(5)
    assert "Merge blocked" in body
    assert "the run has left no report that can be trusted" in body.replace("\\", "")


def test_a_hundred_parts_deep(honest: GateReport, base: Path) -> None:
    try:
        found = rejudged(machine.read(nested(honest)), homes(base), TODAY)
    except EvidenceError:
        return
    assert found.decision is Decision.BLOCK


def test_links_are_not_followed(honest: GateReport, tmp_path: Path) -> None:
    write(honest, tmp_path / "real")
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/gate.json").symlink_to(tmp_path / "real/gate.json")
    for place in ("linked", "linked/gate.json", "other", "other/gate.json"):
        with pytest.raises(EvidenceError, match="is a link"):
            artifact.read(tmp_path / place)
    assert artifact.read(tmp_path / "real/gate.json").decision is Decision.MERGE


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate.json")
    with pytest.raises(EvidenceError, match="is no plain file"):
        artifact.read(tmp_path)


def test_a_directory_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "gate.json").mkdir()
    with pytest.raises(EvidenceError, match="cannot be read"):
        artifact.read(tmp_path)


def test_bytes_are_no_report(tmp_path: Path) -> None:
    (tmp_path / "gate.json").write_bytes(b"\xff")
    with pytest.raises(EvidenceError, match="is not UTF-8"):
        artifact.read(tmp_path)


def test_there_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="the run ended before it wrote its report"):
        artifact.read(tmp_path)


def test_an_unreadable_report_blocks() -> None:
    report = unreadable("it is gone.")
    assert (
        sentence(report.decision, report.results) == "Merge blocked: no check has run; 1 problem with the run itself."
    )


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def posted(honest: GateReport, github: GitHub) -> Callable[..., str]:
    """What is posted of the honest report."""

    def post(*words: str) -> str:
        write(honest)
        github.issue(5)
        assert run("comment", "--pull-request", "5", *words) == 0
        return github.bodies(5)[-1]

    return post


def test_a_policy_may_be_a_file(posted: Callable[..., str], base: Path) -> None:
    (base / "mlops.toml").rename(base / "strict.toml")
    assert "The challenger may merge" in posted("--policy", str(base / "strict.toml"))


def test_policies_elsewhere_do_not_count(posted: Callable[..., str], base: Path) -> None:
    (base / "monitoring").mkdir()
    (base / "monitoring/mlops.toml").write_text("[[drift]]\nat_most = 0.1\n")
    (base / "credit").mkdir()
    (base / "mlops.toml").rename(base / "credit/mlops.toml")
    assert "Merge blocked" in posted("--policy", str(base))
    assert "may merge" in posted("--policy", str(base), "--paths", "credit/test_it.py::test_it")


def test_a_base_without_policies_asks_nothing(posted: Callable[..., str], base: Path) -> None:
    (base / "mlops.toml").unlink()
    assert "may merge after a review" in posted("--policy", str(base))


def test_a_report_brings_no_policies(github: GitHub, honest: GateReport, base: Path) -> None:
    write(honest, base / "report/candidate")
    (base / "report/candidate/mlops.toml").write_text("[gate]\n")
    with pytest.raises(EvidenceError, match=r"report/candidate/mlops\.toml lies in the report"):
        run("comment", "--pull-request", "5", "--report", str(base / "report/candidate"), "--policy", str(base))
    assert github.calls == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--champion", "x"], "go with --policy"),
        (["--root", "x"], "go with --policy"),
        (["--policy", "nowhere"], "--policy: there is no 'nowhere'"),
        (["--policy", ".", "--champion", "nowhere"], "--champion: there is no 'nowhere'"),
    ],
)
def test_places_that_make_no_sense(github: GitHub, words: list[str], why: str) -> None:
    with pytest.raises(EvidenceError, match=why):
        run("comment", "--pull-request", "5", *words)
    assert github.calls == []
