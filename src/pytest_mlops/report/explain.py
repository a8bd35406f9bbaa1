"""A verdict in two sentences: what was found, and why that gives the verdict.

The second sentence comes from the rule itself, asked again with the same numbers. Where it does not give the verdict
that stands there, something else decided (a part, a group that is too small), and that is what is said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote

from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import Verdict, judge
from pytest_mlops.verdict.result import SESSION, CheckResult
from pytest_mlops.verdict.wording import count, percent, signed, with_interval

from .reasons import CHAMPION, SAME, Question, asked_of, bound_of, by_the_rule, clause, one_sentence
from .text import plain

_DRIFT, _FAIRNESS = "drift", "fairness"
_EFFECTS = {
    "domain_classifier": "AUC of telling the samples apart",
    "mmd": "distance of the samples",
    "performance": "drop",
    "estimated_performance": "estimated drop",
}
"""What drift is, where it is not one of columns."""
_LONGEST_NAME = 80
_ALL_GOOD = (Verdict.PASS, Verdict.WARN)


def explained(result: CheckResult) -> str:
    """Why a check says what it says, for whoever is new to it.

    Parameters
    ----------
    result : CheckResult
        Of any family and verdict; also one that another program has written.

    Returns
    -------
    str
        Two sentences, free of what could act on a terminal. A page or a table escapes them as it does any text.

    Examples
    --------
    >>> from pytest_mlops import Limits
    >>> estimate = Estimate(value=0.84, low=0.81, high=0.87, confidence=0.95, method="DeLong", n=900)
    >>> print(explained(CheckResult(
    ...     id="performance_threshold:roc_auc", model="credit", family="performance_threshold", verdict=Verdict.PASS,
    ...     message="", estimate=estimate, limits=Limits(at_least=0.8),
    ... )))
    roc_auc is 0.840 (0.810 to 0.870). The limit is at least 0.8, so even the low end passes.
    """
    return f"{_found(result)}. {_why(result)}."


# --- what was found


def _found(result: CheckResult) -> str:
    estimate = result.estimate
    if result.family == SESSION or estimate is None:
        return _found_nothing(result)
    if not all(map(math.isfinite, (estimate.value, estimate.low, estimate.high))):
        return f"The estimate of {_subject(result)} is not a finite number"
    found = {CHAMPION: _improvement, _DRIFT: _column, _FAIRNESS: _groups, SAME: _trainings}.get(result.family)
    return (found and found(result, estimate)) or f"{_subject(result)} is {with_interval(estimate)}"


def _found_nothing(result: CheckResult) -> str:
    verdict = _unwaived(result) or result.verdict
    if verdict is Verdict.MISSING:
        return f"This run has no answer to {_name(unquote(result.id.removeprefix('required:')))}"
    said = one_sentence(result.message) if result.verdict is verdict else ""  # a waived one begins with the waiver
    return said or f"{_subject(result)} has no estimate"


def _improvement(result: CheckResult, estimate: Estimate) -> str:
    subject = _subject(result)
    if estimate.exact and estimate.value == 0:
        return f"In {subject} the challenger equals the champion, on all {count(estimate.n, 'row')}"
    size = signed(estimate.value, resolution=(estimate.high - estimate.low) / 2)
    looks = "better than" if size.startswith("+") else "worse than" if size.startswith("-") else "as good as"
    return f"In {subject} the challenger looks {looks} the champion: improvement {with_interval(estimate, sign=True)}"


def _column(result: CheckResult, estimate: Estimate) -> str:
    """The part that the whole check is known by: of those with its verdict, the one with the largest effect."""
    verdict = _unwaived(result) or result.verdict
    effect, like = _EFFECTS.get(str(asked_of(result).get("subject")), "drift"), _tolerated(result, verdict)
    like = like or _like(result, verdict)
    if not like:
        of = f" of {_part_name(result)}" if "column" in result.details else ""
        return f"The {effect}{of} is {with_interval(estimate)}"
    worst, of = _largest(like), f"{len(like)} of {count(len(result.parts), 'part')}"
    found = f"a {effect} of {with_interval(worst.estimate)}" if worst.estimate else "no estimate"
    where = f"the largest of these is {_part_name(worst)}" if len(like) > 1 else _part_name(worst)
    return f"{of} {'are' if len(like) > 1 else 'is'} {worst.verdict}: {where}, with {found}"


def _groups(result: CheckResult, estimate: Estimate) -> str:
    rates = result.details.get("rates")
    if isinstance(rates, Mapping):  # one group: its estimate is a rate, and no disparity
        values = {name: rate.get("value") for name, rate in rates.items() if isinstance(rate, Mapping)}
        rate = next((name for name, value in values.items() if value == estimate.value), "rate")
        return f"In the group {_part_name(result)} the {_name(rate).replace('_', ' ')} is {with_interval(estimate)}"
    by, widest = _texts(asked_of(result).get("by")), result.details.get("widest")
    of = f" by {_name(' and '.join(by))}" if by else ""
    pair = [widest.get(end) for end in ("higher", "lower")] if isinstance(widest, Mapping) else []
    apart = f", furthest apart are {' and '.join(map(_name, pair))}" if all(pair) and pair else ""
    return f"{_subject(result)}{of} is {with_interval(estimate)}{apart}"


def _trainings(result: CheckResult, estimate: Estimate) -> str | None:
    if not estimate.exact or estimate.value % 1:
        return None
    asked = asked_of(result)
    runs = asked.get("runs")
    who = f"{runs} trainings" if isinstance(runs, int) else "The trainings"
    if estimate.value:
        return f"{who} differ in what they predict for {estimate.value:,.0f} of {count(estimate.n, 'row')}"
    how = " within the tolerance" if asked.get("atol") or asked.get("rtol") else ""
    return f"{who} gave the same predictions{how} on {count(estimate.n, 'row')}"


# --- why that gives the verdict


def _why(result: CheckResult) -> str:
    if result.verdict is not Verdict.WAIVED:
        return _reason(result, result.verdict)
    before, waiver = _unwaived(result), result.details.get("waived")
    reason = _reason(result, before) if before else "It does not pass by itself"
    known = isinstance(waiver, Mapping) and {"until", "owner"} <= waiver.keys()
    until = f" (until {_name(waiver['until'])}, owner {_name(waiver['owner'])})" if waiver and known else ""
    return f"{reason}, but the policy waives it{until}"


def _reason(result: CheckResult, verdict: Verdict) -> str:
    if verdict is Verdict.MISSING:
        return "The policy or the champion's record asks for it, and what is not answered does not pass"
    if result.family == SESSION:
        return _of_the_run(verdict)
    if result.family == _DRIFT and result.parts:
        return _of_columns(result, verdict) or _of_something_else(result, verdict)
    by_rule = by_the_rule(result, verdict, Question.all_of(result))
    return by_rule or _of_parts(result, verdict) or _of_something_else(result, verdict)


def _of_the_run(verdict: Verdict) -> str:
    if verdict in (Verdict.FAIL, Verdict.ERROR):
        return "That is a problem with the run itself, and such a run proves nothing about the model"
    return "That is a remark on the run itself, for whoever reviews it"


def _of_columns(result: CheckResult, verdict: Verdict) -> str | None:
    if _tolerated(result, verdict):
        return _of_tolerated_columns(result)
    if verdict in (Verdict.PASS, Verdict.INCONCLUSIVE):
        passed = _like(result, Verdict.PASS)
        proven = [part for part in passed if by_the_rule(part, Verdict.PASS, _questions(result, part))]
        return _of_most_columns(result, verdict, len(proven))
    like = _like(result, verdict)
    worst = _largest(like) if like else result
    return by_the_rule(worst, verdict, _questions(result, worst)) or _of_something_else(worst, verdict)


def _questions(result: CheckResult, part: CheckResult) -> Sequence[Question]:
    """What is asked of one column: with a limit of its own, its largest blind spot moves in proportion."""
    at_most = asked_of(result).get("at_most")
    if part.limits is None or isinstance(at_most, bool) or not isinstance(at_most, int | float) or not at_most:
        return Question.all_of(result)
    times = part.limits.bound / at_most
    return [
        question if question.max_blind is None else replace(question, max_blind=question.max_blind * times)
        for question in Question.all_of(result)
    ]


def _of_most_columns(result: CheckResult, verdict: Verdict, proven: int) -> str | None:
    """A few parts that nobody can be sure of do not outweigh those that were shown to be fine."""
    n, limit = len(result.parts), "its limit" if asked_of(result).get("limits") else bound_of(result)
    if verdict is Verdict.INCONCLUSIVE:
        few = f"Only {proven} of {count(n, 'part')} {'is' if proven == 1 else 'are'} shown to keep to {limit}"
        return f"{few}, and it takes more than half" if 2 * proven <= n else None
    if proven == n:
        return f"Every part is shown to keep to {limit}"
    most = 2 * proven > n and proven + len(_like(result, Verdict.INCONCLUSIVE)) == n
    return f"More than half are shown to keep to {limit}, and no other is proven to exceed it" if most else None


def _tolerated(result: CheckResult, verdict: Verdict) -> list[CheckResult]:
    """Columns that FAIL, and the whole only WARNs."""
    return _like(result, Verdict.FAIL) if verdict is Verdict.WARN and result.family == _DRIFT else []


def _of_tolerated_columns(result: CheckResult) -> str | None:
    drifted = result.details.get("drifted")
    share = _share(drifted.get("share")) if isinstance(drifted, Mapping) else None
    tolerate = _share(asked_of(result).get("tolerate"))
    if share is None or tolerate is None:
        return None
    return (
        f"What has drifted holds {percent(share)} of the weight of all features, and {percent(tolerate)} is tolerated"
    )


def _share(value: object) -> float | None:
    return value if isinstance(value, int | float) and 0 <= value <= 1 else None


def _of_parts(result: CheckResult, verdict: Verdict) -> str | None:
    """All rows together say something else: a slice or a guardrail decides."""
    like, alone = _like(result, verdict), _alone(result)
    if not like or result.family == _FAIRNESS:  # whose groups have no say in the whole
        return None
    first = like[0]
    value = f" at {with_interval(first.estimate, sign=result.family == CHAMPION)}" if first.estimate else ""
    first_of = f"{len(like)} of its parts are {verdict}, first of them {_part_name(first)}{value}"
    found = first_of if len(like) > 1 else f"its part {_part_name(first)}{value} is {verdict}"
    return f"By itself that would be {alone}, but {found}" if alone else f"{found[0].upper()}{found[1:]}"


def _alone(result: CheckResult) -> Verdict | None:
    """What all rows together give, where it is known how that was asked."""
    question = Question.all_of(result)[0]
    if result.estimate is None or result.limits is None or not question.known:
        return None
    return judge(result.estimate, result.limits, proof=question.proof, max_blind=question.max_blind).verdict


def _of_something_else(result: CheckResult, verdict: Verdict) -> str:
    small, doubts = (_texts(result.details.get(name)) for name in ("too_small", "not_assessed"))
    if verdict not in _ALL_GOOD and (small or doubts):
        which = [f"too few rows in {', '.join(small)}"] if small else []
        return clause("Not every group can be assessed, which keeps it from passing", "; ".join([*which, *doubts]))
    because = result.details.get("because")
    if isinstance(because, str) and because:
        return clause("The answer is", because)
    if result.estimate is None and verdict is Verdict.ERROR:
        return "What cannot be judged never passes"
    return f"How that comes to {verdict} the report does not say"


# --- what a result says of itself, read as if anybody had written it


def _subject(result: CheckResult) -> str:
    """The metric, and the slice or guardrail that a part is about."""
    asked, own, some = asked_of(result).get("subject"), result.id.split(":"), result.details.get("slice")
    metric = own[-1] if len(own) < 2 or "margin" in result.details else own[1]
    name = _name(asked if isinstance(asked, str) and asked else unquote(metric))
    return f"{name} of {_name(some)}" if isinstance(some, str) else name


def _part_name(part: CheckResult) -> str:
    known = (*(part.details.get(what) for what in ("slice", "column", "window")), unquote(part.id.rsplit(":", 1)[-1]))
    name = _name(next(name for name in known if isinstance(name, str)))
    return f"{name} (missing values)" if part.details.get("of_missing") else name


def _unwaived(result: CheckResult) -> Verdict | None:
    """What a waived check would be."""
    waiver = result.details.get("waived")
    said = waiver.get("verdict") if result.verdict is Verdict.WAIVED and isinstance(waiver, Mapping) else None
    return next((verdict for verdict in Verdict if verdict == said and verdict is not Verdict.WAIVED), None)


def _like(result: CheckResult, verdict: Verdict) -> list[CheckResult]:
    return [part for part in result.parts if part.verdict is verdict]


def _largest(parts: Sequence[CheckResult]) -> CheckResult:
    return max(parts, key=_effect)


def _effect(part: CheckResult) -> float:
    """In limits, as columns may have their own; a part without an effect tells the least."""
    if part.estimate is None or not math.isfinite(part.estimate.value):
        return -math.inf
    bound = abs(part.limits.bound) if part.limits else 0.0
    return part.estimate.value / bound if bound else part.estimate.value


def _texts(found: object) -> list[str]:
    return [text for text in found if isinstance(text, str)] if isinstance(found, list | tuple) else []


def _name(text: object) -> str:
    return plain(str(text), longest=_LONGEST_NAME) or "(no name)"
