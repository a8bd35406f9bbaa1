"""Why a number gives a verdict: the one rule is asked again, with the limits and the arguments that a result tells."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import BLIND, Judgement, Limits, Proof, Verdict, judge
from pytest_mlops.verdict.result import CheckResult
from pytest_mlops.verdict.wording import number

from .text import plain

CHAMPION, SAME = "champion_challenger", "reproducibility"
_LONGEST_SENTENCE = 300
_END_OF_SENTENCE = re.compile(r"(?<!e\.g)[.!?]+\s")


@dataclass(frozen=True, slots=True)
class Question:
    """What `judge` was asked besides the limits.

    Parameters
    ----------
    proof : {"table", "shown"}
    max_blind : float or None
    known : bool
        False where the result does not tell, and this is a guess that the verdict confirms or not.
    """

    proof: Proof
    max_blind: float | None
    known: bool = True

    @classmethod
    def all_of(cls, result: CheckResult) -> Sequence[Question]:
        """The one that was asked, or the likely ones."""
        asked = asked_of(result)
        if not asked:
            return [cls("table", None, False), cls("shown", None, False), cls("table", 0.0, False)]
        shown = asked.get("proof") == "shown" or asked.get("require", "not_worse") != "not_worse"
        return [cls("shown" if shown else "table", _number(asked.get("max_blind")))]


def by_the_rule(result: CheckResult, verdict: Verdict, questions: Sequence[Question]) -> str | None:
    """The reason, where the result's own numbers give this verdict."""
    estimate, limits = result.estimate, result.limits
    if estimate is None or limits is None:
        return None
    for question in questions:
        judgement = judge(estimate, limits, proof=question.proof, max_blind=question.max_blind)
        if judgement.verdict is verdict:
            return _Reason(result, estimate, limits, question).words(judgement)
    return None


