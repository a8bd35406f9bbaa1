"""Do the rows come from where the reference came from? All columns together, as no column by itself may tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, get_args

import numpy as np

from pytest_mlops.evidence.engines.base import refuse_absent
from pytest_mlops.evidence.joint_rows import Coded, coded, holds_vectors
from pytest_mlops.statistics import mmd as discrepancy
from pytest_mlops.statistics.divergence import cramers_v
from pytest_mlops.statistics.power import error_for, supported_margin, with_blind_spot
from pytest_mlops.statistics.separation import NOTHING, separation
from pytest_mlops.statistics.two_sample import Stakes, constant
from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.limits import BLIND, Judgement, Limits, Proof, Verdict, judge
from pytest_mlops.verdict.wording import number, percent, rounded_up, with_interval

from . import domain_classifier
from .drift_arguments import asked_of_all, column_names
from .drift_columns import added_columns, in_both
from .drift_rule import FAMILY, LIMITS_UNSEEN, OF_ALL_TOGETHER
from .drift_words import listed
from .spec import CheckSpec, Settings, one_of, positive_number

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from pytest_mlops.evidence.samples import Sample
    from pytest_mlops.evidence.sources import Sources
    from pytest_mlops.verdict.estimate import Estimate
    from pytest_mlops.verdict.result import CheckResult

    Floats = NDArray[np.float64]
    Columns = Mapping[str, Coded]
    Sizes = tuple[int, int]

_MOST = {"domain_classifier": domain_classifier.MOST, "mmd": discrepancy.MOST}
_NULL = {"domain_classifier": NOTHING, "mmd": 0.0}
_FURTHEST = {"domain_classifier": 1 - NOTHING, "mmd": discrepancy.FURTHEST}
_DATES = "dates tell any two periods apart"
_NAMES = "nearly every row has a value of its own"
_FEWEST = 2
_FAR = 1_000.0


@dataclass(frozen=True, slots=True)
class JointDrift:
    """A validated question about rows as a whole. `Gate.drift` documents the arguments."""

    method: str
    columns: tuple[str, ...] | None
    limits: Limits
    proof: Proof
    max_blind: float
    name: str | None

    @classmethod
    def ask(
        cls,
        method: str,
        *,
        columns: Sequence[str] | None = None,
        at_most: float | None = None,
        warn_above: float | None = None,
        proof: Proof = "table",
        max_blind: float | None = None,
        name: str | None = None,
    ) -> JointDrift:
        """Check the arguments; raise a `MlopsUsageError` that says what would be right."""
        one_of(method, OF_ALL_TOGETHER, "method")
        limits = _limits(method, at_most, warn_above)
        one_of(proof, get_args(Proof), "proof")
        unseen = _most_unseen(method, limits.bound - _NULL[method])
        cap = unseen if max_blind is None else positive_number(max_blind, "max_blind")
        return cls(method, column_names(columns), limits, proof, cap, name)

    @property
    def spec(self) -> CheckSpec:
        """What is asked."""
        arguments = {
            "columns": None if self.columns is None else list(self.columns),
            **asked_of_all(self),
        }
        return CheckSpec(family=FAMILY, subject=self.method, name=self.name, arguments=arguments)

    def answer(self, sources: Sources, settings: Settings) -> CheckResult:
        """Take rows of both samples, and see how far apart they are."""
        reference, current = sources.reference(), sources.current()
        columns = self._columns(reference, current, settings)
        find = _told_apart if self.method == "domain_classifier" else _discrepancy
        answer = find(columns, self, settings, np.random.default_rng(self.spec.seed(settings.seed)))
        judgement = judge(answer.found, self.limits, proof=self.proof, max_blind=self.max_blind)
        ways_out = self._ways_out(answer) if judgement.because == BLIND else ""
        added = added_columns(self.columns, reference, current)
        return self.spec.result(
            settings,
            judgement.verdict,
            " ".join(filter(None, [self._finding(answer, judgement), *_remarks(answer, added), ways_out])),
            estimate=answer.found,
            limits=self.limits,
            details={
                "rows": {"reference": reference.rows, "current": current.rows},
                "used": {"reference": answer.sizes[0], "current": answer.sizes[1]},
                "columns": [{"column": name, "importance": lost} for name, lost in answer.importance.items()],
                "left_out": dict(answer.left_out),
                "added_columns": added,
                "because": judgement.because,
                "ways_out": ways_out,
            },
        )

    # --- which rows and columns

    def _columns(self, reference: Sample, current: Sample, settings: Settings) -> Columns:
        names = sorted(self.columns or _of_reference(reference, current))
        for sample in (reference, current):
            refuse_absent(sample, names)
        # Seeds differ, as else equal rows of both samples would be taken or left together.
        rows = [
            sample.take(names, _MOST[self.method], 2 * settings.seed + place)
            for place, sample in enumerate((reference, current))
        ]
        if self.method == "mmd" and self.columns is None:
            rows = [{name: rows[0][name] for name in names if holds_vectors(rows[0][name])}, rows[1]]
        return coded(*rows)

    # --- what is said

    def _finding(self, answer: _Answer, judgement: Judgement) -> str:
        return f"{answer.words} {with_interval(answer.found)}, the limit is {self.limits.words()}: {judgement.because}."

    def _ways_out(self, answer: _Answer) -> str:
        """The rows that this limit needs, where so many are looked at; and the limit that these rows support."""
        found, null = answer.found, _NULL[self.method]
        spot = min(found.blind_spot or math.inf, _FURTHEST[self.method])
        unseen, allowed = (number(null + size, resolution=spot) for size in (spot, self.max_blind))
        what = "An AUC" if null else "A discrepancy"
        seen = f"{what} of {unseen} can go unseen here, and at most {allowed} may."
        margin = self.limits.bound - null
        if found.standard_error is None or self.max_blind <= margin:
            return f"{seen} Judge larger samples, or raise max_blind=."
        needed = error_for(self.max_blind, margin, found.confidence)
        rows = math.ceil(min(answer.sizes) * (found.standard_error / needed) ** 2)
        wider = float(rounded_up(supported_margin(found, LIMITS_UNSEEN)))
        ways = [f"give about {rows:,} rows of each sample"] * (rows <= _MOST[self.method])
        usual = math.isclose(self.max_blind, _most_unseen(self.method, margin))  # another limit moves it
        within = usual and LIMITS_UNSEEN * wider <= _most_unseen(self.method, wider)
        ways += [f"use at_most={number(null + wider)} or more" if within else "raise max_blind="]
        return f"{seen} {', or '.join(ways).capitalize()}."


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found, in how many rows of each sample, and what to say of it."""

    found: Estimate
    sizes: Sizes
    words: str
    importance: Mapping[str, float] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    incomplete: int = 0


