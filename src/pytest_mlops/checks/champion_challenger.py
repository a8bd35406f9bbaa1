"""Is the challenger at least as good as the champion? A paired comparison on the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from pytest_mlops.evidence.metrics import Metric, metric_named
from pytest_mlops.evidence.pairing import Pair, PairedBy, pair
from pytest_mlops.statistics.power import rows_needed, supported_margin, with_blind_spot
from pytest_mlops.verdict.errors import MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import BLIND, Judgement, Limits, Proof, judge
from pytest_mlops.verdict.wording import number, rounded_up, with_interval

from .estimation import estimate, estimate_improvement
from .spec import CheckSpec, Settings, one_of, positive_number

if TYPE_CHECKING:
    from pytest_mlops.evidence.sources import Sources
    from pytest_mlops.verdict.result import CheckResult

FAMILY = "champion_challenger"
MARGINS_UNSEEN = 3.0
"""How many margins the blind spot may have, unless the user says otherwise."""

Require = Literal["not_worse", "non_inferior", "better"]


@dataclass(frozen=True, slots=True)
class ChampionChallenger:
    """A validated question. `Gate.champion_challenger` documents the arguments."""

    metric: Metric
    margin: float
    require: Require
    max_blind: float
    paired_by: PairedBy
    name: str | None

    @classmethod
    def ask(
        cls,
        metric: str,
        *,
        margin: float | None,
        require: Require,
        max_blind: float | None,
        paired_by: PairedBy,
        name: str | None,
    ) -> ChampionChallenger:
        """Check the arguments; raise a `MlopsUsageError` that says what would be right."""
        found = metric_named(metric)
        one_of(require, get_args(Require), "require")
        one_of(paired_by, get_args(PairedBy), "paired_by")
        width = _margin(found, margin, require)
        cap = MARGINS_UNSEEN * width if max_blind is None else positive_number(max_blind, "max_blind")
        return cls(found, width, require, cap, paired_by, name)

    @property
    def spec(self) -> CheckSpec:
        """What is asked."""
        names = ("margin", "require", "max_blind", "paired_by")
        arguments = {name: getattr(self, name) for name in names}
        return CheckSpec(family=FAMILY, subject=self.metric.name, name=self.name, arguments=arguments)

    @property
    def limits(self) -> Limits:
        """On the improvement: it may be negative, down to the margin; `better` wants it above 0."""
        return Limits(at_least=0.0 if self.require == "better" else -self.margin)

    def answer(self, sources: Sources, settings: Settings) -> CheckResult:
        """Compare the two, row by row."""
        challenger, champion = sources.challenger(), sources.champion()
        paired = pair(champion, challenger, paired_by=self.paired_by)
        generator = np.random.default_rng(self.spec.seed(settings.seed))
        found = estimate_improvement(self.metric, paired, confidence=settings.confidence, generator=generator)
        found = with_blind_spot(found, self.limits.bound)
        proof: Proof = "table" if self.require == "not_worse" else "shown"
        judgement = judge(found, self.limits, proof=proof, max_blind=self.max_blind)
        return self.spec.result(
            settings,
            judgement.verdict,
            self._message(paired, found, judgement, settings),
            estimate=found,
            limits=self.limits,
            details={"champion_notes": list(champion.notes), "notes": list(challenger.notes)},
        )

    def _message(self, paired: Pair, found: Estimate, judgement: Judgement, settings: Settings) -> str:
        against = "against".join(
            f" {model} {number(estimate(self.metric, evaluation, confidence=settings.confidence).value)} "
            for model, evaluation in (("challenger", paired.challenger), ("champion", paired.champion))
        ).strip()
        sentences = [self._finding(found, against), f"Asked: {self._asked()}. Answer: {judgement.because}."]
        if judgement.because == BLIND:
            sentences.append(self._ways_out(found))
        for model, evaluation in (("challenger", paired.challenger), ("champion", paired.champion)):
            sentences.extend(f"Note on the {model}: {note}." for note in evaluation.notes)
        return " ".join(sentences)

    def _finding(self, found: Estimate, against: str) -> str:
        if found.exact:
            return f"{self.metric.name}: the predictions equal the champion's on all {found.n:,} rows ({against})."
        return (
            f"{self.metric.name}: {against}, improvement {with_interval(found, sign=True)} on {found.n:,} paired rows."
        )

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
        rows = f"judge on about {rows_needed(found, self.margin, cap):,} rows"
        if self.max_blind != MARGINS_UNSEEN * self.margin:  # the user's own, which a wider margin does not widen
            return f"{seen} Use max_blind={rounded_up(found.blind_spot or 0.0)} or more, or {rows}."
        margin = supported_margin(found, cap)
        if margin >= self.metric.highest - self.metric.lowest:
            return f"{seen} No margin is supported by so few rows: {rows}."
        return f"{seen} Use margin={rounded_up(margin)} or more, or {rows}."


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
