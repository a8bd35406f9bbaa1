"""Two distribution functions side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .distribution import Distribution

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

_INTEGERS = 2**62


@dataclass(frozen=True, slots=True)
class Steps:
    """Two distribution functions, at the ends of the cells that both have: there every count is exact.

    Parameters
    ----------
    lowest, highest : arrays of shape (k,), rising
        Cells of one sample that overlap ones of the other are one. Equal where it is a single number.
    reference, current : integer arrays of shape (k,)
        How many values of each sample are at most `highest`.
    """

    lowest: Floats
    highest: Floats
    reference: Counts
    current: Counts

    @classmethod
    def of(cls, reference: Distribution, current: Distribution) -> Steps:
        """Of two samples, neither empty."""
        samples = (reference, current)
        lowest = np.concatenate([sample.lowest for sample in samples])
        highest = np.concatenate([sample.highest for sample in samples])
        order = np.argsort(lowest, kind="stable")  # two runs that are in order
        reach = np.maximum.accumulate(highest[order])
        starts = np.flatnonzero(np.append(True, lowest[order][1:] > reach[:-1]))
        counts = np.zeros((2, order.size), dtype=np.int64)
        of_reference = order < reference.counts.size
        counts[0, of_reference], counts[1, ~of_reference] = reference.counts, current.counts
        cumulated = np.cumsum(np.add.reduceat(counts, starts, axis=1), axis=1)
        return cls(lowest[order][starts], reach[np.append(starts[1:], order.size) - 1], *cumulated)

    @property
    def n(self) -> int:
        """Values of the reference."""
        return int(self.reference[-1])

    @property
    def m(self) -> int:
        """Values of the current sample."""
        return int(self.current[-1])

    @property
    def lead(self) -> int:
        """D · n · m, an integer: equal distances are equal whatever the rounding."""
        if self.n * self.m < _INTEGERS:
            return int(np.abs(self.reference * self.m - self.current * self.n).max())
        return round(float(np.abs(self.reference / self.n - self.current / self.m).max()) * self.n * self.m)

    @property
    def hidden(self) -> Floats:
        """Of each cell: by how much more than at its ends the two functions may differ within it.

        Both rise there, the one by f and the other by g: their difference leaves its two ends by at most min(f, g).
        """
        wide = self.highest > self.lowest
        if not wide.any():
            return np.zeros(wide.size)
        shares = (np.diff(self.reference, prepend=0) / self.n, np.diff(self.current, prepend=0) / self.m)
        return np.where(wide, np.minimum(*shares), 0.0)

    @property
    def slack(self) -> float:
        """By how much the largest difference may exceed the one that is seen; 0 where every value has its own cell."""
        return float(self.hidden.max())

    @property
    def difference(self) -> Floats:
        """Reference minus current, in [-1, 1]."""
        return np.asarray(self.reference / self.n - self.current / self.m)

    def rest(self) -> Steps:
        """The reference without the current sample, where this one is a part of it."""
        return Steps(self.lowest, self.highest, self.reference - self.current, self.current)
