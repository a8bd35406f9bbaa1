"""A profile in which no count and no end of a cell tells of fewer rows than were asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlops.statistics.distribution import Distribution
from pytest_mlops.statistics.trie import floats_of, keys_of

from .profile import ColumnProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Group = list[int]

_LARGEST = float(np.finfo(np.float64).max)


def suppressed(profile: ColumnProfile, fewest: int) -> ColumnProfile:
    """Categories of fewer than `fewest` rows are among the others, and cells of fewer values among their neighbours.

    Missing and infinite values are counted, however few they are. Where all values are fewer, they are one cell.
    """
    if profile.categories is not None:
        return replace(profile, categories=profile.categories.without_small(fewest))
    if profile.distribution is not None:
        return replace(profile, distribution=merged(profile.distribution, fewest))
    return profile


def merged(distribution: Distribution, fewest: int) -> Distribution:
    """Cells of `fewest` values or more, as many as there can be, which end at no value of a single row.

    Parameters
    ----------
    distribution : Distribution
    fewest : int, 1 or more
    """
    finite = np.flatnonzero(np.isfinite(distribution.lowest))
    if not finite.size or fewest <= 1:
        return distribution
    groups = _groups(distribution.counts[finite].tolist(), fewest)
    starts = finite[[group[0] for group in groups]]
    ends = finite[[group[-1] for group in groups]]
    lowest, highest = _rounded(distribution.lowest[starts], distribution.highest[ends])
    counts = np.add.reduceat(distribution.counts[finite], starts - finite[0])
    left, right = slice(None, finite[0]), slice(finite[-1] + 1, None)
    return Distribution(
        np.concatenate([distribution.lowest[left], lowest, distribution.lowest[right]]),
        np.concatenate([distribution.highest[left], highest, distribution.highest[right]]),
        np.concatenate([distribution.counts[left], counts, distribution.counts[right]]),
    )


# --- which cells become one


def _groups(counts: list[int], fewest: int) -> list[Group]:
    """A cell with enough values stays alone if it can: a heavy one that took in others would hide what is in it."""
    groups: list[Group] = []
    for heavy, run in groupby(range(len(counts)), key=lambda place: counts[place] >= fewest):
        places = list(run)
        groups.extend([[place] for place in places] if heavy else _filled(places, counts, fewest))
    return _without_light(groups, counts, fewest)


def _filled(run: Iterable[int], counts: list[int], fewest: int) -> list[Group]:
    """Neighbours together until they are enough; what is left at the end belongs to the last."""
    found: list[Group] = [[]]
    held = 0
    for place in run:
        if held >= fewest:
            found.append([])
            held = 0
        found[-1].append(place)
        held += counts[place]
    if held < fewest and len(found) > 1:
        left = found.pop()
        found[-1] += left
    return found


def _without_light(groups: list[Group], counts: list[int], fewest: int) -> list[Group]:
    """What is still too light joins the lighter neighbour."""
    held = [sum(counts[place] for place in group) for group in groups]
    joined: list[Group] = []
    upwards: Group = []
    for place, group in enumerate(groups):
        following = held[place + 1] if place + 1 < len(held) else math.inf
        if held[place] < fewest and joined and held[place - 1] <= following:
            joined[-1] = joined[-1] + group
        elif held[place] < fewest and following < math.inf:
            upwards = group
        else:
            joined.append(upwards + group)
            upwards = []
    return joined


# --- where they end


def _rounded(lowest: Floats, highest: Floats) -> tuple[Floats, Floats]:
    """A cell of several numbers ends halfway to the next, in the roundest pattern there is; a single number stays."""
    several = highest > lowest
    low, high = keys_of(lowest), keys_of(highest)
    between = _roundest(high[:-1], low[1:])
    below = np.where(several[:-1], between - np.uint64(1), high[:-1])
    above = np.where(several[1:], between, low[1:])
    lows, highs = floats_of(np.append(low[:1], above)), floats_of(np.append(below, high[-1:]))
    return _rounded_outwards(lows, highs, several)


def _roundest(low: NDArray[np.uint64], high: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The pattern above `low`, and not above `high`, that ends with the most zeros."""
    bits = np.array([int(x).bit_length() - 1 for x in (low ^ high).tolist()], dtype=np.uint64)
    return (high >> bits) << bits


def _rounded_outwards(lowest: Floats, highest: Floats, several: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The least and the greatest value are those of single rows: on a grid as wide as their cell, they are not."""
    lowest, highest = lowest.copy(), highest.copy()
    if several[0]:
        lowest[0] = -_rounded_up(-float(lowest[0]), -float(highest[0]))
    if several[-1]:
        highest[-1] = _rounded_up(float(highest[-1]), float(lowest[-1]))
    return lowest, highest


def _rounded_up(end: float, other_end: float) -> float:
    """To a multiple of the power of two that is as wide as the cell, or wider."""
    width = end - other_end
    if width > _LARGEST / 4:
        return _LARGEST
    part, power = math.frexp(width)
    step = math.ldexp(1.0, power - (part == 0.5))
    up = math.ceil(end / step) * step
    return up if up >= end else step  # so near 0 that its multiple is 0
