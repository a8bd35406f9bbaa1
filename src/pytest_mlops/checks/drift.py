"""Does the current sample come from where the reference came from? Column by column."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from pytest_mlops.evidence.columns import ColumnPair, ColumnSample
from pytest_mlops.statistics import divergence, two_sample
from pytest_mlops.statistics.multiplicity import benjamini_hochberg
from pytest_mlops.statistics.power import POWER, quantile, with_blind_spot
from pytest_mlops.statistics.two_sample import Stakes
from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import BLIND, Judgement, Limits, Proof, Verdict, judge
from pytest_mlops.verdict.wording import did_you_mean, number, rounded_up, with_interval

from . import drift_words, pictures
from .parts import combined
from .spec import CheckSpec, Settings, one_of, positive_number

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from pytest_mlops.evidence.sources import Sources
    from pytest_mlops.verdict.result import CheckResult

    Array = NDArray[Any]
    Table = Mapping[str, Array]

FAMILY = "drift"
LIMITS_UNSEEN = 2.0
"""How many limits the blind spot may have, unless the user says otherwise."""

_METHODS = ("auto", *drift_words.EFFECTS)
_ALIASES = {"chi2": "cramers_v"}
_OF_NUMBERS = ("ks", "wasserstein")
_CATEGORIES = 50
_SIZE_PER_CATEGORY = 10
_POWER_QUANTILE = quantile(2 * POWER - 1)


@dataclass(frozen=True, slots=True)
class Drift:
    """A validated question. `Gate.drift` documents the arguments."""

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
        columns: Sequence[str] | None,
        at_most: float | None,
        warn_above: float | None,
        proof: Proof,
        max_blind: float | None,
        name: str | None,
    ) -> Drift:
        """Check the arguments; raise a `MlopsUsageError` that says what would be right."""
        known = _method(method)
        if at_most is None:
            raise MlopsUsageError("say at_most=: how large an effect is still no drift; 0.1 is a usual start")
        limits = Limits(at_most=positive_number(at_most, "at_most"), warn_above=warn_above)
        _within_range(known, limits)
        one_of(proof, get_args(Proof), "proof")
        cap = LIMITS_UNSEEN * limits.bound if max_blind is None else positive_number(max_blind, "max_blind")
        return cls(known, _column_names(columns), limits, proof, cap, name)

    @property
    def spec(self) -> CheckSpec:
        """What is asked."""
        arguments = {
            "columns": None if self.columns is None else list(self.columns),
            "at_most": self.limits.at_most,
            "warn_above": self.limits.warn_above,
            "proof": self.proof,
            "max_blind": self.max_blind,
        }
        return CheckSpec(family=FAMILY, subject=self.method, name=self.name, arguments=arguments)

    def answer(self, sources: Sources, settings: Settings) -> CheckResult:
        """Compare the samples, column by column."""
        reference, current = sources.reference(), sources.current()
        asked: list[_Question | _Trouble] = []
        for name in self._names(reference, current):
            asked.extend(self._questions(name, reference[name], current.get(name)))
        self._refuse_named_text(asked)
        parts = _illustrated(self._judged(self._estimated(asked, settings), settings), asked)
        added = [] if self.columns else [name for name in current if name not in reference]
        worst = drift_words.worst(parts)
        return self.spec.result(
            settings,
            combined(parts),
            drift_words.message(parts, self.limits, added, _rows(reference), _rows(current)),
            estimate=worst.estimate,
            limits=self.limits,
            parts=tuple(parts),
            details={"added_columns": added, "rows": {"reference": _rows(reference), "current": _rows(current)}},
        )

    # --- what is asked of each column

    def _names(self, reference: Table, current: Table) -> list[str]:
        """Which columns of the reference are judged: all of them, also those that the current sample lacks."""
        for role, table in (("reference", reference), ("current", current)):
            for name in self.columns or ():
                if name not in table:
                    raise EvidenceError(f"mlops_{role} has no column {name!r}: {did_you_mean(name, table)}")
        if self.columns:
            return list(self.columns)
        if not any(name in current for name in reference):
            raise EvidenceError(
                f"mlops_reference and mlops_current have no column in common: the one has "
                f"{drift_words.listed(list(reference))}, the other {drift_words.listed(list(current))}"
            )
        return list(reference)

    def _questions(self, name: str, reference: Array, current: Array | None) -> list[_Question | _Trouble]:
        """Of one column: its values and, where any is missing, the share of those."""
        if current is None:
            return [_Trouble((name,), "the current sample has no such column")]
        try:
            pair = ColumnPair.of(ColumnSample.of(reference), ColumnSample.of(current))
        except EvidenceError as error:
            return [_Trouble((name,), str(error))]
        if not any(pair.sizes):
            return [_Trouble((name,), "no row of either sample has a value", Verdict.INCONCLUSIVE)]
        asked: list[_Question | _Trouble] = [self._of_values(name, pair)] if all(pair.sizes) else []
        return [*asked, self._of_missing(name, pair)] if any(pair.missing) else asked

    def _of_values(self, name: str, pair: ColumnPair) -> _Question | _Trouble:
        method = self.method
        if method == "auto":
            method = "ks" if pair.measured else "cramers_v"
        details = {"method": method, "values": _by_role(pair.sizes), "missing": _by_role(pair.missing)}
        if method in _OF_NUMBERS:
            if pair.text:
                return _Trouble((name,), f'it holds text, which {method} cannot compare: use method="auto"', text=True)
            return _Question((name,), _of_numbers(method, pair), details, partial(pictures.of_column, pair))
        counts = _counts(pair)
        few = max(_CATEGORIES, sum(pair.sizes) / _SIZE_PER_CATEGORY)
        if pair.text and counts.shape[1] > few:
            why = f"{counts.shape[1]:,} categories in {sum(pair.sizes):,} values are too many to compare their shares"
            return _Trouble((name,), why, Verdict.INCONCLUSIVE)
        return _Question((name,), _of_counts(method, counts), details, partial(pictures.of_column, pair))

    def _of_missing(self, name: str, pair: ColumnPair) -> _Question:
        method = self.method if self.method in ("psi", "jensen_shannon") else "cramers_v"
        counts = np.array([pair.sizes, pair.missing]).T
        rows = counts.sum(axis=1).tolist()
        details = {"method": method, "values": _by_role(rows), "missing": _by_role(pair.missing)}
        return _Question((name, "missing"), _of_counts(method, counts), details)

    def _refuse_named_text(self, asked: Iterable[_Question | _Trouble]) -> None:
        """A column that was asked for by name cannot be judged by this method: the question is wrong."""
        text = [trouble for trouble in asked if isinstance(trouble, _Trouble) and trouble.text]
        if self.columns and text:
            raise EvidenceError(f"of the column {text[0].names[0]!r}: {text[0].why}")

    # --- what the answers are

    def _estimated(self, asked: Iterable[_Question | _Trouble], settings: Settings) -> list[_Question | _Trouble]:
        """Each question with its estimate, its p-value corrected over all of this call, and its blind spot."""
        asked = list(asked)
        comparisons = sum(isinstance(question, _Question) for question in asked)
        stakes = Stakes(settings.confidence, max(1, comparisons), self.limits.bound)
        answered = [
            question.answered(stakes, self._generator(question, settings))
            if isinstance(question, _Question)
            else question
            for question in asked
        ]
        corrected = iter(benjamini_hochberg([each.p_value for each in answered if isinstance(each, _Question)]))
        return [
            each.corrected(next(corrected), self.limits.bound, comparisons) if isinstance(each, _Question) else each
            for each in answered
        ]

    def _generator(self, question: _Question, settings: Settings) -> Generator:
        """One for each column: no column moves another's random numbers."""
        place = zlib.crc32(json.dumps(question.names).encode())
        return np.random.default_rng([*self.spec.seed(settings.seed), place])

    def _judged(self, answered: Iterable[_Question | _Trouble], settings: Settings) -> list[CheckResult]:
        return [
            self._part(each, settings) if isinstance(each, _Question) else self._unjudged(each, settings)
            for each in answered
        ]

    def _part(self, question: _Question, settings: Settings) -> CheckResult:
        found = question.found
        assert found is not None  # `_estimated` has seen to it
        judgement = judge(found, self.limits, proof=self.proof, max_blind=self.max_blind)
        ways_out = self._ways_out(question, found) if judgement.because == BLIND else ""
        return self.spec.part(
            settings,
            question.names,
            judgement.verdict,
            " ".join(filter(None, [self._finding(question, found, judgement), ways_out])),
            estimate=found,
            limits=self.limits,
            details={
                **question.details,
                "column": question.names[0],
                "of_missing": question.of_missing,
                "because": judgement.because,
                "ways_out": ways_out,
            },
        )

    def _unjudged(self, trouble: _Trouble, settings: Settings) -> CheckResult:
        """`proof="shown"` leaves nothing undecided: what could not be assessed was not shown."""
        verdict = Verdict.FAIL if self.proof == "shown" and trouble.verdict is Verdict.INCONCLUSIVE else trouble.verdict
        return self.spec.part(
            settings,
            trouble.names,
            verdict,
            f"{' '.join(trouble.names)} cannot be judged: {trouble.why}.",
            limits=self.limits,
            details={"column": trouble.names[0], "because": trouble.why},
        )

    def _finding(self, question: _Question, found: Estimate, judgement: Judgement) -> str:
        values = question.details["values"]
        what = "of the missing among" if question.of_missing else "of"
        sizes = f"{values['reference']:,} and {values['current']:,} values"
        effect = drift_words.EFFECTS[question.details["method"]]
        return (
            f"{question.names[0]}: {effect} {what} {sizes} is {with_interval(found)}, the limit is "
            f"{self.limits.words()}: {judgement.because}.{drift_words.all_missing(question.details)}"
        )

    def _ways_out(self, question: _Question, found: Estimate) -> str:
        """Of a blind column: the limit that so few values support, or the values that this limit needs."""
        unseen, allowed = number(found.blind_spot or math.inf), number(self.max_blind)
        seen = f"A drift of {unseen} can go unseen here, and at most {allowed} may."
        if found.standard_error is None or self.max_blind <= self.limits.bound:
            return f"{seen} Judge larger samples, or raise max_blind=."
        reach = question.reach(found.confidence)
        needed = min(self.max_blind / reach, (self.max_blind - self.limits.bound) / _POWER_QUANTILE)
        smaller = found.standard_error / needed  # with √n, and PSI, which is a square, with n
        times = smaller if question.details["method"] == "psi" else smaller**2
        values = math.ceil(min(question.details["values"].values()) * times)
        at_most = found.standard_error * max(reach / LIMITS_UNSEEN, _POWER_QUANTILE / (LIMITS_UNSEEN - 1))
        wider = f"use at_most={rounded_up(at_most)} or more" if _supports(self.method, at_most) else "raise max_blind="
        return f"{seen} Give about {values:,} values in each sample, or {wider}."


