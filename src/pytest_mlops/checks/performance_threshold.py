"""Is the model good enough? One metric against one limit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pytest_mlops.evidence.metrics import Metric, metric_named
from pytest_mlops.statistics.power import with_blind_spot
from pytest_mlops.verdict.errors import MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import BLIND, Judgement, Limits, Proof, judge
from pytest_mlops.verdict.wording import number, with_interval

from .estimation import estimate
from .spec import CheckSpec, Settings, one_of, positive_number

if TYPE_CHECKING:
    from pytest_mlops.evidence.sources import Sources
    from pytest_mlops.verdict.result import CheckResult

FAMILY = "performance_threshold"


@dataclass(frozen=True, slots=True)
class PerformanceThreshold:
    """A validated question. `Gate.performance_threshold` documents the arguments."""

    metric: Metric
    limits: Limits
    proof: Proof
    max_blind: float | None
    name: str | None

    @classmethod
    def ask(
        cls, metric: str, *, limits: Limits, proof: Proof, max_blind: float | None, name: str | None
    ) -> PerformanceThreshold:
        """Check the arguments; raise a `MlopsUsageError` that says what would be right."""
        found = metric_named(metric)
        right_way_round(found, limits)
        within_range(found, limits)
        one_of(proof, get_args(Proof), "proof")
        cap = None if max_blind is None else positive_number(max_blind, "max_blind")
        return cls(found, limits, proof, cap, name)

    @property
    def spec(self) -> CheckSpec:
        """What is asked."""
        arguments = {**self.limits.to_dict(), "proof": self.proof, "max_blind": self.max_blind}
        return CheckSpec(family=FAMILY, subject=self.metric.name, name=self.name, arguments=arguments)

    def answer(self, sources: Sources, settings: Settings) -> CheckResult:
        """Judge the challenger."""
        challenger = sources.challenger()
        found = with_blind_spot(estimate(self.metric, challenger, confidence=settings.confidence), self.limits.bound)
        judgement = judge(found, self.limits, proof=self.proof, max_blind=self.max_blind)
        message = (
            f"{self.metric.name} is {with_interval(found)} on {found.n:,} rows, the limit is {self.limits.words()}: "
            f"{judgement.because}."
        )
        return self.spec.result(
            settings,
            judgement.verdict,
            " ".join([message, *self._ways_out(found, judgement), *note_sentences(challenger.notes)]),
            estimate=found,
            limits=self.limits,
            details={"notes": list(challenger.notes)},
        )

    def _ways_out(self, found: Estimate, judgement: Judgement) -> list[str]:
        """Of a blind check: the rows with which the blind spot, which shrinks with √n, is as small as was asked."""
        if judgement.because != BLIND or found.blind_spot is None or self.max_blind is None:
            return []
        rows = math.ceil(found.n * (found.blind_spot / self.max_blind) ** 2)
        return [
            f"A model that is {number(found.blind_spot)} beyond the limit can go unseen here, and at most "
            f"{number(self.max_blind)} may. Judge on about {rows:,} rows, or raise max_blind=."
        ]


def note_sentences(notes: tuple[str, ...]) -> list[str]:
    """What is odd about an evaluation, and no error."""
    return [f"Note: {note}." for note in notes]


def right_way_round(metric: Metric, limits: Limits) -> None:
    """`at_least` goes with what is better when greater, `at_most` with what is better when smaller."""
    if metric.greater_is_better and limits.at_most is not None:
        raise MlopsUsageError(f"{metric.name} is better when greater: its limit is at_least=, not at_most=")
    if not metric.greater_is_better and limits.at_least is not None:
        raise MlopsUsageError(f"{metric.name} is better when smaller: its limit is at_most=, not at_least=")


def within_range(metric: Metric, limits: Limits) -> None:
    """A limit that nothing, or everything, meets is a slip of the pen."""
    for name in ("warn_below", "warn_above"):
        warn = getattr(limits, name)
        if warn is not None and not metric.lowest <= warn <= metric.highest:
            raise MlopsUsageError(
                f"{metric.name} lies between {number(metric.lowest)} and {number(metric.highest)}: {name}={warn!r} "
                f"would always warn"
            )
    bound = limits.bound
    worst = metric.lowest if metric.greater_is_better else metric.highest
    if not metric.lowest <= bound <= metric.highest or bound == worst:
        hint = f"; did you mean {number(bound / 100)}?" if metric.highest == 1 < bound <= 100 else ""
        raise MlopsUsageError(
            f"{metric.name} lies between {number(metric.lowest)} and {number(metric.highest)}: a limit of "
            f"{limits.words()} can{'not fail' if bound == worst else ' never be met or never fail'}{hint}"
        )
