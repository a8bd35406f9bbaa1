"""Does a result say what its own numbers say? It comes from a file that anybody may have written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from pytest_mlops.checks import FAMILIES, drift_rule
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import Limits, Proof, Verdict, judge
from pytest_mlops.verdict.result import CheckResult

_BADNESS = {Verdict.PASS: 0, Verdict.WARN: 1, Verdict.INCONCLUSIVE: 2}
_BLOCKING = 3
_MAY_LACK_AN_ESTIMATE = ("drift", "fairness")
"""Families in which INCONCLUSIVE may mean that there was nothing to estimate."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an estimate was to meet."""

    limits: Limits
    proof: Proof
    max_blind: float | None
    confidence: float

    @classmethod
    def of(cls, family: str, asked: Mapping[str, Any], confidence: float) -> _Asked:
        """From `CheckSpec.asked`; an error of whatever kind where it makes no sense."""
        proof: Proof = "shown" if asked.get("proof") == "shown" else "table"
        if family == "champion_challenger":
            require = asked["require"]
            limits = Limits(at_least=0.0 if require == "better" else -asked["margin"])
            proof = "table" if require == "not_worse" else "shown"
        elif family == "reproducibility":
            limits = Limits(at_most=0.0)
        else:
            limits = Limits(**{name: asked.get(name) for name in Limits.__slots__})
        cap = asked.get("max_blind")
        return cls(limits, proof, None if cap is None else math.inf if cap == "inf" else float(cap), confidence)

    def verdict(self, estimate: Estimate) -> Verdict:
        """By the one rule. More confidence than was agreed on makes no harm less significant."""
        if 0 < self.confidence < estimate.confidence:
            estimate = replace(estimate, confidence=self.confidence)
        return judge(estimate, self.limits, proof=self.proof, max_blind=self.max_blind).verdict

    @property
    def unproven(self) -> Verdict:
        """What cannot be assessed comes to."""
        return Verdict.FAIL if self.proof == "shown" else Verdict.INCONCLUSIVE

    @property
    def of_a_part(self) -> _Asked:
        """Slices and groups may be as small as they like."""
        return replace(self, max_blind=None)


def contradiction(result: CheckResult, *, confidence: float = 0.0) -> str | None:
    """Why this result cannot be true; None where nothing speaks against it.

    A verdict may be worse than the numbers, never better: nobody gains by that.

    Parameters
    ----------
    result : CheckResult
        Of a check, and not waived.
    confidence : float
        That its interval must have at least.
    """
    of_family = "required" if result.verdict is Verdict.MISSING else result.family
    if result.family not in FAMILIES or result.id.partition(":")[0] not in (result.family, of_family):
        return f"there is no check {result.id!r} of a family {result.family!r}"
    if badness(result.verdict) >= _BLOCKING:
        return None
    try:
        asked = _Asked.of(result.family, result.details["asked"], confidence)
        return next(_reasons(result, asked), None)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return "what it says was asked makes no sense"


def badness(verdict: Verdict) -> int:
    """From 0, which is green, to what always blocks."""
    return _BADNESS.get(verdict, _BLOCKING)


def _reasons(result: CheckResult, asked: _Asked) -> Iterator[str]:
    by_parts = _of_single_columns(result) or _over_time(result)  # a limit or a blind spot may be that of a part alone
    if not by_parts and result.limits != asked.limits:
        yield "its limits are not those that it says were asked for"
    if result.estimate is None:
        if result.verdict is not Verdict.INCONCLUSIVE or result.family not in _MAY_LACK_AN_ESTIMATE:
            yield f"it has no estimate, and says {result.verdict}"
    else:
        yield from _reasons_of_numbers(result.estimate, asked)
        if result.estimate.null not in _nulls(result, asked):
            yield f"its null is {result.estimate.null}, which is not that of its question"
        if not by_parts:
            yield from _better_than(result, asked.verdict(result.estimate), "its own estimate comes to")
    yield from _reasons_of_parts(result, asked)


def _of_single_columns(result: CheckResult) -> bool:
    return _method_of_drift(result) in drift_rule.OF_COLUMNS


def _over_time(result: CheckResult) -> bool:
    return _method_of_drift(result) in drift_rule.OVER_TIME


def _method_of_drift(result: CheckResult) -> str | None:
    """None of another family. What is judged all together is judged otherwise, so that the id has to say so as well."""
    if result.family != "drift":
        return None
    method = result.details["asked"]["subject"]
    known = (*drift_rule.OF_COLUMNS, *drift_rule.OVER_TIME, *drift_rule.OF_ALL_TOGETHER)
    if method not in known or result.id.split(":")[1] != method:
        raise ValueError(f"{result.id} does not ask for {method}")
    return str(method)


