"""The same column of both samples: what a drift check compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtr

from pytest_mlops.statistics.steps import Steps
from pytest_mlops.verdict.errors import EvidenceError

from .profile import PRECISIONS, Categories, ColumnProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .profile import Holds

    Counts = NDArray[np.int64]
    Rows = tuple[int, int]

_NONE = Categories({}, 0, 0)
_NEVER = 1e-9
_EXACT, _INTEGERS = 2.0**53, 2.0**64
_TOLD_APART = 1_000


@dataclass(frozen=True, slots=True)
class ProfilePair:
    """The same column of both samples."""

    holds: Holds
    reference: ColumnProfile
    current: ColumnProfile

    @classmethod
    def of(cls, reference: ColumnProfile, current: ColumnProfile) -> ProfilePair:
        """Both, if they can be compared. A column without any value goes with all others.

        Raises
        ------
        EvidenceError
            They hold values of different kinds, vectors of different lengths, numbers too large to be told apart, or
            names hashed in two ways.
        """
        kinds = [profile.holds for profile in (reference, current) if profile.holds]
        if len(set(kinds)) > 1:
            raise EvidenceError(
                f"the reference holds {reference.holds} and the current sample {current.holds}: give both the same type"
            )
        _refuse_other_dimensions(reference, current)
        _refuse_too_large(reference, current)
        return cls(kinds[0] if kinds else "text", *_hidden_alike(reference, current))

    @property
    def sizes(self) -> tuple[int, int]:
        """Values that are there."""
        return self.reference.values, self.current.values

    @property
    def missing(self) -> tuple[int, int]:
        """Rows without a value."""
        return self.reference.missing, self.current.missing

    @property
    def text(self) -> bool:
        """Are its values names, without an order?"""
        return self.holds == "text"

    @property
    def measured(self) -> bool:
        """Is it more than yes or no? Booleans may come as numbers: the type of a column is not its meaning."""
        binary = all(profile.binary for profile in (self.reference, self.current) if profile.values)
        return self.holds in ("dates", "durations") or (self.holds == "numbers" and not binary)

    @property
    def steps(self) -> Steps:
        """Both distribution functions, no more precise than the coarser: 0.1 in float32 is not that of float64.

        Raises
        ------
        EvidenceError
            A sample has no numbers.
        """
        reference, current = self.reference.distribution, self.current.distribution
        if reference is None or current is None:
            raise EvidenceError("a sample has no numbers")
        kept = self.reference.precision, self.current.precision
        if kept[0] != kept[1]:
            coarser = min(kept, key=PRECISIONS.index)
            reference, current = reference.at_precision(coarser), current.at_precision(coarser)
        return Steps.of(reference, current)

    @property
    def cells(self) -> tuple[list[str], Counts]:
        """Categories whose counts are known in both samples.

        Returns
        -------
        names : list of str
            By name. Where `pooled`, one more at the end, ``""``, gathers all rows of the others.
        counts : integer array of shape (2, k)
        """
        known = _known_in_both(self.reference.categories, self.current.categories)
        names = sorted(known)
        counts = np.array([known[name] for name in names], dtype=np.int64).reshape(len(names), 2).T
        rest = np.array(self.sizes) - counts.sum(axis=1)
        return (names, counts) if not rest.any() else ([*names, ""], np.column_stack([counts, rest]))

    @property
    def pooled(self) -> bool:
        """Is the last cell one of many categories?"""
        known = _known_in_both(self.reference.categories, self.current.categories)
        return sum(map(sum, known.values())) < sum(self.sizes)


def _refuse_other_dimensions(reference: ColumnProfile, current: ColumnProfile) -> None:
    lengths = [profile.dimensions for profile in (reference, current) if profile.holds == "vectors"]
    if len(set(lengths)) > 1:
        raise EvidenceError(
            f"the reference holds vectors of {lengths[0]} numbers and the current sample of {lengths[1]}: "
            f"make both with the same model"
        )


def _refuse_too_large(reference: ColumnProfile, current: ColumnProfile) -> None:
    """Whole numbers beyond 2^53 become the nearest float64: those that are near each other become one."""
    found = [profile.distribution for profile in (reference, current) if profile.holds == "numbers"]
    ends = [end for each in found if each is not None for end in (each.minimum, each.maximum)]
    largest = max(map(abs, ends), default=0.0)
    if _EXACT < largest <= _INTEGERS and max(ends) - min(ends) < _TOLD_APART * float(np.spacing(largest)):
        raise EvidenceError(
            f"its numbers, near {largest:.3g}, differ by less than float64 can tell apart: subtract a constant from "
            f"both samples"
        )


def _hidden_alike(reference: ColumnProfile, current: ColumnProfile) -> tuple[ColumnProfile, ColumnProfile]:
    """Names that are hashed on one side are hashed on the other."""
    salts = {profile.categories.salt for profile in (reference, current) if profile.categories} - {""}
    if len(salts) > 1:
        raise EvidenceError(
            "both samples are profiles with hashed names, and each has a hash of its own: "
            "give one of them as data, or as a profile made without hashing"
        )
    salt = salts.pop() if salts else ""
    return reference.hidden(salt), current.hidden(salt)


# --- categories of which one sample names only some


def _known_in_both(reference: Categories | None, current: Categories | None) -> dict[str, Rows]:
    """The rows of each category that can be told from the others in both samples.

    Which ones these are is decided by the rows that both samples together have: more than any category can have that
    one of them leaves unnamed. Chosen by the rows of one sample, they would be those that it happens to have many of,
    and it would have too few others: of 200 categories of one source, that is drift in two runs of three.
    """
    sides = reference or _NONE, current or _NONE
    unnamed = _most_unnamed(sides[0]), _most_unnamed(sides[1])
    names = {name for side in sides for name in side.counts}
    rows = {name: (sides[0].counts.get(name, 0), sides[1].counts.get(name, 0)) for name in names}
    if not any(unnamed):
        return rows
    hidden = {name for name, (left, right) in rows.items() if (not left and unnamed[0]) or (not right and unnamed[1])}
    evident = _evident({name: rows[name] for name in hidden}, sides, unnamed)
    doubtful = [rows[name] for name in hidden - evident.keys()]
    possible = [(left or unnamed[0]) + (right or unnamed[1]) for left, right in doubtful]
    fewest = max([sum(unnamed), *possible])
    return evident | {name: both for name, both in rows.items() if name not in hidden and sum(both) > fewest}


def _most_unnamed(side: Categories) -> int:
    """The rows that a category may have which is not named: those that are named are the most frequent ones."""
    return min([side.others, *side.counts.values()])


def _evident(hidden: Mapping[str, Rows], sides: tuple[Categories, Categories], unnamed: Rows) -> dict[str, Rows]:
    """Those of which one sample has too many for chance, as the other does not name them.

    There they are taken to have as many rows as they can have without being named.
    """
    left = [side.others for side in sides]
    found = {}
    for name, rows in sorted(hidden.items(), key=lambda item: (-max(item[1]), item[0])):
        side = int(rows[0] > 0)
        share = sides[side].values / (sides[0].values + sides[1].values)
        if bdtr(unnamed[side], max(rows) + unnamed[side], share) < _NEVER:
            taken = min(unnamed[side], left[side])
            left[side] -= taken
            found[name] = (rows[0], taken) if side else (taken, rows[1])
    return found
