"""Does the current sample come from where the reference came from? Column by column, and what that adds up to."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from pytest_mlops.statistics.multiplicity import benjamini_hochberg
from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.limits import BLIND, Judgement, Limits, Proof, Verdict, judge
from pytest_mlops.verdict.wording import number

from . import drift_rule, drift_words, pictures
from .drift_arguments import (
    asked_of_all,
    column_names,
    column_roles,
    column_weights,
    method_named,
    only_useful,
    own_limits,
    refuse_senseless,
    share_tolerated,
)
from .drift_columns import Chosen, added_columns
from .drift_questions import FEWEST_BLOCKS, Column, Question, Trouble
from .spec import CheckSpec, Settings, one_of, positive_number

if TYPE_CHECKING:
    from numpy.random import Generator

    from pytest_mlops.evidence.samples import Sample
    from pytest_mlops.evidence.sources import Sources
    from pytest_mlops.verdict.result import CheckResult

    from .spec import Check

_MOST_BLOCKS = 24


def ask(
    method: str = "auto",
    *,
    at_most: float | None = None,
    warn_above: float | None = None,
    proof: Proof = "table",
    max_blind: float | None = None,
    name: str | None = None,
    **given: Any,
) -> Check:
    """The question that a method asks. `Gate.drift` documents the arguments.

    Raises
    ------
    MlopsUsageError
        There is no such method, or it has no use for one of the arguments, or one makes no sense.
    """
    known = method_named(method)
    useful = only_useful(known, given)
    asked: dict[str, Any] = {
        "at_most": at_most,
        "warn_above": warn_above,
        "proof": proof,
        "max_blind": max_blind,
        "name": name,
    }
    if known in drift_rule.OF_COLUMNS:
        return Drift.ask(known, **asked, **useful)
    if known in drift_rule.OF_ALL_TOGETHER:
        from .joint_drift import JointDrift

        return JointDrift.ask(known, **asked, **useful)
    from .performance_drift import PerformanceDrift

    return PerformanceDrift.ask(known, **asked, **useful)


@dataclass(frozen=True, slots=True)
class Drift:
    """A validated question about columns."""

    method: str
    columns: tuple[str, ...] | None
    limits: Limits
    proof: Proof
    max_blind: float
    name: str | None
    own: Mapping[str, float]
    weights: str | Mapping[str, float] | None
    tolerate: float
    time: str | None
    roles: Mapping[str, str]

    @classmethod
    def ask(
        cls,
        method: str,
        *,
        columns: Sequence[str] | None = None,
        at_most: float | None = None,
        warn_above: float | None = None,
        limits: Mapping[str, float] | None = None,
        weights: str | Mapping[str, float] | None = None,
        tolerate: float | None = None,
        time: str | None = None,
        label: str | None = None,
        prediction: str | None = None,
        score: str | None = None,
        proof: Proof = "table",
        max_blind: float | None = None,
        name: str | None = None,
    ) -> Drift:
        """Check the arguments; raise a `MlopsUsageError` that says what would be right."""
        known, named = method_named(method), column_names(columns)
        if at_most is None:
            raise MlopsUsageError("say at_most=: how large an effect is still no drift; 0.1 is a usual start")
        of_all = Limits(at_most=positive_number(at_most, "at_most"), warn_above=warn_above)
        refuse_senseless(known, of_all)
        one_of(proof, get_args(Proof), "proof")
        roles = column_roles(named, time, label=label, prediction=prediction, score=score)
        judged = None if named is None else tuple(sorted({*named, *roles}))
        share = share_tolerated(tolerate or 0.0)
        usual = drift_rule.LIMITS_UNSEEN * of_all.bound
        return cls(
            method=known,
            columns=judged,
            limits=of_all,
            proof=proof,
            max_blind=usual if max_blind is None else positive_number(max_blind, "max_blind"),
            name=name,
            own=own_limits(known, limits, judged),
            weights=column_weights(weights, share),
            tolerate=share,
            time=time,
            roles=roles,
        )

    @property
    def spec(self) -> CheckSpec:
        """What is asked. What was not asked for is not in it, so that a question stays the same as there come more."""
        more = {"limits": self.own, "weights": self.weights, "tolerate": self.tolerate, "time": self.time}
        arguments = {
            "columns": None if self.columns is None else list(self.columns),
            **asked_of_all(self),
            **{name: dict(value) if isinstance(value, Mapping) else value for name, value in more.items() if value},
            **{role: column for column, role in self.roles.items()},
        }
        return CheckSpec(family=drift_rule.FAMILY, subject=self.method, name=self.name, arguments=arguments)

    def met(self, column: str) -> drift_rule.Met:
        """What a column has to meet."""
        return drift_rule.Met.by(self.limits, self.max_blind, self.own.get(column))

    def answer(self, sources: Sources, settings: Settings) -> CheckResult:
        """Compare the samples, column by column."""
        reference, current, chosen = sources.reference(), sources.current(), Chosen.by(self, sources)
        blocks = reference.blocks(self.time, _MOST_BLOCKS, current.rows) if self.time else None
        asked = self._asked(chosen.names, reference, current, blocks)
        parts = _illustrated(self._judged(self._estimated(asked, settings), chosen, settings), asked)
        verdict = drift_rule.whole(parts, self.tolerate)
        worst = drift_words.worst(parts, verdict)
        added = added_columns(self.columns, reference, current)
        whole = drift_words.Whole(
            self.limits, self.own, self.tolerate, reference.rows, current.rows, added, chosen.later
        )
        return self.spec.result(
            settings,
            verdict,
            whole.message(parts),
            estimate=worst.estimate,
            limits=worst.limits if worst.estimate else self.limits,
            parts=tuple(parts),
            details={
                "added_columns": added,
                "rows": {"reference": reference.rows, "current": current.rows},
                **self._drifted(parts),
            },
        )

    def _drifted(self, parts: Sequence[CheckResult]) -> dict[str, Any]:
        """As what the details get, where something is tolerated."""
        if not self.tolerate:
            return {}
        drifted = drift_rule.Drifted.among(parts)
        return {"drifted": {"columns": len(drifted.columns), "of": drifted.of, "share": drifted.share}}

    # --- what is asked of them

    def _asked(
        self, names: Sequence[str], reference: Sample, current: Sample, blocks: Sequence[Sample] | None
    ) -> list[Question | Trouble]:
        of_reference = reference.profiles(names)
        of_current = current.profiles([name for name in names if name in current.names])
        few = blocks is not None and len(blocks) < FEWEST_BLOCKS
        of_blocks = None if blocks is None or few else [block.profiles(names) for block in blocks]
        asked: list[Question | Trouble] = []
        for name in names:
            moved = None if of_blocks is None else [profiles[name] for profiles in of_blocks]
            column = Column(name, of_reference[name], of_current.get(name), moved)
            asked.extend(column.questions(self.method, self.met(name)))
        self._refuse_named_text(asked)
        return [_untold(each, len(blocks)) for each in asked] if blocks is not None and few else asked

    def _refuse_named_text(self, asked: Iterable[Question | Trouble]) -> None:
        """A column that was asked for by name cannot be judged by this method: the question is wrong."""
        text = [trouble for trouble in asked if isinstance(trouble, Trouble) and trouble.text]
        if self.columns and text:
            raise EvidenceError(f"of the column {text[0].names[0]!r}: {text[0].why}")

    # --- what the answers are

    def _estimated(self, asked: Sequence[Question | Trouble], settings: Settings) -> list[Question | Trouble]:
        """Each question with its estimate, its p-value corrected over all of this call, and its blind spot."""
        comparisons = sum(isinstance(question, Question) for question in asked)
        answered = [
            question.answered(settings.confidence, comparisons, self._generator(question, settings))
            if isinstance(question, Question)
            else question
            for question in asked
        ]
        corrected = iter(benjamini_hochberg([each.p_value for each in answered if isinstance(each, Question)]))
        return [
            each.corrected(next(corrected), comparisons) if isinstance(each, Question) else each for each in answered
        ]

    def _generator(self, question: Question, settings: Settings) -> Generator:
        """One for each column: no column moves another's random numbers."""
        place = zlib.crc32(json.dumps(question.names).encode())
        return np.random.default_rng([*self.spec.seed(settings.seed), place])

    def _judged(self, answered: Iterable[Question | Trouble], chosen: Chosen, settings: Settings) -> list[CheckResult]:
        return [
            self._part(each, chosen, settings) if isinstance(each, Question) else self._unjudged(each, chosen, settings)
            for each in answered
        ]

    def _part(self, question: Question, chosen: Chosen, settings: Settings) -> CheckResult:
        found, met = question.found, question.met
        assert found is not None  # `_estimated` has seen to it
        judgement = judge(found, met.limits, proof=self.proof, max_blind=met.max_blind)
        details = {
            **question.details,
            **chosen.of(question.names[0]),
            "of_missing": question.of_missing,
            "because": judgement.because,
            "ways_out": self._ways_out(question, judgement),
        }
        said = drift_words.finding(found, met.limits, details)
        return self.spec.part(
            settings, question.names, judgement.verdict, said, estimate=found, limits=met.limits, details=details
        )

    def _unjudged(self, trouble: Trouble, chosen: Chosen, settings: Settings) -> CheckResult:
        """`proof="shown"` leaves nothing undecided: what could not be assessed was not shown."""
        verdict = Verdict.FAIL if self.proof == "shown" and trouble.verdict is Verdict.INCONCLUSIVE else trouble.verdict
        column = trouble.names[0]
        return self.spec.part(
            settings,
            trouble.names,
            verdict,
            f"{' '.join(trouble.names)} cannot be judged: {trouble.why}.",
            limits=self.met(column).limits,
            details={**chosen.of(column), "because": trouble.why},
        )

    def _ways_out(self, question: Question, judgement: Judgement) -> str:
        """Of a blind column: the limit that so few values support, or the values that this limit needs."""
        found = question.found
        assert found is not None
        if judgement.because != BLIND:
            return ""
        allowed = number(question.met.max_blind)
        seen = f"A drift of {number(found.blind_spot or math.inf)} can go unseen here, and at most {allowed} may."
        return f"{seen} {drift_words.ways_out(question, self.method, own=question.names[0] in self.own)}"


def _untold(asked: Question | Trouble, blocks: int) -> Question | Trouble:
    """Without enough stretches of the reference, no drift can be told from a season."""
    if isinstance(asked, Trouble):
        return asked
    only = f"only {blocks} stretch{'' if blocks == 1 else 'es'} as long as the current sample"
    why = f"a season cannot be told from drift: the reference holds {only}; {FEWEST_BLOCKS} are needed"
    return Trouble(asked.names, why, Verdict.INCONCLUSIVE)


def _illustrated(parts: Sequence[CheckResult], asked: Sequence[Question | Trouble]) -> list[CheckResult]:
    pairs = zip(parts, asked, strict=True)
    return pictures.illustrated(parts, {part.id: each.draw for part, each in pairs if each.draw})