# --- a question of one column, and why it may have none


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of a column; then, what was found."""

    names: tuple[str, ...]
    estimate: Callable[[Stakes, Generator], Estimate]
    details: dict[str, Any]
    draw: pictures.Draw | None = None
    found: Estimate | None = None
    comparisons: int = 1

    @property
    def of_missing(self) -> bool:
        return len(self.names) > 1

    @property
    def p_value(self) -> float:
        return 1.0 if self.found is None or self.found.p_value is None else self.found.p_value

    def answered(self, stakes: Stakes, generator: Generator) -> _Question | _Trouble:
        try:
            return replace(self, found=self.estimate(stakes, generator))
        except EvidenceError as error:
            return _Trouble(self.names, str(error))

    def corrected(self, p_value: float, bound: float, comparisons: int) -> _Question:
        assert self.found is not None  # answered before
        found = with_blind_spot(replace(self.found, p_value=p_value), bound, comparisons=comparisons)
        details = {**self.details, "p_value": self.p_value, "comparisons": comparisons}
        return replace(self, found=found, details=details, comparisons=comparisons)

    def reach(self, confidence: float) -> float:
        """How many standard errors a harm must have to be seen."""
        return quantile(1 - (1 - confidence) / self.comparisons) + _POWER_QUANTILE


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why a column cannot be judged."""

    names: tuple[str, ...]
    why: str
    verdict: Verdict = Verdict.ERROR
    text: bool = False
    draw: None = None


