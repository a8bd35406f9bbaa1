"""Slices: the same question asked of some of the rows, each with an answer of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.evidence.groups import Groups, groups_of
from pytest_mlops.statistics.multiplicity import holm
from pytest_mlops.statistics.power import with_blind_spot
from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import Judgement, Limits, Proof, Verdict, judge
from pytest_mlops.verdict.result import CheckResult
from pytest_mlops.verdict.wording import count, number, with_interval

from .spec import CheckSpec, Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlops.evidence.evaluation import Evaluation

    Booleans = NDArray[np.bool_]

By = str | Sequence[str] | Callable[[Any], Any]
"""A column; several columns, whose intersections are meant; or a function of the frame of all such columns."""

MIN_SIZE = 30
_FEW_NAMED = 5


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the rows.

    Parameters
    ----------
    by, name : str
        What they are told by, and which of its groups they are: ``"sex"`` and ``"female"``.
    words : str
        The same for people: ``"sex = female"``.
    rows : bool array of shape (n,)
    """

    by: str
    name: str
    words: str
    rows: Booleans


@dataclass(frozen=True, slots=True)
class Slicing:
    """By what to slice, and how small a slice may be that passes."""

    by: tuple[tuple[str, ...] | Callable[[Any], Any], ...] = ()
    min_size: int = MIN_SIZE

    @classmethod
    def ask(cls, slices: Iterable[By] | str | None, min_size: int) -> Slicing:
        """Check the arguments; raise a `MlopsUsageError` that says what would be right."""
        if not isinstance(min_size, int) or isinstance(min_size, bool) or min_size < 1:
            raise MlopsUsageError(f"min_slice_size={min_size!r} must be an integer, 1 or more")
        if slices is None:
            return cls((), min_size)
        if not isinstance(slices, list | tuple):  # a set or a mapping has no order of its own
            raise MlopsUsageError(f"slices={slices!r} must be a list, e.g. slices=['sex', ['sex', 'age_group']]")
        found = tuple(_one(by) for by in slices)
        if not found:
            raise MlopsUsageError("slices=[] asks for no slice: leave it out, or name columns")
        for told_apart in ({frozenset(_columns(by)) for by in found}, {_name(by) for by in found}):
            if len(told_apart) < len(found):
                raise MlopsUsageError(f"slices={slices!r} names one slicing twice")
        return cls(found, min_size)

    @property
    def asked(self) -> dict[str, Any]:
        """As builtins; nothing where nothing is asked."""
        return {"slices": [_name(by) for by in self.by], "min_slice_size": self.min_size} if self.by else {}

    def of(self, evaluation: Evaluation) -> Iterator[Slice]:
        """The slices of an evaluation, in an order that does not depend on that of the rows.

        Raises
        ------
        EvidenceError
            There is no such column, a function does not say for each row where it belongs, or two slices would bear
            one name.
        """
        columns = {**evaluation.sensitive_features, **evaluation.slice_features}
        for by in self.by:
            if isinstance(by, tuple):
                yield from _told_apart(_slices(by, groups_of(columns, by)))
            else:
                yield from _told_by(by, columns, evaluation.n)


def _one(by: object) -> tuple[str, ...] | Callable[[Any], Any]:
    if isinstance(by, str):
        return (by,)
    if callable(by):
        _name(by)
        return by
    names = tuple(by) if isinstance(by, list | tuple) else ()
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise MlopsUsageError(f"a slice is told by a column, a list of columns, or a function: not by {by!r}")
    return names


def _columns(by: tuple[str, ...] | Callable[[Any], Any]) -> tuple[str, ...]:
    """What tells the rows apart, in any order."""
    return by if isinstance(by, tuple) else (_name(by),)


def _name(by: tuple[str, ...] | Callable[[Any], Any]) -> str:
    if isinstance(by, tuple):
        return " and ".join(by)
    name = getattr(by, "__name__", "<lambda>")
    if name == "<lambda>":
        raise MlopsUsageError("a lambda has no name to stand in the report: write the slice as a function with def")
    return str(name)


def _slices(by: tuple[str, ...], groups: Groups) -> Iterator[Slice]:
    for place, names in enumerate(groups.names):
        words = " and ".join(f"{column} = {name}" for column, name in zip(by, names, strict=True))
        yield Slice(" and ".join(by), " and ".join(names), words, groups.codes == place)


def _told_apart(slices: Iterable[Slice]) -> Iterator[Slice]:
    """("x and y", "z") and ("x", "y and z") read alike: what is said of one must not be taken for the other."""
    seen: dict[str, str] = {}
    for each in slices:
        if each.name in seen:
            raise EvidenceError(
                f"two slices would both be called {each.name!r}, {seen[each.name]} and {each.words}: "
                f"rename their values"
            )
        seen[each.name] = each.words
        yield each


def _told_by(function: Callable[[Any], Any], columns: Mapping[str, NDArray[Any]], n: int) -> Iterator[Slice]:
    """A function says yes or no of each row, or to which group it belongs."""
    import pandas as pd

    name = _name(function)

    def ask(order: slice) -> NDArray[Any]:
        try:
            told = np.asarray(function(pd.DataFrame({key: values[order].copy() for key, values in columns.items()})))
        except Exception as error:
            raise EvidenceError(f"the slice {name} raised {type(error).__name__}: {error}") from None
        if told.shape != (n,):
            raise EvidenceError(
                f"the slice {name} must say something of each of {n:,} rows, and has shape {told.shape}"
            )
        return told

    told = ask(slice(None))
    same = ask(slice(None, None, -1))[::-1] == told
    if not (same | (told != told)).all():  # NaN is nobody's group, and equal to none
        raise EvidenceError(
            f"the slice {name} says something else of the same rows in another order: it must go by their values alone"
        )
    if told.dtype.kind == "b":
        yield Slice(name, "yes", name, told.astype(bool))
    else:
        yield from _slices((name,), groups_of({name: told}, (name,)))


