"""The one rule that turns an estimate into a verdict. It stands here and nowhere else."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from .errors import MlopsUsageError
from .estimate import Estimate
from .wording import number


class Verdict(StrEnum):
    """The answer of one check."""

    PASS = "PASS"
    WARN = "WARN"
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"
    ERROR = "ERROR"
    MISSING = "MISSING"
    WAIVED = "WAIVED"


BLIND = "test set too small for this limit"
"""Why a check that could not see the harm is an ERROR."""

Proof = Literal["table", "shown"]
"""``"table"``: what is not proven either way is INCONCLUSIVE. ``"shown"``: what is not shown FAILs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where an estimate becomes worrisome, and where it becomes unacceptable.

    Parameters
    ----------
    at_least, at_most : float or None
        The fail bound: exactly one of the two, finite.
    warn_below, warn_above : float or None
        The warn bound, on the safe side of the fail bound: `warn_below` goes with `at_least`,
        `warn_above` with `at_most`.

    Raises
    ------
    MlopsUsageError
        A bound is missing, doubled, not a finite number, or on the wrong side of the other.
    """

    at_least: float | None = None
    at_most: float | None = None
    warn_below: float | None = None
    warn_above: float | None = None

    def __post_init__(self) -> None:
        for name, bound in asdict(self).items():
            if bound is not None and not _is_number(bound):
                raise MlopsUsageError(f"{name}={bound!r} is not a limit: give a finite number")
        if (self.at_least is None) == (self.at_most is None):
            given = "neither" if self.at_least is None else "both"
            raise MlopsUsageError(f"give exactly one of at_least= and at_most= ({given} given)")
        self._check_warn_bound()

    def _check_warn_bound(self) -> None:
        warn, right, wrong = (
            ("warn_below", self.warn_below, self.warn_above)
            if self.at_most is None
            else ("warn_above", self.warn_above, self.warn_below)
        )
        if wrong is not None:
            raise MlopsUsageError(f"the warn bound beside {self.words()} is {warn}=")
        if right is not None and self.beyond(right, self.bound):
            raise MlopsUsageError(
                f"{warn}={right} lies beyond the fail bound {self.bound}: it would never warn; move it to the safe side"
            )

    @property
    def bound(self) -> float:
        """The fail bound."""
        bound = self.at_least if self.at_least is not None else self.at_most
        assert bound is not None  # __post_init__ has seen to it
        return bound

    @property
    def warn_bound(self) -> float | None:
        """The warn bound, if one is set."""
        return self.warn_below if self.at_least is not None else self.warn_above

    def beyond(self, value: float, bound: float) -> bool:
        """Is `value` on the harmful side of `bound`? The bound itself is still safe."""
        return value < bound if self.at_least is not None else value > bound

    def words(self) -> str:
        """The fail bound for people: ``at least 0.8``."""
        return f"at {'least' if self.at_least is not None else 'most'} {number(self.bound)}"

    def to_dict(self) -> dict[str, float | None]:
        """Builtins only."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Limits:
        """The inverse of `to_dict`."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and the clause that says why."""

    verdict: Verdict
    because: str


def judge(estimate: Estimate, limits: Limits, *, proof: Proof = "table", max_blind: float | None = None) -> Judgement:
    """Meet an estimate with its limits.

    Parameters
    ----------
    estimate : Estimate
    limits : Limits
    proof : {"table", "shown"}
        With ``"shown"`` an interval that is not wholly inside the bound is a FAIL.
    max_blind : float or None
        The largest blind spot that is allowed where nothing else is proven; None for any.

    Returns
    -------
    Judgement
        Blindness speaks only where the answer would be INCONCLUSIVE: a harm that is significant was seen, and an
        interval wholly inside the bound has excluded the harm, whatever the size of the test set. It speaks also
        where equality was exact, on rows too few to tell equal models from different ones.
    """
    unsound = _unsound(estimate)
    if unsound:
        return Judgement(Verdict.ERROR, unsound)
    near = estimate.low if limits.at_least is not None else estimate.high
    if estimate.doubt is not None:
        return _judge_doubtful(estimate, limits, proof, max_blind)
    if proof == "shown":
        return _judge_shown(estimate, limits, near, max_blind)
    if limits.beyond(estimate.value, limits.bound):
        return _judge_beyond(estimate, max_blind)
    if limits.beyond(near, limits.bound) or (near == limits.bound and not estimate.exact):
        return _unproven("looks fine, not proven", estimate, max_blind)
    return _judge_inside(estimate, limits, max_blind)


def _unsound(estimate: Estimate) -> str | None:
    if not all(math.isfinite(x) for x in (estimate.value, estimate.low, estimate.high)):
        return "the estimate is not a finite number"
    if estimate.low > estimate.high:
        return "the interval's ends are in the wrong order"
    if estimate.low == estimate.high and not estimate.exact:
        return "the interval has width 0 and no formula justifies it: the rows show no variation at all"
    return None


def _judge_doubtful(estimate: Estimate, limits: Limits, proof: Proof, max_blind: float | None) -> Judgement:
    """An interval that proves nothing lets nothing pass; what needs no interval to FAIL still does."""
    assert estimate.doubt is not None
    if limits.beyond(estimate.value, limits.bound) and estimate.null is None:
        return Judgement(Verdict.FAIL, "requirement not met")
    if proof == "shown":
        return Judgement(Verdict.FAIL, f"not shown: {estimate.doubt}")
    return _unproven(f"not proven: {estimate.doubt}", estimate, max_blind)


def _judge_shown(estimate: Estimate, limits: Limits, near: float, max_blind: float | None) -> Judgement:
    if limits.beyond(near, limits.bound) or near == limits.bound:
        return Judgement(Verdict.FAIL, "not shown")
    return _judge_inside(estimate, limits, max_blind)


def _judge_inside(estimate: Estimate, limits: Limits, max_blind: float | None) -> Judgement:
    if estimate.exact and _too_blind(estimate, max_blind):
        return Judgement(Verdict.ERROR, BLIND)
    warn = limits.warn_bound
    if warn is not None and limits.beyond(estimate.value, warn):
        return Judgement(Verdict.WARN, f"inside the limit, but beyond the warn bound {number(warn)}")
    return Judgement(Verdict.PASS, "exact" if estimate.exact else "shown: the whole interval is inside the limit")


def _judge_beyond(estimate: Estimate, max_blind: float | None) -> Judgement:
    if estimate.null is None:
        return Judgement(Verdict.FAIL, "requirement not met")
    if estimate.p_value is None or not math.isfinite(estimate.p_value):
        return Judgement(Verdict.ERROR, "a comparison without a p-value cannot be judged")
    if estimate.p_value <= (1 - estimate.confidence) / 2:
        return Judgement(Verdict.FAIL, "the harm is significant")
    return _unproven("looks bad, may be noise", estimate, max_blind)


def _unproven(because: str, estimate: Estimate, max_blind: float | None) -> Judgement:
    if _too_blind(estimate, max_blind):
        return Judgement(Verdict.ERROR, BLIND)
    return Judgement(Verdict.INCONCLUSIVE, because)


def _too_blind(estimate: Estimate, max_blind: float | None) -> bool:
    """Where the blind spot is not known, the check is blind."""
    return max_blind is not None and not (estimate.blind_spot is not None and estimate.blind_spot <= max_blind)


def _is_number(bound: object) -> bool:
    return isinstance(bound, int | float) and not isinstance(bound, bool) and math.isfinite(bound)