def _reasons_of_numbers(estimate: Estimate, asked: _Asked) -> Iterator[str]:
    value, low, high = estimate.value, estimate.low, estimate.high
    if estimate.confidence < asked.confidence:
        yield f"its interval is one of {estimate.confidence:.3g}, and {asked.confidence:.3g} was agreed on"
    if estimate.exact and not low == value == high:
        yield "it is exact, and has an interval"
    beside = _ROUNDING * (1 + abs(value))
    if value < low - beside or value > high + beside:
        yield "its value lies outside of its interval"


def _nulls(result: CheckResult, asked: _Asked) -> tuple[float | None, ...]:
    """What "no effect" may be: a null that is not the question's turns a limit into a matter of significance."""
    if result.family in ("champion_challenger", "drift"):
        return (0.5,) if result.details["asked"]["subject"] == "domain_classifier" else (0.0,)
    if result.family == "fairness":
        form = result.details["asked"]["subject"].rpartition("_")[2]
        return {"difference": (0.0,), "ratio": (1.0,)}.get(form, (None, asked.limits.bound))
    return (None,)


def _better_than(result: CheckResult, least: Verdict, why: str) -> Iterator[str]:
    if badness(result.verdict) < badness(least):
        yield f"it says {result.verdict}, and {why} {least}"


# --- parts -----------------------------------------------------------------------------------------------------------


def _reasons_of_parts(result: CheckResult, asked: _Asked) -> Iterator[str]:
    yield from (f"{name} was asked for, and is not among its parts" for name in _parts_left_out(result))
    of_part = {"drift": _of_column_or_window, "fairness": _of_group}.get(result.family, _of_slice_or_guardrail)
    for part in result.parts:
        if part.parts:
            yield f"its part {part.id} has parts of its own"
        of_numbers = _reasons_of_numbers(part.estimate, asked) if part.estimate else ()
        for reason in (*of_numbers, *of_part(part, result, asked)):
            yield f"of its part {part.id}: {reason}"
    of_all = {"drift": _of_columns, "fairness": _of_groups}.get(result.family)
    yield from of_all(result, asked) if of_all else ()
    yield from _better_than(result, _handed_up(result, asked), "its parts come to")


def _parts_left_out(result: CheckResult) -> Iterator[str]:
    asked = result.details["asked"]
    guardrails = {part.id for part in result.parts if "slice" not in part.details}
    slices = {part.id for part in result.parts if "slice" in part.details}
    yield from (
        f"the guardrail {name}" for name in asked.get("guardrails") or () if _guardrail(result, name) not in guardrails
    )
    for by in asked.get("slices") or ():
        if not any(name.startswith(f"{result.id}:{_quoted(by)}:") for name in slices):
            yield f"a slice by {by}"
    if result.family == "drift":
        columns = {part.details.get("column") for part in result.parts}
        wanted = sorted(drift_rule.named(asked)) if _of_single_columns(result) else ()
        yield from (f"the column {name}" for name in wanted if name not in columns)


def _guardrail(result: CheckResult, name: str) -> str:
    return f"{result.id}:guardrail:{_quoted(name)}"


def _quoted(name: str) -> str:
    return quote(name, safe=" ", errors="backslashreplace")


def _handed_up(result: CheckResult, asked: _Asked) -> Verdict:
    """The mildest verdict that these parts leave to the whole."""
    if result.family == "drift":
        return _of_all_columns_or_windows(result, asked)
    found = [part.verdict for part in result.parts]
    if result.family == "fairness":  # groups have no say, but the worst of them is what is judged
        if Verdict.FAIL in found:
            return Verdict.FAIL
        return Verdict.INCONCLUSIVE if Verdict.ERROR in found else Verdict.PASS
    slices = [part.verdict for part in result.parts if "slice" in part.details]
    unproven = bool(slices) and set(slices) == {Verdict.INCONCLUSIVE}
    handed = [
        part.verdict
        for part in result.parts
        if unproven or "slice" not in part.details or part.verdict is not Verdict.INCONCLUSIVE
    ]
    return max(handed, key=badness, default=Verdict.PASS)


def _of_all_columns_or_windows(result: CheckResult, asked: _Asked) -> Verdict:
    """Where the rows are judged all together, what tells them apart has no say."""
    if _of_single_columns(result):
        return drift_rule.whole(result.parts, _tolerated(result))
    if not _over_time(result):
        return Verdict.PASS
    found = drift_rule.whole(result.parts, 0.0)
    if found is Verdict.PASS and result.parts[-1].estimate is None:  # nobody knows the latest window
        return Verdict.INCONCLUSIVE
    blind = [part for part in result.parts if part.estimate and asked.verdict(part.estimate) is Verdict.ERROR]
    return Verdict.ERROR if 2 * len(blind) >= len(result.parts) and found is not Verdict.FAIL else found


