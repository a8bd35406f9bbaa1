"""Is the challenger at least as good as the champion? A paired comparison on the same rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from pytest_mlops.evidence.metrics import Metric, metric_of
from pytest_mlops.evidence.pairing import PairedBy
from pytest_mlops.evidence.rows import Rows
from pytest_mlops.statistics.multiplicity import holm
from pytest_mlops.statistics.planning import MARGINS_UNSEEN
from pytest_mlops.statistics.power import rows_needed, supported_margin, with_blind_spot
from pytest_mlops.statistics.retraining import Folds
from pytest_mlops.statistics.retraining import improvement as improvement_over_folds
from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import BLIND, Judgement, Limits, Proof, Verdict, judge
from pytest_mlops.verdict.wording import number, rounded_up, with_interval

from . import pictures
from .estimation import How, estimate_improvement, of_both_classes, value
from .performance_threshold import own_function, settling
from .slices import WORST_FIRST, By, Question, Slice, Slicing, judge_slices
from .spec import CheckSpec, Settings, one_of, positive_number

if TYPE_CHECKING:
    from pytest_mlops.evidence.evaluation import Evaluation
    from pytest_mlops.evidence.sources import Sources
    from pytest_mlops.verdict.result import CheckResult

FAMILY = "champion_challenger"
Require = Literal["not_worse", "non_inferior", "better"]
Rowses = tuple[Rows, Rows]
"""Of champion and challenger, in the same order."""


@dataclass(frozen=True, slots=True)
class ChampionChallenger:
    """A validated question. `Gate.champion_challenger` documents the arguments."""

    metric: Metric
    margin: float
    require: Require
    max_blind: float
    paired_by: PairedBy
    name: str | None
    guardrails: tuple[Guardrail, ...] = ()
    slicing: Slicing = Slicing()  # noqa: RUF009  # frozen
    folds: Folds | None = None

    @classmethod
    def ask(
        cls,
        metric: str | Callable[..., Any],
        *,
        margin: float | None,
        require: Require,
        max_blind: float | None,
        paired_by: PairedBy,
        name: str | None,
        greater_is_better: bool | None = None,
        needs: str | None = None,
        guardrails: Mapping[str, float] | None = None,
        slices: Iterable[By] | None = None,
        min_slice_size: int = 30,
        folds: object = None,
    ) -> ChampionChallenger:
        """Check the arguments; raise a `MlopsUsageError` that says what would be right."""
        found = metric_of(metric, greater_is_better=greater_is_better, needs=needs)
        one_of(require, get_args(Require), "require")
        one_of(paired_by, get_args(PairedBy), "paired_by")
        width = _margin(found, margin, require)
        cap = MARGINS_UNSEEN * width if max_blind is None else positive_number(max_blind, "max_blind")
        slicing = Slicing.ask(slices, min_slice_size)
        known = None if folds is None else _folds(found, folds)
        if known is not None and (slicing.by or guardrails):
            raise MlopsUsageError("folds= compares scores, which have no slices and no guardrails: ask for these apart")
        return cls(found, width, require, cap, paired_by, name, _guardrails(found, guardrails), slicing, known)

    @property
    def spec(self) -> CheckSpec:
        """What is asked."""
        arguments = {name: getattr(self, name) for name in ("margin", "require", "max_blind", "paired_by")}
        if self.metric.function is not None:
            arguments["greater_is_better"] = self.metric.greater_is_better
        if self.guardrails:
            arguments["guardrails"] = {each.metric.name: each.margin for each in self.guardrails}
        if self.folds is not None:
            arguments["folds"] = _as_builtins(self.folds)
        arguments |= {**own_function(self.metric), **self.slicing.asked}
        over = None if self.folds is None else "retraining"
        return CheckSpec(family=FAMILY, subject=self.metric.name, slice=over, name=self.name, arguments=arguments)

    @property
    def limits(self) -> Limits:
        """On the improvement: it may be negative, down to the margin; `better` wants it above 0."""
        return Limits(at_least=0.0 if self.require == "better" else -self.margin)

    @property
    def proof(self) -> Proof:
        """What is asked to be shown leaves nothing open."""
        return "table" if self.require == "not_worse" else "shown"

    def answer(self, sources: Sources, settings: Settings) -> CheckResult:
        """Compare the two, row by row; or, with `folds`, training by training."""
        if self.folds is not None:
            return self._over_folds(self.folds, settings)
        challenger, champion = sources.challenger(), sources.champion()
        rows = sources.pair(self.paired_by).rows()
        how = How(settings.confidence, np.random.default_rng(self.spec.seed(settings.seed)), sources.tell)
        found = self._seen(estimate_improvement(self.metric, *rows, how))
        judgement = judge(found, self.limits, proof=self.proof, max_blind=self.max_blind)
        guarded = tuple(self._guarded(rows, how, settings))
        sliced = judge_slices(
            self._slices(sources, challenger), self._of_slices(rows, how), settings, self.slicing.min_size
        )  # fmt: skip
        verdicts = [sliced.verdict(judgement.verdict), *(part.verdict for part in guarded)]
        verdict = min(verdicts, key=WORST_FIRST.index)
        values = _values(self.metric, rows, how)
        sentences = [
            *(sliced.lead(judgement.verdict) if verdict is verdicts[0] else ["Decided by its guardrails."]),
            *self._sentences(values, found, judgement),
            *_guardrail_sentences(guarded),
            *sliced.sentences,
            *_notes(challenger=challenger, champion=champion),
        ]
        return self.spec.result(
            settings,
            verdict,
            " ".join(sentences),
            estimate=found,
            limits=self.limits,
            parts=(*guarded, *sliced.parts),
            details={
                "models": {role: value for role, value in values.items() if math.isfinite(value)},
                "champion_notes": list(champion.notes),
                "notes": list(challenger.notes),
                **pictures.of_scores(self.metric, settings.confidence, challenger=rows[1], champion=rows[0]),
            },
        )

    def _seen(self, found: Estimate, comparisons: int = 1) -> Estimate:
        return with_blind_spot(found, self.limits.bound, comparisons=comparisons)

    # --- guardrails and slices

    def _guarded(self, rows: Rowses, how: How, settings: Settings) -> list[CheckResult]:
        """Each guardrail: FAIL where it is worse by more than its margin; p-values are corrected over all of them."""
        asked = [(each, _attempt(each.metric, rows, how)) for each in self.guardrails]
        found = [answer for _, answer in asked if isinstance(answer, Estimate)]
        corrected = iter(holm([1.0 if each.p_value is None else each.p_value for each in found]))
        return [
            each.judged(self.spec, settings, replace(answer, p_value=next(corrected)), len(found))
            if isinstance(answer, Estimate)
            else each.unjudged(self.spec, settings, answer)
            for each, answer in asked
        ]

    def _slices(self, sources: Sources, challenger: Evaluation) -> list[Slice]:
        """The challenger says who is who: a champion from its record has no such columns."""
        order = sources.pair(self.paired_by).challenger_order
        return [replace(each, rows=each.rows[order]) for each in self.slicing.of(challenger)]

    def _of_slices(self, rows: Rowses, how: How) -> Question:
        champion, challenger = rows

        def compare(some: Slice) -> Estimate:
            theirs, ours = (of_both_classes(self.metric, rows.take(some.rows)) for rows in (champion, challenger))
            return estimate_improvement(self.metric, theirs, ours, how)

        return Question(self.spec, self.limits, self.proof, compare, signed=True)

    # --- over retrainings

    def _over_folds(self, folds: Folds, settings: Settings) -> CheckResult:
        found = improvement_over_folds(
            folds, greater_is_better=self.metric.greater_is_better, confidence=settings.confidence
        )
        found = self._seen(found)
        judgement = judge(found, self.limits, proof=self.proof, max_blind=self.max_blind)
        means = {"challenger": _mean(folds.challenger), "champion": _mean(folds.champion)}
        return self.spec.result(
            settings,
            judgement.verdict,
            " ".join(self._sentences(means, found, judgement)),
            estimate=found,
            limits=self.limits,
            details={"folds": _as_builtins(folds)},
        )

    # --- words

    def _sentences(self, values: Mapping[str, float], found: Estimate, judgement: Judgement) -> list[str]:
        against = f"challenger {number(values['challenger'])} against champion {number(values['champion'])}"
        sentences = [self._finding(found, against), f"Asked: {self._asked()}. Answer: {judgement.because}."]
        if judgement.because == BLIND:  # in doubt, neither a wider margin nor more such rows would help
            return [*sentences, f"First of all, {found.doubt}." if found.doubt else self._ways_out(found)]
        if self.folds is not None:  # more splits of the same rows are no more rows
            return sentences
        return [*sentences, *settling(found, judgement, self.limits)]

    def _finding(self, found: Estimate, against: str) -> str:
        if found.exact:
            return f"{self.metric.name}: the predictions equal the champion's on all {found.n:,} rows ({against})."
        over = f"{found.n:,} paired rows" if self.folds is None else f"{found.n:,} trainings of each"
        return f"{self.metric.name}: {against}, improvement {with_interval(found, sign=True)} on {over}."

    def _asked(self) -> str:
        return {
            "not_worse": f"not worse by more than {number(self.margin)}",
            "non_inferior": f"shown not to be worse by more than {number(self.margin)}",
            "better": "shown to be better",
        }[self.require]

    def _ways_out(self, found: Estimate) -> str:
        """What would make the check see: a limit that this test set supports, or rows that this limit needs."""
        cap = self.max_blind / self.margin if self.margin else 0.0
        seen = (
            f"A loss below {number(found.blind_spot or 0.0)} can go unseen here, and at most "
            f"{number(self.max_blind)} may."
        )
        if found.standard_error is None or cap <= 1:
            return f"{seen} Judge on more rows, or raise max_blind=."
        unit = "rows" if self.folds is None else "trainings"
        rows = f"judge on about {rows_needed(found, self.margin, cap):,} {unit}"
        if self.max_blind != MARGINS_UNSEEN * self.margin:  # the user's own, which a wider margin does not widen
            return f"{seen} Use max_blind={rounded_up(found.blind_spot or 0.0)} or more, or {rows}."
        margin = supported_margin(found, cap)
        if margin >= self.metric.highest - self.metric.lowest:
            return f"{seen} No margin is supported by so few {unit}: {rows}."
        return f"{seen} Use margin={rounded_up(margin)} or more, or {rows}."


@dataclass(frozen=True, slots=True)
class Guardrail:
    """Another metric that may not get worse by more than its own margin while the first one is asked about."""

    metric: Metric
    margin: float

    @property
    def limits(self) -> Limits:
        """On the improvement."""
        return Limits(at_least=-self.margin)

    def judged(self, spec: CheckSpec, settings: Settings, found: Estimate, comparisons: int) -> CheckResult:
        """By the same rule as a check of its own."""
        found = with_blind_spot(found, -self.margin, comparisons=comparisons)
        judgement = judge(found, self.limits, max_blind=MARGINS_UNSEEN * self.margin)
        way_out = ""
        if judgement.because == BLIND:
            way_out = f" A margin of {rounded_up(supported_margin(found, MARGINS_UNSEEN))} or more can be judged here."
        message = (
            f"{self.metric.name}: improvement {with_interval(found, sign=True)}, may lose at most "
            f"{number(self.margin)}: {judgement.because}.{way_out}"
        )
        return self._part(spec, settings, judgement.verdict, message, estimate=found)

    def unjudged(self, spec: CheckSpec, settings: Settings, why: str) -> CheckResult:
        """A guardrail that says nothing guards nothing."""
        return self._part(spec, settings, Verdict.ERROR, f"{self.metric.name} cannot be judged: {why}.")

    def _part(self, spec: CheckSpec, settings: Settings, verdict: Verdict, message: str, **rest: Any) -> CheckResult:
        names = ("guardrail", self.metric.name)
        return spec.part(settings, names, verdict, message, limits=self.limits, details={"margin": self.margin}, **rest)


def _folds(metric: Metric, folds: Any) -> Folds:
    """Scores of this metric; those of a scorer that turns a loss round would turn the answer round."""
    found = Folds.of(folds)
    strange = [score for score in (*found.champion, *found.challenger) if not metric.lowest <= score <= metric.highest]
    if strange:
        raise MlopsUsageError(
            f"folds: {strange[0]!r} is no value of {metric.name}, which lies between {number(metric.lowest)} and "
            f"{number(metric.highest)}: give the metric itself, not a scorer's negative of it"
        )
    return found


def _guardrails(metric: Metric, guardrails: object) -> tuple[Guardrail, ...]:
    if guardrails is None:
        return ()
    if not isinstance(guardrails, Mapping) or not guardrails:
        raise MlopsUsageError(
            f"guardrails={guardrails!r} must give each metric its margin: guardrails={{'recall': 0.01}}"
        )
    found: list[Guardrail] = []
    for name, margin in guardrails.items():
        other = metric_of(name)
        if other.name in (metric.name, *(each.metric.name for each in found)):
            raise MlopsUsageError(f"{other.name} is asked about twice: as a guardrail, and already before")
        found.append(Guardrail(other, _margin(other, margin, "not_worse")))
    return tuple(found)


def _guardrail_sentences(guarded: Iterable[CheckResult]) -> list[str]:
    return [f"Guardrail {part.verdict}: {part.message}" for part in guarded]


def _attempt(metric: Metric, rows: Rowses, how: How) -> Estimate | str:
    try:
        return estimate_improvement(metric, *rows, how)
    except EvidenceError as error:
        return str(error)


def _values(metric: Metric, rows: Rowses, how: How) -> dict[str, float]:
    """Of both models alone."""
    champion, challenger = (value(metric, each, how) for each in rows)
    return {"challenger": challenger, "champion": champion}


def _as_builtins(folds: Folds) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(folds).items()}


def _mean(scores: Iterable[float]) -> float:
    return float(np.mean(np.sort(list(scores))))


def _notes(**evaluations: Evaluation) -> list[str]:
    return [f"Note on the {model}: {note}." for model, evaluation in evaluations.items() for note in evaluation.notes]


def _margin(metric: Metric, margin: float | None, require: Require) -> float:
    if margin is None:
        if require == "better":
            return 0.0
        raise MlopsUsageError("say margin=: how much worse the challenger may be, in the unit of the metric")
    width = positive_number(margin, "margin")
    reach = metric.highest - metric.lowest
    if not width < reach:
        hint = f"; did you mean {number(width / 100)}?" if reach == 1 and width < 100 else ""
        raise MlopsUsageError(f"margin={margin!r} lets any challenger pass: {metric.name} spans {number(reach)}{hint}")
    return width