def _remarks(answer: _Answer, added: Sequence[str]) -> list[str]:
    told = [f"What tells them apart: {listed(list(answer.importance))}."] * bool(answer.importance)
    rows = [f"{answer.incomplete:,} rows with a missing value are left out."] * bool(answer.incomplete)
    out = [f"Left out: {_by_reason(answer.left_out)}."] * bool(answer.left_out)
    new = [f"New, with nothing to compare to: {listed(added)}."] * bool(added)
    return [*told, *rows, *out, *new]


def _by_reason(left_out: Mapping[str, str]) -> str:
    """``day (dates tell any two periods apart); id, name (nearly every row has a value of its own)``."""
    reasons = sorted(set(left_out.values()))
    return "; ".join(f"{listed([name for name in left_out if left_out[name] == why])} ({why})" for why in reasons)


# --- a classifier


def _told_apart(columns: Columns, asked: JointDrift, settings: Settings, generator: Generator) -> _Answer:
    left_out = {} if asked.columns else {name: why for name, column in columns.items() if (why := _betrays(column))}
    table = domain_classifier.Table.of(_kept(columns, left_out))
    n, m = (len(rows) for rows in table.samples)
    if min(n, m) < 2:
        raise EvidenceError(f"{n:,} reference and {m:,} current rows: a classifier needs two of each, and more to see")
    if table.constant:
        never = constant(n, m, Stakes(settings.confidence), lambda hidden: hidden / 2)
        found = replace(never, value=NOTHING, low=NOTHING, high=NOTHING, null=NOTHING)
        return _Answer(found, (n, m), f"All {n + m:,} rows are the same: a classifier's AUC is", left_out=left_out)
    halves = domain_classifier.Halves.of(table, generator)
    learner = domain_classifier.Classifier.of(halves, table.categorical)
    found = separation(halves.held_current, learner.scores(), confidence=settings.confidence)
    significant = (found.p_value or 0.0) <= (1 - settings.confidence) / 2
    return _Answer(
        with_blind_spot(found, asked.limits.bound),
        (n, m),
        f"A classifier learned from {len(halves.learned):,} rows which sample a row is from; asked about "
        f"{len(halves.held):,} others, its AUC is",
        learner.importance(table.places, generator) if significant else {},
        left_out,
    )


def _betrays(column: Coded) -> str:
    """Why a column would tell any two samples apart, drift or none."""
    return _DATES if column.holds == "dates" else _NAMES if column.names else ""


def _kept(columns: Columns, left_out: Mapping[str, str]) -> dict[str, Coded]:
    kept = {name: column for name, column in columns.items() if name not in left_out}
    if not kept:
        raise EvidenceError(f"nothing is left to compare: {_by_reason(left_out)}; name columns with columns=")
    return kept


