"""Two distribution functions that differ by chance alone: how far they do, and how often that far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, kolmogorov

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from .steps import Steps

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

_EXACT_WORK = 20_000_000
_EXACT_DISTINCT = 256
_BRIDGES = 400
_BRIDGE_POINTS = 256


def kolmogorov_quantile(level: float) -> float:
    """Which √(nm/(n+m))·D is exceeded with this chance: the first term of Kolmogorov's series, which is enough."""
    return math.sqrt(-math.log(level / 2) / 2)


def ks_p_value(steps: Steps) -> float:
    """Exact given the ties where at most 256 values differ and there are not too many; else Kolmogorov's limit."""
    n, m = steps.n, steps.m
    limit = float(kolmogorov(math.sqrt(n * m / (n + m)) * steps.lead / (n * m)))
    width = 2 * steps.lead / (n + m) + 1
    tied = np.diff(steps.reference + steps.current, prepend=0)
    if limit < 1e-9 or tied.size > _EXACT_DISTINCT or tied.size * width**2 > _EXACT_WORK:
        return limit
    unseen = int(tied[steps.highest > steps.lowest].max(initial=0))
    if not unseen:
        return _ks_exact(tied, n, steps.lead)
    return min(limit, _ks_exact(tied, n, max(0, steps.lead - -(-unseen * n * m // (n + m)))))


def _ks_exact(tied: Counts, n: int, lead: int) -> float:
    """P(D ≥ the one seen) among all ways to choose which `n` of the pooled values are the reference's.

    Which of them are among the first T is a walk, binomial in each group of tied values, given that it ends at `n`;
    D is smaller as long as the walk stays within `lead`.
    """
    if lead == 0:
        return 1.0
    size = int(tied.sum())
    share = n / size
    weights, start, passed = np.ones(1), 0, 0
    for group in tied.tolist():
        passed += group
        first = max(0, (n * passed - lead) // size + 1)
        last = min(n, -((-n * passed - lead) // size) - 1)
        fewest = max(0, first - (start + weights.size - 1))
        most = min(group, last - start)
        if most < fewest:
            return 1.0
        weights = np.convolve(weights, _binomial(group, share, fewest, most))
        start += fewest
        weights = weights[max(0, first - start) : last - start + 1]
        start = max(start, first)
    inside = float(weights[n - start]) if 0 <= n - start < weights.size else 0.0
    return float(np.clip(1 - inside / _binomial(size, share, n, n)[0], 0.0, 1.0))


def _binomial(size: int, share: float, fewest: int, most: int) -> Floats:
    if size == 1:
        return np.array([1 - share, share])[fewest : most + 1]
    k = np.arange(fewest, most + 1)
    ways = gammaln(size + 1) - gammaln(k + 1) - gammaln(size - k + 1)
    return np.asarray(np.exp(ways + k * math.log(share) + (size - k) * math.log1p(-share)))


# --- bridges


def expected_square(steps: Steps, generator: Generator) -> float:
    """E₀[D²] · nm/(n+m): π²/12 for a continuous column, less where the bridge is seen at a few points only."""
    shares = (steps.reference + steps.current) / (steps.n + steps.m)
    if np.diff(shares, prepend=0.0).max() < 1 / _BRIDGE_POINTS + 2 / (steps.n + steps.m):
        return math.pi**2 / 12
    _, bridges = _bridges(shares, generator)
    return float(np.mean(np.abs(bridges).max(axis=1) ** 2))


def moved_by_chance(steps: Steps, gaps: Floats, generator: Generator) -> Floats:
    """∫|B| / spread for many bridges, over the mixture in which the noisier sample weighs more.

    As t(1 - t) is concave, this bridge varies at least as much as the difference of the two samples' own.
    """
    n, m = steps.n, steps.m
    shares = (steps.reference / n * m + steps.current / m * n) / (n + m)
    kept, bridges = _bridges(shares, generator)
    widths = np.add.reduceat(np.append(gaps, 0.0), kept)
    return np.asarray(np.abs(bridges) @ widths)


def _bridges(shares: Floats, generator: Generator) -> tuple[NDArray[np.intp], Floats]:
    """Brownian bridges at `shares`, or at some 256 of them: which, and an array of shape (bridges, points)."""
    cell = np.minimum((shares * _BRIDGE_POINTS).astype(int), _BRIDGE_POINTS)
    kept = np.flatnonzero(np.diff(cell, prepend=-1))
    at = shares[kept]
    steps = np.sqrt(np.diff(at, prepend=0.0))
    walk = np.cumsum(generator.standard_normal((_BRIDGES, at.size)) * steps, axis=1)
    rest = generator.standard_normal(_BRIDGES) * math.sqrt(max(0.0, 1 - at[-1]))
    return kept, walk - (walk[:, -1] + rest)[:, None] * at
