"""Who posts holds a key, and the report that is posted may come from who holds none: it is judged again.

Numbers cannot be checked without the data. That they mean what the report says, by the policy and the champion of the
base branch, can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from pytest_mlops.champion import store
from pytest_mlops.obligations import is_absent, loosened
from pytest_mlops.report import phrases
from pytest_mlops.ruling import rule
from pytest_mlops.tally import Tally
from pytest_mlops.verdict.comparison import compare
from pytest_mlops.verdict.decision import PARTIAL_RUN, decide, worst_first
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.policy import Policies, Policy
from pytest_mlops.verdict.result import SESSION, CheckResult, Decision, GateReport

from .contradictions import contradiction

if TYPE_CHECKING:
    from pytest_mlops.champion.record import ChampionRecord
    from pytest_mlops.homes import Home, Homes

_FROM_MILD = (Decision.MERGE, Decision.REVIEW, Decision.BLOCK)
_REMARKS = (f"{SESSION}:policy:new:", f"{SESSION}:loosened:")
_WAIVABLE = frozenset({"FAIL", "MISSING", "INCONCLUSIVE", "WARN"})


def rejudged(report: GateReport, homes: Homes | None, today: date) -> GateReport:
    """The report as the base branch sees it: never milder than it was.

    Parameters
    ----------
    report : GateReport
        From wherever.
    homes : Homes or None
        The models of the base branch; None where only the report itself is at hand.
    today : date
        Waivers that have expired by then do not count.
    """
    claims = _Claims(report, homes, today)
    return claims.judged_alone() if homes is None else claims.judged_by(homes)


def unreadable(why: str) -> GateReport:
    """What is posted where there is no report that can be read: an earlier, milder one must not stay in its place."""
    tally = Tally()
    tally.problem("no_report", message=f"the run has left no report that can be trusted: {why.rstrip('.')}")
    return GateReport(decision=Decision.BLOCK, results=tuple(tally.problems()), provenance={})


class _Claims(Tally):
    """A run that is known by its report alone."""

    def __init__(self, report: GateReport, homes: Homes | None, today: date) -> None:
        super().__init__()
        self._report = report
        self._today = today
        self._homes = {home.model: home for home in homes or ()}
        self._champions = {model: record for model, home in self._homes.items() if (record := _champion(home))}
        self._answers = [self._answer(result) for result in phrases.checks(report.results)]
        if not self._answers and all(result.verdict is Verdict.WARN for result in self._claimed_problems()):
            self.problem("no_checks", message="the report holds no check: a gate that asks nothing is no gate")

    def _answer(self, claimed: CheckResult) -> CheckResult:
        """The result as its numbers and the base branch's waivers have it."""
        home, record = self._homes.get(claimed.model), self._champions.get(claimed.model)
        judged = _as_judged(claimed, home, record)
        if not self._homes and claimed.verdict is Verdict.WAIVED and judged.verdict is not Verdict.ERROR:
            return claimed
        return (home.policy if home else Policy()).waive(judged, self._today)

    # What `rule` asks of a run

    def checks(self) -> list[CheckResult]:
        """Answers of the models that the base branch knows; what is missing, it finds out itself."""
        return [result for result in self._answers if result.model in self._homes and not is_absent(result)]

    def problems(self) -> list[CheckResult]:
        """What the run says it got wrong, and what is wrong with the report."""
        found = {result.id: result for result in self._claimed_problems()}
        for result in super().problems():
            found[result.id] = worst_first([result, found.get(result.id, result)])[0]
        return [found[name] for name in sorted(found)]

    @property
    def partial(self) -> bool:
        """Does the run say that it left tests out?"""
        return any(result.id == PARTIAL_RUN for result in self._claimed_problems())

    def evidence(self) -> dict[str, dict[str, Any]]:
        """Digests as the report names them."""
        models: Mapping[str, Mapping[str, Mapping[str, Any]]] = self._report.provenance.get("models", {})
        return {
            model: {role: {"predictions": None, **digests} for role, digests in roles.items()}
            for model, roles in models.items()
        }

    # What it comes to

    def judged_alone(self) -> GateReport:
        """By the default policy and by the one that the report names: whichever is stricter."""
        results = (*self._answers, *self.problems())
        blocking, _ = phrases.parted(self._report, results)
        return self._decided(results, Decision.BLOCK if blocking else decide(results), self._report.provenance)

    def judged_by(self, homes: Homes) -> GateReport:
        """By the policies and champions of the base branch."""
        self._note_strangers()
        self._note_comparisons_with_nobody()
        ruling = rule(self, homes, self._today)
        own = ("policies", "champions", "policy_diff")
        provenance = {**self._report.provenance, **{name: ruling.report.provenance[name] for name in own}}
        results = (*self._with_the_rest(phrases.checks(ruling.report.results)), *self._claimed_problems())
        return self._decided(results, decide(results, ruling.policies), provenance, ruling.policies)

    def _decided(
        self,
        results: Sequence[CheckResult],
        derived: Decision,
        provenance: Mapping[str, Any],
        policies: Policies | None = None,
    ) -> GateReport:
        claimed = self._report.decision
        if derived is not claimed:
            self.problem("decision", message=f"the report says {claimed}, and its results come to {derived}")
        results = (*phrases.checks(results), *self.problems())
        decision = max(claimed, derived, decide(results, policies), key=_FROM_MILD.index)
        return GateReport(decision=decision, results=results, provenance=provenance)

    def _with_the_rest(self, ruled: Sequence[CheckResult]) -> Iterator[CheckResult]:
        """What the report says is missing stays missing; who is not known on the base branch is judged as well."""
        known = {(result.model, result.id) for result in ruled}
        yield from ruled
        yield from (result for result in self._answers if (result.model, result.id) not in known)

    def _claimed_problems(self) -> list[CheckResult]:
        """Any of them is an ERROR but for what a run only remarks on."""
        claimed = (result for result in self._report.results if result.family == SESSION)
        return [
            result if result.verdict is _verdict_of_problem(result) else replace(result, verdict=Verdict.ERROR)
            for result in claimed
        ]

    def _note_strangers(self) -> None:
        """A model without a policy on the base branch is not forbidden; somebody should look."""
        policies: Mapping[str, Mapping[str, Any]] = self._report.provenance.get("policies", {})
        for model in sorted({result.model for result in self._answers} - self._homes.keys()):
            name = policies.get(model, {}).get("file", model)
            self.problem("policy", "new", name, verdict=Verdict.WARN, message=f"{name} is not on the base branch")

    def _note_comparisons_with_nobody(self) -> None:
        """Where there is a champion, a comparison of rows names the one that it compared with."""
        compared = {
            result.model
            for result in self.checks()
            if result.family == "champion_challenger" and result.estimate and "folds" not in result.details["asked"]
        }
        evidence = self.evidence()
        for model in sorted(compared & self._champions.keys()):
            if "champion" not in evidence.get(model, {}):
                self.problem(
                    "champion", model, "other", message=f"the report does not say what {model} was compared with"
                )


