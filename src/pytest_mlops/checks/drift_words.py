"""What a drift check says of its columns: the worst first, and what is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlops.statistics.power import supported_margin
from pytest_mlops.verdict.limits import Limits, Verdict
from pytest_mlops.verdict.wording import count, number, rounded_up, with_interval

from .drift_arguments import supports
from .drift_questions import values_needed
from .drift_rule import LIMITS_UNSEEN, Drifted
from .parts import BLAMED, WORST_FIRST, effect, known_by, worst_first

if TYPE_CHECKING:
    from pytest_mlops.verdict.estimate import Estimate
    from pytest_mlops.verdict.result import CheckResult

    from .drift_questions import Question

EFFECTS = {
    "ks": "KS distance",
    "cramers_v": "Cramér's V",
    "wasserstein": "Wasserstein distance",
    "psi": "PSI",
    "jensen_shannon": "Jensen–Shannon distance",
    "hellinger": "Hellinger distance",
}
"""What the methods measure."""

_FEW_NAMED = 5
_MANY_NAMED = 20
_WORTH_SAYING = 0.0005
_ERROR = 0.002
"""Of two summaries of many values; only profiles in which small counts are suppressed hide more."""


# --- of one column


def finding(found: Estimate, limits: Limits, details: Mapping[str, Any]) -> str:
    """What was found of a column, why it gives the verdict, and what is odd about its values."""
    values = details["values"]
    what = "of the missing among" if details["of_missing"] else "of"
    sizes = f"{values['reference']:,} and {values['current']:,} values"
    sentences = [
        f"{_lead(details)}: {EFFECTS[details['method']]} {what} {sizes} is {with_interval(found)}, the limit is "
        f"{limits.words()}: {details['because']}.",
        all_missing(details),
        _own_moves(details),
        *details.get("notes", ()),
        _off(details),
        details["ways_out"],
    ]
    return " ".join(filter(None, sentences))


def all_missing(details: Mapping[str, Any]) -> str:
    """Of a part about missing values: why the column has no other part."""
    empty = [role for role, missing in details["missing"].items() if missing == details["values"][role]]
    return f"The {empty[0]} sample has no other value of it: there is nothing else to compare." if empty else ""


def _own_moves(details: Mapping[str, Any]) -> str:
    if "noise_floor" not in details:
        return ""
    return f"The reference's own {details['blocks']} stretches differ by up to {number(details['noise_floor'])}."


def _off(details: Mapping[str, Any]) -> str:
    error = details.get("error", 0.0)
    return f"Counted in cells, which hides at most {number(error)} more." if error > _WORTH_SAYING else ""


def ways_out(question: Question, method: str, *, own: bool) -> str:
    """Of a blind column: the values that its limit needs, or the limit that so few values support.

    Parameters
    ----------
    question : Question
        Answered, and blind.
    method : str
        That was asked for.
    own : bool
        Has the column a limit of its own?
    """
    found, met = question.found, question.met
    assert found is not None
    if "blocks" in question.details:
        return "Give longer samples, or raise max_blind=."
    if found.standard_error is None or met.max_blind <= met.limits.bound:
        return "Judge larger samples, or raise max_blind=."
    if question.details.get("error", 0.0) > max(met.limits.bound, _ERROR):
        return "Make the profile with a smaller --suppress-below, or raise max_blind=."
    at_most = supported_margin(found, LIMITS_UNSEEN, comparisons=question.comparisons)
    limit = f"limits={{{question.names[0]!r}: {rounded_up(at_most)}}}" if own else f"at_most={rounded_up(at_most)}"
    wider = f"use {limit} or more" if met.usual and supports(method, at_most) else "raise max_blind="
    return f"Give about {values_needed(question, found.confidence):,} values in each sample, or {wider}."


# --- of all of them


@dataclass(frozen=True, slots=True)
class Whole:
    """What the whole check was asked, and what it comes to.

    Parameters
    ----------
    limits : Limits
    own : mapping
        Limits of single columns.
    tolerate : float
        The share of the weight that may FAIL.
    n, m : int
        Rows of the reference and of the current sample.
    added : sequence of str
        New columns.
    later : sequence of str
        Columns that the current sample does not have yet.
    """

    limits: Limits
    own: Mapping[str, float]
    tolerate: float
    n: int
    m: int
    added: Sequence[str]
    later: Sequence[str]

    def message(self, parts: Sequence[CheckResult]) -> str:
        """The tally, the worst columns, those that are not known, and new ones."""
        sentences = [
            f"{self.n:,} reference and {self.m:,} current rows, the limit is {self._limit}: {_tally(parts)}.",
            *self._tolerated(parts),
            *_blame(parts),
            *_unclear(parts),
        ]
        if self.added:
            sentences.append(f"New, with nothing to compare to: {listed(self.added)}.")
        if self.later:
            sentences.append(f"Not judged, for the current sample does not have it yet: {listed(self.later)}.")
        return " ".join(sentences)

    @property
    def _limit(self) -> str:
        """``at most 0.1 (age: 0.2)``."""
        shown = [f"{name}: {number(own)}" for name, own in list(self.own.items())[:_FEW_NAMED]]
        more = len(self.own) - len(shown)
        own = f" ({', '.join(shown)}{f' and {more} more' if more else ''})" if shown else ""
        return f"{self.limits.words()}{own}"

    def _tolerated(self, parts: Sequence[CheckResult]) -> list[str]:
        if not self.tolerate:
            return []
        drifted = Drifted.among(parts)
        return [f"{drifted.words(self.tolerate)}."] if drifted.columns else []


def worst(parts: Sequence[CheckResult], verdict: Verdict) -> CheckResult:
    """The part that the whole check is known by: of those with its verdict and an estimate, if there are any.

    A FAIL that is tolerated is what a WARN is about.
    """
    tolerated = verdict is Verdict.WARN and any(part.verdict is Verdict.FAIL for part in parts)
    return known_by(parts, Verdict.FAIL if tolerated else verdict)


def _tally(parts: Sequence[CheckResult]) -> str:
    tally = Counter(part.verdict for part in parts)
    if set(tally) == {Verdict.PASS}:
        return f"no drift in {count(len(parts), 'part')}"
    verdicts = ", ".join(f"{tally[verdict]} {verdict}" for verdict in WORST_FIRST if tally[verdict])
    return f"{verdicts} of {count(len(parts), 'part')}"


def _blame(parts: Sequence[CheckResult]) -> list[str]:
    """The worst parts; where there is none, the largest effect."""
    blamed = [part for part in worst_first(parts) if part.verdict in BLAMED]
    if not blamed:
        largest = max((part for part in parts if part.estimate), key=effect, default=None)
        return [] if largest is None else [f"Largest effect: {_brief(largest)}."]
    sentences = [f"{_brief(part)}: {part.details['because']}." for part in blamed[:_FEW_NAMED]]
    if more := blamed[_FEW_NAMED:]:
        sentences.append(f"And {len(more)} more: {listed([_shown(part) for part in more])}.")
    ways_out = [part.details["ways_out"] for part in blamed if part.details.get("ways_out")]
    return [*sentences, *ways_out[:1]]


def _unclear(parts: Sequence[CheckResult]) -> list[str]:
    """Parts that say neither yes nor no; why, where it is the same for all of them."""
    sentences = []
    unclear = [part for part in parts if part.verdict is Verdict.INCONCLUSIVE]
    for estimated, what in ((True, "Not proven either way"), (False, "Could not be assessed")):
        like = [part for part in unclear if (part.estimate is not None) is estimated]
        whys = {part.details["because"] for part in like}
        why = f" ({whys.pop()})" if len(whys) == 1 and not estimated else ""
        if like:
            sentences.append(f"{what}: {count(len(like), 'part')}: {listed([_shown(part) for part in like])}{why}.")
    return sentences


def _brief(part: CheckResult) -> str:
    """``age: KS distance 0.31 (0.28 to 0.34)``."""
    if part.estimate is None:
        return _shown(part)
    own = _own_moves(part.details).rstrip(".")
    own = f", and {own[0].lower()}{own[1:]}" if own else ""
    return f"{_shown(part)}: {EFFECTS[part.details['method']]} {with_interval(part.estimate)}{own}"


def _lead(details: Mapping[str, Any]) -> str:
    """``age``; ``label drift in y``: a column that is no feature says what it is."""
    column, role = str(details["column"]), details.get("role")
    if role is None:
        return column
    return f"{role} drift" if column == role else f"{role} drift in {column}"


def _shown(part: CheckResult) -> str:
    """The name of a part as people know it: its column, and whether it is about missing values."""
    lead = _lead(part.details)
    return f"{lead} (missing values)" if part.details.get("of_missing") else lead


def listed(names: Sequence[str]) -> str:
    """At most 20 names."""
    shown = ", ".join(names[:_MANY_NAMED])
    return f"{shown} and {len(names) - _MANY_NAMED} more" if len(names) > _MANY_NAMED else shown
