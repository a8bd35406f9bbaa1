"""Does the current sample come from where the reference came from? Column by column."""

from __future__ import annotations

import json
import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.statistics import two_sample
from pytest_mlops.statistics.multiplicity import benjamini_hochberg
from pytest_mlops.statistics.power import POWER, quantile, with_blind_spot
from pytest_mlops.statistics.two_sample import Stakes
from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import BLIND, Judgement, Limits, Proof, Verdict, judge
from pytest_mlops.verdict.wording import count, did_you_mean, number, with_interval

from .parts import combined
from .spec import CheckSpec, Settings, positive_number

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

EFFECTS = {
    "ks": "KS distance",
    "cramers_v": "Cramér's V",
    "wasserstein": "Wasserstein distance",
    "psi": "PSI",
    "jensen_shannon": "Jensen–Shannon distance",
}
"""What the methods measure; ``"auto"`` is KS for numbers and Cramér's V for the rest."""

_METHODS = ("auto", *EFFECTS)
_ALIASES = {"chi2": "cramers_v"}
_OF_NUMBERS = ("ks", "wasserstein")
_FEW_NAMED = 5
_MANY_NAMED = 20
_CATEGORIES = 50
_SIZE_PER_CATEGORY = 10
_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.PASS)
_BLAMED = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN)
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
        if proof not in ("table", "shown"):
            raise MlopsUsageError(f"unknown proof={proof!r}: {did_you_mean(str(proof), ('table', 'shown'))}")
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
        parts = self._judged(self._estimated(asked, settings), settings)
        added = [] if self.columns else [name for name in current if name not in reference]
        worst = _worst(parts)
        return self.spec.result(
            settings,
            combined(parts),
            self._message(parts, added, _rows(reference), _rows(current)),
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
                f"mlops_reference and mlops_current have no column in common: the one has {_listed(list(reference))}, "
                f"the other {_listed(list(current))}"
            )
        return list(reference)

    def _questions(self, name: str, reference: Array, current: Array | None) -> list[_Question | _Trouble]:
        """Of one column: its values and, where any is missing, the share of those."""
        if current is None:
            return [_Trouble((name,), "the current sample has no such column")]
        try:
            pair = _Pair.of(_Sample.of(reference), _Sample.of(current))
        except EvidenceError as error:
            return [_Trouble((name,), str(error))]
        if not any(pair.sizes):
            return [_Trouble((name,), "no row of either sample has a value", Verdict.INCONCLUSIVE)]
        asked: list[_Question | _Trouble] = [self._of_values(name, pair)] if all(pair.sizes) else []
        return [*asked, self._of_missing(name, pair)] if any(pair.missing) else asked

    def _of_values(self, name: str, pair: _Pair) -> _Question | _Trouble:
        method = self.method
        if method == "auto":
            method = "ks" if pair.measured else "cramers_v"
        details = {"method": method, "values": _by_role(pair.sizes), "missing": _by_role(pair.missing)}
        if method in _OF_NUMBERS:
            if pair.text:
                return _Trouble((name,), f'it holds text, which {method} cannot compare: use method="auto"', text=True)
            return _Question((name,), _of_numbers(method, pair), details)
        counts = pair.counts()
        few = max(_CATEGORIES, sum(pair.sizes) / _SIZE_PER_CATEGORY)
        if pair.text and counts.shape[1] > few:
            why = f"{counts.shape[1]:,} categories in {sum(pair.sizes):,} values are too many to compare their shares"
            return _Trouble((name,), why, Verdict.INCONCLUSIVE)
        return _Question((name,), _of_counts(method, counts), details)

    def _of_missing(self, name: str, pair: _Pair) -> _Question:
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
        return (
            f"{question.names[0]}: {EFFECTS[question.details['method']]} {what} {sizes} is {with_interval(found)}, the "
            f"limit is {self.limits.words()}: {judgement.because}.{_all_missing(question.details)}"
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
        wider = f"use at_most={_rounded_up(at_most)} or more" if _supports(self.method, at_most) else "raise max_blind="
        return f"{seen} Give about {values:,} values in each sample, or {wider}."

    def _message(self, parts: Sequence[CheckResult], added: Sequence[str], n: int, m: int) -> str:
        sentences = [
            f"{n:,} reference and {m:,} current rows, the limit is {self.limits.words()}: {_tally(parts)}.",
            *_blame(parts),
            *_unclear(parts),
        ]
        if added:
            sentences.append(f"New, with nothing to compare to: {_listed(added)}.")
        return " ".join(sentences)


# --- a question of one column, and why it may have none


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of a column; then, what was found."""

    names: tuple[str, ...]
    estimate: Callable[[Stakes, Generator], Estimate]
    details: dict[str, Any]
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


def _of_numbers(method: str, pair: _Pair) -> Callable[[Stakes, Generator], Estimate]:
    formula = two_sample.kolmogorov_smirnov if method == "ks" else two_sample.wasserstein
    return lambda stakes, generator: formula(*pair.values, stakes=stakes, generator=generator)


def _of_counts(method: str, counts: NDArray[np.int64]) -> Callable[[Stakes, Generator], Estimate]:
    formula = {
        "cramers_v": two_sample.cramers_v,
        "psi": two_sample.psi,
        "jensen_shannon": two_sample.jensen_shannon,
    }[method]
    return lambda stakes, generator: formula(counts, stakes=stakes, generator=generator)


# --- what a column holds


@dataclass(frozen=True, slots=True)
class _Sample:
    """A column of one sample without its missing values.

    Dates and durations are integers, in microseconds; booleans are the numbers 0 and 1.
    """

    holds: str | None
    values: Array
    missing: int

    @classmethod
    def of(cls, column: Array) -> _Sample:
        try:
            holds, values = _values(column)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise EvidenceError(f"its values cannot be read ({error})") from None
        return cls(holds if values.size else None, values, column.size - values.size)


def _values(column: Array) -> tuple[str, Array]:
    """What a column holds and its values, without the missing ones."""
    kind = column.dtype.kind
    if kind == "O":
        return _objects(column)
    if kind in "biuf":
        return "numbers", column[~np.isnan(column)] if kind == "f" else column
    if kind in "mM":
        unit = "timedelta64[us]" if kind == "m" else "datetime64[us]"
        return _MOMENTS[kind], column[~np.isnat(column)].astype(unit).astype(np.int64)
    if kind in "UST":
        return _objects(column.astype(object))
    raise EvidenceError(f"it holds values of the type {column.dtype}, which cannot be compared")


_MOMENTS = {"M": "dates", "m": "durations"}


def _objects(column: Array) -> tuple[str, Array]:
    """Objects are numbers, dates or durations only where all of them are."""
    import datetime
    from decimal import Decimal
    from numbers import Real

    import pandas as pd

    values = column[~pd.isna(column)]
    types = set(map(type, values.tolist()))

    def all_are(*known: type) -> bool:
        return bool(types) and all(issubclass(each, known) for each in types)

    if all_are(Real, Decimal, np.bool_):
        return _values(values.astype(float))
    if all_are(datetime.date, np.datetime64):
        return _values(np.asarray(pd.to_datetime(values, utc=True).tz_localize(None)))
    if all_are(datetime.timedelta, np.timedelta64):
        return _values(np.asarray(pd.to_timedelta(values)))
    return "text", values


@dataclass(frozen=True, slots=True)
class _Pair:
    """The same column of both samples."""

    holds: str
    values: tuple[Array, Array]
    missing: tuple[int, int]
    codes: Array | None = field(default=None, repr=False)

    @classmethod
    def of(cls, reference: _Sample, current: _Sample) -> _Pair:
        kinds = [sample.holds for sample in (reference, current) if sample.holds]
        if len(set(kinds)) > 1:
            raise EvidenceError(
                f"the reference holds {reference.holds} and the current sample {current.holds}: give both the same type"
            )
        holds = kinds[0] if kinds else "text"
        values = reference.values, current.values
        if holds == "numbers":
            values = _as_precise(*values)
        return cls(holds, values, (reference.missing, current.missing), _coded(*values) if holds == "text" else None)

    @property
    def sizes(self) -> tuple[int, int]:
        return self.values[0].size, self.values[1].size

    @property
    def text(self) -> bool:
        return self.holds == "text"

    @property
    def measured(self) -> bool:
        """Is it more than yes or no? Booleans may come as numbers: the type of a column is not its meaning."""
        return not self.text and not (
            self.holds == "numbers" and all(((values == 0) | (values == 1)).all() for values in self.values)
        )

    def counts(self) -> NDArray[np.int64]:
        """Of cells, of shape (2, cells)."""
        if self.codes is None:
            return two_sample.binned(*self.values)
        cells, n = int(self.codes.max()) + 1, self.sizes[0]
        return np.stack([np.bincount(codes, minlength=cells) for codes in (self.codes[:n], self.codes[n:])])


def _as_precise(reference: Array, current: Array) -> tuple[Array, Array]:
    """Both as float64, but no more precise than the coarser one: 0.1 in float32 is another number than in float64."""
    coarse = [values.dtype for values in (reference, current) if values.dtype.kind == "f" and values.dtype.itemsize < 8]
    if coarse:
        precision = min(coarse, key=lambda dtype: dtype.itemsize)
        with np.errstate(over="ignore"):
            reference, current = reference.astype(precision), current.astype(precision)
    return reference.astype(np.float64), current.astype(np.float64)


def _coded(reference: Array, current: Array) -> Array:
    import pandas as pd

    try:
        return np.asarray(pd.factorize(np.concatenate([reference, current]))[0])
    except TypeError as error:  # e.g. lists
        raise EvidenceError(f"its values are no categories ({error})") from None


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


# --- words


def _rows(table: Table) -> int:
    return next(iter(table.values())).size


def _by_role(of: Sequence[int]) -> dict[str, int]:
    return {"reference": of[0], "current": of[1]}


def _worst_first(parts: Iterable[CheckResult]) -> list[CheckResult]:
    """By verdict, then by effect; a part without an effect is worse than one with."""

    def badness(part: CheckResult) -> tuple[int, float, str]:
        return _WORST_FIRST.index(part.verdict), -_effect(part) if part.estimate else -math.inf, part.id

    return sorted(parts, key=badness)


def _worst(parts: Sequence[CheckResult]) -> CheckResult:
    """The part that the whole check is known by: of those with its verdict and an estimate, if there are any."""
    verdict = combined(parts)
    shown = [part for part in _worst_first(parts) if part.verdict is verdict]
    return next((part for part in shown if part.estimate), shown[0])


def _all_missing(details: Mapping[str, Any]) -> str:
    """Of a part about missing values: why the column has no other part."""
    empty = [role for role, missing in details["missing"].items() if missing == details["values"][role]]
    return f" The {empty[0]} sample has no other value of it: there is nothing else to compare." if empty else ""


def _tally(parts: Sequence[CheckResult]) -> str:
    tally = Counter(part.verdict for part in parts)
    if set(tally) == {Verdict.PASS}:
        return f"no drift in {count(len(parts), 'part')}"
    verdicts = ", ".join(f"{tally[verdict]} {verdict}" for verdict in _WORST_FIRST if tally[verdict])
    return f"{verdicts} of {count(len(parts), 'part')}"


def _blame(parts: Sequence[CheckResult]) -> list[str]:
    """The worst parts; where there is none, the largest effect."""
    blamed = [part for part in _worst_first(parts) if part.verdict in _BLAMED]
    if not blamed:
        largest = max((part for part in parts if part.estimate), key=_effect, default=None)
        return [] if largest is None else [f"Largest effect: {_brief(largest)}."]
    sentences = [f"{_brief(part)}: {part.details['because']}." for part in blamed[:_FEW_NAMED]]
    if more := blamed[_FEW_NAMED:]:
        sentences.append(f"And {len(more)} more: {_listed([_shown(part) for part in more])}.")
    ways_out = [part.details["ways_out"] for part in blamed if part.details.get("ways_out")]
    return [*sentences, *ways_out[:1]]


def _unclear(parts: Sequence[CheckResult]) -> list[str]:
    """Parts that say neither yes nor no, and why."""
    sentences = []
    unclear = [part for part in parts if part.verdict is Verdict.INCONCLUSIVE]
    for estimated, what in ((True, "Not proven either way"), (False, "Could not be assessed")):
        names = [_shown(part) for part in unclear if (part.estimate is not None) is estimated]
        if names:
            sentences.append(f"{what}: {count(len(names), 'part')}: {_listed(names)}.")
    return sentences


def _brief(part: CheckResult) -> str:
    """``age: KS distance 0.31 (0.28 to 0.34)``."""
    if part.estimate is None:
        return _shown(part)
    return f"{_shown(part)}: {EFFECTS[part.details['method']]} {with_interval(part.estimate)}"


def _effect(part: CheckResult) -> float:
    return part.estimate.value if part.estimate else -math.inf


def _shown(part: CheckResult) -> str:
    """The name of a part as people know it: its column, and whether it is about missing values."""
    column = str(part.details["column"])
    return f"{column} (missing values)" if part.details.get("of_missing") else column


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MANY_NAMED])
    return f"{shown} and {len(names) - _MANY_NAMED} more" if len(names) > _MANY_NAMED else shown


def _rounded_up(value: float) -> str:
    """Two significant digits, never fewer than needed."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return number(math.ceil(value / step) * step)