@dataclass(frozen=True, slots=True)
class Sliced:
    """What was found on the slices of one check."""

    parts: tuple[CheckResult, ...]
    sentences: tuple[str, ...]

    def verdict(self, own: Verdict) -> Verdict:
        """Slices are exploratory: FAIL, ERROR and WARN are handed up; where none could be assessed, it is no PASS."""
        if not self.parts:
            return own
        found = [part.verdict for part in self.parts]
        unproven = Verdict.INCONCLUSIVE if all(each is Verdict.INCONCLUSIVE for each in found) else None
        handed = [each for each in found if each is not Verdict.INCONCLUSIVE]
        return min([own, *handed, *([unproven] if unproven else [])], key=WORST_FIRST.index)

    def lead(self, own: Verdict) -> list[str]:
        """Where the slices, and not all rows together, decide: says so before anything else."""
        return [] if self.verdict(own) is own else ["Decided by its slices, not by all rows together."]


WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.WARN, Verdict.PASS)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each slice.

    Parameters
    ----------
    spec : CheckSpec
    limits : Limits
    proof : {"table", "shown"}
    estimate : callable
        From the rows of a slice to an `Estimate` with a null and a p-value.
    signed : bool
        Is its value an improvement, which carries its sign?
    """

    spec: CheckSpec
    limits: Limits
    proof: Proof
    estimate: Callable[[Slice], Estimate]
    signed: bool


def judge_slices(slices: Iterable[Slice], question: Question, settings: Settings, min_size: int) -> Sliced:
    """Ask each slice; p-values are corrected over all of them (Holm)."""
    slices = list(slices)
    asked = [_asked(each, question) for each in slices]
    found = [each for each in asked if isinstance(each, Estimate)]
    corrected = iter(holm([1.0 if each.p_value is None else each.p_value for each in found]))
    parts = []
    for each, answer in zip(slices, asked, strict=True):
        if isinstance(answer, Estimate):
            answer = replace(answer, p_value=next(corrected))
            answer = with_blind_spot(answer, question.limits.bound, comparisons=len(found))
        parts.append(_part(each, answer, question, settings, min_size))
    return Sliced(tuple(parts), tuple(_sentences(parts)))


def _asked(each: Slice, question: Question) -> Estimate | str:
    """The estimate, or why there is none."""
    try:
        return question.estimate(each)
    except EvidenceError as error:
        return str(error)


def _part(each: Slice, found: Estimate | str, question: Question, settings: Settings, min_size: int) -> CheckResult:
    rows = int(np.count_nonzero(each.rows))
    unproven = Verdict.FAIL if question.proof == "shown" else Verdict.INCONCLUSIVE
    details = {"slice": each.words, "rows": rows}
    names = (each.by, each.name)
    if isinstance(found, str):
        message = f"{each.words} ({count(rows, 'row')}) cannot be assessed: {found}."
        return question.spec.part(
            settings, names, unproven, message, limits=question.limits, details={**details, "because": found}
        )
    judgement = judge(found, question.limits, proof=question.proof)
    if rows < min_size and judgement.verdict in (Verdict.PASS, Verdict.WARN):
        judgement = Judgement(unproven, f"looks fine, but {count(rows, 'row')} are too few to pass")
    if judgement.verdict is Verdict.ERROR:  # no variation, no p-value: it says nothing, and is exploratory
        judgement = Judgement(unproven, judgement.because)
    message = (
        f"{each.words}: {with_interval(found, sign=question.signed)} on {count(rows, 'row')}, the limit is "
        f"{question.limits.words()}: {judgement.because}."
    )
    return question.spec.part(
        settings, names, judgement.verdict, message, estimate=found, limits=question.limits,
        details={**details, "because": judgement.because},
    )  # fmt: skip


def _sentences(parts: Sequence[CheckResult]) -> Iterator[str]:
    if not parts:
        return
    by_verdict = {verdict: [part for part in parts if part.verdict is verdict] for verdict in WORST_FIRST}
    passed = len(by_verdict[Verdict.PASS])
    yield f"Slices: {passed} of {len(parts)} passed."
    for verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.WARN):
        for part in by_verdict[verdict][:_FEW_NAMED]:
            yield f"{verdict}: {part.message}"
        if len(by_verdict[verdict]) > _FEW_NAMED:
            yield f"And {len(by_verdict[verdict]) - _FEW_NAMED} more {verdict}."
    open_ones = by_verdict[Verdict.INCONCLUSIVE]
    if open_ones:
        named = ", ".join(_unseen(part) for part in open_ones[:_FEW_NAMED])
        more = f", and {len(open_ones) - _FEW_NAMED} more" if len(open_ones) > _FEW_NAMED else ""
        yield f"Not proven either way: {named}{more}."


def _unseen(part: CheckResult) -> str:
    rows = count(part.details["rows"], "row")
    spot = part.estimate.blind_spot if part.estimate else None
    sees = f", sees no harm below {number(spot, resolution=spot)}" if spot else ""
    return f"{part.details['slice']} ({rows}{sees})"