def _of_column_or_window(part: CheckResult, result: CheckResult, asked: _Asked) -> Iterator[str]:
    if _of_single_columns(result):
        met = drift_rule.met_by(result.details["asked"], part.details["column"])
        asked = replace(asked, limits=met.limits, max_blind=met.max_blind)
        yield from _of_column(part, result)
    elif not _over_time(result):
        return
    if part.limits != asked.limits:
        yield "its limits are not those that were asked for"
    if part.estimate is not None:
        least = asked.verdict(part.estimate)
        if _over_time(result) and least is Verdict.ERROR:  # some windows may be blind, if others are not
            least = asked.unproven
        yield from _better_than(part, least, "its own estimate comes to")
    elif badness(part.verdict) < badness(asked.unproven):
        yield f"it has no estimate, and says {part.verdict}"


def _of_column(part: CheckResult, result: CheckResult) -> Iterator[str]:
    """What it counts in what is tolerated."""
    question, column = result.details["asked"], part.details["column"]
    own = f"{result.id}:{_quoted(column)}"
    if part.id not in (own, f"{own}:missing"):
        yield f"it is not of the column {column}"
    role = next((role for role in drift_rule.ROLES if question.get(role) == column), None)
    if role and part.details.get("role") != role:
        yield f"it does not say that it holds the {role}"
    if not _tolerated(result) or part.details.get("role"):
        return
    weight = drift_rule.weight_asked(question, column)
    if weight is not None and part.details["weight"] != weight:
        yield f"its weight is {part.details['weight']}, and {weight} was asked for"


def _tolerated(result: CheckResult) -> float:
    share = float(result.details["asked"].get("tolerate") or 0.0)
    if not 0 <= share < 1:
        raise ValueError(f"{share} is no share")
    return share


def _of_columns(result: CheckResult, asked: _Asked) -> Iterator[str]:
    """They outvote each other, and the worst of them is what the whole is known by."""
    if len({part.id for part in result.parts}) < len(result.parts):
        yield "two of its parts have one name"
    if _of_single_columns(result) or _over_time(result):
        known = [(part.estimate, part.limits if part.estimate else asked.limits) for part in result.parts]
        if (result.estimate, result.limits) not in known:
            yield "its estimate is none of its parts'"


def _of_group(part: CheckResult, result: CheckResult, asked: _Asked) -> Iterator[str]:
    """What a group was compared with is not in the report; one that stands by itself cannot pass beyond the limit."""
    if badness(part.verdict) >= badness(Verdict.INCONCLUSIVE):
        return
    if part.estimate is None:
        yield f"it has no estimate, and says {part.verdict}"
    elif part.limits is not None:
        yield from _better_than(part, asked.of_a_part.verdict(part.estimate), "its own estimate comes to")


def _of_groups(result: CheckResult, asked: _Asked) -> Iterator[str]:
    rates = [rate for part in result.parts for rate in part.details["rates"].values()]
    if not rates:
        yield "it has no groups"
    if result.estimate is None:
        if any(rate and rate["value"] for rate in rates):
            yield "it has no estimate, and its groups have rates"
        yield from _better_than(result, asked.unproven, "what cannot be assessed comes to")
    fewest = result.details["asked"]["min_group_size"]
    small = any(rate is None or rate["n"] < fewest for rate in rates)
    if small or result.details["too_small"] or result.details["not_assessed"]:
        yield from _better_than(result, asked.unproven, "groups that cannot be assessed come to")


def _of_slice_or_guardrail(part: CheckResult, result: CheckResult, asked: _Asked) -> Iterator[str]:
    least = _of_slice(part, result, asked) if "slice" in part.details else _of_guardrail(part, result, asked)
    yield from _better_than(part, least, "its own estimate comes to")


def _of_slice(part: CheckResult, result: CheckResult, asked: _Asked) -> Verdict:
    """A slice that cannot be judged, or of too few rows to pass, is not proven."""
    if part.estimate is None:
        return asked.unproven
    verdict = asked.of_a_part.verdict(part.estimate)
    small = part.details["rows"] < result.details["asked"]["min_slice_size"]
    if verdict is Verdict.ERROR or (small and badness(verdict) < badness(Verdict.INCONCLUSIVE)):
        return asked.unproven
    return verdict


def _of_guardrail(part: CheckResult, result: CheckResult, asked: _Asked) -> Verdict:
    from pytest_mlops.statistics.planning import MARGINS_UNSEEN

    margins = {_guardrail(result, name): margin for name, margin in result.details["asked"]["guardrails"].items()}
    if part.estimate is None:
        return Verdict.ERROR
    margin = margins[part.id]
    guarded = _Asked(Limits(at_least=-margin), "table", MARGINS_UNSEEN * margin, asked.confidence)
    return guarded.verdict(part.estimate)