def _illustrated(parts: Sequence[CheckResult], asked: Sequence[_Question | _Trouble]) -> list[CheckResult]:
    pairs = zip(parts, asked, strict=True)
    return pictures.illustrated(parts, {part.id: each.draw for part, each in pairs if each.draw})


def _of_numbers(method: str, pair: ColumnPair) -> Callable[[Stakes, Generator], Estimate]:
    formula = two_sample.kolmogorov_smirnov if method == "ks" else two_sample.wasserstein
    return lambda stakes, generator: formula(*pair.values, stakes=stakes, generator=generator)


def _of_counts(method: str, counts: NDArray[np.int64]) -> Callable[[Stakes, Generator], Estimate]:
    formula = {
        "cramers_v": divergence.cramers_v,
        "psi": divergence.psi,
        "jensen_shannon": divergence.jensen_shannon,
    }[method]
    return lambda stakes, generator: formula(counts, stakes=stakes, generator=generator)


def _counts(pair: ColumnPair) -> NDArray[np.int64]:
    """Of cells, of shape (2, cells)."""
    if pair.codes is None:
        return two_sample.binned(*pair.values)
    cells, n = int(pair.codes.max()) + 1, pair.sizes[0]
    return np.stack([np.bincount(codes, minlength=cells) for codes in (pair.codes[:n], pair.codes[n:])])