def _champion(home: Home) -> ChampionRecord | None:
    """None as well where it cannot be read, which `rule` reports."""
    try:
        return store.read_record(home.champion)
    except (EvidenceError, OSError):
        return None


# --- one result ------------------------------------------------------------------------------------------------------


def _as_judged(result: CheckResult, home: Home | None, record: ChampionRecord | None) -> CheckResult:
    """The result before anybody waived it; an ERROR where it contradicts itself, or loosens what was agreed on."""
    bare = _unwaived(result)
    if not isinstance(bare.details.get("asked"), Mapping):
        bare = replace(bare, details={**bare.details, "asked": {}})
    if bare.verdict is Verdict.WAIVED:
        return _error(bare, "a verdict was waived that cannot be")
    why = contradiction(bare, confidence=home.confidence if home else 0.0)
    if why:
        return _error(bare, f"the report contradicts itself: {why}")
    return bare if home is None else _kept_to(home, record, bare)


def _unwaived(result: CheckResult) -> CheckResult:
    """WAIVED where a verdict is named that cannot be waived."""
    waived = result.details.get("waived")
    if result.verdict is not Verdict.WAIVED or not waived or waived["verdict"] not in _WAIVABLE:
        return result
    details = {name: value for name, value in result.details.items() if name != "waived"}
    said = f"{waived['verdict']}, but waived until {waived['until']}, owner {waived['owner']}: {waived['reason']}"
    message = result.message.removeprefix(f"{said.rstrip('.')}. ")
    return replace(result, verdict=Verdict(waived["verdict"]), message=message, details=details)


def _kept_to(home: Home, record: ChampionRecord | None, result: CheckResult) -> CheckResult:
    """As test code, a report may tighten what the policy asks, never loosen it."""
    if is_absent(result):
        return result
    try:
        looser = list(_looser(home, result))
        loosened([result], record) if record else ()  # `rule` will do so, and trusts what was asked
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return _error(replace(result, details={**result.details, "asked": {}}), "what was asked makes no sense")
    if looser:
        return _error(result, f"it asks less than the base branch's {home.name()}: {'; '.join(looser)}")
    return result


def _looser(home: Home, result: CheckResult) -> Iterator[str]:
    agreed = home.readable.asks(result.id) if home.readable else None
    if agreed is not None:
        change = compare(agreed.asked, result.details["asked"])
        yield from (*change.loosened, *change.other)


def _verdict_of_problem(result: CheckResult) -> Verdict:
    """Nothing else in the way of trusting a run lets a merge through."""
    return Verdict.WARN if result.id.startswith(_REMARKS) else Verdict.ERROR


def _error(result: CheckResult, why: str) -> CheckResult:
    return replace(result, verdict=Verdict.ERROR, message=f"{why}. {result.message}")
