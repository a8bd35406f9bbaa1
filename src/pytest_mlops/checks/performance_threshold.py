"""Is the model good enough? One metric against one limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from pytest_mlops.evidence.metrics import Metric, metric_of
from pytest_mlops.evidence.rows import Rows, rows_of
from pytest_mlops.statistics.power import rows_to_settle, tail_beyond, with_blind_spot
from pytest_mlops.verdict.errors import MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import BLIND, Judgement, Limits, Proof, Verdict, judge
from pytest_mlops.verdict.wording import number, with_interval

from . import pictures
from .estimation import How, estimate, of_both_classes
from .slices import By, Question, Slice, Slicing, judge_slices
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
    slicing: Slicing
    name: str | None

    @classmethod
    def ask(
        cls,
        metric: str | Callable[..., Any],
        *,
        limits: Limits,
        proof: Proof,
        max_blind: float | None,
        name: str | None,
        needs: str | None = None,
        slices: Iterable[By] | None = None,
        min_slice_size: int = 30,
    ) -> PerformanceThreshold:
        """Check the arguments; raise a `MlopsUsageError` that says what would be right."""
        found = metric_of(metric, needs=needs, implied=limits.at_least is not None)
        right_way_round(found, limits)
        within_range(found, limits)
        one_of(proof, get_args(Proof), "proof")
        cap = None if max_blind is None else positive_number(max_blind, "max_blind")
        return cls(found, limits, proof, cap, Slicing.ask(slices, min_slice_size), name)

    @property
    def spec(self) -> CheckSpec:
        """What is asked."""
        arguments = {
            **self.limits.to_dict(),
            "proof": self.proof,
            "max_blind": self.max_blind,
            **own_function(self.metric),
            **self.slicing.asked,
        }
        return CheckSpec(family=FAMILY, subject=self.metric.name, name=self.name, arguments=arguments)

    def answer(self, sources: Sources, settings: Settings) -> CheckResult:
        """Judge the challenger."""
        challenger = sources.challenger()
        rows = rows_of(challenger)
        how = How(settings.confidence, np.random.default_rng(self.spec.seed(settings.seed)), sources.tell)
        found = with_blind_spot(estimate(self.metric, rows, how), self.limits.bound)
        judgement = judge(found, self.limits, proof=self.proof, max_blind=self.max_blind)
        sliced = judge_slices(
            self.slicing.of(challenger), self._of_slices(rows, how), settings, self.slicing.min_size
        )  # fmt: skip
        message = (
            f"{self.metric.name} is {with_interval(found)} on {found.n:,} rows, the limit is {self.limits.words()}: "
            f"{judgement.because}."
        )
        lead = sliced.lead(judgement.verdict)
        sentences = [
            *lead,
            message,
            *self._ways_out(found, judgement),
            *sliced.sentences,
            *note_sentences(challenger.notes),
        ]
        return self.spec.result(
            settings,
            sliced.verdict(judgement.verdict),
            " ".join(sentences),
            estimate=found,
            limits=self.limits,
            parts=sliced.parts,
            details={
                "notes": list(challenger.notes),
                **pictures.of_scores(self.metric, settings.confidence, challenger=rows),
            },
        )

    def _of_slices(self, rows: Rows, how: How) -> Question:
        """On few rows a value beyond the limit may be noise: there it must be significantly so to FAIL."""

        def against_the_limit(some: Slice) -> Estimate:
            found = estimate(self.metric, of_both_classes(self.metric, rows.take(some.rows)), how)
            p_value = tail_beyond(found, self.limits.bound, below=self.limits.at_least is not None)
            return replace(found, null=self.limits.bound, p_value=p_value)

        return Question(self.spec, self.limits, self.proof, against_the_limit, signed=False)

    def _ways_out(self, found: Estimate, judgement: Judgement) -> list[str]:
        """What would settle it: of a blind check the rows with which it is not, of an open one those that decide."""
        if judgement.because == BLIND and found.doubt:  # more such rows would not help
            return [f"First of all, {found.doubt}."]
        if judgement.because == BLIND and found.blind_spot is not None and self.max_blind is not None:
            rows = math.ceil(found.n * (found.blind_spot / self.max_blind) ** 2)
            return [
                f"A model that is {number(found.blind_spot)} beyond the limit can go unseen here, and at most "
                f"{number(self.max_blind)} may. Judge on about {rows:,} rows, or raise max_blind=."
            ]
        return settling(found, judgement, self.limits)


def settling(found: Estimate, judgement: Judgement, limits: Limits) -> list[str]:
    """Where nothing is proven: how many rows would settle it, if the effect stays as it is."""
    if judgement.verdict is not Verdict.INCONCLUSIVE or found.doubt is not None:
        return []
    rows = rows_to_settle(found, limits.bound, beyond=limits.beyond(found.value, limits.bound))
    if rows is None:
        return ["No number of rows would settle it: the estimate lies on the limit itself."]
    return [f"About {rows:,} rows would settle it, four times in five, if the model is as good as it looks here."]


def own_function(metric: Metric) -> dict[str, Any]:
    """Where a function of one's own is defined: another one is another question."""
    if metric.function is None:
        return {}
    return {"function": metric.of, "needs": "scores" if metric.scores else "predictions"}


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
