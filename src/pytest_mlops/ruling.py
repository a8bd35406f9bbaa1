"""From all that a run has said to the report, and to what may become the next champion. Knows no pytest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import obligations
from .champion import store
from .champion.history import reigns
from .champion.record import ChampionRecord, checks_of
from .keeper import candidate_of
from .provenance import environment
from .verdict.decision import decide
from .verdict.errors import EvidenceError
from .verdict.limits import Verdict
from .verdict.policy import Policies, Policy
from .verdict.result import CheckResult, Decision, GateReport

if TYPE_CHECKING:
    from .homes import Home, Homes
    from .tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a run comes to.

    Parameters
    ----------
    report : GateReport
    policies : Policies
        What decided.
    candidates : mapping of Path to ChampionRecord
        Where each model's candidate goes.
    """

    report: GateReport
    policies: Policies
    candidates: Mapping[Path, ChampionRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One model before the gate: its home, its answers, and the record of its champion."""

    home: Home
    results: tuple[CheckResult, ...]
    record: ChampionRecord | None


def rule(tally: Tally, homes: Homes, today: date, *, seed: int = 0, report: Path = Path()) -> Ruling:
    """Decide. The tally learns what is wrong with policies and champions.

    Parameters
    ----------
    tally : Tally
    homes : Homes
    today : date
        Waivers that have expired by then do not count.
    seed : int
        Of the run, for its report.
    report : Path
        Its report's directory, which candidates are put below.
    """
    for model, names in homes.same_names().items():
        tally.problem("policy", model, message=f"{' and '.join(names)} name their model {model!r}: give each a name")
    cases = list(_cases(tally, homes, today))
    for case in cases:
        _note_policy(tally, case, today)
    policies = Policies({case.home.model: case.home.policy for case in cases})
    results = (*(result for case in cases for result in case.results), *tally.problems())
    surroundings = environment(seed=seed, confidence=min((case.home.confidence for case in cases), default=0.95))
    ruled = GateReport(
        decision=decide(results, policies),
        results=results,
        provenance={**surroundings, "models": tally.evidence(), **_agreements(cases, today)},
    )
    candidates = {} if tally.partial else _candidates(tally, cases, report, surroundings)
    return Ruling(report=ruled, policies=policies, candidates=candidates)


def _cases(tally: Tally, homes: Homes, today: date) -> Iterator[_Case]:
    """Each model with its answers, and with those that are missing."""
    checks = tally.checks()
    models = list(homes)
    for home in models:
        own = [result for result in checks if result.model == home.model]
        if not own and home.policy_path is None and len(models) > 1:
            continue  # the root, where other folders have the models
        record = _record(tally, home)
        _note_other_champion(tally, home, record)
        absent = [] if tally.partial else obligations.missing(home, own, record)
        yield _Case(
            home=home,
            results=(*own, *(home.policy.waive(result, today) for result in absent)),
            record=record,
        )


def _record(tally: Tally, home: Home) -> ChampionRecord | None:
    try:
        record = store.read_record(home.champion)
    except (EvidenceError, OSError) as error:
        tally.problem("champion", home.model, message=f"the champion's record cannot be used: {error}")
        return None
    if record and record.model != home.model:
        tally.problem(
            "champion",
            home.model,
            "name",
            message=(
                f"the champion's record is of the model {record.model!r}, and what is judged is {home.model!r}: name "
                f"it as before, or remove the record and promote the first of the new name"
            ),
        )
    return record


def _note_other_champion(tally: Tally, home: Home, record: ChampionRecord | None) -> None:
    """The judged may not choose whom they are compared with."""
    compared = tally.evidence().get(home.model, {}).get("champion")
    if record and compared and compared["predictions"] != record.evidence["predictions"]:
        tally.problem(
            "champion",
            home.model,
            "other",
            message=(
                f"the fixture mlops_champion gave another champion than the promoted one of {home.model}: remove the "
                f"fixture, so that the record counts, or the record"
            ),
        )


def _note_policy(tally: Tally, case: _Case, today: date) -> None:
    home = case.home
    if home.trouble:
        tally.problem("policy", home.name(), message=home.trouble)
    if home.unreviewed:
        tally.problem(
            "policy", "new", home.name(), verdict=Verdict.WARN, message=f"{home.name()} is not on the base branch"
        )
    if not tally.partial:
        for check, why in obligations.misused_waivers(home, case.results, today):
            tally.problem("waiver", home.model, check, message=why)
    looser = obligations.loosened(case.results, case.record) if case.record else []
    if looser:
        tally.problem(
            "loosened",
            home.model,
            verdict=Verdict.WARN,
            message=f"asked less strictly than the champion was: {'; '.join(looser)}",
        )


def _agreements(cases: Sequence[_Case], today: date) -> dict[str, Any]:
    """By model: the policy, the champion's record, and how what is asked now differs from what it was asked."""
    return {
        "policies": {case.home.model: _policy(case.home) for case in cases if case.home.readable},
        "champions": {case.home.model: _champion(case.record) for case in cases if case.record},
        "policy_diff": {
            case.home.model: obligations.policy_diff(case.home, case.results, case.record, today)
            for case in cases
            if case.record
        },
    }


def _policy(home: Home) -> dict[str, Any]:
    return {
        "file": home.name(),
        "digest": home.readable.digest if home.readable else None,
        "confidence": home.confidence,
        **home.policy.to_dict(),
    }


def _champion(record: ChampionRecord) -> dict[str, Any]:
    return {
        "promoted": dict(record.promoted or {}),
        "git": record.provenance.get("git"),
        "predictions": record.evidence.get("predictions"),
        "history": reigns(record),
    }


def _candidates(
    tally: Tally, cases: Sequence[_Case], report: Path, surroundings: Mapping[str, Any]
) -> dict[Path, ChampionRecord]:
    found: dict[Path, ChampionRecord] = {}
    evidence, problems = tally.evidence(), tally.problems()
    for model, kept in tally.stored().items():
        case = next(case for case in cases if case.home.model == model)
        if "file" in kept:
            found[candidate_of(report, model)] = ChampionRecord(
                model=model,
                decision=decide((*case.results, *problems), case.home.policy).value,
                complete=True,
                home=case.home.folder,
                predictions=kept["file"],
                evidence={**_seen(case, evidence[model], problems), "facts": kept["facts"]},
                checks=checks_of(result for result in case.results if not obligations.is_absent(result)),
                policy={key: value for key, value in _policy(case.home).items() if key != "file"},
                provenance={
                    **surroundings,
                    "confidence": case.home.confidence,
                    **({"model_fingerprint": kept["model"]} if kept["model"] else {}),
                },
            )
    return found


def _seen(case: _Case, evidence: Mapping[str, Any], problems: Sequence[CheckResult]) -> dict[str, Any]:
    """The challenger's digests; and the champion it was compared with, or the decision without one.

    The very first model has none to be compared with: what only lacks a champion does not keep it from becoming one.
    """
    if case.record:
        compared = evidence.get("champion", {}).get("predictions")
        return {**evidence["challenger"], **({"champion": compared} if compared else {})}
    judged = [result for result in case.results if not _lacks_a_champion(result, evidence)]
    if len(judged) == len(case.results):
        return dict(evidence["challenger"])
    return {
        **evidence["challenger"],
        "champion": None,
        "first": _decision_on_the_first((*judged, *problems), case.home.policy).value,
    }


def _decision_on_the_first(results: Sequence[CheckResult], policy: Policy) -> Decision:
    """Where comparisons are all that is asked, nothing speaks against the first champion, and nothing for it."""
    return decide(results, policy) if results else Decision.REVIEW


def _lacks_a_champion(result: CheckResult, evidence: Mapping[str, Any]) -> bool:
    return result.family == "champion_challenger" and result.verdict is Verdict.ERROR and "champion" not in evidence
