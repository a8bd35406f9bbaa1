"""Two samples of one column as bars to look at. Nothing is decided by them, and no single row can be read off them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .distribution import Distribution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

BINS = 24
"""Of a histogram, at most."""

BARS = 11
"""Of categories that are named, at most; one more gathers the others."""

FEWEST = 5
"""Values of both samples together: what fewer have is not shown by itself."""

_TAIL = 0.005
_RARE = 0.01
_LARGEST = float(np.finfo(np.float64).max)
_REACH = 4.0
_TIDY = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Shares of both samples, bin by bin.

    Parameters
    ----------
    edges : tuple of float, of k + 1, rising
    reference, current : tuples of float, of k, in [0, 1]
        They add up to 1.
    """

    edges: tuple[float, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """Shares of both samples, category by category.

    Parameters
    ----------
    places : tuple of int
        Which categories are named, the largest first.
    others : int
        How many are gathered at the end; without any there is no such bar.
    reference, current : tuples of float, in [0, 1]
        They add up to 1.
    """

    places: tuple[int, ...]
    others: int
    reference: tuple[float, ...]
    current: tuple[float, ...]


def histogram(reference: Distribution, current: Distribution) -> Histogram | None:
    """Bins of equal width with tidy edges; the first and the last one take what lies beyond.

    Parameters
    ----------
    reference, current : Distribution
        Infinite values included. Those of one cell are taken to be spread over it evenly.

    Returns
    -------
    Histogram or None
        At most 24 bins, fewer for few values. They reach over what lies between the 0.5 % and 99.5 % quantiles of
        either sample, and no farther than four times the distance of its quartiles from these: a few values far away do
        not squeeze all others into one bin. Edges are multiples of 1, 2 or 5 times a power of ten, and of 1 where all
        values are whole; both end bins hold 5 values or more, so that no edge tells the least or the greatest value.
        None where there is nothing to draw: fewer than 10 values, no finite ones in a sample, or values too close
        together, or too far apart, for floating-point numbers.
    """
    samples = (reference, current)
    finite = [_finite(sample) for sample in samples]
    if not all(sample.counts.size for sample in finite) or reference.n + current.n < 2 * FEWEST:
        return None
    enough = _enough(min(sample.n for sample in finite))
    edges = _edges([_reach(sample) for sample in finite], enough, all(map(_whole, finite)))
    return None if edges is None else _trimmed(edges, np.stack([_counts(edges, sample) for sample in samples]))


def bars(counts: Counts, names: Sequence[str], *, pooled: bool = False) -> Bars | None:
    """The categories with the largest shares, both samples counting alike; the rest is gathered.

    Parameters
    ----------
    counts : integer array of shape (2, k)
        Of the reference and the current sample, neither empty.
    names : sequence of str, of k
        Decide between equal shares.
    pooled : bool
        Is the last one no category, but the rest of them?

    Returns
    -------
    Bars or None
        At most 11, and one for the others: all of fewer than 5 values are among them. None where nothing is left.
    """
    shares = counts / counts.sum(axis=1, keepdims=True)
    size, often = shares.sum(axis=0), counts.sum(axis=0) >= FEWEST
    often[-1] &= not pooled
    ranked = sorted(np.flatnonzero(often).tolist(), key=lambda place: (-size[place], names[place], -shares[0, place]))
    named = ranked[:BARS]
    others = int(np.count_nonzero(counts.sum(axis=0))) - len(named)
    if not named:
        return None
    shown = [counts[:, named], counts.sum(axis=1, keepdims=True) - counts[:, named].sum(axis=1, keepdims=True)]
    of_reference, of_current = _shares(np.concatenate(shown if others else shown[:1], axis=1))
    return Bars(tuple(named), others, of_reference, of_current)


# --- which edges


def _enough(n: int) -> int:
    """How many bins n values deserve (Rice's rule); two more may be needed for edges to be tidy."""
    return int(np.clip(math.ceil(2 * n ** (1 / 3)), 6, BINS - 2))


def _finite(sample: Distribution) -> Distribution:
    kept = np.isfinite(sample.lowest)
    return Distribution(sample.lowest[kept], sample.highest[kept], sample.counts[kept])


def _whole(sample: Distribution) -> bool:
    """Is all that is known to be one number whole, and that is nearly all? Rare numbers may share a cell."""
    single = sample.lowest == sample.highest
    return bool((sample.lowest[single] % 1 == 0).all()) and sample.counts[single].sum() >= (1 - _RARE) * sample.n


def _reach(sample: Distribution) -> tuple[float, float]:
    """From where to where a sample is drawn."""
    low, lower, upper, high = _ranked(sample, [_TAIL, 0.25, 0.75, 1 - _TAIL])
    far = _REACH * (upper - lower)
    return (max(low, lower - far), min(high, upper + far)) if far else (low, high)


def _ranked(sample: Distribution, shares: Sequence[float]) -> list[float]:
    """Quantiles that are values themselves where these are known: nothing lies between two of them."""
    cumulated = np.cumsum(sample.counts)
    rank = np.maximum(np.ceil(np.array(shares) * sample.n), 1)
    cell = np.searchsorted(cumulated, rank)
    within = 1 - (cumulated[cell] - rank) / sample.counts[cell]
    between = sample.lowest[cell] * (1 - within) + sample.highest[cell] * within
    return [float(x) for x in np.where(sample.lowest[cell] == sample.highest[cell], sample.lowest[cell], between)]


def _edges(reaches: Sequence[tuple[float, float]], enough: int, whole: bool) -> Floats | None:
    low, high = min(low for low, _ in reaches), max(high for _, high in reaches)
    if not math.isfinite(high - low):
        return None
    step, decimals = _tidy((high - low) / enough or abs(low) / 10, whole)
    if not 0 < step < math.inf:
        return None
    first, last = math.floor(low / step), math.floor(high / step) + 1
    edges = np.array([round(place * step, decimals) + 0.0 for place in range(first, last + 1)])  # + 0.0: never -0.0
    return edges if (np.diff(edges) > 0).all() else None


def _tidy(width: float, whole: bool) -> tuple[float, int]:
    """The next 1, 2 or 5 times a power of ten, and how many decimals it has."""
    if width <= 0 or (whole and width <= 1):
        return 1.0, 0
    power = math.floor(math.log10(width))
    scale = 10.0**power
    factor = next((tidy for tidy in _TIDY if tidy * scale >= width), _TIDY[-1])
    return factor * scale, max(0, -power)


# --- what is in them


def _counts(edges: Floats, sample: Distribution) -> Floats:
    """An edge belongs to the bin above it; a cell that it cuts is shared out by width."""
    inner = edges[1:-1] / 2
    lowest, highest = np.clip([sample.lowest, sample.highest], -_LARGEST, _LARGEST) / 2  # halves: no width is infinite
    cell = np.searchsorted(lowest, inner)  # the first that begins at the edge or above it
    cut = np.maximum(cell - 1, 0)
    width = highest[cut] - lowest[cut]
    above = np.where(width > 0, np.maximum(highest[cut] - inner, 0) / np.where(width > 0, width, 1.0), 0.0)
    below = np.append(0, np.cumsum(sample.counts))[cell] - np.where(cell > 0, sample.counts[cut] * above, 0.0)
    return np.diff(below, prepend=0.0, append=float(sample.n))


def _trimmed(edges: Floats, counts: Floats) -> Histogram:
    """Without the outermost edges as long as an end bin holds too few."""
    pooled = counts.sum(axis=0)
    first = int(np.argmax(np.cumsum(pooled) >= FEWEST))
    last = pooled.size - int(np.argmax(np.cumsum(pooled[::-1]) >= FEWEST))
    kept = counts[:, first:last].copy()
    kept[:, 0] += counts[:, :first].sum(axis=1)
    kept[:, -1] += counts[:, last:].sum(axis=1)
    return Histogram(tuple(edges[first : last + 1].tolist()), *_shares(kept))


def _shares(counts: Counts | Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    reference, current = (counts / counts.sum(axis=1, keepdims=True)).tolist()
    return tuple(reference), tuple(current)