@dataclass(frozen=True, slots=True)
class _Reason:
    """Numbers that the rule has judged, and how to say it."""

    result: CheckResult
    estimate: Estimate
    limits: Limits
    question: Question

    def words(self, judgement: Judgement) -> str:
        """For the judgement that the rule has come to."""
        if judgement.verdict is Verdict.ERROR:
            return self._unjudged(judgement)
        if self.estimate.doubt is not None and not (judgement.verdict is Verdict.FAIL and self._misses):
            had_to = "It had to be shown, and the interval" if judgement.verdict is Verdict.FAIL else "The interval"
            return clause(f"{had_to} proves nothing", self.estimate.doubt)
        say = {Verdict.PASS: self._passes, Verdict.WARN: self._warns, Verdict.FAIL: self._fails}
        return say.get(judgement.verdict, self._open)()

    @property
    def _misses(self) -> bool:
        """It needs no interval to be wrong."""
        return self.estimate.null is None and self._beyond

    @property
    def _beyond(self) -> bool:
        return self.limits.beyond(self.estimate.value, self.limits.bound)

    @property
    def _low_or_high(self) -> tuple[str, float, str]:
        """The end of the interval that counts, and where harm lies."""
        if self.limits.at_least is not None:
            return "low", self.estimate.low, "below"
        return "high", self.estimate.high, "above"

    @property
    def _margin(self) -> bool:
        """Is the limit the margin of a loss?"""
        return _is_margin(self.result)

    def _unjudged(self, judgement: Judgement) -> str:
        if judgement.because == BLIND:
            return f"The test set is too small for this limit: {self._unseen}"
        if not all(map(math.isfinite, (self.estimate.value, self.estimate.low, self.estimate.high))):
            return "What is no number cannot be judged, and never passes"
        if self._beyond and "p-value" in judgement.because:
            return "That is beyond the limit, and without a p-value nobody can say whether by chance"
        return clause("That cannot be judged", judgement.because)

    @property
    def _unseen(self) -> str:
        spot, cap = self.estimate.blind_spot, self.question.max_blind
        if spot is None or not math.isfinite(spot):
            return "how much harm it would overlook is not known"
        unseen = f"harm of {number(spot)} could be overlooked"
        return f"{unseen}, and at most {number(cap)} may be" if self.question.known and cap is not None else unseen

    def _passes(self) -> str:
        end, _, _ = self._low_or_high
        if self.result.family == SAME and self.limits.bound == 0:
            return "No row may differ, and none does"
        if self.estimate.exact:
            return f"That is known exactly, and keeps to {bound_of(self.result)}"
        if self._margin and self.limits.bound == 0:
            return "It must be better, and even the low end is"
        if self._margin:
            return f"It may lose {number(-self.limits.bound)} at most, so even the low end passes"
        return f"The limit is {self.limits.words()}, so even the {end} end passes"

    def _warns(self) -> str:
        end, _, side = self._low_or_high
        assert self.limits.warn_bound is not None  # or there was nothing to warn of
        all_of_it = "That" if self.estimate.exact else f"Even the {end} end"
        warn = f"the value is {side} the warn bound of {number(self.limits.warn_bound)}"
        return f"{all_of_it} keeps to {bound_of(self.result)}, but {warn}"

    def _fails(self) -> str:
        if self.question.proof == "shown" and self.estimate.doubt is None:
            return self._not_shown()
        if self.result.family == SAME and self.limits.bound == 0:
            return "No row may differ: requirement not met"
        if self._misses:
            return f"The value {self._just(self.estimate.value)}misses {bound_of(self.result)}: requirement not met"
        much = "too large" if self._margin else "too far off"
        return f"{self._harm('is')}, and {much} to be chance ({self._p_value})"

    def _not_shown(self) -> str:
        if not (self._margin and self.limits.bound == 0):
            return f"It had to be shown, and {self._reaches('value' if self.estimate.exact else 'interval')}"
        found = "is exactly" if self.estimate.exact else "the interval reaches down to"
        return f"It had to be shown to be better, and {found} {self._rounded(self.estimate.low)}"

    def _open(self) -> str:
        if self._beyond:
            return f"{self._harm('looks')}, but that may be chance ({self._p_value})"
        reaches = self._reaches("interval")
        small = self._margin and self.estimate.value < 0
        looks = "the loss looks small enough, but that" if small else "it looks fine, and"
        return f"{reaches[0].upper()}{reaches[1:]}: {looks} is not proven"

    def _reaches(self, what: str) -> str:
        _, near, side = self._low_or_high
        bound = bound_of(self.result)
        if near == self.limits.bound:
            return f"the {what} ends on {bound} itself"
        return f"the {what} {self._just(near)}reaches {'beyond' if self._margin else side} {bound}"

    def _harm(self, verb: str) -> str:
        _, _, side = self._low_or_high
        if not self._margin:
            return f"The value {verb} {side} {bound_of(self.result)}"
        measured = "measured loss" if verb == "is" else "loss"
        return f"The {measured} {verb} {f'larger than {bound_of(self.result)}' if self.limits.bound else 'real'}"

    def _just(self, value: float) -> str:
        """So that nobody wonders at 0.800 that misses 0.8."""
        return "just " if self._rounded(value) == self._rounded(self.limits.bound) else ""

    def _rounded(self, value: float) -> str:
        return number(value, resolution=(self.estimate.high - self.estimate.low) / 2)

    @property
    def _p_value(self) -> str:
        p_value = self.estimate.p_value
        assert p_value is not None  # or it was no judgement
        return "p < 0.001" if p_value < 0.001 else f"p = {number(p_value)}"


def bound_of(result: CheckResult) -> str:
    """``the limit of at least 0.8``, ``the margin of 0.02``."""
    limits = result.limits
    if limits is None:
        return "the limit"
    return f"the margin of {number(-limits.bound)}" if _is_margin(result) else f"the limit of {limits.words()}"


def _is_margin(result: CheckResult) -> bool:
    limits = result.limits
    return result.family == CHAMPION and limits is not None and limits.at_least is not None and limits.bound <= 0


def asked_of(result: CheckResult) -> Mapping[str, Any]:
    """The arguments of the check; nothing where an older report does not tell."""
    asked = result.details.get("asked")
    return asked if isinstance(asked, Mapping) else {}


def _number(value: object) -> float | None:
    if value == "inf":
        return math.inf
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def clause(lead: str, why: str) -> str:
    """``The interval proves nothing: it rests on 4 units of rows, and 6 are needed``."""
    why = one_sentence(why)
    return f"{lead}: {why}" if why else lead


def one_sentence(text: str) -> str:
    """The first one, without its full stop."""
    return _END_OF_SENTENCE.split(plain(text, longest=_LONGEST_SENTENCE), maxsplit=1)[0].rstrip(".!? ")
