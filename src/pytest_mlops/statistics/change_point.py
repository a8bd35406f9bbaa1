"""When did it change? The first of a row of values after which they are other ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 9_999
"""Of the null: a p-value is known in steps of 0.0001."""

FEWEST = 3
"""Two values may differ, but that is no point in time."""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where values change.

    Parameters
    ----------
    place : int
        Of the first value after the change, counted from 0.
    p_value : float
        The chance of such a change somewhere in values that do not change.
    before, after : float
        Their means, weighted by how sure each value is.
    """

    place: int
    p_value: float
    before: float
    after: float


def first_change(values: Floats, errors: Floats, *, level: float, generator: Generator) -> ChangePoint | None:
    """The earliest significant change of level, if there is one.

    Parameters
    ----------
    values, errors : arrays of shape (k,)
        Independent of each other, in the order of time; each with its standard error, above 0.
    level : float
        Of significance, two-sided, in (0, 1).
    generator : numpy.random.Generator

    Returns
    -------
    ChangePoint or None
        The split with the largest |mean after - mean before| / standard error, over all k - 1 splits [1]_; its p-value
        is simulated, with normal values around one level. What lies before a change is searched again (binary
        segmentation), so that a fall and a later, larger rise are told by the fall. None also of fewer than three.

    References
    ----------
    .. [1] D. M. Hawkins, "Testing a sequence of observations for a shift in location", J. American Statistical
       Association 72, 1977.
    """
    found, end = None, values.size
    while end >= FEWEST:
        change = _largest(values[:end], errors[:end], generator)
        if change.p_value > level:
            break
        found, end = change, change.place
    return found


def pooled(errors: Floats, rows: NDArray[Any]) -> Floats:
    """Standard errors of values that differ by their numbers of rows alone, as they do where nothing changes.

    A share that is large by chance has a small standard error of its own: weighed by that, chance looks like a change
    in 13 of 100 series of shares near 0.9 of 60 rows each, and in 5 with these.

    Parameters
    ----------
    errors : array of shape (k,)
    rows : array of shape (k,)
        On how many rows each value rests, above 0.
    """
    return np.asarray(np.sqrt(np.mean(rows * errors**2) / rows))


def _largest(values: Floats, errors: Floats, generator: Generator) -> ChangePoint:
    weights = errors**-2.0
    before, after = _levels(values, weights)
    apart = np.abs(after - before) / _spread(weights)
    place = int(np.argmax(apart))
    drawn = generator.standard_normal((DRAWS, values.size)) * errors
    null_before, null_after = _levels(drawn, weights)
    extreme = (np.abs(null_after - null_before) / _spread(weights)).max(axis=1) >= apart[place]
    found = ChangePoint(place + 1, 1.0, float(before[place]), float(after[place]))
    return replace(found, p_value=(1 + int(np.count_nonzero(extreme))) / (1 + DRAWS))


def _levels(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """The mean before and after each split, of values of shape (…, k)."""
    summed, weighed = np.cumsum(values * weights, axis=-1), np.cumsum(weights)
    rest = summed[..., -1:] - summed[..., :-1]
    return summed[..., :-1] / weighed[:-1], rest / (weighed[-1] - weighed[:-1])


def _spread(weights: Floats) -> Floats:
    weighed = np.cumsum(weights)
    return np.asarray(np.sqrt(1 / weighed[:-1] + 1 / (weighed[-1] - weighed[:-1])))