# --- the arguments


def _method(method: object) -> str:
    known = _ALIASES.get(str(method), method)
    if known not in _METHODS:
        raise MlopsUsageError(f"unknown method={method!r}: {did_you_mean(str(method), (*_METHODS, *_ALIASES))}")
    return str(known)


def _supports(method: str, at_most: float) -> bool:
    return method == "psi" or at_most < 1


def _within_range(method: str, limits: Limits) -> None:
    """A limit that nothing exceeds, or everything, is a slip of the pen."""
    if not _supports(method, limits.bound):
        why = "a shift by a whole spread" if method == "wasserstein" else "any drift: the effect is at most 1"
        hint = f"; did you mean {number(limits.bound / 100)}?" if 1 < limits.bound < 100 else ""
        raise MlopsUsageError(f"at_most={limits.bound!r} lets pass {why}{hint}")
    if limits.warn_above is not None and limits.warn_above < 0:
        raise MlopsUsageError(f"warn_above={limits.warn_above!r} would always warn: an effect is at least 0")


def _column_names(columns: object) -> tuple[str, ...] | None:
    if columns is None:
        return None
    if isinstance(columns, str):
        raise MlopsUsageError(f"columns={columns!r} is one text: give a list of names, e.g. [{columns!r}]")
    names = list(columns) if isinstance(columns, Iterable) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise MlopsUsageError(f"columns={columns!r} are no names: give a list of at least one, or leave it out for all")
    return tuple(sorted(set(names)))


def _rows(table: Table) -> int:
    return next(iter(table.values())).size


def _by_role(of: Sequence[int]) -> dict[str, int]:
    return {"reference": of[0], "current": of[1]}
