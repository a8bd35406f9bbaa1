"""What is asked of one column, from the counts of both samples to an estimate; and why it may not be asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_mlops.evidence.profile import COUNTED, ColumnProfile
from pytest_mlops.evidence.profile_pair import ProfilePair
from pytest_mlops.statistics.dependence import FEWEST
from pytest_mlops.statistics.power import error_for, with_blind_spot
from pytest_mlops.statistics.two_sample import Stakes
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import Verdict

from . import drift_measures, pictures
from .drift_measures import OF_NUMBERS, OF_SHARES
from .drift_notes import notes
from .drift_rule import Met

if TYPE_CHECKING:
    from numpy.random import Generator

    from .drift_measures import Blocks, Measure

FEWEST_BLOCKS = FEWEST
"""So many stretches of the reference tell how far it moves by itself."""

_CATEGORIES = 50
_SIZE_PER_CATEGORY = 10
_SURELY = 2


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a column; then, what was found.

    Parameters
    ----------
    names : tuple of str
        The column, and what of it if it is not its values.
    met : Met
        The limits that it has to meet.
    measure : callable
        Gives the estimate, and what is worth knowing of it.
    details : dict
    draw : callable or None
        Gives a picture of the column.
    found : Estimate or None
    comparisons : int
        Over how many questions its p-value is corrected.
    """

    names: tuple[str, ...]
    met: Met
    measure: Measure
    details: dict[str, Any]
    draw: pictures.Draw | None = None
    found: Estimate | None = None
    comparisons: int = 1

    @property
    def of_missing(self) -> bool:
        """Is it about the rows without a value?"""
        return len(self.names) > 1

    @property
    def p_value(self) -> float:
        """Before it is corrected; 1 where there is none."""
        return 1.0 if self.found is None or self.found.p_value is None else self.found.p_value

    def answered(self, confidence: float, comparisons: int, generator: Generator) -> Question | Trouble:
        """With its estimate."""
        try:
            measured = self.measure(Stakes(confidence, comparisons, self.met.limits.bound), generator)
        except EvidenceError as error:
            return Trouble(self.names, str(error))
        return replace(self, found=measured.found, details={**self.details, **measured.details})

    def corrected(self, p_value: float, comparisons: int) -> Question:
        """With a p-value that accounts for the other questions, and its blind spot."""
        assert self.found is not None  # answered before
        found = replace(self.found, p_value=p_value)
        details = {**self.details, "p_value": self.p_value, "comparisons": comparisons}
        found = with_blind_spot(found, self.met.limits.bound, comparisons=comparisons)
        return replace(self, found=found, details=details, comparisons=comparisons)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a column cannot be judged."""

    names: tuple[str, ...]
    why: str
    verdict: Verdict = Verdict.ERROR
    text: bool = False
    draw: None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of both samples, and of stretches of the reference where its rows are in order.

    Parameters
    ----------
    name : str
    reference, current : ColumnProfile or EvidenceError
        An error says why the column cannot be read.
    blocks : sequence of ColumnProfile or EvidenceError, or None
        None where nothing is known of the order of rows.
    """

    name: str
    reference: ColumnProfile | EvidenceError
    current: ColumnProfile | EvidenceError | None
    blocks: Sequence[ColumnProfile | EvidenceError] | None = None

    def questions(self, method: str, met: Met) -> list[Question | Trouble]:
        """About its values and, where any is missing, about the share of those."""
        if self.current is None:
            return [Trouble((self.name,), "the current sample has no such column")]
        try:
            pair = _pair(self.reference, self.current)
            blocks = None if self.blocks is None else _stretches(self.reference, self.blocks)
        except EvidenceError as error:
            return [Trouble((self.name,), str(error))]
        if not any(pair.sizes):
            return [Trouble((self.name,), "no row of either sample has a value", Verdict.INCONCLUSIVE)]
        of_values = [_of_values(self.name, pair, blocks, method, met)] if all(pair.sizes) else []
        return [*of_values, *([_of_missing(self.name, pair, blocks, method, met)] if any(pair.missing) else [])]


def _pair(reference: ColumnProfile | EvidenceError, current: ColumnProfile | EvidenceError) -> ProfilePair:
    if isinstance(reference, EvidenceError):
        raise reference
    if isinstance(current, EvidenceError):
        raise current
    return ProfilePair.of(reference, current)


