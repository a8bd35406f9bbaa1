"""How sure we are of any function of rows: draw rows with replacement, many times, and see how far it moves."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtr, stdtrit

from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate

from .dependence import FEWEST
from .power import quantile

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

Of = Callable[["Places"], float]
"""The metric of the rows at some places."""

Tell = Callable[[str, float], object]
"""Takes words on how far it is, and the share that is done."""

RESAMPLES = 2_000
"""Enough for the ends of a 95 % interval: about 50 draws lie beyond each."""

_FEWEST_RESAMPLES = 50
_SECONDS_BETWEEN_WORDS = 1.0
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True)
class Units:
    """Rows that are drawn as a whole: clusters, or batches of time.

    Parameters
    ----------
    places : array of shape (n,)
        The places of all rows, unit by unit.
    starts, sizes : arrays of shape (units,)
        Where each unit begins in `places`, and how many rows it has.
    """

    places: Places
    starts: Places
    sizes: Places

    @classmethod
    def of(cls, codes: Places) -> Units:
        """From the unit that each row is in, shape (n,), counted from 0; a number without a row is no unit."""
        sizes = np.bincount(codes)
        sizes = sizes[sizes > 0].astype(np.intp)
        return cls(np.argsort(codes, kind="stable"), np.cumsum(sizes) - sizes, sizes)

    @property
    def count(self) -> int:
        """How many."""
        return self.sizes.size

    @property
    def effective(self) -> float:
        """How many equal ones are worth as much: (Σ sizes)² / Σ sizes²."""
        sizes = [int(size) for size in self.sizes]
        return sum(sizes) ** 2 / sum(size * size for size in sizes)

    def draw(self, generator: Generator) -> Places:
        """The places of the rows of as many units as there are, drawn with replacement."""
        drawn = generator.integers(self.count, size=self.count, dtype=np.intp)
        sizes = self.sizes[drawn]
        begins = np.cumsum(sizes) - sizes
        which = np.repeat(self.starts[drawn] - begins, sizes)
        which += np.arange(which.size, dtype=np.intp)
        return np.asarray(self.places[which], dtype=np.intp)


def bootstrap(
    of: Of,
    n: int,
    *,
    confidence: float,
    generator: Generator,
    resamples: int = RESAMPLES,
    units: Units | None = None,
    tell: Tell | None = None,
) -> Estimate:
    """The estimate of any function of rows; it takes as long as calling the function `resamples` times.

    Parameters
    ----------
    of : callable
        Given places of rows in [0, n), an array of shape (rows,), the function's value of these rows. The rows are
        in an order that their contents decide, or the result would change with the order of the rows.
    n : int
        Rows, at least 2.
    confidence : float
        In (0, 1).
    generator : numpy.random.Generator
    resamples : int
        At least 50.
    units : Units, optional
        What is drawn as a whole. Without it the rows are independent of each other.
    tell : callable, optional
        Is told at once and about every second how far it is: ``"resample 1,200 of 2,000", 0.6``.

    Returns
    -------
    Estimate
        With `null` 0 and the one-sided p-value of "it is not below 0". Where no resample differs from all rows it is
        of width 0, without a p-value and a standard error. It has a `doubt` where it rests on fewer than six units.

    Raises
    ------
    EvidenceError
        Fewer than two rows or units; the function raises, or gives what is not one finite number, for all rows or for
        any resample.
    MlopsUsageError
        Too few resamples.

    Notes
    -----
    With d the draws less the value, the percentile interval is value + [d₁, d₂], their quantiles, and the basic one is
    value - [d₂, d₁]. The one errs where the metric is skewed, the other where it is biased [1]_; neither may make the
    answer too short, so the interval is the shortest one around the value that holds both, and the normal one as well.
    All three forget that the spread was itself estimated from G units: they are stretched by t/z · √(G / (G - 1))
    [2]_, Student's t with one degree less than the effective number of units. The p-value is the largest of the same
    three; no share of draws is ever 0.

    Memory: one resample at a time, whatever their number.

    References
    ----------
    .. [1] A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application", 1997, chapter 5.
    .. [2] T. C. Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69, 2015.
    """
    _refuse_too_few(n, resamples, units)
    value = _of_all(of, n)
    draws = _drawn(of, n, generator=generator, resamples=resamples, units=units, tell=tell)
    count, effective = (n, float(n)) if units is None else (units.count, units.effective)
    return around(
        value,
        draws,
        confidence=confidence,
        units=count,
        degrees=max(effective - 1.0, 1.0),
        n=n,
        method=f"{'row' if units is None else f'{units.count}-unit'} bootstrap, {resamples:,} resamples",
        doubt=None if units is None else _doubt(units),
    )


def around(
    value: float,
    draws: Floats,
    *,
    confidence: float,
    units: int,
    degrees: float,
    n: int,
    method: str,
    doubt: str | None = None,
) -> Estimate:
    """The estimate at `value` whose resamples gave `draws`, an array of shape (resamples,): see `bootstrap`."""
    moved = draws - value
    if float(np.abs(moved).max()) <= _NEGLIGIBLE * max(abs(value), float(np.abs(draws).max())):
        moved = np.zeros_like(draws)
    moved *= math.sqrt(units / (units - 1))
    deviation, z = math.sqrt(float(np.mean(np.square(moved)))), quantile(confidence)
    ends = np.quantile(moved, [(1 - confidence) / 2, (1 + confidence) / 2])
    half = max(float(np.abs(ends).max()), z * deviation) * float(stdtrit(degrees, (1 + confidence) / 2)) / z
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        confidence=confidence,
        method=method,
        n=n,
        null=0.0,
        p_value=_p_value(value, moved, deviation, degrees) if deviation else None,
        standard_error=half / z or None,
        doubt=doubt,
    )


def _p_value(value: float, moved: Floats, deviation: float, degrees: float) -> float:
    """How often a metric that is truly 0 would fall as low: by Student's t, the basic and the percentile draws."""
    as_low = max(np.count_nonzero(moved <= value), np.count_nonzero(-moved <= value))
    return max(float(stdtr(degrees, value / deviation)), (int(as_low) + 1) / (moved.size + 1))


