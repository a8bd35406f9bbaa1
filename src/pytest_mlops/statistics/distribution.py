"""How numbers are distributed, as counts in cells: all of them where they are few, a bounded summary of any number.

The 64-bit patterns of floating-point numbers, negative ones turned over, are in the order of the numbers. The cells are
leaves of the binary trie over these patterns: each leaf is the first node, from the root on, that holds at most one
value in a thousand, or it is a single number, however many values it has. So the cells depend on the values alone,
neither on their order nor on where they were counted, and every count is exact. A q-digest [1]_ has the same tree, and
gives up exact counts for one pass.

References
----------
.. [1] N. Shrivastava, C. Buragohain, D. Agrawal, S. Suri, "Medians and beyond: new aggregation techniques for sensor
   networks", SenSys 2004.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from .radix import counted
from .trie import BELOW, BITS, NO_COUNTS, NO_KEYS, floats_of, guess, keys_of, leaves, split

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]
    Keys = NDArray[np.uint64]

EXACT = 20_000
"""Up to so many values every distinct one has a cell of its own."""

CELLS = 1_000
"""Of more values, a cell of several numbers holds at most one in so many."""

_FINER_GUESS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """Counts in cells that do not overlap.

    Parameters
    ----------
    lowest, highest : arrays of shape (k,), rising
        The least and the greatest number that a cell can hold; the same one if it holds one number only. The outermost
        cells of finite numbers end at the least and the greatest value; infinite values have cells of their own.
    counts : integer array of shape (k,)
        How many values are in them, at least 1.
    """

    lowest: Floats
    highest: Floats
    counts: Counts

    @classmethod
    def of(cls, values: NDArray[Any]) -> Distribution:
        """The canonical cells of raw values, of shape (n,): no missing ones, infinite ones allowed.

        Raises
        ------
        EvidenceError
            There are no values, or one is missing.
        """
        floats = np.asarray(values).astype(np.float64) + 0.0  # -0.0 equals 0.0
        if floats.size <= EXACT:
            distinct, counts = np.unique(floats, return_counts=True)
            return cls.of_counts(distinct, counts)
        with np.errstate(invalid="ignore"):
            least, greatest = float(floats.min()), float(floats.max())
        infinities = (0, 0)
        if not np.isfinite([least, greatest]).all():
            _refuse_missing(floats[np.isnan(floats)])
            infinities = int((floats == -np.inf).sum()), int((floats == np.inf).sum())
            floats = floats[np.isfinite(floats)]
            if not floats.size:
                return _canonical(NO_KEYS, NO_COUNTS, infinities, 0.0, 0.0, most=0)
            least, greatest = float(floats.min()), float(floats.max())
        most = (floats.size + sum(infinities)) // CELLS
        return _canonical(*counted(floats, most), infinities, least, greatest, most=most)

    @classmethod
    def of_counts(cls, values: ArrayLike, counts: ArrayLike) -> Distribution:
        """Distinct values, in any order, and how often each was seen: a cell for each of them.

        Raises
        ------
        EvidenceError
            There are no values, or one is missing.
        """
        floats = np.asarray(values, dtype=np.float64) + 0.0
        if not floats.size:
            raise EvidenceError("a sample has no values")
        _refuse_missing(floats[np.isnan(floats)])
        distinct, places = np.unique(floats, return_inverse=True)
        seen = np.zeros(distinct.size, dtype=np.int64)
        np.add.at(seen, places, np.asarray(counts, dtype=np.int64))
        return cls(distinct, distinct, seen)

    @property
    def n(self) -> int:
        """How many values there are."""
        return int(self.counts.sum())

    @property
    def error(self) -> float:
        """The largest share of a cell of several numbers: by so much the distribution function may be off within it."""
        return float(self.counts[self.highest > self.lowest].max(initial=0) / self.n)

    @property
    def minimum(self) -> float:
        """The least value."""
        return float(self.lowest[0])

    @property
    def maximum(self) -> float:
        """The greatest value."""
        return float(self.highest[-1])

    @property
    def infinite(self) -> int:
        """How many values are infinite."""
        return int(self.counts[np.isinf(self.lowest)].sum())

    def quantile(self, shares: ArrayLike) -> Floats:
        """As `numpy.quantile` gives them; values of one cell are taken to be spread over it evenly."""
        return quantiles(self.lowest, self.highest, np.cumsum(self.counts), shares)

    def trie(self) -> Distribution:
        """A summary, as a large sample has one: a cell of several numbers holds a thousandth, or one value.

        Of single numbers, or of what is such a summary already.
        """
        finite = np.isfinite(self.lowest)
        infinities = int(self.counts[self.lowest == -np.inf].sum()), int(self.counts[self.lowest == np.inf].sum())
        lowest, highest = self.lowest[finite], self.highest[finite]
        ends = (lowest[0], highest[-1]) if lowest.size else (0.0, 0.0)
        return _canonical(keys_of(lowest), self.counts[finite], infinities, *ends, most=max(1, self.n // CELLS))

    def at_precision(self, precision: str) -> Distribution:
        """Had the values been kept as ``"float32"`` or ``"float16"``.

        A cell narrower than such numbers are apart becomes one of them. A wider one keeps its ends: rounded, they would
        meet those of its neighbours, though no value need be there.
        """
        if precision == "float64":
            return self
        with np.errstate(over="ignore", invalid="ignore"):
            middle = (self.lowest / 2 + self.highest / 2).astype(precision)
            wide = self.highest - self.lowest > np.spacing(np.abs(middle))
        number = middle.astype(np.float64) + 0.0
        lowest, highest = np.where(wide, self.lowest, number), np.where(wide, self.highest, number)
        above, below = np.where(wide, np.inf, number)[1:], np.where(wide, -np.inf, number)[:-1]
        highest[:-1] = np.where(wide[:-1], np.minimum(highest[:-1], np.nextafter(above, -np.inf)), highest[:-1])
        lowest[1:] = np.where(wide[1:], np.maximum(lowest[1:], np.nextafter(below, np.inf)), lowest[1:])
        starts = np.flatnonzero(np.append(True, lowest[1:] > highest[:-1]))
        ends = np.append(starts[1:], lowest.size) - 1
        return Distribution(lowest[starts], highest[ends], np.add.reduceat(self.counts, starts))


def quantiles(lowest: Floats, highest: Floats, cumulated: Counts, shares: ArrayLike) -> Floats:
    """Of values in cells, of which `cumulated` are in this one or a lower one."""
    place = np.asarray(shares, dtype=np.float64) * (int(cumulated[-1]) - 1)
    below = np.floor(place)
    left, right = (_ranked(lowest, highest, cumulated, rank) for rank in (below, np.ceil(place)))
    with np.errstate(invalid="ignore"):  # from -inf to inf there is no way
        return np.asarray(np.where(left == right, left, left + (right - left) * (place - below)))


def _ranked(lowest: Floats, highest: Floats, cumulated: Counts, rank: Floats) -> Floats:
    """Values by rank, from 0 on."""
    cell = np.searchsorted(cumulated, rank, side="right")
    before = np.append(0, cumulated)[cell]
    held = cumulated[cell] - before
    within = np.where(held > 1, (rank - before) / np.maximum(held - 1, 1), 0.5)
    with np.errstate(invalid="ignore"):
        between = lowest[cell] * (1 - within) + highest[cell] * within
    return np.asarray(np.where(lowest[cell] == highest[cell], lowest[cell], between))


def _refuse_missing(missing: Floats) -> None:
    if missing.size:
        raise EvidenceError("a value is missing")


# --- the same cells where only an engine can count -------------------------------------------------------------------


class Search:
    """The canonical cells of values that only an engine can count, by a few questions to it.

    Parameters
    ----------
    sample : array of shape (s,)
        Finite values, drawn at random: it saves questions and decides nothing.
    n : int
        How many values there are, infinite ones included.
    minimum, maximum : float
        Of the finite ones.
    infinities : (int, int)
        How many are minus and plus infinity.

    Examples
    --------
    >>> values = np.arange(100_000) % 7_000
    >>> search = Search(values[:500], values.size, 0, 6_999)
    >>> while (highs := search.highs) is not None:
    ...     search.tell(np.bincount(np.searchsorted(highs, values), minlength=highs.size))
    >>> bool((search.distribution().counts == Distribution.of(values).counts).all())
    True
    """

    def __init__(
        self,
        sample: NDArray[Any],
        n: int,
        minimum: float,
        maximum: float,
        infinities: tuple[int, int] = (0, 0),
    ) -> None:
        self._most = n // CELLS
        self._ends, self._infinities = (minimum, maximum), infinities
        self._starts, self._depths = guess(
            keys_of(np.asarray(sample, dtype=np.float64) + 0.0), 1 / CELLS / _FINER_GUESS
        )
        self._counts: Counts | None = None

    @property
    def highs(self) -> Floats | None:
        """How many finite values lie in (highs[i - 1], highs[i]] for each i? Rising, the last is infinite.

        None where enough is known.
        """
        if self._counts is not None:
            return None
        return np.append(floats_of(self._starts | BELOW[self._depths])[:-1], np.inf)

    def tell(self, counts: Counts) -> None:
        """The answer, of the shape of `highs`."""
        counts = np.asarray(counts, dtype=np.int64)
        if counts.shape != self._starts.shape:
            raise ValueError(f"{counts.size} counts for {self._starts.size} cells")
        coarse = (counts > self._most) & (self._depths < BITS)
        if coarse.any():
            self._starts, self._depths = split(self._starts, self._depths, coarse)
        else:
            self._counts = counts

    def distribution(self) -> Distribution:
        """What was found."""
        if self._counts is None:
            raise ValueError("the search is not over: ask for highs, and tell the counts")
        seen = self._counts > 0
        return _canonical(self._starts[seen], self._counts[seen], self._infinities, *self._ends, most=self._most)


def _canonical(
    keys: Keys, counts: Counts, infinities: tuple[int, int], minimum: float, maximum: float, *, most: int
) -> Distribution:
    """From a key of each fine cell, and the ends of finite values, to the canonical cells."""
    starts, ends, held = leaves(keys, counts, most)
    lowest, highest = floats_of(starts), floats_of(ends)
    if held.size:
        lowest[0], highest[-1] = minimum, maximum
    below, above = (np.array([many] if many else [], dtype=np.int64) for many in infinities)
    outer = np.full(below.size, -np.inf), np.full(above.size, np.inf)
    return Distribution(
        np.concatenate([outer[0], lowest, outer[1]]),
        np.concatenate([outer[0], highest, outer[1]]),
        np.concatenate([below, held, above]),
    )