def _stretches(
    reference: ColumnProfile | EvidenceError, blocks: Sequence[ColumnProfile | EvidenceError]
) -> list[ProfilePair]:
    """Objects may all be numbers in one stretch, and text in another."""
    try:
        return [_pair(reference, block) for block in blocks]
    except EvidenceError as error:
        raise EvidenceError(f"in a stretch of the reference, {error}") from None


def _of_values(name: str, pair: ProfilePair, blocks: Blocks, method: str, met: Met) -> Question | Trouble:
    if method == "auto":
        method = "ks" if pair.measured else "cramers_v"
    if why := _incomparable(name, pair, method):
        return why
    details = {"method": method, "values": by_role(pair.sizes), "missing": by_role(pair.missing)}
    if odd := notes(pair):
        details["notes"] = odd
    if blocks is not None:
        blocks = [block for block in blocks if all(block.sizes) and block.sizes[1] < block.sizes[0]]
        if len(blocks) < FEWEST_BLOCKS:
            why_not = f"only {len(blocks)} stretches of the reference have a value of it; {FEWEST_BLOCKS} are needed"
            return Trouble((name,), why_not, Verdict.INCONCLUSIVE)
    measure = drift_measures.of_values(method, pair, blocks)
    return Question((name,), met, measure, details, partial(pictures.of_column, pair))


def _incomparable(name: str, pair: ProfilePair, method: str) -> Trouble | None:
    if pair.holds == "vectors":
        why = f'it holds vectors, and {method} compares single numbers: ask drift("mmd", columns=[{name!r}]) for it'
        return Trouble((name,), why, Verdict.INCONCLUSIVE)
    if not pair.text:
        return None
    if method in OF_NUMBERS:
        return Trouble((name,), f'it holds text, which {method} cannot compare: use method="auto"', text=True)
    many = _categories(pair)
    if many <= max(_CATEGORIES, sum(pair.sizes) / _SIZE_PER_CATEGORY) and many <= COUNTED:
        return None
    both = (pair.reference, pair.current)
    seen = [(profile.categories.distinct, profile.values) for profile in both if profile.categories]
    if _multiplied(seen):
        before, now = (f"{_shown(categories)} in {values:,} values" for categories, values in seen)
        return Trouble((name,), f"it no longer holds names of the same kind: {before} of the reference, and {now} now")
    why = f"{_shown(many)} categories in {sum(pair.sizes):,} values are too many to compare their shares"
    return Trouble((name,), why, Verdict.INCONCLUSIVE)


def _multiplied(seen: Sequence[tuple[int, int]]) -> bool:
    """Of the categories and values of two samples: has one far more categories than the other's source can bring?

    So many times the values bring at most so many times the categories, and fewer values never more.
    """
    return any(
        few <= COUNTED and many > _SURELY * few * max(1.0, values / others) + _CATEGORIES
        for (few, others), (many, values) in (seen, seen[::-1])
    )


def _shown(categories: int) -> str:
    return f"{categories:,}" if categories <= COUNTED else f"more than {COUNTED:,}"


def _categories(pair: ProfilePair) -> int:
    """At least so many are there in both samples together."""
    known = [profile.categories.distinct for profile in (pair.reference, pair.current) if profile.categories]
    return max(len(pair.cells[0]), *known)


def _of_missing(name: str, pair: ProfilePair, blocks: Blocks, method: str, met: Met) -> Question:
    method = method if method in OF_SHARES else "cramers_v"
    rows = [sum(counts) for counts in zip(pair.sizes, pair.missing, strict=True)]
    details = {"method": method, "values": by_role(rows), "missing": by_role(pair.missing)}
    return Question((name, "missing"), met, drift_measures.of_missing(method, pair, blocks), details)


def by_role(of: Sequence[int]) -> dict[str, int]:
    """Of the reference and the current sample."""
    return {"reference": of[0], "current": of[1]}


# --- what would make a blind column see


def values_needed(question: Question, confidence: float) -> int:
    """In each sample, so that no drift of more than the column's cap goes unseen."""
    assert question.found is not None
    assert question.found.standard_error is not None
    met = question.met
    needed = error_for(met.max_blind, met.limits.bound, confidence, comparisons=question.comparisons)
    smaller = question.found.standard_error / needed  # with √n, and PSI, which is a square, with n
    times = smaller if question.details["method"] == "psi" else smaller**2
    return math.ceil(float(min(question.details["values"].values())) * times)