def _refuse_too_few(n: int, resamples: int, units: Units | None) -> None:
    if resamples < _FEWEST_RESAMPLES:
        raise MlopsUsageError(f"resamples={resamples} makes no interval: {_FEWEST_RESAMPLES} at least, better 2,000")
    if n < 2:
        raise EvidenceError(f"an interval needs at least two rows, and there is {n}")
    if units is not None and units.count < 2:
        raise EvidenceError(
            f"all rows belong together, and nothing tells how much such units differ: at least two are needed, and "
            f"{FEWEST} to prove anything"
        )


def _doubt(units: Units) -> str | None:
    return None if units.count >= FEWEST else f"it rests on {units.count} units of rows, and {FEWEST} are needed"


# --- asking a function that somebody else wrote


def _of_all(of: Of, n: int) -> float:
    found = _asked(of, np.arange(n, dtype=np.intp))
    if isinstance(found, _NoValue):
        raise EvidenceError(f"the metric has no value: {found.reason}") from found.error
    return found


def _drawn(of: Of, n: int, *, generator: Generator, resamples: int, units: Units | None, tell: Tell | None) -> Floats:
    draws = np.full(resamples, math.nan)
    first: _NoValue | None = None
    with warnings.catch_warnings():
        # What there was to warn of, the call with all rows has said; two thousand times more say nothing new.
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        for number in _told(resamples, tell):
            places = generator.integers(n, size=n, dtype=np.intp) if units is None else units.draw(generator)
            found = _asked(of, places)
            if isinstance(found, _NoValue):
                first = first or found
            else:
                draws[number] = found
    if first is not None:
        raise _without_value(first, int(np.isnan(draws).sum()), resamples)
    return draws


@dataclass(frozen=True, slots=True)
class _NoValue:
    reason: str
    error: Exception | None = None


def _asked(of: Of, places: Places) -> float | _NoValue:
    try:
        found: Any = of(places)
    except MlopsUsageError:
        raise
    except Exception as error:
        # Not swallowed: whoever gets this raises an EvidenceError from it.
        return _NoValue(_words(error), error)
    if isinstance(found, bool) or not isinstance(found, Real):
        return _NoValue(f"it returned a {type(found).__name__}, expected one number")
    return _finite(found)


def _finite(found: Real) -> float | _NoValue:
    try:
        number = float(found)
    except OverflowError as error:
        return _NoValue("it returned a number too large for a float", error)
    return number if math.isfinite(number) else _NoValue(f"it returned {number}, expected a finite number")


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, EvidenceError) else f"it raised {type(error).__name__}: {error}"


def _without_value(first: _NoValue, failed: int, resamples: int) -> EvidenceError:
    error = EvidenceError(
        f"the metric has no value in {failed:,} of {resamples:,} resamples of the rows: {first.reason} "
        f"(the metric has no value where a resample holds one class only, for example: judge more rows)"
    )
    error.__cause__ = first.error
    return error


def _told(resamples: int, tell: Tell | None) -> Iterator[int]:
    said = -math.inf
    for number in range(resamples):
        if tell is not None and time.monotonic() - said >= _SECONDS_BETWEEN_WORDS:
            tell(f"resample {number:,} of {resamples:,}", number / resamples)
            said = time.monotonic()
        yield number
