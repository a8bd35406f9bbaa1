"""How far the rates of groups are apart: all pairs at once. Arrays in, estimates out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import bdtr, gammaln, ndtr

from pytest_mlops.verdict.estimate import Estimate

from .multiplicity import holm
from .power import error_for, quantile, with_blind_spot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

Scale = Literal["difference", "ratio"]

_FISHER_BELOW = 5.0
"""Where a cell of a pair's table expects fewer rows, the normal approximation is not to be trusted."""

_MOST_ROWS = 10**12

_CELLS = 2_000_000
"""As many tables of Fisher's test are held in memory at a time."""


@dataclass(frozen=True, slots=True)
class Shares:
    """One rate of each of k groups.

    Parameters
    ----------
    counted, n : integer arrays of shape (k,)
        Rows that count, of how many. A group of no rows has no rate.
    """

    counted: Integers
    n: Integers

    @property
    def values(self) -> Floats:
        """The rates, of shape (k,); NaN where there are no rows."""
        return np.asarray(np.divide(self.counted, self.n, out=np.full(self.n.shape, np.nan), where=self.n > 0))


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs of groups whose rates can be compared, of one rate or of several.

    Parameters
    ----------
    scale : {"difference", "ratio"}
        The higher rate minus the lower one, in [0, 1]; or the lower one divided by the higher one, in [0, 1].
    confidence : float
        In (0, 1).
    rate, higher, lower : integer arrays of shape (pairs,)
        Which rate is compared, and of which groups.
    values, lows, highs : arrays of shape (pairs,)
        Each pair's disparity, and the ends of its interval: the end on the side of parity is simultaneous over all
        pairs, the other one is the pair's own.
    p_values, adjusted : arrays of shape (pairs,)
        Two-sided, of "the two rates are equal"; and corrected by Holm's procedure.
    standard_errors : array of shape (pairs,)
        Of the difference; of the logarithm of the ratio.
    """

    scale: Scale
    confidence: float
    rate: Integers
    higher: Integers
    lower: Integers
    values: Floats
    lows: Floats
    highs: Floats
    p_values: Floats
    adjusted: Floats
    standard_errors: Floats

    @property
    def size(self) -> int:
        """How many pairs."""
        return int(self.values.size)

    @property
    def worst(self) -> int:
        """The place of the pair that is furthest from parity."""
        return int(self.values.argmax() if self.scale == "difference" else self.values.argmin())

    def of_group(self, group: int) -> Booleans:
        """Which pairs a group is in."""
        return np.asarray((self.higher == group) | (self.lower == group))

    def beyond(self, bound: float) -> Booleans:
        """Which pairs are further apart than the bound."""
        return np.asarray(self.values > bound if self.scale == "difference" else self.values < bound)

    def clearest(self, bound: float) -> int | None:
        """The place of the most significant of the pairs that are beyond the bound."""
        places = np.flatnonzero(self.beyond(bound))
        return int(places[self.p_values[places].argmin()]) if places.size else None


def compare(rates: Sequence[Shares], *, scale: Scale, confidence: float) -> Pairs:
    """Compare each group with each other, in each of the rates.

    Parameters
    ----------
    rates : sequence of Shares
        Of the same k groups, e.g. their true and their false positive rates. The level is split over all of them.
    scale : {"difference", "ratio"}
    confidence : float
        In (0, 1).

    Returns
    -------
    Pairs
        Without those that a group of no rows is in and, of ratios, without those that are 0 / 0.

    Notes
    -----
    The interval of a difference is Newcombe's hybrid score interval [1]_, that of a ratio the same construction on the
    log scale [2]_; where the lower rate is 0, the upper end of its ratio is the quotient of the two score limits, which
    is conservative. The level of the end on the side of parity is Šidák's over all pairs. The other end
    needs no correction: the largest of all pairs' ends is not smaller than that of the pair which is truly the worst
    (the intersection-union principle, [3]_).

    Equality is tested by the score test (Pearson's χ² without correction), or by Fisher's exact one where a cell
    expects fewer than 5 rows. An interval does not exclude parity where its test does not: Newcombe's does so too
    often for a group of a few rows.

    References
    ----------
    .. [1] R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of
       eleven methods", Statistics in Medicine 17, 1998 (method 10).
    .. [2] G. Y. Zou and A. Donner, "Construction of confidence limits about effect measures: a general approach",
       Statistics in Medicine 27, 2008.
    .. [3] R. L. Berger, "Multiparameter hypothesis testing and acceptance sampling", Technometrics 24, 1982.
    """
    rate, higher, lower = _ordered_pairs(rates, scale)
    x1, n1, x2, n2 = _cells(rates, rate, higher, lower)
    z = quantile(confidence)
    simultaneous = quantile(confidence ** (1 / max(rate.size, 1)))
    values, (low, high), (parity_low, parity_high) = _intervals(x1, n1, x2, n2, scale, (z, simultaneous))
    p_values = _equality(x1, n1, x2, n2)
    adjusted = np.array(holm(p_values.tolist()))
    parity = adjusted > 1 - confidence
    return Pairs(
        scale=scale,
        confidence=confidence,
        rate=rate,
        higher=higher,
        lower=lower,
        values=values,
        lows=np.where(parity, 0.0, parity_low) if scale == "difference" else low,
        highs=high if scale == "difference" else np.where(parity, 1.0, parity_high),
        p_values=p_values,
        adjusted=adjusted,
        standard_errors=_standard_errors(x1, n1, x2, n2, scale, z),
    )


def disparity(
    pairs: Pairs, bound: float, *, n: int, among: Booleans | None = None, seen: Booleans | None = None
) -> Estimate:
    """The largest disparity of any pair, with its interval.

    Parameters
    ----------
    pairs : Pairs
    bound : float
        The fail bound: significance is asked of the pairs beyond it, because a significant difference that is small
        says nothing about a large one that is noise.
    n : int
        Rows that it rests on.
    among : boolean array of shape (pairs,), optional
        The pairs that it is of; default: all. At least one.
    seen : boolean array of shape (pairs,), optional
        The pairs that must not be blind; default: `among`.

    Returns
    -------
    Estimate
        Its null is 0 for a difference and 1 for a ratio. Its p-value is half of the smallest adjusted one of the
        pairs beyond the bound: harm has two directions here, and `judge` compares with (1 - confidence) / 2, so that
        equal rates FAIL with a chance of at most 1 - confidence. Its blind spot is that of the least precise pair, on
        the scale of the distance from parity.
    """
    chosen = np.ones(pairs.size, dtype=np.bool_) if among is None else among
    counted = chosen if seen is None else seen
    worst = np.max if pairs.scale == "difference" else np.min
    beyond = pairs.beyond(bound) & chosen
    found = Estimate(
        value=float(worst(pairs.values[chosen])),
        low=float(worst(pairs.lows[chosen])),
        high=float(worst(pairs.highs[chosen])),
        confidence=pairs.confidence,
        method=f"pairwise Newcombe{'' if pairs.scale == 'difference' else ' on the log scale'}; score or Fisher, Holm",
        n=n,
        null=0.0 if pairs.scale == "difference" else 1.0,
        p_value=float(pairs.adjusted[beyond if beyond.any() else chosen].min()) / 2,
        standard_error=float(pairs.standard_errors[counted].max()),
    )
    return replace(found, blind_spot=blind_spot(found, distance(bound, pairs.scale), pairs.scale, pairs.size))


def distance(bound: float, scale: Scale) -> float:
    """How far a bound is from parity."""
    return bound if scale == "difference" else 1 - bound


def blind_spot(found: Estimate, apart: float, scale: Scale, comparisons: int) -> float:
    """The smallest true distance from parity that FAIL catches with probability 0.8, for a bound so far `apart`.

    Parameters
    ----------
    found : Estimate
        With a standard error: of the difference, or of the logarithm of the ratio.
    apart : float
        In (0, 1).
    scale : {"difference", "ratio"}
    comparisons : int
        Pairs.
    """
    if scale == "difference":
        spot = with_blind_spot(replace(found, null=0.0), apart, comparisons=comparisons).blind_spot
        return math.nan if spot is None else spot
    log = with_blind_spot(replace(found, null=0.0), math.log1p(-apart), comparisons=comparisons).blind_spot
    return math.nan if log is None else -math.expm1(-log)


def needed_error(apart: float, cap: float, scale: Scale, comparisons: int, confidence: float) -> float | None:
    """The standard error with which the `blind_spot` is `cap`.

    Parameters
    ----------
    apart, cap : float
        Distances from parity: of the bound, and of what may go unseen.
    scale : {"difference", "ratio"}
    comparisons : int
        Pairs.
    confidence : float
        In (0, 1).

    Returns
    -------
    float or None
        None where no rows suffice, since the bound itself is as far as what may go unseen.
    """
    if cap <= apart:
        return None
    if scale == "ratio":
        cap, apart = (-math.log1p(-x) if x < 1 else math.inf for x in (cap, apart))
    return error_for(cap, apart, confidence, comparisons=comparisons)


def standard_error(shares: Shares, group: int, scale: Scale, confidence: float) -> float:
    """What one group adds to the standard error of its pairs: of its rate, or of the logarithm of its rate."""
    x, n = (np.array([float(cells[group])]) for cells in (shares.counted, shares.n))
    return float(np.sqrt(_variance(x, n, scale, quantile(confidence))[0]))


def rows_for(error: float, shares: Shares, group: int, scale: Scale, confidence: float) -> int | None:
    """With how many rows a group of the same rate would have this `standard_error`; None where no number suffices."""
    z, rate = quantile(confidence), shares.values[group]

    def suffices(n: int) -> bool:
        rows = np.array([float(n)])
        return bool(np.sqrt(_variance(rate * rows, rows, scale, z)[0]) <= error)

    enough = 1
    while not suffices(enough):
        enough *= 2
        if enough > _MOST_ROWS:
            return None
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if suffices(middle) else (middle, enough)
    return enough


def tail(counted: int, n: int, share: float, *, below: bool) -> float:
    """How likely so few rows count (or so many, if not `below`) where the true share is `share`: exact, one-sided."""
    if below:
        return float(bdtr(counted, n, share))
    return float(bdtr(n - counted, n, 1 - share))


def worst_of(own: Sequence[Estimate], simultaneous: Sequence[Estimate], *, smallest: bool, n: int) -> Estimate:
    """The worst of several groups' estimates, with its interval.

    Parameters
    ----------
    own, simultaneous : sequences of Estimate
        Of the same groups: at the confidence that is wanted, and at Šidák's over the groups.
    smallest : bool
        Is the smallest value the worst, or the largest?
    n : int
        Rows of all groups.

    Returns
    -------
    Estimate
        Without a null. Its harmful end is the worst of the groups' own ones, as in `compare`; its other end is
        simultaneous. Its standard error is the largest.
    """
    worst = min if smallest else max
    errors = [estimate.standard_error for estimate in own]
    value = worst(estimate.value for estimate in own)
    return Estimate(
        value=value,
        low=worst(estimate.low for estimate in (own if smallest else simultaneous)),
        high=worst(estimate.high for estimate in (simultaneous if smallest else own)),
        confidence=own[0].confidence,
        method=f"worst group: {own[0].method}",
        n=n,
        standard_error=None if None in errors else max(error for error in errors if error is not None),
    )


def _ordered_pairs(rates: Sequence[Shares], scale: Scale) -> tuple[Integers, Integers, Integers]:
    """The place of the rate, of the group whose rate is higher, and of the other, for each pair."""
    found: list[tuple[Any, Any, Any]] = []
    for place, shares in enumerate(rates):
        values = shares.values
        known = np.flatnonzero(shares.n > 0)
        first, second = np.triu_indices(known.size, 1)
        one, two = known[first], known[second]
        swap = values[one] < values[two]
        higher, lower = np.where(swap, two, one), np.where(swap, one, two)
        defined = values[higher] > 0 if scale == "ratio" else np.ones(higher.shape, dtype=np.bool_)
        found.append((np.full(int(defined.sum()), place), higher[defined], lower[defined]))
    joined = [np.concatenate(part).astype(np.int64) for part in zip(*found, strict=True)]
    return joined[0], joined[1], joined[2]


def _cells(
    rates: Sequence[Shares], rate: Integers, higher: Integers, lower: Integers
) -> tuple[Floats, Floats, Floats, Floats]:
    counted, n = (np.stack([getattr(shares, name) for shares in rates]).astype(float) for name in ("counted", "n"))
    return counted[rate, higher], n[rate, higher], counted[rate, lower], n[rate, lower]


def _intervals(
    x1: Floats, n1: Floats, x2: Floats, n2: Floats, scale: Scale, levels: tuple[float, float]
) -> tuple[Floats, tuple[Floats, Floats], tuple[Floats, Floats]]:
    """The disparities, and their intervals at two quantiles."""
    p1, p2 = x1 / n1, x2 / n2
    of = _difference if scale == "difference" else _ratio
    own, simultaneous = (of(p1, _wilson(x1, n1, z), p2, _wilson(x2, n2, z)) for z in levels)
    return (p1 - p2 if scale == "difference" else p2 / p1), own, simultaneous


def _wilson(x: Floats, n: Floats, z: float) -> tuple[Floats, Floats]:
    p = x / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return np.where(x == 0, 0.0, centre - half), np.where(x == n, 1.0, centre + half)


def _difference(
    p1: Floats, limits1: tuple[Floats, Floats], p2: Floats, limits2: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Of |p1 - p2|, where p1 is the higher one; the true order may be the other one."""
    (l1, u1), (l2, u2) = limits1, limits2
    low = p1 - p2 - np.hypot(p1 - l1, u2 - p2)
    high = p1 - p2 + np.hypot(u1 - p1, p2 - l2)
    return np.maximum(low, 0.0), np.maximum(high, -low)


def _ratio(
    p1: Floats, limits1: tuple[Floats, Floats], p2: Floats, limits2: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Of the smaller of p2 / p1 and p1 / p2, where p1 is the higher one; the true order may be the other one."""
    (l1, u1), (l2, u2) = limits1, limits2
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = p2 / p1
        low = ratio * np.exp(-np.hypot(np.log(p2 / l2), np.log(u1 / p1)))
        high = ratio * np.exp(np.hypot(np.log(u2 / p2), np.log(p1 / l1)))
    low, high = np.where(p2 > 0, low, 0.0), np.where(p2 > 0, high, u2 / l1)
    return np.minimum(low, 1 / high), np.minimum(high, 1.0)


def _standard_errors(x1: Floats, n1: Floats, x2: Floats, n2: Floats, scale: Scale, z: float) -> Floats:
    """From Agresti and Coull's rates, which are never 0 or 1: see `proportions.share`."""
    return np.sqrt(_variance(x1, n1, scale, z) + _variance(x2, n2, scale, z))


def _variance(x: Floats, n: Floats, scale: Scale, z: float) -> Floats:
    size = n + z * z
    centre = (x + z * z / 2) / size
    return np.asarray((centre if scale == "difference" else 1 / centre) * (1 - centre) / size)


def _equality(x1: Floats, n1: Floats, x2: Floats, n2: Floats) -> Floats:
    """Two-sided p-values of "the two rates are equal"."""
    total, counted = n1 + n2, x1 + x2
    pooled = counted / total
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    z = np.divide(x1 / n1 - x2 / n2, spread, out=np.zeros_like(spread), where=spread > 0)
    p_values = np.asarray(2 * ndtr(-np.abs(z)))
    expected = np.minimum(n1, n2) * np.minimum(counted, total - counted) / total
    few = np.flatnonzero(expected < _FISHER_BELOW)
    if few.size:
        p_values[few] = fisher(x1[few], n1[few], x2[few], n2[few])
    return np.asarray(np.minimum(p_values, 1.0))


def fisher(x1: Floats, n1: Floats, x2: Floats, n2: Floats) -> Floats:
    """Fisher's exact two-sided p-values: the chance of all tables that are no likelier than the one seen.

    Parameters
    ----------
    x1, n1, x2, n2 : arrays of shape (pairs,)
        Rows that count, of how many, in two groups.

    References
    ----------
    R. A. Fisher, Statistical Methods for Research Workers, 5th edition, 1934.
    """
    counted = x1 + x2
    first, last = np.maximum(0.0, counted - n2), np.minimum(n1, counted)
    tables = int((last - first).max()) + 1
    pairs = max(1, _CELLS // tables)
    return np.concatenate(
        [
            _fisher(*(cells[place : place + pairs] for cells in (x1, n1, counted, n2, first, last)), tables=tables)
            for place in range(0, x1.size, pairs)
        ]
    )


def _fisher(x1: Floats, n1: Floats, counted: Floats, n2: Floats, first: Floats, last: Floats, *, tables: int) -> Floats:
    """All tables with the same margins, one row for each pair: some have fewer tables than others."""
    n1, counted, n2 = n1[:, None], counted[:, None], n2[:, None]
    table = np.minimum(first[:, None] + np.arange(tables), last[:, None])
    cells = (table, n1 - table, counted - table, n2 - counted + table)
    log = -np.sum([gammaln(cell + 1) for cell in cells], axis=0)
    chance = np.exp(log - log.max(axis=1, keepdims=True))
    chance[np.arange(tables) > (last - first)[:, None]] = 0.0
    seen = np.take_along_axis(chance, (x1 - first).astype(np.intp)[:, None], axis=1)
    no_likelier = chance <= seen * (1 + 1e-7)
    return np.asarray((chance * no_likelier).sum(axis=1) / chance.sum(axis=1))
