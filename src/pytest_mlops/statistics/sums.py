"""Sums that do not depend on the order of the rows, to the last bit.

Adding floats in another order rounds otherwise, and so would two runs that read the same rows in another order. Here
every number is first rounded to a multiple of one common unit, and the multiples are added up as integers [1]_. The
unit is so fine (2^-47 of the largest number) that a sum of many rows is off by less than the usual way would be.

References
----------
.. [1] J. Demmel and H. D. Nguyen, "Fast reproducible floating-point summation", ARITH 21, 2013.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CHUNK = 32_768
"""Rows that stay in the processor's cache while they are worked on; as integers their sum has room in 64 bits."""

_LARGEST = 2.0**900
"""Beyond it the common unit itself would overflow."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The common unit of numbers up to `largest`: multiples of it are what is added up."""

    shift: float
    size: float

    @classmethod
    def of(cls, largest: float) -> Unit:
        """So fine that `largest` is at most 2^47 units: 2^15 rows of it stay within 64 bits."""
        exponent = max(math.frexp(largest)[1] + 5, -1021)  # the unit of the least numbers is the least float
        return cls(math.ldexp(1.5, exponent), math.ldexp(1.0, exponent - 52))

    def count(self, rows: Floats, into: Floats) -> int:
        """How many units the rows of one chunk have together; `into`, of the same shape, is overwritten.

        A float between 2^k and 2^(k+1) is its bits, taken as an integer, on a straight line: adding 1.5 · 2^k moves
        all rows onto that line, and rounds them to the unit on the way.
        """
        np.add(rows, self.shift, out=into)
        zero = int(np.float64(self.shift).view(np.int64))
        return (int(into.view(np.int64).sum()) - rows.size * zero + 2**63) % 2**64 - 2**63


def total(rows: Floats) -> float:
    """The sum of rows of shape (n,), the same in any order.

    Raises
    ------
    EvidenceError
        A row is not finite, or beyond 1e270.
    """
    largest = _largest(rows)
    if not largest:
        return 0.0
    unit, space = Unit.of(largest), np.empty(min(rows.size, _CHUNK))
    return sum(unit.count(chunk, space[: chunk.size]) for chunk in _chunks(rows)) * unit.size


def mean(rows: Floats) -> float:
    """The mean of rows of shape (n,), n at least 1, the same in any order."""
    return total(rows) / rows.size


def worth(weight: Floats | None, n: int) -> float:
    """How many equal rows n rows are worth: (Σw)² / Σw² (Kish). Rows of next to no weight are next to no evidence."""
    return float(n) if weight is None else total(weight) ** 2 / total(weight * weight)


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean, standard deviation (n - 1 in its denominator) and skewness of rows."""

    mean: float
    deviation: float
    skewness: float


def moments(rows: Floats) -> Moments:
    """The first three moments of rows of shape (n,), n at least 2, the same in any order.

    Equal rows have the deviation 0: rounding alone must not pass for variation.
    """
    n, centre = rows.size, mean(rows)
    low, high = float(rows.min()), float(rows.max())
    widest = max(high - centre, centre - low)
    if widest <= 1e-12 * max(abs(low), abs(high)):
        return Moments(centre, 0.0, 0.0)
    # Neither squares nor cubes may leave the range of floats.
    scale = 1.0 if 1e-60 < widest < 1e60 else math.ldexp(1.0, min(-math.frexp(widest)[1], 1000))
    widest *= scale
    of_squares, of_cubes = Unit.of(widest**2), Unit.of(widest**3)
    squares = cubes = 0
    centred, power, space = np.empty((3, min(n, _CHUNK)))
    for chunk in _chunks(rows):
        size = chunk.size
        np.subtract(chunk, centre, out=centred[:size])
        if scale != 1.0:
            centred *= scale
        np.multiply(centred, centred, out=power)
        squares += of_squares.count(power[:size], space[:size])
        np.multiply(power, centred, out=power)
        cubes += of_cubes.count(power[:size], space[:size])
    deviation = math.sqrt(squares * of_squares.size / (n - 1))
    skewness = cubes * of_cubes.size * n / ((n - 1) * (n - 2)) / deviation**3 if n > 2 else 0.0
    return Moments(centre, deviation / scale, skewness)


def _largest(rows: Floats) -> float:
    if not rows.size:
        return 0.0
    largest = max(abs(float(rows.min())), abs(float(rows.max())))
    if not largest <= _LARGEST:
        raise EvidenceError("a row's value is not a finite number, or too large to add up")
    return largest


def _chunks(rows: Floats) -> Iterator[Floats]:
    for start in range(0, rows.size, _CHUNK):
        yield rows[start : start + _CHUNK]
