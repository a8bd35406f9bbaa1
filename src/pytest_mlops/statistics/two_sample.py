"""Two samples of one column: how far apart they are, how sure that is, and whether chance alone would do it.

Every effect is 0 where both samples come from one distribution. A sample's own noise makes the plain statistics larger
than that, so the null expectation is subtracted from their squares. p-values are those of the Kolmogorov–Smirnov or of
the χ² test, given the pooled values (a permutation test), never those of a population stability index.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .distribution import quantiles
from .kolmogorov import expected_square, kolmogorov_quantile, ks_p_value, moved_by_chance
from .power import POWER_QUANTILE, error_for, quantile
from .proportions import harm_hidden_by_equality
from .steps import Steps

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

BINS = 10
"""Of a numeric column, where it is judged by cells: deciles of the pooled sample."""

_FAR = 20.0
_NORMAL_PEAK = 1 / math.sqrt(2 * math.pi)
_SPREADS_PER_QUARTILES = 2 * NormalDist().inv_cdf(0.75)
_CONSTANT = "the same single value in both samples"


@dataclass(frozen=True, slots=True)
class Stakes:
    """How sure an answer must be.

    Parameters
    ----------
    confidence : float
        Of the interval, in (0, 1).
    comparisons : int
        Over how many columns the p-value will be corrected: one alone must meet the level divided by it.
    bound : float
        The largest effect that is allowed.
    """

    confidence: float
    comparisons: int = 1
    bound: float = 0.0

    @property
    def level(self) -> float:
        """The p-value that one column alone must meet."""
        return (1 - self.confidence) / 2 / self.comparisons

    def standard_error(self, unseen: float, at_bound: float = 0.0) -> float:
        """The standard error from which `with_blind_spot` finds the right blind spot.

        Parameters
        ----------
        unseen : float
            The smallest effect that is significant with probability 0.8.
        at_bound : float
            The standard deviation of an estimate at the bound, where it is larger than that of one near 0.
        """
        z = quantile(1 - (1 - self.confidence) / self.comparisons)
        error = unseen / (z + POWER_QUANTILE)
        spot = max(self.bound, z * error) + POWER_QUANTILE * error
        spot = max(spot, self.bound + POWER_QUANTILE * at_bound)
        return error_for(spot, self.bound, self.confidence, comparisons=self.comparisons)


def plain_distance(method: str, steps: Steps) -> float:
    """The effect as it is seen, chance included: of ``"ks"`` or ``"wasserstein"``."""
    return steps.lead / (steps.n * steps.m) if method == "ks" else _Moved.of(steps).distance


def kolmogorov_smirnov(steps: Steps, *, stakes: Stakes, generator: Generator) -> Estimate:
    """The largest distance between the two distribution functions, in [0, 1].

    Parameters
    ----------
    steps : Steps
    stakes : Stakes
    generator : numpy.random.Generator
        Of the null expectation, where values are tied.

    Returns
    -------
    Estimate
        √max(0, D² − E₀[D²]); the interval is D ± the Kolmogorov quantile [1]_ (1.358 at 0.95) · √(1/n + 1/m), which
        covers by the triangle inequality, and the slack of the cells above it. The p-value is exact given the ties [2]_
        where at most 256 values differ; else Kolmogorov's limit, which ties and cells only make larger than it should
        be. Within a cell, whoever is in it, the functions leave its ends by at most its share of all values: of a D
        that is smaller by that the cells' exact p-value is not smaller than that of the values.

    References
    ----------
    .. [1] N. Smirnov, "Table for estimating the goodness of fit of empirical distributions", Ann. Math. Statist. 19,
       1948.
    .. [2] G. Schröer and D. Trenkler, "Exact and randomization distributions of Kolmogorov–Smirnov tests two or three
       samples", Computational Statistics & Data Analysis 20, 1995.
    """
    if steps.lowest[0] == steps.highest[-1]:
        return constant(steps.n, steps.m, stakes, lambda hidden: hidden)
    noise = math.sqrt(1 / steps.n + 1 / steps.m)
    distance = plain_distance("ks", steps)
    expected = expected_square(steps, generator) * noise**2
    value = math.sqrt(max(0.0, distance**2 - expected))
    reach = kolmogorov_quantile(1 - stakes.confidence) * noise
    return Estimate(
        value=value,
        low=min(value, max(0.0, distance - reach)),
        high=min(1.0, distance + reach + steps.slack),
        confidence=stakes.confidence,
        method="Kolmogorov–Smirnov",
        n=steps.n + steps.m,
        null=0.0,
        p_value=ks_p_value(steps),
        standard_error=stakes.standard_error(_unseen_distance(stakes, noise) + steps.slack),
    )


def wasserstein(steps: Steps, *, stakes: Stakes, generator: Generator) -> Estimate:
    """The mean distance by which values must be moved, in spreads of the reference.

    Parameters
    ----------
    steps : Steps
        Of finite numbers.
    stakes : Stakes
    generator : numpy.random.Generator
        Of the Brownian bridges that say how far chance alone moves values.

    Returns
    -------
    Estimate
        √max(0, W² − E₀[W²]), where the spread is the distance of the quartiles / 1.349 (the standard deviation of a
        normal column, and no outlier moves it), or the standard deviation where the quartiles are equal. What is more
        than 20 spreads from the reference's median counts as 20 away: one absurd value would else drown all others.
        The interval is W ± the quantile of ∫|B| for a Brownian bridge B over the mixed sample [1]_, which covers by the
        triangle inequality, and what the cells may hide on either side. The p-value is that of the Kolmogorov–Smirnov
        test; the standard error is for a shift of a normal column.

    Raises
    ------
    EvidenceError
        A value is infinite; the reference has no spread.

    References
    ----------
    .. [1] E. del Barrio, E. Giné, C. Matrán, "Central limit theorems for the Wasserstein distance between the
       empirical and the true distributions", Annals of Probability 27, 1999.
    """
    if not (np.isfinite(steps.highest[0]) and np.isfinite(steps.lowest[-1])):
        raise EvidenceError("infinite values have no distance")
    if steps.lowest[0] == steps.highest[-1]:
        return constant(steps.n, steps.m, stakes, lambda hidden: hidden)
    noise = math.sqrt(1 / steps.n + 1 / steps.m)
    seen = _Moved.of(steps)
    moved = moved_by_chance(steps, seen.gaps, generator) * noise
    value = math.sqrt(max(0.0, seen.distance**2 - float(np.mean(moved**2))))
    reach = float(np.quantile(moved, stakes.confidence)) + seen.slack
    return Estimate(
        value=value,
        low=min(value, max(0.0, seen.distance - reach)),
        high=seen.distance + reach,
        confidence=stakes.confidence,
        method="Wasserstein, Kolmogorov–Smirnov test",
        n=steps.n + steps.m,
        null=0.0,
        p_value=ks_p_value(steps),
        standard_error=stakes.standard_error(
            (_unseen_distance(stakes, noise) + steps.slack) / _NORMAL_PEAK + seen.slack
        ),
    )


def binned(steps: Steps) -> Counts:
    """Counts, of shape (2, cells), of two numeric samples: by value where few differ, else by pooled deciles.

    The deciles are of both samples together, so that labels remain exchangeable: the χ² test stays one of permutation.
    """
    if steps.highest.size <= BINS:
        return np.stack([np.diff(steps.reference, prepend=0), np.diff(steps.current, prepend=0)])
    pooled = steps.reference + steps.current
    last = np.searchsorted(pooled, np.arange(1, BINS) / BINS * pooled[-1])
    ends = np.unique(np.append(last, steps.highest.size - 1))  # a value too frequent for one decile ends several
    return np.stack([np.diff(steps.reference[ends], prepend=0), np.diff(steps.current[ends], prepend=0)])


# --- numbers


@dataclass(frozen=True, slots=True)
class _Moved:
    """How far values move, in spreads: `gaps` are between the middles of cells, `slack` is what these hide."""

    distance: float
    gaps: Floats
    slack: float

    @classmethod
    def of(cls, steps: Steps) -> _Moved:
        median, spread = _middle_and_spread(steps)
        lowest, highest = (np.clip((ends - median) / spread, -_FAR, _FAR) for ends in (steps.lowest, steps.highest))
        after = steps.difference
        before = np.append(0.0, after[:-1])
        widths = highest - lowest
        between = float(np.abs(after[:-1]) @ (lowest[1:] - highest[:-1]))
        within = float(_area(before, after) @ widths)
        middles = (lowest + highest) / 2
        # Within a cell one function rises by f, the other by g, and how they do so is not known.
        rises = (np.diff(steps.reference, prepend=0) / steps.n + np.diff(steps.current, prepend=0) / steps.m) / 2
        return cls(between + within, np.diff(middles), float(rises @ widths))


def _area(left: Floats, right: Floats) -> Floats:
    """Under |y| where y goes straight from `left` to `right`, over a width of 1."""
    size = np.abs(left) + np.abs(right)
    crossing = (left**2 + right**2) / np.where(size > 0, size, 1.0)
    return np.where(left * right < 0, crossing, size) / 2


def _middle_and_spread(steps: Steps) -> tuple[float, float]:
    lower, median, upper = quantiles(steps.lowest, steps.highest, steps.reference, [0.25, 0.5, 0.75]).tolist()
    spread = (upper - lower) / _SPREADS_PER_QUARTILES or _deviation(steps)
    if not 0 < spread < math.inf:
        raise EvidenceError("the reference has no spread to measure a distance in")
    return median, spread


def _deviation(steps: Steps) -> float:
    """The standard deviation of the reference; values of a cell are in its middle."""
    middles, shares = steps.lowest / 2 + steps.highest / 2, np.diff(steps.reference, prepend=0) / steps.n
    with np.errstate(over="ignore", invalid="ignore"):
        return math.sqrt(float(shares @ (middles - shares @ middles) ** 2))


def _unseen_distance(stakes: Stakes, noise: float) -> float:
    """The D that is significant with probability 0.8: a share's standard deviation is at most ½."""
    return (kolmogorov_quantile(stakes.level) + POWER_QUANTILE / 2) * noise


# --- nothing to see


def constant(n: int, m: int, stakes: Stakes, effect: Callable[[float], float]) -> Estimate:
    """One value in all rows is an exact 0; how many rows may differ and not show in so few is the blind spot."""
    return Estimate(
        value=0.0,
        low=0.0,
        high=0.0,
        confidence=stakes.confidence,
        method=_CONSTANT,
        n=n + m,
        null=0.0,
        p_value=1.0,
        blind_spot=effect(harm_hidden_by_equality(min(n, m))),
        exact=True,
    )