# --- a distance


def _discrepancy(columns: Columns, asked: JointDrift, settings: Settings, generator: Generator) -> _Answer:
    if not columns:
        raise EvidenceError(
            "the reference has no column of embeddings (a list or an array of numbers in each row): "
            'name several columns of numbers with columns=, or use drift("domain_classifier")'
        )
    for name, column in columns.items():
        if column.holds == "text":
            raise EvidenceError(
                f'the column {name!r} holds text, which has no distance: use drift("domain_classifier")'
            )
    points = [np.concatenate([column.reference, column.current]) for _, column in sorted(columns.items())]
    n = len(next(iter(columns.values())).reference)
    whole = ~np.isnan(np.concatenate(points, axis=1)).any(axis=1)
    scaled = np.concatenate([_alike(part[whole]) for part in points], axis=1)
    sizes = int(whole[:n].sum()), int(whole[n:].sum())
    stakes = Stakes(settings.confidence, bound=asked.limits.bound)
    _refuse_gaps((n, whole.size - n), sizes, asked.limits, stakes, generator)
    found = discrepancy.mmd(scaled[: sizes[0]], scaled[sizes[0] :], stakes=stakes, generator=generator)
    return _Answer(
        with_blind_spot(found, asked.limits.bound),
        sizes,
        f"The maximum mean discrepancy of {sizes[0]:,} and {sizes[1]:,} rows of {listed(sorted(columns))} is",
        incomplete=int((~whole).sum()),
    )


def _refuse_gaps(rows: Sizes, whole: Sizes, limits: Limits, stakes: Stakes, generator: Generator) -> None:
    """Rows with a missing value are no points: where they come more often now, that is drift by itself."""
    gaps = [of - kept for of, kept in zip(rows, whole, strict=True)]
    first, second = (gap / of for gap, of in zip(gaps, rows, strict=True))
    if abs(first - second) <= limits.bound or min(whole) < _FEWEST:
        return
    found = cramers_v(np.array([whole, gaps]).T, stakes=stakes, generator=generator)
    if judge(found, limits).verdict is Verdict.FAIL:
        shares = f"{percent(first)} of the reference and {percent(second)} of the current rows"
        raise EvidenceError(
            f"{shares} have a missing value, which has no distance: "
            f'find out why with drift("auto"), or give samples without them'
        )


def _alike(points: Floats) -> Floats:
    """In distances that half of the points have from their middle, in both samples together.

    No column counts for more than another because of its unit, and what is absurdly far away is only far: it would
    else make all other points one.
    """
    if not np.isfinite(points).all() or not points.size:
        return points  # is refused further on
    away = points / 2 - np.median(points / 2, axis=0)  # halves, as 2e308 overflows
    furthest = np.abs(away).max(axis=1)
    usual = _usual(furthest)
    if not usual:
        return away
    with np.errstate(over="ignore"):
        factors = np.where(furthest / usual > _FAR, _FAR / np.maximum(furthest, usual), 1 / usual)
    near = away * factors[:, None]
    return near / _usual(np.linalg.norm(near, axis=1))


def _usual(distances: Floats) -> float:
    """The median; where most are 0, of those that are not."""
    apart = distances[distances > 0]
    return float(np.median(distances)) or (float(np.median(apart)) if apart.size else 0.0)


# --- the arguments


def _most_unseen(method: str, margin: float) -> float:
    """Two limits, but never near what is furthest apart: a check that could not even see that would be none."""
    return min(LIMITS_UNSEEN * margin, (margin + _FURTHEST[method]) / 2)


def _limits(method: str, at_most: object, warn_above: float | None) -> Limits:
    null = _NULL[method]
    usual = "0.6" if null else "0.1"
    if at_most is None:
        raise MlopsUsageError(f"say at_most=: how far apart is still no drift; {usual} is a usual start")
    bound = positive_number(at_most, "at_most")
    if not null < bound < 1:
        what = "an AUC is 0.5 where nothing is told apart, and 1 where all is" if null else "a discrepancy is 0 or more"
        raise MlopsUsageError(f"at_most={bound!r} is no limit, as {what}: give e.g. at_most={usual}")
    limits = Limits(at_most=bound, warn_above=warn_above)
    if warn_above is not None and warn_above < null:
        raise MlopsUsageError(
            f"warn_above={warn_above!r} would always warn: samples that are alike have {number(null)}"
        )
    return limits


def _of_reference(reference: Sample, current: Sample) -> Sequence[str]:
    """All of its columns: one that the current sample lacks is no drift of rows, but must not go unsaid."""
    names = in_both(reference, current)
    if absent := [name for name in names if name not in current.names]:
        raise EvidenceError(
            f"mlops_current lacks {listed(absent)} of the reference: give it, or name others with columns="
        )
    return names
