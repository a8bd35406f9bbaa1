"""How scores and outcomes go together, as lines to look at. They decide nothing: estimates have their own files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from . import proportions
from .sums import mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Booleans = NDArray[np.bool_]
    Floats = NDArray[np.float64]

POINTS = 80
"""Of a line: more than an eye can tell apart."""

BINS = 10
"""Of a calibration curve."""

_MARKS = 1_000
"""Thresholds taken from each class: with so many, no more than a thousandth of it lies between two."""

_UNSEEN = 5e-5
"""A bend that four decimals do not show."""

_ROWS_OF_A_BIN = 20
_ROWS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Line:
    """Points joined by straight lines, from left to right.

    Parameters
    ----------
    x, y : arrays of shape (k,), in [0, 1]
    """

    x: Floats
    y: Floats


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What was predicted and what happened, bin by bin, from the lowest probability to the highest.

    Parameters
    ----------
    predicted, observed : tuples of float, of k bins
        The mean probability, and the share of rows that happened.
    low, high : tuples of float
        Wilson's interval of that share.
    n : tuple of int
        Rows.
    """

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: tuple[int, ...]


def roc(positive: Booleans, score: Floats, weight: Floats | None = None, *, most: int = POINTS) -> Line | None:
    """True positive rate over false positive rate, from (0, 0) to (1, 1).

    Parameters
    ----------
    positive : bool array of shape (n,)
        Rows of the positive class.
    score : array of shape (n,)
        Higher is more positive; any scale.
    weight : array of shape (n,), not negative, optional
    most : int
        Points at most, at least 2.

    Returns
    -------
    Line or None
        Each point is one of the whole curve's; those are left out that bend it least. The same for rows in any order.
        None where there is nothing to draw: one class only, classes without weight, a score that is no number.
    """
    reached = _reached(positive, score, weight)
    if reached is None:
        return None
    of_positives, of_negatives = (np.append(0.0, each) for each in reached)
    return _thinned(of_negatives / of_negatives[-1], of_positives / of_positives[-1], most)


def precision_recall(
    positive: Booleans, score: Floats, weight: Floats | None = None, *, most: int = POINTS
) -> Line | None:
    """Precision over recall, from the rows of the highest score to all rows.

    Parameters
    ----------
    positive, score, weight, most
        As of `roc`.

    Returns
    -------
    Line or None
        As of `roc`. It begins with a threshold that some row reaches: the usual point (0, 1) is nobody's.
    """
    reached = _reached(positive, score, weight)
    if reached is None:
        return None
    right, wrong = reached
    said = right + wrong > 0  # rows without weight say nothing
    right, wrong = right[said], wrong[said]
    return _thinned(right / right[-1], right / (right + wrong), most)


def calibrated(happened: Booleans, probability: Floats, *, confidence: float, bins: int = BINS) -> Calibrated | None:
    """What happened in bins of equally many rows, by rising probability.

    Parameters
    ----------
    happened : bool array of shape (n,)
        Rows of the positive class, independent of each other.
    probability : array of shape (n,)
        That they are.
    confidence : float
        In (0, 1).
    bins : int
        At most; fewer where a bin would have fewer than 20 rows. Equal probabilities are in one bin.

    Returns
    -------
    Calibrated or None
        Without bins of fewer than 5 rows: they would tell what the model said of one of them. The same for rows in any
        order. None where nothing is left, there is one class only, or a probability is not finite.
    """
    bins = min(bins, happened.size // _ROWS_OF_A_BIN)
    if not bins or not happened.any() or happened.all() or not np.isfinite(probability).all():
        return None
    edges = np.percentile(probability, np.linspace(0, 1, bins + 1) * 100)
    bin_of = np.searchsorted(edges[1:-1], probability)
    rows, right = (np.bincount(of, minlength=bins).tolist() for of in (bin_of, bin_of[happened]))
    shown = [place for place in range(bins) if rows[place] >= _ROWS_SHOWN]
    if not shown:
        return None
    found = [proportions.share(right[place], rows[place], confidence=confidence) for place in shown]
    return Calibrated(
        predicted=tuple(mean(probability[bin_of == place]) for place in shown),
        observed=tuple(each.value for each in found),
        low=tuple(each.low for each in found),
        high=tuple(each.high for each in found),
        n=tuple(each.n for each in found),
    )


# --- thresholds


@dataclass(frozen=True, slots=True)
class _Class:
    """Rows of one class, from the lowest score to the highest; `below` is what lies below each, and at last all."""

    score: Floats
    below: Floats

    @classmethod
    def of(cls, score: Floats, weight: Floats | None) -> _Class:
        if weight is None:
            return cls(np.sort(score), np.arange(score.size + 1.0))
        order = np.lexsort((weight, score))  # added up in an order that the contents decide
        return cls(score[order], np.append(0.0, np.cumsum(weight[order])))

    @property
    def drawable(self) -> bool:
        return bool(0 < self.below[-1] < math.inf) and not math.isnan(self.score[-1])  # NaN is sorted last

    def marks(self) -> Floats:
        """The scores of some rows, with the same share of the class between each and the next; of few rows, of all."""
        places = np.searchsorted(self.below, np.linspace(0, self.below[-1], _MARKS))
        return self.score[np.minimum(places, self.score.size - 1)]

    def reached(self, thresholds: Floats) -> Floats:
        """How much has a score of at least that."""
        return np.asarray(self.below[-1] - self.below[np.searchsorted(self.score, thresholds)])


def _reached(positive: Booleans, score: Floats, weight: Floats | None) -> tuple[Floats, Floats] | None:
    """Of positives and of negatives, how much reaches each of some thresholds, from the highest to the lowest.

    Two sorts of numbers, which take less time than one of their places.
    """
    classes = [_Class.of(score[of], None if weight is None else weight[of]) for of in (positive, ~positive)]
    if not all(each.drawable for each in classes):
        return None
    thresholds = np.unique(np.concatenate([each.marks() for each in classes]))[::-1]
    of_positives, of_negatives = (each.reached(thresholds) for each in classes)
    return of_positives, of_negatives


# --- fewer points


def _thinned(x: Floats, y: Floats, most: int) -> Line:
    """The ends, and again and again the point that is farthest from the line so far (Ramer, Douglas and Peucker)."""
    kept = [0, x.size - 1]
    spans = [_farthest(x, y, 0, x.size - 1)]
    while spans and len(kept) < most:
        _, place, first, last = heappop(spans)
        kept.append(place)
        for span in (_farthest(x, y, first, place), _farthest(x, y, place, last)):
            if -span[0] > _UNSEEN:
                heappush(spans, span)
    places = np.unique(kept)
    return Line(x[places], y[places])


def _farthest(x: Floats, y: Floats, first: int, last: int) -> tuple[float, int, int, int]:
    """Which point between two is farthest from the line that joins them, after how far it is, negated: a heap's key."""
    if last - first < 2:
        return 0.0, first, first, last
    across, up = x[last] - x[first], y[last] - y[first]
    right, above = x[first + 1 : last] - x[first], y[first + 1 : last] - y[first]
    away = np.abs(right * up - above * across) / (math.hypot(across, up) or 1.0)
    place = int(np.argmax(away))
    return -float(away[place]), first + 1 + place, first, last
